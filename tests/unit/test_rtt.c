/* test_rtt.c - the estimator against figures worked out by hand from RFC 9002. */
#include "harness.h"

#include "path/rtt.h"

OM_TEST(rtt_first_sample_sets_all)
{
    struct om_rtt r = {0};

    om_rtt_sample(&r, OM_MS(80));
    CHECK_EQ(r.smoothed, OM_MS(80));
    CHECK_EQ(r.variation, OM_MS(40)); /* RFC 9002 5.3: half of it */
    om_rtt_sample(&r, OM_MS(160));
    CHECK_EQ(r.smoothed, OM_MS(90));  /* 7/8 80 + 1/8 160 */
    CHECK_EQ(r.variation, OM_MS(50)); /* 3/4 40 + 1/4 |80 - 160| */
}

OM_TEST(rtt_converges)
{
    struct om_rtt r = {0};

    om_rtt_sample(&r, OM_SEC(2));
    for (int i = 0; i < 200; i++)
        om_rtt_sample(&r, OM_MS(30));
    CHECK(r.smoothed >= OM_MS(30) && r.smoothed < OM_MS(30) + 20);
    CHECK(r.variation < 20);
    for (int i = 0; i < 200; i++)
        om_rtt_sample(&r, OM_MS(300));
    CHECK(r.smoothed > OM_MS(300) - 20 && r.smoothed <= OM_MS(300));
}

OM_TEST(rtt_pto_has_a_floor)
{
    struct om_rtt r = {0};

    CHECK_EQ(om_rtt_pto(&r), OM_MS(100 + 4 * 50 + 25)); /* nothing known: 100 ms, half of it */
    om_rtt_sample(&r, OM_MS(80));
    CHECK_EQ(om_rtt_pto(&r), OM_MS(80 + 4 * 40 + 25));
    for (int i = 0; i < 300; i++)
        om_rtt_sample(&r, 100);
    CHECK(r.smoothed <= 110 && r.variation < 10);
    CHECK_EQ(om_rtt_pto(&r), r.smoothed + OM_MS(1) + OM_MS(25)); /* the granule, not 4 x 0 */
}

/* A clock that stood still or ran back must not look like "no sample yet". */
OM_TEST(rtt_takes_no_sample_below_one)
{
    struct om_rtt r = {0};

    om_rtt_sample(&r, 0);
    CHECK_EQ(r.smoothed, 1);
    for (int i = 0; i < 50; i++)
        om_rtt_sample(&r, -OM_SEC(5));
    CHECK_EQ(r.smoothed, 1);
    CHECK(r.variation >= 0);
    om_rtt_sample(&r, OM_SEC(3600));
    for (int i = 0; i < 500; i++)
        om_rtt_sample(&r, 1);
    CHECK(r.smoothed >= 1 && r.smoothed <= 8);
}

OM_TEST(rtt_takes_off_what_was_held)
{
    struct om_rtt r = {0};

    om_rtt_sample_held(&r, OM_MS(50), OM_MS(20)); /* below the least there is: not believed */
    CHECK_EQ(r.smoothed, OM_MS(50));
    CHECK_EQ(r.least, OM_MS(50));
    om_rtt_sample_held(&r, OM_MS(70), OM_MS(20));
    CHECK_EQ(r.smoothed, OM_MS(50));
    CHECK_EQ(r.latest, OM_MS(70));
    om_rtt_sample_held(&r, OM_MS(130), OM_SEC(9)); /* no peer waits longer than it promised */
    CHECK_EQ(r.smoothed, (7 * OM_MS(50) + OM_MS(105)) / 8);
    om_rtt_sample_held(&r, OM_MS(40), 0);
    CHECK_EQ(r.least, OM_MS(40));
}
