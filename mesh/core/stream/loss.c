/* loss.c - fates of packets: acknowledged, lost by threshold, abandoned, regretted. */
#include "stream/loss.h"

enum {
    PTO_BACKOFF_MAX = 10, /* doublings */
    PTO_WAIT_PTOS = 4,    /* at most, or OM_LOSS_PTO_S if that is longer */
    PROBES = 2,           /* RFC 9002 section 6.2.4 */
    PERSISTENT_PTOS = 3,  /* RFC 9002 section 7.6.1 */
    SECOND_US = 1000000
};

/* What one event adds up to. */
struct event {
    struct om_cc_sample s;
    struct om_sent newest; /* the packet acknowledged now that was sent last */
    uint64_t newest_counter;
    om_time run_from;    /* sending time of the first of a run of lost packets; OM_NEVER: none */
    om_time run_longest; /* from the first to the last of such a run */
};

void om_loss_init(struct om_loss *l, const struct om_cc_ops *cc, struct om_rtt *rtt, uint64_t seed,
                  om_time now, om_loss_fn fn, void *self)
{
    *l = (struct om_loss){
        .rtt = rtt, .fn = fn, .self = self, .loss_at = OM_NEVER, .reorder = OM_LOSS_REORDER};
    OM_BUG_IF(om_ring_init(&l->sent, sizeof(struct om_sent), OM_SENT_MAX) != OM_OK);
    l->delivered_at = l->first_at = now;
    l->cc.ops = cc;
    om_prng_seed(&l->cc.prng, seed);
    cc->init(&l->cc, now);
    om_pacer_init(&l->pacer, now);
}

void om_loss_fini(struct om_loss *l)
{
    om_ring_fini(&l->sent);
}

void om_loss_trim(struct om_loss *l)
{
    om_ring_trim(&l->sent);
}

static struct om_sent *record(const struct om_loss *l, uint64_t counter)
{
    if (counter < l->base || counter - l->base >= om_ring_count(&l->sent))
        return NULL;
    return om_ring_at(&l->sent, (unsigned)(counter - l->base));
}

/* What is decided needs no memory; the ring begins with a packet that is on its way. */
static void forget_decided(struct om_loss *l)
{
    const struct om_sent *s;

    while ((s = om_ring_front(&l->sent)) != NULL && s->state != OM_SENT_FLYING) {
        om_ring_pop(&l->sent);
        l->base++;
    }
}

static void leave(struct om_loss *l, struct om_sent *s, enum om_sent_state state)
{
    s->state = (uint8_t)state;
    if (s->is_probe) {
        l->size_probe = 0;
        return;
    }
    l->in_flight -= s->bytes;
    l->excused -= s->is_excused ? s->bytes : 0;
    l->flying--;
}

/* What an earlier path carried, or another one too, says nothing of this path. */
static struct om_mtu *size_of(const struct om_loss *l, uint64_t counter, const struct om_sent *s)
{
    return counter >= l->moved && !s->is_twice ? l->mtu : NULL;
}

static void tell(struct om_loss *l, om_time now, const struct om_sent *s, bool acked)
{
    /* A copy: what is told may be sent again at once, and the ring may move. */
    struct om_sent_frame frames[OM_SENT_FRAMES_MAX];
    unsigned count = s->count;

    memcpy(frames, s->frames, count * sizeof frames[0]);
    for (unsigned i = 0; i < count; i++)
        l->fn(l->self, now, &frames[i], acked);
}

enum om_err om_loss_sent(struct om_loss *l, om_time now, uint64_t counter, size_t bytes,
                         const struct om_sent_frame *frames, unsigned count, bool eliciting)
{
    bool was_idle = l->flying == 0;

    l->next = counter + 1;
    if (om_ring_count(&l->sent) == 0 && !eliciting) {
        l->base = counter + 1;
        return OM_OK; /* nothing to remember, and nothing older on its way */
    }
    if (om_ring_count(&l->sent) == 0)
        l->base = counter;
    struct om_sent *s = om_ring_push(&l->sent);
    if (!s)
        return OM_E_NO_MEM;
    *s = (struct om_sent){.at = now, .bytes = (uint16_t)bytes, .state = OM_SENT_UNTRACKED};
    if (!eliciting)
        return OM_OK;
    if (was_idle) {
        l->first_at = l->delivered_at = now;
        if (l->cc.ops->on_idle_restart)
            l->cc.ops->on_idle_restart(&l->cc, now);
    }
    l->in_flight += bytes;
    l->flying++;
    s->state = OM_SENT_FLYING;
    s->delivered = l->delivered;
    s->delivered_at = l->delivered_at;
    s->first_at = l->first_at;
    s->lost = l->lost;
    s->in_flight = l->in_flight;
    s->is_app_limited = l->app_limited_until != 0;
    s->is_twice = l->is_doubled;
    s->count = (uint8_t)count;
    memcpy(s->frames, frames, count * sizeof *frames);
    l->last_eliciting_at = now;
    if (l->probes > 0)
        l->probes--;
    om_pacer_sent(&l->pacer, now, l->cc.pacing_rate, bytes);
    l->cc.ops->on_sent(&l->cc, now, counter, bytes, l->in_flight, s->is_app_limited);
    return OM_OK;
}

