/* udp_serve.c - services of this machine at the end of UDP flows of peers. */
#include <stdlib.h>

#include "tunnels/dns.h"
#include "tunnels/udp.h"
#include "tunnels/udp_socket.h"

struct served {
    struct tunnels *tunnels;
    struct tunnel_rule *rule;
    struct tunnel_flow *flow;
    struct om_dns_query *resolve; /* before it stands */
    uv_udp_t *socket;             /* connected to the service; freed when closed */
};

static void on_closed(uv_handle_t *h)
{
    free(h);
}

static void forget(struct served *s)
{
    if (s->resolve)
        om_dns_query_cancel(s->resolve);
    if (s->socket)
        uv_close((uv_handle_t *)s->socket, on_closed);
    free(s);
}

static void on_request(void *self, struct om_bytes b)
{
    struct served *s = self;

    if (!s->socket || !tunnel_udp_socket_send(s->socket, NULL, om_bytes(NULL, 0), b))
        s->rule->failed++;
}

static void on_end(void *self, const char *why OM_UNUSED)
{
    forget(self);
}

static void refuse(struct served *s, enum om_dial_result why)
{
    tunnel_flow_refuse(s->flow, why);
    forget(s);
}

static void on_answer(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                      unsigned flags OM_UNUSED)
{
    struct served *s = u->data;

    if (!from) /* of a refused port, too: UDP has no way to say so */
        om_calls_kick(s->tunnels->d->calls);
    else if (n >= 0)
        tunnel_flow_send(s->flow, om_bytes(buf->base, (size_t)n));
}

static enum om_dial_result connect_to(struct served *s, const struct om_addr *to)
{
    uv_udp_t *u = calloc(1, sizeof *u);
    uv_os_fd_t fd;

    if (!u || tunnel_udp_socket_init(&s->tunnels->d->loop, u) < 0) {
        free(u);
        return OM_DIAL_FAILURE;
    }
    u->data = s;
    int e = tunnel_udp_socket_connect(u, to, on_answer);
    if (e == 0)
        e = uv_fileno((const uv_handle_t *)u, &fd);
    if (e == 0 && !om_fds_leave(fd, TUNNEL_SPARE_PEERS))
        e = UV_EMFILE;
    if (e == 0) {
        s->socket = u;
        return OM_DIAL_OK;
    }
    uv_close((uv_handle_t *)u, on_closed);
    return e == UV_EMFILE ? OM_DIAL_BUSY : OM_DIAL_UNREACHABLE;
}

/* To the first of them that may be reached and to which there is a way. */
static enum om_dial_result connect_first(struct served *s, const struct om_addr *addrs,
                                         unsigned count)
{
    enum om_dial_result r = count ? OM_DIAL_NOT_ALLOWED : OM_DIAL_NO_SUCH_HOST;

    for (unsigned i = 0; i < count; i++) {
        if (s->rule->is_internet && !tunnel_may_reach(s->rule, &addrs[i]))
            continue;
        r = connect_to(s, &addrs[i]);
        if (r == OM_DIAL_OK)
            break;
    }
    return r;
}

static void on_resolved(void *self, enum om_dns_found found, const struct om_addr *addrs,
                        unsigned count)
{
    struct served *s = self;
    struct om_calls *calls = s->tunnels->d->calls;

    s->resolve = NULL;
    enum om_dial_result r =
        found == OM_DNS_FOUND ? connect_first(s, addrs, count) : om_dial_result_of_found(found);
    if (r == OM_DIAL_OK)
        tunnel_flow_accept(s->flow);
    else
        refuse(s, r);
    om_calls_kick(calls);
}

void tunnel_udp_serve(struct tunnels *t, struct tunnel_rule *rule, const struct om_act_call *call,
                      uint32_t number, const char *host, uint16_t port)
{
    const struct tunnel_wish wish = {.network = call->network, .peer = call->peer};
    struct served *s = calloc(1, sizeof *s);
    const struct tunnel_flow_config config = {
        .rule = rule, .wish = &wish, .on_datagram = on_request, .on_end = on_end, .self = s};

    if (s)
        s->flow = tunnel_flow_take(t, &config, call->call, number);
    if (!s || !s->flow) {
        free(s);
        om_calls_refuse(t->d->calls, call->call, "busy", "too many flows");
        return;
    }
    s->tunnels = t;
    s->rule = rule;
    if (om_dns_exit_resolve(&s->resolve, t->dns->resolver, &call->peer, host, port, on_resolved,
                            s) != OM_OK)
        refuse(s, OM_DIAL_FAILURE);
}
