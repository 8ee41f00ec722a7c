/* relay_server.c - lanes of others: asked for, bound, carried, ended. */
#include "relay/relay_server.h"

#include <stdlib.h>

#include <sodium.h>

/* What is said once and not repeated. */
struct om_relay_word {
    struct om_relay_end *to; /* NULL: it went meanwhile */
    uint32_t lane;
    uint8_t reason; /* 0: goodbye */
};

void om_relay_limits_default(struct om_relay_limits *l)
{
    *l = (struct om_relay_limits){
        .lanes_max = OM_RELAY_LANES_MAX,
        .lanes_per_end = OM_RELAY_LANES_PER_END,
        .rate_bytes = OM_RELAY_RATE_BYTES,
        .burst_bytes = OM_RELAY_BURST_BYTES,
    };
}

enum om_err om_relay_init(struct om_relay *r, const struct om_relay_limits *limits,
                          const unsigned *networks, const struct om_rng *rng,
                          struct om_indices *indices, const uint8_t sip_key[static OM_SIP_KEY])
{
    enum om_err e;

    *r = (struct om_relay){.limits = *limits, .networks = networks, .rng = rng, .indices = indices};
    om_list_init(&r->lanes);
    om_list_init(&r->todo);
    om_list_init(&r->spare);
    om_timers_init(&r->timers, OM_RELAY_LANES_MAX);
    e = om_lru_init(&r->addresses, 16, sizeof(struct om_bucket), OM_RELAY_ADDRESSES_MAX, sip_key);
    if (e == OM_OK)
        e = om_ring_init(&r->words, sizeof(struct om_relay_word), OM_RELAY_WORDS_MAX);
    return limits->lanes_max > OM_RELAY_LANES_MAX ? OM_E_RANGE : e;
}

static void say(struct om_relay *r, struct om_relay_end *to, uint32_t lane, uint8_t reason)
{
    struct om_relay_word *w = NULL;

    if (to->words < OM_RELAY_WORDS_PER_END)
        w = om_ring_push(&r->words);
    if (!w) {
        r->counts.words_lost++;
        return;
    }
    to->words++;
    *w = (struct om_relay_word){to, lane, reason};
}

static void count_refused(struct om_relay *r, uint8_t reason)
{
    r->counts.refused++;
    r->counts.refused_for[reason < OM_LANE_REASONS ? reason : 0]++;
}

static void refuse(struct om_relay *r, struct om_relay_end *to, uint32_t lane,
                   enum om_lane_reason reason)
{
    count_refused(r, (uint8_t)reason);
    say(r, to, lane, (uint8_t)reason);
}

static void leg_fini(struct om_relay *r, struct om_relay_leg *leg)
{
    om_list_remove(&leg->of_end);
    om_index_drop(r->indices, leg->hop.receive_id);
    om_hop_fini(&leg->hop);
}

/* Its memory serves the next: the relay never has more of it than lanes at one time. */
static void lane_free(struct om_relay_lane *l)
{
    struct om_relay *r = l->relay;

    om_timer_stop(&r->timers, &l->timer);
    om_list_remove(&l->todo);
    om_list_remove(&l->all);
    l->legs[0].end->lanes--;
    if (l->state == OM_RELAY_BOUND)
        l->legs[1].end->lanes--;
    leg_fini(r, &l->legs[0]);
    leg_fini(r, &l->legs[1]);
    om_shares_drop(&r->shares, &l->legs[0].end->network);
    sodium_memzero(l, sizeof *l);
    om_list_push_back(&r->spare, &l->all);
}

/* An end that was asked knows the lane by the id that we gave it until it told its own. */
static uint32_t id_of(const struct om_relay_leg *leg)
{
    return leg->hop.send_id;
}

/* Ends @l and tells both ends but @but. */
static void unbind(struct om_relay_lane *l, const struct om_relay_end *but)
{
    for (unsigned i = 0; i < 2; i++) {
        struct om_relay_leg *leg = &l->legs[i];
        if (leg->end != but && id_of(leg) != 0)
            say(l->relay, leg->end, id_of(leg), 0);
    }
    l->relay->counts.closed++;
    lane_free(l);
}

