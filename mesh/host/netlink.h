/*
 * netlink.h - what the kernel says about the network, read into a snapshot
 *
 * What:  one dump of links, addresses and routes; and the messages that make it up, one at a time.
 * Why:   reading bytes is one thing, waiting for them another: netwatch.h waits.
 * Keeps: netlink_ignores_what_is_cut_short.
 *
 * Source: rtnetlink(7), libmnl.
 */
#ifndef OM_HOST_NETLINK_H
#define OM_HOST_NETLINK_H

#include <linux/netlink.h>

#include "netwatch.h"

struct om_net_snapshot {
    struct om_iface ifaces[OM_IFACES_MAX];
    unsigned count;
    bool has_default[2]; /* v4, v6 */
};

/** om_net_message() - add what one message @h of a dump says to @s; unknown ones are skipped. */
void om_net_message(struct om_net_snapshot *s, const struct nlmsghdr *h);

/** om_net_dump() - the network as it is now into @s; false, with errno, when the kernel refuses. */
bool om_net_dump(struct om_net_snapshot *s);

/** om_net_diff() - what differs between @a and @b, bits of enum om_net_change. */
unsigned om_net_diff(const struct om_net_snapshot *a, const struct om_net_snapshot *b);

#endif
