/* netlink_parse.c - attributes into tables of pointers, then into our structs. */
#include "netlink_parse.h"

#include <string.h>

#include <net/if.h>
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

enum { TYPES_MAX = 64, OPER_UNKNOWN = 0, OPER_UP = 6 }; /* RFC 2863, less one: linux/if.h */

/* The last attribute of each type. */
struct attrs {
    const struct nlattr *of[TYPES_MAX];
};

static int on_attr(const struct nlattr *a, void *self)
{
    struct attrs *t = self;
    uint16_t type = mnl_attr_get_type(a);

    if (type < TYPES_MAX)
        t->of[type] = a;
    return MNL_CB_OK;
}

/* The fixed part of @m, @size bytes, with @t filled from what follows; NULL when too short. */
static const void *read_message(struct attrs *t, const struct nlmsghdr *m, size_t size)
{
    const size_t fixed = (size + 3) & ~(size_t)3; /* MNL_ALIGN() mixes signs */

    *t = (struct attrs){0};
    if (mnl_nlmsg_get_payload_len(m) < fixed)
        return NULL;
    /* mnl_attr_parse() would take padding that may not be there for a part of the message. */
    (void)mnl_attr_parse_payload(mnl_nlmsg_get_payload_offset(m, fixed),
                                 mnl_nlmsg_get_payload_len(m) - fixed, on_attr, t);
    return mnl_nlmsg_get_payload(m);
}

static bool has(const struct attrs *t, unsigned type, size_t size)
{
    return t->of[type] && mnl_attr_get_payload_len(t->of[type]) >= size;
}

static uint32_t u32_of(const struct attrs *t, unsigned type, uint32_t otherwise)
{
    return has(t, type, 4) ? mnl_attr_get_u32(t->of[type]) : otherwise;
}

static bool read_ip(uint8_t ip[static 16], const void *p, size_t n, int family)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (family == AF_INET && n >= 4) {
        memcpy(ip, mapped, 12);
        memcpy(ip + 12, p, 4);
        return true;
    }
    if (family != AF_INET6 || n < 16)
        return false;
    memcpy(ip, p, 16);
    return true;
}

static bool ip_of(uint8_t ip[static 16], const struct attrs *t, unsigned type, int family)
{
    return t->of[type] && read_ip(ip, mnl_attr_get_payload(t->of[type]),
                                  mnl_attr_get_payload_len(t->of[type]), family);
}

bool netlink_parse_link(struct om_iface *out, const struct nlmsghdr *m)
{
    struct attrs t;
    const struct ifinfomsg *i = read_message(&t, m, sizeof *i);
    unsigned oper = OPER_UNKNOWN;

    if (!i || i->ifi_index <= 0 || !has(&t, IFLA_IFNAME, 1))
        return false;
    *out = (struct om_iface){
        .index = (unsigned)i->ifi_index,
        .is_loopback = (i->ifi_flags & IFF_LOOPBACK) != 0,
        .is_multicast = (i->ifi_flags & IFF_MULTICAST) != 0,
        .is_point_to_point = (i->ifi_flags & IFF_POINTOPOINT) != 0,
    };
    size_t n = mnl_attr_get_payload_len(t.of[IFLA_IFNAME]);
    memcpy(out->name, mnl_attr_get_payload(t.of[IFLA_IFNAME]),
           n < OM_IFACE_NAME ? n : OM_IFACE_NAME - 1);
    if (has(&t, IFLA_OPERSTATE, 1))
        oper = mnl_attr_get_u8(t.of[IFLA_OPERSTATE]);
    out->is_up = (i->ifi_flags & IFF_UP) && (oper == OPER_UP || oper == OPER_UNKNOWN);
    return true;
}

