/*
 * timers.h - every timer of a node in one 4-ary heap
 *
 * What:  timers live inside the objects they serve; the heap knows which is due next, so a driver
 *        needs a single real timer for a whole node.
 * Why:   thousands of sessions re-arm a timer per packet: that has to cost nanoseconds, and equal
 *        deadlines must fire in the same order on every run or a simulation cannot be repeated.
 *        Four children per entry share one cache line.
 * Keeps: timers_fire_in_order_of_time_then_arming; timers_rearm_cannot_fail;
 *        timers_run_is_bounded; timers_refuse_when_full; timers_stopped_never_fire.
 *
 * A zeroed timer is stopped: `struct om_timer t = {.fire = f};` is ready to be armed. An armed
 * timer may not be moved or freed.
 */
#ifndef OMERTA_TIMERS_H
#define OMERTA_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>

/* Set @fire; the rest is written only by timers.c. */
struct om_timer {
    om_time at;     /* OM_NEVER when stopped */
    uint64_t order; /* breaks ties: first armed fires first, on every run */
    size_t slot;    /* place in the heap counted from 1; 0 when stopped */
    void (*fire)(struct om_timer *t, om_time now);
};

struct om_timer_entry {
    om_time at; /* copy of timer->at: comparing must not touch the timer */
    struct om_timer *timer;
};

/* Read freely; write only through om_timer*(). */
struct om_timers {
    struct om_timer_entry *heap;
    size_t count;
    size_t cap;
    size_t max;
    uint64_t order; /* of the latest arming */
};

/**
 * om_timers_init() - an empty heap; allocates nothing yet
 * @ts:   storage of the caller
 * @max:  most timers armed at a time; memory grows by doubling as they are
 */
void om_timers_init(struct om_timers *ts, unsigned max);

/** om_timers_fini() - stop every timer still armed in @ts (which may be zeroed), free the heap. */
void om_timers_fini(struct om_timers *ts);

/**
 * om_timer_arm() - let a timer fire at a time
 * @ts:  the heap
 * @t:   borrowed until it fires or is stopped; if armed already it moves to @at
 * @at:  may be in the past; OM_NEVER stops @t
 *
 * Arming again counts as a new arming among timers with the same @at.
 *
 * Return: OM_OK. OM_E_FULL or OM_E_NO_MEM, with @t left stopped, only if @t was not armed.
 */
enum om_err om_timer_arm(struct om_timers *ts, struct om_timer *t, om_time at);

/** om_timer_stop() - keep @t, armed in @ts or stopped, from firing. */
void om_timer_stop(struct om_timers *ts, struct om_timer *t);

/** om_timer_is_armed() - true while @t waits in a heap; false inside its own fire(). */
static inline bool om_timer_is_armed(const struct om_timer *t)
{
    return t->slot != 0;
}

/** om_timers_deadline() - when the next timer of @ts is due; OM_NEVER when none is armed. */
static inline om_time om_timers_deadline(const struct om_timers *ts)
{
    return ts->count ? ts->heap[0].at : OM_NEVER;
}

/**
 * om_timers_run() - fire what is due, ordered by time and then by arming
 * @ts:   the heap; the callbacks may arm and stop any timer of it, and free the one that fired
 * @now:  passed to fire()
 *
 * A timer that a callback arms for @now or earlier fires in the same run. At most @max of
 * om_timers_init() fire per call; the deadline then tells that more are due.
 *
 * Return: how many fired.
 */
unsigned om_timers_run(struct om_timers *ts, om_time now);

/**
 * om_timers_pop() - for drivers that act on a timer themselves instead of through fire()
 * @ts:   the heap
 * @now:  what is later stays
 *
 * Return: the earliest due timer, now stopped; NULL when none is due.
 */
struct om_timer *om_timers_pop(struct om_timers *ts, om_time now);

#endif
