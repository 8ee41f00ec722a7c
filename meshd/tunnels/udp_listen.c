/* udp_listen.c - local ports of UDP, with a flow for each program that sends there. */
#include <stdlib.h>

#include <omerta/wire.h>

#include "tunnels/udp.h"
#include "tunnels/udp_socket.h"

struct client {
    struct tunnel_rule *rule;
    struct tunnel_flow *flow;
    struct om_addr addr;
};

static void client_key(uint8_t out[static TUNNEL_CLIENT_KEY], const struct tunnel_rule *rule,
                       const struct om_addr *client)
{
    struct om_wr w = om_wr(om_mut(out, TUNNEL_CLIENT_KEY));

    om_wr_u64(&w, rule->number);
    om_addr_write(&w, client);
}

static void on_answer(void *self, struct om_bytes b)
{
    struct client *c = self;

    if (!tunnel_udp_socket_send(&c->rule->udp, &c->addr, om_bytes(NULL, 0), b))
        c->rule->failed++;
}

static void on_end(void *self, const char *why OM_UNUSED)
{
    struct client *c = self;
    uint8_t key[TUNNEL_CLIENT_KEY];

    client_key(key, c->rule, &c->addr);
    (void)om_table_remove(&c->rule->tunnels->udp_clients, key);
    free(c);
}

static struct tunnel_flow *flow_of(struct tunnel_rule *r, const struct om_addr *addr)
{
    const struct tunnel_wish wish = {.proto = "udp",
                                     .network = r->network,
                                     .peer = r->peers[0],
                                     .host = r->host,
                                     .port = r->port};
    struct om_table *clients = &r->tunnels->udp_clients;
    uint8_t key[TUNNEL_CLIENT_KEY];

    client_key(key, r, addr);
    struct client *c = om_table_find(clients, key);
    if (c)
        return c->flow;
    c = calloc(1, sizeof *c);
    if (!c || om_table_put(clients, key, c) != OM_OK) {
        free(c);
        r->failed++;
        return NULL;
    }
    c->rule = r;
    c->addr = *addr;
    const struct tunnel_flow_config config = {
        .rule = r, .wish = &wish, .on_datagram = on_answer, .on_end = on_end, .self = c};
    c->flow = tunnel_flow_open(r->tunnels, &config);
    if (c->flow)
        return c->flow;
    (void)om_table_remove(clients, key);
    free(c);
    return NULL;
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags OM_UNUSED)
{
    struct tunnel_rule *r = u->data;
    struct om_addr client;

    if (!from)
        om_calls_kick(r->tunnels->d->calls); /* all that came goes together */
    if (n < 0 || !from || !tunnel_udp_socket_from(&client, from))
        return;
    struct tunnel_flow *f = flow_of(r, &client);
    if (f)
        tunnel_flow_send(f, om_bytes(buf->base, (size_t)n));
}

bool tunnel_udp_listen(struct tunnel_rule *r, struct om_error *err)
{
    char shown[OM_ADDR_TEXT], who[TUNNEL_WHO];
    int e = tunnel_udp_socket_init(&r->tunnels->d->loop, &r->udp);

    r->udp.data = r;
    if (e == 0)
        e = tunnel_udp_socket_bind(&r->udp, &r->listen, on_datagram);
    if (e == 0)
        return true;
    (void)om_fail(err, e == UV_EADDRINUSE ? OM_E_EXISTS : OM_E_STATE, "UDP %s: %s",
                  om_addr_print(&r->listen, shown),
                  e == UV_EADDRINUSE ? tunnel_who_listens(r, true, who) : uv_strerror(e));
    return false;
}
