/* cmd_status.c - status, peers, version. */
#include <string.h>

#include "commands.h"
#include "peer.h"
#include "summary.h"
#include "table.h"
#include "walk.h"

#ifndef OM_VERSION
#define OM_VERSION "0.1.0"
#endif

/* The rest of what is shown of a peer is known here already. */
#define STATUS_PATIENCE OM_SEC(3)

static const struct om_column peer_columns[] = {
    {"PEER", "short", OM_COLUMN_TEXT},      {"NAME", "name", OM_COLUMN_TEXT},
    {"NETWORK", "network", OM_COLUMN_TEXT}, {"CONNECTED", "connected", OM_COLUMN_YES},
    {"PATH", "path", OM_COLUMN_TEXT},       {"RTT", "rtt_ms", OM_COLUMN_MS},
    {"SEEN", "heard_s", OM_COLUMN_AGE},     {"IN", "bytes_in", OM_COLUMN_BYTES},
    {"OUT", "bytes_out", OM_COLUMN_BYTES},
};

static enum om_exit no_memory(struct om_cli *cli)
{
    om_out_error(&cli->out, "out of memory");
    return OM_EXIT_FAILED;
}

static bool has_below(const json_t *value)
{
    return (json_is_object(value) && json_object_size(value)) ||
           (json_is_array(value) && json_is_object(json_array_get(value, 0)));
}

/* "field: value" for each field; objects and lists of objects below it, indented. */
static void show_object(struct om_out *out, json_t *object)
{
    struct om_walk w;
    struct om_step step;

    om_walk_init(&w, object);
    while (om_walk_next(&w, &step)) {
        char shown[OM_OUT_TEXT_MAX], cell[OM_CELL_MAX];
        int indent = 2 * (int)step.depth;

        if (!step.key) {
            if (json_is_object(step.value))
                om_out_line(out, "%*s-", indent, "");
            continue;
        }
        om_out_escape(shown, step.key);
        if (has_below(step.value))
            om_out_line(out, "%*s%s:", indent, "", shown);
        else
            om_out_line(out, "%*s%-*s %s", indent, "", indent < 20 ? 20 - indent : 0, shown,
                        om_table_cell(cell, OM_COLUMN_TEXT, step.value));
    }
}

enum om_exit om_cmd_status(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);
    json_t *result;

    if (!e)
        e = om_cli_ask(cli, "status", om_cli_params(cli), &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_summary_print(&cli->out, result);
    json_decref(result);
    return OM_EXIT_OK;
}

static enum om_exit show_list(struct om_cli *cli, json_t *result)
{
    const json_t *list = om_peer_list(result);
    const char *problem = json_string_value(json_object_get(result, "problem"));
    char shown[OM_OUT_TEXT_MAX];
    enum om_exit e = OM_EXIT_OK;

    if (cli->out.json)
        om_out_json(&cli->out, result);
    else if (!json_array_size(list))
        om_out_line(&cli->out, "no peers yet");
    else if (om_table_print(&cli->out, peer_columns, OM_ARRAY_SIZE(peer_columns), list))
        e = no_memory(cli);
    if (problem)
        om_out_error(&cli->out, "%s", om_out_said(shown, problem));
    json_decref(result);
    return e;
}

static enum om_exit add_peer(struct om_cli *cli)
{
    json_t *params = om_cli_params(cli), *ends = json_array(), *result;
    struct om_id id;
    struct om_error err;
    enum om_exit e;

    if (cli->args.count < 2 || om_id_parse(&id, cli->args.words[1], &err)) {
        json_decref(params);
        json_decref(ends);
        return om_cli_usage(cli, "peers add: %s", cli->args.count < 2 ? "want a full id" : err.msg);
    }
    for (unsigned i = 2; i < cli->args.count; i++)
        json_array_append_new(ends, json_string(cli->args.words[i]));
    json_object_set_new(params, "peer", json_string(cli->args.words[1]));
    json_object_set_new(params, "endpoints", ends);
    e = om_cli_ask(cli, "peers.add", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "added");
    json_decref(result);
    return OM_EXIT_OK;
}

