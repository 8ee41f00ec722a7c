/* cmd_ping.c - ping and health. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "interrupt.h"
#include "peer.h"
#include "pong.h"
#include "table.h"

/* The daemon takes no more of either at a time. */
enum { COUNT_DEFAULT = 4, COUNT_MAX = 256, PROBES_DEFAULT = 3, PROBES_MAX = 100 };
enum { SIZE_LEAST_BYTES = 17, SIZE_MAX_BYTES = 9000 };

#define WHY_PATIENCE OM_SEC(2)

struct ping {
    char id[OM_ID_TEXT];
    uint64_t count;
    double interval;
    struct om_pong pong;
    char path[OM_OUT_TEXT_MAX]; /* of the last answer, escaped; "" before the first */
};

/* --count: from 1 to @max. */
static enum om_exit read_count(struct om_cli *cli, uint64_t fallback, uint64_t max, uint64_t *out)
{
    if (om_args_number(&cli->args, "count", fallback, max, out, NULL) || *out == 0)
        return om_cli_usage(cli, "--count: want a number from 1 to %" PRIu64, max);
    return OM_EXIT_OK;
}

/* --size: 0 when it was not given. */
static enum om_exit read_size(struct om_cli *cli, uint64_t *out)
{
    if (om_args_number(&cli->args, "size", 0, SIZE_MAX_BYTES, out, NULL) ||
        (om_args_value(&cli->args, "size") && *out < SIZE_LEAST_BYTES))
        return om_cli_usage(cli, "--size: want a number from %d to %d", SIZE_LEAST_BYTES,
                            SIZE_MAX_BYTES);
    return OM_EXIT_OK;
}

static enum om_exit read_options(struct om_cli *cli, struct ping *p)
{
    const char *interval = om_args_value(&cli->args, "interval");
    enum om_exit e = read_count(cli, COUNT_DEFAULT, COUNT_MAX, &p->count);
    char *end;

    if (e)
        return e;
    p->interval = 1;
    if (interval) {
        p->interval = strtod(interval, &end);
        if (*end || end == interval || !(p->interval >= 0.01 && p->interval <= 3600))
            return om_cli_usage(cli, "--interval: want seconds from 0.01 to 3600");
    }
    return OM_EXIT_OK;
}

/* Data goes another way now: that is what one waits for who sees a relay. */
static void show_move(struct om_cli *cli, struct ping *p, const char *path)
{
    static const char relay[] = "relay ";

    if (*p->path && *path && strcmp(p->path, path) != 0) {
        bool is_relayed = strncmp(path, relay, strlen(relay)) == 0;
        om_out_line(&cli->out, "%.10s: now %s %s, was %s", p->id,
                    is_relayed ? "over" : "directly at", path, p->path);
    }
    if (*path)
        (void)snprintf(p->path, sizeof p->path, "%s", path);
}

/* Why nothing was answered, in the daemon's words. */
static void explain(struct om_cli *cli, struct om_ask *ask, const struct ping *p)
{
    json_t *params = om_cli_params(cli), *result;
    char shown[OM_OUT_TEXT_MAX];

    json_object_set_new(params, "peer", json_string(p->id));
    if (om_ask_call(ask, "peers.why", params, WHY_PATIENCE, &result, NULL))
        return; /* it was not what was asked for */
    const char *summary = json_string_value(json_object_get(result, "summary"));
    if (summary && (!json_is_true(json_object_get(result, "connected")) ||
                    json_is_true(json_object_get(result, "unanswered"))))
        om_out_error(&cli->out, "%s", om_out_said(shown, summary));
    json_decref(result);
}

static void show_pong(struct om_cli *cli, struct ping *p, const json_t *event)
{
    const json_t *rtt = json_object_get(event, "rtt_ms");
    json_int_t seq = json_integer_value(json_object_get(event, "seq"));
    char path[OM_OUT_TEXT_MAX];

    om_pong_add(&p->pong, json_is_number(rtt) ? json_number_value(rtt) : -1);
    if (cli->out.json) {
        om_out_json_line(&cli->out, event);
        return;
    }
    om_out_escape(path, json_string_value(json_object_get(event, "path")));
    show_move(cli, p, path);
    if (json_is_number(rtt))
        om_out_line(&cli->out, "%.10s: seq=%" JSON_INTEGER_FORMAT "%s%s time=%.3f ms", p->id, seq,
                    *path ? " path=" : "", path, json_number_value(rtt));
    else
        om_out_line(&cli->out, "%.10s: seq=%" JSON_INTEGER_FORMAT " no answer", p->id, seq);
    (void)fflush(cli->out.to);
}

static bool is_mine(const struct ping *p, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    const char *peer = json_string_value(json_object_get(event, "peer"));

    return kind && strcmp(kind, "pong") == 0 && (!peer || strcmp(peer, p->id) == 0);
}

