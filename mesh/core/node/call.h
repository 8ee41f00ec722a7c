/*
 * call.h - a call of a node: the RPC, the stream it travels on, and who here is behind it
 *
 * What:  one struct per call number, and the functions by which node_call.c (what happens on
 *        streams) and node_program.c (what programs ask) share it.
 * Why:   the RPC machine knows no stream and the stream no RPC.
 * Keeps: stall_gives_back_what_gossip_asked; stall_of_many_delays_a_revocation_by_seconds.
 */
#ifndef OM_NODE_CALL_H
#define OM_NODE_CALL_H

#include "message/rpc.h"
#include "node/services.h"
#include "node/state.h"

enum node_call_owner {
    CALL_OF_PROGRAM, /* what happens becomes actions */
    CALL_OF_MESSAGE, /* its answer goes to the message service */
    CALL_OF_HEALTH,  /* its answer is a status */
    CALL_OF_JOIN,    /* its answer is a certificate */
    CALL_OF_ISSUE,   /* asked for one, which is to be kept first: then it is answered */
    CALL_OF_GOSSIP,  /* its answer, collected to the end, goes to gossip */
    CALL_OF_LEDGER,  /* so, to the ledger */
    CALL_CLOSING     /* nobody waits: it goes when its stream is done */
};

enum {
    NODE_CALL_REST_S = 10, /* for what follows the answer to gossip's questions; the ledger has its
                              own; and beside that the time its bytes take at */
    NODE_CALL_REST_BYTES_PER_S = 2048
};

enum { DUE_CALL = 1 << 16, DUE_REPLY = 1 << 17 }; /* beside enum om_call_news */

struct node_call {
    uint64_t handle;
    struct om_node *node;
    struct om_id network, id; /* of the peer */
    struct om_peer *peer;     /* NULL: the association ended */
    struct om_stream *stream; /* NULL: then too */
    struct node_loop *loop;   /* shared with the other end, when the peer is this node itself */
    struct om_call rpc;
    enum node_call_owner owner;
    uint64_t tag;  /* gossip's own */
    uint8_t *tail; /* owned: bytes after the answer, of gossip */
    size_t tail_len;
    om_time accepted_at;    /* since when its rest is collected; OM_NEVER: not yet */
    unsigned due;           /* what the program has not been told yet */
    unsigned early;         /* enum om_stream_news that came before the answer did */
    uint64_t preface;       /* bytes we sent that were the RPC's */
    uint64_t written;       /* bytes the program sent */
    uint32_t code;          /* of a reset or stop */
    bool is_data;           /* accepted: bytes are the program's */
    bool is_impatient;      /* counted in om_peer.impatient */
    bool is_lone;           /* the peer began it, and may have no other meanwhile */
    struct om_link ready;   /* in om_node.ready while due is not 0 */
    struct om_link of_peer; /* in om_peer.calls while the association lives */
    struct om_timer timer;
};

/**
 * node_call_make() - a call that has no stream yet
 * @n:        the node
 * @network:  in which
 * @id:       of the peer
 *
 * Return: as node_call_new().
 */
struct node_call *node_call_make(struct om_node *n, const struct om_id *network,
                                 const struct om_id *id);

/**
 * node_call_new() - a call in the tables of a node
 * @n:  the node
 * @p:  the peer, associated
 * @s:  its stream
 *
 * Return: the call, owned by the tables; NULL when they are full or memory is out.
 */
struct node_call *node_call_new(struct om_node *n, struct om_peer *p, struct om_stream *s);

/**
 * node_call_ask() - begin a call
 * @n:       the node
 * @now:     time
 * @p:       the peer, reachable
 * @config:  what
 * @out:     the call
 *
 * Return: as om_node_call().
 */
enum om_err node_call_ask(struct om_node *n, om_time now, struct om_peer *p,
                          const struct om_call_config *config, struct node_call **out);

/** node_call_free() - forget @c and its number, and whatever its stream has still to say. */
void node_call_free(struct node_call *c);

/** node_call_drop() - at @now, end the stream of @c with @code and free @c. */
void node_call_drop(struct node_call *c, om_time now, uint32_t code);

/** node_call_advance() - at @now, act on what the RPC of @c came to, and send what it wrote. */
void node_call_advance(struct node_call *c, om_time now);

/** node_call_answer() - @c, which was left unanswered when it was asked, was answered at @now. */
void node_call_answer(struct node_call *c, om_time now);

/** node_call_due() - tell the program of @c about @news when it next asks for actions. */
void node_call_due(struct node_call *c, unsigned news);

/** node_gossip_asked() - is @c, just asked at @now, gossip's to answer? Then it was answered. */
bool node_gossip_asked(struct node_call *c, om_time now);

/** node_gossip_answered() - gossip's call @c ended at @now; @is_ok: with all its bytes. */
void node_gossip_answered(struct node_call *c, om_time now, bool is_ok);

/** node_service_asked() - is @c, asked at @now, a service's to answer? Then it was answered. */
bool node_service_asked(struct node_call *c, om_time now);

/** node_service_answered() - a service's call @c ended at @now. */
void node_service_answered(struct node_call *c, om_time now);

/** node_call_give_up() - the peer of @c, which is impatient, has owed an answer for too long: for
 *  its program it has ended. */
void node_call_give_up(struct node_call *c);

/** node_call_find() - the call of @n with @handle that a program knows, or NULL. */
struct node_call *node_call_find(const struct om_node *n, uint64_t handle);

#endif
