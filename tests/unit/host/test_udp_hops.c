/* test_udp_hops.c - datagrams with a TTL of their own, and what routers say of them. */
#include "netns.h"
#include "udp_rig.h"

#include <poll.h>

#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

#include <omerta/wire.h>

enum { TTL_USUAL = 64, FAR_PORT = 4000, ROUTER = 0x7f000009 };

static const uint32_t far_ip = 0xc6336407; /* 198.51.100.7 */

/* What the rig's end a was told of routers. */
static struct {
    unsigned count, ttl;
    struct om_addr router;
} told;

static void on_hop(void *self OM_UNUSED, unsigned ttl, const struct om_addr *router)
{
    told.count++;
    told.ttl = ttl;
    told.router = *router;
}

/* A bound socket that says with which TTL things came; its port. */
static int watcher(bool is_v6, uint16_t *port)
{
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
    union udp_name name = {.any.sa_family = is_v6 ? AF_INET6 : AF_INET};

    if (fd < 0 || bind(fd, &name.any, is_v6 ? sizeof name.v6 : sizeof name.v4) != 0)
        return -1;
    CHECK_EQ(setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                        is_v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof on),
             0);
    *port = udp_sock_port(fd);
    return fd;
}

/* TTL of the next datagram, which has @len bytes; -1 when it is not so. */
static int ttl_of(int fd, size_t len)
{
    uint8_t bytes[2000];
    struct iovec iov = {bytes, sizeof bytes};
    struct udp_control control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ttl = -1;

    if (poll(&p, 1, DEADLINE_MS) != 1 || recvmsg(fd, &m, 0) != (ssize_t)len)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
    return ttl;
}

static void leaves_with_ttl(bool is_v6)
{
    static const uint8_t ttls[] = {0, 0, 3, 3, 0, 1, 255, 0};
    struct om_udp_out o[OM_ARRAY_SIZE(ttls)];
    uint16_t port = 0;
    struct rig r;
    int fd;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    fd = watcher(is_v6, &port);
    CHECK(fd >= 0);
    om_udp_sockets(r.a.udp, OM_SOCKET_FIRST, 1, true);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < OM_ARRAY_SIZE(ttls); i++) {
            o[i] = (struct om_udp_out){.via = is_v6 ? to_v6(&r.b) : to_v4(&r.b),
                                       .bytes = om_bytes(r.pattern, 100),
                                       .ttl = ttls[i]};
            o[i].via.remote.port = port;
            o[i].via.socket = round * OM_SOCKET_FIRST;
        }
        CHECK_EQ(om_udp_send(r.a.udp, o, OM_ARRAY_SIZE(ttls)), OM_ARRAY_SIZE(ttls));
        for (unsigned i = 0; i < OM_ARRAY_SIZE(ttls); i++)
            CHECK_EQ(ttl_of(fd, 100), ttls[i] ? ttls[i] : TTL_USUAL);
    }
    CHECK_EQ(info_of(&r.a).openers, 8);
    CHECK(!r.a.udp->v4.hears && !r.a.udp->v6.hears); /* nobody wants to know */
    CHECK_EQ(close(fd), 0);
out:
    rig_fini(&r);
}

OM_TEST(udp_ttl_leaves_with_the_datagram)
{
    leaves_with_ttl(false);
    leaves_with_ttl(true);
}

/* RFC 1071. */
static uint16_t checksum(const uint8_t *p, size_t n)
{
    struct om_rd r = om_rd(om_bytes(p, n));
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += 2)
        sum += om_rd_u16(&r);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* A router at 127.0.0.9 says that a datagram from @port to far_ip, @far_port, ended there. */
