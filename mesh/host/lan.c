/* lan.c - a socket for each (family, port), a table of memberships, batches of what came in. */
#include "lan.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

enum { PAIRS_MAX = OM_LAN_GROUPS_MAX * OM_IFACES_MAX };

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* One socket. It outlives its file until libuv gives the handle back. */
struct ear {
    struct om_lan *owner;
    uv_poll_t poll;
    int fd; /* -1: closed */
    bool is_v6;
    uint16_t port;
};

struct pair {
    struct om_addr group;
    unsigned index; /* of the interface */
    struct ear *ear;
    bool is_wanted;
};

struct om_lan {
    struct om_lan_config config;
    bool is_closed;
    unsigned handles; /* that libuv has not given back yet */
    struct om_lan_info info;
    struct ear *ears[OM_LAN_GROUPS_MAX];
    unsigned ear_count;
    struct pair pairs[PAIRS_MAX];
    unsigned pair_count;
    /* For recvmmsg. */
    struct mmsghdr msgs[OM_LAN_BATCH_MAX];
    struct iovec iov[OM_LAN_BATCH_MAX];
    union name names[OM_LAN_BATCH_MAX];
    struct {
        alignas(struct cmsghdr) uint8_t bytes[64]; /* one packet information of either family */
    } controls[OM_LAN_BATCH_MAX];
    struct om_dgram batch[OM_LAN_BATCH_MAX];
    uint8_t bytes[OM_LAN_BATCH_MAX][OM_LAN_DGRAM_BYTES];
};

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static struct pair *find_pair(struct om_lan *l, const struct om_addr *group, unsigned index)
{
    for (unsigned i = 0; i < l->pair_count; i++)
        if (l->pairs[i].index == index && om_addr_equal(&l->pairs[i].group, group))
            return &l->pairs[i];
    return NULL;
}

/* Where message @m was sent to and by which interface it came; false when the kernel did not say.
 * The port of @to is not touched. */
static bool destination(struct om_addr *to, unsigned *index, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct in6_pktinfo p6;
        struct in_pktinfo p4;

        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
            c->cmsg_len >= CMSG_LEN(sizeof p4)) {
            memcpy(&p4, CMSG_DATA(c), sizeof p4);
            *to = om_addr_v4(ntohl(p4.ipi_addr.s_addr), to->port);
            *index = (unsigned)p4.ipi_ifindex;
            return true;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
            c->cmsg_len >= CMSG_LEN(sizeof p6)) {
            memcpy(&p6, CMSG_DATA(c), sizeof p6);
            memcpy(to->ip, &p6.ipi6_addr, 16);
            *index = (unsigned)p6.ipi6_ifindex;
            return true;
        }
    }
    return false;
}

static struct om_via via_of(const union name *from)
{
    struct om_via via = {0};

    if (from->any.sa_family == AF_INET) {
        via.remote = om_addr_v4(ntohl(from->v4.sin_addr.s_addr), ntohs(from->v4.sin_port));
        return via;
    }
    memcpy(via.remote.ip, &from->v6.sin6_addr, 16);
    via.remote.port = ntohs(from->v6.sin6_port);
    if (IN6_IS_ADDR_LINKLOCAL(&from->v6.sin6_addr))
        via.socket = from->v6.sin6_scope_id;
    return via;
}

/* May the message in @slot be handed on? */
static bool is_ours(struct om_lan *l, const struct ear *e, unsigned slot)
{
    struct om_addr to = {.port = e->port};
    unsigned index = 0;

    if (!destination(&to, &index, &l->msgs[slot].msg_hdr) || !find_pair(l, &to, index)) {
        l->info.foreign++;
        return false;
    }
    if (l->msgs[slot].msg_hdr.msg_flags & MSG_TRUNC) {
        l->info.truncated++;
        return false;
    }
    return true;
}

