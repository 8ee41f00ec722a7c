/* node_out.c - actions, and the one way by which packets are sealed and leave. */
#include "envelope/audit.h"
#include "node/state.h"

void node_drop(struct om_node *n, enum om_drop why)
{
    n->counts.drops[why]++;
}

struct om_act *node_act(struct om_node *n, enum om_act_kind kind)
{
    bool must_go = kind == OM_ACT_SEND || kind == OM_ACT_REMEMBER;
    unsigned room = OM_ACTS_MAX - om_ring_count(&n->acts);
    struct om_act *a = NULL;

    /* What one member delivers must not keep a datagram from another. */
    if (must_go || room > OM_ACTS_RESERVED)
        a = om_ring_push(&n->acts);
    if (!a) {
        node_drop(n, OM_DROP_ACTS_FULL);
        return NULL;
    }
    a->kind = kind;
    return a;
}

void node_event(struct om_node *n, om_time now, const struct om_event *e)
{
    struct om_act *a = node_act(n, OM_ACT_EVENT);
    struct om_logline line;

    if (a) {
        a->event = *e;
        a->event.at = now;
    }
    om_log_begin(&line, n->log, OM_LOG_INFO, "node", om_event_name(e->kind));
    om_log_id(&line, "peer", &e->peer);
    om_log_u64(&line, "a", e->a);
    om_log_u64(&line, "b", e->b);
    om_log_end(&line);
}

struct om_buf *node_plain(struct om_node *n)
{
    return om_pool_take(n->pool, OM_HEADROOM);
}

/* Queue a datagram whose audit came out as @ok. */
static bool emit(struct om_node *n, struct om_sealed *d, const struct om_via *via, bool ok)
{
    struct om_act *a = NULL;

    if (n->audit)
        n->counts.audited++;
    if (!ok) {
        n->counts.audit_refused++;
        node_drop(n, OM_DROP_AUDIT);
    } else {
        a = node_act(n, OM_ACT_SEND);
    }
    if (!a) {
        om_node_sent(n, d);
        return false;
    }
    a->send = (struct om_act_send){d, *via};
    n->counts.datagrams_out++;
    n->counts.bytes_out += om_sealed_bytes(d).n;
    return true;
}

void node_emit_data(struct om_node *n, struct om_session *s, struct om_sealed *d,
                    const struct om_via *via)
{
    n->counts.sealed_data++;
    emit(n, d, via, !n->audit || om_audit_data(s, om_sealed_bytes(d)));
}

bool node_emit_handshake(struct om_node *n, const struct om_epoch *epoch,
                         const struct om_handshake_fields *f, struct om_bytes bind,
                         const struct om_via *via, struct om_handshake *sent_by)
{
    struct om_buf *b = node_plain(n);
    struct om_sealed *d;

    if (!b || om_sealed_handshake(&d, b, epoch, f, bind, &n->rng) != OM_OK) {
        om_pool_give(n->pool, b);
        node_drop(n, OM_DROP_MEMORY);
        return false;
    }
    if (sent_by)
        om_handshake_sent(sent_by, om_sealed_bytes(d));
    n->counts.sealed_handshake++;
    return emit(n, d, via, !n->audit || om_audit_handshake(epoch, bind, om_sealed_bytes(d)));
}

/* An owed ACK rides along when there is room. */
static void add_ack(om_time now, struct om_association *a, struct om_buf *b)
{
    struct om_frame_ack ack;
    size_t room = OM_PLAIN_MAX - b->len;

    if (a->acks.pending == 0 || room < OM_FRAME_HEAD + 28 || !om_acks_take(&a->acks, now, &ack))
        return;
    struct om_wr w = om_wr(om_mut(om_buf_data(b) + b->len, room));
    om_frame_write_ack(&w, &ack);
    om_buf_put(b, om_wr_len(&w));
}

/* What the association must know of a packet about to be sealed under @counter. */
static void note_sending(om_time now, struct om_association *a, uint64_t counter,
                         const struct om_buf *b)
{
    struct om_rd r = om_rd(om_bytes(om_buf_data(b), b->len));
    struct om_frame f;

    if (om_frame_next(&r, &f) != OM_OK)
        return;
    om_association_sent(a, now, counter, om_frame_is_eliciting(f.type));
    if (f.type == OM_FRAME_PING)
        om_association_pinged(a, now, f.ping, true);
}

/* Seal and emit up to a batch of waiting packets, but no more than the key may; returns how many
 * there were. */
static unsigned flush_batch(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s)
{
    struct om_buf *plain[OM_BATCH_MAX];
    struct om_sealed *sealed[OM_BATCH_MAX];
    struct om_association *a = p->assoc;
    uint64_t left = om_session_left(s);
    unsigned count = 0, done, most = left < OM_BATCH_MAX ? (unsigned)left : OM_BATCH_MAX;

    while (count < most && (plain[count] = om_peer_unwait(p)) != NULL)
        count++;
    if (count == 0)
        return 0;
    for (unsigned i = 0; i < count; i++)
        note_sending(now, a, a->counter + i, plain[i]);
    add_ack(now, a, plain[0]);
    done = om_seal_many(sealed, s, a->counter, plain, count);
    a->counter += count;
    for (unsigned i = 0; i < done; i++)
        node_emit_data(n, s, sealed[i], &p->via);
    for (unsigned i = done; i < count; i++) {
        om_pool_give(n->pool, plain[i]);
        node_drop(n, OM_DROP_MEMORY);
    }
    return count;
}

void node_flush(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_session *s = p->assoc ? om_association_sealing(p->assoc, now) : NULL;

    if (p->waiting_count == 0)
        return;
    if (!s || om_session_wants_rekey(s, now, &n->limits))
        node_need_session(n, now, p);
    while (s && flush_batch(n, now, p, s) > 0)
        s = om_association_sealing(p->assoc, now);
    if (p->waiting_count > 0)
        node_need_session(n, now, p); /* the key reached its hard limit on the way */
}

void node_send_frames(struct om_node *n, om_time now, struct om_peer *p, struct om_buf *frames)
{
    struct om_buf *oldest = om_peer_wait(p, frames);

    if (oldest) {
        node_drop(n, OM_DROP_QUEUE_FULL);
        om_pool_give(n->pool, oldest);
    }
    node_flush(n, now, p);
    node_rearm(n, now, p);
}

void node_send_now(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                   struct om_buf *b)
{
    struct om_sealed *d;

    if (!b)
        node_drop(n, OM_DROP_MEMORY);
    if (!b || !s) {
        om_pool_give(n->pool, b);
        return;
    }
    add_ack(now, p->assoc, b);
    if (om_seal(&d, s, p->assoc->counter++, b) != OM_OK) {
        om_pool_give(n->pool, b);
        node_drop(n, OM_DROP_MEMORY);
        return;
    }
    node_emit_data(n, s, d, &p->via);
}

void node_send_ping(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s)
{
    struct om_buf *b = node_plain(n);
    uint64_t token;

    om_rng_fill(&n->rng, &token, sizeof token);
    if (b) {
        struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_FRAME_HEAD + 8), OM_FRAME_HEAD + 8));
        om_frame_write_ping(&w, token);
        om_association_pinged(p->assoc, now, token, false);
    }
    node_send_now(n, now, p, s, b);
}

void node_send_ack(struct om_node *n, om_time now, struct om_peer *p)
{
    node_send_now(n, now, p, om_association_sealing(p->assoc, now), node_plain(n));
    if (p->assoc->acks.due <= now)
        p->assoc->acks.due = OM_NEVER; /* memory was out: the next packet will carry it */
}
