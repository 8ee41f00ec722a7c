/* node_lane.c - our own lanes: datagrams on them, and handshakes that travel in their offers. */
#include "node/keep.h"
#include "node/lane.h"
#include "node/member.h"
#include "node/services.h"
#include "node/why.h"

enum {
    OWED_S = 2,       /* unanswered for so long, a peer is asked for over relays too */
    SPARE_S = 60,     /* until a relay is asked again for a second lane, */
    SPARE_NONE_S = 10 /* or it is looked for one that could be */
};

enum om_err node_lane_start(struct om_node *n)
{
    const struct om_relay_limits limits = {
        .lanes_max = n->limits.relay_lanes,
        .lanes_per_end = n->limits.relay_lanes_per_peer,
        .rate_bytes = n->limits.relay_rate_bytes,
        .burst_bytes = n->limits.relay_rate_bytes,
    };

    om_lanes_init(&n->lanes, &n->network_count, &n->rng, &n->sessions.indices);
    n->lane_timer.fire = node_lane_tick;
    return om_relay_init(&n->relay, &limits, &n->network_count, &n->rng, &n->sessions.indices,
                         n->sip_key);
}

void node_lane_stop(struct om_node *n)
{
    om_timer_stop(&n->timers, &n->lane_timer);
    om_relay_fini(&n->relay);
    om_lanes_fini(&n->lanes);
}

const struct om_via *node_lane_direct(const struct om_peer *p)
{
    const struct om_path *best = p->paths ? om_paths_active(p->paths) : NULL;

    if (best && best->via.lane == 0)
        return &best->via;
    best = NULL;
    for (unsigned i = 0; p->paths && i < p->paths->count; i++) {
        const struct om_path *path = &p->paths->all[i];
        if (path->via.lane == 0 && path->state == OM_PATH_VALID &&
            (!best || om_path_score(path) < om_path_score(best)))
            best = path;
    }
    return best ? &best->via : NULL;
}

struct om_session *node_lane_session(const struct om_node *n, const struct om_peer *p)
{
    return p->assoc && node_lane_direct(p) ? om_peer_session(p, n->now) : NULL;
}

static struct om_lane *lane_at(const struct om_node *n, uint32_t id)
{
    struct om_index_entry *e = id ? om_index_find(&n->sessions.indices, id) : NULL;

    return e && e->kind == OM_INDEX_LANE ? e->owner : NULL;
}

const struct om_peer *node_lane_relay(const struct om_node *n, const struct om_via *via)
{
    const struct om_lane *lane = lane_at(n, via->lane);

    return lane ? lane->relay->user : NULL;
}

bool node_lane_seen(const struct om_node *n, const struct om_via *via, struct om_addr *seen,
                    om_time *at)
{
    const struct om_lane *lane = lane_at(n, via->lane);

    if (!lane || lane->seen.port == 0)
        return false;
    *seen = lane->seen;
    *at = lane->seen_at;
    return true;
}

bool node_lane_is_by_known(const struct om_node *n, const struct om_via *via)
{
    const struct om_lane *lane = lane_at(n, via->lane);

    return lane && lane->is_by_known;
}

void node_lane_renew(struct om_node *n, const struct om_via *via)
{
    struct om_lane *lane = lane_at(n, via->lane);

    if (lane)
        om_lane_again(lane);
}

bool node_lane_leads_to(const struct om_node *n, const struct om_via *via, const struct om_peer *p)
{
    const struct om_lane *lane = lane_at(n, via->lane);

    return lane && lane->peer == p;
}

bool node_lane_is_asked(const struct om_node *n, const struct om_via *via)
{
    const struct om_lane *lane = lane_at(n, via->lane);

    return lane && lane->state != OM_LANE_OPEN;
}

