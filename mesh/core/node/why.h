/*
 * why.h - what the node notes of its attempts, so that it can say why
 *
 * What:  one call for each thing that is tried, and for what came of it; and whether UDP gets out
 *        of this network at all.
 * Why:   the files that do these things must not be longer for it than a line each.
 */
#ifndef OM_NODE_WHY_H
#define OM_NODE_WHY_H

#include <omerta/why.h>

#include "node/state.h"

/** node_why_shake() - @n sends @p a first word at @now over @via, a direct way. */
void node_why_shake(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via);

/** node_why_shaken() - @p answered @n's first word at @now over @via. */
void node_why_shaken(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via);

/** node_why_ask() - @p is asked at @now whether it is at @path, a way not known to work. */
void node_why_ask(struct om_peer *p, om_time now, const struct om_path *path);

/** node_why_asked() - a way of @p, @via, is proven at @now, or failed: @is_proven. */
void node_why_asked(struct om_peer *p, om_time now, const struct om_via *via, bool is_proven);

/** node_why_unasked() - at @now nothing is sent to @p at @to, for @reason, static text. */
void node_why_unasked(struct om_peer *p, om_time now, const struct om_addr *to, const char *reason);

/** node_why_lane() - @relay is asked at @now for a lane to @p, our number @lane. */
void node_why_lane(struct om_peer *p, om_time now, const struct om_peer *relay, uint32_t lane);

/** node_why_laned() - @lane to @p is open at @now, or over. */
void node_why_laned(struct om_peer *p, om_time now, const struct om_lane *lane);

/** node_why_punch() - an attempt of @run with @p began at @now, or is over. */
void node_why_punch(struct om_peer *p, om_time now, const struct om_punch *run);

/* node_netcheck.c */

/** node_udp_asked() - @n asked somebody at @to at @now, who may not answer. */
void node_udp_asked(struct om_node *n, om_time now, const struct om_addr *to);

/** node_udp_heard() - somebody at @from answered @n at @now. */
void node_udp_heard(struct om_node *n, om_time now, const struct om_addr *from);

/** node_udp_works() - does @n hear somebody far away over one of the families? */
bool node_udp_works(const struct om_node *n);

/** node_why_moved() - @n is on another network since now: nothing is known of its UDP. */
void node_why_moved(struct om_node *n);

/** node_why_nat() - what the NATs of @n are may be judged otherwise at @now: tell, if so. */
void node_why_nat(struct om_node *n, om_time now);

/* node_hairpin.c */

/** node_hairpin_look() - @n tries at @now its NATs of which that is not known, if it may. */
void node_hairpin_look(struct om_node *n, om_time now);

/** node_hairpin_heard() - a hello that came directly to @n has @body. Return: it was our own
 *  datagram, turned round. */
bool node_hairpin_heard(struct om_node *n, struct om_bytes body);

/** node_hairpin_stop() - @n is on another network, or ends. */
void node_hairpin_stop(struct om_node *n);

/* node_select.c, node_punch.c */

/** node_select_relays() - the relays that @n knows in @net, into @out of @max. Return: how many. */
unsigned node_select_relays(const struct om_node *n, const struct om_network *net,
                            struct om_netcheck_relay *out, unsigned max);

/** node_punch_why() - how punching @p goes in @n at @now: @again, until the next attempt, or
 *  OM_NEVER. Return: one is under way. */
bool node_punch_why(const struct om_node *n, om_time now, const struct om_peer *p, om_time *again);

#endif
