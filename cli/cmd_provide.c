/* cmd_provide.c - provide. */
#include <string.h>

#include "commands.h"
#include "table.h"

static void show_amount(struct om_cli *cli, const char *name, const json_t *a)
{
    const json_t *vms = json_object_get(a, "vms");

    if (!a)
        return;
    om_out_line(
        &cli->out,
        "%-8s %" JSON_INTEGER_FORMAT " machines, %" JSON_INTEGER_FORMAT
        " processors, %" JSON_INTEGER_FORMAT " MiB of memory, %" JSON_INTEGER_FORMAT " MiB of disk",
        name, vms ? json_integer_value(vms) : 1, json_integer_value(json_object_get(a, "cpus")),
        json_integer_value(json_object_get(a, "memory")),
        json_integer_value(json_object_get(a, "disk")));
}

static void show(struct om_cli *cli, const json_t *r)
{
    char cell[OM_CELL_MAX], reason[OM_OUT_TEXT_MAX];
    const char *why = json_string_value(json_object_get(r, "reason"));
    const json_t *to = json_object_get(r, "to"), *limits = json_object_get(r, "limits");

    om_out_line(&cli->out, "provides %s",
                json_is_true(json_object_get(r, "on")) ? "virtual machines" : "nothing");
    om_out_line(&cli->out, "for      this node%s%s", json_array_size(to) ? ", " : "",
                json_array_size(to) ? om_table_cell(cell, OM_COLUMN_TEXT, to) : "");
    show_amount(cli, "at most", json_object_get(limits, "all"));
    show_amount(cli, "taken", json_object_get(r, "used"));
    om_out_line(&cli->out, "engine   %s%s%s",
                om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "engine")),
                why && *why ? ": " : "", om_out_escape(reason, why));
}

/* Limits and peers among the options; wrong ones are said. */
static enum om_exit add_limits(struct om_cli *cli, json_t *params)
{
    static const char *const counts[] = {"vms", "cpu"};
    static const char *const names[] = {"vms", "cpus"};
    json_t *to = json_array();
    uint64_t n;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(counts); i++) {
        if (!om_args_has(&cli->args, counts[i]))
            continue;
        if (om_args_number(&cli->args, counts[i], 0, 256, &n, NULL)) {
            json_decref(to);
            return om_cli_usage(cli, "--%s: want a number up to 256", counts[i]);
        }
        json_object_set_new(params, names[i], json_integer((json_int_t)n));
    }
    if (om_args_value(&cli->args, "memory"))
        json_object_set_new(params, "memory", json_string(om_args_value(&cli->args, "memory")));
    if (om_args_value(&cli->args, "disk"))
        json_object_set_new(params, "disk", json_string(om_args_value(&cli->args, "disk")));
    for (unsigned i = 0; i < cli->args.given_count; i++)
        if (strcmp(cli->args.given[i].option->name, "to") == 0)
            json_array_append_new(to, json_string(cli->args.given[i].value));
    if (json_array_size(to))
        json_object_set(params, "to", to);
    json_decref(to);
    return OM_EXIT_OK;
}

enum om_exit om_cmd_provide(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 1);
    const char *word = cli->args.count ? cli->args.words[0] : "show";
    bool is_on = strcmp(word, "on") == 0, is_show = strcmp(word, "show") == 0;
    json_t *params = NULL, *result;

    if (!e && !is_on && !is_show && strcmp(word, "off") != 0)
        return om_cli_usage(cli, "want on, off or show");
    if (e)
        return e;
    if (!is_show) {
        params = json_pack("{s:b}", "on", is_on ? 1 : 0);
        e = is_on ? add_limits(cli, params) : OM_EXIT_OK;
        if (e) {
            json_decref(params);
            return e;
        }
    }
    e = om_cli_ask(cli, is_show ? "provide.show" : "provide.set", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        show(cli, result);
    json_decref(result);
    return OM_EXIT_OK;
}
