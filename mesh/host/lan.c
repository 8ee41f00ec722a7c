/* lan.c - groups joined, and what is heard there. */
#include "lan.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockname.h"

enum { READS = 64, DATAGRAM = 2048 };

/* One port of one family, all its groups. A new set of groups makes new sockets: that is rare, and
 * leaves nothing behind. */
struct lan_socket {
    struct om_lan *lan;
    uv_poll_t poll;
    int fd;
    bool is_v6;
    uint16_t port;
    struct om_addr groups[OM_LAN_SOCKETS_MAX];
    unsigned group_count;
};

struct om_lan {
    struct om_lan_config config;
    struct lan_socket *sockets[OM_LAN_SOCKETS_MAX]; /* owned */
    unsigned open_handles;
    bool is_closed;
    struct om_lan_info info;
};

/* The address that a datagram was sent to. */
static bool read_destination(struct msghdr *m, struct om_addr *to)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo i;
            memcpy(&i, CMSG_DATA(c), sizeof i);
            *to = om_addr_v4(ntohl(i.ipi_addr.s_addr), to->port);
            return true;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo i;
            memcpy(&i, CMSG_DATA(c), sizeof i);
            memcpy(to->ip, &i.ipi6_addr, sizeof to->ip);
            return true;
        }
    }
    return false;
}

static bool is_group(const struct lan_socket *s, const struct om_addr *to)
{
    for (unsigned i = 0; i < s->group_count; i++)
        if (om_addr_equal(&s->groups[i], to))
            return true;
    return false;
}

static void on_readable(uv_poll_t *p, int status OM_UNUSED, int events OM_UNUSED)
{
    struct lan_socket *s = p->data;
    struct om_lan *l = s->lan;
    uint8_t bytes[DATAGRAM];
    uint8_t control[256] __attribute__((aligned(8)));
    union om_sockname from;

    for (int i = 0; i < READS && !l->is_closed; i++) {
        struct iovec v = {bytes, sizeof bytes};
        struct msghdr m = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &v,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        struct om_addr to = {.port = s->port};
        ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT);
        if (n < 0)
            return;
        if (!read_destination(&m, &to) || !is_group(s, &to) || m.msg_flags & MSG_TRUNC) {
            l->info.foreign++;
            continue;
        }
        struct om_dgram d = {.via = {.remote = om_sockname_addr(&from)},
                             .data = bytes,
                             .len = (size_t)n,
                             .is_multicast = true};
        l->info.datagrams++;
        l->config.on_batch(l->config.self, &d, 1);
    }
}

static void on_closed(uv_handle_t *h)
{
    struct lan_socket *s = h->data;
    struct om_lan *l = s->lan;

    free(s);
    if (--l->open_handles == 0 && l->is_closed)
        free(l);
}

static void close_socket(struct lan_socket *s)
{
    (void)uv_poll_stop(&s->poll);
    uv_close((uv_handle_t *)&s->poll, on_closed);
    (void)close(s->fd);
}

static void leave_all(struct om_lan *l)
{
    for (unsigned i = 0; i < l->info.sockets; i++)
        close_socket(l->sockets[i]);
    l->info.sockets = l->info.joined = 0;
}

static bool set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static bool bind_port(int fd, bool is_v6, uint16_t port)
{
    struct om_addr any = is_v6 ? (struct om_addr){.port = 0} : om_addr_v4(0, 0);
    union om_sockname name;

    any.port = port;
    socklen_t n = om_sockname_of(&name, &any, is_v6);
    return set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           (is_v6
                ? set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                      set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
                      set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
                : set(fd, IPPROTO_IP, IP_PKTINFO, 1) && set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)) &&
           bind(fd, &name.any, n) == 0;
}

static struct lan_socket *open_socket(struct om_lan *l, bool is_v6, uint16_t port)
{
    struct lan_socket *s = l->info.sockets < OM_LAN_SOCKETS_MAX ? calloc(1, sizeof *s) : NULL;

    if (!s)
        return NULL;
    *s = (struct lan_socket){.lan = l, .is_v6 = is_v6, .port = port};
    s->fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || !bind_port(s->fd, is_v6, port) ||
        uv_poll_init(l->config.loop, &s->poll, s->fd) < 0) {
        if (s->fd >= 0)
            (void)close(s->fd);
        free(s);
        return NULL;
    }
    s->poll.data = s;
    l->open_handles++;
    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
    l->sockets[l->info.sockets++] = s;
    return s;
}

static struct lan_socket *socket_of(struct om_lan *l, const struct om_addr *group)
{
    bool is_v6 = !om_addr_is_v4(group);

    for (unsigned i = 0; i < l->info.sockets; i++)
        if (l->sockets[i]->is_v6 == is_v6 && l->sockets[i]->port == group->port)
            return l->sockets[i];
    return open_socket(l, is_v6, group->port);
}

static bool join(struct lan_socket *s, const struct om_addr *group, unsigned index)
{
    struct ip_mreqn v4 = {.imr_ifindex = (int)index};
    struct ipv6_mreq v6 = {.ipv6mr_interface = index};

    memcpy(&v4.imr_multiaddr, group->ip + 12, 4);
    memcpy(&v6.ipv6mr_multiaddr, group->ip, 16);
    return s->is_v6 ? setsockopt(s->fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &v6, sizeof v6) == 0
                    : setsockopt(s->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof v4) == 0;
}

void om_lan_join(struct om_lan *l, const struct om_addr *groups, unsigned group_count,
                 const struct om_iface *ifaces, unsigned iface_count)
{
    leave_all(l);
    l->info.failed = 0;
    for (unsigned g = 0; g < group_count; g++) {
        struct lan_socket *s = socket_of(l, &groups[g]);
        if (!s || s->group_count == OM_LAN_SOCKETS_MAX) {
            l->info.failed++;
            continue;
        }
        s->groups[s->group_count++] = groups[g];
        for (unsigned i = 0; i < iface_count; i++) {
            if (!ifaces[i].is_up || !ifaces[i].is_multicast)
                continue;
            if (l->info.joined < OM_LAN_MEMBERS_MAX && join(s, &groups[g], ifaces[i].index))
                l->info.joined++;
            else
                l->info.failed++;
        }
    }
}

enum om_err om_lan_open(struct om_lan **out, const struct om_lan_config *config,
                        struct om_error *err)
{
    struct om_lan *l = calloc(1, sizeof *l);

    if (!l)
        return om_fail(err, OM_E_NO_MEM, "no memory for the LAN");
    l->config = *config;
    *out = l;
    return OM_OK;
}

void om_lan_close(struct om_lan *l)
{
    leave_all(l);
    l->is_closed = true;
    if (l->open_handles == 0)
        free(l);
}

void om_lan_info(const struct om_lan *l, struct om_lan_info *out)
{
    *out = l->info;
}
