/* bbr_model.c - BBR's picture of the path: rates, round trips, losses. */
#include "stream/bbr_parts.h"

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t om_bbr_max_bw(const struct om_bbr *b)
{
    return max_u64(b->max_bw[0], b->max_bw[1]);
}

uint64_t om_bbr_bdp(const struct om_bbr *b, unsigned percent)
{
    if (b->min_rtt == OM_NEVER)
        return (uint64_t)OM_CC_INITIAL_PACKETS * OM_CC_MSS;
    om_time rtt = om_time_min(b->min_rtt, OM_SEC(60)); /* for the product to fit */
    return b->bw * percent / 100 * (uint64_t)rtt / (uint64_t)OM_SEC(1);
}

uint64_t om_bbr_inflight(const struct om_cc *c, unsigned percent)
{
    uint64_t cap = max_u64(om_bbr_bdp(&c->bbr, percent), c->quantum);

    cap = max_u64(cap, (uint64_t)OM_CC_MIN_PACKETS * OM_CC_MSS);
    return c->bbr.state == OM_BBR_UP ? cap + UINT64_C(2) * OM_CC_MSS : cap;
}

bool om_bbr_is_limited(const struct om_bbr *b, const struct om_cc_sample *s)
{
    return s->is_app_limited || s->prior_delivered < b->limited_until;
}

bool om_bbr_in_probe_bw(const struct om_bbr *b)
{
    return b->state >= OM_BBR_DOWN && b->state <= OM_BBR_UP;
}

static unsigned loss_thresh(bool queued)
{
    return queued ? OM_BBR_LOSS_THRESH : OM_BBR_BARE_THRESH;
}

bool om_bbr_has_queue(const struct om_bbr *b)
{
    return b->min_rtt != OM_NEVER && b->rtt > b->min_rtt + b->min_rtt / 8 + OM_MS(1);
}

bool om_bbr_is_too_high(const struct om_bbr *b, uint64_t lost, uint64_t in_flight)
{
    return lost * 100 > in_flight * loss_thresh(om_bbr_has_queue(b));
}

void om_bbr_start_round(struct om_bbr *b)
{
    b->next_round = b->delivered;
}

void om_bbr_reset_full(struct om_bbr *b, uint64_t rate)
{
    b->full_bw = rate;
    b->full_count = 0;
    b->full_now = false;
}

void om_bbr_reset_short(struct om_bbr *b)
{
    b->bw_short = OM_BBR_UNBOUND;
    b->inflight_short = OM_BBR_UNBOUND;
}

void om_bbr_advance_max(struct om_bbr *b)
{
    if (b->max_bw[0] == 0)
        return; /* nothing was measured: the old cycle still holds */
    b->max_bw[1] = b->max_bw[0];
    b->max_bw[0] = 0;
}

static void update_round(struct om_bbr *b, const struct om_cc_sample *s)
{
    b->round_start = s->has_newest && s->prior_delivered >= b->next_round;
    if (!b->round_start)
        return;
    om_bbr_start_round(b);
    b->rounds++;
    b->rounds_since_probe++;
    b->limited_before = b->limited_now;
    b->limited_now = false;
}

/* Section 5.5.10.3: once per round that lost something, follow what is still delivered. */
static void adapt_short(struct om_cc *c)
{
    struct om_bbr *b = &c->bbr;

    if (b->state == OM_BBR_STARTUP || b->state == OM_BBR_REFILL || b->state == OM_BBR_UP)
        return; /* on purpose faster than the path: the probe judges its losses itself */
    if (!b->loss_in_round)
        return;
    uint64_t sent = b->delivered - b->delivered_at_round + b->lost_in_round;
    uint64_t lost = b->lost_in_round * 100;
    if (b->loss_queued || lost > sent * OM_BBR_LOSS_THRESH)
        om_bbr_share_lost(c);
    if (!b->loss_queued && lost <= sent * OM_BBR_BARE_THRESH)
        return;
    if (b->bw_short == OM_BBR_UNBOUND)
        b->bw_short = om_bbr_max_bw(b);
    if (b->inflight_short == OM_BBR_UNBOUND)
        b->inflight_short = c->window;
    b->bw_short = max_u64(b->bw_latest, b->bw_short / 100 * OM_BBR_BETA);
    b->inflight_short = max_u64(b->inflight_latest, b->inflight_short / 100 * OM_BBR_BETA);
}

