/* phase_fault.c - 4 to 8: the peer's port is blocked by its own packet filter, and opened again. */
#include "phase.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "phase_all.h"
#include "interrupt.h"

enum {
    LEAD_MS = 1000,
    AFTER_MS = 1000,
    FLAPS = 10,
    QUICK_FLAPS = 3,
    COMMAND_BYTES = 512,
    POLL_MS = 100
};
enum { ONE_WAY_MS = 10000, TWO_WAYS_MS = 15000, QUICK_MS = 4000, MOMENT_MS = 1000 };

/* Longer than what is wanted, so that a late answer can be told from none. */
#define PATIENCE OM_MS(3 * OM_RECOVERY_MS)

/* Above all of the host's own rules; a table of ours, so that taking it away is one word. */
#define TABLE   "inet omerta_health"
#define UNBLOCK "nft delete table " TABLE

/* What is to be dropped: what comes to the daemon, and with @both what it sends, too. */
static bool block(struct om_run *r, struct om_result *res, bool both)
{
    char command[COMMAND_BYTES];
    struct om_error err;

    (void)snprintf(command, sizeof command,
                   "nft 'add table " TABLE "; add chain " TABLE
                   " in { type filter hook input priority -300; }"
                   "; add rule " TABLE " in udp dport %u drop%s",
                   r->udp_port_there, both ? "" : "'");
    if (both)
        (void)snprintf(command + strlen(command), sizeof command - strlen(command),
                       "; add chain " TABLE " out { type filter hook output priority -300; }"
                       "; add rule " TABLE " out udp sport %u drop'",
                       r->udp_port_there);
    if (!om_run_did(res, om_site_run(&r->there, command, UNBLOCK, NULL, &err), &err))
        return false;
    om_result_mark(res, om_pulse_now(&r->pulse), "blocked");
    return true;
}

/* Returns when that began: what is measured from there is rather too long than too short. */
static om_time unblock(struct om_run *r, struct om_result *res)
{
    om_time at = om_pulse_now(&r->pulse);
    struct om_error err;

    (void)om_run_did(res, om_site_back(&r->there, r->steps_there, &err), &err);
    om_result_mark(res, at, "open");
    return at;
}

/* No way of the daemon at @site to the other one is believed in any more. */
static bool is_lost(struct om_run *r, struct om_site *site)
{
    json_t *why = om_run_way(r, site), *path;
    bool lives = false;
    size_t i;

    json_array_foreach(json_object_get(why, "paths"), i, path)
    {
        const char *state = json_string_value(json_object_get(path, "state"));
        lives |= state && strcmp(state, "valid") == 0;
    }
    if (!json_is_true(json_object_get(why, "connected")))
        lives = false;
    lives |= !why;
    json_decref(why);
    return !lives;
}

/* How long after the first mark the daemon at @site knows; waits until @until of the row. */
static double noticed(struct om_run *r, struct om_site *site, om_time since, om_time until)
{
    while (om_pulse_now(&r->pulse) < until && !om_interrupt_came()) {
        if (is_lost(r, site))
            return (double)(om_pulse_now(&r->pulse) - since) / 1000;
        om_run_rest(r, POLL_MS);
    }
    return -1;
}

/* What a block of @ms is, as the answers show: none to what was sent while it was there. */
static void want_blocked(struct om_run *r, struct om_result *res, om_time from, om_time to)
{
    const struct om_series *s = &r->pulse.series;
    unsigned passed = 0;

    /* What was sent just before the rule was there may have passed it. */
    for (unsigned i = 0; i < s->count; i++) {
        const struct om_probe *p = &s->probes[i];
        passed += p->rtt >= 0 && p->sent > from && p->sent + p->rtt < to;
    }
    om_result_want(res, passed == 0, "%u probes passed the block: it is none", passed);
}

/* After the end of a fault, at @open of the row: an answer soon, and a connection that is whole. */
static void want_recovery(struct om_run *r, struct om_result *res, om_time open)
{
    double ms = om_run_answered(r, open, PATIENCE);

    om_result_figure(res, "recovered_ms", ms);
    if (ms < 0) {
        om_result_want(res, false, "no answer for 15 s after it was open again");
        return;
    }
    om_result_want(res, ms <= OM_RECOVERY_MS + r->set.slack_ms,
                   "answered %.0f ms after it was open again", ms);
    om_run_rest(r, AFTER_MS);
    om_run_whole(r, res);
}

