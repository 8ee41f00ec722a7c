/*
 * shaper.h - who of several may move how many bytes now, at a rate
 *
 * What:  a token bucket with a queue: whoever finds it empty waits, and is called in turn.
 * Why:   connections that share a rate shall have the same of it, however eager each is; a bucket
 *        alone gives everything to whoever asks first.
 * Keeps: shaper_never_gives_more_than_rate_and_burst; shaper_is_fair_among_the_eager;
 *        shaper_lets_a_small_one_through; shaper_calls_the_first_once;
 *        shaper_who_leaves_holds_up_nobody; shaper_datagrams_pass_or_do_not.
 *
 * A turn is some 20 ms of the rate, so that a connection at its limit is woken 50 times in a
 * second. Who is alone may take all there is.
 *
 * om_shaper_next() says once whose turn it is; that one then asks om_shaper_room() and tells
 * om_shaper_took(), or leaves. Until then the others wait for it.
 */
#ifndef OMERTA_SHAPER_H
#define OMERTA_SHAPER_H

#include <omerta/bucket.h>
#include <omerta/list.h>

enum {
    OM_SHAPER_RATE_MIN = 1024,               /* bytes per second; below, a packet takes too long */
    OM_SHAPER_BURST_MIN = 64 * 1024,         /* any datagram fits */
    OM_SHAPER_BURST_MS = 100,                /* of the rate */
    OM_SHAPER_TURN_MS = 20,                  /* of the rate */
    OM_SHAPER_TURN_MIN = OM_SHAPER_RATE_MIN, /* bytes */
    OM_SHAPER_TURN_MAX = 256 * 1024          /* bytes; more would only be bursts */
};

#define OM_SHAPER_RATE_MAX UINT32_MAX

/* One that moves bytes; zeroed, it does not wait. */
struct om_shaper_user {
    struct om_link link; /* in the queue */
    uint32_t want;       /* with how much it is content */
    bool is_called;
};

/* Read freely; write only through om_shaper_*(). */
struct om_shaper {
    struct om_bucket bucket;
    struct om_list waiting;
    uint32_t turn; /* bytes */
};

/** om_shaper_burst() - bytes that go at once after a rest, at @rate bytes per second. */
uint32_t om_shaper_burst(uint32_t rate);

/**
 * om_shaper_init() - full, and nobody waits
 * @s:     storage of the caller; not to be moved
 * @rate:  bytes per second, at least OM_SHAPER_RATE_MIN
 * @now:   current time
 */
void om_shaper_init(struct om_shaper *s, uint32_t rate, om_time now);

/**
 * om_shaper_room() - what one may move now
 * @s:     the shaper
 * @u:     who asks; lent while it waits, until it took something or left
 * @now:   current time
 * @want:  at most, more than 0
 *
 * Return: bytes; 0: it waits, and om_shaper_next() will call it.
 */
uint32_t om_shaper_room(struct om_shaper *s, struct om_shaper_user *u, om_time now, size_t want);

/**
 * om_shaper_took() - it was moved
 * @s:    the shaper
 * @u:    who; it waits no more
 * @now:  the time given to om_shaper_room()
 * @n:    at most what that returned
 */
void om_shaper_took(struct om_shaper *s, struct om_shaper_user *u, om_time now, uint32_t n);

/** om_shaper_leave() - @u does not wait any more, if it did. */
void om_shaper_leave(struct om_shaper_user *u);

/** om_shaper_pass() - a datagram of @n bytes goes through @s at @now; false: it is dropped. */
bool om_shaper_pass(struct om_shaper *s, om_time now, uint32_t n);

/** om_shaper_next() - whose turn it is in @s at @now, told once for each turn; NULL: nobody's. */
struct om_shaper_user *om_shaper_next(struct om_shaper *s, om_time now);

/** om_shaper_when() - when om_shaper_next() of @s has something to say, from @now on; OM_NEVER:
 *  nobody waits, or who was called has not moved yet. */
om_time om_shaper_when(const struct om_shaper *s, om_time now);

#endif
