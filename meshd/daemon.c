/* daemon.c - from a home to a running node, and back. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "cloisters.h"
#include "handovers.h"
#include "control/control.h"
#include "data/data.h"
#include "tunnels/tunnels.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "links/links.h"
#include "mapping.h"
#include "membership.h"
#include "metrics_server.h"
#include "sdnotify.h"
#include "secrets.h"
#include "service/offers.h"
#include "service/vms.h"
#include "service/wanted.h"
#include "state.h"

enum { CLOCK_EVERY_MS = 30000 };

static bool fail(struct om_daemon *d, enum om_exit code)
{
    d->exit = code;
    return false;
}

static bool open_home(struct om_daemon *d, struct om_error *err)
{
    if (om_home_open(&d->home, d->place.home, true, err) != OM_OK ||
        om_home_sub(d->home, "identity", err) != OM_OK ||
        om_home_sub(d->home, "logs", err) != OM_OK)
        return fail(d, OM_EXIT_HOME);
    if (strcmp(d->place.runtime, d->place.home) != 0 && mkdir(d->place.runtime, 0700) < 0 &&
        errno != EEXIST) {
        (void)om_fail(err, OM_E_STATE, "%.150s: cannot be made: %s", d->place.runtime,
                      strerror(errno));
        return fail(d, OM_EXIT_HOME);
    }
    return true;
}

static void on_saved(void *self OM_UNUSED, uint64_t up_to OM_UNUSED)
{
}

static void on_not_saved(void *self, const char *sentence)
{
    struct om_daemon *d = self;
    struct om_logline line;

    if (!om_log_begin(&line, &d->log, OM_LOG_ERROR, "store", "cannot save, will be tried again"))
        return;
    om_log_str(&line, "why", sentence);
    om_log_end(&line);
}

static void on_store_closed(void *self OM_UNUSED, bool is_saved OM_UNUSED)
{
}

static void on_log_line(void *self, enum om_level level, const char *line)
{
    struct om_daemon *d = self;

    om_logfile_sink(&d->logfile, level, line);
    control_notify_log(d->control, line);
}

static bool open_logs(struct om_daemon *d, struct om_error *err)
{
    const struct om_config *c = &d->config;
    char path[OM_PATH_MAX];

    if (!*c->log_file)
        om_logfile_to_fd(&d->logfile, STDERR_FILENO, om_clock_wall);
    else if (om_logfile_to_file(&d->logfile, c->log_file, c->log_rotate_bytes,
                                (unsigned)c->log_keep, om_clock_wall, err) != OM_OK)
        return fail(d, OM_EXIT_FAILED);
    d->log = (struct om_log){.level = (enum om_level)c->log_level, .sink = on_log_line, .self = d};
    d->has_logs = true;
    if (c->events && (!om_home_join(d->home, path, sizeof path, "logs/events.jsonl") ||
                      om_eventlog_open(&d->events, path, c->events_rotate_bytes,
                                       (unsigned)c->events_keep, err) != OM_OK))
        return fail(d, OM_EXIT_FAILED);
    return true;
}

static bool open_store(struct om_daemon *d, struct om_error *err)
{
    char path[OM_PATH_MAX];
    const struct om_store_config config = {
        .loop = &d->loop, .path = path, .on_saved = on_saved, .on_failed = on_not_saved, .self = d};

    if (!om_home_join(d->home, path, sizeof path, "mesh.db") ||
        om_store_open(&d->store, &config, err) != OM_OK)
        return fail(d, OM_EXIT_HOME);
    return true;
}

static bool open_pump(struct om_daemon *d, struct om_error *err)
{
    const struct om_config *c = &d->config;
    struct om_pump_config config = {.loop = &d->loop,
                                    .node = {.rng = om_entropy(),
                                             .log = &d->log,
                                             .wall = om_clock_wall(),
                                             .congestion = (enum om_congestion)c->congestion,
                                             .lock_secrets = c->lock_secrets,
                                             .audit = c->audit_encryption},
                                    .udp = {.port = (uint16_t)c->port,
                                            .v4 = true,
                                            .v6 = true,
                                            .buffer_bytes = (unsigned)c->udp_buffer_bytes},
                                    .on_act = daemon_act,
                                    .self = d};
    uint8_t *seed = secrets_seed(d->home, err);

    if (!seed)
        return fail(d, OM_EXIT_HOME);
    om_limits_default(&config.node.limits);
    config.node.limits.peers_max = (unsigned)c->peers_max;
    config.node.limits.records_max = (unsigned)c->records_max;
    config.node.limits.relay_lanes = (unsigned)c->relay_lanes;
    config.node.limits.relay_lanes_per_peer = (unsigned)c->relay_lanes_per_peer;
    config.node.limits.relay_rate_bytes = (uint32_t)c->relay_rate_bytes;
    config.node.home_seed = seed;
    bool is_bound = (!*c->bind4 || om_addr_ip_parse(config.udp.bind4.ip, c->bind4)) &&
                    (!*c->bind6 || om_addr_ip_parse(config.udp.bind6.ip, c->bind6));
    enum om_err e = is_bound ? om_pump_open(&d->pump, &config, err)
                             : om_fail(err, OM_E_PARSE, "bind address is no address");
    sodium_free(seed);
    return e == OM_OK || fail(d, e == OM_E_EXISTS  ? OM_EXIT_PORT
                                 : e == OM_E_PARSE ? OM_EXIT_CONFIG
                                                   : OM_EXIT_FAILED);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct om_daemon *d = handle->data;
    struct om_error err;
    struct om_logline line;

    if (number != SIGHUP) {
        daemon_stop(d, OM_EXIT_OK);
        return;
    }
    if (om_logfile_reopen(&d->logfile, &err) != OM_OK ||
        (d->config.events && om_eventlog_reopen(&d->events, &err) != OM_OK))
        on_not_saved(d, err.msg);
    if (!daemon_reload(d, NULL, NULL, &err) &&
        om_log_begin(&line, &d->log, OM_LOG_ERROR, "config", "not reloaded, nothing changed")) {
        om_log_str(&line, "why", err.msg);
        om_log_end(&line);
    }
}

static void on_watchdog(uv_timer_t *t OM_UNUSED)
{
    (void)om_sdnotify("WATCHDOG=1");
}

/* The C library keeps what was freed, between blocks that are still in use too, unless asked. */
static void give_back(struct om_daemon *d)
{
    om_pump_trim(d->pump);
    (void)malloc_trim(0);
}

