/* test_bucket.c - token bucket. */
#include "harness.h"

#include <omerta/bucket.h>

OM_TEST(bucket_grants_rate_and_burst_exactly)
{
    struct om_bucket b;
    unsigned granted = 0;

    om_bucket_init(&b, 7, 3, 0); /* 1/7 s is no whole number of microseconds */
    for (om_time now = 0; now <= OM_SEC(100); now += 333)
        granted += om_bucket_take(&b, now, 1);
    granted += om_bucket_take(&b, OM_SEC(100), 1);
    CHECK_EQ(granted, 3 + 7 * 100);

    om_bucket_init(&b, 10, 5, 0);
    CHECK(!om_bucket_take(&b, 0, 6)); /* all or nothing, so all five are still there */
    CHECK(om_bucket_take(&b, 0, 5));
    CHECK(om_bucket_take(&b, 0, 0));
    CHECK(!om_bucket_take(&b, OM_MS(100) - 1, 1));
    CHECK(om_bucket_take(&b, OM_MS(100), 1));
    CHECK(!om_bucket_take(&b, OM_SEC(50), 6)); /* an idle hour saves no more than the burst */
    CHECK(om_bucket_take(&b, OM_SEC(50), 5));
    CHECK(!om_bucket_take(&b, OM_SEC(50), 1));
}

OM_TEST(bucket_ready_is_the_first_moment)
{
    struct om_bucket b;

    om_bucket_init(&b, 3, 4, OM_SEC(1));
    CHECK_EQ(om_bucket_ready(&b, OM_SEC(1), 4), OM_SEC(1));
    CHECK(om_bucket_ready(&b, OM_SEC(1), 5) == OM_NEVER);
    CHECK(om_bucket_take(&b, OM_SEC(1), 4));
    om_time at = om_bucket_ready(&b, OM_SEC(1), 1);
    CHECK_EQ(at, OM_SEC(1) + 333334);
    CHECK(!om_bucket_take(&b, at - 1, 1));
    CHECK(om_bucket_take(&b, at, 1));
    om_bucket_init(&b, 0, 2, 0);
    CHECK(om_bucket_take(&b, 0, 1));
    CHECK_EQ(om_bucket_ready(&b, 0, 1), 0);
    CHECK(om_bucket_ready(&b, 0, 2) == OM_NEVER);
}

OM_TEST(bucket_ignores_time_going_back)
{
    struct om_bucket b;

    om_bucket_init(&b, 1, 2, OM_SEC(10));
    CHECK(om_bucket_take(&b, OM_SEC(10), 2));
    CHECK(!om_bucket_take(&b, OM_SEC(5), 1));
    CHECK_EQ(om_bucket_ready(&b, OM_SEC(5), 1), OM_SEC(11));
    CHECK(!om_bucket_take(&b, OM_SEC(10), 1)); /* going back and on again gains nothing */
    CHECK(om_bucket_take(&b, OM_SEC(11), 1));
}

OM_TEST(bucket_survives_extreme_times)
{
    struct om_bucket b;

    om_bucket_init(&b, UINT32_MAX, UINT32_MAX, INT64_MIN);
    CHECK(om_bucket_take(&b, INT64_MIN, UINT32_MAX));
    CHECK(!om_bucket_take(&b, INT64_MIN, 1));
    CHECK_EQ(om_bucket_ready(&b, INT64_MIN, UINT32_MAX), INT64_MIN + OM_SEC(1));
    CHECK(om_bucket_take(&b, INT64_MAX, UINT32_MAX));
    CHECK(om_bucket_ready(&b, INT64_MAX, 1) == OM_NEVER);
    om_bucket_init(&b, 1, UINT32_MAX, INT64_MAX - OM_SEC(2));
    CHECK(om_bucket_take(&b, INT64_MAX - OM_SEC(2), UINT32_MAX));
    CHECK_EQ(om_bucket_ready(&b, 0, 1), INT64_MAX - OM_SEC(1));
    CHECK(om_bucket_ready(&b, 0, 3) == OM_NEVER);
    CHECK(!om_bucket_take(&(struct om_bucket){0}, OM_SEC(1), 1));
}
