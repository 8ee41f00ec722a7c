/* cmd_network.c - network: list, show, create, invite, join, leave, rename, and whose members. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "commands.h"
#include "exposed.h"
#include "job.h"
#include "link_text.h"
#include "network.h"
#include "table.h"

static enum om_exit list(struct om_cli *cli)
{
    static const struct om_column columns[] = {
        {"NETWORK", "name", OM_COLUMN_TEXT},
        {"ID", "id", OM_COLUMN_TEXT},
        {"KIND", "kind", OM_COLUMN_TEXT},
        {"PEERS", "peers", OM_COLUMN_COUNT},
        {"CONNECTED", "connected", OM_COLUMN_COUNT},
    };
    enum om_exit e = om_cli_words(cli, 0, 1);
    json_t *result;

    if (!e)
        e = om_cli_ask(cli, "networks.list", NULL, &result);
    if (e)
        return e;
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns),
                              json_object_get(result, "networks"))) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

static void print_field(struct om_out *out, const json_t *net, const char *label, const char *key)
{
    char cell[OM_CELL_MAX];

    om_out_line(out, "%-10s %s", label,
                om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(net, key)));
}

/* How many may still come, as what, by which invitation, and until when. */
static void print_invites(struct om_out *out, const json_t *invites)
{
    char id[OM_CELL_MAX], roles[OM_CELL_MAX], until[OM_CELL_MAX];
    const json_t *one;
    size_t i;

    json_array_foreach(invites, i, one)
    {
        const json_t *given = json_object_get(one, "roles");
        om_out_line(out, "%-10s %s: %lld of %lld may come, as %s, until %.16s UTC", "invitation",
                    om_table_cell(id, OM_COLUMN_TEXT, json_object_get(one, "id")),
                    (long long)json_integer_value(json_object_get(one, "left")),
                    (long long)json_integer_value(json_object_get(one, "uses")),
                    json_array_size(given) > 0 ? om_table_cell(roles, OM_COLUMN_TEXT, given)
                                               : "member",
                    om_table_cell(until, OM_COLUMN_TEXT, json_object_get(one, "expires")));
    }
}

static void print_network(struct om_out *out, const json_t *net)
{
    const char *kind = json_string_value(json_object_get(net, "kind"));
    const json_t *pins = json_object_get(net, "pins"), *pin;
    char cell[OM_CELL_MAX];
    size_t i;

    print_field(out, net, "network", "name");
    print_field(out, net, "id", "id");
    print_field(out, net, "this node", "self");
    if (kind && strcmp(kind, "closed") == 0)
        print_field(out, net, "called", "as");
    print_field(out, net, "kind", "kind");
    print_field(out, net, "peers", "peers");
    print_field(out, net, "connected", "connected");
    print_invites(out, json_object_get(net, "invites"));
    if (!kind || strcmp(kind, "direct") != 0)
        return;
    json_array_foreach(pins, i, pin)
        om_out_line(out, "%-10s %s", "lets in", om_table_cell(cell, OM_COLUMN_TEXT, pin));
    if (json_integer_value(json_object_get(net, "pins_left")) > 0)
        om_out_line(out, "%-10s the first %lld who use its link", "lets in",
                    (long long)json_integer_value(json_object_get(net, "pins_left")));
}

/* One question whose answer is a network, shown; @params are taken. */
static enum om_exit ask_and_show(struct om_cli *cli, const char *method, json_t *params)
{
    json_t *net;
    enum om_exit e = om_cli_ask(cli, method, params, &net);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, net);
    else
        print_network(&cli->out, net);
    json_decref(net);
    return OM_EXIT_OK;
}

static enum om_exit show(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 2);

    return e ? e : ask_and_show(cli, "networks.show", om_network_params(cli, 1));
}

/* Who is to come in, and what cannot be undone; where there are several networks it is named. */
static void say_next(struct om_cli *cli, const char *name, bool is_open)
{
    char escaped[OM_OUT_TEXT_MAX], *quoted;
    const char *shown = om_out_escape(escaped, name);

    quoted = om_job_quote(&shown, 1);
    if (quoted)
        quoted[strcspn(quoted, "\n")] = '\0';
    shown = quoted ? quoted : "";
    om_out_line(&cli->out, "next: %s: omerta network invite %s",
                is_open ? "its link" : "a link for one, good for a day", shown);
    if (is_open)
        om_out_line(&cli->out, "warning: whoever has its link is in it, and nobody can be put out");
    else
        om_out_line(&cli->out,
                    "warning: this node is its only admin; were it lost, nobody could invite or "
                    "revoke.\nInvite another admin: omerta network invite %s --role admin",
                    shown);
    free(quoted);
}

