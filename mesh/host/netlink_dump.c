/* netlink_dump.c - RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE. */
#include "netlink_dump.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink_parse.h"

enum { TRIES_MAX = 4 };

struct question {
    struct mnl_socket *socket;
    struct net_view *view;
    void *buffer;
    uint32_t sequence;
    unsigned messages;
    bool is_interrupted;
};

static int send_question(struct question *q, uint16_t type, uint8_t family)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(q->buffer);

    m->nlmsg_type = type;
    m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    m->nlmsg_seq = ++q->sequence;
    q->messages = 0;
    if (type == RTM_GETLINK) {
        struct ifinfomsg *i = mnl_nlmsg_put_extra_header(m, sizeof *i);

        i->ifi_family = family;
        mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    } else if (type == RTM_GETADDR) {
        struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(m, sizeof *a);

        a->ifa_family = family;
    } else {
        struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof *r);

        r->rtm_family = family;
        r->rtm_table = RT_TABLE_MAIN;
    }
    return mnl_socket_sendto(q->socket, m, m->nlmsg_len) < 0 ? errno : 0;
}

static void take(struct question *q, const struct nlmsghdr *m)
{
    struct net_route hops[NETLINK_HOPS_MAX];
    struct om_iface iface;
    struct net_addr addr;

    if (m->nlmsg_flags & NLM_F_DUMP_INTR)
        q->is_interrupted = true;
    if (m->nlmsg_type == RTM_NEWLINK) {
        if (netlink_parse_link(&iface, m))
            net_view_add_iface(q->view, &iface);
    } else if (m->nlmsg_type == RTM_NEWADDR) {
        if (netlink_parse_addr(&addr, m))
            net_view_add_addr(q->view, &addr);
    } else if (m->nlmsg_type == RTM_NEWROUTE) {
        unsigned n = netlink_parse_default(hops, m);

        for (unsigned i = 0; i < n; i++)
            net_view_add_route(q->view, &hops[i]);
    }
}

/* A family that this machine lacks, or a table that nothing was ever put into, is empty. */
static int end_of(const struct nlmsghdr *m)
{
    int code = 0;

    if (mnl_nlmsg_get_payload_len(m) >= sizeof code)
        memcpy(&code, mnl_nlmsg_get_payload(m), sizeof code);
    if (code == 0 || code == -ENOENT || code == -EAFNOSUPPORT || code == -EOPNOTSUPP)
        return 0;
    return -code;
}

/* Reads until the answer ends. */
static int read_answer(struct question *q)
{
    for (;;) {
        ssize_t n = mnl_socket_recvfrom(q->socket, q->buffer, NET_DUMP_BYTES);
        const struct nlmsghdr *m = q->buffer;
        int left = (int)n;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EPROTO;
        for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
            if (m->nlmsg_seq != q->sequence)
                continue;
            if (m->nlmsg_flags & NLM_F_DUMP_INTR)
                q->is_interrupted = true;
            if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
                return end_of(m);
            take(q, m);
            if (++q->messages == NET_DUMP_MESSAGES_MAX)
                return 0;
        }
    }
}

static int read_all(struct question *q)
{
    static const struct {
        uint16_t type;
        uint8_t family;
    } asked[] = {{RTM_GETLINK, AF_UNSPEC},
                 {RTM_GETADDR, AF_UNSPEC},
                 {RTM_GETROUTE, AF_INET6},
                 {RTM_GETROUTE, AF_INET}};

    memset(q->view, 0, sizeof *q->view);
    q->is_interrupted = false;
    for (size_t i = 0; i < OM_ARRAY_SIZE(asked); i++) {
        int e = send_question(q, asked[i].type, asked[i].family);

        if (e == 0)
            e = read_answer(q);
        if (e != 0)
            return e;
    }
    return q->is_interrupted ? EINTR : 0;
}

int netlink_dump(struct net_view *out, void *buffer)
{
    struct question q = {.view = out, .buffer = buffer};
    int e = EINTR, on = 1;

    for (int i = 0; i < TRIES_MAX && e == EINTR; i++) {
        q.socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (!q.socket)
            return errno;
        /* Filters by table in the kernel, which ignores it before 4.20. */
        (void)mnl_socket_setsockopt(q.socket, NETLINK_GET_STRICT_CHK, &on, sizeof on);
        e = mnl_socket_bind(q.socket, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : read_all(&q);
        (void)mnl_socket_close(q.socket);
    }
    return e;
}
