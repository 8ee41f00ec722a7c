/* test_probe.c - round trips and loss, and echoes that lie. */
#include "harness.h"

#include <omerta/prng.h>
#include <omerta/wire.h>

#include "service/probe.h"

struct fix {
    struct om_probe p;
    struct om_probe_echo e;
    struct om_prng prng;
    struct om_rng rng;
    om_time now;
};

static void fix_init(struct fix *x, unsigned count)
{
    memset(x, 0, sizeof *x);
    om_prng_seed(&x->prng, 11);
    x->rng = om_prng_rng(&x->prng);
    x->now = OM_SEC(5);
    om_probe_echo_init(&x->e, x->now);
    CHECK_OK(om_probe_start(&x->p, x->now, &x->rng, count, 0));
}

/* The whole run; bit i of @there and @back says that probe or echo i gets lost. */
static void run(struct fix *x, om_time rtt, uint64_t there, uint64_t back)
{
    uint8_t probe[OM_PROBE_SIZE], echo[OM_PROBE_SIZE];

    for (unsigned i = 0; (x->now = om_probe_deadline(&x->p)) != OM_NEVER; i++) {
        om_probe_tick(&x->p, x->now);
        if (!om_probe_next(&x->p, x->now, probe) || there >> i & 1)
            continue;
        CHECK(om_probe_is_probe(om_bytes(probe, sizeof probe)));
        CHECK(om_probe_echo(&x->e, x->now, om_bytes(probe, sizeof probe), echo));
        CHECK(!om_probe_is_probe(om_bytes(echo, sizeof echo)));
        if (!(back >> i & 1))
            om_probe_input(&x->p, x->now + rtt + (om_time)i, om_bytes(echo, sizeof echo));
    }
}

OM_TEST(probe_measures_a_clean_way)
{
    struct om_health_result r;
    struct fix x;

    fix_init(&x, 0);
    run(&x, OM_MS(40), 0, 0);
    om_probe_result(&x.p, &r);
    CHECK(r.sent == OM_PROBE_COUNT && r.echoed == OM_PROBE_COUNT);
    CHECK(r.lost_there == 0 && r.lost_back == 0 && r.lies == 0 && r.copies == 0);
    CHECK_EQ(r.rtt_min, OM_MS(40));
    CHECK_EQ(r.rtt_max, OM_MS(40) + 19);
    CHECK_EQ(r.rtt_p95, OM_MS(40) + 18); /* 19 of 20 are no longer */
    CHECK_EQ(r.rtt_avg, OM_MS(40) + 9);  /* 9.5 */
}

OM_TEST(probe_tells_which_way_loses)
{
    struct om_health_result r;
    struct fix x;

    fix_init(&x, 10);
    run(&x, OM_MS(1), 0x3, 0x10); /* 0 and 1 there, 4 back */
    om_probe_result(&x.p, &r);
    CHECK(r.sent == 10 && r.echoed == 7 && r.lost_there == 2 && r.lost_back == 1);
    CHECK_OK(om_probe_start(&x.p, x.now = OM_SEC(60), &x.rng, 10, 0)); /* a new run, same echoer */
    run(&x, OM_MS(1), 0, 0x1);
    om_probe_result(&x.p, &r);
    CHECK(r.echoed == 9 && r.lost_there == 0 && r.lost_back == 1 && r.lies == 0);
}

OM_TEST(probe_of_silence_is_all_lost)
{
    struct om_health_result r;
    struct fix x;

    fix_init(&x, 5);
    run(&x, 0, UINT64_MAX, 0);
    om_probe_result(&x.p, &r);
    CHECK(x.p.is_done && r.sent == 5 && r.echoed == 0 && r.lost_there == 5 && r.lost_back == 0);
    CHECK(r.rtt_min == OM_NEVER && r.rtt_avg == OM_NEVER && r.rtt_p95 == OM_NEVER);
}

/* An echo made by @seq and @token and @count. */
static void forge(struct fix *x, uint64_t token, uint32_t seq, uint32_t count)
{
    uint8_t echo[OM_PROBE_SIZE];
    struct om_wr w = om_wr(om_mut(echo, sizeof echo));

    om_wr_u8(&w, 2);
    om_wr_u64(&w, token);
    om_wr_u32(&w, seq);
    om_wr_u32(&w, count);
    om_probe_input(&x->p, x->now, om_bytes(echo, sizeof echo));
}

OM_TEST(probe_liars_cannot_shorten_the_way)
{
    uint8_t probe[OM_PROBE_SIZE];
    struct om_health_result r;
    struct fix x;

    fix_init(&x, 3);
    forge(&x, 0, 0, 1); /* before it was sent, with the token of nothing */
    CHECK(om_probe_next(&x.p, x.now, probe));
    forge(&x, x.p.shots[0].token ^ 1, 0, 1); /* a guess */
    forge(&x, x.p.shots[0].token, 1, 1);     /* for one that is still to come */
    forge(&x, x.p.shots[0].token, UINT32_MAX, 1);
    CHECK_EQ(x.p.lies, 4);
    CHECK_EQ(x.p.echoed, 0);
    x.now += OM_MS(30);
    forge(&x, x.p.shots[0].token, 0, 1); /* the true one */
    CHECK_EQ(x.p.echoed, 1);
    x.now += OM_MS(30);
    forge(&x, x.p.shots[0].token, 0, 1);
    CHECK(x.p.echoed == 1 && x.p.copies == 1);
    om_probe_result(&x.p, &r);
    CHECK(r.rtt_min == OM_MS(30) && r.rtt_max == OM_MS(30));
}

