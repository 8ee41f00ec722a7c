/* cmd_netcheck.c - how this node is connected. */
#include "commands.h"
#include "table.h"

enum om_exit om_cmd_netcheck(struct om_cli *cli)
{
    static const struct om_column columns[] = {
        {"CHECK", "check", OM_COLUMN_TEXT},
        {"RESULT", "result", OM_COLUMN_TEXT},
        {"WHAT", "what", OM_COLUMN_TEXT},
    };
    enum om_exit e = om_cli_words(cli, 0, 0);
    json_t *result;

    if (!e)
        e = om_cli_ask(cli, "netcheck", NULL, &result);
    if (e)
        return e;
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns),
                              json_object_get(result, "checks"))) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}
