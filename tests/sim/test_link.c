/* test_link.c - what links do to datagrams, counted. */
#include "harness.h"

#include "link.h"

enum { MANY = 100000 };

static unsigned count_lost(const struct sim_link_model *m, unsigned *longest)
{
    struct sim_link l = {0};
    struct om_prng prng;
    unsigned lost = 0, run = 0;

    om_prng_seed(&prng, 11);
    *longest = 0;
    for (unsigned i = 0; i < MANY; i++) {
        struct sim_fate f = sim_link_pass(&l, m, &prng, OM_MS(i), 100);
        lost += f.copies == 0;
        run = f.copies == 0 ? run + 1 : 0;
        if (run > *longest)
            *longest = run;
    }
    return lost;
}

OM_TEST(link_loses_its_share)
{
    struct sim_link_model m = sim_link_model_default();
    unsigned longest;

    CHECK_EQ(count_lost(&m, &longest), 0);
    m.loss_ppm = 300000;
    unsigned lost = count_lost(&m, &longest);
    CHECK(lost > MANY * 29 / 100 && lost < MANY * 31 / 100);
    m.loss_ppm = SIM_PPM;
    CHECK_EQ(count_lost(&m, &longest), MANY);
}

OM_TEST(link_bursts_lose_the_same_share)
{
    struct sim_link_model m = sim_link_model_default();
    unsigned single, burst;

    m.loss_ppm = 50000;
    count_lost(&m, &single);
    m.burst = 20;
    unsigned lost = count_lost(&m, &burst);
    CHECK(lost > MANY * 4 / 100 && lost < MANY * 6 / 100);
    CHECK(burst > 3 * single);
}

OM_TEST(link_rate_spaces_and_queue_drops)
{
    struct sim_link_model m = {.latency = OM_MS(5), .rate_bps = 8000000, .queue_bytes = 3000};
    struct sim_link l = {0};
    struct om_prng prng;
    unsigned passed = 0;
    om_time last = 0;

    om_prng_seed(&prng, 1);
    for (unsigned i = 0; i < 10; i++) {
        struct sim_fate f = sim_link_pass(&l, &m, &prng, 0, 1000 - SIM_LINK_OVERHEAD);
        if (f.copies == 0)
            continue;
        CHECK_EQ(f.at[0] - last, passed ? OM_MS(1) : OM_MS(6)); /* 1000 bytes at 1 MB/s */
        last = f.at[0];
        passed++;
    }
    CHECK_EQ(passed, 3); /* one under way and what fits behind it */
    CHECK_EQ(sim_link_pass(&l, &m, &prng, OM_SEC(1), 500).copies, 1);
}

OM_TEST(link_reorders_within_its_depth)
{
    struct sim_link_model m = sim_link_model_default();
    struct sim_link l = {0};
    struct om_prng prng;
    om_time least = OM_NEVER, most = 0;

    m.reorder = 64;
    om_prng_seed(&prng, 2);
    for (unsigned i = 0; i < 5000; i++) {
        om_time late = sim_link_pass(&l, &m, &prng, OM_MS(i), 100).at[0] - OM_MS(i) - m.latency;
        least = om_time_min(least, late);
        most = late > most ? late : most;
    }
    CHECK_EQ(least, 0);
    CHECK_EQ(most, 63 * m.spacing);
}

OM_TEST(link_copies_and_corrupts)
{
    struct sim_link_model m = sim_link_model_default();
    struct sim_link l = {0};
    struct om_prng prng;
    unsigned copies = 0, corrupt = 0;

    m.dup_ppm = 500000;
    m.corrupt_ppm = 100000;
    om_prng_seed(&prng, 3);
    for (unsigned i = 0; i < 10000; i++) {
        struct sim_fate f = sim_link_pass(&l, &m, &prng, 0, 100);
        for (unsigned k = 0; k < f.copies; k++)
            corrupt += f.is_corrupt[k];
        copies += f.copies;
    }
    CHECK(copies > 14700 && copies < 15300);
    CHECK(corrupt > 1300 && corrupt < 1700);
}
