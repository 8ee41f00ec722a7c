/* records.c - put, evict, expire; every walk is in the order of change, so every run repeats. */
#include "gossip/records.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>
#include <sodium.h>

enum { INDEX_SLOT = 8 }; /* bytes of a table's index for one of its slots */

static struct om_held *held(struct om_link *l)
{
    return OM_CONTAINER_OF(l, struct om_held, by_change);
}

enum om_err om_records_init(struct om_records *s, unsigned max, const struct om_id *self,
                            const struct om_id *network, const uint8_t salt[static 16])
{
    *s = (struct om_records){.max = max ? max : OM_RECORDS_MAX, .self = *self, .network = *network};
    memcpy(s->salt, salt, sizeof s->salt);
    om_list_init(&s->changes);
    if (om_table_init(&s->by_hash, sizeof(uint64_t), s->max + 1 + OM_ITEMS_MAX + 1, salt) != OM_OK)
        return OM_E_RANGE;
    return om_table_init(&s->table, OM_ENTRY_KEY, s->max + 1 + OM_ITEMS_MAX + 1, salt);
}

unsigned om_records_bucket(uint64_t hash)
{
    return (unsigned)(hash % OM_RECORDS_BUCKETS);
}

struct om_held *om_records_by_hash(const struct om_records *s, uint64_t hash)
{
    return om_table_find(&s->by_hash, &hash);
}

/* Put what @h is into its bucket's sum, or take it out. */
static void toggle(struct om_records *s, const struct om_held *h)
{
    uint8_t said[8 + 8], sum[crypto_shorthash_BYTES];
    struct om_wr w = om_wr(om_mut(said, sizeof said));

    om_wr_u64(&w, h->hash);
    om_wr_u64(&w, h->sequence);
    crypto_shorthash(sum, said, sizeof said, s->network.b);
    struct om_rd r = om_rd(om_bytes(sum, sizeof sum));
    s->sums[om_records_bucket(h->hash)] ^= om_rd_u64(&r);
}

/* The heaps are there since the store was full for the first time. */
static bool is_sorted(const struct om_records *s)
{
    return s->farthest.cap > 0;
}

/* First 64 bits of the distance between @key and ours: more of it has never to be compared, unless
 * somebody made 2^64 keys. */
static uint64_t distance(const struct om_records *s, const uint8_t *key)
{
    uint64_t d = 0;

    for (unsigned i = 0; i < sizeof d; i++)
        d = d << 8 | (uint8_t)(key[i] ^ s->self.b[i]);
    return d;
}

/* Into the heap it belongs to; what is pinned can only go for being far. */
static void sort(struct om_records *s, struct om_held *h)
{
    if (!is_sorted(s) || h->is_item)
        return;
    if (h->is_near)
        om_heap_push(&s->farthest, distance(s, h->key), &h->heap_at);
    else if (!h->is_pinned)
        om_heap_push(&s->worst, h->rank, &h->heap_at);
}

static void unsort(struct om_records *s, struct om_held *h)
{
    if (h->heap_at != 0)
        om_heap_remove(h->is_near ? &s->farthest : &s->worst, &h->heap_at);
}

static struct om_held *top(const struct om_heap *h)
{
    const struct om_heap_slot *slot = om_heap_top(h);

    return slot ? OM_CONTAINER_OF(slot->at, struct om_held, heap_at) : NULL;
}

static void drop(struct om_records *s, struct om_held *h)
{
    toggle(s, h);
    unsort(s, h);
    if (om_records_by_hash(s, h->hash) == h)
        om_table_remove(&s->by_hash, &h->hash);
    om_table_remove(&s->table, h->key);
    om_list_remove(&h->by_change);
    s->items -= h->is_item;
    s->records -= !h->is_item;
    s->near -= h->is_near;
    s->pinned -= h->is_pinned;
    free(h);
}

