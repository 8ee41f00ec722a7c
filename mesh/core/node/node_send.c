/* node_send.c - packets: filled with what waits, sealed, and on their way. */
#include "node/keep.h"
#include "node/size.h"

enum { OM_POOL_WAIT_MS = 10 }; /* until memory is asked for again */

/* What is left of the @plain bytes of frames that @b may have. */
static size_t room_in(const struct om_buf *b, size_t plain)
{
    size_t has = om_buf_tailroom(b) - OM_TAG_BYTES;
    size_t left = plain > b->len ? plain - b->len : 0;

    return left < has ? left : has;
}

/* An owed ACK rides along when there is room. */
static void add_ack(om_time now, struct om_association *a, struct om_buf *b, size_t plain)
{
    struct om_frame_ack ack;
    size_t room = room_in(b, plain);

    if (a->acks.pending == 0 || room < OM_FRAME_HEAD + 28 || !om_acks_take(&a->acks, now, &ack))
        return;
    struct om_wr w = om_wr(om_mut(om_buf_data(b) + b->len, room));
    om_frame_write_ack(&w, &ack);
    om_buf_put(b, om_wr_len(&w));
}

/* A batch on its way to being sealed, under consecutive counters. */
struct batch {
    struct om_buf *plain[OM_BATCH_MAX];
    unsigned count, most;
    size_t size;    /* of a datagram, at most */
    unsigned large; /* of those there are, as large as a path's floor at least */
};

/* What must leave even when the path takes no more: PROTOCOL 4 exempts PING. */
static bool is_exempt(const struct om_buf *b, uint64_t *token)
{
    struct om_rd r = om_rd(om_bytes(om_buf_data(b), b->len));
    struct om_frame f;

    if (om_frame_next(&r, &f) != OM_OK || f.type != OM_FRAME_PING)
        return false;
    *token = f.ping;
    return true;
}

/* Candidates are no more lost than a stream's bytes are: that @b has those told last is noted. */
static void note_word(const struct om_peer *p, const struct om_buf *b, struct om_carried *what)
{
    struct om_rd r = om_rd(om_bytes(om_buf_data(b), b->len));
    struct om_frame f;

    if (om_frame_next(&r, &f) == OM_OK && f.type == OM_FRAME_CANDIDATES)
        what->frames[what->count++] =
            (struct om_sent_frame){.offset = p->told, .kind = OM_SENT_WORD};
}

/* An empty packet; of the usual size when there is none as large as the path takes. */
static struct om_buf *empty_packet(struct om_node *n, om_time now, struct om_peer *p, size_t plain)
{
    struct om_buf *b = node_room(n, plain);

    if (!b)
        b = node_plain(n);
    if (!b) {
        node_drop(n, OM_DROP_MEMORY);
        p->carrier->pace_at = now + OM_MS(OM_POOL_WAIT_MS);
    }
    return b;
}

/* What waits and fits, or a slice of it. */
static struct om_buf *take_waiting(struct om_node *n, om_time now, struct om_peer *p, size_t plain)
{
    struct om_buf *b;

    if (!p->cut) {
        b = p->waiting_count > 0 ? om_peer_unwait(p) : node_ip_next(p);
        if (b->len <= plain)
            return b;
        node_cut(p, b);
    }
    b = node_cut_next(n, p, plain);
    if (!b) {
        node_drop(n, OM_DROP_MEMORY);
        p->carrier->pace_at = now + OM_MS(OM_POOL_WAIT_MS);
    }
    return b;
}

/* What leaves now is to be answered. */
static void note_owed(struct om_peer *p, om_time now)
{
    om_association_sent(p->assoc, now);
    p->owed_since = om_time_min(p->owed_since, now);
}

/* A waiting datagram, or an empty packet for what the streams have. */
static struct om_buf *take_packet(struct om_node *n, om_time now, struct om_peer *p, size_t size,
                                  struct om_carried *what)
{
    if (!node_has_output(p) || !om_paths_active(p->paths)) {
        om_carrier_drained(p->carrier);
        return NULL;
    }
    uint64_t token;
    if (!p->cut && p->waiting_count > 0 && is_exempt(p->waiting, &token)) {
        om_association_pinged(p->assoc, now, token, true);
        note_owed(p, now); /* it may be all that anybody says to @p */
        return om_peer_unwait(p);
    }
    if (!om_carrier_may_send(p->carrier, now, size))
        return NULL;
    if (!node_is_waiting(p))
        return empty_packet(n, now, p, size - OM_OVERHEAD);
    what->is_eliciting = true;
    struct om_buf *b = take_waiting(n, now, p, size - OM_OVERHEAD);
    if (b)
        note_word(p, b, what);
    return b;
}

/* Fill one more packet of @batch; false when nothing is left that may leave now. */
static bool fill_packet(struct om_node *n, om_time now, struct om_peer *p, struct batch *batch)
{
    struct om_association *a = p->assoc;
    struct om_carried what = {.count = 0};
    bool was_waiting = node_is_waiting(p);
    size_t plain = batch->size - OM_OVERHEAD;
    struct om_buf *b = take_packet(n, now, p, batch->size, &what);

    if (!b)
        return false;
    add_ack(now, a, b, plain);
    struct om_wr w = om_wr(om_mut(om_buf_data(b) + b->len, room_in(b, plain)));
    om_carrier_fill(p->carrier, &w, &what);
    om_buf_put(b, om_wr_len(&w));
    size_t bytes = b->len + OM_OVERHEAD;
    if (b->len == 0 ||
        om_carrier_sent(p->carrier, now, a->counter + batch->count, bytes, &what) != OM_OK) {
        node_give(n, b);
        node_drop(n, OM_DROP_MEMORY);
        p->carrier->pace_at = now + OM_MS(OM_POOL_WAIT_MS);
        return false;
    }
    if (what.is_eliciting)
        note_owed(p, now);
    batch->large += bytes >= OM_MTU_FLOOR - OM_LANE_BYTES;
    batch->plain[batch->count++] = b;
    return was_waiting || what.is_eliciting; /* streams that had nothing for it have no more */
}

