/* phase.c - the table, and what is around each phase. */
#include "phase.h"

#include <string.h>

#include "clock.h"
#include "phase_all.h"

const struct om_phase om_phases[] = {
    {"1", "baseline", "10 of 10 probes of the daemons are echoed, each way", om_phase_baseline, 0},
    {"2", "idle", "at rest at most 20 datagrams in 10 s, and at most a tenth of a busy second's",
     om_phase_idle, 0},
    {"3", "traffic after rest", "the first word is answered within 1 s, and the next 50 all",
     om_phase_wake, 0},
    /* While the lane by which they met still stands: one that nothing needs ends after 300 s. */
    {"17", "several ways", "the way in use is cut: another carries within 1 s", om_phase_ways,
     OM_NEEDS_ROOT_HERE},
    {"4", "one-way block", "nothing passes; the sender's daemon knows within 10 s",
     om_phase_one_way, OM_NEEDS_ROOT_THERE},
    {"5", "recovery", "10 s blocked one way: answers within 5 s of its end, the connection whole",
     om_phase_recovery, OM_NEEDS_ROOT_THERE},
    {"6", "two-way block", "15 s: both daemons know within 10 s; then as 5", om_phase_both_ways,
     OM_NEEDS_ROOT_THERE},
    {"7", "1 s blocked", "answers within 5 s of its end, the connection whole", om_phase_transient,
     OM_NEEDS_ROOT_THERE},
    {"8", "flapping", "10 times 1 s blocked, 1 s not: then as 5", om_phase_flapping,
     OM_NEEDS_ROOT_THERE},
    {"9", "address added, removed",
     "the daemon here is told within 20 s, both times; never silent for 1 s, nothing lost for good",
     om_phase_address, OM_NEEDS_ROOT_THERE},
    {"10", "delay and loss", "of each profile: what it delays is late, what it does not lose comes",
     om_phase_profiles, 0},
    {"10b", "saturation",
     "4 full connections: never silent for 5 s, all bytes come, no session ends",
     om_phase_saturation, 0},
    {"11a", "raw UDP ramp", "without the mesh: 1 Mbit/s without loss", om_phase_raw_udp, 0},
    {"11b", "raw TCP", "without the mesh: all of 10 MB comes", om_phase_raw_tcp, 0},
    {"12", "mesh UDP ramp", "1 Mbit/s without loss; sessions live through all steps",
     om_phase_mesh_udp, 0},
    {"12a", "mesh TCP ramp", "1, 2, 4, 8 connections: all bytes come", om_phase_mesh_tcp, 0},
    {"12b", "batch sweep", "-", NULL, 0},
    {"13", "latency", "500 of 500 answered; p99 at most 50 ms above the median", om_phase_latency,
     0},
    {"14", "address swap", "the peer moves and moves back: silent for 3 s at most each time",
     om_phase_swap, OM_NEEDS_ROOT_THERE},
    {"15", "several endpoints", "-", NULL, 0},
    {NULL, NULL, NULL, NULL, 0},
};

const struct om_phase *om_phase_find(const char *number, size_t n)
{
    for (const struct om_phase *p = om_phases; p->number; p++)
        if (strlen(p->number) == n && memcmp(p->number, number, n) == 0)
            return p;
    return NULL;
}

/* A phase that measured nothing is none. */
static void measure(const struct om_phase *p, struct om_run *r, struct om_result *res)
{
    p->run(r, res);
    om_result_want(res,
                   res->verdict != OM_VERDICT_HELD ||
                       (json_object_size(res->figures) > 0 && *res->measured),
                   "it held, but measured nothing");
}

void om_phase_run(const struct om_phase *p, struct om_run *r, struct om_result *res)
{
    om_time began = om_clock_now();

    if (!p->run)
        res->verdict = OM_VERDICT_NOT_BUILT;
    else if ((p->needs & OM_NEEDS_ROOT_THERE) && !r->there.is_root)
        om_result_skip(res, "not root at %s", r->set.peer);
    else if ((p->needs & OM_NEEDS_ROOT_HERE) && !r->here.is_root)
        om_result_skip(res, "not root here");
    else if (om_run_begin(r, res))
        measure(p, r, res);
    if (p->run && res->verdict != OM_VERDICT_SKIPPED)
        om_run_end(r, res);
    res->seconds = (double)(om_clock_now() - began) / 1e6;
}
