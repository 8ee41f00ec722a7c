/*
 * bbr.h - BBR: congestion control by a model of the path, its rate and its round trip
 *
 * What:  from delivery-rate samples the greatest rate of the last two probing cycles, from RTT
 *        samples the least round trip of ten seconds; their product is what the path holds.
 *        Sends at that rate, with little more than that product in flight, and now and then
 *        faster (is there more?) and slower (how long is the way without a queue?).
 * Why:   a window that halves at each loss cannot fill a path that loses packets for other
 *        reasons than congestion, and fills every queue that it finds.
 *
 *            rate stops growing        in flight <= 1 x BDP,
 *            or > 2 % lost             or 3 rounds
 *   STARTUP ----------------> DRAIN -----------------------+
 *      ^                                                   v
 *      |                           +--------------------> DOWN
 *      |                           |                       | queue gone, headroom free
 *      |             rate stops    |                       v
 *      |             growing, or   |                     CRUISE
 *      |             > 2 % lost    |                       | 2 to 3 s, or as many rounds
 *      |                           |      one round        v as Reno needs
 *      |                           UP <----------------- REFILL
 *      |
 *      | pipe never filled         any state: no lower RTT for 5 s
 *      +------------------ PROBE_RTT <-------------------------- (any)
 *                              | 200 ms and a round at half the BDP
 *                              +--> CRUISE
 * Keeps: bbr_starts_with_the_initial_window;
 *        bbr_startup_doubles_and_ends_when_the_rate_stops_growing;
 *        bbr_startup_ends_at_loss_in_a_queue; bbr_goes_through_the_states_of_probe_bw;
 *        bbr_goes_up_as_long_as_the_rate_grows; bbr_takes_loss_without_a_queue_for_noise;
 *        bbr_remembers_where_a_probe_met_loss; bbr_probes_the_round_trip_every_five_seconds;
 *        bbr_needs_no_probe_while_the_least_round_trip_is_seen; bbr_idle_keeps_the_model;
 *        bbr_app_limited_samples_only_raise_the_rate;
 *        bbr_persistent_congestion_leaves_the_least_window;
 *        bbr_keeps_a_small_part_of_a_shared_queue.
 *
 * Source: draft-ietf-ccwg-bbr-05 (BBRv3): section 5.3 (states), 5.4 (idle), 5.5 (model), 5.6
 *         (rate, quantum, window). Where this differs: plans/streams.md, "Congestion control".
 */
#ifndef OM_STREAM_BBR_H
#define OM_STREAM_BBR_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/time.h>

enum om_bbr_state {
    OM_BBR_STARTUP,
    OM_BBR_DRAIN,
    OM_BBR_DOWN, /* the four of PROBE_BW */
    OM_BBR_CRUISE,
    OM_BBR_REFILL,
    OM_BBR_UP,
    OM_BBR_PROBE_RTT
};

/* What the ACKs that arrive now tell about: draft section 5.3.3.6, BBR.ack_phase. */
enum om_bbr_acks {
    OM_BBR_ACKS_PLAIN,
    OM_BBR_ACKS_STARTING, /* UP began less than a round trip ago */
    OM_BBR_ACKS_FEEDBACK, /* of packets sent in UP */
    OM_BBR_ACKS_STOPPING, /* the last packets of UP are on their way */
    OM_BBR_ACKS_REFILLING
};

/* Gains in percent. */
enum {
    OM_BBR_STARTUP_GAIN = 277,
    OM_BBR_DRAIN_GAIN = 50,
    OM_BBR_DOWN_GAIN = 90,
    OM_BBR_UP_GAIN = 125,
    OM_BBR_WINDOW_GAIN = 200,
    OM_BBR_UP_WINDOW_GAIN = 225,
    OM_BBR_PROBE_RTT_GAIN = 50,
    OM_BBR_MARGIN = 99,        /* pace 1 % below the estimate: section 5.6.2 */
    OM_BBR_LOSS_THRESH = 2,    /* of what was in flight: more is congestion */
    OM_BBR_BARE_THRESH = 10,   /* the same where no queue is seen: a policer, or noise */
    OM_BBR_BETA = 70,          /* no round cuts a bound by more */
    OM_BBR_HEADROOM = 85,      /* of inflight_long, in CRUISE */
    OM_BBR_STARTUP_LOSSES = 6, /* separate losses in a round that end STARTUP */
    OM_BBR_FULL_ROUNDS = 3,    /* without 25 % growth: the pipe is full */
    OM_BBR_PROBE_RTT_MS = 200,
    OM_BBR_PROBE_RTT_EVERY_S = 5,
    OM_BBR_MIN_RTT_S = 10,
    OM_BBR_RENO_ROUNDS = 63,
    OM_BBR_EXTRA_ROUNDS = 5 /* of each of two buckets */
};

#define OM_BBR_UNBOUND  UINT64_MAX
#define OM_BBR_RATE_MAX UINT64_C(12500000000) /* 100 Gb/s: more is a measuring error */

/* Rates are bytes per second, volumes bytes. Read freely; written by bbr*.c only. */
struct om_bbr {
    enum om_bbr_state state;
    enum om_bbr_acks acks;

    uint64_t max_bw[2];                /* of this probing cycle and of the one before */
    uint64_t bw;                       /* the lesser of their maximum and bw_short */
    uint64_t bw_short, inflight_short; /* after recent loss; OM_BBR_UNBOUND: none */
    uint64_t inflight_long;            /* where a probe met loss; OM_BBR_UNBOUND: none did */
    om_time min_rtt, min_rtt_at;       /* OM_NEVER before the first sample */
    om_time probe_rtt_min, probe_rtt_min_at;

    uint64_t extra_acked[2]; /* ACKs came in heaps as large as this: two buckets of rounds */
    uint64_t extra_delivered;
    om_time extra_from;
    unsigned extra_rounds;

    om_time rtt;                       /* newest sample */
    om_time round_rtt, last_round_rtt; /* least of this round trip, of the one before */

    uint64_t share_window; /* while a queue is shared with our like, else OM_BBR_UNBOUND */
    unsigned own_percent;  /* of the own queue: less after losses in it */
    unsigned free_rounds;  /* in a row without a queue */
    unsigned rival_rounds; /* in a row with one in spite of our restraint */
    om_time rival_until;   /* until then somebody else keeps the queue full */

    uint64_t next_round; /* delivered count at which the round trip ends */
    uint64_t rounds, rounds_since_probe, drain_round;

    uint64_t loss_round; /* the same for the round over which loss is judged */
    uint64_t bw_latest, inflight_latest;
    uint64_t lost_in_round, delivered_at_round; /* bytes: what the round lost, where it began */
    uint64_t last_lost;                         /* number of the last packet lost */
    unsigned losses_in_round;                   /* of packets not next to each other */

    uint64_t full_bw;
    unsigned full_count;

    om_time cycle_at, probe_wait;
    uint64_t up_acked, up_every; /* raise inflight_long by a byte per up_every bytes */
    unsigned up_rounds;

    om_time probe_rtt_done; /* 0: not yet down at its window */
    uint64_t prior_window;
    uint64_t limited_until; /* samples of packets sent before this count are too low on purpose */

    uint64_t delivered; /* of the last sample */
    bool round_start, loss_round_start, loss_in_round;
    bool loss_queued; /* a loss of this round met a queue */
    bool full_now, full_reached;
    bool is_probe_sample; /* no reaction yet to the losses of this probe */
    bool probe_rtt_round_done, probe_rtt_expired;
    bool idle_restart, has_rtt;
    bool limited_now, limited_before; /* the window held us back: in this round, in the last */
};

#endif
