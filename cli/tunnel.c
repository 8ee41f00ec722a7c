/* tunnel.c - what expose, forward, proxy and dns share. */
#include "tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "peer.h"

/* The peers with their names; NULL when they cannot be had, which only costs the names. */
static json_t *ask_peers(struct om_ask *ask)
{
    struct om_error err;
    json_t *result;

    return om_ask_call(ask, "peers.list", NULL, OM_ASK_PATIENCE, &result, &err) ? NULL : result;
}

/* One question, and for people the peers whose names are to be shown. */
static enum om_exit ask_both(struct om_cli *cli, const char *method, json_t *params,
                             json_t **result, json_t **peers)
{
    struct om_ask *ask;
    enum om_exit e = om_cli_open(cli, &ask);

    *peers = NULL;
    if (e) {
        json_decref(params);
        return e;
    }
    e = om_cli_call(cli, ask, method, params, result);
    if (!e && !cli->out.json)
        *peers = ask_peers(ask);
    om_ask_close(ask);
    return e;
}

static enum om_exit print(struct om_cli *cli, const struct om_tunnel_list *list, const json_t *rows,
                          const json_t *peers)
{
    json_t *own = list->rows ? list->rows(rows, om_peer_list(peers)) : NULL;
    int failed = om_table_print(&cli->out, list->columns, list->count, own ? own : rows);

    json_decref(own);
    if (failed)
        om_out_error(&cli->out, "out of memory");
    return failed ? OM_EXIT_FAILED : OM_EXIT_OK;
}

enum om_exit om_tunnel_list(struct om_cli *cli, const struct om_tunnel_list *list)
{
    enum om_exit e = om_cli_words(cli, 0, 1);
    json_t *result, *peers;

    if (!e)
        e = om_tunnel_options(cli, cli->args.count ? cli->args.words[0] : "list", "");
    if (!e)
        e = ask_both(cli, list->method, NULL, &result, &peers);
    if (e)
        return e;
    const json_t *rows = json_object_get(result, list->field);
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else if (!json_array_size(rows))
        om_out_line(&cli->out, "%s", list->none);
    else
        e = print(cli, list, rows, peers);
    json_decref(result);
    json_decref(peers);
    return e;
}

enum om_exit om_tunnel_remove(struct om_cli *cli, const char *method)
{
    enum om_exit e = om_tunnel_options(cli, "remove", "");
    uint64_t id = 0;
    json_t *result;

    if (!e)
        e = om_cli_words(cli, 0, 2);
    if (e)
        return e;
    if (cli->args.count < 2 || om_u64_parse(&id, cli->args.words[1], INT64_MAX, NULL) != OM_OK ||
        id < 1)
        return om_cli_usage(cli, "%s remove: want the ID that list shows", cli->args.command);
    e = om_cli_ask(cli, method, json_pack("{s:I}", "id", (json_int_t)id), &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "removed %lld", (long long)id);
    json_decref(result);
    return OM_EXIT_OK;
}

/* Whoever can reach a port that is not on the loopback uses the proxy as if they were us. */
static void warn_of(struct om_cli *cli, const json_t *row)
{
    const char *listen = json_string_value(json_object_get(row, "listen"));

    if (json_is_true(json_object_get(row, "proxy")) && listen && strncmp(listen, "127.", 4) != 0 &&
        strncmp(listen, "[::1]", 5) != 0 && !json_is_string(json_object_get(row, "user")))
        om_out_error(&cli->out,
                     "whoever reaches this port may use it: --user NAME asks for a password");
}

enum om_exit om_tunnel_add(struct om_cli *cli, const char *method, json_t *params,
                           void (*text)(char buf[static OM_OUT_TEXT_MAX], const json_t *row,
                                        const json_t *peers))
{
    char said[OM_OUT_TEXT_MAX] = "";
    json_t *row, *peers;
    enum om_exit e = ask_both(cli, method, params, &row, &peers);

    if (e)
        return e;
    if (cli->out.json) {
        om_out_json(&cli->out, row);
    } else {
        text(said, row, om_peer_list(peers));
        om_out_line(&cli->out, "%s; number %lld%s", said,
                    (long long)json_integer_value(json_object_get(row, "id")),
                    json_is_true(json_object_get(row, "keep"))
                        ? ""
                        : ", until a restart (--keep keeps it)");
    }
    warn_of(cli, row);
    json_decref(row);
    json_decref(peers);
    return OM_EXIT_OK;
}

enum om_exit om_tunnel_options(struct om_cli *cli, const char *word, const char *known)
{
    char shown[OM_SHOW_TEXT];

    for (unsigned i = 0; i < cli->args.given_count; i++) {
        const char *name = cli->args.given[i].option->name, *at = strstr(known, name);
        if (!at || at[strlen(name)] != ' ' || (at != known && at[-1] != ' '))
            return om_cli_usage(cli, "%s %s takes no --%s", cli->args.command,
                                om_text_show(shown, word), name);
    }
    return OM_EXIT_OK;
}

enum om_exit om_tunnel_listen(struct om_cli *cli, const char *text, json_t *params)
{
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
    int n = colon ? (int)(colon - text) : 0;
    char shown[OM_SHOW_TEXT], full[OM_OUT_TEXT_MAX];
    uint64_t number;

    if (om_u64_parse(&number, port, UINT16_MAX, NULL) != OM_OK)
        return om_cli_usage(cli, "\"%s\": want a port from 1 to 65535, or 0 for a free one",
                            om_text_show(shown, port));
    if (n == 1 && *text == '*')
        (void)snprintf(full, sizeof full, "0.0.0.0:%s", port);
    else if (n == 9 && strncmp(text, "localhost", 9) == 0)
        (void)snprintf(full, sizeof full, "127.0.0.1:%s", port);
    else
        (void)snprintf(full, sizeof full, "%s", text);
    (void)json_object_set_new(params, "listen", json_string(full));
    return OM_EXIT_OK;
}

json_t *om_tunnel_peer(const json_t *id, const json_t *peers)
{
    const char *text = json_string_value(id);
    const json_t *peer;
    size_t i;

    if (!text || strcmp(text, "*") == 0)
        return json_string(text ? "everybody" : "nobody");
    json_array_foreach(peers, i, peer)
    {
        const char *name = json_string_value(json_object_get(peer, "name"));
        const char *its = json_string_value(json_object_get(peer, "id"));

        if (name && *name && its && strcmp(its, text) == 0)
            return json_sprintf("%s (%.10s)", name, text);
    }
    return json_sprintf("%.10s", text);
}
