/* node_path.c - the ways to a peer: what was heard over them, their challenges, their changes. */
#include "node/lane.h"
#include "node/size.h"
#include "node/why.h"

enum {
    SILENT_PTOS = 3,
    PAUSE_MS = 400, /* from one word of a flow to the next, at most */
    FLOW_MS = 1000  /* shorter is none: gossip's rounds end in silence each time */
};

static bool is_carrying(const struct om_peer *p, const struct om_via *via)
{
    const struct om_path *a = om_paths_active(p->paths);

    return a && om_via_equal(&a->via, via);
}

/* Is this the first word over the path that carries since several timeouts of ours? */
static bool ends_silence(const struct om_peer *p, om_time now, const struct om_via *via)
{
    const struct om_path *a = om_paths_active(p->paths);

    return is_carrying(p, via) && a->heard != OM_NEVER &&
           now - a->heard > SILENT_PTOS * om_rtt_pto(&p->assoc->rtt);
}

void node_path_heard(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                     size_t bytes, bool is_moving)
{
    if (is_moving) {
        if (now - p->flow_last > OM_MS(PAUSE_MS))
            p->flow_began = now;
        p->flow_last = now;
    }
    if (ends_silence(p, now, via))
        om_carrier_heard(p->carrier, now);
    om_paths_heard(p->paths, now, via, bytes, is_moving);
    (void)n;
}

void node_path_confirmed(struct om_peer *p, om_time now, const struct om_session *s,
                         const struct om_via *via, size_t bytes)
{
    if (s->is_offered_once && om_via_equal(&s->offered, via))
        om_paths_shaken(p->paths, now, via);
    else
        om_paths_heard(p->paths, now, via, bytes, true);
}

static struct om_buf *token_frame(struct om_node *n, enum om_frame_type type, uint64_t token)
{
    struct om_buf *b = node_plain(n);

    if (!b)
        return NULL;
    struct om_wr w = om_wr(om_mut(om_buf_put(b, OM_PATH_FRAME_SIZE), OM_PATH_FRAME_SIZE));
    if (type == OM_FRAME_PATH_CHALLENGE)
        om_frame_write_challenge(&w, token);
    else
        om_frame_write_response(&w, token);
    return b;
}

void node_path_on_challenge(struct om_node *n, om_time now, struct om_peer *p,
                            const struct om_via *via, uint64_t token)
{
    if (!om_bucket_take(&p->assoc->pongs, now, 1)) {
        node_drop(n, OM_DROP_PING_RATE);
        return;
    }
    node_send_over(n, now, p, om_association_sealing(p->assoc, now),
                   token_frame(n, OM_FRAME_PATH_RESPONSE, token), via);
}

/* The round trip that ACKs measure, and the size, are the active path's; after a move, once that
 * was told. */
static void keep_rtt(struct om_peer *p)
{
    struct om_path *active;

    if (p->paths->active < 0 || p->paths->news_count != 0)
        return;
    active = &p->paths->all[p->paths->active];
    if (p->assoc->rtt.smoothed != 0)
        active->rtt = p->assoc->rtt;
    if (active->mtu.limit != 0)
        active->mtu = p->carrier->mtu;
}

void node_path_on_response(struct om_node *n, om_time now, struct om_peer *p, uint64_t token)
{
    keep_rtt(p);
    if (om_paths_answered(p->paths, now, token)) {
        om_association_answered(p->assoc); /* it lives: what is unanswered may have been lost */
        p->assoc->cleared_at = now;
        if (p->paths->active >= 0 && p->paths->news_count == 0)
            p->assoc->rtt = p->paths->all[p->paths->active].rtt; /* it may have been measured */
    } else
        node_drop(n, OM_DROP_PATH_UNASKED);
}

bool node_may_reach(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    if (via->lane != 0 || om_reach_is_yes(om_reach_may(&n->reach, now, &via->remote, &p->id)))
        return true;
    node_drop(n, OM_DROP_REACH);
    node_why_unasked(p, now, &via->remote, "spent");
    return false;
}

static void tell(struct om_node *n, om_time now, const struct om_peer *p, enum om_event_kind kind,
                 const struct om_paths_act *act)
{
    node_event(n, now,
               &(struct om_event){.kind = kind,
                                  .peer = p->id,
                                  .addr = act->via.remote,
                                  .a = act->why,
                                  .b = act->via.lane != 0});
}

static void moved(struct om_node *n, om_time now, struct om_peer *p, const struct om_paths_act *act)
{
    struct om_path *path = om_paths_find(p->paths, &act->via);
    bool is_lost = act->why == OM_PATHS_SILENT || act->why == OM_PATHS_GONE ||
                   act->why == OM_PATHS_FOLLOWED || act->why == OM_PATHS_SHAKEN;

    tell(n, now, p, OM_EVENT_PATH_MOVED, act);
    if (path)
        node_mtu_moved(n, now, p, path);
    if (!path || act->why == OM_PATHS_FIRST)
        return;
    om_carrier_moved(p->carrier, now, path->rtt.least, is_lost);
    p->assoc->rtt = path->rtt;
    p->assoc->unanswered_since = OM_NEVER; /* what the old path owed is not this one's debt */
    p->assoc->cleared_at = now;
}

/* What only somebody's word says is asked within the budgets; what was heard, within what it sent,
 * which paths.h sees to. */
static bool may_ask(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    const struct om_path *path = om_paths_find(p->paths, via);

    return !path || path->proven != OM_NEVER || path->origin == OM_PATH_HEARD ||
           node_may_reach(n, now, p, via);
}

