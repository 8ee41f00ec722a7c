/* test_udp_open.c - UDP sockets: opening and closing them. */
#include "udp_rig.h"

#include <stdio.h>

#include <netinet/udp.h>

/* A machine that lacks something. Found before libc's, by everything in this program. */
static struct {
    int family[2];     /* that socket() knows nothing of */
    unsigned v6_taken; /* so many ports turn out to be taken in IPv6 */
    int option;        /* of SOL_UDP that is unknown */
} lack;

int socket(int domain, int type, int protocol)
{
    if (domain == lack.family[0] || domain == lack.family[1]) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
    if (addr.__sockaddr__->sa_family == AF_INET6 && lack.v6_taken > 0) {
        lack.v6_taken--;
        errno = EADDRINUSE;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, addr.__sockaddr__, len);
}

int setsockopt(int fd, int level, int optname, const void *optval, socklen_t optlen)
{
    if (level == SOL_UDP && optname == lack.option) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return (int)syscall(SYS_setsockopt, fd, level, optname, optval, optlen);
}

/* A plain socket on a port of its own; the port is returned. */
static int stranger(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    union udp_name name = {.v4 = {.sin_family = AF_INET}};

    CHECK(fd >= 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CHECK_EQ(bind(fd, &name.any, sizeof name.v4), 0);
    *port = udp_sock_port(fd);
    return fd;
}

OM_TEST(udp_port_in_use_is_said)
{
    struct om_udp_config c;
    struct om_error err = {0};
    char want[80];
    struct rig r;
    int fd;

    rig_init(&r);
    c = rig_config(&r, &r.a);
    fd = stranger(&c.port);
    (void)snprintf(want, sizeof want, "port %u (UDP) is in use by another program", c.port);
    OM_TRY(om_udp_open(&r.a.udp, &c, &err) != OM_E_NO_MEM);
    CHECK_ERR(err.code, OM_E_EXISTS);
    CHECK(strncmp(err.msg, want, strlen(want)) == 0);
    CHECK(r.a.udp == NULL);
    (void)close(fd);
    fd = -1;
    OM_TRY(om_udp_open(&r.a.udp, &c, &err) == OM_OK); /* it was only that */
    CHECK_EQ(info_of(&r.a).port, c.port);
out:
    if (fd >= 0)
        (void)close(fd);
    rig_fini(&r);
}

OM_TEST(udp_two_of_us_never_share_a_port)
{
    struct om_udp_config c;
    struct rig r;
    enum om_err e;

    rig_init(&r);
    c = rig_config(&r, &r.a);
    OM_TRY(om_udp_open(&r.a.udp, &c, NULL) == OM_OK);
    c.port = info_of(&r.a).port;
    c.self = &r.b;
    OM_TRY((e = om_udp_open(&r.b.udp, &c, NULL)) != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_EXISTS);
    om_udp_close(r.a.udp);
    r.a.udp = NULL;
    OM_TRY(om_udp_open(&r.b.udp, &c, NULL) == OM_OK); /* at once, before the loop ran */
out:
    rig_fini(&r);
}

OM_TEST(udp_both_families_get_one_port)
{
    struct om_udp_config c;
    struct om_udp_info i;
    struct rig r;

    for (unsigned families = 1; families <= 3; families++) {
        rig_init(&r);
        c = rig_config(&r, &r.a);
        c.v4 = families & 1;
        c.v6 = families & 2;
        OM_TRY(om_udp_open(&r.a.udp, &c, NULL) == OM_OK);
        i = info_of(&r.a);
        CHECK_EQ(i.has_v4, c.v4);
        CHECK_EQ(i.has_v6, c.v6);
        CHECK(i.port != 0);
        CHECK_EQ(i.port6, c.v6 ? i.port : 0);
        CHECK(i.rcvbuf > 0 && i.sndbuf > 0);
    out:
        rig_fini(&r);
    }
}

OM_TEST(udp_looks_for_a_port_free_in_both_families)
{
    struct om_udp_config c;
    struct rig r;

    rig_init(&r);
    c = rig_config(&r, &r.a);
    lack.v6_taken = 3;
    OM_TRY(om_udp_open(&r.a.udp, &c, NULL) == OM_OK);
    CHECK_EQ(lack.v6_taken, 0);
    CHECK_EQ(info_of(&r.a).port6, info_of(&r.a).port);
    lack.v6_taken = 16; /* so unlucky that two will do */
    c.self = &r.b;
    OM_TRY(om_udp_open(&r.b.udp, &c, NULL) == OM_OK);
    CHECK_EQ(lack.v6_taken, 0);
    CHECK(info_of(&r.b).has_v4 && info_of(&r.b).has_v6);
    CHECK(info_of(&r.b).port != 0 && info_of(&r.b).port6 != 0);
    struct om_udp_out o[] = {{.via = to_v4(&r.b), .bytes = om_bytes("4", 1)},
                             {.via = to_v6(&r.b), .bytes = om_bytes("6", 1)}};

    CHECK_EQ(om_udp_send(r.a.udp, o, 2), 2);
    CHECK(rig_until(&r, &r.b.count, 2));
out:
    lack.v6_taken = 0;
    rig_fini(&r);
}

OM_TEST(udp_leaves_out_a_family_that_is_lacking)
{
    struct om_udp_config c;
    struct om_error err = {0};
    struct rig r;

    rig_init(&r);
    c = rig_config(&r, &r.a);
    lack.family[0] = AF_INET6;
    OM_TRY(om_udp_open(&r.a.udp, &c, &err) == OM_OK);
    CHECK(info_of(&r.a).has_v4 && !info_of(&r.a).has_v6);
    lack.family[0] = AF_INET;
    c.self = &r.b;
    OM_TRY(om_udp_open(&r.b.udp, &c, &err) == OM_OK);
    CHECK(!info_of(&r.b).has_v4 && info_of(&r.b).has_v6);
    CHECK(info_of(&r.b).port != 0);
    CHECK_EQ(info_of(&r.b).port6, info_of(&r.b).port);
    om_udp_close(r.b.udp);
    r.b.udp = NULL;
    lack.family[1] = AF_INET6;
    OM_TRY(om_udp_open(&r.b.udp, &c, &err) != OM_E_NO_MEM);
    CHECK_ERR(err.code, OM_E_UNSUPPORTED);
    CHECK(r.b.udp == NULL);
out:
    memset(&lack, 0, sizeof lack);
    rig_fini(&r);
}

OM_TEST(udp_probes_what_the_kernel_can)
{
    static const int options[] = {0, UDP_SEGMENT, UDP_GRO};
    struct om_udp_out o[20];
    struct om_udp_info i, whole = {0};
    struct rig r;

    for (unsigned k = 0; k < OM_ARRAY_SIZE(options); k++) {
        rig_init(&r);
        lack.option = options[k];
        OM_TRY(rig_open(&r, false, 0) == OM_OK);
        i = info_of(&r.a);
        if (k == 0)
            whole = i;
        CHECK_EQ(i.gso, whole.gso && options[k] != UDP_SEGMENT);
        CHECK_EQ(i.gro, whole.gro && options[k] != UDP_GRO);
        for (unsigned n = 0; n < 20; n++)
            o[n] = (struct om_udp_out){.via = to_v6(&r.b), .bytes = om_bytes(r.pattern + n, 1200)};
        CHECK_EQ(om_udp_send(r.a.udp, o, 20), 20);
        CHECK(rig_until(&r, &r.b.count, 20));
        CHECK_EQ(r.b.kept[19].sum, sum_of(o[19].bytes.p, 1200));
    out:
        memset(&lack, 0, sizeof lack);
        rig_fini(&r);
    }
}

OM_TEST(udp_refuses_bad_configs)
{
    static const char *const bad[][2] = {
        {"[::1]:1", NULL},     /* IPv4 bound to IPv6 */
        {NULL, "127.0.0.1:1"}, /* and the other way round */
    };
    struct om_udp_config c;
    struct om_error err;
    struct rig r;

    rig_init(&r);
    c = rig_config(&r, &r.a);
    c.loop = NULL;
    CHECK_ERR(om_udp_open(&r.a.udp, &c, &err), OM_E_RANGE);
    c = rig_config(&r, &r.a);
    c.on_batch = NULL;
    CHECK_ERR(om_udp_open(&r.a.udp, &c, &err), OM_E_RANGE);
    c = rig_config(&r, &r.a);
    c.v4 = c.v6 = false;
    CHECK_ERR(om_udp_open(&r.a.udp, &c, &err), OM_E_RANGE);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        c = rig_config(&r, &r.a);
        if (bad[i][0])
            CHECK_OK(om_addr_parse(&c.bind4, bad[i][0], 0, NULL));
        if (bad[i][1])
            CHECK_OK(om_addr_parse(&c.bind6, bad[i][1], 0, NULL));
        CHECK_ERR(om_udp_open(&r.a.udp, &c, &err), OM_E_RANGE);
    }
    c = rig_config(&r, &r.a);
    c.bind4 = om_addr_v4(0xcb007107, 0); /* 203.0.113.7 is of no interface */
    OM_TRY(om_udp_open(&r.a.udp, &c, &err) != OM_E_NO_MEM);
    CHECK_ERR(err.code, OM_E_MISSING);
    CHECK(strstr(err.msg, "203.0.113.7") != NULL);
    c.bind4 = om_addr_v4(LOOPBACK, 0);
    OM_TRY(om_udp_open(&r.a.udp, &c, &err) == OM_OK);
out:
    rig_fini(&r);
}

