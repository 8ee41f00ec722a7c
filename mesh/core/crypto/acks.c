/* acks.c - received packet numbers as descending runs. */
#include "crypto/acks.h"

#include "path/rtt.h"

void om_acks_init(struct om_acks *a)
{
    a->count = 0;
    a->brief = 0;
    a->pending = 0;
    a->due = OM_NEVER;
    a->largest_at = 0;
}

static void remove_run(struct om_acks *a, unsigned i)
{
    memmove(&a->runs[i], &a->runs[i + 1], (a->count - i - 1) * sizeof a->runs[0]);
    a->count--;
}

static void insert_run(struct om_acks *a, unsigned i, uint64_t counter, om_time now)
{
    if (i == OM_ARRAY_SIZE(a->runs))
        return; /* lower than all that is kept */
    if (a->count == OM_ARRAY_SIZE(a->runs))
        a->count--;
    memmove(&a->runs[i + 1], &a->runs[i], (a->count - i) * sizeof a->runs[0]);
    a->runs[i] = (struct om_acks_run){.low = counter, .high = counter, .at = now};
    a->count++;
}

static void add(struct om_acks *a, uint64_t counter, om_time now)
{
    unsigned i = 0;

    while (i < a->count && a->runs[i].low > counter + 1)
        i++;
    if (i == a->count || counter > a->runs[i].high + 1) {
        insert_run(a, i, counter, now);
        return;
    }
    a->runs[i].at = now;
    a->runs[i].told = 0;
    if (counter == a->runs[i].high + 1)
        a->runs[i].high = counter;
    else if (counter + 1 == a->runs[i].low)
        a->runs[i].low = counter;
    if (i + 1 < a->count && a->runs[i + 1].high + 1 == a->runs[i].low) {
        a->runs[i].low = a->runs[i + 1].low;
        remove_run(a, i + 1);
    }
}

void om_acks_received(struct om_acks *a, om_time now, uint64_t counter, bool eliciting)
{
    if (counter == UINT64_MAX)
        return; /* the peer's choice; no ACK can name it, and counting past it would wrap */
    bool in_order = a->count == 0 || counter == a->runs[0].high + 1;
    if (a->count == 0 || counter > a->runs[0].high)
        a->largest_at = now;
    add(a, counter, now);
    if (!eliciting)
        return;
    a->pending++;
    om_time due = a->pending >= OM_ACK_EVERY || !in_order ? now : now + OM_MS(OM_ACK_DELAY_MS);
    a->due = om_time_min(a->due, due);
}

/* A length as the wire carries it. */
static uint32_t clip(uint64_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* How many runs this ACK names: what many have named stays known, so it is left to one of them. */
static unsigned named(struct om_acks *a, om_time now)
{
    unsigned n = a->count;

    if (++a->brief == OM_ACK_TOLD) {
        a->brief = 0;
        return n;
    }
    while (n > 1 && a->runs[n - 1].told == OM_ACK_TOLD &&
           now - a->runs[n - 1].at >= OM_MS(OM_ACK_FRESH_MS))
        n--;
    return n;
}

/* The @n - 1 runs below the first. Each is placed relative to the one before, so the list ends with
 * the first run that is named in part, and before the first gap that cannot be named. */
static void list_ranges(const struct om_acks *a, unsigned n, struct om_frame_ack *out)
{
    uint64_t run = a->runs[0].high - a->runs[0].low + 1;

    for (unsigned i = 1; i < n && run <= UINT32_MAX; i++) {
        uint64_t missing = a->runs[i - 1].low - a->runs[i].high - 1;
        if (missing > UINT32_MAX)
            return;
        run = a->runs[i].high - a->runs[i].low + 1;
        out->ranges[out->count++] = (struct om_ack_range){(uint32_t)missing, clip(run)};
    }
}

/* @n runs were named once more; what has been for long enough is not named again. */
static void told(struct om_acks *a, unsigned n, om_time now)
{
    for (unsigned i = 0; i < n; i++)
        if (a->runs[i].told < OM_ACK_TOLD)
            a->runs[i].told++;
    while (a->count > 1 && a->runs[a->count - 1].told == OM_ACK_TOLD &&
           now - a->runs[a->count - 1].at >= OM_SEC(OM_ACK_KEPT_S))
        a->count--;
}

bool om_acks_take(struct om_acks *a, om_time now, struct om_frame_ack *out)
{
    if (a->count == 0)
        return false;
    *out = (struct om_frame_ack){
        .largest = a->runs[0].high,
        .delay_us = clip((uint64_t)(now - a->largest_at)),
        .run = clip(a->runs[0].high - a->runs[0].low + 1),
    };
    unsigned n = named(a, now);
    list_ranges(a, n, out); /* there is one run more than an ACK has ranges: all fit */
    told(a, n, now);
    a->pending = 0;
    a->due = OM_NEVER;
    return true;
}