/* A lane does not answer either. Its relay sends to where our session with it came from last: where
 * our router has another address since, of which nobody tells us, that is shown by asking it. */
static void ask_relay(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    const struct om_path *lane = om_paths_find(p->paths, via);
    const struct om_peer *known = via->lane ? node_lane_relay(n, via) : NULL;
    struct om_peer *relay = known ? om_peers_find(&n->peers, known->net, &known->id) : NULL;
    const struct om_via *direct = relay ? node_lane_direct(relay) : NULL;
    struct om_path *hop = direct ? om_paths_find(relay->paths, direct) : NULL;

    if (!lane || lane->unanswered < OM_PATHS_DECIDE || !hop || hop->unanswered > 0)
        return;
    om_path_ask_anew(hop, now);
    node_rearm(n, now, relay);
}

static void carry_out(struct om_node *n, om_time now, struct om_peer *p, uint64_t token,
                      const struct om_paths_act *act)
{
    switch (act->kind) {
    case OM_PATHS_CHALLENGE:
        if (!may_ask(n, now, p, &act->via))
            return;
        node_why_ask(p, now, om_paths_find(p->paths, &act->via));
        ask_relay(n, now, p, &act->via);
        node_send_over(n, now, p, om_association_sealing(p->assoc, now),
                       token_frame(n, OM_FRAME_PATH_CHALLENGE, token), &act->via);
        return;
    case OM_PATHS_PROVEN:
        if (act->via.lane == 0)
            om_reach_prove(&n->reach, now, &act->via.remote, &p->id);
        node_why_asked(p, now, &act->via, true);
        if (om_paths_find(p->paths, &act->via))
            node_mtu_proven(now, p, om_paths_find(p->paths, &act->via));
        /* Where a move waits to be told, it is not the way that carried which is back. */
        if (p->paths->news_count == 0 && is_carrying(p, &act->via))
            om_carrier_back(p->carrier, now);
        tell(n, now, p, OM_EVENT_PATH_UP, act);
        return;
    case OM_PATHS_FAILED:
        node_why_asked(p, now, &act->via, false);
        tell(n, now, p, OM_EVENT_PATH_DOWN, act);
        return;
    case OM_PATHS_MOVED:
        moved(n, now, p, act);
        return;
    }
}

static bool is_at_work(const struct om_peer *p, om_time now)
{
    return p->paths && p->assoc && om_association_sealing(p->assoc, now);
}

/* When what is unanswered says that the path is suspect. The oldest packet without an answer tells:
 * in a hole that swallows one direction the answers to earlier ones go on for a round trip. */
static om_time stall_at(const struct om_peer *p)
{
    const struct om_path *a = om_paths_active(p->paths);
    om_time since = om_loss_oldest_at(&p->carrier->loss);

    if (since == OM_NEVER) /* or what an earlier path owes hides what this one does */
        since = p->assoc->unanswered_since;
    if (!a || p->paths->count < 2 || p->paths->suspect_at != OM_NEVER || since == OM_NEVER)
        return OM_NEVER;
    return (since > p->assoc->cleared_at ? since : p->assoc->cleared_at) + om_path_wait(a);
}

/* When to ask because a peer that spoke all the time fell silent. Who only listens has nothing that
 * could be unanswered, though it may be our own router that has another address. */
static om_time hush_at(const struct om_peer *p)
{
    const struct om_path *a = om_paths_active(p->paths);

    if (!a || p->paths->count < 2 || p->flow_last - p->flow_began < OM_MS(FLOW_MS) ||
        a->ask_at != OM_NEVER || (a->asked != OM_NEVER && a->asked >= p->flow_last))
        return OM_NEVER;
    return p->flow_last + OM_MS(PAUSE_MS);
}

static void drain(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_paths_act act;
    uint64_t token;

    while (is_at_work(p, now) && om_paths_deadline(p->paths) <= now) {
        om_rng_fill(&n->rng, &token, sizeof token);
        if (om_paths_next(p->paths, now, token, &act))
            carry_out(n, now, p, token, &act);
    }
}

void node_path_run(struct om_node *n, om_time now, struct om_peer *p)
{
    if (!is_at_work(p, now))
        return;
    keep_rtt(p);
    if (stall_at(p) <= now) {
        om_paths_stalled(p->paths, now);
        om_carrier_doubt(p->carrier, now);
    }
    if (hush_at(p) <= now)
        om_path_ask_anew(&p->paths->all[p->paths->active], now);
    drain(n, now, p);
}

void node_path_used(struct om_node *n, om_time now, struct om_peer *p)
{
    keep_rtt(p);
    om_paths_used(p->paths, now);
    drain(n, now, p);
}

bool node_path_asked(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    const struct om_path *way = om_paths_find(p->paths, via);
    struct om_path *active;

    if (!way || way->state != OM_PATH_VALID || p->paths->active < 0)
        return false;
    active = &p->paths->all[p->paths->active];
    if (way == active)
        return false;
    if (active->ask_at == OM_NEVER &&
        (active->asked == OM_NEVER || now - active->asked >= OM_SEC(OM_PATHS_DWELL_S)))
        om_path_ask_anew(active, now);
    node_path_used(n, now, p);
    return true;
}

om_time node_path_deadline(const struct om_peer *p, om_time now)
{
    if (!is_at_work(p, now))
        return OM_NEVER;
    return om_time_min(om_paths_deadline(p->paths), om_time_min(stall_at(p), hush_at(p)));
}
