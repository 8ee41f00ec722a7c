/* test_node.c - two whole nodes on a perfect wire. */
#include "harness.h"
#include "pair.h"

#include "node/state.h"

static bool is_up(const struct pair *p)
{
    return pair_peer(p, 0).has_session && pair_peer(p, 1).has_session;
}

/* Two nodes with a session that the first of them began. */
static bool meet(struct pair *p, const struct pair_options *o)
{
    if (!pair_init(p, o))
        return false;
    (void)!pair_connect(p, 0);
    pair_run(p, OM_SEC(2));
    return is_up(p);
}

OM_TEST(node_session_carries_both_ways)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    CHECK_OK(pair_connect(&p, 0));
    CHECK_OK(pair_send(&p, 0, "waits for the session"));
    pair_run(&p, OM_SEC(2));
    OM_TRY(is_up(&p));
    CHECK_OK(pair_send(&p, 1, "and back"));
    pair_run(&p, OM_SEC(3));
    OM_TRY(p.side[0].delivered == 1 && p.side[1].delivered == 1);
    CHECK_STR(p.side[1].last, "waits for the session");
    CHECK_STR(p.side[0].last, "and back");
    CHECK_EQ(pair_peer(&p, 0).initiated, true);
    CHECK_EQ(pair_peer(&p, 1).initiated, false);
out:
    pair_fini(&p);
}

OM_TEST(node_id_ahead_is_that_of_joining)
{
    struct pair_options o = pair_defaults();
    struct om_network_config c;
    struct om_id ahead;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    om_network_default(&c);
    CHECK_OK(om_node_id_ahead(p.side[0].node, &c.id, &ahead));
    if (!om_node_id(p.side[0].node, &c.id))
        CHECK_OK(om_node_join(p.side[0].node, &c, NULL));
    CHECK(om_id_equal(&ahead, om_node_id(p.side[0].node, &c.id)));
    CHECK_OK(om_node_id_ahead(p.side[1].node, &c.id, &ahead));
    CHECK(!om_id_equal(&ahead, om_node_id(p.side[0].node, &c.id)));
out:
    pair_fini(&p);
}

OM_TEST(node_same_seed_same_bytes)
{
    struct pair_options o = pair_defaults();
    struct pair p[3];
    int up = 0;

    for (; up < 3; up++) {
        o.seed = up == 2 ? 99 : 7;
        if (!pair_init(&p[up], &o))
            break;
        (void)!pair_connect(&p[up], 0);
        pair_run(&p[up], OM_SEC(3));
    }
    OM_TRY(up == 3);
    OM_TRY(p[0].sent >= 4 && p[0].sent == p[1].sent && p[2].sent >= 4);
    for (unsigned i = 0; i < p[0].sent; i++) {
        CHECK_EQ(p[0].tape[i].len, p[1].tape[i].len);
        CHECK_MEM(p[0].tape[i].bytes, p[1].tape[i].bytes, p[0].tape[i].len);
    }
    CHECK_MEM_DIFF(p[0].tape[0].bytes, p[2].tape[0].bytes, 64); /* the seed matters */
out:
    while (up-- > 0)
        pair_fini(&p[up]);
}

/* Nothing is answered to who lacks the secret, the key, or the network; the same bytes made with
 * the right ones are. */
static unsigned answers_to_first(const struct pair_options *o, const struct om_id *ask_for)
{
    struct pair p;
    unsigned n = 0;

    if (!pair_init(&p, o))
        return 0;
    if (om_node_connect(p.side[0].node, p.now, &p.network, ask_for ? ask_for : &p.side[1].id,
                        &p.side[1].addr, 1) == OM_OK) {
        pair_run(&p, OM_SEC(20));
        for (unsigned i = 0; i < p.sent; i++)
            n += p.tape[i].to == 0;
    }
    pair_fini(&p);
    return n;
}

