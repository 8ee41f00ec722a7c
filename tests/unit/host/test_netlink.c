/* test_netlink.c - rtnetlink messages made by hand, and the tables they are put into. */
#include "harness.h"

#include <stdalign.h>
#include <stdio.h>

#include <net/if.h>
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "host/netlink_parse.h"

enum { OPER_DOWN = 2, OPER_UP = 6 };

struct message {
    alignas(struct nlmsghdr) char bytes[1024];
};

static void put_ip(struct nlmsghdr *m, uint16_t type, const char *ip)
{
    uint8_t b[16];

    CHECK(om_addr_ip_parse(b, ip));
    if (strchr(ip, ':'))
        mnl_attr_put(m, type, 16, b);
    else
        mnl_attr_put(m, type, 4, b + 12);
}

static struct nlmsghdr *link_of(struct message *to, int index, unsigned flags, uint8_t oper)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(to->bytes);
    struct ifinfomsg *i = mnl_nlmsg_put_extra_header(m, sizeof *i);

    m->nlmsg_type = RTM_NEWLINK;
    i->ifi_index = index;
    i->ifi_flags = flags;
    mnl_attr_put_u32(m, IFLA_MTU, 1420);
    mnl_attr_put_strz(m, IFLA_IFNAME, "wg0");
    mnl_attr_put_u8(m, IFLA_OPERSTATE, oper);
    return m;
}

static struct nlmsghdr *addr_of(struct message *to, const char *ip, uint8_t prefix, uint32_t flags)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(to->bytes);
    struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(m, sizeof *a);

    m->nlmsg_type = RTM_NEWADDR;
    a->ifa_family = strchr(ip, ':') ? AF_INET6 : AF_INET;
    a->ifa_prefixlen = prefix;
    a->ifa_index = 3;
    a->ifa_flags = (uint8_t)flags;
    put_ip(m, IFA_ADDRESS, ip);
    mnl_attr_put_u32(m, IFA_FLAGS, flags);
    return m;
}

static struct nlmsghdr *route_of(struct message *to, uint8_t family, struct rtmsg **out)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(to->bytes);
    struct rtmsg *r = mnl_nlmsg_put_extra_header(m, sizeof *r);

    m->nlmsg_type = RTM_NEWROUTE;
    r->rtm_family = family;
    r->rtm_table = RT_TABLE_MAIN;
    r->rtm_type = RTN_UNICAST;
    *out = r;
    return m;
}

static void put_hop(struct nlmsghdr *m, int index, uint8_t flags, const char *gateway)
{
    const struct rtnexthop hop = {
        .rtnh_len = sizeof hop + 8, .rtnh_flags = flags, .rtnh_ifindex = index};

    memcpy(mnl_nlmsg_get_payload_tail(m), &hop, sizeof hop);
    m->nlmsg_len += (uint32_t)sizeof hop;
    put_ip(m, RTA_GATEWAY, gateway);
}

OM_TEST(netlink_reads_a_link)
{
    struct om_iface f;
    struct message to;

    CHECK(netlink_parse_link(&f, link_of(&to, 3, IFF_UP | IFF_MULTICAST, OPER_UP)));
    CHECK_EQ(f.index, 3);
    CHECK_STR(f.name, "wg0");
    CHECK(f.is_up && f.is_multicast && !f.is_loopback && !f.is_point_to_point);
    CHECK(netlink_parse_link(&f, link_of(&to, 3, IFF_UP | IFF_POINTOPOINT, OPER_DOWN)));
    CHECK(!f.is_up && f.is_point_to_point && !f.is_multicast);
    CHECK(netlink_parse_link(&f, link_of(&to, 3, IFF_LOOPBACK, OPER_UP)));
    CHECK(!f.is_up && f.is_loopback);
    CHECK(netlink_parse_link(&f, link_of(&to, 3, IFF_UP, 0)));
    CHECK(f.is_up);
    CHECK(!netlink_parse_link(&f, link_of(&to, 0, IFF_UP, 0)));
}

