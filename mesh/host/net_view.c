/* net_view.c - sorted insertion and comparison. */
#include "net_view.h"

#include <string.h>

void net_view_add_iface(struct net_view *v, const struct om_iface *in)
{
    unsigned at = 0;

    while (at < v->iface_count && v->ifaces[at].index < in->index)
        at++;
    if (at < v->iface_count && v->ifaces[at].index == in->index) {
        v->ifaces[at] = *in;
        return;
    }
    if (at == OM_IFACES_MAX)
        return;
    if (v->iface_count == OM_IFACES_MAX)
        v->iface_count--;
    memmove(&v->ifaces[at + 1], &v->ifaces[at], (v->iface_count - at) * sizeof v->ifaces[0]);
    v->ifaces[at] = *in;
    v->iface_count++;
}

static struct om_iface *find(struct net_view *v, unsigned index)
{
    for (unsigned i = 0; i < v->iface_count; i++)
        if (v->ifaces[i].index == index)
            return &v->ifaces[i];
    return NULL;
}

static int addr_cmp(const struct om_addr *a, const struct om_addr *b)
{
    if (om_addr_is_v4(a) != om_addr_is_v4(b))
        return om_addr_is_v4(a) ? -1 : 1;
    return memcmp(a->ip, b->ip, 16);
}

void net_view_add_addr(struct net_view *v, const struct net_addr *a)
{
    struct om_iface *f = find(v, a->index);
    unsigned at, end;

    if (!f || !a->is_usable)
        return;
    at = a->is_temporary ? f->addr_count - f->temporary_count : 0;
    end = a->is_temporary ? f->addr_count : f->addr_count - f->temporary_count;
    while (at < end && addr_cmp(&f->addrs[at], &a->addr) < 0)
        at++;
    if (at < end && om_addr_equal(&f->addrs[at], &a->addr))
        return;
    if (at == OM_IFACE_ADDRS_MAX)
        return;
    if (f->addr_count == OM_IFACE_ADDRS_MAX) {
        f->addr_count--;
        if (f->temporary_count > 0)
            f->temporary_count--;
    }
    memmove(&f->addrs[at + 1], &f->addrs[at], (f->addr_count - at) * sizeof f->addrs[0]);
    memmove(&f->prefix[at + 1], &f->prefix[at], f->addr_count - at);
    f->addrs[at] = a->addr;
    f->prefix[at] = a->prefix;
    f->addr_count++;
    f->temporary_count += a->is_temporary;
}

static int route_cmp(const struct net_route *a, const struct net_route *b)
{
    if (a->is_v6 != b->is_v6)
        return a->is_v6 ? 1 : -1;
    if (a->metric != b->metric)
        return a->metric < b->metric ? -1 : 1;
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    return memcmp(a->gateway, b->gateway, 16);
}

void net_view_add_route(struct net_view *v, const struct net_route *r)
{
    unsigned at = 0;

    while (at < v->route_count && route_cmp(&v->routes[at], r) < 0)
        at++;
    if (at == NET_ROUTES_MAX || (at < v->route_count && route_cmp(&v->routes[at], r) == 0))
        return;
    if (v->route_count == NET_ROUTES_MAX)
        v->route_count--;
    memmove(&v->routes[at + 1], &v->routes[at], (v->route_count - at) * sizeof v->routes[0]);
    v->routes[at] = *r;
    v->route_count++;
}

static bool is_same_iface(const struct om_iface *a, const struct om_iface *b)
{
    return a->index == b->index && strcmp(a->name, b->name) == 0 && a->is_up == b->is_up &&
           a->is_loopback == b->is_loopback && a->is_multicast == b->is_multicast &&
           a->is_point_to_point == b->is_point_to_point;
}

static bool has_same_addrs(const struct om_iface *a, const struct om_iface *b)
{
    if (a->addr_count != b->addr_count || a->temporary_count != b->temporary_count)
        return false;
    for (unsigned i = 0; i < a->addr_count; i++)
        if (!om_addr_equal(&a->addrs[i], &b->addrs[i]) || a->prefix[i] != b->prefix[i])
            return false;
    return true;
}

/* What of the interfaces differs; both tables are walked by rising index. */
static unsigned diff_ifaces(const struct net_view *a, const struct net_view *b)
{
    unsigned i = 0, j = 0, what = 0;

    while (i < a->iface_count || j < b->iface_count) {
        const struct om_iface *x = i < a->iface_count ? &a->ifaces[i] : NULL;
        const struct om_iface *y = j < b->iface_count ? &b->ifaces[j] : NULL;

        if (x && y && x->index == y->index) {
            what |= is_same_iface(x, y) ? 0 : (unsigned)OM_NET_IFACES;
            what |= has_same_addrs(x, y) ? 0 : (unsigned)OM_NET_ADDRS;
            i++;
            j++;
            continue;
        }
        bool is_old = x && (!y || x->index < y->index);
        const struct om_iface *alone = is_old ? x : y;

        what |= OM_NET_IFACES;
        if (alone && alone->addr_count > 0)
            what |= OM_NET_ADDRS;
        i += is_old;
        j += !is_old;
    }
    return what;
}

unsigned net_view_diff(const struct net_view *a, const struct net_view *b)
{
    unsigned what = diff_ifaces(a, b);

    if (a->route_count != b->route_count)
        return what | OM_NET_ROUTES;
    for (unsigned i = 0; i < a->route_count; i++)
        if (route_cmp(&a->routes[i], &b->routes[i]) != 0)
            return what | OM_NET_ROUTES;
    return what;
}
