/*
 * lan.h - the sockets that hear multicast hellos of neighbours
 *
 * What:  joins groups on interfaces, receives what is sent to them, hands it on in batches.
 * Why:   the port of a group is shared by all daemons of a machine, the node's own port is not; so
 *        hearing is done here, with SO_REUSEADDR, and sending from the node's own socket.
 * Keeps: lan_hears_a_group_and_nothing_else; lan_hears_a_group_v6; lan_left_group_is_not_heard;
 *        lan_hears_only_on_joined_interfaces; lan_keeps_what_stays; lan_counts_what_fails;
 *        lan_two_daemons_hear_the_same; lan_drops_what_is_too_long;
 *        lan_may_be_changed_in_its_batch; lan_has_room_for_all_networks.
 * Full:  groups above OM_LAN_GROUPS_MAX and interfaces above OM_IFACES_MAX are not joined and are
 *        counted as failed; the kernel's own bound (net.ipv4.igmp_max_memberships, 20 for each
 *        socket) shows there too. A full receive buffer loses datagrams in the kernel.
 *
 * A datagram is handed on only if its destination is a group joined on the interface it came in
 * by; so "is_multicast" says that its sender is on a link of ours. As with the node's own sockets,
 * via.socket is the interface index when the source is a link-local IPv6 address, and 0 otherwise.
 *
 * Source: RFC 3678 section 5.1.1 (MCAST_JOIN_GROUP); RFC 3542 section 6.2 (IPV6_RECVPKTINFO);
 *         ip(7) (IP_PKTINFO, IP_MULTICAST_ALL).
 */
#ifndef OM_HOST_LAN_H
#define OM_HOST_LAN_H

#include <stdint.h>

#include <uv.h>

#include <omerta/err.h>
#include <omerta/hello.h>
#include <omerta/node.h>
#include <omerta/via.h>

#include "netwatch.h"

enum {
    OM_LAN_GROUPS_MAX = OM_NETWORKS_MAX * OM_HELLO_GROUPS_MAX, /* none of a node's is deaf */
    OM_LAN_BATCH_MAX = 32,                                     /* datagrams of one on_batch */
    OM_LAN_DGRAM_BYTES = 2048, /* what is longer is no hello: dropped */
    OM_LAN_RECEIVES_MAX = 8    /* batches of one wake-up: nothing else starves */
};

struct om_lan;

struct om_lan_config {
    uv_loop_t *loop;
    /* Bytes are lent until it returns. It may join and close. */
    void (*on_batch)(void *self, struct om_dgram *batch, unsigned count);
    void *self;
};

struct om_lan_info {
    unsigned sockets;
    unsigned joined;    /* (group, interface) pairs at present */
    unsigned failed;    /* pairs that were wanted at the last om_lan_join() and not got */
    uint64_t datagrams; /* handed on */
    uint64_t foreign;   /* not to a group joined on that interface, dropped */
    uint64_t truncated; /* too long, dropped */
};

/**
 * om_lan_open() - a receiver without groups
 * @out:     set on success; the caller owns it until om_lan_close()
 * @config:  copied; loop and on_batch are needed
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_lan_open(struct om_lan **out, const struct om_lan_config *config,
                                struct om_error *err);

/**
 * om_lan_close() - leave all groups; on_batch is not called any more
 * @l:  taken; NULL is fine. The memory goes when the loop has run once more.
 */
void om_lan_close(struct om_lan *l);

/**
 * om_lan_join() - be in exactly these groups on exactly these interfaces
 * @l:            the receiver
 * @groups:       each with the port to hear it on; copied
 * @group_count:  0 leaves all
 * @ifaces:       only their indices are read; which of them are up is the caller's to know
 * @iface_count:  how many
 *
 * Pairs that stay are not touched, so nothing is missed on them. A pair that cannot be joined is
 * skipped and counted, and tried again by the next call. A socket is open while it has a pair.
 */
void om_lan_join(struct om_lan *l, const struct om_addr *groups, unsigned group_count,
                 const struct om_iface *ifaces, unsigned iface_count);

/** om_lan_info() - fill @out with the state and the counters of @l. */
void om_lan_info(const struct om_lan *l, struct om_lan_info *out);

#endif
