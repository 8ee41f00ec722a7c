/*
 * series.h - a row of probes: when each left, and how long its answer took
 *
 * What:  probes by number, their answers as they come, and what can be said of them: loss,
 *        percentiles, the longest silence.
 * Why:   every phase of the health runner is judged by the same few figures, and its plot is drawn
 *        from the same row.
 * Keeps: series_counts_what_is_lost; series_percentiles_are_of_answers;
 *        series_silence_is_between_arrivals; series_recovery_is_the_first_answer_after;
 *        series_carries_what_left_after; series_answers_count_once; series_is_bounded.
 *
 * Full: beyond OM_SERIES_MAX probes none is added, and who sends is told.
 */
#ifndef OM_HEALTH_SERIES_H
#define OM_HEALTH_SERIES_H

#include <stdbool.h>

#include <omerta/time.h>

enum { OM_SERIES_MAX = 1 << 15 }; /* eleven minutes of 50 a second */

struct om_probe {
    om_time sent; /* since the row began */
    om_time rtt;  /* negative: no answer */
};

/* Zeroed: empty. Read freely; write only through om_series_*(). */
struct om_series {
    struct om_probe *probes; /* owned */
    unsigned count, room, answered;
};

/** om_series_fini() - release @s, which is empty then. */
void om_series_fini(struct om_series *s);

/** om_series_sent() - one more probe of @s left at @at; false: there is no room for it. */
bool om_series_sent(struct om_series *s, om_time at);

/** om_series_answered() - the answer to probe @number of @s came at @at; one of none, or a second
 *  one, is nothing. */
void om_series_answered(struct om_series *s, unsigned number, om_time at);

/** om_series_loss() - percent of the probes of @s that have no answer; 0 of none. */
double om_series_loss(const struct om_series *s);

/**
 * om_series_percentile() - the round trip that @percent of the answers did not exceed
 * @s:        a row
 * @percent:  0 to 100
 *
 * Return: milliseconds; -1 without an answer, or without memory.
 */
double om_series_percentile(const struct om_series *s, double percent);

/**
 * om_series_silence() - the longest time without an answer
 * @s:     a row
 * @from:  since when
 * @to:    until when; who waits for an answer then has waited until then
 *
 * Return: milliseconds between two arrivals, or an end of the span and one.
 */
double om_series_silence(const struct om_series *s, om_time from, om_time to);

/** om_series_after() - milliseconds from @at to the first answer of @s that came after it; -1:
 *  there is none. */
double om_series_after(const struct om_series *s, om_time at);

/** om_series_carried() - something of @s that left after @since is answered. */
bool om_series_carried(const struct om_series *s, om_time since);

/** om_series_between() - how many answers of @s came after @from and until @to. */
unsigned om_series_between(const struct om_series *s, om_time from, om_time to);

#endif
