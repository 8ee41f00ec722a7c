/* cmd_filter.c - filter. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "table.h"

enum { LINE_BYTES = 1024, NUMBER_MAX = 1 << 20 };

static const struct om_column columns[] = {
    {"RULE", "name", OM_COLUMN_TEXT},
    {"THEN", "then", OM_COLUMN_TEXT},
    {"IF", "if", OM_COLUMN_TEXT},
    {"NOTE", "note", OM_COLUMN_TEXT},
};

static const struct om_column reputation_columns[] = {
    {"PEER", "peer", OM_COLUMN_SHORT},
    {"REPUTATION", "reputation", OM_COLUMN_COUNT},
};

/* Every value of option @name, into list @key of @to. */
static void add_list(const struct om_cli *cli, json_t *to, const char *key, const char *name)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cli->args.given_count; i++)
        if (strcmp(cli->args.given[i].option->name, name) == 0)
            (void)json_array_append_new(list, json_string(cli->args.given[i].value));
    if (json_array_size(list))
        (void)json_object_set(to, key, list);
    json_decref(list);
}

static void add_text(const struct om_cli *cli, json_t *to, const char *key, const char *name)
{
    if (om_args_value(&cli->args, name))
        (void)json_object_set_new(to, key, json_string(om_args_value(&cli->args, name)));
}

static enum om_exit add_number(struct om_cli *cli, json_t *to, const char *key, const char *name)
{
    uint64_t n = 0;

    if (!om_args_has(&cli->args, name))
        return OM_EXIT_OK;
    if (om_args_number(&cli->args, name, 0, NUMBER_MAX, &n, NULL))
        return om_cli_usage(cli, "--%s: want a number", name);
    (void)json_object_set_new(to, key, json_integer((json_int_t)n));
    return OM_EXIT_OK;
}

/* @part, taken, becomes @key of @rule unless nothing is in it. */
static void add_part(json_t *rule, const char *key, json_t *part)
{
    if (json_object_size(part))
        (void)json_object_set(rule, key, part);
    json_decref(part);
}

/* "22:00-08:00" */
static enum om_exit add_hours(struct om_cli *cli, json_t *rule)
{
    const char *text = om_args_value(&cli->args, "hours");
    const char *dash = text ? strchr(text, '-') : NULL;

    if (!text)
        return OM_EXIT_OK;
    if (!dash)
        return om_cli_usage(cli, "--hours: want FROM-TO, as 22:00-08:00");
    json_t *part = json_object();
    (void)json_object_set_new(part, "from", json_stringn(text, (size_t)(dash - text)));
    (void)json_object_set_new(part, "to", json_string(dash + 1));
    add_part(rule, "hours", part);
    return OM_EXIT_OK;
}

static enum om_exit add_resources(struct om_cli *cli, json_t *rule)
{
    json_t *part = json_object();
    enum om_exit e = add_number(cli, part, "cpus_over", "cpu-over");

    add_text(cli, part, "memory_over", "memory-over");
    add_text(cli, part, "disk_over", "disk-over");
    add_text(cli, part, "ttl_over", "ttl-over");
    add_text(cli, part, "egress", "egress");
    add_part(rule, "resources", part);
    return e;
}

static enum om_exit add_reputation(struct om_cli *cli, json_t *rule)
{
    json_t *part = json_object();
    enum om_exit e = add_number(cli, part, "below", "reputation-below");

    if (!e)
        e = add_number(cli, part, "above", "reputation-above");
    add_part(rule, "reputation", part);
    return e;
}

/* A rule of the options, as in filters.json; its sense is the daemon's to judge. */
static enum om_exit read_rule(struct om_cli *cli, json_t *rule)
{
    json_t *words = json_object();
    enum om_exit e;

    add_text(cli, rule, "name", "name");
    add_text(cli, rule, "then", "then");
    add_text(cli, rule, "note", "note");
    add_list(cli, rule, "peer", "peer");
    add_list(cli, rule, "address", "address");
    if (cli->args.network)
        (void)json_object_set_new(rule, "network", json_pack("[s]", cli->args.network));
    add_list(cli, words, "words", "words");
    if (om_args_has(&cli->args, "no-description"))
        (void)json_object_set_new(words, "missing", json_true());
    add_part(rule, "description", words);
    e = add_hours(cli, rule);
    if (!e)
        e = add_resources(cli, rule);
    if (!e)
        e = add_reputation(cli, rule);
    return e;
}

/* "memory_over 8192, egress internet" of an object; else as cells are. */
static void show_value(char out[static OM_CELL_MAX], json_t *value)
{
    char cell[OM_CELL_MAX];
    const char *key;
    json_t *one;
    size_t n = 0;

    out[0] = 0;
    json_object_foreach(value, key, one)
    {
        if (n < OM_CELL_MAX)
            n += (size_t)snprintf(out + n, OM_CELL_MAX - n, "%s%s %s", n ? ", " : "", key,
                                  om_table_cell(cell, OM_COLUMN_TEXT, one));
    }
    if (!json_is_object(value))
        (void)om_table_cell(out, OM_COLUMN_TEXT, value);
}

/* The starts of ids, by which peers and networks can be named. */
static void show_ids(char out[static OM_CELL_MAX], json_t *ids)
{
    char cell[OM_CELL_MAX];
    json_t *one;
    size_t n = 0, i;

    json_array_foreach(ids, i, one)
    {
        if (n < OM_CELL_MAX)
            n += (size_t)snprintf(out + n, OM_CELL_MAX - n, "%s%s", n ? ", " : "",
                                  om_table_cell(cell, OM_COLUMN_SHORT, one));
    }
}

