/* node_keep.c - ways that are kept open at rest: which they are, and what their machine wants. */
#include "node/keep.h"
#include "node/lane.h"
#include "node/member.h"
#include "node/sockets.h"

enum {
    RENEW_PART = 12,   /* of a key's life are left when it is renewed; half of it by a responder */
    RENEW_AGAIN_S = 5, /* after which that is tried again */
    BLAME_S = 15       /* what was lost and is there again so soon: its mapping had died */
};

static unsigned family_of(const struct om_via *via)
{
    return om_addr_is_v4(&via->remote) ? 0 : 1;
}

static struct om_nat_life *life_of(struct om_node *n, const struct om_peer *p)
{
    return &n->where.nats[family_of(&p->keep.via)].life;
}

static bool wants_keys(const struct om_peer *p, om_time now)
{
    return p->is_held || now < p->warm_until;
}

/* The way to @p that would be forgotten, and is wanted; NULL: none. */
static const struct om_via *way_of(const struct om_peer *p, om_time now)
{
    bool is_wanted = wants_keys(p, now) || !om_list_is_empty(&p->calls);

    if (!is_wanted || p->sees_own || !om_peer_session(p, now))
        return NULL;
    return node_lane_direct(p);
}

static void close_spare(struct om_node *n, struct om_peer *p)
{
    if (p->keep.spare != 0)
        node_sockets_close(n, p->keep.spare, 1, 0);
    p->keep.spare = 0;
}

void node_keep_end(struct om_node *n, struct om_peer *p)
{
    close_spare(n, p);
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->learners); f++)
        if (n->learners[f] == p)
            n->learners[f] = NULL;
    om_keepalive_stop(&p->keep.run);
    p->keep.lost_at = 0;
}

static void begin(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    node_keep_end(n, p);
    p->keep.via = *via;
    om_keepalive_start(&p->keep.run, now, false);
}

/* One of each family makes trials, and gives way when its peer does not answer them. */
static void choose_learner(struct om_node *n, struct om_peer *p)
{
    struct om_peer **learner = &n->learners[family_of(&p->keep.via)];
    struct om_keepalive *run = &p->keep.run;

    if (*learner == p && run->deaf >= OM_KEEPALIVE_DEAF)
        *learner = NULL;
    else if (!*learner && run->deaf < OM_KEEPALIVE_DEAF && node_member_is_full(p))
        *learner = p;
    run->learns = *learner == p;
}

static void ping(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s)
{
    struct om_buf *b = node_plain(n);

    om_rng_fill(&n->rng, &p->keep.pinged, sizeof p->keep.pinged);
    if (b) {
        struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_FRAME_HEAD + 8), OM_FRAME_HEAD + 8));
        om_frame_write_ping(&w, p->keep.pinged);
        om_association_pinged(p->assoc, now, p->keep.pinged, false);
    }
    n->counts.keepalives++;
    node_send_over(n, now, p, s, b, &p->keep.via);
    if (om_session_wants_rekey(s, now, &n->limits))
        node_need_session(n, now, p);
}

/* Over the spare socket; padded, as no answer may be longer. */
static void ask(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                om_time after)
{
    const struct om_via via = {.remote = p->keep.via.remote, .socket = p->keep.spare};
    struct om_buf *b = node_plain(n);

    om_rng_fill(&n->rng, &p->keep.asked, sizeof p->keep.asked);
    if (b) {
        struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_PONG_SIZE), OM_PONG_SIZE));
        om_frame_write_ping_later(
            &w, &(struct om_frame_ping_later){p->keep.asked, (uint16_t)(after / OM_SEC(1))});
        om_wr_zero(&w, om_wr_left(&w)); /* PAD */
    }
    n->counts.keepalive_asks++;
    node_send_over(n, now, p, s, b, &via);
}

static void lost(struct om_node *n, om_time now, struct om_peer *p)
{
    p->keep.lost_at = now ? now : 1;
    n->counts.keepalive_losses++;
    node_event(n, now,
               &(struct om_event){.kind = OM_EVENT_PEER_SILENT,
                                  .peer = p->id,
                                  .a = (uint64_t)(now - p->keep.run.heard)});
    node_need_session(n, now, p);
}

