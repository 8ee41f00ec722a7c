/* udp_in.c - receiving: recvmmsg into slots, joined datagrams split, batches handed on. */
#include "udp_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/udp.h>

enum {
    ECN_MASK = 3, /* RFC 3168 section 5: the low two bits of the traffic class ... */
    ECN_CE = 3    /* ... both set: congestion experienced */
};

/* What the control messages of one received message say. */
struct remarks {
    size_t segment; /* 0: not joined */
    bool is_ce;
};

static bool join(const struct udp_family *f, int on)
{
    return f->fd < 0 || setsockopt(f->fd, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
}

enum om_err udp_in_init(struct om_udp *u)
{
    struct udp_in *in = &u->in;

    if (u->info.gro && !(join(&u->v4, 1) && join(&u->v6, 1))) {
        (void)join(&u->v4, 0);
        (void)join(&u->v6, 0);
        u->info.gro = false;
    }
    in->slots = u->info.gro ? UDP_SLOTS_JOINED : UDP_SLOTS_MAX;
    in->slot_bytes = (u->info.gro ? UDP_JOINED_MAX : OM_UDP_WHOLE_MAX) + UDP_SLOT_SHIFT;
    in->bytes = malloc(in->slots * in->slot_bytes);
    if (!in->bytes)
        return OM_E_NO_MEM;
    for (unsigned i = 0; i < in->slots; i++) {
        in->iov[i] = (struct iovec){
            .iov_base = in->bytes + i * in->slot_bytes,
            .iov_len = in->slot_bytes - UDP_SLOT_SHIFT,
        };
        in->msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &in->names[i],
            .msg_iov = &in->iov[i],
            .msg_iovlen = 1,
            .msg_control = in->controls[i].bytes,
        };
    }
    return OM_OK;
}

void udp_in_fini(struct om_udp *u)
{
    free(u->in.bytes);
    u->in.bytes = NULL;
}

static int control_int(const struct cmsghdr *c)
{
    int v = 0;

    if (c->cmsg_len >= CMSG_LEN(sizeof v))
        memcpy(&v, CMSG_DATA(c), sizeof v);
    else if (c->cmsg_len >= CMSG_LEN(1))
        v = *CMSG_DATA(c); /* IP_TOS comes as one byte */
    return v;
}

static struct remarks read_control(struct om_udp *u, struct udp_family *f, struct msghdr *m)
{
    struct remarks r = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int v = control_int(c);

        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
            r.segment = v > 0 ? (size_t)v : 0;
        } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
                   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)) {
            r.is_ce = (v & ECN_MASK) == ECN_CE;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            u->info.kernel_drops += (uint32_t)v - f->overflows;
            f->overflows = (uint32_t)v;
        }
    }
    return r;
}

static struct om_via via_of(const struct udp_family *f, const union udp_name *name)
{
    struct om_via via = {.socket = f->number};

    if (name->any.sa_family == AF_INET) {
        via.remote = om_addr_v4(ntohl(name->v4.sin_addr.s_addr), ntohs(name->v4.sin_port));
        return via;
    }
    memcpy(via.remote.ip, &name->v6.sin6_addr, 16);
    via.remote.port = ntohs(name->v6.sin6_port);
    if (f->number == 0 && IN6_IS_ADDR_LINKLOCAL(&name->v6.sin6_addr))
        via.socket = name->v6.sin6_scope_id;
    return via;
}

static void hand_on(struct om_udp *u)
{
    struct udp_in *in = &u->in;
    unsigned n = in->batched;

    in->batched = 0;
    if (n > 0 && !u->is_closed)
        u->config.on_batch(u->config.self, in->batch, n);
}

static void add(struct om_udp *u, const struct om_via *via, struct om_mut b, bool is_ce)
{
    struct udp_in *in = &u->in;

    in->batch[in->batched++] = (struct om_dgram){.via = *via, .data = b.p, .len = b.n};
    u->info.datagrams_in++;
    u->info.bytes_in += b.n;
    u->info.ecn_ce += is_ce;
    if (in->batched == OM_UDP_BATCH_MAX)
        hand_on(u);
}

static void take(struct om_udp *u, struct udp_family *f, unsigned slot)
{
    struct udp_in *in = &u->in;
    struct mmsghdr *m = &in->msgs[slot];
    struct remarks r = read_control(u, f, &m->msg_hdr);
    struct om_via via = via_of(f, &in->names[slot]);
    uint8_t *p = in->iov[slot].iov_base;
    size_t left = m->msg_len;

    if (m->msg_hdr.msg_flags & MSG_TRUNC) {
        u->info.truncated++;
        return;
    }
    if (r.segment == 0)
        r.segment = left;
    do {
        size_t len = left < r.segment ? left : r.segment;

        add(u, &via, om_mut(p, len), r.is_ce);
        p += len;
        left -= len;
    } while (left > 0);
}

/* Slots that were filled have their lengths overwritten by the kernel. */
static void refresh(struct udp_in *in, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        in->msgs[i].msg_hdr.msg_namelen = sizeof in->names[i];
        in->msgs[i].msg_hdr.msg_controllen = sizeof in->controls[i].bytes;
        in->msgs[i].msg_hdr.msg_flags = 0;
    }
}

void udp_in_read(struct om_udp *u, struct udp_family *f)
{
    struct udp_in *in = &u->in;

    for (int call = 0; call < OM_UDP_RECEIVES_MAX && f->fd >= 0; call++) {
        int n;

        refresh(in, in->slots);
        n = recvmmsg(f->fd, in->msgs, in->slots, MSG_DONTWAIT, NULL);
        u->info.recv_calls++;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n < 0) { /* a pending error is gone once it was told; any other waits for next time */
            u->info.recv_errors++;
            continue;
        }
        f->errors_in_row = 0;
        for (int i = 0; i < n; i++)
            take(u, f, (unsigned)i);
        hand_on(u);
        if ((unsigned)n < in->slots)
            return;
    }
}
