/*
 * paths_net.h - two ends with paths, and the links between them
 *
 * What:  sequenced packets both ways over links with delay, jitter, loss, holes and NATs that give
 *        another address; the ends do what the node does: copies, ACKs, challenges, responses.
 * Why:   whether data moves without a gap is only seen where both ends decide for themselves.
 */
#ifndef OM_TESTS_PATHS_NET_H
#define OM_TESTS_PATHS_NET_H

#include "harness.h"

#include "crypto/replay.h"
#include "dice.h"
#include "path/paths.h"

enum {
    NET_LINKS = 4,
    NET_FLIGHT = 1 << 15,
    NET_SENT = 1 << 16, /* sequence numbers that a sender remembers */
    NET_FACES = 1024,
    NET_DATA = 200,
    NET_ACK = 60
};

enum kind { DATA, ACK, ASK, REPLY };

struct packet {
    om_time at;
    uint64_t order, counter, seq; /* seq: of data; ACK: highest seen; ASK, REPLY: token */
    unsigned to, link, bytes;
    om_time held;        /* ACK: since what it names came */
    uint16_t from, dest; /* faces */
    enum kind kind;
    bool is_alone;
};

struct link {
    om_time delay[2], jitter; /* [to] */
    unsigned loss;            /* 1/1000 */
    bool hole[2];             /* [to] */
    bool is_lane;
};

/* What an address of an end has seen: credit is judged by that. */
struct face {
    uint64_t in, out; /* bytes the other end took from it, and sent to it while it was unproven */
};

struct end {
    struct om_paths ps;
    struct om_replay seen;
    uint64_t counter, next_seq, acked, moved_seq, best, token, order_in;
    bool has_acked, has_best;
    om_time sent_at[NET_SENT], next_send;
    bool sent_alone[NET_SENT];
    uint16_t face[NET_LINKS];
    unsigned unacked;
    om_time ack_at, due;   /* due: when the end has something to do of itself */
    om_time last_got, gap; /* longest since it was cleared */
    uint64_t got, unsent, asks, copies, better_count;
    om_time crossed_at; /* last move between a lane and a direct way; OM_NEVER: none */
    bool was_lane;
    om_time better_at; /* last planned move; OM_NEVER: a free one may follow */
    unsigned whys[OM_PATHS_WHYS];
    struct face faces[NET_FACES];
};

struct net {
    om_time now, every; /* between packets of each end; OM_NEVER: none */
    struct dice dice;
    unsigned links;
    struct link link[NET_LINKS];
    struct end end[2];
    uint16_t faces;
    uint64_t order;
    unsigned flying;
    unsigned spoof; /* one in so many packets is also seen from an address nobody owns; 0: none */
    struct packet flight[NET_FLIGHT];
};

