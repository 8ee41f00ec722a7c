/* test_node_trim.c - what a burst took of memory comes back once it is over. */
#include "harness.h"
#include "pair.h"

#include "node/state.h"

enum { BURST = 40, FEW = 16 };

OM_TEST(node_trim_gives_back_a_burst)
{
    struct pair_options o = pair_defaults();
    struct om_bytes word = om_bytes("one of many", 11);
    struct om_node *n;
    struct om_peer *peer;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    OM_TRY(pair_connect(&p, 0) == OM_OK);
    pair_run(&p, OM_SEC(2));
    n = p.side[0].node;
    OM_TRY(pair_peer(&p, 0).has_session);
    OM_TRY(peer = om_peers_find(&n->peers, node_network(n, &p.network), &p.side[1].id));
    for (unsigned i = 0; i < BURST; i++)
        CHECK_OK(om_node_send(n, p.now, &p.network, &p.side[1].id, "words", word));
    OM_TRY(n->acts.size > FEW && peer->carrier->loss.sent.size > FEW);
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_EQ(om_ring_count(&peer->carrier->loss.sent), 0);
    om_node_trim(n); /* a moment ago it needed all of that */
    CHECK(n->acts.size > FEW && peer->carrier->loss.sent.size > FEW);
    om_node_trim(n);
    CHECK_EQ(n->acts.size, 0);
    CHECK_EQ(peer->carrier->loss.sent.size, 0);
    CHECK_OK(pair_send(&p, 0, "goes as before"));
    pair_run(&p, p.now + OM_SEC(1));
    CHECK_STR(p.side[1].last, "goes as before");
out:
    pair_fini(&p);
}
