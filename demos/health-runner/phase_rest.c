/* phase_rest.c - 1 to 3: the daemons' own probes, rest, and what ends it. */
#include "phase.h"

#include <string.h>

#include "clock.h"
#include "phase_all.h"

enum { PROBES = 10, BUSY_MS = 2000, REST_MS = 10000, WINDOW_MS = 10000, REST_MOST = 20 };
enum { QUIET_MS = 6000, QUICK_QUIET_MS = 3000, FIRST_MS = 1000, WORDS = 50 };

static void probe(struct om_run *r, struct om_site *site, const char *name, struct om_result *res)
{
    bool is_here = site == &r->here;
    struct om_error err;
    json_t *got = NULL;
    json_int_t echoed;

    if (!om_run_did(
            res,
            om_site_rpc(site, "health.probe",
                        json_pack("{s:s,s:s,s:i}", "peer", is_here ? r->peer : r->self, "network",
                                  is_here ? r->network_here : r->network_there, "count", PROBES),
                        NULL, &got, &err),
            &err))
        return;
    echoed = json_integer_value(json_object_get(got, "echoed"));
    om_result_figure(res, name, json_number_value(json_object_get(got, "rtt_avg_ms")));
    om_result_want(res, echoed == PROBES, "%s: %d of %d echoed", site->name, (int)echoed, PROBES);
    json_decref(got);
}

void om_phase_baseline(struct om_run *r, struct om_result *res)
{
    probe(r, &r->here, "rtt_from_here_ms", res);
    probe(r, &r->there, "rtt_from_there_ms", res);
    om_run_whole(r, res);
    om_result_say(res, "round trip %.2f ms, from there %.2f",
                  json_number_value(json_object_get(res->figures, "rtt_from_here_ms")),
                  json_number_value(json_object_get(res->figures, "rtt_from_there_ms")));
}

/* Datagrams with the peer so far, both ways; -1: it is not known. */
static double datagrams(struct om_run *r, struct om_result *res)
{
    struct om_error err;
    json_t *list = NULL, *row;
    double count = -1;
    size_t i;

    if (!om_run_did(res, om_site_rpc(&r->here, "peers.list", NULL, NULL, &list, &err), &err))
        return -1;
    json_array_foreach(json_object_get(list, "peers"), i, row)
    {
        const char *id = json_string_value(json_object_get(row, "id"));
        if (id && strcmp(id, r->peer) == 0)
            count = json_number_value(json_object_get(row, "datagrams_in")) +
                    json_number_value(json_object_get(row, "datagrams_out"));
    }
    json_decref(list);
    om_result_want(res, count >= 0, "the peer is no more in the daemon's list");
    return count;
}

void om_phase_idle(struct om_run *r, struct om_result *res)
{
    double at[4], busy, rest;

    at[0] = datagrams(r, res);
    om_run_rest(r, BUSY_MS);
    at[1] = datagrams(r, res);
    om_pulse_rest(&r->pulse);
    om_result_mark(res, om_pulse_now(&r->pulse), "rest");
    om_run_rest(r, REST_MS);
    at[2] = datagrams(r, res);
    om_run_rest(r, WINDOW_MS);
    at[3] = datagrams(r, res);
    busy = (at[1] - at[0]) * 1000 / BUSY_MS;
    rest = at[3] - at[2];
    om_result_want(res, rest <= REST_MOST, "%.0f datagrams in 10 s of rest", rest);
    om_result_want(res, busy > 0 && rest * 10 <= busy * WINDOW_MS / 1000,
                   "%.0f datagrams in 10 s of rest, %.0f in a busy second", rest, busy);
    om_result_figure(res, "busy_per_s", busy);
    om_result_figure(res, "rest_per_10s", rest);
    om_result_say(res, "%.0f datagrams in 10 s at rest; %.0f in a busy second", rest, busy);
}

void om_phase_wake(struct om_run *r, struct om_result *res)
{
    double first;
    unsigned answered;
    om_time since;

    om_pulse_rest(&r->pulse);
    om_run_rest(r, om_run_ms(r, QUIET_MS, QUICK_QUIET_MS));
    om_pulse_begin(&r->pulse, OM_MS(OM_RUN_BEAT_MS));
    first = om_run_answered(r, 0, OM_MS(2 * FIRST_MS + r->set.slack_ms));
    om_result_want(res, first >= 0 && first <= FIRST_MS + r->set.slack_ms,
                   "the first word: %.0f ms", first);
    since = r->pulse.series.count;
    om_run_rest(r, WORDS * OM_RUN_BEAT_MS);
    om_pulse_settle(&r->pulse, OM_SEC(3));
    answered = r->pulse.series.answered;
    om_result_want(res, answered == r->pulse.series.count && r->pulse.series.count > since,
                   "%u of %u answered", answered, r->pulse.series.count);
    om_run_whole(r, res);
    om_result_figure(res, "first_ms", first);
    om_result_say(res, "first answer after %.1f ms", first);
}
