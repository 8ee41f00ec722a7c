/* test_udp.c - what UDP sockets carry, over loopback. */
#include "udp_rig.h"

#include <stdio.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>

#include <omerta/prng.h>

static void carries_every_size(struct om_via (*to)(const struct end *))
{
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    for (size_t n = 0; n <= 9000; n += n < 70 ? 1 : 893) {
        struct om_udp_out o = {.via = to(&r.b), .bytes = om_bytes(r.pattern + n % 17, n)};
        struct kept *k = &r.b.kept[r.b.count];

        CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
        CHECK(rig_until(&r, &r.b.count, r.b.count + 1));
        CHECK_EQ(k->len, n);
        CHECK_EQ(k->sum, sum_of(r.pattern + n % 17, n));
        CHECK_EQ(k->via.remote.port, info_of(&r.a).port);
        CHECK_MEM(k->via.remote.ip, o.via.remote.ip, 16);
        CHECK_EQ(k->via.socket, 0);
        CHECK(!k->is_multicast);
    }
    CHECK_EQ(r.b.kept[r.b.count - 1].len, 9000);
    CHECK_EQ(info_of(&r.a).datagrams_out, r.b.count);
    CHECK_EQ(info_of(&r.b).datagrams_in, r.b.count);
    CHECK_EQ(info_of(&r.a).bytes_out, info_of(&r.b).bytes_in);
    CHECK_EQ(info_of(&r.a).send_errors, 0);
out:
    rig_fini(&r);
}

OM_TEST(udp_carries_every_size_v4)
{
    carries_every_size(to_v4);
}

OM_TEST(udp_carries_every_size_v6)
{
    carries_every_size(to_v6);
}

static void thousand_arrive_in_order(bool no_offload)
{
    enum { N = 1000, SIZE = 1200 };
    static struct om_udp_out o[N];
    struct om_udp_info ia, ib;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, no_offload, 0) == OM_OK);
    for (unsigned i = 0; i < N; i++)
        o[i] = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern + i * 37, SIZE)};
    rig_send(&r, o, N);
    CHECK(rig_until(&r, &r.b.count, N));
    for (unsigned i = 0; i < N; i++) {
        CHECK_EQ(r.b.kept[i].len, SIZE);
        CHECK_EQ(r.b.kept[i].sum, sum_of(o[i].bytes.p, SIZE));
    }
    ia = info_of(&r.a);
    ib = info_of(&r.b);
    CHECK(!no_offload || (!ia.gso && !ib.gro));
    CHECK_EQ(ia.bytes_out, N * SIZE);
    CHECK_EQ(ib.bytes_in, N * SIZE);
    if (ib.rcvbuf >= OM_UDP_BUFFER_BYTES) { /* 54 fill a message, 64 messages a call */
        CHECK_EQ(ia.send_calls, ia.gso ? 1 : (N + UDP_MESSAGES_MAX - 1) / UDP_MESSAGES_MAX);
        CHECK_EQ(r.b.widest, ib.gro ? (int)OM_UDP_BATCH_MAX : (int)UDP_SLOTS_MAX);
    }
out:
    rig_fini(&r);
}

OM_TEST(udp_thousand_arrive_in_order_with_offload)
{
    thousand_arrive_in_order(false);
}

OM_TEST(udp_thousand_arrive_in_order_without_offload)
{
    thousand_arrive_in_order(true);
}

/* The k-th that @to heard over one family is the k-th that was sent there. */
static void check_heard(const struct end *to, const struct om_udp_out *o, unsigned n,
                        const struct om_via *via)
{
    bool is_v4 = om_addr_is_v4(&via->remote);
    unsigned at = 0;

    for (unsigned i = 0; i < n; i++) {
        if (!om_via_equal(&o[i].via, via))
            continue;
        while (at < to->count && om_addr_is_v4(&to->kept[at].via.remote) != is_v4)
            at++;
        CHECK(at < to->count);
        CHECK_EQ(to->kept[at].len, o[i].bytes.n);
        CHECK_EQ(to->kept[at].sum, sum_of(o[i].bytes.p, o[i].bytes.n));
        at++;
    }
}

