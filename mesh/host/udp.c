/* udp.c - UDP sockets: opened, polled, closed. */
#include "udp_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAIR_TRIES = 16 /* to find a port that is free in both families */
};

void udp_handle_closed(struct om_udp *u)
{
    if (--u->handles > 0)
        return;
    udp_in_fini(u);
    free(u);
}

static void poll_closed(uv_handle_t *h)
{
    struct udp_family *f = h->data;

    udp_handle_closed(f->owner);
}

static void timer_closed(uv_handle_t *h)
{
    udp_handle_closed(h->data);
}

static void writable(struct om_udp *u)
{
    if (u->config.on_writable)
        u->config.on_writable(u->config.self);
}

static void on_rest(uv_timer_t *t)
{
    struct om_udp *u = t->data;
    bool owes = u->owes_writable;

    u->owes_writable = false;
    if (u->v4.is_resting)
        udp_poll(u, &u->v4);
    if (u->v6.is_resting)
        udp_poll(u, &u->v6);
    udp_extra_rested(u);
    if (owes)
        writable(u);
}

void udp_rest(struct om_udp *u, struct udp_family *f)
{
    if (f)
        f->is_resting = true;
    else
        u->owes_writable = true;
    if (!uv_is_active((const uv_handle_t *)&u->rest))
        (void)uv_timer_start(&u->rest, on_rest, OM_UDP_REST_MS, 0);
}

/* A pending error, and the queue of those that came by ICMP, keep a socket "readable" for ever;
 * libuv stops polling it then. Both are emptied here, and what that does not cure gets a rest. */
static void heal(struct om_udp *u, struct udp_family *f)
{
    struct udp_hop hops[UDP_QUEUED_ERRORS];
    unsigned count = udp_hops_read(u, f, hops);
    int pending = 0;
    socklen_t n = sizeof pending;

    (void)getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &pending, &n);
    u->info.recv_errors++;
    if (count > 0)
        f->errors_in_row = 0; /* these were asked for, and each comes once */
    if (++f->errors_in_row < UDP_ERRORS_IN_ROW_MAX) {
        udp_poll(u, f);
    } else {
        f->errors_in_row = 0;
        udp_rest(u, f);
    }
    for (unsigned i = 0; i < count && !u->is_closed; i++)
        u->config.on_hop(u->config.self, hops[i].ttl, &hops[i].router);
}

/* Errors hide from libuv that there is something to be read, so that is looked for after them,
 * too: else whoever makes errors would make us deaf. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct udp_family *f = poll->data;
    struct om_udp *u = f->owner;

    if (status < 0)
        heal(u, f);
    if (f->fd >= 0 && (status < 0 || events & UV_READABLE))
        udp_in_read(u, f);
    if (f->fd < 0 || status < 0 || !(events & UV_WRITABLE) || !f->wants_write)
        return;
    f->wants_write = false;
    udp_poll(u, f);
    writable(u);
}

void udp_poll(struct om_udp *u OM_UNUSED, struct udp_family *f)
{
    f->is_resting = false;
    (void)uv_poll_start(&f->poll, UV_READABLE | (f->wants_write ? UV_WRITABLE : 0), on_poll);
}

static void close_socket(struct udp_family *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

/* Any port, the same for both: the kernel chooses one of IPv4, and IPv6 must have it free too. */
static enum om_err open_pair(struct om_udp *u, struct om_error *err)
{
    enum om_err e = OM_OK;

    for (int i = 0; i < PAIR_TRIES; i++) {
        e = udp_sock_open(u, &u->v4, 0, err);
        if (e != OM_OK)
            return e;
        if (u->v4.fd < 0)
            return udp_sock_open(u, &u->v6, 0, err);
        e = udp_sock_open(u, &u->v6, udp_sock_port(u->v4.fd), err);
        if (e != OM_E_EXISTS)
            return e;
        if (i + 1 < PAIR_TRIES)
            close_socket(&u->v4);
    }
    return udp_sock_open(u, &u->v6, 0, err);
}

static enum om_err open_sockets(struct om_udp *u, struct om_error *err)
{
    const struct om_udp_config *c = &u->config;
    enum om_err e = OM_OK;

    if (c->v4 && c->v6 && c->port == 0)
        return open_pair(u, err);
    if (c->v4)
        e = udp_sock_open(u, &u->v4, c->port, err);
    if (e == OM_OK && c->v6)
        e = udp_sock_open(u, &u->v6, c->port, err);
    return e;
}

