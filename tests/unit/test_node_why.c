/* test_node_why.c - a node says why: what it tried, what it saw, and what would help. */
#include "harness.h"

#include <omerta/where.h>
#include <omerta/why.h>

#include "crypto/identity.h"
#include "node/why.h"
#include "pair.h"

static bool everything_is_lost(struct pair *p, const struct pair_dgram *d)
{
    (void)p;
    (void)d;
    return false;
}

/* Nobody is near, so that whoever answers is far away. */
static bool begin(struct pair *p)
{
    const struct pair_options o = pair_defaults();

    if (!pair_init(p, &o))
        return false;
    for (int i = 0; i < 2; i++) {
        struct om_where w = {.own_count = 1};
        w.own[0] = p->side[i].addr;
        if (om_node_where(p->side[i].node, p->now, &w) != OM_OK)
            return false;
    }
    return true;
}

static struct om_path_why why(const struct pair *p, int side)
{
    struct om_path_why w;

    CHECK_OK(om_node_path_why(p->side[side].node, p->now, &p->network, &p->side[!side].id, &w));
    return w;
}

OM_TEST(node_why_of_a_direct_pair)
{
    struct om_path_why w;
    struct pair p = {0};

    OM_TRY(begin(&p) && pair_connect(&p, 0) == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    w = why(&p, 0);
    CHECK(w.has_session && w.knows_address && !w.is_blocked);
    CHECK_EQ(w.path_count, 1);
    CHECK_EQ(w.active, 0);
    CHECK_STR(w.because, "first");
    CHECK_STR(w.paths[0].state, "valid");
    CHECK_EQ(w.hint_count, 0);
    CHECK_EQ(w.attempt_count, 1);
    CHECK_EQ(w.attempts[0].what, OM_ATTEMPT_HANDSHAKE);
    CHECK_EQ(w.attempts[0].saw, OM_SAW_ANSWER);
    CHECK_EQ(w.attempts[0].took, OM_MS(2 * PAIR_DELAY_MS));
    CHECK(om_addr_equal(&w.attempts[0].addr, &p.side[1].addr));
    w = why(&p, 1); /* who was asked tried nothing */
    CHECK(w.has_session);
    CHECK_EQ(w.attempt_count, 0);
    CHECK_ERR(om_node_path_why(p.side[0].node, p.now, &p.network, &p.side[0].id, &w), OM_E_MISSING);
out:
    pair_fini(&p);
}

OM_TEST(node_why_of_silence_is_blocked_udp)
{
    struct om_netcheck c;
    struct om_path_why w;
    struct pair p = {0};

    OM_TRY(begin(&p));
    p.filter = everything_is_lost;
    OM_TRY(pair_connect(&p, 0) == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    w = why(&p, 0);
    CHECK(!w.has_session && !w.is_blocked); /* it is too early to say so */
    pair_run(&p, p.now + OM_SEC(60));
    w = why(&p, 0);
    CHECK(w.is_blocked && w.asked >= OM_BLOCKED_ASKS);
    CHECK_EQ(w.hints[0].kind, OM_HINT_UDP_BLOCKED);
    CHECK_EQ(w.attempts[0].saw, OM_SAW_SILENCE);
    CHECK_EQ(w.attempts[0].times, w.asked);
    CHECK_EQ(p.side[0].events[OM_EVENT_UDP_BLOCKED], 1); /* told once */
    om_node_netcheck(p.side[0].node, p.now, &p.network, &c);
    CHECK(c.families[0].is_blocked && !c.families[0].is_heard && !c.families[1].is_blocked);
    p.filter = NULL; /* the control: it comes back */
    pair_run(&p, p.now + OM_SEC(120));
    w = why(&p, 0);
    CHECK(w.has_session && !w.is_blocked);
    CHECK_EQ(w.hint_count, 0);
    CHECK_EQ(p.side[0].events[OM_EVENT_UDP_BLOCKED], 2);
    om_node_netcheck(p.side[0].node, p.now, &p.network, &c);
    CHECK(!c.families[0].is_blocked && c.families[0].is_heard);
    CHECK_EQ(c.families[0].asked, 0);
out:
    pair_fini(&p);
}

/* Somebody else is heard all the time: it is the one who is asked that is not there. */
OM_TEST(node_why_one_silent_peer_is_no_blocked_udp)
{
    const struct om_addr nowhere = om_addr_v4(0x0b162101, 4242);
    struct om_identity other;
    uint8_t seed[32] = {1};
    struct om_path_why w;
    struct pair p = {0};

    while (om_identity_from_seed(&other, seed) != OM_OK)
        seed[0]++;
    const struct om_id absent = other.id;
    om_identity_wipe(&other);
    OM_TRY(begin(&p) && pair_connect(&p, 0) == OM_OK);
    OM_TRY(om_node_connect(p.side[0].node, p.now, &p.network, &absent, &nowhere, 1) == OM_OK);
    for (unsigned i = 0; i < 60; i++) {
        OM_TRY(om_node_ping(p.side[0].node, p.now, &p.network, &p.side[1].id, i) == OM_OK);
        pair_run(&p, p.now + OM_SEC(1));
    }
    CHECK_OK(om_node_path_why(p.side[0].node, p.now, &p.network, &absent, &w));
    CHECK(!w.has_session && !w.is_blocked);
    CHECK_EQ(w.hints[0].kind, OM_HINT_SILENT);
    CHECK_EQ(p.side[0].events[OM_EVENT_UDP_BLOCKED], 0);
out:
    pair_fini(&p);
}

static void tells(struct pair *p, const struct om_addr *a)
{
    struct om_where w = {.own_count = 2};

    w.own[0] = p->side[1].addr;
    w.own[1] = *a;
    CHECK_OK(om_node_where(p->side[1].node, p->now, &w));
    pair_run(p, p->now + OM_SEC(10));
}

OM_TEST(node_why_tells_what_was_not_asked)
{
    const struct om_addr metadata = om_addr_v4(0xa9fea9fe, 80), home = om_addr_v4(0xc0a80107, 80);
    struct om_path_why w;
    struct pair p = {0};

    OM_TRY(begin(&p) && pair_connect(&p, 0) == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    tells(&p, &metadata);
    tells(&p, &home);
    w = why(&p, 0);
    unsigned seen = 0;
    for (unsigned i = 0; i < w.attempt_count; i++) {
        if (om_addr_equal(&w.attempts[i].addr, &home)) {
            CHECK_EQ(w.attempts[i].saw, OM_SAW_UNASKED);
            CHECK_STR(w.attempts[i].reason, "foreign");
            seen++;
        }
        if (om_addr_equal(&w.attempts[i].addr, &metadata)) {
            CHECK_STR(w.attempts[i].reason, "nowhere");
            seen++;
        }
    }
    CHECK_EQ(seen, 2);
out:
    pair_fini(&p);
}

/* Two strangers say that we are seen at @outside, whatever we send to. */
static void seen_at(struct pair *p, const struct om_addr *outside)
{
    struct om_node *n = p->side[0].node;
    struct om_nat *nat = &n->where.nats[0];

    for (uint8_t i = 1; i <= 3; i++) {
        const struct om_nat_sample s = {.peer = {{i}},
                                        .local = p->side[0].addr,
                                        .to = om_addr_v4(0x0c000001U + ((uint32_t)i << 16), 18002),
                                        .seen = *outside,
                                        .at = p->now};
        CHECK_EQ(om_nat_sample(nat, p->now, nat->generation, &s), OM_NAT_TAKEN);
    }
    CHECK_EQ(om_nat_judge(nat, p->now)->class, OM_NAT_EIM);
    node_hairpin_look(n, p->now);
}

static const char *hairpin(const struct pair *p)
{
    struct om_netcheck c;

    om_node_netcheck(p->side[0].node, p->now, &p->network, &c);
    return c.families[0].hairpin;
}

OM_TEST(node_hairpin_is_what_comes_back)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    const struct om_addr outside = p.side[1].addr; /* where there is somebody who sees it */
    CHECK_STR(hairpin(&p), "unknown");
    seen_at(&p, &outside);
    pair_run(&p, p.now + OM_MS(20));
    OM_TRY(p.sent == 1);
    const struct pair_dgram *d = &p.tape[0];
    CHECK_STR(hairpin(&p), "unknown");
    CHECK_EQ(pair_info(&p, 1).drops[OM_DROP_HELLO_LINK], 1); /* to anybody else it says nothing */
    pair_inject_from(&p, 0, &outside, d->bytes, d->len);
    CHECK_STR(hairpin(&p), "yes");
    pair_inject_from(&p, 0, &outside, d->bytes, d->len); /* once */
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_HELLO_LINK], 1);
    pair_run(&p, p.now + OM_SEC(60));
    CHECK_EQ(p.sent, 1);
out:
    pair_fini(&p);
}

