/* leave.c - out of a network, which may be the end of it for those who stay. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "network.h"

enum { ANSWER_MAX = 8 };

/* Who would stay in @members without anybody who may invite; 0: there is an admin, or nobody. */
static unsigned orphans_of(const json_t *members)
{
    unsigned others = 0, admins = 0;
    bool is_admin = false;
    const json_t *m;
    size_t i;

    json_array_foreach(members, i, m)
    {
        const char *standing = json_string_value(json_object_get(m, "standing"));
        if (!standing || strcmp(standing, "good") != 0)
            continue;
        if (json_is_true(json_object_get(m, "own"))) {
            is_admin = json_is_true(json_object_get(m, "admin"));
        } else {
            others++;
            admins += json_is_true(json_object_get(m, "admin"));
        }
    }
    return is_admin && admins == 0 ? others : 0;
}

/* Does who sits at the terminal mean it, or did he say so before? Else it is said why not. */
static bool is_meant(struct om_cli *cli, const char *name, unsigned orphans)
{
    char shown[OM_OUT_TEXT_MAX], answer[ANSWER_MAX];
    const char *ending = orphans == 1 ? "" : "s";

    (void)om_out_escape(shown, name);
    if (!isatty(STDIN_FILENO)) {
        om_out_error(
            &cli->out,
            "this node is the only admin of \"%s\", and %u other%s would stay in it without "
            "anybody who can invite or revoke: invite another admin first (--role admin), "
            "or leave with --yes",
            shown, orphans, ending);
        return false;
    }
    (void)fprintf(
        stderr,
        "this node is the only admin of \"%s\": nobody can invite or revoke any more among "
        "the %u other%s\nleave it for good? (yes, or no) ",
        shown, orphans, ending);
    if (fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0)
        return true;
    om_out_error(&cli->out, "nothing was left");
    return false;
}

/* OM_EXIT_OK when @cli may leave the network that it names. */
static enum om_exit ask_first(struct om_cli *cli)
{
    json_t *net, *result;
    enum om_exit e = om_cli_ask(cli, "networks.show", om_network_params(cli, 1), &net);

    if (e)
        return e;
    const char *kind = json_string_value(json_object_get(net, "kind"));
    const char *name = json_string_value(json_object_get(net, "name"));
    if (kind && name && strcmp(kind, "closed") == 0) {
        e = om_cli_ask(cli, "networks.members", om_network_params(cli, 1), &result);
        if (!e) {
            unsigned orphans = orphans_of(json_object_get(result, "members"));
            if (orphans > 0 && !is_meant(cli, name, orphans))
                e = OM_EXIT_FAILED;
            json_decref(result);
        }
    }
    json_decref(net);
    return e;
}

enum om_exit om_network_leave(struct om_cli *cli)
{
    char name[OM_OUT_TEXT_MAX];
    enum om_exit e = om_cli_words(cli, 1, 2);
    json_t *result;

    if (e)
        return e;
    if (cli->args.count < 2 && !cli->args.network)
        return om_cli_usage(cli, "network leave: want NETWORK");
    if (!om_args_has(&cli->args, "yes"))
        e = ask_first(cli);
    if (!e)
        e = om_cli_ask(cli, "networks.leave", om_network_params(cli, 1), &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "left \"%s\"",
                    om_out_escape(name, json_string_value(json_object_get(result, "left"))));
    json_decref(result);
    return OM_EXIT_OK;
}
