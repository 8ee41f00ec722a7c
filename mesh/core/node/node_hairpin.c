/* node_hairpin.c - does our NAT turn round what goes to our own outside address? A datagram that
 * only we can have made is sent there, and comes back or does not. */
#include <sodium.h>

#include "node/why.h"

enum {
    PATIENCE_MS = 1000,
    WINDOW_S = 600, /* within which no more go than a NO takes: others told us the address */
    SENT_MAX = OM_NAT_HAIRPIN_MISSES
};

/* Where our main socket is seen from outside; believed, as a liar must not aim us at somebody. */
static bool our_outside(const struct om_nat *nat, struct om_addr *out)
{
    if (!nat->fit.is_believed || nat->fit.class != OM_NAT_EIM)
        return false;
    for (unsigned i = nat->count; i-- > 0;) {
        const struct om_nat_sample *s = &nat->samples[i];
        *out = s->seen;
        if (!om_nat_is_nameless(&s->local) &&
            memcmp(s->seen.ip, nat->fit.outside, sizeof s->seen.ip) == 0)
            return true;
    }
    return false;
}

static bool may_send(struct node_hairpin *h, om_time now)
{
    if (h->sent == 0 || now - h->window >= OM_SEC(WINDOW_S)) {
        h->window = now;
        h->sent = 0;
    }
    return h->sent < SENT_MAX;
}

static void send(struct om_node *n, om_time now, struct node_hairpin *h, const struct om_addr *to)
{
    const struct om_via via = {.remote = *to};
    struct om_epoch *epoch = n->networks[0]->current;

    om_rng_fill(&n->rng, h->token, sizeof h->token);
    const struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_HELLO,
        .coarse = (uint32_t)(node_unix_ms(n, now) / 1000),
        .body = om_bytes(h->token, sizeof h->token),
        .size_max = OM_HANDSHAKE_MAX,
    };
    h->sent++;
    h->is_waiting = node_emit_handshake(n, epoch, &f, om_bytes(NULL, 0), &via, NULL);
    if (om_timer_arm(&n->timers, &h->timer, now + OM_MS(PATIENCE_MS)) != OM_OK) {
        h->is_waiting = false;
        node_drop(n, OM_DROP_MEMORY);
    }
}

static void fire(struct om_timer *t, om_time now)
{
    struct node_hairpin *h = OM_CONTAINER_OF(t, struct node_hairpin, timer);

    if (h->is_waiting)
        om_nat_tried_hairpin(&h->node->where.nats[h->family], false);
    h->is_waiting = false;
    node_hairpin_look(h->node, now);
}

void node_hairpin_look(struct om_node *n, om_time now)
{
    struct om_addr to;

    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->hairpins) && n->network_count > 0; f++) {
        struct node_hairpin *h = &n->hairpins[f];
        const struct om_nat *nat = &n->where.nats[f];
        if (nat->hairpin != OM_HAIRPIN_UNKNOWN || h->is_waiting || !our_outside(nat, &to) ||
            !may_send(h, now))
            continue;
        h->node = n;
        h->family = f;
        h->timer.fire = fire;
        send(n, now, h, &to);
    }
}

bool node_hairpin_heard(struct om_node *n, struct om_bytes body)
{
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->hairpins); f++) {
        struct node_hairpin *h = &n->hairpins[f];
        if (!h->is_waiting || body.n != sizeof h->token ||
            sodium_memcmp(body.p, h->token, sizeof h->token) != 0)
            continue;
        h->is_waiting = false;
        om_timer_stop(&n->timers, &h->timer);
        om_nat_tried_hairpin(&n->where.nats[f], true);
        return true;
    }
    return false;
}

void node_hairpin_stop(struct om_node *n)
{
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->hairpins); f++) {
        om_timer_stop(&n->timers, &n->hairpins[f].timer);
        n->hairpins[f].is_waiting = false;
    }
}
