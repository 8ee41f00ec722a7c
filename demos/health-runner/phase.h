/*
 * phase.h - the phases of a health run
 *
 * What:  a table: number, name, what it needs, what it asserts, and who does it.
 * Why:   the list that is printed, the report and the run are one table. Up to 15 the numbers are
 *        those of the prior system's list, its 16 is the report, and from 17 on they are our own.
 * Keeps: phase_numbers_are_found; phase_unknown_is_none;
 *        test_a_fault_fails_its_phase_and_no_other;
 *        test_a_block_that_stays_fails_the_recovery; test_a_cable_that_loses_fails_its_profile.
 */
#ifndef OM_HEALTH_PHASE_H
#define OM_HEALTH_PHASE_H

#include <stdbool.h>

#include "run.h"

enum {
    OM_NEEDS_ROOT_THERE = 1, /* nft or ip, at the peer */
    OM_NEEDS_ROOT_HERE = 2
};

/*
 * What is wanted of the mesh, in milliseconds. plans/paths.md: after a blackout what was proven is
 * asked every 2 s while data waits, so two of these questions and a second; a hole on one way while
 * another lives is over in 150 ms at a round trip of 100; a new address of a home took 673.
 * Rumours of one origin are 5 s apart, at each node that they pass: three of these and 5 s.
 */
enum { OM_RECOVERY_MS = 5000, OM_FAILOVER_MS = 1000, OM_MOVE_MS = 3000, OM_NOTICE_MS = 10000 };
enum { OM_TOLD_MS = 20000 };

struct om_phase {
    const char *number, *name; /* NULL ends the table */
    const char *asserts;
    void (*run)(struct om_run *r, struct om_result *res); /* NULL: not built */
    unsigned needs;
};

/** The table, ended by a NULL number. */
extern const struct om_phase om_phases[];

/** om_phase_find() - the phase called @number, of @n bytes; NULL: there is none. */
const struct om_phase *om_phase_find(const char *number, size_t n);

/** om_phase_run() - phase @p of @r into @res: from a peer that answers to one as it was before. */
void om_phase_run(const struct om_phase *p, struct om_run *r, struct om_result *res);

#endif
