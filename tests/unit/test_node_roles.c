/* test_node_roles.c - in a closed network a relay is who has the role, whoever says it. */
#include "certs.h"

#include <omerta/gossip.h>

#include "node/member.h"
#include "node/why.h"
#include "peer/record.h"

static const uint8_t secret[32] = {0x5e, 0xc3};

/* Both sides are members of a closed network. */
struct desk {
    struct certs certs;
    struct pair p;
    struct om_identity self[2];
    unsigned heard;      /* records of side 0, by side 1 */
    uint8_t heard_flags; /* in the last */
};

static void on_act(struct pair *p, int side, const struct om_act *act)
{
    struct desk *d = p->on_call_arg;
    struct om_record r;

    if (side != 1 || act->kind != OM_ACT_RECORD ||
        !om_id_equal(&act->record.peer, &d->self[0].id) ||
        om_record_decode(&r, act->record.bytes) != OM_OK)
        return;
    d->heard++;
    d->heard_flags = r.flags;
}

/* @side is in, with @w as its certificate, and says that it relays. */
static void enter(struct desk *d, int side, struct certs_wish w)
{
    const struct om_announce a = {
        .ends = {d->p.side[side].addr}, .end_count = 1, .relays = side == 0};
    struct om_network_config c = {
        .id = d->certs.network, .epoch = 7, .gossip = true, .authority = d->certs.authority.id};

    w.key = d->self[side].id;
    memcpy(c.secret, secret, sizeof secret);
    c.chain = certs_chain(&d->certs, &w);
    CHECK_OK(om_node_join(d->p.side[side].node, &c, NULL));
    CHECK_OK(om_node_announce(d->p.side[side].node, d->p.now, &d->certs.network, &a));
}

static void desk_init(struct desk *d, struct certs_wish of_side_0)
{
    const struct pair_options o = pair_defaults();
    uint8_t seed[32];

    *d = (struct desk){.certs = certs_make_real()};
    CHECK(pair_init(&d->p, &o));
    d->p.on_call = on_act;
    d->p.on_call_arg = d;
    for (int i = 0; i < 2; i++) {
        memset(seed, 0x10 + i, sizeof seed);
        CHECK_OK(om_identity_for_network(&d->self[i], seed, &d->certs.network));
    }
    enter(d, 0, of_side_0);
    enter(d, 1, (struct certs_wish){.name = "ben"});
}

/* Side 1 hears a record of @who, that it relays, with a certificate as @w says; does it believe
 * it? */
static bool believes(struct desk *d, uint8_t who, struct certs_wish w)
{
    const struct om_identity third = certs_someone(who);
    struct om_node *n = d->p.side[1].node;
    struct om_network shows = {.is_open = false};
    struct om_netcheck_relay relays[4];
    struct om_record r = {.id = third.id,
                          .sequence = (uint64_t)CERTS_NOW_S * 1000,
                          .expires = CERTS_NOW_S + CERTS_DAY_S / 2,
                          .flags = OM_RECORD_RELAY,
                          .end_count = 1,
                          .ends = {{OM_END_HOST, d->p.side[0].addr}}};
    uint8_t fields[OM_RECORD_MAX], bytes[OM_RECORD_MAX], kind;
    struct om_wr out = om_wr(om_mut(fields, sizeof fields));
    struct om_announce says;
    bool is_chosen = false;

    w.key = third.id;
    const struct om_cert_chain chain = certs_chain(&d->certs, &w);
    CHECK_OK(om_credential_set(&shows, &chain));
    const struct om_bytes shown = om_credential_ours(&shows, &kind);
    om_wr_u8(&out, OM_FIELD_CREDENTIAL);
    om_wr_u16(&out, (uint16_t)(1 + shown.n));
    om_wr_u8(&out, kind);
    om_wr_bytes(&out, shown);
    r.fields = om_bytes(fields, om_wr_len(&out));
    size_t len = om_record_encode(bytes, &r, &third, &d->certs.network);
    CHECK_OK(om_node_learn(n, d->p.now, &d->certs.network, om_bytes(bytes, len)));
    pair_run(&d->p, d->p.now + OM_MS(1));
    CHECK_OK(om_node_record(n, &d->certs.network, &third.id, &says, NULL));
    CHECK_EQ(says.end_count, 1);
    unsigned count = node_select_relays(n, node_network(n, &d->certs.network), relays, 4);
    for (unsigned i = 0; i < count; i++)
        is_chosen = is_chosen || om_id_equal(&relays[i].id, &third.id);
    CHECK_EQ(is_chosen, says.relays);
    return is_chosen;
}

