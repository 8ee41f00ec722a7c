/* gossip.c - making the machine, what is asked of it, and its clock. */
#include <stdlib.h>
#include <string.h>

#include "gossip/gossip_state.h"

static const char *const drop_names[] = {
#define X(code, name, help) name,
    OM_GOSSIP_DROPS(X)
#undef X
};

const char *om_gossip_drop_name(enum om_gossip_drop d)
{
    return d < OM_GOSSIP_DROP_COUNT ? drop_names[d] : "unknown";
}

void gossip_drop(struct om_gossip *g, enum om_gossip_drop why)
{
    g->counts.drops[why]++;
}

uint64_t gossip_wall_ms(const struct om_gossip *g, om_time now)
{
    int64_t ms = g->wall.unix_ms + (now - g->wall_at) / 1000;

    return ms > 0 ? (uint64_t)ms : 0;
}

unsigned gossip_random(struct om_gossip *g, unsigned n)
{
    return (unsigned)om_prng_below(&g->prng, n);
}

/* @s seconds, a quarter more or less. */
static om_time around(struct om_gossip *g, unsigned s)
{
    return OM_SEC(s) * 3 / 4 + (om_time)om_prng_below(&g->prng, (uint64_t)OM_SEC(s) / 2);
}

static enum om_err init_tables(struct om_gossip *g, const struct om_gossip_config *c)
{
    enum om_err e = om_records_init(&g->store, c->records_max, &c->self->id, &c->network, c->salt);

    if (e == OM_OK)
        e = om_lru_init(&g->cursors, OM_ID_BYTES, sizeof(struct gossip_cursor), GOSSIP_CURSORS,
                        c->salt);
    if (e == OM_OK)
        e = om_lru_init(&g->seen, OM_ENTRY_KEY, sizeof(uint64_t), OM_GOSSIP_SEEN, c->salt);
    if (e == OM_OK)
        e = om_lru_init(&g->quotas, OM_ID_BYTES, sizeof(struct gossip_quota), OM_GOSSIP_SOURCES,
                        c->salt);
    if (e == OM_OK)
        e = om_lru_init(&g->damped, OM_ID_BYTES, sizeof(om_time), GOSSIP_DAMPED, c->salt);
    return e;
}

enum om_err om_gossip_new(struct om_gossip **out, const struct om_gossip_config *config,
                          om_time now)
{
    struct om_gossip *g = calloc(1, sizeof *g);

    if (!g)
        return OM_E_NO_MEM;
    g->self = config->self;
    g->network = config->network;
    g->wall = config->wall;
    g->wall_at = now;
    g->is_member = config->is_member;
    g->who = config->who;
    g->rumours_end = &g->rumours;
    g->outs_end = &g->outs;
    om_prng_seed(&g->prng, config->seed);
    g->store_id = om_prng_u64(&g->prng);
    g->round_at = OM_NEVER;
    g->renew_at = OM_NEVER;
    g->sync_s = OM_GOSSIP_YOUNG_S;
    g->sync_at = now + around(g, g->sync_s);
    g->rotate_at = now + around(g, OM_GOSSIP_ROTATE_S);
    g->expire_at = now + around(g, OM_GOSSIP_ROTATE_S);
    enum om_err e = init_tables(g, config);
    if (e != OM_OK) {
        om_gossip_free(g);
        return e;
    }
    *out = g;
    return OM_OK;
}

void om_gossip_free(struct om_gossip *g)
{
    if (!g)
        return;
    for (struct gossip_rumour *r; (r = g->rumours) != NULL; free(r))
        g->rumours = r->next;
    for (struct gossip_out *o; (o = g->outs) != NULL; free(o))
        g->outs = o->next;
    free(g->lent);
    om_lru_fini(&g->cursors);
    om_lru_fini(&g->seen);
    om_lru_fini(&g->quotas);
    om_lru_fini(&g->damped);
    om_records_fini(&g->store);
    free(g);
}