static enum om_exit create(struct om_cli *cli)
{
    const char *name = om_args_value(&cli->args, "name");
    bool is_open = om_args_has(&cli->args, "open");
    enum om_exit e;

    if (!name)
        return om_cli_usage(cli, "network create: want --name NAME");
    e = om_cli_words(cli, 1, 1);
    if (e)
        return e;
    e = ask_and_show(cli, "networks.create",
                     json_pack("{s:s, s:b, s:s*}", "name", name, "open", (int)is_open, "as",
                               om_args_value(&cli->args, "as")));
    if (!e && !cli->out.json)
        say_next(cli, name, is_open);
    return e;
}

/* What a person says of an invitation, as parameters; false once it was said what is wrong. */
static bool read_limits(struct om_cli *cli, json_t *params)
{
    const char *expires = om_args_value(&cli->args, "expires");
    const char *role = om_args_value(&cli->args, "role");
    struct om_error err;
    uint64_t uses;
    om_time life;

    if (om_args_number(&cli->args, "uses", 0, UINT32_MAX, &uses, &err) ||
        (expires && om_duration_parse(&life, expires, &err))) {
        (void)om_cli_usage(cli, "%s", err.msg);
        return false;
    }
    if (om_args_has(&cli->args, "uses"))
        (void)json_object_set_new(params, "uses", json_integer((json_int_t)uses));
    if (expires)
        (void)json_object_set_new(params, "expires_s", json_integer(life / OM_SEC(1)));
    if (role)
        (void)json_object_set_new(params, "role", json_string(role));
    return true;
}

static enum om_exit invite(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 2);

    if (e)
        return e;
    json_t *params = om_network_params(cli, 1);
    if (!read_limits(cli, params)) {
        json_decref(params);
        return OM_EXIT_USAGE;
    }
    return om_network_link(cli, "networks.invite", params, om_args_has(&cli->args, "qr"));
}

static enum om_exit join(struct om_cli *cli)
{
    const char *key = om_args_value(&cli->args, "key"), *file = om_args_value(&cli->args, "file");
    const char *word = cli->args.count > 1 ? cli->args.words[1] : NULL;
    char text[OM_LINK_TEXT_MAX];
    struct om_error err;
    enum om_exit e = om_cli_words(cli, 1, 2);

    if (e)
        return e;
    if ((word != NULL) + (key != NULL) + (file != NULL) != 1)
        return om_cli_usage(cli, "network join: want one link: LINK, --key LINK, or --file FILE");
    if (word && strcmp(word, "-") == 0)
        file = word;
    if (word && !file && !strchr(word, ':') && access(word, R_OK) == 0) {
        char shown[OM_OUT_TEXT_MAX];

        return om_cli_usage(cli, "network join: that is no link but a file: want --file %s",
                            om_out_escape(shown, word));
    }
    if (!file)
        return om_network_join(cli, key ? key : word, false);
    om_exposed_warn(&cli->out, file);
    if (om_link_text_read(text, file, &err) != OM_OK) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_FAILED;
    }
    e = om_network_join(cli, text, strcmp(file, "-") == 0);
    explicit_bzero(text, sizeof text);
    return e;
}

static enum om_exit rename_it(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 3);

    if (e)
        return e;
    if (cli->args.count != 3)
        return om_cli_usage(cli, "network rename: want NETWORK and its new name");
    json_t *params = om_network_params(cli, 1);
    (void)json_object_set_new(params, "name", json_string(cli->args.words[2]));
    return ask_and_show(cli, "networks.rename", params);
}

enum om_exit om_cmd_network(struct om_cli *cli)
{
    static const struct {
        const char *word;
        enum om_exit (*run)(struct om_cli *cli);
    } table[] = {{"list", list},
                 {"show", show},
                 {"create", create},
                 {"invite", invite},
                 {"join", join},
                 {"leave", om_network_leave},
                 {"rename", rename_it},
                 {"members", om_network_members},
                 {"revoke", om_network_revoke},
                 {"block", om_network_block}};
    const char *word = cli->args.count ? cli->args.words[0] : "list";

    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++)
        if (strcmp(word, table[i].word) == 0)
            return table[i].run(cli);
    return om_cli_usage(
        cli,
        "network: want list, show, create, invite, join, leave, rename, members, revoke or block");
}
