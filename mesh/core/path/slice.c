/* slice.c - runs of bytes that arrived, until one run is all. */
#include "path/slice.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that arrived without a gap. */
struct run {
    uint16_t from, to; /* to: the first that lacks */
};

/* One whole on its way. */
struct assembly {
    struct om_link link;
    uint32_t id;
    uint16_t total;
    om_time born;
    unsigned count;
    struct run runs[OM_SLICE_RUNS_MAX]; /* in order; never touching */
    uint8_t *bytes;                     /* owned */
};

void om_slices_init(struct om_slices *s)
{
    *s = (struct om_slices){.count = 0};
    om_list_init(&s->all);
}

/* @a is in no list any more. */
static void forget(struct om_slices *s, struct assembly *a)
{
    s->count--;
    s->bytes -= a->total;
    free(a->bytes);
    free(a);
}

static struct assembly *oldest(const struct om_slices *s)
{
    struct om_link *l = om_list_first(&s->all);

    return l ? OM_CONTAINER_OF(l, struct assembly, link) : NULL;
}

static void drop_oldest(struct om_slices *s)
{
    struct om_link *l = om_list_pop(&s->all);

    if (!l)
        return;
    s->dropped++;
    forget(s, OM_CONTAINER_OF(l, struct assembly, link));
}

void om_slices_fini(struct om_slices *s)
{
    for (struct om_link *l; (l = om_list_pop(&s->all)) != NULL;)
        forget(s, OM_CONTAINER_OF(l, struct assembly, link));
}

void om_slices_tick(struct om_slices *s, om_time now)
{
    while (om_slices_deadline(s) <= now)
        drop_oldest(s);
}

om_time om_slices_deadline(const struct om_slices *s)
{
    const struct assembly *a = oldest(s);

    return a ? a->born + OM_MS(OM_SLICE_LIFE_MS) : OM_NEVER;
}

static struct assembly *find(const struct om_slices *s, uint32_t id)
{
    for (struct om_link *l = om_list_first(&s->all); l; l = om_list_next(&s->all, l)) {
        struct assembly *a = OM_CONTAINER_OF(l, struct assembly, link);
        if (a->id == id)
            return a;
    }
    return NULL;
}

static struct assembly *begin(struct om_slices *s, om_time now, const struct om_frame_slice *f)
{
    while (s->count == OM_SLICES_MAX || s->bytes + f->total > OM_SLICE_BYTES_MAX)
        drop_oldest(s);
    struct assembly *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->bytes = malloc(f->total);
    if (!a->bytes) {
        free(a);
        return NULL;
    }
    a->id = f->id;
    a->total = f->total;
    a->born = now;
    om_list_push_back(&s->all, &a->link);
    s->count++;
    s->bytes += f->total;
    return a;
}

/* Notes that the bytes @from to @to of @a are here; false when some were, or there are too many
 * gaps. */
static bool note(struct assembly *a, uint16_t from, uint16_t to)
{
    unsigned i = a->count; /* the run after which it comes, and 1: mostly the last */

    while (i > 0 && a->runs[i - 1].from >= to)
        i--;
    if (i > 0 && a->runs[i - 1].to > from)
        return false;
    bool joins_before = i > 0 && a->runs[i - 1].to == from;
    bool joins_after = i < a->count && a->runs[i].from == to;
    if (joins_before && joins_after) {
        a->runs[i - 1].to = a->runs[i].to;
        memmove(&a->runs[i], &a->runs[i + 1], (--a->count - i) * sizeof a->runs[0]);
    } else if (joins_before) {
        a->runs[i - 1].to = to;
    } else if (joins_after) {
        a->runs[i].from = from;
    } else {
        if (a->count == OM_SLICE_RUNS_MAX)
            return false;
        memmove(&a->runs[i + 1], &a->runs[i], (a->count++ - i) * sizeof a->runs[0]);
        a->runs[i] = (struct run){from, to};
    }
    return true;
}

enum om_slice_fate om_slices_input(struct om_slices *s, om_time now, const struct om_frame_slice *f,
                                   uint8_t **whole)
{
    om_slices_tick(s, now);
    struct assembly *a = find(s, f->id);
    if (!a)
        a = begin(s, now, f);
    if (!a)
        return OM_SLICE_NO_ROOM;
    if (a->total != f->total || !note(a, f->offset, (uint16_t)(f->offset + f->data.n))) {
        om_list_remove(&a->link);
        s->dropped++;
        forget(s, a);
        return OM_SLICE_CLASH;
    }
    memcpy(a->bytes + f->offset, f->data.p, f->data.n);
    if (a->count != 1 || a->runs[0].from != 0 || a->runs[0].to != a->total)
        return OM_SLICE_KEPT;
    *whole = a->bytes;
    a->bytes = NULL;
    om_list_remove(&a->link);
    forget(s, a);
    return OM_SLICE_WHOLE;
}
