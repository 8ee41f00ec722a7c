/* test_mtu.c - the search over paths of known size. */
#include "harness.h"

#include "path/mtu.h"

enum { RTT_MS = 50, PTO_MS = 150 };

/* A path that carries payloads up to @carries; counts what was sent over it. */
struct road {
    unsigned carries, probes;
    om_time now;
};

/* Runs until the machine is at rest; each probe is acknowledged or reported lost. */
static void run(struct om_mtu *m, struct road *r)
{
    unsigned size;

    while (om_mtu_deadline(m) != OM_NEVER) {
        om_time at = om_mtu_deadline(m);
        r->now = at > r->now ? at : r->now;
        om_mtu_tick(m, r->now);
        while (om_mtu_next(m, r->now, OM_MS(PTO_MS), &size)) {
            om_time sent = r->now;
            CHECK(++r->probes < 1000);
            CHECK(size <= m->limit);
            r->now += OM_MS(RTT_MS);
            if (size <= r->carries)
                om_mtu_acked(m, r->now, size, sent);
            else
                om_mtu_lost(m, r->now, size, sent);
        }
    }
}

static void begin(struct om_mtu *m, struct road *r, bool is_v6, unsigned link, unsigned carries)
{
    *r = (struct road){.carries = carries, .now = OM_SEC(1)};
    om_mtu_init(m, is_v6, link);
    om_mtu_start(m, r->now);
}

/* @n packets of the size in use; then what became of them. */
static void send_data(struct om_mtu *m, struct road *r, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned size = om_mtu_size(m);
        om_time sent = r->now;
        r->now += OM_MS(RTT_MS);
        if (size <= r->carries)
            om_mtu_acked(m, r->now, size, sent);
        else
            om_mtu_lost(m, r->now, size, sent);
    }
}

OM_TEST(mtu_finds_the_usual_path)
{
    struct om_mtu m;
    struct road r;

    om_mtu_init(&m, false, 1500);
    CHECK_EQ(om_mtu_size(&m), 1200);
    CHECK_EQ(om_mtu_deadline(&m), OM_NEVER);
    begin(&m, &r, false, 1500, 1472);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), 1472);
    CHECK_EQ(r.probes, 2);
    CHECK_EQ(m.state, OM_MTU_DONE);
    begin(&m, &r, true, 1500, 1452);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), 1452);
    CHECK_EQ(r.probes, 2);
    begin(&m, &r, false, 1500, 1392); /* a tunnel on the way: 1420 */
    run(&m, &r);
    CHECK(om_mtu_size(&m) <= 1392 && om_mtu_size(&m) > 1392 - OM_MTU_GRAIN);
    CHECK(r.probes <= 20);
}

OM_TEST(mtu_finds_jumbo)
{
    struct om_mtu m;
    struct road r;

    begin(&m, &r, false, 9000, 8972);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), 8972);
    CHECK_EQ(r.probes, 3);
    begin(&m, &r, true, 0, 20000);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), 8952);
    begin(&m, &r, true, 65536, 4000); /* loopback */
    run(&m, &r);
    CHECK(om_mtu_size(&m) <= 4000 && om_mtu_size(&m) > 4000 - OM_MTU_GRAIN);
}

OM_TEST(mtu_works_below_base)
{
    static const unsigned links[] = {1280, 1228, 1124, 900, 600, 576};
    struct om_mtu m;
    struct road r;

    for (unsigned i = 0; i < sizeof links / sizeof links[0]; i++) {
        unsigned carries = links[i] - 28;
        begin(&m, &r, false, 1500, carries);
        run(&m, &r);
        CHECK(om_mtu_size(&m) <= carries && om_mtu_size(&m) + OM_MTU_GRAIN > carries);
        CHECK(r.probes < 45);
        send_data(&m, &r, 20);
        CHECK_EQ(m.state, OM_MTU_DONE);
    }
    begin(&m, &r, false, 500, 400); /* below the floor there is nothing */
    run(&m, &r);
    send_data(&m, &r, 20);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), OM_MTU_FLOOR);
}

OM_TEST(mtu_black_hole_falls_back)
{
    struct om_mtu m;
    struct road r;

    begin(&m, &r, false, 1500, 1472);
    run(&m, &r);
    r.carries = 1252;
    send_data(&m, &r, 2);
    CHECK_EQ(om_mtu_size(&m), 1472);
    send_data(&m, &r, 1);
    CHECK_EQ(om_mtu_size(&m), 1200);
    run(&m, &r);
    CHECK(om_mtu_size(&m) <= 1252 && om_mtu_size(&m) > 1252 - OM_MTU_GRAIN);
    r.carries = 900;
    send_data(&m, &r, 3);
    CHECK_EQ(om_mtu_size(&m), 1200);
    send_data(&m, &r, 3); /* nothing of 1200 passes either */
    CHECK_EQ(om_mtu_size(&m), 548);
    run(&m, &r);
    CHECK(om_mtu_size(&m) <= 900 && om_mtu_size(&m) > 900 - OM_MTU_GRAIN);
}

