/*
 * result.h - what came of one phase
 *
 * What:  a verdict with its figures, the row of probes, moments, and steps of a ramp.
 * Why:   terminal, JSON and page tell the same.
 * Keeps: result_fails_for_good; result_keeps_the_first_reason.
 *
 * Full: beyond OM_RESULT_MARKS moments and OM_RESULT_STEPS steps none is added.
 */
#ifndef OM_HEALTH_RESULT_H
#define OM_HEALTH_RESULT_H

#include <stdbool.h>

#include <jansson.h>
#include <omerta/attr.h>

#include "series.h"

enum { OM_RESULT_TEXT = 240, OM_RESULT_MARKS = 32, OM_RESULT_STEPS = 32 };

#define OM_VERDICTS(X)                                                                             \
    X(OM_VERDICT_HELD, "held")                                                                     \
    X(OM_VERDICT_FAILED, "FAILED")                                                                 \
    X(OM_VERDICT_SKIPPED, "skipped")                                                               \
    X(OM_VERDICT_NOT_BUILT, "not built")

enum om_verdict {
#define X(code, text) code,
    OM_VERDICTS(X)
#undef X
};

struct om_mark {
    om_time at; /* since the row began */
    const char *text;
};

/* A step of a ramp: what was offered, what the far end got. */
struct om_step {
    double offered, got; /* of any unit; the same in all steps */
    double loss_percent;
};

/* Zeroed: held, and nothing measured. */
struct om_result {
    enum om_verdict verdict;
    char measured[OM_RESULT_TEXT]; /* for people */
    char reason[OM_RESULT_TEXT];   /* why it failed or was skipped; empty when it held */
    json_t *figures;               /* object, owned; NULL: none */
    struct om_series series;       /* owned */
    struct om_mark marks[OM_RESULT_MARKS];
    struct om_step steps[OM_RESULT_STEPS];
    unsigned mark_count, step_count;
    const char *offered_in, *got_in; /* units of the steps */
    double seconds;                  /* it took */
};

/** om_verdict_name() - @v in a word or two. */
const char *om_verdict_name(enum om_verdict v);

/** om_result_fini() - release what @r owns. */
void om_result_fini(struct om_result *r);

/** om_result_want() - @r fails with the sentence @fmt unless @holds; the first failure is told. */
void om_result_want(struct om_result *r, bool holds, const char *fmt, ...) OM_PRINTF(3, 4);

/** om_result_skip() - @r is skipped, because of @fmt, unless it failed. */
void om_result_skip(struct om_result *r, const char *fmt, ...) OM_PRINTF(2, 3);

/** om_result_say() - what @r measured, @fmt, for people. */
void om_result_say(struct om_result *r, const char *fmt, ...) OM_PRINTF(2, 3);

/** om_result_figure() - the figure @name of @r is @value; its unit is in its name. */
void om_result_figure(struct om_result *r, const char *name, double value);

/** om_result_mark() - at @at of the row of @r @text, a literal, happened. */
void om_result_mark(struct om_result *r, om_time at, const char *text);

/** om_result_step() - one more @step of the ramp of @r. */
void om_result_step(struct om_result *r, struct om_step step);

/** om_result_json() - all of @r, or NULL. */
json_t *om_result_json(const struct om_result *r);

#endif
