/* presence.c - where this machine is: told to the mesh, and to the LAN. */
#include <string.h>

#include <omerta/hello.h>
#include <omerta/where.h>

#include "host/clock.h"
#include "mapping.h"
#include "names.h"
#include "state.h"
#include "tunnels/tunnels.h"

enum { ENDS_MAX = OM_ANNOUNCE_ENDS };

static bool is_of_use(const struct om_addr *a)
{
    switch (om_addr_classify(a)) {
    case OM_ADDR_GLOBAL:
    case OM_ADDR_PRIVATE:
    case OM_ADDR_SHARED:
    case OM_ADDR_RESERVED: /* documentation and benchmarking ranges are what labs are made of */
        return true;
    default:
        return false;
    }
}

/* Addresses of @d with its port, global ones first; how many. */
static unsigned own_addrs(const struct om_daemon *d, struct om_addr out[ENDS_MAX])
{
    struct om_udp_info udp;
    unsigned ifaces, n = 0;
    const struct om_iface *list = om_netwatch_ifaces(d->netwatch, &ifaces);

    om_udp_info(om_pump_udp(d->pump), &udp);
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < ifaces; i++) {
            const struct om_iface *f = &list[i];
            for (unsigned k = 0; k < f->addr_count && f->is_up && !f->is_loopback; k++) {
                struct om_addr a = f->addrs[k];
                bool is_global = om_addr_classify(&a) == OM_ADDR_GLOBAL;
                if (n == ENDS_MAX || is_global != (pass == 0) || !is_of_use(&a) ||
                    !(om_addr_is_v4(&a) ? udp.has_v4 : udp.has_v6))
                    continue;
                a.port = udp.port;
                out[n++] = a;
            }
        }
    return n;
}

/* What the router maps to us goes after our own global addresses, and before those that lead
 * nowhere from outside. */
static void add_mapped(const struct om_daemon *d, struct om_announce *a)
{
    const struct om_addr *external = d->mapping ? mapping_external(d->mapping) : NULL;
    unsigned at = 0;

    if (!external)
        return;
    while (at < a->end_count && om_addr_classify(&a->ends[at]) == OM_ADDR_GLOBAL)
        if (om_addr_equal(&a->ends[at++], external))
            return; /* it is our own, and no router's */
    if (at == ENDS_MAX)
        at--;
    if (a->end_count < ENDS_MAX)
        a->end_count++;
    memmove(&a->ends[at + 1], &a->ends[at], (a->end_count - at - 1) * sizeof a->ends[0]);
    a->ends[at] = *external;
    a->mapped[at] = true;
}

unsigned daemon_own_addrs(const struct om_daemon *d, struct om_addr out[ENDS_MAX])
{
    struct om_announce a = {.end_count = 0};

    a.end_count = own_addrs(d, a.ends);
    add_mapped(d, &a);
    memcpy(out, a.ends, a.end_count * sizeof *out);
    return a.end_count;
}

static void announce(struct om_daemon *d, const struct daemon_network *net,
                     const struct om_addr *ends, unsigned count)
{
    struct om_announce a = {.end_count = count, .relays = d->config.relay};
    struct om_logline line;

    om_node_set_relay(daemon_node(d), om_clock_now(), d->config.relay);
    memcpy(a.ends, ends, count * sizeof *ends);
    add_mapped(d, &a);
    if (!net->is_closed) /* there a certificate says it, and what anybody says of himself is none */
        (void)names_own(d, net, a.name);
    enum om_err e = om_node_announce(daemon_node(d), om_clock_now(), &net->id, &a);
    if (e == OM_OK && d->config.lan)
        e = om_node_hello(daemon_node(d), om_clock_now(), &net->id, ends, count);
    if (e != OM_OK && om_log_begin(&line, &d->log, OM_LOG_WARN, "presence", "cannot announce")) {
        om_log_str(&line, "network", net->name);
        om_log_str(&line, "why", om_err_text(e));
        om_log_end(&line);
    }
}

/* Those of @d that hellos go out of and come in by. */
static unsigned hello_ifaces(const struct om_daemon *d, struct om_iface out[OM_IFACES_MAX])
{
    unsigned count, n = 0;
    const struct om_iface *list = om_netwatch_ifaces(d->netwatch, &count);

    for (unsigned i = 0; i < count; i++)
        if (list[i].is_up && list[i].is_multicast && !list[i].is_loopback)
            out[n++] = list[i];
    return n;
}

