/* test_attempts.c - what was tried is one entry each, and never more than there is room for. */
#include "harness.h"

#include "path/attempts.h"

static struct om_attempt at(uint16_t port)
{
    return (struct om_attempt){
        .what = OM_ATTEMPT_ADDRESS, .addr = om_addr_v4(0x01020304, port), .origin = "said"};
}

static struct om_attempt shake(uint16_t port)
{
    struct om_attempt a = at(port);

    a.what = OM_ATTEMPT_HANDSHAKE;
    return a;
}

OM_TEST(attempts_same_thing_is_one_entry)
{
    struct om_attempt first = at(1), other = shake(1), out[OM_ATTEMPTS_MAX];
    struct om_attempts a = {0};

    om_attempts_begin(&a, OM_SEC(1), &first);
    om_attempts_begin(&a, OM_SEC(2), &other); /* the same address, but something else */
    om_attempts_begin(&a, OM_SEC(3), &first);
    CHECK_EQ(om_attempts_copy(&a, OM_SEC(3), out), 2);
    CHECK_EQ(out[0].what, OM_ATTEMPT_HANDSHAKE); /* oldest first */
    CHECK_EQ(out[1].times, 2);
    CHECK_EQ(out[1].first, OM_SEC(1));
    CHECK_EQ(out[1].at, OM_SEC(3));
    CHECK_STR(out[1].origin, "said");
}

OM_TEST(attempts_full_drops_what_was_never_asked)
{
    struct om_attempt out[OM_ATTEMPTS_MAX], one;
    struct om_attempts a = {0};

    one = at(1);
    om_attempts_begin(&a, 1, &one);
    for (uint16_t i = 2; i < 1000; i++) { /* a peer that names thousands */
        one = at(i);
        om_attempts_unasked(&a, i, &one, "foreign");
    }
    CHECK_EQ(om_attempts_copy(&a, OM_SEC(1), out), OM_ATTEMPTS_MAX);
    CHECK_EQ(out[0].addr.port, 1); /* what was asked is still there */
    CHECK_EQ(out[OM_ATTEMPTS_MAX - 1].addr.port, 999);
    for (uint16_t i = 2; i < 1000; i++) { /* all of them asked: the oldest goes */
        one = at(i);
        om_attempts_begin(&a, OM_SEC(1) + i, &one);
    }
    CHECK_EQ(om_attempts_copy(&a, OM_SEC(2), out), OM_ATTEMPTS_MAX);
    CHECK_EQ(out[0].addr.port, 1000 - OM_ATTEMPTS_MAX);
}

OM_TEST(attempts_silence_comes_with_time)
{
    struct om_attempt one = at(1), punch = {.what = OM_ATTEMPT_PUNCH}, out[OM_ATTEMPTS_MAX];
    struct om_attempts a = {0};

    om_attempts_begin(&a, 0, &one);
    om_attempts_begin(&a, 0, &punch); /* which says itself when it is over */
    om_attempts_copy(&a, OM_ATTEMPT_PATIENCE - 1, out);
    CHECK_EQ(out[0].saw, OM_SAW_NOTHING_YET);
    om_attempts_copy(&a, OM_ATTEMPT_PATIENCE, out);
    CHECK_EQ(out[0].saw, OM_SAW_SILENCE);
    CHECK_EQ(out[1].saw, OM_SAW_NOTHING_YET);
}

OM_TEST(attempts_said_again_stay_silent)
{
    struct om_attempt one = shake(1), out[OM_ATTEMPTS_MAX];
    struct om_attempts a = {0};

    om_attempts_begin(&a, 0, &one);
    om_attempts_begin(&a, OM_MS(500), &one); /* too early to say so */
    om_attempts_copy(&a, OM_MS(500), out);
    CHECK_EQ(out[0].saw, OM_SAW_NOTHING_YET);
    om_attempts_begin(&a, OM_SEC(3), &one);
    om_attempts_begin(&a, OM_SEC(3) + 1, &one);
    om_attempts_copy(&a, OM_SEC(3) + 1, out);
    CHECK_EQ(out[0].saw, OM_SAW_SILENCE);
    om_attempts_won(&a);
    om_attempts_copy(&a, OM_SEC(3) + 1, out);
    CHECK_EQ(out[0].saw, OM_SAW_ANOTHER);
    om_attempts_begin(&a, OM_SEC(9), &one);
    om_attempts_copy(&a, OM_SEC(9), out);
    CHECK_EQ(out[0].saw, OM_SAW_NOTHING_YET);
}

OM_TEST(attempts_answer_says_how_long_it_took)
{
    struct om_attempt one = at(1), out[OM_ATTEMPTS_MAX];
    struct om_attempts a = {0};

    om_attempts_end(&a, 0, &one, OM_SAW_ANSWER, ""); /* nobody asked for it */
    CHECK_EQ(om_attempts_copy(&a, 0, out), 0);
    om_attempts_begin(&a, OM_SEC(5), &one);
    om_attempts_end(&a, OM_SEC(5) + OM_MS(30), &one, OM_SAW_ANSWER, "");
    om_attempts_end(&a, OM_SEC(9), &one, OM_SAW_ANSWER, ""); /* once more: the first counts */
    om_attempts_copy(&a, OM_SEC(9), out);
    CHECK_EQ(out[0].saw, OM_SAW_ANSWER);
    CHECK_EQ(out[0].took, OM_MS(30));
}

OM_TEST(attempts_first_answer_ends_the_race)
{
    struct om_attempt one = shake(1), two = shake(2), ask = at(3), out[OM_ATTEMPTS_MAX];
    struct om_attempts a = {0};

    om_attempts_begin(&a, 0, &one);
    om_attempts_begin(&a, 0, &two);
    om_attempts_begin(&a, 0, &ask);
    om_attempts_end(&a, OM_MS(10), &two, OM_SAW_ANSWER, "");
    om_attempts_won(&a);
    om_attempts_copy(&a, OM_MS(10), out);
    CHECK_EQ(out[0].saw, OM_SAW_ANOTHER);
    CHECK_EQ(out[1].saw, OM_SAW_ANSWER);
    CHECK_EQ(out[2].saw, OM_SAW_NOTHING_YET); /* which is no handshake */
}

OM_TEST(attempts_refusal_keeps_what_was_seen)
{
    struct om_attempt one = at(1), out[OM_ATTEMPTS_MAX];
    struct om_attempts a = {0};

    om_attempts_unasked(&a, 0, &one, "spent");
    om_attempts_copy(&a, 0, out);
    CHECK_EQ(out[0].saw, OM_SAW_UNASKED);
    CHECK_EQ(out[0].times, 0);
    om_attempts_begin(&a, 1, &one);
    om_attempts_end(&a, 2, &one, OM_SAW_SILENCE, "");
    om_attempts_unasked(&a, 3, &one, "spent");
    CHECK_EQ(om_attempts_copy(&a, 3, out), 1);
    CHECK_EQ(out[0].saw, OM_SAW_SILENCE);
    CHECK_STR(out[0].reason, "spent");
    CHECK_STR(om_attempt_saw_name(OM_SAWS), "unknown");
    CHECK_STR(om_attempt_what_name(OM_ATTEMPT_WHATS), "unknown");
    for (unsigned i = 0; i < OM_SAWS; i++)
        CHECK(om_attempt_saw_name((enum om_attempt_saw)i)[0]);
}