/* What is inside belongs to nobody until the lane's relay vouched for the outside. */
static enum node_lane_fate take(struct om_node *n, om_time now, struct om_dgram *d,
                                const struct om_epoch *epoch, struct om_lane *lane)
{
    const struct om_peer *relay = lane->relay->user;
    struct om_bytes whole = om_bytes(d->data, d->len);
    struct om_lane_header header;

    if (relay->net != epoch->network)
        return NODE_LANE_NONE;
    if (!om_lane_peek(epoch->mask, whole, &header) || !om_lane_take(lane, now, &header, whole)) {
        node_drop(n, OM_DROP_LANE);
        return NODE_LANE_DONE;
    }
    d->data += OM_LANE_BYTES;
    d->len -= OM_LANE_BYTES;
    d->via = (struct om_via){.lane = lane->id};
    return NODE_LANE_INNER;
}

enum node_lane_fate node_lane_input(struct om_node *n, om_time now, struct om_dgram *d,
                                    const struct om_epoch *epoch, uint32_t index)
{
    struct om_index_entry *e = om_index_find(&n->sessions.indices, index);

    if (e && e->kind == OM_INDEX_LANE)
        return take(n, now, d, epoch, e->owner);
    if (e && e->kind == OM_INDEX_RELAY) {
        struct om_relay_leg *leg = e->owner;
        const struct om_peer *end = leg->end->user;
        if (end->net != epoch->network)
            return NODE_LANE_NONE;
        node_relay_carry(n, now, d, epoch, leg);
        return NODE_LANE_DONE;
    }
    return NODE_LANE_NONE;
}

bool node_lane_output(struct om_node *n, struct om_sealed *d, const struct om_epoch *epoch,
                      struct om_via *via)
{
    struct om_lane *lane = lane_at(n, via->lane);
    struct om_peer *relay = lane ? lane->relay->user : NULL;
    struct om_session *s = relay ? node_lane_session(n, relay) : NULL;
    struct om_mut whole;

    if (lane)
        om_sealed_remask(d, epoch->mask, epoch->lane_inner);
    if (lane && lane->state != OM_LANE_OPEN) {
        struct om_bytes bytes = om_sealed_bytes(d);
        if (bytes.n <= OM_HANDSHAKE_MAX)
            om_lane_set_handshake(lane, bytes);
        return false;
    }
    whole = s ? om_sealed_lane(d) : om_mut(NULL, 0);
    if (!whole.p) {
        node_drop(n, OM_DROP_LANE);
        if (relay && !s)
            node_need_session(n, n->now, relay);
        return false;
    }
    om_hop_wrap(&lane->hop, s->epoch->mask, whole.p, whole.n);
    *via = *node_lane_direct(relay);
    node_keep_sent(relay, n->now, via);
    if (om_session_wants_rekey(s, n->now, &n->limits))
        node_need_session(n, n->now, relay); /* what goes over lanes is no packet of that session */
    return true;
}

void node_lane_say(struct om_node *n, struct om_peer *p, const struct om_frame *f)
{
    struct om_buf *b;

    if (!om_peer_session(p, n->now) || !(b = node_plain(n))) {
        node_drop(n, OM_DROP_LANE);
        return;
    }
    struct om_wr w = om_wr(om_mut(om_buf_data(b), OM_PLAIN_MAX));
    switch (f->type) {
    case OM_FRAME_LANE_OFFER:
        om_frame_write_lane_offer(&w, &f->lane_offer);
        break;
    case OM_FRAME_LANE_ACCEPT:
        om_frame_write_lane_accept(&w, &f->lane_accept);
        break;
    case OM_FRAME_LANE_BOUND:
        om_frame_write_lane_bound(&w, &f->lane_bound);
        break;
    case OM_FRAME_LANE_REFUSE:
        om_frame_write_lane_refuse(&w, &f->lane_refuse);
        break;
    case OM_FRAME_LANE_CLOSE:
        om_frame_write_lane_close(&w, f->lane_close);
        break;
    }
    om_buf_put(b, om_wr_len(&w));
    const struct om_via *direct = node_lane_direct(p), *active = om_peer_via(p);
    if (direct && active && active->lane != 0) /* which is nearer, but no way to speak of lanes */
        node_send_over(n, n->now, p, om_association_sealing(p->assoc, n->now), b, direct);
    else
        node_send_frames(n, n->now, p, b);
}

