/* table.c - dense entries in order of insertion, found through the index of index.h. */
#include <omerta/table.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "index.h"

enum { TABLE_FIRST_CAP = 8 };

struct entry {
    void *value; /* NULL = removed */
    uint32_t hash;
    alignas(8) uint8_t key[];
};

enum om_err om_table_init(struct om_table *t, size_t key_bytes, unsigned max,
                          const uint8_t sip_key[static OM_SIP_KEY])
{
    *t = (struct om_table){0};
    if (key_bytes == 0 || key_bytes > OM_TABLE_KEY_MAX || max == 0 || max > OM_TABLE_MAX)
        return OM_E_RANGE;
    t->key_bytes = (uint32_t)key_bytes;
    t->stride = (uint32_t)((offsetof(struct entry, key) + key_bytes + 7) & ~(size_t)7);
    t->max = max;
    memcpy(t->sip_key, sip_key, sizeof t->sip_key);
    return OM_OK;
}

void om_table_fini(struct om_table *t)
{
    free(t->slots);
    sodium_memzero(t, sizeof *t);
}

static struct entry *entry_at(const struct om_table *t, uint32_t i)
{
    return (struct entry *)(void *)(t->entries + (size_t)i * t->stride);
}

static uint32_t find_slot(const struct om_table *t, const void *key, uint32_t hash)
{
    return om_index_find(t->slots, t->mask, hash, t->entries + offsetof(struct entry, key),
                         t->stride, key, t->key_bytes);
}

/* Moves the entries to @entries, which may be where they are, without gaps; fills @slots. */
static void rebuild(struct om_table *t, struct om_index_slot *slots, uint32_t mask,
                    uint8_t *entries)
{
    uint32_t live = 0;

    memset(slots, 0, ((size_t)mask + 1) * sizeof *slots);
    for (uint32_t i = t->first; i < t->used; i++) {
        const struct entry *e = entry_at(t, i);
        uint8_t *to = entries + (size_t)live * t->stride;

        if (!e->value)
            continue;
        om_index_insert(slots, mask, e->hash, ++live);
        memmove(to, e, t->stride);
    }
    t->slots = slots;
    t->entries = entries;
    t->mask = mask;
    t->first = 0;
    t->used = live;
}

/* Slots and entries in one block; twice as many slots as entries keeps probing short. */
static bool grow(struct om_table *t)
{
    uint32_t cap = t->cap ? 2 * t->cap : TABLE_FIRST_CAP;
    size_t slot_bytes = 2 * (size_t)cap * sizeof(struct om_index_slot);
    uint8_t *block = malloc(slot_bytes + (size_t)cap * t->stride);
    void *old = t->slots;

    if (!block)
        return false;
    rebuild(t, (struct om_index_slot *)(void *)block, 2 * cap - 1, block + slot_bytes);
    t->cap = cap;
    free(old);
    return true;
}

/*
 * Room for one more. Gaps are closed only when they are a quarter of the whole, so the work is
 * spread over that many removals even if the table is kept full; hence cap < 8/3 max.
 */
static bool has_room(struct om_table *t)
{
    if (t->used < t->cap)
        return true;
    if (t->count >= t->cap / 4 * 3 && grow(t))
        return true;
    if (t->count == t->cap)
        return false;
    rebuild(t, t->slots, t->mask, t->entries);
    return true;
}

enum om_err om_table_put(struct om_table *t, const void *key, void *value)
{
    OM_BUG_IF(!value);
    if (t->max == 0)
        return OM_E_FULL;
    uint32_t hash = om_index_hash(key, t->key_bytes, t->sip_key);

    if (t->count && find_slot(t, key, hash) != OM_INDEX_NONE)
        return OM_E_EXISTS;
    if (t->count == t->max)
        return OM_E_FULL;
    if (!has_room(t))
        return OM_E_NO_MEM;
    struct entry *e = entry_at(t, t->used++);
    e->value = value;
    e->hash = hash;
    memcpy(e->key, key, t->key_bytes);
    om_index_insert(t->slots, t->mask, hash, t->used);
    t->count++;
    return OM_OK;
}

void *om_table_find(const struct om_table *t, const void *key)
{
    if (t->count == 0)
        return NULL;
    uint32_t at = find_slot(t, key, om_index_hash(key, t->key_bytes, t->sip_key));

    return at == OM_INDEX_NONE ? NULL : entry_at(t, t->slots[at].place - 1)->value;
}

void *om_table_remove(struct om_table *t, const void *key)
{
    if (t->count == 0)
        return NULL;
    uint32_t at = find_slot(t, key, om_index_hash(key, t->key_bytes, t->sip_key));
    if (at == OM_INDEX_NONE)
        return NULL;
    struct entry *e = entry_at(t, t->slots[at].place - 1);
    void *value = e->value;

    om_index_erase(t->slots, t->mask, at);
    e->value = NULL;
    t->count--;
    /* Gaps at the ends cost nothing to forget: queues and stacks then leave none at all. */
    while (t->used > t->first && !entry_at(t, t->used - 1)->value)
        t->used--;
    while (t->first < t->used && !entry_at(t, t->first)->value)
        t->first++;
    return value;
}

bool om_table_next(const struct om_table *t, size_t *cursor, const void **key, void **value)
{
    size_t i = *cursor < t->first ? t->first : *cursor;

    while (i < t->used && !entry_at(t, (uint32_t)i)->value)
        i++;
    if (i >= t->used)
        return false;
    struct entry *e = entry_at(t, (uint32_t)i);
    if (key)
        *key = e->key;
    if (value)
        *value = e->value;
    *cursor = i + 1;
    return true;
}
