/* cmd_log.c - the log: from the daemon, or from its file when it is down. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "logfile.h"
#include "table.h"

enum { LINES_DEFAULT = 50, LINES_MAX = 100000 };

static void show_line(struct om_cli *cli, const json_t *line)
{
    char shown[OM_OUT_TEXT_MAX];
    const char *text = json_string_value(line);

    if (cli->out.json)
        om_out_json_line(&cli->out, line);
    else if (text)
        om_out_line(&cli->out, "%s", om_out_escape(shown, text));
    else {
        char *dump = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);

        om_out_line(&cli->out, "%s", dump ? dump : "");
        free(dump);
    }
}

static void show_json_lines(struct om_cli *cli, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        json_t *line = json_stringn(text, n);

        om_out_json_line(&cli->out, line ? line : json_null()); /* null: no UTF-8 */
        json_decref(line);
        text += n + (text[n] == '\n');
    }
}

/* The file as it is, only escaped: peers' names are in it. */
static enum om_exit show_file(struct om_cli *cli, size_t lines)
{
    struct om_error err;
    char *text;

    if (om_logfile_tail(cli->place.home, lines, &text, &err)) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_NO_DAEMON;
    }
    if (cli->out.json)
        show_json_lines(cli, text);
    else
        om_out_lines(cli->out.to, text);
    free(text);
    return OM_EXIT_OK;
}

static enum om_exit follow(struct om_cli *cli, struct om_ask *ask)
{
    while (!om_interrupt_came()) {
        struct om_error err;
        json_t *event, *line;
        enum om_exit e = om_ask_next_event(ask, OM_NEVER, &event, &err);

        if (om_interrupt_came())
            break;
        if (e) {
            om_out_error(&cli->out, "%s", err.msg);
            return e;
        }
        line = json_object_get(event, "line");
        show_line(cli, line ? line : event);
        (void)fflush(cli->out.to);
        json_decref(event);
    }
    return OM_EXIT_OK;
}

static enum om_exit from_daemon(struct om_cli *cli, struct om_ask *ask, uint64_t lines)
{
    bool follows = om_args_has(&cli->args, "follow");
    json_t *result, *line, *subscribed;
    const json_t *list;
    enum om_exit e = OM_EXIT_OK;
    size_t i;

    if (follows) {
        e = om_cli_call(cli, ask, "events.subscribe", json_pack("{s:[s]}", "kinds", "log"),
                        &subscribed);
        if (e)
            return e;
        json_decref(subscribed);
    }
    e = om_cli_call(cli, ask, "log.tail", json_pack("{s:I}", "lines", (json_int_t)lines), &result);
    if (e)
        return e;
    list = json_is_array(result) ? result : json_object_get(result, "lines");
    json_array_foreach(list, i, line) show_line(cli, line);
    (void)fflush(cli->out.to);
    json_decref(result);
    if (!follows)
        return OM_EXIT_OK;
    om_interrupt_catch();
    return follow(cli, ask);
}

enum om_exit om_cmd_log(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);
    struct om_error err;
    struct om_ask *ask;
    uint64_t lines;

    if (e)
        return e;
    if (om_args_number(&cli->args, "lines", LINES_DEFAULT, LINES_MAX, &lines, &err))
        return om_cli_usage(cli, "%s", err.msg);
    e = om_ask_open(&ask, cli->place.control, &err);
    if (e == OM_EXIT_NO_DAEMON && !om_args_has(&cli->args, "follow"))
        return show_file(cli, (size_t)lines);
    if (e) {
        om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    e = from_daemon(cli, ask, lines);
    om_ask_close(ask);
    return e;
}
