/* node_peer.c - the life of one peer: its association, its timers, its end. */
#include "node/block.h"
#include "node/call.h"
#include "node/keep.h"
#include "node/lane.h"
#include "node/ledger.h"
#include "node/member.h"
#include "node/services.h"
#include "node/size.h"
#include "node/study.h"

#include <stdlib.h>

#include <sodium.h>

static bool remember_stamp(struct om_node *n, const struct om_peer *p)
{
    struct om_act *act = node_act(n, OM_ACT_REMEMBER);

    if (act)
        act->remember = (struct om_act_remember){OM_REMEMBER_PEER, p->net->id, p->id, p->stamp_in};
    return act != NULL;
}

enum om_err node_add_peer(struct om_node *n, struct om_network *net, const struct om_id *id,
                          struct om_peer **out)
{
    if (!om_pins_admit(&net->pins, id) || node_ledger_is_revoked(n, net, id) ||
        node_block_has(net, id))
        return OM_E_RANGE;
    enum om_err e = om_peers_add(&n->peers, net, id, out);
    struct om_peer *victim = e == OM_E_FULL ? om_peers_victim(&n->peers, net) : NULL;

    if (!victim)
        return e;
    node_close(n, n->now, victim, OM_CLOSE_LIMIT, "no room"); /* if there is a session still */
    node_peer_evict(n, victim);
    return om_peers_add(&n->peers, net, id, out);
}

enum om_err node_associate(struct om_node *n, om_time now, struct om_peer *p)
{
    if (p->assoc)
        return OM_OK;
    if (!p->paths) {
        p->paths = malloc(sizeof *p->paths);
        if (p->paths)
            om_paths_init(p->paths);
    }
    p->assoc = p->paths ? calloc(1, sizeof *p->assoc) : NULL;
    if (!p->assoc) {
        node_drop(n, OM_DROP_MEMORY);
        return OM_E_NO_MEM;
    }
    p->carrier = calloc(1, sizeof *p->carrier);
    if (!p->carrier) {
        free(p->assoc);
        p->assoc = NULL;
        node_drop(n, OM_DROP_MEMORY);
        return OM_E_NO_MEM;
    }
    om_association_init(p->assoc, &n->rng, now, om_id_cmp(&p->net->self.id, &p->id) < 0);
    om_carrier_init(p->carrier, n->congestion, &p->assoc->rtt, om_prng_u64(&n->prng), now,
                    p->assoc->we_are_lower);
    return OM_OK;
}

void node_forget_association(struct om_node *n, struct om_peer *p)
{
    node_keep_end(n, p);
    node_later_forget(n, p);
    node_filter_forget(n, p);
    if (!p->assoc)
        return;
    node_end_calls(n, p);
    node_lane_end(p);
    node_punch_end(n, p);
    node_service_down(n, n->now, p);
    om_reach_forget(&n->reach, &p->id);
    node_cut_end(n, p);
    om_carrier_fini(p->carrier);
    free(p->carrier);
    p->carrier = NULL;
    om_association_fini(p->assoc, &n->sessions);
    sodium_memzero(p->assoc, sizeof *p->assoc);
    free(p->assoc);
    p->assoc = NULL;
}

static void give_waiting(struct om_node *n, struct om_peer *p)
{
    struct om_buf *b;

    while ((b = om_peer_unwait(p)) != NULL)
        node_give(n, b);
}

void node_close(struct om_node *n, om_time now, struct om_peer *p, uint32_t code, const char *text)
{
    struct om_bytes words = om_bytes(text, strnlen(text, OM_CLOSE_TEXT_MAX));
    size_t size = OM_FRAME_HEAD + 4 + words.n;

    struct om_session *s = om_peer_session(p, now);
    if (s) {
        struct om_buf *b = node_plain(n);
        if (b) {
            struct om_wr w = om_wr(om_mut(om_buf_put(b, size), size));
            om_frame_write_close(&w, code, words);
        }
        node_send_now(n, now, p, s, b);
        node_event(n, now,
                   &(struct om_event){.kind = OM_EVENT_CLOSED, .peer = p->id, .a = code, .b = 1});
    }
    p->is_wanted = false;
    p->is_held = false;
    give_waiting(n, p);
    node_ip_end(n, p);
    node_end_handshake(n, p);
    node_forget_association(n, p);
}

