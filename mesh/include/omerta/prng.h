/*
 * prng.h - seeded generator for jitter and simulation, never for secrets
 *
 * What:  xoshiro256** with uniform integers, fractions, chances, jitter, and child generators.
 * Why:   the same seed must give the same trace on every machine, and timing must not be drawn
 *        from the source that keys come from.
 * Keeps: prng_meets_the_published_outputs; prng_below_is_in_range_and_even;
 *        prng_jitter_stays_within_its_percent; prng_fork_gives_another_stream;
 *        prng_rng_repeats_with_the_seed.
 *
 * Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS
 *         47(4), 2021 (xoshiro256**); G. Steele, D. Lea, C. Flood, "Fast splittable
 *         pseudorandom number generators", OOPSLA 2014 (splitmix64, used for seeding).
 */
#ifndef OMERTA_PRNG_H
#define OMERTA_PRNG_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/rng.h>
#include <omerta/time.h>

struct om_prng {
    uint64_t s[4]; /* never all zero; om_prng_seed() sees to that */
};

/** om_prng_seed() - start @p from @seed, any value; equal seeds give equal sequences. */
void om_prng_seed(struct om_prng *p, uint64_t seed);

/** om_prng_u64() - the next 64 bits of @p. */
uint64_t om_prng_u64(struct om_prng *p);

/** om_prng_below() - a number of @p from 0 to @n - 1, each equally likely; @n of 0 is a bug. */
uint64_t om_prng_below(struct om_prng *p, uint64_t n);

/** om_prng_unit() - a fraction of @p from 0 to below 1, with 53 random bits. */
double om_prng_unit(struct om_prng *p);

/**
 * om_prng_chance() - true with a given probability
 * @p:            the generator; moves by one draw whatever the probability is
 * @probability:  0 or less: never; 1 or more: always
 *
 * Return: the outcome.
 */
bool om_prng_chance(struct om_prng *p, double probability);

/**
 * om_prng_jitter() - a time spread evenly around another
 * @p:        the generator
 * @t:        a duration in microseconds; 0, negative ones and OM_NEVER come back as they are
 * @percent:  0 to 100; 20 means t - 20 % to t + 20 %
 *
 * Return: the duration, below OM_NEVER.
 */
om_time om_prng_jitter(struct om_prng *p, om_time t, unsigned percent);

/**
 * om_prng_rng() - @p as a source of "secret" bytes, for tests and the simulator only
 * @p:  borrowed for as long as the result is used
 *
 * Return: a source that repeats with the seed, on every byte order.
 */
struct om_rng om_prng_rng(struct om_prng *p);

/**
 * om_prng_fork() - give a part of the simulation its own generator
 * @p:      moves by one draw
 * @child:  seeded from that draw; what it is used for no longer disturbs @p
 */
void om_prng_fork(struct om_prng *p, struct om_prng *child);

#endif
