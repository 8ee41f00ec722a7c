/* test_punch_plan.c - profiles on the wire, and the plans of all pairs of them. */
#include "harness.h"

#include "path/punch_plan.h"

static struct om_punch_profile easy(enum om_nat_filter f)
{
    return (struct om_punch_profile){.class = OM_NAT_EIM, .filter = f, .hops = 2};
}

static struct om_punch_profile block(unsigned size, enum om_nat_reuse reuse)
{
    return (struct om_punch_profile){.class = OM_NAT_BLOCK,
                                     .filter = OM_FILTER_PORT,
                                     .reuse = reuse,
                                     .first_port = 20000,
                                     .last_port = (uint16_t)(20000 + size - 1)};
}

static struct om_punch_profile other(enum om_nat_class class)
{
    struct om_punch_profile p = {.class = class, .filter = OM_FILTER_PORT};

    if (class == OM_NAT_STRIDE) {
        p.stride = -4;
        p.skip = 2;
        p.last = 30000;
    }
    return p;
}

static struct om_punch_plan plan(struct om_punch_profile ours, struct om_punch_profile theirs)
{
    const struct om_punch_case c = {.ours = ours, .theirs = theirs, .is_lower = true};
    struct om_punch_plan p;

    om_punch_plan(&p, &c, 6000, 0x123456789abcdef);
    return p;
}

OM_TEST(profile_round_trips)
{
    const struct om_punch_profile all[] = {
        {0},
        easy(OM_FILTER_ADDRESS),
        block(512, OM_NAT_EXCLUSIVE),
        other(OM_NAT_STRIDE),
        other(OM_NAT_RANDOM),
        {.class = OM_NAT_DEAD, .is_per_address = true, .is_pooled = true, .style = 1, .hops = 16},
        {.class = OM_NAT_OPEN, .hairpin = OM_HAIRPIN_NO, .last_port = 9},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(all); i++) {
        uint8_t one[OM_PUNCH_PROFILE_BYTES + 4], two[OM_PUNCH_PROFILE_BYTES];
        struct om_punch_profile back;
        struct om_wr w = om_wr(om_mut(one, sizeof one));
        om_punch_profile_encode(&w, &all[i]);
        CHECK_EQ(om_wr_len(&w), OM_PUNCH_PROFILE_BYTES);
        struct om_rd r = om_rd(om_bytes(one, sizeof one));
        CHECK_OK(om_punch_profile_decode(&back, &r));
        CHECK_EQ(om_rd_left(&r), 4);
        w = om_wr(om_mut(two, sizeof two));
        om_punch_profile_encode(&w, &back);
        CHECK_MEM(one, two, sizeof two);
        CHECK(back.class == all[i].class && back.stride == all[i].stride &&
              back.is_pooled == all[i].is_pooled && back.last_port == all[i].last_port);
    }
}

OM_TEST(profile_refuses_bad_bytes)
{
    static const struct {
        uint8_t at, value;
    } wrong[] = {{0, OM_NAT_CLASS_COUNT},
                 {0, 0xff},
                 {0, OM_NAT_BLOCK | 0xc0},
                 {1, 3},
                 {1, 4},
                 {1, 0x20},
                 {3, 17},
                 {8, 0xff},
                 {8, 0}};
    struct om_punch_profile p = block(512, OM_NAT_REUSED), out = {.hops = 7};
    uint8_t good[OM_PUNCH_PROFILE_BYTES], bad[OM_PUNCH_PROFILE_BYTES];
    struct om_wr w = om_wr(om_mut(good, sizeof good));

    om_punch_profile_encode(&w, &p);
    for (size_t n = 0; n < sizeof good; n++) {
        struct om_rd r = om_rd(om_bytes(good, n));
        CHECK_ERR(om_punch_profile_decode(&out, &r), OM_E_PARSE);
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(wrong); i++) {
        memcpy(bad, good, sizeof bad);
        bad[wrong[i].at] = wrong[i].value;
        if (wrong[i].at == 8 && wrong[i].value == 0)
            bad[9] = 0;
        struct om_rd r = om_rd(om_bytes(bad, sizeof bad));
        CHECK_ERR(om_punch_profile_decode(&out, &r), OM_E_PARSE);
    }
    CHECK_EQ(out.hops, 7);
    p = other(OM_NAT_STRIDE);
    p.stride = 0;
    w = om_wr(om_mut(bad, sizeof bad));
    om_punch_profile_encode(&w, &p);
    struct om_rd r = om_rd(om_bytes(bad, sizeof bad));
    CHECK_ERR(om_punch_profile_decode(&out, &r), OM_E_PARSE);
    r = om_rd(om_bytes(good, sizeof good));
    CHECK_OK(om_punch_profile_decode(&out, &r));
}

