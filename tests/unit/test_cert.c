/* test_cert.c - certificates and grants: their bytes, who may sign, and when they hold. */
#include "harness.h"

#include "network/cert.h"

enum { NOW = 1795219200, DAY = 24 * 3600 };

static const struct om_id network = {{9, 9}};
static const struct om_id another = {{9, 8}};

/* Made once: key number @n of the tests. */
static const struct om_identity *someone(uint8_t n)
{
    static struct om_identity all[4];
    uint8_t seed[32] = {n, 1};

    while (all[n].id.b[0] == 0 && om_identity_from_seed(&all[n], seed) != OM_OK)
        seed[1]++;
    return &all[n];
}

enum { AUTHORITY, BOSS, MEMBER, STRANGER };

static struct om_node_cert a_member(void)
{
    return (struct om_node_cert){.roles = OM_ROLE_RELAY,
                                 .number = 7,
                                 .issued = NOW,
                                 .expires = NOW + 90 * DAY,
                                 .invite = {1, 2, 3, 4, 5, 6, 7, 8},
                                 .overlay = 0x64400001,
                                 .key = someone(MEMBER)->id,
                                 .name = "ann"};
}

static struct om_admin_cert an_admin(void)
{
    return (struct om_admin_cert){.rights = OM_RIGHT_MEMBERS,
                                  .number = 3,
                                  .issued = NOW,
                                  .expires = NOW + 90 * DAY,
                                  .key = someone(BOSS)->id};
}

static enum om_cert_verdict check(struct om_bytes node, struct om_bytes admin, uint32_t now)
{
    const struct om_cert_chain chain = {node, admin};
    struct om_node_cert c;
    struct om_id issuer;

    return om_node_cert_check(&c, &issuer, &network, &someone(AUTHORITY)->id, &chain, now);
}

OM_TEST(cert_sizes_are_those_of_the_protocol)
{
    CHECK_EQ(OM_NODE_CERT_MAX, 155);
    CHECK_EQ(OM_ADMIN_CERT_BYTES, 110);
    CHECK_EQ(OM_GRANT_BYTES, 116);
}

OM_TEST(cert_round_trips)
{
    uint8_t bytes[OM_NODE_CERT_MAX], again[OM_NODE_CERT_MAX], admin[OM_ADMIN_CERT_BYTES];
    struct om_node_cert c = a_member(), back;
    struct om_admin_cert a = an_admin(), back_a;
    size_t n = om_node_cert_encode(bytes, &c, someone(BOSS), &network);

    CHECK_EQ(n, OM_NODE_CERT_LEAST + 3);
    CHECK_OK(om_node_cert_decode(&back, om_bytes(bytes, n)));
    CHECK_EQ(back.roles, c.roles);
    CHECK_EQ(back.number, c.number);
    CHECK_EQ(back.overlay, c.overlay);
    CHECK(strcmp(back.name, "ann") == 0);
    CHECK_EQ(om_node_cert_encode(again, &back, someone(BOSS), &network), n);
    CHECK_MEM(again, bytes, n);
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_OK(om_admin_cert_decode(&back_a, om_bytes(admin, sizeof admin)));
    CHECK_EQ(back_a.rights, a.rights);
    CHECK_EQ(back_a.number, a.number);
    CHECK_EQ(back_a.expires, a.expires);
    CHECK(om_id_equal(&back_a.key, &a.key));
}

OM_TEST(cert_refuses_cut_and_long)
{
    uint8_t bytes[OM_NODE_CERT_MAX + 1] = {0}, admin[OM_ADMIN_CERT_BYTES];
    struct om_node_cert c = a_member(), out;
    struct om_admin_cert a = an_admin(), out_a;
    size_t n = om_node_cert_encode(bytes, &c, someone(AUTHORITY), &network);

    for (size_t cut = 0; cut < n; cut++)
        CHECK_EQ(om_node_cert_decode(&out, om_bytes(bytes, cut)), OM_E_PARSE);
    CHECK_EQ(om_node_cert_decode(&out, om_bytes(bytes, n + 1)), OM_E_PARSE);
    CHECK_OK(om_node_cert_decode(&out, om_bytes(bytes, n)));
    bytes[0] = 2;
    CHECK_EQ(om_node_cert_decode(&out, om_bytes(bytes, n)), OM_E_UNSUPPORTED);
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    for (size_t cut = 0; cut < sizeof admin; cut++)
        CHECK_EQ(om_admin_cert_decode(&out_a, om_bytes(admin, cut)), OM_E_PARSE);
    CHECK_OK(om_admin_cert_decode(&out_a, om_bytes(admin, sizeof admin)));
}

