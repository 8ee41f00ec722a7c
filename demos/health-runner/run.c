/* run.c - what all phases share. */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "peer.h"

#define FIRST_PATIENCE OM_SEC(30)
#define CATCH_UP       OM_SEC(20)
#define STEP           OM_MS(20)

/* For the last answers of a row, some of which never come. */
enum { SETTLE_MS = 3000, QUICK_SETTLE_MS = 1000 };

static enum om_err start_sites(struct om_run *r, struct om_error *err)
{
    const char *argv[OM_SITE_WORDS + 1] = {NULL, "--agent"};
    char program[OM_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    unsigned n = 2;
    enum om_err e;

    if (length <= 0)
        return om_fail(err, OM_E_STATE, "/proc/self/exe: %s", strerror(errno));
    program[length] = 0;
    argv[0] = program;
    if (r->set.home) {
        argv[n++] = "--home";
        argv[n++] = r->set.home;
    }
    e = om_site_start(&r->here, "here", argv, &r->pulse, err);
    if (e)
        return e;
    n = 0;
    if (r->set.ssh) {
        argv[n++] = "ssh";
        argv[n++] = "-oBatchMode=yes";
        argv[n++] = "-oServerAliveInterval=5";
        argv[n++] = "-oServerAliveCountMax=6";
        argv[n++] = r->set.ssh;
        argv[n++] = r->set.peer_program ? r->set.peer_program : "omerta-health";
    } else {
        argv[n++] = "ip";
        argv[n++] = "netns";
        argv[n++] = "exec";
        argv[n++] = r->set.netns;
        argv[n++] = r->set.peer_program ? r->set.peer_program : program;
    }
    argv[n++] = "--agent";
    if (r->set.peer_home) {
        argv[n++] = "--home";
        argv[n++] = r->set.peer_home;
    }
    argv[n] = NULL;
    return om_site_start(&r->there, r->set.peer, argv, &r->pulse, err);
}

/* The row of @list whose field @name is @value; lent. */
static const json_t *row_of(const json_t *list, const char *name, const char *value)
{
    size_t i;
    json_t *row;

    json_array_foreach(list, i, row)
    {
        const char *is = json_string_value(json_object_get(row, name));
        if (is && strcmp(is, value) == 0)
            return row;
    }
    return NULL;
}

static enum om_err find_peer(struct om_run *r, struct om_error *err)
{
    json_t *params = r->set.network ? json_pack("{s:s}", "network", r->set.network) : json_object();
    json_t *peers = NULL, *status = NULL;
    const json_t *row;
    enum om_err e = om_site_rpc(&r->here, "peers.list", params, NULL, &peers, err);

    if (!e)
        e = om_peer_pick(json_object_get(peers, "peers"), r->set.peer, r->peer, err);
    if (!e)
        e = om_site_rpc(&r->here, "status", NULL, NULL, &status, err);
    if (!e) {
        const char *name;
        row = row_of(json_object_get(peers, "peers"), "id", r->peer);
        name = json_string_value(json_object_get(row, "network"));
        (void)snprintf(r->network_here, sizeof r->network_here, "%s", name ? name : "");
        row = row_of(json_object_get(status, "networks"), "name", r->network_here);
        name = json_string_value(json_object_get(row, "self"));
        (void)snprintf(r->self, sizeof r->self, "%s", name ? name : "");
    }
    json_decref(peers);
    json_decref(status);
    return e;
}

/* That the far agent asks the daemon that we mean is seen by its knowing us. */
static enum om_err find_us_there(struct om_run *r, struct om_error *err)
{
    json_t *peers = NULL, *status = NULL;
    const json_t *row, *networks;
    enum om_err e = om_site_rpc(&r->there, "status", NULL, NULL, &status, err);

    if (!e)
        e = om_site_rpc(&r->there, "peers.list", NULL, NULL, &peers, err);
    if (!e) {
        const char *name;
        row = row_of(json_object_get(peers, "peers"), "id", r->self);
        name = json_string_value(json_object_get(row, "network"));
        networks = json_object_get(status, "networks");
        if (!name || !row_of(networks, "self", r->peer))
            e = om_fail(err, OM_E_STATE,
                        "the daemon that answers there is not %s, or does not know this one: "
                        "--peer-home says whose it is",
                        r->set.peer);
        (void)snprintf(r->network_there, sizeof r->network_there, "%s", name ? name : "");
        r->udp_port_there =
            (uint16_t)json_integer_value(json_object_get(json_object_get(status, "udp"), "port"));
    }
    json_decref(peers);
    json_decref(status);
    return e;
}

/* Port @port there becomes *@out here. */
static enum om_err lead_there(struct om_run *r, json_int_t port, bool is_udp, uint16_t *out,
                              struct om_error *err)
{
    json_t *forward = NULL;
    const char *at;
    enum om_err e = om_site_rpc(&r->there, "expose.add",
                                json_pack("{s:I,s:[s],s:b,s:s}", "port", port, "to", r->self, "udp",
                                          is_udp, "network", r->network_there),
                                "expose.remove", NULL, err);

