/* node_out.c - actions: events, and datagrams that were sealed and audited. */
#include "envelope/audit.h"
#include "node/lane.h"
#include "node/size.h"

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

static bool queue(struct om_node *n, struct om_sealed *d, const struct om_via *via)
{
    struct om_act *a = node_act(n, OM_ACT_SEND);

    if (!a)
        return false;
    a->send = (struct om_act_send){.dgram = d, .via = *via};
    n->counts.datagrams_out++;
    n->counts.bytes_out += om_sealed_bytes(d).n;
    return true;
}

/* Count the audit of one datagram, and say when it is held back: of many, the 1st, 2nd, 4th, ... */
static void judged(struct om_node *n, const struct om_sealed *d, const struct om_via *via, bool ok)
{
    struct om_logline line;

    if (n->audit)
        n->counts.audited++;
    if (ok)
        return;
    uint64_t refused = ++n->counts.audit_refused;
    node_drop(n, OM_DROP_AUDIT);
    if (refused & (refused - 1))
        return;
    om_log_begin(&line, n->log, OM_LOG_WARN, "audit",
                 "held back what was not sealed as it must be");
    om_log_u64(&line, "bytes", om_sealed_bytes(d).n);
    om_log_addr(&line, "to", &via->remote);
    om_log_u64(&line, "refused", refused);
    om_log_end(&line);
}

/* What is inside was sealed by others, with keys that a relay lacks; the header outside is ours. */
void node_emit_carried(struct om_node *n, const struct om_hop *hop,
                       const uint8_t mask[static OM_MASK_KEY_BYTES], struct om_sealed *d,
                       const struct om_via *via)
{
    bool ok = !n->audit || (hop && om_hop_wrote(hop, mask, om_sealed_bytes(d)));

    judged(n, d, via, ok);
    if (!ok || !queue(n, d, via))
        om_node_sent(n, d);
}

/* Queue a datagram masked under @epoch whose audit came out as @ok. */
static bool emit(struct om_node *n, struct om_sealed *d, const struct om_epoch *epoch,
                 const struct om_via *via, bool ok)
{
    struct om_via way = *via;
    bool is_queued = false;

    judged(n, d, via, ok);
    if (ok && (way.lane == 0 || node_lane_output(n, d, epoch, &way)))
        is_queued = queue(n, d, &way);
    if (!is_queued)
        om_node_sent(n, d);
    return is_queued;
}

void node_emit_data(struct om_node *n, struct om_session *s, struct om_sealed *d,
                    const struct om_via *via)
{
    n->counts.sealed_data++;
    s->peer->out.datagrams++;
    s->peer->out.bytes += om_sealed_bytes(d).n;
    emit(n, d, s->epoch, via, !n->audit || om_audit_data(s, om_sealed_bytes(d)));
}

struct om_sealed *node_copy(struct om_node *n, const struct om_sealed *d)
{
    struct om_buf *b = node_room(n, om_sealed_bytes(d).n);
    struct om_sealed *copy;

    if (b && om_sealed_copy(&copy, b, d) == OM_OK)
        return copy;
    node_give(n, b);
    node_drop(n, OM_DROP_MEMORY);
    return NULL;
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
        om_handshake_sent(sent_by, via, om_sealed_bytes(d));
    n->counts.sealed_handshake++;
    return emit(n, d, epoch, via, !n->audit || om_audit_handshake(epoch, bind, om_sealed_bytes(d)));
}