static void drain(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_keepalive *run = &p->keep.run;
    enum om_keepalive_act act;
    struct om_session *s;

    while ((s = om_peer_session(p, now)) != NULL &&
           om_keepalive_next(run, life_of(n, p), now, om_rtt_pto(&p->assoc->rtt), &act)) {
        switch (act) {
        case OM_KEEPALIVE_PING:
            ping(n, now, p, s);
            break;
        case OM_KEEPALIVE_WARM:
            if (p->keep.spare == 0)
                p->keep.spare = node_sockets_open(n, 1);
            if (p->keep.spare != 0) /* else nothing answers, and the trial ends */
                ask(n, now, p, s, 0);
            break;
        case OM_KEEPALIVE_ASK:
            ask(n, now, p, s, run->gap);
            break;
        case OM_KEEPALIVE_LOST:
            lost(n, now, p);
            break;
        }
    }
    if (run->state == OM_TRIAL_REST)
        close_spare(n, p);
}

/* Who began the session renews it first: two that do so at once would make two. */
static om_time renew_at(const struct om_node *n, const struct om_peer *p, om_time now)
{
    const struct om_session *s = om_peer_session(p, now);
    om_time left = n->limits.key_life / RENEW_PART;

    if (!s || (p->handshake && !p->handshake->is_settled) ||
        (!wants_keys(p, now) && !p->keep.run.is_on))
        return OM_NEVER;
    om_time at = s->born + n->limits.key_life - (s->initiated ? left : left / 2);
    om_time again = p->keep.renewed + OM_SEC(RENEW_AGAIN_S);
    return p->keep.renewed != 0 && again > at ? again : at;
}

void node_keep_run(struct om_node *n, om_time now, struct om_peer *p)
{
    const struct om_via *via = way_of(p, now);

    if (!via) {
        node_keep_end(n, p);
    } else {
        if (!p->keep.run.is_on || !om_via_equal(&p->keep.via, via))
            begin(n, now, p, via);
        choose_learner(n, p);
        drain(n, now, p);
    }
    if (renew_at(n, p, now) <= now) {
        p->keep.renewed = now ? now : 1;
        node_need_session(n, now, p);
    }
}

om_time node_keep_deadline(struct om_node *n, const struct om_peer *p, om_time now)
{
    const struct om_via *via = way_of(p, now);
    const struct om_keepalive *run = &p->keep.run;
    bool is_other = via ? !run->is_on || !om_via_equal(&p->keep.via, via) : run->is_on;

    if (is_other)
        return now;
    return om_time_min(renew_at(n, p, now), om_keepalive_deadline(run, life_of(n, p)));
}

void node_keep_sent(struct om_peer *p, om_time now, const struct om_via *via)
{
    if (p->keep.run.is_on && om_via_equal(&p->keep.via, via))
        om_keepalive_sent(&p->keep.run, now);
}

static void heard(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_peer_keep *k = &p->keep;
    struct om_nat_life *life = life_of(n, p);

    if (k->lost_at != 0 && now - k->lost_at < OM_SEC(BLAME_S) &&
        k->run.silence >= om_nat_life_safe(life))
        (void)om_nat_life_dead(life, k->run.silence);
    k->lost_at = 0;
    om_keepalive_heard(&k->run, now);
}

void node_keep_heard(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    if (p->keep.run.is_on && om_via_equal(&p->keep.via, via))
        heard(n, now, p);
}

bool node_keep_is_spare(const struct om_peer *p, const struct om_via *via)
{
    return via->socket != 0 && via->socket == p->keep.spare;
}

bool node_keep_on_pong(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                       uint64_t token)
{
    struct om_peer_keep *k = &p->keep;

    if (!k->run.is_on)
        return false;
    if (node_keep_is_spare(p, via)) {
        if (token == k->asked)
            om_keepalive_word(&k->run, life_of(n, p), now);
        return true;
    }
    if (token == k->pinged) /* over whatever way: the question came over this one */
        heard(n, now, p);
    return false;
}

enum om_err om_node_keep(struct om_node *n, om_time now, const struct om_id *network,
                         const struct om_id *peer, bool is_kept)
{
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e != OM_OK)
        return e;
    p->is_held = is_kept;
    if (is_kept && !om_peer_session(p, now))
        node_need_session(n, now, p);
    node_rearm(n, now, p);
    return OM_OK;
}
