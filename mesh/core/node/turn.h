/*
 * turn.h - of the attempts that send much, one sends at a time
 *
 * What:  who of a node's peers has the turn to open hundreds of flows, or to sweep ports, and until
 *        when at the latest; who waits is looked at when it ends.
 * Why:   such an attempt takes the whole rate (reach.h) and a quarter of the sockets. Several at
 *        once all have too little, fail, and spend the other sides' budgets: what a node behind a
 *        strict NAT met in the moment in which a dozen of peers knew it.
 * Keeps: turn_is_of_one_attempt.
 *
 * A turn ends with the last datagram of the plan, or as soon as something came back; sockets stay
 * open until the attempt ends. Easy pairs need no turn. A peer that asks out of turn is told
 * OM_PUNCH_LATER, and is asked once there is one.
 */
#ifndef OM_NODE_TURN_H
#define OM_NODE_TURN_H

#include "node/state.h"

/** node_turn_is_taken() - does another attempt of @n than that with @p send much at @now? */
bool node_turn_is_taken(const struct om_node *n, const struct om_peer *p, om_time now);

/** node_turn_note() - the attempt @run of @n with @p went on at @now: it takes the turn, keeps it,
 *  or has no need of it any more. Only who finds it free may take it. */
void node_turn_note(struct om_node *n, om_time now, const struct om_peer *p,
                    const struct om_punch *run);

/** node_turn_leave() - @p of @n is no more. */
void node_turn_leave(struct om_node *n, const struct om_peer *p);

#endif
