/* test_node_path.c - what a node does with the ways to a peer: follow, prove, and spoof-proof. */
#include "harness.h"

#include "pair.h"

static bool talk_both_ways(struct pair *p)
{
    unsigned had[2] = {p->side[0].delivered, p->side[1].delivered};

    if (pair_send(p, 0, "a") != OM_OK || pair_send(p, 1, "b") != OM_OK)
        return false;
    pair_run(p, p->now + OM_MS(50));
    return p->side[0].delivered == had[0] + 1 && p->side[1].delivered == had[1] + 1;
}

static bool begin(struct pair *p)
{
    const struct pair_options o = pair_defaults();

    if (!pair_init(p, &o) || pair_connect(p, 0) != OM_OK)
        return false;
    pair_run(p, p->now + OM_SEC(1));
    return talk_both_ways(p);
}

static bool goes_to(const struct pair *p, int side, const struct om_addr *addr)
{
    const struct om_peer_info peer = pair_peer(p, side);

    return om_addr_equal(&peer.via.remote, addr);
}

/* Sent by @side to wherever the other one is not. */
static uint64_t astray(const struct pair *p, int side)
{
    uint64_t out = pair_info(p, side).datagrams_out;

    for (unsigned i = 0; i < p->sent; i++)
        out -= p->tape[i].to != side;
    return out;
}

OM_TEST(node_path_follows_a_peer_that_moved)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    CHECK_EQ(p.side[0].events[OM_EVENT_PATH_MOVED], 1); /* the first is a move, too */
    CHECK_EQ(astray(&p, 0), 0);
    p.side[1].addr = om_addr_v4(0x0a000063, 4242);
    CHECK_OK(pair_send(&p, 1, "here I am"));
    pair_run(&p, p.now + OM_MS(35)); /* there, its challenge, and back */
    CHECK_STR(p.side[0].last, "here I am");
    CHECK_EQ(p.side[0].events[OM_EVENT_PATH_MOVED], 2);
    CHECK(goes_to(&p, 0, &p.side[1].addr));
    CHECK(astray(&p, 0) > 0); /* the old address was asked, too */
    CHECK(talk_both_ways(&p));
    CHECK_EQ(p.side[0].events[OM_EVENT_PEER_RESTARTED], 0);
    CHECK_EQ(pair_peer(&p, 0).handshakes, 1);
out:
    pair_fini(&p);
}

/* b's own packet, sent on by somebody else: its address is asked once, and never carries. */
static bool catch_one(struct pair *p, const struct pair_dgram *d)
{
    struct pair_dgram *caught = p->filter_arg;

    if (caught->len > 0 || d->to != 0)
        return true;
    *caught = *d;
    return false;
}

OM_TEST(node_path_gives_a_spoofed_address_one_question)
{
    const struct om_addr victim = om_addr_v4(0xc6336401, 53);
    struct pair_dgram caught = {.len = 0};
    struct pair p = {0};

    OM_TRY(begin(&p));
    p.filter = catch_one;
    p.filter_arg = &caught;
    CHECK_OK(pair_send(&p, 1, "a packet that somebody else sends on"));
    pair_run(&p, p.now + OM_MS(15));
    OM_TRY(caught.len > 0);
    uint64_t before = astray(&p, 0);
    pair_inject_from(&p, 0, &victim, caught.bytes, caught.len);
    CHECK_STR(p.side[0].last, "a packet that somebody else sends on"); /* it is b's, after all */
    for (int i = 0; i < 600; i++) {
        if (i % 10 == 0)
            CHECK(talk_both_ways(&p));
        pair_run(&p, p.now + OM_SEC(1));
    }
    CHECK_EQ(astray(&p, 0), before + 1);
    CHECK(goes_to(&p, 0, &p.side[1].addr));
    CHECK_EQ(p.side[0].events[OM_EVENT_PATH_MOVED], 1);
out:
    pair_fini(&p);
}

struct half_met {
    struct pair p;
    uint64_t call; /* of the second side's, to the first */
    bool is_lost;  /* whatever the first still says */
    unsigned asked, refused;
};

static bool pass_unless_lost(struct pair *p, const struct pair_dgram *d)
{
    const struct half_met *m = p->filter_arg;

    return d->to == 0 || !m->is_lost;
}

static void count_calls(struct pair *p, int side, const struct om_act *act)
{
    struct half_met *m = p->on_call_arg;

    m->asked += side == 0 && act->kind == OM_ACT_CALL;
    m->refused += side == 1 && act->kind == OM_ACT_REPLY && !act->reply.is_ok;
}

/* The first side has the answer of the second, which has not had a word since. */
static bool meet_half(struct half_met *m)
{
    const struct pair_options o = pair_defaults();
    const struct om_call_config ask = {.method = "ask", .timeout = OM_SEC(5)};
    struct pair *p = &m->p;

    if (!pair_init(p, &o))
        return false;
    p->filter = pass_unless_lost;
    p->filter_arg = p->on_call_arg = m;
    p->on_call = count_calls;
    if (om_node_connect(p->side[1].node, p->now, &p->network, &p->side[0].id, NULL, 0) != OM_OK)
        return false;
    CHECK_ERR(pair_send(p, 1, "nobody came"), OM_E_NO_ROUTE);
    CHECK_OK(pair_connect(p, 0));
    pair_run(p, p->now + OM_MS(2 * PAIR_DELAY_MS));
    CHECK_OK(pair_send(p, 1, "waits for a way"));
    CHECK_OK(om_node_call(p->side[1].node, p->now, &p->network, &p->side[0].id, &ask, &m->call));
    return pair_peer(p, 0).has_session && !pair_peer(p, 1).has_session;
}

/* Whoever begins has the session half a round before the other has a way. */
OM_TEST(node_path_comes_with_the_first_word)
{
    struct half_met m = {.is_lost = false};

    OM_TRY(meet_half(&m));
    pair_run(&m.p, m.p.now + OM_MS(4 * PAIR_DELAY_MS));
    CHECK(pair_peer(&m.p, 1).has_session);
    CHECK_STR(m.p.side[0].last, "waits for a way");
    CHECK_EQ(m.asked, 1);
out:
    pair_fini(&m.p);
}

OM_TEST(node_path_that_never_comes_ends_the_call)
{
    struct half_met m = {.is_lost = false};

    OM_TRY(meet_half(&m));
    m.is_lost = true;
    pair_run(&m.p, m.p.now + OM_SEC(4));
    CHECK_EQ(m.refused, 0);
    pair_run(&m.p, m.p.now + OM_SEC(2));
    CHECK_EQ(m.refused, 1);
    CHECK_EQ(m.asked + m.p.side[0].delivered, 0);
    pair_run(&m.p, m.p.now + OM_SEC(60));
    CHECK_ERR(pair_send(&m.p, 1, "and nobody comes"), OM_E_NO_ROUTE);
    m.is_lost = false; /* the other one's handshakes come again */
    CHECK_OK(pair_connect(&m.p, 0));
    pair_run(&m.p, m.p.now + OM_SEC(60));
    CHECK(pair_peer(&m.p, 1).has_session);
out:
    pair_fini(&m.p);
}
