/*
 * vault.c - slots for secrets
 *
 * A plain slot is preceded by nothing and known to nobody but its taker, so that a sanitizer sees
 * every misuse. A slab has a stack of free indices and a mark per slot, both outside it.
 */
#include "crypto/vault.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static_assert(_Alignof(max_align_t) <= OM_VAULT_ALIGN, "calloc() aligns a plain slot");

struct om_vault {
    size_t slot_bytes;
    unsigned slots;
    unsigned taken;
    bool is_locked;
    uint8_t *slab;        /* NULL in a plain vault */
    uint32_t *free_slots; /* stack; its height is slots - taken */
    bool *is_taken;
};

/* False only without memory for the books: a slab that cannot be had makes the vault plain. */
static bool add_slab(struct om_vault *v)
{
    size_t bytes = v->slot_bytes * v->slots;

    v->free_slots = calloc(v->slots, sizeof *v->free_slots);
    v->is_taken = calloc(v->slots, sizeof *v->is_taken);
    if (!v->free_slots || !v->is_taken)
        return false;
    for (unsigned i = 0; i < v->slots; i++)
        v->free_slots[i] = v->slots - 1 - i; /* slot 0 goes first */
    v->slab = sodium_malloc(bytes);
    /* sodium_malloc() locks without saying whether it could; to lock again does no harm. */
    v->is_locked = v->slab && sodium_mlock(v->slab, bytes) == 0;
    return true;
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
    sodium_free(v->slab); /* wipes and unlocks; NULL is fine */
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
    void *slot = NULL;

    if (v->taken == v->slots)
        return NULL;
    if (v->slab) {
        uint32_t i = v->free_slots[v->slots - v->taken - 1];

        v->is_taken[i] = true;
        slot = v->slab + i * v->slot_bytes;
        memset(slot, 0, v->slot_bytes); /* sodium_malloc() fills with garbage on purpose */
    } else {
        slot = calloc(1, v->slot_bytes);
    }
    v->taken += slot != NULL;
    return slot;
}

void om_vault_give(struct om_vault *v, void *slot)
{
    if (!slot)
        return;
    OM_BUG_IF(v->taken == 0);
    if (v->slab) {
        size_t at = (uintptr_t)slot - (uintptr_t)v->slab, i = at / v->slot_bytes;

        OM_BUG_IF(at % v->slot_bytes != 0 || i >= v->slots || !v->is_taken[i]);
        v->is_taken[i] = false;
        v->free_slots[v->slots - v->taken] = (uint32_t)i;
    }
    v->taken--;
    sodium_memzero(slot, v->slot_bytes);
    if (!v->slab)
        free(slot);
}
