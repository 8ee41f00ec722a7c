/* prop_sessions.c - a thousand nodes form a thousand random sessions; and any seed repeats. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "request.h"

enum { NODES = 1000, SESSIONS = 1000, SMALL = 60 };

struct meeting {
    struct sim_actor *a, *b;
    om_time at;
};

struct crowd {
    struct sim_world *w;
    struct sim_actor **nodes;
    struct meeting *meetings;
    unsigned node_count, count;
};

static double cpu_s(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static bool have_met(const struct crowd *c, const struct sim_actor *a, const struct sim_actor *b)
{
    for (unsigned i = 0; i < c->count; i++) {
        const struct meeting *m = &c->meetings[i];
        if ((m->a == a && m->b == b) || (m->a == b && m->b == a))
            return true;
    }
    return false;
}

/* Nodes whose calendars are wrong by up to a day, and who meets whom within the first 5 s. */
static struct crowd crowd_new(uint64_t seed, unsigned nodes, unsigned sessions)
{
    struct crowd c = {.w = sim_world_new(seed, NULL), .node_count = nodes};
    struct om_prng prng;
    char name[16];

    om_prng_seed(&prng, seed);
    c.nodes = calloc(nodes, sizeof(struct sim_actor *));
    c.meetings = calloc(sessions, sizeof *c.meetings);
    CHECK(c.nodes && c.meetings);
    sim_network_add(c.w, "main", true, 0);
    c.w->model.latency = OM_MS(20);
    c.w->model.jitter = OM_MS(30);
    for (unsigned i = 0; i < nodes; i++) {
        struct sim_node_spec spec = {.skew = (om_time)om_prng_below(&prng, 172800) * OM_SEC(1) -
                                             OM_SEC(86400)};
        snprintf(name, sizeof name, "n%u", i);
        c.nodes[i] = sim_node_add(c.w, name, &spec);
        CHECK(c.nodes[i]);
    }
    while (c.count < sessions) {
        struct sim_actor *a = c.nodes[om_prng_below(&prng, nodes)];
        struct sim_actor *b = c.nodes[om_prng_below(&prng, nodes)];
        if (a == b || have_met(&c, a, b))
            continue;
        c.meetings[c.count++] =
            (struct meeting){a, b, (om_time)om_prng_below(&prng, (uint64_t)OM_SEC(5))};
    }
    return c;
}

static void crowd_free(struct crowd *c)
{
    sim_world_free(c->w);
    free(c->nodes);
    free(c->meetings);
}

static int by_time(const void *a, const void *b)
{
    const struct meeting *one = a, *two = b;

    return (one->at > two->at) - (one->at < two->at);
}

static void crowd_meet(struct crowd *c)
{
    qsort(c->meetings, c->count, sizeof *c->meetings, by_time);
    for (unsigned i = 0; i < c->count; i++) {
        const struct meeting *m = &c->meetings[i];
        sim_run(c->w, m->at);
        CHECK_OK(sim_connect(m->a, NULL, m->b, NULL, 0));
        CHECK_OK(sim_send(m->a, NULL, m->b, "chat", om_bytes("pleased", 7), 0));
    }
    sim_run(c->w, OM_SEC(30));
    for (unsigned i = 0; i < c->count; i++)
        CHECK_OK(sim_send(c->meetings[i].b, NULL, c->meetings[i].a, "chat",
                          om_bytes("to meet you", 11), 1000));
    sim_run(c->w, OM_SEC(40));
}

static void crowd_check(const struct crowd *c)
{
    unsigned made = 0;

    CHECK_STR(c->w->broken, "");
    for (unsigned i = 0; i < c->count; i++) {
        const struct meeting *m = &c->meetings[i];
        CHECK(sim_has_session(m->a, m->b));
        CHECK(sim_has_session(m->b, m->a));
        CHECK_EQ(sim_text_count(c->w, m->b, m->a, om_bytes("pleased", 7)), 1);
        CHECK_EQ(sim_text_count(c->w, m->a, m->b, om_bytes("to meet you", 11)), 1);
    }
    for (unsigned i = 0; i < c->node_count; i++) {
        struct om_node_info info;
        om_node_info(c->nodes[i]->node, &info);
        made += info.sessions;
    }
    CHECK_EQ(made, 2 * c->count); /* each pair one session, and nobody else any */
}

OM_TEST(prop_thousand_nodes_form_a_thousand_sessions)
{
    double start = cpu_s();
    struct crowd c = crowd_new(1, NODES, SESSIONS);

    crowd_meet(&c);
    crowd_check(&c);
    print_message("%u nodes, %u sessions, %llu events: %.2f s of CPU\n", c.node_count, c.count,
                  (unsigned long long)c.w->steps, cpu_s() - start);
    crowd_free(&c);
}

static void hash_of(uint64_t seed, char out[static SIM_TRACE_TEXT])
{
    struct crowd c = crowd_new(seed, SMALL, SMALL);

    c.w->model.loss.ppm = 20000;
    c.w->model.dup_ppm = 20000;
    c.w->model.corrupt_ppm = 5000;
    crowd_meet(&c);
    CHECK_STR(c.w->broken, "");
    sim_trace_hash(&c.w->trace, out);
    crowd_free(&c);
}

OM_TEST(prop_seed_decides_the_trace)
{
    char one[SIM_TRACE_TEXT], again[SIM_TRACE_TEXT], other[SIM_TRACE_TEXT];

    hash_of(7, one);
    hash_of(7, again);
    hash_of(8, other);
    CHECK_STR(one, again);
    assert_string_not_equal(one, other);
}
