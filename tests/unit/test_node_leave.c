/* test_node_leave.c - networks end while the node goes on, and direct ones let in whom they pin. */
#include "harness.h"

#include <omerta/gossip.h>

#include "crypto/kdf.h"
#include "node/state.h"
#include "pair.h"

/* The network of the pair, or another beside it. */
static struct om_network_config config_of(const struct pair *p, uint8_t which)
{
    struct om_network_config c = {.id = p->network, .open = true, .gossip = true};
    const uint8_t salt[2] = {which};

    c.id.b[0] ^= which;
    om_hash(c.secret, om_bytes("secret", 6), om_bytes(salt, sizeof salt));
    return c;
}

static bool meet(struct pair *p)
{
    const struct pair_options o = pair_defaults();

    if (!pair_init(p, &o) || pair_connect(p, 0) != OM_OK)
        return false;
    pair_run(p, p->now + OM_SEC(1));
    return pair_peer(p, 0).has_session && pair_peer(p, 1).has_session;
}

OM_TEST(node_leave_says_goodbye_and_forgets)
{
    struct om_peer_info info;
    struct pair p = {0};

    OM_TRY(meet(&p));
    struct om_node *n = p.side[0].node;
    CHECK_OK(om_node_leave(n, p.now, &p.network));
    CHECK_EQ(om_node_leave(n, p.now, &p.network), OM_E_MISSING);
    CHECK(om_node_id(n, &p.network) == NULL);
    CHECK_EQ(om_node_peer_info(n, p.now, &p.network, &p.side[1].id, &info), OM_E_MISSING);
    CHECK_EQ(n->keyring.count, 0);
    CHECK_EQ(n->sessions.live, 0);
    CHECK_EQ(pair_send(&p, 0, "into nothing"), OM_E_MISSING);
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_EQ(p.side[1].events[OM_EVENT_CLOSED], 1);
    CHECK(!pair_peer(&p, 1).has_session);

    unsigned before = p.sent; /* silence from now on, whatever comes */
    CHECK_OK(pair_connect(&p, 1));
    pair_run(&p, p.now + OM_SEC(5));
    unsigned to_other = 0;
    for (unsigned i = before; i < p.sent; i++)
        to_other += p.tape[i].to == 1;
    CHECK_EQ(to_other, 0);
out:
    pair_fini(&p);
}

OM_TEST(node_leave_and_join_again)
{
    struct pair p = {0};

    OM_TRY(meet(&p));
    struct om_node *n = p.side[0].node;
    const struct om_network_config c = config_of(&p, 0);
    CHECK_OK(om_node_leave(n, p.now, &p.network));
    pair_run(&p, p.now + OM_SEC(1));
    OM_TRY(om_node_join(n, &c, NULL) == OM_OK);
    CHECK(om_id_equal(om_node_id(n, &p.network), &p.side[0].id)); /* the key of this home there */
    CHECK_OK(pair_connect(&p, 0));
    CHECK_OK(pair_send(&p, 0, "once more"));
    pair_run(&p, p.now + OM_SEC(3));
    CHECK(pair_peer(&p, 1).has_session);
    CHECK_STR(p.side[1].last, "once more");
out:
    pair_fini(&p);
}

/* The one that stays moves to another place of every table, with all that runs in it. */
OM_TEST(node_leave_leaves_other_networks_alone)
{
    struct pair p = {0};
    struct om_peer_info info;
    bool is_heard = false;

    OM_TRY(meet(&p));
    const struct om_network_config other = config_of(&p, 7);
    struct om_id id[2];
    for (int i = 0; i < 2; i++) {
        const struct om_announce a = {.ends = {p.side[i].addr}, .end_count = 1};
        OM_TRY(om_node_join(p.side[i].node, &other, NULL) == OM_OK);
        OM_TRY(om_node_announce(p.side[i].node, p.now, &other.id, &a) == OM_OK);
        id[i] = *om_node_id(p.side[i].node, &other.id);
        CHECK(!om_id_equal(&id[i], &p.side[i].id));
    }
    CHECK_OK(om_node_connect(p.side[0].node, p.now, &other.id, &id[1], &p.side[1].addr, 1));
    pair_run(&p, p.now + OM_SEC(2));
    CHECK_OK(om_node_leave(p.side[0].node, p.now, &p.network));
    CHECK_OK(om_node_ping(p.side[0].node, p.now, &other.id, &id[1], 1));
    pair_run(&p, p.now + OM_SEC(30));
    CHECK_EQ(p.side[0].pongs, 1);
    CHECK(om_node_peer_info(p.side[1].node, p.now, &other.id, &id[0], &info) == OM_OK);
    struct om_announce says;
    is_heard = om_node_record(p.side[0].node, &other.id, &id[1], &says, NULL) == OM_OK;
    CHECK(is_heard || om_test_oom_hit()); /* gossip goes on */
out:
    pair_fini(&p);
}

static struct om_pins pins_of(unsigned left, const struct om_id *one)
{
    struct om_pins p = {.is_on = true, .left = left};

    if (one)
        p.key[p.count++] = *one;
    return p;
}

/* Side 1 pins @theirs; does side 0 get through, and what are the pins then? */
static bool gets_in(const struct om_pins *theirs, struct om_pins *after)
{
    const struct pair_options o = pair_defaults();
    struct pair p = {0};
    bool is_in = false;

    if (pair_init(&p, &o) && om_node_set_pins(p.side[1].node, &p.network, theirs) == OM_OK &&
        pair_connect(&p, 0) == OM_OK) {
        pair_run(&p, p.now + OM_SEC(2));
        is_in = pair_peer(&p, 1).has_session;
        CHECK_OK(om_node_pins(p.side[1].node, &p.network, after));
    }
    pair_fini(&p);
    return is_in;
}

OM_TEST(node_meets_only_whom_it_pinned)
{
    const struct pair_options o = pair_defaults();
    const struct om_id nobody = {.b = {9}};
    struct om_pins after = {0}, open = pins_of(1, NULL), shut = pins_of(0, &nobody);
    struct pair p = {0};

    bool is_in = gets_in(&open, &after);
    if (om_test_oom_hit())
        return;
    CHECK(is_in);
    CHECK(after.count == 1 && after.left == 0); /* who came first is it */
    struct om_pins named = after;
    CHECK(gets_in(&named, &after));
    CHECK(!gets_in(&shut, &after));
    CHECK(after.count == 1 && om_id_equal(&after.key[0], &nobody));

    OM_TRY(pair_init(&p, &o)); /* and whom it does not pin it does not even ask */
    CHECK_OK(om_node_set_pins(p.side[0].node, &p.network, &shut));
    CHECK_EQ(pair_connect(&p, 0), OM_E_RANGE);
    pair_run(&p, p.now + OM_SEC(2));
    CHECK_EQ(p.sent, 0);
out:
    pair_fini(&p);
}
