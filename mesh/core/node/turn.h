/*
 * turn.h - of the attempts that send much, one sends at a time
 *
 * What:  who of a node's peers has the turn to open hundreds of flows, or to sweep ports, and until
 *        when at the latest; who waits is looked at when it ends.
 * Why:   such an attempt takes the whole rate (reach.h) and a quarter of the sockets. Several at
 *        once all have too little, fail, and spend the other sides' budgets: what a node behind a
 *        strict NAT met in the moment in which a dozen of peers knew it.
 * Keeps: turn_is_of_one_attempt; turn_is_first_of_who_is_used.
 *
 * Peers that a program uses come before those that only gossip: the first of them that waits is
 * next, and nobody else begins meanwhile.
 *
 * A turn ends with the last datagram of the plan, or as soon as something came back; sockets stay
 * open until the attempt ends. Easy pairs need no turn. A peer that asks out of turn is told
 * OM_PUNCH_LATER, and is asked once there is one.
 */
#ifndef OM_NODE_TURN_H
#define OM_NODE_TURN_H

#include "node/state.h"

enum {
    OM_TURN_USED_S = 5,    /* since a program last wanted something of a peer */
    OM_TURN_NEXT_MS = 1000 /* for who is next to begin, when it could */
};

/** node_turn_free_at() - when an attempt of @n with @p that sends much may begin, at the latest; 0
 *  or in the past: now. Others may be done sooner, of which the timer of @p is told. */
om_time node_turn_free_at(const struct om_node *n, const struct om_peer *p);

/** node_turn_want() - an attempt of @n with @p has to wait at @now. */
void node_turn_want(struct om_node *n, om_time now, const struct om_peer *p);

/** node_turn_is_taken() - does another attempt of @n than that with @p send much at @now, or is
 *  about to? */
static inline bool node_turn_is_taken(const struct om_node *n, const struct om_peer *p, om_time now)
{
    return now < node_turn_free_at(n, p);
}

/** node_turn_note() - the attempt @run of @n with @p went on at @now: it takes the turn, keeps it,
 *  or has no need of it any more. Only who finds it free may take it. */
void node_turn_note(struct om_node *n, om_time now, const struct om_peer *p,
                    const struct om_punch *run);

/** node_turn_leave() - @p of @n is no more. */
void node_turn_leave(struct om_node *n, const struct om_peer *p);

#endif
