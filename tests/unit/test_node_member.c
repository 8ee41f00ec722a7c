/* test_node_member.c - two nodes of a closed network, and those who are none of it. */
#include "certs.h"

#include "node/member.h"

struct meeting {
    struct certs certs;
    struct pair_options o;
    uint8_t node[2][OM_NODE_CERT_MAX], admin[2][OM_ADMIN_CERT_BYTES];
    struct pair p;
};

/* Lets @side have the chain that @w asks for; its key is filled in where it is not. */
static void give(struct meeting *m, int side, struct certs_wish w)
{
    struct om_identity self = pair_identity(side);

    if (om_id_is_zero(&w.key))
        w.key = self.id;
    struct om_cert_chain c = certs_chain(&m->certs, &w);
    memcpy(m->node[side], c.node.p, c.node.n);
    if (c.admin.n > 0)
        memcpy(m->admin[side], c.admin.p, c.admin.n);
    m->o.chain[side] = (struct om_cert_chain){om_bytes(m->node[side], c.node.n),
                                              om_bytes(m->admin[side], c.admin.n)};
}

static void prepare(struct meeting *m)
{
    *m = (struct meeting){.certs = certs_make(), .o = pair_defaults()};
    m->o.closed = true;
    m->o.authority = m->certs.authority.id;
    for (int i = 0; i < 2; i++)
        give(m, i, (struct certs_wish){.by_admin = i == 1});
}

/* Do they meet, @from asking first? The wrong ones get no answer at all. */
static bool meets(struct meeting *m, int from)
{
    bool is_up = false;

    if (m->p.now == 0)
        CHECK(pair_init(&m->p, &m->o));
    CHECK_OK(pair_connect(&m->p, from));
    CHECK_OK(pair_send(&m->p, from, "hello"));
    pair_run(&m->p, OM_SEC(4));
    is_up = m->p.side[0].events[OM_EVENT_SESSION_UP] > 0 ||
            m->p.side[1].events[OM_EVENT_SESSION_UP] > 0;
    CHECK_EQ(m->p.side[!from].delivered, is_up ? 1 : 0);
    return is_up;
}

static uint64_t refused(const struct meeting *m, int side)
{
    return pair_info(&m->p, side).drops[OM_DROP_HS_CREDENTIAL];
}

OM_TEST(member_meets_member)
{
    struct om_member of;
    struct meeting m;

    for (int from = 0; from < 2; from++) {
        prepare(&m);
        give(&m, 0, (struct certs_wish){.name = "alice", .roles = OM_ROLE_PROVIDER});
        CHECK(meets(&m, from));
        CHECK_EQ(refused(&m, 0) + refused(&m, 1), 0);
        CHECK_OK(om_node_member(m.p.side[1].node, &m.p.network, &m.p.side[0].id, &of));
        CHECK_STR(of.name, "alice");
        CHECK_EQ(of.roles, OM_ROLE_PROVIDER);
        pair_fini(&m.p);
    }
}

OM_TEST(member_stranger_with_the_secret_gets_nothing)
{
    struct meeting m;

    for (int from = 0; from < 2; from++) {
        prepare(&m);
        m.o.chain[1] = (struct om_cert_chain){.node = om_bytes(NULL, 0)};
        CHECK(!meets(&m, from));
        CHECK(refused(&m, 0) > 0); /* at msg1 from it, or at its msg2 */
        if (from == 1)             /* silence: nothing left side 0 */
            CHECK_EQ(pair_info(&m.p, 0).responses_out, 0);
        give(&m, 1, (struct certs_wish){.by_admin = true});
        CHECK_OK(om_node_credential(m.p.side[1].node, m.p.now, &m.p.network, &m.o.chain[1]));
        pair_run(&m.p, m.p.now + OM_SEC(10));
        CHECK(m.p.side[!from].delivered == 1); /* the same node, once it has one */
        pair_fini(&m.p);
    }
}

/* A pair whose side 1 shows, whatever it should, the chain that @w asks for. */
static void show(struct meeting *m, struct certs_wish w)
{
    prepare(m);
    CHECK(pair_init(&m->p, &m->o));
    give(m, 1, w);
    CHECK_OK(om_credential_set(m->p.side[1].node->networks[0], &m->o.chain[1]));
}

/* What node 0 would say to who shows the chain that @w asks for; -1: nothing. */
static int answer(struct meeting *m, struct certs_wish w)
{
    struct om_network shows = {.is_open = false};
    const struct om_identity self = pair_identity(1);
    struct om_shown shown = {.static_key = self.dh_public};
    struct om_node *n = m->p.side[0].node;
    uint8_t session_class;
    struct om_id id;

    give(m, 1, w);
    CHECK_OK(om_credential_set(&shows, &m->o.chain[1]));
    shown.bytes = om_credential_ours(&shows, &shown.kind);
    if (!node_member_admit(n, m->p.now, n->networks[0], &shown, &id, &session_class))
        return -1;
    CHECK(om_id_equal(&id, &self.id));
    return session_class;
}

