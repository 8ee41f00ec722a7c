/* cmd_forward.c - forward, proxy, dns: local ports that lead into the mesh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "password.h"
#include "tunnel.h"

static const struct om_column forward_columns[] = {
    {"ID", "id", OM_COLUMN_COUNT},
    {"LISTEN", "listen", OM_COLUMN_TEXT},
    {"PEER", "peer", OM_COLUMN_SHORT},
    {"HOST", "host", OM_COLUMN_TEXT},
    {"PORT", "port", OM_COLUMN_COUNT},
    {"KIND", "kind", OM_COLUMN_TEXT},
    {"KEEP", "keep", OM_COLUMN_YES},
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

static void show(char buf[static OM_OUT_TEXT_MAX], const json_t *r, const json_t *peers)
{
    char listen[OM_CELL_MAX], peer[OM_CELL_MAX];
    const char *link = json_string_value(json_object_get(r, "link"));
    json_t *name =
        link && *link ? json_string(link) : om_tunnel_peer(json_object_get(r, "peer"), peers);
    long long port = (long long)json_integer_value(json_object_get(r, "port"));

    (void)om_table_cell(listen, OM_COLUMN_TEXT, json_object_get(r, "listen"));
    (void)om_table_cell(peer, OM_COLUMN_TEXT, name);
    json_decref(name);
    if (json_is_true(json_object_get(r, "proxy")))
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "SOCKS5 and HTTP proxy on %s%s", listen,
                       json_is_string(json_object_get(r, "user")) ? ", with a password" : "");
    else if (json_is_true(json_object_get(r, "dns")))
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "DNS on %s, UDP and TCP", listen);
    else if (json_is_true(json_object_get(r, "remote")))
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "%s of %s leads to port %lld here", listen, peer,
                       port);
    else
        (void)snprintf(buf, OM_OUT_TEXT_MAX, "%s leads to port %lld of %s", listen, port, peer);
}

/* [BIND:]PORT:PEER:PORT, from the right, as BIND may hold colons. */
static enum om_exit read_forward(struct om_cli *cli, const char *option, const char *spec,
                                 json_t *params)
{
    char buf[512], *last, *peer = NULL, shown[OM_SHOW_TEXT];
    long long port;

    (void)snprintf(buf, sizeof buf, "%s", spec);
    last = strrchr(buf, ':');
    if (last) {
        *last = '\0';
        peer = strrchr(buf, ':');
    }
    if (!peer || peer == buf || !peer[1] || strlen(spec) >= sizeof buf)
        return om_cli_usage(cli, "%s %s: want [BIND:]PORT:PEER:PORT", option,
                            om_text_show(shown, spec));
    *peer = '\0';
    enum om_exit e = om_tunnel_listen(cli, buf, params);
    if (!e)
        e = om_cli_port(cli, last + 1, &port);
    if (e)
        return e;
    (void)json_object_set_new(params, "port", json_integer(port));
    (void)json_object_set_new(params, "peer", json_string(peer + 1));
    return OM_EXIT_OK;
}

static enum om_exit add(struct om_cli *cli, const char *local, const char *remote)
{
    enum om_exit e = OM_EXIT_OK;
    json_t *params = om_cli_params(cli);

    (void)json_object_set_new(params, "udp", json_boolean(om_args_has(&cli->args, "udp")));
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    (void)json_object_set_new(params, "remote", json_boolean(remote != NULL));
    e = read_forward(cli, remote ? "-R" : "-L", remote ? remote : local, params);
    if (e) {
        json_decref(params);
        return e;
    }
    return om_tunnel_add(cli, "forward.add", params, show);
}

enum om_exit om_cmd_forward(struct om_cli *cli)
{
    static const struct om_tunnel_list forwards = {"forward.list",
                                                   "forwards",
                                                   forward_columns,
                                                   OM_ARRAY_SIZE(forward_columns),
                                                   "no local port leads anywhere",
                                                   NULL};
    const char *word = cli->args.count ? cli->args.words[0] : "list";
    const char *local = om_args_value(&cli->args, "local");
    const char *remote = om_args_value(&cli->args, "remote");
    char shown[OM_SHOW_TEXT];

    if (cli->args.count == 0 && (local || remote))
        return om_cli_usage(cli, "did you mean: forward add %s %s", remote ? "-R" : "-L",
                            om_text_show(shown, remote ? remote : local));
    if (strcmp(word, "list") == 0)
        return om_tunnel_list(cli, &forwards);
    if (strcmp(word, "remove") == 0)
        return om_tunnel_remove(cli, "forward.remove");
    if (strcmp(word, "add") != 0 || cli->args.count > 1 || !local == !remote)
        return om_cli_usage(cli, "want add, with -L or -R [BIND:]PORT:PEER:PORT, list or remove");
    return add(cli, local, remote);
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
    (void)json_object_set_new(params, "proxy", json_true());
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    if (via)
        (void)json_object_set_new(params, "peer", json_string(via));
    e = om_tunnel_listen(cli, cli->args.count ? cli->args.words[0] : "1080", params);
    if (!e)
        e = read_login(cli, params);
    if (e) {
        json_decref(params);
        return e;
    }
    return om_tunnel_add(cli, "forward.add", params, show);
}

enum om_exit om_cmd_dns(struct om_cli *cli)
{
    const char *gateway = om_args_value(&cli->args, "gateway");
    enum om_exit e = om_cli_words(cli, 1, 1);
    json_t *params;

    if (e)
        return e;
    params = om_cli_params(cli);
    (void)json_object_set_new(params, "dns", json_true());
    (void)json_object_set_new(params, "keep", json_boolean(om_args_has(&cli->args, "keep")));
    if (gateway)
        (void)json_object_set_new(params, "peer", json_string(gateway));
    e = om_tunnel_listen(cli, cli->args.words[0], params);
    if (e) {
        json_decref(params);
        return e;
    }
    return om_tunnel_add(cli, "forward.add", params, show);
}
