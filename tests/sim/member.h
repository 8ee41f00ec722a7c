/*
 * member.h - closed networks of a world: their authority, who has which certificate, who is invited
 *
 * What:  makes the certificates that nodes of closed networks begin with, and links for others.
 * Why:   in the world nobody clicks: who is a member follows from the scenario's words.
 * Keeps: script_reads_every_statement.
 */
#ifndef SIM_MEMBER_H
#define SIM_MEMBER_H

#include "actor.h"

/** sim_member_close() - give @n of @w an authority, from which its id follows. */
void sim_member_close(struct sim_world *w, struct sim_network *n);

/**
 * sim_member_join() - let a node take part in a network as its specification says
 * @a:    its node is made
 * @n:    the network
 * @err:  sentence for a person
 *
 * In a closed one a node whose certificate is to come by a link is not in yet.
 *
 * Return: false when its node refuses.
 */
bool sim_member_join(struct sim_actor *a, const struct sim_network *n, struct om_error *err);

/** sim_member_told() - what @m, which @a's node told, says of its epochs is kept for its next
 *  life. */
void sim_member_told(struct sim_actor *a, const struct om_act_member *m);

/** sim_member_is_in() - does @a's node take part in @n, closed or not? */
bool sim_member_is_in(const struct sim_actor *a, const struct sim_network *n);

/** sim_member_pretend() - @a shows in @n from now on what its specification says, and does not
 *  hold. */
void sim_member_pretend(const struct sim_actor *a, const struct sim_network *n);

/* Of a link. */
struct sim_invite {
    struct sim_actor *by;                      /* who signs it: cert=admin */
    struct sim_actor *peers[OM_ENDPOINTS_MAX]; /* that it names */
    unsigned peer_count;
    uint64_t token; /* which invitation it is of */
    uint16_t uses;
    om_time age; /* it was made so long ago, for a day */
};

/** sim_member_invited() - @a joins @n (NULL: its first) by @i. Return: as om_node_join_by_link();
 *  OM_E_STATE when @a is down. */
OM_MUST enum om_err sim_member_invited(struct sim_actor *a, const struct sim_network *n,
                                       const struct sim_invite *i);

/** sim_member_void() - @a takes back invitation @token, for @uses, to @n (NULL: its first). Return:
 *  as om_node_void(); OM_E_STATE when @a is down. */
OM_MUST enum om_err sim_member_void(struct sim_actor *a, const struct sim_network *n,
                                    uint64_t token, uint16_t uses);

/** sim_member_rotate() - @a changes the secret of @n (NULL: its first). Return: as
 *  om_node_rotate(); OM_E_STATE when @a is down. */
OM_MUST enum om_err sim_member_rotate(struct sim_actor *a, const struct sim_network *n);

/** sim_member_certify() - @a, who holds the authority of @n (NULL: its first) from now on, makes
 *  its own certificates anew, as a daemon does. Return: as om_node_credential(); OM_E_STATE when @a
 *  is down. */
OM_MUST enum om_err sim_member_certify(struct sim_actor *a, const struct sim_network *n);

/** sim_member_revoke() - @a throws @b out of @n (NULL: its first). Return: as om_node_revoke();
 *  OM_E_STATE when @a is down. */
OM_MUST enum om_err sim_member_revoke(struct sim_actor *a, const struct sim_network *n,
                                      struct sim_actor *b);

/**
 * sim_member_oust() - @a hears that the authority of @n (NULL: its first) made @b an admin no more
 * @a:       a node
 * @n:       the network
 * @b:       an admin
 * @honour:  so many entries of its log count; it is up, and has them
 *
 * Return: as om_node_ledger(); OM_E_STATE when one is down, OM_E_MISSING without such an entry.
 */
OM_MUST enum om_err sim_member_oust(struct sim_actor *a, const struct sim_network *n,
                                    struct sim_actor *b, unsigned honour);

#endif
