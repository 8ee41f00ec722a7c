/* relay_client.c - our own lanes: asked for, offered, open, over. */
#include "relay/relay_client.h"

#include <stdlib.h>

#include <sodium.h>

/* What is said once and not repeated. */
struct om_lanes_word {
    struct om_lane_relay *to; /* NULL: it went meanwhile */
    uint32_t lane;
    uint8_t reason; /* 0: goodbye */
};

void om_lanes_init(struct om_lanes *l, const unsigned *networks, const struct om_rng *rng,
                   struct om_indices *indices)
{
    *l = (struct om_lanes){.networks = networks, .rng = rng, .indices = indices};
    om_list_init(&l->todo);
    om_list_init(&l->over);
    om_timers_init(&l->timers, OM_LANES_MAX);
    if (om_ring_init(&l->words, sizeof(struct om_lanes_word), OM_LANES_WORDS_MAX) != OM_OK)
        OM_BUG_IF(true);
}

static void free_all(struct om_list *list)
{
    for (struct om_link *link = om_list_first(list), *next; link; link = next) {
        next = om_list_next(list, link);
        free(OM_CONTAINER_OF(link, struct om_lane, todo));
    }
    om_list_init(list);
}

void om_lanes_fini(struct om_lanes *l)
{
    OM_BUG_IF(l->shares.rows > 0);
    free_all(&l->todo);
    free_all(&l->over);
    om_timers_fini(&l->timers);
    om_ring_fini(&l->words);
}

static void say(struct om_lane_relay *to, uint32_t lane, uint8_t reason)
{
    struct om_lanes_word *w = om_ring_push(&to->lanes->words);

    if (w)
        *w = (struct om_lanes_word){to, lane, reason};
    else
        to->lanes->counts.words_lost++;
}

static void note(struct om_lane *lane)
{
    if (!om_link_is_linked(&lane->todo))
        om_list_push_back(&lane->lanes->todo, &lane->todo);
}

/* Wipes @lane and takes it from its relay; what is left is for the caller to hear of, if it
 * @is_known. */
static void end(struct om_lane *lane, uint8_t reason, bool is_known)
{
    struct om_lanes *l = lane->lanes;

    om_timer_stop(&l->timers, &lane->timer);
    om_index_drop(l->indices, lane->id);
    om_hop_fini(&lane->hop);
    om_list_remove(&lane->of_relay);
    lane->relay->count--;
    om_shares_drop(&l->shares, &lane->relay->network);
    lane->relay = NULL;
    lane->state = OM_LANE_OVER;
    lane->reason = reason;
    lane->says_offer = lane->says_accept = false;
    lane->says_state = is_known;
    sodium_memzero(lane->handshake, sizeof lane->handshake);
    l->counts.ended++;
    om_list_remove(&lane->todo);
    om_list_push_back(is_known ? &l->todo : &l->over, &lane->todo);
}

struct om_lane_relay *om_lane_relay_new(struct om_lanes *l, void *user, const struct om_id *network,
                                        om_time now)
{
    struct om_lane_relay *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->lanes = l;
    r->user = user;
    r->network = *network;
    om_list_init(&r->all);
    om_bucket_init(&r->offers, OM_LANES_OFFERS_PER_S, OM_LANES_OFFERS_BURST, now);
    return r;
}

void om_lane_relay_free(struct om_lane_relay *r)
{
    struct om_link *link;

    if (!r)
        return;
    while ((link = om_list_first(&r->all)) != NULL)
        end(OM_CONTAINER_OF(link, struct om_lane, of_relay), 0, true);
    for (unsigned i = 0; i < om_ring_count(&r->lanes->words); i++) {
        struct om_lanes_word *w = om_ring_at(&r->lanes->words, i);
        if (w->to == r)
            w->to = NULL;
    }
    free(r);
}

static om_time resend_after(unsigned resends)
{
    return resends < OM_LANES_RESENDS ? OM_MS(OM_LANES_RESEND_MS << resends)
                                      : OM_SEC(OM_LANES_GIVE_UP_S);
}

