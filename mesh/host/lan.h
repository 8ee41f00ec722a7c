/*
 * lan.h - hears the hellos that others multicast on the links of this machine
 *
 * What:  one socket for each port, a membership for each group and interface.
 * Why:   the sockets that carry data belong to one port; groups have ports of their own, which
 *        several daemons of a machine may want.
 * Keeps: lan_hears_the_group_and_nothing_else; lan_forgets_what_it_left.
 *
 * SO_REUSEADDR: every daemon of a machine hears a multicast datagram. What came to another address
 * than a group that was joined is dropped and counted.
 *
 * Full: OM_LAN_SOCKETS_MAX sockets; further groups are counted as failed.
 *
 * Source: ip(7) IP_ADD_MEMBERSHIP, IP_MULTICAST_ALL; ipv6(7).
 */
#ifndef OM_HOST_LAN_H
#define OM_HOST_LAN_H

#include <uv.h>

#include <omerta/err.h>
#include <omerta/via.h>

#include "netwatch.h"

enum { OM_LAN_SOCKETS_MAX = 16, OM_LAN_MEMBERS_MAX = 256 };

struct om_lan;

struct om_lan_config {
    uv_loop_t *loop;
    void (*on_batch)(void *self, struct om_dgram *batch,
                     unsigned count); /* lent until it returns */
    void *self;
};

struct om_lan_info {
    unsigned sockets, joined, failed;
    uint64_t datagrams, foreign;
};

/** om_lan_open() - nothing joined yet: @out, @config as usual. OM_OK or OM_E_NO_MEM with @err. */
OM_MUST enum om_err om_lan_open(struct om_lan **out, const struct om_lan_config *config,
                                struct om_error *err);

/** om_lan_close() - leave everything; @l is freed once the loop has run. */
void om_lan_close(struct om_lan *l);

/**
 * om_lan_join() - be in exactly these groups
 * @l:            the sockets
 * @groups:       addresses with ports
 * @group_count:  how many
 * @ifaces:       of this machine; those that are up and can multicast are used
 * @iface_count:  how many
 */
void om_lan_join(struct om_lan *l, const struct om_addr *groups, unsigned group_count,
                 const struct om_iface *ifaces, unsigned iface_count);

/** om_lan_info() - figures of @l into @out. */
void om_lan_info(const struct om_lan *l, struct om_lan_info *out);

#endif