/* What this node knows of the peer, owned by the caller: its id alone while it is in no list. */
static enum om_exit find_entry(struct om_cli *cli, struct om_ask *ask, const char *id,
                               json_t **entry)
{
    json_t *result, *one;
    size_t i;
    enum om_exit e = om_cli_call(cli, ask, "peers.list", om_cli_params(cli), &result);

    if (e)
        return e;
    *entry = NULL;
    json_array_foreach(om_peer_list(result), i, one)
    {
        const char *its = json_string_value(json_object_get(one, "id"));

        if (!*entry && its && strcmp(its, id) == 0)
            *entry = json_incref(one);
    }
    json_decref(result);
    if (!*entry)
        *entry = json_pack("{s:s}", "id", id);
    return *entry ? OM_EXIT_OK : no_memory(cli);
}

/* What it says of itself becomes "status"; null while it does not answer. */
static void ask_peer(struct om_cli *cli, struct om_ask *ask, const char *id, json_t *entry)
{
    json_t *params = om_cli_params(cli), *result;

    json_object_set_new(params, "peer", json_string(id));
    if (om_ask_call(ask, "peer.status", params, STATUS_PATIENCE, &result, NULL))
        result = json_null();
    json_object_del(result, "peer");
    json_object_set_new(entry, "status", result);
}

static void show_entry(struct om_out *out, json_t *entry)
{
    bool is_silent = json_is_null(json_object_get(entry, "status"));

    if (is_silent)
        json_object_del(entry, "status");
    show_object(out, entry);
    if (is_silent)
        om_out_line(out, "%-20s it does not answer", "status");
}

static enum om_exit show_peer(struct om_cli *cli)
{
    char id[OM_ID_TEXT];
    struct om_ask *ask;
    enum om_exit e = om_cli_words(cli, 0, 1);
    json_t *entry;

    if (!e)
        e = om_cli_open(cli, &ask);
    if (e)
        return e;
    e = om_peer_find(cli, ask, cli->args.words[0], id);
    if (!e)
        e = find_entry(cli, ask, id, &entry);
    if (!e) {
        om_out_progress(&cli->out, "asking the peer");
        ask_peer(cli, ask, id, entry);
        if (cli->out.json)
            om_out_json(&cli->out, entry);
        else
            show_entry(&cli->out, entry);
        json_decref(entry);
    }
    om_ask_close(ask);
    return e;
}

enum om_exit om_cmd_peers(struct om_cli *cli)
{
    json_t *result;
    enum om_exit e;

    if (cli->args.count && strcmp(cli->args.words[0], "add") == 0)
        return add_peer(cli);
    if (cli->args.count && strcmp(cli->args.words[0], "list") != 0)
        return show_peer(cli);
    e = om_cli_words(cli, 0, 1);
    if (e)
        return e;
    e = om_cli_ask(cli, "peers.list", om_cli_params(cli), &result);
    return e ? e : show_list(cli, result);
}

enum om_exit om_cmd_version(struct om_cli *cli)
{
    char shown[OM_OUT_TEXT_MAX];
    enum om_exit e = om_cli_words(cli, 0, 0);
    json_t *daemon = NULL, *result;
    struct om_ask *ask = NULL;

    if (e)
        return e;
    if (*cli->place.control && om_ask_open(&ask, cli->place.control, NULL) == OM_EXIT_OK &&
        om_ask_call(ask, "version", NULL, OM_ASK_PATIENCE, &daemon, NULL))
        daemon = NULL;
    om_ask_close(ask);
    if (cli->out.json) {
        result = json_pack("{s:s, s:O?}", "omerta", OM_VERSION, "daemon", daemon);
        om_out_json(&cli->out, result);
        json_decref(result);
    } else {
        om_out_line(&cli->out, "omerta        %s", OM_VERSION);
        om_out_line(
            &cli->out, "omerta-meshd  %s",
            daemon ? om_out_escape(shown, json_string_value(json_object_get(daemon, "version")))
                   : "not running");
    }
    json_decref(daemon);
    return OM_EXIT_OK;
}
