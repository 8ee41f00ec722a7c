/* test_node_names.c - members are called what admins called them. */
#include "certs.h"

#include <omerta/gossip.h>
#include <omerta/names.h>
#include <sodium.h>

#include "network/epoch.h"
#include "node/ledger.h"
#include "peer/record.h"

static const uint8_t secret[32] = {0x5e, 0xc2};

/* Side 0 is an admin of a closed network; side 1 a member, or one that joins. */
struct desk {
    struct certs certs;
    struct pair p;
    struct om_identity self[2], third;
    uint8_t admin_cert[OM_ADMIN_CERT_BYTES];
    uint64_t sequence;
    unsigned joined, unkept;
    bool is_full; /* the disk of side 0 */
};

static void on_act(struct pair *p, int side, const struct om_act *act)
{
    struct desk *d = p->on_call_arg;

    if (act->kind == OM_ACT_MEMBER && act->member.news == OM_MEMBER_LEDGER && side == 0 &&
        d->is_full) {
        d->unkept++;
        om_node_unkept(p->side[0].node, &d->certs.network);
    }

    d->joined += act->kind == OM_ACT_MEMBER && act->member.news == OM_MEMBER_JOINED;
}

static void enter(struct desk *d, int side, const char *name)
{
    const struct om_announce a = {.name = "liar"};
    struct om_network_config c = {
        .id = d->certs.network, .epoch = 7, .gossip = true, .authority = d->certs.authority.id};

    memcpy(c.secret, secret, sizeof secret);
    c.chain = certs_chain(&d->certs, &(struct certs_wish){.key = d->self[side].id,
                                                          .roles = side == 0 ? OM_ROLE_ADMIN : 0,
                                                          .name = name});
    CHECK_OK(om_node_join(d->p.side[side].node, &c, NULL));
    CHECK_OK(om_node_announce(d->p.side[side].node, d->p.now, &d->certs.network, &a));
}

static void desk_init(struct desk *d)
{
    const struct pair_options o = pair_defaults();
    struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                 .number = 1,
                                 .issued = CERTS_NOW_S - CERTS_DAY_S,
                                 .expires = CERTS_NOW_S + 300 * CERTS_DAY_S};
    uint8_t seed[32];

    *d = (struct desk){.certs = certs_make_real(), .third = certs_someone(7)};
    CHECK(pair_init(&d->p, &o));
    d->p.on_call = on_act;
    d->p.on_call_arg = d;
    for (int i = 0; i < 2; i++) {
        memset(seed, 0x10 + i, sizeof seed);
        CHECK_OK(om_identity_for_network(&d->self[i], seed, &d->certs.network));
    }
    cert.key = d->self[0].id;
    om_admin_cert_encode(d->admin_cert, &cert, &d->certs.authority, &d->certs.network);
    enter(d, 0, "boss");
    CHECK_OK(om_node_admin(d->p.side[0].node, d->p.now, &d->certs.network,
                           om_bytes(d->admin_cert, sizeof d->admin_cert)));
}

/* Side 0 hears a record of the third, with @chain in it. */
static void hear_chain(struct desk *d, const struct om_cert_chain *chain)
{
    struct om_network shows = {.is_open = false};
    struct om_record r = {.id = d->third.id,
                          .sequence = (uint64_t)CERTS_NOW_S * 1000 + ++d->sequence,
                          .expires = CERTS_NOW_S + CERTS_DAY_S / 2};
    uint8_t fields[OM_RECORD_MAX], bytes[OM_RECORD_MAX], kind;
    struct om_wr w = om_wr(om_mut(fields, sizeof fields));

    CHECK_OK(om_credential_set(&shows, chain));
    struct om_bytes shown = om_credential_ours(&shows, &kind);
    om_wr_u8(&w, OM_FIELD_CREDENTIAL);
    om_wr_u16(&w, (uint16_t)(1 + shown.n));
    om_wr_u8(&w, kind);
    om_wr_bytes(&w, shown);
    r.fields = om_bytes(fields, om_wr_len(&w));
    size_t n = om_record_encode(bytes, &r, &d->third, &d->certs.network);
    CHECK_OK(om_node_learn(d->p.side[0].node, d->p.now, &d->certs.network, om_bytes(bytes, n)));
    pair_run(&d->p, d->p.now + OM_MS(100));
}

