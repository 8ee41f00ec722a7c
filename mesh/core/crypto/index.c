/* index.c - open addressing on random keys, linear probing. */
#include "crypto/index.h"

#include <stdlib.h>

enum { FIRST_SIZE = 16 };

void om_indices_init(struct om_indices *t, unsigned max)
{
    *t = (struct om_indices){.max = max};
}

void om_indices_fini(struct om_indices *t)
{
    free(t->slots);
    *t = (struct om_indices){0};
}

static struct om_index_entry *slot_for(struct om_index_entry *slots, uint32_t size, uint32_t index)
{
    uint32_t at = index & (size - 1);

    while (slots[at].kind != OM_INDEX_FREE)
        at = (at + 1) & (size - 1);
    return &slots[at];
}

/* Room for one more entry while the table stays at most half full. */
static enum om_err make_room(struct om_indices *t)
{
    if (t->slots && (t->used + 1) * 2 <= t->size)
        return OM_OK;
    OM_BUG_IF(!t->slots != !t->size);

    uint32_t size = t->size ? t->size : FIRST_SIZE;
    while ((t->live + 1) * 2 > size / 2)
        size *= 2;
    struct om_index_entry *slots = calloc(size, sizeof *slots);
    if (!slots)
        return OM_E_NO_MEM;
    for (uint32_t i = 0; i < t->size; i++)
        if (t->slots[i].kind > OM_INDEX_GONE)
            *slot_for(slots, size, t->slots[i].index) = t->slots[i];
    free(t->slots);
    t->slots = slots;
    t->size = size;
    t->used = t->live;
    return OM_OK;
}

static bool is_of_lane(enum om_index_kind kind)
{
    return kind == OM_INDEX_LANE || kind == OM_INDEX_RELAY;
}

static bool is_full(const struct om_indices *t, enum om_index_kind kind)
{
    return is_of_lane(kind) ? t->lanes >= OM_INDICES_LANES_MAX : t->live - t->lanes >= t->max;
}

enum om_err om_index_draw(struct om_indices *t, const struct om_rng *rng, enum om_index_kind kind,
                          void *owner, uint32_t *out)
{
    uint32_t index = 0;

    if (is_full(t, kind))
        return OM_E_FULL;
    enum om_err e = make_room(t);
    if (e != OM_OK)
        return e;
    while (index == 0 || om_index_find(t, index))
        om_rng_fill(rng, &index, sizeof index);
    *slot_for(t->slots, t->size, index) = (struct om_index_entry){index, kind, owner};
    t->live++;
    t->lanes += is_of_lane(kind);
    t->used++;
    *out = index;
    return OM_OK;
}

struct om_index_entry *om_index_find(const struct om_indices *t, uint32_t index)
{
    if (!t->slots)
        return NULL;
    for (uint32_t at = index & (t->size - 1); t->slots[at].kind != OM_INDEX_FREE;
         at = (at + 1) & (t->size - 1))
        if (t->slots[at].index == index && t->slots[at].kind > OM_INDEX_GONE)
            return &t->slots[at];
    return NULL;
}

void om_index_drop(struct om_indices *t, uint32_t index)
{
    struct om_index_entry *e = index ? om_index_find(t, index) : NULL;

    if (!e)
        return;
    t->lanes -= is_of_lane(e->kind);
    e->kind = OM_INDEX_GONE;
    e->owner = NULL;
    t->live--;
}