void node_peer_free(struct om_node *n, struct om_peer *p)
{
    om_timer_stop(&n->timers, &p->timer);
    node_probe_end(n, p);
    node_lane_forget(n, p);
    give_waiting(n, p);
    node_ip_end(n, p);
    node_end_handshake(n, p);
    node_forget_association(n, p);
    free(p->paths);
    p->paths = NULL;
    free(p->attempts);
    p->attempts = NULL;
    om_peers_remove(&n->peers, p);
}

void node_peer_evict(struct om_node *n, struct om_peer *p)
{
    if (p->stamp_due != OM_NEVER)
        remember_stamp(n, p);
    node_peer_free(n, p);
}

static bool needs_session(const struct om_peer *p)
{
    return p->is_wanted || p->is_held || node_has_output(p);
}

/* When an association that nothing uses goes: one that never had a peer, at once. */
static om_time forget_at(const struct om_node *n, const struct om_peer *p)
{
    const struct om_association *a = p->assoc;

    if (!a || a->idle_since == OM_NEVER || a->unconfirmed || p->handshake || needs_session(p))
        return OM_NEVER;
    return a->idle_since + (a->has_remote ? n->limits.association_life : 0);
}

/* When the impatient calls end. An accepted one begins with a peer that was just heard. */
static om_time lost_at(const struct om_node *n, const struct om_peer *p)
{
    if (!p->assoc || p->impatient == 0 || p->owed_since == OM_NEVER)
        return OM_NEVER;
    return p->last_asked ? p->last_asked + OM_SEC(OM_LAST_WORD_S)
                         : p->owed_since + n->limits.call_patience;
}

/* A peer that is at rest and one that is gone look the same until it is asked. */
static om_time ask_at(const struct om_node *n, const struct om_peer *p)
{
    if (!p->assoc || p->impatient == 0 || p->owed_since != OM_NEVER)
        return OM_NEVER;
    return p->heard_at + n->limits.call_ask;
}

/* Something wants a session and nothing is being done about it: memory ran out when it should have
 * been. */
static bool is_stranded(const struct om_peer *p, om_time now)
{
    return needs_session(p) && !p->handshake && om_peer_path_count(p) > 0 &&
           !om_peer_session(p, now);
}

