/* netlink.c - dumps of rtnetlink. */
#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DUMP_BYTES = 32768, DUMP_TRIES = 4 };

/* libmnl's own loop converts a long to an int without saying so. */
static bool is_attr(const struct nlattr *a, const struct nlmsghdr *h)
{
    const char *tail = mnl_nlmsg_get_payload_tail(h);

    return mnl_attr_ok(a, (int)(tail - (const char *)a));
}

#define EACH_ATTR(a, h, payload)                                                                   \
    (a) = mnl_nlmsg_get_payload_offset(h, sizeof(payload));                                        \
    is_attr(a, h);                                                                                 \
    (a) = mnl_attr_next(a)

static struct om_iface *find(struct om_net_snapshot *s, unsigned index)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->ifaces[i].index == index)
            return &s->ifaces[i];
    return NULL;
}

static void on_link(struct om_net_snapshot *s, const struct nlmsghdr *h)
{
    const struct ifinfomsg *m = mnl_nlmsg_get_payload(h);
    const struct nlattr *a;

    if (s->count == OM_IFACES_MAX || m->ifi_index <= 0 || find(s, (unsigned)m->ifi_index))
        return;
    struct om_iface *f = &s->ifaces[s->count++];
    *f = (struct om_iface){.index = (unsigned)m->ifi_index,
                           .is_up = (m->ifi_flags & IFF_UP) && (m->ifi_flags & IFF_RUNNING),
                           .is_loopback = (m->ifi_flags & IFF_LOOPBACK) != 0,
                           .is_multicast = (m->ifi_flags & IFF_MULTICAST) != 0,
                           .is_point_to_point = (m->ifi_flags & IFF_POINTOPOINT) != 0};
    for (EACH_ATTR(a, h, *m)) {
        if (mnl_attr_get_type(a) == IFLA_IFNAME && mnl_attr_validate(a, MNL_TYPE_STRING) >= 0)
            strncpy(f->name, mnl_attr_get_str(a), sizeof f->name - 1);
        if (mnl_attr_get_type(a) == IFLA_MTU && mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
            f->mtu = mnl_attr_get_u32(a);
    }
}

static void on_addr(struct om_net_snapshot *s, const struct nlmsghdr *h)
{
    const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
    struct om_iface *f = find(s, m->ifa_index);
    const struct nlattr *a;
    struct om_addr addr = {.port = 0};
    uint32_t flags = m->ifa_flags;
    bool is_there = false;

    for (EACH_ATTR(a, h, *m)) {
        uint16_t type = mnl_attr_get_type(a);
        uint16_t n = mnl_attr_get_payload_len(a);
        /* IFA_LOCAL is ours; IFA_ADDRESS is the other end of a point-to-point link. */
        if (m->ifa_family == AF_INET && n == 4 &&
            (type == IFA_LOCAL || (type == IFA_ADDRESS && !is_there))) {
            uint32_t ip;
            memcpy(&ip, mnl_attr_get_payload(a), sizeof ip);
            addr = om_addr_v4(__builtin_bswap32(ip), 0);
            is_there = true;
        }
        if (m->ifa_family == AF_INET6 && n == 16 &&
            (type == IFA_LOCAL || (type == IFA_ADDRESS && !is_there))) {
            memcpy(addr.ip, mnl_attr_get_payload(a), sizeof addr.ip);
            is_there = true;
        }
        if (type == IFA_FLAGS && n == sizeof flags)
            flags = mnl_attr_get_u32(a);
    }
    if (f && is_there && f->addr_count < OM_IFACE_ADDRS_MAX &&
        !(flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED)))
        f->addrs[f->addr_count++] = addr;
}

