/* node_respond.c - handshakes that others begin. */
#include "node/join.h"
#include "node/member.h"

#include <sodium.h>

/* One initiation while it is being answered. */
struct asked {
    const struct om_via *via;
    struct om_epoch *epoch;
    const struct om_handshake_plain *plain;
    size_t size; /* of the datagram: the answer is no longer */
    struct om_noise noise;
    uint8_t h[OM_NOISE_HASH]; /* before the payload: a proof signs it */
    uint8_t payload[OM_PAYLOAD_MAX];
    struct om_msg1 msg1;
    struct om_id id;
    struct om_peer *peer;
    struct om_msg2 msg2;
    const struct om_cipher *cipher;
};

static void send_cookie(struct om_node *n, om_time now, const struct asked *q,
                        const uint8_t cookie[static OM_MAC_BYTES])
{
    struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_COOKIE,
        .receiver = q->plain->sender,
        .coarse = (uint32_t)(node_unix_ms(n, now) / 1000),
        .body = om_bytes(cookie, OM_MAC_BYTES),
        .size_max = q->size,
    };

    n->counts.cookies_out++;
    node_emit_handshake(n, q->epoch, &f, om_bytes(q->plain->t, OM_MAC_BYTES), q->via, NULL);
}

static void send_response(struct om_node *n, om_time now, const struct asked *q,
                          const struct om_peer *p, const struct om_copy *c)
{
    struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_RESPONSE,
        .sender = c->sender,
        .receiver = c->receiver,
        .coarse = (uint32_t)(node_unix_ms(n, now) / 1000),
        .body = om_bytes(c->msg2, c->msg2_len),
        .answers = q->plain->t,
        .size_max = q->size,
    };

    n->counts.responses_out++;
    node_emit_handshake(n, q->epoch, &f, om_bytes(p->dh, sizeof p->dh), q->via, NULL);
}

/* The same msg1 over another path: answered where the initiator was said to be, else dropped,
 * or one recorded initiation would make us send to any address. */
static void answer_copy(struct om_node *n, om_time now, const struct asked *q, struct om_copy *c)
{
    const struct om_network *net = node_network(n, &c->network);
    const struct om_peer *p = net ? om_peers_find(&n->peers, net, &c->peer) : NULL;

    if (!p || (q->via->lane == 0 && !om_peer_knows(p, &q->via->remote))) {
        node_drop(n, OM_DROP_HS_COPY);
        return;
    }
    struct om_index_entry *e = om_index_find(&n->sessions.indices, c->sender);
    if (e && e->kind == OM_INDEX_SESSION)
        ((struct om_session *)e->owner)->is_offered_once = false;
    c->answers++;
    send_response(n, now, q, p, c);
}

/* A wrong clock must not lock a peer out: initiate to where we know it, naming what we hold. */
static void answer_stale(struct om_node *n, om_time now, struct om_peer *p)
{
    bool is_early = p->stale_at != 0 && now - p->stale_at < OM_SEC(OM_STALE_ANSWER_S);

    node_drop(n, OM_DROP_HS_STALE);
    if (is_early || om_responder_is_loaded(&n->responder, now))
        return;
    p->stale_at = now ? now : 1;
    node_need_session(n, now, p);
    node_rearm(n, now, p);
}

/* By a certificate, or under the keys of a link by an invitation. */
static bool is_admitted(struct om_node *n, om_time now, struct asked *q)
{
    const struct om_network *net = q->epoch->network;
    const struct om_shown shown = {q->msg1.credential_kind, q->msg1.credential, q->noise.rs};
    const struct om_proof_shown proof = {.bytes = q->msg1.credential,
                                         .static_key = q->noise.rs,
                                         .h = q->h,
                                         .ephemeral = q->plain->body.p,
                                         .coarse = q->plain->coarse};

    if (!q->epoch->is_join) {
        if (!node_member_admit(n, now, net, &shown, &q->id, &q->msg2.session_class))
            return false;
        q->msg2.session_class = node_member_class(q->epoch, now, q->msg2.session_class);
        return true;
    }
    q->msg2.session_class = OM_CLASS_JOIN;
    return node_join_admit(n, now, net, shown.kind, &proof, &q->id);
}

