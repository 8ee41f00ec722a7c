/* test_natbox.c - what a NAT does with datagrams, property by property. */
#include "harness.h"

#include "natbox.h"

enum { OWN = 40000, TTL = 64 };

static const struct om_addr none;
static struct om_addr home[2], remote[2][2]; /* two hosts inside; two servers with two ports */

static void box_init(struct sim_natbox *b, const struct sim_nat_model *m)
{
    struct om_addr outside = om_addr_v4(0x0b000001, 0);

    for (unsigned i = 0; i < 2; i++) {
        home[i] = om_addr_v4(0xac100002 + i, OWN);
        for (unsigned k = 0; k < 2; k++)
            remote[i][k] = om_addr_v4(0x0a000001 + i, (uint16_t)(7000 + k));
    }
    sim_natbox_init(b, m, &outside, 7);
}

/* The outside port of what @from sends to @to; 0: dropped, as @b's counters tell. */
static uint16_t leave_from(struct sim_natbox *b, om_time now, struct om_addr from,
                           struct om_addr to)
{
    struct sim_nat_packet p = {from, to, TTL};

    if (sim_natbox_outbound(b, now, &p) != SIM_NAT_OUT)
        return 0;
    CHECK(sim_natbox_is_outside(b, &p.from));
    CHECK(om_addr_equal(&p.to, &to));
    CHECK_EQ(p.ttl, TTL - 1);
    return p.from.port;
}

static enum sim_nat_answer come(struct sim_natbox *b, om_time now, struct om_addr from,
                                uint16_t port)
{
    struct sim_nat_packet p = {from, b->outside, TTL};
    struct om_addr whom = none;

    p.to.port = port;
    bool would = sim_natbox_peek(b, &p, &whom);
    enum sim_nat_answer a = sim_natbox_inbound(b, now, &p);
    if (a == SIM_NAT_IN) {
        CHECK(would && om_addr_equal(&p.to, &whom));
        CHECK(om_addr_equal(&p.from, &from));
        CHECK_EQ(p.ttl, TTL - 1);
    }
    return a;
}

OM_TEST(natbox_mapping_has_its_scope)
{
    for (int scope = SIM_NAT_EI; scope <= SIM_NAT_APD; scope++) {
        struct sim_nat_model m = sim_nat_model_default();
        struct sim_natbox b;
        m.mapping = (enum sim_nat_scope)scope;
        m.ports = SIM_NAT_RANDOM;
        box_init(&b, &m);
        uint16_t first = leave_from(&b, 0, home[0], remote[0][0]);
        uint16_t port = leave_from(&b, 0, home[0], remote[0][1]);
        uint16_t ip = leave_from(&b, 0, home[0], remote[1][0]);
        CHECK(first != 0 && port != 0 && ip != 0);
        CHECK_EQ(port == first, scope != SIM_NAT_APD);
        CHECK_EQ(ip == first, scope == SIM_NAT_EI);
        CHECK_EQ(leave_from(&b, 1, home[0], remote[0][0]), first);
        CHECK(leave_from(&b, 1, home[1], remote[0][0]) != first);
        sim_natbox_fini(&b);
    }
}

OM_TEST(natbox_filtering_has_its_scope)
{
    for (int scope = SIM_NAT_EI; scope <= SIM_NAT_APD; scope++) {
        struct sim_nat_model m = sim_nat_model_default();
        struct sim_natbox b;
        m.filtering = (enum sim_nat_scope)scope;
        box_init(&b, &m);
        CHECK_EQ(come(&b, 0, remote[0][0], OWN), SIM_NAT_UNKNOWN);
        uint16_t port = leave_from(&b, 0, home[0], remote[0][0]);
        CHECK_EQ(come(&b, 1, remote[0][0], port), SIM_NAT_IN);
        CHECK_EQ(come(&b, 1, remote[0][1], port),
                 scope == SIM_NAT_APD ? SIM_NAT_FILTERED : SIM_NAT_IN);
        CHECK_EQ(come(&b, 1, remote[1][0], port),
                 scope == SIM_NAT_EI ? SIM_NAT_IN : SIM_NAT_FILTERED);
        CHECK_EQ(come(&b, 1, remote[0][0], (uint16_t)(port + 1)), SIM_NAT_UNKNOWN);
        sim_natbox_fini(&b);
    }
}

