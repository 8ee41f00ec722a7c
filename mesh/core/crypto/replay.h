/*
 * replay.h - each packet counter is accepted once
 *
 * What:  a sliding window of bits below the highest authenticated counter.
 * Why:   datagrams are reordered and duplicated by honest networks and replayed by others; the
 *        counter is also the packet number, so nothing else tells a copy from the original.
 * Keeps: replay_first_counter_opens_the_window_below; replay_counter_cases;
 *        replay_jump_forgets_the_old_window; replay_grow_keeps_what_was_seen;
 *        replay_grow_before_the_first_counter; replay_refused_growth_keeps_the_window;
 *        replay_marking_stale_counters_does_nothing; replay_narrow_window_is_as_wide_as_it_says;
 *        model_replay_agrees_with_a_set.
 *
 * Source: RFC 6479 (bitmap in words, moved by whole words instead of shifted); PROTOCOL section 2.
 */
#ifndef OM_CRYPTO_REPLAY_H
#define OM_CRYPTO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/attr.h>

enum {
    OM_REPLAY_WIDTH = 8192,
    OM_REPLAY_WIDTH_GROWN = 65536,
    OM_REPLAY_WORD = 64 /* bits */
};

/* Read freely; write only through om_replay_*(). Bit c modulo width stands for counter c. */
struct om_replay {
    uint64_t top;   /* highest counter marked; means nothing before the first */
    uint32_t width; /* OM_REPLAY_WIDTH, _GROWN, or narrower */
    bool has_top;
    uint64_t *grown; /* owns; NULL while the small one serves */
    uint64_t small[OM_REPLAY_WIDTH / OM_REPLAY_WORD];
};

/** om_replay_init() - @r is empty: any counter is fresh, and the first one marked sets the top. */
void om_replay_init(struct om_replay *r);

/**
 * om_replay_init_narrow() - as om_replay_init(), but with a window that is less wide
 * @r:      the window, which may not grow
 * @width:  a power of two from OM_REPLAY_WORD to OM_REPLAY_WIDTH
 */
void om_replay_init_narrow(struct om_replay *r, uint32_t width);

/** om_replay_fini() - release what @r owns; it is empty again. */
void om_replay_fini(struct om_replay *r);

/**
 * om_replay_grow() - widen to OM_REPLAY_WIDTH_GROWN; nothing once accepted becomes fresh by it
 * @r:  the window; allocates 8 KiB
 *
 * Return: true when the window is wide now; false when there is no memory and it stays as it was.
 */
bool om_replay_grow(struct om_replay *r);

/**
 * om_replay_check() - whether a packet with this counter may still be accepted
 * @r:        the window
 * @counter:  as received, not yet authenticated
 *
 * Return: true when it is above the top, or within the width below it and not marked.
 */
OM_MUST bool om_replay_check(const struct om_replay *r, uint64_t counter);

/**
 * om_replay_mark() - this counter was accepted
 * @r:        the window
 * @counter:  authenticated; one below the window changes nothing
 */
void om_replay_mark(struct om_replay *r, uint64_t counter);

#endif