OM_TEST(cert_refuses_any_flipped_bit)
{
    uint8_t node[OM_NODE_CERT_MAX], admin[OM_ADMIN_CERT_BYTES];
    struct om_node_cert c = a_member();
    struct om_admin_cert a = an_admin();
    size_t n = om_node_cert_encode(node, &c, someone(BOSS), &network);

    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    const struct om_bytes in = om_bytes(node, n), by = om_bytes(admin, sizeof admin);
    CHECK_EQ(check(in, by, NOW), OM_CERT_HOLDS);
    for (size_t i = 0; i < n; i++) {
        node[i] ^= 1 << i % 8;
        CHECK_EQ(check(in, by, NOW), OM_CERT_FORGED);
        node[i] ^= 1 << i % 8;
    }
    for (size_t i = 0; i < sizeof admin; i++) {
        admin[i] ^= 1 << i % 8;
        CHECK_EQ(check(in, by, NOW), OM_CERT_FORGED);
        admin[i] ^= 1 << i % 8;
    }
    CHECK_EQ(check(in, by, NOW), OM_CERT_HOLDS);
}

OM_TEST(cert_is_of_one_network)
{
    uint8_t node[OM_NODE_CERT_MAX];
    struct om_node_cert c = a_member();
    size_t n = om_node_cert_encode(node, &c, someone(AUTHORITY), &another);

    CHECK_EQ(check(om_bytes(node, n), om_bytes(NULL, 0), NOW), OM_CERT_FORGED);
    n = om_node_cert_encode(node, &c, someone(AUTHORITY), &network);
    CHECK_EQ(check(om_bytes(node, n), om_bytes(NULL, 0), NOW), OM_CERT_HOLDS);
}

OM_TEST(cert_names_are_labels)
{
    static const char *const good[] = {"a", "ann", "ann-2", "a234567890123456789012345678901z"};
    static const char *const bad[] = {
        "",    "-a",  "a-",  "2a",       "Ann",
        "a.b", "a b", "a\n", "\xc3\xa4", "a2345678901234567890123456789012z"};
    uint8_t bytes[OM_NODE_CERT_MAX];
    struct om_node_cert c = a_member(), out;

    for (size_t i = 0; i < OM_ARRAY_SIZE(good); i++)
        CHECK(om_cert_is_name(good[i], strlen(good[i])));
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!om_cert_is_name(bad[i], strlen(bad[i])));
    size_t n = om_node_cert_encode(bytes, &c, someone(AUTHORITY), &network);
    CHECK_OK(om_node_cert_decode(&out, om_bytes(bytes, n)));
    bytes[n - OM_SIGN_BYTES - 2] = '\0'; /* its second letter */
    CHECK_EQ(om_node_cert_decode(&out, om_bytes(bytes, n)), OM_E_PARSE);
}

OM_TEST(cert_holds_within_its_time)
{
    uint8_t node[OM_NODE_CERT_MAX];
    struct om_node_cert c = a_member();
    const struct om_bytes none = om_bytes(NULL, 0);
    size_t n = om_node_cert_encode(node, &c, someone(AUTHORITY), &network);
    const struct om_bytes in = om_bytes(node, n);

    CHECK_EQ(check(in, none, NOW - DAY), OM_CERT_HOLDS);
    CHECK_EQ(check(in, none, NOW - DAY - 1), OM_CERT_EARLY);
    CHECK_EQ(check(in, none, c.expires + DAY), OM_CERT_HOLDS);
    CHECK_EQ(check(in, none, c.expires + DAY + 1), OM_CERT_EXPIRED);
    c.issued = c.expires = UINT32_MAX; /* nothing wraps */
    n = om_node_cert_encode(node, &c, someone(AUTHORITY), &network);
    CHECK_EQ(check(om_bytes(node, n), none, UINT32_MAX), OM_CERT_HOLDS);
    CHECK_EQ(check(om_bytes(node, n), none, NOW), OM_CERT_EARLY);
}

OM_TEST(cert_chain_is_two_at_most)
{
    uint8_t node[OM_NODE_CERT_MAX], admin[OM_ADMIN_CERT_BYTES];
    struct om_node_cert c = a_member();
    struct om_admin_cert a = an_admin();
    const struct om_bytes by = om_bytes(admin, sizeof admin), none = om_bytes(NULL, 0);
    size_t n = om_node_cert_encode(node, &c, someone(BOSS), &network);
    const struct om_bytes in = om_bytes(node, n);

    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_EQ(check(in, by, NOW), OM_CERT_HOLDS);
    CHECK_EQ(check(in, none, NOW), OM_CERT_FORGED); /* the admin is not the authority */
    om_admin_cert_encode(admin, &a, someone(STRANGER), &network);
    CHECK_EQ(check(in, by, NOW), OM_CERT_FORGED);
    om_admin_cert_encode(admin, &a, someone(BOSS), &network); /* by itself */
    CHECK_EQ(check(in, by, NOW), OM_CERT_FORGED);
    a.key = someone(STRANGER)->id; /* of another admin */
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_EQ(check(in, by, NOW), OM_CERT_FORGED);
}

