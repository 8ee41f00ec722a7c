/*
 * table.h - hash table that remembers the order of insertion
 *
 * What:  keys of one fixed size, copied in; values are pointers that stay the caller's.
 * Why:   peers choose keys, so the hash is SipHash under a secret key: nobody can make them
 *        collide. Iteration follows insertion and never the hash, so that the same seed gives the
 *        same trace.
 * Keeps: table_iterates_in_order_of_insertion; table_refusal_changes_nothing;
 *        table_remove_while_iterating; table_order_is_free_of_the_key; table_init_checks_its_sizes;
 *        table_churn_when_full_stays_bounded.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012); SipHash-2-4.
 */
#ifndef OMERTA_TABLE_H
#define OMERTA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_TABLE_KEY_MAX = 64,  /* bytes */
    OM_TABLE_MAX = 1 << 24, /* entries */
    OM_SIP_KEY = 16         /* bytes */
};

struct om_index_slot;

/* Read freely; write only through om_table_*(). */
struct om_table {
    struct om_index_slot *slots; /* owned, and the entries lie in the same block; NULL until put */
    uint8_t *entries;            /* dense, in order of insertion; removed ones leave a gap */
    uint32_t mask;               /* slots - 1 */
    uint32_t cap;                /* entries that fit, a power of two */
    uint32_t used;               /* entries and gaps */
    uint32_t first;              /* index of the oldest entry */
    uint32_t count;
    uint32_t max;
    uint32_t key_bytes;
    uint32_t stride; /* bytes per entry */
    uint8_t sip_key[OM_SIP_KEY];
};

/**
 * om_table_init() - an empty table; allocates nothing yet
 * @t:          storage of the caller
 * @key_bytes:  1 to OM_TABLE_KEY_MAX
 * @max:        1 to OM_TABLE_MAX entries; memory grows by doubling as they come, to room for 8/3 of
 *              @max at most
 * @sip_key:    16 secret bytes, copied
 *
 * Return: OM_OK, or OM_E_RANGE (@t is then a table that is always full).
 */
OM_MUST enum om_err om_table_init(struct om_table *t, size_t key_bytes, unsigned max,
                                  const uint8_t sip_key[static OM_SIP_KEY]);

/** om_table_fini() - release @t, which may be zeroed; the values are the caller's to free. */
void om_table_fini(struct om_table *t);

/**
 * om_table_put() - add an entry as the newest
 * @t:      the table
 * @key:    key_bytes bytes, copied
 * @value:  not NULL, which means "none" in find; stays the caller's
 *
 * Return: OM_OK, OM_E_EXISTS, OM_E_FULL or OM_E_NO_MEM; on error nothing changed.
 */
OM_MUST enum om_err om_table_put(struct om_table *t, const void *key, void *value);

/** om_table_find() - the value in @t under @key (key_bytes bytes), or NULL. */
void *om_table_find(const struct om_table *t, const void *key);

/** om_table_remove() - the value in @t under @key, which is no longer there; or NULL. */
void *om_table_remove(struct om_table *t, const void *key);

/** om_table_count() - entries in @t. */
static inline unsigned om_table_count(const struct om_table *t)
{
    return t->count;
}

/**
 * om_table_next() - walk the entries, oldest first
 * @t:       entries may be removed during the walk, the current one too; a put ends it
 * @cursor:  0 at the start
 * @key:     set to key_bytes bytes, aligned to 8, lent until the next put; may be NULL
 * @value:   set to the value; may be NULL
 *
 * Return: false at the end, with @key and @value untouched.
 */
bool om_table_next(const struct om_table *t, size_t *cursor, const void **key, void **value);

#endif
