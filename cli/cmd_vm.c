/* cmd_vm.c - vm. */
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "interrupt.h"
#include "job.h"
#include "provider.h"
#include "table.h"
#include "vm_into.h"
#include "vm_pick.h"
#include "vm_watch.h"

/* A machine may boot under emulation on a busy machine. */
#define BOOT_PATIENCE OM_SEC(600)
#define END_PATIENCE  OM_SEC(120)

static const struct om_column wanted_columns[] = {
    {"VM", "vm", OM_COLUMN_TEXT},           {"NAME", "name", OM_COLUMN_TEXT},
    {"STATE", "state", OM_COLUMN_TEXT},     {"PROVIDER", "where", OM_COLUMN_SHORT},
    {"IMAGE", "image", OM_COLUMN_TEXT},     {"ENGINE", "engine", OM_COLUMN_TEXT},
    {"ADDRESS", "address", OM_COLUMN_TEXT}, {"LEFT", "left_s", OM_COLUMN_AGE},
    {"WHY", "text", OM_COLUMN_TEXT},
};

static const struct om_column provided_columns[] = {
    {"VM", "vm", OM_COLUMN_TEXT},         {"STATE", "state", OM_COLUMN_TEXT},
    {"FOR", "consumer", OM_COLUMN_SHORT}, {"IMAGE", "image", OM_COLUMN_TEXT},
    {"CPUS", "cpus", OM_COLUMN_COUNT},    {"MIB", "memory_mib", OM_COLUMN_COUNT},
    {"ENGINE", "engine", OM_COLUMN_TEXT}, {"PID", "pid", OM_COLUMN_COUNT},
    {"LEFT", "left_s", OM_COLUMN_AGE},    {"WHY", "text", OM_COLUMN_TEXT},
};

static const char *word_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

/* Asking several providers, each as long as it may take. */
#define CHOOSE_PATIENCE OM_SEC(60)

enum { EVENT_MAX = 512 };

/* What happens to a machine; not twice what was said last. */
static void show_event(struct om_cli *cli, const json_t *event)
{
    static char last[EVENT_MAX];
    char line[EVENT_MAX];
    char vm[OM_OUT_TEXT_MAX], state[OM_OUT_TEXT_MAX], text[OM_OUT_TEXT_MAX], end[OM_OUT_TEXT_MAX];

    if (cli->out.json) {
        om_out_json_line(&cli->out, event);
        return;
    }
    (void)om_out_escape(state, word_of(event, "state"));
    (void)om_out_escape(text, word_of(event, "text"));
    (void)om_out_escape(end, word_of(event, "end"));
    (void)snprintf(line, sizeof line, "%.40s: %.40s%s%.60s%s%.200s",
                   om_out_escape(vm, word_of(event, "vm")), state, *end ? ", " : "", end,
                   *text ? ": " : "", text);
    if (strcmp(line, last) == 0)
        return;
    om_out_line(&cli->out, "%s", line);
    memcpy(last, line, sizeof last);
    (void)fflush(cli->out.to);
}

/* Who is asked, while no machine is there yet. */
static bool show_asking(void *self, const json_t *event)
{
    struct om_cli *cli = self;
    char text[OM_OUT_TEXT_MAX];

    if (strcmp(word_of(event, "event"), "vm") != 0 ||
        strcmp(word_of(event, "state"), "asking") != 0)
        return false;
    if (cli->out.json)
        om_out_json_line(&cli->out, event);
    else
        om_out_line(&cli->out, "%s", om_out_escape(text, word_of(event, "text")));
    (void)fflush(cli->out.to);
    return true;
}

/* The answer to a request; of whichever provider, if none is named. */
static enum om_exit ask_for(struct om_cli *cli, struct om_ask *ask, json_t *params, json_t **result)
{
    struct om_error err;

    if (om_args_value(&cli->args, "provider"))
        return om_cli_call(cli, ask, "vm.request", params, result);
    json_object_set_new(params, "any", json_true());
    om_ask_show(ask, show_asking, cli);
    enum om_exit e = om_ask_call(ask, "vm.request", params, CHOOSE_PATIENCE, result, &err);
    om_ask_show(ask, NULL, NULL);
    if (e)
        om_out_error(&cli->out, "%s", err.msg);
    return e;
}

/* Shows what happens to machine @vm until it is in @wanted, or gone. */
static enum om_exit follow(struct om_cli *cli, struct om_ask *ask, const char *vm,
                           const char *wanted, om_time patience)
{
    struct om_error err;
    json_t *event;

    om_interrupt_catch();
    for (;;) {
        enum om_exit e = om_ask_next_event(ask, patience, &event, &err);
        if (om_interrupt_came())
            return OM_EXIT_FAILED;
        if (e) {
            om_out_error(&cli->out, "%s", err.msg);
            return e;
        }
        bool is_mine =
            strcmp(word_of(event, "event"), "vm") == 0 && strcmp(word_of(event, "vm"), vm) == 0;
        bool is_there = is_mine && strcmp(word_of(event, "state"), wanted) == 0;
        bool is_gone = is_mine && strcmp(word_of(event, "state"), "gone") == 0;
        if (is_mine)
            show_event(cli, event);
        json_decref(event);
        if (is_there || is_gone)
            return is_there ? OM_EXIT_OK : OM_EXIT_FAILED;
    }
}

