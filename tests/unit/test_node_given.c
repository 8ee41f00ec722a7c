/* test_node_given.c - who is given a certificate, and which is taken of whom. */
#include "certs.h"

#include <sodium.h>

#include "network/epoch.h"
#include "node/join.h"
#include "node/ledger.h"

static const uint8_t secret[32] = {0x5e, 0xc2};

/* Side 0 gives certificates, side 1 asks for one. */
struct counter {
    struct certs certs;
    struct pair p;
    struct om_identity self[2];
    uint8_t admin_cert[OM_ADMIN_CERT_BYTES];
    int64_t gives; /* one that ends so many days from now; 0: as it should be */
    unsigned given, joined, refused, renewed;
    enum om_join_why why;
};

static void on_act(struct pair *p, int side, const struct om_act *act)
{
    struct counter *k = p->on_call_arg;

    if (act->kind != OM_ACT_MEMBER)
        return;
    k->joined += side == 1 && act->member.news == OM_MEMBER_JOINED;
    k->renewed += side == 1 && act->member.news == OM_MEMBER_RENEWED;
    if (act->member.news == OM_MEMBER_REFUSED) {
        k->refused++;
        k->why = act->member.why;
    }
    if (side != 0 || act->member.news != OM_MEMBER_ISSUED)
        return;
    struct om_node *n = p->side[0].node;
    struct node_join *j = node_join_of(n, node_network(n, &k->certs.network));
    k->given++;
    CHECK(j && j->made_count == 1);
    if (j && k->gives != 0)
        j->made[0].cert.expires = (uint32_t)(CERTS_NOW_S + k->gives * CERTS_DAY_S);
}

/* @side is a member with @roles since @from days. */
static void enter(struct counter *k, int side, uint8_t roles, int64_t from)
{
    struct om_network_config c = {
        .id = k->certs.network, .epoch = 7, .authority = k->certs.authority.id};

    memcpy(c.secret, secret, sizeof secret);
    c.chain = certs_chain(&k->certs, &(struct certs_wish){.key = k->self[side].id,
                                                          .roles = roles,
                                                          .from_s = -from * CERTS_DAY_S,
                                                          .until_s = (90 - from) * CERTS_DAY_S});
    CHECK_OK(om_node_join(k->p.side[side].node, &c, NULL));
}

/* Side 0 has an admin's right to sign; its own certificate says so only with @roles. */
static void counter_init(struct counter *k, uint8_t roles, int64_t gives)
{
    const struct pair_options o = pair_defaults();
    struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                 .number = 1,
                                 .issued = CERTS_NOW_S - CERTS_DAY_S,
                                 .expires = CERTS_NOW_S + 300 * CERTS_DAY_S};
    uint8_t seed[32];

    *k = (struct counter){.certs = certs_make_real(), .gives = gives};
    CHECK(pair_init(&k->p, &o));
    k->p.on_call = on_act;
    k->p.on_call_arg = k;
    for (int i = 0; i < 2; i++) {
        memset(seed, 0x10 + i, sizeof seed);
        CHECK_OK(om_identity_for_network(&k->self[i], seed, &k->certs.network));
    }
    cert.key = k->self[0].id;
    om_admin_cert_encode(k->admin_cert, &cert, &k->certs.authority, &k->certs.network);
    enter(k, 0, roles, 1);
    CHECK_OK(om_node_admin(k->p.side[0].node, k->p.now, &k->certs.network,
                           om_bytes(k->admin_cert, sizeof k->admin_cert)));
}

/* Until when that holds which side 1 shows, in days from now. */
static int64_t shown_until(const struct counter *k)
{
    const struct om_node *n = k->p.side[1].node;
    const struct om_network *net = node_network(n, &k->certs.network);
    size_t admin = net->credential_kind == OM_CREDENTIAL_ADMIN ? OM_ADMIN_CERT_BYTES : 0;
    struct om_node_cert c = {.expires = 0};

    CHECK_OK(om_node_cert_decode(&c, om_bytes(net->credential, net->credential_len - admin)));
    return ((int64_t)c.expires - CERTS_NOW_S) / CERTS_DAY_S;
}

/* Else whoever was shown an earlier one gives it back, again and again. */
OM_TEST(renew_takes_what_holds_for_longer)
{
    static const struct {
        uint8_t roles; /* of who gives */
        int64_t from;  /* since when we are a member, in days */
        int64_t gives;
        bool is_taken;
    } cases[] = {
        {OM_ROLE_ADMIN, 54, 0, true},
        {OM_ROLE_ADMIN, 54, 36, false}, /* as long as ours */
        {OM_ROLE_ADMIN, 100, -5, false},
        {0, 100, 0, false}, /* who is no admin has none but what it was shown */
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct counter k;
        counter_init(&k, cases[i].roles, cases[i].gives);
        enter(&k, 1, 0, cases[i].from);
        CHECK_OK(om_node_connect(k.p.side[1].node, k.p.now, &k.certs.network, &k.self[0].id,
                                 &k.p.side[0].addr, 1));
        pair_run(&k.p, OM_SEC(6));
        CHECK_EQ(k.given, 1); /* and nobody is asked again at once */
        CHECK_EQ(k.renewed, cases[i].is_taken);
        CHECK_EQ(shown_until(&k), cases[i].is_taken ? 90 : 90 - cases[i].from);
        CHECK_EQ(pair_info(&k.p, 1).drops[OM_DROP_HS_CREDENTIAL] > 0, !cases[i].is_taken);
        pair_fini(&k.p);
    }
}

