/* node_why.c - notes of what was tried for a peer, and the snapshot made of them. */
#include "node/why.h"

#include <stdlib.h>

#include "node/lane.h"
#include "path/attempts.h"
#include "path/why.h"

static struct om_attempts *of(struct om_peer *p)
{
    if (!p->attempts)
        p->attempts = calloc(1, sizeof *p->attempts); /* without memory nothing is noted */
    return p->attempts;
}

static const char *origin_name(enum om_path_origin o)
{
    static const char *const names[] = {[OM_PATH_SHAKEN] = "handshake",
                                        [OM_PATH_HEARD] = "heard",
                                        [OM_PATH_SAID] = "said",
                                        [OM_PATH_PUNCHED] = "punched"};

    return names[o];
}

static const char *state_name(enum om_path_state s)
{
    static const char *const names[] = {
        [OM_PATH_UNPROVEN] = "unproven", [OM_PATH_VALID] = "valid", [OM_PATH_FAILED] = "failed"};

    return names[s];
}

static void begin(struct om_peer *p, om_time now, enum om_attempt_what what,
                  const struct om_addr *addr, const char *origin)
{
    const struct om_attempt a = {.what = what, .addr = *addr, .origin = origin};

    if (of(p))
        (void)om_attempts_begin(of(p), now, &a);
}

static void end(struct om_peer *p, om_time now, enum om_attempt_what what,
                const struct om_addr *addr, enum om_attempt_saw saw)
{
    const struct om_attempt a = {.what = what, .addr = *addr};

    if (p->attempts)
        om_attempts_end(p->attempts, now, &a, saw, "");
}

void node_why_shake(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    const struct om_path *path = om_paths_find(p->paths, via);

    if (via->lane != 0)
        return; /* the lane is noted by itself */
    begin(p, now, OM_ATTEMPT_HANDSHAKE, &via->remote,
          path          ? origin_name(path->origin)
          : p->is_typed ? "typed"
                        : "record");
    node_udp_asked(n, now, &via->remote);
}

void node_why_shaken(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    if (via->lane == 0) {
        end(p, now, OM_ATTEMPT_HANDSHAKE, &via->remote, OM_SAW_ANSWER);
        node_udp_heard(n, now, &via->remote);
    }
    if (p->attempts)
        om_attempts_won(p->attempts);
}

void node_why_ask(struct om_peer *p, om_time now, const struct om_path *path)
{
    if (path && path->via.lane == 0 && path->state != OM_PATH_VALID)
        begin(p, now, OM_ATTEMPT_ADDRESS, &path->via.remote, origin_name(path->origin));
}

void node_why_asked(struct om_peer *p, om_time now, const struct om_via *via, bool is_proven)
{
    if (via->lane == 0)
        end(p, now, OM_ATTEMPT_ADDRESS, &via->remote, is_proven ? OM_SAW_ANSWER : OM_SAW_SILENCE);
}

void node_why_unasked(struct om_peer *p, om_time now, const struct om_addr *to, const char *reason)
{
    const struct om_attempt a = {.what = OM_ATTEMPT_ADDRESS, .addr = *to, .origin = "said"};
    const struct om_via via = {.remote = *to};
    const struct om_path *path = p->paths ? om_paths_find(p->paths, &via) : NULL;

    if (path && path->proven != OM_NEVER)
        return; /* it was there that the peer was met */
    if (of(p))
        om_attempts_unasked(of(p), now, &a, reason);
}

void node_why_lane(struct om_peer *p, om_time now, const struct om_peer *relay, uint32_t lane)
{
    const struct om_attempt a = {.what = OM_ATTEMPT_LANE, .relay = relay->id};

    if (of(p))
        om_attempts_begin(of(p), now, &a)->lane = lane;
}

void node_why_laned(struct om_peer *p, om_time now, const struct om_lane *lane)
{
    struct om_attempts *a = p->attempts;
    enum om_attempt_saw saw = lane->state == OM_LANE_OPEN ? OM_SAW_ANSWER
                              : lane->was_open            ? OM_SAW_END
                              : lane->reason != 0         ? OM_SAW_REFUSAL
                                                          : OM_SAW_SILENCE;
    struct om_attempt what = {.what = OM_ATTEMPT_LANE};

    for (unsigned i = 0; a && i < a->count; i++)
        if (a->all[i].what == OM_ATTEMPT_LANE && a->all[i].lane == lane->id)
            what.relay = a->all[i].relay;
    if (a && !om_id_is_zero(&what.relay))
        om_attempts_end(a, now, &what, saw,
                        saw == OM_SAW_REFUSAL ? om_lane_reason_text(lane->reason) : "");
}

/* What came of it, and the word for why. */
static enum om_attempt_saw saw_of(const struct om_punch *run, const char **reason)
{
    *reason = "";
    if (om_punch_is_busy(run) || run->state == OM_PUNCH_IDLE)
        return OM_SAW_NOTHING_YET;
    if (run->state == OM_PUNCH_DONE)
        return OM_SAW_ANSWER;
    *reason = run->end == OM_PUNCH_NO_WAY ? om_punch_reason_name(run->plan.reason)
                                          : om_punch_end_name(run->end);
    return run->end == OM_PUNCH_NO_WAY || run->end == OM_PUNCH_UNWILLING ? OM_SAW_REFUSAL
                                                                         : OM_SAW_SILENCE;
}