static inline bool net_before(const struct packet *a, const struct packet *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

/* Into the heap of what is under way. */
static inline void net_push(struct net *n, struct packet p)
{
    unsigned i = n->flying++;

    CHECK(n->flying < NET_FLIGHT);
    p.order = n->order++;
    for (; i > 0 && net_before(&p, &n->flight[(i - 1) / 2]); i = (i - 1) / 2)
        n->flight[i] = n->flight[(i - 1) / 2];
    n->flight[i] = p;
}

/* The first to arrive, off the heap. */
static inline struct packet net_pop(struct net *n)
{
    struct packet first = n->flight[0], last = n->flight[--n->flying];
    unsigned i = 0, c;

    while ((c = 2 * i + 1) < n->flying) {
        c += c + 1 < n->flying && net_before(&n->flight[c + 1], &n->flight[c]);
        if (!net_before(&n->flight[c], &last))
            break;
        n->flight[i] = n->flight[c];
        i = c;
    }
    n->flight[i] = last;
    return first;
}

/* The path of end @e over @link as it is now. */
static inline struct om_via net_via(const struct net *n, unsigned e, unsigned link)
{
    return (struct om_via){
        .remote.port = n->end[!e].face[link], .socket = link + 1, .lane = n->link[link].is_lane};
}

static inline uint16_t net_new_face(struct net *n)
{
    CHECK(n->faces + 1 < NET_FACES);
    return ++n->faces;
}

/* One datagram of @e over @via; what it costs an unproven address is noted. */
static inline void net_emit(struct net *n, unsigned e, const struct om_via *via, struct packet p)
{
    struct end *s = &n->end[e];
    unsigned link = via->socket - 1;
    const struct link *l = &n->link[link];
    const struct om_path *path = om_paths_find(&s->ps, via);
    struct face *f = &s->faces[via->remote.port];

    if (path && path->proven == OM_NEVER && path->origin == OM_PATH_HEARD && p.kind != REPLY) {
        f->out += p.bytes;
        CHECK(f->out <= f->in);
    }
    if (l->hole[!e] || dice_below(&n->dice, 1000) < l->loss)
        return;
    p.to = !e;
    p.link = link;
    p.from = s->face[link];
    p.dest = via->remote.port;
    p.at = n->now + l->delay[!e] +
           (l->jitter ? (om_time)dice_below(&n->dice, (unsigned)l->jitter) : 0);
    net_push(n, p);
    if (n->spoof && p.kind == DATA && dice_below(&n->dice, n->spoof) == 0) {
        p.from = 0; /* drawn when it arrives */
        p.at = n->now + l->delay[!e] / 2;
        net_push(n, p);
    }
}

/* Data and ACKs: over the active path, and wherever a copy goes. */
static inline void net_emit_all(struct net *n, unsigned e, struct packet p)
{
    struct end *s = &n->end[e];
    const struct om_via *lent = om_paths_copy(&s->ps, n->now, p.bytes);
    const struct om_path *a = om_paths_active(&s->ps);

    p.counter = s->counter++;
    p.is_alone = !lent;
    if (p.kind == DATA) {
        s->sent_at[p.seq % NET_SENT] = n->now;
        s->sent_alone[p.seq % NET_SENT] = !lent;
        s->unsent += !lent && !a;
    }
    if (lent) {
        struct om_via copy = *lent;
        s->copies++;
        CHECK(!a || !om_via_equal(&a->via, &copy));
        net_emit(n, e, &copy, p);
    }
    if (a) {
        CHECK(a->proven != OM_NEVER); /* data goes where it is proven */
        net_emit(n, e, &a->via, p);
    }
}

/* A move is counted; planned ones keep their distance. */
static inline void net_moved(struct net *n, struct end *s, const struct om_paths_act *a)
{
    s->whys[a->why]++;
    s->moved_seq = s->next_seq;
    if (a->why == OM_PATHS_BETTER) {
        /* A direct way does not wait for lanes that data moved between. */
        om_time since = s->was_lane && a->via.lane == 0 ? s->crossed_at : s->better_at;
        if (s->better_at != OM_NEVER && since != OM_NEVER)
            CHECK(n->now - since >= OM_SEC(OM_PATHS_DWELL_S) ||
                  n->now - s->better_at >= OM_SEC(OM_PATHS_DWELL_S));
        s->better_at = n->now;
    } else if (a->why == OM_PATHS_FIRST || a->why == OM_PATHS_SHAKEN) {
        s->better_at = OM_NEVER;
    }
    if (a->why != OM_PATHS_FIRST && s->was_lane != (a->via.lane != 0))
        s->crossed_at = n->now;
    s->was_lane = a->via.lane != 0;
}

/* What the paths of @e want done; and that they come to rest. */
static inline void net_drain(struct net *n, unsigned e)
{
    struct end *s = &n->end[e];
    struct om_paths_act a;

    for (unsigned i = 0; om_paths_deadline(&s->ps) <= n->now; i++) {
        CHECK(i < 100);
        uint64_t token = dice_u64(&n->dice);
        if (!om_paths_next(&s->ps, n->now, token, &a))
            continue;
        if (a.kind == OM_PATHS_MOVED)
            net_moved(n, s, &a);
        if (a.kind != OM_PATHS_CHALLENGE)
            continue;
        s->asks++;
        net_emit(n, e, &a.via,
                 (struct packet){.kind = ASK,
                                 .counter = s->counter++,
                                 .seq = token,
                                 .bytes = OM_PATH_CHALLENGE_BYTES});
    }
    CHECK(s->ps.count <= OM_PATHS_MAX && s->ps.active < (int)s->ps.count);
    CHECK(s->ps.second < (int)s->ps.count && (s->ps.second < 0 || s->ps.second != s->ps.active));
}

static inline void net_send_data(struct net *n, unsigned e)
{
    struct end *s = &n->end[e];

    om_paths_used(&s->ps, n->now);
    net_drain(n, e);
    net_emit_all(n, e, (struct packet){.kind = DATA, .seq = s->next_seq++, .bytes = NET_DATA});
}

/* When the oldest unanswered packet of @e is that for too long. */
static inline om_time net_stall_at(const struct end *s)
{
    uint64_t oldest = s->has_acked ? s->acked + 1 : 0;
    const struct om_path *a = om_paths_active(&s->ps);

    oldest = oldest > s->moved_seq ? oldest : s->moved_seq;
    if (!a || s->ps.count < 2 || s->ps.suspect_at != OM_NEVER || oldest >= s->next_seq)
        return OM_NEVER;
    return s->sent_at[oldest % NET_SENT] + om_path_wait(a);
}

/* The ACK @p; what went over one path alone tells its round trip. */
static inline void net_acked(struct net *n, struct end *s, const struct packet *p)
{
    uint64_t seq = p->seq;

    if (s->has_acked && seq <= s->acked)
        return;
    s->acked = seq;
    s->has_acked = true;
    if (s->ps.active >= 0 && s->sent_alone[seq % NET_SENT] && seq >= s->moved_seq)
        om_rtt_sample_held(&s->ps.all[s->ps.active].rtt, n->now - s->sent_at[seq % NET_SENT],
                           p->held);
}

/* Names the newest data of all, and since when @e has it. */
static inline void net_ack(struct net *n, unsigned e)
{
    struct end *s = &n->end[e];

    s->unacked = 0;
    s->ack_at = OM_NEVER;
    net_emit_all(n, e,
                 (struct packet){
                     .kind = ACK, .seq = s->best, .held = n->now - s->last_got, .bytes = NET_ACK});
}

/* Data that is new to @e. */
static inline void net_got(struct net *n, unsigned e, const struct packet *p)
{
    struct end *s = &n->end[e];

    s->got++;
    s->gap = n->now - s->last_got > s->gap ? n->now - s->last_got : s->gap;
    s->last_got = n->now;
    s->best = !s->has_best || p->seq > s->best ? p->seq : s->best;
    s->has_best = true;
    if (++s->unacked >= 2)
        net_ack(n, e);
    else
        s->ack_at = n->now + OM_MS(OM_ACK_DELAY_MS);
}

/* @p reaches its end, if the address it was sent to still is one. */
static inline void net_arrive(struct net *n, const struct packet *p)
{
    struct end *s = &n->end[p->to];
    struct om_via via = {.remote.port = p->from, .socket = p->link + 1};

    if (p->dest != s->face[p->link])
        return;
    if (p->from == 0)
        via.remote.port = (uint16_t)(NET_FACES - 1 - dice_below(&n->dice, 8));
    via.lane = n->link[p->link].is_lane;
    bool is_newest = !s->seen.has_top || p->counter > s->seen.top;
    if (!om_replay_check(&s->seen, p->counter))
        return;
    om_replay_mark(&s->seen, p->counter);
    s->faces[via.remote.port].in += p->bytes;
    if (p->kind == ASK)
        net_emit(n, p->to, &via,
                 (struct packet){
                     .kind = REPLY, .counter = s->counter++, .seq = p->seq, .bytes = p->bytes});
    if (p->kind == REPLY)
        om_paths_answered(&s->ps, n->now, p->seq);
    if (p->kind == ACK)
        net_acked(n, s, p);
    om_paths_heard(&s->ps, n->now, &via, p->bytes, is_newest && p->kind != ASK && p->kind != REPLY);
    net_drain(n, p->to);
    if (p->kind == DATA)
        net_got(n, p->to, p);
}

static inline void net_rearm(struct end *s)
{
    s->due = om_time_min(om_paths_deadline(&s->ps), net_stall_at(s));
    s->due = om_time_min(s->due, om_time_min(s->ack_at, s->next_send));
}

/* What end @e does of itself. */
static inline void net_tick(struct net *n, unsigned e)
{
    struct end *s = &n->end[e];

    if (net_stall_at(s) <= n->now)
        om_paths_stalled(&s->ps, n->now);
    net_drain(n, e);
    if (s->ack_at <= n->now)
        net_ack(n, e);
    if (s->next_send > n->now)
        return;
    net_send_data(n, e);
    s->next_send = n->every == OM_NEVER ? OM_NEVER : n->now + n->every;
}

/* Everything that happens before @end. */
static inline void net_run(struct net *n, om_time end)
{
    net_rearm(&n->end[0]); /* the test may have changed anything */
    net_rearm(&n->end[1]);
    for (;;) {
        om_time at = om_time_min(n->end[0].due, n->end[1].due);
        at = n->flying ? om_time_min(at, n->flight[0].at) : at;
        if (at > end)
            break;
        n->now = at > n->now ? at : n->now;
        if (n->flying && n->flight[0].at <= n->now) {
            struct packet p = net_pop(n);
            net_arrive(n, &p);
            net_rearm(&n->end[p.to]);
            continue;
        }
        for (unsigned e = 0; e < 2; e++) {
            if (n->end[e].due > n->now)
                continue;
            net_tick(n, e);
            net_rearm(&n->end[e]);
        }
    }
    n->now = end;
}

/* Two ends with nothing between them yet. */
static inline struct net *net_new(uint64_t seed, unsigned per_second)
{
    struct net *n = calloc(1, sizeof *n);

    CHECK(n != NULL);
    if (!n)
        abort(); /* not reached, but nothing in cmocka.h says so */
    n->dice.state = seed;
    n->now = OM_SEC(1);
    n->every = per_second ? OM_SEC(1) / per_second : OM_NEVER;
    for (unsigned e = 0; e < 2; e++) {
        om_paths_init(&n->end[e].ps);
        om_replay_init(&n->end[e].seen);
        n->end[e].better_at = n->end[e].crossed_at = n->end[e].ack_at = OM_NEVER;
        n->end[e].last_got = n->now;
        n->end[e].next_send = per_second ? n->now : OM_NEVER;
    }
    return n;
}

/* Another link, @ms each way; nobody knows of it yet. */
static inline unsigned net_link(struct net *n, unsigned ms, bool is_lane)
{
    unsigned l = n->links++;

    n->link[l] = (struct link){.delay = {OM_MS(ms), OM_MS(ms)}, .is_lane = is_lane};
    n->end[0].face[l] = net_new_face(n);
    n->end[1].face[l] = net_new_face(n);
    return l;
}

/* Both ends learn of @link: by a handshake over it, or because it was said. */
static inline void net_know(struct net *n, unsigned link, bool is_shaken)
{
    for (unsigned e = 0; e < 2; e++) {
        struct om_via via = net_via(n, e, link);
        if (is_shaken)
            om_paths_shaken(&n->end[e].ps, n->now, &via);
        else
            om_paths_add(&n->end[e].ps, n->now, &via, OM_PATH_SAID);
    }
}

#endif
