/*
 * credit.h - how far a sender may go, by how fast its reader reads
 *
 * What:  a window above what was consumed; it grows when half of it is used up in less than two
 *        round trips.
 * Why:   a fixed window is either too small for a long fast path or too much memory for a reader
 *        that stands still.
 * Keeps: credit_grows_when_half_goes_in_two_round_trips; credit_of_a_slow_reader_stays;
 *        credit_never_grows_beyond_its_most.
 *
 * Source: PROTOCOL section 4; RFC 9000 section 4.1; the doubling is what QUIC implementations do.
 */
#ifndef OM_STREAM_CREDIT_H
#define OM_STREAM_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/time.h>

/* Read freely; write only through om_credit_*(). */
struct om_credit {
    uint64_t granted; /* told to the sender, or about to be */
    uint64_t window;  /* how far beyond what is consumed it may go */
    uint64_t mark;    /* consumed when the measurement began */
    om_time mark_at;  /* when it began */
};

/**
 * om_credit_init() - the first window is granted without a word
 * @c:       storage of the caller
 * @window:  bytes
 * @now:     time
 */
void om_credit_init(struct om_credit *c, uint64_t window, om_time now);

/**
 * om_credit_used() - measure how fast the window is used up
 * @c:         the state
 * @now:       time
 * @rtt:       smoothed round trip, 0 if unknown: the window stays as it is
 * @consumed:  bytes in all
 * @most:      the window does not grow beyond it
 *
 * Return: by how much the window grew, 0 for not.
 */
uint64_t om_credit_used(struct om_credit *c, om_time now, om_time rtt, uint64_t consumed,
                        uint64_t most);

/** om_credit_restart() - measuring of @c begins anew at @now, after a pause. */
void om_credit_restart(struct om_credit *c, om_time now);

#endif
