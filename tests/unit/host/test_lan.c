/* test_lan.c - multicast over a pair of interfaces, in a namespace of our own. */
#include "harness.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "host/lan.h"

#include "netns.h"

enum { DEADLINE_MS = 20000, PORT = 7788, HEARD_MAX = 512 };

#define GROUP "239.77.0.1"
#define OTHER "239.77.0.2"

struct rig {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool is_late;
    struct om_lan *l;
    unsigned batches, widest, count;
    uint8_t heard[HEARD_MAX]; /* the first byte of each, in order */
    struct om_via via;        /* of the last */
    size_t len;
    bool is_multicast;
    bool leave_in_batch, close_in_batch;
    struct om_iface va, vb;
};

static void on_deadline(uv_timer_t *t)
{
    struct rig *r = t->data;

    r->is_late = true;
}

static void on_batch(void *self, struct om_dgram *batch, unsigned count)
{
    struct rig *r = self;

    r->batches++;
    r->widest = count > r->widest ? count : r->widest;
    for (unsigned i = 0; i < count; i++) {
        if (r->count < HEARD_MAX)
            r->heard[r->count] = batch[i].len > 0 ? batch[i].data[0] : 0;
        r->count++;
        r->via = batch[i].via;
        r->len = batch[i].len;
        r->is_multicast = batch[i].is_multicast;
    }
    if (r->leave_in_batch)
        om_lan_join(r->l, NULL, 0, NULL, 0);
    if (r->close_in_batch) {
        om_lan_close(r->l);
        r->l = NULL;
    }
}

static void rig_close(struct rig *r)
{
    om_lan_close(r->l);
    uv_close((uv_handle_t *)&r->deadline, NULL);
    CHECK_EQ(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&r->loop), 0);
}

static struct om_iface iface_of(const char *name)
{
    return (struct om_iface){.index = if_nametoindex(name)};
}

/* False when there was no memory: nothing to close then. Skips where there are no namespaces. */
static bool rig_open(struct rig *r)
{
    const char *why = netns_enter();

    if (why) {
        print_message("skipped: %s\n", why);
        skip();
    }
    CHECK(netns_ip("addr add 192.0.2.1/24 dev va"));
    CHECK(netns_ip("addr add 198.51.100.1/24 dev vb"));
    CHECK(netns_ip("link set va up"));
    CHECK(netns_ip("link set vb up"));
    *r = (struct rig){.va = iface_of("va"), .vb = iface_of("vb")};
    CHECK_EQ(uv_loop_init(&r->loop), 0);
    CHECK_EQ(uv_timer_init(&r->loop, &r->deadline), 0);
    r->deadline.data = r;
    CHECK_EQ(uv_timer_start(&r->deadline, on_deadline, DEADLINE_MS, 0), 0);
    uv_unref((uv_handle_t *)&r->deadline);
    struct om_lan_config c = {.loop = &r->loop, .on_batch = on_batch, .self = r};
    if (om_lan_open(&r->l, &c, NULL) == OM_OK)
        return true;
    r->l = NULL;
    rig_close(r);
    return false;
}

static struct om_addr addr(const char *ip, uint16_t port)
{
    struct om_addr a = {.port = port};

    CHECK(om_addr_ip_parse(a.ip, ip));
    return a;
}

/* Send @len bytes that begin with @first to @ip, a group then going out by @by; to its own host as
 * well, which is how the other sockets of this namespace hear it. */
static void send_to(const char *ip, uint16_t port, const struct om_iface *by, uint8_t first,
                    size_t len)
{
    struct om_addr to = addr(ip, port);
    bool is_v6 = !om_addr_is_v4(&to);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct ip_mreqn out = {.imr_ifindex = (int)by->index};
    uint8_t bytes[4096] = {first};
    ssize_t n;

    CHECK(fd >= 0);
    if (is_v6) {
        CHECK_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &by->index, sizeof by->index), 0);
        memcpy(&v6.sin6_addr, to.ip, 16);
        n = sendto(fd, bytes, len, 0, (struct sockaddr *)&v6, sizeof v6);
    } else {
        CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out), 0);
        memcpy(&v4.sin_addr, to.ip + 12, 4);
        n = sendto(fd, bytes, len, 0, (struct sockaddr *)&v4, sizeof v4);
    }
    CHECK_EQ(n, (ssize_t)len);
    CHECK_EQ(close(fd), 0);
}

