/* test_node_hostile.c - what members and peers of ill will, or in bad order, do to a node. */
#include "harness.h"
#include "pair.h"

#include "node/state.h"

/* Two nodes with a session that the first of them began. */
static bool meet(struct pair *p, const struct pair_options *o)
{
    if (!pair_init(p, o))
        return false;
    (void)!pair_connect(p, 0);
    pair_run(p, OM_SEC(2));
    return pair_peer(p, 0).has_session && pair_peer(p, 1).has_session;
}

/* What @side holds of the other. */
static struct om_peer *other(const struct pair *p, int side)
{
    struct om_node *n = p->side[side].node;

    return om_peers_find(&n->peers, n->networks[0], &p->side[!side].id);
}

/* Side @from seals @text under the session that carries, and it arrives at once. */
static bool arrive(struct pair *p, int from, struct om_bytes text)
{
    struct om_association *a = other(p, from)->assoc;
    struct om_buf *b = om_pool_take(p->pool, OM_HEADROOM);
    struct om_sealed *d;

    if (!b)
        return false;
    memcpy(om_buf_put(b, text.n), text.p, text.n);
    CHECK_OK(om_seal(&d, a->carry, a->counter++, b));
    pair_inject(p, !from, om_sealed_bytes(d).p, om_sealed_bytes(d).n);
    om_pool_give(p->pool, om_sealed_release(d));
    return true;
}

/* b answers a's rekey and says goodbye, and the goodbye overtakes the answer. Without it the answer
 * makes a session. */
OM_TEST(node_close_may_overtake_an_answer)
{
    static const uint8_t close[] = {OM_FRAME_CLOSE, 0, 4, 0, 0, 0, 0};
    struct pair_options o = pair_defaults();
    struct pair p = {0};

    for (int closes = 0; closes < 2; closes++) {
        OM_TRY(meet(&p, &o));
        uint64_t made = pair_info(&p, 0).sessions_made;
        node_need_session(p.side[0].node, p.now, other(&p, 0));
        pair_run(&p, p.now + OM_MS(PAIR_DELAY_MS));
        OM_TRY(pair_info(&p, 1).responses_out == 2);
        if (closes)
            OM_TRY(arrive(&p, 1, om_bytes(close, sizeof close)));
        pair_run(&p, p.now + OM_SEC(1));
        OM_TRY(pair_info(&p, 0).sessions_made == made + !closes);
        CHECK_EQ(pair_peer(&p, 0).has_session, !closes);
        pair_fini(&p);
    }
out:
    pair_fini(&p);
}

/* Many datagrams wait when a session comes up whose key must not seal that many. */
OM_TEST(node_stops_sealing_a_quarter_past_the_limit)
{
    enum { LIMIT = 8, HARD = LIMIT + LIMIT / 4, SENT = 40 };
    struct pair_options o = pair_defaults();
    struct pair p;

    for (int limited = 0; limited < 2; limited++) {
        o.limits.packets_max = limited ? LIMIT : 0;
        OM_TRY(pair_init(&p, &o));
        (void)!pair_connect(&p, 0);
        for (unsigned i = 0; i < SENT; i++)
            (void)!pair_send(&p, 0, "x");
        pair_run(&p, p.now + OM_MS(2 * PAIR_DELAY_MS));
        struct om_peer *b = other(&p, 0);
        OM_TRY(b && b->assoc && b->assoc->carry);
        OM_TRY(b->assoc->carry->sealed == (limited ? HARD : SENT));
        pair_run(&p, p.now + OM_SEC(2));
        OM_TRY(p.side[1].delivered == SENT); /* the others waited for another key */
        pair_fini(&p);
    }
out:
    pair_fini(&p);
}

/* A member that sees a's msg1 may make a cookie for it, and say that it comes from anywhere. */
OM_TEST(node_heeds_cookies_only_where_it_asked)
{
    struct pair_options o = pair_defaults();
    const uint8_t cookie[OM_MAC_BYTES] = {1};
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    (void)!pair_connect(&p, 0);
    struct om_peer *b = other(&p, 0);
    OM_TRY(b && b->handshake && b->handshake->sent == 1);
    struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_COOKIE,
        .receiver = b->handshake->index,
        .body = om_bytes(cookie, sizeof cookie),
        .size_max = OM_HANDSHAKE_MAX,
    };
    const struct om_addr from[] = {om_addr_v4(0x0a000009, 9), p.side[1].addr};
    for (unsigned i = 0; i < OM_ARRAY_SIZE(from); i++) {
        struct om_buf *buf = om_pool_take(p.pool, OM_HEADROOM);
        struct om_sealed *d;
        OM_TRY(buf != NULL);
        CHECK_OK(om_sealed_handshake(&d, buf, b->net->current, &f,
                                     om_bytes(b->handshake->sent_t[0], OM_MAC_BYTES), &a->rng));
        uint64_t before = pair_info(&p, 0).initiations_out;
        pair_inject_from(&p, 0, &from[i], om_sealed_bytes(d).p, om_sealed_bytes(d).n);
        om_pool_give(p.pool, om_sealed_release(d));
        CHECK_EQ(pair_info(&p, 0).cookies_in, i + 1);
        OM_TRY(pair_info(&p, 0).initiations_out == before + i);
    }
