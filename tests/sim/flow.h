/*
 * flow.h - bytes that one node streams to another, checked to the last
 *
 * What:  a program at each end: the sender calls "sim.sink" and writes a known pattern, the
 *        receiver accepts, compares and counts; either can be told to stop for a while.
 * Why:   what a stream is worth is how many right bytes per second arrive at a program, not what
 *        its machinery counts.
 * Keeps: flow_carries_every_byte; flow_notices_a_wrong_byte.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include <omerta/call.h>

#include "actor.h"

enum {
    SIM_FLOWS_MAX = 4096,
    SIM_FLOW_WRITE = 64 * 1024,       /* bytes a write */
    SIM_FLOW_AHEAD = 16 * 1024 * 1024 /* written and not released: the program's own buffer */
};

struct sim_flow {
    struct sim_actor *from, *to;
    unsigned number;
    uint64_t out, in; /* call numbers at the two ends; 0: none yet, or hung up */
    uint64_t total;   /* to send; UINT64_MAX: without end */
    uint64_t written, released, received;
    om_time started_at, first_at, last_at; /* of bytes received; 0: none */
    bool is_stalled;                       /* the receiver does not read */
    bool is_finished;                      /* the sender closed */
    bool is_complete;                      /* the receiver read to the end */
    bool is_broken;                        /* refused, reset or wrong */
    uint32_t code;                         /* of a reset */
    char why[64];
};

/**
 * sim_flow_start() - stream bytes
 * @from:      a node that is up
 * @to:        another that @from knows
 * @total:     bytes; UINT64_MAX: until sim_flow_stop()
 * @priority:  among the flows of @from to @to
 *
 * Return: the flow, owned by the world; NULL breaks the world.
 */
struct sim_flow *sim_flow_start(struct sim_actor *from, struct sim_actor *to, uint64_t total,
                                enum om_priority priority);

/** sim_flow_stop() - the sender of @f writes no more and closes. */
void sim_flow_stop(struct sim_flow *f);

/** sim_flow_stall() - the receiver of @f stops reading when @stalled, else goes on. */
void sim_flow_stall(struct sim_flow *f, bool stalled);

/** sim_flow_act() - @act, about a call, happened at @a. Return: false when it is no flow's. */
bool sim_flow_act(struct sim_actor *a, const struct om_act *act);

/** sim_flow_rate() - bits per second of @bytes within @time. */
double sim_flow_rate(uint64_t bytes, om_time time);

#endif
