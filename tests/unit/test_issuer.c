/* test_issuer.c - an admin who knows what it signed. */
#include "certs.h"

#include "network/issuer.h"

static const struct om_network net = {.id = {{1}}, .self.id = {{0xad}}};

static struct om_id key_of(unsigned i)
{
    return (struct om_id){{1, (uint8_t)i, (uint8_t)(i >> 8)}};
}

static struct om_grant invitation(uint8_t which, uint16_t uses)
{
    return (struct om_grant){.invite = {which}, .uses = uses, .role = OM_ROLE_PROVIDER};
}

static enum om_err admit(struct om_issuer *i, const struct om_grant *g, unsigned who,
                         const char *name, struct om_node_cert *out)
{
    const struct om_id key = key_of(who);

    return om_issuer_admit(i, &net, g, &key, name, CERTS_NOW_S, out);
}

OM_TEST(issuer_counts_uses)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant two = invitation(1, 2), other = invitation(2, 1);
    struct om_node_cert c;

    CHECK_OK(admit(&i, &two, 1, "", &c));
    CHECK_EQ(c.number, 1);
    CHECK_EQ(c.roles, OM_ROLE_PROVIDER);
    CHECK_EQ(c.expires - c.issued, OM_CERT_LIFE_S);
    CHECK_OK(admit(&i, &two, 2, "", &c));
    CHECK_EQ(c.number, 2);
    CHECK_EQ(admit(&i, &two, 3, "", &c), OM_E_STATE);
    CHECK_OK(admit(&i, &other, 3, "", &c));
    om_issuer_fini(&i);
}

OM_TEST(issuer_same_key_may_ask_again)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant one = invitation(1, 1);
    struct om_node_cert c, again;

    CHECK_OK(admit(&i, &one, 1, "alice", &c));
    CHECK_OK(admit(&i, &one, 1, "alice", &again));
    CHECK_EQ(c.overlay, again.overlay);
    CHECK_EQ(again.number, 2);
    CHECK_EQ(i.count, 1);
    CHECK_EQ(admit(&i, &one, 2, "bob", &c), OM_E_STATE);
    om_issuer_fini(&i);
}

OM_TEST(issuer_puts_back_what_was_not_given)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant one = invitation(1, 1), other = invitation(2, 1);
    const struct om_id first = key_of(1), second = key_of(2);
    struct om_issued before;
    struct om_node_cert c;

    CHECK_OK(admit(&i, &other, 1, "alice", &c));
    CHECK(om_issuer_find(&i, &first, &before));
    CHECK_OK(admit(&i, &one, 1, "alice", &c)); /* again, by another invitation */
    CHECK_EQ(admit(&i, &one, 2, "bob", &c), OM_E_STATE);
    om_issuer_put_back(&i, &first, &before);
    CHECK_OK(admit(&i, &one, 2, "bob", &c));
    om_issuer_put_back(&i, &second, NULL);
    CHECK(!om_issuer_find(&i, &second, &before));
    CHECK_OK(admit(&i, &one, 3, "bob", &c));
    CHECK_STR(c.name, "bob"); /* nobody has it */
    CHECK_EQ(i.count, 2);
    om_issuer_fini(&i);
}

OM_TEST(issuer_key_keeps_its_name)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant many = invitation(1, 9);
    struct om_node_cert c;

    CHECK_OK(admit(&i, &many, 1, "ben", &c));
    CHECK_OK(admit(&i, &many, 1, "kim", &c));
    CHECK_STR(c.name, "ben"); /* its first certificate says so for 90 days */
    CHECK_OK(admit(&i, &many, 2, "kim", &c));
    CHECK_STR(c.name, "kim");
    CHECK_OK(admit(&i, &many, 3, "self", &c)); /* which means whoever says it */
    CHECK_STR(c.name, "self-2");
    om_issuer_fini(&i);
}

/* Else one key could fill the log, which takes no revocation then. */
OM_TEST(issuer_makes_a_key_few_a_day)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant one = invitation(1, 1), other = invitation(2, 1);
    const struct om_id key = key_of(1);
    struct om_member m = {.key = key, .issued = CERTS_NOW_S, .until = CERTS_NOW_S + CERTS_DAY_S};
    struct om_node_cert c;

    for (unsigned n = 0; n <= OM_ISSUED_A_DAY; n += 2) {
        CHECK_OK(admit(&i, &one, 1, "", &c));
        CHECK_EQ(om_issuer_renew(&i, &m, CERTS_NOW_S, &c),
                 n < OM_ISSUED_A_DAY ? OM_OK : OM_E_MISSING);
    }
    CHECK_EQ(admit(&i, &one, 1, "", &c), OM_E_MISSING);
    CHECK_OK(admit(&i, &other, 2, "", &c)); /* another's day */
    CHECK_OK(om_issuer_renew(&i, &m, CERTS_NOW_S + CERTS_DAY_S, &c));
    om_issuer_fini(&i);
}

OM_TEST(issuer_names_are_unique)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant many = invitation(1, 9);
    struct om_node_cert c;

    CHECK_OK(admit(&i, &many, 1, "alice", &c));
    CHECK_STR(c.name, "alice");
    CHECK_OK(admit(&i, &many, 2, "alice", &c));
    CHECK_STR(c.name, "alice-2");
    CHECK_OK(admit(&i, &many, 4, "alice", &c));
    CHECK_STR(c.name, "alice-3");
    CHECK_OK(admit(&i, &many, 1, "alice", &c)); /* its own */
    CHECK_STR(c.name, "alice");
    CHECK_EQ(admit(&i, &many, 2, "Alice!", &c), OM_E_RANGE);
    CHECK_OK(admit(&i, &many, 2, "", &c));
    CHECK_OK(admit(&i, &many, 3, "", &c)); /* none is nobody's */
    om_issuer_fini(&i);
}

