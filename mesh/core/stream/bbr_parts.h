/*
 * bbr_parts.h - what the files of BBR ask of each other
 *
 * What:  bbr_model.c measures the path, bbr_probe.c goes through the four states of PROBE_BW,
 *        bbr_share.c gets on with flows of our kind, bbr.c holds the other states and turns the
 *        model into window and rate.
 * Why:   each fits on a few screens; nothing outside stream/bbr*.c includes this.
 */
#ifndef OM_STREAM_BBR_PARTS_H
#define OM_STREAM_BBR_PARTS_H

#include "stream/cc.h"

/** om_bbr_max_bw() - the greatest delivery rate of @b's last two probing cycles. */
uint64_t om_bbr_max_bw(const struct om_bbr *b);

/** om_bbr_bdp() - @percent of what @b's path holds; the initial window before an RTT sample. */
uint64_t om_bbr_bdp(const struct om_bbr *b, unsigned percent);

/** om_bbr_inflight() - om_bbr_bdp() of @c's @percent, and what quanta and ACKs in pairs need. */
uint64_t om_bbr_inflight(const struct om_cc *c, unsigned percent);

/** om_bbr_is_limited() - was the newest packet of @s sent when @b did not send what it could? */
bool om_bbr_is_limited(const struct om_bbr *b, const struct om_cc_sample *s);

/** om_bbr_in_probe_bw() - is @b in one of the four states of PROBE_BW? */
bool om_bbr_in_probe_bw(const struct om_bbr *b);

/** om_bbr_is_too_high() - was more of @in_flight @lost than @b takes for noise? */
bool om_bbr_is_too_high(const struct om_bbr *b, uint64_t lost, uint64_t in_flight);

/** om_bbr_has_queue() - does @b's newest RTT sample show a queue? */
bool om_bbr_has_queue(const struct om_bbr *b);

/** om_bbr_is_sharing() - do window and queue rule @b, not the rate? */
static inline bool om_bbr_is_sharing(const struct om_bbr *b)
{
    return b->share_window != OM_BBR_UNBOUND;
}

/** om_bbr_own_queue() - bytes that a flow of @rate may keep in a queue shared with its like. */
uint64_t om_bbr_own_queue(uint64_t rate);

/** om_bbr_has_rival() - does somebody else keep the queue of @b full, as of @now? */
bool om_bbr_has_rival(const struct om_bbr *b, om_time now);

/**
 * om_bbr_share_update() - once per round, in CRUISE and DOWN: begin, adjust or end sharing
 * @c:  whose BBR
 * @s:  what the ACK taught
 */
void om_bbr_share_update(struct om_cc *c, const struct om_cc_sample *s);

/** om_bbr_share_lost() - a round lost packets in the queue that @c shares: it may be too short. */
void om_bbr_share_lost(struct om_cc *c);

/** om_bbr_share_stop() - @b shares no queue. */
void om_bbr_share_stop(struct om_bbr *b);

/** om_bbr_start_round() - the next round trip of @b begins here. */
void om_bbr_start_round(struct om_bbr *b);

/** om_bbr_reset_full() - begin to look for the rate at which @b's pipe is full, from @rate on. */
void om_bbr_reset_full(struct om_bbr *b, uint64_t rate);

/** om_bbr_reset_short() - forget what recent losses said of @b's path. */
void om_bbr_reset_short(struct om_bbr *b);

/** om_bbr_advance_max() - a probing cycle of @b ended: its rates are now those of the last. */
void om_bbr_advance_max(struct om_bbr *b);

/**
 * om_bbr_model_update() - rates, rounds, losses and heaps of ACKs
 * @c:  whose BBR
 * @s:  what the ACK taught
 */
void om_bbr_model_update(struct om_cc *c, const struct om_cc_sample *s);

/** om_bbr_model_rtt() - the least round trip of @b, and whether it is time to look, by @s. */
void om_bbr_model_rtt(struct om_bbr *b, const struct om_cc_sample *s);

/** om_bbr_model_end() - the last step for @s: begin the next loss round of @b, bound its rate. */
void om_bbr_model_end(struct om_bbr *b, const struct om_cc_sample *s);

/**
 * om_bbr_model_lost() - count a lost packet
 * @b:  whose
 * @l:  the packet
 */
void om_bbr_model_lost(struct om_bbr *b, const struct om_cc_loss *l);

/** om_bbr_probe_down() - @c enters DOWN at @now and picks when to probe again. */
void om_bbr_probe_down(struct om_cc *c, om_time now);

/** om_bbr_probe_cruise() - @b enters CRUISE. */
void om_bbr_probe_cruise(struct om_bbr *b);

/**
 * om_bbr_probe_update() - go through the states of PROBE_BW
 * @c:  whose BBR
 * @s:  what the ACK taught
 */
void om_bbr_probe_update(struct om_cc *c, const struct om_cc_sample *s);

/**
 * om_bbr_probe_lost() - end the probe when a packet that it sent is one lost too many
 * @c:  whose BBR
 * @l:  the packet
 */
void om_bbr_probe_lost(struct om_cc *c, const struct om_cc_loss *l);

/** om_bbr_headroom() - the bound of @b's probes less what is left to others. */
uint64_t om_bbr_headroom(const struct om_bbr *b);

#endif
