/* test_admin_ledger.c - what is kept of the logs, and what revokes. */
#include "ledgers.h"

enum { AUTHORITY, ANN, BOB, MALLORY };

OM_TEST(ledger_takes_entries_of_admins_only)
{
    struct om_ledger l = {.log_count = 0};
    uint8_t cert[OM_ADMIN_CERT_BYTES];
    struct said a = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct said m = say(MALLORY, 1, NULL, OM_ADMIN_KEY_REVOKED, key(21)->id.b);
    struct said by_another = m;

    OM_TRY(ledgers_init(&l, 2));
    CHECK_EQ(hear(&l, &m), OM_LEDGER_STRANGER);
    by_another.by = ANN;
    CHECK_EQ(hear(&l, &by_another), OM_LEDGER_FORGED);
    CHECK(!om_ledger_revoked(&l, &key(21)->id));
    OM_TRY(hear(&l, &a) == OM_LEDGER_NEW);
    CHECK_EQ(hear(&l, &a), OM_LEDGER_KNOWN);
    CHECK(om_ledger_revoked(&l, &key(20)->id));
    a.bytes[a.n - 1] ^= 1; /* another signature: another entry of that number */
    CHECK_EQ(hear(&l, &a), OM_LEDGER_FORGED);
    CHECK_EQ(om_ledger_put(&l, &key(ANN)->id, om_bytes(a.bytes, a.n - 1)), OM_LEDGER_FORGED);
    struct om_admin_cert c = {.rights = OM_RIGHT_MEMBERS, .key = key(MALLORY)->id};
    om_admin_cert_encode(cert, &c, key(MALLORY), &ledgers_network);
    CHECK_ERR(om_ledger_admin(&l, om_bytes(cert, sizeof cert)), OM_E_CRYPTO);
    c.rights = 0;
    om_admin_cert_encode(cert, &c, key(AUTHORITY), &ledgers_network);
    CHECK_ERR(om_ledger_admin(&l, om_bytes(cert, sizeof cert)), OM_E_CRYPTO);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_keeps_gaps_and_says_how_far_it_is_whole)
{
    struct om_ledger l = {.log_count = 0};
    struct said s[4];

    for (unsigned i = 0; i < 4; i++)
        s[i] = say(ANN, i + 1, i ? &s[i - 1] : NULL, OM_ADMIN_KEY_REVOKED, key(20 + i)->id.b);
    OM_TRY(ledgers_init(&l, 1));
    const struct om_ledger_log *log = om_ledger_log(&l, &key(ANN)->id);
    OM_TRY(hear(&l, &s[3]) == OM_LEDGER_NEW);
    CHECK_EQ(log->whole, 0);
    CHECK(om_ledger_revoked(&l, &key(23)->id)); /* it was signed, whatever is missing */
    OM_TRY(hear(&l, &s[0]) == OM_LEDGER_NEW);
    CHECK_EQ(log->whole, 1);
    OM_TRY(hear(&l, &s[2]) == OM_LEDGER_NEW);
    CHECK_EQ(log->whole, 1);
    OM_TRY(hear(&l, &s[1]) == OM_LEDGER_NEW);
    CHECK_EQ(log->whole, 4);
    CHECK_EQ(om_ledger_fork(log), 0);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_revokes_a_key_for_good)
{
    struct om_ledger l = {.log_count = 0};
    struct member before = member(20, ANN, 0, 0, 0), after = member(20, BOB, 0, 0, 1000);
    struct member other = member(21, ANN, 0, 0, 0);
    struct said s = say(BOB, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    uint64_t change;

    OM_TRY(ledgers_init(&l, 2));
    CHECK_EQ(verdict(&l, &before), OM_LEDGER_HOLDS);
    change = l.change;
    OM_TRY(hear(&l, &s) == OM_LEDGER_NEW);
    CHECK(l.change != change);
    CHECK_EQ(verdict(&l, &before), OM_LEDGER_REVOKED);
    CHECK_EQ(verdict(&l, &after), OM_LEDGER_REVOKED);
    CHECK_EQ(verdict(&l, &other), OM_LEDGER_HOLDS);
out:
    om_ledger_fini(&l);
}

/* Else the thief of one admin's key could put out all others, and who made the network. */
OM_TEST(ledger_admins_are_the_authoritys_to_put_out)
{
    struct said by_ann = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(BOB)->id.b);
    struct said end = say_admin(1, NULL, BOB, 0, NULL);
    struct said by_all = say(AUTHORITY, 1, NULL, OM_ADMIN_KEY_REVOKED, key(BOB)->id.b);
    struct member bob = member(BOB, ANN, 0, 0, 0);

    for (unsigned order = 0; order < 4; order++) {
        struct om_ledger l = {.log_count = 0};
        const struct said *second = order & 2 ? &by_all : &end;

        OM_TRY(ledgers_init(&l, 2));
        if (order & 1) {
            CHECK_EQ(hear(&l, &by_ann), OM_LEDGER_NEW);
            CHECK_EQ(verdict(&l, &bob), OM_LEDGER_HOLDS);
            CHECK(om_ledger_may_sign(&l, &key(BOB)->id));
            CHECK(!om_ledger_revoker(&l, &key(BOB)->id));
            CHECK_EQ(hear(&l, second), OM_LEDGER_NEW);
        } else {
            CHECK_EQ(hear(&l, second), OM_LEDGER_NEW);
            CHECK_EQ(verdict(&l, &bob), order & 2 ? OM_LEDGER_REVOKED : OM_LEDGER_HOLDS);
            CHECK_EQ(hear(&l, &by_ann), OM_LEDGER_NEW);
        }
        CHECK_EQ(verdict(&l, &bob), OM_LEDGER_REVOKED);
        CHECK(!om_ledger_may_sign(&l, &key(BOB)->id));
        CHECK(om_id_equal(om_ledger_revoker(&l, &key(BOB)->id),
                          &key(order & 2 ? AUTHORITY : ANN)->id));
    out:
        om_ledger_fini(&l);
    }
}

