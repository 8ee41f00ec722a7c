/* node_in.c - what arrives: find its key and session, open it, hand its frames on. */
#include "node/join.h"
#include "node/keep.h"
#include "node/lane.h"
#include "node/ledger.h"
#include "node/member.h"
#include "node/services.h"
#include "node/size.h"
#include "node/study.h"

/* Consecutive datagrams of one session. OM_BATCH_MAX at a time are opened together; what they bring
 * is acted on once, at the end: one ACK and one look at each stream for all of them. */
struct run {
    struct om_session *session; /* NULL: it ended on the way */
    struct om_peer *peer;       /* who is owed the end; NULL: nobody */
    struct om_incoming in[OM_BATCH_MAX];
    const struct om_via *via[OM_BATCH_MAX];
    unsigned count;
};

void node_confirmed(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s)
{
    struct om_confirmed c = om_association_confirm(p->assoc, &n->sessions, now, s);

    if (c.restarted) {
        n->counts.restarts++;
        om_carrier_restart(p->carrier, now);
        node_lane_end(p); /* it forgot them */
        node_punch_anew(p, now);
        om_paths_restarted(p->paths, now);
        node_end_handshake(n, p); /* an answer by the old life would seem one more restart */
        node_event(n, now, &(struct om_event){.kind = OM_EVENT_PEER_RESTARTED, .peer = p->id});
    }
    n->counts.sessions_made++;
    n->counts.rekeys += !c.first;
    p->sessions_made++;
    p->had_session = true;
    p->last_epoch = s->epoch->number;
    if (p->handshake)
        p->handshake->is_settled = true;
    om_carrier_wake(p->carrier, now);
    if (c.first || c.restarted)
        p->told = 0;
    if (c.restarted)
        p->said_any = false;
    if (c.first && !s->initiated)
        node_send_ping(n, now, p, s); /* who began does so anyway: both learn how they are seen */
    node_join_up(n, p);
    if (s->session_class == OM_CLASS_FULL) {
        node_where_tell(n, now, p);
        node_gossip_up(n, now, p);
        node_service_up(n, now, p);
    }
    if (s->session_class == OM_CLASS_FULL || s->session_class == OM_CLASS_RESYNC)
        node_ledger_up(n, now, p, s->session_class == OM_CLASS_RESYNC);
    struct om_event e = {.kind = c.first ? OM_EVENT_SESSION_UP : OM_EVENT_SESSION_REKEYED,
                         .peer = p->id,
                         .a = s->local,
                         .b = s->initiated};
    if (om_peer_via(p))
        e.addr = om_peer_via(p)->remote;
    node_event(n, now, &e);
}

static void deliver(struct om_node *n, struct om_peer *p, const struct om_frame_datagram *d)
{
    struct om_act *a;

    if (node_gossip_datagram(n, n->now, p, d) || node_probe_datagram(n, n->now, p, d))
        return;
    a = node_act(n, OM_ACT_DELIVER);
    if (!a)
        return;
    a->deliver = (struct om_act_deliver){.network = p->net->id, .peer = p->id, .data = d->data};
    memcpy(a->deliver.channel, d->channel, sizeof a->deliver.channel);
}

static void answer_ping(struct om_node *n, om_time now, struct om_peer *p, uint64_t token,
                        const struct om_via *via)
{
    struct om_frame_pong pong = {.token = token, .seen = via->remote};
    struct om_buf *b;

    if (!om_bucket_take(&p->assoc->pongs, now, 1)) {
        node_drop(n, OM_DROP_PING_RATE);
        return;
    }
    b = node_plain(n);
    if (b) {
        struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_PONG_SIZE), OM_PONG_SIZE));
        om_frame_write_pong(&w, &pong);
    }
    if (node_path_asked(n, now, p, via))
        node_send_over(n, now, p, om_association_sealing(p->assoc, now), b, via);
    else
        node_send_now(n, now, p, om_association_sealing(p->assoc, now), b);
}

/* What was asked over one path and answered over another is no round trip of either. */
static bool is_own_path(const struct om_peer *p, const struct om_via *via)
{
    const struct om_via *active = om_peer_via(p);

    return active && om_via_equal(active, via);
}

