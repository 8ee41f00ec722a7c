/* cmd_approvals.c - approvals. */
#include <string.h>

#include "commands.h"
#include "table.h"

static const struct om_column columns[] = {
    {"VM", "vm", OM_COLUMN_TEXT},
    {"FOR", "peer", OM_COLUMN_SHORT},
    {"CPUS", "cpus", OM_COLUMN_COUNT},
    {"MIB", "memory_mib", OM_COLUMN_COUNT},
    {"LEASE S", "ttl_s", OM_COLUMN_COUNT},
    {"LEFT", "left_s", OM_COLUMN_AGE},
    {"WHAT FOR", "description", OM_COLUMN_TEXT},
    {"ASKED BY", "why", OM_COLUMN_TEXT},
};

static enum om_exit list(struct om_cli *cli)
{
    json_t *result;
    enum om_exit e = om_cli_ask(cli, "approvals.list", NULL, &result);

    if (e)
        return e;
    const json_t *rows = json_object_get(result, "approvals");
    if (cli->out.json) {
        om_out_json(&cli->out, rows);
    } else if (!json_array_size(rows)) {
        om_out_line(&cli->out, "no request waits");
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), rows) != OM_OK) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

static enum om_exit decide(struct om_cli *cli, bool is_allowed)
{
    char shown[OM_CELL_MAX];
    json_t *result;
    enum om_exit e = om_cli_ask(cli, is_allowed ? "approvals.allow" : "approvals.deny",
                                json_pack("{s:s}", "vm", cli->args.words[1]), &result);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "%s: %s",
                    om_table_cell(shown, OM_COLUMN_TEXT, json_object_get(result, "vm")),
                    is_allowed ? "allowed" : "denied");
    json_decref(result);
    return OM_EXIT_OK;
}

enum om_exit om_cmd_approvals(struct om_cli *cli)
{
    const char *word = cli->args.count ? cli->args.words[0] : "list";
    bool is_list = strcmp(word, "list") == 0, is_allow = strcmp(word, "allow") == 0;

    if (!is_list && !is_allow && strcmp(word, "deny") != 0)
        return om_cli_usage(cli, "want list, allow or deny");
    enum om_exit e = om_cli_words(cli, is_list ? 0 : 2, is_list ? 1 : 2);
    if (e)
        return e;
    return is_list ? list(cli) : decide(cli, is_allow);
}
