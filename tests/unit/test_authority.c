/* test_authority.c - a closed network from its first key to its second member. */
#include "harness.h"

#include <omerta/authority.h>
#include <sodium.h>

#include "pair.h"

struct desk {
    struct pair p;
    struct om_network_link link;
    uint8_t seed[32];
    struct om_certs certs;
    unsigned joined, issued, refused;
    enum om_join_why why;
    struct om_certs made; /* of the last who joined */
};

static void fill(void *self, void *dst, size_t n)
{
    uint8_t *at = dst;

    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)om_prng_u64(self);
}

static void on_act(struct pair *p, int side OM_UNUSED, const struct om_act *act)
{
    struct desk *d = p->on_call_arg;

    if (act->kind != OM_ACT_MEMBER)
        return;
    d->joined += act->member.news == OM_MEMBER_JOINED;
    d->issued += act->member.news == OM_MEMBER_ISSUED;
    d->refused += act->member.news == OM_MEMBER_REFUSED;
    if (act->member.news == OM_MEMBER_REFUSED)
        d->why = act->member.why;
    if (act->member.news != OM_MEMBER_JOINED)
        return;
    d->made = (struct om_certs){.admin_len = act->member.chain.admin.n};
    memcpy(d->made.admin, act->member.chain.admin.p, d->made.admin_len);
}

/* Side 0 makes a network and is its first admin. */
static bool begin(struct desk *d, struct om_prng *prng)
{
    const struct pair_options o = pair_defaults();
    const struct om_rng rng = {fill, prng};
    struct om_network_config c;

    *d = (struct desk){.joined = 0};
    if (!pair_init(&d->p, &o))
        return false;
    d->p.on_call = on_act;
    d->p.on_call_arg = d;
    om_authority_new(&d->link, d->seed, &rng);
    om_network_link_config(&c, &d->link);
    struct om_node *n = d->p.side[0].node;
    if (om_node_join(n, &c, NULL) != OM_OK)
        return false;
    CHECK_OK(
        om_authority_certify(&d->certs, d->seed, om_node_id(n, &d->link.id), "boss", PAIR_WALL_MS));
    const struct om_cert_chain chain = {.node = om_bytes(d->certs.node, d->certs.node_len)};
    return om_node_credential(n, d->p.now, &d->link.id, &chain) == OM_OK &&
           om_node_admin(n, d->p.now, &d->link.id, om_bytes(d->certs.admin, d->certs.admin_len)) ==
               OM_OK;
}

/* The link of an invitation of @roles that is over after @life_s. */
static void invite_as(struct desk *d, struct om_prng *prng, uint8_t roles, uint32_t life_s,
                      char text[static OM_NETWORK_LINK_TEXT])
{
    const struct om_rng rng = {fill, prng};
    struct om_network_link l = d->link;
    const struct om_invite i = {.uses = 1,
                                .roles = roles,
                                .issued = PAIR_WALL_MS - 10,
                                .expires = PAIR_WALL_MS - 10 + life_s};

    l.peers[0] = (struct om_network_peer){*om_node_id(d->p.side[0].node, &l.id), d->p.side[0].addr};
    l.peer_count = 1;
    CHECK_OK(om_authority_invite(text, d->seed, &l, &i, &rng));
}

static void invite(struct desk *d, struct om_prng *prng, uint32_t life_s,
                   char text[static OM_NETWORK_LINK_TEXT])
{
    invite_as(d, prng, 0, life_s, text);
}

OM_TEST(authority_makes_its_first_admin)
{
    struct om_prng prng;
    struct om_member m;
    struct desk d;

    om_prng_seed(&prng, 1);
    OM_TRY(begin(&d, &prng));
    const struct om_id *self = om_node_id(d.p.side[0].node, &d.link.id);
    if (om_node_member(d.p.side[0].node, &d.link.id, self, &m) == OM_OK)
        CHECK(m.roles & OM_ROLE_ADMIN && m.overlay >> 22 == 0x64400000u >> 22);
out:
    pair_fini(&d.p);
}

