/* node_relay.c - lanes of others, through us. */
#include "node/lane.h"
#include "node/member.h"
#include "node/size.h"

void om_node_set_relay(struct om_node *n, om_time now, bool is_relay)
{
    n->now = now;
    om_relay_set(&n->relay, is_relay);
}

static struct om_relay_end *end_of(struct om_node *n, struct om_peer *p)
{
    const struct om_via *via = node_lane_direct(p);
    struct om_addr from = {0};

    if (via)
        from = via->remote;
    if (!p->relaying)
        p->relaying = om_relay_end_new(&n->relay, p, &p->net->id, p->heard_at, &from);
    if (!p->relaying)
        node_drop(n, OM_DROP_MEMORY);
    return p->relaying;
}

static void on_offer(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_frame_lane_offer *f)
{
    struct om_peer *to = om_peers_find(&n->peers, p->net, &f->peer);
    struct om_relay_end *from = end_of(n, p), *far = NULL;

    if (!node_member_may(n, p->net, &p->net->self.id, OM_ROLE_RELAY)) {
        if (from)
            om_relay_decline(&n->relay, from, f->lane);
        return;
    }
    if (to && !node_member_is_full(p) && !node_member_is_admin(n, to))
        to = NULL; /* who is no member gets to admins, and no further */
    if (to && !node_member_is_full(to))
        to = NULL; /* and nobody asks for it */
    if (to && node_lane_session(n, to))
        far = end_of(n, to);
    if (from)
        om_relay_offer(&n->relay, now, from, far, f, via->lane != 0);
}

void node_relay_frame(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                      const struct om_frame *f)
{
    if (f->type == OM_FRAME_LANE_OFFER)
        on_offer(n, now, p, via, &f->lane_offer);
    if (!p->relaying || via->lane != 0)
        return;
    switch (f->type) {
    case OM_FRAME_LANE_ACCEPT:
        om_relay_accept(&n->relay, now, p->relaying, &f->lane_accept);
        break;
    case OM_FRAME_LANE_REFUSE:
        om_relay_refuse(&n->relay, p->relaying, &f->lane_refuse);
        break;
    case OM_FRAME_LANE_CLOSE:
        om_relay_close(&n->relay, p->relaying, f->lane_close);
        break;
    }
}

/* What is carried for one who is no member counts as if it were for us. */
static bool is_within(struct om_node *n, const struct om_peer *from, size_t bytes)
{
    if (node_member_is_full(from))
        return true;
    from->assoc->carry->bytes_in += bytes;
    if (from->assoc->carry->bytes_in <= OM_CLASS_BYTES_MAX)
        return true;
    node_drop(n, OM_DROP_CLASS);
    return false;
}

void node_relay_carry(struct om_node *n, om_time now, const struct om_dgram *d,
                      const struct om_epoch *epoch, struct om_relay_leg *leg)
{
    struct om_bytes whole = om_bytes(d->data, d->len);
    struct om_lane_header header;
    struct om_relay_leg *out = NULL;
    struct om_sealed *sealed;

    if (om_lane_peek(epoch->mask, whole, &header))
        out = om_relay_carry(leg, now, &header, whole);
    if (out)
        node_lane_heard(leg->end->user, now, &d->via);
    if (out && !is_within(n, leg->end->user, d->len))
        return;
    struct om_peer *to = out ? out->end->user : NULL;
    struct om_session *s = to ? node_lane_session(n, to) : NULL;
    if (!s) {
        node_drop(n, OM_DROP_LANE);
        if (to)
            node_need_session(n, now, to);
        return;
    }
    struct om_bytes inner = om_bytes(d->data + OM_LANE_BYTES, d->len - OM_LANE_BYTES);
    struct om_buf *b = node_room(n, inner.n);
    if (!b || om_sealed_carried(&sealed, b, inner) != OM_OK) {
        node_give(n, b);
        node_drop(n, OM_DROP_MEMORY);
        return;
    }
    struct om_mut at = om_sealed_lane(sealed);
    om_hop_wrap(&out->hop, s->epoch->mask, at.p, at.n);
    node_emit_carried(n, &out->hop, s->epoch->mask, sealed, node_lane_direct(to));
    if (om_session_wants_rekey(s, now, &n->limits))
        node_need_session(n, now, to); /* what goes over lanes is no packet of that session */
}
