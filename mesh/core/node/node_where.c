/* node_where.c - where we are, by our own and by others' word; where peers say they are. */
#include <omerta/where.h>

#include "node/keep.h"
#include "node/member.h"
#include "node/study.h"
#include "node/why.h"

enum { WORD_WAIT_MS = 1000 }; /* of others, before one peer's word counts alone */

static struct om_nat *nat_of(struct om_node *n, const struct om_addr *a)
{
    return &n->where.nats[om_addr_is_v4(a) ? 0 : 1];
}

static bool is_own(const struct om_where *w, const struct om_addr *a)
{
    for (unsigned i = 0; i < w->own_count; i++)
        if (om_addr_equal(&w->own[i], a))
            return true;
    return false;
}

static bool is_near(const struct om_where *w, const struct om_addr *a)
{
    for (unsigned i = 0; i < w->near_count; i++)
        if (om_cidr_contains(&w->near[i], a))
            return true;
    return false;
}

bool node_where_is_near(const struct om_node *n, const struct om_addr *a)
{
    return is_near(&n->where.at, a);
}

/* Our socket, as far as it is known which of our addresses @to is reached from. */
static struct om_addr local_for(const struct om_where *w, const struct om_addr *seen)
{
    if (is_own(w, seen))
        return *seen;
    for (unsigned i = 0; i < w->own_count; i++)
        if (!w->is_mapped[i] && om_addr_is_v4(&w->own[i]) == om_addr_is_v4(seen))
            return w->own[i];
    return (struct om_addr){0};
}

static bool is_typed(const struct om_node *n, const struct om_id *id)
{
    for (unsigned i = 0; i < n->network_count; i++) {
        const struct om_peer *p = om_peers_find(&n->peers, n->networks[i], id);
        if (p && p->is_typed)
            return true;
    }
    return false;
}

/* Is somebody else but who said @s asked just now, so that his word may be another? */
static bool is_awaited(const struct om_node *n, om_time now, const struct om_nat_sample *s)
{
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        const struct om_peer *p = value;
        const struct om_via *via = p->assoc && !p->is_beside ? om_peer_via(p) : NULL;
        if (!via || via->lane != 0 || om_addr_is_v4(&via->remote) != om_addr_is_v4(&s->to))
            continue;
        const struct om_nat_sample other = {.peer = p->id, .to = via->remote};
        for (unsigned i = 0; i < OM_PINGS_MAX; i++) {
            om_time sent = p->assoc->pings[i].sent_at;
            if (sent != 0 && now - sent < OM_MS(WORD_WAIT_MS) && !om_nat_is_one_party(s, &other))
                return true;
        }
    }
    return false;
}

/* May @s be told to others? What one peer alone says, whom nobody named to us, may be a lie that
 * is to bring somebody the datagrams of all who look for us. */
static bool is_credible(const struct om_node *n, om_time now, const struct om_nat *nat,
                        const struct om_nat_sample *s)
{
    bool is_denied = false;

    if (is_typed(n, &s->peer))
        return true;
    for (unsigned i = 0; i < nat->count; i++) {
        const struct om_nat_sample *other = &nat->samples[i];
        if (om_nat_is_one_party(s, other))
            continue;
        if (memcmp(other->seen.ip, s->seen.ip, sizeof s->seen.ip) == 0)
            return true;
        is_denied = true;
    }
    return !is_denied && !is_awaited(n, now, s);
}

/* What others see of us: of each family where it was seen last, from two places at most. */
static void add_reflexive(struct om_node *n, om_time now, struct om_endpoints *out)
{
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->where.nats); f++) {
        struct om_nat *nat = &n->where.nats[f];
        (void)om_nat_judge(nat, now); /* which drops what is too old */
        for (unsigned i = nat->count, k = 0; i-- > 0 && k < 2;) {
            const struct om_nat_sample *s = &nat->samples[i];
            if (om_nat_is_nameless(&s->local) || !is_credible(n, now, nat, s))
                continue; /* a socket that is closed by now; or may be a lie */
            k++;
            if (!is_own(&n->where.at, &s->seen))
                (void)om_endpoints_add(out, &(struct om_record_end){OM_END_REFLEXIVE, s->seen});
        }
    }
}

