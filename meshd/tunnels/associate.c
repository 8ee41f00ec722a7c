/* associate.c - SOCKS5 datagrams of one client, and a flow for each of their targets. */
#include "tunnels/associate.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/socks_udp.h>

#include "tunnels/udp.h"
#include "tunnels/udp_socket.h"

struct tunnel_association {
    struct tunnels *tunnels;
    struct tunnel_rule *rule;
    struct om_addr client;  /* port 0: that of its first datagram */
    struct om_list targets; /* the one last spoken with first */
    unsigned target_count;
    struct om_socks_udp drops;
    uv_udp_t *socket; /* freed when closed */
};

struct target {
    struct om_link link;
    struct tunnel_association *a;
    struct tunnel_flow *flow;
    struct om_target to;
};

static void forget_target(struct target *g)
{
    om_list_remove(&g->link);
    g->a->target_count--;
    free(g);
}

static void is_used(struct target *g)
{
    om_list_remove(&g->link);
    om_list_push_front(&g->a->targets, &g->link);
}

static void on_answer(void *self, struct om_bytes b)
{
    struct target *g = self;
    uint8_t head[OM_SOCKS_UDP_HEADER_MAX];
    size_t n = om_socks_udp_encode(om_mut(head, sizeof head), &g->to);

    is_used(g);
    if (!tunnel_udp_socket_send(g->a->socket, &g->a->client, om_bytes(head, n), b))
        g->a->rule->failed++;
}

static void on_end(void *self, const char *why OM_UNUSED)
{
    forget_target(self);
}

static struct target *find(const struct tunnel_association *a, const struct om_target *to)
{
    for (struct om_link *l = om_list_first(&a->targets); l; l = om_list_next(&a->targets, l)) {
        struct target *g = OM_CONTAINER_OF(l, struct target, link);
        if (g->to.is_name == to->is_name && g->to.addr.port == to->addr.port &&
            strcmp(g->to.host, to->host) == 0)
            return g;
    }
    return NULL;
}

static void end_the_oldest(struct tunnel_association *a)
{
    struct target *oldest = OM_CONTAINER_OF(a->targets.head.prev, struct target, link);

    tunnel_flow_close(oldest->flow);
    forget_target(oldest);
}

static struct target *begin(struct tunnel_association *a, const struct om_target *to)
{
    struct tunnel_wish wish;
    enum om_dial_result r = tunnel_proxy_wish(&wish, a->rule, to);
    struct target *g = r == OM_DIAL_OK ? calloc(1, sizeof *g) : NULL;

    if (r != OM_DIAL_OK)
        tunnel_rule_fail(a->rule, om_dial_word(r));
    if (!g)
        return NULL;
    g->a = a;
    g->to = *to;
    wish.proto = "udp";
    const struct tunnel_flow_config config = {
        .rule = a->rule, .wish = &wish, .on_datagram = on_answer, .on_end = on_end, .self = g};
    if (a->target_count == TUNNEL_TARGETS_MAX)
        end_the_oldest(a);
    g->flow = tunnel_flow_open(a->tunnels, &config);
    if (!g->flow) {
        free(g);
        return NULL;
    }
    om_list_push_front(&a->targets, &g->link);
    a->target_count++;
    return g;
}

/* Is it the client's? Its first one that makes sense says from where the others must be. */
static bool is_clients(const struct tunnel_association *a, const struct om_addr *from)
{
    return memcmp(a->client.ip, from->ip, sizeof from->ip) == 0 &&
           (a->client.port == 0 || a->client.port == from->port);
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *sa,
                        unsigned flags OM_UNUSED)
{
    struct tunnel_association *a = u->data;
    struct om_bytes payload;
    struct om_target to;
    struct om_addr from;

    if (!sa)
        om_calls_kick(a->tunnels->d->calls);
    if (n < 0 || !sa || !tunnel_udp_socket_from(&from, sa))
        return;
    uint64_t fragments = a->drops.fragments;
    if (!is_clients(a, &from)) {
        tunnel_rule_fail(a->rule, "a datagram of another program than the client");
    } else if (!om_socks_udp_decode(&a->drops, &to, &payload, om_bytes(buf->base, (size_t)n))) {
        tunnel_rule_fail(a->rule, a->drops.fragments > fragments ? "a fragment of SOCKS5"
                                                                 : "no datagram of SOCKS5");
    } else {
        a->client.port = from.port;
        struct target *g = find(a, &to);
        if (g)
            is_used(g);
        else
            g = begin(a, &to);
        if (g)
            tunnel_flow_send(g->flow, payload);
    }
}

static bool addr_of(struct om_addr *out, const uv_tcp_t *tcp,
                    int (*get)(const uv_tcp_t *tcp, struct sockaddr *sa, int *n))
{
    struct sockaddr_storage sa;
    int n = (int)sizeof sa;

    return get(tcp, (struct sockaddr *)&sa, &n) == 0 &&
           tunnel_udp_socket_from(out, (const struct sockaddr *)&sa);
}

static void on_closed(uv_handle_t *h)
{
    free(h);
}

void tunnel_association_end(struct tunnel_association *a)
{
    for (struct om_link *l = om_list_first(&a->targets), *next; l; l = next) {
        struct target *g = OM_CONTAINER_OF(l, struct target, link);
        next = om_list_next(&a->targets, l);
        tunnel_flow_close(g->flow);
        free(g);
    }
    if (a->socket)
        uv_close((uv_handle_t *)a->socket, on_closed);
    free(a);
}

struct tunnel_association *tunnel_associate(struct tunnel_conn *c, uint16_t port,
                                            struct om_addr *bound)
{
    struct tunnel_association *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->tunnels = c->tunnels;
    a->rule = c->rule;
    om_list_init(&a->targets);
    a->socket = calloc(1, sizeof *a->socket);
    if (a->socket && tunnel_udp_socket_init(&c->tunnels->d->loop, a->socket) < 0) {
        free(a->socket);
        a->socket = NULL;
    }
    bool is_good = a->socket && addr_of(&a->client, &c->socket->tcp, uv_tcp_getpeername) &&
                   addr_of(bound, &c->socket->tcp, uv_tcp_getsockname);
    if (is_good) {
        a->socket->data = a;
        a->client.port = port;
        bound->port = 0;
        is_good = tunnel_udp_socket_bind(a->socket, bound, on_datagram) == 0;
    }
    if (is_good)
        return a;
    tunnel_association_end(a);
    return NULL;
}