void om_relay_fini(struct om_relay *r)
{
    om_relay_set(r, false);
    OM_BUG_IF(r->shares.rows > 0);
    for (struct om_link *link = om_list_first(&r->spare), *next; link; link = next) {
        next = om_list_next(&r->spare, link);
        free(OM_CONTAINER_OF(link, struct om_relay_lane, all));
    }
    om_timers_fini(&r->timers);
    om_lru_fini(&r->addresses);
    om_ring_fini(&r->words);
}

void om_relay_set(struct om_relay *r, bool is_willing)
{
    struct om_link *link;

    r->is_willing = is_willing;
    while (!is_willing && (link = om_list_first(&r->lanes)) != NULL)
        unbind(OM_CONTAINER_OF(link, struct om_relay_lane, all), NULL);
}

struct om_relay_end *om_relay_end_new(struct om_relay *r, void *user, const struct om_id *network,
                                      om_time now, const struct om_addr *addr)
{
    struct om_relay_end *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    *e = (struct om_relay_end){
        .relay = r, .user = user, .network = *network, .addr = *addr, .heard = now};
    om_list_init(&e->legs);
    om_bucket_init(&e->offers, OM_RELAY_OFFERS_PER_S, OM_RELAY_OFFERS_BURST, now);
    om_bucket_init(&e->asked, OM_RELAY_ASKED_PER_S, OM_RELAY_ASKED_BURST, now);
    return e;
}

void om_relay_end_free(struct om_relay_end *e)
{
    struct om_link *link;

    if (!e)
        return;
    while ((link = om_list_first(&e->legs)) != NULL) {
        struct om_relay_leg *leg = OM_CONTAINER_OF(link, struct om_relay_leg, of_end);
        if (leg->lane->state == OM_RELAY_ASKED && leg == &leg->lane->legs[1]) {
            refuse(e->relay, leg->other->end, id_of(leg->other), OM_LANE_STRANGER);
            lane_free(leg->lane);
        } else {
            unbind(leg->lane, e);
        }
    }
    for (unsigned i = 0; i < om_ring_count(&e->relay->words); i++) {
        struct om_relay_word *w = om_ring_at(&e->relay->words, i);
        if (w->to == e)
            w->to = NULL;
    }
    free(e);
}

void om_relay_heard(struct om_relay_end *e, om_time now, const struct om_addr *addr)
{
    e->addr = *addr;
    e->heard = now;
    e->unheard = 0;
}

/* One offer of @from, and of the address it has. */
static bool may_offer(struct om_relay *r, om_time now, struct om_relay_end *from)
{
    uint8_t source[16];
    struct om_bucket *b;
    bool is_new;

    if (!om_bucket_take(&from->offers, now, 1))
        return false;
    om_addr_source(&from->addr, source);
    b = om_lru_put(&r->addresses, source, &is_new);
    if (!b)
        return false;
    if (is_new)
        om_bucket_init(b, OM_RELAY_ADDRESS_PER_S, OM_RELAY_ADDRESS_BURST, now);
    return om_bucket_take(b, now, 1);
}

/* The lane that @from asked for to @to. */
static struct om_relay_lane *asked_before(const struct om_relay_end *from,
                                          const struct om_relay_end *to)
{
    for (struct om_link *k = om_list_first(&from->legs); k; k = om_list_next(&from->legs, k)) {
        struct om_relay_leg *leg = OM_CONTAINER_OF(k, struct om_relay_leg, of_end);
        if (leg == &leg->lane->legs[0] && leg->other->end == to)
            return leg->lane;
    }
    return NULL;
}

static void owe(struct om_relay_lane *l)
{
    if (!om_link_is_linked(&l->todo))
        om_list_push_back(&l->relay->todo, &l->todo);
}

static void keep_handshake(struct om_relay_lane *l, struct om_bytes handshake)
{
    OM_BUG_IF(handshake.n > sizeof l->handshake);
    if (handshake.n > 0)
        memcpy(l->handshake, handshake.p, handshake.n);
    l->handshake_len = handshake.n;
}

static om_time resend_after(unsigned resends)
{
    return resends < OM_RELAY_RESENDS ? OM_MS(OM_RELAY_RESEND_MS << resends)
                                      : OM_SEC(OM_RELAY_GIVE_UP_S);
}