/* Our candidates may be others now; true when they are. */
static bool renew(struct om_node *n, om_time now)
{
    const struct om_where *w = &n->where.at;
    struct om_endpoints fresh = {.count = 0};

    for (unsigned i = 0; i < w->own_count; i++)
        (void)om_endpoints_add(
            &fresh,
            &(struct om_record_end){w->is_mapped[i] ? OM_END_MAPPED : OM_END_HOST, w->own[i]});
    add_reflexive(n, now, &fresh);
    return om_endpoints_replace(&n->where.ours, &fresh);
}

void node_where_tell(struct om_node *n, om_time now, struct om_peer *p)
{
    uint8_t body[OM_ENDPOINTS_BYTES_MAX];
    size_t len = om_endpoints_encode(body, &n->where.ours);
    struct om_session *s = om_peer_session(p, now);

    if (!s || !node_member_is_full(p) || n->where.ours.count == 0)
        return;
    if (p->told != 0 && p->carrier->word_lost == p->told) {
        p->told = 0;
        n->counts.candidates_again++;
    }
    p->carrier->word_lost = 0;
    if (p->told == n->where.ours.sequence)
        return;
    struct om_buf *b = node_plain(n);
    if (!b) {
        node_drop(n, OM_DROP_MEMORY);
        return;
    }
    p->told = n->where.ours.sequence;
    n->counts.candidates_out++;
    struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_FRAME_HEAD + len), OM_FRAME_HEAD + len));
    om_frame_write_candidates(&w, om_bytes(body, len));
    node_send_frames(n, now, p, b);
}

static void tell_all(struct om_node *n, om_time now)
{
    size_t at = 0;
    const void *key;
    void *p;

    while (om_table_next(&n->peers.table, &at, &key, &p))
        node_where_tell(n, now, p);
}

/* All that peers say may be probed: not us, not what only our neighbours' routers know. */
static void view_of(const struct om_node *n, struct om_endpoint_view *v)
{
    const struct om_where *w = &n->where.at;

    *v = (struct om_endpoint_view){.own_count = 0};
    for (unsigned i = 0; i < w->own_count; i++)
        v->own[v->own_count++] = w->own[i];
    for (unsigned i = 0; i < n->where.ours.count && v->own_count < OM_OWN_MAX; i++)
        v->own[v->own_count++] = n->where.ours.ends[i].addr;
    for (unsigned i = 0; i < w->near_count; i++)
        v->near[v->near_count++] = w->near[i];
}

bool node_where_may_ask(const struct om_node *n, const struct om_addr *a)
{
    const struct om_record_end e = {OM_END_HOST, *a};
    struct om_endpoint_view view;

    view_of(n, &view);
    return om_endpoint_check(&view, &e) == OM_ENDPOINT_OK;
}

/* Is @a on this very machine? */
static bool is_here(const struct om_where *w, const struct om_addr *a)
{
    for (unsigned i = 0; i < w->own_count; i++)
        if (!w->is_mapped[i] && memcmp(w->own[i].ip, a->ip, sizeof a->ip) == 0)
            return true;
    return false;
}

bool node_where_on_candidates(struct om_node *n, om_time now, struct om_peer *p,
                              struct om_bytes body)
{
    struct om_endpoints said, taken;
    struct om_endpoint_view view;

    if (om_endpoints_decode(&said, body) != OM_OK)
        return false;
    if (p->said_any && (int32_t)(said.sequence - p->said) <= 0)
        return true; /* older than what is known */
    p->said = said.sequence;
    p->said_any = true;
    view_of(n, &view);
    om_endpoints_take(&taken, &view, &said, n->where.verdicts);
    for (unsigned i = 0; i < said.count; i++) {
        enum om_endpoint_verdict why = om_endpoint_check(&view, &said.ends[i]);
        if (why != OM_ENDPOINT_OK && why != OM_ENDPOINT_OWN)
            node_why_unasked(p, now, &said.ends[i].addr, om_endpoint_verdict_name(why));
    }
    p->has_outside = false;
    /* Who is on this machine is reached as well as can be: more ways only swap packets. */
    bool is_reached = om_peer_via(p) && om_peer_via(p)->lane == 0;
    for (unsigned i = 0; i < taken.count; i++) {
        const struct om_via via = {.remote = taken.ends[i].addr};
        if (!p->has_outside && taken.ends[i].kind != OM_END_HOST) {
            p->outside = via.remote;
            p->has_outside = true;
        }
        bool is_left = taken.ends[i].kind == OM_END_REFLEXIVE || /* takes two: punch.h */
                       (is_reached && is_here(&n->where.at, &via.remote));
        if (!is_left)
            (void)om_paths_add(p->paths, now, &via, OM_PATH_SAID);
    }
    return true;
}