static void on_route(struct om_net_snapshot *s, const struct nlmsghdr *h)
{
    const struct rtmsg *m = mnl_nlmsg_get_payload(h);
    const struct nlattr *a;
    bool leads_out = false;

    for (EACH_ATTR(a, h, *m))
        leads_out |= mnl_attr_get_type(a) == RTA_OIF || mnl_attr_get_type(a) == RTA_GATEWAY ||
                     mnl_attr_get_type(a) == RTA_MULTIPATH;
    if (m->rtm_dst_len == 0 && m->rtm_table == RT_TABLE_MAIN && m->rtm_type == RTN_UNICAST &&
        leads_out)
        s->has_default[m->rtm_family == AF_INET6] = true;
}

void om_net_message(struct om_net_snapshot *s, const struct nlmsghdr *h)
{
    static const struct {
        uint16_t type;
        size_t least;
        void (*read)(struct om_net_snapshot *s, const struct nlmsghdr *h);
    } kinds[] = {{RTM_NEWLINK, sizeof(struct ifinfomsg), on_link},
                 {RTM_NEWADDR, sizeof(struct ifaddrmsg), on_addr},
                 {RTM_NEWROUTE, sizeof(struct rtmsg), on_route}};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(kinds); i++)
        if (h->nlmsg_type == kinds[i].type && mnl_nlmsg_get_payload_len(h) >= kinds[i].least)
            kinds[i].read(s, h);
}

static int on_message(const struct nlmsghdr *h, void *self)
{
    om_net_message(self, h);
    return MNL_CB_OK;
}

static bool dump_one(struct mnl_socket *nl, struct om_net_snapshot *s, uint16_t type, char *buf)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

    h->nlmsg_type = type;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    h->nlmsg_seq = type;
    struct rtgenmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->rtgen_family = AF_UNSPEC;
    if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
        return false;
    for (;;) {
        ssize_t n = mnl_socket_recvfrom(nl, buf, DUMP_BYTES);
        if (n < 0)
            return false;
        int verdict = mnl_cb_run(buf, (size_t)n, type, mnl_socket_get_portid(nl), on_message, s);
        if (verdict != MNL_CB_OK)
            return verdict == MNL_CB_STOP;
    }
}

static int by_index(const void *a, const void *b)
{
    const struct om_iface *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static bool dump_all(struct mnl_socket *nl, struct om_net_snapshot *s, char *buf)
{
    memset(s, 0, sizeof *s); /* om_net_diff() compares bytes */
    if (!dump_one(nl, s, RTM_GETLINK, buf) || !dump_one(nl, s, RTM_GETADDR, buf) ||
        !dump_one(nl, s, RTM_GETROUTE, buf))
        return false;
    qsort(s->ifaces, s->count, sizeof *s->ifaces, by_index);
    return true;
}

bool om_net_dump(struct om_net_snapshot *s)
{
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    char *buf = malloc(DUMP_BYTES);
    bool is_done = false;

    if (nl && buf && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
        /* EINTR: something changed while it was being told; from the start, then. */
        for (int i = 0; i < DUMP_TRIES && !is_done; i++) {
            is_done = dump_all(nl, s, buf);
            if (!is_done && errno != EINTR)
                break;
        }
    int e = errno;
    free(buf);
    if (nl)
        (void)mnl_socket_close(nl);
    errno = e;
    return is_done;
}

unsigned om_net_diff(const struct om_net_snapshot *a, const struct om_net_snapshot *b)
{
    unsigned what = 0;

    if (memcmp(a->has_default, b->has_default, sizeof a->has_default) != 0)
        what |= OM_NET_ROUTES;
    if (a->count != b->count)
        what |= OM_NET_IFACES;
    for (unsigned i = 0; i < a->count && i < b->count; i++) {
        struct om_iface x = a->ifaces[i], y = b->ifaces[i];
        if (x.addr_count != y.addr_count || memcmp(x.addrs, y.addrs, sizeof x.addrs) != 0)
            what |= OM_NET_ADDRS;
        if (x.index != y.index || x.mtu != y.mtu || x.is_up != y.is_up ||
            strcmp(x.name, y.name) != 0)
            what |= OM_NET_IFACES;
    }
    return what;
}
