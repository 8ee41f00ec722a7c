/* test_netwatch.c - interfaces that really come and go, in a namespace of our own. */
#include "harness.h"

#include <stdalign.h>

#include <net/if.h>
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "host/netwatch.h"

#include "netns.h"

enum { DEADLINE_MS = 20000, SETTLE_MS = 30 };

struct rig {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool is_late;
    struct om_netwatch *w;
    unsigned reports;
    unsigned what; /* all bits since the last look */
    bool close_in_report;
};

static void on_deadline(uv_timer_t *t)
{
    struct rig *r = t->data;

    r->is_late = true;
}

static void on_change(void *self, unsigned what)
{
    struct rig *r = self;

    r->reports++;
    r->what |= what;
    if (r->close_in_report) {
        om_netwatch_close(r->w);
        r->w = NULL;
    }
}

static void rig_close(struct rig *r)
{
    om_netwatch_close(r->w);
    r->w = NULL;
    uv_close((uv_handle_t *)&r->deadline, NULL);
    CHECK_EQ(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&r->loop), 0);
}

/* False when there was no memory: nothing to close then. Skips where there are no namespaces. */
static bool rig_open(struct rig *r)
{
    const char *why = netns_enter();
    struct om_error err = {0};

    if (why) {
        print_message("skipped: %s\n", why);
        skip();
    }
    *r = (struct rig){0};
    CHECK_EQ(uv_loop_init(&r->loop), 0);
    CHECK_EQ(uv_timer_init(&r->loop, &r->deadline), 0);
    r->deadline.data = r;
    CHECK_EQ(uv_timer_start(&r->deadline, on_deadline, DEADLINE_MS, 0), 0);
    uv_unref((uv_handle_t *)&r->deadline);
    struct om_netwatch_config c = {
        .loop = &r->loop, .settle = OM_MS(SETTLE_MS), .on_change = on_change, .self = r};
    if (om_netwatch_open(&r->w, &c, &err) == OM_OK)
        return true;
    CHECK_ERR(err.code, OM_E_NO_MEM);
    r->w = NULL;
    rig_close(r);
    return false;
}

/* Run until @what was reported, and look at it: it is forgotten then. */
static void wait_for(struct rig *r, unsigned what)
{
    while ((r->what & what) != what && !r->is_late)
        (void)uv_run(&r->loop, UV_RUN_ONCE);
    if (r->is_late)
        fail_msg("want change %u, got %u", what, r->what);
    r->what &= ~what;
}

static const struct om_iface *find(const struct rig *r, const char *name)
{
    unsigned n;
    const struct om_iface *f = om_netwatch_ifaces(r->w, &n);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return &f[i];
    return NULL;
}

/* Which of the addresses of @name @ip is; -1 for none. */
static int place_of(const struct rig *r, const char *name, const char *ip)
{
    const struct om_iface *f = find(r, name);
    uint8_t b[16];

    CHECK(om_addr_ip_parse(b, ip));
    for (unsigned i = 0; f && i < f->addr_count; i++)
        if (memcmp(f->addrs[i].ip, b, 16) == 0)
            return (int)i;
    return -1;
}

OM_TEST(netwatch_sees_what_is_there)
{
    const struct om_iface *f;
    struct rig r;
    unsigned n;

    OM_TRY(rig_open(&r));
    f = om_netwatch_ifaces(r.w, &n);
    CHECK_EQ(n, 3);
    CHECK(f[0].index < f[1].index && f[1].index < f[2].index);
    f = find(&r, "lo");
    CHECK(f && f->is_up && f->is_loopback && !f->is_multicast && !f->is_point_to_point);
    CHECK_EQ(f->index, if_nametoindex("lo"));
    CHECK_EQ(place_of(&r, "lo", "127.0.0.1"), 0);
    CHECK_EQ(f->prefix[0], 8);
    CHECK_EQ(place_of(&r, "lo", "::1"), 1);
    CHECK_EQ(f->prefix[1], 128);
    f = find(&r, "va");
    CHECK(f && !f->is_up && !f->is_loopback && f->is_multicast);
    CHECK_EQ(f->addr_count, 0);
    CHECK(!om_netwatch_has_default(r.w, false));
    CHECK(!om_netwatch_has_default(r.w, true));
    CHECK_EQ(r.reports, 0);
    rig_close(&r);
out:
    return;
}