void om_gossip_set_wall(struct om_gossip *g, om_time now, struct om_wall wall)
{
    g->wall = wall;
    g->wall_at = now;
}

static uint64_t next_sequence(struct om_gossip *g, om_time now)
{
    uint64_t ms = gossip_wall_ms(g, now);

    g->sequence = ms > g->sequence ? ms : g->sequence + 1;
    return g->sequence;
}

/* Sign what there is to say anew and keep it where others may ask for it. */
static enum om_err make_record(struct om_gossip *g, om_time now)
{
    struct om_record r = {.id = g->self->id,
                          .expires = (uint32_t)(gossip_wall_ms(g, now) / 1000) + OM_RECORD_LIFE_S,
                          .flags = g->mine.flags,
                          .nat = g->mine.nat,
                          .end_count = g->mine.end_count,
                          .fields = g->mine.fields};
    struct om_held *h;
    struct om_entry e;

    r.sequence = next_sequence(g, now);
    memcpy(r.ends, g->mine.ends, sizeof r.ends);
    g->record_len = om_record_encode(g->record, &r, g->self, &g->network);
    if (g->record_len == 0)
        return OM_E_RANGE;
    g->renew_at = now + OM_SEC(OM_GOSSIP_RENEW_S);
    if (om_entry_decode(&e, om_bytes(g->record, g->record_len)) != OM_OK)
        return OM_E_RANGE;
    if (om_records_put(&g->store, &e, &h) == OM_PUT_NO_MEM)
        return OM_E_NO_MEM;
    if (h)
        (void)om_records_pin(&g->store, h);
    return OM_OK;
}

enum om_err om_gossip_set_self(struct om_gossip *g, om_time now, const struct om_gossip_self *self)
{
    bool is_same = g->record_len > 0 && self->flags == g->mine.flags && self->nat == g->mine.nat &&
                   self->end_count == g->mine.end_count && self->fields.n == g->mine.fields.n &&
                   (self->fields.n == 0 || memcmp(self->fields.p, g->fields, self->fields.n) == 0);

    if (self->end_count > OM_RECORD_ENDS_MAX || self->fields.n > sizeof g->fields)
        return OM_E_RANGE;
    for (unsigned i = 0; is_same && i < self->end_count; i++)
        is_same = self->ends[i].kind == g->mine.ends[i].kind &&
                  om_addr_equal(&self->ends[i].addr, &g->mine.ends[i].addr);
    if (is_same)
        return OM_OK;
    g->mine = *self;
    if (self->fields.n > 0)
        memcpy(g->fields, self->fields.p, self->fields.n);
    g->mine.fields = om_bytes(g->fields, self->fields.n);
    enum om_err e = make_record(g, now);
    if (e != OM_OK)
        return e;
    g->is_unannounced = true;
    g->round_at = om_time_min(g->round_at, now + OM_MS(OM_GOSSIP_ROUND_MS));
    return OM_OK;
}

enum om_err om_gossip_publish(struct om_gossip *g, om_time now, const char *channel,
                              struct om_bytes value, uint32_t ttl_s)
{
    struct om_entry e = {.value = value};
    uint8_t bytes[OM_RECORD_MAX];
    struct om_held *h;
    size_t n = strnlen(channel, OM_CHANNEL_MAX + 1);

    if (n == 0 || n > OM_CHANNEL_MAX || ttl_s == 0 || ttl_s > OM_RECORD_LIFE_S)
        return OM_E_RANGE;
    memcpy(e.channel, channel, n);
    e.sequence = next_sequence(g, now);
    e.expires = (uint32_t)(gossip_wall_ms(g, now) / 1000) + ttl_s;
    n = om_entry_make_item(om_mut(bytes, sizeof bytes), &e, g->self, &g->network);
    if (n == 0 || om_entry_decode(&e, om_bytes(bytes, n)) != OM_OK)
        return OM_E_RANGE;
    if (om_records_put(&g->store, &e, &h) == OM_PUT_NO_MEM)
        return OM_E_NO_MEM;
    gossip_tell(g, now, NULL, om_bytes(bytes, n));
    return OM_OK;
}

