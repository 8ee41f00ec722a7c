/* bbr_probe.c - the four states of PROBE_BW: slower, level, refill, faster. */
#include "stream/bbr_parts.h"

static uint64_t target_inflight(const struct om_cc *c)
{
    uint64_t bdp = om_bbr_bdp(&c->bbr, 100);

    return bdp < c->window ? bdp : c->window;
}

uint64_t om_bbr_headroom(const struct om_bbr *b)
{
    const uint64_t least = (uint64_t)OM_CC_MIN_PACKETS * OM_CC_MSS;

    if (b->inflight_long == OM_BBR_UNBOUND)
        return OM_BBR_UNBOUND;
    uint64_t left = b->inflight_long / 100 * OM_BBR_HEADROOM, bdp = om_bbr_bdp(b, 100);
    if (left < bdp) /* a queue so short leaves nothing: what the link holds is ours to use */
        left = bdp < b->inflight_long ? bdp : b->inflight_long;
    return left > least ? left : least;
}

static void pick_wait(struct om_cc *c, om_time now)
{
    struct om_bbr *b = &c->bbr;

    b->rounds_since_probe = om_prng_below(&c->prng, 2);
    b->probe_wait = OM_SEC(2) + (om_time)om_prng_below(&c->prng, (uint64_t)OM_SEC(1));
    b->cycle_at = now;
}

void om_bbr_probe_down(struct om_cc *c, om_time now)
{
    struct om_bbr *b = &c->bbr;

    b->loss_in_round = false;
    b->lost_in_round = 0;
    b->losses_in_round = 0;
    b->bw_latest = 0;
    b->inflight_latest = 0;
    b->up_every = OM_BBR_UNBOUND;
    pick_wait(c, now);
    b->acks = OM_BBR_ACKS_STOPPING;
    om_bbr_start_round(b);
    b->state = OM_BBR_DOWN;
}

void om_bbr_probe_cruise(struct om_bbr *b)
{
    b->state = OM_BBR_CRUISE;
}

static void start_refill(struct om_bbr *b)
{
    om_bbr_reset_short(b);
    b->up_rounds = 0;
    b->up_acked = 0;
    b->acks = OM_BBR_ACKS_REFILLING;
    om_bbr_start_round(b);
    b->state = OM_BBR_REFILL;
}

/*
 * A queue that is shared says that there is no room; where room comes, sharing ends. So nothing
 * is gained by pushing the others aside: take stock of our part instead.
 */
static void start_probe(struct om_cc *c, om_time now)
{
    struct om_bbr *b = &c->bbr;

    if (!om_bbr_is_sharing(b)) {
        start_refill(b);
        return;
    }
    om_bbr_reset_short(b);
    b->max_bw[1] = 0;
    b->max_bw[0] = b->share_window * (uint64_t)OM_SEC(1) / (uint64_t)b->rtt;
    pick_wait(c, now);
}

static void raise_slope(struct om_cc *c)
{
    struct om_bbr *b = &c->bbr;
    uint64_t growth = (uint64_t)OM_CC_MSS << b->up_rounds;

    if (b->up_rounds < 30)
        b->up_rounds++;
    b->up_every = c->window > growth ? c->window / growth : 1;
}

static void start_up(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    b->is_probe_sample = true;
    b->acks = OM_BBR_ACKS_STARTING;
    om_bbr_start_round(b);
    om_bbr_reset_full(b, s->rate);
    b->state = OM_BBR_UP;
    raise_slope(c);
}

static bool is_window_limited(const struct om_bbr *b)
{
    return b->limited_now || b->limited_before;
}

/* Section 5.3.3.4: a byte at first, twice as many each round. */
static void raise_long(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (!is_window_limited(b) || c->window < b->inflight_long)
        return; /* what is not used needs not grow */
    b->up_acked += s->acked;
    uint64_t more = b->up_acked / b->up_every;
    b->up_acked -= more * b->up_every;
    b->inflight_long += more;
    if (b->round_start)
        raise_slope(c);
}