void om_lane_end(struct om_lane *lane)
{
    if (lane->state == OM_LANE_OVER)
        return;
    if (lane->state == OM_LANE_OFFERED)
        say(lane->relay, lane->hop.send_id, OM_LANE_UNWILLING);
    else if (lane->hop.send_id != 0)
        say(lane->relay, lane->hop.send_id, 0);
    end(lane, 0, true);
}

static void fire(struct om_timer *t, om_time now)
{
    struct om_lane *lane = OM_CONTAINER_OF(t, struct om_lane, timer);
    struct om_timers *timers = &lane->lanes->timers;
    om_time idle = lane->heard + OM_SEC(OM_LANES_IDLE_S);

    if (lane->state == OM_LANE_OFFERED) {
        om_lane_decline(lane, OM_LANE_DENIED);
    } else if (lane->state == OM_LANE_OPEN) {
        if (now >= idle)
            om_lane_end(lane);
        else
            (void)om_timer_arm(timers, t, idle); /* there is room: it has just fired */
    } else if (lane->resends == OM_LANES_RESENDS) {
        lane->lanes->counts.refused++;
        end(lane, OM_LANE_SILENT, true);
    } else {
        lane->resends++;
        lane->says_offer = true;
        note(lane);
        (void)om_timer_arm(timers, t, now + resend_after(lane->resends));
    }
}

static enum om_err lane_new(struct om_lane_relay *r, om_time due, struct om_lane **out)
{
    struct om_lanes *l = r->lanes;
    enum om_err e = OM_E_NO_MEM;
    struct om_lane *lane;

    if (!om_shares_fit(&l->shares, &r->network, OM_LANES_MAX, *l->networks) ||
        r->count >= OM_LANES_PER_RELAY)
        return OM_E_FULL;
    lane = calloc(1, sizeof *lane);
    if (!lane)
        return OM_E_NO_MEM;
    lane->timer.fire = fire;
    if (om_timer_arm(&l->timers, &lane->timer, due) != OM_OK)
        goto out;
    e = om_index_draw(l->indices, l->rng, OM_INDEX_LANE, lane, &lane->id);
    if (e != OM_OK) {
        om_timer_stop(&l->timers, &lane->timer);
        goto out;
    }
    lane->lanes = l;
    lane->relay = r;
    lane->is_by_known = r->was_bound;
    om_list_push_back(&r->all, &lane->of_relay);
    r->count++;
    om_shares_add(&l->shares, &r->network);
    *out = lane;
    return OM_OK;
out:
    free(lane);
    return e;
}

enum om_err om_lane_ask(struct om_lane_relay *r, om_time now, const struct om_id *to, void *peer,
                        struct om_lane **out)
{
    enum om_err e;

    for (struct om_link *k = om_list_first(&r->all); k; k = om_list_next(&r->all, k)) {
        struct om_lane *lane = OM_CONTAINER_OF(k, struct om_lane, of_relay);
        if (lane->is_asker && om_id_equal(&lane->to, to)) {
            *out = lane;
            return OM_E_EXISTS;
        }
    }
    e = lane_new(r, now + resend_after(0), out);
    if (e != OM_OK)
        return e;
    (*out)->state = OM_LANE_ASKED;
    (*out)->is_asker = true;
    (*out)->to = *to;
    (*out)->peer = peer;
    (*out)->says_offer = true;
    r->lanes->counts.asked++;
    note(*out);
    return OM_OK;
}

void om_lane_set_handshake(struct om_lane *lane, struct om_bytes h)
{
    OM_BUG_IF(h.n > sizeof lane->handshake);
    if (h.n > 0)
        memcpy(lane->handshake, h.p, h.n);
    lane->handshake_len = h.n;
}

/* The frame names the keys as the relay does: to the end, then from it. */
static void take_keys(struct om_lane *lane, uint32_t send_id,
                      const uint8_t keys[static OM_LANE_KEYS_BYTES])
{
    uint8_t ours[OM_LANE_KEYS_BYTES];

    memcpy(ours, keys + OM_LANE_KEY_BYTES, OM_LANE_KEY_BYTES);
    memcpy(ours + OM_LANE_KEY_BYTES, keys, OM_LANE_KEY_BYTES);
    om_hop_init(&lane->hop, lane->id, send_id, ours);
    sodium_memzero(ours, sizeof ours);
}

