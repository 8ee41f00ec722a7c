/* test_portmap.c - a router that maps, forgets, refuses, moves and lies. */
#include "harness.h"

#include <omerta/portmap.h>

enum { PORT = 18002, ASKS_MAX = 64 };

/* A driver: answers what is asked by what its router is told to be. */
struct rig {
    struct om_portmap p;
    om_time now;
    struct om_portmap_answer says[OM_PORTMAP_HOWS];
    bool takes_wish; /* maps the port that is asked for */
    uint16_t taken;  /* of somebody else */
    unsigned asks, removes, ups, downs, fails;
    struct om_portmap_act ask[ASKS_MAX], removed, up, down;
    om_time ask_at[ASKS_MAX];
};

static const struct om_portmap_answer silent = {.result = OM_PORTMAP_SILENT};

static struct om_portmap_answer mapped(uint32_t ip, uint16_t port, uint32_t life_s)
{
    return (struct om_portmap_answer){
        .result = OM_PORTMAP_MAPPED, .external = om_addr_v4(ip, port), .life_s = life_s};
}

static void answer(struct rig *r, const struct om_portmap_act *act)
{
    struct om_portmap_answer a = r->says[act->how];

    if (act->kind == OM_PORTMAP_ACT_ASK && act->outer == r->taken && a.result == OM_PORTMAP_MAPPED)
        a.result = OM_PORTMAP_CONFLICT;
    else if (r->takes_wish)
        a.external.port = act->outer;
    om_portmap_answered(&r->p, r->now, &a);
}

static void note(struct rig *r, const struct om_portmap_act *act)
{
    switch (act->kind) {
    case OM_PORTMAP_ACT_ASK:
        CHECK(r->asks < ASKS_MAX);
        r->ask_at[r->asks] = r->now;
        r->ask[r->asks++] = *act;
        break;
    case OM_PORTMAP_ACT_REMOVE:
        r->removes++;
        r->removed = *act;
        break;
    case OM_PORTMAP_ACT_UP:
        r->ups++;
        r->up = *act;
        break;
    case OM_PORTMAP_ACT_DOWN:
        r->downs++;
        r->down = *act;
        break;
    case OM_PORTMAP_ACT_FAILED:
        r->fails++;
        break;
    }
}

/* All that is to do now. */
static void drain(struct rig *r)
{
    struct om_portmap_act act;

    while (om_portmap_next(&r->p, r->now, &act)) {
        note(r, &act);
        if (act.kind == OM_PORTMAP_ACT_ASK || act.kind == OM_PORTMAP_ACT_REMOVE)
            answer(r, &act);
    }
}

/* Lets the time pass. */
static void pass(struct rig *r, om_time until)
{
    while (om_portmap_deadline(&r->p) <= until) {
        CHECK(om_portmap_deadline(&r->p) > r->now);
        r->now = om_portmap_deadline(&r->p);
        drain(r);
    }
    r->now = until;
}

static void rig(struct rig *r)
{
    *r = (struct rig){.now = OM_SEC(100), .says = {silent, silent}, .takes_wish = true};
    om_portmap_init(&r->p);
    drain(r);
    CHECK(r->asks == 0 && om_portmap_deadline(&r->p) == OM_NEVER);
}

static void start(struct rig *r)
{
    om_portmap_want(&r->p, r->now, PORT);
    drain(r);
}

OM_TEST(portmap_maps_and_renews_at_half_life)
{
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 120);
    start(&r);
    CHECK(r.asks == 1 && r.ask[0].how == OM_PORTMAP_NATPMP);
    CHECK(r.ask[0].inner == PORT && r.ask[0].outer == PORT);
    CHECK_EQ(r.ask[0].life_s, OM_PORTMAP_LIFE_S);
    CHECK(r.ups == 1 && r.up.external.port == PORT && r.up.life_s == 120);
    CHECK_EQ(om_portmap_state(&r.p), OM_PORTMAP_HELD);
    pass(&r, r.now + OM_SEC(59));
    CHECK_EQ(r.asks, 1);
    pass(&r, r.now + OM_SEC(2));
    CHECK(r.asks == 2 && r.ask_at[1] - r.ask_at[0] == OM_SEC(60));
    CHECK(r.ups == 1 && r.downs == 0); /* the same mapping is no news */
    /* Of a long life the half is not waited for: the address may change meanwhile. */
    r.says[OM_PORTMAP_NATPMP].life_s = OM_PORTMAP_LIFE_S;
    pass(&r, r.now + OM_SEC(60));
    CHECK_EQ(r.asks, 3);
    pass(&r, r.now + OM_SEC(OM_PORTMAP_LOOK_S));
    CHECK_EQ(r.asks, 4);
}

