/* netwatch.c - news from the kernel, a pause, a new snapshot, its difference. */
#include "netwatch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "netlink_dump.h"
#include "netlink_parse.h"

enum { READS_MAX = 16 }; /* of one wake-up: nothing else starves */

struct om_netwatch {
    struct om_netwatch_config config;
    struct mnl_socket *socket;
    uv_poll_t poll;
    uv_timer_t settle;
    unsigned handles; /* that libuv has not given back yet */
    bool is_closed;
    struct om_netwatch_info info;
    struct net_view view, next;
    alignas(struct nlmsghdr) uint8_t buffer[NET_DUMP_BYTES];
};

static void on_settled(uv_timer_t *t);

/* The first news starts it and later ones do not move it: a stream of them cannot silence us. */
static void settle(struct om_netwatch *w)
{
    if (!uv_is_active((const uv_handle_t *)&w->settle))
        (void)uv_timer_start(&w->settle, on_settled, (uint64_t)(w->config.settle / OM_MS(1)), 0);
}

static void on_settled(uv_timer_t *t)
{
    struct om_netwatch *w = t->data;
    unsigned what;

    w->info.readings++;
    if (netlink_dump(&w->next, w->buffer) != 0) {
        w->info.failures++;
        settle(w);
        return;
    }
    what = net_view_diff(&w->view, &w->next);
    if (what == 0)
        return;
    w->view = w->next;
    w->info.reports++;
    w->config.on_change(w->config.self, what);
}

static void hear(struct om_netwatch *w, size_t n)
{
    const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)w->buffer;
    int left = (int)n;

    for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
        if (!netlink_parse_matters(m))
            continue;
        w->info.news++;
        settle(w);
    }
}

static void on_news(uv_poll_t *poll, int status OM_UNUSED, int events OM_UNUSED)
{
    struct om_netwatch *w = poll->data;

    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = mnl_socket_recvfrom(w->socket, w->buffer, sizeof w->buffer);

        if (n >= 0) {
            hear(w, (size_t)n);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        if (errno == ENOBUFS)
            w->info.overruns++;
        if (errno != EINTR)
            settle(w); /* something was lost: read everything */
    }
    /* libuv stops polling when it saw an error, such as the lost news above. */
    (void)uv_poll_start(&w->poll, UV_READABLE, on_news);
}

static void on_closed(uv_handle_t *h)
{
    struct om_netwatch *w = h->data;

    if (--w->handles == 0)
        free(w);
}

/* A handle once made is libuv's until it gives it back. */
static void give_back(struct om_netwatch *w)
{
    bool has_poll = w->poll.data != NULL;

    w->is_closed = true;
    w->handles = has_poll ? 2 : 1;
    if (has_poll)
        uv_close((uv_handle_t *)&w->poll, on_closed);
    uv_close((uv_handle_t *)&w->settle, on_closed);
    if (w->socket)
        (void)mnl_socket_close(w->socket);
    w->socket = NULL;
}

static int listen_to(struct om_netwatch *w)
{
    const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                            RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

    w->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!w->socket || mnl_socket_bind(w->socket, groups, MNL_SOCKET_AUTOPID) < 0)
        return errno;
    return 0;
}

static int poll_it(struct om_netwatch *w)
{
    int r = uv_poll_init(w->config.loop, &w->poll, mnl_socket_get_fd(w->socket));

    if (r != 0)
        return -r;
    w->poll.data = w;
    return -uv_poll_start(&w->poll, UV_READABLE, on_news);
}

enum om_err om_netwatch_open(struct om_netwatch **out, const struct om_netwatch_config *config,
                             struct om_error *err)
{
    struct om_netwatch *w = calloc(1, sizeof *w);
    int e;

    if (!w)
        return om_fail(err, OM_E_NO_MEM, "watching the network: out of memory");
    w->config = *config;
    if (w->config.settle <= 0)
        w->config.settle = OM_MS(OM_NETWATCH_SETTLE_MS);
    (void)uv_timer_init(config->loop, &w->settle); /* cannot fail */
    w->settle.data = w;
    /* Listening first: what changes during the snapshot is news. */
    e = listen_to(w);
    if (e == 0)
        e = netlink_dump(&w->view, w->buffer);
    if (e == EINTR) { /* changing all the time: what was seen will do until it has settled */
        settle(w);
        e = 0;
    }
    if (e == 0)
        e = poll_it(w);
    if (e != 0) {
        give_back(w);
        return om_fail(err, OM_E_STATE, "watching the network (rtnetlink): %s", strerror(e));
    }
    *out = w;
    return OM_OK;
}

void om_netwatch_close(struct om_netwatch *w)
{
    if (w && !w->is_closed)
        give_back(w);
}

const struct om_iface *om_netwatch_ifaces(const struct om_netwatch *w, unsigned *count)
{
    *count = w->view.iface_count;
    return w->view.ifaces;
}

bool om_netwatch_has_default(const struct om_netwatch *w, bool v6)
{
    for (unsigned i = 0; i < w->view.route_count; i++)
        if (w->view.routes[i].is_v6 == v6)
            return true;
    return false;
}

void om_netwatch_info(const struct om_netwatch *w, struct om_netwatch_info *out)
{
    *out = w->info;
}
