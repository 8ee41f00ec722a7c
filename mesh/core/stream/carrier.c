/* carrier.c - between the streams, which know no packets, and the packets, which know no bytes. */
#include "stream/carrier.h"

enum { PROBE_PACKETS = 2 /* RFC 9002 section 6.2.4 */ };

static void on_fate(void *self, om_time now, const struct om_sent_frame *f, bool acked)
{
    struct om_carrier *c = self;

    if (f->kind != OM_SENT_WORD)
        om_mux_on_fate(&c->mux, now, f, acked);
    else if (!acked)
        c->word_lost = f->offset;
    else if (c->word_lost == f->offset)
        c->word_lost = 0; /* it came, though late */
}

static void start_loss(struct om_carrier *c, struct om_rtt *rtt, om_time now)
{
    om_loss_init(&c->loss, c->cc, rtt, c->seed++, now, on_fate, c);
    om_loss_watch(&c->loss, &c->mtu);
    c->pace_at = OM_NEVER;
    c->owes_probe = false;
    c->word_lost = 0;
}

void om_carrier_init(struct om_carrier *c, const struct om_cc_ops *cc, struct om_rtt *rtt,
                     uint64_t seed, om_time now, bool we_are_lower)
{
    c->cc = cc;
    c->seed = seed;
    om_mux_init(&c->mux, we_are_lower, now);
    om_mtu_init(&c->mtu, false, 0);
    start_loss(c, rtt, now);
}

void om_carrier_fini(struct om_carrier *c)
{
    om_loss_fini(&c->loss);
    om_mux_fini(&c->mux);
}

void om_carrier_trim(struct om_carrier *c)
{
    om_loss_trim(&c->loss);
}

void om_carrier_restart(struct om_carrier *c, om_time now)
{
    struct om_rtt *rtt = c->loss.rtt;

    om_loss_fini(&c->loss);
    om_mux_restart(&c->mux);
    start_loss(c, rtt, now);
}

/* What a probe carries: the oldest data without an answer, once more (RFC 9002 section 6.2.4). */
static void load_probe(struct om_carrier *c, om_time now)
{
    om_loss_repeat_oldest(&c->loss, now, PROBE_PACKETS);
    c->owes_probe = !om_mux_has_output(&c->mux);
}

void om_carrier_sleep(struct om_carrier *c, om_time now)
{
    om_loss_abandon(&c->loss, now);
    c->pace_at = OM_NEVER;
    c->owes_probe = false;
}

void om_carrier_back(struct om_carrier *c, om_time now)
{
    om_carrier_sleep(c, now);
}

void om_carrier_doubt(struct om_carrier *c, om_time now)
{
    om_loss_excuse(&c->loss);
    om_loss_repeat_oldest(&c->loss, now, OM_DOUBTED_MAX);
}

void om_carrier_moved(struct om_carrier *c, om_time now, om_time rtt, bool is_lost)
{
    om_loss_moved(&c->loss, now, rtt);
    if (is_lost)
        om_loss_abandon(&c->loss, now);
    c->pace_at = OM_NEVER;
}

void om_carrier_wake(struct om_carrier *c, om_time now)
{
    if (om_loss_wake(&c->loss, now, 0))
        load_probe(c, now);
}

void om_carrier_heard(struct om_carrier *c, om_time now)
{
    if (c->loss.pto_count > OM_SMALLEST_PTOS && om_loss_wake(&c->loss, now, OM_SMALLEST_PTOS))
        load_probe(c, now);
}

/* With nothing answered, nothing is known to be lost, and a path that shrank looks like one that is
 * dead: what asks again must be small enough to pass. */
unsigned om_carrier_size(const struct om_carrier *c)
{
    unsigned size = om_mtu_size(&c->mtu), base = om_mtu_base(&c->mtu);

    if (c->loss.pto_count >= OM_SMALLEST_PTOS)
        return om_mtu_floor(&c->mtu);
    return c->loss.pto_count >= OM_SMALLER_PTOS && base < size ? base : size;
}

bool om_carrier_has_output(const struct om_carrier *c)
{
    return c->owes_probe || om_mux_has_output(&c->mux);
}

bool om_carrier_may_send(struct om_carrier *c, om_time now, size_t bytes)
{
    c->pace_at = OM_NEVER;
    if (!om_loss_window_open(&c->loss, bytes))
        return false;
    om_time at = om_loss_send_at(&c->loss, now);
    if (at <= now)
        return true;
    c->pace_at = at + om_loss_pause(&c->loss);
    return false;
}

void om_carrier_fill(struct om_carrier *c, struct om_wr *w, struct om_carried *out)
{
    unsigned had = out->count;
    bool is_probe = c->owes_probe;

    out->count += om_mux_fill(&c->mux, w, out->frames + had, OM_SENT_FRAMES_MAX - had);
    if (out->count > had || (is_probe && om_mux_fill_credit(&c->mux, w))) {
        out->is_eliciting = true;
        c->owes_probe = false;
    }
}

enum om_err om_carrier_sent(struct om_carrier *c, om_time now, uint64_t counter, size_t bytes,
                            const struct om_carried *what)
{
    enum om_err e =
        om_loss_sent(&c->loss, now, counter, bytes, what->frames, what->count, what->is_eliciting);

    if (e != OM_OK)
        for (unsigned i = 0; i < what->count; i++)
            on_fate(c, now, &what->frames[i], false);
    return e;
}

void om_carrier_drained(struct om_carrier *c)
{
    om_loss_app_limited(&c->loss);
}

void om_carrier_tick(struct om_carrier *c, om_time now)
{
    unsigned had = c->loss.probes;

    if (c->pace_at <= now)
        c->pace_at = OM_NEVER; /* what waited for it goes now, or was given up meanwhile */
    om_loss_tick(&c->loss, now);
    if (c->loss.probes > had)
        load_probe(c, now);
}

om_time om_carrier_deadline(const struct om_carrier *c)
{
    return om_time_min(om_loss_deadline(&c->loss), c->pace_at);
}