/* Three lost of one flight, while later ones of the same size arrive. */
OM_TEST(mtu_random_loss_is_no_black_hole)
{
    struct om_mtu m;
    struct road r;

    begin(&m, &r, false, 1500, 1472);
    run(&m, &r);
    om_mtu_acked(&m, r.now, 1472, r.now - OM_MS(10));
    for (int i = 0; i < 9; i++)
        om_mtu_lost(&m, r.now, 1472, r.now - OM_MS(20 + i));
    CHECK_EQ(om_mtu_size(&m), 1472);
    for (int i = 0; i < 9; i++) { /* small ones say nothing */
        om_mtu_lost(&m, r.now, 600, r.now);
        om_mtu_acked(&m, r.now, 400, r.now);
    }
    CHECK_EQ(om_mtu_size(&m), 1472);
    for (int i = 0; i < 3; i++) {
        om_mtu_acked(&m, r.now, 400, r.now);
        om_mtu_lost(&m, r.now, 1472, r.now);
    }
    CHECK_EQ(om_mtu_size(&m), 1200);
    run(&m, &r); /* it was bad luck: all of it is found again */
    CHECK_EQ(om_mtu_size(&m), 1472);

    begin(&m, &r, false, 9000, 4000);
    run(&m, &r);
    unsigned was = om_mtu_size(&m);
    for (int i = 0; i < 3; i++)
        om_mtu_lost(&m, r.now, was, r.now);
    CHECK_EQ(om_mtu_size(&m), 1200);
    r.probes = 0;
    unsigned size;
    CHECK(om_mtu_next(&m, r.now, OM_MS(PTO_MS), &size));
    om_mtu_acked(&m, r.now, size, r.now);
    CHECK(om_mtu_next(&m, r.now, OM_MS(PTO_MS), &size));
    CHECK_EQ(size, was); /* what was in use is tried first */
}

/* What arrives late, or against what was thought, counts. */
OM_TEST(mtu_believes_what_arrives)
{
    struct om_mtu m;
    struct road r;

    begin(&m, &r, false, 1500, 1252);
    run(&m, &r);
    CHECK(m.high <= 1260);
    om_mtu_acked(&m, r.now, 1400, r.now - OM_MS(RTT_MS));
    CHECK_EQ(om_mtu_size(&m), 1400);
    CHECK_EQ(m.high, 1473);
    om_mtu_acked(&m, r.now, 9000, r.now); /* more than the interface carries: nonsense */
    CHECK_EQ(om_mtu_size(&m), 1400);
}

OM_TEST(mtu_emsgsize_needs_no_retry)
{
    struct om_mtu m;
    unsigned size;

    om_mtu_init(&m, false, 9000);
    om_mtu_start(&m, 0);
    CHECK(om_mtu_next(&m, 0, OM_MS(PTO_MS), &size));
    om_mtu_acked(&m, 1, size, 0);
    CHECK(om_mtu_next(&m, 1, OM_MS(PTO_MS), &size));
    CHECK_EQ(size, 1472);
    om_mtu_refused(&m, 1, size);
    CHECK_EQ(m.tries, 0);
    CHECK_EQ(m.high, 1472);
    CHECK(om_mtu_next(&m, 1, OM_MS(PTO_MS), &size));
    CHECK_EQ(size, 1336);
    om_mtu_acked(&m, 2, size, 1);
    om_mtu_refused(&m, 3, 1336); /* an uplink that changed */
    CHECK_EQ(om_mtu_size(&m), 1200);
    om_mtu_refused(&m, 5, OM_MTU_FLOOR);
    CHECK_EQ(om_mtu_size(&m), 1200);
}

/* What a network card does not carry is learnt in one moment, without a datagram on the wire. */
OM_TEST(mtu_interface_is_found_by_refusals)
{
    struct om_mtu m;
    unsigned size, refused = 0;

    om_mtu_init(&m, false, OM_MTU_LINK_MAX);
    om_mtu_start(&m, 0);
    while (m.state != OM_MTU_DONE && om_mtu_next(&m, 7, OM_MS(PTO_MS), &size)) {
        if (size > 1472) {
            om_mtu_refused(&m, 7, size);
            refused++;
        } else {
            om_mtu_acked(&m, 7, size, 7);
        }
    }
    CHECK_EQ(m.state, OM_MTU_DONE);
    CHECK_EQ(om_mtu_size(&m), 1472);
    CHECK_EQ(refused, 11);
}