static void hand_on(struct om_lan *l, const struct ear *e, unsigned slots)
{
    unsigned count = 0;

    for (unsigned i = 0; i < slots; i++)
        if (is_ours(l, e, i))
            l->batch[count++] = (struct om_dgram){
                .via = via_of(&l->names[i]),
                .data = l->bytes[i],
                .len = l->msgs[i].msg_len,
                .is_multicast = true,
            };
    l->info.datagrams += count;
    if (count > 0)
        l->config.on_batch(l->config.self, l->batch, count);
}

/* All that recvmmsg overwrote when it was last called. */
static void prepare(struct om_lan *l)
{
    for (unsigned i = 0; i < OM_LAN_BATCH_MAX; i++) {
        l->iov[i] = (struct iovec){l->bytes[i], OM_LAN_DGRAM_BYTES};
        l->msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &l->names[i],
            .msg_namelen = sizeof l->names[i],
            .msg_iov = &l->iov[i],
            .msg_iovlen = 1,
            .msg_control = l->controls[i].bytes,
            .msg_controllen = sizeof l->controls[i].bytes,
        };
    }
}

static void on_readable(uv_poll_t *poll, int status OM_UNUSED, int events OM_UNUSED)
{
    struct ear *e = poll->data;
    struct om_lan *l = e->owner;

    for (int i = 0; i < OM_LAN_RECEIVES_MAX && e->fd >= 0; i++) {
        int n;

        prepare(l);
        n = recvmmsg(e->fd, l->msgs, OM_LAN_BATCH_MAX, MSG_DONTWAIT, NULL);
        if (n > 0)
            hand_on(l, e, (unsigned)n);
        if (n < OM_LAN_BATCH_MAX)
            break;
    }
    /* libuv stops polling when it saw a pending error; receiving has cleared it. */
    if (e->fd >= 0)
        (void)uv_poll_start(&e->poll, UV_READABLE, on_readable);
}

static void on_closed(uv_handle_t *h)
{
    struct ear *e = h->data;
    struct om_lan *l = e->owner;

    free(e);
    if (--l->handles == 0 && l->is_closed)
        free(l);
}

static void ear_close(struct ear *e)
{
    uv_close((uv_handle_t *)&e->poll, on_closed);
    (void)close(e->fd);
    e->fd = -1;
}

/* A socket bound to @port of any address, that hears only the groups it has joined; -1 if not. */
static int bound_socket(bool is_v6, uint16_t port)
{
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    union name name = {0};
    bool is_set;

    if (fd < 0)
        return -1;
    is_set = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (is_v6) {
        name.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        is_set = is_set && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                 set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0); /* Linux 4.20; what comes is checked */
    } else {
        name.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        is_set = is_set && set(fd, IPPROTO_IP, IP_PKTINFO, 1);
        (void)set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    }
    if (is_set && bind(fd, &name.any, is_v6 ? sizeof name.v6 : sizeof name.v4) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static struct ear *ear_open(struct om_lan *l, bool is_v6, uint16_t port)
{
    struct ear *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    *e = (struct ear){.owner = l, .is_v6 = is_v6, .port = port};
    e->fd = bound_socket(is_v6, port);
    if (e->fd < 0 || uv_poll_init(l->config.loop, &e->poll, e->fd) != 0) {
        if (e->fd >= 0)
            (void)close(e->fd);
        free(e);
        return NULL;
    }
    e->poll.data = e;
    l->handles++;
    if (uv_poll_start(&e->poll, UV_READABLE, on_readable) != 0) {
        ear_close(e);
        return NULL;
    }
    return e;
}

/* The socket of @group, opened if need be; NULL when that is not possible. */
static struct ear *ear_of(struct om_lan *l, const struct om_addr *group)
{
    bool is_v6 = !om_addr_is_v4(group);
    struct ear *e;

    for (unsigned i = 0; i < l->ear_count; i++)
        if (l->ears[i]->is_v6 == is_v6 && l->ears[i]->port == group->port)
            return l->ears[i];
    if (group->port == 0 || l->ear_count == OM_LAN_GROUPS_MAX)
        return NULL;
    e = ear_open(l, is_v6, group->port);
    if (e)
        l->ears[l->ear_count++] = e;
    return e;
}

static bool member(const struct pair *p, int option)
{
    struct group_req r = {.gr_interface = p->index};
    union name name = {0};

    if (p->ear->is_v6) {
        name.v6.sin6_family = AF_INET6;
        memcpy(&name.v6.sin6_addr, p->group.ip, 16);
    } else {
        name.v4.sin_family = AF_INET;
        memcpy(&name.v4.sin_addr, p->group.ip + 12, 4);
    }
    memcpy(&r.gr_group, &name, sizeof name);
    return setsockopt(p->ear->fd, p->ear->is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, option, &r,
                      sizeof r) == 0;
}

/* First, because the kernel counts memberships. */
static void leave_unwanted(struct om_lan *l)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < l->pair_count; i++) {
        if (l->pairs[i].is_wanted)
            l->pairs[kept++] = l->pairs[i];
        else
            (void)member(&l->pairs[i], MCAST_LEAVE_GROUP); /* an interface may be gone by now */
    }
    l->pair_count = kept;
}

