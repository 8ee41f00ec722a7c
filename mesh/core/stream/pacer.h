/*
 * pacer.h - when the next packet may leave, so that a window does not leave in one burst
 *
 * What:  a rate and a quantum; each packet moves the time of the next.
 * Why:   a burst fills the bottleneck's queue, and a short queue drops it.
 * Keeps: pacer_keeps_the_rate; pacer_saves_no_more_than_a_quantum;
 *        pacer_without_a_rate_never_waits; pacer_makes_up_for_late_wake_ups.
 *
 * A busy machine wakes the sender late, again and again by more than the quantum. If that time were
 * lost, the rate would be, too, and congestion control would take it for the path's. So it is made
 * up for, at twice the rate at most, which Linux does, too; a pause that is longer than
 * OM_PACER_LATE_US was the program's.
 *
 * Source: RFC 9002 section 7.7; PROTOCOL 4 (quantum <= 0.5 ms of the rate).
 */
#ifndef OM_STREAM_PACER_H
#define OM_STREAM_PACER_H

#include <omerta/time.h>

enum { OM_PACER_LATE_US = 5000 };

/* Read freely; write only through om_pacer_*(). */
struct om_pacer {
    om_time free_at; /* when all that was sent has left at the rate, whole microseconds */
    om_time late;    /* time not used, to be made up for: at most OM_PACER_LATE_US */
    uint64_t part;   /* and this many parts of a microsecond, in bytes * 1e6 / rate */
};

/** om_pacer_init() - @p owes nothing at @now. */
void om_pacer_init(struct om_pacer *p, om_time now);

/**
 * om_pacer_at() - when a packet may leave
 * @p:        the pacer
 * @rate:     bytes per second; 0: not paced
 * @quantum:  bytes that may leave ahead of the rate
 *
 * Return: the time; in the past: at once.
 */
om_time om_pacer_at(const struct om_pacer *p, uint64_t rate, uint64_t quantum);

/** om_pacer_sent() - note in @p that @bytes left at @now, at @rate bytes per second. */
void om_pacer_sent(struct om_pacer *p, om_time now, uint64_t rate, uint64_t bytes);

#endif
