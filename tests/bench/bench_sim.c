/* bench_sim.c - events of simulated time in a second of real time. */
#include "bench_core.h"

#include <stdlib.h>
#include <string.h>

#include "play.h"

/* Two pairs that talk for five seconds over a path that delays, reorders and loses. */
static const char text[] = "seed 3\n"
                           "node a b c d\n"
                           "link * latency=10ms jitter=5ms loss=1%\n"
                           "at 0s a connect b; c connect d\n"
                           "every 1ms from 1s to 6s a send b \"tick\"; c send d \"tock\"\n"
                           "by 1s session a b\n";

static uint64_t steps;

static void run(void *arg, unsigned long n)
{
    const struct sim_play_options quiet = {.out = NULL};
    struct sim_result result;

    while (n-- > 0) {
        if (!sim_play(arg, &quiet, &result))
            abort();
        steps = result.steps;
    }
}

void bench_sim(struct bench_report *r)
{
    struct sim_script *script;

    if (sim_script_parse(&script, "bench.scn", om_bytes(text, sizeof text - 1), NULL) != OM_OK)
        abort();
    struct bench b = {"one event", run, script, 0};
    bench_measure(&b, 1);
    bench_row(r, "simulator", b.name, b.ns / (double)steps, 0, 0);
    sim_script_free(script);
}
