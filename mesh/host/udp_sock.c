/* udp_sock.c - one UDP socket: made, probed, bound; and what it says when that fails. */
#include "udp_state.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <netinet/udp.h>

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* What the kernel gave: without privilege it cuts silently to net.core.?mem_max. */
static unsigned set_buffer(int fd, int force, int plain, unsigned wanted)
{
    int value = wanted > INT32_MAX / 2 ? INT32_MAX / 2 : (int)wanted, got = 0;
    socklen_t n = sizeof got;

    if (!set(fd, SOL_SOCKET, force, value))
        (void)set(fd, SOL_SOCKET, plain, value);
    if (getsockopt(fd, SOL_SOCKET, plain, &got, &n) != 0 || got < 0)
        return 0;
    return (unsigned)got;
}

static void keep_smallest(unsigned *all, unsigned one)
{
    if (*all == 0 || one < *all)
        *all = one;
}

static void set_buffers(struct om_udp *u, const struct udp_family *f, int fd)
{
    unsigned wanted = u->config.buffer_bytes;

    if (f->number != 0) { /* there may be hundreds, and whoever fills them costs us this much */
        (void)set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, OM_UDP_EXTRA_BYTES);
        (void)set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, OM_UDP_EXTRA_BYTES);
        return;
    }
    if (wanted == 0)
        wanted = OM_UDP_BUFFER_BYTES;
    keep_smallest(&u->info.rcvbuf, set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, wanted));
    keep_smallest(&u->info.sndbuf, set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, wanted));
}

/* Each is asked for, none is needed: a kernel that lacks one only tells us less. */
static void set_options(struct om_udp *u, int fd, bool is_v6)
{
    if (is_v6) {
        (void)set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        (void)set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
        (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
        (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    } else {
        (void)set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
        (void)set(fd, IPPROTO_IP, IP_RECVTOS, 1);
        (void)set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1);
        (void)set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
        (void)set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    }
    (void)set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (u->info.gso && !set(fd, SOL_UDP, UDP_SEGMENT, 0))
        u->info.gso = false;
}

static socklen_t local_name(const struct om_udp *u, bool is_v6, uint16_t port, union udp_name *out)
{
    static const uint8_t any[16];

    memset(out, 0, sizeof *out);
    if (is_v6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        memcpy(&out->v6.sin6_addr, u->config.bind6.ip, 16);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    if (memcmp(u->config.bind4.ip, any, 16) != 0)
        memcpy(&out->v4.sin_addr, u->config.bind4.ip + 12, 4);
    return sizeof out->v4;
}

static enum om_err bind_failed(const struct om_udp *u, bool is_v6, uint16_t port, int why,
                               struct om_error *err)
{
    char text[OM_IP_TEXT];

    switch (why) {
    case EADDRINUSE:
        return om_fail(err, OM_E_EXISTS,
                       "port %u (UDP) is in use by another program: want a free one", port);
    case EACCES:
        return om_fail(err, OM_E_RANGE,
                       "port %u (UDP) is not for this user to open: want one of 1024 to 65535",
                       port);
    case EADDRNOTAVAIL:
        return om_fail(err, OM_E_MISSING,
                       "bind address %s (UDP): want one that an interface of this machine bears",
                       om_addr_ip_print(is_v6 ? u->config.bind6.ip : u->config.bind4.ip, text));
    default:
        return om_fail(err, OM_E_STATE, "port %u (UDP, %s): bind: %s", port,
                       is_v6 ? "IPv6" : "IPv4", strerror(why));
    }
}

uint16_t udp_sock_port(int fd)
{
    union udp_name name = {0};
    socklen_t n = sizeof name;

    if (getsockname(fd, &name.any, &n) != 0)
        return 0;
    return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

/* The machine has no such family, or has it switched off. */
static bool is_lacking(const struct om_udp *u, bool is_v6, int why)
{
    const struct om_addr *local = is_v6 ? &u->config.bind6 : &u->config.bind4;
    static const uint8_t any[16];

    if (why == EADDRNOTAVAIL)
        return memcmp(local->ip, any, 16) == 0;
    return why == EAFNOSUPPORT || why == EPROTONOSUPPORT;
}

enum om_err udp_sock_open(struct om_udp *u, struct udp_family *f, uint16_t port,
                          struct om_error *err)
{
    int fd = socket(f->is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    union udp_name name;
    socklen_t n = local_name(u, f->is_v6, port, &name);
    int why;

    f->fd = -1;
    if (fd < 0) {
        if (is_lacking(u, f->is_v6, errno))
            return OM_OK;
        return om_fail(err, OM_E_STATE, "UDP socket (%s): %s", f->is_v6 ? "IPv6" : "IPv4",
                       strerror(errno));
    }
    if (f->is_v6)
        (void)set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    set_options(u, fd, f->is_v6);
    set_buffers(u, f, fd);
    if (bind(fd, &name.any, n) != 0) {
        why = errno;
        (void)close(fd);
        return is_lacking(u, f->is_v6, why) ? OM_OK : bind_failed(u, f->is_v6, port, why, err);
    }
    f->fd = fd;
    return OM_OK;
}
