/*
 * heap.h - who is first to go
 *
 * What:  a binary max-heap of things that bear a number, from which any of them can be taken out.
 * Why:   a full store asks for its worst entry at every new one; looking at all of them, each in a
 *        memory of its own, cost 50 us.
 * Keeps: heap_pops_in_order; heap_takes_out_of_the_middle; heap_reserve_is_all_or_nothing.
 */
#ifndef OM_GOSSIP_HEAP_H
#define OM_GOSSIP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct om_heap_slot {
    uint64_t key;
    unsigned *at; /* in the thing: its place in the heap, from 1; 0 while it is in none */
};

/* Zeroed: empty. Read nothing of it. */
struct om_heap {
    struct om_heap_slot *slots; /* owned */
    unsigned count, cap;
};

/** om_heap_fini() - forget what is in @h (without touching it) and release its memory. */
void om_heap_fini(struct om_heap *h);

/** om_heap_reserve() - room in @h for @n things in all; false without memory. */
bool om_heap_reserve(struct om_heap *h, unsigned n);

/** om_heap_push() - put the thing whose place is @at, under @key, into @h, which has room. */
void om_heap_push(struct om_heap *h, uint64_t key, unsigned *at);

/** om_heap_remove() - take the thing whose place is @at out of @h. */
void om_heap_remove(struct om_heap *h, unsigned *at);

/** om_heap_top() - the slot of @h with the greatest key, lent; NULL when it is empty. */
static inline const struct om_heap_slot *om_heap_top(const struct om_heap *h)
{
    return h->count > 0 ? &h->slots[0] : NULL;
}

#endif
