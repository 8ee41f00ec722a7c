/* member.c - who is in a network, and who is to be no more. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "link_text.h"
#include "network.h"
#include "table.h"

static const char *text_of(const json_t *of, const char *key)
{
    const char *text = json_string_value(json_object_get(of, key));

    return text ? text : "";
}

/* How it is now, in as few words as do. */
static json_t *state_of(const json_t *m)
{
    const json_t *seen = json_object_get(m, "seen_s"), *by = json_object_get(m, "revoked_by_name");
    const char *standing = text_of(m, "standing");
    char age[OM_CELL_MAX];

    if (json_is_string(by))
        return json_sprintf("revoked by %s", json_string_value(by));
    if (strcmp(standing, "good") != 0)
        return json_string(standing);
    if (json_is_true(json_object_get(m, "own")))
        return json_string("this node");
    if (json_is_true(json_object_get(m, "blocked")))
        return json_string("blocked here");
    if (json_is_true(json_object_get(m, "live")))
        return json_string("live");
    if (!json_is_number(seen))
        return json_string("not seen");
    return json_sprintf("seen %s ago", om_table_cell(age, OM_COLUMN_AGE, seen));
}

static json_t *roles_of(const json_t *m)
{
    json_t *roles = json_object_get(m, "roles");

    if (json_array_size(roles) > 0)
        return json_incref(roles);
    return json_is_null(json_object_get(m, "expires")) ? json_null() : json_string("member");
}

/* The day of it, which is enough for a certificate of months. */
static json_t *day_of(const json_t *m)
{
    const char *at = json_string_value(json_object_get(m, "expires"));

    return at && strlen(at) >= 10 ? json_stringn(at, 10) : json_null();
}

static json_t *row_of(const json_t *m)
{
    const char *name = text_of(m, "name");

    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:O}", "name",
                     *name ? json_string(name) : json_null(), "short", text_of(m, "short"), "roles",
                     roles_of(m), "state", state_of(m), "expires", day_of(m), "by",
                     json_object_get(m, "invited_by_name"));
}

static enum om_exit print(struct om_cli *cli, const json_t *members)
{
    static const struct om_column columns[] = {
        {"NAME", "name", OM_COLUMN_TEXT},       {"ID", "short", OM_COLUMN_TEXT},
        {"ROLES", "roles", OM_COLUMN_TEXT},     {"STATE", "state", OM_COLUMN_TEXT},
        {"EXPIRES", "expires", OM_COLUMN_TEXT}, {"INVITED BY", "by", OM_COLUMN_TEXT},
    };
    json_t *rows = json_array();
    const json_t *m;
    size_t i;

    json_array_foreach(members, i, m)(void) json_array_append_new(rows, row_of(m));
    int failed = om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), rows);
    json_decref(rows);
    if (failed)
        om_out_error(&cli->out, "out of memory");
    return failed ? OM_EXIT_FAILED : OM_EXIT_OK;
}

enum om_exit om_network_members(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 2);
    json_t *result;

    if (e)
        return e;
    json_t *params = om_network_params(cli, 1);
    if (om_args_has(&cli->args, "all"))
        (void)json_object_set_new(params, "all", json_true());
    e = om_cli_ask(cli, "networks.members", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        e = print(cli, json_object_get(result, "members"));
    json_decref(result);
    return e;
}