static enum om_exit request(struct om_cli *cli, struct om_ask *ask)
{
    static const struct {
        const char *option, *param;
    } words[] = {{"memory", "memory"},
                 {"disk", "disk"},
                 {"image", "image"},
                 {"ttl", "ttl"},
                 {"key", "key"},
                 {"timeout", "timeout"},
                 {"description", "description"},
                 {NULL, NULL}};
    json_t *params = om_cli_params(cli), *result;
    char vm[64];
    uint64_t cpus;

    if (om_args_number(&cli->args, "cpu", 1, 64, &cpus, NULL)) {
        json_decref(params);
        return om_cli_usage(cli, "--cpu: want a number from 1 to 64");
    }
    json_object_set_new(params, "cpus", json_integer((json_int_t)cpus));
    for (unsigned i = 0; words[i].option; i++)
        if (om_args_value(&cli->args, words[i].option))
            json_object_set_new(params, words[i].param,
                                json_string(om_args_value(&cli->args, words[i].option)));
    enum om_exit e = om_vm_access(cli, params);
    if (!e)
        e = om_provider_add(cli, ask, params);
    if (e) {
        json_decref(params);
        return e;
    }
    e = ask_for(cli, ask, params, &result);
    if (e)
        return e;
    (void)snprintf(vm, sizeof vm, "%.63s", word_of(result, "vm"));
    show_event(cli, result);
    bool is_up = strcmp(word_of(result, "state"), "running") == 0;
    json_decref(result);
    if (!om_args_has(&cli->args, "wait")) {
        if (!cli->out.json && !is_up)
            om_out_line(&cli->out, "how far it is: omerta vm list");
        return OM_EXIT_OK;
    }
    e = is_up ? OM_EXIT_OK : follow(cli, ask, vm, "running", BOOT_PATIENCE);
    if (!e)
        om_vm_ways(cli, vm);
    return e;
}

static enum om_exit print_rows(struct om_cli *cli, const struct om_column *columns, unsigned n,
                               const json_t *rows)
{
    if (om_table_print(&cli->out, columns, n, rows) == OM_OK)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "out of memory");
    return OM_EXIT_FAILED;
}

static enum om_exit print_lists(struct om_cli *cli, const json_t *result)
{
    const json_t *mine = json_object_get(result, "vms");
    const json_t *provided = json_object_get(result, "provided");
    enum om_exit e = OM_EXIT_OK;
    json_t *row;
    size_t i;

    json_array_foreach(mine, i, row)
    {
        bool is_self = json_is_true(json_object_get(row, "self"));
        json_object_set_new(row, "where", json_string(is_self ? "self" : word_of(row, "provider")));
    }
    if (!json_array_size(mine))
        om_out_line(&cli->out, json_array_size(provided) ? "this node asked for no virtual machine"
                                                         : "no virtual machine (omerta help vm)");
    else
        e = print_rows(cli, wanted_columns, OM_ARRAY_SIZE(wanted_columns), mine);
    if (!e && json_array_size(provided)) {
        om_out_line(&cli->out, "\nprovided here:");
        e = print_rows(cli, provided_columns, OM_ARRAY_SIZE(provided_columns), provided);
    }
    return e;
}

static enum om_exit list(struct om_cli *cli, struct om_ask *ask)
{
    json_t *params = om_cli_params(cli), *result;
    enum om_exit e = om_provider_add(cli, ask, params);

    if (e) {
        json_decref(params);
        return e;
    }
    e = om_cli_call(cli, ask, "vm.list", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        e = print_lists(cli, result);
    json_decref(result);
    return e;
}

/* @method about the machine that the first word after the subcommand names. */
static enum om_exit about(struct om_cli *cli, struct om_ask *ask, const char *method,
                          const char *vm, const char *ttl, json_t **result)
{
    json_t *params = om_cli_params(cli);
    enum om_exit e = om_provider_add(cli, ask, params);

    if (e) {
        json_decref(params);
        return e;
    }
    if (vm)
        json_object_set_new(params, "vm", json_string(vm));
    if (ttl)
        json_object_set_new(params, "ttl", json_string(ttl));
    return om_cli_call(cli, ask, method, params, result);
}

static enum om_exit show(struct om_cli *cli, struct om_ask *ask OM_UNUSED)
{
    const char *vm = cli->args.count > 1 ? cli->args.words[1] : NULL, *key;
    char cell[OM_CELL_MAX], shown[OM_OUT_TEXT_MAX];
    json_t *found, *value;
    enum om_exit e = om_vm_find(cli, vm, &found);

