/* test_health_run.c - what the health runner counts, changes and takes back. */
#include "harness.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "phase.h"
#include "series.h"
#include "undo.h"

/* Five probes, 10 ms apart, of which the second and the last have no answer. */
static bool row(struct om_series *s)
{
    for (unsigned i = 0; i < 5; i++)
        if (!om_series_sent(s, OM_MS(10 * i)))
            return false;
    om_series_answered(s, 0, OM_MS(2));
    om_series_answered(s, 2, OM_MS(24));
    om_series_answered(s, 3, OM_MS(33));
    return true;
}

OM_TEST(series_counts_what_is_lost)
{
    struct om_series s = {0};

    CHECK(om_series_loss(&s) == 0);
    OM_TRY(row(&s));
    CHECK_EQ(s.answered, 3);
    CHECK(om_series_loss(&s) == 40);
out:
    om_series_fini(&s);
}

OM_TEST(series_answers_count_once)
{
    struct om_series s = {0};

    OM_TRY(row(&s));
    om_series_answered(&s, 0, OM_MS(50));
    om_series_answered(&s, 5, OM_MS(50));
    om_series_answered(&s, 4, OM_MS(39)); /* before it was sent */
    CHECK_EQ(s.answered, 3);
    CHECK(s.probes[0].rtt == OM_MS(2));
out:
    om_series_fini(&s);
}

OM_TEST(series_carries_what_left_after)
{
    struct om_series s = {0};

    CHECK(!om_series_carried(&s, 0));
    OM_TRY(row(&s));
    CHECK(om_series_carried(&s, OM_MS(29)));
    CHECK(!om_series_carried(&s, OM_MS(30))); /* its answer came at 33 */
    om_series_answered(&s, 4, OM_MS(90));
    CHECK(om_series_carried(&s, OM_MS(30)));
out:
    om_series_fini(&s);
}

OM_TEST(series_percentiles_are_of_answers)
{
    struct om_series s = {0};

    CHECK(om_series_percentile(&s, 50) == -1);
    OM_TRY(row(&s));
    double p0 = om_series_percentile(&s, 0), p50 = om_series_percentile(&s, 50);
    double p99 = om_series_percentile(&s, 99);
    OM_TRY(p0 >= 0 && p50 >= 0 && p99 >= 0);
    CHECK(p0 == 2 && p50 == 3 && p99 == 4);
out:
    om_series_fini(&s);
}

OM_TEST(series_silence_is_between_arrivals)
{
    struct om_series s = {0};

    CHECK(om_series_silence(&s, OM_MS(5), OM_MS(25)) == 20);
    OM_TRY(row(&s));
    double all = om_series_silence(&s, 0, OM_MS(50)), first = om_series_silence(&s, 0, OM_MS(30));
    OM_TRY(!om_test_oom_hit());
    CHECK(all == 22);   /* from the first answer to the second */
    CHECK(first == 22); /* and nothing longer to the end of the span */
    CHECK(om_series_silence(&s, OM_MS(23), OM_MS(90)) == 57);
    CHECK_EQ(om_series_between(&s, OM_MS(2), OM_MS(33)), 2);
out:
    om_series_fini(&s);
}

OM_TEST(series_recovery_is_the_first_answer_after)
{
    struct om_series s = {0};

    OM_TRY(row(&s));
    CHECK(om_series_after(&s, OM_MS(5)) == 19);
    CHECK(om_series_after(&s, OM_MS(33)) == -1);
out:
    om_series_fini(&s);
}

OM_TEST(series_is_bounded)
{
    struct om_series s = {0};

    for (unsigned i = 0; i < OM_SERIES_MAX; i++)
        OM_TRY(om_series_sent(&s, OM_MS(i)));
    CHECK(!om_series_sent(&s, 0));
    CHECK_EQ(s.count, OM_SERIES_MAX);
out:
    om_series_fini(&s);
}

/* Takes back integers: each must be one less than the last. */
static bool in_order(void *self, const json_t *step)
{
    int *last = self;
    bool is_next = json_integer_value(step) == *last - 1;

    *last = (int)json_integer_value(step);
    return is_next;
}

