/*
 * netwatch.h - the network interfaces of this machine, and word when they change
 *
 * What:  a snapshot of interfaces, their addresses and the default routes; one report for each
 *        burst of changes.
 * Why:   a node that learns of a new network only from lost packets is deaf for seconds; and a
 *        laptop that wakes up makes dozens of changes at once, of which only the result counts.
 * Keeps: netwatch_sees_what_is_there; netwatch_address_comes_and_goes;
 *        netwatch_link_goes_down_and_up; netwatch_default_route_comes_and_goes;
 *        netwatch_reports_a_burst_once; netwatch_reports_only_differences;
 *        netwatch_recovers_lost_events; netwatch_may_be_closed_in_its_report.
 * Full:  of more interfaces the OM_IFACES_MAX with the lowest indices are seen, of more addresses
 *        the OM_IFACE_ADDRS_MAX that sort first; of routes at most NET_DUMP_MESSAGES_MAX are read.
 *
 * News from the kernel only says that something happened: what there is now is then read anew
 * and compared. So lost news (ENOBUFS) costs nothing but the same reading, and what the kernel does
 * without saying so (IPv4 routes that go with their link) is seen as well. Reading waits for
 * nobody: the kernel answers within the system call.
 *
 * Default routes are those of the main table; those of other tables serve policies not ours.
 *
 * Source: RFC 3549 (netlink); rtnetlink(7); RFC 4862 section 5.5.4 (deprecated addresses).
 */
#ifndef OM_HOST_NETWATCH_H
#define OM_HOST_NETWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include <omerta/addr.h>
#include <omerta/err.h>
#include <omerta/time.h>

enum {
    OM_IFACES_MAX = 64,
    OM_IFACE_ADDRS_MAX = 16,
    OM_IFACE_NAME = 16, /* IFNAMSIZ */
    OM_NETWATCH_SETTLE_MS = 200
};

enum om_net_change {
    OM_NET_IFACES = 1, /* one came or went, or its name or state changed */
    OM_NET_ADDRS = 2,
    OM_NET_ROUTES = 4 /* a default route came, went or leads elsewhere */
};

struct om_iface {
    unsigned index;
    char name[OM_IFACE_NAME];
    bool is_up; /* switched on, and able to carry packets as far as the kernel knows */
    bool is_loopback;
    bool is_multicast;
    bool is_point_to_point;
    /* IPv4 first; neither tentative nor deprecated nor duplicate; ports are 0. */
    struct om_addr addrs[OM_IFACE_ADDRS_MAX];
    uint8_t prefix[OM_IFACE_ADDRS_MAX]; /* bits of the family: of IPv4 at most 32 */
    unsigned addr_count;
    unsigned temporary_count; /* so many of the last are temporary (RFC 8981) */
};

struct om_netwatch;

struct om_netwatch_config {
    uv_loop_t *loop;
    om_time settle; /* from the first news to the report; 0: OM_NETWATCH_SETTLE_MS */
    /* @what is of enum om_net_change, never 0. It may close. */
    void (*on_change)(void *self, unsigned what);
    void *self;
};

/* Counters since the opening. */
struct om_netwatch_info {
    uint64_t news;     /* messages of the kernel that may mean a change */
    uint64_t overruns; /* times the kernel had more news than room for them */
    uint64_t readings; /* times everything was read anew */
    uint64_t failures; /* readings that failed and were tried again later */
    uint64_t reports;
};

/**
 * om_netwatch_open() - take a first snapshot and begin to watch
 * @out:     set on success; the caller owns it until om_netwatch_close()
 * @config:  copied; loop and on_change are needed
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_NO_MEM, OM_E_STATE when the kernel refused.
 */
OM_MUST enum om_err om_netwatch_open(struct om_netwatch **out,
                                     const struct om_netwatch_config *config, struct om_error *err);

/**
 * om_netwatch_close() - stop watching; on_change is not called any more
 * @w:  taken; NULL is fine. The memory goes when the loop has run once more.
 */
void om_netwatch_close(struct om_netwatch *w);

/**
 * om_netwatch_ifaces() - the interfaces, by rising index
 * @w:      the watch
 * @count:  set
 *
 * Return: @count of them, lent until the loop runs on.
 */
const struct om_iface *om_netwatch_ifaces(const struct om_netwatch *w, unsigned *count);

/** om_netwatch_has_default() - @w knows a default route that is alive, IPv6 if @v6, else IPv4. */
bool om_netwatch_has_default(const struct om_netwatch *w, bool v6);

/** om_netwatch_info() - fill @out with the counters of @w. */
void om_netwatch_info(const struct om_netwatch *w, struct om_netwatch_info *out);

#endif
