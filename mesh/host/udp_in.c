/* udp_in.c - reading in batches, and cutting what the kernel put together. */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "udp_state.h"

/* What came with one message beside its bytes. */
struct ancillary {
    size_t segment; /* bytes of each datagram but the last; 0: it is one */
    bool is_marked; /* ECN: congestion experienced */
};

static struct ancillary read_ancillary(struct udp_socket *s, struct msghdr *m)
{
    struct ancillary a = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int value = 0;
        size_t n = c->cmsg_len - CMSG_LEN(0);
        memcpy(&value, CMSG_DATA(c), n < sizeof value ? n : sizeof value);
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
            a.segment = value > 0 ? (size_t)value : 0;
        else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
                 (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
            a.is_marked = (value & 3) == 3;
        else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            s->udp->info.overflows += (uint32_t)value - s->overflows;
            s->overflows = (uint32_t)value;
        }
    }
    return a;
}

static void hand_over(struct om_udp *u, struct om_dgram *batch, unsigned *count)
{
    if (*count > 0 && !u->is_closed)
        u->on_batch(u->self, batch, *count);
    *count = 0;
}

/* Cuts one message into datagrams. */
static void cut(struct udp_socket *s, struct msghdr *m, size_t n, struct om_dgram *batch,
                unsigned *count)
{
    struct om_udp *u = s->udp;
    struct ancillary a = read_ancillary(s, m);
    uint8_t *bytes = m->msg_iov->iov_base;
    struct om_via via = {.remote = udp_addr_of(m->msg_name)};

    if (m->msg_flags & MSG_TRUNC) {
        u->info.truncated++;
        return;
    }
    if (a.segment == 0)
        a.segment = n;
    for (size_t at = 0; at < n; at += a.segment) {
        size_t len = n - at < a.segment ? n - at : a.segment;
        batch[(*count)++] = (struct om_dgram){.via = via, .data = bytes + at, .len = len};
        u->info.datagrams_in++;
        u->info.ecn_ce += a.is_marked;
        if (*count == OM_UDP_BATCH)
            hand_over(u, batch, count);
    }
    u->info.bytes_in += n;
}

/* False when there is nothing left to read. */
static bool read_some(struct udp_socket *s)
{
    struct om_udp *u = s->udp;
    struct mmsghdr m[OM_UDP_SLOTS];
    struct iovec v[OM_UDP_SLOTS];
    union udp_name names[OM_UDP_SLOTS];
    uint8_t control[OM_UDP_SLOTS][128] __attribute__((aligned(8)));
    struct om_dgram batch[OM_UDP_BATCH];
    unsigned count = 0;

    for (unsigned i = 0; i < OM_UDP_SLOTS; i++) {
        v[i] = (struct iovec){u->in + i * u->slot_bytes, u->slot_bytes};
        m[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
                                       .msg_namelen = sizeof names[i],
                                       .msg_iov = &v[i],
                                       .msg_iovlen = 1,
                                       .msg_control = control[i],
                                       .msg_controllen = sizeof control[i]};
    }
    int n = recvmmsg(s->fd, m, OM_UDP_SLOTS, MSG_DONTWAIT, NULL);
    if (n < 0)
        return errno != EAGAIN && errno != EWOULDBLOCK; /* else an error of an earlier send */
    u->info.receives++;
    for (int i = 0; i < n && !u->is_closed; i++)
        cut(s, &m[i].msg_hdr, m[i].msg_len, batch, &count);
    hand_over(u, batch, &count);
    return n == OM_UDP_SLOTS;
}

void udp_read(struct udp_socket *s)
{
    for (int i = 0; i < OM_UDP_READS && !s->udp->is_closed && read_some(s); i++) {
    }
}