    if (!e)
        e = om_site_rpc(&r->here, "forward.add",
                        json_pack("{s:s,s:s,s:I,s:b,s:s}", "listen", "127.0.0.1:0", "peer", r->peer,
                                  "port", port, "udp", is_udp, "network", r->network_here),
                        "forward.remove", &forward, err);
    if (!e) {
        at = json_string_value(json_object_get(forward, "listen"));
        at = at ? strrchr(at, ':') : NULL;
        *out = at ? (uint16_t)strtoul(at + 1, NULL, 10) : 0;
    }
    json_decref(forward);
    return e;
}

static enum om_err lead_all(struct om_run *r, struct om_error *err)
{
    json_t *ports;
    enum om_err e = om_site_ask(&r->there, json_pack("{s:s}", "do", "serve"), &ports, err);
    json_int_t echo = json_integer_value(json_object_get(ports, "echo"));
    json_int_t sink = json_integer_value(json_object_get(ports, "sink"));

    json_decref(ports);
    if (!e)
        e = lead_there(r, echo, true, &r->echo_udp, err);
    if (!e)
        e = lead_there(r, echo, false, &r->echo_tcp, err);
    if (!e)
        e = lead_there(r, sink, true, &r->sink_udp, err);
    if (!e)
        e = lead_there(r, sink, false, &r->sink_tcp, err);
    return e;
}

static enum om_err steps_of(struct om_site *s, unsigned *out, struct om_error *err)
{
    json_t *hello;
    enum om_err e = om_site_ask(s, json_pack("{s:s}", "do", "hello"), &hello, err);

    *out = (unsigned)json_integer_value(json_object_get(hello, "steps"));
    json_decref(hello);
    return e;
}

enum om_err om_run_start(struct om_run *r, const struct om_setting *set, struct om_error *err)
{
    enum om_err e;

    *r = (struct om_run){.set = *set};
    r->here.to = r->here.from = r->there.to = r->there.from = -1;
    om_pulse_init(&r->pulse);
    e = start_sites(r, err);
    if (!e)
        e = find_peer(r, err);
    if (!e)
        e = find_us_there(r, err);
    if (!e)
        e = lead_all(r, err);
    if (!e)
        e = om_pulse_open(&r->pulse, r->echo_udp, r->echo_tcp, err);
    if (!e)
        e = steps_of(&r->here, &r->steps_here, err);
    if (!e)
        e = steps_of(&r->there, &r->steps_there, err);
    return e;
}

bool om_run_stop(struct om_run *r)
{
    bool there = om_site_stop(&r->there), here = om_site_stop(&r->here);

    om_pulse_close(&r->pulse);
    return here && there;
}

double om_run_answered(struct om_run *r, om_time since, om_time patience)
{
    om_time until = om_clock_now() + patience;
    double ms;

    while ((ms = om_series_after(&r->pulse.series, since)) < 0 && om_clock_now() < until &&
           !om_interrupt_came())
        (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + STEP);
    return ms;
}

void om_run_carried(struct om_run *r, om_time since, om_time patience)
{
    om_time until = om_clock_now() + patience;

    while (!om_series_carried(&r->pulse.series, since) && om_clock_now() < until &&
           !om_interrupt_came())
        (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + STEP);
}

int om_run_ms(const struct om_run *r, int ms, int quick_ms)
{
    return r->set.is_quick ? quick_ms : ms;
}

void om_run_rest(struct om_run *r, int ms)
{
    (void)om_pulse_wait(&r->pulse, -1, om_clock_now() + OM_MS(ms));
}

bool om_run_begin(struct om_run *r, struct om_result *res)
{
    om_pulse_begin(&r->pulse, OM_MS(OM_RUN_BEAT_MS));
    if (om_run_answered(r, 0, FIRST_PATIENCE) < 0) {
        om_result_want(res, false, "%s did not answer before anything was done", r->set.peer);
        return false;
    }
    om_run_whole(r, res);
    /* What is judged begins with a way that carries. */
    om_pulse_begin(&r->pulse, OM_MS(OM_RUN_BEAT_MS));
    return res->verdict == OM_VERDICT_HELD;
}

void om_run_end(struct om_run *r, struct om_result *res)
{
    struct om_error err;

    om_run_did(res, om_site_back(&r->there, r->steps_there, &err), &err);
    om_run_did(res, om_site_back(&r->here, r->steps_here, &err), &err);
    om_pulse_settle(&r->pulse, OM_MS(om_run_ms(r, SETTLE_MS, QUICK_SETTLE_MS)));
    om_series_fini(&res->series);
    res->series = r->pulse.series;
    r->pulse.series = (struct om_series){0};
}

bool om_run_did(struct om_result *res, enum om_err e, const struct om_error *err)
{
    om_result_want(res, !e, "%s", e ? err->msg : "");
    return !e;
}

void om_run_whole(struct om_run *r, struct om_result *res)
{
    if (om_pulse_caught_up(&r->pulse, CATCH_UP))
        return;
    om_result_want(res, false, "the connection: %s",
                   r->pulse.is_broken ? r->pulse.why : "its words do not come back");
}

json_t *om_run_way(struct om_run *r, struct om_site *site)
{
    bool is_here = site == &r->here;
    struct om_error err;
    json_t *why = NULL;

    if (om_site_rpc(site, "peers.why",
                    json_pack("{s:s,s:s}", "peer", is_here ? r->peer : r->self, "network",
                              is_here ? r->network_here : r->network_there),
                    NULL, &why, &err))
        return NULL;
    return why;
}
