/*
 * udp.h - the UDP sockets of a node on a libuv loop, IPv4 and IPv6
 *
 * What:  receives datagrams in batches and sends them in batches; runs of equal datagrams cross
 *        the kernel as one (UDP_SEGMENT, UDP_GRO) where it can do that.
 * Why:   a system call per datagram costs more than the encryption of what is in it.
 * Keeps: udp_carries_every_size_v4; udp_carries_every_size_v6;
 *        udp_thousand_arrive_in_order_with_offload; udp_thousand_arrive_in_order_without_offload;
 *        udp_mixed_sizes_and_destinations; udp_splits_what_the_kernel_joined;
 *        udp_falls_back_when_segmentation_fails; udp_blames_the_datagram_not_the_kernel;
 *        udp_port_in_use_is_said; udp_two_of_us_never_share_a_port;
 *        udp_both_families_get_one_port; udp_refuses_bad_configs;
 *        udp_bad_destinations_are_dropped_and_counted; udp_full_socket_asks_to_wait;
 *        udp_no_buffers_rests_before_trying_again; udp_multicast_goes_out_per_interface;
 *        udp_truncated_datagrams_are_counted; udp_counts_congestion_marks;
 *        udp_counts_what_the_kernel_dropped; udp_pending_errors_do_not_spin;
 *        udp_one_wake_up_is_bounded; udp_closes_with_data_pending; udp_closes_inside_a_batch;
 *        udp_scope_of_link_local_travels_in_the_via; udp_leaves_out_a_family_that_is_lacking;
 *        udp_looks_for_a_port_free_in_both_families; udp_never_fragments;
 *        udp_probes_what_the_kernel_can; udp_refusal_of_an_earlier_datagram_costs_no_other;
 *        udp_sockets_have_ports_of_their_own; udp_sockets_close_with_what_waits;
 *        udp_sockets_close_inside_a_batch; udp_sockets_are_bounded;
 *        udp_sockets_without_descriptors; udp_ttl_leaves_with_the_datagram;
 *        udp_hop_is_told_to_who_asked; udp_hops_end_with_openers; udp_tells_what_is_too_long;
 *        udp_joins_nothing_to_what_goes_alone.
 * Full:  a full socket takes less than om_udp_send() was given and on_writable tells when to go on;
 *        a full receive buffer loses datagrams in the kernel, which counts them.
 *
 * The port is ours alone: neither SO_REUSEADDR nor SO_REUSEPORT is set, because two daemons on one
 * port would each hear half of what is meant for the other. A UDP port is free as soon as its
 * socket is closed, so a restart needs no reuse either. These sockets hear no multicast: groups
 * are joined elsewhere, and IP_MULTICAST_ALL is off.
 *
 * IPv6 link-local addresses mean something on one interface only: the interface index of such a
 * source is in via.socket, and is looked for there when such an address is sent to. For all
 * others via.socket is 0 here and not read.
 *
 * Beside these, om_udp_sockets() opens others by number, each with a port of its own. Their numbers
 * are those in via.socket; a link-local address cannot be reached over one.
 *
 * A datagram with a TTL of its own, an opener, is remembered for a while: a router that reports its
 * end is told to on_hop. While one is remembered, its socket hears of ICMP errors (IP_RECVERR),
 * else it is deaf to them, since anybody can forge those.
 *
 * Nothing is ever fragmented by this machine (IP_PMTUDISC_PROBE): what a route cannot carry is
 * lost or refused, and the path machine finds the size that fits.
 *
 * Source: RFC 8899 section 3 (probing without the kernel's path MTU); RFC 3168 section 5 (ECN);
 *         RFC 3542 sections 6.2, 6.3 and 6.5 (packet information, hop limit, traffic class);
 *         RFC 3493 section 5.3; RFC 792 and RFC 4443 section 3.3 (time exceeded).
 */
#ifndef OM_HOST_UDP_H
#define OM_HOST_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include <omerta/bytes.h>
#include <omerta/act.h>
#include <omerta/err.h>
#include <omerta/log.h>
#include <omerta/via.h>

#include "fds.h"

enum {
    OM_UDP_BATCH_MAX = 256,         /* datagrams of one on_batch: what is joined comes 45 at once */
    OM_UDP_INTERFACES_MAX = 32,     /* that multicast goes out on */
    OM_UDP_BUFFER_BYTES = 4 << 20,  /* of each socket and direction, if nothing else is wanted */
    OM_UDP_WHOLE_MAX = 9216,        /* longest datagram received without UDP_GRO */
    OM_UDP_SEGMENTS_MAX = 64,       /* of one UDP_SEGMENT message: UDP_MAX_SEGMENTS of Linux 4.18 */
    OM_UDP_SEGMENTED_BYTES = 65000, /* of one UDP_SEGMENT message: below the 65,507 of UDP */
    OM_UDP_RECEIVES_MAX = 8,        /* recvmmsg calls of one wake-up: nothing else starves */
    OM_UDP_EXTRA_BYTES = 512 << 10, /* buffers of each further socket and direction */
    OM_UDP_SPARE_FDS = OM_FDS_RESERVE, /* descriptors that further sockets leave to all else */
    OM_UDP_OPENERS_MAX = 512,          /* remembered; of more the oldest is forgotten */
    OM_UDP_OPENER_MS = 3000,           /* until an opener is forgotten */
    OM_UDP_REST_MS = 20                /* pause after errors that come again and again */
};