OM_TEST(netwatch_address_comes_and_goes)
{
    struct rig r;

    OM_TRY(rig_open(&r));
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va"));
    wait_for(&r, OM_NET_ADDRS);
    CHECK_EQ(place_of(&r, "va", "192.0.2.1"), 0);
    CHECK_EQ(find(&r, "va")->prefix[0], 24);
    CHECK(netns_ip("addr add 192.0.2.7 peer 192.0.2.8/32 dev lo"));
    wait_for(&r, OM_NET_ADDRS);
    CHECK(place_of(&r, "lo", "192.0.2.7") >= 0);
    CHECK(place_of(&r, "lo", "192.0.2.8") < 0);
    CHECK(netns_ip("addr del 192.0.2.1/24 dev va"));
    wait_for(&r, OM_NET_ADDRS);
    CHECK(place_of(&r, "va", "192.0.2.1") < 0);
    CHECK(netns_ip("addr add 2001:db8::1/64 dev lo nodad"));
    wait_for(&r, OM_NET_ADDRS);
    CHECK(place_of(&r, "lo", "2001:db8::1") >= 0);
    CHECK(netns_ip("addr change 2001:db8::1/64 dev lo nodad preferred_lft 0"));
    wait_for(&r, OM_NET_ADDRS); /* deprecated is as good as gone */
    CHECK(place_of(&r, "lo", "2001:db8::1") < 0);
    rig_close(&r);
out:
    return;
}

OM_TEST(netwatch_link_goes_down_and_up)
{
    struct rig r;

    OM_TRY(rig_open(&r));
    CHECK(netns_ip("link set va up"));
    CHECK(netns_ip("link set vb up"));
    wait_for(&r, OM_NET_IFACES);
    while (!(find(&r, "va")->is_up && find(&r, "vb")->is_up) && !r.is_late)
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    r.what = 0;
    CHECK(netns_ip("link set vb down")); /* va loses its carrier */
    wait_for(&r, OM_NET_IFACES);
    while (find(&r, "va")->is_up && !r.is_late)
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    CHECK(!find(&r, "va")->is_up);
    CHECK(!find(&r, "vb")->is_up);
    r.what = 0;
    CHECK(netns_ip("link set vb up"));
    wait_for(&r, OM_NET_IFACES);
    while (!find(&r, "va")->is_up && !r.is_late)
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    CHECK(find(&r, "va")->is_up);
    r.what = 0;
    CHECK(netns_ip("link del va"));
    while (find(&r, "vb") && !r.is_late)
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    CHECK(!find(&r, "va") && !find(&r, "vb") && find(&r, "lo"));
    CHECK(r.what & OM_NET_IFACES);
    CHECK(!r.is_late);
    rig_close(&r);
out:
    return;
}

OM_TEST(netwatch_default_route_comes_and_goes)
{
    struct rig r;

    OM_TRY(rig_open(&r));
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va"));
    CHECK(netns_ip("link set va up"));
    CHECK(netns_ip("link set vb up"));
    CHECK(netns_ip("route add default via 192.0.2.254"));
    wait_for(&r, OM_NET_ROUTES);
    CHECK(om_netwatch_has_default(r.w, false));
    CHECK(!om_netwatch_has_default(r.w, true));
    CHECK(netns_ip("route change default via 192.0.2.253"));
    wait_for(&r, OM_NET_ROUTES);
    CHECK(om_netwatch_has_default(r.w, false));
    CHECK(netns_ip("route del default"));
    wait_for(&r, OM_NET_ROUTES);
    CHECK(!om_netwatch_has_default(r.w, false));
    CHECK(netns_ip("-6 route add default dev va"));
    wait_for(&r, OM_NET_ROUTES);
    CHECK(om_netwatch_has_default(r.w, true));
    CHECK(netns_ip("route add default via 192.0.2.254"));
    wait_for(&r, OM_NET_ROUTES);
    /* The kernel does not say that an IPv4 route goes with its link. */
    CHECK(netns_ip("link set va down"));
    wait_for(&r, OM_NET_ROUTES);
    while ((om_netwatch_has_default(r.w, false) || om_netwatch_has_default(r.w, true)) &&
           !r.is_late)
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    CHECK(!r.is_late);
    rig_close(&r);
out:
    return;
}

