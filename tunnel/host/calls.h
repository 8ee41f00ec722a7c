/*
 * calls.h - which part of the program a call of the node belongs to
 *
 * What:  a table from the numbers of calls to their owners; answers and news go straight there.
 * Why:   tunnels, the data socket and services all live on calls; none should know of the others.
 * Keeps: calls_go_to_their_owners.
 *
 * An owner is part of the struct that it is about. From om_calls_open() or om_calls_take() until
 * om_calls_hang_up() its functions are called, from within the loop, and may hang up.
 *
 * Full: the node's own bound, OM_CALLS_MAX.
 */
#ifndef OM_TUNNEL_CALLS_H
#define OM_TUNNEL_CALLS_H

#include <omerta/act.h>

#include "host/pump.h"

struct om_calls;

struct om_call_owner {
    uint64_t call; /* while is_open */
    bool is_open;  /* it has a call */
    void (*on_reply)(struct om_call_owner *o, const struct om_act_reply *reply);
    void (*on_stream)(struct om_call_owner *o, const struct om_act_stream *news);
};

/**
 * om_calls_new() - an empty table
 * @out:   receives it, owned by the caller
 * @pump:  the node's; borrowed
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_calls_new(struct om_calls **out, struct om_pump *pump);

/** om_calls_free() - release @c, in which nobody owns anything any more; NULL is fine. */
void om_calls_free(struct om_calls *c);

/** om_calls_node() - the node of @c, for requests; om_calls_kick() after them. */
struct om_node *om_calls_node(const struct om_calls *c);

/** om_calls_ahead() - bytes of all splices of @c that sockets said and peers do not have yet; the
 *  splices keep count of them. */
uint64_t *om_calls_ahead(struct om_calls *c);

/** om_calls_kick() - send what the node of @c has to send since something was asked of it. */
void om_calls_kick(const struct om_calls *c);

/**
 * om_calls_open() - call a peer
 * @c:        the table
 * @network:  one that was joined
 * @peer:     a known peer
 * @config:   what; copied
 * @owner:    has no call; its functions are set
 *
 * Return: as om_node_call(), and OM_E_NO_MEM.
 */
OM_MUST enum om_err om_calls_open(struct om_calls *c, const struct om_id *network,
                                  const struct om_id *peer, const struct om_call_config *config,
                                  struct om_call_owner *owner);

/**
 * om_calls_take() - a peer's call belongs to @owner from now on
 * @c:      the table
 * @call:   of an OM_ACT_CALL
 * @owner:  has no call; its functions are set
 *
 * Return: OM_OK or OM_E_NO_MEM. It still has to be accepted, or hung up.
 */
OM_MUST enum om_err om_calls_take(struct om_calls *c, uint64_t call, struct om_call_owner *owner);

/**
 * om_calls_hand_over() - the call of @from is @to's from now on
 * @c:     the table
 * @from:  has a call
 * @to:    has none; its functions are set
 *
 * Return: OM_OK; OM_E_NO_MEM, with the call hung up.
 */
OM_MUST enum om_err om_calls_hand_over(struct om_calls *c, struct om_call_owner *from,
                                       struct om_call_owner *to);

/** om_calls_release() - the call of @owner in @c is nobody's any more, and lives on for the caller
 *  to answer at once. */
void om_calls_release(struct om_calls *c, struct om_call_owner *owner);

/** om_calls_hang_up() - @owner is done with its call in @c, if it has one; the other side is told
 *  @code if anything was left. What it had written and was not released is its own again. */
void om_calls_hang_up(struct om_calls *c, struct om_call_owner *owner, enum om_close_code code);

/** om_calls_refuse() - say no to call @call of @c, which nobody has taken: @error, and the sentence
 *  @text, which may be NULL. */
void om_calls_refuse(struct om_calls *c, uint64_t call, const char *error, const char *text);

/**
 * om_calls_keep() - what a call lent has to last for longer than the caller runs
 * @c:      the calls
 * @owner:  of the call
 * @bufs:   what was lent; points to the copy, if one was made
 * @count:  of @bufs
 * @copy:   receives it, the caller's to free, or NULL where none is needed
 *
 * A call to this node itself ends for its reader when the other end hangs up, before anybody can
 * be told.
 *
 * Return: false without the memory.
 */
bool om_calls_keep(const struct om_calls *c, const struct om_call_owner *owner, uv_buf_t *bufs,
                   unsigned count, uint8_t **copy);

/** om_calls_act() - give @act, a reply or news of a stream, to its owner in @c. */
void om_calls_act(struct om_calls *c, const struct om_act *act);

#endif