OM_TEST(undo_takes_back_the_last_first)
{
    struct om_undo u = {0};
    int last = 3;

    for (int i = 0; i < 3; i++)
        om_undo_push(&u, json_integer(i));
    CHECK_EQ(om_undo_back(&u, 0, in_order, &last), 0);
    CHECK_EQ(u.count, 0);
}

OM_TEST(undo_of_one_leaves_the_others)
{
    struct om_undo u = {0};
    int last = 3;

    for (int i = 0; i < 3; i++)
        om_undo_push(&u, json_integer(i));
    CHECK_EQ(om_undo_back(&u, 2, in_order, &last), 0);
    CHECK_EQ(u.count, 2);
    last = 9; /* the first of those left is then not in order: that is counted, and goes on */
    CHECK_EQ(om_undo_back(&u, 0, in_order, &last), 1);
    CHECK_EQ(u.count, 0);
}

OM_TEST(undo_beyond_its_room_is_refused)
{
    struct om_undo u = {0};
    int last = OM_UNDO_MAX;

    for (int i = 0; i < OM_UNDO_MAX; i++) {
        CHECK(om_undo_has_room(&u));
        om_undo_push(&u, json_integer(i));
    }
    CHECK(!om_undo_has_room(&u));
    om_undo_push(&u, json_integer(OM_UNDO_MAX));
    CHECK_EQ(u.count, OM_UNDO_MAX);
    CHECK_EQ(om_undo_back(&u, 0, in_order, &last), 0);
}

/* What sh says of @script, and its exit. */
static int shell(const char *script, char out[static OM_COMMAND_OUT])
{
    json_t *argv = json_pack("[s,s,s]", "sh", "-c", script);
    int code = om_command_run(argv, out);

    json_decref(argv);
    return code;
}

OM_TEST(command_says_what_it_said)
{
    static char out[OM_COMMAND_OUT];

    CHECK_EQ(shell("echo one; echo two >&2; echo", out), 0);
    CHECK_STR(out, "one\ntwo");
    CHECK_EQ(shell("head -c 40000 /dev/zero | tr '\\0' x", out), 0);
    CHECK_EQ(strlen(out), OM_COMMAND_OUT - 1);
}

OM_TEST(command_passes_the_exit_code_on)
{
    static char out[OM_COMMAND_OUT];

    CHECK_EQ(shell("exit 3", out), 3);
    CHECK_EQ(shell("kill -9 $$", out), 137);
}

OM_TEST(command_that_is_none_is_refused)
{
    static char out[OM_COMMAND_OUT];
    json_t *argv = json_pack("[s]", "/nowhere/at/all");

    CHECK_EQ(om_command_run(argv, out), 127);
    CHECK(strstr(out, "No such file") != NULL);
    json_decref(argv);
    CHECK_EQ(om_command_run(NULL, out), -1);
}

OM_TEST(result_fails_for_good)
{
    struct om_result r = {0};

    om_result_want(&r, true, "%s", "not said");
    CHECK_EQ(r.verdict, OM_VERDICT_HELD);
    om_result_want(&r, false, "the %s", "first");
    om_result_skip(&r, "%s", "skipped");
    om_result_want(&r, true, "%s", "holds");
    CHECK_EQ(r.verdict, OM_VERDICT_FAILED);
    om_result_fini(&r);
}

OM_TEST(result_keeps_the_first_reason)
{
    struct om_result r = {0};

    om_result_want(&r, false, "the %s", "first");
    om_result_want(&r, false, "the %s", "second");
    CHECK_STR(r.reason, "the first");
    om_result_fini(&r);
}

OM_TEST(phase_numbers_are_found)
{
    for (const struct om_phase *p = om_phases; p->number; p++)
        CHECK(om_phase_find(p->number, strlen(p->number)) == p);
}

OM_TEST(phase_unknown_is_none)
{
    CHECK(om_phase_find("99", 2) == NULL);
    CHECK(om_phase_find("", 0) == NULL);
    CHECK(om_phase_find("12b,", 2) == om_phase_find("12", 2));
}
