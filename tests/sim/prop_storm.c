/* prop_storm.c - whatever happened before: once the network is calm, who asks gets through. */
#include "harness.h"

#include <stdio.h>

#include "attack.h"
#include "fault.h"
#include "request.h"

enum { NODES = 12, DEEDS = 600, SEEDS = 6, PROBES = 30 };

struct storm {
    struct sim_world *w;
    struct sim_actor *nodes[NODES];
    struct sim_actor *insider;
    struct om_prng prng;
};

static struct sim_actor *draw(struct storm *s)
{
    return s->nodes[om_prng_below(&s->prng, NODES)];
}

static struct storm storm_new(uint64_t seed)
{
    struct storm s = {.w = sim_world_new(seed, NULL)};
    char name[16];

    om_prng_seed(&s.prng, seed);
    sim_network_add(s.w, "main", true, 0);
    for (unsigned i = 0; i < NODES; i++) {
        struct sim_node_spec spec = {
            .audit = true,
            .rekey = seed % 2 ? OM_SEC(20)
                              : 0, /* the same for all: key times are part of the protocol */
            .ciphers = i % 4 == 1 ? 1 : 0,
        };
        snprintf(name, sizeof name, "n%u", i);
        s.nodes[i] = sim_node_add(s.w, name, &spec);
        CHECK(s.nodes[i]);
    }
    s.insider = sim_attacker_add(s.w, "insider", true);
    return s;
}

/* A tape of two nodes begins, or what it holds by now comes again, from its sources or another. */
static void replay(struct storm *s, struct sim_actor *a, struct sim_actor *b)
{
    const struct sim_replay r = {
        .by = s->insider,
        .tape = sim_pair(s->w, a, b)->tape,
        .times = 1,
        .spacing = OM_MS(1),
        .own_source = om_prng_chance(&s->prng, 0.5),
    };

    if (sim_tape_count(r.tape) > 0)
        sim_replay_start(&r);
    else
        sim_record(a, b);
}

static void junk(struct storm *s, struct sim_actor *to)
{
    const struct sim_junk j = {
        .by = s->insider,
        .to = to,
        .kind = (enum sim_junk_kind)om_prng_below(&s->prng, SIM_JUNK_KIND_COUNT),
        .rate = 300,
        .length = OM_SEC(1),
        .size_min = 1,
        .size_max = 1200,
        .sources = (unsigned)om_prng_below(&s->prng, 50),
    };

    sim_junk_start(&j);
}

static void worsen(struct storm *s)
{
    struct sim_link_model *m = &s->w->model;

    m->jitter = OM_MS(om_prng_below(&s->prng, 80));
    m->loss.ppm = (uint32_t)om_prng_below(&s->prng, 400000);
    m->dup_ppm = (uint32_t)om_prng_below(&s->prng, 100000);
    m->corrupt_ppm = (uint32_t)om_prng_below(&s->prng, 50000);
    m->loss.burst = (uint32_t)om_prng_below(&s->prng, 20);
    m->reorder = (uint32_t)om_prng_below(&s->prng, 64);
}

/* One random deed; that a node refuses some of them is no matter here. */
static void deed(struct storm *s)
{
    struct sim_actor *a = draw(s), *b = draw(s);
    enum om_err e = OM_OK;

    if (a == b)
        return;
    switch (om_prng_below(&s->prng, 17)) {
    case 0:
    case 1:
    case 2:
        e = sim_connect(a, NULL, b, NULL, 0);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        for (unsigned i = 0; i < 20 && e == OM_OK; i++)
            e = sim_send(a, NULL, b, "chat", om_bytes("in the storm", 12), 300);
        break;
    case 7:
        e = a->node ? sim_ping(a, NULL, b) : OM_OK;
        break;
    case 8:
        e = sim_close(a, NULL, b);
        break;
    case 9:
        e = a->node ? sim_crash(a) : sim_restart(a, om_prng_chance(&s->prng, 0.3), false);
        break;
    case 10:
        sim_move(a);
        break;
    case 11:
        sim_cut(a, b, om_prng_chance(&s->prng, 0.5));
        break;
    case 12:
        sim_step_wall(a, OM_SEC(om_prng_below(&s->prng, 20000)) - OM_SEC(10000));
        break;
    case 13:
        worsen(s);
        break;
    case 14:
    case 15:
        replay(s, a, b);
        break;
    case 16:
        junk(s, a);
        break;
    }
    (void)e;
}

static void calm(struct storm *s)
{
    s->w->model = sim_link_model_default();
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned j = 0; j < NODES; j++)
            if (i != j)
                sim_cut(s->nodes[i], s->nodes[j], false);
    for (unsigned i = 0; i < NODES; i++)
        if (!s->nodes[i]->node)
            CHECK_OK(sim_restart(s->nodes[i], false, false));
}

/* All pairs say something every five seconds; by the end each has heard the last word. */
static void talk(struct storm *s)
{
    char text[16];
    unsigned deaf = 0;

    for (unsigned k = 0; k < PROBES; k++) {
        int n = snprintf(text, sizeof text, "probe %u", k);
        for (unsigned i = 0; i < NODES; i++)
            for (unsigned j = 0; j < NODES; j++) {
                if (i == j)
                    continue;
                if (k == 0)
                    CHECK_OK(sim_connect(s->nodes[i], NULL, s->nodes[j], NULL, 0));
                CHECK_OK(
                    sim_send(s->nodes[i], NULL, s->nodes[j], "chat", om_bytes(text, (size_t)n), 0));
            }
        sim_run(s->w, s->w->now + OM_SEC(5));
    }
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned j = 0; j < NODES; j++)
            if (i != j &&
                sim_text_count(s->w, s->nodes[j], s->nodes[i], om_bytes(text, strlen(text))) != 1) {
                print_message("seed %llu: %s has not heard the last word of %s\n",
                              (unsigned long long)s->w->seed, s->nodes[j]->name, s->nodes[i]->name);
                deaf++;
            }
    CHECK_EQ(deaf, 0);
}

static void check_nodes(const struct storm *s)
{
    CHECK_STR(s->w->broken, "");
    for (unsigned i = 0; i < NODES; i++) {
        struct om_node_info info;
        om_node_info(s->nodes[i]->node, &info);
        CHECK_EQ(info.audit_refused, 0);
        CHECK_EQ(info.drops[OM_DROP_MEMORY], 0);
        CHECK_EQ(info.drops[OM_DROP_ACTS_FULL], 0);
        CHECK_EQ(info.drops[OM_DROP_FRAME], 0);
        CHECK(info.indices <= 8 * NODES);
    }
}

OM_TEST(prop_after_the_storm_everybody_is_heard)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct storm s = storm_new(seed);
        for (unsigned i = 0; i < DEEDS; i++) {
            deed(&s);
            sim_run(s.w, s.w->now + OM_MS(om_prng_below(&s.prng, 200)));
        }
        calm(&s);
        talk(&s);
        check_nodes(&s);
        sim_world_free(s.w);
    }
}
