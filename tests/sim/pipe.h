/*
 * pipe.h - a bottleneck that several ways lead through
 *
 * What:  a policer, a queue with a tail, a sender of so many bits per second, and a wire that
 *        loses some; the datagrams of every direction that was led through it take turns.
 * Why:   whether streams share a way fairly, fill it and keep its queue short can only be seen
 *        where they meet. A link belongs to one direction between two actors and cannot show it.
 * Keeps: pipe_shares_its_rate; pipe_drops_at_the_tail; pipe_police_passes_its_rate_and_burst;
 *        pipe_rate_changes_for_what_waits; pipe_loses_on_the_wire; pipe_measures_a_window.
 *
 * Datagrams come out in the order in which they went in; each then goes its own way through the
 * link between its two actors, which adds latency and whatever else. A change of the rate holds at
 * once for everything that waits. Sizes are those on the wire, headers of IP and UDP included.
 *
 * Full: the queue is limited by bytes; of SIM_PIPE_QUEUE datagrams waiting, too, the next is
 * dropped.
 */
#ifndef SIM_PIPE_H
#define SIM_PIPE_H

#include <omerta/bucket.h>
#include <omerta/ring.h>

#include "loss.h"
#include "meter.h"

enum { SIM_PIPE_QUEUE = 1 << 16, SIM_PIPE_BYTES = 64 * 1024 }; /* the bytes of sim_pipe_init() */

/* Zeroed passes everything at once. */
struct sim_pipe_model {
    uint64_t rate_bps;     /* 0 is no limit, so no queue */
    uint64_t queue_bytes;  /* that may wait, what is half sent included */
    uint64_t police_bps;   /* what comes faster is dropped at once; 0: no policer */
    uint64_t police_bytes; /* that may come at once all the same */
    struct sim_loss_model loss;
};

/* Read freely; write only through sim_pipe_*(). */
struct sim_pipe {
    struct sim_pipe_model model;
    struct sim_rate rate;
    struct sim_meter meter;
    struct om_ring queue; /* of what waits, the one half sent at its head */
    uint64_t queued;      /* bytes in it */
    om_time next;         /* when the head has left; OM_NEVER: nothing waits */
    struct om_bucket police;
    bool is_bad; /* inside a burst of losses */
};

/* What came out. */
struct sim_pipe_item {
    void *what;
    size_t size;
    om_time since; /* when it went in */
};

/** sim_pipe_init() - @p with nothing in it, measured from time 0 on; no limits, SIM_PIPE_BYTES. */
void sim_pipe_init(struct sim_pipe *p);

/** sim_pipe_fini() - release the memory of @p; what waits in it is the caller's. */
void sim_pipe_fini(struct sim_pipe *p);

/** sim_pipe_change() - @p has the properties @m from @now on. */
void sim_pipe_change(struct sim_pipe *p, const struct sim_pipe_model *m, om_time now);

/** sim_pipe_measure() - begin the window of @p's meter at @now. */
void sim_pipe_measure(struct sim_pipe *p, om_time now);

/**
 * sim_pipe_input() - a datagram comes
 * @p:     the pipe
 * @now:   not before that of any earlier call
 * @what:  the caller's word for it, given back
 * @size:  bytes on the wire
 *
 * Return: false when it is dropped; @what is then the caller's still.
 */
bool sim_pipe_input(struct sim_pipe *p, om_time now, void *what, size_t size);

/**
 * sim_pipe_output() - what has left by now, one at a time
 * @p:     the pipe
 * @now:   at least p->next, or nothing has left
 * @prng:  moves by a number of draws that depends on the model
 * @out:   filled
 * @lost:  receives whether the wire lost it
 *
 * Return: false when nothing has left.
 */
bool sim_pipe_output(struct sim_pipe *p, om_time now, struct om_prng *prng,
                     struct sim_pipe_item *out, bool *lost);

#endif
