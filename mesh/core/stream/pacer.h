/*
 * pacer.h - when the next packet may leave, so that a window does not leave in one burst
 *
 * What:  a rate and a quantum; each packet moves the time of the next.
 * Why:   a burst fills the bottleneck's queue, and a short queue drops it.
 * Keeps: pacer_keeps_the_rate; pacer_saves_no_more_than_a_quantum;
 *        pacer_without_a_rate_never_waits.
 *
 * Source: RFC 9002 section 7.7; PROTOCOL 4 (quantum <= 0.5 ms of the rate).
 */
#ifndef OM_STREAM_PACER_H
#define OM_STREAM_PACER_H

#include <omerta/time.h>

/* Read freely; write only through om_pacer_*(). */
struct om_pacer {
    om_time free_at; /* when all that was sent has left at the rate, whole microseconds */
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
