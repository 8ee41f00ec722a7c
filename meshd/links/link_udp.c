/* link_udp.c - UDP of a link: one flow to the peer for each pair of addresses. */
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "links/parts.h"
#include "tunnels/udp.h"

/* Nothing between the fields: the whole is the key. */
struct key {
    uint8_t from[16], to[16];
    uint16_t from_port, to_port;
};

static_assert(sizeof(struct key) == LINK_UDP_KEY, "a key has padding");

static struct key key_of(const struct om_addr *from, const struct om_addr *to)
{
    struct key k = {.from_port = from->port, .to_port = to->port};

    memcpy(k.from, from->ip, sizeof k.from);
    memcpy(k.to, to->ip, sizeof k.to);
    return k;
}

static void forget(struct link_udp *u)
{
    struct key k = key_of(&u->from, &u->to);

    (void)om_table_remove(&u->of->udp_by_key, &k);
    om_list_remove(&u->link);
    u->of->udp_count--;
    free(u);
}

void link_udp_drop(struct link_udp *u)
{
    tunnel_flow_close(u->flow);
    forget(u);
}

static void on_datagram(void *self, struct om_bytes b)
{
    struct link_udp *u = self;
    struct links *s = u->of->links;

    om_time now = om_clock_now();

    u->of->heard_at = now;
    if (om_stack_send(s->stack, now, u->of->port, &u->to, &u->from, b) != OM_OK)
        u->of->counts.udp_dropped++;
    links_touch(s);
}

static void on_end(void *self, const char *why)
{
    struct link_udp *u = self;

    if (why)
        link_fail(u->of, why);
    forget(u);
}

/* A new one, which has room because the one silent for longest gives way; NULL: it cannot be. */
static struct link_udp *open_udp(struct link *l, const struct om_addr *from,
                                 const struct om_addr *to)
{
    struct tunnel_wish wish = {.proto = "udp",
                               .network = l->config.network,
                               .peer = l->config.peer,
                               .port = to->port,
                               .machine = link_machine(l)};
    char host[OM_IP_TEXT];
    struct key k = key_of(from, to);

    if (link_route(&l->config.sides, to, host) == LINK_NOWHERE) {
        l->counts.unroutable++;
        return NULL;
    }
    if (l->udp_count == LINK_UDP_MAX)
        link_udp_drop(OM_CONTAINER_OF(om_list_first(&l->udps), struct link_udp, link));
    struct link_udp *u = calloc(1, sizeof *u);
    if (!u || om_table_put(&l->udp_by_key, &k, u) != OM_OK) {
        free(u);
        return NULL;
    }
    u->of = l;
    u->from = *from;
    u->to = *to;
    om_list_push_back(&l->udps, &u->link);
    l->udp_count++;
    wish.host = host;
    const struct tunnel_flow_config config = {
        .wish = &wish, .on_datagram = on_datagram, .on_end = on_end, .self = u};
    u->flow = tunnel_flow_open(l->links->d->tunnels, &config);
    if (u->flow)
        return u;
    forget(u);
    return NULL;
}

void link_udp_input(struct link *l, const struct om_stack_act *act)
{
    struct key k = key_of(&act->from, &act->to);
    struct link_udp *u = om_table_find(&l->udp_by_key, &k);

    if (link_dns_is_at(l, &act->to)) {
        link_dns_input(l, act);
        return;
    }
    if (!u) {
        u = open_udp(l, &act->from, &act->to);
    } else {
        om_list_remove(&u->link);
        om_list_push_back(&l->udps, &u->link);
    }
    if (u)
        tunnel_flow_send(u->flow, act->bytes);
    else
        l->counts.udp_dropped++;
}
