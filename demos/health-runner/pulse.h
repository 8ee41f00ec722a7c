/*
 * pulse.h - a steady pulse through the mesh, while other things happen
 *
 * What:  numbered datagrams to an echo behind one local port, and words on one connection to an
 *        echo behind another; both go on while their owner waits for anything.
 * Why:   what a fault does is seen by who talks all the time: the answers say how long it was
 *        silent, the connection whether anything was lost for good.
 * Keeps: pulse_counts_answers; pulse_connection_is_broken_by_a_wrong_byte;
 *        pulse_connection_is_broken_by_its_end; pulse_rests.
 *
 * The connection is the same from om_pulse_open() on: its words come back all and in order, or it
 * is broken, for ever. At most OM_PULSE_AHEAD of its bytes are under way.
 */
#ifndef OM_HEALTH_PULSE_H
#define OM_HEALTH_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>

#include "series.h"

enum { OM_PULSE_WORD = 8, OM_PULSE_AHEAD = 4096 };

/* Read freely; write only through om_pulse_*(). */
struct om_pulse {
    int udp, tcp; /* -1 before om_pulse_open() */
    om_time began, next, interval;
    uint32_t row; /* of the series: an answer to an earlier one is nothing */
    struct om_series series;
    uint64_t said, heard; /* bytes of the connection */
    bool is_broken;
    const char *why; /* it is broken */
};

/** om_pulse_init() - nothing is open of @p. */
void om_pulse_init(struct om_pulse *p);

/**
 * om_pulse_open() - connect both ways
 * @p:         initialised
 * @udp_port:  of 127.0.0.1
 * @tcp_port:  of 127.0.0.1
 * @err:       sentence for a person
 *
 * Return: OM_OK or OM_E_STATE.
 */
OM_MUST enum om_err om_pulse_open(struct om_pulse *p, uint16_t udp_port, uint16_t tcp_port,
                                  struct om_error *err);

/** om_pulse_close() - end it; @p is as om_pulse_init() made it. */
void om_pulse_close(struct om_pulse *p);

/** om_pulse_begin() - a new row of @p, which beats each @interval from now on. */
void om_pulse_begin(struct om_pulse *p, om_time interval);

/** om_pulse_rest() - @p says nothing more until om_pulse_begin(); answers still count. */
void om_pulse_rest(struct om_pulse *p);

/** om_pulse_now() - how long ago the row of @p began. */
om_time om_pulse_now(const struct om_pulse *p);

/**
 * om_pulse_wait() - go on until something happens
 * @p:      open, or only initialised, which does nothing but wait
 * @fd:     what to wait for besides; -1: nothing
 * @until:  as om_clock_now() counts; earlier on Ctrl-C
 *
 * Return: @fd can be read.
 */
bool om_pulse_wait(struct om_pulse *p, int fd, om_time until);

/** om_pulse_settle() - rest, and wait at most @patience until @p has every answer. */
void om_pulse_settle(struct om_pulse *p, om_time patience);

/** om_pulse_caught_up() - wait at most @patience until all came back that the connection of @p has
 *  said by now; false: it did not, or it is broken. */
bool om_pulse_caught_up(struct om_pulse *p, om_time patience);

#endif
