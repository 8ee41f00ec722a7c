/* ring.c - bounded FIFO of elements of one size. */
#include <omerta/ring.h>

#include <stdlib.h>
#include <string.h>

enum om_err om_ring_init(struct om_ring *r, size_t elem_bytes, unsigned cap)
{
    *r = (struct om_ring){0};
    if (elem_bytes == 0 || elem_bytes > OM_RING_ELEM_MAX || cap == 0 || cap > OM_RING_MAX)
        return OM_E_RANGE;
    r->elem = elem_bytes;
    r->cap = cap;
    return OM_OK;
}

void om_ring_fini(struct om_ring *r)
{
    free(r->mem);
    *r = (struct om_ring){0};
}

/* Element @i from the oldest. The capacity need not be a power of two, so wrap by subtraction. */
static uint8_t *slot_at(const struct om_ring *r, unsigned i)
{
    unsigned at = r->head + i;

    if (at >= r->cap)
        at -= r->cap;
    return r->mem + r->elem * at;
}

void *om_ring_push(struct om_ring *r)
{
    if (r->count == r->cap)
        return NULL;
    if (!r->mem) {
        r->mem = malloc(r->elem * r->cap);
        if (!r->mem)
            return NULL;
    }
    return memset(slot_at(r, r->count++), 0, r->elem);
}

void *om_ring_front(const struct om_ring *r)
{
    return om_ring_at(r, 0);
}

void om_ring_pop(struct om_ring *r)
{
    if (r->count == 0)
        return;
    r->count--;
    r->head = r->head + 1 == r->cap ? 0 : r->head + 1;
}

void *om_ring_at(const struct om_ring *r, unsigned i)
{
    return i < r->count ? slot_at(r, i) : NULL;
}