OM_TEST(node_silent_to_strangers)
{
    struct pair_options right = pair_defaults(), wrong = right;
    uint8_t seed[32] = {1};
    struct om_identity other;

    if (answers_to_first(&right, NULL) == 0) {
        CHECK(om_test_oom_hit());
        return;
    }
    wrong.wrong_secret = true;
    CHECK_EQ(answers_to_first(&wrong, NULL), 0);
    wrong = right;
    wrong.closed = true; /* a bare key is no credential there */
    CHECK_EQ(answers_to_first(&wrong, NULL), 0);
    wrong = right;
    wrong.epoch[1] = 5;
    CHECK_EQ(answers_to_first(&wrong, NULL), 0);
    while (om_identity_from_seed(&other, seed) != OM_OK)
        seed[0]++;
    CHECK_EQ(answers_to_first(&right, &other.id), 0);
}

OM_TEST(node_audit_refuses_plaintext)
{
    struct pair_options o = pair_defaults();
    struct om_act a;
    struct pair p;

    OM_TRY(meet(&p, &o));
    CHECK_EQ(pair_info(&p, 0).audit_refused, 0);
    CHECK(pair_info(&p, 0).audited >= 2);
    CHECK_EQ(pair_info(&p, 0).audited,
             pair_info(&p, 0).sealed_data + pair_info(&p, 0).sealed_handshake);

    struct om_node *n = p.side[0].node;
    struct om_peer *peer = om_peers_find(&n->peers, n->networks[0], &p.side[1].id);
    struct om_session *s = peer->assoc->carry;
    for (int altered = 0; altered < 2; altered++) {
        struct om_buf *b = om_pool_take(p.pool, OM_HEADROOM);
        struct om_sealed *d;
        OM_TRY(b != NULL);
        memset(om_buf_put(b, 40), 'x', 40);
        CHECK_OK(om_seal(&d, s, peer->assoc->counter++, b));
        if (altered)
            memset(om_buf_data(b) + OM_HEADER_BYTES, 'x', 40); /* plaintext where ciphertext was */
        node_emit_data(n, s, d, om_peer_via(peer));
        CHECK_EQ(pair_info(&p, 0).audit_refused, (unsigned)altered);
        CHECK_EQ(om_node_next(n, &a), !altered);
        if (!altered)
            om_node_sent(n, a.send.dgram);
    }
out:
    pair_fini(&p);
}

/* The maker for what relays carry takes any bytes: the audit wants a hop's header around it. */
OM_TEST(node_audit_refuses_what_no_hop_wrote)
{
    static const uint8_t text[40] = "not sealed by anybody";
    uint8_t keys[2 * OM_LANE_KEY_BYTES] = {7}, mask[OM_MASK_KEY_BYTES] = {9};
    struct pair_options o = pair_defaults();
    struct om_hop hop;
    struct om_act a;
    struct pair p;

    OM_TRY(meet(&p, &o));
    struct om_node *n = p.side[0].node;
    struct om_peer *peer = om_peers_find(&n->peers, n->networks[0], &p.side[1].id);
    om_hop_init(&hop, 3, 4, keys);
    for (int wrapped = 0; wrapped < 2; wrapped++) {
        struct om_buf *b = om_pool_take(p.pool, OM_HEADROOM);
        struct om_sealed *d;
        OM_TRY(b != NULL);
        CHECK_OK(om_sealed_carried(&d, b, om_bytes(text, sizeof text)));
        if (wrapped) {
            struct om_mut at = om_sealed_lane(d);
            om_hop_wrap(&hop, mask, at.p, at.n);
        }
        node_emit_carried(n, wrapped ? &hop : NULL, mask, d, om_peer_via(peer));
        CHECK_EQ(pair_info(&p, 0).audit_refused, 1);
        CHECK_EQ(om_node_next(n, &a), wrapped);
        if (wrapped)
            om_node_sent(n, a.send.dgram);
    }
    om_hop_fini(&hop);
out:
    pair_fini(&p);
}

