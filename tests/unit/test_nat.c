/* test_nat.c - the ring of samples, who fills it, and what else is learnt. */
#include "harness.h"

#include "path/nat.h"

enum { OUTSIDE = 0x51020304, HOME = 0x0a000002 };

static struct om_nat_sample word(unsigned who, unsigned port, om_time at)
{
    return (struct om_nat_sample){
        .peer = {{(uint8_t)(who + 1)}},
        .local = om_addr_v4(HOME, 40000),
        .to = om_addr_v4(0x05000001 + 256 * who, 7000),
        .seen = om_addr_v4(OUTSIDE, (uint16_t)port),
        .at = at,
    };
}

static void say(struct om_nat *n, unsigned who, unsigned port, om_time at)
{
    struct om_nat_sample s = word(who, port, at);

    CHECK_EQ(om_nat_sample(n, at, n->generation, &s), OM_NAT_TAKEN);
}

OM_TEST(nat_fits_on_demand)
{
    struct om_nat n;

    om_nat_init(&n, false);
    CHECK_EQ(om_nat_judge(&n, 0)->class, OM_NAT_UNKNOWN);
    CHECK_EQ(om_nat_wants(&n, 0), 8);
    for (unsigned who = 0; who < 3; who++)
        say(&n, who, 20330, OM_SEC(who));
    CHECK_EQ(om_nat_judge(&n, OM_SEC(3))->class, OM_NAT_EIM);
    CHECK_EQ(om_nat_wants(&n, OM_SEC(3)), 0);
    CHECK_EQ(om_nat_wants(&n, OM_SEC(26)), 1); /* the first is no longer fresh */
    for (unsigned who = 0; who < 3; who++)
        say(&n, who, 30000 + who, OM_SEC(30 + who));
    CHECK_EQ(om_nat_judge(&n, OM_SEC(33))->class, OM_NAT_UNKNOWN);
    CHECK_EQ(om_nat_wants(&n, OM_SEC(33)), 5);
    CHECK_EQ(n.count, 3);
}

/* A mapping is as old as its first datagram, however often it is told. */
OM_TEST(nat_renewed_sample_keeps_its_place)
{
    struct om_nat n;

    om_nat_init(&n, false);
    for (unsigned who = 0; who < 7; who++)
        say(&n, who, 30000 + who, OM_SEC(who));
    say(&n, 3, 30003, OM_SEC(20));
    say(&n, 0, 30000, OM_SEC(21));
    CHECK_EQ(n.count, 7);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(22))->class, OM_NAT_STRIDE);
    CHECK_EQ(n.fit.last, 30006);
    CHECK_EQ(n.fit.outliers, 0);

    struct om_nat_sample late = word(9, 30007, OM_SEC(7)); /* said out of order */
    say(&n, 8, 30008, OM_SEC(23));
    CHECK_EQ(om_nat_sample(&n, OM_SEC(24), 0, &late), OM_NAT_TAKEN);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(24))->class, OM_NAT_STRIDE);
    CHECK_EQ(n.fit.last, 30008);
    CHECK_EQ(n.fit.outliers, 0);
}

OM_TEST(nat_closed_sockets_give_way_first)
{
    static const struct om_addr outside = {.ip = {[10] = 0xff, [11] = 0xff, 0x51, 2, 3, 4},
                                           .port = 4000};
    struct om_nat_sample x = {.peer = {{1}}, .seen = outside};
    struct om_nat n;

    om_nat_init(&n, false);
    x.to = om_addr_v4(0x05000001, 7000);
    x.local = om_addr_v4(0x0a000002, 18000);
    for (int i = 0; i < 2 * OM_NAT_PER_PEER_MAX; i++) {
        CHECK_EQ(om_nat_sample(&n, OM_SEC(i + 1), n.generation, &x), OM_NAT_TAKEN);
        x.local = om_addr_v4(0, (uint16_t)i);
    }
    CHECK_EQ(n.count, OM_NAT_PER_PEER_MAX);
    CHECK_EQ(n.samples[0].local.port, 18000); /* the oldest of all, and the only lasting one */
    for (unsigned i = 1; i < n.count; i++)
        CHECK(om_nat_is_nameless(&n.samples[i].local));
}

OM_TEST(nat_full_ring_drops_the_loudest)
{
    struct om_nat n;

    om_nat_init(&n, false);
    for (unsigned i = 0; i < 10; i++) { /* one peer at ten addresses */
        struct om_nat_sample s = word(200, 5000 + i, OM_SEC(i));
        s.to.ip[15] = (uint8_t)i;
        CHECK_EQ(om_nat_sample(&n, OM_SEC(i), 0, &s), OM_NAT_TAKEN);
    }
    CHECK_EQ(n.count, OM_NAT_PER_PEER_MAX);
    for (unsigned who = 0; who < 60; who++) {
        say(&n, who, 20330, OM_SEC(10 + who));
        CHECK(n.count <= OM_NAT_SAMPLES_MAX);
    }
    CHECK_EQ(n.count, OM_NAT_SAMPLES_MAX);
    for (unsigned i = 0; i < n.count; i++)
        CHECK(i == 0 || n.samples[i].at >= n.samples[i - 1].at);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(70))->class, OM_NAT_EIM);
    CHECK(n.fit.outliers <= 1); /* of the loud one, one is left at most */
}

