/* remote.c - ports of peers that lead here, and ports here for peers who asked for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "host/clock.h"
#include "tunnels/udp.h"

enum { UNPRIVILEGED = 1024, ASKED_S = 8 }; /* programs wait for 10 s */

/* Programs that wait for the first answer hear @result, which is taken, or @why not. */
static void tell(struct tunnel_rule *r, json_t *result, const char *why)
{
    struct om_error err;

    r->is_asked = false;
    if (!result)
        (void)om_fail(&err, OM_E_STATE, "the peer does not listen: %s", why);
    control_forwarded(r->tunnels->d->control, r->number, &r->network, &r->peers[0], result, &err);
}

uint64_t tunnel_again_after(uint64_t ms)
{
    return ms < TUNNEL_AGAIN_MAX_MS / 2 ? ms * 2 : TUNNEL_AGAIN_MAX_MS;
}

static void on_again(uv_timer_t *timer);

/* Nobody listens for @r; who asked for it just now is told, else the peer is asked again. */
static void failed(struct tunnel_rule *r, const char *why)
{
    struct om_error err;

    om_calls_hang_up(r->tunnels->d->calls, &r->standing, OM_CLOSE_CANCELLED);
    r->is_standing = false;
    tunnel_rule_fail(r, why);
    if (r->is_asked) {
        tell(r, NULL, r->last_error);
        (void)tunnels_remove(r->tunnels, true, r->number, &err);
        return;
    }
    (void)uv_timer_start(&r->again, on_again, r->again_ms, 0);
    r->again_ms = tunnel_again_after(r->again_ms);
}

static void on_remote_reply(struct om_call_owner *o, const struct om_act_reply *reply)
{
    struct tunnel_rule *r = OM_CONTAINER_OF(o, struct tunnel_rule, standing);
    json_error_t at;
    struct om_error err;
    char why[160];

    if (!reply->is_ok) {
        (void)snprintf(why, sizeof why, "%s: %.*s", reply->error, (int)reply->body.n,
                       (const char *)reply->body.p);
        failed(r, why);
        return;
    }
    json_t *body = json_loadb((const char *)reply->body.p, reply->body.n, 0, &at);
    const char *listen = json_string_value(json_object_get(body, "listen"));
    struct om_addr told;
    /* Asked again, it gets the port that the peer chose. */
    if (listen && r->listen.port == 0 && tunnel_read_listen(&told, listen, &err))
        r->listen.port = told.port;
    json_decref(body);
    om_node_limit(daemon_node(r->tunnels->d), om_clock_now(), o->call);
    r->is_standing = true;
    tunnel_rule_works(r);
    r->again_ms = TUNNEL_AGAIN_MS;
    if (r->is_asked)
        tell(r, tunnel_rule_show(r), "");
}

static void on_remote_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE | OM_CALL_READABLE))
        failed(OM_CONTAINER_OF(o, struct tunnel_rule, standing), "the peer listens no longer");
}

static void on_again(uv_timer_t *timer)
{
    struct tunnel_rule *r = timer->data;
    struct om_daemon *d = r->tunnels->d;
    const struct daemon_network *net = daemon_network(d, &r->network);
    char listen[OM_ADDR_TEXT];
    json_t *args = json_pack("{s:s, s:s, s:i, s:I}", "proto", r->is_udp ? "udp" : "tcp", "listen",
                             om_addr_print(&r->listen, listen), "port", (int)r->port, "back",
                             (json_int_t)r->number);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    enum om_err e = OM_E_NO_MEM;

    json_decref(args);
    if (text && net) {
        const struct om_call_config call = {.method = TUNNEL_LISTEN,
                                            .args = om_bytes(text, strlen(text)),
                                            .priority = OM_NORMAL,
                                            .timeout = r->is_asked ? OM_SEC(ASKED_S) : 0};
        e = daemon_reach(d, net, &r->peers[0]);
        if (e == OM_OK)
            e = om_calls_open(d->calls, &r->network, &r->peers[0], &call, &r->standing);
    }
    free(text);
    if (e != OM_OK)
        failed(r, om_err_text(e));
    om_calls_kick(d->calls);
}

void tunnel_remote_start(struct tunnel_rule *r)
{
    r->standing.on_reply = on_remote_reply;
    r->standing.on_stream = on_remote_stream;
    r->again_ms = TUNNEL_AGAIN_MS;
    r->again.data = r;
    (void)uv_timer_init(&r->tunnels->d->loop, &r->again);
    (void)uv_timer_start(&r->again, on_again, 0, 0);
}

struct tunnel_rule *tunnel_remote(const struct tunnels *t, const struct om_id *network,
                                  const struct om_id *peer, uint64_t back, bool is_udp)
{
    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->number == back && r->is_remote && r->is_udp == is_udp &&
            om_id_equal(&r->network, network) && om_id_equal(&r->peers[0], peer))
            return r;
    }
    return NULL;
}

void tunnel_remote_stop(struct tunnel_rule *rule)
{
    struct tunnels *t = rule->tunnels;
    struct om_link *l = om_list_first(&t->rules);

    om_calls_hang_up(t->d->calls, &rule->standing, OM_CLOSE_CANCELLED);
    while (rule->is_consent && !t->is_closing && l) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->is_guest && r->consent == rule) {
            tunnel_rule_drop(r);
            l = om_list_first(&t->rules);
        } else {
            l = om_list_next(&t->rules, l);
        }
    }
}