OM_TEST(cert_admin_needs_the_right)
{
    uint8_t node[OM_NODE_CERT_MAX], admin[OM_ADMIN_CERT_BYTES];
    struct om_node_cert c = a_member();
    struct om_admin_cert a = an_admin();
    const struct om_bytes by = om_bytes(admin, sizeof admin);
    size_t n = om_node_cert_encode(node, &c, someone(BOSS), &network);

    a.rights = 0xff & ~OM_RIGHT_MEMBERS;
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_EQ(check(om_bytes(node, n), by, NOW), OM_CERT_FORGED);
    a.rights = 0xff;
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_EQ(check(om_bytes(node, n), by, NOW), OM_CERT_HOLDS);
}

OM_TEST(cert_admin_outlives_nothing)
{
    uint8_t node[OM_NODE_CERT_MAX], admin[OM_ADMIN_CERT_BYTES];
    struct om_node_cert c = a_member();
    struct om_admin_cert a = an_admin();
    const struct om_bytes by = om_bytes(admin, sizeof admin);
    size_t n = om_node_cert_encode(node, &c, someone(BOSS), &network);

    a.expires = NOW + DAY;
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_EQ(check(om_bytes(node, n), by, a.expires + DAY), OM_CERT_HOLDS);
    CHECK_EQ(check(om_bytes(node, n), by, a.expires + DAY + 1), OM_CERT_EXPIRED);
}

static struct om_grant an_invitation(void)
{
    return (struct om_grant){.role = OM_ROLE_PROVIDER,
                             .invite = {8, 7, 6, 5, 4, 3, 2, 1},
                             .uses = 3,
                             .issued = NOW,
                             .expires = NOW + DAY,
                             .key = someone(STRANGER)->id};
}

OM_TEST(grant_round_trips)
{
    uint8_t bytes[OM_GRANT_BYTES], admin[OM_ADMIN_CERT_BYTES];
    struct om_grant g = an_invitation(), back;
    struct om_admin_cert a = an_admin();
    const struct om_bytes in = om_bytes(bytes, sizeof bytes), none = om_bytes(NULL, 0);
    const struct om_id *authority = &someone(AUTHORITY)->id;

    om_grant_encode(bytes, &g, someone(BOSS), &network);
    om_admin_cert_encode(admin, &a, someone(AUTHORITY), &network);
    CHECK_EQ(om_grant_check(&back, &network, authority, in, om_bytes(admin, sizeof admin), NOW),
             OM_CERT_HOLDS);
    CHECK_EQ(back.role, g.role);
    CHECK_EQ(back.uses, 3);
    CHECK_MEM(back.invite, g.invite, sizeof g.invite);
    CHECK(om_id_equal(&back.key, &g.key));
    CHECK_EQ(om_grant_check(&back, &network, authority, in, none, NOW), OM_CERT_FORGED);
    CHECK_EQ(om_grant_check(&back, &another, authority, in, om_bytes(admin, sizeof admin), NOW),
             OM_CERT_FORGED);
    for (size_t cut = 0; cut < sizeof bytes; cut++)
        CHECK_EQ(om_grant_decode(&back, om_bytes(bytes, cut)), OM_E_PARSE);
    CHECK_EQ(om_grant_check(&back, &network, authority, in, om_bytes(admin, sizeof admin),
                            g.expires + DAY + 1),
             OM_CERT_EXPIRED);
}

OM_TEST(grant_for_an_admin_is_the_authoritys)
{
    uint8_t bytes[OM_GRANT_BYTES], cert[OM_ADMIN_CERT_BYTES];
    struct om_grant g = an_invitation(), back;
    struct om_admin_cert a = an_admin();
    const struct om_bytes in = om_bytes(bytes, sizeof bytes), none = om_bytes(NULL, 0);
    const struct om_bytes admin = om_bytes(cert, sizeof cert);
    const struct om_id *authority = &someone(AUTHORITY)->id;

    om_admin_cert_encode(cert, &a, someone(AUTHORITY), &network);
    g.role |= OM_ROLE_ADMIN;
    om_grant_encode(bytes, &g, someone(AUTHORITY), &network);
    CHECK_EQ(om_grant_check(&back, &network, authority, in, none, NOW), OM_CERT_HOLDS);
    om_grant_encode(bytes, &g, someone(BOSS), &network);
    CHECK_EQ(om_grant_check(&back, &network, authority, in, admin, NOW), OM_CERT_FORGED);
    g.role &= (uint8_t)~OM_ROLE_ADMIN;
    om_grant_encode(bytes, &g, someone(BOSS), &network);
    CHECK_EQ(om_grant_check(&back, &network, authority, in, admin, NOW), OM_CERT_HOLDS);
}

OM_TEST(grant_bounds_its_uses)
{
    uint8_t bytes[OM_GRANT_BYTES];
    struct om_grant g = an_invitation(), back;

    om_grant_encode(bytes, &g, someone(AUTHORITY), &network);
    CHECK_OK(om_grant_decode(&back, om_bytes(bytes, sizeof bytes)));
    bytes[10] = bytes[11] = 0;
    CHECK_EQ(om_grant_decode(&back, om_bytes(bytes, sizeof bytes)), OM_E_PARSE);
}
