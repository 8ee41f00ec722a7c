/* cmd_message.c - texts to peers and from them. */
#include <string.h>

#include "commands.h"
#include "peer.h"
#include "table.h"

enum { TEXT_MAX = 60000 }; /* of the command line; the daemon has its own cap */

/* The words after the peer, joined by spaces; NULL: too long or no memory. */
static json_t *text_of(const struct om_args *args)
{
    char text[TEXT_MAX];
    size_t n = 0;

    for (unsigned i = 1; i < args->count; i++) {
        size_t more = strlen(args->words[i]);

        if (n + more + 2 > sizeof text)
            return NULL;
        if (i > 1)
            text[n++] = ' ';
        memcpy(text + n, args->words[i], more);
        n += more;
    }
    return json_stringn(text, n);
}

static enum om_exit list_messages(struct om_cli *cli)
{
    static const struct om_column columns[] = {
        {"ID", "id", OM_COLUMN_SHORT},      {"", "direction", OM_COLUMN_TEXT},
        {"PEER", "peer", OM_COLUMN_SHORT},  {"TIME", "at", OM_COLUMN_TEXT},
        {"STATE", "state", OM_COLUMN_TEXT}, {"TEXT", "text", OM_COLUMN_TEXT},
    };
    enum om_exit e = om_cli_words(cli, 0, 0);
    const json_t *list;
    json_t *result;

    if (!e)
        e = om_cli_ask(cli, "message.list", om_cli_params(cli), &result);
    if (e)
        return e;
    list = json_is_array(result) ? result : json_object_get(result, "messages");
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (!json_array_size(list)) {
        om_out_line(&cli->out, "no messages");
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), list)) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

/* 1 and a sentence when the message @sent is ended and the peer does not have it. */
static enum om_exit verdict_of(struct om_cli *cli, const json_t *sent)
{
    const char *state = json_string_value(json_object_get(sent, "state"));
    const char *reason = json_string_value(json_object_get(sent, "reason"));
    char shown[OM_OUT_TEXT_MAX];
    bool is_rejected = state && strcmp(state, "rejected") == 0;

    if (!is_rejected && !(state && strcmp(state, "failed") == 0))
        return OM_EXIT_OK;
    om_out_error(&cli->out, "%s%s%s%s",
                 is_rejected ? "the peer rejected the message" : "the message was not delivered",
                 reason && *reason ? " (" : "", om_out_escape(shown, reason ? reason : ""),
                 reason && *reason ? ")" : "");
    return OM_EXIT_FAILED;
}

static enum om_exit send_text(struct om_cli *cli, struct om_ask *ask, json_t *text)
{
    bool waits = om_args_has(&cli->args, "wait");
    char id[OM_ID_TEXT], cell[OM_CELL_MAX];
    enum om_exit e = om_peer_find(cli, ask, cli->args.words[0], id);
    struct om_error err;
    json_t *params, *result;

    if (e)
        return e;
    params = om_cli_params(cli);
    json_object_set_new(params, "peer", json_string(id));
    json_object_set(params, "text", text);
    json_object_set_new(params, "wait", json_boolean(waits));
    if (waits)
        om_out_progress(&cli->out, "waiting until the peer has it");
    e = om_ask_call(ask, "message.send", params, waits ? OM_NEVER : OM_ASK_PATIENCE, &result, &err);
    if (e) {
        om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else if (json_object_get(result, "state"))
        om_out_line(&cli->out, "%s",
                    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(result, "state")));
    else
        om_out_line(&cli->out, waits ? "delivered" : "sent");
    e = verdict_of(cli, result);
    json_decref(result);
    return e;
}

enum om_exit om_cmd_message(struct om_cli *cli)
{
    struct om_ask *ask;
    enum om_exit e;
    json_t *text;

    if (om_args_has(&cli->args, "list"))
        return list_messages(cli);
    e = om_cli_words(cli, 2, OM_ARGS_WORDS_MAX);
    if (e)
        return e;
    text = text_of(&cli->args);
    if (!text)
        return om_cli_usage(cli, "message: want UTF-8 text of less than %d bytes", TEXT_MAX);
    e = om_cli_open(cli, &ask);
    if (!e) {
        e = send_text(cli, ask, text);
        om_ask_close(ask);
    }
    json_decref(text);
    return e;
}
