/* test_verified.c - certificates that are checked once, and looked at each time. */
#include "certs.h"

static const uint8_t sip_key[16] = {3};

struct desk {
    struct certs certs;
    struct om_verified v;
    struct om_network net;
    struct om_identity who;
};

static void desk_init(struct desk *d)
{
    *d = (struct desk){.certs = certs_make(), .who = certs_someone(9)};
    d->net.id = d->certs.network;
    d->net.authority = d->certs.authority.id;
    om_verified_init(&d->v, sip_key);
}

static enum om_cert_verdict look(struct desk *d, const struct om_cert_chain *chain,
                                 const struct om_identity *holder, int64_t after_s,
                                 struct om_member *m)
{
    struct om_network shows = {.is_open = false};
    struct om_shown shown = {.static_key = holder->dh_public};

    CHECK_OK(om_credential_set(&shows, chain));
    shown.bytes = om_credential_ours(&shows, &shown.kind);
    return om_verified_check(&d->v, &d->net, &shown, (uint32_t)(CERTS_NOW_S + after_s), m);
}

OM_TEST(verified_remembers_what_held)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    for (int by_admin = 0; by_admin < 2; by_admin++) {
        const struct om_cert_chain chain =
            certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id,
                                                       .by_admin = by_admin == 1,
                                                       .admin_until_s = 100 * CERTS_DAY_S,
                                                       .name = "alice"});
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
            CHECK_EQ(d.v.checks, 1 + by_admin);
            CHECK(om_id_equal(&m.key, &d.who.id));
            CHECK(om_id_equal(&m.issuer, by_admin ? &d.certs.admin.id : &d.certs.authority.id));
            CHECK_STR(m.name, "alice");
        }
    }
    const struct om_member *found = om_verified_find(&d.v, &d.net, &d.who.id);
    CHECK(found && om_id_equal(&found->issuer, &d.certs.admin.id));
    CHECK(om_verified_find(&d.v, &d.net, &d.certs.admin.id) == NULL);
    om_verified_fini(&d.v);
}

OM_TEST(verified_looks_at_the_calendar_each_time)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    const struct om_cert_chain chain =
        certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id, .by_admin = true});
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
    CHECK_EQ(look(&d, &chain, &d.who, 2 * CERTS_DAY_S, &m), OM_CERT_HOLDS);
    CHECK_EQ(look(&d, &chain, &d.who, 2 * CERTS_DAY_S + 1, &m), OM_CERT_EXPIRED);
    CHECK_EQ(look(&d, &chain, &d.who, -2 * CERTS_DAY_S, &m), OM_CERT_HOLDS);
    CHECK_EQ(look(&d, &chain, &d.who, -2 * CERTS_DAY_S - 1, &m), OM_CERT_EARLY);
    CHECK_EQ(d.v.checks, 1);
    om_verified_fini(&d.v);
}

OM_TEST(verified_remembers_no_refusals)
{
    const struct om_identity stranger = certs_someone(7);
    struct om_member m;
    struct desk d;

    desk_init(&d);
    const struct om_cert_chain chain =
        certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id, .signer = &stranger});
    for (unsigned i = 1; i <= 3; i++) {
        CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_FORGED);
        CHECK_EQ(d.v.checks, i);
    }
    CHECK_EQ(om_lru_count(&d.v.of[0].chains), 0);
    CHECK_EQ(om_lru_count(&d.v.of[0].keys), 0);
    om_verified_fini(&d.v);
}

/* As if so many others had been checked in the @share-th network. */
static void fill(struct desk *d, unsigned share)
{
    for (uint32_t i = 0; i < OM_VERIFIED_MAX; i++) {
        uint8_t key[OM_KEY_BYTES] = {(uint8_t)i, (uint8_t)(i >> 8)};
        CHECK(om_lru_put(&d->v.of[share].chains, key, NULL));
        CHECK(om_lru_put(&d->v.of[share].keys, key, NULL));
    }
    CHECK_EQ(om_lru_count(&d->v.of[share].chains), OM_VERIFIED_MAX);
}

OM_TEST(verified_is_bounded)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    const struct om_cert_chain chain = certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id});
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
    fill(&d, 0);
    CHECK(om_verified_find(&d.v, &d.net, &d.who.id) == NULL);
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS); /* again, and not by memory */
    CHECK_EQ(d.v.checks, 2);
    CHECK_EQ(om_lru_count(&d.v.of[0].chains), OM_VERIFIED_MAX);
    om_verified_fini(&d.v);
}

OM_TEST(verified_networks_do_not_share)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    for (unsigned i = 0; i < 2; i++) { /* the same key in two networks */
        d.net.id = d.certs.network;
        const struct om_cert_chain chain =
            certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id});
        CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
        d.certs.network.b[0] ^= 1;
    }
    d.net.id = d.certs.network; /* the first */
    fill(&d, 1);
    CHECK(om_verified_find(&d.v, &d.net, &d.who.id) != NULL);
    d.net.id.b[0] ^= 1; /* the one that was filled: the control */
    CHECK(om_verified_find(&d.v, &d.net, &d.who.id) == NULL);
    om_verified_leave(&d.v, &d.net.id); /* and has gone; the other stays */
    CHECK(!d.v.of[1].is_used);
    d.net.id = d.certs.network;
    CHECK(om_verified_find(&d.v, &d.net, &d.who.id) != NULL);
    om_verified_fini(&d.v);
}

