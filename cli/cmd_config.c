/* cmd_config.c - config and reload. */
#include <string.h>

#include "child.h"
#include "commands.h"
#include "table.h"
#include "walk.h"

/* One line for each value: "mesh.port = 18002". */
static void show_flat(struct om_out *out, json_t *config)
{
    const char *names[OM_WALK_DEPTH_MAX] = {NULL};
    struct om_walk w;
    struct om_step step;

    om_walk_init(&w, config);
    while (om_walk_next(&w, &step)) {
        char name[OM_OUT_TEXT_MAX], shown[OM_OUT_TEXT_MAX], cell[OM_CELL_MAX];
        size_t n = 0;

        names[step.depth] = step.key;
        if (!step.key || (json_is_object(step.value) && json_object_size(step.value)))
            continue; /* what is in a list is shown with the list */
        for (unsigned i = 0; i <= step.depth && n < sizeof name; i++)
            n += (size_t)snprintf(name + n, sizeof name - n, "%s%s", i ? "." : "",
                                  om_out_escape(shown, names[i]));
        om_out_line(out, "%s = %s", name, om_table_cell(cell, OM_COLUMN_TEXT, step.value));
    }
}

static enum om_exit show(struct om_cli *cli)
{
    json_t *result;
    enum om_exit e = om_cli_ask(cli, "config.show", NULL, &result);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        show_flat(&cli->out, result);
    json_decref(result);
    return OM_EXIT_OK;
}

/* The keys are the daemon's; its program knows them without running. */
static enum om_exit show_keys(struct om_cli *cli)
{
    const char *argv[] = {NULL, "config", "keys", cli->out.json ? "--json" : NULL, NULL};
    char program[OM_PATH_MAX];

    if (!om_child_find("omerta-meshd", program)) {
        om_out_error(&cli->out, "omerta-meshd is neither beside omerta nor in PATH");
        return OM_EXIT_FAILED;
    }
    argv[0] = program;
    return om_child_run(argv, false) == 0 ? OM_EXIT_OK : OM_EXIT_FAILED;
}

static enum om_exit show_path(struct om_cli *cli)
{
    char path[OM_PATH_MAX + 16];
    json_t *value;

    snprintf(path, sizeof path, "%s/config.json", cli->place.home);
    if (!cli->out.json) {
        om_out_line(&cli->out, "%s", path);
        return OM_EXIT_OK;
    }
    value = json_pack("{s:s}", "path", path);
    om_out_json(&cli->out, value);
    json_decref(value);
    return OM_EXIT_OK;
}

enum om_exit om_cmd_config(struct om_cli *cli)
{
    const char *word = cli->args.count ? cli->args.words[0] : "show";
    static const struct {
        const char *word;
        enum om_exit (*run)(struct om_cli *cli);
    } table[] = {{"show", show}, {"keys", show_keys}, {"path", show_path}};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++)
        if (strcmp(word, table[i].word) == 0) {
            enum om_exit e = om_cli_words(cli, 0, 1);
            return e ? e : table[i].run(cli);
        }
    return om_cli_usage(cli, "config: want show, keys or path; values are set in the file that path"
                             " names, then: omerta reload");
}

enum om_exit om_cmd_reload(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 0);
    char shown[OM_OUT_TEXT_MAX], was[OM_CELL_MAX], is[OM_CELL_MAX];
    const json_t *changed;
    json_t *result, *one;
    size_t i;

    if (!e)
        e = om_cli_ask(cli, "config.reload", NULL, &result);
    if (e)
        return e;
    changed = json_object_get(result, "changed");
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else if (!json_array_size(changed))
        om_out_line(&cli->out, "nothing changed");
    json_array_foreach(cli->out.json ? NULL : changed, i, one)
    {
        bool waits = json_is_true(json_object_get(one, "needs_restart"));

        om_out_escape(shown, json_string_value(json_object_get(one, "key")));
        om_table_cell(was, OM_COLUMN_TEXT, json_object_get(one, "was"));
        om_table_cell(is, OM_COLUMN_TEXT, json_object_get(one, "is"));
        om_out_line(&cli->out, "changed: %s from %s to %s%s", shown, *was ? was : "nothing",
                    *is ? is : "nothing", waits ? ", after a restart" : "");
    }
    json_decref(result);
    return OM_EXIT_OK;
}
