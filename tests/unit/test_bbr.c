/* test_bbr.c - the states of BBR, one ACK at a time. */
#include "harness.h"

#include "stream/bbr_parts.h"

enum { MSS = OM_CC_MSS };

/* A path that delivers what it is told to: a round trip per call. */
struct path {
    struct om_cc cc;
    om_time now, rtt;
    uint64_t delivered, packet;
    uint64_t rate; /* bytes per second */
    bool app_limited;
};

static void begin(struct path *p, uint64_t rate, om_time rtt)
{
    *p = (struct path){.now = OM_SEC(1), .rtt = rtt, .rate = rate};
    om_prng_seed(&p->cc.prng, 1);
    p->cc.ops = &om_bbr_ops;
    p->cc.ops->init(&p->cc, p->now);
}

static const struct om_bbr *bbr(const struct path *p)
{
    return &p->cc.bbr;
}

static uint64_t bdp(const struct path *p)
{
    return p->rate * (uint64_t)p->rtt / (uint64_t)OM_SEC(1);
}

/* One ACK for @bytes sent a round trip ago, with @in_flight left and @lost in between. */
static void ack(struct path *p, uint64_t bytes, uint64_t in_flight, uint64_t lost)
{
    uint64_t prior = p->delivered;

    p->now += p->rtt;
    p->delivered += bytes;
    p->packet += bytes / MSS;
    struct om_cc_sample s = {.now = p->now,
                             .rtt = p->rtt,
                             .srtt = p->rtt,
                             .min_rtt = p->rtt,
                             .acked = bytes,
                             .lost = lost,
                             .in_flight = in_flight,
                             .delivered = p->delivered,
                             .prior_delivered = prior,
                             .tx_in_flight = bytes + lost,
                             .lost_since = lost,
                             .rate = bytes * (uint64_t)OM_SEC(1) / (uint64_t)p->rtt,
                             .interval = p->rtt,
                             .is_app_limited = p->app_limited,
                             .has_newest = true};
    p->cc.ops->on_ack(&p->cc, p->packet, p->now - p->rtt, &s);
}

/* @count packets, not next to each other, of @in_flight that were lost. */
static void lose(struct path *p, unsigned count, uint64_t in_flight)
{
    for (unsigned i = 1; i <= count; i++) {
        struct om_cc_loss l = {.now = p->now,
                               .sent_at = p->now - p->rtt,
                               .packet = p->packet + 2 * (uint64_t)i,
                               .largest_sent = p->packet + 1000,
                               .bytes = MSS,
                               .delivered = p->delivered,
                               .tx_in_flight = in_flight,
                               .lost_since = (uint64_t)i * MSS};
        p->cc.ops->on_lost(&p->cc, &l);
    }
}

/* Rounds in which the path gives what the window asks for, up to its rate, with no queue left. */
static void round_trip(struct path *p)
{
    uint64_t can = bdp(p), wants = p->cc.window;

    ack(p, can < wants ? can : wants, (can < wants ? can : wants) / 2, 0);
}

static void fill(struct path *p)
{
    for (unsigned i = 0; i < 30 && bbr(p)->state == OM_BBR_STARTUP; i++)
        round_trip(p);
}

static bool reach(struct path *p, enum om_bbr_state state, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && bbr(p)->state != state; i++)
        round_trip(p);
    return bbr(p)->state == state;
}

OM_TEST(bbr_starts_with_the_initial_window)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    CHECK_EQ(bbr(&p)->state, OM_BBR_STARTUP);
    CHECK_EQ(p.cc.window, OM_CC_INITIAL_PACKETS * MSS);
    CHECK(p.cc.pacing_rate >= 10000000); /* 10 packets in less than 1 ms */
    ack(&p, 2 * MSS, 8 * MSS, 0);
    CHECK(p.cc.pacing_rate < 1000000); /* 10 packets per round trip, times 2.77 */
    CHECK(p.cc.quantum >= 2 * MSS);
    CHECK(sizeof(struct om_bbr) < 600);
}

OM_TEST(bbr_startup_doubles_and_ends_when_the_rate_stops_growing)
{
    struct path p;
    uint64_t before;

    begin(&p, 12500000, OM_MS(40));
    for (unsigned i = 0; i < 4; i++) {
        before = p.cc.window;
        round_trip(&p);
        CHECK_EQ(bbr(&p)->state, OM_BBR_STARTUP);
        CHECK_EQ(p.cc.window, 2 * before);
    }
    while (bbr(&p)->full_count == 0)
        round_trip(&p); /* the rate is reached */
    CHECK_EQ(bbr(&p)->state, OM_BBR_STARTUP);
    round_trip(&p);
    CHECK_EQ(bbr(&p)->state, OM_BBR_STARTUP);
    ack(&p, bdp(&p), 2 * bdp(&p), 0); /* the third without growth */
    CHECK_EQ(bbr(&p)->state, OM_BBR_DRAIN);
    CHECK_EQ(p.cc.pacing_rate / 10000, bbr(&p)->bw * OM_BBR_DRAIN_GAIN / 100 * 99 / 100 / 10000);
    CHECK(bbr(&p)->bw * 100 >= p.rate * 99 && bbr(&p)->bw <= p.rate);
}

