/* outlet.c - blocks that are lent to the node until they are released. */
#include "service/outlet.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/call.h>

#include "host/clock.h"

struct block {
    struct om_link link;
    uint64_t start; /* of its first byte in the stream */
    size_t filled, written, size;
    uint8_t bytes[];
};

void outlet_init(struct outlet *o, struct om_calls *calls, const struct om_call_owner *owner)
{
    *o = (struct outlet){.calls = calls, .owner = owner};
    om_list_init(&o->blocks);
}

static void free_blocks(struct outlet *o, uint64_t up_to)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&o->blocks); l; l = next) {
        struct block *b = OM_CONTAINER_OF(l, struct block, link);
        next = om_list_next(&o->blocks, l);
        if (b->start + b->filled > up_to)
            return;
        om_list_remove(l);
        free(b);
    }
}

/* A block with room for @n bytes; NULL without memory. */
static struct block *room_for(struct outlet *o, size_t n)
{
    size_t size = n > OUTLET_BLOCK ? n : OUTLET_BLOCK;
    struct block *b;

    if (!om_list_is_empty(&o->blocks)) {
        b = OM_CONTAINER_OF(o->blocks.head.prev, struct block, link);
        if (b->size - b->filled >= n)
            return b;
    }
    b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    *b = (struct block){.start = o->filled, .size = size};
    om_list_push_back(&o->blocks, &b->link);
    return b;
}

bool outlet_put(struct outlet *o, enum om_job_frame_kind kind, int index, struct om_bytes bytes)
{
    size_t payload = bytes.n + (index >= 0), n = OM_JOB_FRAME_HEAD + payload;
    struct block *b = room_for(o, n);

    if (!b)
        return false;
    uint8_t *to = b->bytes + b->filled;
    om_job_frame_head(to, kind, payload);
    to += OM_JOB_FRAME_HEAD;
    if (index >= 0)
        *to++ = (uint8_t)index;
    if (bytes.n > 0)
        memcpy(to, bytes.p, bytes.n);
    b->filled += n;
    o->filled += n;
    return true;
}

void outlet_end(struct outlet *o)
{
    o->is_ending = true;
}

bool outlet_feed(struct outlet *o)
{
    struct om_node *node = om_calls_node(o->calls);

    for (struct om_link *l = om_list_first(&o->blocks); l; l = om_list_next(&o->blocks, l)) {
        struct block *b = OM_CONTAINER_OF(l, struct block, link);
        size_t left = b->filled - b->written;
        if (left == 0)
            continue;
        enum om_err e = om_node_write(node, om_clock_now(), o->owner->call,
                                      om_bytes(b->bytes + b->written, left));
        if (e == OM_E_BUSY)
            return true; /* what is released next makes room */
        if (e != OM_OK)
            return false;
        b->written += left;
        o->written += left;
    }
    if (!o->is_ending || o->is_finished)
        return true;
    o->is_finished = true;
    return om_node_finish(node, om_clock_now(), o->owner->call) == OM_OK;
}

void outlet_released(struct outlet *o, uint64_t n)
{
    o->released = n;
    free_blocks(o, n);
}

bool outlet_is_full(const struct outlet *o)
{
    return o->filled - o->released >= OUTLET_FULL;
}

void outlet_fini(struct outlet *o)
{
    free_blocks(o, UINT64_MAX);
    o->filled = o->written = o->released = 0;
}