static void say_v4(uint16_t port, uint16_t far_port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(LOOPBACK)}};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(ROUTER)}};
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    uint8_t m[8 + 20 + 8] = {11}; /* ICMP, and of the datagram IP and UDP */
    struct om_wr w = om_wr(om_mut(m + 8, sizeof m - 8));

    om_wr_u32(&w, 0x45000000 | (20 + 16)); /* version, header of 20 bytes; length */
    om_wr_u32(&w, 0);
    om_wr_u32(&w, 0x01000000 | IPPROTO_UDP << 16); /* TTL */
    om_wr_u32(&w, LOOPBACK);
    om_wr_u32(&w, far_ip);
    om_wr_u16(&w, port);
    om_wr_u16(&w, far_port);
    om_wr_u32(&w, 16 << 16); /* length */
    w = om_wr(om_mut(m + 2, 2));
    om_wr_u16(&w, checksum(m, sizeof m));
    CHECK(fd >= 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    CHECK_EQ(sendto(fd, m, sizeof m, 0, (struct sockaddr *)&to, sizeof to), sizeof m);
    CHECK_EQ(close(fd), 0);
}

/* The same of ::1 and 2001:db8::7; the kernel makes the checksum. */
static void say_v6(uint16_t port, uint16_t far_port)
{
    struct {
        struct icmp6_hdr icmp;
        struct ip6_hdr ip;
        struct udphdr udp;
    } m = {
        .icmp = {.icmp6_type = 3},
        .ip = {.ip6_flow = htonl(6U << 28), .ip6_plen = htons(16), .ip6_nxt = IPPROTO_UDP},
        .udp = {.source = htons(port), .dest = htons(far_port), .len = htons(16)},
    };
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

    m.ip.ip6_src = to.sin6_addr;
    m.ip.ip6_dst = (struct in6_addr){{{0x20, 0x01, 0x0d, 0xb8, [15] = 7}}};
    CHECK(fd >= 0);
    CHECK_EQ(sendto(fd, &m, sizeof m, 0, (struct sockaddr *)&to, sizeof to), sizeof m);
    CHECK_EQ(close(fd), 0);
}

static void say(bool is_v6, const struct udp_family *f, uint16_t far_port)
{
    if (is_v6)
        say_v6(udp_sock_port(f->fd), far_port);
    else
        say_v4(udp_sock_port(f->fd), far_port);
}

static struct om_udp_out opener(const struct rig *r, bool is_v6, uint32_t socket, uint8_t ttl)
{
    struct om_udp_out o = {.via = {.remote = om_addr_v4(far_ip, FAR_PORT), .socket = socket},
                           .bytes = om_bytes(r->pattern, 8),
                           .ttl = ttl};

    if (is_v6)
        o.via.remote = (struct om_addr){.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}, .port = FAR_PORT};
    return o;
}

/* Both ends, a with an ear for routers; false when this machine lets us do none of that. */
static bool begin(struct rig *r)
{
    const char *why = netns_enter();

    rig_init(r);
    memset(&told, 0, sizeof told);
    if (why || !netns_ip("route add 198.51.100.0/24 dev lo") ||
        !netns_ip("route add 2001:db8::/64 dev lo")) {
        fprintf(stderr, "%s: not tested\n", why ? why : "no routes here");
        return false;
    }
    if (rig_open(r, false, 0) != OM_OK)
        return false;
    r->a.udp->config.on_hop = on_hop;
    return true;
}

/* All that has come is taken. */
static void settle(struct rig *r)
{
    for (int i = 0; i < 20; i++)
        (void)uv_run(&r->loop, UV_RUN_NOWAIT);
}

