/* cmd_provide.c - provide. */
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "table.h"

enum { BITS = 8, SETTLE_LOOKS = 25 };
#define SETTLE_LOOK OM_MS(200)

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

/* Has @scope limits of its own? */
static bool is_less(const json_t *limits, const char *scope)
{
    const json_t *all = json_object_get(limits, "all"), *value;
    json_t *one = json_object_get(limits, scope);
    const char *key;

    json_object_foreach(one, key,
                        value) if (!json_equal(value, json_object_get(all, key))) return true;
    return false;
}

static void show(struct om_cli *cli, const json_t *r)
{
    static const char *const scopes[] = {"vm", "peer", "network"};
    static const char *const titles[] = {"a vm", "a peer", "a net"};
    char cell[OM_CELL_MAX], policy[OM_CELL_MAX], reason[OM_OUT_TEXT_MAX];
    const char *why = json_string_value(json_object_get(r, "reason"));
    const char *hint = json_string_value(json_object_get(r, "hint"));
    const json_t *to = json_object_get(r, "to"), *limits = json_object_get(r, "limits");

    bool is_on = json_is_true(json_object_get(r, "on"));

    om_out_line(&cli->out, "provides %s", is_on ? "virtual machines" : "nothing");
    if (json_array_size(to))
        om_out_line(&cli->out, "for      this node, %s", om_table_cell(cell, OM_COLUMN_TEXT, to));
    else
        om_out_line(&cli->out, "for      this node alone%s",
                    is_on ? " (others: omerta provide on --to PEER)" : "");
    show_amount(cli, "at most", json_object_get(limits, "all"));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(scopes); i++)
        if (is_less(limits, scopes[i]))
            show_amount(cli, titles[i], json_object_get(limits, scopes[i]));
    show_amount(cli, "taken", json_object_get(r, "used"));
    om_out_line(&cli->out, "owner    %s",
                json_is_true(json_object_get(r, "owner_first"))
                    ? "first: own machines may end the newest of others"
                    : "waits, as everybody");
    om_out_line(&cli->out, "lease    at most %s",
                om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "max_lease")));
    om_out_line(&cli->out, "gate     %s; violations: %s",
                om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "gate")),
                om_table_cell(policy, OM_COLUMN_TEXT, json_object_get(r, "violations")));
    if (json_integer_value(json_object_get(r, "rate")) > 0)
        om_out_line(&cli->out, "rate     %s a second of each, each way",
                    om_table_cell(cell, OM_COLUMN_BYTES, json_object_get(r, "rate")));
    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "engine"));
    if (is_on && strcmp(cell, "unknown") == 0 && !(why && *why))
        why = "being tried; omerta provide says it in a moment";
    om_out_line(&cli->out, "accel    %s",
                om_table_cell(policy, OM_COLUMN_TEXT, json_object_get(r, "accel")));
    om_out_line(&cli->out, "engine   %s%s%s", cell, why && *why ? ": " : "",
                om_out_escape(reason, why));
    if (hint && *hint)
        om_out_line(&cli->out, "but      %s", om_out_escape(reason, hint));
}

/* "vms=2,memory=1G" of option --@name, as @key of @params. */
static enum om_exit add_each(struct om_cli *cli, json_t *params, const char *name, const char *key)
{
    static const struct {
        const char *word, *member;
        bool is_number;
    } words[] = {{"vms", "vms", true},
                 {"cpu", "cpus", true},
                 {"memory", "memory", false},
                 {"disk", "disk", false}};
    const char *at = om_args_value(&cli->args, name), *end, *value;
    json_t *each = at ? json_object() : NULL;
    char text[16];

    for (; at && *at; at = *end ? end + 1 : end) {
        size_t n = strcspn(at, "=,");
        unsigned i = 0;
        while (i < OM_ARRAY_SIZE(words) &&
               (strlen(words[i].word) != n || memcmp(words[i].word, at, n) != 0))
            i++;
        value = at[n] == '=' ? at + n + 1 : "";
        end = value + strcspn(value, ",");
        size_t len = (size_t)(end - value);
        bool is_good = i < OM_ARRAY_SIZE(words) && len > 0 && len < sizeof text;
        memcpy(text, value, is_good ? len : 0);
        text[is_good ? len : 0] = 0;
        is_good =
            is_good && !(words[i].is_number && (len > 4 || strspn(text, "0123456789") != len));
        if (!is_good) {
            json_decref(each);
            return om_cli_usage(cli, "--%s: want limits, as vms=2,cpu=2,memory=1G,disk=4G", name);
        }
        json_object_set_new(each, words[i].member,
                            words[i].is_number ? json_integer(strtol(text, NULL, 10))
                                               : json_string(text));
    }
    if (each)
        json_object_set_new(params, key, each);
    return OM_EXIT_OK;
}