/* Over the path that carries, and while another is being taken, over that, too. */
static void emit_everywhere(struct om_node *n, om_time now, struct om_session *s,
                            struct om_sealed *d)
{
    struct om_paths *ps = s->peer->paths;
    const struct om_via *other = om_paths_copy(ps, now, om_sealed_bytes(d).n);
    struct om_sealed *copy = other ? node_copy(n, d) : NULL;

    /* The copy last: should it come first, its original would only be a replay. */
    node_keep_sent(s->peer, now, &om_paths_active(ps)->via);
    node_emit_data(n, s, d, &om_paths_active(ps)->via);
    if (copy)
        node_emit_data(n, s, copy, other);
}

/* Seal and emit up to a batch of packets, but no more than the key may; returns how many. */
static unsigned flush_batch(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s)
{
    struct om_sealed *sealed[OM_BATCH_MAX];
    struct om_association *a = p->assoc;
    uint64_t left = om_session_left(s);
    struct batch batch = {.most = left < OM_BATCH_MAX ? (unsigned)left : OM_BATCH_MAX};

    node_path_used(n, now, p);
    om_loss_doubled(&p->carrier->loss, p->paths->second >= 0);
    batch.size = node_size(p);
    while (batch.count < batch.most && fill_packet(n, now, p, &batch)) {
    }
    if (batch.count == 0)
        return 0;
    unsigned done = om_seal_many(sealed, s, a->counter, batch.plain, batch.count);
    a->counter += batch.count;
    for (unsigned i = 0; i < done; i++)
        emit_everywhere(n, now, s, sealed[i]);
    for (unsigned i = done; i < batch.count; i++) {
        node_give(n, batch.plain[i]);
        node_drop(n, OM_DROP_MEMORY);
    }
    node_mtu_used(n, now, p, s, batch.large);
    return batch.count;
}

bool node_is_waiting(const struct om_peer *p)
{
    return p->waiting_count > 0 || node_ip_waits(p);
}

bool node_has_output(const struct om_peer *p)
{
    return node_is_waiting(p) || (p->carrier && om_carrier_has_output(p->carrier));
}

void node_flush(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_session *s = om_peer_session(p, now);

    if (!node_has_output(p))
        return;
    if (!s || om_session_wants_rekey(s, now, &n->limits))
        node_need_session(n, now, p);
    while (s && flush_batch(n, now, p, s) > 0)
        s = om_association_sealing(p->assoc, now);
    if (!s && node_has_output(p))
        node_need_session(n, now, p); /* the key reached its hard limit on the way */
}

void node_send_frames(struct om_node *n, om_time now, struct om_peer *p, struct om_buf *frames)
{
    struct om_buf *oldest = om_peer_wait(p, frames);

    if (oldest) {
        node_drop(n, OM_DROP_QUEUE_FULL);
        node_give(n, oldest);
    }
    node_flush(n, now, p);
    node_rearm(n, now, p);
}

static struct om_sealed *seal_alone(struct om_node *n, om_time now, struct om_peer *p,
                                    struct om_session *s, struct om_buf *b)
{
    struct om_sealed *d;

    if (!b)
        node_drop(n, OM_DROP_MEMORY);
    if (!b || !s) {
        node_give(n, b);
        return NULL;
    }
    struct om_carried what = {.count = 0};
    if (om_carrier_sent(p->carrier, now, p->assoc->counter, b->len + OM_OVERHEAD, &what) != OM_OK ||
        om_seal(&d, s, p->assoc->counter++, b) != OM_OK) {
        node_give(n, b);
        node_drop(n, OM_DROP_MEMORY);
        return NULL;
    }
    return d;
}

void node_send_now(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                   struct om_buf *b)
{
    /* Nobody tells when an ACK is lost: it must pass wherever anything does. */
    if (b && s)
        add_ack(now, p->assoc, b, om_mtu_floor(&p->carrier->mtu) - OM_OVERHEAD);
    if (b && !om_paths_active(p->paths)) {
        node_give(n, b);
        node_drop(n, OM_DROP_PATH_UNPROVEN);
        return;
    }
    struct om_sealed *d = seal_alone(n, now, p, s, b);
    if (d)
        emit_everywhere(n, now, s, d);
}

void node_send_short(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                     struct om_buf *b, const struct om_via *via, uint8_t ttl)
{
    unsigned had = om_ring_count(&n->acts);

    node_send_over(n, now, p, s, b, via);
    struct om_act *a = om_ring_count(&n->acts) > had ? om_ring_at(&n->acts, had) : NULL;
    if (a)
        a->send.ttl = ttl;
}

void node_send_over(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                    struct om_buf *b, const struct om_via *via)
{
    struct om_sealed *d = seal_alone(n, now, p, s, b);

    if (!d)
        return;
    node_keep_sent(p, now, via);
    node_emit_data(n, s, d, via);
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