OM_TEST(profile_says_no_more_than_is_believed)
{
    struct om_nat n;
    struct om_punch_profile p;

    om_nat_init(&n, false);
    for (unsigned i = 0; i < 8; i++) {
        struct om_nat_sample s = {.peer = {{(uint8_t)(i + 1)}},
                                  .local = om_addr_v4(0x0a000002, 40000),
                                  .to = om_addr_v4(0x05000001 + 256 * i, 7000),
                                  .seen = om_addr_v4(0x51020304, 20330)};
        om_punch_profile_of(&p, &n, OM_SEC(1));
        CHECK_EQ(p.class, i < 2 ? OM_NAT_UNKNOWN : OM_NAT_EIM);
        CHECK_EQ(om_nat_sample(&n, OM_SEC(1), 0, &s), OM_NAT_TAKEN);
    }
    om_nat_reset(&n);
    for (unsigned i = 0; i < 8; i++) {
        struct om_nat_sample s = {.peer = {{(uint8_t)(i + 1)}},
                                  .local = om_addr_v4(0x0a000002, 40000),
                                  .to = om_addr_v4(0x05000001 + 256 * i, 7000),
                                  .seen = om_addr_v4(0x51020304, (uint16_t)(30000 - 4 * i)),
                                  .at = OM_MS(i)};
        CHECK_EQ(om_nat_sample(&n, OM_SEC(1), n.generation, &s), OM_NAT_TAKEN);
    }
    om_nat_hop(&n, 1, &(struct om_addr){.ip = {0xfd}});
    om_punch_profile_of(&p, &n, OM_SEC(1));
    CHECK(p.class == OM_NAT_STRIDE && p.stride == -4 && p.last == 29972 && p.hops == 2);
}

/* Every kind of side against every other, as both of them see it. */
OM_TEST(plan_sides_match)
{
    const struct om_punch_profile all[] = {
        easy(OM_FILTER_UNKNOWN),
        easy(OM_FILTER_NONE),
        easy(OM_FILTER_PORT),
        other(OM_NAT_OPEN),
        other(OM_NAT_UNKNOWN),
        other(OM_NAT_STRIDE),
        other(OM_NAT_RANDOM),
        other(OM_NAT_DEAD),
        block(4, OM_NAT_REUSED),
        block(512, OM_NAT_REUSED),
        block(2048, OM_NAT_REUSED),
        block(512, OM_NAT_EXCLUSIVE),
        block(512, OM_NAT_REUSE_UNKNOWN),
        block(2049, OM_NAT_REUSED),
        block(40000, OM_NAT_REUSED),
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(all) * OM_ARRAY_SIZE(all) * 4; i++) {
        struct om_punch_case a = {.ours = all[i / 4 % OM_ARRAY_SIZE(all)],
                                  .theirs = all[i / 4 / OM_ARRAY_SIZE(all)],
                                  .style = (enum om_punch_style)(i & 1),
                                  .is_lower = i & 2};
        struct om_punch_case b = {
            .ours = a.theirs, .theirs = a.ours, .style = a.style, .is_lower = !a.is_lower};
        struct om_punch_plan p, q;
        om_punch_plan(&p, &a, 6000, i);
        om_punch_plan(&q, &b, 6000, i * 77);
        CHECK(p.way == q.way && p.reason == q.reason);
        if (p.way == OM_PUNCH_NONE)
            continue;
        CHECK_EQ(p.lasts, q.lasts);
        bool both_open = p.openers == p.count && q.openers == q.count;
        CHECK(!both_open || p.way == OM_PUNCH_EASY); /* somebody must be heard */
        if (p.way == OM_PUNCH_SPREAD)
            CHECK(p.is_sweep != q.is_sweep && (p.sockets == 0) == p.is_sweep);
        if (p.way == OM_PUNCH_BOTH)
            CHECK(p.is_sweep && q.is_sweep && (p.openers == 0 || q.openers == 0));
    }
}

