/* test_ranges.c - a bounded set of numbers. */
#include "harness.h"

#include "stream/ranges.h"

enum { MAX = 4 };

static bool is_range(const struct om_ranges *r, uint64_t above, uint64_t low, uint64_t high)
{
    const struct om_range *g = om_ranges_above(r, above);

    return g && g->low == low && g->high == high;
}

OM_TEST(ranges_join_what_touches)
{
    struct om_ranges r = {0};

    OM_TRY(om_ranges_add(&r, 10, 20, MAX) == OM_OK);
    OM_TRY(om_ranges_add(&r, 30, 40, MAX) == OM_OK);
    CHECK_EQ(om_ranges_count(&r), 2);
    CHECK_OK(om_ranges_add(&r, 20, 25, MAX)); /* behind one */
    CHECK(is_range(&r, 0, 10, 25));
    CHECK_OK(om_ranges_add(&r, 28, 30, MAX)); /* before one */
    CHECK(is_range(&r, 25, 28, 40));
    CHECK_OK(om_ranges_add(&r, 12, 13, MAX)); /* inside one */
    CHECK_OK(om_ranges_add(&r, 50, 50, MAX)); /* nothing */
    CHECK_EQ(om_ranges_count(&r), 2);
    CHECK_OK(om_ranges_add(&r, 24, 29, MAX)); /* both */
    CHECK_EQ(om_ranges_count(&r), 1);
    CHECK(is_range(&r, 0, 10, 40));
    CHECK(om_ranges_has(&r, 10) && om_ranges_has(&r, 39));
    CHECK(!om_ranges_has(&r, 9) && !om_ranges_has(&r, 40));
    CHECK(om_ranges_above(&r, 40) == NULL);
    OM_TRY(om_ranges_add(&r, 100, 200, MAX) == OM_OK);
    CHECK_OK(om_ranges_add(&r, 0, 1000, MAX)); /* all */
    CHECK(is_range(&r, 0, 0, 1000));
    OM_TRY(om_ranges_remove(&r, 100, 200, MAX) == OM_OK);
    CHECK(is_range(&r, 0, 0, 100) && is_range(&r, 100, 200, 1000));
    om_ranges_cut(&r, 100);
    CHECK_EQ(om_ranges_count(&r), 1);
    om_ranges_cut(&r, 999);
    CHECK(is_range(&r, 0, 999, 1000));
    CHECK_OK(om_ranges_remove(&r, 0, 5000, MAX));
    CHECK_EQ(om_ranges_count(&r), 0);
out:
    om_ranges_clear(&r);
}

OM_TEST(ranges_refuse_when_full)
{
    struct om_ranges r = {0};

    for (uint64_t i = 0; i < MAX; i++)
        OM_TRY(om_ranges_add(&r, 10 * i, 10 * i + 5, MAX) == OM_OK);
    CHECK_ERR(om_ranges_add(&r, 50, 60, MAX), OM_E_FULL);
    CHECK_ERR(om_ranges_add(&r, 6, 9, MAX), OM_E_FULL);
    CHECK_ERR(om_ranges_remove(&r, 1, 2, MAX), OM_E_FULL);
    CHECK(om_ranges_has(&r, 1) && !om_ranges_has(&r, 50) && !om_ranges_has(&r, 6));
    CHECK_OK(om_ranges_add(&r, 5, 10, MAX)); /* one fewer */
    CHECK_OK(om_ranges_add(&r, 50, 60, MAX));

    om_ranges_stretch(&r, 70, 80, MAX); /* behind: the last one reaches out */
    CHECK(is_range(&r, 50, 50, 80));
    om_ranges_stretch(&r, 26, 27, MAX); /* nearer to 20-25 than to 30 */
    CHECK(is_range(&r, 16, 20, 27));
    om_ranges_stretch(&r, 48, 49, MAX);
    CHECK(is_range(&r, 36, 48, 80));
    CHECK_EQ(om_ranges_count(&r), MAX);
    om_ranges_cut(&r, 3);
    om_ranges_stretch(&r, 0, 1, MAX);
    CHECK(is_range(&r, 0, 0, 15));
out:
    om_ranges_clear(&r);
}

/* Without memory one range is kept, and it takes in what comes. */
OM_TEST(ranges_idle_costs_nothing)
{
    struct om_ranges r = {0};

    CHECK_OK(om_ranges_add(&r, 10, 20, MAX));
    CHECK(r.mem == NULL);
    om_ranges_stretch(&r, 30, 40, MAX);
    CHECK(om_ranges_has(&r, 10) && om_ranges_has(&r, 39));
    CHECK_OK(om_ranges_remove(&r, 0, 25, MAX));
    CHECK(om_ranges_count(&r) == 1 && r.mem == NULL);
    om_ranges_clear(&r);
    CHECK(om_ranges_above(&r, 0) == NULL);
}
