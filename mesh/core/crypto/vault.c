/*
 * vault.c - slots for secrets
 *
 * A plain slot is preceded by nothing and known to nobody but its taker, so that a sanitizer sees
 * every misuse. A slab has a stack of free indices and a mark per slot, both outside it, and
 * comes in chunks as slots are needed: locked memory is resident, used or not.
 */
#include "crypto/vault.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static_assert(_Alignof(max_align_t) <= OM_VAULT_ALIGN, "calloc() aligns a plain slot");

enum { CHUNK_BYTES = 64 << 10 }; /* of a slab, at least one slot */

struct om_vault {
    size_t slot_bytes;
    unsigned slots;
    unsigned taken;
    unsigned per_chunk; /* slots */
    unsigned chunk_count;
    bool is_locked;       /* every chunk there is */
    uint8_t **chunks;     /* NULL in a plain vault; those not needed yet are NULL */
    uint32_t *free_slots; /* stack; its height is slots - taken */
    bool *is_taken;
};

static bool add_chunk(struct om_vault *v, unsigned at)
{
    size_t bytes = v->slot_bytes * v->per_chunk;

    v->chunks[at] = sodium_malloc(bytes);
    if (!v->chunks[at])
        return false;
    /* sodium_malloc() locks without saying whether it could; to lock again does no harm. */
    v->is_locked = sodium_mlock(v->chunks[at], bytes) == 0 && v->is_locked;
    return true;
}

/* False only without memory for the books: a slab that cannot be had makes the vault plain. */
static bool add_slab(struct om_vault *v)
{
    v->per_chunk = (unsigned)(CHUNK_BYTES / v->slot_bytes);
    if (v->per_chunk < 1)
        v->per_chunk = 1;
    if (v->per_chunk > v->slots)
        v->per_chunk = v->slots;
    v->chunk_count = (v->slots + v->per_chunk - 1) / v->per_chunk;
    v->free_slots = calloc(v->slots, sizeof *v->free_slots);
    v->is_taken = calloc(v->slots, sizeof *v->is_taken);
    v->chunks = calloc(v->chunk_count, sizeof *v->chunks);
    if (!v->free_slots || !v->is_taken || !v->chunks)
        return false;
    for (unsigned i = 0; i < v->slots; i++)
        v->free_slots[i] = v->slots - 1 - i; /* slot 0 goes first */
    v->is_locked = true;
    if (!add_chunk(v, 0)) {
        v->is_locked = false;
        free(v->chunks);
        v->chunks = NULL;
    }
    return true;
}

static uint8_t *take_from_slab(struct om_vault *v)
{
    uint32_t i = v->free_slots[v->slots - v->taken - 1];
    unsigned chunk = i / v->per_chunk;

    if (!v->chunks[chunk] && !add_chunk(v, chunk))
        return NULL;
    v->is_taken[i] = true;
    uint8_t *slot = v->chunks[chunk] + i % v->per_chunk * v->slot_bytes;
    memset(slot, 0, v->slot_bytes); /* sodium_malloc() fills with garbage on purpose */
    return slot;
}

static void give_to_slab(struct om_vault *v, const void *slot)
{
    size_t bytes = v->slot_bytes * v->per_chunk, at = bytes;
    unsigned chunk = 0;

    for (; chunk < v->chunk_count; chunk++) {
        at = (uintptr_t)slot - (uintptr_t)v->chunks[chunk];
        if (v->chunks[chunk] && at < bytes)
            break;
    }
    size_t i = (size_t)chunk * v->per_chunk + at / v->slot_bytes;
    OM_BUG_IF(chunk == v->chunk_count || at % v->slot_bytes != 0 || i >= v->slots ||
              !v->is_taken[i]);
    v->is_taken[i] = false;
    v->free_slots[v->slots - v->taken] = (uint32_t)i;
}

struct om_vault *om_vault_new(size_t slot_bytes, unsigned slots, bool locked)
{
    struct om_vault *v;

    if (slot_bytes < 1 || slot_bytes > OM_VAULT_SLOT_MAX || slots < 1 || slots > OM_VAULT_SLOTS_MAX)
        return NULL;
    v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->slot_bytes = (slot_bytes + OM_VAULT_ALIGN - 1) / OM_VAULT_ALIGN * OM_VAULT_ALIGN;
    v->slots = slots;
    if (locked && !add_slab(v)) {
        om_vault_free(v);
        return NULL;
    }
    return v;
}

void om_vault_free(struct om_vault *v)
{
    if (!v)
        return;
    OM_BUG_IF(v->taken != 0);
    for (unsigned i = 0; v->chunks && i < v->chunk_count; i++)
        sodium_free(v->chunks[i]); /* wipes and unlocks; NULL is fine */
    free(v->chunks);
    free(v->free_slots);
    free(v->is_taken);
    free(v);
}

bool om_vault_is_locked(const struct om_vault *v)
{
    return v->is_locked;
}

unsigned om_vault_left(const struct om_vault *v)
{
    return v->slots - v->taken;
}

void *om_vault_take(struct om_vault *v)
{
    void *slot;

    if (v->taken == v->slots)
        return NULL;
    slot = v->chunks ? take_from_slab(v) : calloc(1, v->slot_bytes);
    v->taken += slot != NULL;
    return slot;
}

void om_vault_give(struct om_vault *v, void *slot)
{
    if (!slot)
        return;
    OM_BUG_IF(v->taken == 0);
    if (v->chunks)
        give_to_slab(v, slot);
    v->taken--;
    sodium_memzero(slot, v->slot_bytes);
    if (!v->chunks)
        free(slot);
}