static void on_pong(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                    const struct om_frame_pong *pong)
{
    const struct om_rtt had = p->assoc->rtt;
    om_time rtt = 0;

    if (node_study_pong(n, now, p, pong) || node_filter_pong(n, now, p, via, pong->token) ||
        node_keep_on_pong(n, now, p, via, pong->token))
        return;
    bool is_asked = om_association_on_pong(p->assoc, now, pong, &rtt);

    if (!is_own_path(p, via) && had.smoothed != 0)
        p->assoc->rtt = had;
    om_association_answered(p->assoc); /* also by one whose PING we have forgotten */
    if (rtt > 0)
        node_where_seen(n, now, p, via, &pong->seen, rtt);
    if (!is_asked)
        return;
    struct om_act *a = node_act(n, OM_ACT_PONG);
    if (a)
        a->pong = (struct om_act_pong){p->net->id, p->id, pong->token, rtt};
}

static void on_close(struct om_node *n, om_time now, struct om_peer *p,
                     const struct om_frame_close *c)
{
    node_event(n, now, &(struct om_event){.kind = OM_EVENT_CLOSED, .peer = p->id, .a = c->code});
    node_end_handshake(n, p); /* it named the association that ends; its answer may still come */
    node_forget_association(n, p);
    if (p->is_wanted)
        node_need_session(n, now, p);
}

/* False when the association ended. */
static bool on_ack(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                   const struct om_frame_ack *ack)
{
    uint64_t had = p->carrier->loss.delivered;
    const struct om_rtt rtt = p->assoc->rtt;
    enum om_err e = om_loss_on_ack(&p->carrier->loss, now, ack);

    if (!is_own_path(p, via) && rtt.smoothed != 0)
        p->assoc->rtt = rtt;
    if (e == OM_OK) {
        if (p->carrier->loss.delivered != had) /* an old ACK may come while nothing arrives */
            om_association_answered(p->assoc);
        return true;
    }
    node_drop(n, OM_DROP_FRAME);
    node_close(n, now, p, OM_CLOSE_PROTOCOL, "acknowledged what was never sent");
    return false;
}

/* False when the association ended. @is_kept becomes false when there is no memory for what the
 * frame carries: then its packet is not acknowledged, and comes again. */
static bool on_stream(struct om_node *n, om_time now, struct om_peer *p, const struct om_frame *f,
                      bool *is_kept)
{
    enum om_err e = om_mux_input(&p->carrier->mux, now, p->assoc->rtt.smoothed, f);

    if (e == OM_OK)
        return true;
    if (e == OM_E_NO_MEM || e == OM_E_BUSY) {
        node_drop(n, OM_DROP_MEMORY);
        *is_kept = false;
        return true;
    }
    node_drop(n, OM_DROP_STREAM);
    if (e == OM_E_FULL)
        node_close(n, now, p, OM_CLOSE_LIMIT, "more than was granted");
    else
        node_close(n, now, p, OM_CLOSE_PROTOCOL, "impossible stream frame");
    return false;
}

/* False when the association ended. */
static bool on_candidates(struct om_node *n, om_time now, struct om_peer *p, struct om_bytes body)
{
    if (node_where_on_candidates(n, now, p, body))
        return true;
    node_drop(n, OM_DROP_FRAME);
    node_close(n, now, p, OM_CLOSE_PROTOCOL, "malformed candidates");
    return false;
}

/* What one packet may be too small for; false when @f is none of it. */
static bool on_large(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_frame *f)
{
    if (f->type == OM_FRAME_DATAGRAM)
        deliver(n, p, &f->datagram);
    else if (f->type == OM_FRAME_IP)
        node_ip_frame(n, p, f->ip);
    else if (f->type >= OM_FRAME_LANE_OFFER && f->type <= OM_FRAME_LANE_CLOSE)
        node_lane_frame(n, now, p, via, f);
    else
        return false;
    return true;
}

/* False when the association ended. */
static bool on_slice(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_frame_slice *slice)
{
    struct om_rd r = om_rd(node_slice_frame(n, now, p, slice));
    struct om_frame f;
    enum om_err e;

    while ((e = om_frame_next(&r, &f)) == OM_OK)
        if (!on_large(n, now, p, via, &f))
            node_drop(n, OM_DROP_SLICE);
    if (e == OM_E_MISSING)
        return true;
    node_drop(n, OM_DROP_FRAME);
    node_close(n, now, p, OM_CLOSE_PROTOCOL, "malformed frame in slices");
    return false;
}

