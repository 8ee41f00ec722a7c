/* node_filter.c - whom our NAT lets in: a peer that sees us from outside is asked to answer from a
 * socket of its own for that, to which nothing of ours ever went, and the answer arrives or not. */
#include "node/keep.h"
#include "node/lane.h"
#include "node/study.h"

enum {
    TRIES_MAX = 4, /* of one peer */
    MISSES = 2, /* of them, each with its control answered, before it counts as one of its kind */
    SPARE_MS = 100 /* of patience, beyond what an answer takes */
};

static struct om_nat *nat_of(struct om_node *n)
{
    return &n->where.nats[0];
}

/* Are we, by the newest word, seen elsewhere than we are? */
static bool is_translated(const struct om_nat *nat)
{
    for (unsigned i = nat->count; i-- > 0;) {
        const struct om_nat_sample *s = &nat->samples[i];
        if (!om_nat_is_nameless(&s->local))
            return !om_addr_equal(&s->local, &s->seen);
    }
    return false;
}

/* One word is enough, as the first punch may be soon. */
static bool is_wanted(const struct om_node *n)
{
    const struct om_nat *nat = &n->where.nats[0];

    return is_translated(nat) && om_nat_filter(nat) == OM_FILTER_UNKNOWN;
}

static bool was_asked(const struct node_filter *f, const struct om_id *id)
{
    for (unsigned i = 0; i < f->peer_count; i++)
        if (om_id_equal(&f->peers[i], id))
            return true;
    return false;
}

static struct om_peer *peer_of(const struct om_node *n)
{
    const struct node_filter *f = &n->filter;

    return om_peers_find(&n->peers, f->net, &f->peers[f->peer_count - 1]);
}

/* Padded, as no answer may be longer. */
static void send(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                 uint64_t token, uint16_t seconds)
{
    struct om_buf *b = node_plain(n);

    if (b) {
        struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_PONG_ASIDE_SIZE), OM_PONG_ASIDE_SIZE));
        om_frame_write_ping_later(&w, &(struct om_frame_ping_later){token, seconds});
        om_wr_zero(&w, om_wr_left(&w)); /* PAD */
    }
    node_send_over(n, now, p, s, b, &n->filter.via);
}

/* The question, and a control over the same way: silence says something only of who is there. */
static void ask(struct om_node *n, om_time now)
{
    struct node_filter *f = &n->filter;
    struct om_peer *p = peer_of(n);
    struct om_session *s = p ? node_lane_session(n, p) : NULL;

    f->tries++;
    f->is_alive = false;
    f->is_waiting = s != NULL;
    if (!s)
        return;
    om_rng_fill(&n->rng, &f->token, sizeof f->token);
    send(n, now, p, s, f->token + 1, 0);
    send(n, now, p, s, f->token, OM_PING_ELSEWHERE);
    if (om_timer_arm(&n->timers, &f->timer, now + om_rtt_pto(&p->assoc->rtt) + OM_MS(SPARE_MS)) !=
        OM_OK) {
        f->is_waiting = false;
        node_drop(n, OM_DROP_MEMORY);
    }
}

static void fire(struct om_timer *t, om_time now)
{
    struct om_node *n = OM_CONTAINER_OF(t, struct om_node, filter.timer);
    struct node_filter *f = &n->filter;

    f->misses += f->is_alive;
    if (f->misses < MISSES && f->tries < TRIES_MAX) {
        ask(n, now);
    } else {
        f->is_waiting = false;
        if (f->misses >= MISSES)
            om_nat_tried_filter(nat_of(n), &f->peers[f->peer_count - 1], OM_FROM_OTHER_PORT, false);
    }
    if (!f->is_waiting)
        node_filter_look(n, now);
}

void node_filter_look(struct om_node *n, om_time now)
{
    struct node_filter *f = &n->filter;
    size_t at = 0;
    void *value;

    if (f->is_waiting || f->peer_count == OM_FILTER_PEERS || !is_wanted(n))
        return;
    while (om_table_next(&n->peers.table, &at, NULL, &value)) {
        const struct om_peer *p = value;
        const struct om_via *via = was_asked(f, &p->id) ? NULL : node_study_witness(n, p);
        if (!via)
            continue;
        f->peers[f->peer_count++] = p->id;
        f->net = p->net;
        f->via = *via;
        f->tries = f->misses = 0;
        f->timer.fire = fire;
        ask(n, now);
        return;
    }
}

static bool is_asked(const struct node_filter *f, const struct om_peer *p)
{
    return f->is_waiting && p->net == f->net && om_id_equal(&p->id, &f->peers[f->peer_count - 1]);
}

bool node_filter_pong(struct om_node *n, om_time now, const struct om_peer *p,
                      const struct om_via *via, uint64_t token)
{
    struct node_filter *f = &n->filter;
    bool is_control = token == f->token + 1;

    if (!is_asked(f, p) || (token != f->token && !is_control))
        return false;
    if (is_control) {
        f->is_alive = true;
        return true;
    }
    f->is_waiting = false;
    om_timer_stop(&n->timers, &f->timer);
    if (via->lane == 0 && via->socket == 0 && !om_paths_find(p->paths, via))
        om_nat_tried_filter(nat_of(n), &p->id, OM_FROM_OTHER_PORT, true);
    node_filter_look(n, now); /* it had no other socket: another peer may */
    return true;
}

void node_filter_forget(struct om_node *n, const struct om_peer *p)
{
    if (!is_asked(&n->filter, p))
        return;
    om_timer_stop(&n->timers, &n->filter.timer);
    n->filter.is_waiting = false;
}

void node_filter_stop(struct om_node *n)
{
    om_timer_stop(&n->timers, &n->filter.timer);
    n->filter.is_waiting = false;
    n->filter.peer_count = 0;
}
