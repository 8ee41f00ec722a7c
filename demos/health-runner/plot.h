/*
 * plot.h - pictures of a phase, as SVG in a page
 *
 * What:  round trips over time with what was lost and what was done; how often each round trip
 *        was; what came of what was offered.
 * Why:   a page that needs nothing from anywhere can be sent to somebody.
 * Keeps: plot_draws_every_probe_or_a_share; plot_of_nothing_is_nothing.
 *
 * Full: of more than OM_PLOT_POINTS probes each n-th is drawn; those without an answer all.
 */
#ifndef OM_HEALTH_PLOT_H
#define OM_HEALTH_PLOT_H

#include <stdio.h>

#include "result.h"

enum { OM_PLOT_POINTS = 1500, OM_PLOT_BARS = 40 };

/** om_plot_time() - the row of @r over time, to @to; nothing of an empty one. */
void om_plot_time(FILE *to, const struct om_result *r);

/** om_plot_histogram() - how many of the row of @r took how long, to @to. */
void om_plot_histogram(FILE *to, const struct om_result *r);

/** om_plot_ramp() - the steps of @r, to @to. */
void om_plot_ramp(FILE *to, const struct om_result *r);

#endif
