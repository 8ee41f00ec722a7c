/* cli.c - the short ways to ask the daemon. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"

enum om_exit om_cli_open(struct om_cli *cli, struct om_ask **out)
{
    struct om_error err;
    enum om_exit e = om_ask_open(out, cli->place.control, &err);

    if (e)
        om_out_error(&cli->out, "%s", err.msg);
    return e;
}

enum om_exit om_cli_call(struct om_cli *cli, struct om_ask *ask, const char *method, json_t *params,
                         json_t **result)
{
    struct om_error err;
    enum om_exit e = om_ask_call(ask, method, params, OM_ASK_PATIENCE, result, &err);

    if (e)
        om_out_error(&cli->out, "%s", err.msg);
    return e;
}

enum om_exit om_cli_ask(struct om_cli *cli, const char *method, json_t *params, json_t **result)
{
    struct om_ask *ask;
    enum om_exit e = om_cli_open(cli, &ask);

    *result = NULL;
    if (e) {
        json_decref(params);
        return e;
    }
    e = om_cli_call(cli, ask, method, params, result);
    om_ask_close(ask);
    return e;
}

enum om_exit om_cli_usage(struct om_cli *cli, const char *fmt, ...)
{
    const char *command = cli->args.command;
    size_t n = strlen(command);
    char text[OM_OUT_TEXT_MAX];
    bool is_said;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    is_said = strncmp(text, command, n) == 0 && (text[n] == ':' || text[n] == ' ');
    om_out_error(&cli->out, "%s%s%s (see `omerta help %s`)", is_said ? "" : command,
                 is_said ? "" : ": ", text, command);
    return OM_EXIT_USAGE;
}

enum om_exit om_cli_words(struct om_cli *cli, unsigned least, unsigned most)
{
    if (cli->args.count < least)
        return om_cli_usage(cli, "%s: want %s", cli->args.command,
                            om_command_find(cli->args.command)->args);
    if (cli->args.count > most) {
        char shown[OM_OUT_TEXT_MAX];

        return om_cli_usage(cli, "%s: unexpected \"%s\"", cli->args.command,
                            om_out_escape(shown, cli->args.words[most]));
    }
    return OM_EXIT_OK;
}

enum om_exit om_cli_port(struct om_cli *cli, const char *text, long long *out)
{
    char shown[OM_SHOW_TEXT];
    uint64_t port;

    if (om_u64_parse(&port, text, UINT16_MAX, NULL) != OM_OK || port == 0)
        return om_cli_usage(cli, "\"%s\": want a port from 1 to 65535", om_text_show(shown, text));
    *out = (long long)port;
    return OM_EXIT_OK;
}

json_t *om_cli_params(const struct om_cli *cli)
{
    json_t *params = json_object();

    if (params && cli->args.network &&
        json_object_set_new(params, "network", json_string(cli->args.network))) {
        json_decref(params);
        return NULL;
    }
    return params;
}
