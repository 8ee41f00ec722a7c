/* herd.c - the queue of a herd, and how its nodes start, stop and move. */
#include "herd.h"

#include <stdlib.h>
#include <string.h>

#include "herd_event.h"
#include "world.h"

static bool is_member(void *who, const struct om_id *id)
{
    const struct sim_herd *h = who;

    return !h->members_only || om_lru_peek(&h->index, id->b) != NULL;
}

static void make_identity(struct sim_herd *h, struct om_identity *out)
{
    uint8_t seed[32];

    do
        for (unsigned i = 0; i < sizeof seed; i++)
            seed[i] = (uint8_t)om_prng_u64(&h->prng);
    while (om_identity_from_seed(out, seed) != OM_OK);
}

void sim_herd_init(struct sim_herd *h, uint64_t seed, unsigned count, unsigned records_max)
{
    static const uint8_t sip_key[OM_SIP_KEY];

    *h = (struct sim_herd){.count = count, .records_max = records_max, .watched = count};
    om_prng_seed(&h->prng, seed);
    h->now = OM_SEC(1);
    h->loss = 0.01;
    h->network.b[0] = 7;
    h->nodes = sim_alloc(count * sizeof *h->nodes);
    OM_BUG_IF(om_lru_init(&h->keys, 8, sizeof(struct herd_key), 1 << 20, sip_key) != OM_OK);
    OM_BUG_IF(om_lru_init(&h->index, OM_ID_BYTES, sizeof(unsigned), count, sip_key) != OM_OK);
    for (unsigned i = 0; i < count; i++) {
        struct herd_node *n = &h->nodes[i];
        make_identity(h, &n->self);
        n->addr = om_addr_v4(0x0a000000 + i, 4000);
        unsigned *at = om_lru_put(&h->index, n->self.id.b, NULL);
        OM_BUG_IF(!at);
        *at = i;
    }
}

void sim_herd_fini(struct sim_herd *h)
{
    for (unsigned i = 0; i < h->count; i++)
        om_gossip_free(h->nodes[i].g);
    herd_clear(h);
    om_lru_fini(&h->keys);
    om_lru_fini(&h->index);
    free(h->nodes);
}

static void say(struct sim_herd *h, unsigned i)
{
    struct herd_node *n = &h->nodes[i];
    uint8_t name[3 + 8] = {OM_FIELD_NAME, 0, 8, 'n', 'o', 'd', 'e'};
    struct om_gossip_self self = {.end_count = 2, .fields = om_bytes(name, sizeof name)};

    self.ends[0] = (struct om_record_end){OM_END_HOST, n->addr};
    self.ends[1] = (struct om_record_end){OM_END_REFLEXIVE, n->addr};
    OM_BUG_IF(om_gossip_set_self(n->g, h->now, &self) != OM_OK);
    herd_drain(h, i);
}

void sim_herd_up(struct sim_herd *h, unsigned i)
{
    struct herd_node *n = &h->nodes[i];
    struct om_gossip_config c = {.self = &n->self,
                                 .network = h->network,
                                 .records_max = h->records_max,
                                 .seed = om_prng_u64(&h->prng),
                                 .wall = {HERD_EPOCH_MS + h->now / 1000},
                                 .is_member = is_member,
                                 .who = h};

    OM_BUG_IF(n->g);
    for (unsigned k = 0; k < sizeof c.salt; k++)
        c.salt[k] = (uint8_t)om_prng_u64(&h->prng);
    OM_BUG_IF(om_gossip_new(&n->g, &c, h->now) != OM_OK);
    n->life++;
    n->tick_at = OM_NEVER;
    n->has_sequence = 0;
    n->told_at = 0;
    say(h, i);
    if (n->vice == HERD_LIAR)
        herd_put(h, (struct herd_event){.at = h->now + OM_SEC(1), .kind = HERD_LIE, .to = i});
}

void sim_herd_down(struct sim_herd *h, unsigned i)
{
    om_gossip_free(h->nodes[i].g);
    h->nodes[i].g = NULL;
}

void sim_herd_meet(struct sim_herd *h, unsigned i, unsigned j)
{
    (void)herd_agree(h, i, j);
}

unsigned sim_herd_any(struct sim_herd *h, unsigned i)
{
    unsigned j;

    do
        j = (unsigned)om_prng_below(&h->prng, h->count);
    while (j == i || !h->nodes[j].g || h->nodes[j].vice ||
           (i < h->count && h->nodes[j].side != h->nodes[i].side));
    return j;
}