/* Section 5.5.9: what arrived beyond the rate since the last time that it kept to it. */
static void update_extra(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;
    om_time since = om_time_min(s->now - b->extra_from, OM_SEC(60));
    uint64_t expected = b->bw * (uint64_t)since / (uint64_t)OM_SEC(1);

    if (b->round_start && ++b->extra_rounds >= (b->full_reached ? OM_BBR_EXTRA_ROUNDS : 1u)) {
        b->extra_rounds = 0;
        b->extra_acked[1] = b->full_reached ? b->extra_acked[0] : 0;
        b->extra_acked[0] = 0;
    }
    if (b->extra_delivered <= expected) {
        b->extra_delivered = 0;
        b->extra_from = s->now;
        expected = 0;
    }
    b->extra_delivered += s->acked;
    b->extra_acked[0] =
        max_u64(b->extra_acked[0], min_u64(b->extra_delivered - expected, c->window));
}

static void check_full(struct om_bbr *b, const struct om_cc_sample *s)
{
    if (b->full_now || !b->round_start || om_bbr_is_limited(b, s) || s->rate == 0)
        return;
    if (s->rate >= b->full_bw / 100 * 125) {
        om_bbr_reset_full(b, s->rate);
        return;
    }
    b->full_now = ++b->full_count >= OM_BBR_FULL_ROUNDS;
    b->full_reached |= b->full_now;
}

/* Section 5.3.1.3. */
static void check_startup_loss(struct om_bbr *b, const struct om_cc_sample *s)
{
    uint64_t sent = s->delivered - b->delivered_at_round + b->lost_in_round;

    if (b->state != OM_BBR_STARTUP || b->losses_in_round < OM_BBR_STARTUP_LOSSES ||
        b->lost_in_round * 100 <= sent * loss_thresh(b->loss_queued))
        return;
    b->full_reached = true;
    b->inflight_long = max_u64(om_bbr_bdp(b, 100), b->inflight_latest);
}

void om_bbr_model_update(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;
    uint64_t delivered = s->delivered - s->prior_delivered;

    b->delivered = s->delivered;
    b->loss_round_start = false;
    if (s->has_newest) {
        b->bw_latest = max_u64(b->bw_latest, s->rate);
        b->inflight_latest = max_u64(b->inflight_latest, delivered);
        if (s->prior_delivered >= b->loss_round) {
            b->loss_round = s->delivered;
            b->loss_round_start = true;
        }
    }
    update_round(b, s);
    if (s->rate > 0 && (s->rate >= om_bbr_max_bw(b) || !om_bbr_is_limited(b, s)))
        b->max_bw[0] = max_u64(b->max_bw[0], min_u64(s->rate, OM_BBR_RATE_MAX));
    if (b->loss_round_start) {
        adapt_short(c);
        check_startup_loss(b, s);
        b->loss_in_round = false;
        b->lost_in_round = 0;
        b->losses_in_round = 0;
        b->loss_queued = false;
        b->delivered_at_round = s->delivered;
    }
    om_bbr_share_update(c, s);
    update_extra(c, s);
    check_full(b, s);
}

void om_bbr_model_rtt(struct om_bbr *b, const struct om_cc_sample *s)
{
    b->probe_rtt_expired = s->now > b->probe_rtt_min_at + OM_SEC(OM_BBR_PROBE_RTT_EVERY_S);
    if (s->rtt > 0 && (s->rtt < b->probe_rtt_min || b->probe_rtt_expired)) {
        b->probe_rtt_min = s->rtt;
        b->probe_rtt_min_at = s->now;
    }
    if (s->rtt > 0 && s->rtt <= b->probe_rtt_min + b->probe_rtt_min / 64)
        b->probe_rtt_min_at =
            s->now; /* confirmed: no need to probe, and all who see it agree when */
    if (b->min_rtt_at < b->probe_rtt_min_at && b->probe_rtt_min <= b->min_rtt)
        b->min_rtt_at = b->probe_rtt_min_at;
    if (b->probe_rtt_min < b->min_rtt || s->now > b->min_rtt_at + OM_SEC(OM_BBR_MIN_RTT_S)) {
        b->min_rtt = b->probe_rtt_min;
        b->min_rtt_at = b->probe_rtt_min_at;
    }
}

void om_bbr_model_end(struct om_bbr *b, const struct om_cc_sample *s)
{
    if (b->loss_round_start) {
        b->bw_latest = s->rate;
        b->inflight_latest = s->delivered - s->prior_delivered;
    }
    b->bw = min_u64(om_bbr_max_bw(b), b->bw_short);
}

void om_bbr_model_lost(struct om_bbr *b, const struct om_cc_loss *l)
{
    if (!b->loss_in_round) {
        b->loss_round = b->delivered;
        b->loss_in_round = true;
    }
    b->loss_queued |= om_bbr_has_queue(b);
    b->lost_in_round += l->bytes;
    if (b->losses_in_round == 0 || l->packet != b->last_lost + 1)
        b->losses_in_round++;
    b->last_lost = l->packet;
}