/* Limits of one machine, peer or network, and who goes first. */
static enum om_exit add_scopes(struct om_cli *cli, json_t *params)
{
    const char *first = om_args_value(&cli->args, "owner-first");
    bool is_yes = first && strcmp(first, "yes") == 0;
    enum om_exit e = add_each(cli, params, "each-vm", "each_vm");

    if (!e)
        e = add_each(cli, params, "each-peer", "each_peer");
    if (!e)
        e = add_each(cli, params, "each-network", "each_network");
    if (!e && first && !is_yes && strcmp(first, "no") != 0)
        e = om_cli_usage(cli, "--owner-first: want yes or no");
    if (!e && first)
        json_object_set_new(params, "owner_first", json_boolean(is_yes));
    return e;
}

/* "100Mbit" as well as what sizes are; false when it is neither. */
static bool read_rate(uint64_t *out, const char *text)
{
    static const char units[] = "kMG";
    size_t n = strlen(text);
    const char *unit =
        n > 4 && strcmp(text + n - 3, "bit") == 0 ? strchr(units, text[n - 4]) : NULL;
    uint64_t scale = 1000 / BITS, value;
    char digits[16];

    if (!unit)
        return om_size_parse(out, text, NULL) == OM_OK;
    if (n - 4 >= sizeof digits)
        return false;
    memcpy(digits, text, n - 4);
    digits[n - 4] = 0;
    for (const char *u = units; u < unit; u++)
        scale *= 1000;
    if (om_u64_parse(&value, digits, UINT32_MAX, NULL) != OM_OK)
        return false;
    *out = value * scale;
    return true;
}

/* What guests may do, among the options; wrong ones are said. */
static enum om_exit add_gate(struct om_cli *cli, json_t *params)
{
    static const char *const options[] = {"max-lease", "gate", "violations", "pause", "accel"};
    static const char *const names[] = {"max_lease", "gate", "violations", "pause", "accel"};
    const char *rate = om_args_value(&cli->args, "rate");
    uint64_t n = 0;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(options); i++)
        if (om_args_value(&cli->args, options[i]))
            json_object_set_new(params, names[i],
                                json_string(om_args_value(&cli->args, options[i])));
    if (rate && (!read_rate(&n, rate) || n > UINT32_MAX))
        return om_cli_usage(cli, "--rate: want bytes per second, as 10M, or bits, as 100Mbit");
    if (rate)
        json_object_set_new(params, "rate", json_integer((json_int_t)n));
    return OM_EXIT_OK;
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

/* Is it not yet known what machines would run on? With a reason it will not be. */
static bool is_tried(const json_t *r)
{
    const char *engine = json_string_value(json_object_get(r, "engine"));
    const char *why = json_string_value(json_object_get(r, "reason"));

    return json_is_true(json_object_get(r, "on")) && engine && strcmp(engine, "unknown") == 0 &&
           !(why && *why);
}

/* @result anew until that is known, which takes a second; not for ever. */
static void settle(struct om_cli *cli, struct om_ask *ask, json_t **result)
{
    struct om_error err;
    json_t *event, *now;

    for (unsigned i = 0; i < SETTLE_LOOKS && is_tried(*result); i++) {
        /* Nothing was subscribed to: this is time that passes. */
        enum om_exit e = om_ask_next_event(ask, SETTLE_LOOK, &event, &err);
        if (!e)
            json_decref(event);
        if ((e && e != OM_EXIT_TIMEOUT) || om_cli_call(cli, ask, "provide.show", NULL, &now))
            return;
        json_decref(*result);
        *result = now;
    }
}

enum om_exit om_cmd_provide(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 1);
    const char *word = cli->args.count ? cli->args.words[0] : "show";
    bool is_on = strcmp(word, "on") == 0, is_show = strcmp(word, "show") == 0;
    json_t *params = NULL, *result;
    struct om_ask *ask;

    if (!e && !is_on && !is_show && strcmp(word, "off") != 0)
        return om_cli_usage(cli, "want on, off or show");
    if (e)
        return e;
    if (!is_on && cli->args.given_count > 0)
        return om_cli_usage(cli, "--%s goes with: omerta provide on",
                            cli->args.given[0].option->name);
    if (!is_show) {
        params = json_pack("{s:b}", "on", is_on ? 1 : 0);
        e = is_on ? add_limits(cli, params) : OM_EXIT_OK;
        if (!e && is_on)
            e = add_scopes(cli, params);
        if (!e && is_on)
            e = add_gate(cli, params);
        if (e) {
            json_decref(params);
            return e;
        }
    }
    e = om_cli_open(cli, &ask);
    if (e) {
        json_decref(params);
        return e;
    }
    e = om_cli_call(cli, ask, is_show ? "provide.show" : "provide.set", params, &result);
    if (!e)
        settle(cli, ask, &result);
    om_ask_close(ask);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        show(cli, result);
    json_decref(result);
    return OM_EXIT_OK;
}
