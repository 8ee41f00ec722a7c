/* test_ledger_wire.c - ledgers that meet by question and answer. */
#include "ledgers.h"

#include "network/ledger_wire.h"

enum { AUTHORITY, ANN, BOB, LENGTH = 12, SMALL = OM_LEDGER_ANSWER_LEAST + 300 };

OM_TEST(ledger_wire_questions_round_trip)
{
    struct om_ledger l = {.log_count = 0};
    uint8_t bytes[OM_LEDGER_ASK_MAX], again[OM_LEDGER_ASK_MAX];
    struct om_ledger_ask a, back;
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);

    OM_TRY(ledgers_init(&l, OM_LEDGER_LOGS_MAX - 1));
    OM_TRY(hear(&l, &s) == OM_LEDGER_NEW);
    om_ledger_ask(&a, &l);
    a.skip = 77;
    a.has_epoch = true;
    size_t n = om_ledger_ask_write(bytes, &a);
    CHECK_EQ(n, OM_LEDGER_ASK_MAX);
    CHECK_OK(om_ledger_ask_read(&back, om_bytes(bytes, n)));
    CHECK_EQ(back.skip, 77);
    CHECK_EQ(om_ledger_ask_write(again, &back), n);
    CHECK_MEM(again, bytes, n);
out:
    om_ledger_fini(&l);
}

OM_TEST(ledger_wire_tells_one_thing)
{
    struct om_ledger from = {.log_count = 0}, to = {.log_count = 0};
    uint8_t part[OM_LEDGER_ANSWER_LEAST];
    struct om_ledger_walk walk;
    struct om_ledger_told t;
    struct om_ledger_heard heard;
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);

    OM_TRY(ledgers_init(&from, 1) && ledgers_init(&to, 0));
    OM_TRY(hear(&from, &s) == OM_LEDGER_NEW);
    om_ledger_walk(&walk, NULL, 0);
    while (om_ledger_walk_next(&walk, &from, &t)) {
        OM_TRY(om_ledger_hear(&to, om_bytes(part, om_ledger_part(part, &t)), &heard) == OM_OK);
        CHECK(heard.told == 1 && !heard.has_more);
    }
    CHECK(om_ledger_revoked(&to, &key(20)->id));
out:
    om_ledger_fini(&from);
    om_ledger_fini(&to);
}

OM_TEST(ledger_wire_refuses_cut_and_long)
{
    struct om_ledger from = {.log_count = 0}, to = {.log_count = 0};
    uint8_t ask[OM_LEDGER_ASK_MAX + 1] = {0}, answer[SMALL];
    struct om_ledger_ask a, back;
    struct om_ledger_heard heard;
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);

    OM_TRY(ledgers_init(&from, 1) && ledgers_init(&to, 0));
    OM_TRY(hear(&from, &s) == OM_LEDGER_NEW);
    om_ledger_ask(&a, &to);
    size_t n = om_ledger_ask_write(ask, &a);
    for (size_t cut = 0; cut < n; cut++)
        CHECK_ERR(om_ledger_ask_read(&back, om_bytes(ask, cut)), OM_E_PARSE);
    CHECK_ERR(om_ledger_ask_read(&back, om_bytes(ask, n + 1)), OM_E_PARSE);
    ask[4] = OM_LEDGER_LOGS_MAX + 1;
    CHECK_ERR(om_ledger_ask_read(&back, om_bytes(ask, n)), OM_E_PARSE);
    n = om_ledger_answer(&from, &a, om_mut(answer, sizeof answer));
    CHECK_ERR(om_ledger_hear(&to, om_bytes(NULL, 0), &heard), OM_E_PARSE);
    for (size_t cut = 2; cut < 35 + OM_ADMIN_CERT_BYTES; cut++)
        CHECK_ERR(om_ledger_hear(&to, om_bytes(answer, cut), &heard), OM_E_PARSE);
    CHECK_EQ(to.log_count, 1);
    OM_TRY(om_ledger_hear(&to, om_bytes(answer, n), &heard) == OM_OK);
    CHECK_EQ(heard.told, 2);
    CHECK_EQ(heard.entries, 1);
    answer[1] = 2; /* neither entry nor certificate */
    CHECK_ERR(om_ledger_hear(&to, om_bytes(answer, n), &heard), OM_E_PARSE);
    answer[1] = 1;
    answer[0] = 2;
    CHECK_ERR(om_ledger_hear(&to, om_bytes(answer, n), &heard), OM_E_PARSE);
out:
    om_ledger_fini(&from);
    om_ledger_fini(&to);
}

/* All that @from has, by answers of SMALL bytes; how many it took, or -1 without memory. */
static int ask_all(struct om_ledger *from, struct om_ledger *to)
{
    uint8_t answer[SMALL];
    struct om_ledger_ask a;
    struct om_ledger_heard heard = {.has_more = true};
    int calls = 0;

    om_ledger_ask(&a, to);
    for (; heard.has_more; calls++) {
        size_t n = om_ledger_answer(from, &a, om_mut(answer, sizeof answer));
        CHECK(n <= sizeof answer);
        if (om_ledger_hear(to, om_bytes(answer, n), &heard) == OM_E_NO_MEM)
            return -1;
        CHECK(heard.told > 0 || !heard.has_more);
        a.skip += heard.told;
    }
    return calls;
}