static void join_groups(struct om_daemon *d)
{
    struct om_addr groups[OM_NETWORKS_MAX * OM_HELLO_GROUPS_MAX];
    struct om_iface ifaces[OM_IFACES_MAX];
    unsigned index[OM_IFACES_MAX], n = 0;
    unsigned count = hello_ifaces(d, ifaces);

    for (unsigned i = 0; i < count; i++)
        index[i] = ifaces[i].index;
    om_udp_interfaces(om_pump_udp(d->pump), index, count);
    for (unsigned i = 0; i < d->network_count; i++)
        n += om_node_hello_groups(daemon_node(d), om_clock_now(), &d->networks[i].id, groups + n);
    om_lan_join(d->lan, groups, n, ifaces, count);
}

static void add_near(struct om_where *w, const struct om_addr *addr, uint8_t prefix)
{
    struct om_cidr *c = &w->near[w->near_count];
    unsigned bits = prefix + (om_addr_is_v4(addr) ? 96U : 0);

    /* Link-local ones come and go with every interface, and peers name none. */
    if (w->near_count == OM_WHERE_NEAR_MAX || bits > OM_CIDR_BITS_MAX || !is_of_use(addr))
        return;
    c->bits = (uint8_t)bits;
    for (unsigned i = 0; i < sizeof c->ip; i++) {
        unsigned left = bits > 8 * i ? bits - 8 * i : 0;
        unsigned mask = left >= 8 ? 0xffU : 0xff00U >> left & 0xffU;
        c->ip[i] = (uint8_t)(addr->ip[i] & mask);
    }
    w->near_count++;
}

/* Our addresses @ends, what the router maps to us, and what is on our links. */
static void tell_where(struct om_daemon *d, const struct om_addr *ends, unsigned count)
{
    const struct om_addr *external = d->mapping ? mapping_external(d->mapping) : NULL;
    struct om_where w = {.own_count = count};
    unsigned ifaces;
    const struct om_iface *list = om_netwatch_ifaces(d->netwatch, &ifaces);

    memcpy(w.own, ends, count * sizeof *ends);
    if (external && w.own_count < OM_WHERE_OWN_MAX) {
        w.own[w.own_count] = *external;
        w.is_mapped[w.own_count++] = true;
    }
    for (unsigned i = 0; i < ifaces; i++)
        for (unsigned k = 0; k < list[i].addr_count && list[i].is_up && !list[i].is_loopback; k++)
            add_near(&w, &list[i].addrs[k], list[i].prefix[k]);
    enum om_err e = om_node_where(daemon_node(d), om_clock_now(), &w);
    OM_BUG_IF(e != OM_OK); /* its counts are bounded above */
}

void daemon_presence_tell(struct om_daemon *d)
{
    struct om_addr ends[ENDS_MAX];
    unsigned n = own_addrs(d, ends);

    tell_where(d, ends, n);

    if (d->lan)
        join_groups(d);
    for (unsigned i = 0; i < d->network_count; i++)
        announce(d, &d->networks[i], ends, n);
    om_pump_kick(d->pump);
}

void daemon_network_changed(struct om_daemon *d, unsigned what)
{
    daemon_presence_tell(d);
    daemon_bootstrap_again(d);
    if (d->tunnels)
        tunnels_names_again(d->tunnels);
    if (d->mapping)
        mapping_look(d->mapping, (what & OM_NET_ROUTES) != 0);
}

static void on_change(void *self, unsigned what)
{
    struct om_daemon *d = self;
    struct om_logline line;

    if (om_log_begin(&line, &d->log, OM_LOG_INFO, "presence", "network of this machine changed")) {
        om_log_str(&line, "what",
                   what & OM_NET_ADDRS    ? "addresses"
                   : what & OM_NET_ROUTES ? "default route"
                                          : "interfaces");
        om_log_end(&line);
    }
    daemon_network_changed(d, what);
}

static void on_hellos(void *self, struct om_dgram *batch, unsigned count)
{
    struct om_daemon *d = self;

    om_pump_input(d->pump, batch, count);
}

bool daemon_presence(struct om_daemon *d, struct om_error *err)
{
    const struct om_netwatch_config watch = {
        .loop = &d->loop, .settle = OM_MS(200), .on_change = on_change, .self = d};
    const struct om_lan_config lan = {.loop = &d->loop, .on_batch = on_hellos, .self = d};

    if (om_netwatch_open(&d->netwatch, &watch, err) != OM_OK)
        return false;
    if (d->config.lan && om_lan_open(&d->lan, &lan, err) != OM_OK)
        return false;
    daemon_presence_tell(d);
    return true;
}

void daemon_presence_stop(struct om_daemon *d)
{
    if (d->lan)
        om_lan_close(d->lan);
    if (d->netwatch)
        om_netwatch_close(d->netwatch);
    d->lan = NULL;
    d->netwatch = NULL;
}
