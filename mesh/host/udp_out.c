/* udp_out.c - sending: a plan of messages for one sendmmsg, and what to do when one fails. */
#include "udp_state.h"

#include <errno.h>
#include <string.h>

#include <netinet/udp.h>

/* Where one om_udp_send() stands. */
struct progress {
    const struct om_udp_out *out;
    unsigned count;
    unsigned done;
    unsigned plain_to; /* entries below it go one by one: as a run they failed */
    bool is_trial;     /* the first of them tells whether the kernel or the datagram is at fault */
    bool is_retry;     /* this message met a pending error once already */
};

enum verdict {
    VERDICT_AGAIN, /* the same message */
    VERDICT_DROP,  /* this message is lost, on with the next */
    VERDICT_ANEW,  /* what is left is planned differently */
    VERDICT_STOP   /* until there is room */
};

static bool is_multicast(const struct om_addr *a)
{
    return om_addr_is_v4(a) ? (a->ip[12] & 0xf0) == 0xe0 : a->ip[0] == 0xff;
}

static struct udp_family *family_of(struct om_udp *u, const struct om_via *via)
{
    struct udp_family *f = om_addr_is_v4(&via->remote) ? &u->v4 : &u->v6;

    if (via->socket >= OM_SOCKET_FIRST)
        return is_multicast(&via->remote) ? NULL : udp_extra_family(u, via);
    return f->fd >= 0 ? f : NULL;
}

static socklen_t name_of(const struct om_via *via, uint32_t scope, union udp_name *out)
{
    memset(out, 0, sizeof *out);
    if (om_addr_is_v4(&via->remote)) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(via->remote.port);
        memcpy(&out->v4.sin_addr, via->remote.ip + 12, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(via->remote.port);
    memcpy(&out->v6.sin6_addr, via->remote.ip, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&out->v6.sin6_addr) && via->socket < OM_SOCKET_FIRST)
        scope = via->socket;
    out->v6.sin6_scope_id = scope;
    return sizeof out->v6;
}

/* The kernel only reads what is sent, but its struct is the one for receiving too. */
static struct iovec piece(struct om_bytes b)
{
    struct iovec v = {.iov_len = b.n};

    memcpy(&v.iov_base, &b.p, sizeof b.p);
    return v;
}

/* The next message of @p, to @via, with no pieces yet. */
static struct msghdr *new_message(struct udp_plan *p, const struct om_via *via, uint32_t scope)
{
    struct msghdr *m = &p->msgs[p->count].msg_hdr;

    *m = (struct msghdr){
        .msg_name = &p->names[p->count],
        .msg_namelen = name_of(via, scope, &p->names[p->count]),
        .msg_iov = &p->iov[p->pieces],
    };
    p->takes[p->count++] = 0;
    return m;
}

static void add_piece(struct udp_plan *p, struct msghdr *m, struct om_bytes b)
{
    p->iov[p->pieces++] = piece(b);
    m->msg_iovlen++;
}