OM_TEST(nat_network_change_forgets)
{
    struct om_nat n;
    struct om_nat_sample s = word(7, 20330, OM_SEC(1));

    om_nat_init(&n, false);
    say(&n, 0, 20330, OM_SEC(1));
    say(&n, 1, 20330, OM_SEC(1));
    om_nat_life_alive(&n.life, OM_SEC(60));
    om_nat_tried_hairpin(&n, true);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(1))->class, OM_NAT_EIM);
    om_nat_reset(&n);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(1))->class, OM_NAT_UNKNOWN);
    CHECK_EQ(n.life.alive, 0);
    CHECK_EQ(n.hairpin, OM_HAIRPIN_UNKNOWN);
    CHECK_EQ(om_nat_sample(&n, OM_SEC(2), 0, &s), OM_NAT_STALE); /* asked before the change */
    CHECK_EQ(om_nat_sample(&n, OM_SEC(2), 1, &s), OM_NAT_TAKEN);
    CHECK_EQ(n.took[OM_NAT_STALE], 1);
    CHECK_EQ(n.took[OM_NAT_TAKEN], 3);
}

OM_TEST(nat_refuses_nonsense)
{
    static const uint32_t nowhere[] = {0, 0x7f000001, 0xe0000001, 0xa9fea9fe, 0xffffffff};
    struct om_nat n, six;
    struct om_nat_sample s = word(0, 20330, OM_SEC(1));

    om_nat_init(&n, false);
    om_nat_init(&six, true);
    CHECK_EQ(om_nat_sample(&six, OM_SEC(1), 0, &s), OM_NAT_FOREIGN);
    for (unsigned i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        s.seen = om_addr_v4(nowhere[i], 20330);
        CHECK_EQ(om_nat_sample(&n, OM_SEC(1), 0, &s), OM_NAT_NONSENSE);
    }
    s.seen = om_addr_v4(OUTSIDE, 0);
    CHECK_EQ(om_nat_sample(&n, OM_SEC(1), 0, &s), OM_NAT_NONSENSE);
    memset(s.seen.ip, 0x20, 16);
    CHECK_EQ(om_nat_sample(&n, OM_SEC(1), 0, &s), OM_NAT_NONSENSE);
    s.seen = om_addr_v4(OUTSIDE, 20330);
    s.at = OM_SEC(2);
    CHECK_EQ(om_nat_sample(&n, OM_SEC(1), 0, &s), OM_NAT_STALE); /* of tomorrow */
    CHECK_EQ(n.count, 0);
    CHECK_EQ(om_nat_sample(&n, OM_SEC(2), 0, &s), OM_NAT_TAKEN);
    CHECK_EQ(n.took[OM_NAT_NONSENSE], 7);
}

OM_TEST(nat_old_samples_end)
{
    struct om_nat n;

    om_nat_init(&n, false);
    say(&n, 0, 20330, OM_SEC(1));
    say(&n, 1, 20330, OM_SEC(301));
    CHECK_EQ(om_nat_judge(&n, OM_SEC(601))->class, OM_NAT_EIM);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(602))->class, OM_NAT_UNKNOWN);
    CHECK_EQ(n.count, 1);

    struct om_nat_sample s = word(0, 20330, OM_SEC(1)); /* a flow of two hours, told of again */
    CHECK_EQ(om_nat_sample(&n, OM_SEC(7200), 0, &s), OM_NAT_TAKEN);
    s = word(1, 20330, OM_SEC(301));
    CHECK_EQ(om_nat_sample(&n, OM_SEC(7201), 0, &s), OM_NAT_TAKEN);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(7202))->class, OM_NAT_EIM);
}

OM_TEST(nat_silence_is_death)
{
    struct om_nat n;

    om_nat_init(&n, false);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(om_nat_judge(&n, OM_SEC(5 + i))->class, OM_NAT_UNKNOWN);
        om_nat_asked(&n, OM_SEC(5 + i));
    }
    CHECK_EQ(om_nat_judge(&n, OM_SEC(10))->class, OM_NAT_DEAD);
    om_nat_heard(&n);
    CHECK_EQ(om_nat_judge(&n, OM_SEC(10))->class, OM_NAT_UNKNOWN);
    for (unsigned i = 0; i < 60; i++)
        om_nat_asked(&n, OM_SEC(20));
    CHECK_EQ(om_nat_judge(&n, OM_SEC(24))->class, OM_NAT_UNKNOWN); /* answers may be on their way */
    CHECK_EQ(om_nat_judge(&n, OM_SEC(25))->class, OM_NAT_DEAD);
    say(&n, 0, 20330, OM_SEC(26));
    say(&n, 1, 20330, OM_SEC(26));
    CHECK_EQ(om_nat_judge(&n, OM_SEC(26))->class, OM_NAT_EIM);
}