/* Are the @n bytes at @what in the link @text? */
static bool has(const char *text, const uint8_t *what, size_t n)
{
    uint8_t bytes[OM_NETWORK_LINK_TEXT];
    size_t len = 0;
    const char *at = strrchr(text, '/') + 1;

    if (sodium_base642bin(bytes, sizeof bytes, at, strlen(at), NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    for (size_t i = 0; i + n <= len; i++)
        if (memcmp(bytes + i, what, n) == 0)
            return true;
    return false;
}

OM_TEST(authority_link_names_the_network)
{
    char text[OM_NETWORK_LINK_TEXT];
    struct om_network_link back;
    struct om_invite_seen seen;
    struct om_prng prng;
    struct desk d;

    om_prng_seed(&prng, 1);
    OM_TRY(begin(&d, &prng));
    invite(&d, &prng, 3600, text);
    CHECK_OK(om_network_link_parse(&back, text, NULL));
    CHECK_EQ(back.kind, OM_NETWORK_CLOSED);
    CHECK(om_id_equal(&back.id, &d.link.id) && back.peer_count == 1);
    CHECK(!has(text, d.link.secret, sizeof d.link.secret)); /* which no link of a closed one has */
    CHECK(has(text, d.link.authority.b, sizeof d.link.authority.b)); /* control */
    CHECK_OK(om_invite_read(&seen, text, NULL));
    CHECK(om_id_equal(&seen.network, &d.link.id));
    CHECK_EQ(seen.what.uses, 1);
    CHECK_EQ(seen.what.expires - seen.what.issued, 3600);
    CHECK_EQ(om_invite_read(&seen, "omerta://join/AAAA", NULL), OM_E_PARSE);
out:
    pair_fini(&d.p);
}

OM_TEST(authority_invites_who_then_joins)
{
    char text[OM_NETWORK_LINK_TEXT];
    struct om_id network;
    struct om_prng prng;
    struct desk d;

    om_prng_seed(&prng, 1);
    OM_TRY(begin(&d, &prng));
    invite(&d, &prng, 3600, text);
    struct om_node *n = d.p.side[1].node;
    OM_TRY(om_node_join_by_link(n, d.p.now, text, "bob", &network, NULL) == OM_OK);
    CHECK(om_id_equal(&network, &d.link.id));
    pair_run(&d.p, d.p.now + OM_SEC(5));
    CHECK((d.joined == 1 && d.issued == 1) || om_test_oom_hit());
    CHECK_OK(om_node_leave(n, d.p.now, &network)); /* as a member, and, again, as one who asks */
    invite(&d, &prng, 3600, text);
    d.p.side[0].addr.port++; /* where nobody is */
    if (om_node_join_by_link(n, d.p.now, text, "bob", &network, NULL) == OM_OK)
        CHECK_OK(om_node_leave(n, d.p.now, &network));
    pair_run(&d.p, d.p.now + OM_SEC(90));
    CHECK_EQ(d.refused, 0); /* who left hears no more of it */
out:
    pair_fini(&d.p);
}

/* What side 1 says when it is to invite somebody with @roles. */
static enum om_err invite_by_other(struct desk *d, uint8_t roles)
{
    const struct om_invite i = {
        .uses = 1, .roles = roles, .issued = PAIR_WALL_MS, .expires = PAIR_WALL_MS + 60};
    struct om_network_link back;
    char text[OM_NETWORK_LINK_TEXT];
    enum om_err e = om_node_invite(d->p.side[1].node, d->p.now, &d->link.id, &i, NULL, 0, text);

    if (e == OM_OK) {
        CHECK_OK(om_network_link_parse(&back, text, NULL));
        CHECK(om_id_equal(&back.id, &d->link.id));
    }
    return e;
}

OM_TEST(authority_invites_an_admin_who_invites)
{
    char text[OM_NETWORK_LINK_TEXT];
    struct om_id network;
    struct om_prng prng;
    struct om_member m;
    struct desk d;

    om_prng_seed(&prng, 1);
    OM_TRY(begin(&d, &prng));
    struct om_node *n = d.p.side[1].node;
    CHECK_OK(om_node_authority(d.p.side[0].node, &d.link.id, d.seed));
    invite_as(&d, &prng, OM_ROLE_ADMIN | OM_ROLE_RELAY, 3600, text);
    OM_TRY(om_node_join_by_link(n, d.p.now, text, "bob", &network, NULL) == OM_OK);
    pair_run(&d.p, d.p.now + OM_SEC(5));
    OM_TRY(d.joined == 1);
    OM_TRY(om_node_member(n, &network, om_node_id(n, &network), &m) == OM_OK);
    CHECK_EQ(m.roles, OM_ROLE_ADMIN | OM_ROLE_RELAY);
    CHECK(om_id_equal(&m.issuer, &d.link.authority));
    CHECK_ERR(invite_by_other(&d, 0), OM_E_STATE); /* nobody told it yet that it is one */
    OM_TRY(om_node_admin(n, d.p.now, &network, om_bytes(d.made.admin, d.made.admin_len)) == OM_OK);
    CHECK_OK(invite_by_other(&d, OM_ROLE_RELAY));
    CHECK_ERR(invite_by_other(&d, OM_ROLE_ADMIN), OM_E_RANGE);
out:
    pair_fini(&d.p);
}

OM_TEST(authority_is_needed_for_admins)
{
    char text[OM_NETWORK_LINK_TEXT];
    struct om_network_link other;
    struct om_id network;
    struct om_prng prng;
    const struct om_rng rng = {fill, &prng};
    uint8_t seed[32];
    struct desk d;

    om_prng_seed(&prng, 1);
    OM_TRY(begin(&d, &prng));
    om_authority_new(&other, seed, &rng);
    CHECK_ERR(om_node_authority(d.p.side[0].node, &d.link.id, seed), OM_E_CRYPTO);
    invite_as(&d, &prng, OM_ROLE_ADMIN, 3600, text);
    OM_TRY(om_node_join_by_link(d.p.side[1].node, d.p.now, text, "bob", &network, NULL) == OM_OK);
    pair_run(&d.p, d.p.now + OM_SEC(OM_JOIN_PATIENCE_S + 5));
    CHECK_EQ(d.joined, 0);
    CHECK((d.refused == 1 && d.why == OM_JOIN_NO_CREATOR) || om_test_oom_hit());
out:
    pair_fini(&d.p);
}
