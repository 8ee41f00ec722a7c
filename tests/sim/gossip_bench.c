/*
 * gossip_bench.c - omerta-gossip: how gossip behaves with 100, 1,000 and 10,000 nodes
 *
 * omerta-gossip [NODES...]
 *
 * For each size, in a network that has been running for long: the rounds (200 ms) until a change
 * is known by all who can be told, bytes that an idle node sends a minute, and memory per record.
 */
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "verify_cache.h"

enum { ROUNDS_MAX = 60, IDLE_MIN = 3, SETTLE_MIN = 45 };

/* Nodes that hold, or were told and passed on, the newest record of @a. */
static unsigned heard_of(const struct sim_crowd *c, const uint64_t *before)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->count; i++)
        n += sim_crowd_info(c->nodes[i]).entries_in > before[i];
    return n;
}

static void run(unsigned nodes)
{
    uint64_t *before = sim_alloc(nodes * sizeof *before);
    struct sim_crowd c;
    unsigned have = 0, round = 0;
    uint64_t bytes;

    sim_crowd_settled(&c, 1, nodes, nodes);
    sim_run(c.w, OM_SEC(60 * SETTLE_MIN));
    bytes = sim_crowd_bytes(&c);
    sim_run(c.w, c.w->now + OM_SEC(60 * IDLE_MIN));
    double idle = (double)(sim_crowd_bytes(&c) - bytes) / IDLE_MIN / nodes;

    for (unsigned i = 0; i < nodes; i++)
        before[i] = sim_crowd_info(c.nodes[i]).entries_in;
    sim_node_announce(c.nodes[nodes / 2], "renamed");
    sim_node_drain(c.nodes[nodes / 2]);
    printf("%u nodes: share that has the change, by round:", nodes);
    while (round < ROUNDS_MAX && have < (nodes - 1) * 999ul / 1000) {
        sim_run(c.w, c.w->now + OM_MS(200));
        have = heard_of(&c, before);
        round++;
        printf(" %.1f%%", 100.0 * have / (nodes - 1));
        (void)fflush(stdout);
    }
    const struct om_gossip_info info = sim_crowd_info(c.nodes[0]);
    printf("\n%u nodes: 99.9 %% after %u rounds; idle %.0f bytes a minute for each; "
           "%u records of %.0f bytes\n",
           nodes, round, idle, info.known, (double)info.bytes / info.known);
    if (c.w->broken[0])
        printf("broken: %s\n", c.w->broken);
    sim_crowd_fini(&c);
    free(before);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {100, 1000, 10000};

    for (int i = 1; i < argc; i++) {
        char *end;
        unsigned long n = strtoul(argv[i], &end, 10);
        if (*end || n < 2 || n > SIM_ACTORS_MAX) {
            fprintf(stderr, "%s: %s: want a number of nodes, 2 to %d\n", argv[0], argv[i],
                    SIM_ACTORS_MAX);
            return 2;
        }
        run((unsigned)n);
    }
    for (unsigned i = 0; argc == 1 && i < OM_ARRAY_SIZE(sizes); i++)
        run(sizes[i]);
    printf("signatures: %lu checked, %lu remembered\n", sim_verify_checked(),
           sim_verify_remembered());
    return 0;
}