/* Decrypts the initiation and finds out who speaks. */
static bool read_msg1(struct om_node *n, om_time now, struct asked *q)
{
    const struct om_network *net = q->epoch->network;
    uint8_t prologue[OM_PROLOGUE_BYTES];
    size_t len;

    om_epoch_prologue(q->epoch, &net->id, prologue);
    om_noise_init(&q->noise, false, net->self.dh_secret, net->self.dh_public, NULL, q->epoch->psk,
                  om_bytes(prologue, sizeof prologue));
    if (om_noise_read1_static(&q->noise, q->plain->body) != OM_OK) {
        node_drop(n, OM_DROP_HS_NOISE);
        return false;
    }
    memcpy(q->h, q->noise.h, sizeof q->h);
    if (om_noise_read1_payload(&q->noise, q->plain->body, om_mut(q->payload, sizeof q->payload),
                               &len) != OM_OK) {
        node_drop(n, OM_DROP_HS_NOISE);
        return false;
    }
    if (om_msg1_decode(&q->msg1, om_bytes(q->payload, len)) != OM_OK) {
        node_drop(n, OM_DROP_HS_FORM);
        return false;
    }
    if (!is_admitted(n, now, q)) {
        node_drop(n, OM_DROP_HS_CREDENTIAL);
        return false;
    }
    return true;
}

static bool know_peer(struct om_node *n, om_time now, struct asked *q)
{
    struct om_network *net = q->epoch->network;
    enum om_err e;

    if (q->msg1.timestamp_ms <= om_peers_stamp(&n->peers, net, &q->id)) {
        struct om_peer *known = om_peers_find(&n->peers, net, &q->id);
        if (known)
            answer_stale(n, now, known);
        else
            node_drop(n, OM_DROP_HS_STALE);
        return false;
    }
    e = node_add_peer(n, net, &q->id, &q->peer);
    if (e == OM_OK)
        e = om_peers_set_stamp(&n->peers, net, &q->id, q->msg1.timestamp_ms);
    if (e == OM_OK)
        e = node_associate(n, now, q->peer);
    if (e != OM_OK) {
        node_drop(n, e == OM_E_FULL    ? OM_DROP_PEERS_FULL
                     : e == OM_E_RANGE ? OM_DROP_HS_CREDENTIAL
                                       : OM_DROP_MEMORY);
        return false;
    }
    q->peer->stamp_in = q->msg1.timestamp_ms;
    if (q->peer->stamp_due == OM_NEVER)
        q->peer->stamp_due = now + OM_SEC(OM_STAMP_WRITE_S);
    if (q->msg1.stored_ms > q->peer->stamp_floor)
        q->peer->stamp_floor = q->msg1.stored_ms;
    return true;
}

/* Who is a member no longer, or not yet, goes on with nothing that a member had. Whoever has a live
 * session is told so, and its next initiation finds a new association; else it finds one now. */
static bool has_more(struct om_node *n, om_time now, const struct asked *q)
{
    struct om_peer *p = q->peer;
    const struct om_session *carry = p->assoc->carry;

    if (q->msg2.session_class == OM_CLASS_FULL)
        return false;
    if (carry ? carry->session_class != OM_CLASS_FULL : !node_member_is_owed(p))
        return false;
    bool is_told = carry != NULL;
    node_drop(n, OM_DROP_HS_CREDENTIAL);
    node_close(n, now, p, OM_CLOSE_REFUSED,
               q->msg2.session_class == OM_CLASS_RESYNC ? "epoch is of the past"
                                                        : "certificate expired");
    return is_told || node_associate(n, now, p) != OM_OK;
}

static void negotiate(const struct om_node *n, struct asked *q)
{
    const struct om_msg1 *m = &q->msg1;
    uint8_t top = m->version_max < n->version_max ? m->version_max : n->version_max;
    uint8_t both = m->ciphers & n->ciphers;

    q->msg2.version = top;
    if (top < m->version_min || top < n->version_min) {
        q->msg2.session_class = OM_CLASS_NO_VERSION;
        q->msg2.version = n->version_max;
        return;
    }
    q->msg2.cipher = both & OM_CIPHER_AES ? OM_CIPHER_AES : both & OM_CIPHER_CHACHA;
    if (q->msg2.cipher == 0)
        q->msg2.session_class = OM_CLASS_NO_CIPHER;
}

/* msg2 into @c, and the keys of the new session when there is to be one. */
static bool write_msg2(struct om_node *n, struct asked *q, struct om_copy *c, uint8_t first[32],
                       uint8_t second[32])
{
    uint8_t payload[OM_PAYLOAD_MAX], ephemeral[32];
    struct om_wr p = om_wr(om_mut(payload, sizeof payload));
    struct om_wr w = om_wr(om_mut(c->msg2, sizeof c->msg2));

    memcpy(q->msg2.association, q->peer->assoc->local_id, sizeof q->msg2.association);
    q->msg2.credential = om_credential_ours(q->peer->net, &q->msg2.credential_kind);
    om_msg2_encode(&q->msg2, &p);
    om_rng_fill(&n->rng, ephemeral, sizeof ephemeral);
    enum om_err e =
        p.bad ? OM_E_RANGE
              : om_noise_write2(&q->noise, ephemeral, om_bytes(payload, om_wr_len(&p)), &w);
    sodium_memzero(ephemeral, sizeof ephemeral);
    if (e != OM_OK) {
        node_drop(n, OM_DROP_HS_NOISE);
        return false;
    }
    om_noise_split(&q->noise, first, second);
    c->msg2_len = om_wr_len(&w);
    c->receiver = q->plain->sender;
    c->network = q->peer->net->id;
    c->peer = q->peer->id;
    return true;
}

