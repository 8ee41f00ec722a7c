/* lru.c - entries linked from oldest to newest, found through the index of index.h. */
#include <omerta/lru.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "index.h"

enum { LRU_FIRST_CAP = 8 };

struct entry {
    uint32_t older; /* 0 = none */
    uint32_t newer; /* 0 = none; of a freed place, the next freed one */
    uint32_t hash;
    alignas(8) uint8_t key[]; /* then, aligned again, the value */
};

enum om_err om_lru_init(struct om_lru *l, size_t key_bytes, size_t value_bytes, unsigned max,
                        const uint8_t sip_key[static OM_SIP_KEY])
{
    *l = (struct om_lru){0};
    if (key_bytes == 0 || key_bytes > OM_TABLE_KEY_MAX || value_bytes > OM_LRU_VALUE_MAX ||
        max == 0 || max > OM_LRU_MAX)
        return OM_E_RANGE;
    l->key_bytes = (uint32_t)key_bytes;
    l->value_bytes = (uint32_t)value_bytes;
    l->value_at = (uint32_t)((offsetof(struct entry, key) + key_bytes + 7) & ~(size_t)7);
    l->stride = (uint32_t)((l->value_at + value_bytes + 7) & ~(size_t)7);
    l->max = max;
    memcpy(l->sip_key, sip_key, sizeof l->sip_key);
    return OM_OK;
}

void om_lru_fini(struct om_lru *l)
{
    free(l->slots);
    sodium_memzero(l, sizeof *l);
}

static struct entry *entry_at(const struct om_lru *l, uint32_t place)
{
    return (struct entry *)(void *)(l->entries + (size_t)(place - 1) * l->stride);
}

static void *value_of(const struct om_lru *l, uint32_t place)
{
    return (uint8_t *)entry_at(l, place) + l->value_at;
}

static void link_newest(struct om_lru *l, uint32_t place)
{
    struct entry *e = entry_at(l, place);

    e->older = l->newest;
    e->newer = 0;
    if (l->newest)
        entry_at(l, l->newest)->newer = place;
    else
        l->oldest = place;
    l->newest = place;
}

static void unlink_entry(struct om_lru *l, uint32_t place)
{
    const struct entry *e = entry_at(l, place);

    if (e->older)
        entry_at(l, e->older)->newer = e->newer;
    else
        l->oldest = e->newer;
    if (e->newer)
        entry_at(l, e->newer)->older = e->older;
    else
        l->newest = e->older;
}

static void touch(struct om_lru *l, uint32_t place)
{
    if (l->newest == place)
        return;
    unlink_entry(l, place);
    link_newest(l, place);
}

static uint32_t find_slot(const struct om_lru *l, const void *key, uint32_t hash)
{
    if (l->count == 0)
        return OM_INDEX_NONE;
    return om_index_find(l->slots, l->mask, hash, l->entries + offsetof(struct entry, key),
                         l->stride, key, l->key_bytes);
}

/* The place of the entry under @key, 0 if there is none. */
static uint32_t find_place(const struct om_lru *l, const void *key)
{
    if (l->count == 0)
        return 0;
    uint32_t at = find_slot(l, key, om_index_hash(key, l->key_bytes, l->sip_key));

    return at == OM_INDEX_NONE ? 0 : l->slots[at].place;
}

static bool grow(struct om_lru *l)
{
    uint32_t cap = l->cap ? 2 * l->cap : LRU_FIRST_CAP;
    uint32_t mask = 2 * LRU_FIRST_CAP - 1;

    if (cap > l->max)
        cap = l->max;
    while (mask < 2 * cap - 1)
        mask = 2 * mask + 1;
    size_t slot_bytes = ((size_t)mask + 1) * sizeof(struct om_index_slot);
    uint8_t *block = malloc(slot_bytes + (size_t)cap * l->stride);
    if (!block)
        return false;
    struct om_index_slot *slots = (struct om_index_slot *)(void *)block;
    memset(slots, 0, slot_bytes);
    if (l->used)
        memcpy(block + slot_bytes, l->entries, (size_t)l->used * l->stride);
    for (uint32_t p = l->oldest; p; p = entry_at(l, p)->newer)
        om_index_insert(slots, mask, entry_at(l, p)->hash, p);
    free(l->slots);
    l->slots = slots;
    l->entries = block + slot_bytes;
    l->mask = mask;
    l->cap = cap;
    return true;
}

/* Takes the entry out; its place belongs to the caller. */
static void detach(struct om_lru *l, uint32_t slot)
{
    unlink_entry(l, l->slots[slot].place);
    om_index_erase(l->slots, l->mask, slot);
    l->count--;
}

/* A place for a new entry: the oldest one's when full; 0 when out of memory. */
static uint32_t acquire(struct om_lru *l)
{
    uint32_t place = l->spare;

    if (l->count == l->max) {
        place = l->oldest;
        detach(l, om_index_seek(l->slots, l->mask, entry_at(l, place)->hash, place));
        return place;
    }
    if (place) {
        l->spare = entry_at(l, place)->newer;
        return place;
    }
    if (l->used == l->cap && !grow(l))
        return 0;
    return ++l->used;
}

void *om_lru_find(struct om_lru *l, const void *key)
{
    uint32_t place = find_place(l, key);

    if (!place)
        return NULL;
    touch(l, place);
    return value_of(l, place);
}

void *om_lru_peek(const struct om_lru *l, const void *key)
{
    uint32_t place = find_place(l, key);

    return place ? value_of(l, place) : NULL;
}

void *om_lru_put(struct om_lru *l, const void *key, bool *is_new)
{
    if (l->max == 0)
        return NULL;
    uint32_t hash = om_index_hash(key, l->key_bytes, l->sip_key);
    uint32_t slot = find_slot(l, key, hash);
    uint32_t place = slot == OM_INDEX_NONE ? acquire(l) : l->slots[slot].place;

    if (!place)
        return NULL;
    if (is_new)
        *is_new = slot == OM_INDEX_NONE;
    if (slot != OM_INDEX_NONE) {
        touch(l, place);
        return value_of(l, place);
    }
    struct entry *e = entry_at(l, place);
    e->hash = hash;
    memcpy(e->key, key, l->key_bytes);
    om_index_insert(l->slots, l->mask, hash, place);
    link_newest(l, place);
    l->count++;
    return memset(value_of(l, place), 0, l->value_bytes);
}

bool om_lru_remove(struct om_lru *l, const void *key)
{
    uint32_t slot, place;

    if (l->count == 0)
        return false;
    slot = find_slot(l, key, om_index_hash(key, l->key_bytes, l->sip_key));
    if (slot == OM_INDEX_NONE)
        return false;
    place = l->slots[slot].place;
    detach(l, slot);
    entry_at(l, place)->newer = l->spare;
    l->spare = place;
    return true;
}

void *om_lru_oldest(const struct om_lru *l, const void **key)
{
    if (!l->oldest)
        return NULL;
    if (key)
        *key = entry_at(l, l->oldest)->key;
    return value_of(l, l->oldest);
}

void *om_lru_walk(const struct om_lru *l, uint32_t *place, const void **key)
{
    *place = *place ? entry_at(l, *place)->older : l->newest;
    if (!*place)
        return NULL;
    if (key)
        *key = entry_at(l, *place)->key;
    return value_of(l, *place);
}