/* Does who sits at the terminal mean it? Where nobody sits, nobody is asked. */
static bool is_meant(const struct om_cli *cli, const char *who)
{
    char shown[OM_OUT_TEXT_MAX], answer[8];

    if (om_args_has(&cli->args, "yes") || !isatty(STDIN_FILENO))
        return true;
    (void)fprintf(stderr, "put %s out for good? (yes, or no) ", om_out_escape(shown, who));
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

static void say_told(struct om_cli *cli, const json_t *result)
{
    json_int_t told = json_integer_value(json_object_get(result, "told"));

    if (told > 0)
        om_out_line(&cli->out,
                    "%lld other%s connected and hear%s of it now; the rest do as they meet",
                    (long long)told, told == 1 ? " is" : "s are", told == 1 ? "s" : "");
    else
        om_out_line(&cli->out, "nobody else is connected: they hear of it as they meet");
}

/* One question about @cli's network, and @done with what it is about; @params are taken. */
static enum om_exit tell(struct om_cli *cli, const char *method, json_t *params, const char *key,
                         const char *done)
{
    char shown[OM_OUT_TEXT_MAX];
    json_t *result;
    enum om_exit e = om_cli_ask(cli, method, params, &result);

    if (e)
        return e;
    const char *what = text_of(result, key);
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else {
        om_out_line(&cli->out, "%s: %s", om_out_escape(shown, *what ? what : text_of(result, "id")),
                    done);
        say_told(cli, result);
    }
    json_decref(result);
    return OM_EXIT_OK;
}

static enum om_exit take_back(struct om_cli *cli, const char *invite)
{
    char text[OM_LINK_TEXT_MAX];
    struct om_error err;
    enum om_exit e = om_cli_words(cli, 1, 1);

    if (e)
        return e;
    if (strcmp(invite, "-") == 0 && om_link_text_read(text, invite, &err) != OM_OK) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_FAILED;
    }
    json_t *params = om_cli_params(cli);
    (void)json_object_set_new(params, "invite",
                              json_string(strcmp(invite, "-") == 0 ? text : invite));
    explicit_bzero(text, sizeof text);
    return tell(cli, "networks.void", params, "invite", "nobody joins by it any more");
}

enum om_exit om_network_revoke(struct om_cli *cli)
{
    const char *invite = om_args_value(&cli->args, "invite");
    bool stays = om_args_has(&cli->args, "keep-member");

    if (invite)
        return take_back(cli, invite);
    if (cli->args.count != 2)
        return om_cli_usage(cli, "network revoke: want one MEMBER, or --invite INVITE");
    if (!is_meant(cli, cli->args.words[1])) {
        om_out_error(&cli->out, "nobody was put out");
        return OM_EXIT_FAILED;
    }
    json_t *params = om_cli_params(cli);
    (void)json_object_set_new(params, "peer", json_string(cli->args.words[1]));
    if (stays)
        (void)json_object_set_new(params, "keep_member", json_true());
    if (om_args_has(&cli->args, "now"))
        (void)json_object_set_new(params, "now", json_true());
    return tell(cli, "networks.revoke", params, "name",
                stays ? "an admin no more" : "a member no more");
}

static enum om_exit list_blocked(struct om_cli *cli)
{
    static const struct om_column columns[] = {
        {"NAME", "name", OM_COLUMN_TEXT},
        {"ID", "id", OM_COLUMN_TEXT},
    };
    enum om_exit e = om_cli_words(cli, 1, 1);
    json_t *result;

    if (!e)
        e = om_cli_ask(cli, "networks.blocked", om_cli_params(cli), &result);
    if (e)
        return e;
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns),
                              json_object_get(result, "blocked"))) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

enum om_exit om_network_block(struct om_cli *cli)
{
    bool is_undone = om_args_has(&cli->args, "undo");
    char shown[OM_OUT_TEXT_MAX];
    json_t *result;

    if (om_args_has(&cli->args, "list"))
        return list_blocked(cli);
    if (cli->args.count != 2)
        return om_cli_usage(cli, "network block: want one PEER, or --list");
    json_t *params = om_cli_params(cli);
    (void)json_object_set_new(params, "peer", json_string(cli->args.words[1]));
    if (is_undone)
        (void)json_object_set_new(params, "undo", json_true());
    enum om_exit e = om_cli_ask(cli, "networks.block", params, &result);
    if (e)
        return e;
    const char *name = text_of(result, "name");
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, is_undone ? "%s: may come again" : "%s: blocked on this machine",
                    om_out_escape(shown, *name ? name : text_of(result, "id")));
    json_decref(result);
    return OM_EXIT_OK;
}