static void fill_info(struct om_udp *u)
{
    u->info.has_v4 = u->v4.fd >= 0;
    u->info.has_v6 = u->v6.fd >= 0;
    u->info.port6 = u->info.has_v6 ? udp_sock_port(u->v6.fd) : 0;
    u->info.port = u->info.has_v4 ? udp_sock_port(u->v4.fd) : u->info.port6;
}

int udp_poll_start(struct om_udp *u, struct udp_family *f)
{
    int r;

    if (f->fd < 0)
        return 0;
    r = uv_poll_init(u->config.loop, &f->poll, f->fd);
    if (r != 0)
        return r;
    f->poll.data = f;
    u->handles++;
    return uv_poll_start(&f->poll, UV_READABLE, on_poll);
}

static enum om_err check(const struct om_udp_config *c, struct om_error *err)
{
    static const uint8_t any[16];

    if (!c->loop || !c->on_batch)
        return om_fail(err, OM_E_RANGE, "UDP: want a loop and a receiver");
    if (!c->v4 && !c->v6)
        return om_fail(err, OM_E_RANGE, "UDP: want IPv4, IPv6 or both");
    if (memcmp(c->bind4.ip, any, 16) != 0 && !om_addr_is_v4(&c->bind4))
        return om_fail(err, OM_E_RANGE, "UDP: want an IPv4 address to bind IPv4 to");
    if (om_addr_is_v4(&c->bind6))
        return om_fail(err, OM_E_RANGE, "UDP: want an IPv6 address to bind IPv6 to");
    return OM_OK;
}

/* Nothing of libuv's has been touched yet, so it can go at once. */
static enum om_err give_up(struct om_udp *u, enum om_err e)
{
    close_socket(&u->v4);
    close_socket(&u->v6);
    udp_in_fini(u);
    free(u);
    return e;
}

static struct om_udp *new_udp(const struct om_udp_config *config)
{
    struct om_udp *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->config = *config;
    u->v4 = (struct udp_family){.owner = u, .fd = -1};
    u->v6 = (struct udp_family){.owner = u, .fd = -1, .is_v6 = true};
    u->info.gso = u->info.gro = !config->no_offload;
    return u;
}

enum om_err om_udp_open(struct om_udp **out, const struct om_udp_config *config,
                        struct om_error *err)
{
    enum om_err e = check(config, err);
    struct om_udp *u;
    int r;

    if (e != OM_OK)
        return e;
    u = new_udp(config);
    if (!u)
        return om_fail(err, OM_E_NO_MEM, "UDP: out of memory");
    e = open_sockets(u, err);
    if (e != OM_OK)
        return give_up(u, e);
    if (u->v4.fd < 0 && u->v6.fd < 0)
        return give_up(u, om_fail(err, OM_E_UNSUPPORTED, "UDP: this machine has no %s: want %s",
                                  config->v4 && config->v6 ? "IP"
                                  : config->v4             ? "IPv4"
                                                           : "IPv6",
                                  config->v4 && config->v6 ? "IPv4 or IPv6" : "it, or the other"));
    e = udp_in_init(u);
    if (e != OM_OK)
        return give_up(u, om_fail(err, e, "UDP: out of memory"));
    fill_info(u);
    (void)uv_timer_init(config->loop, &u->rest); /* cannot fail */
    u->rest.data = u;
    u->handles = 1;
    r = udp_poll_start(u, &u->v4);
    if (r == 0)
        r = udp_poll_start(u, &u->v6);
    if (r != 0) {
        om_udp_close(u);
        return om_fail(err, OM_E_STATE, "UDP: poll: %s", uv_strerror(r));
    }
    *out = u;
    return OM_OK;
}

/* A family without a socket, or whose poll handle was never made, has no data in its handle. */
static void close_family(struct udp_family *f)
{
    if (f->poll.data)
        uv_close((uv_handle_t *)&f->poll, poll_closed);
    close_socket(f);
}

void om_udp_close(struct om_udp *u)
{
    if (!u)
        return;
    om_udp_sockets(u, OM_SOCKET_FIRST, UINT32_MAX - OM_SOCKET_FIRST + 1, false);
    u->is_closed = true;
    close_family(&u->v4);
    close_family(&u->v6);
    uv_close((uv_handle_t *)&u->rest, timer_closed);
}

void om_udp_interfaces(struct om_udp *u, const unsigned *ifindex, unsigned count)
{
    if (count > OM_UDP_INTERFACES_MAX)
        count = OM_UDP_INTERFACES_MAX;
    for (unsigned i = 0; i < count; i++)
        u->interfaces[i] = ifindex[i];
    u->interface_count = count;
}

void om_udp_info(const struct om_udp *u, struct om_udp_info *out)
{
    *out = u->info;
}