/* False when the association ended. */
static bool on_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_frame *f, bool *is_kept)
{
    if (!f->is_known)
        return true;
    switch ((enum om_frame_type)f->type) {
    case OM_FRAME_PAD:
        return true;
    case OM_FRAME_PING:
        answer_ping(n, now, p, f->ping, via);
        return true;
    case OM_FRAME_PONG:
        on_pong(n, now, p, via, &f->pong);
        return true;
    case OM_FRAME_ACK:
        return on_ack(n, now, p, via, &f->ack);
    case OM_FRAME_STREAM:
    case OM_FRAME_STREAM_CREDIT:
    case OM_FRAME_STREAM_RESET:
    case OM_FRAME_STREAM_STOP:
        return on_stream(n, now, p, f, is_kept);
    case OM_FRAME_PATH_CHALLENGE:
        node_path_on_challenge(n, now, p, via, f->path);
        return true;
    case OM_FRAME_PATH_RESPONSE:
        node_path_on_response(n, now, p, f->path);
        return true;
    case OM_FRAME_CANDIDATES:
        return on_candidates(n, now, p, f->candidates);
    case OM_FRAME_PUNCH:
        node_punch_frame(n, now, p, via, &f->punch);
        return true;
    case OM_FRAME_DATAGRAM:
    case OM_FRAME_IP:
    case OM_FRAME_LANE_OFFER:
    case OM_FRAME_LANE_ACCEPT:
    case OM_FRAME_LANE_REFUSE:
    case OM_FRAME_LANE_BOUND:
    case OM_FRAME_LANE_CLOSE:
        return on_large(n, now, p, via, f);
    case OM_FRAME_MTU_PROBE:
    case OM_FRAME_PING_LATER: /* on_packet() has seen to it */
        return true;
    case OM_FRAME_SLICE:
        return on_slice(n, now, p, via, &f->slice);
    case OM_FRAME_CLOSE:
        on_close(n, now, p, &f->close);
        return false;
    }
    return true;
}

/* May @s be confirmed? If not, the association ended. */
static bool is_welcome(struct om_node *n, om_time now, struct om_peer *p,
                       const struct om_session *s)
{
    bool is_first = om_pins_take(&p->net->pins, &p->id); /* else somebody was faster */
    bool is_owed = s->session_class != OM_CLASS_FULL && !p->assoc->carry && node_member_is_owed(p);

    if (is_first && !is_owed)
        return true;
    node_drop(n, OM_DROP_HS_CREDENTIAL); /* owed since it was answered: it may ask again */
    node_close(n, now, p, OM_CLOSE_REFUSED, is_first ? "certificate expired" : "");
    return false;
}

/* False when the association, and so the session, ended. */
static bool on_packet(struct om_node *n, om_time now, struct om_session *s,
                      const struct om_incoming *in, const struct om_via *via)
{
    struct om_peer *p = s->peer;
    struct om_association *a = p->assoc;
    struct om_rd r = om_rd(om_bytes(in->plain.p, in->plain.n));
    bool is_eliciting = false, is_kept = true, is_moving = false;
    unsigned answered = 0;
    bool is_punch = via->lane == 0 && in->plain.n > 0 && in->plain.p[0] == OM_FRAME_PUNCH;
    bool is_later = om_frame_is_later(om_bytes(in->plain.p, in->plain.n));
    /* Of a trial, or of ways that are tried, of which only the one found is a path. */
    bool is_aside = is_punch || is_later || node_keep_is_spare(p, via);
    size_t bytes = in->plain.n + OM_OVERHEAD;
    struct om_frame f;
    enum om_err e;

    s->is_heard = true;
    s->bytes_in += bytes;
    p->is_wanted = false;
    if (now - p->heard_at > OM_MS(OM_BACK_MS))
        node_is_back(n, now, p);
    p->heard_at = now;
    p->owed_since = OM_NEVER;
    p->last_asked = 0;
    p->in.datagrams++;
    p->in.bytes += bytes;
    if (!s->is_confirmed) {
        if (!is_welcome(n, now, p, s))
            return false;
        if (!is_aside)
            node_path_confirmed(p, now, s, via, bytes);
        node_confirmed(n, now, p, s);
    }
    bool is_newest = a->acks.count == 0 || in->counter > a->acks.runs[0].high;
    while ((e = om_frame_next(&r, &f)) == OM_OK) {
        if (!node_member_may_say(s->session_class, f.type)) {
            node_drop(n, OM_DROP_CLASS);
            continue;
        }
        is_eliciting |= om_frame_is_eliciting(f.type);
        is_moving |= om_frame_is_moving(f.type);
        if (!om_frame_may_answer(&f, is_later, &answered))
            continue;
        if (is_later && f.type == OM_FRAME_PING_LATER)
            node_later_on_ping(n, now, p, via, in->plain.n, &f.ping_later);
        if (!on_frame(n, now, p, via, &f, &is_kept))
            return false;
    }
    if (e == OM_E_PARSE) {
        node_drop(n, OM_DROP_FRAME);
        node_close(n, now, p, OM_CLOSE_PROTOCOL, "malformed frame");
        return false;
    }
    if (s->session_class != OM_CLASS_FULL && s->session_class != OM_CLASS_RESYNC &&
        s->bytes_in > OM_CLASS_BYTES_MAX) {
        node_drop(n, OM_DROP_CLASS);
        node_close(n, now, p, OM_CLOSE_LIMIT, "more than who is no member may send");
        return false;
    }
    node_keep_heard(n, now, p, via);
    if (!is_aside)
        node_path_heard(n, now, p, via, bytes, is_newest && is_moving);
    if (!is_aside)
        node_lane_heard(p, now, via); /* after its frames: one may have proven the way */
    if (is_kept)
        om_acks_received(&a->acks, now, in->counter, is_eliciting);
    return true;
}