    if (e)
        return e;
    if (cli->out.json) {
        om_out_json(&cli->out, found);
    } else {
        json_object_foreach(found, key, value)
        {
            bool is_left = strcmp(key, "left_s") == 0;
            (void)om_table_cell(cell, is_left ? OM_COLUMN_AGE : OM_COLUMN_TEXT, value);
            if (*cell && strcmp(cell, "-") != 0)
                om_out_line(&cli->out, "%-10s %s", is_left ? "left" : om_out_escape(shown, key),
                            cell);
        }
    }
    json_decref(found);
    return e;
}

static enum om_exit console(struct om_cli *cli, struct om_ask *ask)
{
    json_t *result;
    enum om_exit e = about(cli, ask, "vm.console", cli->args.count > 1 ? cli->args.words[1] : NULL,
                           NULL, &result);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_lines(cli->out.to, word_of(result, "text"));
    json_decref(result);
    return OM_EXIT_OK;
}

static enum om_exit extend(struct om_cli *cli, struct om_ask *ask)
{
    unsigned n = cli->args.count;
    char shown[OM_OUT_TEXT_MAX], left[OM_DURATION_TEXT];
    json_t *result;

    if (n < 2)
        return om_cli_usage(cli, "vm extend: want [VM] DURATION, such as 30m");
    enum om_exit e = about(cli, ask, "vm.extend", n > 2 ? cli->args.words[1] : NULL,
                           cli->args.words[n - 1], &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "%.40s: %s left", om_out_escape(shown, word_of(result, "vm")),
                    om_duration_print(OM_SEC(json_integer_value(json_object_get(result, "left_s"))),
                                      left, sizeof left));
    json_decref(result);
    return OM_EXIT_OK;
}

/* One machine, until nothing of it is left; at a provider that was named we are not told. */
static enum om_exit release_one(struct om_cli *cli, struct om_ask *ask, const char *name)
{
    char vm[64];
    json_t *result;
    enum om_exit e = about(cli, ask, "vm.release", name, NULL, &result);

    if (e)
        return e;
    (void)snprintf(vm, sizeof vm, "%.63s", word_of(result, "vm"));
    show_event(cli, result);
    json_decref(result);
    return om_args_value(&cli->args, "provider") ? OM_EXIT_OK
                                                 : follow(cli, ask, vm, "gone", END_PATIENCE);
}

static enum om_exit release_all(struct om_cli *cli, struct om_ask *ask)
{
    json_t *result, *row;
    size_t i;
    enum om_exit e = om_cli_call(cli, ask, "vm.list", NULL, &result);

    if (e)
        return e;
    if (!cli->out.json && !json_array_size(json_object_get(result, "vms")))
        om_out_line(&cli->out, "this node has no virtual machine");
    json_array_foreach(json_object_get(result, "vms"), i, row)
    {
        enum om_exit one = release_one(cli, ask, word_of(row, "vm"));
        e = one ? one : e;
    }
    json_decref(result);
    return e;
}

static enum om_exit release(struct om_cli *cli, struct om_ask *ask)
{
    bool all = om_args_has(&cli->args, "all");
    json_t *result;

    if (all && cli->args.count > 1)
        return om_cli_usage(cli, "vm release: want a machine or --all, not both");
    enum om_exit e =
        om_cli_call(cli, ask, "events.subscribe", json_pack("{s:[s]}", "kinds", "vm"), &result);
    if (e)
        return e;
    json_decref(result);
    return all ? release_all(cli, ask)
               : release_one(cli, ask, cli->args.count > 1 ? cli->args.words[1] : NULL);
}

enum om_exit om_cmd_vm(struct om_cli *cli)
{
    static const struct {
        const char *name;
        unsigned most; /* words, with its own */
        enum om_exit (*run)(struct om_cli *cli, struct om_ask *ask);
    } table[] = {{"request", 1, request},
                 {"list", 1, list},
                 {"show", 2, show},
                 {"console", 2, console},
                 {"extend", 3, extend},
                 {"release", 2, release},
                 {"traffic", 2, om_vm_traffic},
                 {"capture", 2, om_vm_capture},
                 {"resume", 2, om_vm_resume}};
    static const struct {
        const char *name;
        enum om_exit (*run)(struct om_cli *cli);
    } into[] = {{"ssh", om_vm_ssh}, {"cp", om_vm_cp}, {"forward", om_vm_forward}};
    const char *word = cli->args.count ? cli->args.words[0] : "list";
    struct om_ask *ask;

    if (strcmp(word, "run") == 0)
        return om_cmd_vm_run(cli);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(into); i++)
        if (strcmp(word, into[i].name) == 0)
            return into[i].run(cli);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++) {
        if (strcmp(word, table[i].name) != 0)
            continue;
        enum om_exit e = om_cli_words(cli, 0, table[i].most);
        if (!e)
            e = om_cli_open(cli, &ask);
        if (e)
            return e;
        e = table[i].run(cli, ask);
        om_ask_close(ask);
        return e;
    }
    return om_cli_usage(cli, "want request, list, show, ssh, cp, run, forward, console, extend, "
                             "release, traffic, capture or resume");
}
