/*
 * lane.h - pairs of nodes that stream through one bottleneck, and what each of them got of it
 *
 * What:  a world with a bottleneck, a sender and a receiver for each pair on either side of it,
 *        and what arrived at the programs between two moments, beside what could have arrived.
 * Why:   every claim about streams ("fills 95 % of the link", "shares it") is one such
 *        arrangement and two readings.
 */
#ifndef SIM_LANE_H
#define SIM_LANE_H

#include "flight.h"
#include "flow.h"

enum { SIM_LANE_FLOWS = 16 };

struct sim_lane_pair {
    om_time rtt;
    enum om_congestion congestion;
    unsigned flows;    /* of this pair; together at most SIM_LANE_FLOWS */
    om_time starts_at; /* after the start of the lane */
};

struct sim_lane {
    struct sim_world *w;
    struct sim_neck *neck;
    uint64_t rate_bps; /* of the bottleneck, or of its policer */
    om_time started_at;
    unsigned count;
    struct sim_flow *flows[SIM_LANE_FLOWS];
    uint64_t mark[SIM_LANE_FLOWS]; /* received at marked_at */
    om_time marked_at;
};

/**
 * sim_lane_init() - nodes that hold sessions, and flows
 * @l:      storage
 * @seed:   of the world
 * @model:  the bottleneck, in the direction of the flows; the way back has no limit
 * @pairs:  a sender and a receiver each
 * @count:  at least 1; in the order of their starts
 *
 * When it returns, the flows of every pair have begun.
 */
void sim_lane_init(struct sim_lane *l, uint64_t seed, const struct sim_pipe_model *model,
                   const struct sim_lane_pair *pairs, unsigned count);

/** sim_lane_fini() - release @l and its world. */
void sim_lane_fini(struct sim_lane *l);

/** sim_lane_run() - let @l go on for @time. */
void sim_lane_run(struct sim_lane *l, om_time time);

/** sim_lane_mark() - what @l carries, and its bottleneck's meter, count from now on. */
void sim_lane_mark(struct sim_lane *l);

/** sim_lane_rate() - bits per second that arrived on the flows @first to @last of @l. */
double sim_lane_rate(const struct sim_lane *l, unsigned first, unsigned last);

/** sim_lane_share() - of the payload that @l could have carried, how much its flows @first to @last
 *  did: 0 to 1. */
double sim_lane_share(const struct sim_lane *l, unsigned first, unsigned last);

/** sim_lane_jain() - Jain's index of the flows @first to @last of @l. */
double sim_lane_jain(const struct sim_lane *l, unsigned first, unsigned last);

/** sim_lane_queue() - how long 95 of 100 datagrams waited at the bottleneck of @l at most. */
om_time sim_lane_queue(const struct sim_lane *l);

/** sim_lane_dropped() - of the datagrams that came to the bottleneck of @l, the share that was
 *  dropped for want of room. */
double sim_lane_dropped(const struct sim_lane *l);

#endif