OM_TEST(member_wrong_certificates_are_met_with_silence)
{
    const struct om_identity stranger = certs_someone(7);
    struct meeting m;

    prepare(&m);
    CHECK(pair_init(&m.p, &m.o));
    CHECK_EQ(answer(&m, (struct certs_wish){.by_admin = true}), OM_CLASS_FULL);
    CHECK_EQ(answer(&m, (struct certs_wish){.from_s = CERTS_DAY_S - 60}), OM_CLASS_FULL);
    CHECK_EQ(answer(&m, (struct certs_wish){.signer = &stranger}), -1);
    CHECK_EQ(answer(&m, (struct certs_wish){.by_admin = true, .signer = &stranger}), -1);
    CHECK_EQ(answer(&m, (struct certs_wish){.by_admin = true, .has_no_right = true}), -1);
    CHECK_EQ(answer(&m, (struct certs_wish){.from_s = CERTS_DAY_S + 60}), -1);
    CHECK_EQ(answer(&m, (struct certs_wish){.key = stranger.id}), -1);
    m.certs.network.b[0] ^= 1; /* right in another network */
    CHECK_EQ(answer(&m, (struct certs_wish){.by_admin = true}), -1);
    m.certs.network.b[0] ^= 1;
    CHECK_EQ(answer(&m, (struct certs_wish){.by_admin = true}), OM_CLASS_FULL);
    pair_fini(&m.p);
}

OM_TEST(member_forged_certificate_is_refused_both_ways)
{
    const struct om_identity stranger = certs_someone(7);
    struct meeting m;

    for (int from = 0; from < 2; from++) {
        show(&m, (struct certs_wish){.by_admin = true, .signer = &stranger});
        CHECK(!meets(&m, from));
        CHECK(refused(&m, 0) > 0);
        if (from == 1)
            CHECK_EQ(pair_info(&m.p, 0).responses_out, 0);
        pair_fini(&m.p);
    }
}

OM_TEST(member_expired_may_only_renew)
{
    struct meeting m;

    show(&m, (struct certs_wish){.from_s = -90 * CERTS_DAY_S, .until_s = -2 * CERTS_DAY_S});
    CHECK_OK(pair_connect(&m.p, 1));
    CHECK_EQ(pair_send(&m.p, 1, "early"), OM_OK); /* before it knows what it is given */
    pair_run(&m.p, OM_SEC(4));
    CHECK_EQ(m.p.side[0].events[OM_EVENT_SESSION_UP], 1);
    CHECK_EQ(m.p.side[0].delivered, 0);
    CHECK(pair_info(&m.p, 0).drops[OM_DROP_CLASS] > 0);
    CHECK_EQ(pair_send(&m.p, 1, "more"), OM_E_NO_ROUTE);
    CHECK_EQ(pair_send(&m.p, 0, "to it"), OM_E_NO_ROUTE);
    pair_fini(&m.p);
}

OM_TEST(member_expired_for_long_is_told)
{
    struct meeting m;

    show(&m, (struct certs_wish){.from_s = -200 * CERTS_DAY_S, .until_s = -92 * CERTS_DAY_S});
    CHECK_EQ(
        answer(&m, (struct certs_wish){.from_s = -200 * CERTS_DAY_S, .until_s = -90 * CERTS_DAY_S}),
        OM_CLASS_RENEW);
    CHECK(!meets(&m, 1));
    CHECK(m.p.side[1].events[OM_EVENT_VERSION_MISMATCH] > 0);
    pair_fini(&m.p);
}

OM_TEST(member_shows_only_its_own_certificate)
{
    const struct om_identity stranger = certs_someone(7);
    const struct certs_wish wrong[] = {{.signer = &stranger}, {.key = stranger.id}};
    struct meeting m;

    prepare(&m);
    CHECK(pair_init(&m.p, &m.o));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(wrong); i++) {
        give(&m, 0, wrong[i]);
        CHECK_EQ(om_node_credential(m.p.side[0].node, m.p.now, &m.p.network, &m.o.chain[0]),
                 OM_E_CRYPTO);
    }
    give(&m, 0, (struct certs_wish){.by_admin = true});
    CHECK_OK(om_node_credential(m.p.side[0].node, m.p.now, &m.p.network, &m.o.chain[0]));
    pair_fini(&m.p);
}

OM_TEST(member_bare_key_is_no_credential_where_closed)
{
    struct meeting m;

    for (int is_closed = 0; is_closed < 2; is_closed++) {
        prepare(&m);
        m.o.closed = is_closed == 1;
        m.o.chain[0] = m.o.chain[1] = (struct om_cert_chain){.node = om_bytes(NULL, 0)};
        CHECK_EQ(meets(&m, 0), !is_closed);
        CHECK_EQ(refused(&m, 1) > 0, is_closed);
        pair_fini(&m.p);
    }
}