OM_TEST(issuer_addresses_are_unique)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant many = invitation(1, UINT16_MAX);
    struct om_node_cert c, other = {.key = key_of(2000), .expires = CERTS_NOW_S};

    CHECK_OK(admit(&i, &many, 1, "", &c));
    CHECK_EQ(c.overlay >> 22, 0x64400000u >> 22);
    other.overlay = c.overlay; /* that key 1 would have, is another's by another admin */
    struct om_issuer j = {.number = 0};
    CHECK_OK(om_issuer_note(&j, &other));
    CHECK_OK(admit(&j, &many, 1, "", &c));
    CHECK_EQ(c.overlay, other.overlay + 1);
    om_issuer_fini(&i);
    om_issuer_fini(&j);
}

OM_TEST(issuer_renews_what_it_is_shown)
{
    struct om_issuer i = {.number = 41};
    const struct om_member m = {.key = key_of(1),
                                .roles = OM_ROLE_RELAY,
                                .overlay = 77,
                                .issued = CERTS_NOW_S - 7,
                                .invite = {5},
                                .name = "alice"};
    struct om_node_cert c;

    CHECK_OK(om_issuer_renew(&i, &m, CERTS_NOW_S, &c));
    CHECK_EQ(c.number, 42);
    CHECK_EQ(c.roles, OM_ROLE_RELAY);
    CHECK_EQ(c.overlay, 77);
    CHECK_STR(c.name, "alice");
    CHECK_EQ(c.invite[0], 5);
    CHECK_EQ(c.expires, CERTS_NOW_S + OM_CERT_LIFE_S);
    CHECK_EQ(c.issued, CERTS_NOW_S - 7); /* since when it is a member */
    om_issuer_fini(&i);
}

OM_TEST(issuer_is_bounded)
{
    struct om_issuer i = {.number = 0};
    struct om_node_cert c = {.number = 1};

    for (unsigned k = 0; k < OM_ISSUED_MAX; k++) {
        c.key = (struct om_id){{2, (uint8_t)k, (uint8_t)(k >> 8)}};
        CHECK_OK(om_issuer_note(&i, &c));
    }
    const struct om_grant many = invitation(1, UINT16_MAX);
    CHECK_EQ(admit(&i, &many, 1, "", &c), OM_E_FULL);
    c = (struct om_node_cert){.key = {{2}}, .number = 9};
    CHECK_OK(om_issuer_note(&i, &c)); /* one that is in is known anew */
    om_issuer_fini(&i);
}

OM_TEST(issuer_recalls_what_it_made)
{
    struct om_issuer i = {.number = 0}, later = {.number = 0};
    const struct om_grant one = invitation(1, 1);
    struct om_node_cert c;

    CHECK_OK(admit(&i, &one, 1, "alice", &c));
    CHECK_OK(om_issuer_note(&later, &c)); /* after a restart */
    CHECK_EQ(admit(&later, &one, 2, "", &c), OM_E_STATE);
    const struct om_grant more = invitation(2, 1);
    CHECK_OK(admit(&later, &more, 2, "alice", &c));
    CHECK_STR(c.name, "alice-2");
    CHECK_EQ(c.number, 2);
    om_issuer_fini(&i);
    om_issuer_fini(&later);
}

OM_TEST(issuer_hears_of_others)
{
    struct om_issuer i = {.number = 5};
    const struct om_grant one = invitation(1, 1), other = invitation(2, 1);
    struct om_member m = {.key = key_of(1), .until = CERTS_NOW_S, .invite = {1}, .name = "alice"};
    struct om_node_cert c;

    CHECK_OK(om_issuer_heard(&i, &m));
    CHECK_OK(om_issuer_heard(&i, &m));
    CHECK_EQ(i.count, 1);
    CHECK_EQ(admit(&i, &one, 2, "", &c), OM_E_STATE); /* another admin let one in by it */
    CHECK_OK(admit(&i, &other, 2, "alice", &c));
    CHECK_STR(c.name, "alice-2");
    CHECK_EQ(c.number, 6); /* of our own log */
    om_issuer_fini(&i);
}

OM_TEST(issuer_frees_what_is_out)
{
    struct om_issuer i = {.number = 0};
    const struct om_grant two = invitation(1, 2);
    struct om_node_cert c, late = {.key = key_of(9), .name = "late", .invite = {7}};

    CHECK_OK(admit(&i, &two, 1, "alice", &c));
    i.all[0].is_out = true;
    CHECK_OK(admit(&i, &two, 2, "alice", &c));
    CHECK_STR(c.name, "alice");
    CHECK_EQ(admit(&i, &two, 3, "", &c), OM_E_STATE); /* its use is not free */
    late.expires = CERTS_NOW_S - OM_CERT_RENEW_S - OM_CERT_SKEW_S;
    CHECK_OK(om_issuer_note(&i, &late));
    const struct om_grant many = invitation(8, 9);
    CHECK_OK(admit(&i, &many, 4, "late", &c));
    CHECK_STR(c.name, "late-2"); /* it may be renewed yet */
    i.all[2].expires--;
    CHECK_OK(admit(&i, &many, 5, "late", &c));
    CHECK_STR(c.name, "late");
    om_issuer_fini(&i);
}