static struct om_lane_relay *relay_of(struct om_node *n, om_time now, struct om_peer *p)
{
    if (!p->lane_relay)
        p->lane_relay = om_lane_relay_new(&n->lanes, p, &p->net->id, now);
    if (!p->lane_relay)
        node_drop(n, OM_DROP_MEMORY);
    return p->lane_relay;
}

void node_lane_heard(struct om_peer *p, om_time now, const struct om_via *via)
{
    const struct om_path *path = p->paths ? om_paths_find(p->paths, via) : NULL;

    /* Far ends take our word for where it is: only somebody's packet is no reason for that. */
    if (p->relaying && via->lane == 0 && path && path->state == OM_PATH_VALID)
        om_relay_heard(p->relaying, now, &via->remote);
}

void node_lane_end(struct om_peer *p)
{
    om_relay_end_free(p->relaying);
    om_lane_relay_free(p->lane_relay);
    p->relaying = NULL;
    p->lane_relay = NULL;
}

/* May @r be asked for a lane to @p? It says that it relays, and we speak with it directly. */
static bool is_relay_for(const struct om_node *n, const struct om_peer *r, const struct om_peer *p)
{
    struct om_announce says;

    if (!node_member_is_full(r)) /* no records for us: those that the user or a link named */
        return r != p && r->net == p->net && node_lane_session(n, r) && r->is_typed;
    return r != p && r->net == p->net && node_lane_session(n, r) &&
           om_node_record(n, &r->net->id, &r->id, &says, NULL) == OM_OK && says.relays;
}

bool node_lane_may_reach(const struct om_node *n, const struct om_peer *p)
{
    void *r;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &r);)
        if (is_relay_for(n, r, p))
            return true;
    return false;
}

/* The relays that are best asked for a lane to @p, into @out; returns how many. Those that refused
 * one just now come last, if they @may_be_busy at all. */
static unsigned find_relays(const struct om_node *n, om_time now, const struct om_peer *p,
                            bool may_be_busy, struct om_peer *out[static OM_NODE_RELAYS_MAX])
{
    om_time scores[OM_NODE_RELAYS_MAX];
    unsigned count = 0;
    bool is_busy;
    void *r;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &r);) {
        struct om_peer *c = r;
        unsigned i = count;
        if (!is_relay_for(n, c, p))
            continue;
        om_time score = node_select_score(n, now, c, &is_busy);
        if (is_busy && !may_be_busy)
            continue;
        for (; i > 0 && score < scores[i - 1]; i--) {
            if (i == OM_NODE_RELAYS_MAX)
                continue;
            out[i] = out[i - 1];
            scores[i] = scores[i - 1];
        }
        if (i == OM_NODE_RELAYS_MAX)
            continue;
        out[i] = c;
        scores[i] = score;
        if (count < OM_NODE_RELAYS_MAX)
            count++;
    }
    return count;
}

/* Over lanes that are open; and it may be the relay that does not answer. */
static void send_copies(struct om_node *n, om_time now, struct om_peer *p,
                        const struct om_lane_relay *r)
{
    for (struct om_link *k = om_list_first(&r->all); k; k = om_list_next(&r->all, k)) {
        struct om_lane *lane = OM_CONTAINER_OF(k, struct om_lane, of_relay);
        if (lane->state != OM_LANE_OPEN || lane->peer != p)
            continue;
        node_send_copy(n, now, p, &(struct om_via){.lane = lane->id});
        om_lane_again(lane);
    }
}

/* Is there a way to @p over @relay, whoever of both asked for it? */
static bool leads_over(const struct om_node *n, const struct om_peer *p,
                       const struct om_peer *relay)
{
    for (unsigned i = 0; p->paths && i < p->paths->count; i++)
        if (node_lane_relay(n, &p->paths->all[i].via) == relay)
            return true;
    return false;
}

static bool is_shaking(const struct om_peer *p)
{
    return p->handshake && p->handshake->is_waiting && !p->handshake->is_settled;
}

/* Also over the lanes to @p that there are, if it @is_anew: a new msg1. Returns how many were asked
 * for another lane. */
