/*
 * carrier.h - what an association carries: its streams, and how much of it the path can take
 *
 * What:  ties the streams of a peer to loss recovery, congestion control, pacing and the search
 *        for the path's size; says when the next packet may leave and fills it.
 * Why:   an association outlives keys and addresses, and so must what is on its way; the node
 *        only moves packets.
 * Keeps: carrier_probes_repeat_the_oldest; carrier_probes_without_streams;
 *        carrier_wakes_with_a_session; carrier_restart_forgets_what_was_sent;
 *        carrier_asks_at_once_who_speaks_again; carrier_back_is_no_congestion;
 *        carrier_tells_of_lost_words; carrier_doubts_the_size_of_what_is_not_answered.
 *
 * Source: RFC 9002 section 6.2.4 (what a probe carries); PROTOCOL section 4.
 */
#ifndef OM_STREAM_CARRIER_H
#define OM_STREAM_CARRIER_H

#include <omerta/wire.h>

#include "stream/loss.h"
#include "stream/mux.h"

enum {
    OM_DOUBTED_MAX = 64,
    OM_SMALLER_PTOS = 2, /* timeouts in a row, then packets are of the base size, */
    OM_SMALLEST_PTOS = 4 /* then of the floor: PROTOCOL 5 wants an answer that tells lost ones */
};

/* Read freely; write only through om_carrier_*(). */
struct om_carrier {
    struct om_loss loss;
    struct om_mux mux;
    struct om_mtu mtu; /* of the path in use */
    const struct om_cc_ops *cc;
    uint64_t seed;   /* of the congestion control's random waits */
    om_time pace_at; /* when pacing lets the next packet leave; OM_NEVER: it holds none back */
    bool owes_probe; /* a timeout found no stream data to repeat */
    uint64_t
        word_lost; /* OM_SENT_WORD that did not arrive, or not in time; 0: none. To be cleared */
};

/* What om_carrier_fill() put into a packet; for om_carrier_sent(). */
struct om_carried {
    struct om_sent_frame frames[OM_SENT_FRAMES_MAX];
    unsigned count;
    bool is_eliciting;
};

/**
 * om_carrier_init() - nothing on its way, no streams
 * @c:     storage at an address that stays
 * @cc:    congestion control
 * @rtt:   of the association; borrowed for the carrier's life
 * @seed:  random
 * @now:   time
 * @we_are_lower:  our key is the lower one: our streams have even ids
 */
void om_carrier_init(struct om_carrier *c, const struct om_cc_ops *cc, struct om_rtt *rtt,
                     uint64_t seed, om_time now, bool we_are_lower);

/** om_carrier_fini() - release @c; streams end without a word. */
void om_carrier_fini(struct om_carrier *c);

/** om_carrier_trim() - give back the memory that @c did not need since the last call. */
void om_carrier_trim(struct om_carrier *c);

/** om_carrier_restart() - at @now @c learns that the peer lost everything: counters start at 0. */
void om_carrier_restart(struct om_carrier *c, om_time now);

/** om_carrier_sleep() - at @now @c loses its last session: what was on its way is given up, and
 *  what streams sent waits again. */
void om_carrier_sleep(struct om_carrier *c, om_time now);

/** om_carrier_back() - at @now the path of @c, which had failed, answers again: what it swallowed
 *  neither fills the window nor says anything about congestion. */
void om_carrier_back(struct om_carrier *c, om_time now);

/** om_carrier_doubt() - the path of @c seems dead @now: the OM_DOUBTED_MAX oldest packets that are
 *  not answered go once more, over another one too. */
void om_carrier_doubt(struct om_carrier *c, om_time now);

/**
 * om_carrier_moved() - another path is taken
 * @c:        the carrier; its estimator still has the old path's round trip
 * @now:      time
 * @rtt:      least round trip of the new one, 0 when not known
 * @is_lost:  what is on its way over the old one will not arrive
 */
void om_carrier_moved(struct om_carrier *c, om_time now, om_time rtt, bool is_lost);

/** om_carrier_wake() - at @now @c has a session again: do not wait out an old timeout. */
void om_carrier_wake(struct om_carrier *c, om_time now);

/** om_carrier_heard() - at @now the peer of @c ends a silence: what waits for a timeout that was
 *  put off again and again is asked for now, in small packets until an ACK comes. */
void om_carrier_heard(struct om_carrier *c, om_time now);

/** om_carrier_size() - the largest datagram to send with @c now. */
unsigned om_carrier_size(const struct om_carrier *c);

/** om_carrier_has_output() - does @c have anything to send? */
bool om_carrier_has_output(const struct om_carrier *c);

/**
 * om_carrier_may_send() - does the path take one more packet now?
 * @c:      the carrier
 * @now:    time
 * @bytes:  of the datagram, at most
 *
 * Return: true, or false; when it is pacing that forbids it, om_carrier_deadline() says until when.
 */
bool om_carrier_may_send(struct om_carrier *c, om_time now, size_t bytes);

/**
 * om_carrier_fill() - write frames of streams into a packet
 * @c:    the carrier
 * @w:    the packet's room
 * @out:  what was written is added to it
 */
void om_carrier_fill(struct om_carrier *c, struct om_wr *w, struct om_carried *out);

/**
 * om_carrier_sent() - a packet is about to be sealed; every counter is told, in order
 * @c:        the carrier
 * @now:      time
 * @counter:  its number
 * @bytes:    of the datagram
 * @what:     what it carries
 *
 * Return: OM_OK, or OM_E_NO_MEM: then it must not be sent, and what it carried waits again.
 */
OM_MUST enum om_err om_carrier_sent(struct om_carrier *c, om_time now, uint64_t counter,
                                    size_t bytes, const struct om_carried *what);

/** om_carrier_drained() - nothing is left to send by @c though the path would take more. */
void om_carrier_drained(struct om_carrier *c);

/** om_carrier_tick() - declare losses of @c that are due at @now, and ask for probes. */
void om_carrier_tick(struct om_carrier *c, om_time now);

/** om_carrier_deadline() - when om_carrier_tick() or a paced packet of @c is due; OM_NEVER. */
om_time om_carrier_deadline(const struct om_carrier *c);

#endif
