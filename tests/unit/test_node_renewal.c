/* test_node_renewal.c - a member stays one: its certificate is made anew in time. */
#include "desk.h"

/* Side 1 is a member with @roles since @from days. */
static void join_as(struct desk *d, uint8_t roles, int64_t from)
{
    struct om_network_config c = {
        .id = d->certs.network, .epoch = 7, .authority = d->certs.authority.id};
    struct om_identity self;
    uint8_t seed[32];

    memset(seed, 0x11, sizeof seed);
    CHECK_OK(om_identity_for_network(&self, seed, &d->certs.network));
    memcpy(c.secret, secret, sizeof secret);
    c.chain = certs_chain(&d->certs, &(struct certs_wish){.key = self.id,
                                                          .roles = roles,
                                                          .from_s = -from * CERTS_DAY_S,
                                                          .until_s = (90 - from) * CERTS_DAY_S,
                                                          .name = "old"});
    CHECK_OK(om_node_join(d->p.side[1].node, &c, NULL));
    CHECK_OK(om_node_connect(d->p.side[1].node, d->p.now, &d->certs.network, &d->admin.id,
                             &d->p.side[0].addr, 1));
}

static void join_as_member(struct desk *d, int64_t from)
{
    join_as(d, 0, from);
}

OM_TEST(join_as_an_admin_is_renewed_by_the_authority)
{
    struct om_member m;
    struct desk d;

    for (int is_there = 0; is_there < 2; is_there++) {
        desk_init(&d);
        if (is_there)
            CHECK_OK(om_node_authority(d.p.side[0].node, &d.certs.network, d.certs.authority.seed));
        join_as(&d, OM_ROLE_ADMIN, 46);
        pair_run(&d.p, OM_SEC(3));
        CHECK_EQ(d.renewed, is_there);
        CHECK_OK(om_node_member(d.p.side[1].node, &d.certs.network,
                                om_node_id(d.p.side[1].node, &d.certs.network), &m));
        CHECK_EQ(m.roles, OM_ROLE_ADMIN);
        CHECK_EQ(m.until > CERTS_NOW_S + 50 * CERTS_DAY_S, is_there);
        pair_fini(&d.p);
    }
}

OM_TEST(join_is_renewed_from_half_of_its_life)
{
    struct om_member m;
    struct desk d;

    desk_init(&d);
    join_as_member(&d, 46);
    pair_run(&d.p, OM_SEC(3));
    CHECK_EQ(d.renewed, 1);
    CHECK_EQ(d.issued, 1);
    CHECK_OK(om_node_member(d.p.side[1].node, &d.certs.network,
                            om_node_id(d.p.side[1].node, &d.certs.network), &m));
    CHECK_EQ(m.issued, CERTS_NOW_S - 46 * CERTS_DAY_S); /* since when it is a member */
    CHECK_EQ(m.until, CERTS_NOW_S + 1 + OM_CERT_LIFE_S);
    CHECK_STR(m.name, "old");
    pair_fini(&d.p);

    desk_init(&d);
    join_as_member(&d, 44);
    pair_run(&d.p, OM_SEC(3));
    CHECK_EQ(d.renewed + d.issued, 0); /* it has a day */
    pair_fini(&d.p);
}

/* Sets the calendars of both nodes of @d every half minute until @until, as the daemon does. */
static void run_with_calendars(struct desk *d, om_time until)
{
    while (d->p.now < until) {
        pair_run(&d->p, om_time_min(d->p.now + OM_SEC(30), until));
        for (int i = 0; i < 2; i++)
            om_node_set_wall(d->p.side[i].node, d->p.now,
                             (struct om_wall){(int64_t)CERTS_NOW_S * 1000 + d->p.now / 1000});
    }
}

/* Rounds are 1, 2, 4, 8, 16, 32 and then 60 minutes apart, however often the calendar is set. */
OM_TEST(join_renewal_is_asked_for_again_ever_later)
{
    static const struct {
        int may_s, not_by_s, by_s; /* the admin may from then on */
    } rows[] = {{10, 50, 65}, {70, 170, 185}, {200, 410, 425}, {3900, 7370, 7390}};
    struct desk d;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        desk_init(&d);
        join_as(&d, OM_ROLE_ADMIN, 46);
        run_with_calendars(&d, OM_SEC(rows[i].may_s));
        CHECK_OK(om_node_authority(d.p.side[0].node, &d.certs.network, d.certs.authority.seed));
        run_with_calendars(&d, OM_SEC(rows[i].not_by_s));
        CHECK_EQ(d.renewed, 0);
        run_with_calendars(&d, OM_SEC(rows[i].by_s));
        CHECK_EQ(d.renewed, 1);
        pair_fini(&d.p);
    }
}

/* What an admin signed ends with the admin's own: the member asks before that, and is given none
 * that would end no later. */
OM_TEST(join_is_renewed_for_longer_only)
{
    for (int has_more = 0; has_more < 2; has_more++) {
        struct om_admin_cert cert = {.rights = OM_RIGHT_MEMBERS,
                                     .number = 1,
                                     .issued = CERTS_NOW_S - CERTS_DAY_S,
                                     .expires = CERTS_NOW_S + (has_more ? 90 : 40) * CERTS_DAY_S};
        struct om_network_config c = {.epoch = 7};
        struct om_identity self;
        struct om_member m;
        struct desk d;
        uint8_t seed[32];

        desk_init(&d);
        memset(seed, 0x11, sizeof seed);
        CHECK_OK(om_identity_for_network(&self, seed, &d.certs.network));
        d.certs.admin = d.admin;
        c.id = d.certs.network;
        c.authority = d.certs.authority.id;
        memcpy(c.secret, secret, sizeof secret);
        c.chain = certs_chain(&d.certs, &(struct certs_wish){.key = self.id,
                                                             .from_s = -60 * CERTS_DAY_S,
                                                             .by_admin = true,
                                                             .admin_until_s = 40 * CERTS_DAY_S});
        CHECK_OK(om_node_join(d.p.side[1].node, &c, NULL));
        cert.key = d.admin.id;
        om_admin_cert_encode(d.admin_cert, &cert, &d.certs.authority, &d.certs.network);
        CHECK_OK(om_node_admin(d.p.side[0].node, d.p.now, &d.certs.network,
                               om_bytes(d.admin_cert, sizeof d.admin_cert)));
        CHECK_OK(om_node_connect(d.p.side[1].node, d.p.now, &d.certs.network, &d.admin.id,
                                 &d.p.side[0].addr, 1));
        pair_run(&d.p, OM_SEC(3));
        CHECK_EQ(d.renewed, has_more);
        CHECK_EQ(d.issued, has_more);
        CHECK_OK(om_node_member(d.p.side[1].node, &d.certs.network, &self.id, &m));
        CHECK_EQ(m.until, CERTS_NOW_S + (has_more ? 90 : 40) * CERTS_DAY_S);
        pair_fini(&d.p);
    }
}
