/* model_cidr.c - prefix comparison against a loop over single bits. */
#include "harness.h"

#include <omerta/cidr.h>
#include <omerta/prng.h>

enum { ROUNDS = 100000 };

static bool bit(const uint8_t ip[static 16], unsigned i)
{
    return ip[i / 8] >> (7 - i % 8) & 1;
}

static bool naive_same(const uint8_t a[static 16], const uint8_t b[static 16], unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if (bit(a, i) != bit(b, i))
            return false;
    return true;
}

/* A prefix with its host bits cleared, one at a time. */
static struct om_cidr random_cidr(struct om_prng *p, const uint8_t base[static 16])
{
    struct om_cidr c = {.bits = (uint8_t)om_prng_below(p, OM_CIDR_BITS_MAX + 1)};

    memcpy(c.ip, base, sizeof c.ip);
    for (unsigned i = c.bits; i < OM_CIDR_BITS_MAX; i++)
        c.ip[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
    return c;
}

/* An address that often shares a long prefix with @base, so that the last bits decide. */
static struct om_addr near(struct om_prng *p, const uint8_t base[static 16])
{
    struct om_addr a = {.port = 1};

    memcpy(a.ip, base, sizeof a.ip);
    if (om_prng_chance(p, 0.8)) {
        unsigned i = (unsigned)om_prng_below(p, 128);
        a.ip[i / 8] ^= (uint8_t)(0x80u >> i % 8);
    }
    return a;
}

OM_TEST(model_cidr_agrees_with_the_bit_loop)
{
    struct om_prng p;
    struct om_rng rng = om_prng_rng(&p);
    unsigned in = 0, overlapping = 0;

    om_prng_seed(&p, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct om_addr base = om_addr_v4((uint32_t)om_prng_u64(&p), 1);
        if (om_prng_chance(&p, 0.5))
            om_rng_fill(&rng, base.ip, sizeof base.ip);
        struct om_addr a = near(&p, base.ip);
        struct om_cidr c = random_cidr(&p, base.ip), d = random_cidr(&p, a.ip), back;
        unsigned shorter = c.bits < d.bits ? c.bits : d.bits;
        char text[OM_CIDR_TEXT];

        CHECK_EQ(om_cidr_contains(&c, &a), naive_same(c.ip, a.ip, c.bits));
        CHECK_EQ(om_cidr_overlaps(&c, &d), naive_same(c.ip, d.ip, shorter));
        CHECK_EQ(om_cidr_overlaps(&c, &d), om_cidr_overlaps(&d, &c));
        in += om_cidr_contains(&c, &a);
        overlapping += om_cidr_overlaps(&c, &d);
        CHECK_OK(om_cidr_parse(&back, om_cidr_print(&c, text), NULL));
        CHECK_MEM(&back, &c, sizeof c);
        CHECK_OK(om_addr_parse(&base, om_addr_print(&a, (char[OM_ADDR_TEXT]){0}), 0, NULL));
        CHECK(om_addr_equal(&a, &base));
    }
    CHECK(in > ROUNDS / 5 && in < ROUNDS * 4 / 5); /* both answers were asked for */
    CHECK(overlapping > ROUNDS / 5 && overlapping < ROUNDS * 4 / 5);
}
