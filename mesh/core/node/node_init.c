/* node_init.c - handshakes that we begin: paths, epochs, timestamps, responses, cookies. */
#include "node/keep.h"
#include "node/lane.h"
#include "node/member.h"
#include "node/rotate.h"
#include "node/why.h"

#include <sodium.h>

enum {
    STAMP_MAX_BITS = 47, /* a peer naming a stored value above this is lying to lock itself out */
    UNPROVEN_WORDS = 2   /* to where a response came from whose copy went elsewhere */
};

/* Strictly increasing over all peers and, through the reservation on disk, over restarts. */
uint64_t node_stamp(struct om_node *n, om_time now)
{
    int64_t wall = node_unix_ms(n, now);
    uint64_t stamp = wall > 0 ? (uint64_t)wall : 0;

    if (stamp <= n->stamp_last)
        stamp = n->stamp_last + 1;
    if (stamp >= n->stamp_reserved) {
        struct om_act *a = node_act(n, OM_ACT_REMEMBER);
        if (a) { /* else the next one asks again */
            n->stamp_reserved = stamp + OM_STAMP_RESERVE_MS;
            a->remember =
                (struct om_act_remember){.kind = OM_REMEMBER_CLOCK, .value = n->stamp_reserved};
        }
    }
    n->stamp_last = stamp;
    return stamp;
}

static uint64_t draw_stamp(struct om_node *n, om_time now, struct om_peer *p)
{
    uint64_t stamp = node_stamp(n, now);

    if (stamp <= p->stamp_floor && p->stamp_floor >> STAMP_MAX_BITS == 0)
        stamp = ++p->stamp_floor; /* the next one to this peer must be above this one too */
    return stamp;
}

/* An epoch of the past: of the last session with @p, or where there is none the newest. */
static struct om_epoch *past_epoch(const struct om_peer *p, om_time now, bool is_last)
{
    const struct om_network *net = p->net;

    for (unsigned i = 0; i <= net->retained_count; i++) {
        struct om_epoch *e = i == 0 ? net->previous : net->retained[i - 1];
        if (e && om_epoch_accepts(e, now) && (!is_last || e->number == p->last_epoch))
            return e;
    }
    return NULL;
}

/* The current epoch; after two unanswered tries in turn with that of the last session, and where
 * that may not be enough with the newest of the past. */
static struct om_epoch *choose_epoch(const struct om_peer *p, om_time now, unsigned attempt)
{
    const bool had_current = p->had_session && p->last_epoch == p->net->current->number;
    struct om_epoch *e = NULL;

    if (attempt <= 2 || attempt % 2 == 0)
        return p->net->current;
    if (attempt % 4 == 3 && p->had_session)
        e = past_epoch(p, now, true);
    if (!e && !had_current)
        e = past_epoch(p, now, false);
    return e ? e : p->net->current;
}

bool node_send_copy(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via)
{
    const struct om_path *path = om_paths_find(p->paths, via);
    struct om_handshake *h = p->handshake;

    if (!(path && path->state == OM_PATH_VALID) && !node_may_reach(n, now, p, via))
        return false;
    uint32_t coarse = (uint32_t)(node_unix_ms(n, now) / 1000);
    struct om_handshake_fields f = om_handshake_fields(h, now, via, coarse);

    if (node_lane_is_asked(n, via)) { /* it travels in the offer, which has to fit any path */
        f.size_max = OM_HANDSHAKE_MIN;
        if (om_handshake_least(&f) > n->limits.offer_handshake_max)
            return false; /* it follows over the lane */
    }
    if (!node_emit_handshake(n, h->epoch, &f, om_bytes(p->dh, sizeof p->dh), via, h))
        return false;
    n->counts.initiations_out++;
    node_why_shake(n, now, p, via);
    node_keep_sent(p, now, via);
    return true;
}

static enum om_err begin(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_handshake *h = p->handshake;
    struct om_handshake_offer o = {
        .net = p->net,
        .epoch = choose_epoch(p, now, h->attempt + 1),
        .peer_dh = p->dh,
        .msg1 = {.timestamp_ms = draw_stamp(n, now, p),
                 .stored_ms = p->stamp_in,
                 .ciphers = n->ciphers,
                 .version_min = n->version_min,
                 .version_max = n->version_max},
    };
    enum om_err e;

    om_index_drop(&n->sessions.indices, h->index);
    h->index = 0;
    h->is_waiting = false;
    e = om_sessions_fit(&n->sessions, p->net)
            ? om_index_draw(&n->sessions.indices, &n->rng, OM_INDEX_HANDSHAKE, p, &o.index)
            : OM_E_FULL;
    if (e != OM_OK) {
        node_drop(n, e == OM_E_FULL ? OM_DROP_INDICES_FULL : OM_DROP_MEMORY);
        h->attempt++;
        return e;
    }
    memcpy(o.msg1.association, p->assoc->local_id, sizeof o.msg1.association);
    e = om_handshake_begin(h, &o, &n->rng);
    if (e != OM_OK) {
        om_index_drop(&n->sessions.indices, o.index);
        node_drop(n, OM_DROP_HS_NOISE);
        h->attempt++;
    }
    return e;
}

