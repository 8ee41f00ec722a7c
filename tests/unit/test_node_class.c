/* test_node_class.c - what one whose certificate has expired is not given: what members have. */
#include "certs.h"

#include <omerta/ip.h>
#include <omerta/where.h>

#include "node/call.h"
#include "node/member.h"

enum { PAD_BYTES = 1000 };

struct visit {
    struct certs certs;
    struct pair_options o;
    uint8_t node[2][OM_NODE_CERT_MAX];
    struct pair p;
};

static struct om_cert_chain chain_of(struct visit *v, int side, struct certs_wish w)
{
    struct om_identity self = pair_identity(side);

    w.key = self.id;
    struct om_cert_chain c = certs_chain(&v->certs, &w);
    memcpy(v->node[side], c.node.p, c.node.n);
    return (struct om_cert_chain){om_bytes(v->node[side], c.node.n), om_bytes(NULL, 0)};
}

/* Two members; or the certificate of side 1 ended ten days ago, as nobody knows yet. */
static void begin(struct visit *v, bool is_expired)
{
    struct om_where w = {.own_count = 1};

    *v = (struct visit){.certs = certs_make(), .o = pair_defaults()};
    v->o.closed = true;
    v->o.authority = v->certs.authority.id;
    for (int i = 0; i < 2; i++)
        v->o.chain[i] = chain_of(v, i, (struct certs_wish){.name = "a"});
    CHECK(pair_init(&v->p, &v->o));
    for (int i = 0; i < 2; i++) {
        w.own[0] = v->p.side[i].addr;
        CHECK_OK(om_node_where(v->p.side[i].node, v->p.now, &w));
    }
    if (!is_expired)
        return;
    const struct om_cert_chain c =
        chain_of(v, 1,
                 (struct certs_wish){.from_s = -90 * (int64_t)CERTS_DAY_S,
                                     .until_s = -10 * (int64_t)CERTS_DAY_S});
    CHECK_OK(om_credential_set(v->p.side[1].node->networks[0], &c));
}

/* Frames that came in a session which must not carry them. */
static uint64_t misplaced(const struct visit *v)
{
    return pair_info(&v->p, 0).drops[OM_DROP_CLASS] + pair_info(&v->p, 1).drops[OM_DROP_CLASS];
}

OM_TEST(class_who_is_no_member_is_told_no_addresses)
{
    struct visit v;

    for (int is_expired = 0; is_expired < 2; is_expired++) {
        begin(&v, is_expired);
        CHECK_OK(pair_connect(&v.p, 1));
        pair_run(&v.p, OM_SEC(3));
        CHECK_EQ(v.p.side[0].events[OM_EVENT_SESSION_UP], 1);
        for (int i = 0; i < 2; i++) { /* again, when they change */
            CHECK_EQ(v.p.side[i].node->where.nats[0].count > 0, !is_expired); /* nor is its word */
            const struct om_where w = {.own_count = 1, .own = {om_addr_v4(0x0a000063, 4242)}};
            CHECK_OK(om_node_where(v.p.side[i].node, v.p.now, &w));
            pair_run(&v.p, v.p.now + OM_SEC(1));
            CHECK_EQ(v.p.side[i].node->counts.candidates_out, is_expired ? 0 : 2);
        }
        CHECK_EQ(misplaced(&v), 0);
        pair_fini(&v.p);
    }
}

OM_TEST(class_what_waits_for_a_member_is_for_nobody_else)
{
    const struct om_call_config asks = {.method = "for.members", .args = om_bytes("{}", 2)};
    static const uint8_t packet[28] = {0x45, 0, 0, 28};
    struct visit v;
    uint64_t call;

    for (int is_expired = 0; is_expired < 2; is_expired++) {
        begin(&v, is_expired);
        struct om_node *n = v.p.side[0].node;
        const struct om_id *to = &v.p.side[1].id;
        CHECK_OK(om_node_allow_ip(v.p.side[1].node, &v.p.network, &v.p.side[0].id, true));
        CHECK_OK(pair_connect(&v.p, 0));
        CHECK_OK(pair_send(&v.p, 0, "for a member"));
        CHECK_OK(om_node_send_ip(n, v.p.now, &v.p.network, to, om_bytes(packet, sizeof packet)));
        CHECK_OK(om_node_call(n, v.p.now, &v.p.network, to, &asks, &call));
        pair_run(&v.p, OM_MS(100));
        CHECK_OK(pair_connect(&v.p, 1));
        pair_run(&v.p, OM_SEC(5));
        CHECK(v.p.side[0].events[OM_EVENT_SESSION_UP] > 0);
        CHECK_EQ(v.p.side[1].delivered, !is_expired);
        CHECK_EQ(v.p.side[1].packets, !is_expired);
        CHECK_EQ(om_table_count(&v.p.side[1].node->calls), !is_expired);
        CHECK_EQ(misplaced(&v), 0);
        CHECK_EQ(pair_send(&v.p, 0, "more"), is_expired ? OM_E_NO_ROUTE : OM_OK);
        pair_fini(&v.p);
    }
}