OM_TEST(plan_easy_is_one_socket)
{
    struct om_punch_plan p = plan(easy(OM_FILTER_PORT), easy(OM_FILTER_PORT));

    CHECK(p.way == OM_PUNCH_EASY && p.sockets == 0 && p.count == 10 && p.openers == 2);
    CHECK_EQ(p.ttl, 2);
    CHECK_EQ(om_punch_plan_port(&p, 9, 777), 777);
    CHECK(om_punch_plan_time(&p, 2) - om_punch_plan_time(&p, 1) >= OM_MS(OM_PUNCH_PAUSE_MS));
    CHECK_EQ(om_punch_plan_time(&p, 9), p.lasts);
    p = plan(easy(OM_FILTER_ADDRESS), other(OM_NAT_RANDOM)); /* its filter needs no port */
    CHECK_EQ(p.way, OM_PUNCH_EASY);
    p = plan(other(OM_NAT_RANDOM), easy(OM_FILTER_NONE));
    CHECK(p.way == OM_PUNCH_EASY && p.ttl == OM_PUNCH_TTL_UNKNOWN);
    CHECK_STR(om_punch_way_name(p.way), "easy");
    CHECK_STR(om_punch_way_name(OM_PUNCH_WAYS), "unknown");
}

OM_TEST(plan_easy_from_a_fresh_socket)
{
    struct om_punch_profile fresh = easy(OM_FILTER_PORT), old = fresh;
    fresh.first_port = 40001;
    CHECK(om_punch_fresh_port(&fresh) == 40001 && om_punch_fresh_port(&old) == 0);

    struct om_punch_plan p = plan(fresh, old);
    CHECK(p.way == OM_PUNCH_EASY && p.sockets == 1 && p.count == 10);
    for (unsigned i = 0; i < p.count; i++)
        CHECK_EQ(om_punch_plan_socket(&p, i), 1);
    p = plan(old, fresh); /* it is for who has it; the other aims elsewhere */
    CHECK(p.way == OM_PUNCH_EASY && p.sockets == 0);
    p = plan(fresh, other(OM_NAT_RANDOM));
    CHECK(p.way == OM_PUNCH_SPREAD && p.sockets == 0 && p.is_sweep);
    struct om_punch_profile hard = block(512, OM_NAT_REUSED);
    CHECK_EQ(om_punch_fresh_port(&hard), 0); /* that is its block */
}

OM_TEST(plan_spread_by_class)
{
    static const struct {
        enum om_nat_class class;
        unsigned block, sockets, width, sweep;
    } rows[] = {{OM_NAT_RANDOM, 0, 256, 64512, 2000}, {OM_NAT_BLOCK, 512, 32, 512, 1024},
                {OM_NAT_BLOCK, 2048, 32, 2048, 2000}, {OM_NAT_BLOCK, 8, 2, 8, 16},
                {OM_NAT_BLOCK, 2, 1, 2, 4},           {OM_NAT_STRIDE, 0, 8, 8 * 3 + 32, 112}};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_punch_profile hard =
            rows[i].block ? block(rows[i].block, OM_NAT_REUSE_UNKNOWN) : other(rows[i].class);
        struct om_punch_plan far = plan(hard, easy(OM_FILTER_PORT));
        struct om_punch_plan near = plan(easy(OM_FILTER_PORT), hard);
        CHECK(far.way == OM_PUNCH_SPREAD && near.way == OM_PUNCH_SPREAD);
        CHECK(far.sockets == rows[i].sockets && far.openers == far.sockets && !far.is_sweep);
        CHECK(near.sockets == 0 && near.openers == 0 && near.width == rows[i].width);
        CHECK_EQ(near.count, rows[i].sweep);
        CHECK(om_punch_plan_time(&near, 0) > om_punch_plan_time(&far, far.count - 1));
        CHECK_EQ(om_punch_plan_socket(&far, far.count - 1), far.sockets);
        CHECK_EQ(om_punch_plan_socket(&near, near.count - 1), 0);
    }
    struct om_punch_plan p = plan(easy(OM_FILTER_PORT), other(OM_NAT_STRIDE));
    CHECK_EQ(om_punch_plan_port(&p, 0, 5), 29996); /* the port that comes next */
    CHECK_EQ(om_punch_plan_port(&p, 1, 5), 29992);
    struct om_punch_profile low = other(OM_NAT_STRIDE);
    low.last = 1030;
    p = plan(easy(OM_FILTER_PORT), low);
    CHECK_EQ(om_punch_plan_port(&p, 0, 5), 1026);
    CHECK_EQ(om_punch_plan_port(&p, 1, 5), 0); /* no port */
}

