/*
 * net_view.h - one snapshot of interfaces, addresses and default routes
 *
 * What:  bounded tables that are filled in any order and always sorted; their difference.
 * Why:   the order in which the kernel tells things says nothing; sorted tables can be compared.
 * Keeps: net_view_keeps_the_lowest_indices; net_view_sorts_addresses_temporary_last;
 *        net_view_tells_differences_apart.
 * Full:  what sorts last is dropped.
 */
#ifndef OM_HOST_NET_VIEW_H
#define OM_HOST_NET_VIEW_H

#include "netwatch.h"

enum { NET_ROUTES_MAX = 16 };

struct net_addr {
    unsigned index; /* of the interface */
    struct om_addr addr;
    uint8_t prefix;
    bool is_usable;
    bool is_temporary;
};

struct net_route {
    bool is_v6;
    uint32_t metric;
    uint32_t index;      /* of the interface, 0 when not told */
    uint8_t gateway[16]; /* zero: on the link itself */
};

struct net_view {
    struct om_iface ifaces[OM_IFACES_MAX];
    unsigned iface_count;
    struct net_route routes[NET_ROUTES_MAX]; /* default routes */
    unsigned route_count;
};

/**
 * net_view_add_iface() - put an interface in its place; one of the same index is replaced
 * @v:   the snapshot
 * @in:  without addresses; copied
 */
void net_view_add_iface(struct net_view *v, const struct om_iface *in);

/** net_view_add_addr() - give @a to its interface in @v; ignored when unusable or without one. */
void net_view_add_addr(struct net_view *v, const struct net_addr *a);

/** net_view_add_route() - put default route @r in its place in @v, once. */
void net_view_add_route(struct net_view *v, const struct net_route *r);

/** net_view_diff() - what of enum om_net_change differs between @a and @b; 0 for nothing. */
unsigned net_view_diff(const struct net_view *a, const struct net_view *b);

#endif