/* In it the certificate of @key. */
static void hear(struct desk *d, const struct om_id *key, const char *name, bool by_admin)
{
    const struct om_cert_chain chain = certs_chain(
        &d->certs, &(struct certs_wish){.key = *key, .by_admin = by_admin, .name = name});

    hear_chain(d, &chain);
}

static unsigned names(struct desk *d, int side, struct om_named out[static 8])
{
    return om_node_names(d->p.side[side].node, &d->certs.network, out, 8);
}

OM_TEST(names_of_members_are_heard_by_gossip)
{
    struct om_named all[8];
    struct desk d;

    desk_init(&d);
    hear(&d, &d.self[1].id, "ben", false); /* the third shows what is another's */
    CHECK_EQ(names(&d, 0, all), 1);
    CHECK_STR(all[0].name, "boss");
    CHECK_EQ(pair_info(&d.p, 0).drops[OM_DROP_HS_CREDENTIAL], 1);
    hear(&d, &d.third.id, "ann", true);
    CHECK_EQ(names(&d, 0, all), 2);
    CHECK_STR(all[0].name, "ann");
    CHECK(om_id_equal(&all[0].key, &d.third.id));
    /* What went with the gossip of side 0 is known to side 1, who never met the third. */
    enter(&d, 1, "ann");
    CHECK_OK(om_node_connect(d.p.side[1].node, d.p.now, &d.certs.network, &d.self[0].id,
                             &d.p.side[0].addr, 1));
    pair_run(&d.p, d.p.now + OM_SEC(20));
    for (int side = 0; side < 2; side++) {
        CHECK_EQ(names(&d, side, all), 3);
        CHECK_STR(all[0].name, "ann"); /* whom the authority itself let in goes first */
        CHECK(om_id_equal(&all[0].key, &d.self[1].id));
        CHECK_EQ(strncmp(all[1].name, "ann-", 4), 0);
        CHECK(om_id_equal(&all[1].key, &d.third.id));
        CHECK_STR(all[2].name, "boss");
    }
    pair_fini(&d.p);
}

/* Side 1 joins by a link of side 0, and wishes to be called @name. */
static void join(struct desk *d, const char *name)
{
    struct om_grant grant = {.uses = 1,
                             .issued = CERTS_NOW_S - 60,
                             .expires = CERTS_NOW_S + CERTS_DAY_S,
                             .invite = {0, 1, 'v', 'i', 't', 'e'}};
    struct om_join_link l = {
        .has_admin = true, .authority = d->certs.authority.id, .epoch = 7, .peer_count = 1};
    char text[OM_JOIN_TEXT];
    struct om_id network;
    uint8_t sk[64];

    l.seed[0] = 0x1a;
    crypto_sign_seed_keypair(grant.key.b, sk, l.seed);
    om_epoch_join_secret(l.secret, secret);
    om_grant_encode(l.grant, &grant, &d->self[0], &d->certs.network);
    memcpy(l.admin, d->admin_cert, sizeof l.admin);
    l.peers[0] = (struct om_join_peer){d->self[0].id, d->p.side[0].addr};
    om_join_link_print(text, &l);
    CHECK_OK(om_node_join_by_link(d->p.side[1].node, d->p.now, text, name, &network, NULL));
    pair_run(&d->p, d->p.now + OM_SEC(3));
    CHECK_EQ(d->joined, 1);
}

static void check_own_name(struct desk *d, const char *want)
{
    struct om_member m;

    CHECK_OK(om_node_member(d->p.side[1].node, &d->certs.network,
                            om_node_id(d->p.side[1].node, &d->certs.network), &m));
    CHECK_STR(m.name, want);
}

