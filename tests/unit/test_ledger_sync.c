/* test_ledger_sync.c - what one ledger tells another, and an EPOCH. */
#include "ledgers.h"

enum { AUTHORITY, ANN, BOB };

static bool lacks(struct om_ledger *of, struct om_ledger *l)
{
    struct om_ledger_head heads[OM_LEDGER_LOGS_MAX];

    return om_ledger_lacks(l, heads, om_ledger_heads(of, heads));
}

OM_TEST(ledger_heads_tell_what_is_lacking)
{
    struct om_ledger a = {.log_count = 0}, b = {.log_count = 0};
    struct said s[5];

    for (unsigned i = 0; i < 5; i++)
        s[i] = say(ANN, i + 1, i ? &s[i - 1] : NULL, OM_ADMIN_KEY_REVOKED, key(20 + i)->id.b);
    OM_TRY(ledgers_init(&a, 1));
    OM_TRY(ledgers_init(&b, 0));
    CHECK(lacks(&a, &b)); /* an admin it never heard of */
    for (unsigned i = 0; i < 5; i++)
        OM_TRY(hear(&a, &s[i]) == OM_LEDGER_NEW);
    OM_TRY(tell(&a, &b) == 6); /* his certificate, too */
    CHECK(!lacks(&a, &b) && !lacks(&b, &a));
    CHECK_EQ(tell(&a, &b), 0);
    om_ledger_fini(&b);
    OM_TRY(ledgers_init(&b, 1));
    OM_TRY(hear(&b, &s[0]) == OM_LEDGER_NEW);
    OM_TRY(hear(&b, &s[1]) == OM_LEDGER_NEW);
    OM_TRY(hear(&b, &s[3]) == OM_LEDGER_NEW);
    CHECK(lacks(&a, &b) && !lacks(&b, &a));
    CHECK_EQ(tell(&b, &a), 0);
    OM_TRY(tell(&a, &b) == 3);
    CHECK(om_ledger_revoked(&b, &key(24)->id));
    CHECK(!lacks(&a, &b));
out:
    om_ledger_fini(&a);
    om_ledger_fini(&b);
}

OM_TEST(ledger_heads_round_trip)
{
    uint8_t bytes[OM_LEDGER_HEAD_BYTES];
    struct om_ledger_head h = {.owner = {{1, 2}}, .number = 77, .sum = {3}}, back;
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    struct om_rd r = om_rd(om_bytes(bytes, sizeof bytes));

    om_ledger_head_write(&w, &h);
    CHECK_EQ(om_wr_len(&w), sizeof bytes);
    back = om_ledger_head_read(&r);
    CHECK(om_rd_done(&r) && om_id_equal(&back.owner, &h.owner) && back.number == 77);
    CHECK_MEM(back.sum, h.sum, sizeof h.sum);
}

/* He tells one of us one story and the other one another, both as long. */
OM_TEST(ledger_sync_shows_a_fork)
{
    struct om_ledger a = {.log_count = 0}, b = {.log_count = 0};
    struct said first = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct said x = say(ANN, 2, &first, OM_ADMIN_KEY_REVOKED, key(21)->id.b);
    struct said y = say(ANN, 2, &first, OM_ADMIN_KEY_REVOKED, key(22)->id.b);

    OM_TRY(ledgers_init(&a, 1));
    OM_TRY(ledgers_init(&b, 1));
    OM_TRY(hear(&a, &first) == OM_LEDGER_NEW && hear(&a, &x) == OM_LEDGER_NEW);
    OM_TRY(hear(&b, &first) == OM_LEDGER_NEW && hear(&b, &y) == OM_LEDGER_NEW);
    CHECK(lacks(&a, &b) && lacks(&b, &a));
    OM_TRY(tell(&a, &b) > 0 && tell(&b, &a) > 0);
    CHECK(!lacks(&a, &b) && !lacks(&b, &a));
    CHECK_EQ(om_ledger_fork(om_ledger_log(&a, &key(ANN)->id)), 2);
    CHECK(om_ledger_revoked(&a, &key(22)->id) && om_ledger_revoked(&b, &key(21)->id));
out:
    om_ledger_fini(&a);
    om_ledger_fini(&b);
}

