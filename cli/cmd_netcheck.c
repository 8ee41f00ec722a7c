/* cmd_netcheck.c - how this node is connected. */
#include "commands.h"
#include "table.h"

#define ANSWERS_TAKE OM_SEC(1)

/* Has peers asked anew, and takes what is known once they have answered. */
static enum om_exit measure(struct om_cli *cli, struct om_ask *ask, json_t **result)
{
    json_t *params = om_cli_params(cli), *event, *asked;
    struct om_error err;

    json_object_set_new(params, "measure", json_true());
    enum om_exit e = om_cli_call(cli, ask, "netcheck", params, result);
    if (e || json_integer_value(json_object_get(*result, "measured")) == 0)
        return e;
    om_out_progress(&cli->out, "asking peers");
    e = om_ask_next_event(ask, ANSWERS_TAKE, &event, &err); /* none was subscribed to */
    if (!e)
        json_decref(event);
    asked = json_incref(json_object_get(*result, "measured"));
    json_decref(*result);
    e = om_cli_call(cli, ask, "netcheck", om_cli_params(cli), result);
    if (e)
        json_decref(asked);
    else
        json_object_set_new(*result, "measured", asked);
    return e;
}

enum om_exit om_cmd_netcheck(struct om_cli *cli)
{
    static const struct om_column columns[] = {
        {"CHECK", "check", OM_COLUMN_TEXT},
        {"RESULT", "result", OM_COLUMN_TEXT},
        {"WHAT", "what", OM_COLUMN_TEXT},
    };
    enum om_exit e = om_cli_words(cli, 0, 0);
    char shown[OM_OUT_TEXT_MAX];
    struct om_ask *ask;
    json_t *result;

    if (!e)
        e = om_cli_open(cli, &ask);
    if (e)
        return e;
    e = measure(cli, ask, &result);
    om_ask_close(ask);
    if (e)
        return e;
    const char *problem = json_string_value(json_object_get(result, "problem"));
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns),
                              json_object_get(result, "checks"))) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    if (problem) {
        om_out_error(&cli->out, "%s", om_out_said(shown, problem));
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}
