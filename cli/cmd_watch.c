/* cmd_watch.c - events as they happen. */
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "table.h"

static void show_event(struct om_cli *cli, json_t *event)
{
    char shown[OM_OUT_TEXT_MAX], cell[OM_CELL_MAX];
    const char *key;
    json_t *value;

    if (cli->out.json) {
        om_out_json_line(&cli->out, event);
        return;
    }
    om_out_progress_done(&cli->out);
    (void)fputs(om_out_escape(shown, json_string_value(json_object_get(event, "event"))),
                cli->out.to);
    json_object_foreach(event, key, value)
    {
        if (strcmp(key, "event") == 0)
            continue;
        fprintf(cli->out.to, " %s=", om_out_escape(shown, key));
        (void)fputs(om_table_cell(cell, OM_COLUMN_TEXT, value), cli->out.to);
    }
    (void)fputc('\n', cli->out.to);
    (void)fflush(cli->out.to);
}

static enum om_exit watch(struct om_cli *cli, struct om_ask *ask, uint64_t count)
{
    uint64_t seen = 0;

    while ((!count || seen < count) && !om_interrupt_came()) {
        struct om_error err;
        json_t *event;
        enum om_exit e = om_ask_next_event(ask, OM_NEVER, &event, &err);

        if (om_interrupt_came())
            break;
        if (e) {
            om_out_error(&cli->out, "%s", err.msg);
            return e;
        }
        show_event(cli, event);
        json_decref(event);
        seen++;
    }
    return OM_EXIT_OK;
}

enum om_exit om_cmd_watch(struct om_cli *cli)
{
    json_t *params, *kinds, *result;
    struct om_error err;
    struct om_ask *ask;
    enum om_exit e;
    uint64_t count;

    if (om_args_number(&cli->args, "count", 0, UINT64_MAX, &count, &err))
        return om_cli_usage(cli, "%s", err.msg);
    e = om_cli_open(cli, &ask);
    if (e)
        return e;
    params = json_object();
    kinds = cli->args.count ? json_array() : NULL;
    for (unsigned i = 0; i < cli->args.count; i++)
        json_array_append_new(kinds, json_string(cli->args.words[i]));
    if (kinds)
        json_object_set_new(params, "kinds", kinds);
    e = om_cli_call(cli, ask, "events.subscribe", params, &result);
    if (!e) {
        json_decref(result);
        om_interrupt_catch();
        om_out_progress(&cli->out, "watching; Ctrl-C ends");
        e = watch(cli, ask, count);
    }
    om_ask_close(ask);
    return e;
}