OM_TEST(natbox_preserves_the_port)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;

    box_init(&b, &m);
    CHECK_EQ(leave_from(&b, 0, home[0], remote[0][0]), OWN);
    uint16_t other = leave_from(&b, 0, home[1], remote[0][0]); /* taken */
    CHECK(other >= m.first && other != OWN);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_counts_ports_up)
{
    for (unsigned step = 1; step <= 4; step += 3) {
        struct sim_nat_model m = sim_nat_model_default();
        struct sim_natbox b;
        m.mapping = SIM_NAT_APD;
        m.ports = SIM_NAT_STRIDE;
        m.stride = step;
        m.first = 5000;
        m.last = 5011;
        m.is_exclusive = true;
        box_init(&b, &m);
        unsigned last = leave_from(&b, 0, home[0], remote[0][0]);
        for (uint16_t i = 0; i < 2; i++) {
            struct om_addr to = remote[1][0];
            to.port = (uint16_t)(to.port + i);
            unsigned port = leave_from(&b, 0, home[0], to);
            CHECK_EQ(port, 5000 + (last - 5000 + step) % 12);
            last = port;
        }
        /* Every port is found in the end, though 4 divides 12; and none twice. */
        for (uint16_t i = 0; i < 9; i++)
            CHECK(leave_from(&b, 0, home[1], om_addr_v4(0x0a000063, (uint16_t)(1 + i))) != 0);
        CHECK_EQ(leave_from(&b, 0, home[1], om_addr_v4(0x0a000063, 99)), 0);
        CHECK_EQ(b.counts[SIM_NAT_NO_PORT], 1);
        sim_natbox_fini(&b);
    }
}

OM_TEST(natbox_random_ports_stay_in_range)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;
    unsigned low = 0;

    m.mapping = SIM_NAT_APD;
    m.ports = SIM_NAT_RANDOM;
    m.first = 20000;
    m.last = 20511;
    box_init(&b, &m);
    for (uint16_t i = 0; i < 1000; i++) {
        uint16_t port = leave_from(&b, 0, home[0], om_addr_v4(0x0a000063, (uint16_t)(1 + i)));
        CHECK(port >= 20000 && port <= 20511);
        low += port < 20256;
    }
    CHECK(low > 400 && low < 600);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_block_per_subscriber)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;
    unsigned block[3];

    m.mapping = SIM_NAT_APD;
    m.ports = SIM_NAT_BLOCK;
    m.block = 64;
    m.first = 1024;
    m.last = 1024 + 128 - 1; /* two blocks */
    box_init(&b, &m);
    for (uint16_t i = 0; i < 200; i++)
        for (unsigned h = 0; h < 2; h++) {
            uint16_t port = leave_from(&b, 0, home[h], om_addr_v4(0x0a000063, (uint16_t)(1 + i)));
            CHECK(port >= 1024 && port < 1024 + 128);
            if (i == 0)
                block[h] = (port - 1024u) / 64;
            CHECK_EQ((port - 1024u) / 64, block[h]);
        }
    CHECK(block[0] != block[1]);
    CHECK_EQ(leave_from(&b, 0, om_addr_v4(0xac100009, OWN), remote[0][0]), 0);
    CHECK_EQ(b.counts[SIM_NAT_NO_PORT], 1);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_exclusive_ports_run_out)
{
    for (int exclusive = 0; exclusive < 2; exclusive++) {
        struct sim_nat_model m = sim_nat_model_default();
        struct sim_natbox b;
        m.mapping = SIM_NAT_APD;
        m.ports = SIM_NAT_RANDOM;
        m.first = 2000;
        m.last = 2007;
        m.is_exclusive = exclusive;
        box_init(&b, &m);
        for (uint16_t i = 0; i < 8; i++)
            CHECK(leave_from(&b, 0, home[0], om_addr_v4(0x0a000063, (uint16_t)(1 + i))) != 0);
        CHECK_EQ(leave_from(&b, 0, home[0], remote[0][0]) == 0, exclusive);
        CHECK_EQ(b.counts[SIM_NAT_NO_PORT], exclusive);
        /* What has ended makes room. */
        CHECK(leave_from(&b, m.timeout, home[0], remote[0][0]) != 0);
        sim_natbox_fini(&b);
    }
}

