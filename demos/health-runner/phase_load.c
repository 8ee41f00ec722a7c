/* phase_load.c - 10b to 13: how much, how quickly, and what else still works meanwhile. */
#include "phase.h"

#include "clock.h"
#include "phase_all.h"
#include "ramp.h"

enum { FULL = 4, FULL_MS = 8000, QUICK_FULL_MS = 3000, STEP_MS = 2000, QUICK_STEP_MS = 700 };
enum { PROBES = 500, PACE_MS = 5, SPREAD_MS = 50 };
enum { RAW_BYTES = 10 * 1000 * 1000, RAW_MS = 20000, QUIET_MS = 500 };

#define LOOPBACK "127.0.0.1"

/* How many sessions the daemon here has with the peer: one that was made anew counts, too. */
static void want_connected(struct om_run *r, struct om_result *res)
{
    json_t *why = om_run_way(r, &r->here);

    om_result_want(res, json_is_true(json_object_get(why, "connected")),
                   "the peer is not connected any more");
    json_decref(why);
    om_run_whole(r, res);
}

void om_phase_saturation(struct om_run *r, struct om_result *res)
{
    double quiet, full, mbit, silent;
    om_time from;

    om_run_rest(r, QUIET_MS);
    quiet = om_series_percentile(&r->pulse.series, 50);
    from = om_pulse_now(&r->pulse);
    om_result_mark(res, from, "full");
    mbit =
        om_ramp_tcp(r, res, LOOPBACK, r->sink_tcp, FULL, om_run_ms(r, FULL_MS, QUICK_FULL_MS), 0);
    om_result_mark(res, om_pulse_now(&r->pulse), "over");
    silent = om_series_silence(&r->pulse.series, from, om_pulse_now(&r->pulse));
    full = om_series_percentile(&r->pulse.series, 95);
    om_result_want(res, silent <= OM_RECOVERY_MS + r->set.slack_ms, "silent for %.0f ms", silent);
    want_connected(r, res);
    om_result_figure(res, "mbit_per_s", mbit);
    om_result_figure(res, "silent_ms", silent);
    om_result_figure(res, "p50_before_ms", quiet);
    om_result_figure(res, "p95_ms", full);
    om_result_say(res, "%.1f Mbit/s; round trip %.1f ms before, p95 %.1f; silent %.0f ms at most",
                  mbit, quiet, full, silent);
}

/* Ports of the far agent at the address that --raw names, without the mesh; false: told. */
static bool serve_raw(struct om_run *r, struct om_result *res, uint16_t *sink)
{
    struct om_error err;
    json_t *ports;

    if (!r->set.raw) {
        om_result_skip(res, "no address at which %s is reached without the mesh (--raw ADDRESS)",
                       r->set.peer);
        return false;
    }
    if (!om_run_did(res,
                    om_site_ask(&r->there,
                                json_pack("{s:s,s:s}", "do", "serve", "address", r->set.raw),
                                &ports, &err),
                    &err))
        return false;
    *sink = (uint16_t)json_integer_value(json_object_get(ports, "sink"));
    json_decref(ports);
    return true;
}

static void say_best(struct om_result *res)
{
    om_result_say(res, "%.1f Mbit/s with at most 1 %% lost, of %.1f tried",
                  json_number_value(json_object_get(res->figures, "best_mbit_per_s")),
                  res->step_count ? res->steps[res->step_count - 1].offered : 0);
}

void om_phase_raw_udp(struct om_run *r, struct om_result *res)
{
    uint16_t sink;

    if (!serve_raw(r, res, &sink))
        return;
    om_ramp_udp(r, res, r->set.raw, sink);
    say_best(res);
}

void om_phase_raw_tcp(struct om_run *r, struct om_result *res)
{
    uint16_t sink;
    double mbit;

    if (!serve_raw(r, res, &sink))
        return;
    mbit = om_ramp_tcp(r, res, r->set.raw, sink, 1, RAW_MS, RAW_BYTES);
    om_result_figure(res, "mbit_per_s", mbit);
    om_result_say(res, "%.1f Mbit/s", mbit);
}

void om_phase_mesh_udp(struct om_run *r, struct om_result *res)
{
    om_ramp_udp(r, res, LOOPBACK, r->sink_udp);
    want_connected(r, res);
    say_best(res);
}

void om_phase_mesh_tcp(struct om_run *r, struct om_result *res)
{
    double most = 0, one = 0;

    for (unsigned n = 1; n <= OM_RAMP_STREAMS_MAX && res->verdict == OM_VERDICT_HELD; n *= 2) {
        double mbit =
            om_ramp_tcp(r, res, LOOPBACK, r->sink_tcp, n, om_run_ms(r, STEP_MS, QUICK_STEP_MS), 0);
        one = n == 1 ? mbit : one;
        most = mbit > most ? mbit : most;
    }
    want_connected(r, res);
    om_result_figure(res, "one_mbit_per_s", one);
    om_result_figure(res, "most_mbit_per_s", most);
    om_result_say(res, "%.1f Mbit/s with one connection, %.1f at most", one, most);
}

void om_phase_latency(struct om_run *r, struct om_result *res)
{
    const struct om_series *s = &r->pulse.series;
    double p[4];

    om_pulse_begin(&r->pulse, OM_MS(PACE_MS));
    while (s->count < PROBES && !r->pulse.is_broken && om_pulse_now(&r->pulse) < OM_SEC(60))
        (void)om_pulse_wait(&r->pulse, -1, r->pulse.next + 1);
    om_pulse_settle(&r->pulse, OM_SEC(5));
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[] = {"p50_ms", "p95_ms", "p99_ms", "max_ms"};
        static const double percents[] = {50, 95, 99, 100};
        p[i] = om_series_percentile(s, percents[i]);
        om_result_figure(res, names[i], p[i]);
    }
    om_result_want(res, s->answered == s->count, "%u of %u answered", s->answered, s->count);
    om_result_want(res, s->count >= PROBES, "only %u probes left", s->count);
    om_result_want(res, p[2] <= p[0] + SPREAD_MS + r->set.slack_ms,
                   "p99 is %.1f ms, the median %.1f", p[2], p[0]);
    om_result_say(res, "p50 %.2f, p95 %.2f, p99 %.2f, at most %.2f ms; %u of %u", p[0], p[1], p[2],
                  p[3], s->answered, s->count);
}
