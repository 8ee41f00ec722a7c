/* cmd_expose.c - expose: what of this machine peers can reach. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "tunnel.h"

static const struct om_column exposed_columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},
    {"WHAT", "what", OM_COLUMN_TEXT},
    {"TO", "to", OM_COLUMN_TEXT},
    {"KEEP", "keep", OM_COLUMN_YES},
    {"RATE", "rate", OM_COLUMN_BYTES},
    {"OPEN", "open", OM_COLUMN_COUNT},
    {"TOTAL", "total", OM_COLUMN_COUNT},
    {"FAILED", "failed", OM_COLUMN_COUNT},
    {"SENT", "bytes_sent", OM_COLUMN_BYTES},
    {"RECEIVED", "bytes_received", OM_COLUMN_BYTES},
};

static const struct om_column usage_columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},
    {"PORT", "port", OM_COLUMN_COUNT},
    {"INTERNET", "internet", OM_COLUMN_YES},
    {"PEER", "peer", OM_COLUMN_SHORT},
    {"OPEN", "open", OM_COLUMN_COUNT},
    {"TOTAL", "total", OM_COLUMN_COUNT},
    {"REFUSED", "refused", OM_COLUMN_COUNT},
    {"SENT", "bytes_sent", OM_COLUMN_BYTES},
    {"RECEIVED", "bytes_received", OM_COLUMN_BYTES},
    {"DATAGRAMS", "datagrams", OM_COLUMN_COUNT},
    {"DROPPED", "dropped", OM_COLUMN_COUNT},
    {"FIRST USED", "first_used", OM_COLUMN_TEXT},
    {"LAST USED", "last_used", OM_COLUMN_TEXT},
};

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text ? text : "";
}

static long long number_of(const json_t *row, const char *key)
{
    return (long long)json_integer_value(json_object_get(row, key));
}

/* ADDRESS:0 is any port of ADDRESS; in @buf, of which @any says how to tell it. */
static const char *listen_text(char buf[static OM_CELL_MAX], const char *listen, const char *any)
{
    const char *colon = strrchr(listen, ':');
    bool is_any = colon && strcmp(colon, ":0") == 0;

    (void)snprintf(buf, OM_CELL_MAX, "%.*s%s", is_any ? (int)(colon - listen) : OM_CELL_MAX - 64,
                   listen, is_any ? any : "");
    return buf;
}

/* What the rule @row lets peers reach; not escaped. */
static json_t *what(const json_t *row)
{
    const char *host = text_of(row, "host"), *listen = text_of(row, "listen");
    const json_t *also = json_object_get(row, "also");
    char cell[OM_CELL_MAX];

    if (json_is_true(json_object_get(row, "internet")))
        return json_array_size(also)
                   ? json_sprintf("internet + %s", om_table_cell(cell, OM_COLUMN_TEXT, also))
                   : json_string("internet");
    if (*listen)
        return json_sprintf(json_is_true(json_object_get(row, "udp")) ? "listen udp %s"
                                                                      : "listen %s",
                            listen_text(cell, listen, ", any port"));
    return json_sprintf(strchr(host, ':') ? "%s %lld -> [%s]:%lld" : "%s %lld -> %s:%lld",
                        json_is_true(json_object_get(row, "udp")) ? "udp" : "tcp",
                        number_of(row, "port"), *host ? host : "127.0.0.1",
                        number_of(row, "to_port") ? number_of(row, "to_port")
                                                  : number_of(row, "port"));
}

static json_t *names(const json_t *row, const json_t *peers)
{
    const json_t *to = json_object_get(row, "to"), *id;
    json_t *machine = json_object_get(row, "machine"), *out = json_array();
    size_t i;

    if (machine) { /* not to the peer that runs it */
        (void)json_array_append(out, machine);
        return out;
    }
    json_array_foreach(to, i, id)(void) json_array_append_new(out, om_tunnel_peer(id, peers));
    return out;
}

static json_t *rows_for_people(const json_t *rows, const json_t *peers)
{
    json_t *out = json_array();
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        json_t *copy = json_deep_copy(row);

        (void)json_object_set_new(copy, "what", what(row));
        (void)json_object_set_new(copy, "to", names(row, peers));
        (void)json_array_append_new(out, copy);
    }
    return out;
}

static void show(char buf[static OM_OUT_TEXT_MAX], const json_t *r, const json_t *peers)
{
    char to[OM_CELL_MAX], at[OM_CELL_MAX];
    json_t *list = names(r, peers);

    (void)om_table_cell(to, OM_COLUMN_TEXT, list);
    json_decref(list);
    if (json_is_true(json_object_get(r, "internet")))
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "the internet is open through here to %s", to);
    else if (*text_of(r, "listen"))
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "we listen%s at %s for %s if they ask",
                       json_is_true(json_object_get(r, "udp")) ? " for UDP" : "",
                       listen_text(at, text_of(r, "listen"), ", any port from 1024,"), to);
    else
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "port %lld%s is open to %s", number_of(r, "port"),
                       json_is_true(json_object_get(r, "udp")) ? "/udp" : "", to);
}

static enum om_exit read_port(struct om_cli *cli, const char *word, const char *key, json_t *params)
{
    long long port;
    enum om_exit e = om_cli_port(cli, word, &port);