OM_TEST(portmap_tries_the_next_protocol)
{
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_UPNP] = mapped(0x0b000001, 0, 600);
    start(&r);
    CHECK(r.asks == 2 && r.ask[0].how == OM_PORTMAP_NATPMP && r.ask[1].how == OM_PORTMAP_UPNP);
    CHECK(r.ups == 1 && r.up.how == OM_PORTMAP_UPNP && r.fails == 0);
    CHECK_EQ(r.p.tried[OM_PORTMAP_NATPMP].answer.result, OM_PORTMAP_SILENT);
    /* Who holds it renews it. */
    pass(&r, r.now + OM_SEC(301));
    CHECK(r.asks == 3 && r.ask[2].how == OM_PORTMAP_UPNP);
}

OM_TEST(portmap_backs_off_when_all_refuse)
{
    static const unsigned waits[] = {600, 1200, 2400, 4800, 7200, 7200};
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_UPNP].result = OM_PORTMAP_REFUSED;
    start(&r);
    CHECK(r.asks == 2 && r.fails == 1 && r.ups == 0);
    CHECK_EQ(om_portmap_state(&r.p), OM_PORTMAP_WAITING);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(waits); i++) {
        om_time was = r.ask_at[r.asks - 1];
        CHECK_EQ(om_portmap_deadline(&r.p) - was, OM_SEC(waits[i]));
        pass(&r, om_portmap_deadline(&r.p));
        CHECK_EQ(r.asks, 2 * (i + 2));
    }
    CHECK_EQ(r.fails, 1); /* the same again is no news */
    r.says[OM_PORTMAP_UPNP].result = OM_PORTMAP_SILENT;
    pass(&r, om_portmap_deadline(&r.p));
    CHECK_EQ(r.fails, 2);
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 600);
    pass(&r, om_portmap_deadline(&r.p));
    CHECK_EQ(r.ups, 1);
}

OM_TEST(portmap_asks_at_once_on_another_network)
{
    struct rig r;

    rig(&r);
    start(&r);
    CHECK_EQ(r.asks, 2);
    pass(&r, r.now + OM_SEC(60));
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 7200);
    om_portmap_network_changed(&r.p, r.now);
    drain(&r);
    CHECK(r.asks == 3 && r.ask_at[2] == r.now && r.ups == 1);
    /* The network has no router any more: the mapping went with the old one, at once. */
    r.says[OM_PORTMAP_NATPMP] = silent;
    pass(&r, r.now + OM_SEC(60));
    CHECK_EQ(r.downs, 0);
    om_portmap_network_changed(&r.p, r.now);
    drain(&r);
    CHECK(r.asks == 5 && r.downs == 1 && om_addr_equal(&r.down.external, &r.up.external));
    CHECK_EQ(r.removes, 0);
}

OM_TEST(portmap_flapping_network_is_asked_at_a_pace)
{
    struct rig r;

    rig(&r);
    start(&r);
    om_time begun = r.now;
    for (unsigned i = 0; i < 1000; i++) {
        pass(&r, r.now + OM_MS(10));
        om_portmap_network_changed(&r.p, r.now);
        drain(&r);
    }
    /* 10 s: the first round, and one each pace. */
    CHECK(r.asks <= 2 * (1 + (unsigned)((r.now - begun) / OM_SEC(OM_PORTMAP_PACE_S))));
    CHECK(r.asks >= 4);
}

OM_TEST(portmap_tells_a_changed_address)
{
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_UPNP] = mapped(0x0b000001, 0, 600);
    start(&r);
    r.says[OM_PORTMAP_UPNP] = mapped(0x0b000009, 0, 600);
    pass(&r, r.now + OM_SEC(301));
    struct om_addr moved = om_addr_v4(0x0b000009, PORT);
    CHECK(r.ups == 2 && r.downs == 0 && om_addr_equal(&r.up.external, &moved));
}