static void take_word(struct om_lane *lane, om_time now, const struct om_addr *seen, uint16_t age_s)
{
    lane->seen = *seen;
    lane->seen_at = now - OM_SEC(age_s);
    lane->heard = now;
}

static struct om_lane *with_send_id(const struct om_lane_relay *r, uint32_t send_id)
{
    for (struct om_link *k = om_list_first(&r->all); k; k = om_list_next(&r->all, k)) {
        struct om_lane *lane = OM_CONTAINER_OF(k, struct om_lane, of_relay);
        if (lane->hop.send_id == send_id)
            return lane;
    }
    return NULL;
}

struct om_lane *om_lanes_offer(struct om_lane_relay *r, om_time now,
                               const struct om_frame_lane_offer *f)
{
    struct om_lane *lane = with_send_id(r, f->lane);
    enum om_err e;

    r->lanes->counts.offered++;
    if (!om_bucket_take(&r->offers, now, 1)) {
        r->lanes->counts.offers_over_rate++;
        return NULL;
    }
    if (lane) {
        lane->says_accept = lane->state == OM_LANE_OPEN && !lane->is_asker;
        if (lane->says_accept) {
            take_word(lane, now, &f->seen, f->age_s);
            note(lane);
        }
        return NULL;
    }
    e = lane_new(r, now + OM_SEC(OM_LANES_ANSWER_S), &lane);
    if (e != OM_OK) {
        r->lanes->counts.refused++;
        say(r, f->lane, OM_LANE_FULL);
        return NULL;
    }
    lane->state = OM_LANE_OFFERED;
    take_keys(lane, f->lane, f->keys);
    take_word(lane, now, &f->seen, f->age_s);
    om_lane_set_handshake(lane, f->handshake);
    lane->says_state = true;
    note(lane);
    return lane;
}

static void open_lane(struct om_lane *lane, om_time now)
{
    lane->state = OM_LANE_OPEN;
    lane->was_open = true;
    lane->says_state = true;
    lane->lanes->counts.opened++;
    /* It was armed: no memory is needed. */
    (void)om_timer_arm(&lane->lanes->timers, &lane->timer, now + OM_SEC(OM_LANES_IDLE_S));
    note(lane);
}

void om_lane_again(struct om_lane *lane)
{
    if (lane->state != OM_LANE_OPEN || !lane->is_asker)
        return;
    lane->handshake_len = 0;
    lane->says_offer = true;
    note(lane);
}

void om_lane_answer(struct om_lane *lane, om_time now)
{
    OM_BUG_IF(lane->state != OM_LANE_OFFERED);
    lane->says_accept = true;
    open_lane(lane, now);
}

void om_lane_decline(struct om_lane *lane, enum om_lane_reason reason)
{
    OM_BUG_IF(lane->state != OM_LANE_OFFERED);
    lane->lanes->counts.refused++;
    say(lane->relay, lane->hop.send_id, (uint8_t)reason);
    end(lane, (uint8_t)reason, false);
}

/* The lane through @r that has our id @id. */
static struct om_lane *find(const struct om_lane_relay *r, uint32_t id)
{
    struct om_index_entry *e = om_index_find(r->lanes->indices, id);
    struct om_lane *lane = e && e->kind == OM_INDEX_LANE ? e->owner : NULL;

    return lane && lane->relay == r ? lane : NULL;
}

struct om_lane *om_lanes_bound(struct om_lane_relay *r, om_time now,
                               const struct om_frame_lane_bound *f)
{
    struct om_lane *lane = find(r, f->lane);

    if (lane && lane->state == OM_LANE_OPEN && lane->is_asker) {
        if (lane->hop.send_id != f->send_id) /* it had forgotten */
            take_keys(lane, f->send_id, f->keys);
        take_word(lane, now, &f->seen, f->age_s);
        return NULL;
    }
    if (!lane || lane->state != OM_LANE_ASKED) {
        say(r, f->send_id, 0); /* we gave up meanwhile */
        return NULL;
    }
    take_keys(lane, f->send_id, f->keys);
    take_word(lane, now, &f->seen, f->age_s);
    lane->says_offer = false;
    om_lane_set_handshake(lane, f->handshake);
    r->was_bound = true;
    open_lane(lane, now);
    return lane;
}