/* Run until the last datagram heard began with @first. */
static void wait_for(struct rig *r, uint8_t first)
{
    while ((r->count == 0 || r->heard[r->count - 1] != first) && !r->is_late)
        (void)uv_run(&r->loop, UV_RUN_ONCE);
    if (r->is_late)
        fail_msg("'%c' did not come; %u did", first, r->count);
}

/* As many memberships as wanted; fewer only for want of memory. */
static bool has_joined(const struct rig *r, unsigned wanted)
{
    struct om_lan_info i;

    om_lan_info(r->l, &i);
    return i.joined == wanted;
}

OM_TEST(lan_hears_a_group_and_nothing_else)
{
    const struct om_addr groups[] = {addr(GROUP, PORT), addr(OTHER, PORT + 1)};
    struct om_lan_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    om_lan_join(r.l, groups, 2, &r.va, 1);
    if (!has_joined(&r, 2) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    send_to(GROUP, PORT, &r.va, 'a', 100);
    wait_for(&r, 'a');
    CHECK(r.is_multicast);
    CHECK_EQ(r.len, 100);
    CHECK_EQ(r.via.socket, 0);
    CHECK_MEM(r.via.remote.ip, addr("192.0.2.1", 0).ip, 16);
    send_to("192.0.2.1", PORT, &r.va, 'x', 100); /* unicast, to the same port */
    send_to("127.0.0.1", PORT, &r.va, 'x', 100);
    send_to(GROUP, PORT + 1, &r.va, 'x', 100); /* joined on the other port only */
    send_to(OTHER, PORT, &r.va, 'x', 100);
    send_to(OTHER, PORT + 1, &r.va, 'b', 100);
    wait_for(&r, 'b');
    send_to(GROUP, PORT, &r.va, 'c', 0);
    send_to(GROUP, PORT, &r.va, 'd', 1);
    wait_for(&r, 'd');
    CHECK_EQ(r.count, 4);
    CHECK_MEM(r.heard, "ab\0d", 4);
    om_lan_info(r.l, &i);
    CHECK_EQ(i.sockets, 2);
    CHECK_EQ(i.joined, 2);
    CHECK_EQ(i.failed, 0);
    CHECK_EQ(i.datagrams, 4);
    CHECK(i.foreign >= 2); /* the two by unicast; the kernel keeps the others away */
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_hears_a_group_v6)
{
    struct om_addr group = addr("ff02::4d4d", PORT);
    struct rig r;

    OM_TRY(rig_open(&r));
    CHECK(netns_ip("addr add 2001:db8::1/64 dev va nodad"));
    CHECK(netns_ip("addr add fe80::77/64 dev va nodad"));
    om_lan_join(r.l, &group, 1, &r.va, 1);
    if (!has_joined(&r, 1) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    send_to("2001:db8::1", PORT, &r.va, 'x', 10);
    send_to("ff02::4d4d", PORT, &r.va, 'a', 10);
    wait_for(&r, 'a');
    CHECK_EQ(r.count, 1);
    CHECK(r.is_multicast);
    CHECK_EQ(r.via.remote.ip[0], 0xfe);
    CHECK_EQ(r.via.socket, r.va.index); /* link-local: the interface is part of the address */
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_left_group_is_not_heard)
{
    const struct om_addr groups[] = {addr(GROUP, PORT), addr(OTHER, PORT)};
    struct rig r;

    OM_TRY(rig_open(&r));
    om_lan_join(r.l, groups, 2, &r.va, 1);
    if (!has_joined(&r, 2) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    send_to(GROUP, PORT, &r.va, 'a', 10);
    wait_for(&r, 'a');
    send_to(GROUP, PORT, &r.va, 'x', 10); /* already in the socket when the group is left */
    om_lan_join(r.l, &groups[1], 1, &r.va, 1);
    send_to(GROUP, PORT, &r.va, 'x', 10);
    send_to(OTHER, PORT, &r.va, 'b', 10);
    wait_for(&r, 'b');
    CHECK_EQ(r.count, 2);
    om_lan_join(r.l, groups, 2, &r.va, 1);
    send_to(GROUP, PORT, &r.va, 'c', 10);
    wait_for(&r, 'c');
    CHECK_EQ(r.count, 3);
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_hears_only_on_joined_interfaces)
{
    const struct om_addr groups[] = {addr(GROUP, PORT), addr("ff02::4d4d", PORT)};
    struct om_lan_info i;
    struct rig r;
    int fd;

    OM_TRY(rig_open(&r));
    om_lan_join(r.l, groups, 2, &r.va, 1);
    if (!has_joined(&r, 2) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    /* Somebody else on this host has the group on the other interface, so it comes in there too:
     * what goes out by va arrives at vb, and the kernel would give it to us as well. */
    fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct ipv6_mreq other = {.ipv6mr_interface = r.vb.index};
    memcpy(&other.ipv6mr_multiaddr, groups[1].ip, 16);
    CHECK_EQ(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &other, sizeof other), 0);
    CHECK(netns_ip("addr add fe80::77/64 dev va nodad"));
    CHECK(netns_ip("addr add fe80::78/64 dev vb nodad"));
    send_to("ff02::4d4d", PORT, &r.va, 'a', 10);
    do {
        (void)uv_run(&r.loop, UV_RUN_ONCE);
        om_lan_info(r.l, &i);
    } while (i.foreign == 0 && !r.is_late);
    send_to(GROUP, PORT, &r.va, 'b', 10);
    wait_for(&r, 'b');
    CHECK_EQ(r.count, 2);
    CHECK_MEM(r.heard, "ab", 2);
    CHECK_EQ(close(fd), 0);
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_keeps_what_stays)
{
    const struct om_addr group = addr(GROUP, PORT);
    struct om_lan_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    const struct om_iface both[] = {r.va, r.vb};
    om_lan_join(r.l, &group, 1, &r.va, 1);
    if (!has_joined(&r, 1) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    send_to(GROUP, PORT, &r.va, 'a', 10); /* waits in the socket while the set changes */
    om_lan_join(r.l, &group, 1, both, 2);
    om_lan_join(r.l, &group, 1, both, 2);
    om_lan_info(r.l, &i);
    CHECK_EQ(i.joined, 2);
    CHECK_EQ(i.sockets, 1);
    wait_for(&r, 'a');
    om_lan_join(r.l, &group, 1, &r.vb, 1);
    CHECK(has_joined(&r, 1));
    om_lan_join(r.l, &group, 1, NULL, 0);
    om_lan_info(r.l, &i);
    CHECK_EQ(i.joined, 0);
    CHECK_EQ(i.sockets, 0);
    CHECK_EQ(i.failed, 0);
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_counts_what_fails)
{
    struct om_addr groups[OM_LAN_GROUPS_MAX + 2];
    struct om_lan_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    const struct om_iface ifaces[] = {{.index = 9999}, r.va, {.index = 0}};
    groups[0] = addr(GROUP, PORT);
    groups[1] = addr("192.0.2.77", PORT); /* no group */
    groups[2] = addr(OTHER, 0);           /* no port */
    om_lan_join(r.l, groups, 3, ifaces, 3);
    if (!has_joined(&r, 1) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    om_lan_info(r.l, &i);
    CHECK_EQ(i.joined, 1);
    CHECK_EQ(i.failed, 8);
    CHECK_EQ(i.sockets, 1);
    send_to(GROUP, PORT, &r.va, 'a', 10);
    wait_for(&r, 'a');
    for (unsigned g = 0; g < OM_ARRAY_SIZE(groups); g++)
        groups[g] = addr(GROUP, (uint16_t)(PORT + g));
    om_lan_join(r.l, groups, OM_ARRAY_SIZE(groups), &r.va, 1);
    om_lan_info(r.l, &i);
    CHECK_EQ(i.joined + i.failed, OM_LAN_GROUPS_MAX + 2);
    if (!om_test_oom_hit())
        CHECK_EQ(i.joined, OM_LAN_GROUPS_MAX);
    for (unsigned g = 0; g < OM_LAN_GROUPS_MAX; g++) /* all others: there is room for them */
        groups[g] = addr(OTHER, (uint16_t)(PORT + 100 + g));
    om_lan_join(r.l, groups, OM_LAN_GROUPS_MAX, &r.va, 1);
    om_lan_info(r.l, &i);
    if (!om_test_oom_hit())
        CHECK_EQ(i.joined, OM_LAN_GROUPS_MAX);
    rig_close(&r);
out:
    return;
}

/* As a node in OM_NETWORKS_MAX networks wants it while epochs change: a port for each group. */
OM_TEST(lan_has_room_for_all_networks)
{
    enum { ALL = OM_NETWORKS_MAX * OM_HELLO_GROUPS_MAX };
    struct om_addr groups[ALL + 1];
    struct om_lan_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    for (unsigned g = 0; g < OM_ARRAY_SIZE(groups); g++)
        groups[g] = addr(g % 2 ? "ff12::77" : GROUP, (uint16_t)(PORT + g));
    om_lan_join(r.l, groups, ALL, &r.va, 1);
    if (!has_joined(&r, ALL) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    om_lan_info(r.l, &i);
    CHECK_EQ(i.joined, ALL);
    CHECK_EQ(i.failed, 0);
    send_to(GROUP, groups[ALL - 2].port, &r.va, 'a', 10);
    wait_for(&r, 'a');
    om_lan_join(r.l, groups, ALL + 1, &r.va, 1); /* the control: one more is one too many */
    om_lan_info(r.l, &i);
    CHECK_EQ(i.failed, 1);
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_two_daemons_hear_the_same)
{
    const struct om_addr group = addr(GROUP, PORT);
    struct om_lan *first = NULL;
    struct om_lan_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    struct om_lan_config c = {.loop = &r.loop, .on_batch = on_batch, .self = &r};
    if (om_lan_open(&first, &c, NULL) == OM_OK) {
        om_lan_join(first, &group, 1, &r.va, 1);
        om_lan_join(r.l, &group, 1, &r.va, 1);
        om_lan_info(first, &i);
        if (i.joined == 1 && has_joined(&r, 1)) {
            send_to(GROUP, PORT, &r.va, 'a', 10);
            while (r.count < 2 && !r.is_late)
                (void)uv_run(&r.loop, UV_RUN_ONCE);
            CHECK_EQ(r.count, 2);
        } else {
            CHECK(om_test_oom_hit());
        }
        om_lan_close(first);
    }
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_drops_what_is_too_long)
{
    const struct om_addr group = addr(GROUP, PORT);
    struct om_lan_info i;
    struct rig r;

    OM_TRY(rig_open(&r));
    om_lan_join(r.l, &group, 1, &r.va, 1);
    if (!has_joined(&r, 1) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    send_to(GROUP, PORT, &r.va, 'x', OM_LAN_DGRAM_BYTES + 1);
    send_to(GROUP, PORT, &r.va, 'a', OM_LAN_DGRAM_BYTES);
    wait_for(&r, 'a');
    CHECK_EQ(r.count, 1);
    CHECK_EQ(r.len, OM_LAN_DGRAM_BYTES);
    om_lan_info(r.l, &i);
    CHECK_EQ(i.truncated, 1);
    for (unsigned n = 0; n < 100; n++)
        send_to(GROUP, PORT, &r.va, 'm', 10);
    send_to(GROUP, PORT, &r.va, 'z', 10);
    wait_for(&r, 'z');
    CHECK_EQ(r.count, 102);
    CHECK_EQ(r.widest, OM_LAN_BATCH_MAX);
    rig_close(&r);
out:
    return;
}

OM_TEST(lan_may_be_changed_in_its_batch)
{
    const struct om_addr group = addr(GROUP, PORT);
    struct rig r;

    om_lan_close(NULL);
    OM_TRY(rig_open(&r));
    om_lan_join(r.l, &group, 1, &r.va, 1);
    if (!has_joined(&r, 1) && om_test_oom_hit()) {
        rig_close(&r);
        return;
    }
    for (unsigned n = 0; n < 3 * OM_LAN_BATCH_MAX; n++)
        send_to(GROUP, PORT, &r.va, 'a', 10);
    r.leave_in_batch = true;
    wait_for(&r, 'a');
    CHECK_EQ(r.batches, 1);
    CHECK(has_joined(&r, 0));
    r.leave_in_batch = false;
    r.close_in_batch = true;
    om_lan_join(r.l, &group, 1, &r.va, 1);
    if (has_joined(&r, 1)) {
        for (unsigned n = 0; n < 3 * OM_LAN_BATCH_MAX; n++)
            send_to(GROUP, PORT, &r.va, 'b', 10);
        wait_for(&r, 'b');
        CHECK_EQ(r.batches, 2);
        CHECK(r.l == NULL);
    } else {
        CHECK(om_test_oom_hit());
    }
    rig_close(&r);
out:
    return;
}
