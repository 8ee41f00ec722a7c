/*
 * lru.h - bounded map that forgets what was not used for longest
 *
 * What:  keys and values of fixed sizes, both stored inside; a new key in a full map takes the
 *        place of the least recently used one.
 * Why:   what is remembered about strangers (rates, cookies, seen nonces) must neither grow with
 *        a flood nor refuse to learn. Keys are hashed as in table.h and for the same reason.
 * Keeps: lru_evicts_the_least_recently_used; lru_peek_keeps_the_order; lru_new_value_is_zero;
 *        lru_grows_with_use; lru_init_checks_its_sizes;
 *        lru_walk_begins_with_the_newest.
 *
 * Values are lent until the next put or remove: they move in memory when the map grows, so nothing
 * may point into them. A removed value is not wiped; an evicted one is overwritten.
 */
#ifndef OMERTA_LRU_H
#define OMERTA_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/table.h>

enum {
    OM_LRU_VALUE_MAX = 1 << 16, /* bytes */
    OM_LRU_MAX = 1 << 24        /* entries */
};

/* Read freely; write only through om_lru_*(). Entries are named by their place, counted from 1. */
struct om_lru {
    struct om_index_slot *slots; /* owned, and the entries lie in the same block; NULL until put */
    uint8_t *entries;
    uint32_t mask;   /* slots - 1 */
    uint32_t cap;    /* entries that fit */
    uint32_t used;   /* entries and freed places */
    uint32_t spare;  /* a freed place, which names the next one; 0 = none */
    uint32_t oldest; /* 0 = none */
    uint32_t newest;
    uint32_t count;
    uint32_t max;
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint32_t value_at; /* offset of the value in an entry */
    uint32_t stride;   /* bytes per entry */
    uint8_t sip_key[OM_SIP_KEY];
};

/**
 * om_lru_init() - an empty map; allocates nothing yet
 * @l:            storage of the caller
 * @key_bytes:    1 to OM_TABLE_KEY_MAX
 * @value_bytes:  0 (a set) to OM_LRU_VALUE_MAX; values are aligned to 8 bytes
 * @max:          1 to OM_LRU_MAX entries; memory grows by doubling as they come
 * @sip_key:      16 secret bytes, copied
 *
 * Return: OM_OK, or OM_E_RANGE (@l is then a map that is always empty).
 */
OM_MUST enum om_err om_lru_init(struct om_lru *l, size_t key_bytes, size_t value_bytes,
                                unsigned max, const uint8_t sip_key[static OM_SIP_KEY]);

/** om_lru_fini() - release @l, which may be zeroed; values are not wiped. */
void om_lru_fini(struct om_lru *l);

/** om_lru_find() - the value in @l under @key, lent and now the most recent; or NULL. */
void *om_lru_find(struct om_lru *l, const void *key);

/** om_lru_peek() - the value in @l under @key, lent, its age unchanged; or NULL. */
void *om_lru_peek(const struct om_lru *l, const void *key);

/**
 * om_lru_put() - the value under a key, made if need be, now the most recent
 * @l:       the map; when full, the oldest entry gives way
 * @key:     key_bytes bytes, copied
 * @is_new:  set to whether the value was made (and is zero); may be NULL
 *
 * Return: the value, lent; NULL, with nothing changed, when out of memory.
 */
void *om_lru_put(struct om_lru *l, const void *key, bool *is_new);

/** om_lru_remove() - forget @key; false when @l had no such entry. */
bool om_lru_remove(struct om_lru *l, const void *key);

/** om_lru_count() - entries in @l. */
static inline unsigned om_lru_count(const struct om_lru *l)
{
    return l->count;
}

/**
 * om_lru_oldest() - the entry that would be evicted first
 * @l:    the map; the entry's age does not change
 * @key:  set to key_bytes bytes, lent; may be NULL; untouched when the map is empty
 *
 * Return: the value, lent; NULL when the map is empty.
 */
void *om_lru_oldest(const struct om_lru *l, const void **key);

/**
 * om_lru_walk() - entries in order, from the one used last
 * @l:      the map, which is not written meanwhile; ages do not change
 * @place:  where it is; 0 to begin, and not looked into
 * @key:    set to key_bytes bytes, lent; may be NULL
 *
 * Return: the value, lent; NULL after the oldest.
 */
void *om_lru_walk(const struct om_lru *l, uint32_t *place, const void **key);

#endif
