/* attack.c - tapes, replays, floods. */
#include "attack.h"

#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "forge.h"

enum {
    SOURCE_FIRST = 0x0aff0000, /* 10.255.0.0/16: addresses that nobody has */
    HANDSHAKE_LEAST = 448,     /* PROTOCOL section 3 */
    HANDSHAKE_MOST = 512
};

struct recorded {
    struct om_addr from, to;
    size_t len;
    uint8_t *data;
};

struct sim_tape {
    unsigned users;
    unsigned count, cap;
    struct recorded *list;
};

/* A replay or a flood in progress. */
struct attack {
    struct om_timer timer;
    bool is_replay;
    struct sim_replay replay;
    struct sim_junk junk;
    uint64_t done, total;
    om_time start;
    struct om_prng prng;
};

void sim_record(struct sim_actor *a, struct sim_actor *b)
{
    struct sim_pair *ab = sim_pair(a->world, a, b), *ba = sim_pair(a->world, b, a);

    if (ab->tape)
        return;
    ab->tape = ba->tape = sim_alloc(sizeof *ab->tape);
    ab->tape->users = a == b ? 1 : 2;
}

void sim_tape_unref(struct sim_tape *t)
{
    if (!t || --t->users > 0)
        return;
    for (unsigned i = 0; i < t->count; i++)
        free(t->list[i].data);
    free(t->list);
    free(t);
}

void sim_tape_add(struct sim_tape *t, const struct om_addr *from, const struct om_addr *to,
                  struct om_bytes data)
{
    if (t->count == SIM_TAPE_MAX)
        return;
    if (t->count == t->cap) {
        unsigned cap = t->cap ? 2 * t->cap : 64;
        struct recorded *more = sim_alloc(cap * sizeof *more);
        if (t->count > 0)
            memcpy(more, t->list, t->count * sizeof *more);
        free(t->list);
        t->list = more;
        t->cap = cap;
    }
    struct recorded *r = &t->list[t->count++];
    *r = (struct recorded){.from = *from, .to = *to, .len = data.n, .data = sim_alloc(data.n)};
    memcpy(r->data, data.p, data.n);
}

unsigned sim_tape_count(const struct sim_tape *t)
{
    return t ? t->count : 0;
}

static void begin(struct attack *a, struct sim_actor *by)
{
    a->timer.fire = sim_attack_fire;
    a->start = by->world->now;
    om_prng_fork(&by->prng, &a->prng);
    sim_arm(by->world, &a->timer, a->start);
    if (!om_timer_is_armed(&a->timer))
        sim_attack_free(&a->timer);
}

void sim_replay_start(const struct sim_replay *r)
{
    struct attack *a = sim_alloc(sizeof *a);

    a->is_replay = true;
    a->replay = *r;
    r->tape->users++;
    a->total = (uint64_t)r->tape->count * r->times;
    begin(a, r->by);
}

void sim_junk_start(const struct sim_junk *j)
{
    struct attack *a = sim_alloc(sizeof *a);

    a->junk = *j;
    a->total = (uint64_t)j->length * j->rate / 1000000;
    begin(a, j->by);
}

void sim_attack_free(struct om_timer *t)
{
    struct attack *a = OM_CONTAINER_OF(t, struct attack, timer);

    if (a->is_replay)
        sim_tape_unref(a->replay.tape);
    free(a);
}

static void replay_one(struct attack *a)
{
    const struct recorded *r = &a->replay.tape->list[a->done % (a->total / a->replay.times)];
    struct sim_actor *by = a->replay.by;

    sim_transmit(by->world, by, a->replay.own_source ? &by->addr : &r->from, &r->to,
                 om_bytes(r->data, r->len));
}

static size_t draw_size(struct attack *a)
{
    const struct sim_junk *j = &a->junk;
    size_t n = j->size_min + om_prng_below(&a->prng, j->size_max - j->size_min + 1);

    if (j->kind == SIM_JUNK_DATA && n >= HANDSHAKE_LEAST && n <= HANDSHAKE_MOST)
        n += HANDSHAKE_MOST - HANDSHAKE_LEAST + 1;
    return n;
}

static void junk_one(struct attack *a)
{
    const struct sim_junk *j = &a->junk;
    struct om_rng rng = om_prng_rng(&a->prng);
    struct om_addr from = j->by->addr;
    uint8_t data[SIM_JUNK_MAX + HANDSHAKE_MOST];
    size_t n;

    if (j->sources > 0)
        from = om_addr_v4(SOURCE_FIRST + (uint32_t)(a->done % j->sources), SIM_PORT);
    if (j->kind == SIM_JUNK_INITIATION) {
        n = sim_forge_initiation(j->to, &rng, om_mut(data, sizeof data));
    } else {
        n = draw_size(a);
        om_rng_fill(&rng, data, n);
    }
    sim_transmit(j->by->world, j->by, &from, &j->to->addr, om_bytes(data, n));
}

void sim_attack_fire(struct om_timer *t, om_time now OM_UNUSED)
{
    struct attack *a = OM_CONTAINER_OF(t, struct attack, timer);
    struct sim_world *w = a->is_replay ? a->replay.by->world : a->junk.by->world;

    if (a->done == a->total) {
        sim_attack_free(t);
        return;
    }
    if (a->is_replay)
        replay_one(a);
    else
        junk_one(a);
    a->done++;
    sim_arm(w, t,
            a->start + (a->is_replay ? (om_time)a->done * a->replay.spacing
                                     : (om_time)(a->done * 1000000 / a->junk.rate)));
    if (!om_timer_is_armed(t))
        sim_attack_free(t);
}
