/* crowd.c - arrivals, meetings, and sums over all. */
#include "crowd.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/gossip_state.h"
#include "node/state.h"
#include "request.h"

void sim_crowd_join(struct sim_crowd *c, struct sim_actor *a)
{
    struct sim_actor *other = a;

    while (other == a || !other->node)
        other = c->nodes[om_prng_below(&c->prng, c->count)];
    if (sim_connect(a, NULL, other, NULL, 0) != OM_OK)
        sim_break(c->w, "%s does not connect", a->name);
}

static void make_world(struct sim_crowd *c, uint64_t seed, unsigned count)
{
    *c = (struct sim_crowd){.w = sim_world_new(seed, NULL)};
    om_prng_seed(&c->prng, seed);
    c->nodes = sim_alloc(count * sizeof(struct sim_actor *));
    sim_network_add(c->w, "main", true, 0);
    c->w->model.latency = OM_MS(20);
    c->w->model.jitter = OM_MS(30);
    c->w->steps_max = UINT64_MAX;
}

static const struct sim_node_spec member = {.gossip = true, .indices = 1024};

void sim_crowd_init(struct sim_crowd *c, uint64_t seed, unsigned count, om_time every)
{
    char name[16];

    make_world(c, seed, count);
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "n%u", i);
        c->nodes[c->count++] = sim_node_add(c->w, name, &member);
        if (i > 0)
            sim_crowd_join(c, c->nodes[i]);
        sim_run(c->w, c->w->now + every);
    }
}

/* Its gossip, for what no driver could do: to be silent about what is new. */
static struct om_gossip *gossip_of(const struct sim_actor *a)
{
    return a->node->gossips[0]->gossip;
}

void sim_crowd_settled(struct sim_crowd *c, uint64_t seed, unsigned count, unsigned known)
{
    char name[16];

    make_world(c, seed, count);
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "n%u", i);
        c->nodes[c->count++] = sim_node_add(c->w, name, &member);
    }
    for (unsigned i = 0; i < count; i++) {
        struct sim_actor *a = c->nodes[i];
        gossip_of(a)->is_unannounced = false;
        for (unsigned k = 0; k < (known < count ? known : count); k++) {
            unsigned who = known < count ? (unsigned)om_prng_below(&c->prng, count) : k;
            const struct om_gossip *g = gossip_of(c->nodes[who]);
            if (who != i && om_records_wants(om_gossip_store(gossip_of(a)), &g->self->id) &&
                om_node_learn(a->node, sim_node_clock(a), &c->w->networks[0].id,
                              om_bytes(g->record, g->record_len)) != OM_OK)
                sim_break(c->w, "%s does not learn", a->name);
        }
        sim_node_drain(a);
    }
}

void sim_crowd_fini(struct sim_crowd *c)
{
    sim_world_free(c->w);
    free(c->nodes);
}

struct om_gossip_info sim_crowd_info(const struct sim_actor *a)
{
    struct om_gossip_info info = {.known = 0};

    if (a->node && om_node_gossip_info(a->node, &a->world->networks[0].id, &info) != OM_OK)
        sim_break(a->world, "%s does not gossip", a->name);
    return info;
}

void sim_crowd_records(const struct sim_crowd *c, uint64_t *out)
{
    for (unsigned i = 0; i < c->count; i++)
        out[i] = c->nodes[i]->records;
}

unsigned sim_crowd_have(const struct sim_crowd *c, const uint64_t *before, uint64_t records)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->count; i++)
        n += c->nodes[i]->records >= before[i] + records;
    return n;
}

uint64_t sim_crowd_bytes(const struct sim_crowd *c)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < c->count; i++)
        sum += c->nodes[i]->out_bytes;
    return sum;
}

static const struct om_held *record_of(const struct sim_actor *a, struct sim_actor *of)
{
    return om_records_find(&gossip_of(a)->store, sim_actor_id(of, &of->world->networks[0]));
}

uint64_t sim_crowd_sequence(const struct sim_actor *a, struct sim_actor *of)
{
    const struct om_held *h = a->node ? record_of(a, of) : NULL;

    return h ? h->sequence : 0;
}

bool sim_crowd_is_current(const struct sim_actor *a, struct sim_actor *of)
{
    return sim_crowd_sequence(a, of) == sim_crowd_sequence(of, of);
}

bool sim_crowd_knows_place(const struct sim_actor *a, struct sim_actor *of)
{
    struct om_addr ends[OM_RECORD_ENDS_MAX];
    unsigned n =
        a->node ? om_gossip_ends(gossip_of(a), sim_actor_id(of, &of->world->networks[0]), ends) : 0;

    for (unsigned i = 0; i < n; i++)
        if (om_addr_equal(&ends[i], &of->addr))
            return true;
    return false;
}

/* A record of @victim's as @a holds it, or one of its own, spoilt. */
static size_t make_lie(const struct sim_actor *a, struct sim_actor *victim, unsigned step,
                       uint8_t out[static OM_RECORD_MAX])
{
    struct om_gossip *g = gossip_of(a);
    const struct om_held *h = record_of(a, victim);
    struct om_record r;

    if (!h || om_record_decode(&r, om_bytes(h->bytes, h->len)) != OM_OK)
        return 0;
    r.id = g->self->id;
    switch (step % 5) {
    case 0: /* forged: newer, and the signature is of something else */
        memcpy(out, h->bytes, h->len);
        out[OM_ID_BYTES + 5]++;
        return h->len;
    case 1: /* replayed */
        memcpy(out, h->bytes, h->len);
        return h->len;
    case 2: /* of the future */
        r.sequence = gossip_wall_ms(g, sim_node_clock(a)) + UINT64_C(48) * 3600 * 1000;
        return om_record_encode(out, &r, g->self, &g->network);
    case 3: /* longer than any record */
        memset(out, 1, OM_RECORD_MAX);
        return OM_RECORD_MAX + 20;
    default: /* its own, and again, and again */
        r.sequence = gossip_wall_ms(g, sim_node_clock(a));
        return om_record_encode(out, &r, g->self, &g->network);
    }
}

void sim_crowd_lie(struct sim_crowd *c, struct sim_actor *a, unsigned step)
{
    uint8_t lie[OM_RECORD_MAX + 64] = {0}, bytes[sizeof lie + 2];
    struct sim_actor *victim = c->nodes[om_prng_below(&c->prng, c->count)];
    size_t n = make_lie(a, victim, step, lie);
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));

    om_wr_u16(&w, (uint16_t)n);
    om_wr_copy(&w, lie, n);
    for (unsigned i = 0; n > 0 && i < OM_GOSSIP_FANOUT; i++) {
        struct sim_actor *to = c->nodes[om_prng_below(&c->prng, c->count)];
        struct om_peer *p;
        if (to == a || !to->node || sim_connect(a, NULL, to, NULL, 0) != OM_OK)
            continue;
        p = om_peers_find(&a->node->peers, a->node->networks[0],
                          sim_actor_id(to, &to->world->networks[0]));
        if (p && node_send_datagram(a->node, sim_node_clock(a), p, OM_GOSSIP_CHANNEL,
                                    om_bytes(bytes, om_wr_len(&w))) != OM_OK)
            sim_break(c->w, "%s cannot lie", a->name);
    }
    sim_node_drain(a);
}