static void join_missing(struct om_lan *l, const struct om_addr *group,
                         const struct om_iface *ifaces, unsigned iface_count)
{
    struct ear *e = ear_of(l, group);

    for (unsigned i = 0; i < iface_count; i++) {
        struct pair p = {.group = *group, .index = ifaces[i].index, .ear = e, .is_wanted = true};

        if (find_pair(l, group, p.index))
            continue;
        if (e && l->pair_count < PAIRS_MAX && p.index != 0 && member(&p, MCAST_JOIN_GROUP))
            l->pairs[l->pair_count++] = p;
        else
            l->info.failed++;
    }
}

static void close_idle(struct om_lan *l)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < l->ear_count; i++) {
        bool is_used = false;

        for (unsigned k = 0; k < l->pair_count && !is_used; k++)
            is_used = l->pairs[k].ear == l->ears[i];
        if (is_used)
            l->ears[kept++] = l->ears[i];
        else
            ear_close(l->ears[i]);
    }
    l->ear_count = kept;
}

static unsigned cut(unsigned *count, unsigned max)
{
    unsigned over = *count > max ? *count - max : 0;

    *count -= over;
    return over;
}

void om_lan_join(struct om_lan *l, const struct om_addr *groups, unsigned group_count,
                 const struct om_iface *ifaces, unsigned iface_count)
{
    unsigned all_ifaces = iface_count;

    l->info.failed = cut(&group_count, OM_LAN_GROUPS_MAX) * all_ifaces;
    l->info.failed += cut(&iface_count, OM_IFACES_MAX) * group_count;
    for (unsigned i = 0; i < l->pair_count; i++)
        l->pairs[i].is_wanted = false;
    for (unsigned g = 0; g < group_count; g++)
        for (unsigned i = 0; i < iface_count; i++) {
            struct pair *p = find_pair(l, &groups[g], ifaces[i].index);

            if (p)
                p->is_wanted = true;
        }
    leave_unwanted(l);
    close_idle(l); /* its place may be needed */
    if (iface_count > 0)
        for (unsigned g = 0; g < group_count; g++)
            join_missing(l, &groups[g], ifaces, iface_count);
    close_idle(l);
}

enum om_err om_lan_open(struct om_lan **out, const struct om_lan_config *config,
                        struct om_error *err)
{
    struct om_lan *l = calloc(1, sizeof *l);

    if (!l)
        return om_fail(err, OM_E_NO_MEM, "hearing neighbours: out of memory");
    l->config = *config;
    *out = l;
    return OM_OK;
}

void om_lan_close(struct om_lan *l)
{
    if (!l)
        return;
    om_lan_join(l, NULL, 0, NULL, 0);
    l->is_closed = true;
    if (l->handles == 0)
        free(l);
}

void om_lan_info(const struct om_lan *l, struct om_lan_info *out)
{
    *out = l->info;
    out->sockets = l->ear_count;
    out->joined = l->pair_count;
}
