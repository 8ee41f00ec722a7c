/* network.c - a link is shown, a link is followed. */
#include "network.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <omerta/id.h>

#include "clock.h"
#include "link_text.h"
#include "qr.h"

/* An answer to the first initiation takes a moment, and one through a NAT some more. */
#define MEET_PATIENCE OM_SEC(10)
/* A closed network is asked for a minute. */
#define JOIN_PATIENCE OM_SEC(75)

json_t *om_network_params(const struct om_cli *cli, unsigned at)
{
    json_t *params = om_cli_params(cli);

    if (cli->args.count > at)
        (void)json_object_set_new(params, "network", json_string(cli->args.words[at]));
    return params;
}

enum om_exit om_network_link(struct om_cli *cli, const char *method, json_t *params, bool is_qr)
{
    const char *at = om_args_value(&cli->args, "at");
    struct om_error err;
    json_t *result;

    if (at)
        (void)json_object_set_new(params, "at", json_string(at));
    enum om_exit e = om_cli_ask(cli, method, params, &result);
    if (e)
        return e;
    const char *link = json_string_value(json_object_get(result, "link"));
    if (cli->out.json) {
        om_out_json(&cli->out, result);
    } else {
        if (is_qr && link && om_qr_print(&cli->out, link, &err) != OM_OK) {
            om_out_error(&cli->out, "%s", err.msg);
            e = OM_EXIT_FAILED;
        }
        om_out_line(&cli->out, "%s", link ? link : "");
    }
    json_decref(result);
    return e;
}

/* Whose a link of the old form is: asked of who sits at the terminal. */
static bool ask_peer(struct om_cli *cli, char out[static OM_ID_TEXT + 2])
{
    om_out_error(&cli->out, "this link is of an old form and does not say whose it is; nothing is "
                            "sent before the peer's id is known");
    (void)fputs("peer id: ", stderr);
    if (!fgets(out, OM_ID_TEXT + 2, stdin))
        return false;
    out[strcspn(out, "\r\n")] = '\0';
    return *out != '\0';
}

/* True once somebody of the network is connected; what is known then is in @net. */
static bool is_met(struct om_ask *ask, const char *id, json_t **net)
{
    json_t *now;

    if (om_ask_call(ask, "networks.show", json_pack("{s:s}", "network", id), OM_ASK_PATIENCE, &now,
                    NULL) != OM_EXIT_OK)
        return false;
    json_decref(*net);
    *net = now;
    return json_integer_value(json_object_get(now, "connected")) > 0;
}

static bool wait_for_somebody(struct om_cli *cli, struct om_ask *ask, json_t **net)
{
    om_time until = om_clock_now() + MEET_PATIENCE, left;
    char id[OM_ID_TEXT] = "";
    const char *text = json_string_value(json_object_get(*net, "id"));
    json_t *event;

    (void)snprintf(id, sizeof id, "%s", text ? text : "");
    om_out_progress(&cli->out, "joined; calling those whom the link names");
    while (!is_met(ask, id, net)) {
        left = until - om_clock_now();
        if (left <= 0 || om_ask_next_event(ask, left, &event, NULL) != OM_EXIT_OK)
            return is_met(ask, id, net);
        json_decref(event);
    }
    return true;
}

static void say_joined(struct om_cli *cli, const json_t *net, bool is_met)
{
    char name[OM_OUT_TEXT_MAX], self[OM_OUT_TEXT_MAX], as[OM_OUT_TEXT_MAX];
    const char *called = json_string_value(json_object_get(net, "as"));
    bool is_called = called && *called;

    om_out_line(&cli->out, "in network \"%s\", where this node is %s%s%s",
                om_out_escape(name, json_string_value(json_object_get(net, "name"))),
                om_out_escape(as, is_called ? called : ""), is_called ? ", " : "",
                om_out_escape(self, json_string_value(json_object_get(net, "self"))));
    if (is_met)
        om_out_line(&cli->out, "%lld of its peers connected",
                    (long long)json_integer_value(json_object_get(net, "connected")));
    else
        om_out_line(&cli->out, "nobody answered yet; the daemon goes on calling");
}

static enum om_exit join(struct om_cli *cli, struct om_ask *ask, json_t *params)
{
    json_t *net, *result;
    struct om_error err;
    enum om_exit e = om_cli_call(cli, ask, "events.subscribe",
                                 json_pack("{s:[s]}", "kinds", "session_up"), &result);

    if (e) {
        json_decref(params);
        return e;
    }
    json_decref(result);
    om_out_progress(&cli->out, "asking those whom the link names, for a minute at most");
    e = om_ask_call(ask, "networks.join", params, JOIN_PATIENCE, &net, &err);
    om_out_progress_done(&cli->out);
    if (e) {
        om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    bool is_somebody = wait_for_somebody(cli, ask, &net);
    om_out_progress_done(&cli->out);
    if (cli->out.json)
        om_out_json(&cli->out, net);
    else
        say_joined(cli, net, is_somebody);
    json_decref(net);
    return OM_EXIT_OK;
}

enum om_exit om_network_join(struct om_cli *cli, const char *link, bool is_stdin)
{
    const char *name = om_args_value(&cli->args, "name"), *peer = om_args_value(&cli->args, "peer");
    char typed[OM_ID_TEXT + 2];
    struct om_ask *ask;

    if (!peer && om_link_text_is_old(link) && !is_stdin && isatty(STDIN_FILENO)) {
        if (!ask_peer(cli, typed))
            return om_cli_usage(cli, "without the id of the peer nothing is joined");
        peer = typed;
    }
    json_t *params = json_pack("{s:s, s:s*, s:s*, s:s*}", "link", link, "name", name, "peer", peer,
                               "as", om_args_value(&cli->args, "as"));
    if (!params)
        return om_cli_usage(cli, "the link, name or peer is no UTF-8");
    enum om_exit e = om_cli_open(cli, &ask);
    if (e) {
        json_decref(params);
        return e;
    }
    e = join(cli, ask, params);
    om_ask_close(ask);
    if (!e && om_link_text_is_old(link) && peer != typed)
        om_out_error(&cli->out, "warning: the link does not say whose it is: all rests on --peer");
    return e;
}
