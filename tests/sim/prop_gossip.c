/* prop_gossip.c - a thousand nodes know each other: how fast, at what price, whoever lies. */
#include "harness.h"

#include <stdlib.h>

#include "crowd.h"
#include "fault.h"

enum { NODES = OM_HAS_SANITIZER ? 150 : 1000 }; /* ten times slower there */

enum { CHURNING = 200, HOSTILE_IN = 20, NEWCOMERS = 200 };

static unsigned knowing_all(const struct sim_crowd *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->count; i++)
        n += sim_crowd_info(c->nodes[i]).known >= c->count;
    return n;
}

OM_TEST(prop_newcomers_and_all_know_each_other)
{
    struct sim_crowd c;

    sim_crowd_init(&c, 1, NEWCOMERS, OM_MS(5));
    for (unsigned minute = 0; minute < 5 && knowing_all(&c) < NEWCOMERS; minute++) {
        sim_run(c.w, c.w->now + OM_SEC(60));
        print_message("%u min after the last came: %u of %u know all\n", minute + 1,
                      knowing_all(&c), NEWCOMERS);
    }
    CHECK_EQ(knowing_all(&c), NEWCOMERS);
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

OM_TEST(prop_a_thousand_nodes_hear_of_a_change)
{
    struct sim_crowd c;
    uint64_t *before = calloc(NODES, sizeof *before), bytes;
    unsigned have = 0, rounds = 0;

    CHECK(before);
    sim_crowd_settled(&c, 1, NODES, NODES);
    sim_run(c.w, OM_SEC(600));
    bytes = sim_crowd_bytes(&c);
    sim_run(c.w, c.w->now + OM_SEC(180));
    double idle = (double)(sim_crowd_bytes(&c) - bytes) / 3 / NODES;
    sim_crowd_records(&c, before);
    sim_node_announce(c.nodes[7], "renamed");
    sim_node_drain(c.nodes[7]);
    while (have < (NODES - 1) * 999 / 1000 && rounds < 100) {
        sim_run(c.w, c.w->now + OM_MS(200));
        have = sim_crowd_have(&c, before, 1);
        rounds++;
        print_message("round %2u: %4u of %u have the change\n", rounds, have, NODES - 1);
    }
    const struct om_gossip_info info = sim_crowd_info(c.nodes[0]);
    print_message("idle: %.0f bytes a minute for each node; %.0f bytes of memory for each record\n",
                  idle, (double)info.bytes / info.known);
    CHECK(rounds <= 20);
    CHECK(idle < 4000);
    CHECK(info.bytes / info.known < 1024);
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
    free(before);
}

/* Rounds until all but one in a thousand of the honest nodes from @first on have a change of
 * @first. */
static unsigned rounds_to_tell(struct sim_crowd *c, unsigned first, const char *name)
{
    uint64_t *before = calloc(c->count, sizeof *before);
    unsigned round = 0, have = 0;

    CHECK(before);
    for (unsigned i = first; i < c->count; i++)
        before[i] = sim_crowd_sequence(c->nodes[i], c->nodes[first]);
    sim_node_announce(c->nodes[first], name);
    sim_node_drain(c->nodes[first]);
    while (round < 300 && have < (c->count - first - 1) * 999 / 1000) {
        sim_run(c->w, c->w->now + OM_MS(200));
        round++;
        have = 0;
        for (unsigned i = first + 1; i < c->count; i++)
            have += sim_crowd_sequence(c->nodes[i], c->nodes[first]) > before[i];
    }
    free(before);
    return round;
}

OM_TEST(prop_churn_leaves_nobody_behind)
{
    struct sim_crowd c;
    unsigned up = 0;

    sim_crowd_settled(&c, 2, CHURNING, CHURNING);
    sim_run(c.w, OM_SEC(60));
    /* Each minute one in ten leaves for a minute and comes back at another address. */
    for (unsigned minute = 0; minute < 10; minute++) {
        for (unsigned k = 0; k < CHURNING / 10; k++) {
            struct sim_actor *a = c.nodes[(minute * 37 + k * 10) % CHURNING];
            if (!a->node)
                continue;
            CHECK_OK(sim_crash(a));
            sim_run(c.w, c.w->now + OM_SEC(3));
        }
        for (unsigned i = 0; i < CHURNING; i++) {
            if (c.nodes[i]->node)
                continue;
            sim_actor_settle(c.nodes[i]);
            CHECK_OK(sim_restart(c.nodes[i], false, false));
            sim_crowd_join(&c, c.nodes[i]);
        }
    }
    sim_run(c.w, c.w->now + OM_SEC(90));
    for (unsigned i = 0; i < CHURNING; i++)
        for (unsigned k = 0; k < CHURNING; k++)
            up += sim_crowd_knows_place(c.nodes[i], c.nodes[k]);
    print_message("churn of 10 %% a minute: %.2f %% of what nodes know of places is right\n",
                  100.0 * up / CHURNING / CHURNING);
    CHECK(up >= CHURNING * CHURNING / 100 * 97); /* the last of them left 90 s ago */
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

OM_TEST(prop_partition_heals)
{
    struct sim_crowd c;
    unsigned half = CHURNING / 2;

    sim_crowd_settled(&c, 3, CHURNING, CHURNING);
    sim_run(c.w, OM_SEC(60));
    for (unsigned i = 0; i < half; i++)
        for (unsigned k = half; k < CHURNING; k++)
            sim_cut(c.nodes[i], c.nodes[k], true);
    sim_run(c.w, c.w->now + OM_SEC(30));
    for (unsigned i = 0; i < 20; i++) { /* ten changes on either side */
        sim_node_announce(c.nodes[i * 10], "while apart");
        sim_node_drain(c.nodes[i * 10]);
    }
    sim_run(c.w, c.w->now + OM_SEC(300));
    unsigned across = 0, within = 0, healed = 0;
    for (unsigned i = 0; i < CHURNING; i++)
        for (unsigned k = 0; k < 20; k++)
            if (sim_crowd_is_current(c.nodes[i], c.nodes[k * 10]))
                (i < half) == (k * 10 < half) ? within++ : across++;
    CHECK_EQ(across, 0);
    CHECK(within >= CHURNING * 10 * 999 / 1000);
    for (unsigned i = 0; i < half; i++)
        for (unsigned k = half; k < CHURNING; k++)
            sim_cut(c.nodes[i], c.nodes[k], false);
    unsigned minutes = 0;
    while (healed < CHURNING * 20 && minutes < 30) {
        sim_run(c.w, c.w->now + OM_SEC(60));
        minutes++;
        healed = 0;
        for (unsigned i = 0; i < CHURNING; i++)
            for (unsigned k = 0; k < 20; k++)
                healed += sim_crowd_is_current(c.nodes[i], c.nodes[k * 10]);
    }
    print_message("a partition of 5.5 min is healed everywhere after %u min\n", minutes);
    CHECK(minutes < 30);
    CHECK_STR(c.w->broken, "");
    sim_crowd_fini(&c);
}

/* One node in HOSTILE_IN lies with its mouth full: forged, old, future, oversized, and its own
 * record anew all the time. */
OM_TEST(prop_liars_grow_no_table_and_stop_no_rumour)
{
    struct sim_crowd honest, mixed;
    struct om_gossip_info sum = {.known = 0};
    unsigned liars = CHURNING / HOSTILE_IN, most = 0;

    sim_crowd_settled(&honest, 4, CHURNING, CHURNING);
    sim_run(honest.w, OM_SEC(120));
    unsigned quiet = rounds_to_tell(&honest, liars, "renamed");
    sim_crowd_fini(&honest);

    sim_crowd_settled(&mixed, 4, CHURNING, CHURNING);
    sim_run(mixed.w, OM_SEC(60));
    for (unsigned step = 0; step < 300; step++) {
        for (unsigned i = 0; i < liars; i++)
            sim_crowd_lie(&mixed, mixed.nodes[i], step);
        sim_run(mixed.w, mixed.w->now + OM_MS(200));
    }
    for (unsigned i = liars; i < CHURNING; i++) {
        struct om_gossip_info x = sim_crowd_info(mixed.nodes[i]);
        most = x.known + x.items > most ? x.known + x.items : most;
        sum.forged += x.forged;
        sum.old += x.old;
        sum.future += x.future;
        sum.oversize += x.oversize;
        sum.too_often += x.too_often;
        sum.over_quota += x.over_quota;
    }
    unsigned loud = rounds_to_tell(&mixed, liars, "renamed");
    print_message("rounds without liars %u, with %u; dropped: forged %llu, old %llu, future %llu, "
                  "oversize %llu, too often %llu, over quota %llu\n",
                  quiet, loud, (unsigned long long)sum.forged, (unsigned long long)sum.old,
                  (unsigned long long)sum.future, (unsigned long long)sum.oversize,
                  (unsigned long long)sum.too_often, (unsigned long long)sum.over_quota);
    CHECK(sum.forged > 0 && sum.old > 0 && sum.future > 0 && sum.oversize > 0);
    CHECK(sum.too_often > 0);
    CHECK(most <= CHURNING + 1);
    CHECK(loud <= 2 * quiet);
    CHECK_STR(mixed.w->broken, "");
    sim_crowd_fini(&mixed);
}
