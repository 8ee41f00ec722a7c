/* test_watch.c - gaps and losses in what is delivered, as scenarios ask for them. */
#include "harness.h"

#include <stdio.h>

#include "play.h"

/* 5 ms pace, 20 ms away; what is sent from 3 s on for 300 ms is lost one way. */
static const char text[] = "node a b\n"
                           "link * latency=20ms\n"
                           "at 0s a connect b\n"
                           "every 5ms from 1s to 5s a send b \"x\"; b send a \"y\"\n"
                           "at 2s measure b from a; measure a from b\n"
                           "at 3002ms link a>b loss=100%\n"
                           "at 3302ms link a>b loss=0%\n"
                           "at 2900ms b gap <= 5ms from a\n"
                           "at 5500ms b gap = 305ms from a\n"
                           "at 5500ms b missing = 60 from a\n"
                           "at 5500ms a gap <= 5ms from b\n"
                           "at 5500ms a missing = 0 from b\n";

static bool play(const char *what, struct sim_result *r, struct om_error *err)
{
    const struct sim_play_options o = {.out = NULL};
    struct sim_script *s;

    if (sim_script_parse(&s, "watch.scn", om_bytes(what, strlen(what)), err) != OM_OK)
        fail_msg("%s", err->msg);
    bool held = sim_play(s, &o, r);
    sim_script_free(s);
    return held;
}

OM_TEST(watch_tells_gaps_and_losses)
{
    struct om_error err = {.msg = ""};
    struct sim_result r;

    if (!play(text, &r, &err))
        fail_msg("%s %s", r.first, r.broken);
    CHECK_EQ(r.held, 5);
    /* Without a word about when, from the start on; and what is under way is missing. */
    CHECK(play("node a b\nlink * latency=20ms\nat 0s a connect b\n"
               "every 5ms from 1s to 2s a send b \"x\"\n"
               "at 1501ms b gap = 1.02s from a\nat 1501ms b missing = 4 from a\n",
               &r, &err));
    CHECK_EQ(r.held, 2);
}

OM_TEST(watch_words_are_checked)
{
    static const char *const wrong[] = {"at 1s a gap < 5 from b\n", "at 1s a gap < 5ms\n",
                                        "at 1s a missing from b\n", "at 1s measure a\n",
                                        "at 1s measure a from x\n"};
    struct sim_script *s;
    struct om_error err;
    char all[200];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(wrong); i++) {
        snprintf(all, sizeof all, "node a b\n%s", wrong[i]);
        CHECK_ERR(sim_script_parse(&s, "wrong.scn", om_bytes(all, strlen(all)), &err), OM_E_PARSE);
    }
}