/* One admin's log upward; one's who was revoked downward. */
OM_TEST(ledger_wire_brings_all_in_small_pieces)
{
    struct om_ledger from = {.log_count = 0}, to = {.log_count = 0};
    struct said last[2], s, end;
    struct om_ledger_head heads[OM_LEDGER_LOGS_MAX];

    OM_TRY(ledgers_init(&from, 2) && ledgers_init(&to, 0));
    for (unsigned i = 0; i < LENGTH; i++)
        for (unsigned by = ANN; by <= BOB; by++) {
            s = say(by, i + 1, i ? &last[by - ANN] : NULL, OM_ADMIN_KEY_REVOKED,
                    key(20 + 2 * i + by)->id.b);
            last[by - ANN] = s;
            OM_TRY(hear(&from, &s) == OM_LEDGER_NEW);
        }
    end = say_admin(1, NULL, BOB, LENGTH, &last[1]);
    OM_TRY(hear(&from, &end) == OM_LEDGER_NEW);
    int calls = ask_all(&from, &to);
    OM_TRY(calls > 3);
    for (unsigned i = 0; i < LENGTH; i++)
        for (unsigned by = ANN; by <= BOB; by++)
            CHECK(om_ledger_revoked(&to, &key(20 + 2 * i + by)->id));
    CHECK(!om_ledger_lacks(&to, heads, om_ledger_heads(&from, heads)));
    CHECK_EQ(ask_all(&from, &to), 1);
out:
    om_ledger_fini(&from);
    om_ledger_fini(&to);
}

OM_TEST(ledger_wire_stops_at_a_forged_entry)
{
    struct om_ledger from = {.log_count = 0}, to = {.log_count = 0};
    uint8_t answer[OM_LEDGER_ANSWER_MAX];
    struct om_ledger_ask a;
    struct om_ledger_heard heard;
    struct said s[3];

    OM_TRY(ledgers_init(&from, 1) && ledgers_init(&to, 1));
    for (unsigned i = 0; i < 3; i++) {
        s[i] = say(ANN, i + 1, i ? &s[i - 1] : NULL, OM_ADMIN_KEY_REVOKED, key(20 + i)->id.b);
        OM_TRY(hear(&from, &s[i]) == OM_LEDGER_NEW);
    }
    om_ledger_ask(&a, &to);
    size_t n = om_ledger_answer(&from, &a, om_mut(answer, sizeof answer));
    answer[1 + 35 + s[0].n + 35 + 40] ^= 1; /* whom the second revokes */
    enum om_err e = om_ledger_hear(&to, om_bytes(answer, n), &heard);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_CRYPTO);
    CHECK_EQ(heard.told, 1);
    CHECK_EQ(om_ledger_log(&to, &key(ANN)->id)->count, 1);
    answer[1 + 35 + s[0].n + 35 + 40] ^= 1;
    OM_TRY(om_ledger_hear(&to, om_bytes(answer, n), &heard) == OM_OK);
    CHECK_EQ(heard.entries, 2);
out:
    om_ledger_fini(&from);
    om_ledger_fini(&to);
}

OM_TEST(ledger_wire_epoch_comes_last)
{
    struct om_ledger from = {.log_count = 0}, to = {.log_count = 0};
    uint8_t answer[OM_LEDGER_ANSWER_MAX], ask[OM_LEDGER_ASK_MAX];
    const uint8_t epoch[OM_EPOCH_MESSAGE_MAX] = {1, 2, 3};
    struct om_ledger_ask a, back;
    struct om_ledger_heard heard;
    struct said s = say(ANN, 1, NULL, OM_ADMIN_KEY_REVOKED, key(20)->id.b);

    OM_TRY(ledgers_init(&from, 1) && ledgers_init(&to, 1));
    OM_TRY(hear(&from, &s) == OM_LEDGER_NEW);
    om_ledger_ask(&a, &to);
    CHECK(!a.has_epoch);
    a.has_epoch = true;
    memset(a.epoch, 0xe0, sizeof a.epoch);
    size_t n = om_ledger_ask_write(ask, &a);
    CHECK_OK(om_ledger_ask_read(&back, om_bytes(ask, n)));
    CHECK(back.has_epoch);
    CHECK_MEM(back.epoch, a.epoch, sizeof a.epoch);
    CHECK_ERR(om_ledger_ask_read(&back, om_bytes(ask, n - 1)), OM_E_PARSE);

    size_t logs = om_ledger_answer(&from, &a, om_mut(answer, sizeof answer));
    n = om_ledger_answer_epoch(om_mut(answer, sizeof answer), logs, om_bytes(epoch, sizeof epoch));
    CHECK_EQ(n, logs + OM_LEDGER_EPOCH_MAX);
    OM_TRY(om_ledger_hear_news(&to, om_bytes(answer, n), om_mut(ask, sizeof ask), &heard) == OM_OK);
    CHECK_EQ(heard.told, 1);
    CHECK_EQ(heard.news, logs);
    CHECK_MEM(ask, answer, logs);
    CHECK_EQ(heard.epoch.n, sizeof epoch);
    CHECK(heard.epoch.p == answer + n - sizeof epoch);
    CHECK_ERR(om_ledger_hear(&to, om_bytes(answer, n - 1), &heard), OM_E_PARSE);
    answer[n] = 0;
    CHECK_ERR(om_ledger_hear(&to, om_bytes(answer, n + 1), &heard), OM_E_PARSE);
    answer[0] = 1; /* more is to come: then it is too early */
    CHECK_ERR(om_ledger_hear(&to, om_bytes(answer, n), &heard), OM_E_PARSE);
    answer[0] = 0;
    OM_TRY(om_ledger_hear(&to, om_bytes(answer, logs), &heard) == OM_OK);
    CHECK_EQ(heard.epoch.n, 0);
out:
    om_ledger_fini(&from);
    om_ledger_fini(&to);
}
