/* cmd_cloister.c - cloister: a private network with one peer, and the word of the user on it. */
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "commands.h"
#include "peer.h"
#include "table.h"

static const struct om_column columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},          {"PEER", "peer", OM_COLUMN_SHORT},
    {"NETWORK", "network", OM_COLUMN_TEXT}, {"STATE", "state", OM_COLUMN_TEXT},
    {"CODE", "code", OM_COLUMN_TEXT},       {"GIVES", "hand", OM_COLUMN_TEXT},
    {"LEFT", "left_s", OM_COLUMN_AGE},
};

static enum om_exit list(struct om_cli *cli)
{
    json_t *result;
    enum om_exit e = om_cli_words(cli, 0, 1);

    if (!e)
        e = om_cli_ask(cli, "cloister.list", NULL, &result);
    if (e)
        return e;
    const json_t *rows = json_object_get(result, "cloisters");
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (!json_array_size(rows)) {
        om_out_line(&cli->out, "nothing waits");
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), rows) != OM_OK) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

/* The question's number as parameters; NULL once it was said that it is none. */
static json_t *number_of(struct om_cli *cli)
{
    struct om_error err;
    uint64_t n;

    if (om_u64_parse(&n, cli->args.words[1], UINT32_MAX, &err) == OM_OK)
        return json_pack("{s:I}", "id", (json_int_t)n);
    (void)om_cli_usage(cli, "cloister: %s", err.msg);
    return NULL;
}

/* One question that people answer elsewhere, so there is no hurry; @params are taken. */
static enum om_exit wait_for(struct om_cli *cli, struct om_ask *ask, const char *method,
                             json_t *params, const char *what, json_t **result)
{
    struct om_error err;

    om_out_progress(&cli->out, what);
    enum om_exit e = om_ask_call(ask, method, params, OM_NEVER, result, &err);
    om_out_progress_done(&cli->out);
    if (e)
        om_out_error(&cli->out, "%s", err.msg);
    return e;
}

static enum om_exit say_yes(struct om_cli *cli, struct om_ask *ask, json_t *params)
{
    const char *name = om_args_value(&cli->args, "name");
    char cell[OM_CELL_MAX], id[OM_CELL_MAX];
    json_t *net;

    if (name)
        (void)json_object_set_new(params, "name", json_string(name));
    enum om_exit e =
        wait_for(cli, ask, "cloister.accept", params, "waiting for the other side's yes", &net);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, net);
    else
        om_out_line(&cli->out, "in network \"%s\", as %s",
                    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(net, "name")),
                    om_table_cell(id, OM_COLUMN_TEXT, json_object_get(net, "self")));
    json_decref(net);
    return OM_EXIT_OK;
}

static enum om_exit accept_it(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, 2);
    struct om_ask *ask;

    if (e)
        return e;
    json_t *params = number_of(cli);
    if (!params)
        return OM_EXIT_USAGE;
    e = om_cli_open(cli, &ask);
    if (e) {
        json_decref(params);
        return e;
    }
    e = say_yes(cli, ask, params);
    om_ask_close(ask);
    return e;
}

static enum om_exit deny(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 2, 2);
    json_t *params = e ? NULL : number_of(cli), *result;

    if (!params)
        return OM_EXIT_USAGE;
    e = om_cli_ask(cli, "cloister.deny", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "%s: denied", cli->args.words[1]);
    json_decref(result);
    return OM_EXIT_OK;
}

/* Does who sits at the terminal say that the codes are the same? */
static bool is_same(void)
{
    char answer[8];

    (void)fputs("does the other side see the same code? (yes, or no) ", stderr);
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

/* The code is there: what is to be done with it. */
static enum om_exit decide(struct om_cli *cli, struct om_ask *ask, const json_t *asked)
{
    json_int_t id = json_integer_value(json_object_get(asked, "id"));
    char cell[OM_CELL_MAX];
    json_t *result;

    if (cli->out.json) {
        om_out_json(&cli->out, asked);
        return OM_EXIT_OK;
    }
    if (json_is_string(json_object_get(asked, "hand"))) {
        om_out_line(&cli->out, "the peer has the link to \"%s\"",
                    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(asked, "hand")));
        return OM_EXIT_OK;
    }
    om_out_line(&cli->out, "code: %s",
                om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(asked, "code")));
    if (!isatty(STDIN_FILENO)) {
        om_out_line(&cli->out, "when both see the same: omerta cloister accept %lld",
                    (long long)id);
        return OM_EXIT_OK;
    }
    if (is_same())
        return say_yes(cli, ask, json_pack("{s:I}", "id", id));
    enum om_exit e = om_cli_call(cli, ask, "cloister.deny", json_pack("{s:I}", "id", id), &result);
    if (!e) {
        json_decref(result);
        om_out_line(&cli->out, "denied");
    }
    return e ? e : OM_EXIT_FAILED;
}

static enum om_exit begin(struct om_cli *cli)
{
    const char *name = om_args_value(&cli->args, "name");
    const char *hand = om_args_value(&cli->args, "hand");
    enum om_exit e = om_cli_words(cli, 1, 1);
    struct om_ask *ask;
    json_t *result;

    if (!e && hand && name)
        return om_cli_usage(cli, "cloister: --name is the taker's to give, with accept");
    if (!e)
        e = om_cli_open(cli, &ask);
    if (e)
        return e;
    json_t *params = om_cli_params(cli);
    (void)json_object_set_new(params, "peer", json_string(cli->args.words[0]));
    if (name)
        (void)json_object_set_new(params, "name", json_string(name));
    if (hand)
        (void)json_object_set_new(params, "hand", json_string(hand));
    e = wait_for(cli, ask, "cloister.ask", params,
                 hand ? "waiting for the other side's yes" : "asking the peer", &result);
    if (!e) {
        e = decide(cli, ask, result);
        json_decref(result);
    }
    om_ask_close(ask);
    return e;
}

enum om_exit om_cmd_cloister(struct om_cli *cli)
{
    const char *word = cli->args.count ? cli->args.words[0] : "list";

    if (strcmp(word, "list") == 0)
        return list(cli);
    if (strcmp(word, "accept") == 0)
        return accept_it(cli);
    return strcmp(word, "deny") == 0 ? deny(cli) : begin(cli);
}
