/*
 * udp.h - the sockets that datagrams of a node come and go by
 *
 * What:  one UDP socket for each address family on a libuv loop, read and written in batches, with
 *        the kernel's segmentation (UDP_SEGMENT) and coalescing (UDP_GRO) where it has them.
 * Why:   a system call per datagram costs more than its encryption; with offload one call moves 64.
 * Keeps: udp_round_trips_every_size; udp_many_come_in_order; udp_offload_changes_nothing;
 *        udp_port_in_use_says_so; udp_bad_destinations_are_dropped_and_counted;
 *        udp_multicast_goes_out_of_each_interface; udp_closes_with_data_pending;
 *        udp_resolves_to_the_same_port.
 *
 * No SO_REUSEADDR or SO_REUSEPORT: two daemons on one port would share its datagrams. Datagrams
 * are never fragmented (IP_MTU_DISCOVER = PROBE); one too long for the interface is dropped and
 * counted. A full socket keeps nothing: om_udp_send() says how many went, on_writable() when to go
 * on.
 *
 * Source: udp(7), recvmmsg(2), ip(7); Linux 4.18 (UDP_SEGMENT), 5.0 (UDP_GRO).
 */
#ifndef OM_HOST_UDP_H
#define OM_HOST_UDP_H

#include <uv.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/via.h>

enum {
    OM_UDP_BATCH = 64,      /* datagrams given to on_batch() at a time, at most */
    OM_UDP_SEGMENTS = 64,   /* of one send with offload: UDP_MAX_SEGMENTS of the kernel */
    OM_UDP_INTERFACES = 64, /* that multicast goes out of */
    OM_UDP_BUFFER = 4 << 20 /* bytes of socket buffer wanted unless configured */
};

struct om_udp;

struct om_udp_config {
    uv_loop_t *loop;
    uint16_t port;               /* 0: any, the same for both families */
    bool v4, v6;                 /* wanted; one that the machine lacks is left out */
    struct om_addr bind4, bind6; /* zero: every address */
    unsigned buffer_bytes;       /* 0: OM_UDP_BUFFER */
    bool no_offload;             /* for tests and benches */
    void (*on_batch)(void *self, struct om_dgram *batch,
                     unsigned count); /* lent until it returns */
    void (*on_writable)(void *self);  /* after om_udp_send() took less than all */
    void *self;
};

struct om_udp_out {
    struct om_via via;
    struct om_bytes bytes;
};

struct om_udp_info {
    uint16_t port;
    bool has_v4, has_v6, gso, gro;
    unsigned rcvbuf, sndbuf; /* bytes that the kernel gave, the smaller of both families */
    uint64_t datagrams_in, bytes_in, receives;
    uint64_t datagrams_out, bytes_out, sends;
    uint64_t send_errors; /* datagrams that could not be sent */
    uint64_t truncated;   /* longer than any of ours */
    uint64_t ecn_ce;      /* datagrams that a router marked as congested */
    uint64_t overflows;   /* the kernel dropped for want of buffer space */
};

/**
 * om_udp_open() - bind and listen
 * @out:     receives the sockets, owned by the caller
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_EXISTS when the port is in use; OM_E_UNSUPPORTED without any family;
 * OM_E_STATE when the address cannot be bound; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_udp_open(struct om_udp **out, const struct om_udp_config *config,
                                struct om_error *err);

/** om_udp_close() - stop at once; @u is freed when the loop has run once more. */
void om_udp_close(struct om_udp *u);

/**
 * om_udp_send() - send datagrams, in order
 * @u:      the sockets
 * @out:    borrowed for the call
 * @count:  how many
 *
 * Return: how many are done with: sent, or impossible to send and counted. Fewer than @count: the
 * socket is full, and on_writable() will say when it is not.
 */
unsigned om_udp_send(struct om_udp *u, const struct om_udp_out *out, unsigned count);

/** om_udp_interfaces() - multicast from @u goes out of these @count interfaces, @index each. */
void om_udp_interfaces(struct om_udp *u, const unsigned *index, unsigned count);

/** om_udp_info() - figures of @u into @out. */
void om_udp_info(const struct om_udp *u, struct om_udp_info *out);

#endif
