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
