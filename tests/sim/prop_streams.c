/* prop_streams.c - how much of a link streams fill, how they share it, what queue they leave. */
#include "harness.h"

#include "lane.h"

enum { MBIT = 1000000, START_S = 2, RUN_S = 10 };

static uint64_t bdp(uint64_t rate_bps, om_time rtt)
{
    return rate_bps / 8 * (uint64_t)rtt / 1000000;
}

static void row(const char *name, const struct sim_lane *l, double share)
{
    print_message("%-34s %6.1f %%  queue p95 %7.2f ms  dropped %5.2f %%\n", name, 100 * share,
                  (double)sim_lane_queue(l) / 1000, 100 * sim_lane_dropped(l));
}

/* One flow for @seconds after the start; the share it filled. */
static double single(const char *name, const struct sim_pipe_model *m, om_time rtt,
                     enum om_congestion cc, unsigned seconds, om_time *queue)
{
    const struct sim_lane_pair pair = {.rtt = rtt, .congestion = cc, .flows = 1};
    struct sim_lane l;

    sim_lane_init(&l, 1, m, &pair, 1);
    sim_lane_run(&l, OM_SEC(START_S));
    sim_lane_mark(&l);
    sim_lane_run(&l, OM_SEC(seconds));
    CHECK_STR(l.w->broken, "");
    CHECK_STR(l.flows[0]->why, "");
    double share = sim_lane_share(&l, 0, 0);
    row(name, &l, share);
    if (queue)
        *queue = sim_lane_queue(&l);
    sim_lane_fini(&l);
    return share;
}

OM_TEST(prop_one_stream_fills_a_clean_link)
{
    for (unsigned i = 0; i < 2; i++) {
        om_time rtt = i == 0 ? OM_MS(10) : OM_MS(100), queue;
        struct sim_pipe_model m = {.rate_bps = 100 * MBIT, .queue_bytes = bdp(100 * MBIT, rtt)};
        CHECK(single(i == 0 ? "100 Mb/s, 10 ms" : "100 Mb/s, 100 ms", &m, rtt, OM_CONGESTION_BBR,
                     RUN_S, &queue) >= 0.95);
        CHECK(queue <= rtt);
    }
}

OM_TEST(prop_random_loss_is_no_congestion)
{
    static const struct {
        const char *name;
        uint32_t ppm;
        om_time rtt;
    } cases[] = {
        {"200 Mb/s, 20 ms, 0.1 % lost", 1000, OM_MS(20)},
        {"200 Mb/s, 20 ms, 1 % lost", 10000, OM_MS(20)},
        {"200 Mb/s, 50 ms, 0.1 % lost", 1000, OM_MS(50)},
        {"200 Mb/s, 50 ms, 1 % lost", 10000, OM_MS(50)},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct sim_pipe_model m = {.rate_bps = 200 * MBIT,
                                   .queue_bytes = bdp(200 * MBIT, cases[i].rtt),
                                   .loss = {.ppm = cases[i].ppm}};
        CHECK(single(cases[i].name, &m, cases[i].rtt, OM_CONGESTION_BBR, RUN_S, NULL) >= 0.80);
    }
}

OM_TEST(prop_bursts_of_loss_leave_half)
{
    static const uint32_t lost[] = {10000, 30000};
    static const uint32_t burst[] = {5, 20};
    char name[64];

    for (unsigned i = 0; i < 4; i++) {
        struct sim_pipe_model m = {.rate_bps = 200 * MBIT,
                                   .queue_bytes = bdp(200 * MBIT, OM_MS(50)),
                                   .loss = {.ppm = lost[i % 2], .burst = burst[i / 2]}};
        snprintf(name, sizeof name, "200 Mb/s, 50 ms, %u %% in runs of %u", lost[i % 2] / 10000,
                 burst[i / 2]);
        CHECK(single(name, &m, OM_MS(50), OM_CONGESTION_BBR, RUN_S, NULL) >= 0.50);
    }
}

OM_TEST(prop_a_policer_passes_four_fifths)
{
    static const uint64_t burst[] = {64 * 1024, 256 * 1024};
    char name[64];

    for (unsigned i = 0; i < 2; i++) {
        struct sim_pipe_model m = {.rate_bps = 1000 * MBIT,
                                   .queue_bytes = bdp(1000 * MBIT, OM_MS(40)),
                                   .police_bps = 50 * MBIT,
                                   .police_bytes = burst[i]};
        snprintf(name, sizeof name, "policer, 50 Mb/s, %u KiB, 40 ms", (unsigned)burst[i] / 1024);
        CHECK(single(name, &m, OM_MS(40), OM_CONGESTION_BBR, RUN_S, NULL) >= 0.80);
    }
}

/* Flows of one session share it, whatever the number. */
OM_TEST(prop_streams_of_a_session_share)
{
    static const unsigned flows[] = {2, 4, 8};

    for (unsigned i = 0; i < 3; i++) {
        const struct sim_lane_pair pair = {.rtt = OM_MS(40), .flows = flows[i]};
        struct sim_pipe_model m = {.rate_bps = 100 * MBIT,
                                   .queue_bytes = bdp(100 * MBIT, OM_MS(40))};
        struct sim_lane l;

        sim_lane_init(&l, 2, &m, &pair, 1);
        sim_lane_run(&l, OM_SEC(START_S));
        sim_lane_mark(&l);
        sim_lane_run(&l, OM_SEC(5));
        CHECK_STR(l.w->broken, "");
        print_message("%u streams of a session: Jain %.3f, together %.1f %%\n", flows[i],
                      sim_lane_jain(&l, 0, flows[i] - 1),
                      100 * sim_lane_share(&l, 0, flows[i] - 1));
        CHECK(sim_lane_jain(&l, 0, flows[i] - 1) >= 0.95);
        CHECK(sim_lane_share(&l, 0, flows[i] - 1) >= 0.95);
        sim_lane_fini(&l);
    }
}