bool netlink_parse_addr(struct net_addr *out, const struct nlmsghdr *m)
{
    struct attrs t;
    const struct ifaddrmsg *a = read_message(&t, m, sizeof *a);
    const uint32_t bad = IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED;
    struct net_addr r = {0};
    uint32_t flags;

    if (!a || a->ifa_prefixlen > (a->ifa_family == AF_INET ? 32 : 128))
        return false;
    /* On a point-to-point link IFA_ADDRESS is that of the other side. */
    if (!ip_of(r.addr.ip, &t, IFA_LOCAL, a->ifa_family) &&
        !ip_of(r.addr.ip, &t, IFA_ADDRESS, a->ifa_family))
        return false;
    flags = u32_of(&t, IFA_FLAGS, a->ifa_flags);
    r.index = a->ifa_index;
    r.prefix = a->ifa_prefixlen;
    r.is_usable = a->ifa_family == AF_INET || !(flags & bad);
    /* For IPv4 the same bit means "secondary". */
    r.is_temporary = a->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY);
    *out = r;
    return true;
}

static bool is_dead(unsigned flags)
{
    return (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0;
}

static void read_gateway(struct net_route *r, const struct attrs *t, int family)
{
    const struct rtvia *via;

    if (ip_of(r->gateway, t, RTA_GATEWAY, family) || !has(t, RTA_VIA, sizeof *via))
        return;
    via = mnl_attr_get_payload(t->of[RTA_VIA]);
    (void)read_ip(r->gateway, via->rtvia_addr,
                  mnl_attr_get_payload_len(t->of[RTA_VIA]) - sizeof *via, via->rtvia_family);
}

/* Several next hops: a row of struct rtnexthop, each followed by attributes of its own. */
static unsigned read_hops(struct net_route out[static NETLINK_HOPS_MAX], const struct net_route *r,
                          const struct nlattr *row, int family)
{
    const uint8_t *p = mnl_attr_get_payload(row);
    size_t left = mnl_attr_get_payload_len(row);
    unsigned count = 0;

    while (count < NETLINK_HOPS_MAX && left >= sizeof(struct rtnexthop)) {
        struct rtnexthop hop;
        struct attrs t = {0};
        size_t step;

        memcpy(&hop, p, sizeof hop);
        if (hop.rtnh_len < sizeof hop || hop.rtnh_len > left)
            break;
        (void)mnl_attr_parse_payload(p + sizeof hop, hop.rtnh_len - sizeof hop, on_attr, &t);
        if (!is_dead(hop.rtnh_flags)) {
            out[count] = *r;
            out[count].index = (uint32_t)hop.rtnh_ifindex;
            read_gateway(&out[count], &t, family);
            count++;
        }
        step = (hop.rtnh_len + (size_t)RTNH_ALIGNTO - 1) & ~((size_t)RTNH_ALIGNTO - 1);
        if (step > left)
            break;
        p += step;
        left -= step;
    }
    return count;
}

unsigned netlink_parse_default(struct net_route out[static NETLINK_HOPS_MAX],
                               const struct nlmsghdr *m)
{
    struct attrs t;
    const struct rtmsg *r = read_message(&t, m, sizeof *r);

    if (!r || r->rtm_dst_len != 0 || r->rtm_src_len != 0 || r->rtm_type != RTN_UNICAST ||
        (r->rtm_flags & RTM_F_CLONED) || (r->rtm_family != AF_INET && r->rtm_family != AF_INET6) ||
        u32_of(&t, RTA_TABLE, r->rtm_table) != RT_TABLE_MAIN)
        return 0;
    out[0] = (struct net_route){
        .is_v6 = r->rtm_family == AF_INET6,
        .metric = u32_of(&t, RTA_PRIORITY, 0),
        .index = u32_of(&t, RTA_OIF, 0),
    };
    if (t.of[RTA_MULTIPATH]) {
        const struct net_route all = out[0];

        return read_hops(out, &all, t.of[RTA_MULTIPATH], r->rtm_family);
    }
    read_gateway(&out[0], &t, r->rtm_family);
    return is_dead(r->rtm_flags) ? 0 : 1;
}

bool netlink_parse_matters(const struct nlmsghdr *m)
{
    const struct rtmsg *r;

    switch (m->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return true;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        r = mnl_nlmsg_get_payload(m);
        return mnl_nlmsg_get_payload_len(m) >= sizeof *r && r->rtm_dst_len == 0;
    default:
        return false;
    }
}
