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

/* Bytes that leave in ten seconds, woken every @every microseconds. */
static uint64_t woken(om_time every, uint64_t rate, uint64_t quantum)
{
    struct om_pacer p;
    uint64_t bytes = 0;

    om_pacer_init(&p, 0);
    for (om_time now = every; now <= OM_SEC(10); now += every)
        for (unsigned burst = 0; om_pacer_at(&p, rate, quantum) <= now; burst++) {
            CHECK(burst <= 2 * quantum / 1000 + 2); /* twice the quantum, and never more */
            om_pacer_sent(&p, now, rate, 1000);
            bytes += 1000;
        }
    return bytes;
}

OM_TEST(pacer_makes_up_for_late_wake_ups)
{
    enum { RATE = 20000000, QUANTUM = RATE / 2000 };
    const uint64_t all = (uint64_t)10 * RATE;

    CHECK(woken(200, RATE, QUANTUM) >= all / 100 * 99);
    CHECK(woken(200, RATE, QUANTUM) <= all + 2 * QUANTUM);
    CHECK(woken(1000, RATE, QUANTUM) >= all / 100 * 95);
    CHECK(woken(1000, RATE, QUANTUM) <= all + 2 * QUANTUM);
    /* Who sends only every 10 ms has nothing to make up for. */
    CHECK(woken(10000, RATE, QUANTUM) <= all / 10);
}
