/* timers.c - 4-ary heap; entry i has children 4i+1 to 4i+4, and each timer knows its place. */
#include <omerta/timers.h>

#include <stdlib.h>

enum { TIMERS_FIRST_CAP = 16 };

void om_timers_init(struct om_timers *ts, unsigned max)
{
    *ts = (struct om_timers){.max = max};
}

void om_timers_fini(struct om_timers *ts)
{
    for (size_t i = 0; i < ts->count; i++) {
        ts->heap[i].timer->slot = 0;
        ts->heap[i].timer->at = OM_NEVER;
    }
    free(ts->heap);
    *ts = (struct om_timers){0};
}

static bool is_before(const struct om_timer_entry *a, const struct om_timer_entry *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return a->timer->order < b->timer->order;
}

static void place(struct om_timers *ts, size_t i, struct om_timer_entry e)
{
    ts->heap[i] = e;
    e.timer->slot = i + 1;
}

/* Puts @e, whose place would be @i, where the heap wants it: first up, and if not up, down. */
static void settle(struct om_timers *ts, size_t i, struct om_timer_entry e)
{
    while (i > 0 && is_before(&e, &ts->heap[(i - 1) / 4])) {
        place(ts, i, ts->heap[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    for (size_t child; (child = 4 * i + 1) < ts->count;) {
        size_t end = child + 4 < ts->count ? child + 4 : ts->count;
        size_t least = child;

        while (++child < end)
            if (is_before(&ts->heap[child], &ts->heap[least]))
                least = child;
        if (!is_before(&ts->heap[least], &e))
            break;
        place(ts, i, ts->heap[least]);
        i = least;
    }
    place(ts, i, e);
}

static bool has_room(struct om_timers *ts)
{
    if (ts->count < ts->cap)
        return true;
    size_t cap = ts->cap ? 2 * ts->cap : TIMERS_FIRST_CAP;
    if (cap > ts->max)
        cap = ts->max;
    struct om_timer_entry *heap = realloc(ts->heap, cap * sizeof *heap);
    if (!heap)
        return false;
    ts->heap = heap;
    ts->cap = cap;
    return true;
}

enum om_err om_timer_arm(struct om_timers *ts, struct om_timer *t, om_time at)
{
    if (at == OM_NEVER) {
        om_timer_stop(ts, t);
        return OM_OK;
    }
    if (t->slot == 0) {
        t->at = OM_NEVER;
        if (ts->count >= ts->max)
            return OM_E_FULL;
        if (!has_room(ts))
            return OM_E_NO_MEM;
        t->slot = ++ts->count;
    } else {
        OM_BUG_IF(t->slot > ts->count || ts->heap[t->slot - 1].timer != t);
    }
    t->at = at;
    t->order = ++ts->order;
    settle(ts, t->slot - 1, (struct om_timer_entry){at, t});
    return OM_OK;
}

void om_timer_stop(struct om_timers *ts, struct om_timer *t)
{
    size_t i = t->slot - 1;

    t->at = OM_NEVER;
    if (t->slot == 0)
        return;
    OM_BUG_IF(t->slot > ts->count || ts->heap[i].timer != t);
    t->slot = 0;
    ts->count--;
    if (i != ts->count)
        settle(ts, i, ts->heap[ts->count]);
}

struct om_timer *om_timers_pop(struct om_timers *ts, om_time now)
{
    if (ts->count == 0 || ts->heap[0].at > now)
        return NULL;
    struct om_timer *t = ts->heap[0].timer;
    om_timer_stop(ts, t);
    return t;
}

unsigned om_timers_run(struct om_timers *ts, om_time now)
{
    unsigned fired = 0;

    while (fired < ts->max) {
        struct om_timer *t = om_timers_pop(ts, now);
        if (!t)
            break;
        OM_BUG_IF(!t->fire);
        t->fire(t, now);
        fired++;
    }
    return fired;
}