OM_TEST(verified_needs_the_static_key)
{
    const struct om_identity thief = certs_someone(7);
    struct om_member m;
    struct desk d;

    desk_init(&d);
    const struct om_cert_chain chain = certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id});
    CHECK_EQ(look(&d, &chain, &thief, 0, &m), OM_CERT_FORGED);
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
    CHECK_EQ(look(&d, &chain, &thief, 0, &m), OM_CERT_FORGED); /* also once it is known */
    om_verified_fini(&d.v);
}

OM_TEST(verified_is_of_one_network)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    const struct om_cert_chain chain = certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id});
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
    d.net.id.b[0] ^= 1;
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_FORGED);
    d.net.id.b[0] ^= 1;
    d.net.is_open = true; /* its id would be another, too */
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_FORGED);
    om_verified_fini(&d.v);
}

OM_TEST(verified_admin_role_needs_the_authority)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    for (int by_admin = 0; by_admin < 2; by_admin++) {
        const struct om_cert_chain chain =
            certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id,
                                                       .by_admin = by_admin == 1,
                                                       .roles = OM_ROLE_ADMIN | OM_ROLE_RELAY});
        CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
        CHECK_EQ(m.roles, by_admin ? OM_ROLE_RELAY : OM_ROLE_ADMIN | OM_ROLE_RELAY);
    }
    om_verified_fini(&d.v);
}

OM_TEST(verified_takes_what_its_holder_signed)
{
    struct om_network shows = {.is_open = false};
    struct om_shown shown = {.kind = 0};
    struct om_member m;
    struct desk d;

    desk_init(&d);
    struct om_cert_chain chain =
        certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id, .name = "alice"});
    CHECK_OK(om_credential_set(&shows, &chain));
    shown.bytes = om_credential_ours(&shows, &shown.kind);
    CHECK(!om_verified_told(&d.v, &d.net, &shown, &d.certs.admin.id, &m)); /* another signed */
    CHECK(om_verified_find(&d.v, &d.net, &d.who.id) == NULL);
    CHECK(om_verified_told(&d.v, &d.net, &shown, &d.who.id, &m));
    const struct om_member *found = om_verified_find(&d.v, &d.net, &d.who.id);
    CHECK(found && strcmp(found->name, "alice") == 0);
    /* A newer one was shown: what is told of the older does not take its place. */
    chain = certs_chain(
        &d.certs,
        &(struct certs_wish){.key = d.who.id, .until_s = 95 * CERTS_DAY_S, .name = "alice-2"});
    CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
    CHECK(om_verified_told(&d.v, &d.net, &shown, &d.who.id, &m));
    CHECK_STR(m.name, "alice");
    found = om_verified_find(&d.v, &d.net, &d.who.id);
    CHECK(found && strcmp(found->name, "alice-2") == 0);
    om_verified_fini(&d.v);
}

OM_TEST(verified_goes_by_the_latest)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    for (int i = 0; i < 4; i++) { /* the first, the one that took its role, and each again */
        const struct om_cert_chain chain =
            certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id,
                                                       .from_s = (i & 1 ? -1 : -9) * CERTS_DAY_S,
                                                       .until_s = (i & 1 ? 89 : 81) * CERTS_DAY_S,
                                                       .roles = i & 1 ? 0 : OM_ROLE_RELAY,
                                                       .name = i & 1 ? "alice" : "bob"});
        CHECK_EQ(look(&d, &chain, &d.who, 0, &m), OM_CERT_HOLDS);
        CHECK_STR(m.name, i & 1 ? "alice" : "bob"); /* it is shown, and let in by */
        const struct om_member *found = om_verified_find(&d.v, &d.net, &d.who.id);
        CHECK(found && found->roles == (i == 0 ? OM_ROLE_RELAY : 0));
        CHECK_STR(found->name, i == 0 ? "bob" : "alice");
        CHECK_EQ(om_verified_shown(&d.v, &d.net, &d.who.id), m.until);
    }
    CHECK_EQ(om_verified_shown(&d.v, &d.net, &d.certs.admin.id), 0);
    const struct om_cert_chain renewed = /* of the date of the first, and for longer */
        certs_chain(&d.certs, &(struct certs_wish){.key = d.who.id,
                                                   .from_s = -CERTS_DAY_S,
                                                   .until_s = 95 * CERTS_DAY_S,
                                                   .name = "alice-2"});
    CHECK_EQ(look(&d, &renewed, &d.who, 0, &m), OM_CERT_HOLDS);
    CHECK_STR(om_verified_find(&d.v, &d.net, &d.who.id)->name, "alice-2");
    m.roles = OM_ROLE_RELAY; /* the later one holds no more: its issuer was ended */
    om_verified_prefer(&d.v, &d.net, &m);
    CHECK_EQ(om_verified_find(&d.v, &d.net, &d.who.id)->roles, OM_ROLE_RELAY);
    m.key = d.certs.admin.id; /* nobody knows that one */
    om_verified_prefer(&d.v, &d.net, &m);
    CHECK(om_verified_find(&d.v, &d.net, &m.key) == NULL);
    om_verified_fini(&d.v);
}
