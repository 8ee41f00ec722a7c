/* world.c - clock, heap, addresses, and what is known about each two actors. */
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "actor.h"
#include "attack.h"
#include "flight.h"
#include "router.h"
#include "socket.h"

enum { ADDR_KEY = OM_ADDR_WIRE, TEXT_KEY = 16, TEXTS_MAX = 1 << 20 };

void *sim_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    if (!p) {
        fprintf(stderr, "simulator: no memory for %zu bytes\n", n);
        exit(3);
    }
    return p;
}

void sim_break(struct sim_world *w, const char *fmt, ...)
{
    va_list args;

    if (w->broken[0])
        return;
    va_start(args, fmt);
    (void)vsnprintf(w->broken, sizeof w->broken, fmt, args);
    va_end(args);
}

static void need(struct sim_world *w, enum om_err e, const char *what)
{
    if (e != OM_OK)
        sim_break(w, "%s: %s", what, om_err_text(e));
}

struct sim_world *sim_world_new(uint64_t seed, FILE *out)
{
    static const uint8_t sip[OM_SIP_KEY]; /* nobody here chooses keys to collide */
    struct sim_world *w = sim_alloc(sizeof *w);

    if (sodium_init() < 0)
        sim_break(w, "libsodium does not start");
    w->seed = seed;
    w->steps_max = SIM_STEPS_MAX;
    w->model = sim_link_model_default();
    w->hops = SIM_HOPS;
    w->pool = om_pool_new(OM_BLOCK_BYTES, SIM_POOL_MAX);
    om_prng_seed(&w->prng, seed);
    sim_trace_init(&w->trace, out);
    om_timers_init(&w->events, SIM_EVENTS_MAX);
    need(w, om_table_init(&w->by_addr, ADDR_KEY, SIM_ACTORS_MAX, sip), "addresses");
    need(w, om_table_init(&w->by_id, OM_ID_BYTES, OM_TABLE_MAX, sip), "keys");
    need(w, om_table_init(&w->by_outside, 16, SIM_ROUTERS_MAX, sip), "routers");
    need(w, om_table_init(&w->pairs, 8, SIM_PAIRS_MAX, sip), "pairs");
    need(w, om_table_init(&w->texts, TEXT_KEY, TEXTS_MAX, sip), "texts");
    return w;
}

void sim_world_free(struct sim_world *w)
{
    struct om_timer *t;
    size_t at = 0;
    void *v;

    if (!w)
        return;
    for (unsigned i = 0; i < w->actor_count; i++)
        sim_node_halt(w->actors[i]);
    while ((t = om_timers_pop(&w->events, OM_NEVER - 1)) != NULL) {
        if (!sim_flight_drop(t) && !sim_socket_drop(t) && t->fire == sim_attack_fire)
            sim_attack_free(t);
    }
    sim_flight_fini(w);
    sim_router_fini(w);
    while (om_table_next(&w->pairs, &at, NULL, &v)) {
        struct sim_pair *p = v;
        sim_tape_unref(p->tape);
        free(p->link.meter);
        free(p->seen);
        free(p->watch);
        free(p);
    }
    for (at = 0; om_table_next(&w->texts, &at, NULL, &v);)
        free(v);
    for (unsigned i = 0; i < w->actor_count; i++)
        sim_actor_free(w->actors[i]);
    free(w->actors);
    for (unsigned i = 0; i < w->flow_count; i++)
        free(w->flows[i]);
    free(w->flows);
    om_table_fini(&w->by_addr);
    om_table_fini(&w->by_id);
    om_table_fini(&w->by_outside);
    om_table_fini(&w->pairs);
    om_table_fini(&w->texts);
    om_timers_fini(&w->events);
    om_pool_free(w->pool);
    free(w);
}

static void derive(const struct sim_world *w, const char *what, const char *name, uint32_t number,
                   uint8_t out[static 32])
{
    uint8_t text[128];
    struct om_wr wr = om_wr(om_mut(text, sizeof text));

    om_wr_u64(&wr, w->seed);
    om_wr_u32(&wr, number);
    om_wr_copy(&wr, what, strlen(what) + 1);
    om_wr_copy(&wr, name, strlen(name) + 1);
    crypto_generichash(out, 32, text, om_wr_len(&wr), NULL, 0);
}