out:
    pair_fini(&p);
}

/* Who sees a msg1 and knows the secret can make responses whose T holds; each would cost two curve
 * products. What is beyond the rate costs none, and the true one gets through a moment later. */
OM_TEST(node_bounds_the_cost_of_forged_responses)
{
    struct pair_options o = pair_defaults();
    const uint8_t body[300] = {1};
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    (void)!pair_connect(&p, 0);
    struct om_peer *b = other(&p, 0);
    OM_TRY(b && b->handshake && b->handshake->sent == 1);
    struct om_handshake_fields f = {
        .kind = OM_HANDSHAKE_RESPONSE,
        .sender = 7,
        .receiver = b->handshake->index,
        .body = om_bytes(body, sizeof body),
        .size_max = OM_HANDSHAKE_MAX,
    };
    struct om_buf *buf = om_pool_take(p.pool, OM_HEADROOM);
    OM_TRY(buf != NULL);
    CHECK_OK(om_handshake_build(buf, b->handshake->epoch, &f,
                                om_bytes(a->networks[0]->self.dh_public, 32), &a->rng));
    CHECK(om_bucket_take(&a->responses, p.now, OM_RESPONSES_PER_S - 10)); /* this test is short */
    for (unsigned i = 0; i < 10 + 5; i++)
        pair_inject(&p, 0, om_buf_data(buf), buf->len);
    om_pool_give(p.pool, buf);
    OM_TRY(!om_test_oom_hit());
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_HS_NOISE], 10);
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_HS_RATE], 5);
    pair_run(&p, p.now + OM_SEC(1));
    OM_TRY(pair_peer(&p, 0).has_session);
out:
    pair_fini(&p);
}

/* Every handshake there may be is taken when a session is asked for; later there is one. */
OM_TEST(node_tries_again_what_memory_refused)
{
    struct pair_options o = pair_defaults();
    void *taken[2];
    struct pair p;

    o.limits.peers_max = OM_ARRAY_SIZE(taken);
    OM_TRY(pair_init(&p, &o));
    struct om_vault *v = p.side[0].node->handshakes;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(taken); i++)
        taken[i] = om_vault_take(v);
    (void)!pair_connect(&p, 0);
    (void)!pair_send(&p, 0, "patience");
    pair_run(&p, p.now + OM_SEC(5));
    unsigned sent = p.sent;
    uint64_t refused = pair_info(&p, 0).drops[OM_DROP_MEMORY];
    for (unsigned i = 0; i < OM_ARRAY_SIZE(taken); i++)
        om_vault_give(v, taken[i]);
    OM_TRY(!om_test_oom_hit());
    CHECK_EQ(sent, 0);
    CHECK(refused >= 5 && refused < 20); /* again, and not all the time */
    pair_run(&p, p.now + OM_SEC(2));
    OM_TRY(p.side[1].delivered == 1);
out:
    pair_fini(&p);
}

/* Keeps from a what b sends, but on the tape. */
static bool lose_answers(struct pair *p, const struct pair_dgram *d)
{
    (void)p;
    return d->to == 1;
}

/* b answers a's rekey, restarts and begins anew, and only then its answer of the old life comes. */
OM_TEST(node_late_answer_does_not_undo_a_restart)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(meet(&p, &o));
    p.filter = lose_answers;
    node_need_session(p.side[0].node, p.now, other(&p, 0));
    pair_run(&p, p.now + OM_MS(PAIR_DELAY_MS));
    OM_TRY(pair_info(&p, 1).responses_out == 2);
    struct pair_dgram late = p.tape[p.sent - 1];
    OM_TRY(late.to == 0 && late.len >= OM_HANDSHAKE_MIN);
    pair_run(&p, p.now + OM_MS(PAIR_DELAY_MS));
    p.filter = NULL;
    OM_TRY(pair_restart(&p, 1, &o, true));
    (void)!pair_connect(&p, 1);
    pair_run(&p, p.now + OM_MS(5 * PAIR_DELAY_MS));
    OM_TRY(pair_info(&p, 0).restarts == 1 && pair_peer(&p, 1).has_session);

    pair_inject(&p, 0, late.bytes, late.len);
    CHECK_EQ(pair_info(&p, 0).responses_in, 2);
    CHECK_EQ(pair_info(&p, 0).restarts, 1);
    (void)!pair_send(&p, 1, "still here");
    pair_run(&p, p.now + OM_MS(5 * PAIR_DELAY_MS));
    OM_TRY(p.side[0].delivered == 1);