static bool make_session(struct om_node *n, om_time now, struct asked *q, struct om_copy *c,
                         const uint8_t first[32], const uint8_t second[32])
{
    struct om_session_keys keys = {
        .first = first,
        .second = second,
        .cipher = om_cipher_get((enum om_cipher_id)q->msg2.cipher),
        .epoch = q->epoch,
        .session_class = q->msg2.session_class,
        .remote = q->plain->sender,
        .audit = n->audit,
    };
    struct om_session *s;
    enum om_err e = om_session_begin(&n->sessions, now, &keys, q->peer, &s);

    if (e != OM_OK) {
        node_drop(n, e == OM_E_FULL ? OM_DROP_INDICES_FULL : OM_DROP_MEMORY);
        return false;
    }
    memcpy(s->their_association, q->msg1.association, sizeof s->their_association);
    s->offered = *q->via;
    s->is_offered_once = true;
    om_association_offer(q->peer->assoc, &n->sessions, s);
    c->sender = s->local;
    return true;
}

static void answer(struct om_node *n, om_time now, struct asked *q)
{
    uint8_t first[32], second[32];
    struct om_copy c = {0};

    negotiate(n, q);
    bool ok = write_msg2(n, q, &c, first, second);
    if (ok && q->msg2.session_class < OM_CLASS_NO_VERSION)
        ok = make_session(n, now, q, &c, first, second);
    if (ok && q->msg2.session_class >= OM_CLASS_NO_VERSION)
        node_event(n, now,
                   &(struct om_event){.kind = OM_EVENT_VERSION_MISMATCH,
                                      .peer = q->id,
                                      .a = q->msg1.version_max,
                                      .b = q->msg2.session_class});
    if (ok) {
        om_responder_remember(&n->responder, now, q->plain->body.p, &c);
        send_response(n, now, q, q->peer, &c);
    }
    sodium_memzero(first, sizeof first);
    sodium_memzero(second, sizeof second);
}

/* Says when load begins and, a second after the last sign of it, when it is over. */
static void watch_load(struct om_node *n, om_time now)
{
    if (!om_responder_is_loaded(&n->responder, now) || om_timer_is_armed(&n->load_timer))
        return;
    node_event(n, now, &(struct om_event){.kind = OM_EVENT_UNDER_LOAD, .a = 1});
    if (om_timer_arm(&n->timers, &n->load_timer, now + OM_SEC(1)) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

void node_load_tick(struct om_node *n, om_time now)
{
    if (!om_responder_is_loaded(&n->responder, now))
        node_event(n, now, &(struct om_event){.kind = OM_EVENT_UNDER_LOAD, .a = 0});
    else if (om_timer_arm(&n->timers, &n->load_timer, now + OM_SEC(1)) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

void node_on_init(struct om_node *n, om_time now, const struct om_via *via, size_t size,
                  struct om_epoch *epoch, const struct om_handshake_plain *plain)
{
    struct asked q = {.via = via, .epoch = epoch, .plain = plain, .size = size};
    struct om_admission a;

    n->counts.initiations_in++;
    if (plain->body.n < OM_NOISE_MSG1_COST) {
        node_drop(n, OM_DROP_HS_FORM);
        return;
    }
    a = om_responder_admit(&n->responder, now, node_unix_ms(n, now) / 1000, via, plain);
    watch_load(n, now);
    switch (a.verdict) {
    case OM_VERDICT_DROP:
        node_drop(n, a.why);
        return;
    case OM_VERDICT_COPY:
        answer_copy(n, now, &q, a.copy);
        return;
    case OM_VERDICT_COOKIE:
        send_cookie(n, now, &q, a.cookie);
        return;
    case OM_VERDICT_ADMIT:
        break;
    }
    if (read_msg1(n, now, &q) && know_peer(n, now, &q)) {
        if (!has_more(n, now, &q))
            answer(n, now, &q);
        node_rearm(n, now, q.peer);
    }
    sodium_memzero(&q, sizeof q);
}
