/* test_node_members.c - who is in a network, by what one node has seen and heard. */
#include "certs.h"

#include <omerta/members.h>

#include "node/ledger.h"

struct hall {
    struct certs certs;
    struct pair p;
    struct om_identity self[2]; /* side 0 is an admin, side 1 a member */
};

static void join(struct hall *h, int side)
{
    struct om_network_config c = {
        .id = h->certs.network, .epoch = 7, .gossip = true, .authority = h->certs.authority.id};
    const struct certs_wish w = {.key = h->self[side].id,
                                 .roles = side == 0 ? OM_ROLE_ADMIN : OM_ROLE_RELAY,
                                 .name = side == 0 ? "ann" : "bob"};

    c.secret[0] = 0x5e;
    c.chain = certs_chain(&h->certs, &w);
    CHECK_OK(om_node_join(h->p.side[side].node, &c, NULL));
}

/* Both are there, and have met. */
static void hall_meet(struct hall *h)
{
    const struct pair_options o = pair_defaults();
    uint8_t seed[32];

    *h = (struct hall){.certs = certs_make_real()};
    CHECK(pair_init(&h->p, &o));
    for (int i = 0; i < 2; i++) {
        memset(seed, 0x10 + i, sizeof seed);
        CHECK_OK(om_identity_for_network(&h->self[i], seed, &h->certs.network));
        join(h, i);
    }
    CHECK_OK(om_node_connect(h->p.side[1].node, h->p.now, &h->certs.network, &h->self[0].id,
                             &h->p.side[0].addr, 1));
    pair_run(&h->p, OM_SEC(2));
}

/* Side 0 may sign. */
static void take_office(struct hall *h)
{
    const struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                       .issued = CERTS_NOW_S - CERTS_DAY_S,
                                       .expires = CERTS_NOW_S + CERTS_DAY_S,
                                       .key = h->self[0].id};
    uint8_t bytes[OM_ADMIN_CERT_BYTES];

    om_admin_cert_encode(bytes, &cert, &h->certs.authority, &h->certs.network);
    CHECK_OK(om_node_admin(h->p.side[0].node, h->p.now, &h->certs.network,
                           om_bytes(bytes, sizeof bytes)));
}

static void hall_init(struct hall *h)
{
    hall_meet(h);
    take_office(h);
}

static struct om_member_state state_of(const struct hall *h, int side, const struct om_id *key)
{
    struct om_member_state s;

    CHECK_OK(om_node_member_state(h->p.side[side].node, h->p.now, &h->certs.network, key, &s));
    return s;
}

static unsigned members_of(const struct hall *h, int side, struct om_id *out, unsigned max)
{
    return om_node_members(h->p.side[side].node, &h->certs.network, out, max);
}

static enum om_err revoke(struct hall *h, const struct om_id *key)
{
    return om_node_revoke(h->p.side[0].node, h->p.now, &h->certs.network, key);
}

static enum om_err unadmin(struct hall *h, const struct om_identity *who, const struct om_id *key)
{
    return om_node_unadmin(h->p.side[1].node, h->p.now, &h->certs.network, who->seed, key);
}

OM_TEST(members_lists_whom_certificates_and_logs_name)
{
    const struct om_id stranger = certs_someone(9).id;
    struct om_id list[3], lowest;
    struct hall h;

    hall_init(&h);
    for (int side = 0; side < 2; side++) {
        CHECK_EQ(members_of(&h, side, list, 3), 2);
        CHECK(om_id_cmp(&list[0], &list[1]) < 0);
        CHECK_EQ(members_of(&h, side, &lowest, 1), 2);
        CHECK(om_id_equal(&lowest, &list[0]));
        struct om_member_state s = state_of(&h, side, &h.self[1].id);
        CHECK(s.has_cert && !s.is_admin && s.standing == OM_STANDING_GOOD);
        CHECK_STR(s.member.name, "bob");
        CHECK_EQ(s.member.roles, OM_ROLE_RELAY);
        CHECK(om_id_equal(&s.member.issuer, &h.certs.authority.id));
        CHECK_EQ(s.is_own, side == 1);
        CHECK_EQ(s.has_session, side == 0);
        CHECK(state_of(&h, side, &h.self[0].id).is_admin);
    }
    CHECK_OK(revoke(&h, &stranger));
    pair_run(&h.p, h.p.now + OM_SEC(3));
    for (int side = 0; side < 2; side++) {
        CHECK_EQ(members_of(&h, side, NULL, 0), 3);
        struct om_member_state s = state_of(&h, side, &stranger);
        CHECK(!s.has_cert && s.standing == OM_STANDING_REVOKED);
        CHECK(om_id_equal(&s.revoker, &h.self[0].id));
    }
    CHECK_OK(revoke(&h, &h.self[1].id));
    pair_run(&h.p, h.p.now + OM_SEC(3));
    const struct om_member_state bob = state_of(&h, 0, &h.self[1].id);
    CHECK(bob.has_cert && !bob.has_session && bob.standing == OM_STANDING_REVOKED);
    CHECK_STR(om_standing_name(bob.standing), "revoked");
    pair_fini(&h.p);
}

