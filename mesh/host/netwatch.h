/*
 * netwatch.h - the interfaces, addresses and default routes of this machine
 *
 * What:  a snapshot, and a call when it changes.
 * Why:   who moved to another network must say so at once, not when somebody notices.
 * Keeps: netwatch_sees_addresses_come_and_go; netwatch_sees_links_and_routes;
 *        netwatch_reports_a_burst_once; netwatch_lists_loopback.
 *
 * Every message of the kernel leads to one new dump after the changes have settled: what is
 * reported is the difference of two snapshots, so a lost message (ENOBUFS) loses nothing.
 *
 * Full: OM_IFACES_MAX interfaces and OM_IFACE_ADDRS_MAX addresses of each; the rest is left out.
 *
 * Source: rtnetlink(7), libmnl.
 */
#ifndef OM_HOST_NETWATCH_H
#define OM_HOST_NETWATCH_H

#include <stdbool.h>

#include <uv.h>

#include <omerta/addr.h>
#include <omerta/err.h>
#include <omerta/time.h>

enum { OM_IFACES_MAX = 64, OM_IFACE_ADDRS_MAX = 16, OM_IFACE_NAME = 16 };

/* What changed; bits. */
enum om_net_change { OM_NET_IFACES = 1, OM_NET_ADDRS = 2, OM_NET_ROUTES = 4 };

struct om_iface {
    unsigned index;
    char name[OM_IFACE_NAME];
    unsigned mtu;
    bool is_up, is_loopback, is_multicast, is_point_to_point;
    struct om_addr addrs[OM_IFACE_ADDRS_MAX]; /* port 0; neither tentative nor deprecated */
    unsigned addr_count;
};

struct om_netwatch;

struct om_netwatch_config {
    uv_loop_t *loop;
    om_time settle; /* changes within it are reported once; 0: 200 ms */
    void (*on_change)(void *self, unsigned what);
    void *self;
};

/**
 * om_netwatch_open() - take a snapshot and watch for changes
 * @out:     receives the watch, owned by the caller
 * @config:  copied
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_UNSUPPORTED where netlink refuses, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_netwatch_open(struct om_netwatch **out,
                                     const struct om_netwatch_config *config, struct om_error *err);

/** om_netwatch_close() - stop; @w is freed once the loop has run. */
void om_netwatch_close(struct om_netwatch *w);

/** om_netwatch_ifaces() - the @count interfaces of @w by index, lent until the loop runs. */
const struct om_iface *om_netwatch_ifaces(const struct om_netwatch *w, unsigned *count);

/** om_netwatch_has_default() - is there a default route of that family, IPv6 when @v6, in @w? */
bool om_netwatch_has_default(const struct om_netwatch *w, bool v6);

#endif
