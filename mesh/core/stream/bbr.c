/* bbr.c - BBR's states outside PROBE_BW, and window and rate from its model. */
#include <string.h>

#include "stream/bbr_parts.h"

enum {
    QUANTA_PER_S = 2000, /* PROTOCOL 4: at most 0.5 ms of the rate */
    QUANTUM_MAX = 256 << 10
};

static const uint64_t least = (uint64_t)OM_CC_MIN_PACKETS * OM_CC_MSS;

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static unsigned pacing_gain(const struct om_bbr *b)
{
    switch (b->state) {
    case OM_BBR_STARTUP:
        return OM_BBR_STARTUP_GAIN;
    case OM_BBR_DRAIN:
        return OM_BBR_DRAIN_GAIN;
    case OM_BBR_DOWN:
        return OM_BBR_DOWN_GAIN;
    case OM_BBR_UP:
        return OM_BBR_UP_GAIN;
    case OM_BBR_CRUISE:
        return om_bbr_is_sharing(b) ? OM_BBR_UP_GAIN : 100;
    default:
        return 100;
    }
}

static unsigned window_gain(const struct om_bbr *b)
{
    if (b->state == OM_BBR_PROBE_RTT)
        return OM_BBR_PROBE_RTT_GAIN;
    return b->state == OM_BBR_UP ? OM_BBR_UP_WINDOW_GAIN : OM_BBR_WINDOW_GAIN;
}

/* Section 5.6.3, but for its upper bound, which is what one wake-up carries on a fast path. */
static void set_quantum(struct om_cc *c)
{
    uint64_t want = max_u64(c->pacing_rate / QUANTA_PER_S, (uint64_t)2 * OM_CC_MSS);

    c->quantum = min_u64(want, QUANTUM_MAX);
}

static void set_rate(struct om_cc *c, unsigned gain)
{
    uint64_t rate = c->bbr.bw * gain / 100 * OM_BBR_MARGIN / 100;

    if (rate > 0 && (c->bbr.full_reached || rate > c->pacing_rate))
        c->pacing_rate = rate;
    set_quantum(c);
}

/* Section 5.6.2: before there is a rate, the initial window per round trip. */
static void init_rate(struct om_cc *c, om_time rtt)
{
    c->pacing_rate = (uint64_t)OM_CC_INITIAL_PACKETS * OM_CC_MSS * (uint64_t)OM_SEC(1) /
                     (uint64_t)rtt * OM_BBR_STARTUP_GAIN / 100;
    set_quantum(c);
}

static void enter_startup(struct om_bbr *b)
{
    b->state = OM_BBR_STARTUP;
}

static void check_startup(struct om_bbr *b)
{
    if (b->state != OM_BBR_STARTUP || !b->full_reached)
        return;
    b->state = OM_BBR_DRAIN;
    b->drain_round = b->rounds;
}

static void check_drain(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (b->state == OM_BBR_DRAIN &&
        (s->in_flight <= om_bbr_inflight(c, 100) || b->rounds > b->drain_round + 3))
        om_bbr_probe_down(c, s->now);
}

static uint64_t probe_rtt_window(const struct om_bbr *b)
{
    return max_u64(om_bbr_bdp(b, OM_BBR_PROBE_RTT_GAIN), least);
}

static void enter_probe_rtt(struct om_cc *c)
{
    struct om_bbr *b = &c->bbr;

    b->state = OM_BBR_PROBE_RTT;
    b->prior_window = c->window;
    b->probe_rtt_done = 0;
    b->acks = OM_BBR_ACKS_STOPPING;
    om_bbr_start_round(b);
}

static void check_probe_rtt_done(struct om_cc *c, om_time now)
{
    struct om_bbr *b = &c->bbr;

    if (b->probe_rtt_done == 0 || now <= b->probe_rtt_done)
        return;
    b->probe_rtt_min_at = now;
    c->window = max_u64(c->window, b->prior_window);
    om_bbr_reset_short(b);
    if (b->full_reached) {
        om_bbr_probe_down(c, now);
        om_bbr_probe_cruise(b);
    } else {
        enter_startup(b);
    }
}

static void check_probe_rtt(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (b->state != OM_BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart)
        enter_probe_rtt(c);
    if (b->state == OM_BBR_PROBE_RTT) {
        b->limited_until = s->delivered + s->in_flight;
        if (b->probe_rtt_done == 0 && s->in_flight <= probe_rtt_window(b)) {
            b->probe_rtt_done = s->now + OM_MS(OM_BBR_PROBE_RTT_MS);
            b->probe_rtt_round_done = false;
            om_bbr_start_round(b);
        } else if (b->probe_rtt_done != 0) {
            b->probe_rtt_round_done |= b->round_start;
            if (b->probe_rtt_round_done)
                check_probe_rtt_done(c, s->now);
        }
    }
    if (s->acked > 0)
        b->idle_restart = false;
}