static void add_control(struct udp_plan *p, struct msghdr *m, int level, int type, const void *data,
                        size_t n)
{
    struct udp_control *control = &p->controls[p->count - 1];
    struct cmsghdr *c;

    memset(control, 0, CMSG_SPACE(n));
    m->msg_control = control->bytes;
    m->msg_controllen = CMSG_SPACE(n);
    c = CMSG_FIRSTHDR(m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
}

static void plan_copy(struct udp_plan *p, const struct om_udp_out *o, unsigned ifindex)
{
    struct msghdr *m = new_message(p, &o->via, ifindex);

    add_piece(p, m, o->bytes);
    if (p->family->is_v6) {
        struct in6_pktinfo info = {.ipi6_ifindex = ifindex};

        add_control(p, m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    } else {
        struct in_pktinfo info = {.ipi_ifindex = (int)ifindex};

        add_control(p, m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
}

/* How many entries from @at may cross the kernel as one message: same way, same size but for a
 * shorter last one. */
static unsigned run_length(const struct om_udp *u, const struct progress *g, unsigned at)
{
    const struct om_udp_out *first = &g->out[at];
    size_t size = first->bytes.n, total = size;
    unsigned n = 1;

    if (!u->info.gso || at < g->plain_to || size == 0 || first->ttl != 0 || first->is_alone)
        return 1;
    while (n < OM_UDP_SEGMENTS_MAX && at + n < g->count) {
        const struct om_udp_out *o = &g->out[at + n];

        if (o->bytes.n == 0 || o->bytes.n > size || total + o->bytes.n > OM_UDP_SEGMENTED_BYTES ||
            o->ttl != 0 || o->is_alone || !om_via_equal(&o->via, &first->via))
            break;
        total += o->bytes.n;
        n++;
        if (o->bytes.n < size)
            break;
    }
    return n;
}

static void plan_run(struct udp_plan *p, const struct om_udp_out *o, unsigned n)
{
    struct msghdr *m = new_message(p, &o->via, 0);
    uint16_t segment = (uint16_t)o->bytes.n;

    for (unsigned i = 0; i < n; i++)
        add_piece(p, m, o[i].bytes);
    if (n > 1)
        add_control(p, m, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
    p->takes[p->count - 1] = n;
}

static void plan_opener(struct om_udp *u, const struct om_udp_out *o)
{
    struct udp_plan *p = &u->plan;
    bool is_v6 = p->family->is_v6;
    int ttl = o->ttl;

    plan_run(p, o, 1);
    add_control(p, &p->msgs[p->count - 1].msg_hdr, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                is_v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof ttl);
    udp_hops_sent(u, p->family, o);
}

/* As much as one sendmmsg takes, from g->done on, all of one family. */
static void make_plan(struct om_udp *u, const struct progress *g)
{
    struct udp_plan *p = &u->plan;

    p->count = p->pieces = 0;
    p->family = family_of(u, &g->out[g->done].via);
    for (unsigned at = g->done; p->family && at < g->count;) {
        const struct om_udp_out *o = &g->out[at];
        unsigned n = 1, copies = 1;

        if (family_of(u, &o->via) != p->family)
            return;
        if (is_multicast(&o->via.remote)) {
            copies = u->interface_count;
        } else {
            n = run_length(u, g, at);
        }
        if (copies == 0 || p->count + copies > UDP_MESSAGES_MAX ||
            p->pieces + (n > copies ? n : copies) > UDP_PIECES_MAX)
            return;
        if (is_multicast(&o->via.remote)) {
            for (unsigned i = 0; i < copies; i++)
                plan_copy(p, o, u->interfaces[i]);
            p->takes[p->count - 1] = 1;
        } else if (o->ttl != 0) {
            plan_opener(u, o);
        } else {
            plan_run(p, o, n);
        }
        at += n;
    }
}

/* Message @i is done with, well or badly. */
static void settle(struct om_udp *u, struct progress *g, unsigned i, bool is_sent)
{
    struct udp_plan *p = &u->plan;
    const struct msghdr *m = &p->msgs[i].msg_hdr;

    if (is_sent) {
        u->info.openers += g->out[g->done].ttl != 0;
        u->info.datagrams_out += m->msg_iovlen;
        u->info.bytes_out += p->msgs[i].msg_len;
    } else {
        u->info.send_errors += m->msg_iovlen;
    }
    if (is_sent && g->is_trial)
        u->info.gso = false; /* alone it went, as a run it did not */
    g->is_trial = g->is_retry = false;
    g->done += p->takes[i];
}

static bool is_lack_of_segmentation(int why)
{
    return why == EIO || why == EINVAL || why == EOPNOTSUPP;
}

/* The socket is full: libuv says when it no longer is. No buffers in the kernel: nobody says. */
static void wait_for_room(struct om_udp *u, struct udp_family *f, int why)
{
    if (why == ENOBUFS || why == ENOMEM) {
        udp_rest(u, NULL);
        return;
    }
    f->wants_write = true;
    udp_poll(u, f);
}

/* Message @i failed with @why. */
static enum verdict judge(struct om_udp *u, struct progress *g, unsigned i, int why)
{
    switch (why) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
        wait_for_room(u, u->plan.family, why);
        return VERDICT_STOP;
    case EINTR:
        return VERDICT_AGAIN;
    default:
        break;
    }
    /* What an earlier datagram met: told once, by whoever asks next. */
    if (!g->is_retry && (why == ECONNREFUSED || u->plan.family->hears)) {
        g->is_retry = true;
        return VERDICT_AGAIN;
    }
    if (u->plan.takes[i] > 1) {
        g->plain_to = g->done + u->plan.takes[i];
        g->is_trial = is_lack_of_segmentation(why);
        g->is_retry = false;
        return VERDICT_ANEW;
    }
    if (why == EMSGSIZE && u->config.on_refused)
        u->config.on_refused(u->config.self, &g->out[g->done].via, g->out[g->done].bytes.n);
    return VERDICT_DROP;
}

static enum verdict carry_out(struct om_udp *u, struct progress *g)
{
    struct udp_plan *p = &u->plan;
    enum verdict v;

    for (unsigned at = 0; at < p->count;) {
        int n = sendmmsg(p->family->fd, p->msgs + at, p->count - at, MSG_DONTWAIT | MSG_NOSIGNAL);

        u->info.send_calls++;
        for (int i = 0; i < n; i++)
            settle(u, g, at++, true);
        if (n > 0)
            continue;
        v = judge(u, g, at, errno);
        if (v == VERDICT_STOP || v == VERDICT_ANEW)
            return v;
        if (v == VERDICT_DROP)
            settle(u, g, at++, false);
    }
    return VERDICT_AGAIN;
}

unsigned om_udp_send(struct om_udp *u, const struct om_udp_out *out, unsigned count)
{
    struct progress g = {.out = out, .count = count};

    while (g.done < count && !u->is_closed) {
        make_plan(u, &g);
        if (u->plan.count == 0) { /* no such family, or nowhere to multicast */
            u->info.send_errors++;
            g.done++;
            continue;
        }
        if (carry_out(u, &g) == VERDICT_STOP)
            break;
    }
    return g.done;
}
