/* prop_gossip.c - a thousand nodes know each other: how fast, at what price, whoever lies. */
#include "harness.h"

#include <stdlib.h>

#include "crowd.h"
#include "fault.h"

enum { NODES = 1000 };

static unsigned knowing_all(const struct sim_crowd *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->count; i++)
        n += sim_crowd_info(c->nodes[i]).known >= c->count;
    return n;
}

OM_TEST(prop_a_thousand_nodes_know_each_other)
{
    struct sim_crowd c;
    uint64_t *before = calloc(NODES, sizeof *before), bytes;
    unsigned have = 0, rounds = 0;

    CHECK(before);
    sim_crowd_init(&c, 1, NODES, OM_MS(5));
    for (unsigned minute = 0; minute < 5 && knowing_all(&c) < NODES; minute++) {
        sim_run(c.w, c.w->now + OM_SEC(60));
        print_message("%u min after the last came: %u of %u know all\n", minute + 1,
                      knowing_all(&c), NODES);
    }
    CHECK_EQ(knowing_all(&c), NODES);

    sim_crowd_records(&c, before);
    sim_node_announce(c.nodes[7], "renamed");
    sim_node_drain(c.nodes[7]);
    while (have + 1 < NODES && rounds < 100) {
        sim_run(c.w, c.w->now + OM_MS(200));
        have = sim_crowd_have(&c, before, 1);
        rounds++;
        print_message("round %2u: %4u of %u have the change\n", rounds, have, NODES - 1);
        if (have >= (NODES - 1) * 999 / 1000)
            break;
    }
    CHECK(have >= (NODES - 1) * 999 / 1000);
    CHECK(rounds <= 20);

    bytes = sim_crowd_bytes(&c);
    sim_run(c.w, c.w->now + OM_SEC(300));
    print_message("idle: %.0f bytes a minute for each node; %.0f bytes of memory for each record\n",
                  (double)(sim_crowd_bytes(&c) - bytes) / 5 / NODES,
                  (double)sim_crowd_info(c.nodes[0]).bytes / sim_crowd_info(c.nodes[0]).known);
    CHECK(sim_crowd_info(c.nodes[0]).bytes / sim_crowd_info(c.nodes[0]).known < 1024);
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
    free(before);
}
