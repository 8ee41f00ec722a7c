/* cubic.c - RFC 9438 in integers: microseconds and bytes. */
#include <omerta/attr.h>

#include "stream/cc.h"

enum {
    BETA = 70,           /* percent: section 4.6 */
    HYSTART_SAMPLES = 8, /* RFC 9406 section 4.3, as are the next five */
    HYSTART_LOW_MS = 4,
    HYSTART_HIGH_MS = 16,
    HYSTART_DIVISOR = 8,
    CSS_GROWTH = 4,
    CSS_ROUNDS = 5,
    PACE_START = 200, /* percent of window per round trip */
    PACE = 125,
    QUANTUM_PER_S = 2000, /* half a millisecond */
    SECOND_US = 1000000,
    CUBE_US = 10000 /* the unit of time of the function: what is finer would overflow */
};

static const uint64_t WINDOW_MIN = (uint64_t)2 * OM_CC_MSS; /* RFC 9002 section 7.2 */

static void set_pace(struct om_cc *c)
{
    const struct om_cubic *q = &c->cubic;
    om_time rtt = q->srtt > 0 ? q->srtt : OM_MS(100);
    unsigned percent = c->window < q->threshold ? PACE_START : PACE;

    c->pacing_rate = c->window * percent / 100 * SECOND_US / (uint64_t)rtt;
    c->quantum = c->pacing_rate / QUANTUM_PER_S;
    if (c->quantum < (uint64_t)2 * OM_CC_MSS)
        c->quantum = (uint64_t)2 * OM_CC_MSS;
}

static void cubic_init(struct om_cc *c, om_time now OM_UNUSED)
{
    c->cubic = (struct om_cubic){.threshold = UINT64_MAX,
                                 .epoch_at = OM_NEVER,
                                 .round_rtt = OM_NEVER,
                                 .prior_rtt = OM_NEVER};
    c->window = (uint64_t)OM_CC_INITIAL_PACKETS * OM_CC_MSS;
    set_pace(c);
}

/* Greatest r with r^3 <= v. */
static uint64_t cube_root(uint64_t v)
{
    uint64_t r = 0;

    for (int bit = 20; bit >= 0; bit--) {
        uint64_t t = r | (uint64_t)1 << bit;
        if (t * t * t <= v)
            r = t;
    }
    return r;
}

/* K of equation 2, with C = 0.4: seconds are CUBE_US units, windows are in packets. */
static om_time time_to_max(const struct om_cubic *q)
{
    if (q->w_max <= q->w_epoch)
        return 0;
    uint64_t units = SECOND_US / CUBE_US;
    uint64_t cube = (q->w_max - q->w_epoch) * 5 / 2 * units / OM_CC_MSS * units * units;

    return (om_time)cube_root(cube) * CUBE_US;
}

/* Equation 1: the window at @t after the epoch began. */
static uint64_t window_at(const struct om_cubic *q, om_time t)
{
    int64_t off = (t - q->k) / CUBE_US, units = SECOND_US / CUBE_US;
    int64_t cube = off * off * off / (units * units) * 2 * OM_CC_MSS / (5 * units);
    int64_t w = (int64_t)(q->w_max > q->w_epoch ? q->w_max : q->w_epoch) + cube;

    return w > (int64_t)WINDOW_MIN ? (uint64_t)w : WINDOW_MIN;
}

static void begin_epoch(struct om_cc *c, om_time now)
{
    struct om_cubic *q = &c->cubic;

    q->epoch_at = now;
    q->w_epoch = q->w_est = c->window;
    q->k = time_to_max(q);
    q->acked = q->est_acked = 0;
}

static void grow(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_cubic *q = &c->cubic;

    if (q->epoch_at == OM_NEVER)
        begin_epoch(c, s->now);
    /* Section 4.3: Reno's share, 3 (1 - beta) / (1 + beta) packets a window. */
    q->est_acked += s->acked;
    uint64_t reno = q->w_est < q->w_max ? 9 : 17, whole = 17;
    uint64_t step = q->est_acked * OM_CC_MSS / c->window * reno / whole;
    if (step > 0) {
        q->w_est += step;
        q->est_acked = 0;
    }
    uint64_t target = window_at(q, s->now - q->epoch_at + s->srtt);
    if (target > c->window + c->window / 2)
        target = c->window + c->window / 2;
    q->acked += s->acked;
    if (target > c->window) {
        uint64_t more = (target - c->window) * q->acked / c->window;
        if (more > 0) {
            c->window += more;
            q->acked = 0;
        }
    } else {
        q->acked = 0;
    }
    if (c->window < q->w_est)
        c->window = q->w_est;
}

