/* test_node_where.c - what a node learns of where it is, and believes of where others are. */
#include "harness.h"

#include <omerta/where.h>

#include "node/state.h"
#include "pair.h"

static struct om_where at(const struct om_addr *own, unsigned count)
{
    struct om_where w = {.own_count = count, .near_count = 1};

    memcpy(w.own, own, count * sizeof *own);
    CHECK_OK(om_cidr_parse(&w.near[0], "10.0.0.0/24", NULL));
    return w;
}

static bool begin(struct pair *p)
{
    const struct pair_options o = pair_defaults();

    if (!pair_init(p, &o))
        return false;
    for (int i = 0; i < 2; i++) {
        const struct om_where w = at(&p->side[i].addr, 1);
        if (om_node_where(p->side[i].node, p->now, &w) != OM_OK)
            return false;
    }
    if (pair_connect(p, 0) != OM_OK)
        return false;
    pair_run(p, p->now + OM_SEC(1));
    return pair_peer(p, 0).has_session && pair_peer(p, 1).has_session;
}

static struct om_peer *other(const struct pair *p, int side)
{
    const struct om_node *n = p->side[side].node;

    return om_peers_find(&n->peers, n->networks[0], &p->side[!side].id);
}

static bool knows_path(const struct pair *p, int side, const struct om_addr *to)
{
    const struct om_via via = {.remote = *to};

    return om_paths_find(other(p, side)->paths, &via) != NULL;
}

OM_TEST(node_where_tells_candidates)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    const struct om_addr own[2] = {p.side[1].addr, om_addr_v4(0x0a000063, 4242)};
    struct om_where w = at(own, 2);
    CHECK(!knows_path(&p, 0, &own[1]));
    CHECK_OK(om_node_where(p.side[1].node, p.now, &w));
    pair_run(&p, p.now + OM_MS(50));
    CHECK(knows_path(&p, 0, &own[1])); /* it is near, and b says so */
    uint64_t told = pair_info(&p, 1).datagrams_out;
    CHECK_OK(om_node_where(p.side[1].node, p.now, &w)); /* no news */
    pair_run(&p, p.now + OM_MS(50));
    CHECK_EQ(pair_info(&p, 1).datagrams_out, told);
    w.own_count = OM_WHERE_OWN_MAX + 1;
    CHECK_ERR(om_node_where(p.side[1].node, p.now, &w), OM_E_RANGE);
out:
    pair_fini(&p);
}

OM_TEST(node_where_takes_no_foreign_ones)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    const struct om_addr own[] = {
        om_addr_v4(0x7f000001, 53),   /* itself */
        om_addr_v4(0xa9fea9fe, 80),   /* metadata of a cloud */
        om_addr_v4(0xe00000fb, 5353), /* a group */
        om_addr_v4(0xc0a80101, 80),   /* a router of somebody's home */
        p.side[0].addr,               /* whom it tells this */
        om_addr_v4(0x0a000063, 4242), /* the control: near */
    };
    const struct om_where w = at(own, OM_ARRAY_SIZE(own));
    CHECK_OK(om_node_where(p.side[1].node, p.now, &w));
    pair_run(&p, p.now + OM_MS(50));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(own); i++)
        CHECK_EQ(knows_path(&p, 0, &own[i]), i == OM_ARRAY_SIZE(own) - 1);
out:
    pair_fini(&p);
}

/* Sent by @side to wherever the other one is not. */
static uint64_t astray(const struct pair *p, int side)
{
    uint64_t out = pair_info(p, side).datagrams_out;

    for (unsigned i = 0; i < p->sent; i++)
        out -= p->tape[i].to != side;
    return out;
}

OM_TEST(node_where_spends_no_more_than_three)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    CHECK_EQ(astray(&p, 0), 0);
    struct om_addr own[4];
    for (unsigned i = 0; i < 4; i++)
        own[i] = om_addr_v4(0x0b162101, (uint16_t)(53 + i)); /* ports of one victim */
    const struct om_where w = at(own, 4);
    CHECK_OK(om_node_where(p.side[1].node, p.now, &w));
    pair_run(&p, p.now + OM_SEC(590));
    CHECK_EQ(astray(&p, 0), OM_REACH_STRANGER_MAX);
    CHECK(pair_info(&p, 0).drops[OM_DROP_REACH] > 0);
out:
    pair_fini(&p);
}

OM_TEST(node_where_fresh_lies_spend_no_more)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    for (unsigned i = 0; i < 58; i++) { /* each fresher than the last, and another port */
        const struct om_addr own = om_addr_v4(0x0b162101, (uint16_t)(53 + i));
        const struct om_where w = at(&own, 1);
        CHECK_OK(om_node_where(p.side[1].node, p.now, &w));
        pair_run(&p, p.now + OM_SEC(10));
    }
    CHECK_EQ(astray(&p, 0), OM_REACH_STRANGER_MAX); /* the control: it is not that none were sent */
    CHECK(pair_info(&p, 0).drops[OM_DROP_REACH] > 0);
out:
    pair_fini(&p);
}

OM_TEST(node_where_learns_from_pongs)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    struct om_node *n = p.side[0].node;
    CHECK_EQ(n->where.nats[0].count, 0); /* b is near: it does not see us through a NAT */
    struct om_where w = at(&p.side[0].addr, 1);
    w.near_count = 0;
    CHECK_OK(om_node_where(n, p.now, &w));
    CHECK_OK(om_node_ping(n, p.now, &p.network, &p.side[1].id, 7));
    pair_run(&p, p.now + OM_MS(50));
    CHECK_EQ(n->where.nats[0].count, 1);
    CHECK(om_addr_equal(&n->where.nats[0].samples[0].seen, &p.side[0].addr));
    CHECK_EQ(n->where.nats[1].count, 0);
out:
    pair_fini(&p);
}

OM_TEST(node_where_change_asks_all)
{
    struct pair p = {0};

    OM_TRY(begin(&p));
    uint64_t asked = other(&p, 0)->paths->all[0].asks_made;
    struct om_where w = at(&p.side[0].addr, 1);
    CHECK_OK(om_node_where(p.side[0].node, p.now, &w)); /* the same: nothing is asked */
    CHECK_EQ(other(&p, 0)->paths->all[0].asks_made, asked);
    w.near_count = 0;
    CHECK_OK(om_node_where(p.side[0].node, p.now, &w));
    CHECK_EQ(other(&p, 0)->paths->all[0].asks_made, asked + 1);
out:
    pair_fini(&p);
}
