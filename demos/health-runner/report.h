/*
 * report.h - what came of a run: a table, JSON, a page
 *
 * What:  the same phases and figures three times.
 * Why:   for who watches, for programs, and to be kept or sent.
 * Keeps: report_counts_verdicts; report_page_is_one_file; report_page_escapes.
 */
#ifndef OM_HEALTH_REPORT_H
#define OM_HEALTH_REPORT_H

#include <stdio.h>

#include <jansson.h>
#include <omerta/attr.h>

#include "phase.h"

enum { OM_REPORT_ROWS = 32 };

struct om_out;

struct om_report_row {
    const struct om_phase *phase;
    struct om_result result;
};

/* Zeroed but for the peer: nothing was done yet. */
struct om_report {
    const char *peer;                          /* as it was named */
    struct om_report_row rows[OM_REPORT_ROWS]; /* in the order of the run */
    unsigned count;
};

/** om_report_fini() - release the results of @r. */
void om_report_fini(struct om_report *r);

/** om_report_count() - how many phases of @r came to @v. */
unsigned om_report_count(const struct om_report *r, enum om_verdict v);

/** om_report_print() - the table of @r and its sum to @out; 0, or -1 without memory. */
OM_MUST int om_report_print(const struct om_report *r, struct om_out *out);

/** om_report_json() - all of @r, with the probes; NULL without memory. */
json_t *om_report_json(const struct om_report *r);

/** om_report_page() - a page of @r that needs no other file, to @to. */
void om_report_page(const struct om_report *r, FILE *to);

#endif