/* A sealed packet full of tiny datagrams, from a to b; b's driver does not drain. */
static bool deliver_many(struct pair *p, struct om_session *s, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        struct om_buf *b = om_pool_take(p->pool, OM_HEADROOM);
        struct om_sealed *d;
        if (!b)
            return false;
        struct om_wr w = om_wr(om_mut(om_buf_data(b), OM_PLAIN_MAX));
        while (om_wr_left(&w) > 8)
            om_frame_write_datagram(&w, "c", om_bytes("x", 1));
        om_buf_put(b, om_wr_len(&w));
        if (om_seal(&d, s, s->peer->assoc->counter++, b) != OM_OK)
            return false;
        struct om_bytes bytes = om_sealed_bytes(d);
        struct om_dgram in = {
            .via.remote = p->side[0].addr, .data = om_buf_data(b), .len = bytes.n};
        om_node_input(p->side[1].node, p->now, &in, 1);
        om_pool_give(p->pool, om_sealed_release(d));
    }
    return true;
}

OM_TEST(node_deliveries_leave_room_to_send)
{
    struct pair_options o = pair_defaults();
    unsigned sends = 0, deliveries = 0;
    struct om_act a;
    struct pair p;

    OM_TRY(meet(&p, &o));
    struct om_node *n = p.side[0].node, *b = p.side[1].node;
    struct om_peer *peer = om_peers_find(&n->peers, n->networks[0], &p.side[1].id);
    OM_TRY(deliver_many(&p, peer->assoc->carry, 40));
    OM_TRY(om_node_send(b, p.now, &p.network, &p.side[0].id, "c", om_bytes("y", 1)) == OM_OK);
    while (om_node_next(b, &a)) {
        deliveries += a.kind == OM_ACT_DELIVER;
        if (a.kind != OM_ACT_SEND)
            continue;
        sends++;
        om_node_sent(b, a.send.dgram);
    }
    OM_TRY(!om_test_oom_hit());
    CHECK(pair_info(&p, 1).drops[OM_DROP_ACTS_FULL] > 0);
    CHECK(deliveries <= OM_ACTS_MAX - OM_ACTS_RESERVED);
    CHECK(sends >= 21); /* an ACK for every other packet, and ours */
out:
    pair_fini(&p);
}

/* Strangers of an open network that come once and never speak again must not shut it. */
OM_TEST(node_full_of_sleepers_still_answers)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    o.limits.peers_max = 3;
    OM_TRY(pair_init(&p, &o));
    for (unsigned i = 0; i < 6; i++) {
        memset(p.side[0].seed, 0x60 + (int)i, sizeof p.side[0].seed); /* another identity */
        OM_TRY(pair_restart(&p, 0, &o, false));
        (void)!pair_connect(&p, 0);
        pair_run(&p, p.now + OM_SEC(5));
        OM_TRY(is_up(&p));
        pair_run(&p, p.now + OM_SEC(200)); /* its keys die */
    }
    CHECK_EQ(pair_info(&p, 1).peers, 3);
    CHECK_EQ(pair_info(&p, 1).drops[OM_DROP_PEERS_FULL], 0);
out:
    pair_fini(&p);
}

OM_TEST(node_simultaneous_open_agrees)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    (void)!pair_connect(&p, 0);
    (void)!pair_connect(&p, 1);
    pair_run(&p, OM_SEC(2));
    OM_TRY(is_up(&p));
    bool a_is_lower = om_id_cmp(&p.side[0].id, &p.side[1].id) < 0;
    CHECK_EQ(pair_peer(&p, 0).initiated, a_is_lower);
    CHECK_EQ(pair_peer(&p, 1).initiated, !a_is_lower);
    CHECK_EQ(pair_peer(&p, 0).receiving, 2);
    CHECK_EQ(pair_peer(&p, 1).receiving, 2);
    CHECK_OK(pair_send(&p, 0, "one"));
    CHECK_OK(pair_send(&p, 1, "two"));
    pair_run(&p, OM_SEC(15));
    OM_TRY(p.side[0].delivered == 1 && p.side[1].delivered == 1);
    CHECK_EQ(pair_peer(&p, 0).receiving, 1); /* the other one had 10 s of grace */
out:
    pair_fini(&p);
}