void node_initiate(struct om_node *n, om_time now, struct om_peer *p, bool race)
{
    unsigned paths = om_peer_path_count(p);
    struct om_via via;

    if (paths == 0 && !p->is_wanted && !node_lane_may_reach(n, p)) {
        node_end_handshake(n, p); /* nothing carries it; the first way found begins another */
        return;
    }
    if (node_associate(n, now, p) != OM_OK)
        return;
    if (!p->handshake)
        p->handshake = om_vault_take(n->handshakes);
    if (!p->handshake) {
        node_drop(n, OM_DROP_MEMORY);
        return;
    }
    struct om_handshake *h = p->handshake;
    if (h->attempt == OM_HANDSHAKE_QUICK)
        node_rotate_doubt(n, p->net);
    p->owed_since = om_time_min(p->owed_since, now);
    h->is_settled = false;
    if (begin(n, now, p) == OM_OK) {
        /* The first goes everywhere at once, a retransmission over one path, the paths in turn. */
        for (unsigned i = 0; race && om_peer_path(p, i, &via); i++)
            node_send_copy(n, now, p, &via);
        if (!race && paths > 0 && om_peer_path(p, (h->attempt - 2) % paths, &via))
            node_send_copy(n, now, p, &via);
        if (!p->is_direct_only)
            node_lane_initiate(n, now, p);
    }
    if (h->attempt > 1)
        node_event(
            n, now,
            &(struct om_event){.kind = OM_EVENT_HANDSHAKE_RETRY, .peer = p->id, .a = h->attempt});
    om_handshake_schedule(h, now, &n->prng);
}

void node_need_session(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_handshake *h = p->handshake;

    if (h && !h->is_settled)
        return; /* one is on its way */
    if (h)
        h->attempt = 0;
    node_initiate(n, now, p, true);
}

void node_is_back(struct om_node *n, om_time now, struct om_peer *p)
{
    struct om_handshake *h = p->handshake;

    if (!h || !h->is_waiting || h->is_settled || h->attempt <= 1)
        return; /* none, or the first is on its way; or it was answered, and refused */
    h->attempt = 0;
    node_initiate(n, now, p, true);
}

void node_end_handshake(struct om_node *n, struct om_peer *p)
{
    if (!p->handshake)
        return;
    om_index_drop(&n->sessions.indices, p->handshake->index);
    om_vault_give(n->handshakes, p->handshake); /* which wipes it */
    p->handshake = NULL;
}

/* The peer answered, but there is no session: say why and try again only now and then. */
static void refused(struct om_node *n, om_time now, struct om_peer *p, const struct om_msg2 *m)
{
    struct om_handshake *h = p->handshake;

    node_event(n, now,
               &(struct om_event){.kind = OM_EVENT_VERSION_MISMATCH,
                                  .peer = p->id,
                                  .a = m->version,
                                  .b = m->session_class});
    om_index_drop(&n->sessions.indices, h->index);
    h->index = 0;
    h->is_waiting = false;
    h->attempt = OM_HANDSHAKE_QUICK + 1;
    om_handshake_schedule(h, now, &n->prng);
}

/* A class that we may be given: less than FULL only where nothing of a member's is going on. */
static bool is_awaited(const struct om_peer *p, uint8_t session_class)
{
    const struct om_session *carry = p->assoc ? p->assoc->carry : NULL;

    if (session_class == OM_CLASS_FULL)
        return !p->net->invitation.is_held;
    if (session_class == OM_CLASS_JOIN)
        return p->net->invitation.is_held;
    return (session_class == OM_CLASS_RENEW || session_class == OM_CLASS_RESYNC) &&
           p->net->credential_len > 0 && (!carry || carry->session_class != OM_CLASS_FULL);
}

/* Is this response from the peer we asked, and within what we offered? */
static bool is_acceptable(struct om_node *n, om_time now, const struct om_peer *p,
                          const struct om_msg2 *m)
{
    const struct om_shown shown = {m->credential_kind, m->credential, p->dh};
    struct om_id id;
    uint8_t theirs;

    bool is_known =
        node_member_admit(n, now, p->net, &shown, &id, &theirs) && om_id_equal(&id, &p->id);
    if (is_known && theirs != OM_CLASS_FULL)
        node_member_clock(n, now, &id, false);
    if (!is_known || theirs != OM_CLASS_FULL) {
        node_drop(n, OM_DROP_HS_CREDENTIAL);
        return false;
    }
    if (m->session_class < OM_CLASS_NO_VERSION &&
        (!is_awaited(p, m->session_class) || !om_handshake_is_offered(p->handshake, m))) {
        node_drop(n, OM_DROP_HS_OFFER);
        return false;
    }
    return true;
}

