/* ring.c - bounded FIFO of elements of one size. */
#include <omerta/ring.h>

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 16 }; /* elements */

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

/* Element @i from the oldest. The size need not be a power of two, so wrap by subtraction. */
static uint8_t *slot_at(const struct om_ring *r, unsigned i)
{
    unsigned at = r->head + i;

    if (at >= r->size)
        at -= r->size;
    return r->mem + r->elem * at;
}

/* Room for @size elements, which start at slot 0 again. */
static bool resize(struct om_ring *r, unsigned size)
{
    uint8_t *mem = malloc(r->elem * size);
    if (!mem)
        return false;
    for (unsigned i = 0; i < r->count; i++)
        memcpy(mem + r->elem * i, slot_at(r, i), r->elem);
    free(r->mem);
    r->mem = mem;
    r->size = size;
    r->head = 0;
    return true;
}

/* Twice the room, at most the capacity. */
static bool grow(struct om_ring *r)
{
    unsigned size = r->size ? r->size * 2 : FIRST_SIZE;

    return resize(r, size < r->cap ? size : r->cap);
}

void *om_ring_push(struct om_ring *r)
{
    if (r->count == r->cap)
        return NULL;
    if (r->count == r->size && !grow(r))
        return NULL;
    if (++r->count > r->most)
        r->most = r->count;
    return memset(slot_at(r, r->count - 1), 0, r->elem);
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
    r->head = r->head + 1 == r->size ? 0 : r->head + 1;
}

void *om_ring_at(const struct om_ring *r, unsigned i)
{
    return i < r->count ? slot_at(r, i) : NULL;
}

/* To what it would have grown to for as much. Without memory to move to it stays as it is. */
void om_ring_trim(struct om_ring *r)
{
    unsigned size = FIRST_SIZE;

    while (size < r->most)
        size *= 2;
    if (r->most == 0) {
        free(r->mem);
        r->mem = NULL;
        r->size = r->head = 0;
    } else if (size < r->size) {
        (void)resize(r, size);
    }
    r->most = r->count;
}
