/* test_pacer.c - the rate to the microsecond, and no more than a quantum ahead of it. */
#include "harness.h"

#include "stream/pacer.h"

OM_TEST(pacer_keeps_the_rate)
{
    /* Bytes per second whose packets take no whole number of microseconds. */
    static const uint64_t rates[] = {25000000, 1250000000, 7777777, 1000};
    enum { PACKET = 1200, PACKETS = 10000 };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rates); i++) {
        struct om_pacer p;
        om_time now = OM_SEC(5), start = now;

        om_pacer_init(&p, now);
        for (unsigned n = 0; n < PACKETS; n++) {
            om_time at = om_pacer_at(&p, rates[i], 0);
            if (at > now)
                now = at;
            om_pacer_sent(&p, now, rates[i], PACKET);
        }
        uint64_t want = (uint64_t)(PACKETS - 1) * PACKET * 1000000 / rates[i];
        CHECK((uint64_t)(now - start) >= want);
        CHECK((uint64_t)(now - start) <= want + 1);
    }
}

OM_TEST(pacer_saves_no_more_than_a_quantum)
{
    enum { RATE = 1000000, PACKET = 1000, QUANTUM = 4000 };
    struct om_pacer p;
    unsigned burst = 0;

    om_pacer_init(&p, 0);
    om_time now = OM_SEC(60); /* long idle */
    while (om_pacer_at(&p, RATE, QUANTUM) <= now && burst < 100) {
        om_pacer_sent(&p, now, RATE, PACKET);
        burst++;
    }
    CHECK_EQ(burst, 1 + QUANTUM / PACKET);
    CHECK_EQ(om_pacer_at(&p, RATE, QUANTUM), now + 1000);
}

OM_TEST(pacer_without_a_rate_never_waits)
{
    struct om_pacer p;

    om_pacer_init(&p, OM_SEC(1));
    om_pacer_sent(&p, OM_SEC(1), 1, 1000000);
    CHECK(om_pacer_at(&p, 1, 0) > OM_SEC(1)); /* with one it would */
    CHECK(om_pacer_at(&p, 0, 0) < OM_SEC(1));
}
