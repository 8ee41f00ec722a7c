/* cmd_why.c - why a peer is reached as it is. */
#include <string.h>

#include "commands.h"
#include "peer.h"
#include "table.h"

/* A first word, or a lane, that is answered at all is answered by then. */
enum { TRIES = 12, TRY_MS = 500 };

static void show_ways(struct om_cli *cli, const json_t *result)
{
    static const struct om_column columns[] = {
        {"WAY", "way", OM_COLUMN_TEXT},      {"USED", "active", OM_COLUMN_YES},
        {"STATE", "state", OM_COLUMN_TEXT},  {"FOUND", "origin", OM_COLUMN_TEXT},
        {"RTT", "rtt_ms", OM_COLUMN_MS},     {"LOSS %", "loss_percent", OM_COLUMN_TEXT},
        {"HEARD", "heard_s", OM_COLUMN_AGE},
    };
    const json_t *paths = json_object_get(result, "paths");

    if (json_array_size(paths) == 0)
        return;
    om_out_line(&cli->out, "\nWays to it:");
    if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), paths))
        om_out_error(&cli->out, "out of memory");
}

static void show_attempts(struct om_cli *cli, const json_t *result)
{
    static const struct om_column columns[] = {
        {"TRIED", "what_text", OM_COLUMN_TEXT},
        {"WAY", "way", OM_COLUMN_TEXT},
        {"AGO", "age_s", OM_COLUMN_AGE},
        {"TIMES", "times", OM_COLUMN_COUNT},
        {"WHAT CAME OF IT", "text", OM_COLUMN_TEXT},
    };
    const json_t *attempts = json_object_get(result, "attempts");

    if (json_array_size(attempts) == 0)
        return;
    om_out_line(&cli->out, "\nWhat was tried:");
    if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), attempts))
        om_out_error(&cli->out, "out of memory");
}

static void show_better(struct om_cli *cli, const json_t *result)
{
    char text[OM_OUT_TEXT_MAX];
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(result, "better"), i, one)
    {
        if (i == 0)
            om_out_line(&cli->out, "\nWhat would help:");
        om_out_line(&cli->out, "- %s",
                    om_out_said(text, json_string_value(json_object_get(one, "text"))));
    }
}

static void show(struct om_cli *cli, const json_t *result)
{
    char text[OM_OUT_TEXT_MAX];

    om_out_line(&cli->out, "%s",
                om_out_said(text, json_string_value(json_object_get(result, "summary"))));
    show_ways(cli, result);
    show_attempts(cli, result);
    show_better(cli, result);
}

/* Who asks about a peer that nobody spoke with has it called: what comes of that is worth a few
 * seconds. */
static enum om_exit ask_why(struct om_cli *cli, struct om_ask *ask, const char *id, json_t **result)
{
    for (unsigned i = 0;; i++) {
        json_t *params = om_cli_params(cli), *event;
        struct om_error err;
        json_object_set_new(params, "peer", json_string(id));
        enum om_exit e = om_cli_call(cli, ask, "peers.why", params, result);

        if (e || i == TRIES || json_is_true(json_object_get(*result, "connected")) ||
            json_is_true(json_object_get(*result, "udp_blocked")))
            return e;
        json_decref(*result);
        om_out_progress(&cli->out, "calling the peer");
        e = om_ask_next_event(ask, OM_MS(TRY_MS), &event, &err);
        if (!e) /* nothing was subscribed to */
            json_decref(event);
        else if (e != OM_EXIT_TIMEOUT) {
            om_out_error(&cli->out, "%s", err.msg);
            return e;
        }
    }
}

enum om_exit om_cmd_why(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 1);
    json_t *result = NULL;
    char id[OM_ID_TEXT];
    struct om_ask *ask;

    if (!e)
        e = om_cli_open(cli, &ask);
    if (e)
        return e;
    e = om_peer_find(cli, ask, cli->args.words[0], id);
    if (!e)
        e = ask_why(cli, ask, id, &result);
    om_ask_close(ask);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        show(cli, result);
    if (!json_is_true(json_object_get(result, "connected")) ||
        json_is_true(json_object_get(result, "unanswered")))
        e = OM_EXIT_FAILED;
    json_decref(result);
    return e;
}