OM_TEST(mtu_raises_when_used)
{
    struct om_mtu m;
    struct road r;
    unsigned size;

    begin(&m, &r, false, 1500, 1252);
    run(&m, &r);
    r.carries = 1472;
    r.now += OM_SEC(599) - OM_SEC(10);
    CHECK(!om_mtu_next(&m, r.now, OM_MS(PTO_MS), &size));
    CHECK_EQ(om_mtu_deadline(&m), OM_NEVER); /* no timer wakes an idle path */
    r.now += OM_SEC(20);
    CHECK(om_mtu_next(&m, r.now, OM_MS(PTO_MS), &size));
    om_mtu_acked(&m, r.now, size, r.now);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), 1472);
    r.now += OM_SEC(100000);
    CHECK(!om_mtu_next(&m, r.now, OM_MS(PTO_MS), &size)); /* there is no more */

    begin(&m, &r, false, 9000, 1252);
    run(&m, &r);
    r.now += OM_SEC(601);
    r.probes = 0;
    CHECK(om_mtu_next(&m, r.now, OM_MS(PTO_MS), &size));
    om_mtu_lost(&m, r.now, size, r.now);
    run(&m, &r);
    CHECK_EQ(r.probes, 2); /* three in all, not a search */
    CHECK_EQ(m.state, OM_MTU_DONE);
}

OM_TEST(mtu_probe_lost_once_is_sent_again)
{
    struct om_mtu m;
    unsigned size;

    om_mtu_init(&m, false, 1500);
    om_mtu_start(&m, 0);
    CHECK(om_mtu_next(&m, 0, OM_MS(PTO_MS), &size));
    CHECK(!om_mtu_next(&m, 0, OM_MS(PTO_MS), &size));
    CHECK_EQ(om_mtu_deadline(&m), OM_SEC(1));
    om_mtu_tick(&m, OM_MS(999));
    CHECK(!om_mtu_next(&m, OM_MS(999), OM_MS(PTO_MS), &size));
    om_mtu_tick(&m, OM_SEC(1));
    CHECK(om_mtu_next(&m, OM_SEC(1), OM_SEC(3), &size));
    CHECK_EQ(size, 1200);
    CHECK_EQ(om_mtu_deadline(&m), OM_SEC(4));
    om_mtu_acked(&m, OM_SEC(2), 1200, OM_SEC(1));
    CHECK_EQ(m.state, OM_MTU_SEARCH);
    CHECK_EQ(m.tries, 0);
}

OM_TEST(mtu_ends_probing)
{
    struct om_mtu m;
    struct road r;

    begin(&m, &r, false, 9000, 0); /* nothing at all comes back */
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), OM_MTU_FLOOR);
    CHECK(r.probes < 60);
    r.carries = 1472;
    om_mtu_start(&m, r.now);
    run(&m, &r);
    CHECK(om_mtu_size(&m) == 1472);
}

OM_TEST(mtu_inside_a_lane_is_smaller)
{
    enum { LANE = 16 };
    struct om_mtu m;
    struct road r = {.carries = 900 - OM_MTU_HEAD_V4 - LANE, .now = OM_SEC(1)};

    om_mtu_init(&m, false, 0);
    om_mtu_carry(&m, LANE);
    CHECK_EQ(om_mtu_base(&m), OM_MTU_BASE - LANE);
    CHECK_EQ(om_mtu_floor(&m), OM_MTU_FLOOR - LANE);
    CHECK_EQ(m.limit, OM_MTU_LINK_MAX - OM_MTU_HEAD_V4 - LANE);
    om_mtu_start(&m, r.now);
    CHECK_EQ(om_mtu_size(&m), OM_MTU_BASE - LANE);
    run(&m, &r);
    CHECK(om_mtu_size(&m) <= r.carries && om_mtu_size(&m) > r.carries - OM_MTU_GRAIN);
    r.carries = 576 - OM_MTU_HEAD_V4 - LANE; /* a hop of 576 carries the floor, and no more */
    send_data(&m, &r, 40);
    run(&m, &r);
    CHECK_EQ(om_mtu_size(&m), OM_MTU_FLOOR - LANE);
    om_mtu_init(&m, false, 0); /* without a lane */
    CHECK_EQ(om_mtu_floor(&m), OM_MTU_FLOOR);
}

/* The interface shrank while a burst was on its way to it: each of the burst is refused. */
OM_TEST(mtu_refusals_of_old_sizes_are_no_news)
{
    struct om_mtu m;
    struct road r;

    begin(&m, &r, false, 0, 1472);
    run(&m, &r);
    CHECK(om_mtu_size(&m) > 1464);
    unsigned was = om_mtu_size(&m);
    for (int i = 0; i < 5; i++)
        om_mtu_refused(&m, r.now, was);
    CHECK_EQ(om_mtu_size(&m), OM_MTU_BASE);
    r.carries = 1252;
    run(&m, &r);
    CHECK(om_mtu_size(&m) <= 1252 && om_mtu_size(&m) > 1252 - OM_MTU_GRAIN);
    om_mtu_refused(&m, r.now, om_mtu_size(&m)); /* control: this one is */
    CHECK_EQ(om_mtu_size(&m), OM_MTU_BASE);
}