static om_time unbound_at(const struct om_relay_lane *l)
{
    om_time heard = om_time_min(l->legs[0].end->heard, l->legs[1].end->heard);
    return om_time_min(heard, l->used) + OM_SEC(OM_RELAY_IDLE_S);
}

static void fire(struct om_timer *t, om_time now)
{
    struct om_relay_lane *l = OM_CONTAINER_OF(t, struct om_relay_lane, timer);
    struct om_relay *r = l->relay;
    om_time at;

    if (l->state == OM_RELAY_BOUND) {
        at = unbound_at(l);
        if (now >= at)
            unbind(l, NULL);
        else
            (void)om_timer_arm(&r->timers, t, at); /* there is room: it has just fired */
        return;
    }
    if (l->resends == OM_RELAY_RESENDS) {
        refuse(r, l->legs[0].end, id_of(&l->legs[0]), OM_LANE_SILENT);
        lane_free(l);
        return;
    }
    l->resends++;
    owe(l);
    (void)om_timer_arm(&r->timers, t, now + resend_after(l->resends));
}

static bool leg_init(struct om_relay *r, om_time now, struct om_relay_leg *leg,
                     struct om_relay_end *end, uint32_t send_id)
{
    uint8_t keys[2 * OM_LANE_KEY_BYTES];
    uint32_t id;

    if (om_index_draw(r->indices, r->rng, OM_INDEX_RELAY, leg, &id) != OM_OK)
        return false;
    om_rng_fill(r->rng, keys, sizeof keys);
    om_hop_init(&leg->hop, id, send_id, keys);
    sodium_memzero(keys, sizeof keys);
    om_bucket_init(&leg->rate, r->limits.rate_bytes, r->limits.burst_bytes, now);
    leg->end = end;
    om_list_push_back(&end->legs, &leg->of_end);
    return true;
}

/* A new lane from @from to @to, which is owed an offer; NULL when there is no memory or id. */
static struct om_relay_lane *lane_new(struct om_relay *r, om_time now, struct om_relay_end *from,
                                      struct om_relay_end *to, const struct om_frame_lane_offer *f)
{
    struct om_link *spare = om_list_first(&r->spare);
    struct om_relay_lane *l;

    l = spare ? OM_CONTAINER_OF(spare, struct om_relay_lane, all) : calloc(1, sizeof *l);
    if (!l)
        return NULL;
    om_list_remove(&l->all);
    l->relay = r;
    l->used = now;
    l->is_renewed = false;
    l->timer.fire = fire;
    for (unsigned i = 0; i < 2; i++) {
        l->legs[i].lane = l;
        l->legs[i].other = &l->legs[!i];
    }
    if (om_timer_arm(&r->timers, &l->timer, now + resend_after(0)) != OM_OK)
        goto no_timer;
    if (!leg_init(r, now, &l->legs[0], from, f->lane))
        goto no_leg;
    if (!leg_init(r, now, &l->legs[1], to, 0))
        goto one_leg;
    keep_handshake(l, f->handshake);
    om_list_push_back(&r->lanes, &l->all);
    from->lanes++;
    om_shares_add(&r->shares, &from->network);
    return l;
one_leg:
    leg_fini(r, &l->legs[0]);
no_leg:
    om_timer_stop(&r->timers, &l->timer);
no_timer:
    om_list_push_back(&r->spare, &l->all);
    return NULL;
}

void om_relay_decline(struct om_relay *r, struct om_relay_end *from, uint32_t lane)
{
    r->counts.offers++;
    refuse(r, from, lane, OM_LANE_UNWILLING);
}

void om_relay_offer(struct om_relay *r, om_time now, struct om_relay_end *from,
                    struct om_relay_end *to, const struct om_frame_lane_offer *f, bool is_nested)
{
    struct om_relay_lane *l;

