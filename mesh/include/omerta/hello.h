/*
 * hello.h - finding the members of a network that are on the same LAN
 *
 * What:  announces a node by multicast, and says where the driver must listen for others.
 * Why:   members on one link need no server to meet. Outsiders on the link see random bytes of
 *        handshake size, sent to a group that only the network's secret gives.
 * Keeps: node_hello_is_sealed_and_signed; node_hello_starts_a_session; node_hello_tries_end;
 *        node_hello_is_heard_only_over_the_link; node_hello_stops;
 *        node_hello_follows_the_epoch; node_hello_refuses_bad_addresses.
 *
 * The driver sends an OM_ACT_SEND to a multicast address from the socket that its unicast
 * datagrams leave from, with TTL 1, and marks what came in over a group it joined
 * (om_dgram.is_multicast).
 *
 * Source: PROTOCOL section 3, LAN hello.
 */
#ifndef OMERTA_HELLO_H
#define OMERTA_HELLO_H

#include <omerta/node.h>

enum {
    OM_HELLO_ADDRS_MAX = 8,
    OM_HELLO_GROUPS_MAX = 4 /* of the current epoch, IPv4 and IPv6, then of the previous one */
};

/**
 * om_node_hello() - announce this node on its LAN, and act on what others announce
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @addrs:    what its datagrams bear as source on the link, copied; call again when that changes
 * @count:    0 to OM_HELLO_ADDRS_MAX; 0 stops both
 *
 * Each call begins with three hellos one second apart; then one a minute.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE for an address that is no sender's, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_hello(struct om_node *n, om_time now, const struct om_id *network,
                                  const struct om_addr *addrs, unsigned count);

/**
 * om_node_hello_groups() - the multicast groups to join and their port, for hellos of others
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @out:      the current epoch's first; ask again after om_node_epoch()
 *
 * Return: how many; 0 for an unknown network.
 */
unsigned om_node_hello_groups(const struct om_node *n, om_time now, const struct om_id *network,
                              struct om_addr out[static OM_HELLO_GROUPS_MAX]);

#endif