OM_TEST(netlink_reads_addresses)
{
    struct nlmsghdr *m;
    struct message to;
    struct net_addr a;
    char text[OM_IP_TEXT];

    CHECK(netlink_parse_addr(&a, addr_of(&to, "192.0.2.1", 24, IFA_F_SECONDARY)));
    CHECK_STR(om_addr_ip_print(a.addr.ip, text), "192.0.2.1");
    CHECK_EQ(a.prefix, 24);
    CHECK_EQ(a.index, 3);
    CHECK(a.is_usable && !a.is_temporary);
    m = addr_of(&to, "192.0.2.1", 32, 0); /* the other side of a point-to-point link */
    put_ip(m, IFA_LOCAL, "192.0.2.2");
    CHECK(netlink_parse_addr(&a, m));
    CHECK_STR(om_addr_ip_print(a.addr.ip, text), "192.0.2.2");
    CHECK(netlink_parse_addr(&a, addr_of(&to, "2001:db8::1", 64, IFA_F_TEMPORARY)));
    CHECK(a.is_usable && a.is_temporary);
    CHECK(netlink_parse_addr(&a, addr_of(&to, "2001:db8::1", 64, IFA_F_PERMANENT)));
    CHECK(a.is_usable && !a.is_temporary);
    CHECK(netlink_parse_addr(&a, addr_of(&to, "2001:db8::1", 64, IFA_F_TENTATIVE)));
    CHECK(!a.is_usable);
    CHECK(netlink_parse_addr(&a, addr_of(&to, "2001:db8::1", 64, IFA_F_DEPRECATED)));
    CHECK(!a.is_usable);
    CHECK(netlink_parse_addr(&a, addr_of(&to, "2001:db8::1", 64, IFA_F_DADFAILED)));
    CHECK(!a.is_usable);
    CHECK(!netlink_parse_addr(&a, addr_of(&to, "192.0.2.1", 33, 0)));
    CHECK(!netlink_parse_addr(&a, addr_of(&to, "2001:db8::1", 129, 0)));
}

OM_TEST(netlink_reads_default_routes)
{
    struct net_route hops[NETLINK_HOPS_MAX];
    struct nlmsghdr *m;
    struct message to;
    struct rtmsg *r;
    struct nlattr *row;
    char text[OM_IP_TEXT];

    m = route_of(&to, AF_INET, &r);
    put_ip(m, RTA_GATEWAY, "192.0.2.254");
    mnl_attr_put_u32(m, RTA_OIF, 3);
    mnl_attr_put_u32(m, RTA_PRIORITY, 600);
    CHECK_EQ(netlink_parse_default(hops, m), 1);
    CHECK(!hops[0].is_v6);
    CHECK_EQ(hops[0].index, 3);
    CHECK_EQ(hops[0].metric, 600);
    CHECK_STR(om_addr_ip_print(hops[0].gateway, text), "192.0.2.254");
    CHECK(netlink_parse_matters(m));
    r->rtm_flags = RTNH_F_LINKDOWN;
    CHECK_EQ(netlink_parse_default(hops, m), 0);
    r->rtm_flags = RTM_F_CLONED;
    CHECK_EQ(netlink_parse_default(hops, m), 0);
    r->rtm_flags = 0;
    r->rtm_type = RTN_UNREACHABLE;
    CHECK_EQ(netlink_parse_default(hops, m), 0);
    r->rtm_type = RTN_UNICAST;
    r->rtm_table = RT_TABLE_LOCAL;
    CHECK_EQ(netlink_parse_default(hops, m), 0);
    r->rtm_table = RT_TABLE_MAIN;
    r->rtm_dst_len = 8;
    CHECK_EQ(netlink_parse_default(hops, m), 0);
    CHECK(!netlink_parse_matters(m));
    r->rtm_dst_len = 0;
    mnl_attr_put_u32(m, RTA_TABLE, 51820); /* goes before the byte in struct rtmsg */
    CHECK_EQ(netlink_parse_default(hops, m), 0);

    m = route_of(&to, AF_INET, &r);
    row = mnl_attr_nest_start(m, RTA_MULTIPATH);
    put_hop(m, 4, 0, "192.0.2.1");
    put_hop(m, 5, RTNH_F_DEAD, "192.0.2.2");
    put_hop(m, 6, 0, "192.0.2.3");
    mnl_attr_nest_end(m, row);
    CHECK_EQ(netlink_parse_default(hops, m), 2);
    CHECK_EQ(hops[0].index, 4);
    CHECK_EQ(hops[1].index, 6);
    CHECK_STR(om_addr_ip_print(hops[1].gateway, text), "192.0.2.3");
}

OM_TEST(netlink_refuses_short_messages)
{
    struct net_route hops[NETLINK_HOPS_MAX];
    struct message to = {{0}};
    struct nlmsghdr *m = mnl_nlmsg_put_header(to.bytes);
    struct om_iface f;
    struct net_addr a;
    uint32_t whole;

    m->nlmsg_type = RTM_NEWROUTE;
    CHECK(!netlink_parse_link(&f, m));
    CHECK(!netlink_parse_addr(&a, m));
    CHECK_EQ(netlink_parse_default(hops, m), 0);
    CHECK(!netlink_parse_matters(m));
    m = link_of(&to, 3, IFF_UP, OPER_UP);
    whole = m->nlmsg_len;
    CHECK(netlink_parse_link(&f, m));
    m->nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)) + 10; /* the name is cut off */
    CHECK(m->nlmsg_len < whole);
    CHECK(!netlink_parse_link(&f, m));
    m = addr_of(&to, "2001:db8::1", 64, 0);
    m->nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)) + 8;
    CHECK(!netlink_parse_addr(&a, m));
}

static void add_iface(struct net_view *v, unsigned index)
{
    struct om_iface f = {.index = index};

    net_view_add_iface(v, &f);
}