OM_TEST(bbr_startup_ends_at_loss_in_a_queue)
{
    struct path p, q;

    begin(&p, 12500000, OM_MS(40));
    for (unsigned i = 0; i < 4; i++)
        round_trip(&p);
    q = p;
    lose(&p, 3, p.cc.window); /* too few of them: noise */
    ack(&p, p.cc.window / 2, p.cc.window / 2, 3 * MSS);
    ack(&p, p.cc.window / 2, p.cc.window / 2, 0);
    CHECK_EQ(bbr(&p)->state, OM_BBR_STARTUP);

    q.rtt = OM_MS(80); /* now a queue is seen */
    ack(&q, q.cc.window / 2, q.cc.window / 2, 0);
    lose(&q, 12, q.cc.window);
    ack(&q, q.cc.window / 2, q.cc.window, 12 * MSS);
    ack(&q, q.cc.window / 2, q.cc.window, 0);
    CHECK_EQ(bbr(&q)->state, OM_BBR_DRAIN);
    CHECK(bbr(&q)->inflight_long != OM_BBR_UNBOUND);
}

OM_TEST(bbr_goes_through_the_states_of_probe_bw)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 5));
    om_time from = bbr(&p)->cycle_at;
    CHECK_EQ(p.cc.pacing_rate / 10000, bbr(&p)->bw * 99 / 100 / 10000);
    CHECK(reach(&p, OM_BBR_REFILL, 80));
    CHECK(p.now - from >= OM_SEC(2) && p.now - from <= OM_SEC(3) + 2 * p.rtt);
    round_trip(&p);
    CHECK_EQ(bbr(&p)->state, OM_BBR_UP);
    CHECK_EQ(p.cc.pacing_rate / 10000, bbr(&p)->bw * OM_BBR_UP_GAIN / 100 * 99 / 100 / 10000);
    for (unsigned i = 0; i < 5 && bbr(&p)->state == OM_BBR_UP; i++)
        ack(&p, bdp(&p), 2 * bdp(&p), 0); /* three rounds without growth */
    CHECK_EQ(bbr(&p)->state, OM_BBR_DOWN);
    CHECK_EQ(p.cc.pacing_rate / 10000, bbr(&p)->bw * OM_BBR_DOWN_GAIN / 100 * 99 / 100 / 10000);
    ack(&p, bdp(&p), 2 * bdp(&p), 0);
    CHECK_EQ(bbr(&p)->state, OM_BBR_DOWN); /* the queue is not gone */
    ack(&p, bdp(&p), bdp(&p), 0);
    CHECK_EQ(bbr(&p)->state, OM_BBR_CRUISE);
}

OM_TEST(bbr_goes_up_as_long_as_the_rate_grows)
{
    struct path p;

    begin(&p, 2500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    CHECK(reach(&p, OM_BBR_UP, 80));
    for (unsigned i = 0; i < 6; i++) {
        p.rate = p.rate / 100 * 126;
        round_trip(&p);
        CHECK_EQ(bbr(&p)->state, OM_BBR_UP);
    }
    CHECK(bbr(&p)->bw * 10 >= p.rate * 9);
}

OM_TEST(bbr_takes_loss_without_a_queue_for_noise)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    uint64_t bw = bbr(&p)->bw;
    for (unsigned i = 0; i < 5; i++) { /* 5 % */
        lose(&p, 20, bdp(&p));
        ack(&p, bdp(&p) - 20 * MSS, bdp(&p) / 2, 20 * MSS);
    }
    CHECK_EQ(bbr(&p)->bw_short, OM_BBR_UNBOUND);
    CHECK_EQ(bbr(&p)->bw, bw);
    for (unsigned i = 0; i < 4; i++) { /* 20 %: a policer */
        lose(&p, 80, bdp(&p));
        ack(&p, bdp(&p) - 80 * MSS, bdp(&p) / 2, 80 * MSS);
    }
    CHECK(bbr(&p)->bw_short <= bw * 85 / 100);
    CHECK(bbr(&p)->bw_short >= bw * 70 / 100); /* what is still delivered */
    CHECK(reach(&p, OM_BBR_REFILL, 80));
    CHECK_EQ(bbr(&p)->bw_short, OM_BBR_UNBOUND);
}

OM_TEST(bbr_remembers_where_a_probe_met_loss)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    CHECK(reach(&p, OM_BBR_UP, 80));
    CHECK_EQ(bbr(&p)->inflight_long, OM_BBR_UNBOUND);
    uint64_t in_flight = bdp(&p) * 120 / 100;
    p.rtt = p.rtt * 120 / 100;
    ack(&p, in_flight, in_flight, 0);
    lose(&p, 20, in_flight); /* 4 % */
    CHECK_EQ(bbr(&p)->state, OM_BBR_DOWN);
    CHECK(bbr(&p)->inflight_long <= in_flight);
    CHECK(bbr(&p)->inflight_long >= in_flight * 95 / 100);
    uint64_t bound = bbr(&p)->inflight_long;
    lose(&p, 40, in_flight); /* once per probe */
    CHECK_EQ(bbr(&p)->inflight_long, bound);
    ack(&p, in_flight, MSS, 0);
    CHECK(p.cc.window <= bound);
}

