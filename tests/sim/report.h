/*
 * report.h - what happened, in lines for people
 *
 * What:  sessions made and lost, datagrams delivered, answers to pings, as they happen; and what
 *        stands at the end.
 * Why:   somebody who runs a scenario wants to see a mesh at work, not only a verdict.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdio.h>

#include "request.h"

struct sim_report {
    struct sim_world *world;
    FILE *out;      /* NULL: only counts */
    unsigned limit; /* lines; then they are only counted */
    unsigned lines;
    uint64_t delivered;
};

/** sim_report_note() - the world's on_note: add @n to @self, a struct sim_report. */
void sim_report_note(void *self, const struct sim_note *n);

/** sim_report_end() - what was left out, and the sessions that stand in the world of @r. */
void sim_report_end(const struct sim_report *r);

#endif
