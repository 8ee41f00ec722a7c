/*
 * netlink_parse.h - what one rtnetlink message says
 *
 * What:  link, address and default route from the bytes of a message; no socket.
 * Why:   the kernel's attributes are many, come in any order and may be absent; reading them is
 *        testable without a kernel that sends them.
 * Keeps: netlink_reads_a_link; netlink_reads_addresses; netlink_reads_default_routes;
 *        netlink_refuses_short_messages.
 *
 * A message shorter than its fixed part, or with an attribute shorter than its value, says nothing.
 *
 * Source: rtnetlink(7); linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h; RFC 2863
 *         (ifOperStatus).
 */
#ifndef OM_HOST_NETLINK_PARSE_H
#define OM_HOST_NETLINK_PARSE_H

#include "net_view.h"

struct nlmsghdr;

enum { NETLINK_HOPS_MAX = 8 }; /* next hops that are read of one route; what is above is ignored */

/** netlink_parse_link() - fill @out from RTM_NEWLINK @m; false when @m says nothing. */
OM_MUST bool netlink_parse_link(struct om_iface *out, const struct nlmsghdr *m);

/** netlink_parse_addr() - fill @out from RTM_NEWADDR @m; false when @m says nothing. */
OM_MUST bool netlink_parse_addr(struct net_addr *out, const struct nlmsghdr *m);

/**
 * netlink_parse_default() - the live next hops of a default route of the main table
 * @out:  filled from the start
 * @m:    RTM_NEWROUTE
 *
 * Return: how many of @out were filled; 0 for every other route.
 */
OM_MUST unsigned netlink_parse_default(struct net_route out[static NETLINK_HOPS_MAX],
                                       const struct nlmsghdr *m);

/** netlink_parse_matters() - may @m, of any type, mean that a net_view changed? */
bool netlink_parse_matters(const struct nlmsghdr *m);

#endif