OM_TEST(bbr_probes_the_round_trip_every_five_seconds)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    om_time from = p.now;
    p.rtt += OM_MS(3); /* the least one is not seen again */
    CHECK(reach(&p, OM_BBR_PROBE_RTT, 200));
    CHECK(p.now - from >= OM_SEC(4) && p.now - from <= OM_SEC(6));
    CHECK(p.cc.window <= bdp(&p) / 2 + 4 * MSS);
    uint64_t bw = bbr(&p)->bw;
    from = p.now;
    while (bbr(&p)->state == OM_BBR_PROBE_RTT)
        round_trip(&p);
    CHECK(p.now - from >= OM_MS(OM_BBR_PROBE_RTT_MS));
    CHECK(p.now - from <= OM_MS(OM_BBR_PROBE_RTT_MS) + 4 * p.rtt);
    CHECK_EQ(bbr(&p)->state, OM_BBR_CRUISE);
    CHECK(bbr(&p)->bw * 100 >= bw * 95); /* its low rates do not count */
    for (om_time until = p.now + OM_SEC(12); p.now < until;)
        round_trip(&p);
    CHECK_EQ(bbr(&p)->min_rtt, p.rtt); /* after ten seconds the longer one holds */
}

OM_TEST(bbr_needs_no_probe_while_the_least_round_trip_is_seen)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    for (om_time until = p.now + OM_SEC(20); p.now < until;) {
        round_trip(&p);
        CHECK(bbr(&p)->state != OM_BBR_PROBE_RTT);
    }
    CHECK_EQ(bbr(&p)->min_rtt, OM_MS(40));
}

OM_TEST(bbr_idle_keeps_the_model)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    CHECK(reach(&p, OM_BBR_UP, 80));
    uint64_t bw = bbr(&p)->bw, window = p.cc.window;
    p.now += OM_SEC(60);
    p.cc.ops->on_idle_restart(&p.cc, p.now);
    CHECK_EQ(p.cc.pacing_rate / 1000, bw * 99 / 100 / 1000); /* not the gain of UP */
    CHECK_EQ(p.cc.window, window);
    ack(&p, MSS, MSS, 0);
    CHECK(bbr(&p)->state != OM_BBR_PROBE_RTT); /* the silence was one */
    CHECK_EQ(bbr(&p)->bw, bw);
}

OM_TEST(bbr_app_limited_samples_only_raise_the_rate)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    uint64_t bw = bbr(&p)->bw;
    p.app_limited = true;
    for (unsigned i = 0; i < 300; i++) /* five cycles */
        ack(&p, 2 * MSS, 0, 0);
    CHECK(bbr(&p)->bw == bw);
    ack(&p, 2 * bdp(&p), 0, 0);
    CHECK(bbr(&p)->bw >= 2 * bw - 100);
}

OM_TEST(bbr_persistent_congestion_leaves_the_least_window)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    uint64_t bw = bbr(&p)->bw;
    p.cc.ops->on_persistent(&p.cc, p.now);
    CHECK_EQ(p.cc.window, OM_CC_MIN_PACKETS * MSS);
    ack(&p, 4 * MSS, 0, 0);
    CHECK_EQ(p.cc.window, 2 * OM_CC_MIN_PACKETS * MSS);
    CHECK(bbr(&p)->bw >= bw * 99 / 100);
}

/* A queue of @wait that stands, whatever the window: acknowledges a window per round trip. */
static void queue_rounds(struct path *p, om_time wait, unsigned rounds)
{
    om_time rtt = p->rtt;

    p->rtt += wait;
    for (unsigned i = 0; i < rounds; i++)
        ack(p, p->cc.window, p->cc.window - MSS, 0);
    p->rtt = rtt;
}

OM_TEST(bbr_keeps_a_small_part_of_a_shared_queue)
{
    struct path p;

    begin(&p, 12500000, OM_MS(40));
    fill(&p);
    CHECK(reach(&p, OM_BBR_CRUISE, 10));
    CHECK(!om_bbr_is_sharing(bbr(&p)));
    uint64_t window = p.cc.window;
    queue_rounds(&p, OM_MS(10), 3);
    CHECK(om_bbr_is_sharing(bbr(&p)));
    CHECK(p.cc.window < window * 80 / 100);
    p.rtt = OM_MS(40);
    for (unsigned i = 0; i < 6; i++)
        ack(&p, p.cc.window, p.cc.window / 2, 0); /* no queue: there is room */
    CHECK(!om_bbr_is_sharing(bbr(&p)));
    CHECK(om_bbr_own_queue(12500000) < 40 * MSS);
    CHECK(om_bbr_own_queue(4 * 12500000) < 2 * om_bbr_own_queue(12500000));
}
