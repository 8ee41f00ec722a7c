/* test_timers.c - the timer heap. */
#include "harness.h"

#include <omerta/timers.h>

enum { MANY = 200 };

static struct om_timer *fired[MANY];
static unsigned fired_count;
static struct om_timers *heap; /* for callbacks that arm */

static void note(struct om_timer *t, om_time now OM_UNUSED)
{
    CHECK(!om_timer_is_armed(t));
    CHECK(fired_count < MANY);
    fired[fired_count++] = t;
}

static void arm_again(struct om_timer *t, om_time now)
{
    note(t, now);
    CHECK_OK(om_timer_arm(heap, t, now)); /* it was in the heap just now: there is room */
}

OM_TEST(timers_fire_in_order_of_time_then_arming)
{
    struct om_timer t[MANY];
    struct om_timers ts;

    fired_count = 0;
    om_timers_init(&ts, MANY);
    CHECK(om_timers_deadline(&ts) == OM_NEVER);
    for (unsigned i = 0; i < MANY; i++) {
        t[i] = (struct om_timer){.fire = note};
        CHECK(!om_timer_is_armed(&t[i]));
        OM_TRY(om_timer_arm(&ts, &t[i], OM_SEC(1 + (i * 7) % 5)) == OM_OK);
    }
    CHECK_EQ(om_timers_deadline(&ts), OM_SEC(1));
    CHECK_EQ(om_timers_run(&ts, OM_SEC(1) - 1), 0);
    CHECK_EQ(om_timers_run(&ts, OM_SEC(1)), MANY / 5);
    CHECK_EQ(om_timers_deadline(&ts), OM_SEC(2));
    CHECK_EQ(om_timers_run(&ts, OM_SEC(9)), MANY - MANY / 5);
    CHECK_EQ(om_timers_run(&ts, OM_SEC(9)), 0);
    for (unsigned i = 0, second = 0; second < 5; second++)
        for (unsigned k = 0; k < MANY; k++)
            if ((k * 7) % 5 == second)
                CHECK(fired[i++] == &t[k]);
out:
    om_timers_fini(&ts);
}

OM_TEST(timers_rearm_cannot_fail)
{
    struct om_timer a = {.fire = note}, b = {.fire = note};
    struct om_timers ts;

    fired_count = 0;
    om_timers_init(&ts, 2);
    OM_TRY(om_timer_arm(&ts, &a, 10) == OM_OK);
    OM_TRY(om_timer_arm(&ts, &b, 20) == OM_OK);
    CHECK_OK(om_timer_arm(&ts, &a, 30)); /* full, but it is in already */
    CHECK_EQ(om_timers_deadline(&ts), 20);
    CHECK_OK(om_timer_arm(&ts, &a, 5));
    CHECK_EQ(om_timers_deadline(&ts), 5);
    CHECK_OK(om_timer_arm(&ts, &a, 20)); /* as new: after b now */
    CHECK_EQ(om_timers_run(&ts, 20), 2);
    CHECK(fired[0] == &b && fired[1] == &a);
out:
    om_timers_fini(&ts);
}

OM_TEST(timers_run_is_bounded)
{
    struct om_timer a = {.fire = arm_again}, b = {.fire = note};
    struct om_timers ts;

    fired_count = 0;
    om_timers_init(&ts, 10);
    heap = &ts;
    OM_TRY(om_timer_arm(&ts, &a, 1) == OM_OK);
    OM_TRY(om_timer_arm(&ts, &b, 2) == OM_OK);
    CHECK_EQ(om_timers_run(&ts, 2), 10);
    CHECK(fired[0] == &a && fired[1] == &b && fired[2] == &a);
    CHECK_EQ(om_timers_deadline(&ts), 2);
    om_timer_stop(&ts, &a);
    CHECK_EQ(om_timers_run(&ts, 2), 0);
out:
    om_timers_fini(&ts);
}

OM_TEST(timers_refuse_when_full)
{
    struct om_timer a = {.fire = note}, b = {.fire = note};
    struct om_timers ts;

    om_timers_init(&ts, 1);
    OM_TRY(om_timer_arm(&ts, &a, 10) == OM_OK);
    CHECK_ERR(om_timer_arm(&ts, &b, 5), OM_E_FULL);
    CHECK(!om_timer_is_armed(&b));
    CHECK_EQ(om_timers_deadline(&ts), 10);
    om_timer_stop(&ts, &a);
    CHECK_OK(om_timer_arm(&ts, &b, 5));
    CHECK_EQ(om_timers_deadline(&ts), 5);
out:
    om_timers_fini(&ts);
}

OM_TEST(timers_stopped_never_fire)
{
    struct om_timer a = {.fire = note}, b = {.fire = note}, c = {.fire = note}, d = {.fire = note};
    struct om_timers ts;

    fired_count = 0;
    om_timers_init(&ts, 4);
    om_timer_stop(&ts, &a);
    CHECK(a.at == OM_NEVER);
    OM_TRY(om_timer_arm(&ts, &a, 1) == OM_OK);
    OM_TRY(om_timer_arm(&ts, &b, 2) == OM_OK);
    OM_TRY(om_timer_arm(&ts, &c, 3) == OM_OK);
    OM_TRY(om_timer_arm(&ts, &d, 4) == OM_OK);
    om_timer_stop(&ts, &a);
    CHECK_OK(om_timer_arm(&ts, &b, OM_NEVER));
    CHECK(!om_timer_is_armed(&b) && b.at == OM_NEVER);
    CHECK(om_timers_pop(&ts, 2) == NULL);
    CHECK(om_timers_pop(&ts, 3) == &c);
    CHECK(!om_timer_is_armed(&c));
    om_timers_fini(&ts);
    CHECK(!om_timer_is_armed(&d) && d.at == OM_NEVER);
    CHECK_EQ(om_timers_run(&ts, OM_NEVER), 0);
    CHECK_EQ(fired_count, 0);
out:
    om_timers_fini(&ts);
}
