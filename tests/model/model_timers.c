/* model_timers.c - the heap against a search through all timers. */
#include "harness.h"

#include <omerta/timers.h>

#include "dice.h"

enum { OPS = 200000, TIMERS = 150, MAX = 120 };

static struct om_timer timers[TIMERS];
static struct {
    om_time at;
    uint64_t order;
    bool is_armed;
} twin[TIMERS];
static unsigned armed;

static unsigned number_of(const struct om_timer *t)
{
    return (unsigned)(t - timers);
}

/* The armed timer that is due first, TIMERS when there is none. */
static unsigned earliest(void)
{
    unsigned best = TIMERS;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (!twin[i].is_armed)
            continue;
        if (best == TIMERS || twin[i].at < twin[best].at ||
            (twin[i].at == twin[best].at && twin[i].order < twin[best].order))
            best = i;
    }
    return best;
}

static void twin_stop(unsigned i)
{
    armed -= twin[i].is_armed;
    twin[i].is_armed = false;
}

static void twin_arm(unsigned i, om_time at, uint64_t order)
{
    armed += !twin[i].is_armed;
    twin[i].is_armed = true;
    twin[i].at = at;
    twin[i].order = order;
}

static void check_fire(struct om_timer *t, om_time now)
{
    unsigned want = earliest();

    CHECK_EQ(number_of(t), want);
    CHECK(twin[want].at <= now);
    twin_stop(want);
}

OM_TEST(timers_model_matches_a_search)
{
    struct dice d = {2};
    struct om_timers ts;
    om_time now = 0;

    om_timers_init(&ts, MAX);
    for (unsigned i = 0; i < TIMERS; i++)
        timers[i].fire = check_fire;
    for (unsigned op = 1; op <= OPS; op++) {
        unsigned i = dice_below(&d, TIMERS), what = dice_below(&d, 20);

        if (what < 13) { /* few distinct times, so that ties are common */
            om_time at = now + dice_below(&d, 40) - 5;
            bool fits = twin[i].is_armed || armed < MAX;

            CHECK_ERR(om_timer_arm(&ts, &timers[i], at), fits ? OM_OK : OM_E_FULL);
            if (fits)
                twin_arm(i, at, op);
        } else if (what < 16) {
            om_timer_stop(&ts, &timers[i]);
            twin_stop(i);
        } else if (what < 18) {
            struct om_timer *t = om_timers_pop(&ts, now);

            if (t)
                check_fire(t, now);
        } else {
            unsigned before = armed, ran;

            now += dice_below(&d, 4);
            ran = om_timers_run(&ts, now);
            CHECK_EQ(ran, before - armed);
            CHECK(earliest() == TIMERS || twin[earliest()].at > now);
        }
        CHECK_EQ(ts.count, armed);
        CHECK_EQ(om_timer_is_armed(&timers[i]), twin[i].is_armed);
        CHECK(om_timers_deadline(&ts) == (armed ? twin[earliest()].at : OM_NEVER));
    }
    om_timers_fini(&ts);
}
