/* test_link.c - what links do to datagrams, counted. */
#include "harness.h"

#include <stdlib.h>

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
    m.loss.ppm = 300000;
    unsigned lost = count_lost(&m, &longest);
    CHECK(lost > MANY * 29 / 100 && lost < MANY * 31 / 100);
    m.loss.ppm = SIM_PPM;
    CHECK_EQ(count_lost(&m, &longest), MANY);
}

OM_TEST(link_bursts_lose_the_same_share)
{
    struct sim_link_model m = sim_link_model_default();
    unsigned single, burst;

    m.loss.ppm = 50000;
    count_lost(&m, &single);
    m.loss.burst = 20;
    unsigned lost = count_lost(&m, &burst);
    CHECK(lost > MANY * 4 / 100 && lost < MANY * 6 / 100);
    CHECK(burst > 3 * single);
}

/* Losses in a row, and losses that stand alone, of a channel with both states. */
OM_TEST(loss_in_both_states)
{
    const struct sim_loss_model m = {
        .ppm = 50000, .burst = 50, .good_ppm = 10000, .bad_ppm = 500000};
    unsigned lost = 0, lost_bad = 0, bad = 0, runs = 0;
    bool is_bad = false;
    struct om_prng prng;

    om_prng_seed(&prng, 12);
    for (unsigned i = 0; i < 10 * MANY; i++) {
        bool was_bad = is_bad;
        bool is_lost = sim_loss_draw(&is_bad, &m, &prng);
        lost += is_lost;
        bad += is_bad;
        lost_bad += is_bad && is_lost;
        runs += is_bad && !was_bad;
    }
    CHECK(lost > MANY / 2 * 95 / 100 && lost < MANY / 2 * 105 / 100);
    CHECK(lost_bad > bad * 48 / 100 && lost_bad < bad * 52 / 100);
    CHECK(lost - lost_bad > (10 * MANY - bad) / 110 && lost - lost_bad < (10 * MANY - bad) / 90);
    CHECK(bad / runs > 45 && bad / runs < 55);
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

OM_TEST(rate_loses_nothing_to_rounding)
{
    struct sim_rate r = {0};
    om_time first = 0, last = 0;

    /* 1,228 bytes at 200 Mb/s take 49.12 us: a thousand of them just as long, whatever each took */
    for (unsigned i = 0; i < 1000; i++) {
        om_time at = sim_rate_send(&r, 200000000, 0, 1228);
        CHECK(i == 0 || at - last == 49 || at - last == 50);
        first = i == 0 ? at : first;
        last = at;
    }
    CHECK_EQ(first, 50);
    CHECK_EQ(last, 49120);
    /* a byte at 3 Mb/s takes 2.67 us */
    r = (struct sim_rate){0};
    for (unsigned i = 0; i < 3000000; i++)
        last = sim_rate_send(&r, 3000000, 0, 1);
    CHECK_EQ(last, OM_SEC(8));
}

OM_TEST(rate_knows_how_long_it_was_busy)
{
    struct sim_rate r = {0};

    CHECK_EQ(sim_rate_busy(&r, OM_SEC(1)), 0);
    sim_rate_send(&r, 8000000, OM_SEC(1), 1000); /* 1 ms each */
    sim_rate_send(&r, 8000000, OM_SEC(1), 1000);
    CHECK_EQ(sim_rate_busy(&r, OM_SEC(1)), 0);
    CHECK_EQ(sim_rate_wait(&r, OM_SEC(1)), OM_MS(2));
    CHECK_EQ(sim_rate_busy(&r, OM_SEC(1) + 500), 500);
    CHECK_EQ(sim_rate_busy(&r, OM_SEC(2)), OM_MS(2));
    sim_rate_send(&r, 8000000, OM_SEC(3), 1000);
    CHECK_EQ(sim_rate_change(&r, 4000000, OM_SEC(3) + 500), OM_SEC(3) + 1500);
    CHECK_EQ(sim_rate_busy(&r, OM_SEC(4)), OM_MS(2) + 1500);
}

OM_TEST(link_loses_no_rate_to_rounding)
{
    struct sim_link_model m = {.rate_bps = 200000000, .queue_bytes = 1 << 30};
    struct sim_link l = {0};
    struct om_prng prng;
    om_time last = 0;

    om_prng_seed(&prng, 4);
    for (unsigned i = 0; i < 400000; i++)
        last = sim_link_pass(&l, &m, &prng, OM_MS(i / 1000), 1200).at[0];
    CHECK_EQ(last, OM_MS(19648)); /* 400,000 x 49.12 us */
}

OM_TEST(link_meter_counts_all)
{
    struct sim_link_model m = {.rate_bps = 8000000, .queue_bytes = 10000, .loss = {.ppm = 100000}};
    struct sim_meter meter;
    struct sim_link l = {.meter = &meter}, bare = {0};
    struct om_prng prng, same;

    om_prng_seed(&prng, 5);
    om_prng_seed(&same, 5);
    sim_meter_start(&meter, &l.rate, 0);
    for (unsigned i = 0; i < 2000; i++) { /* 1,000 bytes each half millisecond: twice too much */
        struct sim_fate f = sim_link_pass(&l, &m, &prng, 500 * (om_time)i, 972);
        CHECK_EQ(f.copies, sim_link_pass(&bare, &m, &same, 500 * (om_time)i, 972).copies);
    }
    CHECK_EQ(meter.packets_in, 2000);
    CHECK_EQ(meter.bytes_in, 2000000);
    CHECK_EQ(meter.packets_out + sim_meter_read(&meter, &l.rate, SIM_READ_DROPPED, OM_SEC(1)),
             2000);
    CHECK(meter.packets_out >= 990 && meter.packets_out <= 1011);
    CHECK(meter.dropped[SIM_LAPSE_LOST] > 150 && meter.dropped[SIM_LAPSE_LOST] < 250);
    CHECK(sim_meter_read(&meter, &l.rate, SIM_READ_USED, OM_SEC(1)) > 990000);
    CHECK(meter.wait_max <= OM_MS(10));
    CHECK(sim_meter_percentile(&meter, 50) > OM_MS(8));
}

static int by_value(const void *a, const void *b)
{
    const om_time *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

OM_TEST(meter_percentiles_are_those_of_a_sorted_list)
{
    enum { COUNT = 5000 };
    static om_time all[COUNT];
    struct sim_rate r = {0};
    struct sim_meter m;
    struct om_prng prng;

    om_prng_seed(&prng, 6);
    for (unsigned bits = 1; bits <= 34; bits++) {
        sim_meter_start(&m, &r, 0);
        CHECK_EQ(sim_meter_percentile(&m, 95), 0);
        for (unsigned i = 0; i < COUNT; i++) {
            all[i] = (om_time)om_prng_below(&prng, UINT64_C(1) << bits);
            sim_meter_wait(&m, all[i]);
        }
        qsort(all, COUNT, sizeof *all, by_value);
        for (unsigned percent = 1; percent <= 100; percent++) {
            om_time want = all[COUNT * percent / 100 - 1];
            om_time got = sim_meter_percentile(&m, percent);
            CHECK(got >= want && got <= want + want / 32);
        }
    }
}

OM_TEST(link_loses_what_is_too_large)
{
    struct sim_link_model m = sim_link_model_default();
    struct sim_meter meter = {.since = 0};
    struct sim_link l = {.meter = &meter};
    struct om_prng prng;

    om_prng_seed(&prng, 3);
    CHECK_EQ(sim_link_pass(&l, &m, &prng, 0, SIM_LINK_MTU - SIM_LINK_OVERHEAD).copies, 1);
    CHECK_EQ(sim_link_pass(&l, &m, &prng, 0, SIM_LINK_MTU - SIM_LINK_OVERHEAD + 1).copies, 0);
    CHECK_EQ(meter.dropped[SIM_LAPSE_SIZE], 1);
    m.mtu = 0;
    CHECK_EQ(sim_link_pass(&l, &m, &prng, 0, 60000).copies, 1);
}
