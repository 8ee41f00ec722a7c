/*
 * pong.h - the figures of a row of round trips
 *
 * What:  counts, least, mean and greatest; and the summary as text or JSON.
 * Why:   ping and health say the same numbers the same way.
 * Keeps: pong_counts_loss_and_extremes; pong_of_nothing_divides_by_nothing.
 */
#ifndef OM_CLI_PONG_H
#define OM_CLI_PONG_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct om_pong {
    uint64_t sent, answered;
    double least, greatest, sum; /* milliseconds */
};

/** om_pong_add() - one probe whose @rtt_ms came to @p; negative: no answer. */
void om_pong_add(struct om_pong *p, double rtt_ms);

/** om_pong_loss() - percent of the probes of @p without answer; 0 when none was sent. */
double om_pong_loss(const struct om_pong *p);

/** om_pong_print() - two lines like those of ping(8) about @p in @buf of @n bytes; @buf. */
char *om_pong_print(const struct om_pong *p, char *buf, size_t n);

/** om_pong_json() - {sent, answered, loss_percent, min_ms, avg_ms, max_ms} of @p, or NULL. */
json_t *om_pong_json(const struct om_pong *p);

#endif
