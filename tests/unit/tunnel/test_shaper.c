/* test_shaper.c - rates, turns, and who gets how much. */
#include "harness.h"

#include <omerta/shaper.h>

#include "tests/model/dice.h"

enum { USERS = 7, RATE = 1000000, MOMENTS = 20000, RUNS = 12, EVENTS = 4096 };

/* What went through, to be looked at from each of its moments to each later one. */
struct trace {
    om_time at[EVENTS];
    uint64_t before[EVENTS + 1]; /* bytes before it */
    unsigned count;
};

static void note(struct trace *t, om_time now, uint32_t n)
{
    if (t->count == EVENTS)
        return;
    t->at[t->count] = now;
    t->before[t->count + 1] = t->before[t->count] + n;
    t->count++;
}

static void check_windows(const struct trace *t, uint32_t rate)
{
    uint64_t burst = om_shaper_burst(rate);

    for (unsigned i = 0; i < t->count; i++)
        for (unsigned j = i; j < t->count; j++) {
            uint64_t through = t->before[j + 1] - t->before[i];
            uint64_t us = (uint64_t)(t->at[j] - t->at[i]);
            /* 1 for the part of a byte that was there at the start */
            OM_BUG_IF(through > us * rate / 1000000 + burst + 1);
        }
}

/* Random users ask at random moments for random amounts, and take some of what they may. */
OM_TEST(shaper_never_gives_more_than_rate_and_burst)
{
    static struct trace t;
    struct dice d = {11};

    for (unsigned r = 0; r < RUNS; r++) {
        uint32_t rate = (uint32_t)OM_SHAPER_RATE_MIN << dice_below(&d, 18);
        struct om_shaper_user users[USERS] = {0};
        struct om_shaper s;
        om_time now = OM_SEC(5);

        t = (struct trace){0};
        om_shaper_init(&s, rate, now);
        for (unsigned i = 0; i < MOMENTS && t.count < EVENTS; i++) {
            struct om_shaper_user *u = &users[dice_below(&d, USERS)];
            now += dice_below(&d, 4) ? (om_time)dice_below(&d, 20000) : 0;
            if (dice_below(&d, 3) == 0 && (u = om_shaper_next(&s, now)) == NULL)
                continue;
            if (dice_below(&d, 9) == 0) {
                om_shaper_leave(u);
                continue;
            }
            if (dice_below(&d, 9) == 0) {
                uint32_t n = 1 + (uint32_t)dice_below(&d, 65507);
                if (om_shaper_pass(&s, now, n))
                    note(&t, now, n);
                continue;
            }
            uint32_t room = om_shaper_room(&s, u, now, 1 + dice_below(&d, 200000));
            if (room == 0)
                continue;
            uint32_t n = dice_below(&d, 2) ? room : 1 + (uint32_t)dice_below(&d, room);
            om_shaper_took(&s, u, now, n);
            note(&t, now, n);
        }
        CHECK(t.count > 300);
        check_windows(&t, rate);
    }
}

/* Runs @users, each of which always wants @want[i] at once, for @seconds; bytes of each. */
static void run_eager(unsigned users, const size_t *want, int seconds, uint64_t *got)
{
    struct om_shaper_user u[USERS] = {0};
    struct om_shaper s;
    om_time now = 0;

    om_shaper_init(&s, RATE, now);
    memset(got, 0, users * sizeof *got);
    for (unsigned i = 0; i < users; i++)
        for (uint32_t n; (n = om_shaper_room(&s, &u[i], now, want[i])) > 0; got[i] += n)
            om_shaper_took(&s, &u[i], now, n);
    memset(got, 0, users * sizeof *got); /* without the first burst, which is the first one's */
    while (now < OM_SEC(seconds)) {
        struct om_shaper_user *next = om_shaper_next(&s, now);
        if (!next) {
            om_time when = om_shaper_when(&s, now);
            CHECK(when > now && when != OM_NEVER);
            now = when;
            continue;
        }
        unsigned i = (unsigned)(next - u);
        for (uint32_t n; (n = om_shaper_room(&s, next, now, want[i])) > 0; got[i] += n)
            om_shaper_took(&s, next, now, n);
    }
}

OM_TEST(shaper_is_fair_among_the_eager)
{
    const size_t want[USERS] = {1 << 20, 1 << 16, 1 << 20, 65507, 1 << 18, 1 << 20, 30000};
    uint64_t got[USERS], all = 0;

    run_eager(USERS, want, 10, got);
    for (unsigned i = 0; i < USERS; i++) {
        CHECK(got[i] > 10 * RATE / USERS * 97 / 100 && got[i] < 10 * RATE / USERS * 103 / 100);
        all += got[i];
    }
    CHECK(all > 10 * RATE * 99ULL / 100 && all <= 10ULL * RATE + 1);
    run_eager(1, want, 10, got); /* alone, one gets it all */
    CHECK(got[0] > 10 * RATE * 99ULL / 100 && got[0] <= 10ULL * RATE + 1);
}

