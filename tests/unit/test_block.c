/* test_block.c - a node that will have nothing to do with somebody. */
#include "harness.h"

#include <omerta/block.h>

#include "pair.h"

static bool meet(struct pair *p)
{
    const struct pair_options o = pair_defaults();

    if (!pair_init(p, &o) || pair_connect(p, 0) != OM_OK)
        return false;
    pair_run(p, p->now + OM_SEC(1));
    return pair_peer(p, 0).has_session && pair_peer(p, 1).has_session;
}

static enum om_err block(struct pair *p, int side, const struct om_id *key, bool is_on)
{
    return om_node_block(p->side[side].node, p->now, &p->network, key, is_on);
}

/* How many datagrams side 0 sent from the @first one on the tape. */
static unsigned said_since(const struct pair *p, unsigned first)
{
    unsigned count = 0;

    for (unsigned i = first; i < p->sent; i++)
        count += p->tape[i].to == 1;
    return count;
}

OM_TEST(block_ends_the_session_and_gets_silence)
{
    struct om_peer_info info;
    struct pair p = {0};

    OM_TRY(meet(&p));
    CHECK_OK(pair_send(&p, 1, "before"));
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_STR(p.side[0].last, "before");
    OM_TRY(block(&p, 0, &p.side[1].id, true) == OM_OK);
    CHECK_OK(block(&p, 0, &p.side[1].id, true)); /* once is enough */
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_EQ(p.side[1].events[OM_EVENT_CLOSED], 1);
    CHECK_EQ(om_node_peer_info(p.side[0].node, p.now, &p.network, &p.side[1].id, &info),
             OM_E_MISSING);
    const unsigned first = p.sent;
    CHECK_OK(pair_connect(&p, 1));
    CHECK_OK(pair_send(&p, 1, "after"));
    pair_run(&p, p.now + OM_SEC(20));
    CHECK(pair_info(&p, 0).drops[OM_DROP_HS_CREDENTIAL] > 1);
    CHECK_EQ(said_since(&p, first), 0);
    CHECK_STR(p.side[0].last, "before");
    CHECK_EQ(pair_connect(&p, 0), OM_E_RANGE); /* nor is it called */
out:
    pair_fini(&p);
}

OM_TEST(block_undone_lets_them_meet)
{
    struct pair p = {0};

    OM_TRY(meet(&p));
    OM_TRY(block(&p, 0, &p.side[1].id, true) == OM_OK);
    pair_run(&p, p.now + OM_SEC(2));
    CHECK(!pair_peer(&p, 1).has_session);
    CHECK_OK(block(&p, 0, &p.side[1].id, false));
    CHECK_OK(block(&p, 0, &p.side[1].id, false));
    CHECK(!om_node_is_blocked(p.side[0].node, &p.network, &p.side[1].id));
    CHECK_OK(pair_connect(&p, 1));
    CHECK_OK(pair_send(&p, 1, "again"));
    pair_run(&p, p.now + OM_SEC(10));
    CHECK_STR(p.side[0].last, "again");
out:
    pair_fini(&p);
}

OM_TEST(block_is_bounded_and_of_one_network)
{
    const struct pair_options o = pair_defaults();
    struct om_id list[OM_BLOCKED_MAX], key = {{0}};
    struct pair p = {0};

    OM_TRY(pair_init(&p, &o));
    struct om_node *n = p.side[0].node;
    CHECK_EQ(block(&p, 0, &p.side[0].id, true), OM_E_RANGE);
    CHECK_EQ(om_node_block(n, p.now, &key, &p.side[1].id, true), OM_E_MISSING);
    CHECK_EQ(om_node_blocked(n, &p.network, list, OM_BLOCKED_MAX), 0);
    for (unsigned i = OM_BLOCKED_MAX; i > 0; i--) {
        key.b[0] = (uint8_t)(i - 1);
        key.b[1] = 1;
        OM_TRY(block(&p, 0, &key, true) == OM_OK);
    }
    CHECK_EQ(block(&p, 0, &p.side[1].id, true), OM_E_FULL);
    CHECK_EQ(om_node_blocked(n, &p.network, list, OM_BLOCKED_MAX), OM_BLOCKED_MAX);
    for (unsigned i = 0; i < OM_BLOCKED_MAX; i++)
        CHECK_EQ(list[i].b[0], i);
    CHECK_OK(block(&p, 0, &list[7], false));
    CHECK_EQ(om_node_blocked(n, &p.network, list, 1), OM_BLOCKED_MAX - 1);
    CHECK_OK(block(&p, 0, &p.side[1].id, true));
    CHECK(om_node_is_blocked(n, &p.network, &p.side[1].id));
    CHECK_OK(om_node_leave(n, p.now, &p.network));
    CHECK_EQ(om_node_blocked(n, &p.network, NULL, 0), 0);
out:
    pair_fini(&p);
}