OM_TEST(plan_both_only_in_shared_blocks)
{
    struct om_punch_plan p = plan(block(512, OM_NAT_REUSED), block(512, OM_NAT_REUSED));

    CHECK(p.way == OM_PUNCH_BOTH && p.sockets == 3 && p.count == 1536);
    CHECK(p.openers == p.count && p.begin == 0); /* the lower key opens */
    p = plan(block(2048, OM_NAT_REUSED), block(512, OM_NAT_REUSED));
    CHECK(p.sockets == 3 && p.count == 1536 && p.openers == 1536); /* less to sweep */
    p = plan(block(512, OM_NAT_REUSED), block(2048, OM_NAT_REUSED));
    CHECK(p.count == 4096 && p.openers == 0 && p.begin > 0);
    p = plan(block(2048, OM_NAT_REUSED), block(2048, OM_NAT_REUSED));
    CHECK(p.way == OM_PUNCH_BOTH && p.sockets == 2 && p.count == 4096 && p.openers == 0);
    p = plan(block(2049, OM_NAT_REUSED), block(512, OM_NAT_REUSED));
    CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_HARD);
    p = plan(block(512, OM_NAT_REUSED), other(OM_NAT_STRIDE));
    CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_HARD);
    p = plan(other(OM_NAT_RANDOM), other(OM_NAT_RANDOM));
    CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_HARD);
    p = plan(other(OM_NAT_DEAD), easy(OM_FILTER_NONE));
    CHECK_EQ(p.reason, OM_PUNCH_NO_UDP);
    struct om_punch_profile pooled = block(512, OM_NAT_REUSED);
    pooled.is_pooled = true;
    CHECK_EQ(plan(easy(OM_FILTER_PORT), pooled).reason, OM_PUNCH_POOLED);
    CHECK_STR(om_punch_reason_name(OM_PUNCH_POOLED), "pooled");
    CHECK_STR(om_punch_reason_name(OM_PUNCH_REASONS), "unknown");
}

OM_TEST(plan_exclusive_is_relay_unless_easy)
{
    static const enum om_nat_reuse not_shown[] = {OM_NAT_EXCLUSIVE, OM_NAT_REUSE_UNKNOWN};

    for (unsigned i = 0; i < 2; i++) {
        struct om_punch_plan p = plan(block(512, not_shown[i]), block(512, OM_NAT_REUSED));
        CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_UNSHARED);
        p = plan(block(64, not_shown[i]), easy(OM_FILTER_PORT));
        CHECK(p.way == OM_PUNCH_SPREAD && p.sockets == 16); /* a quarter of its block */
    }
}

