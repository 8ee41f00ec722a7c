/* phase_wire.c - 10: the way from the peer is slow, uneven, or loses. */
#include "phase.h"

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "phase_all.h"

enum {
    SETTLE_MS = 2000,
    LONG_MS = 8000,
    QUICK_MS = 4000,
    COMMAND_BYTES = 512,
    LATE_MS = 150,
    ANSWER_MS = 1000
};

struct profile {
    const char *name;
    int delay_ms, jitter_ms, loss_percent;
    bool is_quick;
};

static const struct profile profiles[] = {
    {"50 ms", 50, 0, 0, true},         {"200 ms", 200, 0, 0, false},
    {"100+-80 ms", 100, 80, 0, false}, {"500+-400 ms", 500, 400, 0, false},
    {"1 % loss", 0, 0, 1, false},      {"10 % loss", 0, 0, 10, true},
};

/* Ours by its number: what the owner has there stays, also when ours could not be added. */
#define HANDLE "handle a0fe:"

/* Makes the way from the peer as @p says: by the program that plays the wire, else by netem. */
static bool play(struct om_run *r, struct om_result *res, const struct profile *p)
{
    char command[COMMAND_BYTES], back[COMMAND_BYTES];
    struct om_error err;
    enum om_err e;

    if (r->set.wire) {
        (void)snprintf(command, sizeof command, "'%s' %d %d %d", r->set.wire, p->delay_ms,
                       p->jitter_ms, p->loss_percent);
        (void)snprintf(back, sizeof back, "'%s' 0 0 0", r->set.wire);
        return om_run_did(res, om_site_run(&r->here, command, back, NULL, &err), &err);
    }
    if (!r->there.is_root) {
        om_result_skip(res, "not root at %s, for tc", r->set.peer);
        return false;
    }
    (void)snprintf(command, sizeof command,
                   "dev=$(ip -o route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | "
                   "head -n 1); tc qdisc add dev \"$dev\" root " HANDLE
                   " netem delay %dms %dms loss %d%% && "
                   "echo \"$dev\"",
                   p->delay_ms, p->jitter_ms, p->loss_percent);
    (void)snprintf(back, sizeof back,
                   "dev=$(ip -o route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | "
                   "head -n 1); tc qdisc del dev \"$dev\" root " HANDLE);
    e = om_site_run(&r->there, command, back, NULL, &err);
    if (e)
        om_result_skip(res, "no netem there: %s", err.msg);
    return !e;
}

static void unplay(struct om_run *r, struct om_result *res)
{
    struct om_error err;

    (void)om_run_did(res, om_site_back(&r->here, r->steps_here, &err), &err);
    (void)om_run_did(res, om_site_back(&r->there, r->steps_there, &err), &err);
}

/* What is wanted of one profile; @latest the median of no delay at most. */
static void judge(struct om_result *res, const struct profile *p, const struct om_series *s,
                  double latest)
{
    double median = om_series_percentile(s, 50),
           share = s->count ? (double)s->answered / s->count : 0;
    double lost = p->loss_percent / 100.0, least;

    /* Four standard deviations of so many draws: by chance once in 30,000 runs. */
    least = 1 - lost - 4 * sqrt(lost * (1 - lost) / (s->count ? s->count : 1));
    om_result_want(res, s->count > 0 && share >= least, "%s: %.1f %% came, want %.1f", p->name,
                   100 * share, 100 * least);
    om_result_want(res, median >= p->delay_ms - p->jitter_ms,
                   "%s: median %.1f ms: the profile is none", p->name, median);
    om_result_want(res, median <= latest + p->delay_ms + p->jitter_ms, "%s: median %.1f ms",
                   p->name, median);
    om_result_step(res, (struct om_step){p->delay_ms, median, 100 * (1 - share)});
}

void om_phase_profiles(struct om_run *r, struct om_result *res)
{
    double base, worst = 0;
    unsigned played = 0;

    om_run_rest(r, SETTLE_MS);
    base = om_series_percentile(&r->pulse.series, 50);
    res->offered_in = "ms of delay";
    res->got_in = "ms, the median";
    for (unsigned i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        const struct profile *p = &profiles[i];
        struct om_series *s = &r->pulse.series;

        if (res->verdict != OM_VERDICT_HELD || (r->set.is_quick && !p->is_quick))
            continue;
        if (!play(r, res, p))
            return;
        om_run_rest(r, SETTLE_MS);
        om_pulse_begin(&r->pulse, OM_MS(OM_RUN_BEAT_MS));
        om_run_rest(r, om_run_ms(r, LONG_MS, QUICK_MS));
        om_pulse_settle(&r->pulse, OM_MS(ANSWER_MS + 2 * (p->delay_ms + p->jitter_ms)));
        judge(res, p, s, base + LATE_MS + r->set.slack_ms);
        worst = om_series_loss(s) > worst ? om_series_loss(s) : worst;
        om_pulse_begin(&r->pulse, OM_MS(OM_RUN_BEAT_MS));
        om_run_whole(r, res);
        unplay(r, res);
        played++;
    }
    om_result_figure(res, "most_lost_percent", worst);
    om_result_say(res, "%u profiles; %.1f %% lost at most", played, worst);
}