OM_TEST(names_are_told_apart_by_admins)
{
    struct desk d;

    desk_init(&d);
    hear(&d, &d.third.id, "ben", true); /* by another admin */
    join(&d, "ben");
    check_own_name(&d, "ben-2");
    pair_fini(&d.p);

    desk_init(&d);
    join(&d, "boss"); /* our own */
    check_own_name(&d, "boss-2");
    pair_fini(&d.p);

    desk_init(&d);
    join(&d, "ben");
    check_own_name(&d, "ben");
    pair_fini(&d.p);
}

OM_TEST(names_are_freed_by_a_revocation)
{
    struct om_named all[8];
    struct desk d;

    desk_init(&d);
    hear(&d, &d.third.id, "ben", true);
    CHECK_EQ(names(&d, 0, all), 2);
    CHECK_OK(om_node_revoke(d.p.side[0].node, d.p.now, &d.certs.network, &d.third.id));
    CHECK_EQ(names(&d, 0, all), 1);
    join(&d, "ben");
    check_own_name(&d, "ben");
    CHECK_EQ(names(&d, 0, all), 2);
    CHECK_STR(all[0].name, "ben");
    pair_fini(&d.p);
}

/* The third came by the invitation of join(), so many seconds from now, by another admin. */
static void hear_of_invited(struct desk *d, int from_s)
{
    struct om_node_cert c = {.issued = (uint32_t)(CERTS_NOW_S + from_s),
                             .expires = CERTS_NOW_S + CERTS_DAY_S,
                             .invite = {0, 1, 'v', 'i', 't', 'e'},
                             .key = d->third.id};
    uint8_t node[OM_NODE_CERT_MAX];
    struct om_cert_chain chain =
        certs_chain(&d->certs, &(struct certs_wish){.key = d->third.id, .by_admin = true});

    chain.node = om_bytes(node, om_node_cert_encode(node, &c, &d->certs.admin, &d->certs.network));
    hear_chain(d, &chain);
}

OM_TEST(surplus_of_an_invitation_is_revoked)
{
    for (int is_earlier = 0; is_earlier < 2; is_earlier++) {
        struct desk d;
        desk_init(&d);
        join(&d, "ben");
        struct om_node *n = d.p.side[0].node;
        const struct om_network *net = node_network(n, &d.certs.network);
        CHECK_EQ(node_ledger_of(n, &net->id)->all.logs[1]->count, 1); /* that it issued */
        hear_of_invited(&d, is_earlier ? -60 : 60);
        const struct om_id *joined = om_node_id(d.p.side[1].node, &d.certs.network);
        CHECK_EQ(node_ledger_is_revoked(n, net, &d.third.id), !is_earlier);
        CHECK_EQ(node_ledger_is_revoked(n, net, joined), is_earlier);
        CHECK_EQ(node_ledger_of(n, &net->id)->all.logs[1]->count, 2); /* and this once */
        pair_fini(&d.p);
    }
}

/* Else a full disk has its admin sign without end. */
OM_TEST(surplus_that_cannot_be_kept_is_signed_later)
{
    const struct om_id other = certs_someone(9).id;
    struct desk d;

    desk_init(&d);
    join(&d, "ben");
    struct om_node *n = d.p.side[0].node;
    const struct om_network *net = node_network(n, &d.certs.network);
    d.is_full = true;
    hear_of_invited(&d, 60);
    CHECK(d.unkept > 0 && d.unkept <= 2); /* it, and the certificate of who let it in */
    CHECK(!node_ledger_is_revoked(n, net, &d.third.id));
    d.is_full = false;
    CHECK_OK(om_node_revoke(n, d.p.now, &net->id, &other));
    pair_run(&d.p, d.p.now + OM_SEC(1));
    CHECK(node_ledger_is_revoked(n, net, &d.third.id));
    pair_fini(&d.p);
}
