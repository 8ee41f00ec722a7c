/* test_ledger_note.c - one token, one member: also when two admins did not hear of each other. */
#include "ledgers.h"

#include "network/issuer.h"
#include "network/ledger_parts.h"

enum { AUTHORITY, ANN, BOB };

OM_TEST(ledger_one_use_keeps_the_lowest)
{
    struct om_ledger l = {.log_count = 0};
    struct member first = member(20, ANN, 1, 7, 10), second = member(21, BOB, 1, 7, 20);
    struct member renewed = member(20, BOB, 1, 7, 1000), other = member(22, BOB, 1, 8, 30);
    struct member of_two[3] = {member(23, ANN, 2, 9, 1), member(24, BOB, 2, 9, 2),
                               member(25, ANN, 2, 9, 3)};

    OM_TRY(ledgers_init(&l, 2));
    OM_TRY(note(&l, &second) == OM_OK);
    CHECK_EQ(verdict(&l, &second), OM_LEDGER_HOLDS); /* both live until it is heard */
    CHECK_EQ(verdict(&l, &first), OM_LEDGER_HOLDS);
    OM_TRY(note(&l, &first) == OM_OK);
    CHECK_EQ(verdict(&l, &first), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &second), OM_LEDGER_SUPERSEDED);
    CHECK_EQ(verdict(&l, &renewed), OM_LEDGER_HOLDS); /* it ranks by its first */
    OM_TRY(note(&l, &renewed) == OM_OK);
    OM_TRY(note(&l, &other) == OM_OK);
    CHECK_EQ(verdict(&l, &second), OM_LEDGER_SUPERSEDED);
    CHECK_EQ(verdict(&l, &other), OM_LEDGER_HOLDS);
    for (unsigned i = 3; i > 0; i--)
        OM_TRY(note(&l, &of_two[i - 1]) == OM_OK);
    CHECK_EQ(verdict(&l, &of_two[0]), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &of_two[1]), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &of_two[2]), OM_LEDGER_SUPERSEDED);
out:
    om_ledger_fini(&l);
}

/* The same second: then the admin's key decides, then the member's. */
OM_TEST(ledger_one_use_ties_go_by_key)
{
    struct om_ledger l = {.log_count = 0};
    struct member a = member(20, ANN, 1, 7, 0), b = member(21, BOB, 1, 7, 0);
    struct member c = member(22, ANN, 1, 8, 0), d = member(23, ANN, 1, 8, 0);
    bool ann_is_lower = om_id_cmp(&key(ANN)->id, &key(BOB)->id) < 0;
    bool c_is_lower = om_id_cmp(&key(22)->id, &key(23)->id) < 0;

    OM_TRY(ledgers_init(&l, 2));
    OM_TRY(note(&l, &a) == OM_OK && note(&l, &b) == OM_OK);
    OM_TRY(note(&l, &c) == OM_OK && note(&l, &d) == OM_OK);
    CHECK_EQ(verdict(&l, ann_is_lower ? &a : &b), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, ann_is_lower ? &b : &a), OM_LEDGER_SUPERSEDED);
    CHECK_EQ(verdict(&l, c_is_lower ? &c : &d), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, c_is_lower ? &d : &c), OM_LEDGER_SUPERSEDED);
out:
    om_ledger_fini(&l);
}