OM_TEST(roles_relay_is_believed_by_its_certificate)
{
    struct desk d;

    desk_init(&d, (struct certs_wish){.name = "ann"});
    CHECK(!believes(&d, 10, (struct certs_wish){.name = "a"}));
    CHECK(!believes(&d, 11, (struct certs_wish){.roles = OM_ROLE_PROVIDER}));
    CHECK(believes(&d, 12, (struct certs_wish){.roles = OM_ROLE_RELAY}));
    CHECK(believes(&d, 13, (struct certs_wish){.roles = OM_ROLE_RELAY, .by_admin = true}));
    CHECK(believes(&d, 14, (struct certs_wish){.roles = OM_ROLE_ADMIN}));
    /* An admin makes no admins, whatever the certificate says. */
    CHECK(!believes(&d, 15, (struct certs_wish){.roles = OM_ROLE_ADMIN, .by_admin = true}));
    pair_fini(&d.p);
}

OM_TEST(roles_own_record_says_relay_only_with_the_role)
{
    static const struct certs_wish wishes[] = {
        {.roles = OM_ROLE_PROVIDER}, {.roles = OM_ROLE_RELAY}, {.roles = OM_ROLE_ADMIN}};
    struct desk d;

    for (size_t i = 0; i < OM_ARRAY_SIZE(wishes); i++) {
        desk_init(&d, wishes[i]);
        CHECK_OK(om_node_connect(d.p.side[1].node, d.p.now, &d.certs.network, &d.self[0].id,
                                 &d.p.side[0].addr, 1));
        pair_run(&d.p, d.p.now + OM_SEC(5));
        CHECK(d.heard > 0);
        CHECK_EQ(d.heard_flags, i > 0 ? OM_RECORD_RELAY : 0);
        pair_fini(&d.p);
    }
}

OM_TEST(roles_count_in_closed_networks_only)
{
    const struct om_identity third = certs_someone(10);
    const struct om_network open = {.is_open = true, .self = third};
    struct desk d;

    desk_init(&d, (struct certs_wish){.roles = OM_ROLE_RELAY});
    struct om_node *n = d.p.side[0].node;
    const struct om_network *closed = node_network(n, &d.certs.network);
    CHECK(node_member_may(n, closed, &d.self[0].id, OM_ROLE_RELAY));
    CHECK(!node_member_may(n, closed, &d.self[0].id, OM_ROLE_PROVIDER));
    CHECK(!node_member_may(n, closed, &third.id, OM_ROLE_RELAY)); /* of whom nothing is known */
    CHECK(node_member_may(n, &open, &third.id, OM_ROLE_RELAY));
    CHECK(node_member_may(n, &open, &d.self[0].id, OM_ROLE_PROVIDER));
    /* The same by the network's id, of which that of the pair is an open one. */
    CHECK(om_node_may(n, &d.certs.network, &d.self[0].id, OM_ROLE_RELAY));
    CHECK(!om_node_may(n, &d.certs.network, &d.self[0].id, OM_ROLE_PROVIDER));
    CHECK(om_node_may(n, &d.p.network, &third.id, OM_ROLE_PROVIDER));
    CHECK(!om_node_may(n, &third.id, &d.self[0].id, OM_ROLE_RELAY)); /* no network of ours */
    pair_fini(&d.p);
}