enum om_err om_loss_probe_sent(struct om_loss *l, om_time now, uint64_t counter, size_t bytes)
{
    OM_BUG_IF(l->size_probe != 0);
    l->next = counter + 1;
    if (om_ring_count(&l->sent) == 0)
        l->base = counter;
    struct om_sent *s = om_ring_push(&l->sent);
    if (!s)
        return OM_E_NO_MEM;
    *s = (struct om_sent){.at = now,
                          .bytes = (uint16_t)bytes,
                          .state = OM_SENT_FLYING,
                          .is_probe = true,
                          .is_twice = l->is_doubled};
    l->size_probe = l->next;
    return OM_OK;
}

void om_loss_probe_over(struct om_loss *l)
{
    struct om_sent *s = l->size_probe != 0 ? record(l, l->size_probe - 1) : NULL;

    if (s)
        leave(l, s, OM_SENT_LOST);
    l->size_probe = 0;
    forget_decided(l);
}

void om_loss_watch(struct om_loss *l, struct om_mtu *mtu)
{
    l->mtu = mtu;
}

static void on_acked(struct om_loss *l, om_time now, uint64_t counter, struct om_sent *s,
                     struct event *e)
{
    struct om_mtu *mtu = size_of(l, counter, s);

    leave(l, s, OM_SENT_ACKED);
    if (mtu)
        om_mtu_acked(mtu, now, s->bytes, s->at);
    if (s->is_probe)
        return;
    if (!s->is_twice && counter > l->passed)
        l->passed = counter;
    l->delivered += s->bytes;
    l->delivered_at = now;
    e->s.acked += s->bytes;
    if (!e->s.has_newest || counter > e->newest_counter) {
        e->s.has_newest = true;
        e->newest_counter = counter;
        e->newest = *s;
    }
    tell(l, now, s, true);
}

/* How long a packet that was overtaken may take: RFC 9002 section 6.1.2, and what was learnt. */
static om_time patience(const struct om_loss *l)
{
    om_time longest = l->rtt->latest > l->rtt->smoothed ? l->rtt->latest : l->rtt->smoothed;
    om_time wait = longest + longest / 8 + om_time_min(l->late, longest);

    return wait > OM_MS(OM_RTT_GRANULE_MS) ? wait : OM_MS(OM_RTT_GRANULE_MS);
}

/* Packets that were declared lost too early have arrived all the same. */
static void regret(struct om_loss *l, om_time now, uint64_t low, uint64_t high, struct event *e)
{
    for (unsigned i = 0; i < OM_LOSS_REGRETS_MAX; i++) {
        struct om_regret *r = &l->regrets[i];
        if (r->counter == 0 || r->counter - 1 < low || r->counter - 1 > high)
            continue;
        uint64_t overtaken = l->passed - (r->counter - 1) + 1;
        if (l->passed >= r->counter && overtaken > l->reorder)
            l->reorder =
                overtaken < OM_LOSS_REORDER_MAX ? (unsigned)overtaken : OM_LOSS_REORDER_MAX;
        if (now - r->at > patience(l))
            l->late += now - r->at - patience(l);
        l->late = om_time_min(l->late, l->rtt->smoothed);
        l->packets_spurious++;
        l->delivered += r->bytes;
        e->s.acked += r->bytes;
        r->counter = 0;
    }
}

/* The packets @low to @high arrived. What lies below base is decided. */
static void ack_run(struct om_loss *l, om_time now, uint64_t low, uint64_t high, struct event *e)
{
    if (l->packets_lost > l->packets_spurious)
        regret(l, now, low, high, e);
    if (high < l->base)
        return;
    for (uint64_t c = low > l->base ? low : l->base; c <= high; c++) {
        struct om_sent *s = record(l, c);
        if (s && s->state == OM_SENT_FLYING)
            on_acked(l, now, c, s, e);
    }
}

static void on_lost(struct om_loss *l, om_time now, uint64_t counter, struct om_sent *s,
                    struct event *e)
{
    struct om_mtu *mtu = size_of(l, counter, s);

