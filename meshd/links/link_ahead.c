/* link_ahead.c - bytes of a connection on their way to the peer. */
#include "links/link_ahead.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_LEFT = 256 }; /* a block with less room than this is full */

struct block {
    struct om_link link;
    uint64_t start; /* offset of its first byte */
    size_t n, room;
    uint8_t bytes[];
};

void link_ahead_init(struct link_ahead *a)
{
    *a = (struct link_ahead){.filled = 0};
    om_list_init(&a->blocks);
}

void link_ahead_release(struct link_ahead *a, uint64_t up_to)
{
    for (struct om_link *l = om_list_first(&a->blocks), *next; l; l = next) {
        struct block *b = OM_CONTAINER_OF(l, struct block, link);
        next = om_list_next(&a->blocks, l);
        if (b->start + b->n > up_to)
            break;
        om_list_remove(l);
        free(b);
    }
    a->released = up_to > a->released ? up_to : a->released;
}

void link_ahead_fini(struct link_ahead *a)
{
    link_ahead_release(a, a->filled);
}

/* The last block, if it has room for @n bytes, or for a good part of them. */
static struct block *last_block(const struct link_ahead *a, size_t n)
{
    struct om_link *l = om_list_is_empty(&a->blocks) ? NULL : a->blocks.head.prev;
    struct block *b = l ? OM_CONTAINER_OF(l, struct block, link) : NULL;

    return b && (b->room - b->n >= n || b->room - b->n >= BLOCK_LEFT) ? b : NULL;
}

/* A connection that says little shall not hold much: the first block is as large as it must be. */
static struct block *add_block(struct link_ahead *a, size_t n)
{
    enum { SMALL = 4096 };
    size_t room = om_list_is_empty(&a->blocks) && n < SMALL ? SMALL : LINK_BLOCK;
    struct block *b = malloc(sizeof *b + room);

    if (!b)
        return NULL;
    b->link = (struct om_link){0};
    b->start = a->filled;
    b->n = 0;
    b->room = room;
    om_list_push_back(&a->blocks, &b->link);
    return b;
}

struct om_bytes link_ahead_copy(struct link_ahead *a, struct om_bytes in)
{
    struct block *b = last_block(a, in.n);

    if (!b && in.n > 0)
        b = add_block(a, in.n);
    if (!b || in.n == 0)
        return om_bytes(NULL, 0);
    size_t n = in.n < b->room - b->n ? in.n : b->room - b->n;
    uint8_t *at = b->bytes + b->n;
    memcpy(at, in.p, n);
    b->n += n;
    a->filled += n;
    return om_bytes(at, n);
}

void link_ahead_undo(struct link_ahead *a, size_t n)
{
    struct block *b = OM_CONTAINER_OF(a->blocks.head.prev, struct block, link);

    OM_BUG_IF(om_list_is_empty(&a->blocks) || n > b->n);
    b->n -= n;
    a->filled -= n;
    if (b->n > 0)
        return;
    om_list_remove(&b->link);
    free(b);
}

uint64_t link_ahead_bytes(const struct link_ahead *a)
{
    return a->filled - a->released;
}
