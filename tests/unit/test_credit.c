/* test_credit.c - windows that follow the reader. */
#include "harness.h"

#include "stream/credit.h"

enum { WINDOW = 1000 };

OM_TEST(credit_grows_when_half_goes_in_two_round_trips)
{
    struct om_credit c;

    om_credit_init(&c, WINDOW, OM_SEC(1));
    CHECK(c.granted == WINDOW);
    CHECK(om_credit_used(&c, OM_SEC(1) + OM_MS(1), OM_MS(10), WINDOW / 2 - 1, 8 * WINDOW) == 0);
    CHECK(om_credit_used(&c, OM_SEC(1) + OM_MS(19), OM_MS(10), WINDOW / 2, 8 * WINDOW) == WINDOW);
    CHECK(c.window == 2 * WINDOW);
    /* the next half is one of the new window */
    CHECK(om_credit_used(&c, OM_SEC(1) + OM_MS(20), OM_MS(10), WINDOW, 8 * WINDOW) == 0);
    CHECK(om_credit_used(&c, OM_SEC(1) + OM_MS(21), OM_MS(10), WINDOW * 3 / 2, 8 * WINDOW) ==
          2 * WINDOW);
}

OM_TEST(credit_of_a_slow_reader_stays)
{
    struct om_credit c;

    om_credit_init(&c, WINDOW, 0);
    for (uint64_t i = 1; i < 100; i++)
        CHECK(om_credit_used(&c, (om_time)i * OM_MS(20), OM_MS(10), i * WINDOW / 2, 99 * WINDOW) ==
              0);
    CHECK(c.window == WINDOW);
    /* nor does one grow whose round trip nobody knows */
    om_credit_init(&c, WINDOW, 0);
    CHECK(om_credit_used(&c, 1, 0, WINDOW, 99 * WINDOW) == 0);
    /* the control: without a pause the same bytes make it grow, after a restart, too */
    om_credit_init(&c, WINDOW, 0);
    om_credit_restart(&c, OM_SEC(9));
    CHECK(om_credit_used(&c, OM_SEC(9) + 1, OM_MS(10), WINDOW, 99 * WINDOW) == WINDOW);
}

OM_TEST(credit_never_grows_beyond_its_most)
{
    struct om_credit c;
    uint64_t consumed = 0, grown = 0;

    om_credit_init(&c, WINDOW, 0);
    for (unsigned i = 0; i < 20; i++)
        grown += om_credit_used(&c, i, OM_MS(10), consumed += c.window, 7 * WINDOW);
    CHECK(c.window == 7 * WINDOW && grown == 6 * WINDOW);
    CHECK(om_credit_used(&c, 30, OM_MS(10), consumed + 7 * WINDOW, WINDOW) == 0);
    CHECK(c.window == 7 * WINDOW); /* it is never taken back */
}
