/*
 * dice.h - seeded random choices for model tests
 *
 * What:  splitmix64 and two ways to ask it.
 * Why:   the same seed must give the same run, without trusting the product's own generator.
 *
 * Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
 */
#ifndef OM_TESTS_DICE_H
#define OM_TESTS_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_u64(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* 0 to @n - 1. */
static inline unsigned dice_below(struct dice *d, unsigned n)
{
    return (unsigned)(dice_u64(d) >> 32) % n;
}

static inline void dice_fill(struct dice *d, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)dice_u64(d);
}

#endif
