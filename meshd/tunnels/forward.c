/* forward.c - local ports, and what connects to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "control/parts.h"
#include "links/links.h"
#include "tunnels/parts.h"

enum { BACKLOG = 512, KEEPALIVE_S = 60 };

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    struct tunnel_conn *c = OM_CONTAINER_OF(o, struct tunnel_conn, owner);
    char why[160];

    if (!r->is_ok) {
        (void)snprintf(why, sizeof why, "%s: %.*s", r->error, (int)r->body.n,
                       (const char *)r->body.p);
        tunnel_conn_fail(c, why);
    }
    if (c->proxy)
        tunnel_proxy_answer(c, r->is_ok ? OM_DIAL_OK : om_dial_result_of(r->error));
    else if (r->is_ok)
        tunnel_conn_join(c);
    else
        tunnel_conn_drop(c);
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct tunnel_conn *c = OM_CONTAINER_OF(o, struct tunnel_conn, owner);

    if (!(news->news & (OM_CALL_RESET | OM_CALL_DONE)))
        return;
    tunnel_conn_fail(c, "the peer ended the call");
    if (c->proxy)
        tunnel_proxy_answer(c, OM_DIAL_FAILURE);
    else
        tunnel_conn_drop(c);
}

bool tunnel_ask(struct tunnels *t, struct tunnel_rule *r, struct om_call_owner *owner,
                const struct tunnel_wish *w)
{
    struct om_daemon *d = t->d;
    const struct daemon_network *net = daemon_network(d, &w->network);
    struct om_call_config call = {.method = TUNNEL_METHOD, .priority = OM_NORMAL};
    json_t *args = json_pack("{s:s, s:i}", "proto", w->proto, "port", (int)w->port);
    enum om_err e = OM_E_NO_MEM;

    if (r && *r->to_link) {
        call.method = LINK_METHOD;
        json_decref(args);
        args = json_pack("{s:s, s:i}", "link", r->to_link, "port", (int)w->port);
    }
    if (args && w->host && *w->host)
        (void)json_object_set_new(args, "host", json_string(w->host));
    if (args && w->machine && *w->machine)
        (void)json_object_set_new(args, "link", json_string(w->machine));
    if (args && w->flow)
        (void)json_object_set_new(args, "flow", json_integer(w->flow));
    if (args && r && r->is_guest)
        (void)json_object_set_new(args, "back", json_integer((json_int_t)r->back));
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(args);
    if (text && net) {
        call.args = om_bytes(text, strlen(text));
        e = daemon_reach(d, net, &w->peer);
        if (e == OM_OK)
            e = om_calls_open(d->calls, &w->network, &w->peer, &call, owner);
    }
    free(text);
    if (e != OM_OK && r)
        tunnel_rule_fail(r, om_err_text(e));
    return e == OM_OK;
}

bool tunnel_call(struct tunnel_conn *c, const struct om_id *network, const struct om_id *peer,
                 const char *host, uint16_t port)
{
    const struct tunnel_wish w = {
        .proto = "tcp", .network = *network, .peer = *peer, .host = host, .port = port};

    c->peer = *peer;
    c->owner.on_reply = on_reply;
    c->owner.on_stream = on_stream;
    return tunnel_ask(c->tunnels, c->rule, &c->owner, &w);
}

/* Of our programs, and, where a peer has us listen, of whoever connects. */
static bool leaves_descriptors(struct tunnel_rule *r, const struct om_socket *s)
{
    uv_os_fd_t fd;

    if (uv_fileno(&s->handle, &fd) == 0 &&
        om_fds_leave(fd, r->is_guest ? TUNNEL_SPARE_PEERS : TUNNEL_SPARE_OWN))
        return true;
    tunnel_rule_fail(r, "too many connections: few descriptors are left");
    return false;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct tunnel_rule *r = listener->data;
    struct om_socket *s = status == 0 ? calloc(1, sizeof *s) : NULL;

    if (!s || uv_tcp_init(listener->loop, &s->tcp) < 0) {
        free(s);
        return;
    }
    struct tunnel_conn *c = NULL;
    if (uv_accept(listener, &s->stream) == 0 && leaves_descriptors(r, s))
        c = tunnel_conn_new(r->tunnels, r, false);
    if (!c) {
        om_socket_close(s, true);
        return;
    }
    c->socket = s;
    (void)uv_tcp_nodelay(&s->tcp, 1);
    (void)uv_tcp_keepalive(&s->tcp, 1, KEEPALIVE_S);
    if (r->is_proxy)
        tunnel_proxy(c);
    else if (!tunnel_call(c, &r->network, &r->peers[0], r->host, r->port))
        tunnel_conn_drop(c);
    om_calls_kick(r->tunnels->d->calls);
}

static bool is_at(const struct tunnel_rule *r, const struct om_addr *a)
{
    static const struct om_addr any6;
    const struct om_addr any4 = om_addr_v4(0, 0);
    const uint8_t *ip = r->listen.ip;

    return r->listen.port == a->port &&
           (memcmp(ip, a->ip, sizeof a->ip) == 0 || memcmp(ip, any4.ip, sizeof any4.ip) == 0 ||
            memcmp(ip, any6.ip, sizeof any6.ip) == 0 ||
            memcmp(a->ip, any4.ip, sizeof any4.ip) == 0 ||
            memcmp(a->ip, any6.ip, sizeof any6.ip) == 0);
}

const char *tunnel_who_listens(const struct tunnel_rule *rule, bool is_udp,
                               char out[static TUNNEL_WHO])
{
    const struct om_list *rules = &rule->tunnels->rules;

    for (struct om_link *l = om_list_first(rules); l && !rule->is_guest;
         l = om_list_next(rules, l)) {
        const struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        bool has = (is_udp ? r->udp.type == UV_UDP : r->listener.type == UV_TCP);
        if (!r->is_forward || !has || !is_at(r, &rule->listen))
            continue;
        (void)snprintf(out, TUNNEL_WHO, "taken by forward %llu", (unsigned long long)r->number);
        return out;
    }
    return "another program listens there"; /* also what a peer hears */
}

bool tunnel_listen(struct tunnel_rule *r, struct om_error *err)
{
    char text[OM_IP_TEXT], shown[OM_ADDR_TEXT], who[TUNNEL_WHO];
    struct sockaddr_storage sa;
    int e = uv_tcp_init(&r->tunnels->d->loop, &r->listener);

    r->listener.data = r;
    (void)om_addr_ip_print(r->listen.ip, text);
    if (e == 0)
        e = om_addr_is_v4(&r->listen)
                ? uv_ip4_addr(text, r->listen.port, (struct sockaddr_in *)&sa)
                : uv_ip6_addr(text, r->listen.port, (struct sockaddr_in6 *)&sa);
    if (e == 0)
        e = uv_tcp_bind(&r->listener, (const struct sockaddr *)&sa, 0);
    if (e == 0)
        e = uv_listen((uv_stream_t *)&r->listener, BACKLOG, on_connection);
    if (e == 0) { /* port 0: the kernel chose */
        int n = (int)sizeof sa;
        e = uv_tcp_getsockname(&r->listener, (struct sockaddr *)&sa, &n);
        r->listen.port = ntohs(((const struct sockaddr_in *)&sa)->sin_port);
    }
    if (e == 0)
        return true;
    (void)om_fail(err, e == UV_EADDRINUSE ? OM_E_EXISTS : OM_E_STATE, "%s: %s",
                  om_addr_print(&r->listen, shown),
                  e == UV_EADDRINUSE ? tunnel_who_listens(r, false, who) : uv_strerror(e));
    return false;
}