OM_TEST(plan_hairpin_or_relay)
{
    struct om_punch_case c = {
        .ours = easy(OM_FILTER_PORT), .theirs = easy(OM_FILTER_PORT), .is_same_outside = true};
    struct om_punch_plan p;

    om_punch_plan(&p, &c, 6000, 1);
    CHECK_EQ(p.way, OM_PUNCH_EASY); /* it may turn round */
    for (unsigned hops = 1; hops <= OM_NAT_HOPS_MAX; hops++) {
        c.ours.hops = (uint8_t)hops;
        om_punch_plan(&p, &c, 6000, 1);
        CHECK_EQ(p.ttl, hops > 1 ? hops - 1 : 1); /* it ends at the box they share */
    }
    c.theirs.hairpin = OM_HAIRPIN_NO;
    om_punch_plan(&p, &c, 6000, 1);
    CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_HAIRPIN);
    c.ours = c.theirs = block(512, OM_NAT_REUSED);
    om_punch_plan(&p, &c, 6000, 1);
    CHECK_EQ(p.reason, OM_PUNCH_HAIRPIN);
}

OM_TEST(plan_budget_bounds_it)
{
    struct om_punch_case c = {.ours = easy(OM_FILTER_PORT), .theirs = easy(OM_FILTER_PORT)};
    struct om_punch_plan p;

    om_punch_plan(&p, &c, 3, 1);
    CHECK(p.way == OM_PUNCH_EASY && p.count == 3 && p.openers == 1);
    om_punch_plan(&p, &c, 1, 1);
    CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_BUDGET);
    c.theirs = other(OM_NAT_RANDOM);
    om_punch_plan(&p, &c, 499, 1);
    CHECK(p.way == OM_PUNCH_NONE && p.reason == OM_PUNCH_BUDGET);
    om_punch_plan(&p, &c, 500, 1);
    CHECK(p.way == OM_PUNCH_SPREAD && p.count == 500);
}

/* 5 s at most, and in no second over 1,000, whatever the peer says of itself. */
OM_TEST(plan_never_over_its_limits)
{
    struct om_punch_case c = {.style = OM_PUNCH_PLAIN};
    struct om_punch_plan p;

    for (unsigned i = 0; i < 20000; i++) {
        unsigned a = 1 + i * 37 % 2048, b = 1 + i * 101 % 40000;
        bool is_easy = i % 3 == 0;
        c.ours = is_easy ? easy(OM_FILTER_PORT) : block(a, OM_NAT_REUSED);
        c.theirs = block(is_easy ? b : 1 + b % 2048, OM_NAT_REUSED);
        c.style = (enum om_punch_style)(i & 1);
        c.is_lower = i & 2;
        om_punch_plan(&p, &c, 6000, i * 0x9e3779b97f4a7c15U);
        CHECK(p.way != OM_PUNCH_NONE && p.count > 0 && p.sockets <= OM_PUNCH_SOCKETS_MAX);
        CHECK(p.lasts <= OM_SEC(5) && om_punch_plan_time(&p, p.count - 1) < p.lasts);
        CHECK(om_punch_plan_time(&p, 1000) - om_punch_plan_time(&p, 0) > OM_SEC(1));
        CHECK(om_punch_plan_socket(&p, p.count - 1) <= p.sockets);
    }
}

OM_TEST(plan_ports_are_each_once)
{
    static unsigned seen[65536];
    struct om_punch_plan p;

    for (unsigned size = 1; size <= 2048; size = size * 3 / 2 + 1) {
        memset(seen, 0, sizeof seen);
        p = plan(block(2048, OM_NAT_REUSED), block(size, OM_NAT_REUSED));
        CHECK_EQ(p.count, p.sockets * size);
        for (unsigned i = 0; i < p.count; i++)
            seen[om_punch_plan_port(&p, i, 1)] |= 1U << om_punch_plan_socket(&p, i);
        for (unsigned port = 0; port < 65536; port++)
            CHECK_EQ(seen[port], port >= 20000 && port < 20000 + size ? (2U << p.sockets) - 2 : 0);
    }
}

OM_TEST(plan_openers_stay_short)
{
    struct om_punch_profile near = easy(OM_FILTER_PORT);

    for (unsigned hops = 0; hops <= OM_NAT_HOPS_MAX; hops++) {
        near.hops = (uint8_t)hops;
        CHECK_EQ(plan(near, easy(OM_FILTER_PORT)).ttl, hops ? hops : OM_PUNCH_TTL_UNKNOWN);
    }
}