void node_where_seen(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     const struct om_addr *seen, om_time rtt)
{
    struct om_nat *nat = nat_of(n, seen);
    const struct om_path *path = om_paths_find(p->paths, via);
    uint32_t generation = nat->generation;

    if (via->lane != 0 || via->socket != 0)
        return;
    if (!node_member_is_full(p))
        return; /* others would be told what somebody says who is no member */
    /* Before IPv6 there is a firewall as a rule, which forgets as a NAT does. */
    p->sees_own =
        is_own(&n->where.at, seen) && (om_addr_is_v4(seen) || is_near(&n->where.at, &via->remote));
    if (now - rtt < n->where.since)
        generation--; /* it was asked on another network */
    const struct om_nat_sample s = {
        .peer = p->id, .to = via->remote, .seen = *seen, .at = path ? path->added : now};
    p->is_beside = !node_where_flow(n, now, generation, true, &s);
}

bool node_where_flow(struct om_node *n, om_time now, uint32_t generation, bool is_main,
                     const struct om_nat_sample *s)
{
    struct om_nat *nat = nat_of(n, &s->seen);
    struct om_nat_sample x = *s;

    if (is_near(&n->where.at, &s->to) && is_own(&n->where.at, &s->seen))
        return false;
    if (om_addr_is_v4(&s->to) != om_addr_is_v4(&s->seen))
        return true;
    om_nat_heard(nat);
    if (is_main)
        x.local = local_for(&n->where.at, &s->seen);
    (void)om_nat_sample(nat, now, generation, &x);
    if (renew(n, now))
        tell_all(n, now);
    node_why_nat(n, now);
    return true;
}

/* Is every address of @a, but what routers map, one of @b, too? */
static bool is_within(const struct om_where *a, const struct om_where *b)
{
    for (unsigned i = 0; i < a->own_count; i++)
        if (!a->is_mapped[i] && !is_own(b, &a->own[i]))
            return false;
    return true;
}

/* The same network; what a router maps may come and go. */
static bool is_same(const struct om_where *a, const struct om_where *b)
{
    return is_within(a, b) && is_within(b, a) && a->near_count == b->near_count &&
           memcmp(a->near, b->near, a->near_count * sizeof a->near[0]) == 0;
}

static void doubt_all(struct om_node *n, om_time now)
{
    size_t at = 0;
    const void *key;
    void *peer;

    while (om_table_next(&n->peers.table, &at, &key, &peer)) {
        struct om_peer *p = peer;
        node_keep_end(n, p);
        p->sees_own = false;
        if (!p->paths)
            continue;
        om_paths_moved_network(p->paths, now);
        node_path_run(n, now, p);
        node_rearm(n, now, p);
    }
}

enum om_err om_node_where(struct om_node *n, om_time now, const struct om_where *w)
{
    bool is_first = n->where.since == 0;

    if (w->own_count > OM_WHERE_OWN_MAX || w->near_count > OM_WHERE_NEAR_MAX)
        return OM_E_RANGE;
    bool is_other = is_first || !is_same(&n->where.at, w);
    n->now = now;
    n->where.at = *w;
    if (is_other) {
        n->where.since = now ? now : 1;
        for (unsigned f = 0; f < OM_ARRAY_SIZE(n->where.nats); f++)
            om_nat_reset(&n->where.nats[f]);
        memset(n->where.hops_at, 0, sizeof n->where.hops_at);
        node_why_moved(n);
        node_study_stop(n);
        n->where.studied_at = 0;
        n->where.shared = (struct node_shared){.at = 0};
    }
    if (is_other && !is_first)
        doubt_all(n, now);
    if (renew(n, now))
        tell_all(n, now);
    return OM_OK;
}

void node_where_init(struct om_node *n)
{
    for (unsigned f = 0; f < OM_ARRAY_SIZE(n->where.nats); f++)
        om_nat_init(&n->where.nats[f], f == 1);
}