void om_phase_one_way(struct om_run *r, struct om_result *res)
{
    om_time at, end;
    double ms;

    om_run_rest(r, LEAD_MS);
    if (!block(r, res, false))
        return;
    at = om_pulse_now(&r->pulse);
    ms = noticed(r, &r->here, at, at + OM_MS(OM_NOTICE_MS + r->set.slack_ms));
    end = om_pulse_now(&r->pulse);
    want_blocked(r, res, at, end);
    om_result_want(res, ms >= 0, "the daemon here believes in its way for 10 s");
    om_result_figure(res, "noticed_ms", ms);
    om_result_say(res, "known after %.0f ms", ms);
    (void)om_run_answered(r, unblock(r, res), PATIENCE);
}

static void one_block(struct om_run *r, struct om_result *res, int ms, bool both)
{
    om_time at;

    om_run_rest(r, LEAD_MS);
    if (!block(r, res, both))
        return;
    at = om_pulse_now(&r->pulse);
    om_run_rest(r, ms);
    want_blocked(r, res, at, om_pulse_now(&r->pulse));
    want_recovery(r, res, unblock(r, res));
    om_result_say(res, "answered %.0f ms after the block",
                  json_number_value(json_object_get(res->figures, "recovered_ms")));
}

void om_phase_recovery(struct om_run *r, struct om_result *res)
{
    one_block(r, res, om_run_ms(r, ONE_WAY_MS, QUICK_MS), false);
}

void om_phase_transient(struct om_run *r, struct om_result *res)
{
    one_block(r, res, MOMENT_MS, true);
}

void om_phase_both_ways(struct om_run *r, struct om_result *res)
{
    double here, there;
    om_time at, end;

    om_run_rest(r, LEAD_MS);
    if (!block(r, res, true))
        return;
    at = om_pulse_now(&r->pulse);
    end = at + OM_MS(om_run_ms(r, TWO_WAYS_MS, QUICK_MS));
    here = noticed(r, &r->here, at, at + OM_MS(OM_NOTICE_MS + r->set.slack_ms));
    there = noticed(r, &r->there, at, at + OM_MS(OM_NOTICE_MS + r->set.slack_ms));
    om_result_want(res, here >= 0, "the daemon here believes in its way for 10 s");
    om_result_want(res, there >= 0, "the daemon there believes in its way for 10 s");
    if (om_pulse_now(&r->pulse) < end)
        om_run_rest(r, (int)((end - om_pulse_now(&r->pulse)) / 1000));
    want_blocked(r, res, at, om_pulse_now(&r->pulse));
    want_recovery(r, res, unblock(r, res));
    om_result_figure(res, "noticed_here_ms", here);
    om_result_figure(res, "noticed_there_ms", there);
    om_result_say(res, "known after %.0f ms, there %.0f; answered %.0f ms after the block", here,
                  there, json_number_value(json_object_get(res->figures, "recovered_ms")));
}

void om_phase_flapping(struct om_run *r, struct om_result *res)
{
    const unsigned flaps = r->set.is_quick ? QUICK_FLAPS : FLAPS;
    unsigned answered = 0;
    om_time at = 0;

    om_run_rest(r, LEAD_MS);
    for (unsigned i = 0; i < flaps && res->verdict == OM_VERDICT_HELD; i++) {
        if (!block(r, res, true))
            return;
        at = om_pulse_now(&r->pulse);
        om_run_rest(r, MOMENT_MS);
        want_blocked(r, res, at, om_pulse_now(&r->pulse));
        at = unblock(r, res);
        if (i + 1 == flaps)
            break;
        om_run_rest(r, MOMENT_MS);
        answered += om_series_between(&r->pulse.series, at, om_pulse_now(&r->pulse)) > 0;
    }
    want_recovery(r, res, at);
    om_result_figure(res, "open_seconds_used", answered);
    om_result_say(res, "answers in %u of %u open seconds; %.0f ms after the last block", answered,
                  flaps - 1, json_number_value(json_object_get(res->figures, "recovered_ms")));
}