OM_TEST(nat_filter_needs_two_to_miss)
{
    const struct om_id a = {{1}}, b = {{2}};
    struct om_nat n;

    om_nat_init(&n, false);
    for (unsigned i = 0; i < 9; i++)
        om_nat_tried_filter(&n, &a, OM_FROM_OTHER_PORT, false);
    CHECK_EQ(om_nat_filter(&n), OM_FILTER_UNKNOWN);
    om_nat_tried_filter(&n, &b, OM_FROM_OTHER_PORT, false);
    CHECK_EQ(om_nat_filter(&n), OM_FILTER_PORT);
    om_nat_tried_filter(&n, &b, OM_FROM_OTHER_PORT, true); /* facts outweigh */
    CHECK_EQ(om_nat_filter(&n), OM_FILTER_ADDRESS);
    om_nat_tried_filter(&n, &a, OM_FROM_OTHER_IP, false);
    om_nat_tried_filter(&n, &b, OM_FROM_OTHER_IP, false);
    CHECK_EQ(om_nat_filter(&n), OM_FILTER_ADDRESS);
    om_nat_tried_filter(&n, &b, OM_FROM_OTHER_IP, true);
    CHECK_EQ(om_nat_filter(&n), OM_FILTER_NONE);

    om_nat_tried_hairpin(&n, false);
    om_nat_tried_hairpin(&n, false);
    CHECK_EQ(n.hairpin, OM_HAIRPIN_UNKNOWN);
    om_nat_tried_hairpin(&n, false);
    CHECK_EQ(n.hairpin, OM_HAIRPIN_NO);
    om_nat_tried_hairpin(&n, true);
    CHECK_EQ(n.hairpin, OM_HAIRPIN_YES);
}

OM_TEST(nat_hops_are_bounded)
{
    const struct om_addr home = om_addr_v4(0xc0a80101, 0), carrier = om_addr_v4(0x64400001, 0);
    const struct om_addr outside = om_addr_v4(0x08080808, 0);
    struct om_nat n;

    om_nat_init(&n, false);
    CHECK_EQ(om_nat_hops(&n), 0);
    om_nat_hop(&n, 1, &home);
    CHECK_EQ(om_nat_hops(&n), 2);
    om_nat_hop(&n, 3, &carrier);
    om_nat_hop(&n, 2, &home);
    CHECK_EQ(om_nat_hops(&n), 4);
    om_nat_hop(&n, 6, &outside);
    om_nat_hop(&n, 5, &outside);
    om_nat_hop(&n, 7, &outside);
    CHECK_EQ(om_nat_hops(&n), 5);
    om_nat_hop(&n, 0, &outside);
    om_nat_hop(&n, 17, &home);
    om_nat_hop(&n, 1000, &home);
    CHECK_EQ(om_nat_hops(&n), 5);
}

/* Of the sockets that one witness saw, the first is the main one. */
OM_TEST(nat_one_witness_may_have_seen_random_ports)
{
    static const struct {
        uint16_t ports[3], other;
        bool may_be;
    } cases[] = {
        {{21000, 58000, 33000}, 0, true},
        {{40000, 58000, 33000}, 0, false}, /* the port of the main one was kept */
        {{21000, 21004, 21008}, 0, false},
        {{21000, 29191, 25000}, 0, false}, /* as far apart as in a block */
        {{21000, 29192, 25000}, 0, true},
        {{21000, 58000, 33000}, 47000, false}, /* two tell more, and a fit is for that */
    };

    for (unsigned c = 0; c < OM_ARRAY_SIZE(cases); c++) {
        struct om_nat n;
        om_nat_init(&n, false);
        for (unsigned i = 0; i < 3; i++) {
            CHECK(!om_nat_may_be_random(&n));
            struct om_nat_sample s = word(0, cases[c].ports[i], OM_SEC(i));
            if (i > 0)
                s.local = om_addr_v4(0, (uint16_t)i);
            CHECK_EQ(om_nat_sample(&n, OM_SEC(i), n.generation, &s), OM_NAT_TAKEN);
        }
        if (cases[c].other)
            say(&n, 1, cases[c].other, OM_SEC(4));
        CHECK_EQ(om_nat_may_be_random(&n), cases[c].may_be);
        CHECK(!om_nat_judge(&n, OM_SEC(5))->is_believed);
    }
}