static void is_told(struct rig *r, bool is_v6, uint32_t socket)
{
    struct om_via via = opener(r, is_v6, socket, 5).via;
    struct udp_family *f = is_v6 ? &r->a.udp->v6 : &r->a.udp->v4;
    struct om_udp_out o = opener(r, is_v6, socket, 0);
    unsigned before = told.count;

    CHECK_EQ(om_udp_send(r->a.udp, &o, 1), 1); /* so that it has a port */
    if (socket != 0)
        f = udp_extra_family(r->a.udp, &via);
    if (!f || om_test_oom_hit())
        return;
    uint64_t errors = info_of(&r->a).recv_errors;
    say(is_v6, f, FAR_PORT); /* forged: nothing was sent that might end */
    settle(r);
    CHECK_EQ(info_of(&r->a).recv_errors, errors);
    o.ttl = 5;
    CHECK_EQ(om_udp_send(r->a.udp, &o, 1), 1);
    CHECK(f->hears);
    say(is_v6, f, FAR_PORT + 1); /* forged: nothing went there */
    settle(r);
    CHECK(info_of(&r->a).recv_errors > errors);
    CHECK_EQ(told.count, before);
    CHECK(f->hears);
    say(is_v6, f, FAR_PORT);
    CHECK(rig_until(r, &told.count, before + 1));
    CHECK_EQ(told.ttl, 5);
    struct om_addr router = om_addr_v4(ROUTER, 0);
    if (is_v6)
        router = (struct om_addr){.ip = {[15] = 1}};
    CHECK_MEM(told.router.ip, router.ip, sizeof router.ip);
    CHECK(!f->hears);
    errors = info_of(&r->a).recv_errors;
    say(is_v6, f, FAR_PORT); /* again: it was told */
    settle(r);
    CHECK_EQ(told.count, before + 1);
    CHECK_EQ(info_of(&r->a).recv_errors, errors);
}

OM_TEST(udp_hop_is_told_to_who_asked)
{
    struct rig r;

    OM_TRY(begin(&r));
    om_udp_sockets(r.a.udp, OM_SOCKET_FIRST, 2, true);
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        is_told(&r, is_v6, 0);
        is_told(&r, is_v6, OM_SOCKET_FIRST + 1);
    }
    CHECK_EQ(info_of(&r.a).hops, 4);
out:
    rig_fini(&r);
}

OM_TEST(udp_hops_end_with_openers)
{
    struct om_udp_out o, data;
    struct udp_family *f;
    struct rig r;

    OM_TRY(begin(&r));
    f = &r.a.udp->v4;
    o = opener(&r, false, 0, 2);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    r.a.udp->openers[0].at -= OM_UDP_OPENER_MS; /* it was long ago */
    say_v4(udp_sock_port(f->fd), FAR_PORT);
    settle(&r);
    CHECK(told.count == 0 && !f->hears);

    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    o.via.remote.port = FAR_PORT + 1;
    for (unsigned i = 0; i < OM_UDP_OPENERS_MAX; i++) /* the first of them is forgotten */
        CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    say_v4(udp_sock_port(f->fd), FAR_PORT);
    settle(&r);
    CHECK_EQ(told.count, 0);
    /* While it hears, errors without end neither make it deaf to data nor lose what it sends. */
    data = (struct om_udp_out){.via = to_v4(&r.a), .bytes = om_bytes(r.pattern, 9)};
    for (unsigned i = 0; i < 200; i++) {
        say_v4(udp_sock_port(f->fd), FAR_PORT);
        CHECK_EQ(om_udp_send(r.a.udp, &data, 1), 1);
        if (i % 10 == 0)
            (void)uv_run(&r.loop, UV_RUN_NOWAIT);
    }
    CHECK(rig_until(&r, &r.a.count, 200));
    CHECK_EQ(info_of(&r.a).send_errors, 0);
    CHECK_EQ(told.count, 0);
    CHECK(f->hears);
    for (unsigned i = 0; i < OM_UDP_OPENERS_MAX; i++) {
        say_v4(udp_sock_port(f->fd), FAR_PORT + 1);
        CHECK(rig_until(&r, &told.count, i + 1));
    }
    CHECK(!f->hears);
    settle(&r);
    CHECK(uv_is_active((uv_handle_t *)&f->poll) || f->is_resting);
out:
    rig_fini(&r);
}