OM_TEST(node_rekeys_without_a_gap)
{
    struct pair_options o = pair_defaults();
    struct pair p;
    unsigned sent = 0;

    o.limits.rekey_initiator = OM_SEC(3);
    o.limits.rekey_responder = OM_SEC(4);
    o.limits.key_life = OM_SEC(6);
    OM_TRY(pair_init(&p, &o));
    (void)!pair_connect(&p, 0);
    for (; sent < 200; sent++) {
        (void)!pair_send(&p, 0, "tick");
        pair_run(&p, p.now + OM_MS(100));
    }
    OM_TRY(!om_test_oom_hit());
    CHECK_EQ(p.side[1].delivered, sent);
    CHECK(pair_info(&p, 0).rekeys >= 5);
    CHECK_EQ(pair_info(&p, 0).restarts, 0);
    CHECK(pair_peer(&p, 0).counter >= sent);
out:
    pair_fini(&p);
}

OM_TEST(node_restart_is_told_from_rekey)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(meet(&p, &o));
    OM_TRY(pair_restart(&p, 0, &o, true));
    (void)!pair_connect(&p, 0);
    (void)!pair_send(&p, 0, "again");
    pair_run(&p, OM_SEC(20));
    OM_TRY(is_up(&p) && p.side[1].delivered == 1);
    CHECK_EQ(p.side[1].events[OM_EVENT_PEER_RESTARTED], 1);
    CHECK_EQ(pair_info(&p, 1).restarts, 1);
    CHECK(pair_peer(&p, 1).counter < 8); /* counts from 0 again */
out:
    pair_fini(&p);
}

OM_TEST(node_silent_peer_gets_a_new_handshake)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(meet(&p, &o));
    OM_TRY(pair_restart(&p, 1, &o, true)); /* forgot everything, says nothing */
    (void)!pair_send(&p, 0, "lost");
    pair_run(&p, OM_SEC(8));
    OM_TRY(is_up(&p));
    CHECK_EQ(p.side[0].events[OM_EVENT_PEER_SILENT], 1);
    CHECK_OK(pair_send(&p, 0, "heard"));
    pair_run(&p, OM_SEC(9));
    OM_TRY(p.side[1].delivered == 1);
out:
    pair_fini(&p);
}

OM_TEST(node_close_ends_both_sides)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(meet(&p, &o));
    CHECK_OK(om_node_close(p.side[0].node, p.now, &p.network, &p.side[1].id, 0, "bye"));
    pair_run(&p, OM_SEC(3));
    OM_TRY(!om_test_oom_hit());
    CHECK(!pair_peer(&p, 0).has_session && !pair_peer(&p, 1).has_session);
    CHECK_EQ(p.side[1].events[OM_EVENT_CLOSED], 1);
    CHECK_EQ(pair_info(&p, 0).sessions, 0);
    CHECK_EQ(pair_info(&p, 1).sessions, 0);
out:
    pair_fini(&p);
}

OM_TEST(node_names_a_version_mismatch)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    o.version[0] = 1;
    o.version[1] = 2;
    OM_TRY(pair_init(&p, &o));
    (void)!pair_connect(&p, 0);
    pair_run(&p, OM_SEC(5));
    OM_TRY(!om_test_oom_hit());
    CHECK(!is_up(&p));
    CHECK_EQ(p.side[0].events[OM_EVENT_VERSION_MISMATCH], 1);
    CHECK_EQ(p.side[1].events[OM_EVENT_VERSION_MISMATCH], 1);
out:
    pair_fini(&p);
}

OM_TEST(node_ciphers_are_negotiated)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    for (uint8_t mine = 1; mine <= 3; mine++) {
        if (!(mine & om_cipher_offered()))
            continue; /* this machine has no AES instructions */
        o.ciphers[0] = mine;
        o.ciphers[1] = 3;
        OM_TRY(pair_init(&p, &o));
        (void)!pair_connect(&p, 0);
        pair_run(&p, OM_SEC(2));
        bool up = is_up(&p);
        const char *name = pair_peer(&p, 1).cipher;
        pair_fini(&p);
        OM_TRY(up);
        CHECK_STR(name,
                  mine & om_cipher_offered() & OM_CIPHER_AES ? "aes-256-gcm" : "chacha20-poly1305");
    }
    return;
out:
    pair_fini(&p);
}