    leave(l, s, OM_SENT_LOST);
    if (mtu)
        om_mtu_lost(mtu, now, s->bytes, s->at);
    if (s->is_probe)
        return;
    l->lost += s->bytes;
    l->packets_lost++;
    e->s.lost += s->bytes;
    l->regrets[l->regret_at] = (struct om_regret){counter + 1, s->at, s->bytes};
    l->regret_at = (l->regret_at + 1) % OM_LOSS_REGRETS_MAX;
    if (e->run_from == OM_NEVER)
        e->run_from = s->at;
    if (s->at - e->run_from > e->run_longest)
        e->run_longest = s->at - e->run_from;
    const struct om_cc_loss loss = {
        .now = now,
        .sent_at = s->at,
        .packet = counter,
        .largest_sent = l->next - 1,
        .bytes = s->bytes,
        .delivered = s->delivered,
        .tx_in_flight = s->in_flight,
        .lost_since = l->lost - s->lost,
        .was_app_limited = s->is_app_limited,
    };
    l->cc.ops->on_lost(&l->cc, &loss);
    tell(l, now, s, false);
}

static void detect(struct om_loss *l, om_time now, struct event *e)
{
    om_time wait = patience(l);

    l->loss_at = OM_NEVER;
    if (!l->has_acked)
        return;
    for (uint64_t c = l->base; c < l->passed; c++) {
        struct om_sent *s = record(l, c);
        if (!s)
            return;
        if (s->state == OM_SENT_ACKED)
            e->run_from = OM_NEVER;
        if (s->state != OM_SENT_FLYING)
            continue;
        bool is_late = c < l->moved && now < l->moved_until;
        if (is_late ? s->at + l->moved_wait > now
                    : l->passed - c < l->reorder && s->at + wait > now) {
            l->loss_at = s->at + (is_late ? l->moved_wait : wait); /* later ones are later */
            return;
        }
        on_lost(l, now, c, s, e);
    }
}

/* Everything sent during three timeouts was lost: RFC 9002 section 7.6.2. */
static bool is_persistent(const struct om_loss *l, const struct event *e)
{
    return l->rtt->smoothed != 0 && e->run_longest > PERSISTENT_PTOS * om_rtt_pto(l->rtt);
}

/* Delivery rate over the flight of the newest packet acknowledged. */
static void sample_rate(struct om_loss *l, om_time now, struct event *e)
{
    const struct om_sent *p = &e->newest;
    om_time sending, acking;

    if (!e->s.has_newest)
        return;
    e->s.prior_delivered = p->delivered;
    e->s.tx_in_flight = p->in_flight;
    e->s.lost_since = l->lost - p->lost;
    e->s.is_app_limited = p->is_app_limited;
    sending = p->at - p->first_at;
    acking = now - p->delivered_at;
    e->s.interval = sending > acking ? sending : acking;
    l->first_at = p->at;
    if (e->s.interval <= 0 || (l->rtt->least > 0 && e->s.interval < l->rtt->least))
        return; /* shorter than any round trip: ACKs came in a burst */
    e->s.rate = (l->delivered - p->delivered) * SECOND_US / (uint64_t)e->s.interval;
}

static void inform(struct om_loss *l, om_time now, struct event *e)
{
    e->s.now = now;
    e->s.srtt = l->rtt->smoothed;
    e->s.min_rtt = l->rtt->least;
    e->s.in_flight = l->in_flight;
    e->s.delivered = l->delivered;
    if (l->app_limited_until != 0 && l->delivered > l->app_limited_until)
        l->app_limited_until = 0;
    if (e->s.acked == 0 && e->s.lost == 0)
        return;
    if (is_persistent(l, e))
        l->cc.ops->on_persistent(&l->cc, now);
    l->cc.ops->on_ack(&l->cc, e->newest_counter, e->newest.at, &e->s);
}

enum om_err om_loss_on_ack(struct om_loss *l, om_time now, const struct om_frame_ack *ack)
{
    struct event e = {.run_from = OM_NEVER};
    uint64_t high = ack->largest, low = high - ack->run + 1;

    if (high >= l->next)
        return OM_E_RANGE;
    const struct om_sent *largest = record(l, high);
    bool is_sample =
        largest && largest->state == OM_SENT_FLYING && !largest->is_twice && high >= l->moved;
    om_time sent_at = is_sample ? largest->at : 0;

    ack_run(l, now, low, high, &e);
    for (unsigned i = 0; i < ack->count && low > l->base; i++) {
        high = low - ack->ranges[i].missing - 1;
        low = high - ack->ranges[i].run + 1;
        ack_run(l, now, low, high, &e);
    }
    if (!l->has_acked || ack->largest > l->largest_acked) {
        l->largest_acked = ack->largest;
        l->has_acked = true;
    }
    if (is_sample) {
        e.s.rtt = now - sent_at;
        om_rtt_sample_held(l->rtt, e.s.rtt, OM_US(ack->delay_us));
    }
    if (e.s.acked > 0)
        l->pto_count = 0;
    sample_rate(l, now, &e);
    detect(l, now, &e);
    forget_decided(l);
    inform(l, now, &e);
    return OM_OK;
}

