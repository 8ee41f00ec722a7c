/* prng.c - xoshiro256** seeded through splitmix64. */
#include <omerta/prng.h>

#include <omerta/attr.h>

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio, odd */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void om_prng_seed(struct om_prng *p, uint64_t seed)
{
    /* Four draws of splitmix are never all zero: its outputs are a permutation of its states. */
    for (unsigned i = 0; i < OM_ARRAY_SIZE(p->s); i++)
        p->s[i] = splitmix(&seed);
}

uint64_t om_prng_u64(struct om_prng *p)
{
    uint64_t *s = p->s;
    uint64_t out = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return out;
}

uint64_t om_prng_below(struct om_prng *p, uint64_t n)
{
    uint64_t spare, v;

    OM_BUG_IF(n == 0);
    spare = (0 - n) % n; /* 2^64 modulo n: that many values would make some results likelier */
    do
        v = om_prng_u64(p);
    while (v < spare);
    return v % n;
}

double om_prng_unit(struct om_prng *p)
{
    return (double)(om_prng_u64(p) >> 11) * 0x1.0p-53;
}

bool om_prng_chance(struct om_prng *p, double probability)
{
    return om_prng_unit(p) < probability;
}

om_time om_prng_jitter(struct om_prng *p, om_time t, unsigned percent)
{
    uint64_t span, at;

    OM_BUG_IF(percent > 100);
    if (t <= 0 || t == OM_NEVER)
        return t;
    span = (uint64_t)t / 100 * percent + (uint64_t)t % 100 * percent / 100;
    at = (uint64_t)t - span + om_prng_below(p, 2 * span + 1);
    return at < (uint64_t)OM_NEVER ? (om_time)at : OM_NEVER - 1;
}

static void fill(void *self, void *dst, size_t n)
{
    uint8_t *out = dst;
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++, v >>= 8) {
        if (i % 8 == 0)
            v = om_prng_u64(self);
        out[i] = (uint8_t)v;
    }
}

struct om_rng om_prng_rng(struct om_prng *p)
{
    return (struct om_rng){fill, p};
}

void om_prng_fork(struct om_prng *p, struct om_prng *child)
{
    om_prng_seed(child, om_prng_u64(p));
}