OM_TEST(ledger_honours_a_revoked_admin_up_to_its_head)
{
    struct om_ledger l = {.log_count = 0};
    struct member in = member(20, ANN, 0, 0, 0), late = member(21, ANN, 0, 0, 0);
    struct member unlogged = member(22, ANN, 0, 0, 0), bobs = member(23, BOB, 0, 0, 0);
    struct said s[4], end;

    s[0] = say(ANN, 1, NULL, OM_ADMIN_ISSUED, in.hash);
    s[1] = say(ANN, 2, &s[0], OM_ADMIN_KEY_REVOKED, key(30)->id.b);
    s[2] = say(ANN, 3, &s[1], OM_ADMIN_ISSUED, late.hash);
    s[3] = say(ANN, 4, &s[2], OM_ADMIN_KEY_REVOKED, key(31)->id.b);
    end = say_admin(1, NULL, ANN, 2, &s[1]);
    OM_TRY(ledgers_init(&l, 2));
    for (unsigned i = 0; i < 4; i++)
        OM_TRY(hear(&l, &s[i]) == OM_LEDGER_NEW);
    CHECK_EQ(verdict(&l, &unlogged), OM_LEDGER_HOLDS);
    CHECK(om_ledger_revoked(&l, &key(31)->id));
    CHECK_EQ(om_ledger_rank(&l, &key(ANN)->id) + om_ledger_rank(&l, &key(BOB)->id), 3);
    OM_TRY(hear(&l, &end) == OM_LEDGER_NEW);
    CHECK_EQ(verdict(&l, &in), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &late), OM_LEDGER_ISSUER);
    CHECK_EQ(verdict(&l, &unlogged), OM_LEDGER_ISSUER);
    CHECK_EQ(verdict(&l, &bobs), OM_LEDGER_HOLDS);
    CHECK(om_ledger_revoked(&l, &key(30)->id));
    CHECK(!om_ledger_revoked(&l, &key(31)->id)); /* said after the end */
    CHECK(!om_ledger_may_sign(&l, &key(ANN)->id));
    CHECK(om_ledger_may_sign(&l, &key(BOB)->id));
    CHECK(om_ledger_may_sign(&l, &key(AUTHORITY)->id));
    CHECK(!om_ledger_may_sign(&l, &key(MALLORY)->id));
    CHECK_EQ(om_ledger_rank(&l, &key(BOB)->id), 1);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_strictest_head_counts)
{
    struct om_ledger l = {.log_count = 0};
    struct member first = member(20, ANN, 0, 0, 0), second = member(21, ANN, 0, 0, 0);
    struct said a = say(ANN, 1, NULL, OM_ADMIN_ISSUED, first.hash);
    struct said b = say(ANN, 2, &a, OM_ADMIN_ISSUED, second.hash);
    struct said mild = say_admin(1, NULL, ANN, 2, &b), strict = say_admin(2, &mild, ANN, 1, &a);
    struct said none = say_admin(3, &strict, ANN, 0, NULL);

    OM_TRY(ledgers_init(&l, 1));
    OM_TRY(hear(&l, &strict) == OM_LEDGER_NEW);
    OM_TRY(hear(&l, &b) == OM_LEDGER_NEW);
    OM_TRY(hear(&l, &a) == OM_LEDGER_NEW);
    CHECK_EQ(verdict(&l, &first), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &second), OM_LEDGER_ISSUER);
    OM_TRY(hear(&l, &mild) == OM_LEDGER_NEW);
    CHECK_EQ(verdict(&l, &first), OM_LEDGER_HOLDS);
    CHECK_EQ(verdict(&l, &second), OM_LEDGER_ISSUER);
    OM_TRY(hear(&l, &none) == OM_LEDGER_NEW);
    CHECK_EQ(verdict(&l, &first), OM_LEDGER_ISSUER);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_only_the_authority_revokes_admins)
{
    struct om_ledger l = {.log_count = 0};
    struct om_admin_entry e = {.kind = OM_ADMIN_REVOKED};
    struct om_bytes out;
    struct said by_authority = say_admin(1, NULL, ANN, 0, NULL);

    OM_TRY(ledgers_init(&l, 2));
    memcpy(e.subject, key(ANN)->id.b, sizeof e.subject);
    OM_TRY(om_ledger_sign(&l, key(BOB), &e, &out) == OM_OK);
    CHECK(om_ledger_may_sign(&l, &key(ANN)->id));
    OM_TRY(hear(&l, &by_authority) == OM_LEDGER_NEW);
    CHECK(!om_ledger_may_sign(&l, &key(ANN)->id));
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_fork_is_kept_as_proof)
{
    struct om_ledger l = {.log_count = 0};
    struct said a = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct said b = say(ANN, 2, &a, OM_ADMIN_KEY_REVOKED, key(21)->id.b);
    struct said twin = say(ANN, 2, &a, OM_ADMIN_KEY_REVOKED, key(22)->id.b);
    struct said torn = say(BOB, 2, &b, OM_ADMIN_KEY_REVOKED, key(23)->id.b);
    struct said first = say(BOB, 1, NULL, OM_ADMIN_KEY_REVOKED, key(24)->id.b);

    OM_TRY(ledgers_init(&l, 2));
    OM_TRY(hear(&l, &a) == OM_LEDGER_NEW);
    OM_TRY(hear(&l, &b) == OM_LEDGER_NEW);
    CHECK_EQ(om_ledger_fork(om_ledger_log(&l, &key(ANN)->id)), 0);
    OM_TRY(hear(&l, &twin) == OM_LEDGER_NEW);
    CHECK_EQ(om_ledger_fork(om_ledger_log(&l, &key(ANN)->id)), 2);
    CHECK(om_ledger_revoked(&l, &key(21)->id)); /* he cannot take it back so */
    CHECK(om_ledger_revoked(&l, &key(22)->id));
    OM_TRY(hear(&l, &first) == OM_LEDGER_NEW);
    CHECK_EQ(om_ledger_fork(om_ledger_log(&l, &key(BOB)->id)), 0);
    OM_TRY(hear(&l, &torn) == OM_LEDGER_NEW); /* names another as the one before it */
    CHECK_EQ(om_ledger_fork(om_ledger_log(&l, &key(BOB)->id)), 2);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_bounds_what_an_admin_can_store)
{
    struct om_ledger l = {.log_count = 0};
    struct said lowest[OM_LEDGER_TWINS_MAX], s;
    unsigned kept = 0;

    OM_TRY(ledgers_init(&l, 1));
    for (unsigned i = 0; i < 12; i++) {
        s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20 + i)->id.b);
        enum om_ledger_put put = hear(&l, &s);
        OM_TRY(put == OM_LEDGER_NEW || put == OM_LEDGER_OUTRANKED);
        if (kept < OM_LEDGER_TWINS_MAX)
            lowest[kept++] = s;
        else if (memcmp(s.hash, lowest[1].hash, sizeof s.hash) < 0)
            lowest[1] = s;
        if (kept == 2 && memcmp(lowest[1].hash, lowest[0].hash, sizeof s.hash) < 0) {
            s = lowest[0];
            lowest[0] = lowest[1];
            lowest[1] = s;
        }
    }
    const struct om_ledger_log *log = om_ledger_log(&l, &key(ANN)->id);
    CHECK_EQ(log->count, OM_LEDGER_TWINS_MAX);
    CHECK_EQ(l.said_count, OM_LEDGER_TWINS_MAX); /* what was dropped is not found any more */
    for (unsigned i = 0; i < OM_LEDGER_TWINS_MAX; i++)
        CHECK_MEM(log->entries[i]->hash, lowest[i].hash, OM_HASH_BYTES);
    s = say(ANN, OM_LEDGER_NUMBERS_MAX + 1, &s, OM_ADMIN_KEY_REVOKED, key(50)->id.b);
    CHECK_EQ(hear(&l, &s), OM_LEDGER_FULL);
    s = say(ANN, OM_LEDGER_NUMBERS_MAX, &s, OM_ADMIN_KEY_REVOKED, key(50)->id.b);
    OM_TRY(hear(&l, &s) == OM_LEDGER_NEW);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_full_of_admins_refuses)
{
    struct om_ledger l = {.log_count = 0};
    uint8_t cert[OM_ADMIN_CERT_BYTES];

    OM_TRY(ledgers_init(&l, OM_LEDGER_LOGS_MAX - 1));
    CHECK_ERR(om_ledger_admin(&l, admin_cert(cert, OM_LEDGER_LOGS_MAX)), OM_E_FULL);
    CHECK_OK(om_ledger_admin(&l, admin_cert(cert, 1)));
    for (unsigned i = 1; i + 1 < l.log_count; i++)
        CHECK(om_id_cmp(&l.logs[i]->owner, &l.logs[i + 1]->owner) < 0);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_voids_invites)
{
    struct om_ledger l = {.log_count = 0};
    static const uint8_t invite[OM_CERT_INVITE] = {0, 1, 9}, other[OM_CERT_INVITE] = {0, 1, 8};
    struct said s = say(ANN, 1, NULL, OM_ADMIN_INVITE_VOID, invite);
    struct said end = say_admin(1, NULL, ANN, 0, NULL);

    OM_TRY(ledgers_init(&l, 1));
    CHECK(!om_ledger_void(&l, invite));
    OM_TRY(hear(&l, &s) == OM_LEDGER_NEW);
    CHECK(om_ledger_void(&l, invite));
    CHECK(!om_ledger_void(&l, other));
    OM_TRY(hear(&l, &end) == OM_LEDGER_NEW);
    CHECK(!om_ledger_void(&l, invite));
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_signs_its_own_log)
{
    struct om_ledger l = {.log_count = 0};
    struct om_admin_entry e = {.kind = OM_ADMIN_KEY_REVOKED}, back;
    struct om_bytes out;
    struct said ahead = say(ANN, 9, NULL, OM_ADMIN_KEY_REVOKED, key(40)->id.b);
    uint8_t hash[OM_HASH_BYTES] = {0};

    OM_TRY(ledgers_init(&l, 1));
    CHECK_ERR(om_ledger_sign(&l, key(MALLORY), &e, &out), OM_E_MISSING);
    for (unsigned i = 1; i <= 3; i++) {
        memcpy(e.subject, key(20 + i)->id.b, sizeof e.subject);
        OM_TRY(om_ledger_sign(&l, key(ANN), &e, &out) == OM_OK);
        CHECK_OK(om_admin_entry_decode(&back, out));
        CHECK_EQ(back.number, i);
        CHECK_MEM(back.previous, hash, sizeof hash);
        om_admin_entry_hash(hash, out);
    }
    CHECK_EQ(om_ledger_fork(om_ledger_log(&l, &key(ANN)->id)), 0);
    CHECK(om_ledger_revoked(&l, &key(22)->id));
    OM_TRY(hear(&l, &ahead) == OM_LEDGER_NEW); /* from a life that our backup missed */
    CHECK_ERR(om_ledger_sign(&l, key(ANN), &e, &out), OM_E_STATE);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_takes_back_what_was_not_kept)
{
    struct om_ledger l = {.log_count = 0};
    struct om_admin_entry e = {.kind = OM_ADMIN_KEY_REVOKED};
    struct said end = say_admin(1, NULL, ANN, 0, NULL);
    struct om_bytes out;

    OM_TRY(ledgers_init(&l, 1));
    for (unsigned i = 1; i <= 3; i++) {
        memcpy(e.subject, key(20 + i)->id.b, sizeof e.subject);
        OM_TRY(om_ledger_sign(&l, key(ANN), &e, &out) == OM_OK);
    }
    uint64_t change = l.change;
    om_ledger_unsign(&l, &key(ANN)->id, 4);
    om_ledger_unsign(&l, &key(MALLORY)->id, 1);
    CHECK_EQ(l.change, change);
    om_ledger_unsign(&l, &key(ANN)->id, 2);
    CHECK(l.change > change);
    CHECK(om_ledger_revoked(&l, &key(21)->id));
    CHECK(!om_ledger_revoked(&l, &key(22)->id) && !om_ledger_revoked(&l, &key(23)->id));
    memcpy(e.subject, key(24)->id.b, sizeof e.subject);
    OM_TRY(om_ledger_sign(&l, key(ANN), &e, &out) == OM_OK);
    CHECK_EQ(e.number, 2);
    CHECK(om_ledger_revoked(&l, &key(24)->id));
    CHECK_EQ(om_ledger_fork(om_ledger_log(&l, &key(ANN)->id)), 0);
    /* The end of an admin, which takes all that away, and gives it back. */
    OM_TRY(hear(&l, &end) == OM_LEDGER_NEW);
    CHECK(!om_ledger_revoked(&l, &key(21)->id));
    om_ledger_unsign(&l, &l.authority, 1);
    CHECK(om_ledger_revoked(&l, &key(21)->id));
out:
    om_ledger_fini(&l);
}