/* Sections 5.6.4.6 and 5.6.4.7. */
static void set_window(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;
    uint64_t most = om_bbr_bdp(b, window_gain(b)) + max_u64(b->extra_acked[0], b->extra_acked[1]);
    uint64_t cap = OM_BBR_UNBOUND;

    most = max_u64(max_u64(most, c->quantum), least);
    if (b->state == OM_BBR_UP)
        most += UINT64_C(2) * OM_CC_MSS;
    if (b->full_reached)
        c->window = min_u64(c->window + s->acked, most);
    else if (c->window < most || s->delivered < (uint64_t)OM_CC_INITIAL_PACKETS * OM_CC_MSS)
        c->window += s->acked;
    if (b->state == OM_BBR_PROBE_RTT)
        c->window = min_u64(c->window, probe_rtt_window(b));
    if (b->state == OM_BBR_CRUISE && om_bbr_is_sharing(b))
        cap = OM_BBR_UNBOUND; /* the queue says how much is too much */
    else if (b->state == OM_BBR_CRUISE || b->state == OM_BBR_PROBE_RTT)
        cap = om_bbr_headroom(b);
    else if (om_bbr_in_probe_bw(b))
        cap = b->inflight_long;
    if (b->state == OM_BBR_CRUISE || b->state == OM_BBR_DOWN)
        cap = min_u64(cap, b->share_window);
    cap = min_u64(cap, b->inflight_short);
    c->window = max_u64(min_u64(c->window, cap), least);
}

static void bbr_init(struct om_cc *c, om_time now)
{
    struct om_bbr *b = &c->bbr;

    memset(b, 0, sizeof *b);
    b->min_rtt = OM_NEVER;
    b->probe_rtt_min = OM_NEVER;
    b->min_rtt_at = now;
    b->probe_rtt_min_at = now;
    b->own_percent = 100;
    b->round_rtt = OM_NEVER;
    b->last_round_rtt = OM_NEVER;
    om_bbr_share_stop(b);
    b->extra_from = now;
    b->inflight_long = OM_BBR_UNBOUND;
    b->up_every = OM_BBR_UNBOUND;
    om_bbr_reset_short(b);
    enter_startup(b);
    c->window = (uint64_t)OM_CC_INITIAL_PACKETS * OM_CC_MSS;
    init_rate(c, OM_MS(1));
}

static void bbr_on_sent(struct om_cc *c, om_time now, uint64_t packet, uint64_t bytes,
                        uint64_t in_flight, bool app_limited)
{
    (void)now;
    (void)packet;
    (void)bytes;
    if (!app_limited && in_flight + UINT64_C(2) * OM_CC_MSS > c->window)
        c->bbr.limited_now = true;
}

static void bbr_on_lost(struct om_cc *c, const struct om_cc_loss *l)
{
    om_bbr_model_lost(&c->bbr, l);
    om_bbr_probe_lost(c, l);
}

static void bbr_on_ack(struct om_cc *c, uint64_t largest_acked, om_time largest_sent_at,
                       const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    (void)largest_acked;
    (void)largest_sent_at;
    if (s->rtt > 0 && !b->has_rtt) {
        b->has_rtt = true;
        init_rate(c, s->rtt);
    }
    om_bbr_model_update(c, s);
    check_startup(b);
    check_drain(c, s);
    om_bbr_probe_update(c, s);
    om_bbr_model_rtt(b, s);
    check_probe_rtt(c, s);
    om_bbr_model_end(b, s);
    set_rate(c, pacing_gain(b));
    set_window(c, s);
}

static void bbr_on_persistent(struct om_cc *c, om_time now)
{
    (void)now;
    c->window = least; /* the model stays: the window grows with each ACK up to what it says */
}

static void bbr_on_idle_restart(struct om_cc *c, om_time now)
{
    struct om_bbr *b = &c->bbr;

    b->idle_restart = true;
    om_bbr_share_stop(b); /* who shares now is not known */
    b->extra_from = now;
    b->extra_delivered = 0;
    if (om_bbr_in_probe_bw(b))
        set_rate(c, 100);
    else if (b->state == OM_BBR_PROBE_RTT)
        check_probe_rtt_done(c, now);
}

/* What was learnt of the old path's rate is kept, as RFC 9743 leaves it to us: if it is too much,
 * the losses of a round trip tell. Its least RTT is not: it would starve a longer path for 10 s. */
static void bbr_on_path(struct om_cc *c, om_time now, om_time rtt)
{
    struct om_bbr *b = &c->bbr;

    if (b->min_rtt == OM_NEVER || rtt == 0)
        return;
    b->min_rtt = b->probe_rtt_min = rtt;
    b->min_rtt_at = b->probe_rtt_min_at = now;
    b->round_rtt = b->last_round_rtt = OM_NEVER;
    om_bbr_share_stop(b);
}

const struct om_cc_ops om_bbr_ops = {
    .name = "bbr",
    .init = bbr_init,
    .on_sent = bbr_on_sent,
    .on_lost = bbr_on_lost,
    .on_ack = bbr_on_ack,
    .on_persistent = bbr_on_persistent,
    .on_idle_restart = bbr_on_idle_restart,
    .on_path = bbr_on_path,
};
