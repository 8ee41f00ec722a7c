/* udp_out.c - sending in batches; runs of equal size to one address leave as one message. */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "udp_state.h"

enum { MESSAGES = 16, OFFLOAD_BYTES = 65000 };

/* Messages for one sendmmsg(). */
struct batch {
    struct mmsghdr m[MESSAGES];
    struct iovec v[MESSAGES][OM_UDP_SEGMENTS];
    union udp_name names[MESSAGES];
    uint8_t control[MESSAGES][CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8)));
    unsigned datagrams[MESSAGES]; /* in each message */
    unsigned count;
};

/* How many datagrams from @out on can leave as one message: all as long as the first, but the
 * last may be shorter. */
static unsigned run_of(const struct om_udp *u, const struct om_udp_out *out, unsigned count)
{
    size_t each = out[0].bytes.n, sum = each;
    unsigned n = 1;

    if (!u->info.gso || each == 0)
        return 1;
    while (n < count && n < OM_UDP_SEGMENTS && out[n].bytes.n <= each && out[n].bytes.n > 0 &&
           sum + out[n].bytes.n <= OFFLOAD_BYTES &&
           om_addr_equal(&out[n].via.remote, &out[0].via.remote)) {
        sum += out[n].bytes.n;
        if (out[n++].bytes.n < each)
            break;
    }
    return n;
}

static void add(struct batch *b, const struct om_udp_out *out, unsigned n, bool is_v6)
{
    unsigned i = b->count++;
    struct msghdr *h = &b->m[i].msg_hdr;

    for (unsigned k = 0; k < n; k++)
        /* sendmmsg() only reads; struct iovec knows no const */
        b->v[i][k] = (struct iovec){(void *)(uintptr_t)out[k].bytes.p, out[k].bytes.n};
    *h = (struct msghdr){.msg_name = &b->names[i], .msg_iov = b->v[i], .msg_iovlen = n};
    h->msg_namelen = udp_name_of(&b->names[i], &out[0].via.remote, is_v6);
    b->datagrams[i] = n;
    if (n == 1)
        return;
    uint16_t size = (uint16_t)out[0].bytes.n;
    h->msg_control = b->control[i];
    h->msg_controllen = sizeof b->control[i];
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    *c = (struct cmsghdr){
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof size)};
    memcpy(CMSG_DATA(c), &size, sizeof size);
}

static struct udp_socket *socket_for(struct om_udp *u, const struct om_addr *to)
{
    return &u->sockets[om_addr_is_v4(to) ? 0 : 1];
}

static bool is_multicast(const struct om_udp_out *o)
{
    return om_addr_classify(&o->via.remote) == OM_ADDR_MULTICAST;
}

/* One copy out of each interface; one that fails is like one that nobody heard. */
static void send_multicast(struct om_udp *u, struct udp_socket *s, const struct om_udp_out *o)
{
    union udp_name to;
    socklen_t n = udp_name_of(&to, &o->via.remote, s->is_v6);

    for (unsigned i = 0; i < u->indices; i++) {
        struct ip_mreqn v4 = {.imr_ifindex = (int)u->index[i]};
        int v6 = (int)u->index[i];
        int e = s->is_v6 ? setsockopt(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &v6, sizeof v6)
                         : setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4);
        if (e < 0 || sendto(s->fd, o->bytes.p, o->bytes.n, MSG_DONTWAIT, &to.any, n) < 0) {
            u->info.send_errors++;
            continue;
        }
        u->info.datagrams_out++;
        u->info.bytes_out += o->bytes.n;
    }
}

static void count_sent(struct om_udp *u, const struct om_udp_out *out, unsigned n)
{
    u->info.datagrams_out += n;
    for (unsigned i = 0; i < n; i++)
        u->info.bytes_out += out[i].bytes.n;
}

enum verdict { WENT, FULL, AGAIN };

/* What to do about errno after the first message of @b did not leave; *@done: those given up. */
static enum verdict judge(struct om_udp *u, const struct batch *b, int e, unsigned *done)
{
    if (e == EAGAIN || e == EWOULDBLOCK || e == ENOBUFS || e == ENOMEM)
        return FULL;
    if (e == EINTR || e == ECONNREFUSED)
        return AGAIN; /* the answer to an earlier datagram: it is taken now */
    if (b->datagrams[0] > 1 && (e == EIO || e == EINVAL || e == EOPNOTSUPP || e == EMSGSIZE)) {
        u->info.gso = e == EMSGSIZE; /* a device without it; or one datagram is too long */
        *done = e == EMSGSIZE ? b->datagrams[0] : 0;
        u->info.send_errors += *done;
        return AGAIN;
    }
    *done = b->datagrams[0];
    u->info.send_errors += *done;
    return AGAIN;
}

/* Sends a part of @out that one socket takes; *@done: how many are done with. */
static enum verdict send_part(struct om_udp *u, struct udp_socket *s, const struct om_udp_out *out,
                              unsigned count, unsigned *done)
{
    struct batch b;
    unsigned taken = 0;

    b.count = 0;
    while (taken < count && b.count < MESSAGES && !is_multicast(&out[taken]) &&
           socket_for(u, &out[taken].via.remote) == s) {
        unsigned n = run_of(u, out + taken, count - taken);
        add(&b, out + taken, n, s->is_v6);
        taken += n;
    }
    int n = sendmmsg(s->fd, b.m, b.count, MSG_DONTWAIT);
    u->info.sends++;
    *done = 0;
    if (n < 0)
        return judge(u, &b, errno, done);
    for (int i = 0; i < n; i++)
        *done += b.datagrams[i];
    count_sent(u, out, *done);
    return WENT;
}

unsigned om_udp_send(struct om_udp *u, const struct om_udp_out *out, unsigned count)
{
    unsigned at = 0, refused = 0;

    while (at < count) {
        struct udp_socket *s = socket_for(u, &out[at].via.remote);
        unsigned done = 1;
        enum verdict v = WENT;
        if (s->fd < 0)
            u->info.send_errors++;
        else if (is_multicast(&out[at]))
            send_multicast(u, s, &out[at]);
        else if (s->is_full)
            v = FULL;
        else
            v = send_part(u, s, out + at, count - at, &done);
        if (v == FULL) {
            s->is_full = true;
            udp_watch(s);
            return at;
        }
        /* An endless row of answers to earlier datagrams must not hold the loop. */
        if (done == 0 && ++refused > OM_UDP_BATCH) {
            u->info.send_errors++;
            done = 1;
        }
        at += done;
    }
    return count;
}