void sim_herd_gather(struct sim_herd *h, om_time every)
{
    for (unsigned i = 0; i < h->count; i++) {
        sim_herd_up(h, i);
        if (i > 0)
            sim_herd_meet(h, i, (unsigned)om_prng_below(&h->prng, i));
        sim_herd_run(h, h->now + every);
    }
}

void sim_herd_move(struct sim_herd *h, unsigned i)
{
    h->nodes[i].addr.ip[12]++;
    say(h, i);
}

bool sim_herd_seek(struct sim_herd *h, unsigned i, unsigned j)
{
    enum om_err e = om_gossip_seek(h->nodes[i].g, h->now, &h->nodes[j].self.id);

    herd_drain(h, i);
    return e == OM_OK;
}

void sim_herd_watch(struct sim_herd *h, unsigned i)
{
    const struct om_held *mine =
        om_records_find(om_gossip_store(h->nodes[i].g), &h->nodes[i].self.id);

    h->watched = i;
    h->watched_after = mine ? mine->sequence : 0;
    for (unsigned k = 0; k < h->count; k++) {
        h->nodes[k].has_sequence = 0;
        h->nodes[k].told_at = 0;
    }
}

unsigned sim_herd_aware(const struct sim_herd *h)
{
    unsigned n = 0;

    for (unsigned i = 0; i < h->count; i++)
        n += h->nodes[i].g && !h->nodes[i].vice && h->nodes[i].has_sequence > h->watched_after;
    return n;
}

unsigned sim_herd_alive(const struct sim_herd *h)
{
    unsigned n = 0;

    for (unsigned i = 0; i < h->count; i++)
        n += h->nodes[i].g && !h->nodes[i].vice;
    return n;
}

unsigned sim_herd_known(const struct sim_herd *h, unsigned i)
{
    unsigned n = 0;

    for (unsigned k = 0; k < h->count; k++)
        n += h->nodes[k].g &&
             om_records_find(om_gossip_store(h->nodes[i].g), &h->nodes[k].self.id) != NULL;
    return n;
}

uint64_t sim_herd_bytes(const struct sim_herd *h)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < h->count; i++)
        n += h->nodes[i].vice ? 0 : h->nodes[i].bytes_out;
    return n;
}

uint64_t sim_herd_drops(const struct sim_herd *h, enum om_gossip_drop why)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < h->count; i++)
        if (h->nodes[i].g && !h->nodes[i].vice)
            n += om_gossip_counts(h->nodes[i].g)->drops[why];
    return n;
}

/* How far apart two keys are: the first 8 bytes decide among so few. */
static uint64_t distance(const struct om_id *a, const struct om_id *b)
{
    uint64_t d = 0;

    for (unsigned i = 0; i < 8; i++)
        d = d << 8 | (uint8_t)(a->b[i] ^ b->b[i]);
    return d;
}

struct neighbour {
    uint64_t distance;
    unsigned index;
};

static int by_distance(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;

    return (x->distance > y->distance) - (x->distance < y->distance);
}

static void teach(struct sim_herd *h, unsigned i, unsigned j)
{
    const struct om_held *r = om_records_find(om_gossip_store(h->nodes[j].g), &h->nodes[j].self.id);

    om_gossip_learn(h->nodes[i].g, h->now, om_bytes(r->bytes, r->len));
    herd_drain(h, i);
}

void sim_herd_preload(struct sim_herd *h, om_time over)
{
    unsigned max = h->records_max ? h->records_max : OM_RECORDS_MAX, n = h->count;
    struct neighbour *all = sim_alloc(n * sizeof *all);

    for (unsigned i = 0; i < n; i++) {
        sim_herd_up(h, i);
        sim_herd_run(h, h->now + over / n);
    }
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < n; k++)
            all[k] = (struct neighbour){distance(&h->nodes[i].self.id, &h->nodes[k].self.id), k};
        if (n > max)
            qsort(all, n, sizeof *all, by_distance); /* itself comes first */
        unsigned near = n > max ? max / 2 : n;
        for (unsigned k = 0; k < near; k++)
            if (all[k].index != i)
                teach(h, i, all[k].index);
        /* The rest as a store that has heard of everybody would have kept it. */
        for (unsigned k = near; k < n; k++)
            if (om_records_wants(om_gossip_store(h->nodes[i].g), &h->nodes[all[k].index].self.id))
                teach(h, i, all[k].index);
    }
    free(all);
}
