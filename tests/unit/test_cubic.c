/* test_cubic.c - the window of RFC 9438 and the slow start of RFC 9406. */
#include "harness.h"

#include "stream/cc.h"

static const uint64_t MSS = OM_CC_MSS;

static void begin(struct om_cc *c)
{
    memset(c, 0, sizeof *c);
    c->ops = &om_cubic_ops;
    c->ops->init(c, 0);
}

static void sent(struct om_cc *c, uint64_t packet)
{
    c->ops->on_sent(c, 0, packet, MSS, c->window, false);
}

static void ack(struct om_cc *c, om_time now, uint64_t packet, uint64_t bytes, om_time rtt)
{
    const struct om_cc_sample s = {
        .now = now, .rtt = rtt, .srtt = rtt, .min_rtt = rtt, .acked = bytes, .has_newest = true};

    c->ops->on_ack(c, packet, now - rtt, &s);
}

static void lose(struct om_cc *c, uint64_t packet, uint64_t largest)
{
    const struct om_cc_loss l = {.packet = packet, .largest_sent = largest, .bytes = MSS};

    c->ops->on_lost(c, &l);
}

/* A full window acknowledged each round trip for @time after @now; returns the time. */
static om_time rounds(struct om_cc *c, om_time now, om_time time, om_time rtt, uint64_t *packet)
{
    om_time end = now + time;

    while (now < end) {
        uint64_t n = c->window / MSS;
        for (uint64_t i = 0; i < n; i++) {
            sent(c, *packet + n); /* each ACK lets the next one out */
            ack(c, now + (om_time)i * rtt / (om_time)n, (*packet)++, MSS, rtt);
        }
        now += rtt;
    }
    return now;
}

OM_TEST(cubic_grows_by_its_function)
{
    struct om_cc c;
    uint64_t packet = 1000;
    om_time now = OM_SEC(1), rtt = OM_MS(100);

    begin(&c);
    c.window = 1000 * MSS;
    lose(&c, 999, 999);
    CHECK_EQ(c.window, 700 * MSS);
    /* K = cbrt(300 / 0.4) = 9.086 s: then the window is back at 1,000 packets. */
    now = rounds(&c, now, OM_MS(8900), rtt, &packet);
    CHECK(c.window > 980 * MSS && c.window <= 1005 * MSS);
    /* 5 s later it is 0.4 x 5^3 = 50 packets above. */
    rounds(&c, now, OM_MS(5000), rtt, &packet);
    CHECK(c.window > 1035 * MSS && c.window < 1070 * MSS);
    CHECK_EQ(c.cubic.k / 100000, 90);
}

OM_TEST(cubic_cuts_once_a_round_trip)
{
    struct om_cc c;

    begin(&c);
    c.window = 100 * MSS;
    lose(&c, 10, 109);
    CHECK_EQ(c.window, 70 * MSS);
    for (uint64_t p = 11; p < 110; p++)
        lose(&c, p, 150); /* all sent before the cut */
    CHECK_EQ(c.window, 70 * MSS);
    lose(&c, 110, 150);
    CHECK_EQ(c.window, 49 * MSS);
    CHECK_EQ(c.cubic.w_max, 70 * MSS * 85 / 100); /* fast convergence: it lost before its maximum */
    for (uint64_t p = 200; p < 300; p++)
        lose(&c, p, p);
    CHECK_EQ(c.window, 2 * MSS);
}

OM_TEST(cubic_is_never_below_reno)
{
    struct om_cc c;
    uint64_t packet = 100;

    begin(&c);
    c.window = 20 * MSS;
    lose(&c, 99, 99);
    CHECK_EQ(c.window, 14 * MSS);
    /* At 10 ms the cubic function takes seconds for what Reno does in 11 round trips. */
    rounds(&c, OM_SEC(1), OM_MS(130), OM_MS(10), &packet);
    CHECK(c.window >= 20 * MSS && c.window <= 23 * MSS);
}

OM_TEST(cubic_leaves_slow_start_when_round_trips_grow)
{
    struct om_cc flat, queue;
    uint64_t a = 0, b = 0;
    om_time rtt = OM_MS(50);

    begin(&flat);
    begin(&queue);
    CHECK_EQ(flat.window, OM_CC_INITIAL_PACKETS * MSS);
    for (unsigned round = 0; round < 11; round++) {
        rounds(&flat, OM_SEC(round), 1, rtt, &a);
        rounds(&queue, OM_SEC(round), 1, rtt + (round > 1 ? OM_MS(10 * (round - 1)) : 0), &b);
    }
    CHECK(flat.window > 1000 * MSS); /* doubled each time */
    CHECK_EQ(flat.cubic.threshold, UINT64_MAX);
    CHECK(queue.cubic.threshold != UINT64_MAX);
    CHECK(queue.window < flat.window / 4);
}

OM_TEST(cubic_collapses_when_all_is_lost)
{
    struct om_cc c;

    begin(&c);
    c.window = 500 * MSS;
    c.ops->on_persistent(&c, OM_SEC(9));
    CHECK_EQ(c.window, 2 * MSS);
    CHECK(c.pacing_rate > 0);
}

OM_TEST(cubic_does_not_grow_unused)
{
    struct om_cc c;

    begin(&c);
    for (uint64_t p = 0; p < 100; p++) {
        c.ops->on_sent(&c, 0, p, MSS, MSS, true);
        ack(&c, OM_SEC(1) + OM_MS(p), p, MSS, OM_MS(50));
    }
    CHECK_EQ(c.window, OM_CC_INITIAL_PACKETS * MSS);
    for (uint64_t p = 100; p < 110; p++) {
        sent(&c, p);
        ack(&c, OM_SEC(2) + OM_MS(p), p, MSS, OM_MS(50));
    }
    CHECK(c.window > OM_CC_INITIAL_PACKETS * MSS);
}