OM_TEST(node_wrong_clock_locks_nobody_out)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(meet(&p, &o));
    o.wall_skew_ms[0] = -INT64_C(1000) * 3600 * 24 * 3650; /* lost its disk, and ten years */
    OM_TRY(pair_restart(&p, 0, &o, false));
    (void)!pair_connect(&p, 0);
    pair_run(&p, OM_SEC(6));
    OM_TRY(!om_test_oom_hit());
    CHECK(is_up(&p));
    CHECK(pair_info(&p, 1).drops[OM_DROP_HS_STALE] >= 1);
    CHECK_EQ(pair_peer(&p, 1).initiated, true); /* b asked, naming what it holds */
out:
    pair_fini(&p);
}

static bool lose_all(struct pair *p, const struct pair_dgram *d)
{
    (void)p;
    (void)d;
    return false;
}

/* A peer that was away is asked once a minute; who connects again is not kept waiting. */
OM_TEST(node_connect_does_not_wait_out_the_minute)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    p.filter = lose_all;
    (void)!pair_connect(&p, 0);
    pair_run(&p, OM_SEC(100));
    p.filter = NULL;
    OM_TRY(!om_test_oom_hit());
    CHECK(!is_up(&p));
    uint64_t asked = pair_info(&p, 0).initiations_out;
    pair_run(&p, p.now + OM_MS(50));
    CHECK_EQ(pair_info(&p, 0).initiations_out, asked); /* the control: by itself it waits */
    (void)!pair_connect(&p, 0);
    pair_run(&p, p.now + OM_MS(200));
    OM_TRY(is_up(&p));
out:
    pair_fini(&p);
}

OM_TEST(node_refuses_what_does_not_fit)
{
    struct pair_options o = pair_defaults();
    uint8_t big[OM_DGRAM_MAX] = {0};
    struct om_id nobody = {{1}};
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *n = p.side[0].node;
    const struct om_id *net = &p.network, *b = &p.side[1].id;
    CHECK_ERR(om_node_send(n, p.now, net, b, "c", om_bytes("x", 1)), OM_E_MISSING);
    CHECK_ERR(om_node_connect(n, p.now, &nobody, b, NULL, 0), OM_E_MISSING);
    CHECK_ERR(om_node_connect(n, p.now, net, &p.side[0].id, NULL, 0), OM_E_RANGE);
    OM_TRY(om_node_connect(n, p.now, net, b, NULL, 0) == OM_OK);
    CHECK_ERR(om_node_send(n, p.now, net, b, "c", om_bytes("x", 1)), OM_E_NO_ROUTE);
    OM_TRY(pair_connect(&p, 0) == OM_OK);
    CHECK_ERR(om_node_send(n, p.now, net, b, "", om_bytes("x", 1)), OM_E_RANGE);
    CHECK_ERR(om_node_send(n, p.now, net, b, "a name of 17 byte", om_bytes("x", 1)), OM_E_RANGE);
    CHECK_ERR(om_node_send(n, p.now, net, b, "c", om_bytes(big, om_node_send_max("c") + 1)),
              OM_E_RANGE);
    OM_TRY(om_node_send(n, p.now, net, b, "c", om_bytes(big, om_node_send_max("c"))) == OM_OK);
    pair_run(&p, OM_SEC(3));
    OM_TRY(p.side[1].delivered == 1);
out:
    pair_fini(&p);
}

/* A datagram with the frames @text under session @s of @peer, into @out. */
static bool seal_one(struct pair *p, struct om_peer *peer, struct om_session *s,
                     struct om_bytes text, struct om_dgram *out)
{
    struct om_buf *b = om_pool_take(p->pool, OM_HEADROOM);
    struct om_sealed *d;

    if (!b)
        return false;
    memcpy(om_buf_put(b, text.n), text.p, text.n);
    CHECK_OK(om_seal(&d, s, peer->assoc->counter++, b));
    out->len = om_sealed_bytes(d).n;
    memcpy(out->data, om_sealed_bytes(d).p, out->len);
    om_pool_give(p->pool, om_sealed_release(d));
    return true;
}

/* The first datagram ends the last sessions of an epoch that is neither current nor previous, and
 * so the epoch; the second one, from a new address, is under that epoch. */
