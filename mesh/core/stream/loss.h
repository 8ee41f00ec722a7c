/*
 * loss.h - which packets of an association are on their way, arrived, or are lost
 *
 * What:  remembers each packet until its fate is known; declares losses by packet and time
 *        threshold; asks for probes when nothing is heard; measures the rate of delivery; keeps
 *        the window and the pace that the congestion control says.
 * Why:   RFC 9002 recovers from loss without ambiguity because a packet number is never used
 *        again; ours are the association's counters, which survive rekeys.
 * Keeps: loss_model_matches_a_list; loss_by_packets_and_by_time; loss_probes_back_off;
 *        loss_refuses_acks_of_the_future; loss_persistent_congestion; loss_idle_keeps_nothing;
 *        loss_spurious_teaches_patience; loss_samples_rtt_of_the_largest_only;
 *        loss_abandon_tells_all; loss_wake_asks_for_probes; loss_rate_is_that_of_delivery;
 *        loss_app_limit_is_noted; loss_pauses_for_half_a_burst;
 *        loss_after_a_move_is_by_time_alone; loss_copies_measure_no_round_trip;
 *        loss_probes_of_other_paths_overtake_nobody; loss_oldest_is_of_the_present_path;
 *        loss_excuse_opens_the_window_once; loss_tells_sizes_of_this_path_alone;
 *        loss_of_a_size_probe_is_no_congestion; loss_forgotten_probe_keeps_nothing;
 *        loss_one_large_packet_always_fits; loss_probes_never_cease.
 *
 * A path that reorders teaches it patience, as TCP's RACK does: each packet that arrives after it
 * was given up raises the thresholds to what would have been right.
 *
 * Full: with OM_SENT_MAX packets on their way the window is closed.
 *
 * Source: RFC 9002 (appendix A for the shape; section 6.1 lets thresholds grow); RFC 8985 section
 *         6.2; draft-ietf-ccwg-bbr, "Delivery Rate Samples".
 */
#ifndef OM_STREAM_LOSS_H
#define OM_STREAM_LOSS_H

#include <omerta/ring.h>

#include "envelope/frame.h"
#include "path/mtu.h"
#include "path/rtt.h"
#include "stream/cc.h"
#include "stream/pacer.h"
#include "stream/sent_frame.h"

enum {

    OM_SENT_MAX = 1 << 17,
    OM_LOSS_PTO_S = 2,   /* between timeouts at most, where a round trip is shorter than that */
    OM_LOSS_REORDER = 3, /* RFC 9002 section 6.1.1 */
    OM_LOSS_REORDER_MAX = 300, /* Linux: tcp_max_reordering */
    OM_LOSS_REGRETS_MAX = 64   /* lost packets that may still turn out to have arrived */
};

enum om_sent_state { OM_SENT_UNTRACKED, OM_SENT_FLYING, OM_SENT_ACKED, OM_SENT_LOST };

/* A packet that was declared lost, and may still turn out to have arrived. */
struct om_regret {
    uint64_t counter; /* and 1; 0: none */
    om_time at;       /* when it was sent */
    uint16_t bytes;
};

/* One packet on its way. */
struct om_sent {
    om_time at;
    om_time delivered_at, first_at; /* C.delivered_time, C.first_send_time when it was sent */
    uint64_t delivered, lost;       /* C.delivered, C.lost then */
    uint64_t in_flight;             /* then, with it */
    uint16_t bytes;
    uint8_t state; /* enum om_sent_state */
    uint8_t count;
    bool is_app_limited;
    bool is_probe; /* of the path's size: neither congestion nor delivery */
    bool is_twice; /* on two paths: its ACK says nothing of either's round trip */
    bool is_excused;
    struct om_sent_frame frames[OM_SENT_FRAMES_MAX];
};

/** om_loss_fn - told what became of each frame; inside om_loss_on_ack(), _tick(), _abandon(). */
typedef void (*om_loss_fn)(void *self, om_time now, const struct om_sent_frame *f, bool acked);

/* Read freely; write only through om_loss_*(). */
struct om_loss {
    struct om_ring sent; /* of struct om_sent, by counter from base on */
    uint64_t base;       /* counter of the ring's oldest */
    uint64_t next;       /* greatest counter sent so far, and 1 */
    uint64_t largest_acked;
    uint64_t passed; /* greatest of those that went over the path that carries, and no other: by it
                        packets are overtaken */
    bool has_acked;
    uint64_t in_flight;       /* bytes */
    uint64_t excused;         /* of them, those that a doubted path holds */
    unsigned flying;          /* packets */
    uint64_t delivered, lost; /* bytes, in all */
    om_time delivered_at, first_at;
    uint64_t app_limited_until; /* value of delivered at which the limit is over; 0 none */
    om_time loss_at;            /* when the time threshold declares the next loss */
    om_time last_eliciting_at;
    unsigned pto_count;
    unsigned probes;                         /* packets that may leave whatever the window says */
    uint64_t packets_lost, packets_spurious; /* counted */
    struct om_regret regrets[OM_LOSS_REGRETS_MAX];
    unsigned regret_at;
    unsigned reorder; /* packets by which one may be overtaken; grows with every regret */
    om_time late;     /* time by which, beyond what RFC 9002 allows; at most a round trip */
    bool is_doubled;  /* what is sent now goes over two paths */
    uint64_t moved;   /* packets below it were sent over an earlier path: */
    om_time moved_wait, moved_until; /* they may be overtaken, and arrive so late, until then */
    struct om_rtt *rtt;
    struct om_mtu *mtu;  /* of the path, told of sizes; NULL: nobody is */
    uint64_t size_probe; /* counter of the one on its way, and 1; 0: none */
    struct om_pacer pacer;
    struct om_cc cc;
    om_loss_fn fn;
    void *self;
};

