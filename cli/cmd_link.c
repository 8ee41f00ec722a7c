/* cmd_link.c - link. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "table.h"

static const struct om_column columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},
    {"NAME", "name", OM_COLUMN_TEXT},
    {"KIND", "kind", OM_COLUMN_TEXT},
    {"PEER", "peer", OM_COLUMN_SHORT},
    {"MTU", "mtu", OM_COLUMN_COUNT},
    {"THERE", "there_all", OM_COLUMN_TEXT},
    {"TCP", "flows", OM_COLUMN_COUNT},
    {"UDP", "udp_flows", OM_COLUMN_COUNT},
    {"INWARD", "inward_flows", OM_COLUMN_COUNT},
    {"IN", "bytes_in", OM_COLUMN_BYTES},
    {"OUT", "bytes_out", OM_COLUMN_BYTES},
    {"REFUSED", "refused", OM_COLUMN_COUNT},
    {"ROGUE", "rogue_score", OM_COLUMN_COUNT},
    {"DROPPED", "dropped_all", OM_COLUMN_TEXT},
    {"LAST ERROR", "last_error", OM_COLUMN_TEXT},
};

/* Texts of what takes more than one value. */
static void add_texts(json_t *row)
{
    json_t *dropped = json_array(), *there = json_array(), *count;
    const char *const sides[] = {"there", "there6"};
    const char *reason;
    char text[64];

    json_object_foreach(json_object_get(row, "dropped"), reason, count)
    {
        (void)snprintf(text, sizeof text, "%s %lld", reason, (long long)json_integer_value(count));
        (void)json_array_append_new(dropped, json_string(text));
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(sides); i++) {
        json_t *side = json_object_get(row, sides[i]);
        if (json_string_length(side) > 0)
            (void)json_array_append(there, side);
    }
    (void)json_object_set_new(row, "dropped_all", dropped);
    (void)json_object_set_new(row, "there_all", there);
}

enum om_exit om_cmd_link(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 1);
    json_t *result, *rows, *row;
    size_t i;

    if (!e && cli->args.count && strcmp(cli->args.words[0], "list") != 0)
        return om_cli_usage(cli, "want list");
    if (!e)
        e = om_cli_ask(cli, "links.list", NULL, &result);
    if (e)
        return e;
    rows = json_object_get(result, "links");
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (!json_array_size(rows)) {
        om_out_line(&cli->out, "there is no link");
    } else {
        json_array_foreach(rows, i, row) add_texts(row);
        if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), rows)) {
            om_out_error(&cli->out, "out of memory");
            e = OM_EXIT_FAILED;
        }
    }
    json_decref(result);
    return e;
}
