/* proxy.c - clients that say themselves where they want to go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/parts.h"
#include "tunnels/associate.h"
#include "tunnels/dns.h"

static enum om_proxy_result result_of(enum om_dial_result r)
{
    switch (r) {
    case OM_DIAL_OK:
        return OM_PROXY_OK;
    case OM_DIAL_NOT_ALLOWED:
        return OM_PROXY_NOT_ALLOWED;
    case OM_DIAL_REFUSED:
        return OM_PROXY_REFUSED;
    case OM_DIAL_UNREACHABLE:
        return OM_PROXY_UNREACHABLE;
    case OM_DIAL_TIMEOUT:
        return OM_PROXY_TIMEOUT;
    case OM_DIAL_NO_SUCH_HOST:
        return OM_PROXY_NO_SUCH_HOST;
    case OM_DIAL_BUSY:
    case OM_DIAL_FAILURE:
        break;
    }
    return OM_PROXY_FAILURE;
}

/* What the machine has to say is short, and the client waits for it: it fits the socket. */
static bool say(struct tunnel_conn *c)
{
    struct om_bytes b = om_proxy_output(c->proxy);
    uv_buf_t v = {.len = b.n};

    if (b.n == 0)
        return true;
    memcpy(&v.base, &b.p, sizeof v.base);
    if (uv_try_write(&c->socket->stream, &v, 1) != (int)b.n)
        return false;
    om_proxy_sent(c->proxy, b.n);
    return true;
}

static void on_shutdown(uv_shutdown_t *req, int status OM_UNUSED)
{
    free(req);
}

/* The client reads why not, then it closes; if it does not, we do. */
static void linger(struct tunnel_conn *c)
{
    uv_shutdown_t *req = malloc(sizeof *req);

    c->is_lingering = true;
    om_calls_hang_up(c->tunnels->d->calls, &c->owner, OM_CLOSE_CANCELLED);
    if (!req || uv_shutdown(req, &c->socket->stream, on_shutdown) < 0) {
        free(req);
        tunnel_conn_drop(c);
        return;
    }
    (void)uv_timer_start(&c->limit, c->limit.timer_cb, TUNNEL_LINGER_MS, 0);
}

void tunnel_proxy_answer(struct tunnel_conn *c, enum om_dial_result r)
{
    om_proxy_answer(c->proxy, result_of(r), NULL);
    if (!say(c)) {
        tunnel_conn_drop(c);
    } else if (r == OM_DIAL_OK) {
        om_proxy_fini(c->proxy);
        free(c->proxy);
        c->proxy = NULL;
        tunnel_conn_join(c);
    } else {
        linger(c);
    }
}

/* The name before ".omerta", which is never asked of any resolver; NULL: some other name. */
static char *ours(char out[static OM_TARGET_NAME_MAX + 1], const char *host)
{
    static const char suffix[] = ".omerta";
    size_t n = strlen(host), end = sizeof suffix - 1;

    n -= n > 0 && host[n - 1] == '.';
    if (n < end || strncasecmp(host + n - end, suffix, end) != 0)
        return NULL;
    (void)snprintf(out, OM_TARGET_NAME_MAX + 1, "%.*s", (int)(n - end), host);
    return out;
}

/* "<peer>.<network>", or without the network when there is only one. */
static bool find_peer(struct om_daemon *d, char *name, struct tunnel_wish *out)
{
    const struct daemon_network *net;
    struct om_error err;
    char *dot = strrchr(name, '.');

    if (dot)
        *dot = '\0';
    json_t *words = json_pack("{s:s, s:s?}", "peer", name, "network", dot ? dot + 1 : NULL);
    const struct control_ask ask = {.d = d, .params = words};
    bool is_found = control_peer(&ask, &net, &out->peer, &err);
    json_decref(words);
    if (is_found)
        out->network = net->id;
    return is_found;
}

