/*
 * index.h - the hash index under table.c and lru.c: from a key's hash to an entry's place
 *
 * What:  open addressing with linear probing over slots of (hash, place); removal moves later
 *        slots back, so that there are no tombstones and no lookup gets slower with churn.
 * Why:   two containers need the same twenty delicate lines once. The entries with the keys stay
 *        in the containers; a probe touches them only when all 32 bits of the hash agree.
 * Keeps: table_model_matches_a_list; lru_model_matches_a_list.
 *
 * Source: Knuth, The Art of Computer Programming vol. 3, section 6.4, algorithms L and R.
 */
#ifndef OMERTA_BASE_INDEX_H
#define OMERTA_BASE_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#define OM_INDEX_NONE UINT32_MAX

struct om_index_slot {
    uint32_t hash;
    uint32_t place; /* of the entry, counted from 1; 0 = the slot is empty */
};

/** om_index_hash() - 32 bits of SipHash-2-4 of @n bytes at @key under @sip_key. */
static inline uint32_t om_index_hash(const void *key, size_t n, const uint8_t *sip_key)
{
    uint8_t out[crypto_shorthash_siphash24_BYTES];
    uint32_t hash;

    crypto_shorthash_siphash24(out, key, n, sip_key);
    memcpy(&hash, out, sizeof hash);
    return hash;
}

/** om_index_insert() - add @place under @hash; at least one of the @mask + 1 @slots is empty. */
static inline void om_index_insert(struct om_index_slot *slots, uint32_t mask, uint32_t hash,
                                   uint32_t place)
{
    uint32_t at = hash & mask;

    while (slots[at].place)
        at = (at + 1) & mask;
    slots[at] = (struct om_index_slot){hash, place};
}

/**
 * om_index_find() - the slot of a key
 * @slots:  the index
 * @mask:   its size minus 1
 * @hash:   of @key
 * @keys:   where the key of place 1 lies
 * @stride: bytes from one key to the next
 * @key:    what is looked for
 * @n:      its length in bytes
 *
 * Return: the slot's number, OM_INDEX_NONE when there is none.
 */
static inline uint32_t om_index_find(const struct om_index_slot *slots, uint32_t mask,
                                     uint32_t hash, const uint8_t *keys, size_t stride,
                                     const void *key, size_t n)
{
    for (uint32_t at = hash & mask; slots[at].place; at = (at + 1) & mask)
        if (slots[at].hash == hash && memcmp(keys + (slots[at].place - 1) * stride, key, n) == 0)
            return at;
    return OM_INDEX_NONE;
}

/** om_index_seek() - the slot in @slots of an entry known to be there by its @hash and @place. */
static inline uint32_t om_index_seek(const struct om_index_slot *slots, uint32_t mask,
                                     uint32_t hash, uint32_t place)
{
    uint32_t at = hash & mask;

    while (slots[at].place != place)
        at = (at + 1) & mask;
    return at;
}

/** om_index_erase() - empty slot number @hole of @slots and close the gap in its probe chain. */
static inline void om_index_erase(struct om_index_slot *slots, uint32_t mask, uint32_t hole)
{
    for (uint32_t at = (hole + 1) & mask; slots[at].place; at = (at + 1) & mask) {
        uint32_t home = slots[at].hash & mask;

        /* It may move into the hole unless its probing starts after the hole. */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            slots[hole] = slots[at];
            hole = at;
        }
    }
    slots[hole].place = 0;
}

#endif
