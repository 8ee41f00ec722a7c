/*
 * link.h - what happens to a datagram between two addresses
 *
 * What:  latency, jitter, loss (single or in bursts), duplication, corruption, reordering, a size
 *        above which nothing passes, and a rate with a queue before it, for one direction.
 * Why:   the network decides only when and whether bytes arrive, so it is a function of the
 *        clock and a seeded generator; nothing else may lose or delay a datagram.
 * Keeps: link_loses_its_share; link_bursts_lose_the_same_share; link_rate_spaces_and_queue_drops;
 *        link_loses_no_rate_to_rounding; link_reorders_within_its_depth; link_meter_counts_all;
 *        link_loses_what_is_too_large.
 *
 * A rate here is of one direction between two actors alone. What waits has its time when it comes;
 * after a change of the rate the queue is reckoned as if all of it waited for the new one. Where
 * that matters, or several share the rate, let them pass through a pipe (pipe.h).
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/prng.h>
#include <omerta/time.h>

#include "loss.h"
#include "meter.h"

enum {
    SIM_LINK_OVERHEAD = 28, /* IPv4 and UDP headers, which take up the rate too */
    SIM_LINK_MTU = 1500,    /* unless a scenario says more or less */
    SIM_COPIES_MAX = 2
};

struct sim_link_model {
    om_time latency;
    om_time jitter; /* 0 to this much later, evenly */
    struct sim_loss_model loss;
    uint32_t dup_ppm;     /* of datagrams that arrive, twice then */
    uint32_t corrupt_ppm; /* of copies, one bit flipped */
    uint32_t reorder;     /* each waits 0 to reorder - 1 more spacings */
    om_time spacing;      /* 1 ms: with a datagram per spacing, reorder is a depth in datagrams */
    uint64_t rate_bps;    /* bits per second; 0 is no limit */
    uint32_t
        mtu; /* bytes of IP packet; larger ones are lost without a word; 0: none is too large */
    uint64_t queue_bytes; /* that may wait for the rate; more is dropped at the tail */
};

/* One direction between two addresses. Zeroed is idle. */
struct sim_link {
    struct sim_rate rate;
    bool is_bad;             /* inside a burst of losses */
    struct sim_meter *meter; /* NULL: not measured; borrowed */
};

/* What becomes of one datagram. */
struct sim_fate {
    unsigned copies; /* 0: lost */
    om_time at[SIM_COPIES_MAX];
    bool is_corrupt[SIM_COPIES_MAX];
};

/** sim_link_model_default() - 10 ms, nothing lost, 64 KiB of queue should a rate be set. */
struct sim_link_model sim_link_model_default(void);

/**
 * sim_link_pass() - decide the fate of one datagram
 * @l:      the direction's state
 * @m:      its properties
 * @prng:   moves by a number of draws that depends on @m
 * @now:    when it was sent
 * @bytes:  UDP payload
 *
 * Return: how often and when it arrives.
 */
struct sim_fate sim_link_pass(struct sim_link *l, const struct sim_link_model *m,
                              struct om_prng *prng, om_time now, size_t bytes);

#endif