struct om_lane *om_lanes_refused(struct om_lane_relay *r, const struct om_frame_lane_refuse *f)
{
    struct om_lane *lane = find(r, f->lane);

    if (!lane || lane->state != OM_LANE_ASKED)
        return NULL;
    r->lanes->counts.refused++;
    end(lane, f->reason, true);
    return lane;
}

bool om_lanes_closed(struct om_lane_relay *r, uint32_t id)
{
    struct om_lane *lane = find(r, id);

    if (!lane)
        return false;
    end(lane, 0, lane->state != OM_LANE_OFFERED);
    return true;
}

bool om_lane_take(struct om_lane *lane, om_time now, const struct om_lane_header *header,
                  struct om_bytes dgram)
{
    struct om_lanes_counts *c = &lane->lanes->counts;
    enum om_err e = lane->hop.receive_id ? om_hop_check(&lane->hop, header, dgram) : OM_E_CRYPTO;

    if (e != OM_OK) {
        *(e == OM_E_CRYPTO ? &c->forged : &c->replayed) += 1;
        return false;
    }
    lane->heard = now;
    return lane->state == OM_LANE_OPEN;
}

void om_lanes_tick(struct om_lanes *l, om_time now)
{
    om_timers_run(&l->timers, now);
}

om_time om_lanes_deadline(const struct om_lanes *l)
{
    return om_timers_deadline(&l->timers);
}

static void say_offer(const struct om_lane *lane, struct om_lane_act *out)
{
    out->frame.type = OM_FRAME_LANE_OFFER;
    out->frame.lane_offer =
        (struct om_frame_lane_offer){.is_asked = true,
                                     .peer = lane->to,
                                     .lane = lane->id,
                                     .handshake = om_bytes(lane->handshake, lane->handshake_len)};
}

static void say_accept(const struct om_lane *lane, struct om_lane_act *out)
{
    out->frame.type = OM_FRAME_LANE_ACCEPT;
    out->frame.lane_accept = (struct om_frame_lane_accept){
        lane->hop.send_id, lane->id, om_bytes(lane->handshake, lane->handshake_len)};
}

/* The next thing about @lane, which leaves the list with the last. */
static void tell(struct om_lanes *l, struct om_lane *lane, struct om_lane_act *out)
{
    out->lane = lane;
    out->relay = lane->relay;
    out->kind = OM_LANE_SAY;
    if (lane->says_offer) {
        say_offer(lane, out);
        lane->says_offer = false;
    } else if (lane->says_accept) {
        say_accept(lane, out);
        lane->says_accept = false;
    } else {
        out->kind = lane->state == OM_LANE_OVER      ? OM_LANE_DOWN
                    : lane->state == OM_LANE_OFFERED ? OM_LANE_WANTED
                                                     : OM_LANE_UP;
        lane->says_state = false;
    }
    if (lane->says_offer || lane->says_accept || lane->says_state)
        return;
    om_list_remove(&lane->todo);
    if (lane->state == OM_LANE_OVER)
        om_list_push_back(&l->over, &lane->todo);
}

bool om_lanes_next(struct om_lanes *l, struct om_lane_act *out)
{
    struct om_lanes_word *w;
    struct om_link *link;

    free_all(&l->over);
    out->frame.is_known = true;
    while ((w = om_ring_front(&l->words)) != NULL) {
        out->kind = OM_LANE_SAY;
        out->relay = w->to;
        out->lane = NULL;
        out->frame.type = w->reason ? OM_FRAME_LANE_REFUSE : OM_FRAME_LANE_CLOSE;
        if (w->reason)
            out->frame.lane_refuse = (struct om_frame_lane_refuse){w->lane, w->reason};
        else
            out->frame.lane_close = w->lane;
        om_ring_pop(&l->words);
        if (out->relay)
            return true;
    }
    link = om_list_first(&l->todo);
    if (!link)
        return false;
    tell(l, OM_CONTAINER_OF(link, struct om_lane, todo), out);
    return true;
}
