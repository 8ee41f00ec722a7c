/* udp_hops.c - datagrams with a TTL of their own, and the routers that end them. */
#include "udp_state.h"

#include <string.h>

#include <linux/errqueue.h>

enum {
    EXCEEDED_V4 = 11,     /* ICMP type: time exceeded */
    EXCEEDED_V6 = 3,      /* ICMPv6 type of the same */
    EXCEEDED_TRANSIT = 0, /* code of both: the TTL ended on the way */
    TAIL_BYTES = 64       /* of what was sent; nobody reads it */
};

static bool is_fresh(const struct om_udp *u, const struct udp_opener *o)
{
    return o->ttl != 0 && uv_now(u->config.loop) - o->at < OM_UDP_OPENER_MS;
}

static bool set_hearing(const struct udp_family *f, int on)
{
    return setsockopt(f->fd, f->is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                      f->is_v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on) == 0;
}

void udp_hops_sent(struct om_udp *u, struct udp_family *f, const struct om_udp_out *o)
{
    struct udp_opener *at = &u->openers[u->opener_next];

    if (!u->config.on_hop)
        return;
    if (!f->hears)
        f->hears = set_hearing(f, 1);
    *at = (struct udp_opener){o->via.remote, f->number, o->ttl, uv_now(u->config.loop)};
    u->opener_next = (u->opener_next + 1) % OM_UDP_OPENERS_MAX;
}

/* Openers of one kind follow one another: a router answers them in the order that they left. */
static struct udp_opener *find(struct om_udp *u, const struct udp_family *f,
                               const struct om_addr *to)
{
    for (unsigned i = 0; i < OM_UDP_OPENERS_MAX; i++) {
        struct udp_opener *o = &u->openers[(u->opener_next + i) % OM_UDP_OPENERS_MAX];
        if (o->socket == f->number && om_addr_equal(&o->to, to) && is_fresh(u, o))
            return o;
    }
    return NULL;
}

static bool is_waiting(const struct om_udp *u, const struct udp_family *f)
{
    for (unsigned i = 0; i < OM_UDP_OPENERS_MAX; i++) {
        const struct udp_opener *o = &u->openers[i];
        if (o->socket == f->number && om_addr_is_v4(&o->to) == !f->is_v6 && is_fresh(u, o))
            return true;
    }
    return false;
}

static bool addr_of(const union udp_name *name, struct om_addr *out)
{
    *out = (struct om_addr){0};
    if (name->any.sa_family == AF_INET) {
        *out = om_addr_v4(ntohl(name->v4.sin_addr.s_addr), ntohs(name->v4.sin_port));
        return true;
    }
    if (name->any.sa_family != AF_INET6)
        return false;
    memcpy(out->ip, &name->v6.sin6_addr, 16);
    out->port = ntohs(name->v6.sin6_port);
    return true;
}

static bool is_exceeded(const struct sock_extended_err *e)
{
    if (e->ee_code != EXCEEDED_TRANSIT)
        return false;
    return (e->ee_origin == SO_EE_ORIGIN_ICMP && e->ee_type == EXCEEDED_V4) ||
           (e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type == EXCEEDED_V6);
}

/* The router that ended what was sent, if that is what @m says. */
static bool read_router(struct msghdr *m, struct om_addr *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct sock_extended_err e;
        union udp_name router = {0};
        size_t n = c->cmsg_len - CMSG_LEN(0);

        if (!((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
              (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)))
            continue;
        if (n < sizeof e + sizeof router.v4)
            return false;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        n -= sizeof e;
        memcpy(&router, CMSG_DATA(c) + sizeof e, n < sizeof router ? n : sizeof router);
        return is_exceeded(&e) && addr_of(&router, out);
    }
    return false;
}

unsigned udp_hops_read(struct om_udp *u, struct udp_family *f, struct udp_hop *out)
{
    uint8_t tail[TAIL_BYTES];
    struct iovec iov = {tail, sizeof tail};
    struct udp_control control;
    unsigned count = 0;

    for (unsigned i = 0; i < UDP_QUEUED_ERRORS; i++) {
        union udp_name name = {0};
        struct msghdr m = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
        struct om_addr to;
        struct udp_opener *o;

        if (recvmsg(f->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        if (!read_router(&m, &out[count].router) || !addr_of(&name, &to))
            continue;
        o = find(u, f, &to);
        if (!o)
            continue; /* not ours, or forged */
        out[count++].ttl = o->ttl;
        o->ttl = 0;
        u->info.hops++;
    }
    if (f->hears && !is_waiting(u, f))
        f->hears = !set_hearing(f, 0);
    return count;
}