/* An admin who went astray certifies strangers with old dates, and is found out. */
OM_TEST(ledger_revoked_issuer_takes_no_use)
{
    struct om_ledger l = {.log_count = 0};
    struct member good = member(20, BOB, 1, 7, 100), bad = member(21, ANN, 1, 7, 1);
    struct member kept = member(22, ANN, 1, 8, 1), later = member(23, BOB, 1, 8, 100);
    struct said s = say(ANN, 1, NULL, OM_ADMIN_ISSUED, kept.hash);
    struct said end = say_admin(1, NULL, ANN, 1, &s);

    OM_TRY(ledgers_init(&l, 2));
    OM_TRY(note(&l, &good) == OM_OK && note(&l, &bad) == OM_OK);
    OM_TRY(note(&l, &kept) == OM_OK && note(&l, &later) == OM_OK);
    CHECK_EQ(verdict(&l, &good), OM_LEDGER_SUPERSEDED);
    OM_TRY(hear(&l, &end) == OM_LEDGER_NEW);
    CHECK_EQ(verdict(&l, &good), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &bad), OM_LEDGER_ISSUER);
    CHECK_EQ(verdict(&l, &later), OM_LEDGER_HOLDS);
    OM_TRY(hear(&l, &s) == OM_LEDGER_NEW); /* what was honoured arrives after the end */
    CHECK_EQ(verdict(&l, &kept), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &later), OM_LEDGER_SUPERSEDED);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_notes_are_bounded_and_expire)
{
    struct om_ledger l = {.log_count = 0};
    struct om_node_cert c = {.expires = LEDGERS_NOW + LEDGERS_DAY};
    const uint32_t gone = c.expires + OM_LEDGER_RENEW_S + OM_CERT_SKEW_S;

    OM_TRY(ledgers_init(&l, 1));
    OM_TRY(om_ledger_note(&l, om_bytes(NULL, 0), &c, &key(ANN)->id) == OM_OK);
    CHECK_EQ(l.note_count, 0); /* of no invite */
    c.invite[1] = 1;
    for (uint32_t i = 0; i < OM_LEDGER_NOTES_MAX + 5; i++) {
        c.invite[6] = (uint8_t)(i >> 8);
        c.invite[7] = (uint8_t)i;
        c.issued = LEDGERS_NOW + i;
        OM_TRY(om_ledger_note(&l, om_bytes(&i, sizeof i), &c, &key(ANN)->id) == OM_OK);
    }
    CHECK_EQ(l.note_count, OM_LEDGER_NOTES_MAX);
    CHECK_EQ(l.notes[0].issued, LEDGERS_NOW + 5); /* the oldest gave way */
    c.issued = LEDGERS_NOW;
    CHECK_OK(om_ledger_note(&l, om_bytes(NULL, 0), &c, &key(ANN)->id));
    CHECK_EQ(l.notes[0].issued, LEDGERS_NOW + 5);
    om_ledger_expire(&l, gone);
    CHECK_EQ(l.note_count, OM_LEDGER_NOTES_MAX);
    om_ledger_expire(&l, gone + 1);
    CHECK_EQ(l.note_count, 0);
out:
    om_ledger_fini(&l);
}

/* Of whom came twice, by two invites, the issuer has the later one only. */
OM_TEST(ledger_notes_count_uses_with_the_issuers)
{
    struct om_ledger l = {.log_count = 0};
    struct om_issuer i = {.number = 0};
    const struct member by[] = {member(20, ANN, 3, 1, 0), member(20, ANN, 3, 1, 5),
                                member(21, ANN, 3, 1, 9), member(24, ANN, 3, 2, 0)};
    const struct member unshown = member(22, ANN, 3, 1, 0), again = member(20, ANN, 3, 2, 9);
    struct om_grant three = {.uses = 3}, four = {.uses = 4};

    memcpy(three.invite, unshown.c.invite, sizeof three.invite);
    memcpy(four.invite, unshown.c.invite, sizeof four.invite);
    OM_TRY(ledgers_init(&l, 1));
    for (unsigned k = 0; k < OM_ARRAY_SIZE(by); k++)
        OM_TRY(note(&l, &by[k]) == OM_OK);
    OM_TRY(om_issuer_note(&i, &by[2].c) == OM_OK && om_issuer_note(&i, &again.c) == OM_OK);
    CHECK(!om_issuer_is_used(&i, &l, &three, &key(23)->id));
    OM_TRY(om_issuer_note(&i, &unshown.c) == OM_OK);
    CHECK(om_issuer_is_used(&i, &l, &three, &key(23)->id));
    CHECK(!om_issuer_is_used(&i, &l, &three, &key(20)->id)); /* it is one of the three */
    CHECK(!om_issuer_is_used(&i, &l, &four, &key(23)->id));
out:
    om_issuer_fini(&i);
    om_ledger_fini(&l);
}
