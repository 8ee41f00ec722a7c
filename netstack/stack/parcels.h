/*
 * parcels.h - bounded queue of byte strings of any size, in one block of memory
 *
 * What:  push gives room for the bytes, pop lends the oldest.
 * Why:   packets leave lwIP in the middle of its own work and wait until the driver asks. One block
 *        that is used from its start whenever it is empty stays in the cache.
 * Keeps: parcels_are_first_in_first_out; parcels_refuse_when_full.
 * Full:  push gives NULL.
 */
#ifndef OM_STACK_PARCELS_H
#define OM_STACK_PARCELS_H

#include <omerta/addr.h>

/* What is written on a parcel. */
struct om_parcel {
    size_t n; /* bytes in it */
    uint32_t port;
    struct om_addr from, to;
};

/* Read freely; write only through om_parcels_*(). */
struct om_parcels {
    uint8_t *mem; /* NULL until the first push */
    size_t cap, max, head, tail;
    unsigned count;
};

/** om_parcels_init() - make @q an empty queue of at most @max bytes, labels included. */
void om_parcels_init(struct om_parcels *q, size_t max);

/** om_parcels_fini() - release the memory of @q. */
void om_parcels_fini(struct om_parcels *q);

/**
 * om_parcels_push() - append one
 * @q:      the queue; what pop lent is no longer valid
 * @label:  copied
 *
 * Return: room for its @n bytes, to be filled at once; NULL when full or out of memory.
 */
uint8_t *om_parcels_push(struct om_parcels *q, const struct om_parcel *label);

/** om_parcels_pop() - take the oldest of @q into @label; its bytes, lent until a push, or NULL. */
const uint8_t *om_parcels_pop(struct om_parcels *q, struct om_parcel *label);

#endif