/* Calendar time for the node, and a sample of every peer's round trip. */
static void on_clock(uv_timer_t *t)
{
    struct om_daemon *d = t->data;
    om_time now = om_clock_now();
    struct om_id *ids;
    struct om_peer_info info;

    om_store_retry(d->store);
    membership_tick(d);
    om_node_set_wall(daemon_node(d), now, om_clock_wall());
    for (unsigned i = 0; i < d->network_count; i++) {
        const struct om_id *net = &d->networks[i].id;
        unsigned n = daemon_peers(d, net, &ids);
        for (unsigned k = 0; k < n; k++)
            if (om_node_peer_info(daemon_node(d), now, net, &ids[k], &info) == OM_OK &&
                info.has_session && info.srtt > 0 && now - info.heard_at < OM_LATENCY_EVERY)
                latency_add(&d->latency, now, net, &ids[k], info.srtt);
        free(ids);
    }
    om_pump_kick(d->pump);
    give_back(d);
}

static bool start_handles(struct om_daemon *d, struct om_error *err)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    uint64_t watchdog_ms = (uint64_t)om_sdnotify_watchdog() / 1000;
    int e = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its writer */
    for (unsigned i = 0; i < OM_ARRAY_SIZE(numbers) && e == 0; i++) {
        d->signals[i].data = d;
        e = uv_signal_init(&d->loop, &d->signals[i]);
        if (e == 0)
            e = uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
    d->clock.data = d;
    if (e == 0)
        e = uv_timer_init(&d->loop, &d->watchdog);
    if (e == 0 && watchdog_ms > 0)
        e = uv_timer_start(&d->watchdog, on_watchdog, watchdog_ms, watchdog_ms);
    if (e == 0)
        e = uv_timer_init(&d->loop, &d->clock);
    if (e == 0)
        e = uv_timer_start(&d->clock, on_clock, CLOCK_EVERY_MS, CLOCK_EVERY_MS);
    if (e == 0)
        return true;
    (void)om_fail(err, OM_E_STATE, "event loop: %s", uv_strerror(e));
    return fail(d, OM_EXIT_FAILED);
}

static void say_ready(struct om_daemon *d)
{
    struct om_udp_info udp;
    struct om_logline line;
    char id[OM_ID_TEXT];

    om_udp_info(om_pump_udp(d->pump), &udp);
    for (unsigned i = 0; i < d->network_count; i++)
        if (om_log_begin(&line, &d->log, OM_LOG_INFO, "daemon", "ready")) {
            om_log_str(&line, "network", d->networks[i].name);
            om_log_str(&line, "self", om_id_print(&d->networks[i].self, id));
            om_log_u64(&line, "port", udp.port);
            om_log_str(&line, "control", d->place.control);
            om_log_end(&line);
        }
    d->is_ready = true;
    (void)om_sdnotify("READY=1");
}