OM_TEST(node_batch_may_end_an_epoch)
{
    static const uint8_t close[] = {OM_FRAME_CLOSE, 0, 4, 0, 0, 0, 0}, ping[11] = {1, 0, 8};
    struct pair_options o = pair_defaults();
    uint8_t bytes[2][128], secret[32] = {0};
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    (void)!pair_connect(&p, 0);
    (void)!pair_connect(&p, 1);
    pair_run(&p, OM_SEC(2));
    OM_TRY(is_up(&p) && pair_peer(&p, 0).receiving == 2);
    struct om_node *a = p.side[0].node, *b = p.side[1].node;
    for (uint32_t number = 1; number <= 2; number++) {
        secret[0]++;
        OM_TRY(om_node_epoch(a, p.now, &p.network, number, secret) == OM_OK);
    }
    CHECK_EQ(a->keyring.count, 3);

    struct om_peer *peer = om_peers_find(&b->peers, b->networks[0], &p.side[0].id);
    struct om_dgram batch[2] = {{.via.remote = p.side[1].addr, .data = bytes[0]},
                                {.via.remote = om_addr_v4(0x0a000009, 9), .data = bytes[1]}};
    OM_TRY(seal_one(&p, peer, peer->assoc->receiving[0], om_bytes(close, sizeof close), &batch[0]));
    OM_TRY(seal_one(&p, peer, peer->assoc->receiving[1], om_bytes(ping, sizeof ping), &batch[1]));
    om_node_input(a, p.now, batch, 2);
    CHECK_EQ(a->keyring.count, 2);
    CHECK_EQ(pair_info(&p, 0).sessions, 0);
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_DEAD_KEY], 1);
out:
    pair_fini(&p);
}

OM_TEST(node_answers_one_ping_per_packet)
{
    enum { PINGS = 100, PING_SIZE = 11 };
    struct pair_options o = pair_defaults();
    uint8_t bytes[PINGS * PING_SIZE + OM_OVERHEAD], pings[PINGS * PING_SIZE];
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    (void)!pair_connect(&p, 0);
    pair_run(&p, OM_SEC(2));
    OM_TRY(is_up(&p));
    struct om_node *b = p.side[1].node;
    struct om_peer *peer = om_peers_find(&b->peers, b->networks[0], &p.side[0].id);
    for (unsigned n = 0; n <= PINGS; n += n ? PINGS - 1 : 1) { /* none, one, all */
        struct om_dgram d = {.via.remote = p.side[1].addr, .data = bytes};
        struct om_wr w = om_wr(om_mut(pings, sizeof pings));
        uint64_t before = pair_info(&p, 0).sealed_data;
        for (unsigned i = 0; i < n; i++)
            om_frame_write_ping(&w, i);
        OM_TRY(seal_one(&p, peer, peer->assoc->carry, om_bytes(pings, om_wr_len(&w)), &d));
        om_node_input(p.side[0].node, p.now, &d, 1);
        OM_TRY(pair_info(&p, 0).sealed_data == before + (n > 0));
    }
out:
    pair_fini(&p);
}

/* Loses what the first 2 s bring to a. */
static bool lose_early_answers(struct pair *p, const struct pair_dgram *d)
{
    return d->to == 1 || p->now > OM_SEC(2);
}

/* b named a value far above a's clock. Each msg1 must be above it and above the one before, else
 * b, having answered the first, takes the next for a replay. */
OM_TEST(node_initiates_above_what_the_peer_named)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    OM_TRY(om_node_connect(a, p.now, &p.network, &p.side[1].id, NULL, 0) == OM_OK);
    struct om_peer *peer = om_peers_find(&a->peers, a->networks[0], &p.side[1].id);
    peer->stamp_floor = UINT64_C(1) << 46;
    p.filter = lose_early_answers;
    (void)!pair_connect(&p, 0);
    pair_run(&p, OM_SEC(10));
    OM_TRY(is_up(&p));
    CHECK_EQ(pair_info(&p, 1).drops[OM_DROP_HS_STALE], 0);
    CHECK(pair_peer(&p, 0).initiated);
out:
    pair_fini(&p);
}