    r->counts.offers++;
    if (!r->is_willing || is_nested) {
        refuse(r, from, f->lane, is_nested ? OM_LANE_NESTED : OM_LANE_UNWILLING);
        return;
    }
    if (!may_offer(r, now, from)) {
        refuse(r, from, f->lane, OM_LANE_RATE);
        return;
    }
    if (!to || to == from) {
        refuse(r, from, f->lane, OM_LANE_STRANGER);
        return;
    }
    l = asked_before(from, to);
    if (l && id_of(&l->legs[0]) == f->lane) {
        if (l->state == OM_RELAY_BOUND) { /* while it is asked for, we repeat ourselves */
            owe(l);
            l->is_renewed = om_bucket_take(&to->asked, now, 1);
        }
        return;
    }
    if (l)
        unbind(l, from); /* it began anew */
    if (!om_shares_fit(&r->shares, &from->network, r->limits.lanes_max, *r->networks) ||
        from->lanes >= r->limits.lanes_per_end || to->lanes >= r->limits.lanes_per_end) {
        refuse(r, from, f->lane, OM_LANE_FULL);
        return;
    }
    if (!om_bucket_take(&to->asked, now, 1)) {
        refuse(r, from, f->lane, OM_LANE_RATE);
        return;
    }
    l = lane_new(r, now, from, to, f);
    if (l)
        owe(l);
    else
        refuse(r, from, f->lane, OM_LANE_FULL);
}

/* The leg of @from whose id on our side is @lane. */
static struct om_relay_leg *leg_of(const struct om_relay *r, const struct om_relay_end *from,
                                   uint32_t lane)
{
    struct om_index_entry *e = om_index_find(r->indices, lane);
    struct om_relay_leg *leg = e && e->kind == OM_INDEX_RELAY ? e->owner : NULL;

    return leg && leg->end == from ? leg : NULL;
}

/* As leg_of(), of a lane to which @from did not say yet what it thinks of it. */
static struct om_relay_lane *asked_of(const struct om_relay *r, const struct om_relay_end *from,
                                      uint32_t lane)
{
    struct om_relay_leg *leg = leg_of(r, from, lane);

    return leg && leg == &leg->lane->legs[1] && leg->lane->state == OM_RELAY_ASKED ? leg->lane
                                                                                   : NULL;
}

bool om_relay_accept(struct om_relay *r, om_time now, struct om_relay_end *from,
                     const struct om_frame_lane_accept *f)
{
    const struct om_relay_leg *leg = leg_of(r, from, f->lane);
    struct om_relay_lane *l = asked_of(r, from, f->lane);

    if (leg && !l && leg->hop.send_id == f->send_id)
        return true; /* it says so again, because our offer crossed its word */
    if (!l) {
        say(r, from, f->send_id, 0); /* it thinks that it has a lane */
        return false;
    }
    l->legs[1].hop.send_id = f->send_id;
    if (from->lanes >= r->limits.lanes_per_end) {
        refuse(r, l->legs[0].end, id_of(&l->legs[0]), OM_LANE_FULL);
        say(r, from, f->send_id, 0);
        lane_free(l);
        return true;
    }
    from->lanes++;
    l->state = OM_RELAY_BOUND;
    l->used = now;
    keep_handshake(l, f->handshake);
    r->counts.bound++;
    owe(l);
    (void)om_timer_arm(&r->timers, &l->timer, unbound_at(l)); /* it was armed: no memory needed */
    return true;
}

bool om_relay_refuse(struct om_relay *r, struct om_relay_end *from,
                     const struct om_frame_lane_refuse *f)
{
    struct om_relay_lane *l = asked_of(r, from, f->lane);
    uint8_t reason = f->reason ? f->reason : OM_LANE_UNWILLING;

    if (!l)
        return false;
    count_refused(r, reason);
    say(r, l->legs[0].end, id_of(&l->legs[0]), reason);
    lane_free(l);
    return true;
}

bool om_relay_close(struct om_relay *r, struct om_relay_end *from, uint32_t lane)
{
    struct om_relay_leg *leg = leg_of(r, from, lane);

    if (!leg)
        return false;
    if (leg->lane->state == OM_RELAY_ASKED && leg == &leg->lane->legs[1])
        return om_relay_refuse(r, from, &(struct om_frame_lane_refuse){lane, OM_LANE_UNWILLING});
    unbind(leg->lane, from);
    return true;
}

