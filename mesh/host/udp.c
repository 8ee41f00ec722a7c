/* udp.c - opening, watching and closing the two sockets. */
#include "udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "udp_state.h"

socklen_t udp_name_of(union udp_name *out, const struct om_addr *a, bool is_v6)
{
    memset(out, 0, sizeof *out);
    if (is_v6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(a->port);
        memcpy(&out->v6.sin6_addr, a->ip, 16);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(a->port);
    memcpy(&out->v4.sin_addr, a->ip + 12, 4);
    return sizeof out->v4;
}

struct om_addr udp_addr_of(const union udp_name *n)
{
    struct om_addr a;

    if (n->any.sa_family == AF_INET)
        return om_addr_v4(ntohl(n->v4.sin_addr.s_addr), ntohs(n->v4.sin_port));
    memcpy(a.ip, &n->v6.sin6_addr, 16);
    a.port = ntohs(n->v6.sin6_port);
    return a;
}

static bool set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* More than the system's limit only with CAP_NET_ADMIN; what was given is read back, halved since
 * the kernel counts its own share as well. */
static unsigned buffer(int fd, int force, int name, unsigned bytes)
{
    int got = 0;
    socklen_t n = sizeof got;

    if (!set(fd, SOL_SOCKET, force, (int)bytes))
        (void)set(fd, SOL_SOCKET, name, (int)bytes);
    (void)getsockopt(fd, SOL_SOCKET, name, &got, &n);
    return (unsigned)got / 2;
}

static void tune(struct om_udp *u, struct udp_socket *s, const struct om_udp_config *c)
{
    unsigned bytes = c->buffer_bytes ? c->buffer_bytes : OM_UDP_BUFFER;
    unsigned rcv = buffer(s->fd, SO_RCVBUFFORCE, SO_RCVBUF, bytes);
    unsigned snd = buffer(s->fd, SO_SNDBUFFORCE, SO_SNDBUF, bytes);

    if (!u->info.rcvbuf || rcv < u->info.rcvbuf)
        u->info.rcvbuf = rcv;
    if (!u->info.sndbuf || snd < u->info.sndbuf)
        u->info.sndbuf = snd;
    (void)set(s->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (s->is_v6) {
        (void)set(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        (void)set(s->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        (void)set(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
    } else {
        (void)set(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        (void)set(s->fd, IPPROTO_IP, IP_RECVTOS, 1);
        (void)set(s->fd, IPPROTO_IP, IP_MULTICAST_TTL, 1);
    }
    u->info.gro &= !c->no_offload && set(s->fd, IPPROTO_UDP, UDP_GRO, 1);
    u->info.gso &= !c->no_offload && set(s->fd, IPPROTO_UDP, UDP_SEGMENT, 0);
}

static void on_event(uv_poll_t *handle, int status, int events)
{
    struct udp_socket *s = handle->data;
    struct om_udp *u = s->udp;

    if (status < 0 || events & UV_READABLE)
        udp_read(s); /* a pending error is taken by the read, too */
    if (!u->is_closed && events & UV_WRITABLE) {
        s->is_full = false;
        udp_watch(s);
        u->on_writable(u->self);
    }
}

void udp_watch(struct udp_socket *s)
{
    (void)uv_poll_start(&s->poll, UV_READABLE | (s->is_full ? UV_WRITABLE : 0), on_event);
}

/* errno of the failure; 0: open; EAFNOSUPPORT: the machine lacks the family. */
static int open_one(struct om_udp *u, struct udp_socket *s, const struct om_udp_config *c,
                    uint16_t port)
{
    struct om_addr at = s->is_v6 ? c->bind6 : c->bind4;
    union udp_name name;
    socklen_t n = sizeof name;

    s->fd = socket(s->is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return EAFNOSUPPORT;
    if (s->is_v6)
        (void)set(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    at.port = port;
    n = udp_name_of(&name, &at, s->is_v6);
    if (bind(s->fd, &name.any, n) < 0) {
        int e = errno;
        (void)close(s->fd);
        s->fd = -1;
        /* Without IPv6 on any interface, "::" cannot be bound. */
        return s->is_v6 && e == EADDRNOTAVAIL && !*c->bind6.ip ? EAFNOSUPPORT : e;
    }
    n = sizeof name;
    if (getsockname(s->fd, &name.any, &n) == 0)
        u->info.port = udp_addr_of(&name).port;
    return 0;
}

static void close_fds(struct om_udp *u)
{
    for (unsigned i = 0; i < 2; i++) {
        if (u->sockets[i].fd >= 0)
            (void)close(u->sockets[i].fd);
        u->sockets[i].fd = -1;
    }
}

/* Port 0 wants a number that is free in both families. */
static int open_both(struct om_udp *u, const struct om_udp_config *c)
{
    int e = EAFNOSUPPORT;

    for (int attempt = 0; attempt < 16; attempt++) {
        uint16_t port = c->port;
        bool any = false;
        e = 0;
        for (unsigned i = 0; i < 2 && e == 0; i++) {
            struct udp_socket *s = &u->sockets[i];
            if (i == 0 ? !c->v4 : !c->v6)
                continue;
            e = open_one(u, s, c, port);
            if (e == 0) {
                port = u->info.port;
                any = true;
            }
            e = e == EAFNOSUPPORT ? 0 : e;
        }
        if (e == 0)
            return any ? 0 : EAFNOSUPPORT;
        close_fds(u);
        if (e != EADDRINUSE || c->port != 0)
            break;
    }
    return e;
}

static enum om_err why(int e, const struct om_udp_config *c, struct om_error *err)
{
    if (e == EADDRINUSE)
        return om_fail(err, OM_E_EXISTS,
                       "UDP port %u is in use by another program: stop it, or choose another"
                       " with --port",
                       c->port);
    if (e == EAFNOSUPPORT)
        return om_fail(err, OM_E_UNSUPPORTED, "this machine has neither IPv4 nor IPv6");
    if (e == EACCES)
        return om_fail(err, OM_E_STATE, "UDP port %u: %s (ports below 1024 want root)", c->port,
                       strerror(e));
    return om_fail(err, OM_E_STATE, "UDP port %u cannot be bound: %s", c->port, strerror(e));
}

static void on_closed(uv_handle_t *handle)
{
    struct om_udp *u = ((struct udp_socket *)handle->data)->udp;

    if (--u->closing > 0)
        return;
    free(u->in);
    free(u);
}

void om_udp_close(struct om_udp *u)
{
    u->is_closed = true;
    for (unsigned i = 0; i < 2; i++)
        u->closing += u->sockets[i].is_open;
    for (unsigned i = 0; i < 2; i++)
        if (u->sockets[i].is_open) {
            (void)uv_poll_stop(&u->sockets[i].poll);
            uv_close((uv_handle_t *)&u->sockets[i].poll, on_closed);
        }
    bool is_free = u->closing == 0;
    close_fds(u);
    if (is_free) {
        free(u->in);
        free(u);
    }
}

static bool watch_all(struct om_udp *u)
{
    for (unsigned i = 0; i < 2; i++) {
        struct udp_socket *s = &u->sockets[i];
        if (s->fd < 0)
            continue;
        if (uv_poll_init(u->loop, &s->poll, s->fd) < 0)
            return false;
        s->poll.data = s;
        s->is_open = true;
        udp_watch(s);
    }
    return true;
}

enum om_err om_udp_open(struct om_udp **out, const struct om_udp_config *config,
                        struct om_error *err)
{
    struct om_udp *u = calloc(1, sizeof *u);

    if (!u)
        return om_fail(err, OM_E_NO_MEM, "no memory for sockets");
    u->loop = config->loop;
    u->on_batch = config->on_batch;
    u->on_writable = config->on_writable;
    u->self = config->self;
    u->info.gso = u->info.gro = true;
    for (unsigned i = 0; i < 2; i++)
        u->sockets[i] = (struct udp_socket){.udp = u, .fd = -1, .is_v6 = i == 1};
    int e = open_both(u, config);
    if (e != 0) {
        om_udp_close(u);
        return why(e, config, err);
    }
    for (unsigned i = 0; i < 2; i++)
        if (u->sockets[i].fd >= 0)
            tune(u, &u->sockets[i], config);
    u->info.has_v4 = u->sockets[0].fd >= 0;
    u->info.has_v6 = u->sockets[1].fd >= 0;
    u->slot_bytes = u->info.gro ? OM_UDP_COALESCED : OM_UDP_PLAIN;
    u->in = malloc(OM_UDP_SLOTS * u->slot_bytes);
    if (!u->in || !watch_all(u)) {
        om_udp_close(u);
        return om_fail(err, OM_E_NO_MEM, "no memory for sockets");
    }
    *out = u;
    return OM_OK;
}

void om_udp_interfaces(struct om_udp *u, const unsigned *index, unsigned count)
{
    u->indices = count < OM_UDP_INTERFACES ? count : OM_UDP_INTERFACES;
    if (u->indices > 0)
        memcpy(u->index, index, u->indices * sizeof *index);
}

void om_udp_info(const struct om_udp *u, struct om_udp_info *out)
{
    *out = u->info;
}
