/*
 * rate.h - a sender of so many bits per second
 *
 * What:  tells when the last bit of each datagram has left.
 * Why:   links and pipes both have one, and neither may lose rate to rounding.
 * Keeps: rate_loses_nothing_to_rounding; rate_knows_how_long_it_was_busy.
 *
 * What a datagram takes is seldom a whole number of microseconds. What is left over is carried
 * into the next one, so that a thousand of them take what they take, to the microsecond.
 */
#ifndef SIM_RATE_H
#define SIM_RATE_H

#include <stddef.h>
#include <stdint.h>

#include <omerta/time.h>

/* Zeroed is idle. */
struct sim_rate {
    om_time free_at; /* when everything that was accepted has left, without the part below */
    uint64_t part;   /* and so many parts, of bps, of a microsecond */
    uint64_t bps;    /* at which part was reckoned */
    om_time busy;    /* spent, and yet to be spent, sending what was accepted */
};

/**
 * sim_rate_send() - send a datagram when what came before it has left
 * @r:     the sender
 * @bps:   bits per second, not 0
 * @now:   it was idle if it is free since before that; r->free_at: it was not
 * @size:  bytes on the wire
 *
 * Return: when its last bit has left.
 */
om_time sim_rate_send(struct sim_rate *r, uint64_t bps, om_time now, size_t size);

/**
 * sim_rate_change() - go on sending, at another rate, the datagram that is half sent at @now
 * @r:    the sender, which has accepted nothing behind that datagram
 * @bps:  bits per second; 0: it has left
 * @now:  current time
 *
 * Return: when its last bit has left.
 */
om_time sim_rate_change(struct sim_rate *r, uint64_t bps, om_time now);

/** sim_rate_wait() - how long from @now until @r has sent everything. */
om_time sim_rate_wait(const struct sim_rate *r, om_time now);

/** sim_rate_busy() - how long @r was sending, until @now. */
om_time sim_rate_busy(const struct sim_rate *r, om_time now);

#endif