OM_TEST(portmap_word_of_a_change_costs_nothing)
{
    struct rig r;

    rig(&r);
    om_portmap_ask_again(&r.p, r.now);
    drain(&r);
    CHECK_EQ(r.asks, 0); /* nothing is wanted */
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 600);
    start(&r);
    pass(&r, r.now + OM_SEC(60));
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000009, 0, 600);
    om_portmap_ask_again(&r.p, r.now);
    drain(&r);
    CHECK(r.asks == 2 && r.ups == 2 && r.downs == 0);
    /* A forged word, while the router is not answering: what is held stays. */
    r.says[OM_PORTMAP_NATPMP] = silent;
    pass(&r, r.now + OM_SEC(60));
    om_portmap_ask_again(&r.p, r.now);
    drain(&r);
    CHECK(r.asks == 4 && r.downs == 0);
    CHECK_EQ(om_portmap_state(&r.p), OM_PORTMAP_HELD);
}

OM_TEST(portmap_renewal_that_fails_ends_with_the_mapping)
{
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 600);
    start(&r);
    om_time end = r.now + OM_SEC(600);
    r.says[OM_PORTMAP_NATPMP] = silent;
    pass(&r, end - 1);
    CHECK(r.downs == 0 && r.asks > 3 && r.asks < 20);
    pass(&r, end);
    CHECK(r.downs == 1 && r.removes == 0);
    pass(&r, end + OM_SEC(60));
    CHECK_EQ(r.fails, 1);
    /* Control: one that comes back in time is not told at all. */
    rig(&r);
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 600);
    start(&r);
    r.says[OM_PORTMAP_NATPMP] = silent;
    pass(&r, r.now + OM_SEC(400));
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 600);
    pass(&r, r.now + OM_SEC(3600));
    CHECK(r.downs == 0 && r.ups == 1);
}

OM_TEST(portmap_refuses_absurd_answers)
{
    static const struct {
        uint32_t ip;
        uint16_t port;
        uint32_t life_s;
        enum om_portmap_result result;
    } cases[] = {
        {0x0b000001, PORT, 7200, OM_PORTMAP_MAPPED},
        {0x0b000001, PORT, UINT32_MAX, OM_PORTMAP_MAPPED},
        {0x0b000001, 0, 7200, OM_PORTMAP_ABSURD},
        {0x0b000001, PORT, 0, OM_PORTMAP_ABSURD},
        {0x0b000001, PORT, OM_PORTMAP_LEAST_S - 1, OM_PORTMAP_ABSURD},
        {0x00000000, PORT, 7200, OM_PORTMAP_ABSURD},
        {0x7f000001, PORT, 7200, OM_PORTMAP_ABSURD},
        {0xa9fea9fe, PORT, 7200, OM_PORTMAP_ABSURD}, /* metadata service */
        {0xe0000001, PORT, 7200, OM_PORTMAP_ABSURD},
        {0xffffffff, PORT, 7200, OM_PORTMAP_ABSURD},
        {0xc6336401, PORT, 7200, OM_PORTMAP_ABSURD}, /* TEST-NET-2 */
        {0x0a000001, PORT, 7200, OM_PORTMAP_NESTED},
        {0x64400001, PORT, 7200, OM_PORTMAP_NESTED}, /* carrier's NAT */
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct rig r;
        bool is_good = cases[i].result == OM_PORTMAP_MAPPED;

        rig(&r);
        r.takes_wish = false;
        r.says[OM_PORTMAP_NATPMP] = mapped(cases[i].ip, cases[i].port, cases[i].life_s);
        start(&r);
        CHECK_EQ(r.p.tried[OM_PORTMAP_NATPMP].answer.result, cases[i].result);
        CHECK_EQ(r.ups, is_good);
        CHECK(is_good || r.p.tried[OM_PORTMAP_NATPMP].answer.why[0]);
        /* What was made and is of no use goes back, if it can be named. */
        CHECK_EQ(r.removes, !is_good && cases[i].port != 0);
        CHECK(!is_good || r.up.life_s == OM_PORTMAP_LIFE_S);
    }
}