void om_records_fini(struct om_records *s)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&s->changes); l; l = next) {
        next = om_list_next(&s->changes, l);
        free(held(l));
    }
    om_table_fini(&s->table);
    om_table_fini(&s->by_hash);
    om_heap_fini(&s->farthest);
    om_heap_fini(&s->worst);
}

struct om_held *om_records_get(const struct om_records *s, const struct om_entry *e)
{
    uint8_t key[OM_ENTRY_KEY];

    om_entry_key(e, key);
    return om_table_find(&s->table, key);
}

struct om_held *om_records_find(const struct om_records *s, const struct om_id *id)
{
    const struct om_entry e = {.id = *id};

    return om_records_get(s, &e);
}

struct om_held *om_records_find_item(const struct om_records *s, const struct om_id *id,
                                     const char *channel)
{
    struct om_entry e = {.id = *id};
    size_t n = strnlen(channel, OM_CHANNEL_MAX + 1);

    if (n == 0 || n > OM_CHANNEL_MAX)
        return NULL;
    memcpy(e.channel, channel, n);
    return om_records_get(s, &e);
}

bool om_records_is_subscribed(const struct om_records *s, const char *channel)
{
    for (unsigned i = 0; i < s->channel_count; i++)
        if (strcmp(s->channels[i], channel) == 0)
            return true;
    return false;
}

enum om_err om_records_subscribe(struct om_records *s, const char *channel)
{
    size_t n = strnlen(channel, OM_CHANNEL_MAX + 1);

    if (n == 0 || n > OM_CHANNEL_MAX)
        return OM_E_RANGE;
    if (om_records_is_subscribed(s, channel))
        return OM_OK;
    if (s->channel_count == OM_SUBSCRIPTIONS_MAX)
        return OM_E_FULL;
    memcpy(s->channels[s->channel_count++], channel, n + 1);
    for (struct om_link *l = om_list_first(&s->changes); l; l = om_list_next(&s->changes, l))
        if (held(l)->is_item && memcmp(held(l)->key + OM_ID_BYTES, channel, n) == 0 &&
            (n == OM_CHANNEL_MAX || held(l)->key[OM_ID_BYTES + n] == '\0'))
            held(l)->is_wanted = true;
    return OM_OK;
}

bool om_records_pin(struct om_records *s, struct om_held *h)
{
    if (h->is_pinned)
        return true;
    if (s->pinned >= s->max / 2)
        return false;
    unsort(s, h);
    h->is_pinned = true;
    s->pinned++;
    sort(s, h);
    return true;
}

static bool is_named(const struct om_records *s, const struct om_id *id)
{
    for (unsigned i = 0; i < s->named_count; i++)
        if (om_id_equal(&s->named[i], id))
            return true;
    return false;
}

bool om_records_pin_id(struct om_records *s, const struct om_id *id)
{
    struct om_held *h = om_records_find(s, id);

    if (is_named(s, id))
        return true;
    if (s->named_count == OM_RECORDS_NAMED || s->named_count >= s->max / 4 ||
        (h && !om_records_pin(s, h)))
        return false;
    s->named[s->named_count++] = *id;
    return true;
}

void om_records_unpin(struct om_records *s, struct om_held *h)
{
    unsort(s, h);
    s->pinned -= h->is_pinned;
    h->is_pinned = false;
    sort(s, h);
}

/* Half of the records are kept for being near: @h joins them if it is nearer than the farthest. */
static void sort_near(struct om_records *s, struct om_held *h)
{
    struct om_held *far = top(&s->farthest);

    if (!far || distance(s, h->key) >= distance(s, far->key))
        return;
    unsort(s, far);
    far->is_near = false;
    sort(s, far);
    h->is_near = true;
}

/* The nearest record that is not marked so yet. */
static struct om_held *next_near(const struct om_records *s)
{
    struct om_held *best = NULL;

    for (struct om_link *l = om_list_first(&s->changes); l; l = om_list_next(&s->changes, l)) {
        struct om_held *h = held(l);
        if (!h->is_item && !h->is_near && (!best || distance(s, h->key) < distance(s, best->key)))
            best = h;
    }
    return best;
}

