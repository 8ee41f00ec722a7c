/* test_network.c - who may be a member. */
#include "harness.h"

#include <omerta/node.h>

#include "network/network.h"

static const uint8_t home_seed[32] = {0x5e, 0xed};

static struct om_network network_of(uint8_t which, bool open)
{
    struct om_network net = {.is_open = open};

    memset(net.id.b, which, sizeof net.id.b);
    CHECK_OK(om_identity_for_network(&net.self, home_seed, &net.id));
    return net;
}

static struct om_identity someone(uint8_t which)
{
    uint8_t seed[32] = {which};
    struct om_identity who;

    while (om_identity_from_seed(&who, seed) != OM_OK)
        seed[31]++;
    return who;
}

static struct om_bytes bare(const struct om_identity *who)
{
    return om_bytes(who->id.b, sizeof who->id.b);
}

OM_TEST(network_identities_differ)
{
    enum { NETWORKS = 20 };
    struct om_network net[NETWORKS];
    struct om_network again = network_of(0, true);

    for (unsigned i = 0; i < NETWORKS; i++) {
        net[i] = network_of((uint8_t)i, i % 2);
        CHECK_EQ(net[i].self.id.b[31] & 0x80, 0);
        for (unsigned j = 0; j < i; j++) {
            CHECK(!om_id_equal(&net[i].self.id, &net[j].self.id));
            CHECK_MEM_DIFF(net[i].self.dh_public, net[j].self.dh_public, 32);
            CHECK_MEM_DIFF(net[i].self.seed, net[j].self.seed, 32);
        }
    }
    CHECK(om_id_equal(&again.self.id, &net[0].self.id)); /* and the same one each time */
}

OM_TEST(credential_ours_is_believed)
{
    struct om_network net = network_of(1, true);
    uint8_t kind = 0xff;
    struct om_id id;

    struct om_bytes c = om_credential_ours(&net, &kind);
    CHECK_EQ(kind, OM_CREDENTIAL_BARE);
    CHECK(om_credential_check(&net, kind, c, net.self.dh_public, &id));
    CHECK(om_id_equal(&id, &net.self.id));
}

OM_TEST(credential_bare_key_only_where_open)
{
    const struct om_network open = network_of(1, true), closed = network_of(1, false);
    const struct om_identity who = someone(1);
    struct om_id id;

    CHECK(om_credential_check(&open, OM_CREDENTIAL_BARE, bare(&who), who.dh_public, &id));
    CHECK(om_id_equal(&id, &who.id));
    memset(&id, 0x11, sizeof id);
    CHECK(!om_credential_check(&closed, OM_CREDENTIAL_BARE, bare(&who), who.dh_public, &id));
    for (unsigned kind = 1; kind < 256; kind++) {
        CHECK(!om_credential_check(&open, (uint8_t)kind, bare(&who), who.dh_public, &id));
        CHECK(!om_credential_check(&closed, (uint8_t)kind, bare(&who), who.dh_public, &id));
    }
    for (size_t i = 0; i < sizeof id.b; i++)
        CHECK_EQ(id.b[i], 0x11); /* no refusal leaves a name behind */
}

OM_TEST(credential_bare_key_has_its_length)
{
    const struct om_network net = network_of(1, true);
    const struct om_identity who = someone(1);
    uint8_t bytes[64] = {0};
    struct om_id id;

    memcpy(bytes, who.id.b, 32);
    for (size_t n = 0; n <= sizeof bytes; n++)
        CHECK_EQ(
            om_credential_check(&net, OM_CREDENTIAL_BARE, om_bytes(bytes, n), who.dh_public, &id),
            n == 32);
    CHECK(!om_credential_check(&net, OM_CREDENTIAL_BARE, om_bytes(NULL, 0), who.dh_public, &id));
}

OM_TEST(credential_must_match_the_static_key)
{
    const struct om_network net = network_of(1, true);
    const struct om_identity a = someone(1), b = someone(2);
    uint8_t key[32], zero[32] = {0};
    struct om_id id;

    CHECK(om_credential_check(&net, OM_CREDENTIAL_BARE, bare(&a), a.dh_public, &id));
    CHECK(!om_credential_check(&net, OM_CREDENTIAL_BARE, bare(&a), b.dh_public, &id));
    CHECK(!om_credential_check(&net, OM_CREDENTIAL_BARE, bare(&a), zero, &id));
    for (size_t bit = 0; bit < 256; bit++) {
        memcpy(key, a.dh_public, sizeof key);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!om_credential_check(&net, OM_CREDENTIAL_BARE, bare(&a), key, &id));
    }
}

/* P and -P have one X25519 key, so the second name of a key is refused; so are points that give
 * an all-zero secret, and bytes that are no point. */
OM_TEST(credential_refuses_second_names_and_weak_points)
{
    static const uint8_t order_4[32] = {0}, identity_point[32] = {1}, no_point[32] = {2};
    const uint8_t *bad[] = {order_4, identity_point, no_point};
    const struct om_network net = network_of(1, true);
    struct om_identity a = someone(1);
    const uint8_t zero[32] = {0};
    struct om_id id;

    CHECK(om_credential_check(&net, OM_CREDENTIAL_BARE, bare(&a), a.dh_public, &id));
    a.id.b[31] |= 0x80;
    CHECK(!om_credential_check(&net, OM_CREDENTIAL_BARE, bare(&a), a.dh_public, &id));
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK(!om_credential_check(&net, OM_CREDENTIAL_BARE, om_bytes(bad[i], 32), zero, &id));
        CHECK(
            !om_credential_check(&net, OM_CREDENTIAL_BARE, om_bytes(bad[i], 32), a.dh_public, &id));
    }
}

/* Figures of Python's hashlib. */
OM_TEST(network_default_matches_independent_figures)
{
    static const uint8_t id[] = {0x54, 0xb4, 0xc4, 0xeb, 0xb9, 0xfe, 0xeb, 0x44, 0x25, 0xa8, 0x65,
                                 0x80, 0x7f, 0x6f, 0x61, 0x88, 0x8d, 0x0b, 0x86, 0xfb, 0xe4, 0xc8,
                                 0x49, 0x47, 0xaf, 0x62, 0x16, 0x73, 0xac, 0x9f, 0xea, 0xb1};
    static const uint8_t secret[] = {0x69, 0x58, 0x1d, 0x58, 0xe5, 0x86, 0xc8, 0x5d,
                                     0xcd, 0xc2, 0xab, 0xf4, 0xcb, 0x98, 0xac, 0x56,
                                     0x34, 0xe3, 0xc3, 0x22, 0x11, 0x70, 0x29, 0x84,
                                     0x72, 0x4f, 0x30, 0x05, 0x03, 0xdd, 0xb9, 0xf2};
    struct om_network_config c;

    om_network_default(&c);
    CHECK_MEM(c.id.b, id, sizeof id);
    CHECK_MEM(c.secret, secret, sizeof secret);
    CHECK(c.open && c.gossip && c.epoch == 0);
}