OM_TEST(natbox_reuses_a_port_towards_others)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;

    m.mapping = m.filtering = SIM_NAT_APD;
    box_init(&b, &m);
    CHECK_EQ(leave_from(&b, 0, home[0], remote[0][0]), OWN);
    CHECK_EQ(leave_from(&b, 0, home[1], remote[0][1]), OWN);
    struct sim_nat_packet p = {remote[0][0], b.outside, TTL};
    p.to.port = OWN;
    CHECK_EQ(sim_natbox_inbound(&b, 0, &p), SIM_NAT_IN);
    CHECK(om_addr_equal(&p.to, &home[0]));
    p = (struct sim_nat_packet){remote[0][1], b.outside, TTL};
    p.to.port = OWN;
    CHECK_EQ(sim_natbox_inbound(&b, 0, &p), SIM_NAT_IN);
    CHECK(om_addr_equal(&p.to, &home[1]));
    CHECK(leave_from(&b, 0, home[1], remote[0][0]) != OWN);
    sim_natbox_fini(&b);
    m.is_exclusive = true;
    box_init(&b, &m);
    CHECK_EQ(leave_from(&b, 0, home[0], remote[0][0]), OWN);
    CHECK(leave_from(&b, 0, home[1], remote[0][1]) != OWN);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_hairpin_shows_the_outside)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;
    struct sim_nat_packet p;

    for (int hairpin = 0; hairpin < 2; hairpin++) {
        m.is_hairpin = hairpin;
        box_init(&b, &m);
        struct om_addr to = b.outside;
        to.port = leave_from(&b, 0, home[1], remote[0][0]);
        p = (struct sim_nat_packet){home[0], to, TTL};
        p.from.port = OWN + 1;
        CHECK_EQ(sim_natbox_outbound(&b, 0, &p), hairpin ? SIM_NAT_IN : SIM_NAT_NO_HAIRPIN);
        if (hairpin) {
            CHECK(sim_natbox_is_outside(&b, &p.from) && p.from.port == OWN + 1);
            CHECK(om_addr_equal(&p.to, &home[1]));
            CHECK_EQ(p.ttl, TTL - 1);
        }
        sim_natbox_fini(&b);
    }
}

OM_TEST(natbox_leave_ends_after_its_timeout)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;

    box_init(&b, &m);
    uint16_t port = leave_from(&b, 0, home[0], remote[0][0]);
    CHECK_EQ(come(&b, m.timeout - 1, remote[0][0], port), SIM_NAT_IN); /* now it is answered */
    om_time end = m.timeout - 1 + m.answered;
    CHECK_EQ(come(&b, end - 1, remote[0][0], port), SIM_NAT_IN);
    CHECK_EQ(come(&b, end - 1 + m.answered, remote[0][0], port), SIM_NAT_UNKNOWN);
    CHECK_EQ(om_table_count(&b.map.by_inside), 0);
    leave_from(&b, end - 1 + m.answered, home[0], remote[0][0]);
    CHECK_EQ(come(&b, end - 1 + m.answered + m.timeout, remote[0][0], OWN), SIM_NAT_UNKNOWN);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_refresh_by_its_direction)
{
    for (int by = SIM_NAT_BY_BOTH; by <= SIM_NAT_BY_IN; by++) {
        struct sim_nat_model m = sim_nat_model_default();
        struct sim_natbox b;
        m.refresh = (enum sim_nat_refresh)by;
        m.answered = m.timeout;
        om_time late = m.timeout * 2 / 3;
        box_init(&b, &m);
        uint16_t port = leave_from(&b, 0, home[0], remote[0][0]);
        leave_from(&b, late, home[0], remote[0][0]);
        CHECK_EQ(come(&b, 2 * late, remote[0][0], port),
                 by == SIM_NAT_BY_IN ? SIM_NAT_UNKNOWN : SIM_NAT_IN);
        sim_natbox_flush(&b);
        port = leave_from(&b, 3 * late, home[0], remote[0][0]);
        CHECK_EQ(come(&b, 4 * late, remote[0][0], port), SIM_NAT_IN);
        CHECK_EQ(come(&b, 5 * late, remote[0][0], port),
                 by == SIM_NAT_BY_OUT ? SIM_NAT_UNKNOWN : SIM_NAT_IN);
        sim_natbox_fini(&b);
    }
}

