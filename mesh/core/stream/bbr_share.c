/* bbr_share.c - a queue shared with flows of our kind: a few packets of each. */
#include "stream/bbr_parts.h"

enum {
    NOISE_US = 500,     /* what of a longer round trip is no queue */
    OWN_BYTES = 108,    /* the own queue is the root of this times the rate, and ... */
    OWN_PACKETS = 2,    /* ... these */
    LEAST_PERCENT = 10, /* of it that a queue too short for it leaves us */
    RIVAL_PERCENT = 35, /* of the least round trip, and ... */
    RIVAL_US = 2000,    /* ... this: a queue that flows of our kind do not leave for long */
    RIVAL_ROUNDS = 12,  /* for so long: it is a rival's */
    RIVAL_S = 10,       /* for so long nothing is shared then */
    FREE_ROUNDS = 4     /* without a queue: there is room again */
};

/* Integer square root. */
static uint64_t root(uint64_t n)
{
    uint64_t x = 0;

    for (uint64_t bit = (uint64_t)1 << 31; bit > 0; bit >>= 1)
        if ((x | bit) * (x | bit) <= n)
            x |= bit;
    return x;
}

/* How much of @window stands in the queue, when the round trip takes @rtt and not @least. */
static uint64_t queued(uint64_t window, om_time rtt, om_time least)
{
    om_time wait = rtt - least - NOISE_US;

    return wait > 0 ? window / 1000 * (uint64_t)wait / (uint64_t)rtt * 1000 : 0;
}

/*
 * Less than in proportion to the rate, so that of two flows that see the same delay the faster
 * one yields; and so little that eight together stay below what counts as a rival's queue.
 */
uint64_t om_bbr_own_queue(uint64_t rate)
{
    return root(rate * OWN_BYTES) + (uint64_t)OWN_PACKETS * OM_CC_MSS;
}

void om_bbr_share_stop(struct om_bbr *b)
{
    b->share_window = OM_BBR_UNBOUND;
    b->free_rounds = 0;
}

void om_bbr_share_lost(struct om_cc *c)
{
    struct om_bbr *b = &c->bbr;

    if (!om_bbr_is_sharing(b))
        return;
    if (queued(c->window, b->rtt, b->min_rtt) <= 2 * om_bbr_own_queue(b->bw)) {
        b->own_percent = b->own_percent * 3 / 4;
        if (b->own_percent < LEAST_PERCENT)
            b->own_percent = LEAST_PERCENT;
    }
}

bool om_bbr_has_rival(const struct om_bbr *b, om_time now)
{
    return now < b->rival_until;
}

/* A queue that stays in spite of our restraint is somebody's who has none. */
static void watch_rival(struct om_bbr *b, const struct om_cc_sample *s)
{
    if (b->last_round_rtt < s->min_rtt + s->min_rtt / 8 + OM_MS(1) &&
        b->state == OM_BBR_PROBE_RTT) {
        b->rival_until = 0; /* one who fills queues would have filled it */
        b->rival_rounds = 0;
    }
    if (b->state != OM_BBR_CRUISE && b->state != OM_BBR_DOWN)
        return;
    om_time most = s->min_rtt + s->min_rtt / 100 * RIVAL_PERCENT + RIVAL_US;
    b->rival_rounds = b->last_round_rtt > most ? b->rival_rounds + 1 : 0;
    if (b->rival_rounds >= RIVAL_ROUNDS)
        b->rival_until = s->now + OM_SEC(RIVAL_S);
    if (om_bbr_has_rival(b, s->now))
        om_bbr_share_stop(b);
}

/* Once per round: to the window that keeps our part of the queue at what we may. */
static void adjust(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;
    om_time rtt = b->last_round_rtt;
    uint64_t w = b->share_window < c->window ? b->share_window : c->window;

    if (s->tx_in_flight + UINT64_C(2) * OM_CC_MSS < w)
        w = s->tx_in_flight;
    uint64_t part = queued(w, rtt, b->min_rtt);
    uint64_t own = om_bbr_own_queue(w * (uint64_t)OM_SEC(1) / (uint64_t)rtt);
    if (b->own_percent < 100)
        b->own_percent++;
    own = own * b->own_percent / 100;
    if (!om_bbr_is_sharing(b) && part <= own / 2)
        return;
    b->free_rounds = part < own / 4 ? b->free_rounds + 1 : 0;
    if (b->free_rounds >= FREE_ROUNDS) {
        om_bbr_share_stop(b);
        b->probe_wait = 0; /* how much room? */
        return;
    }
    b->share_window = w + own / 8 * 7 - part / 8 * 7;
}

void om_bbr_share_update(struct om_cc *c, const struct om_cc_sample *s)
{
    struct om_bbr *b = &c->bbr;

    if (s->rtt > 0) {
        b->rtt = s->rtt;
        b->round_rtt = om_time_min(b->round_rtt, s->rtt);
    }
    if (!b->round_start)
        return;
    b->last_round_rtt = b->round_rtt;
    b->round_rtt = OM_NEVER;
    if (b->last_round_rtt == OM_NEVER || b->min_rtt == OM_NEVER)
        return;
    watch_rival(b, s);
    if (b->state != OM_BBR_CRUISE && b->state != OM_BBR_DOWN)
        return;
    if (om_bbr_has_rival(b, s->now) || om_bbr_is_limited(b, s)) {
        if (s->is_app_limited)
            om_bbr_share_stop(b);
        return;
    }
    adjust(c, s);
}