enum om_err om_gossip_subscribe(struct om_gossip *g, const char *channel)
{
    return om_records_subscribe(&g->store, channel);
}

bool om_gossip_pin(struct om_gossip *g, const struct om_id *id)
{
    return om_records_pin_id(&g->store, id);
}

/* Does it matter that we ask @id, whom we have just met, before a round comes to it? */
static bool is_to_be_asked(const struct om_gossip *g, const struct om_id *id)
{
    bool is_alone = true;

    if (gossip_owed(g, id) >= GOSSIP_OWED_MAX)
        return false;
    for (unsigned i = 0; i < OM_GOSSIP_PARTNERS; i++)
        is_alone &= !g->partners[i].is_set;
    /* Who has met one member learns the rest. And who is in no record of ours may know others who
     * are in none: partners are chosen from records, so no round would ever come to it. A crowd of
     * strangers that answer nothing leaves half of the calls to those rounds. */
    return is_alone || (gossip_owed(g, NULL) < GOSSIP_ASKED_MAX / 2 &&
                        !om_records_find(&g->store, id) && om_records_wants(&g->store, id));
}

void om_gossip_peer_up(struct om_gossip *g, om_time now, const struct om_id *id,
                       const struct om_addr *addr)
{
    struct om_held *h = om_records_find(&g->store, id);

    if (h) {
        h->heard_at = now ? now : 1;
        h->failed_at = 0;
        h->has_addr |= addr != NULL;
        if (addr)
            h->addr = *addr;
    }
    if (is_to_be_asked(g, id))
        gossip_sync_with(g, id, 0);
}

unsigned om_gossip_ends(const struct om_gossip *g, const struct om_id *id,
                        struct om_addr out[static OM_RECORD_ENDS_MAX])
{
    const struct om_held *h = om_records_find(&g->store, id);
    struct om_record r;
    unsigned n = 0;

    if (!h || om_record_decode(&r, om_bytes(h->bytes, h->len)) != OM_OK)
        return 0;
    if (h->has_addr)
        out[n++] = h->addr;
    for (unsigned i = 0; i < r.end_count && n < OM_RECORD_ENDS_MAX; i++)
        if (!h->has_addr || !om_addr_equal(&r.ends[i].addr, &h->addr))
            out[n++] = r.ends[i].addr;
    return n;
}

const struct om_records *om_gossip_store(const struct om_gossip *g)
{
    return &g->store;
}

const struct om_gossip_counts *om_gossip_counts(const struct om_gossip *g)
{
    return &g->counts;
}

void om_gossip_tick(struct om_gossip *g, om_time now)
{
    if (now >= g->round_at)
        gossip_round(g, now);
    if (now >= g->sync_at) {
        g->sync_s = g->sync_s > OM_GOSSIP_SYNC_S / 2 ? OM_GOSSIP_SYNC_S : 2 * g->sync_s;
        g->sync_at = now + around(g, g->sync_s);
        gossip_sync(g, now);
    }
    if (now >= g->rotate_at) {
        g->rotate_at = now + around(g, OM_GOSSIP_ROTATE_S);
        gossip_rotate(g, now);
    }
    if (now >= g->expire_at) {
        g->expire_at = now + around(g, OM_GOSSIP_ROTATE_S);
        om_records_expire(&g->store, (uint32_t)(gossip_wall_ms(g, now) / 1000));
    }
    if (now >= g->renew_at && make_record(g, now) != OM_OK) {
        g->renew_at = now + OM_SEC(OM_GOSSIP_SYNC_S);
        gossip_drop(g, OM_GOSSIP_DROP_MEMORY);
    }
}

om_time om_gossip_deadline(const struct om_gossip *g)
{
    om_time at = om_time_min(g->round_at, g->sync_at);

    return om_time_min(om_time_min(at, g->rotate_at), om_time_min(g->expire_at, g->renew_at));
}