static void add_addr(struct net_view *v, unsigned index, const char *ip, bool is_temporary)
{
    struct net_addr a = {
        .index = index, .prefix = 24, .is_usable = true, .is_temporary = is_temporary};

    CHECK(om_addr_ip_parse(a.addr.ip, ip));
    net_view_add_addr(v, &a);
}

OM_TEST(net_view_keeps_the_lowest_indices)
{
    static struct net_view v;
    struct om_iface again = {.index = 5, .is_up = true};

    memset(&v, 0, sizeof v);
    for (unsigned i = 100; i > 0; i--)
        add_iface(&v, i);
    for (unsigned i = 101; i < 200; i++)
        add_iface(&v, i);
    CHECK_EQ(v.iface_count, OM_IFACES_MAX);
    for (unsigned i = 0; i < OM_IFACES_MAX; i++)
        CHECK_EQ(v.ifaces[i].index, i + 1);
    net_view_add_iface(&v, &again);
    CHECK_EQ(v.iface_count, OM_IFACES_MAX);
    CHECK(v.ifaces[4].is_up && !v.ifaces[5].is_up);
}

OM_TEST(net_view_sorts_addresses_temporary_last)
{
    static struct net_view v;
    static const char *const wanted[] = {"192.0.2.1",   "192.0.2.2",   "2001:db8::1",
                                         "2001:db8::9", "2001:db8::2", "2001:db8::3"};
    struct net_addr bad = {.index = 3};
    char text[OM_IP_TEXT];

    memset(&v, 0, sizeof v);
    add_iface(&v, 3);
    net_view_add_addr(&v, &bad);
    add_addr(&v, 4, "192.0.2.1", false); /* of an interface not kept */
    CHECK_EQ(v.ifaces[0].addr_count, 0);
    add_addr(&v, 3, "2001:db8::3", true);
    add_addr(&v, 3, "2001:db8::9", false);
    add_addr(&v, 3, "192.0.2.2", false);
    add_addr(&v, 3, "2001:db8::2", true);
    add_addr(&v, 3, "192.0.2.1", false);
    add_addr(&v, 3, "2001:db8::1", false);
    add_addr(&v, 3, "2001:db8::1", false);
    CHECK_EQ(v.ifaces[0].addr_count, OM_ARRAY_SIZE(wanted));
    CHECK_EQ(v.ifaces[0].temporary_count, 2);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(wanted); i++)
        CHECK_STR(om_addr_ip_print(v.ifaces[0].addrs[i].ip, text), wanted[i]);
    for (unsigned i = 1; i <= 15; i++) {
        snprintf(text, sizeof text, "198.51.100.%u", i);
        add_addr(&v, 3, text, false);
    }
    CHECK_EQ(v.ifaces[0].addr_count, OM_IFACE_ADDRS_MAX);
    CHECK_EQ(v.ifaces[0].temporary_count, 0);
    CHECK_STR(om_addr_ip_print(v.ifaces[0].addrs[15].ip, text), "198.51.100.14");
    add_addr(&v, 3, "2001:db8::5", true);
    CHECK_EQ(v.ifaces[0].temporary_count, 0);
}

OM_TEST(net_view_tells_differences_apart)
{
    static struct net_view a, b;
    struct net_route r = {.is_v6 = true, .index = 3};

    memset(&a, 0, sizeof a);
    add_iface(&a, 1);
    add_iface(&a, 3);
    add_addr(&a, 3, "192.0.2.1", false);
    net_view_add_route(&a, &r);
    b = a;
    CHECK_EQ(net_view_diff(&a, &b), 0);
    add_iface(&b, 2);
    CHECK_EQ(net_view_diff(&a, &b), OM_NET_IFACES);
    CHECK_EQ(net_view_diff(&b, &a), OM_NET_IFACES);
    b = a;
    b.iface_count = 1;
    CHECK_EQ(net_view_diff(&a, &b), OM_NET_IFACES | OM_NET_ADDRS);
    CHECK_EQ(net_view_diff(&b, &a), OM_NET_IFACES | OM_NET_ADDRS);
    b = a;
    b.ifaces[0].is_up = true;
    CHECK_EQ(net_view_diff(&a, &b), OM_NET_IFACES);
    b = a;
    b.ifaces[1].prefix[0] = 25;
    CHECK_EQ(net_view_diff(&a, &b), OM_NET_ADDRS);
    b = a;
    b.routes[0].gateway[15] = 1;
    CHECK_EQ(net_view_diff(&a, &b), OM_NET_ROUTES);
    b = a;
    net_view_add_route(&b, &r); /* once */
    CHECK_EQ(net_view_diff(&a, &b), 0);
    for (unsigned i = 2 * NET_ROUTES_MAX; i > 0; i--) {
        r.metric = i;
        net_view_add_route(&b, &r);
    }
    CHECK_EQ(b.route_count, NET_ROUTES_MAX);
    CHECK_EQ(b.routes[NET_ROUTES_MAX - 1].metric, NET_ROUTES_MAX - 1);
}