/* @n sessions with one flow each, the first @cubic of them CUBIC. */
static void share(const char *name, unsigned n, unsigned cubic, uint64_t rate, unsigned bdps_x4,
                  om_time stagger, unsigned settle_s, unsigned run_s)
{
    struct sim_lane_pair pairs[SIM_LANE_FLOWS];
    om_time rtt = OM_MS(40);
    struct sim_pipe_model m = {.rate_bps = rate, .queue_bytes = bdp(rate, rtt) * bdps_x4 / 4};
    struct sim_lane l;

    for (unsigned i = 0; i < n; i++)
        pairs[i] = (struct sim_lane_pair){.rtt = rtt,
                                          .congestion =
                                              i < cubic ? OM_CONGESTION_CUBIC : OM_CONGESTION_BBR,
                                          .flows = 1,
                                          .starts_at = stagger * i};
    sim_lane_init(&l, 3, &m, pairs, n);
    sim_lane_run(&l, OM_SEC(settle_s));
    sim_lane_mark(&l);
    sim_lane_run(&l, OM_SEC(run_s));
    CHECK_STR(l.w->broken, "");
    double all = sim_lane_share(&l, 0, n - 1);
    double of_cubic = cubic > 0 ? sim_lane_share(&l, 0, cubic - 1) / all : 0;
    double jain_cubic = cubic > 0 ? sim_lane_jain(&l, 0, cubic - 1) : 1;
    double jain_bbr = cubic < n ? sim_lane_jain(&l, cubic, n - 1) : 1;
    row(name, &l, all);
    print_message("%34s Jain CUBIC %.3f, BBR %.3f; CUBIC has %.1f %%\n", "", jain_cubic, jain_bbr,
                  100 * of_cubic);
    CHECK(jain_cubic >= 0.90); /* two keep 62 : 38 for minutes: plans/streams.md */
    CHECK(jain_bbr >= 0.95);
    if (cubic > 0 && cubic < n)
        CHECK(of_cubic >= 0.15 && of_cubic <= 0.85);
    CHECK(sim_lane_queue(&l) <= rtt || bdps_x4 > 4);
    sim_lane_fini(&l);
}

OM_TEST(prop_sessions_share_a_bottleneck)
{
    share("2 BBR, 1 BDP of queue", 2, 0, 50 * MBIT, 4, OM_SEC(1), 10, 20);
    share("BBR and CUBIC, 1 BDP", 2, 1, 50 * MBIT, 4, OM_SEC(1), 10, 20);
    share("BBR and CUBIC, 2 BDP", 2, 1, 50 * MBIT, 8, OM_SEC(1), 10, 20);
    share("2 CUBIC, 1 BDP", 2, 2, 50 * MBIT, 4, OM_SEC(1), 10, 20);
}

OM_TEST(prop_many_sessions_share_a_bottleneck)
{
    share("4 BBR, 1 BDP of queue", 4, 0, 50 * MBIT, 4, OM_SEC(1), 15, 20);
    share("8 BBR, 1 BDP of queue", 8, 0, 50 * MBIT, 4, OM_SEC(1), 20, 20);
    /* The two BBR need half a minute to agree beside CUBIC: 0.94 after 15 s. */
    share("2 BBR and 2 CUBIC, 1 BDP", 4, 2, 50 * MBIT, 4, OM_SEC(1), 30, 60);
}

OM_TEST(prop_a_stalled_reader_stops_only_its_stream)
{
    const struct sim_lane_pair pair = {.rtt = OM_MS(20), .flows = 4};
    struct sim_pipe_model m = {.rate_bps = 100 * MBIT, .queue_bytes = bdp(100 * MBIT, OM_MS(20))};
    struct sim_lane l;

    sim_lane_init(&l, 4, &m, &pair, 1);
    sim_lane_run(&l, OM_SEC(START_S));
    for (unsigned i = 0; i < 3; i++)
        sim_flow_stall(l.flows[i], true);
    sim_lane_run(&l, OM_SEC(3));
    sim_lane_mark(&l);
    sim_lane_run(&l, OM_SEC(3));
    CHECK_EQ(sim_lane_rate(&l, 0, 2) > 0, 0);
    print_message("3 of 4 readers stand: the fourth has %.1f %%\n", 100 * sim_lane_share(&l, 3, 3));
    CHECK(sim_lane_share(&l, 3, 3) >= 0.90);
    for (unsigned i = 0; i < 3; i++)
        sim_flow_stall(l.flows[i], false);
    sim_lane_run(&l, OM_SEC(3));
    sim_lane_mark(&l);
    sim_lane_run(&l, OM_SEC(3));
    CHECK_STR(l.w->broken, "");
    CHECK(sim_lane_jain(&l, 0, 3) >= 0.90); /* the others go on where they stood */
    sim_lane_fini(&l);
}