OM_TEST(natbox_early_probe_moves_the_flow)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;

    /* Conntrack keeps no mappings: plain masquerade. And with mappings, one flow alone moves. */
    for (int scope = SIM_NAT_EI; scope <= SIM_NAT_APD; scope += SIM_NAT_APD) {
        m.mapping = (enum sim_nat_scope)scope;
        m.filtering = SIM_NAT_APD;
        for (int claims = 0; claims < 2; claims++) {
            m.is_claiming = claims;
            box_init(&b, &m);
            CHECK_EQ(leave_from(&b, 0, home[0], remote[1][0]), OWN);
            CHECK_EQ(come(&b, 0, remote[0][0], OWN), claims ? SIM_NAT_CLAIMED : SIM_NAT_FILTERED);
            uint16_t port = leave_from(&b, 1, home[0], remote[0][0]);
            CHECK_EQ(port != OWN, claims);
            CHECK_EQ(come(&b, 1, remote[0][0], port), SIM_NAT_IN);
            CHECK_EQ(come(&b, 1, remote[0][0], OWN), claims ? SIM_NAT_CLAIMED : SIM_NAT_IN);
            CHECK_EQ(leave_from(&b, 2, home[0], remote[1][0]), OWN); /* the others stay */
            /* In the right order nothing is claimed. */
            CHECK_EQ(leave_from(&b, 2, home[0], remote[1][1]), OWN);
            CHECK_EQ(come(&b, 3, remote[1][1], OWN), SIM_NAT_IN);
            /* A claim ends with the silence of the remote. */
            om_time later = 4 + m.timeout + m.answered;
            CHECK_EQ(leave_from(&b, later, home[0], remote[0][0]), OWN);
            sim_natbox_fini(&b);
        }
    }
}

OM_TEST(natbox_sticky_follows_the_latest)
{
    for (int scope = SIM_NAT_EI; scope <= SIM_NAT_APD; scope += SIM_NAT_APD) {
        struct sim_nat_model m = sim_nat_model_default();
        struct sim_natbox b;
        m.mapping = (enum sim_nat_scope)scope;
        m.filtering = SIM_NAT_APD;
        m.is_claiming = m.is_sticky = true;
        box_init(&b, &m);
        CHECK_EQ(leave_from(&b, 0, home[0], remote[1][0]), OWN);
        CHECK_EQ(come(&b, 0, remote[0][0], OWN), SIM_NAT_CLAIMED);
        uint16_t port = leave_from(&b, 0, home[0], remote[0][0]);
        CHECK(port != OWN);
        CHECK_EQ(leave_from(&b, 1, home[0], remote[0][1]), port);
        CHECK_EQ(leave_from(&b, 1, home[0], remote[1][0]), OWN); /* that flow is older */
        CHECK_EQ(come(&b, 1, remote[0][1], port), SIM_NAT_IN);
        sim_natbox_fini(&b);
    }
    /* A masquerade to a range: no port is kept, yet one socket has one. */
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;
    m.mapping = m.filtering = SIM_NAT_APD;
    m.ports = SIM_NAT_RANDOM;
    m.is_sticky = true;
    box_init(&b, &m);
    uint16_t port = leave_from(&b, 0, home[0], remote[0][0]);
    CHECK_EQ(leave_from(&b, 0, home[0], remote[1][1]), port);
    CHECK(leave_from(&b, 0, home[1], remote[1][1]) != port);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_ttl_opener_claims_nothing)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_nat_packet p;
    struct sim_natbox b;

    m.is_claiming = true;
    box_init(&b, &m);
    p = (struct sim_nat_packet){home[0], remote[0][0], 1};
    CHECK_EQ(sim_natbox_outbound(&b, 0, &p), SIM_NAT_EXPIRED); /* and opens nothing */
    CHECK_EQ(om_table_count(&b.map.entries), 0);
    p.ttl = 2;
    CHECK_EQ(sim_natbox_outbound(&b, 0, &p), SIM_NAT_OUT);
    CHECK_EQ(p.ttl, 1);
    p = (struct sim_nat_packet){remote[0][0], p.from, 1};
    CHECK_EQ(sim_natbox_inbound(&b, 0, &p), SIM_NAT_EXPIRED);
    p.ttl = 2;
    CHECK_EQ(sim_natbox_inbound(&b, 0, &p), SIM_NAT_IN);
    CHECK_EQ(b.counts[SIM_NAT_EXPIRED], 2);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_stacked_boxes)
{
    struct sim_nat_model m = sim_nat_model_default(), carrier = m;
    struct sim_natbox in, out;
    struct om_addr middle = om_addr_v4(0x64400002, 0);

    carrier.ports = SIM_NAT_BLOCK;
    carrier.mapping = carrier.filtering = SIM_NAT_APD;
    box_init(&out, &carrier);
    sim_natbox_init(&in, &m, &middle, 8);
    struct sim_nat_packet p = {home[0], remote[0][0], 3};
    CHECK_EQ(sim_natbox_outbound(&in, 0, &p), SIM_NAT_OUT);
    CHECK(sim_natbox_is_outside(&in, &p.from));
    CHECK_EQ(sim_natbox_outbound(&out, 0, &p), SIM_NAT_OUT);
    CHECK(sim_natbox_is_outside(&out, &p.from));
    CHECK_EQ(p.ttl, 1);
    p = (struct sim_nat_packet){p.to, p.from, 3};
    CHECK_EQ(sim_natbox_inbound(&out, 1, &p), SIM_NAT_IN);
    CHECK_EQ(sim_natbox_inbound(&in, 1, &p), SIM_NAT_IN);
    CHECK(om_addr_equal(&p.to, &home[0]));
    CHECK_EQ(p.ttl, 1);
    sim_natbox_fini(&in);
    sim_natbox_fini(&out);
}

