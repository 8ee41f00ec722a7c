/* gossip_seek.c - looking for a node: ask those whose keys are nearest, and whom they name. */
#include <string.h>

#include <omerta/wire.h>

#include "gossip/gossip_state.h"

/* Is key @a nearer to @id than @b? */
static bool is_nearer(const struct om_id *id, const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < OM_ID_BYTES; i++) {
        uint8_t x = a[i] ^ id->b[i], y = b[i] ^ id->b[i];
        if (x != y)
            return x < y;
    }
    return false;
}

static void insert(const struct om_id *id, const struct om_held *h, const struct om_held **out,
                   unsigned *count, unsigned max)
{
    unsigned at = *count;

    while (at > 0 && is_nearer(id, h->key, out[at - 1]->key))
        at--;
    if (at == max)
        return;
    if (*count < max)
        (*count)++;
    memmove(&out[at + 1], &out[at], (*count - at - 1) * sizeof(const struct om_held *));
    out[at] = h;
}

unsigned gossip_nearest(const struct om_gossip *g, const struct om_id *id,
                        const struct om_held **out, unsigned max)
{
    unsigned count = 0;

    for (struct om_link *l = om_list_first(&g->store.changes); l;
         l = om_list_next(&g->store.changes, l)) {
        const struct om_held *h = OM_CONTAINER_OF(l, struct om_held, by_change);
        if (!h->is_item)
            insert(id, h, out, &count, max);
    }
    return count;
}

static bool was_asked(const struct gossip_seek *s, const uint8_t *key)
{
    for (unsigned i = 0; i < s->count; i++)
        if (memcmp(s->asked[i].b, key, OM_ID_BYTES) == 0)
            return true;
    return false;
}

static void end(struct om_gossip *g, struct gossip_seek *s, struct om_bytes found)
{
    gossip_act(g, OM_GOSSIP_ACT_FOUND, &s->id, found);
    s->is_set = false;
}

/* Ask the nearest that were not asked yet; with nobody left, and nobody to wait for, it ends. */
static void ask_on(struct om_gossip *g, om_time now, struct gossip_seek *s)
{
    const struct om_held *near[OM_GOSSIP_SEEK_ASKS + 2];
    unsigned n = gossip_nearest(g, &s->id, near, OM_ARRAY_SIZE(near));

    if (n > 0 && memcmp(near[0]->key, s->id.b, OM_ID_BYTES) == 0) {
        end(g, s, om_bytes(near[0]->bytes, near[0]->len));
        return;
    }
    for (unsigned i = 0; i < n && s->pending < OM_GOSSIP_SEEK_AT_ONCE; i++) {
        const struct om_held *h = near[i];
        if (s->count == OM_GOSSIP_SEEK_ASKS)
            break;
        if (was_asked(s, h->key) || memcmp(h->key, g->self->id.b, OM_ID_BYTES) == 0 ||
            (h->failed_at != 0 && now - h->failed_at < OM_SEC(OM_GOSSIP_RETRY_S)))
            continue;
        memcpy(s->asked[s->count].b, h->key, OM_ID_BYTES);
        struct gossip_asked *a =
            gossip_call(g, &s->asked[s->count], OM_GOSSIP_SEEK, om_bytes(s->id.b, sizeof s->id.b));
        s->count++;
        if (!a)
            break;
        a->seek = s->serial;
        s->pending++;
        g->counts.seeks++;
    }
    if (s->pending == 0)
        end(g, s, om_bytes(NULL, 0));
}

enum om_err om_gossip_seek(struct om_gossip *g, om_time now, const struct om_id *id)
{
    struct gossip_seek *s = NULL;
    om_time *last;

    for (unsigned i = 0; i < OM_GOSSIP_SEEKS; i++) {
        if (g->seeks[i].is_set && om_id_equal(&g->seeks[i].id, id))
            return OM_E_BUSY;
        if (!g->seeks[i].is_set && !s)
            s = &g->seeks[i];
    }
    if (!s)
        return OM_E_FULL;
    last = om_lru_find(&g->damped, id->b);
    if (last && now - *last < OM_SEC(OM_GOSSIP_SEEK_AGAIN_S))
        return OM_E_BUSY;
    last = om_lru_put(&g->damped, id->b, NULL);
    if (!last)
        return OM_E_NO_MEM;
    *last = now;
    *s = (struct gossip_seek){.is_set = true, .id = *id, .serial = ++g->tag};
    ask_on(g, now, s);
    return OM_OK;
}

/* The seek that made the call @was; NULL when it has ended, even if its place is taken again. */
static struct gossip_seek *seek_of(struct om_gossip *g, const struct gossip_asked *was)
{
    for (unsigned i = 0; i < OM_GOSSIP_SEEKS; i++)
        if (g->seeks[i].is_set && g->seeks[i].serial == was->seek)
            return &g->seeks[i];
    return NULL;
}

/* Is @entry the record sought, though a full store did not keep it? */
static bool is_found(struct om_gossip *g, om_time now, const struct gossip_seek *s,
                     struct om_bytes entry)
{
    struct om_entry e;

    return !om_records_find(&g->store, &s->id) && om_entry_decode(&e, entry) == OM_OK &&
           e.channel[0] == '\0' && om_id_equal(&e.id, &s->id) && gossip_is_true(g, now, &e);
}

void gossip_seek_reply(struct om_gossip *g, om_time now, const struct gossip_asked *was, bool is_ok,
                       struct om_bytes bytes)
{
    struct gossip_seek *s = seek_of(g, was);
    struct om_rd r = om_rd(bytes);
    unsigned n = 0;

    if (!s)
        return;
    s->pending--;
    om_rd_u32(&r); /* how long ago it was heard: for a person */
    while (is_ok && om_rd_left(&r) > 0 && n++ < OM_GOSSIP_NEAREST) {
        struct om_bytes entry = om_rd_bytes(&r, om_rd_u16(&r));
        if (r.bad)
            break;
        gossip_take(g, now, &was->peer, true, entry);
        if (is_found(g, now, s, entry)) {
            end(g, s, entry);
            return;
        }
    }
    if (is_ok && r.bad)
        gossip_drop(g, OM_GOSSIP_DROP_MALFORMED);
    ask_on(g, now, s);
}
