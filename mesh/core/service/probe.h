/*
 * probe.h - round trips and loss, end to end, on the channel "om.probe"
 *
 * What:  sends numbered probes with random tokens at a pace and takes the echoes; the other side's
 *        echoes, within a rate.
 * Why:   a path's own samples end at the next hop's session and stop when nobody talks; this
 *        measures what a program would see.
 * Keeps: probe_measures_a_clean_way; probe_tells_which_way_loses; probe_of_silence_is_all_lost;
 *        probe_liars_cannot_shorten_the_way; probe_liars_cannot_hide_loss;
 *        probe_echoes_within_a_rate; probe_refuses_other_lengths; probe_stays_within_its_bounds.
 *
 * A token is known only to who received the probe, so no echo can come before it was there; each
 * sequence counts once, so loss in all cannot look smaller than it is. Which way lost is the
 * echoer's word, within what is possible.
 *
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6
 *     +-+---------------+-------+-------+
 *     |k| token, u64    | seq   | count |     kind 1 probe (count 0), 2 echo
 *     +-+---------------+-------+-------+
 *
 * Count is of the probes of this run that came; a run begins with sequence 0.
 */
#ifndef OM_SERVICE_PROBE_H
#define OM_SERVICE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bucket.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/rng.h>
#include <omerta/service.h>

enum {
    OM_PROBE_SIZE = 17,
    OM_PROBE_COUNT = 20,       /* of a run, unless told otherwise */
    OM_PROBE_MAX = 100,        /* of a run */
    OM_PROBE_PACE_MS = 100,    /* between probes, and the least that is taken */
    OM_PROBE_WAIT_MS = 3000,   /* for the last echoes */
    OM_PROBE_ECHOES_PER_S = 50 /* to one peer */
};

struct om_probe_shot {
    uint64_t token;
    om_time sent;
    om_time rtt; /* OM_NEVER: no echo yet */
};

/* A run of ours. Read freely; write only through om_probe_*(). */
struct om_probe {
    struct om_rng rng;
    struct om_probe_shot shots[OM_PROBE_MAX];
    unsigned wanted, sent, echoed;
    uint32_t there; /* the echoer's greatest count */
    unsigned lies, copies;
    om_time pace, next_at, end;
    bool is_done;
};

/* Echoes for one peer. */
struct om_probe_echo {
    struct om_bucket bucket;
    uint64_t first; /* token that began this run */
    uint32_t count; /* probes of this run */
};

/**
 * om_probe_start() - begin a run
 * @p:      storage
 * @now:    time; the first probe goes at once
 * @rng:    tokens come from it; copied
 * @count:  1 to OM_PROBE_MAX; 0: OM_PROBE_COUNT
 * @pace:   at least OM_PROBE_PACE_MS; 0: that
 *
 * Return: OM_OK or OM_E_RANGE.
 */
OM_MUST enum om_err om_probe_start(struct om_probe *p, om_time now, const struct om_rng *rng,
                                   unsigned count, om_time pace);

/**
 * om_probe_next() - the next probe to send
 * @p:    the run
 * @now:  time, taken for that of sending
 * @out:  the datagram
 *
 * Return: false when none is due.
 */
bool om_probe_next(struct om_probe *p, om_time now, uint8_t out[static OM_PROBE_SIZE]);

/** om_probe_input() - at @now the probed peer of @p sent @in; what is no echo of ours counts as a
 * lie. */
void om_probe_input(struct om_probe *p, om_time now, struct om_bytes in);

/** om_probe_tick() - at @now, has @p waited long enough for the last echo? */
void om_probe_tick(struct om_probe *p, om_time now);

/** om_probe_deadline() - when next() or tick() of @p is due; OM_NEVER once it is done. */
om_time om_probe_deadline(const struct om_probe *p);

/** om_probe_result() - what @p found, into @out; final once it is done. */
void om_probe_result(const struct om_probe *p, struct om_health_result *out);

/** om_probe_echo_init() - @e echoes from @now on. */
void om_probe_echo_init(struct om_probe_echo *e, om_time now);

/** om_probe_is_probe() - @in is for om_probe_echo(); else it is for om_probe_input(). */
bool om_probe_is_probe(struct om_bytes in);

/**
 * om_probe_echo() - answer a peer's probe
 * @e:    of this peer
 * @now:  time
 * @in:   what came
 * @out:  the echo, as long as the probe
 *
 * Return: false when nothing is sent: it is no probe, or there were too many.
 */
bool om_probe_echo(struct om_probe_echo *e, om_time now, struct om_bytes in,
                   uint8_t out[static OM_PROBE_SIZE]);

#endif