static int by_key(const void *a, const void *b)
{
    const struct om_heap_slot *x = a, *y = b;

    return x->key < y->key ? -1 : x->key > y->key;
}

/* Full for the first time: who is near is found out, and both heaps are made. */
static bool sort_all(struct om_records *s)
{
    struct om_heap_slot *all = malloc(s->records * sizeof *all);
    unsigned n = 0;

    if (!all || !om_heap_reserve(&s->worst, s->max + 1) ||
        !om_heap_reserve(&s->farthest, s->max / 2 + 1)) {
        free(all);
        return false;
    }
    for (struct om_link *l = om_list_first(&s->changes); l; l = om_list_next(&s->changes, l))
        if (!held(l)->is_item)
            all[n++] = (struct om_heap_slot){distance(s, held(l)->key), &held(l)->heap_at};
    qsort(all, n, sizeof *all, by_key);
    for (unsigned i = 0; i < n; i++) {
        struct om_held *h = OM_CONTAINER_OF(all[i].at, struct om_held, heap_at);
        h->is_near = i < s->max / 2;
        s->near += h->is_near;
        sort(s, h);
    }
    free(all);
    return true;
}

/* Who gives way when there is one too many; the newest, if it is neither near nor well ranked. */
static struct om_held *record_victim(struct om_records *s)
{
    for (struct om_held *h; s->near < s->max / 2 && (h = next_near(s)) != NULL; s->near++) {
        unsort(s, h);
        h->is_near = true;
        sort(s, h);
    }
    return top(&s->worst);
}

bool om_records_wants(const struct om_records *s, const struct om_id *id)
{
    const struct om_held *far = top(&s->farthest), *worst = top(&s->worst);
    uint64_t rank;

    if (!is_sorted(s) || s->records < s->max || s->near < s->max / 2 || is_named(s, id) || !far ||
        !worst || distance(s, id->b) < distance(s, far->key))
        return true;
    crypto_shorthash((unsigned char *)&rank, id->b, OM_ID_BYTES, s->salt);
    return rank <= worst->rank;
}

/* Among the items (of one origin when @id is set) the oldest, unsubscribed before subscribed. */
static struct om_held *item_victim(const struct om_records *s, const uint8_t *id)
{
    struct om_held *wanted = NULL;

    for (struct om_link *l = om_list_first(&s->changes); l; l = om_list_next(&s->changes, l)) {
        struct om_held *h = held(l);
        if (!h->is_item || (id && memcmp(h->key, id, OM_ID_BYTES) != 0))
            continue;
        if (!h->is_wanted)
            return h;
        if (!wanted)
            wanted = h;
    }
    return wanted;
}

static unsigned items_of(const struct om_records *s, const uint8_t *id)
{
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&s->changes); l; l = om_list_next(&s->changes, l))
        n += held(l)->is_item && memcmp(held(l)->key, id, OM_ID_BYTES) == 0;
    return n;
}

/* Drops what is too much; NULL when that was @h itself. */
static struct om_held *bound(struct om_records *s, struct om_held *h)
{
    struct om_held *victim = NULL;

    if (h->is_item && items_of(s, h->key) > OM_ITEMS_EACH)
        victim = item_victim(s, h->key);
    else if (h->is_item && s->items > OM_ITEMS_MAX)
        victim = item_victim(s, NULL);
    else if (!h->is_item && s->records > s->max)
        victim = record_victim(s);
    if (victim)
        drop(s, victim);
    return victim == h ? NULL : h;
}

static void mark_changed(struct om_records *s, struct om_held *h)
{
    if (om_link_is_linked(&h->by_change))
        om_list_remove(&h->by_change);
    om_list_push_back(&s->changes, &h->by_change);
    h->change = ++s->change;
}

