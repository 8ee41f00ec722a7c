/* replay.c - a ring of bits, moved forward by clearing what it passes over. */
#include "crypto/replay.h"

#include <stdlib.h>
#include <string.h>

static_assert((OM_REPLAY_WIDTH & (OM_REPLAY_WIDTH - 1)) == 0, "a counter is masked into the ring");
static_assert((OM_REPLAY_WIDTH_GROWN & (OM_REPLAY_WIDTH_GROWN - 1)) == 0, "likewise");

void om_replay_init(struct om_replay *r)
{
    *r = (struct om_replay){.width = OM_REPLAY_WIDTH};
}

void om_replay_init_narrow(struct om_replay *r, uint32_t width)
{
    OM_BUG_IF(width < OM_REPLAY_WORD || width > OM_REPLAY_WIDTH || (width & (width - 1)) != 0);
    om_replay_init(r);
    r->width = width;
}

void om_replay_fini(struct om_replay *r)
{
    free(r->grown);
    om_replay_init(r);
}

static const uint64_t *ring_of(const struct om_replay *r)
{
    return r->grown ? r->grown : r->small;
}

static uint64_t *ring(struct om_replay *r)
{
    return r->grown ? r->grown : r->small;
}

static bool get(const uint64_t *bits, uint32_t width, uint64_t counter)
{
    uint64_t at = counter & (width - 1);
    return bits[at / OM_REPLAY_WORD] >> at % OM_REPLAY_WORD & 1;
}

static void set(uint64_t *bits, uint32_t width, uint64_t counter)
{
    uint64_t at = counter & (width - 1);
    bits[at / OM_REPLAY_WORD] |= UINT64_C(1) << at % OM_REPLAY_WORD;
}

/* Clears the bits of @count counters from @from on, a word at a time. */
static void clear(uint64_t *bits, uint32_t width, uint64_t from, uint64_t count)
{
    while (count > 0) {
        uint64_t at = from & (width - 1);
        uint64_t low = at % OM_REPLAY_WORD;
        uint64_t run = OM_REPLAY_WORD - low < count ? OM_REPLAY_WORD - low : count;

        bits[at / OM_REPLAY_WORD] &= ~(UINT64_MAX >> (OM_REPLAY_WORD - run) << low);
        from += run;
        count -= run;
    }
}

bool om_replay_grow(struct om_replay *r)
{
    uint64_t *wide;

    if (r->grown)
        return true;
    OM_BUG_IF(r->width != OM_REPLAY_WIDTH);
    wide = calloc(OM_REPLAY_WIDTH_GROWN / OM_REPLAY_WORD, sizeof *wide);
    if (!wide)
        return false;
    if (r->has_top) {
        /* What left the small window may have been accepted: it counts as seen. */
        memset(wide, 0xff, OM_REPLAY_WIDTH_GROWN / 8);
        clear(wide, OM_REPLAY_WIDTH_GROWN, r->top - (OM_REPLAY_WIDTH - 1), OM_REPLAY_WIDTH);
        for (uint64_t back = 0; back < OM_REPLAY_WIDTH; back++)
            if (get(r->small, OM_REPLAY_WIDTH, r->top - back))
                set(wide, OM_REPLAY_WIDTH_GROWN, r->top - back);
    }
    r->grown = wide;
    r->width = OM_REPLAY_WIDTH_GROWN;
    return true;
}

bool om_replay_check(const struct om_replay *r, uint64_t counter)
{
    if (!r->has_top || counter > r->top)
        return true;
    if (r->top - counter >= r->width)
        return false;
    return !get(ring_of(r), r->width, counter);
}

void om_replay_mark(struct om_replay *r, uint64_t counter)
{
    if (!r->has_top) {
        r->has_top = true;
        r->top = counter;
    } else if (counter > r->top) {
        uint64_t ahead = counter - r->top;

        clear(ring(r), r->width, r->top + 1, ahead < r->width ? ahead : r->width);
        r->top = counter;
    } else if (r->top - counter >= r->width) {
        return;
    }
    set(ring(r), r->width, counter);
}