OM_TEST(udp_closes_with_data_pending)
{
    struct om_udp_out o[100];
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    for (unsigned i = 0; i < 100; i++)
        o[i] = (struct om_udp_out){.via = to_v4(i % 2 ? &r.a : &r.b),
                                   .bytes = om_bytes(r.pattern, 1000)};
    CHECK_EQ(om_udp_send(r.a.udp, o, 100), 100);
    fault.error = EAGAIN;
    fault.times = 1;
    CHECK_EQ(om_udp_send(r.a.udp, o, 100), 0); /* and with on_writable owed */
    om_udp_close(r.a.udp);
    om_udp_close(r.b.udp);
    r.a.udp = r.b.udp = NULL;
    (void)uv_run(&r.loop, UV_RUN_DEFAULT);
    CHECK_EQ(r.a.count + r.b.count + r.a.writable, 0);
out:
    rig_fini(&r);
}

static void closes_inside_a_batch(bool no_offload)
{
    enum { N = 600 };
    struct om_udp_out o[N];
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, no_offload, 0) == OM_OK);
    for (unsigned i = 0; i < N; i++)
        o[i] = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, 50)};
    /* Batches are full where the kernel joins datagrams; else each is what one call received. */
    unsigned batch = info_of(&r.b).gro ? OM_UDP_BATCH_MAX : UDP_SLOTS_MAX;
    CHECK_EQ(om_udp_send(r.a.udp, o, N), N);
    r.b.close_at = batch + 1;
    (void)rig_until(&r, &r.b.count, 2 * batch);
    (void)uv_run(&r.loop, UV_RUN_NOWAIT);
    CHECK_EQ(r.b.count, 2 * batch); /* though more had been received with them */
    CHECK(r.b.udp == NULL);
out:
    rig_fini(&r);
}

OM_TEST(udp_closes_inside_a_batch)
{
    closes_inside_a_batch(false);
    closes_inside_a_batch(true);
}

OM_TEST(udp_never_fragments)
{
    struct rig r;
    int v = -1;
    socklen_t n = sizeof v;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    CHECK_EQ(getsockopt(r.a.udp->v4.fd, IPPROTO_IP, IP_MTU_DISCOVER, &v, &n), 0);
    CHECK_EQ(v, IP_PMTUDISC_PROBE);
    CHECK_EQ(getsockopt(r.a.udp->v6.fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v, &n), 0);
    CHECK_EQ(v, IPV6_PMTUDISC_PROBE);
out:
    rig_fini(&r);
}