static void too_high(struct om_cc *c, uint64_t in_flight, bool limited, om_time now)
{
    struct om_bbr *b = &c->bbr;
    uint64_t least = target_inflight(c) / 100 * OM_BBR_BETA;

    b->is_probe_sample = false; /* once per probe */
    if (!limited)
        b->inflight_long = in_flight > least ? in_flight : least;
    if (b->state == OM_BBR_UP)
        om_bbr_probe_down(c, now);
}

void om_bbr_probe_lost(struct om_cc *c, const struct om_cc_loss *l)
{
    uint64_t in_flight = l->tx_in_flight;

    if (!c->bbr.is_probe_sample || !om_bbr_is_too_high(&c->bbr, l->lost_since, in_flight))
        return;
    /* At which volume did the losses pass the threshold? Section 5.5.10.2. */
    uint64_t before = in_flight > l->bytes ? in_flight - l->bytes : 0;
    uint64_t lost = l->lost_since > l->bytes ? l->lost_since - l->bytes : 0;
    uint64_t allowed = before * OM_BBR_LOSS_THRESH / 100;
    if (allowed > lost)
        before += (allowed - lost) * 100 / (100 - OM_BBR_LOSS_THRESH);
    too_high(c, before, l->was_app_limited, l->now);
}

/* Section 5.3.3.6, BBRAdaptLongTermModel(). */
static void adapt_long(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (b->acks == OM_BBR_ACKS_STARTING && b->round_start)
        b->acks = OM_BBR_ACKS_FEEDBACK;
    if (b->acks == OM_BBR_ACKS_STOPPING && b->round_start) {
        b->is_probe_sample = false;
        b->acks = OM_BBR_ACKS_PLAIN;
        if (om_bbr_in_probe_bw(b) && !om_bbr_is_limited(b, s))
            om_bbr_advance_max(b);
    }
    if (!s->has_newest || om_bbr_is_too_high(b, s->lost_since, s->tx_in_flight))
        return;
    if (b->inflight_long == OM_BBR_UNBOUND)
        return;
    if (s->tx_in_flight > b->inflight_long)
        b->inflight_long = s->tx_in_flight;
    if (b->state == OM_BBR_UP)
        raise_long(c, s);
}

static bool is_time_to_probe(const struct om_cc *c, om_time now)
{
    const struct om_bbr *b = &c->bbr;
    uint64_t reno = target_inflight(c) / OM_CC_MSS;

    return now > b->cycle_at + b->probe_wait ||
           b->rounds_since_probe >= (reno < OM_BBR_RENO_ROUNDS ? reno : OM_BBR_RENO_ROUNDS);
}

static bool is_time_to_cruise(const struct om_cc *c, const struct om_cc_sample *s)
{
    return s->in_flight <= om_bbr_headroom(&c->bbr) &&
           s->in_flight <= om_bbr_inflight(c, 100) + om_bbr_own_queue(c->bbr.bw);
}

static bool is_time_to_go_down(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (is_window_limited(b) && c->window >= b->inflight_long) {
        om_bbr_reset_full(b, s->rate); /* the bound, not the path, keeps the rate from growing */
        return false;
    }
    if (b->acks == OM_BBR_ACKS_FEEDBACK && b->round_start && !om_bbr_has_rival(b, s->now) &&
        b->last_round_rtt != OM_NEVER && b->last_round_rtt > b->min_rtt + b->min_rtt / 4 + OM_MS(1))
        return true; /* a queue grows already: the link is full */
    return b->full_now;
}

void om_bbr_probe_update(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (!b->full_reached)
        return;
    adapt_long(c, s);
    switch (b->state) {
    case OM_BBR_DOWN:
    case OM_BBR_CRUISE:
        if (is_time_to_probe(c, s->now))
            start_probe(c, s->now);
        else if (b->state == OM_BBR_DOWN && is_time_to_cruise(c, s))
            om_bbr_probe_cruise(b);
        break;
    case OM_BBR_REFILL:
        if (b->round_start)
            start_up(c, s);
        break;
    case OM_BBR_UP:
        if (is_time_to_go_down(c, s))
            om_bbr_probe_down(c, s->now);
        break;
    default:
        break;
    }
}
