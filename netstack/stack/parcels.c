/* parcels.c - see parcels.h */
#include "stack/parcels.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64 * 1024, ALIGN = 16 };

void om_parcels_init(struct om_parcels *q, size_t max)
{
    *q = (struct om_parcels){.max = max};
}

void om_parcels_fini(struct om_parcels *q)
{
    free(q->mem);
    om_parcels_init(q, q->max);
}

static bool make_room(struct om_parcels *q, size_t n)
{
    size_t used = q->tail - q->head, cap = q->cap ? q->cap : FIRST_BYTES;

    if (n <= q->cap - q->tail)
        return true;
    /* Moving is worth it only when it frees much, or the same bytes would move again and again. */
    if (n <= q->cap - used && used <= q->head) {
        memmove(q->mem, q->mem + q->head, used);
    } else {
        while (cap - used < n && cap < q->max)
            cap *= 2;
        cap = cap < q->max ? cap : q->max;
        if (cap == q->cap || cap - used < n)
            return false;
        uint8_t *mem = malloc(cap);
        if (!mem)
            return false;
        if (used)
            memcpy(mem, q->mem + q->head, used);
        free(q->mem);
        q->mem = mem;
        q->cap = cap;
    }
    q->head = 0;
    q->tail = used;
    return true;
}

uint8_t *om_parcels_push(struct om_parcels *q, const struct om_parcel *label)
{
    size_t n = (sizeof *label + label->n + ALIGN - 1) / ALIGN * ALIGN;

    if (!q->count)
        q->head = q->tail = 0;
    if (!make_room(q, n))
        return NULL;
    uint8_t *at = q->mem + q->tail;
    memcpy(at, label, sizeof *label);
    q->tail += n;
    q->count++;
    return at + sizeof *label;
}

const uint8_t *om_parcels_pop(struct om_parcels *q, struct om_parcel *label)
{
    if (!q->count)
        return NULL;
    const uint8_t *at = q->mem + q->head;
    memcpy(label, at, sizeof *label);
    q->head += (sizeof *label + label->n + ALIGN - 1) / ALIGN * ALIGN;
    q->count--;
    return at + sizeof *label;
}