OM_TEST(shaper_lets_a_small_one_through)
{
    struct om_shaper_user big = {0}, small = {0};
    struct om_shaper s;

    om_shaper_init(&s, RATE, 0);
    CHECK_EQ(om_shaper_room(&s, &big, 0, 1 << 20), om_shaper_burst(RATE));
    om_shaper_took(&s, &big, 0, om_shaper_burst(RATE));
    /* A byte is there after a microsecond, and nobody else waits. */
    CHECK_EQ(om_shaper_room(&s, &small, 1, 1), 1);
    om_shaper_took(&s, &small, 1, 1);
    CHECK_EQ(om_shaper_room(&s, &big, 2, 1 << 20), 0);
    /* Behind another it waits for one turn of that. */
    CHECK_EQ(om_shaper_room(&s, &small, 3, 1), 0);
    CHECK(om_shaper_when(&s, 3) <= OM_MS(OM_SHAPER_TURN_MS) + 2);
    om_time now = OM_MS(OM_SHAPER_TURN_MS) + 2;
    CHECK(om_shaper_next(&s, now) == &big);
    uint32_t room = om_shaper_room(&s, &big, now, 1 << 20);
    CHECK_EQ(room, s.turn);
    om_shaper_took(&s, &big, now, room);
    CHECK_EQ(om_shaper_when(&s, now), now);
    CHECK(om_shaper_next(&s, now) == &small);
    CHECK_EQ(om_shaper_room(&s, &small, now, 1), 1);
}

OM_TEST(shaper_calls_the_first_once)
{
    struct om_shaper_user a = {0}, b = {0};
    struct om_shaper s;
    om_time now = 0;

    om_shaper_init(&s, RATE, now);
    CHECK(om_shaper_next(&s, now) == NULL);
    CHECK_EQ(om_shaper_when(&s, now), OM_NEVER);
    CHECK(om_shaper_pass(&s, now, om_shaper_burst(RATE)));
    CHECK_EQ(om_shaper_room(&s, &a, now, 5000), 0);
    CHECK_EQ(om_shaper_room(&s, &b, now, 5000), 0);
    CHECK_EQ(om_shaper_when(&s, now), OM_MS(5));
    CHECK(om_shaper_next(&s, OM_MS(5) - 1) == NULL);
    now = OM_MS(5);
    CHECK(om_shaper_next(&s, now) == &a);
    CHECK(om_shaper_next(&s, now) == NULL);
    CHECK_EQ(om_shaper_when(&s, now), OM_NEVER);
    /* What it was called for went to a datagram: it is called again, before the other. */
    CHECK(om_shaper_pass(&s, now, 4000));
    CHECK_EQ(om_shaper_room(&s, &a, now, 5000), 0);
    CHECK_EQ(om_shaper_when(&s, now), OM_MS(9));
    now = OM_MS(9);
    CHECK(om_shaper_next(&s, now) == &a);
    CHECK_EQ(om_shaper_room(&s, &a, now, 5000), 5000);
    om_shaper_took(&s, &a, now, 5000);
    CHECK_EQ(om_shaper_when(&s, now), OM_MS(14));
    CHECK(om_shaper_next(&s, OM_MS(14)) == &b);
}

OM_TEST(shaper_who_leaves_holds_up_nobody)
{
    struct om_shaper_user a = {0}, b = {0};
    struct om_shaper s;

    om_shaper_init(&s, RATE, 0);
    om_shaper_leave(&a);
    CHECK(om_shaper_pass(&s, 0, om_shaper_burst(RATE)));
    CHECK_EQ(om_shaper_room(&s, &a, 0, 1000), 0);
    CHECK_EQ(om_shaper_room(&s, &b, 0, 1000), 0);
    CHECK(om_shaper_next(&s, OM_MS(1)) == &a);
    om_shaper_leave(&a);
    CHECK(om_shaper_next(&s, OM_MS(1)) == &b);
    CHECK_EQ(om_shaper_room(&s, &b, OM_MS(1), 1000), 1000);
    om_shaper_leave(&b);
    CHECK_EQ(om_shaper_when(&s, OM_MS(1)), OM_NEVER);
}

OM_TEST(shaper_datagrams_pass_or_do_not)
{
    struct om_shaper s;
    unsigned through = 0;

    om_shaper_init(&s, OM_SHAPER_RATE_MIN, 0);
    CHECK(om_shaper_pass(&s, 0, 65507)); /* the largest, at the lowest rate */
    CHECK(!om_shaper_pass(&s, 0, 100));
    CHECK(om_shaper_pass(&s, OM_SEC(1), 1000));
    om_shaper_init(&s, OM_SHAPER_RATE_MAX, 0);
    CHECK(om_shaper_pass(&s, 0, OM_SHAPER_RATE_MAX / 10));
    om_shaper_init(&s, RATE, 0);
    CHECK(om_shaper_pass(&s, 0, om_shaper_burst(RATE)));
    for (om_time now = 0; now < OM_SEC(2); now += OM_US(250)) /* twice the rate */
        through += om_shaper_pass(&s, now, 500);
    CHECK(through > 3990 && through <= 4000);
}