/* The daemon says of every probe how it ended; silence beyond this means the daemon hangs. */
static enum om_exit collect(struct om_cli *cli, struct om_ask *ask, struct ping *p)
{
    om_time patience = (om_time)(p->interval * 1e6) + OM_ASK_PATIENCE;

    while (p->pong.sent < p->count && !om_interrupt_came()) {
        struct om_error err;
        json_t *event;
        enum om_exit e;

        om_out_progress(&cli->out, "waiting for an answer");
        e = om_ask_next_event(ask, patience, &event, &err);
        if (om_interrupt_came())
            break;
        if (e) {
            om_out_error(&cli->out, "%s", err.msg);
            return e;
        }
        if (is_mine(p, event))
            show_pong(cli, p, event);
        json_decref(event);
    }
    return OM_EXIT_OK;
}

static void summarize(struct om_cli *cli, const struct ping *p)
{
    char text[OM_OUT_TEXT_MAX];
    json_t *figures;

    if (!cli->out.json) {
        om_out_line(&cli->out, "--- %.10s ---\n%s", p->id,
                    om_pong_print(&p->pong, text, sizeof text));
        return;
    }
    figures = om_pong_json(&p->pong);
    if (figures)
        json_object_set_new(figures, "event", json_string("summary"));
    om_out_json_line(&cli->out, figures);
    json_decref(figures);
}

static enum om_exit run_ping(struct om_cli *cli, struct om_ask *ask, struct ping *p)
{
    json_t *params = om_cli_params(cli), *result;
    enum om_exit e = om_peer_find(cli, ask, cli->args.words[0], p->id);

    if (e) {
        json_decref(params);
        return e;
    }
    json_object_set_new(params, "peer", json_string(p->id));
    json_object_set_new(params, "count", json_integer((json_int_t)(p->count)));
    json_object_set_new(params, "interval", json_real(p->interval));
    e = om_cli_call(cli, ask, "ping.start", params, &result);
    if (e)
        return e;
    json_decref(result);
    om_interrupt_catch();
    e = collect(cli, ask, p);
    summarize(cli, p);
    if (!e && p->pong.answered == 0 && !om_interrupt_came())
        explain(cli, ask, p);
    return e ? e : p->pong.answered ? OM_EXIT_OK : OM_EXIT_FAILED;
}

enum om_exit om_cmd_ping(struct om_cli *cli)
{
    struct ping p = {.count = 0};
    enum om_exit e = om_cli_words(cli, 0, 1);
    struct om_ask *ask;

    if (!e)
        e = read_options(cli, &p);
    if (!e)
        e = om_cli_open(cli, &ask);
    if (e)
        return e;
    e = run_ping(cli, ask, &p);
    om_ask_close(ask);
    return e;
}

static void show_health(struct om_cli *cli, json_t *result)
{
    const char *key;
    char cell[OM_CELL_MAX], shown[OM_OUT_TEXT_MAX];
    json_t *value;

    if (cli->out.json) {
        om_out_json(&cli->out, result);
        return;
    }
    json_object_foreach(result, key, value)
        om_out_line(&cli->out, "%-16s %s", om_out_escape(shown, key),
                    om_table_cell(cell, OM_COLUMN_TEXT, value));
}

enum om_exit om_cmd_health(struct om_cli *cli)
{
    json_t *params = NULL, *result = NULL;
    enum om_exit e = om_cli_words(cli, 0, 1);
    char id[OM_ID_TEXT];
    struct om_error err;
    struct om_ask *ask;
    uint64_t count, size;

    if (!e)
        e = read_count(cli, PROBES_DEFAULT, PROBES_MAX, &count);
    if (!e)
        e = read_size(cli, &size);
    if (!e)
        e = om_cli_open(cli, &ask);
    if (e)
        return e;
    e = om_peer_find(cli, ask, cli->args.words[0], id);
    if (!e) {
        params = om_cli_params(cli);
        json_object_set_new(params, "peer", json_string(id));
        json_object_set_new(params, "count", json_integer((json_int_t)count));
        if (size > 0)
            json_object_set_new(params, "size", json_integer((json_int_t)size));
        om_out_progress(&cli->out, "probing");
        e = om_ask_call(ask, "health.probe", params, OM_ASK_PATIENCE + OM_SEC(count), &result,
                        &err);
        if (e)
            om_out_error(&cli->out, "%s", err.msg);
    }
    if (!e) {
        show_health(cli, result);
        if (json_integer_value(json_object_get(result, "echoed")) == 0)
            e = OM_EXIT_FAILED;
    }
    json_decref(result);
    om_ask_close(ask);
    return e;
}