static void run_open(struct om_node *n, om_time now, struct run *run)
{
    struct om_session *s = run->session;

    if (!s || run->count == 0)
        return;
    run->peer = s->peer;
    om_session_count(s, now, run->count);
    om_open_many(s, run->in, run->count);
    for (unsigned i = 0; i < run->count; i++) {
        if (!run->in[i].is_open) {
            node_drop(n, run->in[i].why);
            continue;
        }
        if (!on_packet(n, now, s, &run->in[i], run->via[i])) {
            run->session = NULL; /* it is gone, and what else came under it */
            break;
        }
    }
    run->count = 0;
}

static void run_end(struct om_node *n, om_time now, struct run *run)
{
    run_open(n, now, run);
    struct om_peer *p = run->peer;
    run->session = NULL;
    run->peer = NULL;
    if (!p)
        return;
    node_serve(n, now, p);
    if (p->carrier && p->carrier->word_lost)
        node_where_tell(n, now, p);
    node_path_run(n, now, p);
    node_punch_run(n, now, p);
    node_keep_run(n, now, p);
    node_flush(n, now, p);
    if (p->assoc && p->assoc->acks.due <= now)
        node_send_ack(n, now, p);
    node_rearm(n, now, p);
}

/* The session that index and counter of an unmasked header name under @epoch, or NULL. */
static struct om_session *find_session(const struct om_node *n, const struct om_epoch *epoch,
                                       uint32_t index)
{
    struct om_index_entry *e = om_index_find(&n->sessions.indices, index);
    struct om_session *s = e && e->kind == OM_INDEX_SESSION ? e->owner : NULL;

    return s && s->epoch == epoch ? s : NULL;
}

static void data_input(struct om_node *n, om_time now, struct om_dgram *d, struct om_epoch *epoch,
                       const uint8_t header[static OM_HEADER_BYTES], struct run *run)
{
    struct om_header h = om_header_decode(header);
    struct om_session *s = find_session(n, epoch, h.index);

    if (run->session == s && run->count == OM_BATCH_MAX)
        run_open(n, now, run);
    if (run->session != s) {
        run_end(n, now, run);
        s = find_session(n, epoch, h.index); /* what ran may have ended it */
    }
    if (s && s->failed_opens >= n->limits.failed_opens_max) {
        s->receive_until = now; /* PROTOCOL 2: such a key closes */
        node_rearm(n, now, s->peer);
    }
    if (!s || now >= s->receive_until) {
        node_drop(n, OM_DROP_DEAD_KEY);
        return;
    }
    struct om_incoming *in = &run->in[run->count];
    in->dgram = om_mut(d->data, d->len);
    memcpy(in->header, header, OM_HEADER_BYTES);
    in->counter = h.counter;
    run->session = s;
    run->via[run->count++] = &d->via;
}

/* Receiver index 0: a handshake, if T says so. False when the key was another. */
static bool handshake_input(struct om_node *n, om_time now, struct om_dgram *d,
                            struct om_epoch *epoch, const uint8_t header[static OM_HEADER_BYTES])
{
    const struct om_identity *self = &epoch->network->self;
    struct om_handshake_plain plain;
    struct om_index_entry *entry;
    enum om_err e = om_handshake_unmask(&plain, epoch, om_bytes(d->data, d->len), header);

