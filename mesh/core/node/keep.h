/*
 * keep.h - the ways to peers that a node keeps open at rest, and what others ask of it for theirs
 *
 * What:  which paths are kept, by path/keepalive.h; and PINGs that are to be answered later.
 * Why:   a NAT forgets whoever is silent; who wants to be found must speak in time, and no oftener.
 * Keeps: keep_speaks_at_rest_only; keep_leaves_what_nobody_needs; keep_holds_what_is_open;
 *        keep_needs_no_mapping_without_a_nat; keep_finds_a_lost_path; keep_gives_up_on_a_deaf_peer;
 *        keep_blames_the_nat_for_what_comes_back; later_answers_where_it_was_asked;
 *        later_is_bounded; later_is_no_lever; later_trial_is_no_path;
 *        later_answers_from_elsewhere; later_elsewhere_is_bounded.
 *
 * Kept are: the relays that are warm, peers with whom a call is open, and those that a program
 * named (om_node_keep()); each only over its direct way, and only if something in between forgets.
 * Of the first and the last the keys are renewed, too, before they die.
 *
 * A trial uses a spare socket of the driver, which is no way to the peer: neither side takes it for
 * one, nor does a relay send there.
 *
 * Full: OM_LATERS_MAX answers are owed at a time, OM_LATERS_PER_PEER to one peer; what is asked
 * beyond is dropped and counted, and tells the asker nothing. Sockets for answers from elsewhere
 * are opened OM_ELSEWHERE_PER_S times a second; others are answered from where they were asked.
 */
#ifndef OM_NODE_KEEP_H
#define OM_NODE_KEEP_H

#include "node/state.h"

/* An answer from elsewhere: a PUNCH probe, and the PONG. */
enum { OM_PONG_ASIDE_SIZE = OM_PUNCH_FRAME_SIZE + OM_PONG_SIZE };

/* node_keep.c */

/** node_keep_run() - @n does at @now what the way to @p needs to stay open. */
void node_keep_run(struct om_node *n, om_time now, struct om_peer *p);

/** node_keep_deadline() - when node_keep_run() of @p in @n is due, by what is known @now. */
om_time node_keep_deadline(struct om_node *n, const struct om_peer *p, om_time now);

/** node_keep_end() - @n keeps nothing open to @p any more, or begins anew. */
void node_keep_end(struct om_node *n, struct om_peer *p);

/** node_keep_sent() - something goes to @p at @now over @via. */
void node_keep_sent(struct om_peer *p, om_time now, const struct om_via *via);

/** node_keep_heard() - @n heard @p at @now over @via. */
void node_keep_heard(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via);

/** node_keep_is_spare() - is @via the socket of a trial with @p, and no way to it? */
bool node_keep_is_spare(const struct om_peer *p, const struct om_via *via);

/** node_keep_on_pong() - is the PONG with @token, had by @n at @now from @p over @via, the answer
 *  of a trial? It is taken then. */
bool node_keep_on_pong(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                       uint64_t token);

/* node_later.c */

/**
 * node_later_on_ping() - a peer wants a PONG, now or later, where its question came from
 * @n:      the node
 * @now:    time
 * @p:      who asks
 * @via:    from where
 * @bytes:  of the packet's plaintext: no answer is longer
 * @f:      the frame
 */
void node_later_on_ping(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                        size_t bytes, const struct om_frame_ping_later *f);

/** node_later_forget() - @n owes @p no answers any more. */
void node_later_forget(struct om_node *n, const struct om_peer *p);

/** node_later_start() - @n owes nobody at @now. */
void node_later_start(struct om_node *n, om_time now);

/** node_later_stop() - @n answers nobody any more. */
void node_later_stop(struct om_node *n);

#endif
