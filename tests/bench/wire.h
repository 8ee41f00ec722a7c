/*
 * wire.h - two nodes, a fast wire, and the time each of them takes
 *
 * What:  virtual time in steps, a wire with a speed and a delay, datagrams in batches as a driver
 *        with sendmmsg() has them; what one node's calls take, in time and memory, is added up
 *        apart from the other's and from the wire's copies. Programs at the two ends write without
 *        end and read all.
 * Why:   congestion control and pacing are real: packets leave only when time passes, and tests'
 *        pairs keep every datagram.
 */
#ifndef OM_BENCH_WIRE_H
#define OM_BENCH_WIRE_H

#include "pair.h"

enum {
    WIRE_BATCH = 64,
    WIRE_SLOTS = 8192, /* datagrams under way in one direction; then they are dropped */
    WIRE_WRITE = 65536,
    WIRE_AHEAD = 8 << 20, /* written and not released */
    WIRE_CALLS_MAX = 1000
};

struct wire_dgram {
    int64_t at_ns; /* arrival */
    size_t len;
    uint8_t bytes[OM_DGRAM_MAX];
};

/* One node, and what travels towards it. */
struct wire_end {
    double ns;    /* spent in this node's calls */
    int64_t heap; /* taken and not freed in this node's calls, while weighed */
    int64_t heap_max;
    uint64_t sent;        /* datagrams */
    uint64_t sent_full;   /* of them, as long as data packets become */
    uint64_t dropped;     /* on the way to this end */
    unsigned head, count; /* ring of what travels here */
    int64_t free_ns;      /* when the wire to here is free again */
    struct wire_dgram *in;
};

struct wire_call {
    uint64_t out, in; /* call numbers at the two ends */
    uint64_t written, released, received;
};

struct wire {
    struct pair pair;
    struct wire_end end[2];
    om_time delay;      /* one way */
    uint64_t ns_byte;   /* thousandths of a nanosecond that a byte occupies the wire */
    uint64_t delivered; /* datagrams on channels that reached the second end */
    unsigned calls, accepted, answered;
    unsigned loss_every; /* of the datagrams to the second end one in so many is lost; 0: none */
    bool is_weighed;     /* heap is followed: slow */
    bool is_idle;        /* calls are made, nothing is written on them */
    struct wire_call call[WIRE_CALLS_MAX];
};

/**
 * wire_init() - a session between two nodes, no call
 * @w:       filled
 * @cipher:  of the session; 0: the nodes' choice
 * @bps:     bits per second of the wire, each direction
 * @rtt:     there and back
 */
void wire_init(struct wire *w, uint8_t cipher, uint64_t bps, om_time rtt);

/** wire_fini() - release @w. */
void wire_fini(struct wire *w);

/** wire_call() - over @w, one more call from the first node to the second. */
void wire_call(struct wire *w);

/** wire_step() - let @w pass to the next moment at which something happens. */
void wire_step(struct wire *w);

/** wire_drain() - take what node @i of @w wants done. */
void wire_drain(struct wire *w, int i);

/** wire_run() - let @w go on for @time. */
void wire_run(struct wire *w, om_time time);

#endif
