/* cmd_tunnel.c - dns, expose, forward, proxy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "password.h"
#include "table.h"

static const struct om_column forward_columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},
    {"LISTEN", "listen", OM_COLUMN_TEXT},
    {"PEER", "peer", OM_COLUMN_SHORT},
    {"HOST", "host", OM_COLUMN_TEXT},
    {"PORT", "port", OM_COLUMN_COUNT},
    {"KIND", "kind", OM_COLUMN_TEXT},
    {"USER", "user", OM_COLUMN_TEXT},
    {"UP", "up", OM_COLUMN_YES},
    {"UDP", "udp", OM_COLUMN_YES},
    {"OPEN", "open", OM_COLUMN_COUNT},
    {"TOTAL", "total", OM_COLUMN_COUNT},
    {"FAILED", "failed", OM_COLUMN_COUNT},
    {"SENT", "bytes_sent", OM_COLUMN_BYTES},
    {"RECEIVED", "bytes_received", OM_COLUMN_BYTES},
    {"LAST ERROR", "last_error", OM_COLUMN_TEXT},
};

static const struct om_column exposed_columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},
    {"PORT", "port", OM_COLUMN_COUNT},
    {"TO", "to", OM_COLUMN_TEXT},
    {"HOST", "host", OM_COLUMN_TEXT},
    {"HOST PORT", "to_port", OM_COLUMN_COUNT},
    {"INTERNET", "internet", OM_COLUMN_YES},
    {"LISTEN", "listen", OM_COLUMN_TEXT},
    {"UDP", "udp", OM_COLUMN_YES},
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

static enum om_exit list(struct om_cli *cli, const char *method, const char *field,
                         const struct om_column *columns, unsigned count, const char *none)
{
    enum om_exit e = om_cli_words(cli, 0, 1);
    const json_t *rows;
    json_t *result;

    if (!e)
        e = om_cli_ask(cli, method, NULL, &result);
    if (e)
        return e;
    rows = json_object_get(result, field);
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else if (!json_array_size(rows))
        om_out_line(&cli->out, "%s", none);
    else if (om_table_print(&cli->out, columns, count, rows)) {
        om_out_error(&cli->out, "out of memory");
        e = OM_EXIT_FAILED;
    }
    json_decref(result);
    return e;
}

static enum om_exit remove_one(struct om_cli *cli, const char *method)
{
    enum om_exit e = om_cli_words(cli, 2, 2);
    char *end;
    json_t *result;

    if (e)
        return e;
    long long id = strtoll(cli->args.words[1], &end, 10);
    if (*end || id < 1)
        return om_cli_usage(cli, "remove: want the ID that list shows");
    e = om_cli_ask(cli, method, json_pack("{s:I}", "id", (json_int_t)id), &result);
    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "removed %lld", id);
    json_decref(result);
    return OM_EXIT_OK;
}

static bool read_port(const char *text, json_t **out)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    *out = NULL;
    if (end == text || *end || port < 1 || port > 65535)
        return false;
    *out = json_integer((json_int_t)port);
    return true;
}

static enum om_exit added(struct om_cli *cli, const char *method, json_t *params,
                          void (*show)(struct om_cli *cli, const json_t *result))
{
    json_t *result;
    enum om_exit e = om_cli_ask(cli, method, params, &result);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        show(cli, result);
    json_decref(result);
    return OM_EXIT_OK;
}

static void show_exposed(struct om_cli *cli, const json_t *r)
{
    char cell[OM_CELL_MAX];

    if (json_is_true(json_object_get(r, "internet")))
        om_out_line(&cli->out, "the internet is open through here, to %s",
                    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "to")));
    else if (*json_string_value(json_object_get(r, "listen")))
        om_out_line(&cli->out, "we listen at %s for %s if they ask",
                    json_string_value(json_object_get(r, "listen")),
                    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "to")));
    else
        om_out_line(&cli->out, "port %lld is open to %s",
                    (long long)json_integer_value(json_object_get(r, "port")),
                    om_table_cell(cell, OM_COLUMN_TEXT, json_object_get(r, "to")));
}

/* PORT, PORT:HOST:PORT, internet, listen, or listen:[ADDRESS:]PORT. */
static bool read_exposed(const char *word, json_t *params)
{
    const char *colon = strchr(word, ':'), *last = strrchr(word, ':');
    char first[8] = "", host[256] = "";
    json_t *port, *to_port;

    if (strcmp(word, "internet") == 0)
        return json_object_set_new(params, "internet", json_true()) == 0;
    if (strcmp(word, "listen") == 0)
        return json_object_set_new(params, "listen", json_string("127.0.0.1:0")) == 0;
    if (strncmp(word, "listen:", strlen("listen:")) == 0)
        return json_object_set_new(params, "listen", json_string(word + strlen("listen:"))) == 0;
    if (!colon)
        return read_port(word, &port) && json_object_set_new(params, "port", port) == 0;
    if (colon == last || (size_t)(colon - word) >= sizeof first ||
        (size_t)(last - colon) > sizeof host)
        return false;
    memcpy(first, word, (size_t)(colon - word));
    memcpy(host, colon + 1, (size_t)(last - colon - 1));
    if (!read_port(first, &port) || json_object_set_new(params, "port", port) < 0)
        return false;
    return read_port(last + 1, &to_port) && json_object_set_new(params, "to_port", to_port) == 0 &&
           json_object_set_new(params, "host", json_string(host)) == 0;
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

enum om_exit om_cmd_expose(struct om_cli *cli)
{
    const char *word = cli->args.count ? cli->args.words[0] : "list";

    if (strcmp(word, "list") == 0)
        return list(cli, "expose.list", "exposed", exposed_columns, OM_ARRAY_SIZE(exposed_columns),
                    "nothing of this machine can be reached");
    if (strcmp(word, "usage") == 0)
        return list(cli, "expose.usage", "usage", usage_columns, OM_ARRAY_SIZE(usage_columns),
                    "nobody has used anything of this machine");
    if (strcmp(word, "remove") == 0)
        return remove_one(cli, "expose.remove");
    enum om_exit e = om_cli_words(cli, 1, 1);
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
    if (!read_exposed(word, params)) {
        json_decref(params);
        return om_cli_usage(cli,
                            "want PORT, PORT:HOST:PORT, internet, listen, list, usage or remove");
    }
    e = read_limits(cli, params);
    if (e) {
        json_decref(params);
        return e;
    }
    return added(cli, "expose.add", params, show_exposed);
}

static void show_forward(struct om_cli *cli, const json_t *r)
{
    char listen[OM_CELL_MAX], peer[OM_CELL_MAX];

    (void)om_table_cell(listen, OM_COLUMN_TEXT, json_object_get(r, "listen"));
    (void)om_table_cell(peer, OM_COLUMN_SHORT, json_object_get(r, "peer"));
    if (json_is_true(json_object_get(r, "proxy")))
        om_out_line(&cli->out, "SOCKS5 and HTTP proxy on %s%s; number %lld", listen,
                    json_is_string(json_object_get(r, "user")) ? ", with a password" : "",
                    (long long)json_integer_value(json_object_get(r, "id")));
    else if (json_is_true(json_object_get(r, "dns")))
        om_out_line(&cli->out, "DNS on %s, UDP and TCP; number %lld", listen,
                    (long long)json_integer_value(json_object_get(r, "id")));
    else if (json_is_true(json_object_get(r, "remote")))
        om_out_line(&cli->out, "%s of %s leads to port %lld here; number %lld", listen, peer,
                    (long long)json_integer_value(json_object_get(r, "port")),
                    (long long)json_integer_value(json_object_get(r, "id")));
    else
        om_out_line(&cli->out, "%s leads to port %lld of %s; number %lld", listen,
                    (long long)json_integer_value(json_object_get(r, "port")), peer,
                    (long long)json_integer_value(json_object_get(r, "id")));
}

/* [BIND:]PORT:PEER:PORT, from the right, as BIND may hold colons. */
static bool read_forward(const char *spec, json_t *params)
{
    char buf[512];
    json_t *port;

    if (strlen(spec) >= sizeof buf)
        return false;
    memcpy(buf, spec, strlen(spec) + 1);
    char *last = strrchr(buf, ':');
    if (!last || !read_port(last + 1, &port) || json_object_set_new(params, "port", port) < 0)
        return false;
    *last = '\0';
    char *peer = strrchr(buf, ':');
    if (!peer || peer == buf || !peer[1])
        return false;
    *peer = '\0';
    return json_object_set_new(params, "peer", json_string(peer + 1)) == 0 &&
           json_object_set_new(params, "listen", json_string(buf)) == 0;
}

enum om_exit om_cmd_forward(struct om_cli *cli)
{
    const char *word = cli->args.count ? cli->args.words[0] : "list";
    const char *local = om_args_value(&cli->args, "local");
    const char *remote = om_args_value(&cli->args, "remote");
    const char *spec = remote ? remote : local;

    if (strcmp(word, "list") == 0)
        return list(cli, "forward.list", "forwards", forward_columns,
                    OM_ARRAY_SIZE(forward_columns), "no local port leads anywhere");
    if (strcmp(word, "remove") == 0)
        return remove_one(cli, "forward.remove");
    if (strcmp(word, "add") != 0 || cli->args.count > 1 || !local == !remote)
        return om_cli_usage(cli, "want add, with -L or -R [BIND:]PORT:PEER:PORT, list or remove");
    json_t *params = om_cli_params(cli);
    (void)json_object_set_new(params, "udp", json_boolean(om_args_has(&cli->args, "udp")));
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    (void)json_object_set_new(params, "remote", json_boolean(remote != NULL));
    if (!read_forward(spec, params)) {
        json_decref(params);
        return om_cli_usage(cli, "%s %s: want [BIND:]PORT:PEER:PORT", remote ? "-R" : "-L", spec);
    }
    return added(cli, "forward.add", params, show_forward);
}

/* --user and its password, if there is one. */
static enum om_exit read_login(struct om_cli *cli, json_t *params)
{
    const char *user = om_args_value(&cli->args, "user");
    const char *file = om_args_value(&cli->args, "password-file");
    char password[OM_PASSWORD_MAX + 1];
    struct om_error err;

    if (!user)
        return file ? om_cli_usage(cli, "--password-file: want --user NAME, too") : OM_EXIT_OK;
    if (om_password_read(password, file, &err) != OM_OK) {
        om_out_error(&cli->out, "%s", err.msg);
        return OM_EXIT_FAILED;
    }
    json_t *text = json_string(password);
    explicit_bzero(password, sizeof password);
    if (json_object_set_new(params, "password", text) < 0) {
        om_out_error(&cli->out, "password: want UTF-8");
        return OM_EXIT_FAILED;
    }
    (void)json_object_set_new(params, "user", json_string(user));
    return OM_EXIT_OK;
}

enum om_exit om_cmd_proxy(struct om_cli *cli)
{
    const char *via = om_args_value(&cli->args, "via");
    enum om_exit e = om_cli_words(cli, 0, 1);
    json_t *params;

    if (e)
        return e;
    params = om_cli_params(cli);
    (void)json_object_set_new(params, "listen",
                              json_string(cli->args.count ? cli->args.words[0] : "1080"));
    (void)json_object_set_new(params, "proxy", json_true());
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    if (via)
        (void)json_object_set_new(params, "peer", json_string(via));
    e = read_login(cli, params);
    if (e) {
        json_decref(params);
        return e;
    }
    return added(cli, "forward.add", params, show_forward);
}

enum om_exit om_cmd_dns(struct om_cli *cli)
{
    const char *gateway = om_args_value(&cli->args, "gateway");
    enum om_exit e = om_cli_words(cli, 1, 1);
    json_t *params;

    if (e)
        return e;
    params = om_cli_params(cli);
    (void)json_object_set_new(params, "listen", json_string(cli->args.words[0]));
    (void)json_object_set_new(params, "dns", json_true());
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    if (gateway)
        (void)json_object_set_new(params, "peer", json_string(gateway));
    return added(cli, "forward.add", params, show_forward);
}