out:
    pair_fini(&p);
}

/* The driver has not drained for long: what could not be queued for the disk is not on it. */
OM_TEST(node_reserves_timestamps_only_when_told)
{
    struct pair_options o = pair_defaults();
    struct om_act a;
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *n = p.side[0].node;
    for (struct om_act *full; (full = node_act(n, OM_ACT_REMEMBER)) != NULL;)
        full->remember = (struct om_act_remember){.kind = OM_REMEMBER_PEER};
    (void)!pair_connect(&p, 0);
    while (om_node_next(n, &a))
        CHECK(a.kind == OM_ACT_REMEMBER && a.remember.kind == OM_REMEMBER_PEER);
    pair_run(&p, p.now + OM_SEC(2));
    OM_TRY(pair_peer(&p, 0).has_session);
    CHECK(p.side[0].clock.value > n->stamp_last);
out:
    pair_fini(&p);
}

/* Seed and handshakes, which hold a copy of our static key, live where networks and keys do. */
OM_TEST(node_secrets_live_in_vaults)
{
    struct pair_options o = pair_defaults();
    struct pair p;

    for (int lock = 0; lock < 2; lock++) {
        o.lock_secrets = lock;
        OM_TRY(pair_init(&p, &o));
        struct om_node *n = p.side[0].node;
        bool can = om_vault_is_locked(n->networks_vault); /* limits may forbid it */
        CHECK(!can || lock);
        CHECK_EQ(om_vault_is_locked(n->seed_vault), can);
        CHECK_EQ(om_vault_left(n->seed_vault), 0);
        CHECK_MEM(n->home_seed, p.side[0].seed, 32);
        (void)!pair_connect(&p, 0);
        OM_TRY(om_vault_left(n->handshakes) == o.limits.peers_max - 1);
        pair_run(&p, p.now + OM_SEC(2));
        OM_TRY(pair_peer(&p, 0).has_session);
        CHECK_EQ(om_vault_left(n->handshakes), o.limits.peers_max);
        pair_fini(&p);
    }
out:
    pair_fini(&p);
}

/* Peers that never answer, with all that may wait for each, must not take what handshakes need. */
OM_TEST(node_waiting_leaves_buffers_for_handshakes)
{
    struct pair_options o = pair_defaults();
    const struct om_addr nowhere = om_addr_v4(0x0a000063, 1);
    struct pair p;

    OM_TRY(pair_init(&p, &o));
    struct om_node *a = p.side[0].node;
    unsigned busy = 0;
    for (uint8_t i = 0; i < 16; i++) {
        struct om_identity absent;
        uint8_t seed[32] = {i, 1};
        while (om_identity_from_seed(&absent, seed) != OM_OK)
            seed[1]++;
        (void)!om_node_connect(a, p.now, &p.network, &absent.id, &nowhere, 1);
        pair_run(&p, p.now + 1); /* the driver gives back what was sent */
        for (unsigned k = 0; k < OM_WAITING_MAX; k++)
            busy += om_node_send(a, p.now, &p.network, &absent.id, "c", om_bytes("x", 1)) != OM_OK;
    }
    (void)!pair_connect(&p, 0);
    pair_run(&p, p.now + OM_SEC(5));
    OM_TRY(pair_peer(&p, 0).has_session && busy > 0);
    OM_TRY(pair_send(&p, 0, "goes at once") == OM_OK);
    pair_run(&p, p.now + OM_SEC(1));
    OM_TRY(p.side[1].delivered == 1);
out:
    pair_fini(&p);
}

/* A PONG is longer than its PING, so a peer cannot have as many as it likes. */
OM_TEST(node_answers_pings_at_a_rate)
{
    static const uint8_t ping[OM_FRAME_HEAD + 8] = {OM_FRAME_PING, 0, 8};
    struct pair_options o = pair_defaults();
    struct pair p;

    OM_TRY(meet(&p, &o));
    for (int again = 0; again < 2; again++) {
        uint64_t before = pair_info(&p, 0).sealed_data;
        for (unsigned i = 0; i < 2 * OM_PONGS_PER_S; i++)
            OM_TRY(arrive(&p, 1, om_bytes(ping, sizeof ping)));
        OM_TRY(pair_info(&p, 0).sealed_data == before + OM_PONGS_PER_S);
        pair_run(&p, p.now + OM_SEC(1)); /* after which there are as many again */
    }
    CHECK_EQ(pair_info(&p, 0).drops[OM_DROP_PING_RATE], 2 * OM_PONGS_PER_S);
out:
    pair_fini(&p);
}
