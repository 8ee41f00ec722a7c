/* cmd_providers.c - providers. */
#include "commands.h"
#include "table.h"

static const struct om_column columns[] = {
    {"PROVIDER", "provider", OM_COLUMN_SHORT}, {"NAME", "name", OM_COLUMN_TEXT},
    {"ENGINE", "engine", OM_COLUMN_TEXT},      {"CPUS", "cpus", OM_COLUMN_COUNT},
    {"MIB", "memory_mib", OM_COLUMN_COUNT},    {"DISK MIB", "disk_mib", OM_COLUMN_COUNT},
    {"IMAGES", "images", OM_COLUMN_TEXT},      {"FOR", "for", OM_COLUMN_TEXT},
    {"LOAD", "load", OM_COLUMN_COUNT},         {"RTT", "rtt_ms", OM_COLUMN_MS},
    {"HEARD", "heard_s", OM_COLUMN_AGE},       {"NO KVM AS", "no_kvm", OM_COLUMN_TEXT},
    {"WHY NOT", "why", OM_COLUMN_TEXT},
};

static enum om_exit print(struct om_cli *cli, const json_t *rows)
{
    bool is_all = om_args_has(&cli->args, "all");
    unsigned n = OM_ARRAY_SIZE(columns) - !is_all; /* all that are shown fit */
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        bool is_open = json_is_true(json_object_get(row, "everybody"));
        json_object_set_new(row, "for", json_string(is_open ? "everybody" : "named"));
    }
    if (!json_array_size(rows)) {
        om_out_line(&cli->out, is_all ? "no provider is known"
                                      : "no provider that fits is known (--all shows the others)");
        return OM_EXIT_OK;
    }
    if (om_table_print(&cli->out, columns, n, rows) == OM_OK)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "out of memory");
    return OM_EXIT_FAILED;
}

enum om_exit om_cmd_providers(struct om_cli *cli)
{
    static const char *const words[] = {"memory", "disk", "image"};
    enum om_exit e = om_cli_words(cli, 0, 0);
    json_t *params, *result;
    uint64_t cpus = 0;

    if (e)
        return e;
    if (om_args_has(&cli->args, "cpu") && om_args_number(&cli->args, "cpu", 1, 64, &cpus, NULL))
        return om_cli_usage(cli, "--cpu: want a number from 1 to 64");
    params = om_cli_params(cli);
    if (cpus)
        json_object_set_new(params, "cpus", json_integer((json_int_t)cpus));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        if (om_args_value(&cli->args, words[i]))
            json_object_set_new(params, words[i], json_string(om_args_value(&cli->args, words[i])));
    if (om_args_has(&cli->args, "all"))
        json_object_set_new(params, "all", json_true());
    e = om_cli_ask(cli, "providers.list", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        e = print(cli, json_object_get(result, "providers"));
    json_decref(result);
    return e;
}