/* He buries his honest entries under lower hashes; the authority names the honest head. */
OM_TEST(ledger_sync_brings_back_what_was_buried)
{
    struct om_ledger a = {.log_count = 0}, b = {.log_count = 0};
    struct said honest[3], end, s;

    for (unsigned i = 0; i < 3; i++)
        honest[i] =
            say(ANN, i + 1, i ? &honest[i - 1] : NULL, OM_ADMIN_KEY_REVOKED, key(20 + i)->id.b);
    end = say_admin(1, NULL, ANN, 3, &honest[2]);
    OM_TRY(ledgers_init(&a, 1));
    OM_TRY(ledgers_init(&b, 1));
    for (unsigned i = 0; i < 3; i++) {
        OM_TRY(hear(&a, &honest[i]) == OM_LEDGER_NEW);
        for (unsigned lower = 0, n = 0; lower < 2; n++) {
            s = say(ANN, i + 1, NULL, OM_ADMIN_KEY_REVOKED, key(30 + n)->id.b);
            if (memcmp(s.hash, honest[i].hash, sizeof s.hash) >= 0)
                continue;
            enum om_ledger_put put = hear(&b, &s);
            OM_TRY(put == OM_LEDGER_NEW || put == OM_LEDGER_OUTRANKED);
            lower++;
        }
    }
    OM_TRY(tell(&a, &b) == 3);
    CHECK(!om_ledger_revoked(&b, &key(21)->id));
    OM_TRY(hear(&a, &end) == OM_LEDGER_NEW);
    CHECK(tell(&b, &a) >= 0); /* nothing of it counts */
    OM_TRY(tell(&a, &b) > 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK(om_ledger_revoked(&b, &key(20 + i)->id));
    OM_TRY(tell(&b, &a) >= 0);
    CHECK(!lacks(&a, &b) && !lacks(&b, &a));
out:
    om_ledger_fini(&a);
    om_ledger_fini(&b);
}

OM_TEST(ledger_lists_what_an_epoch_excludes)
{
    struct om_ledger l = {.log_count = 0};
    struct om_excluded list[OM_LEDGER_LOGS_MAX];
    struct member m = member(20, ANN, 0, 0, 0);
    struct said a = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);
    struct said b = say(ANN, 2, &a, OM_ADMIN_ISSUED, m.hash);
    struct said c = say(ANN, 3, &b, OM_ADMIN_KEY_REVOKED, key(21)->id.b);
    struct said d = say(BOB, 1, NULL, OM_ADMIN_ISSUED, m.hash);
    struct said end = say_admin(1, NULL, BOB, 0, NULL);

    OM_TRY(ledgers_init(&l, 2));
    CHECK_EQ(om_ledger_excluded(&l, list), 0);
    CHECK(!om_ledger_beyond(&l, NULL, 0));
    OM_TRY(hear(&l, &d) == OM_LEDGER_NEW && hear(&l, &a) == OM_LEDGER_NEW);
    OM_TRY(hear(&l, &c) == OM_LEDGER_NEW);
    CHECK_EQ(om_ledger_excluded(&l, list), 1); /* what is behind the gap cannot be listed */
    CHECK_EQ(list[0].number, 1);
    CHECK(!om_ledger_beyond(&l, list, 1));
    CHECK(om_ledger_beyond(&l, list, 0));
    OM_TRY(hear(&l, &b) == OM_LEDGER_NEW);
    CHECK(om_ledger_beyond(&l, list, 1));
    CHECK_EQ(om_ledger_excluded(&l, list), 1);
    CHECK_MEM(list[0].owner, key(ANN)->id.b, OM_EXCLUDED_BYTES);
    CHECK_EQ(list[0].number, 3);
    OM_TRY(hear(&l, &end) == OM_LEDGER_NEW); /* an admin less: so he must not have the next */
    CHECK(om_ledger_beyond(&l, list, 1));
    CHECK_EQ(om_ledger_excluded(&l, list), 2);
    CHECK(!om_ledger_beyond(&l, list, 2));
out:
    om_ledger_fini(&l);
}
