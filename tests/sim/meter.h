/*
 * meter.h - what went into a link or a pipe, what came out, and how long it waited
 *
 * What:  datagrams and bytes in, out and dropped since the meter was started, how long each waited
 *        for its turn, and how much of the time the sender was busy.
 * Why:   "the standing queue is one round trip" and "the way was full" are claims about a window of
 *        time; starting the meter begins the window, reading it ends it.
 * Keeps: meter_percentiles_are_those_of_a_sorted_list; pipe_measures_a_window.
 *
 * Bytes are those on the wire, headers of IP and UDP included. A wait is the time from when a
 * datagram came to when its first bit left; its percentiles are exact below 64 us and at most 1 in
 * 32 too great above.
 */
#ifndef SIM_METER_H
#define SIM_METER_H

#include "rate.h"

enum { SIM_METER_WAITS = 1056 }; /* counters: 32 for each power of two up to 2^36 us */

enum sim_lapse {
    SIM_LAPSE_FULL,   /* the queue was */
    SIM_LAPSE_POLICE, /* more than the policer grants */
    SIM_LAPSE_LOST,   /* by chance */
    SIM_LAPSE_SIZE,   /* larger than the link carries */
    SIM_LAPSE_COUNT
};

/* Read freely; write only through sim_meter_*(). */
struct sim_meter {
    om_time since; /* the start of the window */
    om_time busy;  /* of the sender, then */
    uint64_t packets_in, bytes_in;
    uint64_t packets_out, bytes_out;
    uint64_t dropped[SIM_LAPSE_COUNT], bytes_dropped;
    uint64_t waits; /* counted */
    om_time wait_max;
    uint32_t wait[SIM_METER_WAITS];
};

/* One value that a meter gives, by name. */
enum sim_reading {
    SIM_READ_PACKETS_IN,
    SIM_READ_BYTES_IN,
    SIM_READ_PACKETS_OUT,
    SIM_READ_BYTES_OUT,
    SIM_READ_DROPPED, /* datagrams, for whatever reason */
    SIM_READ_BYTES_DROPPED,
    SIM_READ_FULL,
    SIM_READ_POLICED,
    SIM_READ_LOST,
    SIM_READ_TOO_LARGE,
    SIM_READ_WAIT_P50,
    SIM_READ_WAIT_P95,
    SIM_READ_WAIT_MAX,
    SIM_READ_USED, /* of the time, in ppm */
    SIM_READ_RATE, /* bits per second that came out */
    SIM_READ_COUNT
};

/** sim_meter_start() - begin the window of @m at @now, before sender @r. */
void sim_meter_start(struct sim_meter *m, const struct sim_rate *r, om_time now);

/** sim_meter_in() - count at @m one datagram of @size bytes that came. */
void sim_meter_in(struct sim_meter *m, size_t size);

/** sim_meter_out() - count at @m one datagram of @size bytes that passed. */
void sim_meter_out(struct sim_meter *m, size_t size);

/** sim_meter_drop() - count at @m one datagram of @size bytes that did not, because of @why. */
void sim_meter_drop(struct sim_meter *m, enum sim_lapse why, size_t size);

/** sim_meter_wait() - count at @m that one datagram had to wait for @t. */
void sim_meter_wait(struct sim_meter *m, om_time t);

/**
 * sim_meter_percentile() - the wait that no more than 100 - @percent in 100 datagrams exceed
 * @m:        the meter
 * @percent:  1 to 100
 *
 * Return: the wait; 0 when none was counted.
 */
om_time sim_meter_percentile(const struct sim_meter *m, unsigned percent);

/**
 * sim_meter_read() - one value, for the window that ends now
 * @m:     the meter
 * @r:     the sender it was started before
 * @what:  which
 * @now:   end of the window
 *
 * Return: the value; shares of time and rates of an empty window are 0.
 */
uint64_t sim_meter_read(const struct sim_meter *m, const struct sim_rate *r, enum sim_reading what,
                        om_time now);

/** sim_reading_parse() - the reading that is written @name; SIM_READ_COUNT for none. */
enum sim_reading sim_reading_parse(const char *name);

#endif