/* New memory for @e in the place of @old, if any. */
static struct om_held *make(struct om_records *s, const struct om_entry *e, struct om_held *old)
{
    struct om_held *h = malloc(sizeof *h + e->bytes.n);

    if (!h)
        return NULL;
    *h = (struct om_held){.is_item = e->channel[0] != '\0'};
    if (old)
        *h = *old;
    h->by_change = (struct om_link){NULL, NULL};
    h->heap_at = 0;
    om_entry_key(e, h->key);
    h->hash = om_entry_hash(h->key, &s->network);
    h->sequence = e->sequence;
    h->expires = e->expires;
    h->len = (uint16_t)e->bytes.n;
    h->is_wanted = h->is_item && om_records_is_subscribed(s, e->channel);
    h->is_pinned |= !h->is_item && s->pinned < s->max / 2 && is_named(s, &e->id);
    crypto_shorthash((unsigned char *)&h->rank, h->key, OM_ID_BYTES, s->salt);
    memcpy(h->bytes, e->bytes.p, e->bytes.n);
    return h;
}

enum om_records_put om_records_put(struct om_records *s, const struct om_entry *e,
                                   struct om_held **out)
{
    struct om_held *old = om_records_get(s, e);

    *out = old;
    if (old && e->sequence <= old->sequence)
        return OM_PUT_OLD;
    bool is_another = !old && e->channel[0] == '\0';
    if (is_another && s->records == s->max && !is_sorted(s) && !sort_all(s))
        return OM_PUT_NO_MEM;
    if (is_another && !om_records_wants(s, &e->id))
        return OM_PUT_NOT_KEPT;
    struct om_held *h = make(s, e, old);
    if (!h)
        return OM_PUT_NO_MEM;
    bool was_held = old != NULL;
    if (old)
        drop(s, old);
    *out = NULL;
    if (om_table_put(&s->table, h->key, h) != OM_OK) {
        free(h);
        return OM_PUT_NO_MEM;
    }
    if (!om_records_by_hash(s, h->hash) && om_table_put(&s->by_hash, &h->hash, h) != OM_OK) {
        om_table_remove(&s->table, h->key);
        free(h);
        return OM_PUT_NO_MEM;
    }
    s->items += h->is_item;
    s->records += !h->is_item;
    s->near += h->is_near;
    s->pinned += h->is_pinned;
    toggle(s, h);
    if (!was_held && !h->is_item)
        sort_near(s, h);
    sort(s, h);
    mark_changed(s, h);
    *out = was_held ? h : bound(s, h);
    if (was_held)
        return OM_PUT_NEWER;
    return *out ? OM_PUT_NEW : OM_PUT_NOT_KEPT;
}

unsigned om_records_expire(struct om_records *s, uint32_t wall_s)
{
    struct om_link *next;
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&s->changes); l; l = next) {
        next = om_list_next(&s->changes, l);
        if (held(l)->expires >= wall_s)
            continue;
        drop(s, held(l));
        n++;
    }
    return n;
}

void om_records_entry(const struct om_held *h, struct om_entry *out)
{
    enum om_err e = om_entry_decode(out, om_bytes(h->bytes, h->len));

    OM_BUG_IF(e != OM_OK); /* only what could be read is kept */
}

size_t om_records_bytes(const struct om_records *s)
{
    size_t n = sizeof *s + (size_t)s->table.cap * s->table.stride +
               ((size_t)s->farthest.cap + s->worst.cap) * sizeof(struct om_heap_slot) +
               (s->table.slots ? ((size_t)s->table.mask + 1) * INDEX_SLOT : 0) +
               (size_t)s->by_hash.cap * s->by_hash.stride +
               (s->by_hash.slots ? ((size_t)s->by_hash.mask + 1) * INDEX_SLOT : 0);

    for (struct om_link *l = om_list_first(&s->changes); l; l = om_list_next(&s->changes, l))
        n += sizeof(struct om_held) + held(l)->len;
    return n;
}