/* What side @side of @v holds of the other. */
static struct om_peer *other(const struct visit *v, int side)
{
    struct om_node *n = v->p.side[side].node;

    return om_peers_find(&n->peers, n->networks[0], &v->p.side[!side].id);
}

/* Side 1 begins a question and stops in the middle of it. */
static struct om_stream *begin_question(struct visit *v)
{
    struct om_mux *m = &other(v, 1)->carrier->mux;
    struct om_stream *s = NULL;

    CHECK_OK(om_mux_open(m, OM_NORMAL, &s));
    if (s)
        CHECK_OK(om_stream_write(m, s, om_bytes("\0", 2)));
    node_flush(v->p.side[1].node, v->p.now, other(v, 1));
    pair_run(&v->p, v->p.now + OM_SEC(1));
    return s;
}

OM_TEST(class_has_one_stream_at_a_time)
{
    const uint8_t classes[] = {OM_CLASS_FULL, OM_CLASS_RESYNC, OM_CLASS_JOIN, OM_CLASS_RENEW};
    struct visit v;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(classes); i++) {
        const bool is_one = classes[i] != OM_CLASS_FULL;
        begin(&v, false);
        CHECK_OK(pair_connect(&v.p, 1));
        pair_run(&v.p, OM_SEC(3));
        for (int side = 0; side < 2; side++)
            other(&v, side)->assoc->carry->session_class = classes[i];
        struct om_stream *first = begin_question(&v);
        CHECK_EQ(om_table_count(&v.p.side[0].node->calls), 1);
        struct om_stream *second = begin_question(&v);
        CHECK_EQ(om_table_count(&v.p.side[0].node->calls), is_one ? 1 : 2);
        CHECK_EQ(pair_info(&v.p, 0).drops[OM_DROP_CALLS_FULL], is_one ? 1 : 0);
        if (is_one && second) {
            CHECK(second->is_done || second->stop_code == OM_CLOSE_LIMIT);
            CHECK_EQ(second->reset_code, OM_CLOSE_LIMIT);
        }
        if (is_one && first) { /* and the next once that is over */
            om_stream_reset(&other(&v, 1)->carrier->mux, first, OM_CLOSE_CANCELLED);
            (void)begin_question(&v);
            CHECK_EQ(pair_info(&v.p, 0).drops[OM_DROP_CALLS_FULL], 1);
            CHECK_EQ(om_table_count(&v.p.side[0].node->calls), 1);
        }
        pair_fini(&v.p);
    }
}

/* Side 1 seals a datagram that says nothing, in the session that carries, and it arrives. */
static void pad(struct visit *v)
{
    struct om_association *a = other(v, 1)->assoc;
    struct om_buf *b = om_pool_take(v->p.pool, OM_HEADROOM);
    struct om_sealed *d;

    OM_BUG_IF(!b || !a);
    memset(om_buf_put(b, PAD_BYTES), 0, PAD_BYTES);
    CHECK_OK(om_seal(&d, a->carry, a->counter++, b));
    pair_inject(&v->p, 0, om_sealed_bytes(d).p, om_sealed_bytes(d).n);
    om_pool_give(v->p.pool, om_sealed_release(d));
}

OM_TEST(class_of_no_member_ends_with_64_kib)
{
    const uint8_t classes[] = {OM_CLASS_FULL, OM_CLASS_RESYNC, OM_CLASS_JOIN, OM_CLASS_RENEW};
    struct visit v;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(classes); i++) {
        const bool is_bounded = classes[i] == OM_CLASS_JOIN || classes[i] == OM_CLASS_RENEW;
        begin(&v, false);
        CHECK_OK(pair_connect(&v.p, 1));
        pair_run(&v.p, OM_SEC(3));
        struct om_session *s = other(&v, 0)->assoc->carry;
        s->session_class = classes[i];
        while (s->bytes_in + 2 * PAD_BYTES < OM_CLASS_BYTES_MAX)
            pad(&v);
        CHECK_EQ(v.p.side[0].events[OM_EVENT_SESSION_DOWN], 0); /* so much it may say */
        pad(&v);
        pad(&v);
        CHECK_EQ(other(&v, 0)->assoc == NULL, is_bounded);
        CHECK_EQ(pair_info(&v.p, 0).drops[OM_DROP_CLASS], is_bounded);
        pair_fini(&v.p);
    }
}