static bool allows(const struct tunnel_rule *r, const struct om_addr *at)
{
    bool is_port = r->listen.port == 0 ? at->port == 0 || at->port >= UNPRIVILEGED
                                       : at->port == r->listen.port;

    return is_port && memcmp(r->listen.ip, at->ip, sizeof at->ip) == 0;
}

static struct tunnel_rule *consent_of(const struct tunnels *t, const struct om_act_call *call,
                                      const struct om_addr *at, bool is_udp)
{
    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->is_consent && r->is_udp == is_udp && om_id_equal(&r->network, &call->network) &&
            tunnel_names(r, &call->peer) && allows(r, at))
            return r;
    }
    return NULL;
}

static unsigned guests(const struct tunnels *t, const struct om_id *peer)
{
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        const struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        n += r->is_guest && om_id_equal(&r->peers[0], peer);
    }
    return n;
}

static void on_guest_reply(struct om_call_owner *o OM_UNUSED,
                           const struct om_act_reply *r OM_UNUSED)
{
}

static void on_guest_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE | OM_CALL_READABLE))
        tunnel_rule_drop(OM_CONTAINER_OF(o, struct tunnel_rule, standing));
}

/* Listens, with the call as the reason to; false and @err. */
static bool stand(struct tunnel_rule *r, const struct om_act_call *call, struct om_error *err)
{
    struct om_calls *calls = r->tunnels->d->calls;
    char listen[OM_ADDR_TEXT], body[OM_ADDR_TEXT + 32];

    if (!(r->is_udp ? tunnel_udp_listen(r, err) : tunnel_listen(r, err)))
        return false;
    r->standing.on_reply = on_guest_reply;
    r->standing.on_stream = on_guest_stream;
    if (om_calls_take(calls, call->call, &r->standing) != OM_OK)
        return om_fail(err, OM_E_NO_MEM, "out of memory") == OM_OK;
    (void)snprintf(body, sizeof body, "{\"listen\":\"%s\"}", om_addr_print(&r->listen, listen));
    if (om_node_accept(om_calls_node(calls), om_clock_now(), call->call,
                       om_bytes(body, strlen(body))) == OM_OK) {
        om_node_limit(om_calls_node(calls), om_clock_now(), call->call);
        return true;
    }
    om_calls_release(calls, &r->standing);
    return om_fail(err, OM_E_STATE, "the call ended") == OM_OK;
}

static void say_how(struct om_calls *calls, const struct om_act_call *call,
                    const struct om_addr *at, bool is_udp)
{
    char id[OM_ID_TEXT], listen[OM_ADDR_TEXT], text[200];

    (void)snprintf(text, sizeof text, "there, run: omerta expose listen:%s%s --to %s",
                   om_addr_print(at, listen), is_udp ? " --udp" : "", om_id_print(&call->peer, id));
    om_calls_refuse(calls, call->call, om_dial_word(OM_DIAL_NOT_ALLOWED), text);
}

void tunnels_listen(struct tunnels *t, const struct om_act_call *call)
{
    json_error_t at;
    json_t *o = json_loadb((const char *)call->args.p, call->args.n, JSON_REJECT_DUPLICATES, &at);
    const char *proto = json_string_value(json_object_get(o, "proto"));
    json_int_t port = json_integer_value(json_object_get(o, "port"));
    json_int_t back = json_integer_value(json_object_get(o, "back"));
    bool is_udp = proto && strcmp(proto, "udp") == 0;
    struct om_addr listen;
    struct om_error err;
    bool is_good =
        proto && (is_udp || strcmp(proto, "tcp") == 0) && port >= 1 && port <= 65535 && back >= 1 &&
        tunnel_read_listen(&listen, json_string_value(json_object_get(o, "listen")), &err);

    json_decref(o);
    if (!is_good) {
        om_calls_refuse(t->d->calls, call->call, "bad_args",
                        "want {proto: tcp or udp, listen, port, back}");
        return;
    }
    struct tunnel_rule *consent = consent_of(t, call, &listen, is_udp);
    if (!consent) {
        say_how(t->d->calls, call, &listen, is_udp);
        return;
    }
    struct tunnel_rule *r =
        guests(t, &call->peer) < TUNNEL_GUESTS_MAX ? tunnel_rule_new(t, &call->network) : NULL;
    if (!r) {
        om_calls_refuse(t->d->calls, call->call, "busy", "too many ports");
        return;
    }
    r->is_forward = r->is_guest = true;
    r->is_udp = is_udp;
    r->listen = listen;
    r->peers[r->peer_count++] = call->peer;
    r->port = (uint16_t)port;
    r->back = (uint64_t)back;
    r->consent = consent;
    if (stand(r, call, &err)) {
        tunnel_rule_add(r);
        return;
    }
    if (r->standing.is_open)
        om_calls_release(t->d->calls, &r->standing);
    om_calls_refuse(t->d->calls, call->call, "unavailable", err.msg);
    tunnel_rule_free(r);
}