/* Doubling with each timeout, as far as what an association outlives makes sense of. */
static om_time pto_at(const struct om_loss *l)
{
    om_time pto = om_rtt_pto(l->rtt), most = PTO_WAIT_PTOS * pto;

    if (l->flying == 0)
        return OM_NEVER;
    if (most < OM_SEC(OM_LOSS_PTO_S))
        most = OM_SEC(OM_LOSS_PTO_S);
    return l->last_eliciting_at + om_time_min(pto << l->pto_count, most);
}

void om_loss_tick(struct om_loss *l, om_time now)
{
    struct event e = {.run_from = OM_NEVER};

    if (l->loss_at <= now) {
        detect(l, now, &e);
        forget_decided(l);
        inform(l, now, &e);
    } else if (l->loss_at == OM_NEVER && pto_at(l) <= now) {
        l->probes = l->flying > 1 ? PROBES : 1;
        if (l->pto_count < PTO_BACKOFF_MAX)
            l->pto_count++;
        l->last_eliciting_at = now; /* should the probes not be able to leave */
    }
}

om_time om_loss_deadline(const struct om_loss *l)
{
    return l->loss_at != OM_NEVER ? l->loss_at : pto_at(l);
}

void om_loss_repeat_oldest(struct om_loss *l, om_time now, unsigned most)
{
    unsigned told = 0;

    for (uint64_t c = l->base; told < most && c < l->next; c++) {
        const struct om_sent *s = record(l, c);
        if (!s)
            return;
        if (s->state != OM_SENT_FLYING || s->count == 0)
            continue;
        told++;
        tell(l, now, s, false);
    }
}

om_time om_loss_oldest_at(const struct om_loss *l)
{
    const struct om_sent *s = l->base >= l->moved ? om_ring_front(&l->sent) : NULL;

    return s ? s->at : OM_NEVER;
}

void om_loss_excuse(struct om_loss *l)
{
    for (uint64_t c = l->base; l->excused == 0 && c < l->next; c++) {
        struct om_sent *s = record(l, c);
        if (s)
            s->is_excused = s->state == OM_SENT_FLYING;
    }
    if (l->excused == 0)
        l->excused = l->in_flight;
}

void om_loss_doubled(struct om_loss *l, bool is_doubled)
{
    l->is_doubled = is_doubled;
}

void om_loss_moved(struct om_loss *l, om_time now, om_time rtt)
{
    l->moved = l->next;
    l->moved_wait = patience(l) > OM_MS(OM_RTT_INITIAL_MS) ? patience(l) : OM_MS(OM_RTT_INITIAL_MS);
    l->moved_until = now + l->moved_wait;
    l->pto_count = 0;
    l->late = 0;
    l->cc.ops->on_path(&l->cc, now, rtt);
}

void om_loss_abandon(struct om_loss *l, om_time now)
{
    for (uint64_t c = l->base; c < l->next; c++) {
        struct om_sent *s = record(l, c);
        if (!s || s->state != OM_SENT_FLYING)
            continue;
        leave(l, s, OM_SENT_LOST);
        tell(l, now, s, false);
    }
    forget_decided(l);
    l->loss_at = OM_NEVER;
    l->pto_count = 0;
    l->probes = 0;
}

bool om_loss_wake(struct om_loss *l, om_time now, unsigned timeouts)
{
    l->pto_count = l->pto_count < timeouts ? l->pto_count : timeouts;
    if (l->flying == 0)
        return false;
    l->probes = l->flying > 1 ? PROBES : 1;
    l->last_eliciting_at = now;
    return true;
}

bool om_loss_window_open(const struct om_loss *l, size_t bytes)
{
    if (om_ring_is_full(&l->sent))
        return false;
    return l->probes > 0 || l->flying == 0 || l->in_flight - l->excused + bytes <= l->cc.window;
}

om_time om_loss_send_at(const struct om_loss *l, om_time now)
{
    return l->probes > 0 ? now : om_pacer_at(&l->pacer, l->cc.pacing_rate, l->cc.quantum);
}

om_time om_loss_pause(const struct om_loss *l)
{
    uint64_t rate = l->cc.pacing_rate, half = l->cc.quantum / 2;

    if (rate == 0 || half < (uint64_t)2 * OM_CC_MSS)
        return 0; /* a burst so short is not worth waiting for */
    return (om_time)(half * SECOND_US / rate);
}

void om_loss_app_limited(struct om_loss *l)
{
    if (l->in_flight + OM_CC_MSS <= l->cc.window)
        l->app_limited_until = l->delivered + l->in_flight > 0 ? l->delivered + l->in_flight : 1;
}