/* Make 127.0.HIGH.LOW an address of lo, or no longer. */
static void change_address(struct mnl_socket *s, bool is_new, unsigned high, unsigned low)
{
    alignas(struct nlmsghdr) char buffer[256];
    struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
    struct ifaddrmsg *a;

    m->nlmsg_type = is_new ? RTM_NEWADDR : RTM_DELADDR;
    m->nlmsg_flags = NLM_F_REQUEST | (is_new ? NLM_F_CREATE : 0);
    a = mnl_nlmsg_put_extra_header(m, sizeof *a);
    a->ifa_family = AF_INET;
    a->ifa_prefixlen = 32;
    a->ifa_index = if_nametoindex("lo");
    mnl_attr_put_u32(m, IFA_LOCAL, htonl(0x7f000000 | high << 8 | low));
    CHECK(mnl_socket_sendto(s, m, m->nlmsg_len) == (ssize_t)m->nlmsg_len);
}

static struct mnl_socket *open_socket(void)
{
    struct mnl_socket *s = mnl_socket_open(NETLINK_ROUTE);

    CHECK(s != NULL);
    CHECK_EQ(mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID), 0);
    return s;
}

OM_TEST(netwatch_reports_a_burst_once)
{
    struct om_netwatch_info i;
    struct mnl_socket *s;
    struct rig r;

    OM_TRY(rig_open(&r));
    s = open_socket();
    for (unsigned n = 1; n <= 50; n++)
        change_address(s, true, 1, n);
    CHECK(netns_ip("link set va multicast off"));
    wait_for(&r, OM_NET_ADDRS | OM_NET_IFACES);
    CHECK(!find(&r, "va")->is_multicast);
    CHECK_EQ(find(&r, "lo")->addr_count, OM_IFACE_ADDRS_MAX);
    CHECK(r.reports <= 2);
    om_netwatch_info(r.w, &i);
    CHECK(i.news >= 50);
    CHECK_EQ(i.reports, r.reports);
    mnl_socket_close(s);
    rig_close(&r);
out:
    return;
}

OM_TEST(netwatch_reports_only_differences)
{
    struct om_netwatch_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va"));
    CHECK(netns_ip("addr del 192.0.2.1/24 dev va"));
    do {
        (void)uv_run(&r.loop, UV_RUN_ONCE);
        om_netwatch_info(r.w, &i);
    } while (i.readings == 0 && !r.is_late);
    CHECK(i.news >= 2);
    CHECK_EQ(r.reports, 0);
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va")); /* the same, left in place, is told */
    wait_for(&r, OM_NET_ADDRS);
    CHECK_EQ(r.reports, 1);
    rig_close(&r);
out:
    return;
}

OM_TEST(netwatch_recovers_lost_events)
{
    struct om_netwatch_info i;
    struct mnl_socket *s;
    struct rig r;

    OM_TRY(rig_open(&r));
    s = open_socket();
    for (unsigned n = 0; n < 2000; n++)
        change_address(s, n % 2 == 0, 2, 1);
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va")); /* nobody hears of it */
    wait_for(&r, OM_NET_ADDRS);
    om_netwatch_info(r.w, &i);
    CHECK(i.overruns >= 1);
    CHECK_EQ(place_of(&r, "va", "192.0.2.1"), 0);
    CHECK(netns_ip("addr del 192.0.2.1/24 dev va")); /* and it goes on */
    wait_for(&r, OM_NET_ADDRS);
    CHECK(place_of(&r, "va", "192.0.2.1") < 0);
    mnl_socket_close(s);
    rig_close(&r);
out:
    return;
}

OM_TEST(netwatch_may_be_closed_in_its_report)
{
    struct rig r;

    om_netwatch_close(NULL);
    OM_TRY(rig_open(&r));
    r.close_in_report = true;
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va"));
    wait_for(&r, OM_NET_ADDRS);
    CHECK_EQ(r.reports, 1);
    CHECK(r.w == NULL);
    rig_close(&r);
out:
    return;
}
