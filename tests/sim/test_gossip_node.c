/* test_gossip_node.c - gossip of whole nodes, as programs see it. */
#include "harness.h"

#include "crowd.h"
#include "fault.h"
#include "request.h"

enum { NODES = 20 };

static const struct om_id *net(const struct sim_crowd *c)
{
    return &c->w->networks[0].id;
}

static const struct om_id *id_of(const struct sim_crowd *c, unsigned i)
{
    return sim_actor_id(c->nodes[i], &c->w->networks[0]);
}

OM_TEST(gossip_node_meets_one_and_knows_all)
{
    const struct sim_node_spec spec = {.gossip = true};
    struct sim_crowd c;

    sim_crowd_init(&c, 1, NODES, OM_MS(100));
    sim_run(c.w, c.w->now + OM_SEC(60));
    struct sim_actor *late = sim_node_add(c.w, "late", &spec);
    CHECK_EQ(sim_crowd_info(late).known, 1); /* itself */
    CHECK_OK(sim_connect(late, NULL, c.nodes[5], NULL, 0));
    sim_run(c.w, c.w->now + OM_SEC(5));
    CHECK_EQ(sim_crowd_info(late).known, NODES + 1);
    for (unsigned i = 0; i < NODES; i++)
        CHECK_EQ(sim_crowd_info(c.nodes[i]).known, NODES + 1);
    struct om_id ids[NODES + 1];
    struct om_announce a;
    uint64_t made;
    CHECK_EQ(om_node_peers(late->node, net(&c), ids, NODES + 1), NODES);
    for (unsigned i = 1; i < NODES; i++)
        CHECK(om_id_cmp(&ids[i - 1], &ids[i]) < 0);
    const struct om_id lowest = ids[0], next = ids[1];
    CHECK_EQ(om_node_peers(late->node, net(&c), ids, 2), NODES);
    CHECK(om_id_equal(&ids[0], &lowest) && om_id_equal(&ids[1], &next));
    sim_node_announce(c.nodes[7], "seven");
    sim_node_drain(c.nodes[7]);
    sim_run(c.w, c.w->now + OM_SEC(5));
    CHECK_OK(om_node_record(late->node, net(&c), id_of(&c, 7), &a, &made));
    CHECK_STR(a.name, "seven");
    CHECK(a.end_count > 0 && made > 0);
    CHECK_ERR(om_node_record(late->node, net(&c), net(&c), &a, &made), OM_E_MISSING);
    /* Known is reachable: nobody ever told it where node 11 is. */
    CHECK_EQ(late->records, NODES + 1); /* one of them twice */
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

OM_TEST(gossip_node_tells_which_ends_are_mapped)
{
    struct om_announce a = {.ends = {om_addr_v4(0x0b000001, 18002), om_addr_v4(0x0a000002, 18002)},
                            .mapped = {true, false},
                            .end_count = 2};
    struct om_announce heard;
    struct sim_crowd c;

    sim_crowd_settled(&c, 4, NODES, NODES);
    CHECK_OK(om_node_announce(c.nodes[3]->node, sim_node_clock(c.nodes[3]), net(&c), &a));
    sim_node_drain(c.nodes[3]);
    sim_run(c.w, c.w->now + OM_SEC(60));
    CHECK_OK(om_node_record(c.nodes[9]->node, net(&c), id_of(&c, 3), &heard, NULL));
    CHECK_EQ(heard.end_count, 2);
    CHECK(heard.mapped[0] && !heard.mapped[1]);
    CHECK(om_addr_equal(&heard.ends[0], &a.ends[0]) && om_addr_equal(&heard.ends[1], &a.ends[1]));
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

OM_TEST(gossip_node_finds_by_key)
{
    const struct om_id nobody = {{0x55, 0x55}};
    struct sim_crowd c;
    unsigned found;

    sim_crowd_settled(&c, 2, 200, 20); /* each knows a tenth of the others */
    struct sim_actor *a = c.nodes[0];
    for (unsigned i = 1; i <= 10; i++) {
        CHECK_OK(om_node_seek(a->node, sim_node_clock(a), net(&c), id_of(&c, 19 * i)));
        sim_node_drain(a);
    }
    sim_run(c.w, OM_SEC(40));
    found = (unsigned)a->found;
    print_message("each knows a tenth: %u of 10 sought were found\n", found);
    CHECK_EQ(a->sought, 10);
    CHECK(found >= 5);
    CHECK_OK(om_node_seek(a->node, sim_node_clock(a), net(&c), &nobody));
    CHECK_ERR(om_node_seek(a->node, sim_node_clock(a), net(&c), &nobody), OM_E_BUSY);
    sim_node_drain(a);
    sim_run(c.w, OM_SEC(120));
    CHECK_EQ(a->sought, 11);
    CHECK_EQ(a->found, found);
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

OM_TEST(gossip_node_items_arrive)
{
    struct sim_crowd c;
    unsigned have = 0;

    sim_crowd_settled(&c, 3, NODES, NODES);
    for (unsigned i = 0; i < NODES; i += 2)
        CHECK_OK(om_node_subscribe(c.nodes[i]->node, net(&c), "load"));
    sim_run(c.w, OM_SEC(60));
    CHECK_OK(om_node_publish(c.nodes[1]->node, sim_node_clock(c.nodes[1]), net(&c), "load",
                             om_bytes("0.5", 3), 600));
    CHECK_ERR(om_node_publish(c.nodes[1]->node, sim_node_clock(c.nodes[1]), net(&c), "",
                              om_bytes("0.5", 3), 600),
              OM_E_RANGE);
    sim_node_drain(c.nodes[1]);
    sim_run(c.w, c.w->now + OM_SEC(200));
    for (unsigned i = 0; i < NODES; i++) {
        CHECK_EQ(c.nodes[i]->items, i % 2 == 0); /* once, and only who wants to know */
        have += sim_crowd_info(c.nodes[i]).items;
    }
    CHECK_EQ(have, NODES); /* all pass it on */
    CHECK_STR(c.nodes[4]->item, "0.5");
    sim_crowd_fini(&c);
}

OM_TEST(gossip_node_recalls_what_it_knew)
{
    struct sim_crowd c;

    /* sim_crowd_settled() gives each node, after its start, what others had said. */
    sim_crowd_settled(&c, 4, NODES, NODES);
    CHECK_EQ(sim_crowd_info(c.nodes[3]).known, NODES);
    sim_run(c.w, OM_SEC(300));
    sim_node_announce(c.nodes[3], "renamed"); /* and that is enough to be heard */
    sim_node_drain(c.nodes[3]);
    sim_run(c.w, OM_SEC(420));
    for (unsigned i = 0; i < NODES; i++)
        CHECK(sim_crowd_is_current(c.nodes[i], c.nodes[3]));
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}