void node_why_punch(struct om_peer *p, om_time now, const struct om_punch *run)
{
    const struct om_attempt what = {.what = OM_ATTEMPT_PUNCH};
    struct om_attempts *a = of(p);
    const char *reason;
    enum om_attempt_saw saw = saw_of(run, &reason);
    struct om_attempt *last = a && a->count > 0 ? om_attempts_find(a, &what) : NULL;

    if (!a || run->state == OM_PUNCH_IDLE)
        return;
    if (!last || (saw == OM_SAW_NOTHING_YET && last->saw != OM_SAW_NOTHING_YET))
        last = om_attempts_begin(a, now, &what);
    last->ours = om_nat_class_name(run->facts.ours.class);
    last->theirs = om_nat_class_name(run->theirs.class);
    last->way = om_punch_way_name(run->plan.way);
    last->datagrams = run->sent;
    if (saw != OM_SAW_NOTHING_YET)
        om_attempts_end(a, now, &what, saw, reason);
}

static void copy_path(struct om_why_path *out, const struct om_node *n, const struct om_path *p)
{
    const struct om_peer *relay = node_lane_relay(n, &p->via);

    *out = (struct om_why_path){.via = p->via,
                                .origin = origin_name(p->origin),
                                .state = state_name(p->state),
                                .rtt = p->rtt.smoothed,
                                .score = p->state == OM_PATH_VALID ? om_path_score(p) : OM_NEVER,
                                .loss = p->loss,
                                .added = p->added,
                                .heard = p->heard,
                                .proven = p->proven};
    if (relay)
        out->relay = relay->id;
}

static void copy_paths(struct om_path_why *out, const struct om_node *n, const struct om_paths *ps)
{
    static_assert(OM_PATHS_MAX <= (int)OM_WHY_PATHS_MAX, "all of them have room");

    out->path_count = ps->count;
    for (unsigned i = 0; i < ps->count; i++)
        copy_path(&out->paths[i], n, &ps->all[i]);
    out->active = ps->active;
    out->moves = ps->moves;
    if (ps->active < 0)
        return;
    out->because = om_paths_why_name(ps->why);
    out->since = ps->moved_at;
}

/* Relays that may lead to the peer, and whether one of them is nearer than that in use. */
static void copy_relays(struct om_path_why *out, const struct om_node *n, const struct om_peer *p)
{
    const struct om_why_path *active = out->active < 0 ? NULL : &out->paths[out->active];
    struct om_netcheck_relay all[OM_NETCHECK_RELAYS_MAX];
    unsigned count = node_select_relays(n, p->net, all, OM_ARRAY_SIZE(all));
    om_time used = 0;

    for (unsigned i = 0; i < count; i++) {
        out->relays += !om_id_equal(&all[i].id, &p->id);
        if (active && om_id_equal(&all[i].id, &active->relay))
            used = all[i].rtt;
    }
    for (unsigned i = 0; i < count; i++)
        if (all[i].rtt > 0 && used - all[i].rtt > out->gain && !om_id_equal(&all[i].id, &p->id)) {
            out->gain = used - all[i].rtt;
            out->nearer = all[i].id;
        }
}

static void copy_here(struct om_path_why *out, const struct om_node *n)
{
    const struct om_where *w = &n->where.at;
    const struct node_udp *udp = n->where.udp;

    for (unsigned i = 0; i < w->own_count; i++) {
        bool is_global = om_addr_classify(&w->own[i]) == OM_ADDR_GLOBAL;
        if (om_addr_is_v4(&w->own[i]))
            out->is_mapped |= w->is_mapped[i] || is_global;
        else
            out->has_v6 |= is_global;
    }
    out->asked = udp[0].asked + udp[1].asked;
    out->is_blocked = (udp[0].is_blocked || udp[1].is_blocked) && !node_udp_works(n);
}

enum om_err om_node_path_why(const struct om_node *n, om_time now, const struct om_id *network,
                             const struct om_id *peer, struct om_path_why *out)
{
    const struct om_network *net = node_network(n, network);
    const struct om_peer *p = net ? om_peers_find(&n->peers, net, peer) : NULL;

    if (!p)
        return OM_E_MISSING;
    *out = (struct om_path_why){.active = -1, .because = "", .since = OM_NEVER, .again = OM_NEVER};
    out->has_session = om_peer_session(p, now) != NULL;
    out->knows_address = p->end_count > 0 || p->has_outside;
    if (p->paths)
        copy_paths(out, n, p->paths);
    for (unsigned i = 0; i < out->path_count; i++)
        out->knows_address |= out->paths[i].via.lane == 0;
    if (p->attempts)
        out->attempt_count = om_attempts_copy(p->attempts, now, out->attempts);
    out->is_punching = node_punch_why(n, now, p, &out->again);
    copy_here(out, n);
    copy_relays(out, n, p);
    om_why_judge(out);
    return OM_OK;
}
