/* test_replay.c - the replay window, one line per case. */
#include "harness.h"

#include "crypto/replay.h"

enum { W = OM_REPLAY_WIDTH, G = OM_REPLAY_WIDTH_GROWN };

/* What a receiver does: look, authenticate, mark. */
static bool take(struct om_replay *r, uint64_t counter)
{
    bool fresh = om_replay_check(r, counter);

    if (fresh)
        om_replay_mark(r, counter);
    return fresh;
}

struct step {
    uint64_t counter;
    bool is_fresh;
};

static void play(const struct step *steps, size_t n)
{
    struct om_replay r;

    om_replay_init(&r);
    for (size_t i = 0; i < n; i++)
        if (take(&r, steps[i].counter) != steps[i].is_fresh)
            fail_msg("case %zu: counter %llu", i + 1, (unsigned long long)steps[i].counter);
    om_replay_fini(&r);
}

OM_TEST(replay_counter_cases)
{
    static const struct step steps[] = {
        /*  1 */ {0, true},
        /*  2 */ {1, true},
        /*  3 */ {1, false},
        /*  4 */ {9, true},
        /*  5 */ {8, true},
        /*  6 */ {7, true},
        /*  7 */ {7, false},
        /*  8 */ {W, true},
        /*  9 */ {W - 1, true},
        /* 10 */ {W - 1, false},
        /* 11 */ {W - 2, true},
        /* 12 */ {2, true},
        /* 13 */ {2, false},
        /* 14 */ {W + 16, true},
        /* 15 */ {3, false},
        /* 16 */ {16, false},
        /* 17 */ {17, true},
        /* 18 */ {17, false},
        /* 19 */ {W + 16, false},
        /* 20 */ {3 * W, true},
        /* 21 */ {2 * W, false},
        /* 22 */ {2 * W + 1, true},
        /* 23 */ {2 * W + 1, false},
        /* 24 */ {3 * W - 1, true},
        /* 25 */ {3 * W + 63, true},
        /* 26 */ {3 * W + 64, true},
        /* 27 */ {3 * W + 62, true},
        /* 28 */ {3 * W + 62, false},
        /* 29 */ {0, false},
        /* 30 */ {UINT64_MAX - 1, true},
        /* 31 */ {UINT64_MAX, true},
        /* 32 */ {UINT64_MAX, false},
        /* 33 */ {UINT64_MAX - 1, false},
        /* 34 */ {UINT64_MAX - (W - 1), true},
        /* 35 */ {UINT64_MAX - W, false},
        /* 36 */ {0, false},
    };
    play(steps, OM_ARRAY_SIZE(steps));
}

OM_TEST(replay_first_counter_opens_the_window_below)
{
    static const struct step steps[] = {
        {5 * W, true},                      /* the first authenticated counter is the top */
        {5 * W, false},     {4 * W, false}, /* just below the width */
        {4 * W + 1, true}, /* what was sent before it and comes late is still good, once */
        {4 * W + 1, false}, {5 * W - 1, true}, {5 * W - 1, false},
    };
    play(steps, OM_ARRAY_SIZE(steps));
}

OM_TEST(replay_jump_forgets_the_old_window)
{
    struct om_replay r;

    om_replay_init(&r);
    for (uint64_t c = 0; c < W; c++)
        CHECK(take(&r, c));
    CHECK(take(&r, 100 * (uint64_t)W + 7));
    for (uint64_t back = 1; back < W; back++)
        CHECK(take(&r, 100 * (uint64_t)W + 7 - back));
    CHECK(!take(&r, 99 * (uint64_t)W + 7));
    om_replay_fini(&r);
}

OM_TEST(replay_marking_stale_counters_does_nothing)
{
    struct om_replay r;

    om_replay_init(&r);
    om_replay_mark(&r, 3 * W);
    om_replay_mark(&r, 2 * W); /* would share the bit of 3 W */
    om_replay_mark(&r, 2 * W - 5);
    CHECK(om_replay_check(&r, 3 * W - 5));
    CHECK(!om_replay_check(&r, 3 * W));
    CHECK_EQ(r.top, 3 * W);
    om_replay_fini(&r);
}

OM_TEST(replay_grow_keeps_what_was_seen)
{
    struct om_replay r;

    om_replay_init(&r);
    CHECK(take(&r, 20));
    CHECK(take(&r, 3 * W));
    CHECK(take(&r, 3 * W - 10));
    OM_TRY(om_replay_grow(&r));
    CHECK(om_replay_grow(&r)); /* once more is nothing */
    CHECK_EQ(r.width, G);
    CHECK(!take(&r, 3 * W));
    CHECK(!take(&r, 3 * W - 10));
    CHECK(take(&r, 3 * W - 11));
    CHECK(take(&r, 2 * W + 1));
    CHECK(!take(&r, 2 * W)); /* had left the small window: never fresh again */
    CHECK(!take(&r, 20));
    CHECK(!take(&r, 21));
    CHECK(take(&r, 3 * W + G - 1)); /* the wide window now reaches down to 3 W */
    CHECK(!take(&r, 3 * W));
    CHECK(!take(&r, 3 * W - 1));
    CHECK(take(&r, 3 * W + 1));
    CHECK(!take(&r, 3 * W + 1));
out:
    om_replay_fini(&r);
}

OM_TEST(replay_grow_before_the_first_counter)
{
    struct om_replay r;

    om_replay_init(&r);
    OM_TRY(om_replay_grow(&r));
    CHECK(take(&r, 2 * G));
    CHECK(take(&r, G + 1));
    CHECK(!take(&r, G));
out:
    om_replay_fini(&r);
}

OM_TEST(replay_refused_growth_keeps_the_window)
{
    struct om_replay r;

    om_replay_init(&r);
    CHECK(take(&r, 2 * W));
    bool grown = om_replay_grow(&r); /* refused in one of the runs with --oom */
    CHECK_EQ(r.width, grown ? G : W);
    CHECK(!take(&r, 2 * W));
    CHECK(take(&r, 2 * W - 1));
    CHECK(!take(&r, W));
    om_replay_fini(&r);
    CHECK_EQ(r.width, W);
}

OM_TEST(replay_narrow_window_is_as_wide_as_it_says)
{
    struct om_replay r;

    for (uint32_t width = OM_REPLAY_WORD; width <= W; width *= 2) {
        om_replay_init_narrow(&r, width);
        CHECK(take(&r, 3 * (uint64_t)W));
        CHECK(!take(&r, 3 * (uint64_t)W - width));
        CHECK(take(&r, 3 * (uint64_t)W - width + 1));
        CHECK(!take(&r, 3 * (uint64_t)W - width + 1));
    }
}
