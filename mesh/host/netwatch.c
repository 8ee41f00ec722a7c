/* netwatch.c - wait for the kernel's messages, let them settle, look again. */
#include "netwatch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

#define SETTLE OM_MS(200)

struct om_netwatch {
    struct om_netwatch_config config;
    int fd;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned open_handles;
    bool is_settling;
    struct om_net_snapshot now;
};

static void look(struct om_netwatch *w)
{
    struct om_net_snapshot *next = malloc(sizeof *next);
    unsigned what = 0;

    if (next && om_net_dump(next)) {
        what = om_net_diff(&w->now, next);
        w->now = *next;
    }
    free(next);
    if (what)
        w->config.on_change(w->config.self, what);
}

static void on_settled(uv_timer_t *t)
{
    struct om_netwatch *w = t->data;

    w->is_settling = false;
    look(w);
}

/* What the messages say is not read: the dump says it all, also after some were lost. */
static void on_messages(uv_poll_t *p, int status OM_UNUSED, int events OM_UNUSED)
{
    struct om_netwatch *w = p->data;
    char sink[8192];

    while (recv(w->fd, sink, sizeof sink, MSG_DONTWAIT) >= 0 || errno == ENOBUFS) {
    }
    if (w->is_settling)
        return;
    w->is_settling = true;
    (void)uv_timer_start(&w->timer, on_settled, (uint64_t)w->config.settle / 1000, 0);
}

static void on_closed(uv_handle_t *h)
{
    struct om_netwatch *w = h->data;

    if (--w->open_handles == 0)
        free(w);
}

void om_netwatch_close(struct om_netwatch *w)
{
    (void)uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_closed);
    uv_close((uv_handle_t *)&w->timer, on_closed);
    (void)close(w->fd);
}

static int listen_to_kernel(void)
{
    struct sockaddr_nl at = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                          RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
        int e = errno;
        (void)close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

enum om_err om_netwatch_open(struct om_netwatch **out, const struct om_netwatch_config *config,
                             struct om_error *err)
{
    struct om_netwatch *w = calloc(1, sizeof *w);

    if (!w)
        return om_fail(err, OM_E_NO_MEM, "no memory to watch the network");
    w->config = *config;
    if (w->config.settle == 0)
        w->config.settle = SETTLE;
    w->fd = listen_to_kernel(); /* before the dump, so that nothing falls between */
    if (w->fd < 0 || !om_net_dump(&w->now)) {
        int e = errno;
        if (w->fd >= 0)
            (void)close(w->fd);
        free(w);
        return e == ENOMEM ? om_fail(err, OM_E_NO_MEM, "no memory to watch the network")
                           : om_fail(err, OM_E_UNSUPPORTED, "netlink: %s", strerror(e));
    }
    if (uv_poll_init(config->loop, &w->poll, w->fd) < 0) {
        (void)close(w->fd);
        free(w);
        return om_fail(err, OM_E_UNSUPPORTED, "cannot wait for netlink");
    }
    (void)uv_timer_init(config->loop, &w->timer); /* cannot fail */
    w->poll.data = w->timer.data = w;
    w->open_handles = 2;
    (void)uv_poll_start(&w->poll, UV_READABLE, on_messages);
    *out = w;
    return OM_OK;
}

const struct om_iface *om_netwatch_ifaces(const struct om_netwatch *w, unsigned *count)
{
    *count = w->now.count;
    return w->now.ifaces;
}

bool om_netwatch_has_default(const struct om_netwatch *w, bool v6)
{
    return w->now.has_default[v6];
}