OM_TEST(natbox_udp_blocked)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;

    m.is_blocked = true;
    box_init(&b, &m);
    CHECK_EQ(leave_from(&b, 0, home[0], remote[0][0]), 0);
    CHECK_EQ(come(&b, 0, remote[0][0], OWN), SIM_NAT_BLOCKED);
    CHECK_EQ(b.counts[SIM_NAT_BLOCKED], 2);
    CHECK_EQ(om_table_count(&b.map.entries), 0);
    sim_natbox_fini(&b);
}

OM_TEST(natbox_full_table_refuses_the_new)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct sim_natbox b;

    m.filtering = SIM_NAT_APD;
    m.is_claiming = true;
    m.entries = 2;
    box_init(&b, &m);
    CHECK_EQ(leave_from(&b, 0, home[0], remote[0][0]), OWN);
    CHECK_EQ(leave_from(&b, 1, home[0], remote[0][1]), OWN);
    CHECK_EQ(leave_from(&b, 2, home[0], remote[1][0]), 0);  /* leave through a mapping that is */
    CHECK_EQ(leave_from(&b, 2, home[1], remote[1][0]), 0);  /* a mapping */
    CHECK_EQ(come(&b, 2, remote[1][0], OWN), SIM_NAT_FULL); /* a claim */
    CHECK_EQ(b.counts[SIM_NAT_FULL], 3);
    CHECK_EQ(come(&b, 2, remote[0][0], OWN), SIM_NAT_IN);
    CHECK_EQ(come(&b, m.timeout + 1, remote[1][0], OWN), SIM_NAT_CLAIMED); /* one has ended */
    sim_natbox_fini(&b);
}

OM_TEST(natbox_same_seed_same_ports)
{
    struct sim_nat_model m = sim_nat_model_default();
    struct om_addr outside = om_addr_v4(0x0b000001, 0);
    struct sim_natbox b[3];
    unsigned differ = 0;

    m.mapping = SIM_NAT_APD;
    m.ports = SIM_NAT_RANDOM;
    for (unsigned i = 0; i < 3; i++)
        sim_natbox_init(&b[i], &m, &outside, 5 + i / 2);
    for (uint16_t i = 0; i < 50; i++) {
        struct om_addr to = om_addr_v4(0x0a000063, (uint16_t)(1 + i));
        uint16_t port = leave_from(&b[0], i, home[0], to);
        CHECK_EQ(leave_from(&b[1], i, home[0], to), port);
        differ += leave_from(&b[2], i, home[0], to) != port;
    }
    CHECK(differ > 40);
    for (unsigned i = 0; i < 3; i++)
        sim_natbox_fini(&b[i]);
}