static void follow(struct counter *k)
{
    struct om_join_link l = {
        .has_admin = true, .authority = k->certs.authority.id, .epoch = 7, .peer_count = 1};
    struct om_grant g = {.uses = 1,
                         .issued = CERTS_NOW_S - 60,
                         .expires = CERTS_NOW_S + CERTS_DAY_S,
                         .invite = {0, 1, 'a'}};
    char text[OM_JOIN_TEXT];
    struct om_id network;
    uint8_t sk[64];

    om_epoch_join_secret(l.secret, secret);
    l.seed[0] = 0x1a;
    crypto_sign_seed_keypair(g.key.b, sk, l.seed);
    om_grant_encode(l.grant, &g, &k->self[0], &k->certs.network);
    memcpy(l.admin, k->admin_cert, sizeof l.admin);
    l.peers[0] = (struct om_join_peer){k->self[0].id, k->p.side[0].addr};
    om_join_link_print(text, &l);
    CHECK_OK(om_node_join_by_link(k->p.side[1].node, k->p.now, text, "", &network, NULL));
}

/* One that left, and comes again, must not be given what it had before. */
OM_TEST(join_takes_what_holds_of_an_admin)
{
    static const struct {
        uint8_t roles;
        int64_t gives;
        enum om_join_why why; /* OM_JOIN_WHY_COUNT: it is taken */
    } cases[] = {{OM_ROLE_ADMIN, 0, OM_JOIN_WHY_COUNT},
                 {OM_ROLE_ADMIN, -10, OM_JOIN_GARBAGE},
                 {0, 0, OM_JOIN_NO_ADMIN}};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct counter k;
        counter_init(&k, cases[i].roles, cases[i].gives);
        follow(&k);
        pair_run(&k.p, OM_SEC(OM_JOIN_PATIENCE_S + 5));
        CHECK_EQ(k.given, 1);
        CHECK_EQ(k.joined, cases[i].why == OM_JOIN_WHY_COUNT);
        CHECK_EQ(k.refused, cases[i].why != OM_JOIN_WHY_COUNT);
        if (k.refused > 0)
            CHECK_EQ(k.why, cases[i].why);
        pair_fini(&k.p);
    }
}

/* Side 0 let somebody in by the invitation of follow(), who left and came again by another; it saw
 * the first of his certificates if he showed it. */
static void use_up(struct counter *k, bool has_shown)
{
    struct node_ledger *g = node_ledger_of(k->p.side[0].node, &k->certs.network);
    struct om_node_cert c = {.number = 5,
                             .issued = CERTS_NOW_S - 60,
                             .expires = CERTS_NOW_S + CERTS_DAY_S,
                             .invite = {0, 1, 'a'},
                             .key = certs_someone(9).id};
    uint8_t bytes[OM_NODE_CERT_MAX];

    size_t n = om_node_cert_encode(bytes, &c, &k->self[0], &k->certs.network);
    CHECK_OK(om_node_issued(k->p.side[0].node, &k->certs.network, om_bytes(bytes, n)));
    if (has_shown)
        CHECK_OK(om_ledger_note(&g->all, om_bytes(bytes, n), &c, &k->self[0].id));
    c.number++;
    c.invite[2] = 'b';
    n = om_node_cert_encode(bytes, &c, &k->self[0], &k->certs.network);
    CHECK_OK(om_node_issued(k->p.side[0].node, &k->certs.network, om_bytes(bytes, n)));
}

/* Else it is let in, judged to be one too many as soon as it shows that, and out for good. */
OM_TEST(join_by_what_one_who_came_twice_used_is_refused)
{
    for (int has_shown = 0; has_shown < 2; has_shown++) {
        struct counter k;
        counter_init(&k, OM_ROLE_ADMIN, 0);
        use_up(&k, has_shown);
        follow(&k);
        pair_run(&k.p, OM_SEC(5));
        CHECK_EQ(k.joined, !has_shown); /* what nobody saw throws nobody out */
        CHECK_EQ(k.refused, has_shown);
        if (k.refused > 0)
            CHECK_EQ(k.why, OM_JOIN_USED);
        CHECK(!node_ledger_is_revoked(k.p.side[0].node,
                                      node_network(k.p.side[0].node, &k.certs.network),
                                      om_node_id(k.p.side[1].node, &k.certs.network)));
        pair_fini(&k.p);
    }
}
