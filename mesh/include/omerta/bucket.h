/*
 * bucket.h - token bucket: a rate with room for a burst
 *
 * What:  tokens flow in at a rate up to a burst, and each action takes some.
 * Why:   limits on handshakes, answers and relayed bytes. The level is counted in millionths of a
 *        token, so one microsecond adds exactly @rate of them: nothing is ever rounded away.
 * Keeps: bucket_grants_rate_and_burst_exactly; bucket_ready_is_the_first_moment;
 *        bucket_ignores_time_going_back; bucket_survives_extreme_times.
 */
#ifndef OMERTA_BUCKET_H
#define OMERTA_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/time.h>

/* Read freely; write only through om_bucket_*(). Zeroed, it grants nothing. */
struct om_bucket {
    uint64_t level; /* millionths of a token, as of @at */
    om_time at;     /* the latest time seen */
    uint32_t rate;  /* tokens per second */
    uint32_t burst; /* tokens */
};

/**
 * om_bucket_init() - a full bucket
 * @b:           storage of the caller
 * @rate_per_s:  tokens per second; 0 never refills
 * @burst:       tokens that fit
 * @now:         current time
 */
void om_bucket_init(struct om_bucket *b, uint32_t rate_per_s, uint32_t burst, om_time now);

/**
 * om_bucket_take() - take tokens, all or none
 * @b:    the bucket
 * @now:  current time; one before the latest seen counts as that one
 * @n:    tokens; 0 always succeeds
 *
 * Return: whether they were there and are taken.
 */
bool om_bucket_take(struct om_bucket *b, om_time now, uint32_t n);

/**
 * om_bucket_ready() - the first moment at which om_bucket_take() would succeed
 * @b:    the bucket
 * @now:  current time
 * @n:    tokens
 *
 * Return: @now if they are there; OM_NEVER if they never will be.
 */
om_time om_bucket_ready(const struct om_bucket *b, om_time now, uint32_t n);

#endif
