/*
 * watch.h - how evenly one node is delivered what another sends
 *
 * What:  from a moment on, the longest time between two deliveries, and how many of the datagrams
 *        that were sent since then have not come.
 * Why:   a change of paths that loses nothing may still have held everything up, and one without a
 *        pause may have lost a lot: only both together say that nobody noticed.
 * Keeps: watch_tells_gaps_and_losses.
 *
 * It is begun while data flows: the time until the first delivery is a gap like any other. What is
 * still under way is missing, so that is asked for when it must have come. Silence at the end is no
 * gap; what did not come then is missing.
 */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include "world.h"

struct sim_watch {
    om_time last; /* delivery, or the beginning */
    om_time gap;  /* the longest so far */
    uint64_t first, got;
};

/** sim_watch_start() - begin now, in @w, to watch what @a is delivered by @b. */
void sim_watch_start(struct sim_world *w, struct sim_actor *a, struct sim_actor *b);

/** sim_watch_got() - datagram @seq is delivered @now over the pair @p, whether watched or not. */
void sim_watch_got(struct sim_pair *p, uint64_t seq, om_time now);

/** sim_watch_gap() - the longest time between two deliveries over @p; 0 when not watched. */
om_time sim_watch_gap(const struct sim_pair *p);

/** sim_watch_missing() - of what was sent to @p's owner in @w since, how much has not come. */
uint64_t sim_watch_missing(struct sim_world *w, const struct sim_pair *p);

#endif
