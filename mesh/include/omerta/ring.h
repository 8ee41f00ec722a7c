/*
 * ring.h - bounded FIFO of elements of one size
 *
 * What:  push lends a zeroed slot at the tail, front lends the oldest, pop drops it.
 * Why:   queues of actions and events must not allocate for each element, and must say "full".
 *        The memory grows with use up to the capacity, so that idle objects cost nothing.
 * Keeps: ring_is_first_in_first_out; ring_refuses_when_full; ring_idle_costs_nothing;
 *        ring_trim_keeps_what_was_needed.
 */
#ifndef OMERTA_RING_H
#define OMERTA_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_RING_MAX = 1 << 24,     /* elements */
    OM_RING_ELEM_MAX = 1 << 16 /* bytes */
};

/* Read freely; write only through om_ring_*(). */
struct om_ring {
    uint8_t *mem;  /* NULL until the first push */
    size_t elem;   /* bytes per element */
    unsigned cap;  /* most elements ever */
    unsigned size; /* elements that there is memory for */
    unsigned head; /* index of the oldest element */
    unsigned count;
    unsigned most; /* elements at a time since the last trim */
};

/**
 * om_ring_init() - an empty ring; allocates nothing yet
 * @r:           storage of the caller
 * @elem_bytes:  1 to OM_RING_ELEM_MAX; slots are aligned for any type of that size
 * @cap:         1 to OM_RING_MAX elements
 *
 * Return: OM_OK, or OM_E_RANGE (@r is then a ring that is always full).
 */
OM_MUST enum om_err om_ring_init(struct om_ring *r, size_t elem_bytes, unsigned cap);

/** om_ring_fini() - release the memory of @r, which may be zeroed; elements are not wiped. */
void om_ring_fini(struct om_ring *r);

/**
 * om_ring_push() - append an element
 * @r:  the ring
 *
 * Return: the new slot, zeroed, lent until the next push or pop; NULL when full, or when the first
 * push finds no memory.
 */
void *om_ring_push(struct om_ring *r);

/** om_ring_front() - the oldest element of @r, lent until the next push or pop; NULL when empty. */
void *om_ring_front(const struct om_ring *r);

/** om_ring_pop() - drop the oldest element of @r; nothing when empty. */
void om_ring_pop(struct om_ring *r);

/** om_ring_at() - element @i of @r counted from the oldest (0), lent; NULL when there is none. */
void *om_ring_at(const struct om_ring *r, unsigned i);

/**
 * om_ring_trim() - give back the memory that was not needed since the last call
 * @r:  the ring, with what is in it; slots that were lent may have moved
 */
void om_ring_trim(struct om_ring *r);

/** om_ring_count() - elements in @r. */
static inline unsigned om_ring_count(const struct om_ring *r)
{
    return r->count;
}

/** om_ring_is_full() - true when the next push to @r is refused for want of a slot. */
static inline bool om_ring_is_full(const struct om_ring *r)
{
    return r->count == r->cap;
}

#endif
