/*
 * acks.h - which packets of an association arrived, and when to say so
 *
 * What:  ranges of received packet numbers, and the time at which an ACK is due.
 * Why:   numbers continue across rekeys, so this belongs to the association, not to a key.
 * Keeps: acks_due_after_two_or_25_ms; acks_disorder_is_told_at_once; acks_ranges_are_bounded;
 *        acks_old_gaps_are_told_no_more; acks_known_gaps_are_told_seldom;
 *        acks_model_matches_a_set.
 *
 * An ACK names the lowest ranges only now and then once many did: with all of them it has 500
 * bytes, which packets of data carry at the cost of data.
 *
 * Full: with more than OM_ACK_RANGES_MAX gaps the lowest range is forgotten. A gap that nobody will
 * fill would be in every ACK for ever: the lowest range is forgotten, too, when nothing joined it
 * for OM_ACK_KEPT_S and so many ACKs named it that one of them arrived.
 *
 * Source: RFC 9000 section 13.2; PROTOCOL section 4.
 */
#ifndef OM_CRYPTO_ACKS_H
#define OM_CRYPTO_ACKS_H

#include "envelope/frame.h"

/* Ack-eliciting packets in order; else after OM_ACK_DELAY_MS; out of order at once. */
enum {
    OM_ACK_EVERY = 2,
    OM_ACK_KEPT_S = 2,
    OM_ACK_FRESH_MS = 25, /* since a packet joined it every ACK names a range, */
    OM_ACK_TOLD = 16      /* and as many do so; then one of as many, and it may be forgotten */
};

struct om_acks_run {
    uint64_t low, high;
    om_time at;    /* the last packet of it came */
    uint16_t told; /* by so many ACKs since then, or OM_ACK_TOLD */
};

struct om_acks {
    struct om_acks_run runs[OM_ACK_RANGES_MAX + 1]; /* highest first */
    unsigned count;
    unsigned brief;     /* ACKs since the last one that named all ranges */
    unsigned pending;   /* ack-eliciting packets not acknowledged yet */
    om_time due;        /* OM_NEVER when nothing is owed */
    om_time largest_at; /* arrival of the highest packet */
};

/** om_acks_init() - nothing received into @a. */
void om_acks_init(struct om_acks *a);

/**
 * om_acks_received() - an authentic packet arrived
 * @a:         the state
 * @now:       time
 * @counter:   its number
 * @eliciting: it wants an ACK
 */
void om_acks_received(struct om_acks *a, om_time now, uint64_t counter, bool eliciting);

/**
 * om_acks_take() - the ACK to send now; nothing is owed afterwards
 * @a:    the state
 * @now:  time
 * @out:  filled when anything was ever received
 *
 * Return: false when there is nothing to acknowledge.
 */
bool om_acks_take(struct om_acks *a, om_time now, struct om_frame_ack *out);

#endif
