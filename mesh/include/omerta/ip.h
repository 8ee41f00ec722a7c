/*
 * ip.h - IP packets between nodes
 *
 * What:  gives a node an IP packet for a peer, and says whose packets are wanted.
 * Why:   an overlay's packets are larger than many paths, are not sent again when they are lost,
 *        and come from who may be anybody: each needs its answer in one place.
 * Keeps: ip_crosses_a_small_path; ip_is_refused_unless_allowed; ip_queue_drops_the_oldest.
 *
 * A packet that is larger than the path leaves in slices and arrives whole or not at all. What
 * arrives of a peer that was allowed is OM_ACT_IP; of any other it is a counted drop.
 */
#ifndef OMERTA_IP_H
#define OMERTA_IP_H

#include <omerta/node.h>

/**
 * om_node_send_ip() - send an IP packet
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a peer that was connected or has connected
 * @packet:   1 to OM_IP_MAX bytes; copied and not looked at
 *
 * It waits for a session and for room on the path; of too many that wait the oldest goes.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE, OM_E_NO_ROUTE for a peer without endpoint, OM_E_BUSY
 * when no buffer is free.
 */
OM_MUST enum om_err om_node_send_ip(struct om_node *n, om_time now, const struct om_id *network,
                                    const struct om_id *peer, struct om_bytes packet);

/**
 * om_node_allow_ip() - take IP packets of a peer, or no longer
 * @n:           the node; of a new one nobody's are taken
 * @network:     one that was joined
 * @peer:        its key there; it need not be known yet
 * @is_allowed:  whether; forgotten when the node forgets the peer
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE for a key that is none, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_allow_ip(struct om_node *n, const struct om_id *network,
                                     const struct om_id *peer, bool is_allowed);

#endif