/**
 * om_loss_init() - nothing sent
 * @l:     storage
 * @cc:    congestion control
 * @rtt:   estimator; borrowed
 * @seed:  of the congestion control's random waits
 * @now:   time
 * @fn:    told of fates
 * @self:  its first argument
 */
void om_loss_init(struct om_loss *l, const struct om_cc_ops *cc, struct om_rtt *rtt, uint64_t seed,
                  om_time now, om_loss_fn fn, void *self);

/** om_loss_fini() - release @l; fates are no longer told. */
void om_loss_fini(struct om_loss *l);

/** om_loss_trim() - give back the memory that @l did not need since the last call. */
void om_loss_trim(struct om_loss *l);

/**
 * om_loss_sent() - a packet is about to leave; every counter is told, once and in order
 * @l:          the state
 * @now:        time
 * @counter:    its number
 * @bytes:      of the datagram
 * @frames:     what to tell fates of; copied
 * @count:      at most OM_SENT_FRAMES_MAX
 * @eliciting:  it wants an ACK, and counts towards the window
 *
 * Return: OM_OK, or OM_E_NO_MEM: the packet must not leave.
 */
OM_MUST enum om_err om_loss_sent(struct om_loss *l, om_time now, uint64_t counter, size_t bytes,
                                 const struct om_sent_frame *frames, unsigned count,
                                 bool eliciting);

/**
 * om_loss_probe_sent() - as om_loss_sent(), of a packet that only asks whether its size passes
 * @l:        the state; at most one such is on its way
 * @now:      time
 * @counter:  its number
 * @bytes:    of the datagram
 *
 * Return: as om_loss_sent().
 */
OM_MUST enum om_err om_loss_probe_sent(struct om_loss *l, om_time now, uint64_t counter,
                                       size_t bytes);

/** om_loss_probe_over() - nobody waits for the probe of @l any more, should one be on its way. */
void om_loss_probe_over(struct om_loss *l);

/** om_loss_watch() - tell @mtu, borrowed, of the sizes that pass the path of @l, and do not. */
void om_loss_watch(struct om_loss *l, struct om_mtu *mtu);

/**
 * om_loss_on_ack() - the peer says what arrived
 * @l:    the state
 * @now:  time
 * @ack:  decoded
 *
 * Return: OM_OK, or OM_E_RANGE when it acknowledges what was never sent: a protocol error.
 */
OM_MUST enum om_err om_loss_on_ack(struct om_loss *l, om_time now, const struct om_frame_ack *ack);

/** om_loss_tick() - at @now, declare in @l what is lost by time, or ask for probes. */
void om_loss_tick(struct om_loss *l, om_time now);

/** om_loss_deadline() - when om_loss_tick() of @l is due; OM_NEVER with nothing on its way. */
om_time om_loss_deadline(const struct om_loss *l);

/** om_loss_repeat_oldest() - tell, at @now, the frames of the @most oldest packets of @l on their
 *  way as if they were lost, so that they are sent once more; they stay on their way. */
void om_loss_repeat_oldest(struct om_loss *l, om_time now, unsigned most);

/** om_loss_oldest_at() - when the oldest packet without an answer left; OM_NEVER: there is none, or
 *  @l still waits for some of an earlier path. */
om_time om_loss_oldest_at(const struct om_loss *l);

/** om_loss_excuse() - the path may be dead: what of @l is on its way leaves room in the window for
 *  as much over another one, but for no more until all of it is answered or lost. */
void om_loss_excuse(struct om_loss *l);

/** om_loss_doubled() - what @l sends from now on goes over two paths, if @is_doubled. */
void om_loss_doubled(struct om_loss *l, bool is_doubled);

/**
 * om_loss_moved() - what is sent from now on goes over another path
 * @l:    the state; its estimator still has the old path's round trip
 * @now:  time
 * @rtt:  the least of the new path's round trips, 0 when not known
 *
 * Older packets may be overtaken, and are no measure of the new path.
 */
void om_loss_moved(struct om_loss *l, om_time now, om_time rtt);

/** om_loss_abandon() - at @now there is no session left: everything of @l on its way is lost, but
 *  that says nothing about congestion. */
void om_loss_abandon(struct om_loss *l, om_time now);

/**
 * om_loss_wake() - the peer may be reached again
 * @l:         the state
 * @now:       time
 * @timeouts:  as if there had been so many of those in a row, or fewer
 *
 * Return: true when something is on its way, and probes were asked for.
 */
bool om_loss_wake(struct om_loss *l, om_time now, unsigned timeouts);

/** om_loss_window_open() - may @bytes more of @l be on their way? One packet always may. */
bool om_loss_window_open(const struct om_loss *l, size_t bytes);

/** om_loss_send_at() - when the pace of @l lets the next packet leave; @now or earlier: at once. */
om_time om_loss_send_at(const struct om_loss *l, om_time now);

/** om_loss_pause() - how much later than om_loss_send_at() to wake up for @l. Return: the time
 *  until half a quantum may leave; waking up for each packet would cost more than the packet. */
om_time om_loss_pause(const struct om_loss *l);

/** om_loss_app_limited() - nothing is left to send though the window of @l has room. */
void om_loss_app_limited(struct om_loss *l);

#endif
