/*
 * ranges.h - a bounded set of numbers, kept as ranges
 *
 * What:  disjoint, non-adjacent half-open ranges in ascending order.
 * Why:   what arrived, was acknowledged or was lost comes in stretches; a set of stretches is
 *        small as long as there are few gaps, and the bound says what happens otherwise.
 * Keeps: ranges_join_what_touches; ranges_refuse_when_full; ranges_idle_costs_nothing;
 *        ranges_model_matches_a_set.
 *
 * Full: adding a range that joins no other is refused; removing from the middle of one, which makes
 * one more, may be refused, too, and then nothing is removed.
 */
#ifndef OM_STREAM_RANGES_H
#define OM_STREAM_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

struct om_range {
    uint64_t low, high; /* @high is the first number that is not in it */
};

/* Write only through om_ranges_*(), read through them, too. Zeroed: empty. */
struct om_ranges {
    struct om_range one;  /* the only range while there is no memory */
    struct om_range *mem; /* owned; NULL while one was enough since the last clear */
    uint32_t count;
    uint32_t size; /* ranges that @mem has room for */
};

/** om_ranges_clear() - empty @r and release its memory. */
void om_ranges_clear(struct om_ranges *r);

/**
 * om_ranges_add() - put numbers in
 * @r:     the set
 * @low:   the first
 * @high:  one after the last; not above @low: nothing happens
 * @max:   most ranges, at least 1
 *
 * Return: OM_OK; OM_E_FULL or OM_E_NO_MEM with nothing changed.
 */
OM_MUST enum om_err om_ranges_add(struct om_ranges *r, uint64_t low, uint64_t high, uint32_t max);

/**
 * om_ranges_remove() - take numbers out, whether they were in or not
 * @r:     the set
 * @low:   the first
 * @high:  one after the last
 * @max:   most ranges, at least 1
 *
 * Return: OM_OK; OM_E_FULL or OM_E_NO_MEM with nothing changed, only if one range became two.
 */
enum om_err om_ranges_remove(struct om_ranges *r, uint64_t low, uint64_t high, uint32_t max);

/** om_ranges_cut() - take everything below @low out of @r; cannot fail. */
void om_ranges_cut(struct om_ranges *r, uint64_t low);

/**
 * om_ranges_stretch() - put numbers in even when there is no room, and perhaps more than those
 * @r:     the set
 * @low:   the first
 * @high:  one after the last; not above @low: nothing happens
 * @max:   most ranges, at least 1
 *
 * Where there is no room for one more range, the gap to a neighbour is put in as well.
 */
void om_ranges_stretch(struct om_ranges *r, uint64_t low, uint64_t high, uint32_t max);

/** om_ranges_has() - is @at in @r? */
bool om_ranges_has(const struct om_ranges *r, uint64_t at);

/** om_ranges_above() - the first range of @r that ends above @at, lent; NULL when there is none. */
const struct om_range *om_ranges_above(const struct om_ranges *r, uint64_t at);

/** om_ranges_count() - ranges in @r. */
static inline uint32_t om_ranges_count(const struct om_ranges *r)
{
    return r->count;
}

#endif