struct sim_network *sim_network_add(struct sim_world *w, const char *name, bool open,
                                    uint32_t epoch)
{
    struct sim_network *n = &w->networks[w->network_count];

    if (w->network_count == SIM_NETWORKS_MAX)
        return NULL;
    w->network_count++;
    snprintf(n->name, sizeof n->name, "%s", name);
    n->is_open = open;
    n->epoch = epoch;
    derive(w, "network id", name, 0, n->id.b);
    return n;
}

void sim_network_secret(const struct sim_world *w, const struct sim_network *n, uint32_t epoch,
                        bool wrong, uint8_t out[static 32])
{
    derive(w, wrong ? "wrong secret" : "secret", n->name, epoch, out);
}

struct sim_pair *sim_pair(struct sim_world *w, struct sim_actor *a, struct sim_actor *b)
{
    const uint32_t key[2] = {a->index, b->index};
    struct sim_pair *p = a->last;

    if (p && p->other == b)
        return p;
    p = om_table_find(&w->pairs, key);
    if (p) {
        a->last = p;
        return p;
    }
    p = sim_alloc(sizeof *p);
    p->self = a;
    p->other = b;
    p->is_default = true;
    need(w, om_table_put(&w->pairs, key, p), "pairs of actors");
    return p;
}

struct sim_link_model *sim_pair_model(const struct sim_world *w, struct sim_pair *p)
{
    if (p->is_default)
        p->model = w->model;
    p->is_default = false;
    return &p->model;
}

struct sim_meter *sim_pair_measure(const struct sim_world *w, struct sim_pair *p)
{
    if (!p->link.meter)
        p->link.meter = sim_alloc(sizeof *p->link.meter);
    sim_meter_start(p->link.meter, &p->link.rate, w->now);
    return p->link.meter;
}

struct sim_actor *sim_actor_at(const struct sim_world *w, const struct om_addr *a)
{
    uint8_t key[ADDR_KEY];
    struct om_wr wr = om_wr(om_mut(key, sizeof key));

    om_addr_write(&wr, a);
    return om_table_find(&w->by_addr, key);
}

struct sim_actor *sim_actor_by_id(const struct sim_world *w, const struct om_id *id)
{
    return om_table_find(&w->by_id, id->b);
}

struct sim_actor *sim_actor_named(const struct sim_world *w, const char *name)
{
    for (unsigned i = 0; i < w->actor_count; i++)
        if (strcmp(w->actors[i]->name, name) == 0)
            return w->actors[i];
    return NULL;
}

void sim_arm(struct sim_world *w, struct om_timer *t, om_time at)
{
    need(w, om_timer_arm(&w->events, t, at < w->now ? w->now : at), "heap of events");
}

bool sim_step(struct sim_world *w, om_time until)
{
    if (w->broken[0] || om_timers_deadline(&w->events) > until)
        return false;
    if (++w->steps > w->steps_max) {
        sim_break(w, "more than %llu events: this run has no end",
                  (unsigned long long)w->steps_max);
        return false;
    }
    w->now = om_timers_deadline(&w->events);
    struct om_timer *t = om_timers_pop(&w->events, w->now);
    t->fire(t, w->now);
    return true;
}

void sim_run(struct sim_world *w, om_time until)
{
    while (sim_step(w, until))
        ;
    if (!w->broken[0] && w->now < until)
        w->now = until;
}

static void text_key(const struct sim_actor *a, const struct sim_actor *b, struct om_bytes text,
                     uint8_t out[static TEXT_KEY])
{
    static const uint8_t key[crypto_shorthash_KEYBYTES];
    struct om_wr w = om_wr(om_mut(out, TEXT_KEY));

    om_wr_u32(&w, a->index);
    om_wr_u32(&w, b->index);
    crypto_shorthash(om_wr_room(&w, 8), text.p, text.n, key);
}

uint64_t sim_text_count(const struct sim_world *w, const struct sim_actor *a,
                        const struct sim_actor *b, struct om_bytes text)
{
    uint8_t key[TEXT_KEY];
    const uint64_t *count;

    text_key(a, b, text, key);
    count = om_table_find(&w->texts, key);
    return count ? *count : 0;
}

void sim_text_note(struct sim_world *w, const struct sim_actor *a, const struct sim_actor *b,
                   struct om_bytes text)
{
    uint8_t key[TEXT_KEY];
    uint64_t *count;

    text_key(a, b, text, key);
    count = om_table_find(&w->texts, key);
    if (!count) {
        count = sim_alloc(sizeof *count);
        need(w, om_table_put(&w->texts, key, count), "texts");
    }
    (*count)++;
}