static unsigned ask_relays(struct om_node *n, om_time now, struct om_peer *p, bool is_anew)
{
    struct om_peer *relays[OM_NODE_RELAYS_MAX];
    unsigned count = find_relays(n, now, p, is_anew, relays), asked = 0;
    struct om_lane *lane;

    for (unsigned i = 0; i < count; i++) {
        struct om_lane_relay *r = relay_of(n, now, relays[i]);
        if (!r)
            continue;
        if (is_anew)
            send_copies(n, now, p, r);
        else if (leads_over(n, p, relays[i]) ||
                 (!is_shaking(p) && r->count >= OM_LANES_PER_RELAY / 2))
            continue;
        if (om_lane_ask(r, now, &p->id, p, &lane) != OM_OK)
            continue;
        asked++;
        node_why_lane(p, now, relays[i], lane->id);
        if (is_shaking(p))
            node_send_copy(n, now, p, &(struct om_via){.lane = lane->id});
    }
    return asked;
}

void node_lane_initiate(struct om_node *n, om_time now, struct om_peer *p)
{
    bool is_here = om_peer_session(p, now) && om_peer_via(p);

    if (is_here && (p->owed_since == OM_NEVER || now - p->owed_since < OM_SEC(OWED_S)))
        return; /* it is only time for new keys */
    (void)ask_relays(n, now, p, true);
}

void node_lane_spare(struct om_node *n, om_time now, struct om_peer *p)
{
    const struct om_via *via = om_peer_via(p);

    if (now < p->spare_at || !via || via->lane == 0 || !om_peer_session(p, now))
        return;
    p->spare_at = now + OM_SEC(SPARE_NONE_S);
    if (n->lanes.shares.rows < OM_LANES_MAX / 2 && ask_relays(n, now, p, false) > 0)
        p->spare_at = now + OM_SEC(SPARE_S);
}

/* A relay that has enough to do is known for it, and another one asked at once. One that has no
 * spare lane to somebody is not: the far end may be what is full. */
static void on_refused(struct om_node *n, om_time now, struct om_peer *relay,
                       const struct om_frame_lane_refuse *f)
{
    const struct om_lane *lane = om_lanes_refused(relay->lane_relay, f);
    bool is_busy;

    if (!lane || (f->reason != OM_LANE_FULL && f->reason != OM_LANE_RATE))
        return;
    struct om_peer *p = lane->peer;
    if (!p || !is_shaking(p))
        return;
    node_select_refused(n, now, relay);
    (void)node_select_score(n, now, relay, &is_busy);
    /* One that cannot be remembered to be busy would be asked again, without end. */
    if (is_busy)
        (void)ask_relays(n, now, p, false);
}

void node_lane_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_frame *f)
{
    bool is_for_end = f->type == OM_FRAME_LANE_BOUND ||
                      (f->type == OM_FRAME_LANE_OFFER && !f->lane_offer.is_asked);

    if (!is_for_end)
        node_relay_frame(n, now, p, via, f);
    if (via->lane != 0 || (f->type == OM_FRAME_LANE_OFFER && !is_for_end) || !relay_of(n, now, p))
        return;
    switch (f->type) {
    case OM_FRAME_LANE_OFFER:
        om_lanes_offer(p->lane_relay, now, &f->lane_offer);
        break;
    case OM_FRAME_LANE_BOUND:
        om_lanes_bound(p->lane_relay, now, &f->lane_bound);
        break;
    case OM_FRAME_LANE_REFUSE:
        on_refused(n, now, p, &f->lane_refuse);
        break;
    case OM_FRAME_LANE_CLOSE:
        om_lanes_closed(p->lane_relay, f->lane_close);
        break;
    }
}

static void tell(struct om_node *n, enum om_event_kind kind, const struct om_peer *relay,
                 const struct om_lane *lane)
{
    node_event(n, n->now,
               &(struct om_event){.kind = kind,
                                  .peer = relay ? relay->id : lane->to,
                                  .addr = lane->seen,
                                  .a = lane->id,
                                  .b = lane->reason});
}

/* Takes the handshake that @lane brought; what answers it is kept in its place if the lane is not
 * open yet. */
