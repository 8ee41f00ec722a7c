/*
 * rng.h - the injected source of secret randomness
 *
 * What:  one function that fills memory with bytes nobody can predict.
 * Why:   the core may not reach for a global generator: meshd passes the kernel's, the simulator
 *        a seeded one, and so the same seed gives the same trace. Jitter uses prng.h instead, so
 *        that timing decisions never consume or reveal key material.
 */
#ifndef OMERTA_RNG_H
#define OMERTA_RNG_H

#include <stddef.h>
#include <stdint.h>

struct om_rng {
    /* Cannot fail; a source that can must stop the process. */
    void (*fill)(void *self, void *dst, size_t n);
    void *self;
};

static inline void om_rng_fill(const struct om_rng *r, void *dst, size_t n)
{
    r->fill(r->self, dst, n);
}

#endif
