/* heap.c - sift up, sift down. */
#include "gossip/heap.h"

#include <stdlib.h>

#include <omerta/err.h>

void om_heap_fini(struct om_heap *h)
{
    free(h->slots);
    *h = (struct om_heap){.count = 0};
}

bool om_heap_reserve(struct om_heap *h, unsigned n)
{
    if (n <= h->cap)
        return true;
    struct om_heap_slot *more = realloc(h->slots, n * sizeof *more);
    if (!more)
        return false;
    h->slots = more;
    h->cap = n;
    return true;
}

static void place(struct om_heap *h, unsigned i, struct om_heap_slot slot)
{
    h->slots[i] = slot;
    *slot.at = i + 1;
}

static void sift_up(struct om_heap *h, unsigned i, struct om_heap_slot slot)
{
    while (i > 0 && h->slots[(i - 1) / 2].key < slot.key) {
        place(h, i, h->slots[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, slot);
}

static void sift_down(struct om_heap *h, unsigned i, struct om_heap_slot slot)
{
    for (unsigned child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && h->slots[child + 1].key > h->slots[child].key)
            child++;
        if (h->slots[child].key <= slot.key)
            break;
        place(h, i, h->slots[child]);
    }
    place(h, i, slot);
}

void om_heap_push(struct om_heap *h, uint64_t key, unsigned *at)
{
    OM_BUG_IF(h->count == h->cap || *at != 0);
    sift_up(h, h->count++, (struct om_heap_slot){key, at});
}

void om_heap_remove(struct om_heap *h, unsigned *at)
{
    OM_BUG_IF(*at == 0 || *at > h->count || h->slots[*at - 1].at != at);
    unsigned i = *at - 1;
    struct om_heap_slot last = h->slots[--h->count];

    *at = 0;
    if (i == h->count)
        return;
    if (i > 0 && h->slots[(i - 1) / 2].key < last.key)
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}