static void mixed(bool no_offload)
{
    enum { N = 600 };
    static struct om_udp_out o[N];
    static const size_t sizes[] = {0, 1, 40, 1200, 1200, 1200, 1400, 1400, 9000};
    struct om_prng p;
    struct om_via ways[4];
    unsigned to_a = 0, way = 0, at = 0;
    struct rig r;

    rig_init(&r);
    om_prng_seed(&p, 7);
    OM_TRY(rig_open(&r, no_offload, 0) == OM_OK);
    ways[0] = to_v4(&r.a); /* itself */
    ways[1] = to_v6(&r.a);
    ways[2] = to_v4(&r.b);
    ways[3] = to_v6(&r.b);
    for (unsigned i = 0; i < N; i++) {
        if (om_prng_below(&p, 4) == 0)
            way = (unsigned)om_prng_below(&p, 4);
        if (om_prng_below(&p, 3) == 0)
            at = (unsigned)om_prng_below(&p, OM_ARRAY_SIZE(sizes));
        o[i] = (struct om_udp_out){.via = ways[way], .bytes = om_bytes(r.pattern + i, sizes[at])};
        to_a += way < 2;
    }
    rig_send(&r, o, N);
    CHECK(rig_until(&r, &r.a.count, to_a));
    CHECK(rig_until(&r, &r.b.count, N - to_a));
    for (unsigned i = 0; i < 4; i++)
        check_heard(i < 2 ? &r.a : &r.b, o, N, &ways[i]);
out:
    rig_fini(&r);
}

OM_TEST(udp_mixed_sizes_and_destinations)
{
    mixed(false);
    mixed(true);
}

OM_TEST(udp_splits_what_the_kernel_joined)
{
    enum { N = 11, SIZE = 1000, REST = 300 };
    struct om_udp_out o[N];
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    for (unsigned i = 0; i < N; i++)
        o[i] = (struct om_udp_out){.via = to_v6(&r.b),
                                   .bytes = om_bytes(r.pattern + i * 11, i + 1 < N ? SIZE : REST)};
    CHECK_EQ(om_udp_send(r.a.udp, o, N), N);
    CHECK(rig_until(&r, &r.b.count, N));
    for (unsigned i = 0; i < N; i++) {
        CHECK_EQ(r.b.kept[i].len, o[i].bytes.n);
        CHECK_EQ(r.b.kept[i].sum, sum_of(o[i].bytes.p, o[i].bytes.n));
    }
    if (info_of(&r.a).gso) /* then all went as one message ... */
        CHECK_EQ(r.a.udp->plan.count, 1);
    if (info_of(&r.a).gso && info_of(&r.b).gro) /* ... and came as one */
        CHECK_EQ(r.b.udp->in.msgs[0].msg_len, (N - 1) * SIZE + REST);
    CHECK_EQ(info_of(&r.b).datagrams_in, N);
out:
    rig_fini(&r);
}

/* A link-local address of this machine, and its interface. */
static bool link_local(struct om_via *out)
{
    struct ifaddrs *all = NULL;
    bool is_found = false;

    if (getifaddrs(&all) != 0)
        return false;
    for (struct ifaddrs *i = all; i && !is_found; i = i->ifa_next) {
        union udp_name name;

        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET6 || !(i->ifa_flags & IFF_UP))
            continue;
        memcpy(&name.v6, i->ifa_addr, sizeof name.v6);
        is_found = IN6_IS_ADDR_LINKLOCAL(&name.v6.sin6_addr);
        memcpy(out->remote.ip, &name.v6.sin6_addr, 16);
        out->socket = name.v6.sin6_scope_id;
    }
    freeifaddrs(all);
    return is_found;
}