static void take_handshake(struct om_node *n, struct om_lane *lane)
{
    struct om_dgram d = {
        .via = {.lane = lane->id}, .data = lane->handshake, .len = lane->handshake_len};

    lane->handshake_len = 0;
    if (d.len > 0)
        node_input_inner(n, n->now, &d);
}

static void consider(struct om_node *n, struct om_lane *lane)
{
    bool has_handshake = lane->handshake_len > 0;

    take_handshake(n, lane);
    if (lane->state != OM_LANE_OFFERED)
        return;
    if (has_handshake && lane->handshake_len == 0)
        om_lane_decline(lane, OM_LANE_DENIED);
    else
        om_lane_answer(lane, n->now);
}

static void opened(struct om_node *n, struct om_lane *lane, const struct om_peer *relay)
{
    struct om_peer *p = lane->peer;

    tell(n, OM_EVENT_LANE_UP, relay, lane);
    if (!p) /* we were asked for it */
        return;
    node_why_laned(p, n->now, lane);
    take_handshake(n, lane);
    if (lane->peer != p) /* what came was a stranger's, who took its place in a full table */
        return;
    if (p->paths) /* also where a direct way answered first: it is what data falls back on */
        (void)om_paths_add(p->paths, n->now, &(struct om_via){.lane = lane->id}, OM_PATH_SAID);
    if (p->handshake && p->handshake->is_waiting && !p->handshake->is_settled)
        node_send_copy(n, n->now, p, &(struct om_via){.lane = lane->id});
}

static void closed(struct om_node *n, const struct om_lane *lane)
{
    const struct om_via via = {.lane = lane->id};
    void *value;

    if (lane->was_open || lane->is_asker)
        tell(n, OM_EVENT_LANE_DOWN, NULL, lane);
    if (lane->peer)
        node_why_laned(lane->peer, n->now, lane);
    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (!p->paths || !om_paths_find(p->paths, &via))
            continue;
        om_paths_remove(p->paths, n->now, &via);
        node_path_run(n, n->now, p);
        if (!om_peer_via(p) && om_peer_session(p, n->now)) {
            node_need_session(n, n->now, p);
            node_rearm(n, n->now, p);
        }
    }
}

void node_lane_forget(struct om_node *n, const struct om_peer *p)
{
    void *r;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &r);) {
        const struct om_lane_relay *of = ((const struct om_peer *)r)->lane_relay;
        for (struct om_link *k = of ? om_list_first(&of->all) : NULL, *next; k; k = next) {
            struct om_lane *lane = OM_CONTAINER_OF(k, struct om_lane, of_relay);
            next = om_list_next(&of->all, k);
            if (lane->peer != p)
                continue;
            om_lane_end(lane);
            lane->peer = NULL;
        }
    }
}

void node_lane_tick(struct om_timer *t, om_time now)
{
    struct om_node *n = OM_CONTAINER_OF(t, struct om_node, lane_timer);

    om_relay_tick(&n->relay, now);
    om_lanes_tick(&n->lanes, now);
}

static void rearm(struct om_node *n)
{
    om_time at = om_time_min(om_relay_deadline(&n->relay), om_lanes_deadline(&n->lanes));

    if (at == OM_NEVER)
        om_timer_stop(&n->timers, &n->lane_timer);
    else if ((!om_timer_is_armed(&n->lane_timer) || n->lane_timer.at != at) &&
             om_timer_arm(&n->timers, &n->lane_timer, at) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

enum node_step node_lane_next(struct om_node *n)
{
    struct om_relay_act said;
    struct om_lane_act act;

    if (om_relay_next(&n->relay, n->now, &said)) {
        node_lane_say(n, said.to->user, &said.frame);
        return NODE_WORKED;
    }
    if (!om_lanes_next(&n->lanes, &act)) {
        rearm(n);
        return NODE_IDLE;
    }
    switch (act.kind) {
    case OM_LANE_SAY:
        node_lane_say(n, act.relay->user, &act.frame);
        break;
    case OM_LANE_WANTED:
        consider(n, act.lane);
        break;
    case OM_LANE_UP:
        opened(n, act.lane, act.relay->user);
        break;
    case OM_LANE_DOWN:
        closed(n, act.lane);
        break;
    }
    return NODE_WORKED;
}