struct om_udp;

struct om_udp_config {
    uv_loop_t *loop;
    uint16_t port; /* 0: any, the same for both families when possible */
    bool v4, v6;   /* wanted; one that the machine lacks is left out, lacking both is an error */
    struct om_addr bind4, bind6; /* all zero: any address; their ports are not read */
    unsigned buffer_bytes;       /* wanted of each socket and direction; 0: OM_UDP_BUFFER_BYTES */
    bool no_offload;             /* for tests and benches: neither UDP_SEGMENT nor UDP_GRO */
    /* At most OM_UDP_BATCH_MAX; bytes are lent until it returns. It may send and close. */
    void (*on_batch)(void *self, struct om_dgram *batch, unsigned count);
    void (*on_writable)(void *self); /* after om_udp_send() took less than all; may be NULL */
    /* @router says that an opener with @ttl ended there; may be NULL. It may send and close. */
    void (*on_hop)(void *self, unsigned ttl, const struct om_addr *router);
    /* A datagram of @bytes was dropped: longer than its interface or route carries; may be NULL. It
     * must neither send nor close. */
    void (*on_refused)(void *self, const struct om_via *via, size_t bytes);
    void *self;
    struct om_log *log; /* borrowed; may be NULL */
};

struct om_udp_out {
    struct om_via via; /* lane is not read: lanes are inside the bytes */
    struct om_bytes bytes;
    uint8_t ttl;   /* 0: the usual; not for multicast */
    bool is_alone; /* never one of a run: its size is what is tried */
};

/* Counters are sums over all sockets since the opening. */
struct om_udp_info {
    uint16_t port; /* of IPv4, or of IPv6 when that is the only one */
    uint16_t port6;
    bool has_v4, has_v6;
    bool gso, gro;           /* in use now */
    unsigned rcvbuf, sndbuf; /* smallest that was got; Linux reports twice what is usable */
    uint64_t datagrams_in, bytes_in;
    uint64_t datagrams_out, bytes_out; /* a multicast counts once per interface */
    uint64_t recv_calls, send_calls;
    uint64_t recv_errors;  /* pending errors of the sockets, cleared and otherwise ignored */
    uint64_t send_errors;  /* datagrams dropped because they can never be sent */
    unsigned sockets;      /* further ones that are open, a family each */
    uint64_t sockets_lost; /* further ones that could not be opened */
    uint64_t openers;      /* datagrams out with a TTL of their own */
    uint64_t hops;         /* routers that were told of */
    uint64_t truncated;    /* longer than we receive, dropped */
    uint64_t ecn_ce;       /* datagrams in that met congestion (RFC 3168) */
    uint64_t kernel_drops; /* lost before we read them, as of the last datagram received */
};

/**
 * om_udp_open() - open and bind the sockets and begin to receive
 * @out:     set on success; the caller owns it until om_udp_close()
 * @config:  copied; loop and on_batch are needed
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_EXISTS when the port is in use; OM_E_RANGE for a port that this user may not
 * open, or a config without what is needed; OM_E_MISSING for a bind address that no interface
 * bears; OM_E_UNSUPPORTED when the machine has none of the wanted families; OM_E_STATE for what the
 * kernel refuses otherwise; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_udp_open(struct om_udp **out, const struct om_udp_config *config,
                                struct om_error *err);

/**
 * om_udp_close() - close the sockets at once; nothing is called back from now on
 * @u:  taken; NULL is fine
 *
 * The ports are free when this returns. The memory goes when the loop has run once more, so run it
 * before closing it.
 */
void om_udp_close(struct om_udp *u);

/**
 * om_udp_send() - send datagrams in order
 * @u:      the sockets
 * @out:    bytes are borrowed until this returns
 * @count:  any number
 *
 * A datagram that the kernel refuses for good (no route, too long, no such family) is dropped and
 * counted. One to a multicast group goes out once on each interface of om_udp_interfaces(); if the
 * socket fills up in the middle it counts as not sent and its next try begins with the first.
 *
 * Return: how many, from the first, are done with; fewer than @count when a socket is full: then
 * on_writable comes, once, and the rest is the caller's to offer again.
 */
OM_MUST unsigned om_udp_send(struct om_udp *u, const struct om_udp_out *out, unsigned count);

/**
 * om_udp_sockets() - open or close further sockets
 * @u:        the sockets
 * @first:    number of the first, OM_SOCKET_FIRST or greater
 * @count:    how many; what is above OM_SOCKETS_MAX open ones is not opened
 * @is_open:  else close them: what waits to be sent over them is dropped when it is offered
 *
 * Each gets a port with the first datagram of a family that is sent over it, so none that is not
 * used costs a descriptor. One that cannot be opened is counted, and said once in the log.
 */
void om_udp_sockets(struct om_udp *u, uint32_t first, unsigned count, bool is_open);

/**
 * om_udp_interfaces() - where multicast datagrams go out, with a TTL of 1
 * @u:        the sockets
 * @ifindex:  interface indices, copied; replaces what was set before
 * @count:    what is above OM_UDP_INTERFACES_MAX is ignored; 0: multicast datagrams are dropped
 */
void om_udp_interfaces(struct om_udp *u, const unsigned *ifindex, unsigned count);

/**
 * om_udp_info() - what was got, and what happened so far
 * @u:    the sockets
 * @out:  filled
 */
void om_udp_info(const struct om_udp *u, struct om_udp_info *out);

#endif