OM_TEST(probe_liars_cannot_hide_loss)
{
    uint8_t probe[OM_PROBE_SIZE];
    struct om_health_result r;
    struct fix x;

    fix_init(&x, 4);
    for (unsigned i = 0; i < 4; i++, x.now += OM_MS(100))
        CHECK(om_probe_next(&x.p, x.now, probe));
    forge(&x, x.p.shots[3].token, 3, 1000); /* more than there were */
    forge(&x, x.p.shots[3].token, 3, 4);    /* again */
    om_probe_result(&x.p, &r);
    CHECK(r.lies == 1 && r.copies == 1 && r.echoed == 1);
    CHECK(r.lost_there == 3 && r.lost_back == 0); /* what is left when its count is not believed */
    forge(&x, x.p.shots[2].token, 2, 4);          /* can be; then the loss was on the way back */
    om_probe_result(&x.p, &r);
    CHECK(r.echoed == 2 && r.lost_there == 0 && r.lost_back == 2);
    CHECK_EQ(r.lost_there + r.lost_back, r.sent - r.echoed);
    om_probe_tick(&x.p, om_probe_deadline(&x.p));
    forge(&x, x.p.shots[1].token, 1, 4); /* too late */
    om_probe_result(&x.p, &r);
    CHECK_EQ(r.echoed, 2);
}

OM_TEST(probe_echoes_within_a_rate)
{
    uint8_t probe[OM_PROBE_SIZE], echo[OM_PROBE_SIZE];
    unsigned echoes = 0;
    struct fix x;

    fix_init(&x, 1);
    CHECK(om_probe_next(&x.p, x.now, probe));
    for (unsigned i = 0; i < 1000; i++)
        echoes += om_probe_echo(&x.e, x.now, om_bytes(probe, sizeof probe), echo);
    CHECK_EQ(echoes, OM_PROBE_ECHOES_PER_S);
    for (unsigned i = 0; i < 1000; i++)
        echoes += om_probe_echo(&x.e, x.now + OM_SEC(1), om_bytes(probe, sizeof probe), echo);
    CHECK_EQ(echoes, 2 * OM_PROBE_ECHOES_PER_S);
}

OM_TEST(probe_refuses_other_lengths)
{
    uint8_t probe[OM_PROBE_SIZE + 1] = {0}, echo[OM_PROBE_SIZE];
    struct fix x;

    fix_init(&x, 1);
    CHECK(om_probe_next(&x.p, x.now, probe));
    for (size_t n = 0; n <= sizeof probe; n++) {
        CHECK_EQ(om_probe_is_probe(om_bytes(probe, n)), n == OM_PROBE_SIZE);
        CHECK_EQ(om_probe_echo(&x.e, x.now, om_bytes(probe, n), echo), n == OM_PROBE_SIZE);
    }
    CHECK(!om_probe_echo(&x.e, x.now, om_bytes(echo, sizeof echo), probe)); /* no echo of echoes */
    om_probe_input(&x.p, x.now, om_bytes(probe, OM_PROBE_SIZE));            /* nor is a probe one */
    om_probe_input(&x.p, x.now, om_bytes(echo, OM_PROBE_SIZE - 1));
    CHECK_EQ(x.p.lies, 2);
    om_probe_input(&x.p, x.now, om_bytes(echo, OM_PROBE_SIZE));
    CHECK(x.p.is_done && x.p.lies == 2);
}

OM_TEST(probe_stays_within_its_bounds)
{
    uint8_t probe[OM_PROBE_SIZE];
    unsigned sent = 0;
    struct fix x;

    fix_init(&x, 1);
    CHECK_ERR(om_probe_start(&x.p, x.now, &x.rng, OM_PROBE_MAX + 1, 0), OM_E_RANGE);
    CHECK_ERR(om_probe_start(&x.p, x.now, &x.rng, 1, OM_MS(OM_PROBE_PACE_MS) - 1), OM_E_RANGE);
    CHECK_OK(om_probe_start(&x.p, x.now, &x.rng, OM_PROBE_MAX, OM_MS(OM_PROBE_PACE_MS)));
    for (om_time t = 0; t < OM_SEC(1); t += OM_MS(1))
        sent += om_probe_next(&x.p, x.now + t, probe);
    CHECK_EQ(sent, 10);
    while (om_probe_next(&x.p, x.now += OM_SEC(9), probe)) /* a driver that comes late */
        sent++;
    CHECK_EQ(sent, OM_PROBE_MAX);
}