OM_TEST(members_of_an_open_network_are_none)
{
    const struct pair_options o = pair_defaults();
    const struct om_id stranger = certs_someone(9).id;
    struct om_member_state s;
    struct pair p;

    CHECK(pair_init(&p, &o));
    CHECK_EQ(om_node_members(p.side[0].node, &p.network, NULL, 0), 0);
    CHECK_EQ(om_node_member_state(p.side[0].node, p.now, &p.network, &p.side[0].id, &s),
             OM_E_STATE);
    CHECK_EQ(om_node_member_state(p.side[0].node, p.now, &stranger, &stranger, &s), OM_E_MISSING);
    CHECK_STR(om_standing_name(OM_STANDINGS), "unknown");
    CHECK_EQ(om_node_unadmin(p.side[0].node, p.now, &p.network, stranger.b, &stranger), OM_E_STATE);
    pair_fini(&p);
}

OM_TEST(unadmin_is_the_authoritys_and_takes_what_he_says_later)
{
    const struct om_identity other = certs_someone(9);
    const struct om_id early = certs_someone(20).id, late = certs_someone(21).id;
    struct hall h;

    hall_init(&h);
    CHECK_OK(revoke(&h, &early));
    pair_run(&h.p, h.p.now + OM_SEC(3));
    CHECK_EQ(unadmin(&h, &other, &h.self[0].id), OM_E_CRYPTO);
    CHECK_EQ(unadmin(&h, &h.certs.authority, &h.self[1].id), OM_E_MISSING);
    CHECK_EQ(unadmin(&h, &h.certs.authority, &h.certs.authority.id), OM_E_MISSING);
    CHECK(state_of(&h, 1, &h.self[0].id).is_admin);
    CHECK_OK(unadmin(&h, &h.certs.authority, &h.self[0].id));
    CHECK_OK(unadmin(&h, &h.certs.authority, &h.self[0].id)); /* once is enough */
    CHECK_OK(revoke(&h, &late));                              /* he has not heard of it */
    pair_run(&h.p, h.p.now + OM_SEC(6));
    for (int side = 0; side < 2; side++) {
        CHECK_EQ(state_of(&h, side, &early).standing, OM_STANDING_REVOKED);
        CHECK_EQ(state_of(&h, side, &late).standing, OM_STANDING_GOOD);
        const struct om_member_state ann = state_of(&h, side, &h.self[0].id);
        CHECK(!ann.is_admin && ann.standing == OM_STANDING_GOOD); /* a member he is */
    }
    CHECK(state_of(&h, 1, &h.self[0].id).has_session);
    CHECK_EQ(revoke(&h, &late), OM_E_STATE);
    pair_fini(&h.p);
}

OM_TEST(admins_do_not_put_out_admins)
{
    const struct om_identity other = certs_someone(9);
    const struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                       .issued = CERTS_NOW_S - CERTS_DAY_S,
                                       .expires = CERTS_NOW_S + CERTS_DAY_S,
                                       .key = other.id};
    uint8_t bytes[OM_ADMIN_CERT_BYTES], part[OM_LEDGER_ANSWER_LEAST];
    struct hall h;

    hall_init(&h);
    om_admin_cert_encode(bytes, &cert, &h.certs.authority, &h.certs.network);
    const struct om_ledger_told told = {
        .is_cert = true, .owner = &other.id, .bytes = om_bytes(bytes, sizeof bytes)};
    CHECK_OK(om_node_ledger(h.p.side[0].node, h.p.now, &h.certs.network,
                            om_bytes(part, om_ledger_part(part, &told))));
    CHECK_EQ(revoke(&h, &other.id), OM_E_RANGE);
    CHECK_EQ(state_of(&h, 0, &other.id).standing, OM_STANDING_GOOD);
    const struct om_id stranger = certs_someone(10).id;
    CHECK_OK(revoke(&h, &stranger)); /* the control */
    pair_fini(&h.p);
}

OM_TEST(unadmin_of_one_who_said_nothing_yet)
{
    const struct om_id late = certs_someone(21).id;
    struct hall h;

    hall_meet(&h);
    const struct node_ledger *g = node_ledger_of(h.p.side[1].node, &h.certs.network);
    CHECK(g && !om_ledger_log(&g->all, &h.self[0].id)); /* known by its certificate alone */
    CHECK_OK(unadmin(&h, &h.certs.authority, &h.self[0].id));
    take_office(&h);
    CHECK_OK(revoke(&h, &late)); /* he has not heard of it */
    pair_run(&h.p, h.p.now + OM_SEC(6));
    CHECK(g && om_ledger_log(&g->all, &h.self[0].id));
    for (int side = 0; side < 2; side++) {
        CHECK_EQ(state_of(&h, side, &late).standing, OM_STANDING_GOOD);
        CHECK(!state_of(&h, side, &h.self[0].id).is_admin);
    }
    pair_fini(&h.p);
}