/* What must hold for @rule, in one line. */
static json_t *conditions_of(json_t *rule)
{
    char line[LINE_BYTES] = "", text[OM_CELL_MAX];
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach(rule, key, value)
    {
        if (strcmp(key, "name") == 0 || strcmp(key, "then") == 0 || strcmp(key, "note") == 0)
            continue;
        if (strcmp(key, "peer") == 0 || strcmp(key, "network") == 0)
            show_ids(text, value);
        else
            show_value(text, value);
        if (n < sizeof line)
            n += (size_t)snprintf(line + n, sizeof line - n, "%s%s: %s", n ? "; " : "", key, text);
    }
    return json_string(n ? line : "everybody");
}

static enum om_exit show(struct om_cli *cli, const json_t *result)
{
    json_t *rules = json_object_get(result, "rules"), *rule;
    char cell[OM_CELL_MAX];
    size_t i;

    if (cli->out.json) {
        om_out_json(&cli->out, result);
        return OM_EXIT_OK;
    }
    json_array_foreach(rules, i, rule)(void) json_object_set_new(rule, "if", conditions_of(rule));
    if (json_array_size(rules) &&
        om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), rules) != OM_OK) {
        om_out_error(&cli->out, "out of memory");
        return OM_EXIT_FAILED;
    }
    om_out_line(&cli->out, "%s: %s",
                json_array_size(rules) ? "when none holds" : "there are no rules",
                om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(result, "default")));
    return OM_EXIT_OK;
}

static enum om_exit change(struct om_cli *cli, const char *method, json_t *params)
{
    json_t *result;
    enum om_exit e = om_cli_ask(cli, method, params, &result);

    if (e)
        return e;
    e = show(cli, result);
    json_decref(result);
    return e;
}

static enum om_exit list(struct om_cli *cli)
{
    return change(cli, "filter.list", NULL);
}

static enum om_exit add(struct om_cli *cli)
{
    if (!om_args_has(&cli->args, "name") || !om_args_has(&cli->args, "then"))
        return om_cli_usage(cli, "filter add: want --name NAME and --then allow, deny or ask");
    json_t *rule = json_object(), *params = json_pack("{s:O}", "rule", rule);
    enum om_exit e = read_rule(cli, rule);

    json_decref(rule);
    if (e) {
        json_decref(params);
        return e;
    }
    add_text(cli, params, "before", "before");
    return change(cli, "filter.add", params);
}

static enum om_exit rm(struct om_cli *cli)
{
    return change(cli, "filter.remove", json_pack("{s:s}", "name", cli->args.words[1]));
}

static enum om_exit otherwise(struct om_cli *cli)
{
    return change(cli, "filter.default", json_pack("{s:s}", "then", cli->args.words[1]));
}

/* The options of a request, for the rules to judge. */
static enum om_exit test(struct om_cli *cli)
{
    static const char *const texts[] = {"peer",   "memory",      "disk", "ttl",
                                        "egress", "description", "at",   "address"};
    json_t *params = om_cli_params(cli), *result;
    char verdict[OM_CELL_MAX], text[OM_CELL_MAX];
    enum om_exit e = OM_EXIT_OK;

    if (!om_args_has(&cli->args, "peer"))
        e = om_cli_usage(cli, "filter test: want --peer PEER, who would ask");
    for (unsigned i = 0; i < OM_ARRAY_SIZE(texts); i++)
        add_text(cli, params, texts[i], texts[i]);
    if (!e)
        e = add_number(cli, params, "cpus", "cpu");
    if (!e)
        e = add_number(cli, params, "reputation", "reputation");
    if (e) {
        json_decref(params);
        return e;
    }
    e = om_cli_ask(cli, "filter.test", params, &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "%s: %s",
                    om_table_cell(verdict, OM_COLUMN_TEXT, json_object_get(result, "verdict")),
                    om_table_cell(text, OM_COLUMN_TEXT, json_object_get(result, "text")));
    json_decref(result);
    return OM_EXIT_OK;
}

static enum om_exit reputation(struct om_cli *cli)
{
    json_t *result;
    enum om_exit e = om_cli_ask(cli, "filter.reputation", NULL, &result);

    if (e)
        return e;
    const json_t *rows = json_object_get(result, "peers");
    if (cli->out.json) {
        om_out_json(&cli->out, rows);
    } else if (!json_array_size(rows)) {
        om_out_line(&cli->out, "no peer had a machine here yet");
    } else if (om_table_print(&cli->out, reputation_columns, OM_ARRAY_SIZE(reputation_columns),
                              rows) != OM_OK) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

enum om_exit om_cmd_filter(struct om_cli *cli)
{
    static const struct {
        const char *name;
        unsigned words; /* with its own */
        enum om_exit (*run)(struct om_cli *cli);
    } table[] = {{"add", 1, add}, {"default", 2, otherwise},     {"list", 1, list},
                 {"rm", 2, rm},   {"reputation", 1, reputation}, {"test", 1, test}};
    const char *word = cli->args.count ? cli->args.words[0] : "list";

    for (unsigned i = 0; i < OM_ARRAY_SIZE(table); i++) {
        if (strcmp(word, table[i].name) != 0)
            continue;
        enum om_exit e =
            cli->args.count ? om_cli_words(cli, table[i].words, table[i].words) : OM_EXIT_OK;
        return e ? e : table[i].run(cli);
    }
    return om_cli_usage(cli, "want add, default, list, reputation, rm or test");
}