/* Our msg1 went over every path there is; what comes from elsewhere was not asked for there. */
static bool is_a_path(const struct om_peer *p, const struct om_via *via)
{
    struct om_via path;

    for (unsigned i = 0; om_peer_path(p, i, &path); i++)
        if (path.lane == via->lane && om_addr_equal(&path.remote, &via->remote))
            return true;
    return false;
}

/* Does the response @plain show that @p is at @via? Of a lane its relay vouches for it; an address
 * is proven by what was sent to it alone, or a member could have us flood whom it names. */
static bool is_proof(const struct om_node *n, const struct om_via *via, const struct om_peer *p,
                     const struct om_handshake_plain *plain)
{
    if (via->lane != 0)
        return is_a_path(p, via) || node_lane_leads_to(n, via, p);
    return om_handshake_is_from(p->handshake, via, plain);
}

static void establish(struct om_node *n, om_time now, const struct om_via *via, struct om_peer *p,
                      const struct om_handshake_plain *plain,
                      const struct om_handshake_result *result)
{
    struct om_handshake *h = p->handshake;
    struct om_session_keys keys = {
        .first = result->first,
        .second = result->second,
        .cipher = om_cipher_get((enum om_cipher_id)result->msg2.cipher),
        .epoch = h->epoch,
        .session_class = result->msg2.session_class,
        .local = h->index,
        .remote = plain->sender,
        .initiated = true,
        .audit = n->audit,
    };
    struct om_session *s;

    if (om_session_begin(&n->sessions, now, &keys, p, &s) != OM_OK) {
        node_drop(n, OM_DROP_MEMORY);
        return;
    }
    h->index = 0; /* the session's from now on */
    memcpy(s->their_association, result->msg2.association, sizeof s->their_association);
    if (is_proof(n, via, p, plain))
        om_paths_shaken(p->paths, now, via);
    else
        om_paths_heard(p->paths, now, via, (size_t)UNPROVEN_WORDS * OM_PATH_CHALLENGE_BYTES, true);
    node_end_handshake(n, p);
    node_why_shaken(n, now, p, via);
    node_confirmed(n, now, p, s);
    /* At once, so that the responder may use the session too (PROTOCOL 3, Order). */
    if (p->waiting_count == 0 || p->assoc->carry != s)
        node_send_ping(n, now, p, s);
    node_flush(n, now, p);
}

void node_on_response(struct om_node *n, om_time now, const struct om_via *via,
                      struct om_epoch *epoch, const struct om_handshake_plain *plain)
{
    struct om_index_entry *entry = om_index_find(&n->sessions.indices, plain->receiver);
    struct om_peer *p = entry && entry->kind == OM_INDEX_HANDSHAKE ? entry->owner : NULL;
    struct om_handshake_result result;

    n->counts.responses_in++;
    if (!p || p->handshake->epoch != epoch) {
        node_drop(n, OM_DROP_HS_UNASKED);
        return;
    }
    if (!om_bucket_take(&n->responses, now, 1)) {
        node_drop(n, OM_DROP_HS_RATE);
        return;
    }
    enum om_err e = om_handshake_response(p->handshake, plain->body, &result);
    if (e == OM_OK && !epoch->is_join)
        result.msg2.session_class = node_member_class(epoch, now, result.msg2.session_class);
    if (e != OM_OK)
        node_drop(n, e == OM_E_CRYPTO ? OM_DROP_HS_NOISE : OM_DROP_HS_FORM);
    else if (!is_acceptable(n, now, p, &result.msg2))
        ; /* counted; the next msg1 may fare better */
    else if (result.msg2.session_class >= OM_CLASS_NO_VERSION)
        refused(n, now, p, &result.msg2);
    else if (!om_pins_take(&p->net->pins, &p->id))
        node_drop(n, OM_DROP_HS_CREDENTIAL);
    else
        establish(n, now, via, p, plain, &result);
    sodium_memzero(&result, sizeof result);
    node_rearm(n, now, p);
}

void node_on_cookie(struct om_node *n, om_time now, const struct om_via *via, struct om_peer *p,
                    const struct om_handshake_plain *plain)
{
    n->counts.cookies_in++;
    if (!is_a_path(p, via) && !node_lane_leads_to(n, via, p)) {
        node_drop(n, OM_DROP_HS_UNASKED);
        return;
    }
    if (om_handshake_cookie(p->handshake, now, via, plain->body, n->limits.cookie_life))
        node_send_copy(n, now, p, via);
    node_rearm(n, now, p);
}
