/* ranges.c - a bounded set of numbers, kept as ranges. */
#include "stream/ranges.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 8 }; /* ranges */

static struct om_range *all(const struct om_ranges *r)
{
    union {
        const struct om_range *in;
        struct om_range *out;
    } one = {.in = &r->one};

    return r->mem ? r->mem : one.out;
}

void om_ranges_clear(struct om_ranges *r)
{
    free(r->mem);
    *r = (struct om_ranges){0};
}

/* Index of the first range that ends at @at or above. */
static uint32_t find(const struct om_ranges *r, uint64_t at)
{
    const struct om_range *v = all(r);
    uint32_t low = 0, high = r->count;

    if (high > 0 && v[high - 1].high < at)
        return high; /* mostly it goes on at the end */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (v[mid].high < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Room for one more. */
static enum om_err reserve(struct om_ranges *r, uint32_t max)
{
    uint32_t size = r->size ? r->size * 2 : FIRST_SIZE;
    struct om_range *mem;

    if (r->count >= max)
        return OM_E_FULL;
    if (r->count < (r->mem ? r->size : 1))
        return OM_OK;
    mem = realloc(r->mem, size * sizeof *mem);
    if (!mem)
        return OM_E_NO_MEM;
    if (!r->mem && r->count > 0)
        mem[0] = r->one;
    r->mem = mem;
    r->size = size;
    return OM_OK;
}

/* Ranges @from to before @to leave; the memory with the last but one. */
static void drop(struct om_ranges *r, uint32_t from, uint32_t to)
{
    struct om_range *v = all(r);

    memmove(v + from, v + to, (r->count - to) * sizeof *v);
    r->count -= to - from;
    if (r->mem && r->count <= 1) {
        r->one = r->mem[0];
        free(r->mem);
        r->mem = NULL;
        r->size = 0;
    }
}

static void insert(struct om_ranges *r, uint32_t at, uint64_t low, uint64_t high)
{
    struct om_range *v = all(r);

    memmove(v + at + 1, v + at, (r->count - at) * sizeof *v);
    v[at] = (struct om_range){low, high};
    r->count++;
}

enum om_err om_ranges_add(struct om_ranges *r, uint64_t low, uint64_t high, uint32_t max)
{
    uint32_t from = find(r, low), to = from;
    struct om_range *v = all(r);
    enum om_err e;

    if (low >= high)
        return OM_OK;
    while (to < r->count && v[to].low <= high)
        to++; /* these touch */
    if (from == to) {
        e = reserve(r, max);
        if (e == OM_OK)
            insert(r, from, low, high);
        return e;
    }
    if (v[from].low > low)
        v[from].low = low;
    v[from].high = v[to - 1].high > high ? v[to - 1].high : high;
    drop(r, from + 1, to);
    return OM_OK;
}

enum om_err om_ranges_remove(struct om_ranges *r, uint64_t low, uint64_t high, uint32_t max)
{
    uint32_t from = find(r, low), to;
    enum om_err e;

    if (low >= high || from == r->count)
        return OM_OK;
    struct om_range *v = all(r), whole = v[from];
    if (whole.low < low && whole.high > high) {
        e = reserve(r, max);
        if (e != OM_OK)
            return e;
        insert(r, from + 1, high, whole.high);
        all(r)[from].high = low;
        return OM_OK;
    }
    if (v[from].low < low) {
        v[from].high = low;
        from++;
    } else if (v[from].high == low) {
        from++; /* touches, but has nothing of it */
    }
    for (to = from; to < r->count && v[to].high <= high; to++)
        ;
    if (to < r->count && v[to].low < high)
        v[to].low = high;
    drop(r, from, to);
    return OM_OK;
}

void om_ranges_cut(struct om_ranges *r, uint64_t low)
{
    struct om_range *v = all(r);
    uint32_t to = find(r, low);

    if (to < r->count && v[to].high == low)
        to++;
    if (to < r->count && v[to].low < low)
        v[to].low = low;
    drop(r, 0, to);
}

void om_ranges_stretch(struct om_ranges *r, uint64_t low, uint64_t high, uint32_t max)
{
    if (low >= high || om_ranges_add(r, low, high, max) == OM_OK)
        return;
    /* It joins none, so it lies between two or at an end: the nearer neighbour grows. */
    struct om_range *v = all(r);
    uint32_t next = find(r, low);
    if (next == r->count || (next > 0 && low - v[next - 1].high <= v[next].low - high))
        v[next - 1].high = high;
    else
        v[next].low = low;
}

bool om_ranges_has(const struct om_ranges *r, uint64_t at)
{
    const struct om_range *g = om_ranges_above(r, at);

    return g && g->low <= at;
}

const struct om_range *om_ranges_above(const struct om_ranges *r, uint64_t at)
{
    uint32_t i = find(r, at);
    const struct om_range *v = all(r);

    if (i < r->count && v[i].high == at)
        i++;
    return i < r->count ? v + i : NULL;
}
