/*
 * services.h - what a node runs in each of its networks beside sessions
 *
 * What:  gossip and the services that peers call: begun when a network is joined, told of sessions,
 *        asked for actions, ended when the network is left.
 * Why:   node.c goes through its parts without knowing what any of them is.
 *
 * Source: PROTOCOL section 10.
 */
#ifndef OM_NODE_SERVICES_H
#define OM_NODE_SERVICES_H

#include "node/state.h"

/* node_gossip.c */

/* What asking a part of the node for its next action came to: nothing, work, something to tell. */
enum node_step { NODE_IDLE, NODE_WORKED, NODE_TOLD };

/** node_gossip_start() - gossip of the @i-th network of @n. Return: OM_OK or OM_E_NO_MEM. */
enum om_err node_gossip_start(struct om_node *n, unsigned i);

/** node_gossip_stop() - end all gossip of @n. */
void node_gossip_stop(struct om_node *n);

/** node_gossip_leave() - end gossip of the @i-th network of @n. */
void node_gossip_leave(struct om_node *n, unsigned i);

/** node_gossip_again() - our certificate in @network of @n is another since @now: so is our record,
 *  if there is one. */
void node_gossip_again(struct om_node *n, om_time now, const struct om_id *network);

/** node_gossip_wall() - the calendar of @n shows @wall at @now. */
void node_gossip_wall(struct om_node *n, om_time now, struct om_wall wall);

/** node_gossip_up() - @n holds at @now a session with @p. */
void node_gossip_up(struct om_node *n, om_time now, const struct om_peer *p);

/** node_gossip_datagram() - is @d, which @n had at @now from @p, gossip's? Then it was taken. */
bool node_gossip_datagram(struct om_node *n, om_time now, const struct om_peer *p,
                          const struct om_frame_datagram *d);

/** node_gossip_next() - carry out one action of gossip of @n; @out is filled when it is for the
 *  driver (NODE_TOLD). */
enum node_step node_gossip_next(struct om_node *n, struct om_act *out);

/* node_service.c */

/** node_service_start() - services of the @i-th network of @n. Return: OM_OK or OM_E_NO_MEM. */
enum om_err node_service_start(struct om_node *n, unsigned i);

/** node_service_stop() - end all services of @n. */
void node_service_stop(struct om_node *n);

/** node_service_leave() - end services of the @i-th network of @n. */
void node_service_leave(struct om_node *n, unsigned i);

/** node_service_up() - @n can call @p from @now on. */
void node_service_up(struct om_node *n, om_time now, const struct om_peer *p);

/** node_service_down() - @n cannot call @p any more, since @now. */
void node_service_down(struct om_node *n, om_time now, const struct om_peer *p);

/** node_service_next() - as node_gossip_next(), of the services of @n into @out. */
enum node_step node_service_next(struct om_node *n, struct om_act *out);

#endif