/* A plain socket that joined @group on interface @ifindex; -1: not possible. */
static int listener(const struct om_addr *group, unsigned ifindex, uint16_t *port)
{
    bool is_v4 = om_addr_is_v4(group);
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0), on = 1;
    struct ip_mreqn m4 = {.imr_ifindex = (int)ifindex};
    struct ipv6_mreq m6 = {.ipv6mr_interface = ifindex};
    union udp_name name = {0};
    bool ok;

    if (fd < 0)
        return -1;
    name.any.sa_family = is_v4 ? AF_INET : AF_INET6;
    memcpy(&m4.imr_multiaddr, group->ip + 12, 4);
    memcpy(&m6.ipv6mr_multiaddr, group->ip, 16);
    ok = bind(fd, &name.any, is_v4 ? sizeof name.v4 : sizeof name.v6) == 0;
    if (is_v4)
        ok = ok && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof m4) == 0 &&
             setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on) == 0;
    else
        ok = ok && setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &m6, sizeof m6) == 0 &&
             setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) == 0;
    if (ok) {
        *port = udp_sock_port(fd);
        return fd;
    }
    (void)close(fd);
    return -1;
}

/* The TTL or hop limit of the next datagram; -1: none within @ms, or another length than @len. */
static int next_ttl(int fd, size_t len, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct udp_control control;
    uint8_t bytes[64];
    struct iovec iov = {bytes, sizeof bytes};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    int ttl = -1;

    if (poll(&p, 1, ms) != 1 || recvmsg(fd, &m, 0) != (ssize_t)len)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
    return ttl;
}

static void goes_out_per_interface(const char *group_text, unsigned ifindex)
{
    unsigned three[] = {ifindex, 0x7fffff00, ifindex};
    struct om_addr group;
    struct rig r;
    int fd = -1;

    rig_init(&r);
    CHECK_OK(om_addr_parse(&group, group_text, 1, NULL));
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    fd = listener(&group, ifindex, &group.port);
    if (fd < 0) {
        fprintf(stderr, "%s: this machine joins no such group: not tested\n", group_text);
        goto out;
    }
    struct om_udp_out o = {.via = {.remote = group}, .bytes = om_bytes("hello", 5)};
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1); /* no interface yet: dropped */
    CHECK_EQ(info_of(&r.a).send_errors, 1);
    CHECK_EQ(next_ttl(fd, 5, 0), -1);

    om_udp_interfaces(r.a.udp, three, 3);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK_EQ(next_ttl(fd, 5, DEADLINE_MS), 1);
    CHECK_EQ(next_ttl(fd, 5, DEADLINE_MS), 1);
    CHECK_EQ(next_ttl(fd, 5, 0), -1); /* the interface that is none got no copy ... */
    CHECK_EQ(info_of(&r.a).send_errors, 2);
    CHECK_EQ(info_of(&r.a).datagrams_out, 2);

    /* ... and a group that another program joined is not heard on our port. */
    o.via.remote.port = info_of(&r.b).port;
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK_EQ(info_of(&r.a).datagrams_out, 4);
    o = (struct om_udp_out){.via = om_addr_is_v4(&group) ? to_v4(&r.b) : to_v6(&r.b),
                            .bytes = om_bytes("u", 1)};
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    CHECK_EQ(r.b.kept[0].len, 1);
out:
    if (fd >= 0)
        (void)close(fd);
    rig_fini(&r);
}

OM_TEST(udp_multicast_goes_out_per_interface)
{
    struct om_via via = {0};

    goes_out_per_interface("239.192.7.7:1", if_nametoindex("lo"));
    if (link_local(&via)) /* lo has no route for these; those of scope 1 never leave the machine */
        goes_out_per_interface("[ff01::7:7]:1", via.socket);
    else
        fprintf(stderr, "no link-local address on this machine: not tested with IPv6\n");
}

OM_TEST(udp_scope_of_link_local_travels_in_the_via)
{
    struct om_via via = {0};
    struct om_udp_out o;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    if (!link_local(&via)) {
        fprintf(stderr, "no link-local address on this machine: not tested\n");
        goto out;
    }
    via.remote.port = info_of(&r.b).port6;
    o = (struct om_udp_out){.via = via, .bytes = om_bytes("ask", 3)};
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    CHECK_EQ(r.b.kept[0].via.socket, via.socket);
    CHECK_MEM(r.b.kept[0].via.remote.ip, via.remote.ip, 16);

    o = (struct om_udp_out){.via = r.b.kept[0].via,
                            .bytes = om_bytes("back", 4)}; /* the way it came is enough */
    CHECK_EQ(om_udp_send(r.b.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.a.count, 1));
    CHECK_EQ(r.a.kept[0].len, 4);
out:
    rig_fini(&r);
}