enum om_dial_result tunnel_proxy_wish(struct tunnel_wish *out, const struct tunnel_rule *r,
                                      const struct om_target *to)
{
    char name[OM_TARGET_NAME_MAX + 1];

    *out = (struct tunnel_wish){.proto = "tcp", .host = "", .port = to->addr.port};
    if (to->is_name && ours(name, to->host))
        return find_peer(r->tunnels->d, name, out) ? OM_DIAL_OK : OM_DIAL_NO_SUCH_HOST;
    if (!to->is_name && tunnel_names_is_ours(r->tunnels, &to->addr)) /* never given to a gateway */
        return tunnel_names_at(r->tunnels, &to->addr, &out->network, &out->peer)
                   ? OM_DIAL_OK
                   : OM_DIAL_UNREACHABLE;
    if (r->peer_count == 0)
        return OM_DIAL_NOT_ALLOWED;
    out->network = r->network;
    out->peer = r->peers[0];
    out->host = to->host;
    return OM_DIAL_OK;
}

static void connect_to(struct tunnel_conn *c, const struct om_target *to)
{
    struct tunnel_wish w;
    enum om_dial_result r = tunnel_proxy_wish(&w, c->rule, to);

    (void)uv_read_stop(&c->socket->stream);
    if (r == OM_DIAL_NOT_ALLOWED)
        tunnel_conn_fail(c, "no gateway for hosts that are no peers");
    if (r == OM_DIAL_OK && !tunnel_call(c, &w.network, &w.peer, w.host, w.port))
        r = OM_DIAL_UNREACHABLE;
    if (r != OM_DIAL_OK)
        tunnel_proxy_answer(c, r);
}

/* From now on its TCP connection only says, by its end, when it is over. */
static void associate(struct tunnel_conn *c, const struct om_target *from)
{
    struct om_addr bound;

    c->association = tunnel_associate(c, from->addr.port, &bound);
    om_proxy_answer(c->proxy, c->association ? OM_PROXY_OK : OM_PROXY_FAILURE,
                    c->association ? &bound : NULL);
    if (!say(c)) {
        tunnel_conn_drop(c);
    } else if (!c->association) {
        tunnel_conn_fail(c, "no UDP port for an association");
        linger(c);
    } else {
        om_proxy_fini(c->proxy);
        free(c->proxy);
        c->proxy = NULL;
        (void)uv_timer_stop(&c->limit);
    }
}

static void on_alloc(uv_handle_t *h, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    struct tunnel_conn *c = h->data;

    *buf = uv_buf_init(c->tunnels->buffer, sizeof c->tunnels->buffer);
}

/* Bytes behind the request belong to the tunnel. */
static bool keep_rest(struct tunnel_conn *c, struct om_bytes rest)
{
    if (rest.n == 0)
        return true;
    c->rest = malloc(rest.n);
    if (!c->rest)
        return false;
    memcpy(c->rest, rest.p, rest.n);
    c->rest_n = rest.n;
    return true;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct tunnel_conn *c = stream->data;
    struct om_calls *calls = c->tunnels->d->calls;

    if (n < 0) {
        tunnel_conn_drop(c);
        return;
    }
    if (n == 0 || c->is_lingering || c->association)
        return;
    const struct om_bytes in = om_bytes(buf->base, (size_t)n);
    size_t used = om_proxy_input(c->proxy, in);
    if (!say(c) || !keep_rest(c, om_bytes(in.p + used, in.n - used))) {
        tunnel_conn_drop(c);
        return;
    }
    const struct om_target to = c->proxy->target;
    if (c->proxy->state == OM_PROXY_WANTS_CONNECT) {
        connect_to(c, &to);
    } else if (c->proxy->state == OM_PROXY_WANTS_UDP) {
        associate(c, &to);
    } else if (c->proxy->state == OM_PROXY_FAILED) {
        tunnel_conn_fail(c, c->proxy->why);
        linger(c);
    }
    om_calls_kick(calls);
}

void tunnel_proxy(struct tunnel_conn *c)
{
    c->proxy = malloc(sizeof *c->proxy);
    if (c->proxy)
        om_proxy_init(c->proxy, &c->rule->login);
    c->socket->handle.data = c;
    if (!c->proxy || uv_read_start(&c->socket->stream, on_alloc, on_read) < 0)
        tunnel_conn_drop(c);
}