    if (!e)
        (void)json_object_set_new(params, key, json_integer(port));
    return e;
}

static enum om_exit wrong_word(struct om_cli *cli)
{
    return om_cli_usage(cli, "want PORT, PORT:HOST:PORT, internet, listen, list, usage or remove");
}

/* PORT, PORT:HOST:PORT, internet, listen, or listen:[ADDRESS:]PORT. */
static enum om_exit read_exposed(struct om_cli *cli, const char *word, json_t *params)
{
    const char *colon = strchr(word, ':'), *last = strrchr(word, ':');
    char buf[512];
    enum om_exit e;

    if (strcmp(word, "internet") == 0) {
        (void)json_object_set_new(params, "internet", json_true());
        return OM_EXIT_OK;
    }
    if (strcmp(word, "listen") == 0)
        return om_tunnel_listen(cli, "127.0.0.1:0", params);
    if (strncmp(word, "listen:", strlen("listen:")) == 0)
        return om_tunnel_listen(cli, word + strlen("listen:"), params);
    if (!colon && (isdigit((unsigned char)*word) || *word == '-'))
        return read_port(cli, word, "port", params);
    if (!colon || colon == last || strlen(word) >= sizeof buf)
        return wrong_word(cli);
    (void)snprintf(buf, sizeof buf, "%.*s", (int)(colon - word), word);
    e = read_port(cli, buf, "port", params);
    if (!e)
        e = read_port(cli, last + 1, "to_port", params);
    (void)snprintf(buf, sizeof buf, "%.*s", (int)(last - colon - 1), colon + 1);
    (void)json_object_set_new(params, "host", json_string(buf));
    return e;
}

/* Every --@name, in order. */
static json_t *all_of(const struct om_cli *cli, const char *name)
{
    json_t *to = json_array();

    for (unsigned i = 0; i < cli->args.given_count; i++)
        if (strcmp(cli->args.given[i].option->name, name) == 0)
            (void)json_array_append_new(to, json_string(cli->args.given[i].value));
    return to;
}

/* --rate and --max-connections. */
static enum om_exit read_limits(struct om_cli *cli, json_t *params)
{
    const char *rate = om_args_value(&cli->args, "rate");
    struct om_error err;
    uint64_t n;

    if (rate) {
        if (om_size_parse(&n, rate, &err) != OM_OK)
            return om_cli_usage(cli, "--rate: %s", err.msg);
        if (n < 1 || n > INT64_MAX)
            return om_cli_usage(cli, "--rate: want bytes per second, as 500K or 10M");
        (void)json_object_set_new(params, "rate", json_integer((json_int_t)n));
    }
    if (!om_args_has(&cli->args, "max-connections"))
        return OM_EXIT_OK;
    if (om_args_number(&cli->args, "max-connections", 1, INT32_MAX, &n, &err) != OM_OK)
        return om_cli_usage(cli, "%s", err.msg);
    if (n < 1)
        return om_cli_usage(cli, "--max-connections: want 1 or more");
    (void)json_object_set_new(params, "max_connections", json_integer((json_int_t)n));
    return OM_EXIT_OK;
}

static enum om_exit add(struct om_cli *cli, const char *word)
{
    enum om_exit e = OM_EXIT_OK;

    if (isalpha((unsigned char)*word) && strcmp(word, "internet") != 0 &&
        strncmp(word, "listen", strlen("listen")) != 0)
        return wrong_word(cli);
    e = om_cli_words(cli, 1, 1);
    if (e)
        return e;
    json_t *params = om_cli_params(cli), *to = all_of(cli, "to");
    if (!json_array_size(to)) /* the daemon says whether that is enough in this network */
        (void)json_array_append_new(to, json_string("*"));
    (void)json_object_set_new(params, "to", to);
    if (om_args_has(&cli->args, "also"))
        (void)json_object_set_new(params, "also", all_of(cli, "also"));
    (void)json_object_set_new(params, "udp", json_boolean(om_args_has(&cli->args, "udp")));
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    e = read_exposed(cli, word, params);
    if (!e)
        e = read_limits(cli, params);
    if (e) {
        json_decref(params);
        return e;
    }
    return om_tunnel_add(cli, "expose.add", params, show);
}

enum om_exit om_cmd_expose(struct om_cli *cli)
{
    static const struct om_tunnel_list exposed = {"expose.list",
                                                  "exposed",
                                                  exposed_columns,
                                                  OM_ARRAY_SIZE(exposed_columns),
                                                  "nothing of this machine can be reached",
                                                  rows_for_people};
    static const struct om_tunnel_list usage = {"expose.usage",
                                                "usage",
                                                usage_columns,
                                                OM_ARRAY_SIZE(usage_columns),
                                                "nobody has used anything of this machine",
                                                NULL};
    const char *word = cli->args.count ? cli->args.words[0] : "list";

    if (strcmp(word, "list") == 0)
        return om_tunnel_list(cli, &exposed);
    if (strcmp(word, "usage") == 0)
        return om_tunnel_list(cli, &usage);
    if (strcmp(word, "remove") == 0)
        return om_tunnel_remove(cli, "expose.remove");
    return add(cli, word);
}