struct om_relay_leg *om_relay_carry(struct om_relay_leg *leg, om_time now,
                                    const struct om_lane_header *header, struct om_bytes dgram)
{
    struct om_relay_lane *l = leg->lane;
    struct om_relay_end *to = leg->other->end;
    struct om_relay_counts *c = &l->relay->counts;
    enum om_err e = om_hop_check(&leg->hop, header, dgram);

    if (e != OM_OK) {
        *(e == OM_E_CRYPTO ? &c->forged : &c->replayed) += 1;
        return NULL;
    }
    if (l->state != OM_RELAY_BOUND) {
        c->unbound++;
        return NULL;
    }
    if (!om_bucket_take(&leg->rate, now, (uint32_t)dgram.n)) {
        c->over_rate++;
        return NULL;
    }
    if (now - to->heard >= OM_SEC(OM_RELAY_QUIET_S)) {
        if (to->unheard >= OM_RELAY_QUIET_MAX) {
            c->kept_back++;
            return NULL;
        }
        to->unheard++;
    }
    l->used = now;
    c->carried++;
    c->carried_bytes += dgram.n;
    return leg->other;
}

void om_relay_tick(struct om_relay *r, om_time now)
{
    om_timers_run(&r->timers, now);
}

om_time om_relay_deadline(const struct om_relay *r)
{
    return om_timers_deadline(&r->timers);
}

static uint16_t age(const struct om_relay_end *e, om_time now)
{
    om_time s = (now - e->heard) / OM_SEC(1);

    return s < 0 ? 0 : s > UINT16_MAX ? UINT16_MAX : (uint16_t)s;
}

/* An end sends with what we receive with, and the frame names it the other way round. */
static void give_keys(const struct om_hop *h, uint8_t out[static OM_LANE_KEYS_BYTES])
{
    memcpy(out, h->send_key, OM_LANE_KEY_BYTES);
    memcpy(out + OM_LANE_KEY_BYTES, h->receive_key, OM_LANE_KEY_BYTES);
}

static void tell(const struct om_relay_lane *l, bool is_offer, om_time now,
                 struct om_relay_act *out)
{
    bool is_asked = l->state == OM_RELAY_ASKED;
    struct om_bytes handshake = om_bytes(l->handshake, is_offer == is_asked ? l->handshake_len : 0);
    const struct om_relay_leg *leg = &l->legs[is_offer];

    out->to = leg->end;
    if (is_offer) {
        struct om_frame_lane_offer *f = &out->frame.lane_offer;
        out->frame.type = OM_FRAME_LANE_OFFER;
        *f = (struct om_frame_lane_offer){.lane = leg->hop.receive_id,
                                          .seen = leg->other->end->addr,
                                          .age_s = age(leg->other->end, now),
                                          .handshake = handshake};
        give_keys(&leg->hop, f->keys);
    } else {
        struct om_frame_lane_bound *f = &out->frame.lane_bound;
        out->frame.type = OM_FRAME_LANE_BOUND;
        *f = (struct om_frame_lane_bound){.lane = leg->hop.send_id,
                                          .send_id = leg->hop.receive_id,
                                          .seen = leg->other->end->addr,
                                          .age_s = age(leg->other->end, now),
                                          .handshake = handshake};
        give_keys(&leg->hop, f->keys);
    }
}

bool om_relay_next(struct om_relay *r, om_time now, struct om_relay_act *out)
{
    struct om_relay_word *w;
    struct om_link *link;

    while ((w = om_ring_front(&r->words)) != NULL) {
        out->to = w->to;
        out->frame.is_known = true;
        out->frame.type = w->reason ? OM_FRAME_LANE_REFUSE : OM_FRAME_LANE_CLOSE;
        if (w->reason)
            out->frame.lane_refuse = (struct om_frame_lane_refuse){w->lane, w->reason};
        else
            out->frame.lane_close = w->lane;
        om_ring_pop(&r->words);
        if (out->to) {
            out->to->words--;
            return true;
        }
    }
    link = om_list_first(&r->todo);
    if (!link)
        return false;
    struct om_relay_lane *l = OM_CONTAINER_OF(link, struct om_relay_lane, todo);
    bool is_renewal = l->state == OM_RELAY_BOUND && l->is_renewed;
    out->frame.is_known = true;
    tell(l, is_renewal || l->state == OM_RELAY_ASKED, now, out);
    l->is_renewed = false;
    if (!is_renewal)
        om_list_remove(link);
    return true;
}