static void end_slow_start(struct om_cc *c)
{
    c->cubic.threshold = c->window;
    c->cubic.is_css = false;
}

static void next_round(struct om_cc *c)
{
    struct om_cubic *q = &c->cubic;

    q->prior_rtt = q->round_rtt;
    q->round_rtt = OM_NEVER;
    q->samples = 0;
    q->round_end = q->last_sent;
    if (q->is_css && ++q->css_rounds >= CSS_ROUNDS)
        end_slow_start(c);
}

/* RFC 9406 section 4.2. */
static void hystart(struct om_cc *c, uint64_t acked, const struct om_cc_sample *s)
{
    struct om_cubic *q = &c->cubic;

    if (s->rtt > 0) {
        q->round_rtt = om_time_min(q->round_rtt, s->rtt);
        q->samples++;
    }
    if (q->samples >= HYSTART_SAMPLES && q->round_rtt != OM_NEVER && q->prior_rtt != OM_NEVER) {
        om_time off = q->prior_rtt / HYSTART_DIVISOR;
        if (off < OM_MS(HYSTART_LOW_MS))
            off = OM_MS(HYSTART_LOW_MS);
        if (off > OM_MS(HYSTART_HIGH_MS))
            off = OM_MS(HYSTART_HIGH_MS);
        if (!q->is_css && q->round_rtt >= q->prior_rtt + off) {
            q->is_css = true;
            q->css_base = q->round_rtt;
            q->css_rounds = 0;
        } else if (q->is_css && q->round_rtt < q->css_base) {
            q->is_css = false;
        }
    }
    if (acked >= q->round_end)
        next_round(c);
}

static void on_sent(struct om_cc *c, om_time now OM_UNUSED, uint64_t packet,
                    uint64_t bytes OM_UNUSED, uint64_t in_flight, bool app_limited)
{
    c->cubic.last_sent = packet;
    c->cubic.is_limited = app_limited && in_flight < c->window / 2;
}

static void on_lost(struct om_cc *c, const struct om_cc_loss *l)
{
    struct om_cubic *q = &c->cubic;

    if (l->packet < q->recovery)
        return; /* sent before the last cut */
    q->recovery = l->largest_sent + 1;
    q->w_max = c->window < q->w_max ? c->window * (100 + BETA) / 200 : c->window;
    c->window = c->window * BETA / 100;
    if (c->window < WINDOW_MIN)
        c->window = WINDOW_MIN;
    end_slow_start(c);
    q->epoch_at = OM_NEVER;
    set_pace(c);
}

static void on_ack(struct om_cc *c, uint64_t acked, om_time sent_at OM_UNUSED,
                   const struct om_cc_sample *s)
{
    struct om_cubic *q = &c->cubic;

    q->srtt = s->srtt;
    if (s->acked == 0 || acked < q->recovery || s->is_app_limited || q->is_limited)
        return;
    if (c->window < q->threshold) {
        c->window += q->is_css ? s->acked / CSS_GROWTH : s->acked;
        hystart(c, acked, s);
    } else {
        grow(c, s);
    }
    set_pace(c);
}

static void on_persistent(struct om_cc *c, om_time now OM_UNUSED)
{
    c->window = WINDOW_MIN;
    c->cubic.epoch_at = OM_NEVER;
    set_pace(c);
}

/* Time in which nothing was sent is no reason to grow (RFC 9438 section 4.2). */
static void on_idle_restart(struct om_cc *c, om_time now OM_UNUSED)
{
    c->cubic.epoch_at = OM_NEVER;
}

/* The window is kept; its growth is measured from now on. */
static void on_path(struct om_cc *c, om_time now OM_UNUSED, om_time rtt OM_UNUSED)
{
    c->cubic.epoch_at = OM_NEVER;
}

const struct om_cc_ops om_cubic_ops = {"cubic", cubic_init,    on_sent,         on_lost,
                                       on_ack,  on_persistent, on_idle_restart, on_path};
