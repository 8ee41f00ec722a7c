/*
 * wire_link.h - one direction of a bad cable: delay, jitter, loss, rate and a queue
 *
 * What:  says of each frame that comes whether and when it leaves again, and keeps it so long.
 * Why:   netem is missing from many kernels, and what it loses cannot be repeated. Here the frame
 *        that is lost follows from the seed and the number of the frame alone, so that a test can
 *        be run again; and with time as an argument the model itself has tests.
 * Keeps: wire_link_delays_and_keeps_order; wire_link_loses_the_same_frames_again;
 *        wire_link_spares_control; wire_link_has_a_rate_and_a_queue; wire_link_may_reorder;
 *        wire_link_is_bounded.
 *
 * A frame first waits for the rate, where the tail of the queue is dropped, and is lost or delayed
 * after that: a lost frame has taken its share of the rate.
 *
 * Full:  with WIRE_FRAMES_MAX frames under way the next one is dropped and counted as no_room.
 */
#ifndef OM_LAB_WIRE_LINK_H
#define OM_LAB_WIRE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/list.h>
#include <omerta/prng.h>

enum {
    WIRE_FRAME_MAX = 1520,      /* an Ethernet frame of 1,500 bytes of MTU, and a VLAN tag */
    WIRE_FRAMES_MAX = 32 * 1024 /* 48 MB: 100 ms at 3.9 Gb/s */
};

struct wire_config {
    om_time delay;    /* one way */
    om_time jitter;   /* 0 to so much is added to the delay */
    double loss;      /* 0 to 1 */
    uint64_t rate;    /* bits a second, of whole frames; 0: no bound */
    uint64_t queue;   /* bytes that may wait for the rate */
    uint64_t seed;    /* of the losses and the jitter */
    bool may_reorder; /* jitter moves each frame alone; else those behind it wait */
};

/* Each frame offered is under way, or in exactly one of the others. */
struct wire_counts {
    uint64_t offered, bytes;
    uint64_t control; /* of those offered */
    uint64_t control_delivered;
    uint64_t lost;       /* by chance */
    uint64_t queue_full; /* the rate's queue */
    uint64_t no_room;    /* WIRE_FRAMES_MAX, or longer than WIRE_FRAME_MAX */
    uint64_t delivered;
};

struct wire_frame {
    struct om_link link;
    om_time at;
    size_t len;
    uint8_t bytes[WIRE_FRAME_MAX];
};

/* Read counts freely; the rest belongs to wire_link.c. */
struct wire_link {
    struct wire_config config;
    struct wire_counts counts;
    struct om_prng prng;
    struct wire_frame *frames; /* WIRE_FRAMES_MAX */
    unsigned used;             /* of them, ever */
    struct om_list under_way;  /* by the time they leave */
    struct om_list spare;      /* the one used last is first: it is still in the cache */
    int64_t free_ns;           /* when the last frame will have left at the rate */
};

/**
 * wire_link_init() - an empty link
 * @l:       storage of the caller, not to be moved
 * @config:  copied
 *
 * Return: false without memory; @l may be given to wire_link_fini() all the same.
 */
bool wire_link_init(struct wire_link *l, const struct wire_config *config);

/** wire_link_fini() - release the memory of @l and forget what is under way. */
void wire_link_fini(struct wire_link *l);

/** wire_is_control() - true when @len bytes of @frame are ARP, neighbour discovery or MLD. */
bool wire_is_control(const uint8_t *frame, size_t len);

/**
 * wire_link_offer() - a frame came
 * @l:      the link
 * @now:    when; never before the last call
 * @frame:  from the Ethernet header on, copied; if it is control it is never lost and draws no
 *          chance, or what is lost would depend on when the kernel asks for its neighbours
 * @len:    of @frame
 *
 * Return: true when it is under way, false when it was dropped and counted.
 */
bool wire_link_offer(struct wire_link *l, om_time now, const uint8_t *frame, size_t len);

/** wire_link_deadline() - when the next frame leaves @l; OM_NEVER when none is under way. */
om_time wire_link_deadline(const struct wire_link *l);

/** wire_link_next() - the frame of @l after @f, NULL for the first, if it leaves by @now. */
struct wire_frame *wire_link_next(const struct wire_link *l, const struct wire_frame *f,
                                  om_time now);

/** wire_link_pop() - the first frame of @l, which there has to be, has been delivered. */
void wire_link_pop(struct wire_link *l);

#endif