static bool start(struct om_daemon *d, struct om_error *err)
{
    uint8_t sip_key[16];

    randombytes_buf(sip_key, sizeof sip_key);
    inbox_init(&d->inbox);
    if (latency_init(&d->latency, sip_key) != OM_OK)
        return fail(d, OM_EXIT_FAILED);
    d->started_at = om_clock_now();
    d->started = om_clock_wall();
    if (!open_home(d, err))
        return false;
    if (!daemon_config_load(d, &d->config, err))
        return fail(d, OM_EXIT_CONFIG);
    if (!open_logs(d, err) || !open_store(d, err) || !open_pump(d, err))
        return false;
    if (om_confine_drop(err) != OM_OK) /* before there are threads */
        return fail(d, OM_EXIT_FAILED);
    if (!membership_load(d, err) || !daemon_recall(d, err) || !start_handles(d, err))
        return d->exit ? false : fail(d, OM_EXIT_FAILED);
    if (om_calls_new(&d->calls, d->pump) != OM_OK)
        return fail(d, OM_EXIT_FAILED);
    if (!control_open(&d->control, d, err) || !data_open(&d->data, d, err))
        return fail(d, OM_EXIT_HOME);
    if (!tunnels_open(&d->tunnels, d, err))
        return fail(d, OM_EXIT_CONFIG);
    if (!links_open(&d->links, d, err))
        return fail(d, OM_EXIT_FAILED);
    if (!offers_open(&d->offers, d, err) || !vms_open(&d->vms, d, err) ||
        !wanted_open(&d->wanted, d, err))
        return fail(d, OM_EXIT_HOME);
    if (!cloisters_open(&d->cloisters, d, err) || !handovers_open(&d->handovers, d, err))
        return fail(d, OM_EXIT_FAILED);
    if (!metrics_server_open(&d->metrics, d, err))
        return fail(d, OM_EXIT_FAILED);
    if (!daemon_presence(d, err))
        return fail(d, OM_EXIT_FAILED);
    if (!mapping_open(&d->mapping, d, err))
        return fail(d, OM_EXIT_FAILED);
    if (!daemon_bootstrap(d, err))
        return fail(d, OM_EXIT_CONFIG);
    membership_meet(d);
    if (d->config.seccomp && om_confine_has_seccomp() && om_confine_seccomp(err) != OM_OK)
        return fail(d, OM_EXIT_FAILED);
    om_pump_kick(d->pump);
    return true;
}

static void close_timer(uv_timer_t *t)
{
    if (t->type == UV_TIMER)
        uv_close((uv_handle_t *)t, NULL);
}

/* Whatever start() got to. The loop runs once more for the last writes and closed handles. */
static void stop(struct om_daemon *d)
{
    daemon_bootstrap_stop(d);
    if (d->control)
        control_close(d->control);
    if (d->data)
        data_close(d->data);
    d->data = NULL;
    handovers_close(d->handovers);
    d->handovers = NULL;
    cloisters_close(d->cloisters);
    d->cloisters = NULL;
    wanted_close(d->wanted);
    d->wanted = NULL;
    vms_close(d->vms);
    d->vms = NULL;
    offers_close(d->offers);
    d->offers = NULL;
    links_close(d->links);
    d->links = NULL;
    if (d->tunnels)
        tunnels_close(d->tunnels);
    d->tunnels = NULL;
    om_calls_free(d->calls);
    metrics_server_close(d->metrics);
    mapping_close(d->mapping);
    d->mapping = NULL;
    daemon_presence_stop(d);
    if (d->pump)
        om_pump_close(d->pump);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(d->signals); i++)
        if (d->signals[i].type == UV_SIGNAL)
            uv_close((uv_handle_t *)&d->signals[i], NULL);
    close_timer(&d->watchdog);
    close_timer(&d->clock);
    if (d->store)
        om_store_flush_close(d->store, on_store_closed);
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    OM_BUG_IF(uv_loop_close(&d->loop) != 0);
    inbox_fini(&d->inbox);
    latency_fini(&d->latency);
    if (d->has_logs && d->config.events)
        om_eventlog_close(&d->events);
    if (d->has_logs)
        om_logfile_close(&d->logfile);
    om_home_close(d->home);
}

void daemon_stop(struct om_daemon *d, enum om_exit code)
{
    if (d->is_stopping)
        return;
    d->is_stopping = true;
    d->exit = code;
    (void)om_sdnotify("STOPPING=1");
    uv_stop(&d->loop);
}

enum om_exit daemon_run(struct om_daemon *d)
{
    struct om_error err = {.msg = ""};

    if (uv_loop_init(&d->loop) < 0) {
        fprintf(stderr, "omerta-meshd: no event loop\n");
        return OM_EXIT_FAILED;
    }
    if (start(d, &err)) {
        say_ready(d);
        (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    } else {
        fprintf(stderr, "omerta-meshd: %s\n", err.msg[0] ? err.msg : om_err_text(err.code));
    }
    stop(d);
    return d->exit;
}