void node_rearm(struct om_node *n, om_time now, struct om_peer *p)
{
    om_time at = p->stamp_due;

    if (p->handshake)
        at = om_time_min(at, p->handshake->next_at);
    if (p->assoc)
        at = om_time_min(at, om_association_deadline(p->assoc, &n->limits));
    if (p->assoc && p->assoc->carry)
        at = om_time_min(at, om_time_min(om_carrier_deadline(p->carrier), node_mtu_deadline(p)));
    at = om_time_min(at, node_slice_deadline(p));
    at = om_time_min(at, node_path_deadline(p, now));
    at = om_time_min(at, node_punch_deadline(n, p, now));
    at = om_time_min(at, node_keep_deadline(n, p, now));
    at = om_time_min(at, forget_at(n, p));
    at = om_time_min(at, om_time_min(ask_at(n, p), lost_at(n, p)));
    if (is_stranded(p, now))
        at = om_time_min(at, now + OM_SEC(OM_STRANDED_S));
    if (at == OM_NEVER) {
        om_timer_stop(&n->timers, &p->timer);
        return;
    }
    if (at <= now)
        at = now + 1; /* never twice in one instant, whatever the parts say */
    if (om_timer_arm(&n->timers, &p->timer, at) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

static void tick_handshake(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_handshake *h = p->handshake;

    if (!h || now < h->next_at)
        return;
    bool insists = h->attempt < OM_HANDSHAKE_QUICK;
    if (h->is_settled || (!insists && !needs_session(p)))
        node_end_handshake(n, p);
    else
        node_initiate(n, now, p, false);
}

static void tick_association(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_association *a = p->assoc;

    if (!a)
        return;
    if (om_association_knock(a, now))
        node_send_ping(n, now, p, a->carry);
    uint32_t carried = a->carry ? a->carry->local : 0;
    bool is_guest = !node_member_is_full(p);
    if (om_association_tick(a, &n->sessions, now)) {
        if (is_guest)
            node_lane_end(p); /* they were for that session */
        node_event(n, now,
                   &(struct om_event){.kind = OM_EVENT_SESSION_DOWN, .peer = p->id, .a = carried});
        om_carrier_sleep(p->carrier, now);
        node_service_down(n, now, p);
        if (needs_session(p))
            node_need_session(n, now, p);
    }
    if (a->carry) {
        om_carrier_tick(p->carrier, now);
        if (p->carrier->word_lost)
            node_where_tell(n, now, p);
        node_mtu_tick(now, p);
        node_flush(n, now, p);
    }
    if (a->carry && a->acks.due <= now)
        node_send_ack(n, now, p);
    if (om_association_silence(a) <= now) {
        uint64_t silence = (uint64_t)(now - a->unanswered_since);
        a->unanswered_since = OM_NEVER; /* the next unanswered packet starts the clock anew */
        node_event(n, now,
                   &(struct om_event){.kind = OM_EVENT_PEER_SILENT, .peer = p->id, .a = silence});
        node_need_session(n, now, p);
    }
    if (now >= forget_at(n, p))
        node_forget_association(n, p);
}

static void give_up(struct om_node *n, om_time now, struct om_peer *p)
{
    node_event(n, now,
               &(struct om_event){.kind = OM_EVENT_PEER_LOST,
                                  .peer = p->id,
                                  .a = (uint64_t)(now - p->owed_since)});
    for (struct om_link *l = om_list_first(&p->calls); l; l = om_list_next(&p->calls, l)) {
        struct node_call *c = OM_CONTAINER_OF(l, struct node_call, of_peer);
        if (c->is_impatient)
            node_call_give_up(c);
    }
}

static void ask(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_session *s = om_association_sealing(p->assoc, now);

    if (s)
        node_send_ping(n, now, p, s);
    else
        node_need_session(n, now, p);
}

static void tick_calls(struct om_node *n, om_time now, struct om_peer *p)
{
    if (now >= lost_at(n, p)) {
        if (p->last_asked) {
            give_up(n, now, p);
        } else { /* it may be we who slept: the clock went on */
            p->last_asked = now;
            ask(n, now, p);
        }
    } else if (now >= ask_at(n, p)) {
        p->owed_since = now;
        ask(n, now, p);
    }
}

static void tick_stamp(struct om_node *n, om_time now, struct om_peer *p)
{
    if (now < p->stamp_due)
        return;
    p->stamp_due = remember_stamp(n, p) ? OM_NEVER : now + OM_SEC(OM_STAMP_WRITE_S);
}

void node_peer_tick(struct om_node *n, om_time now, struct om_peer *p)
{
    tick_stamp(n, now, p);
    node_slice_tick(n, now, p);
    tick_handshake(n, now, p);
    tick_association(n, now, p);
    tick_calls(n, now, p);
    node_path_run(n, now, p);
    node_punch_run(n, now, p);
    node_keep_run(n, now, p);
    if (p->assoc)
        node_flush(n, now, p);
    if (is_stranded(p, now))
        node_need_session(n, now, p);
    node_rearm(n, now, p);
}
