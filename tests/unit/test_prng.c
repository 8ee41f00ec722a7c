/* test_prng.c - the seeded generator. */
#include "harness.h"

#include <omerta/prng.h>

OM_TEST(prng_meets_the_published_outputs)
{
    /* State 1, 2, 3, 4: the outputs that the authors' reference program prints. */
    static const uint64_t outputs[] = {11520,
                                       0,
                                       1509978240,
                                       1215971899390074240,
                                       1216172134540287360,
                                       607988272756665600,
                                       16172922978634559625u,
                                       8476171486693032832};
    /* splitmix64 from seed 0, as its authors print it. */
    static const uint64_t seeds[] = {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f,
                                     0xf88bb8a8724c81ec};
    struct om_prng p = {{1, 2, 3, 4}};

    for (size_t i = 0; i < OM_ARRAY_SIZE(outputs); i++)
        CHECK(om_prng_u64(&p) == outputs[i]);
    om_prng_seed(&p, 0);
    for (size_t i = 0; i < OM_ARRAY_SIZE(seeds); i++)
        CHECK(p.s[i] == seeds[i]);
}

OM_TEST(prng_below_is_in_range_and_even)
{
    struct om_prng p;
    unsigned hits[6] = {0};

    om_prng_seed(&p, 1);
    for (unsigned i = 0; i < 60000; i++)
        hits[om_prng_below(&p, 6)]++;
    for (size_t i = 0; i < OM_ARRAY_SIZE(hits); i++)
        CHECK(hits[i] > 9600 && hits[i] < 10400); /* 10000, and over 4 standard deviations */
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(om_prng_below(&p, 1), 0);
        CHECK(om_prng_below(&p, UINT64_MAX) < UINT64_MAX);
    }
    unsigned upper = 0; /* without rejection two thirds of these would fall below 2^62 */
    for (unsigned i = 0; i < 30000; i++)
        upper += om_prng_below(&p, 3ull << 62) >= 1ull << 62;
    CHECK(upper > 19600 && upper < 20400);
}

OM_TEST(prng_chance_follows_its_probability)
{
    struct om_prng p;
    unsigned hits = 0;

    om_prng_seed(&p, 2);
    for (unsigned i = 0; i < 10000; i++) {
        double u = om_prng_unit(&p);
        CHECK(u >= 0 && u < 1);
        CHECK(!om_prng_chance(&p, 0) && !om_prng_chance(&p, -1));
        CHECK(om_prng_chance(&p, 1) && om_prng_chance(&p, 2));
        hits += om_prng_chance(&p, 0.3);
    }
    CHECK(hits > 2800 && hits < 3200);
}

OM_TEST(prng_jitter_stays_within_its_percent)
{
    struct om_prng p;
    om_time least = OM_NEVER, most = 0;

    om_prng_seed(&p, 3);
    for (unsigned i = 0; i < 100000; i++) {
        om_time t = om_prng_jitter(&p, 1000, 20);
        least = t < least ? t : least;
        most = t > most ? t : most;
    }
    CHECK_EQ(least, 800);
    CHECK_EQ(most, 1200);
    CHECK_EQ(om_prng_jitter(&p, 1000, 0), 1000);
    CHECK_EQ(om_prng_jitter(&p, 0, 50), 0);
    CHECK_EQ(om_prng_jitter(&p, -5, 50), -5);
    CHECK(om_prng_jitter(&p, OM_NEVER, 50) == OM_NEVER);
    for (unsigned i = 0; i < 100; i++) {
        om_time t = om_prng_jitter(&p, OM_NEVER - 1, 100);
        CHECK(t >= 0 && t < OM_NEVER);
    }
}

OM_TEST(prng_fork_gives_another_stream)
{
    struct om_prng p, same, child, again;
    unsigned equal = 0;

    om_prng_seed(&p, 4);
    om_prng_seed(&same, 4);
    om_prng_fork(&p, &child);
    om_prng_fork(&same, &again);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t c = om_prng_u64(&child);
        CHECK(c == om_prng_u64(&again));
        CHECK(om_prng_u64(&same) == (c = om_prng_u64(&p)));
        equal += c == om_prng_u64(&again);
        om_prng_u64(&child);
    }
    CHECK_EQ(equal, 0);
}

OM_TEST(prng_rng_repeats_with_the_seed)
{
    struct om_prng p, q;
    struct om_rng a = om_prng_rng(&p), b = om_prng_rng(&q);
    uint8_t one[21], two[21] = {0};

    om_prng_seed(&p, 5);
    om_prng_seed(&q, 5);
    om_rng_fill(&a, one, sizeof one);
    om_rng_fill(&b, two, sizeof two);
    CHECK_MEM(one, two, sizeof one);
    om_rng_fill(&b, two, sizeof two);
    CHECK_MEM_DIFF(one, two, sizeof one);

    q = (struct om_prng){{0, 0, 0, 0}}; /* output is s[1] * 5 rotated by 7, times 9 */
    q.s[1] = 1;
    om_rng_fill(&b, two, 8);
    CHECK_MEM(two, ((uint8_t[]){0x80, 0x16, 0, 0, 0, 0, 0, 0}), 8); /* 5 * 128 * 9 = 5760 */
}