    if (e == OM_E_UNSUPPORTED)
        node_drop(n, OM_DROP_HS_VERSION);
    if (e != OM_OK)
        return e == OM_E_UNSUPPORTED;
    if (plain.kind == OM_HANDSHAKE_COOKIE) {
        entry = om_index_find(&n->sessions.indices, plain.receiver);
        if (!entry || entry->kind != OM_INDEX_HANDSHAKE)
            return false;
        struct om_peer *p = entry->owner;
        if (p->handshake->epoch != epoch || !om_handshake_knows_t(p->handshake, &plain))
            return false;
        node_on_cookie(n, now, &d->via, p, &plain);
        return true;
    }
    struct om_bytes bind = om_bytes(self->dh_public, sizeof self->dh_public);
    if (plain.kind == OM_HANDSHAKE_HELLO)
        bind = om_bytes(NULL, 0); /* it is for everybody */
    if (!om_handshake_verify(&plain, epoch, bind))
        return false;
    switch (plain.kind) {
    case OM_HANDSHAKE_INIT:
        node_on_init(n, now, &d->via, d->len, epoch, &plain);
        return true;
    case OM_HANDSHAKE_RESPONSE:
        node_on_response(n, now, &d->via, epoch, &plain);
        return true;
    case OM_HANDSHAKE_HELLO:
        if (epoch->is_join)
            break; /* only members announce themselves */
        node_on_hello(n, now, d, epoch, &plain);
        return true;
    }
    node_drop(n, OM_DROP_HS_KIND);
    return true;
}

static bool is_handshake_size(size_t n)
{
    return n >= OM_HANDSHAKE_MIN && n <= OM_HANDSHAKE_MAX;
}

/* As node_lane_input(), for what came directly. */
static enum node_lane_fate lane_input(struct om_node *n, om_time now, struct om_dgram *d,
                                      struct om_epoch *epoch, uint32_t index)
{
    struct om_via via = d->via;
    enum node_lane_fate fate;

    if (index == 0 || via.lane != 0)
        return NODE_LANE_NONE;
    fate = node_lane_input(n, now, d, epoch, index);
    if (fate != NODE_LANE_NONE)
        om_keyring_hit(&n->keyring, epoch, &via);
    return fate;
}

/* Tries the keys of the ring until one fits. Return: NODE_LANE_INNER when it was a lane's, and
 * what is left in @d, from inside it, is to be tried in its turn. */
static enum node_lane_fate try_keys(struct om_node *n, om_time now, struct om_dgram *d,
                                    struct run *run)
{
    bool maybe_handshake = is_handshake_size(d->len), spent = false;
    uint8_t header[OM_HEADER_BYTES];
    struct om_epoch *epoch;
    struct om_trial t;

    om_trial_begin(&t, &n->keyring, &d->via, maybe_handshake);
    while ((epoch = om_trial_next(&t, &n->keyring, now, &spent)) != NULL) {
        om_header_mask(d->via.lane ? epoch->lane_inner : epoch->mask, om_bytes(d->data, d->len),
                       header);
        uint32_t index = om_header_decode(header).index;
        bool accepts = maybe_handshake && om_epoch_accepts(epoch, now);
        if (index == 0 ? !accepts : !find_session(n, epoch, index)) {
            enum node_lane_fate fate = lane_input(n, now, d, epoch, index);
            if (fate != NODE_LANE_NONE)
                return fate;
            continue;
        }
        if (index == 0) {
            run_end(n, now, run);
            if (!handshake_input(n, now, d, epoch, header))
                continue;
        }
        /* Before data_input(): what that runs may end the epoch's last session, and so the epoch.
         */
        if (epoch != t.hint)
            om_keyring_hit(&n->keyring, epoch, &d->via);
        if (index != 0)
            data_input(n, now, d, epoch, header, run);
        return NODE_LANE_DONE;
    }
    node_drop(n, spent ? OM_DROP_TRY_BUDGET : OM_DROP_FOREIGN);
    return NODE_LANE_DONE;
}

static void demultiplex(struct om_node *n, om_time now, struct om_dgram *d, struct run *run)
{
    if (try_keys(n, now, d, run) == NODE_LANE_INNER)
        (void)try_keys(n, now, d, run);
}

void node_input_inner(struct om_node *n, om_time now, struct om_dgram *d)
{
    struct run run = {.count = 0};

    demultiplex(n, now, d, &run);
    run_end(n, now, &run);
}

void om_node_input(struct om_node *n, om_time now, struct om_dgram *batch, unsigned count)
{
    struct run run = {.count = 0};

    n->now = now;
    node_joined_free(n);
    for (unsigned i = 0; i < count; i++) {
        n->counts.datagrams_in++;
        n->counts.bytes_in += batch[i].len;
        if (batch[i].len < OM_OVERHEAD) {
            node_drop(n, OM_DROP_SIZE);
            continue;
        }
        demultiplex(n, now, &batch[i], &run);
    }
    run_end(n, now, &run);
}