OM_TEST(portmap_conflict_takes_another_port)
{
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_NATPMP] = mapped(0x0b000001, 0, 600);
    r.taken = PORT;
    start(&r);
    CHECK(r.asks == 2 && r.ups == 1 && r.up.external.port == PORT + 1);
    pass(&r, r.now + OM_SEC(301));
    CHECK(r.asks == 3 && r.ask[2].outer == PORT + 1);
    /* Lost to somebody else: it is not ours to give back. */
    r.taken = PORT + 1;
    pass(&r, r.now + OM_SEC(300));
    CHECK(r.ups == 2 && r.up.external.port == PORT + 2 && r.removes == 0);
    /* Not for ever. */
    rig(&r);
    r.says[OM_PORTMAP_NATPMP].result = OM_PORTMAP_CONFLICT;
    start(&r);
    CHECK(r.asks == OM_PORTMAP_PORTS_MAX + 1 && r.fails == 1);
    CHECK(r.ask[r.asks - 1].how == OM_PORTMAP_UPNP && r.ask[r.asks - 1].outer == PORT);
}

OM_TEST(portmap_gives_back_what_is_no_longer_wanted)
{
    struct rig r;

    rig(&r);
    r.says[OM_PORTMAP_UPNP] = mapped(0x0b000001, 0, 600);
    start(&r);
    om_portmap_want(&r.p, r.now, 0);
    CHECK(!om_portmap_is_idle(&r.p));
    drain(&r);
    CHECK(r.removes == 1 && r.removed.how == OM_PORTMAP_UPNP && r.removed.outer == PORT);
    CHECK(r.downs == 1 && om_portmap_is_idle(&r.p));
    CHECK(om_portmap_deadline(&r.p) == OM_NEVER && om_portmap_state(&r.p) == OM_PORTMAP_OFF);
    /* Nothing held: nothing to give back. */
    om_portmap_want(&r.p, r.now, PORT + 7);
    om_portmap_want(&r.p, r.now, 0);
    drain(&r);
    CHECK_EQ(r.removes, 1);
    /* Made while it was no longer wanted. */
    struct om_portmap_act act;
    struct om_portmap_answer late = mapped(0x0b000001, PORT, 600);
    om_portmap_want(&r.p, r.now, PORT);
    CHECK(om_portmap_next(&r.p, r.now, &act) && act.kind == OM_PORTMAP_ACT_ASK);
    om_portmap_want(&r.p, r.now, 0);
    om_portmap_answered(&r.p, r.now, &late);
    drain(&r);
    CHECK(r.removes == 2 && r.removed.how == OM_PORTMAP_NATPMP && r.ups == 1);
}

OM_TEST(portmap_one_question_at_a_time)
{
    struct om_portmap_answer late = mapped(0x0b000001, PORT, 7200);
    struct om_portmap_act act;
    struct rig r;

    rig(&r);
    om_portmap_answered(&r.p, r.now, &late); /* nobody asked */
    CHECK_EQ(om_portmap_state(&r.p), OM_PORTMAP_OFF);
    om_portmap_want(&r.p, r.now, PORT);
    CHECK(om_portmap_next(&r.p, r.now, &act) && act.kind == OM_PORTMAP_ACT_ASK);
    CHECK(!om_portmap_next(&r.p, r.now, &act));
    om_portmap_network_changed(&r.p, r.now);
    CHECK(!om_portmap_next(&r.p, r.now + OM_SEC(100), &act));
    CHECK_EQ(om_portmap_deadline(&r.p), OM_NEVER);
    /* What the other network's router said counts until this one's has been asked. */
    r.now += OM_SEC(100);
    om_portmap_answered(&r.p, r.now, &late);
    drain(&r);
    CHECK(r.ups == 1 && r.asks == 2 && r.downs == 1 && r.fails == 1);
}

OM_TEST(portmap_names)
{
    CHECK_STR(om_portmap_how_name(OM_PORTMAP_NATPMP), "nat-pmp");
    CHECK_STR(om_portmap_how_name(OM_PORTMAP_UPNP), "upnp");
    CHECK_STR(om_portmap_result_name(OM_PORTMAP_UNASKED), "unasked");
    CHECK_STR(om_portmap_result_name(OM_PORTMAP_RESULTS), "unknown");
    CHECK_STR(om_portmap_state_name(OM_PORTMAP_HELD), "held");
}