OM_TEST(node_hairpin_asks_three_times)
{
    const struct om_addr outside = om_addr_v4(0x0b000101, 40000);
    struct om_where w = {.own_count = 1};
    struct pair p = {0};

    OM_TRY(begin(&p));
    seen_at(&p, &outside);
    pair_run(&p, p.now + OM_SEC(30));
    CHECK_EQ(pair_info(&p, 0).datagrams_out, OM_NAT_HAIRPIN_MISSES);
    CHECK_STR(hairpin(&p), "no");
    w.own[0] = om_addr_v4(0x0a000077, 18002); /* networks that come and go have no three each */
    CHECK_OK(om_node_where(p.side[0].node, p.now, &w));
    seen_at(&p, &outside);
    pair_run(&p, p.now + OM_SEC(30));
    CHECK_EQ(pair_info(&p, 0).datagrams_out, OM_NAT_HAIRPIN_MISSES);
    CHECK_STR(hairpin(&p), "unknown");
    pair_run(&p, p.now + OM_SEC(600));
    seen_at(&p, &outside);
    pair_run(&p, p.now + OM_SEC(30));
    CHECK_EQ(pair_info(&p, 0).datagrams_out, 2 * OM_NAT_HAIRPIN_MISSES);
out:
    pair_fini(&p);
}
