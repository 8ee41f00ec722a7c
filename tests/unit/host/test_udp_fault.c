/* test_udp_fault.c - UDP sockets when something is in the way. */
#include "udp_rig.h"

#include <stdio.h>

enum { RUN = 20, RUN_SIZE = 1200 };

/* @n equal datagrams to @to. */
static void run_to(const struct rig *r, struct om_via to, struct om_udp_out *o, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        o[i] = (struct om_udp_out){.via = to, .bytes = om_bytes(r->pattern + i, RUN_SIZE)};
}

/* What @e heard from @from on is @o. */
static void check_run(const struct end *e, unsigned from, const struct om_udp_out *o, unsigned n)
{
    CHECK_EQ(e->count, from + n);
    for (unsigned i = 0; i < n; i++)
        CHECK_EQ(e->kept[from + i].sum, sum_of(o[i].bytes.p, o[i].bytes.n));
}

OM_TEST(udp_falls_back_when_segmentation_fails)
{
    static const int errors[] = {EIO, EINVAL, EOPNOTSUPP};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(errors); i++) {
        struct om_udp_out o[RUN];
        struct om_udp_info before, after;
        struct rig r;

        rig_init(&r);
        OM_TRY(rig_open(&r, false, 0) == OM_OK);
        run_to(&r, to_v4(&r.b), o, RUN);
        before = info_of(&r.a);
        CHECK_EQ(om_udp_send(r.a.udp, o, RUN), RUN);
        CHECK(rig_until(&r, &r.b.count, RUN));
        CHECK_EQ(info_of(&r.a).gso, before.gso); /* nothing wrong yet */

        fault.error = errors[i];
        fault.only_joined = true;
        fault.times = UINT32_MAX;
        CHECK_EQ(om_udp_send(r.a.udp, o, RUN), RUN);
        CHECK(rig_until(&r, &r.b.count, 2 * RUN));
        check_run(&r.b, RUN, o, RUN);
        after = info_of(&r.a);
        CHECK(!after.gso);
        CHECK_EQ(after.send_errors, 0);
        CHECK_EQ(om_udp_send(r.a.udp, o, RUN), RUN); /* one call for all again, without runs */
        CHECK_EQ(info_of(&r.a).send_calls, after.send_calls + 1);
    out:
        rig_fini(&r);
    }
}

OM_TEST(udp_blames_the_datagram_not_the_kernel)
{
    struct om_udp_out o[RUN + 1];
    struct om_via nowhere;
    struct rig r;
    bool had;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    had = info_of(&r.a).gso;
    nowhere = to_v4(&r.b);
    nowhere.remote.port = 0; /* EINVAL, as a run and alone */
    run_to(&r, nowhere, o, RUN);
    o[RUN] = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, RUN_SIZE)};
    CHECK_EQ(om_udp_send(r.a.udp, o, RUN + 1), RUN + 1);
    CHECK_EQ(info_of(&r.a).send_errors, RUN);
    CHECK_EQ(info_of(&r.a).gso, had);
    CHECK(rig_until(&r, &r.b.count, 1));

    fault.error = EMSGSIZE; /* too long for the route: says nothing of the kernel either */
    fault.only_joined = true;
    fault.times = 1;
    run_to(&r, to_v4(&r.b), o, RUN);
    CHECK_EQ(om_udp_send(r.a.udp, o, RUN), RUN);
    CHECK(rig_until(&r, &r.b.count, 1 + RUN));
    check_run(&r.b, 1, o, RUN);
    CHECK_EQ(info_of(&r.a).gso, had);
out:
    rig_fini(&r);
}

OM_TEST(udp_bad_destinations_are_dropped_and_counted)
{
    struct om_udp_config c;
    struct om_udp_out o[6];
    struct rig r;

    rig_init(&r);
    c = rig_config(&r, &r.a);
    c.v6 = false;
    OM_TRY(om_udp_open(&r.a.udp, &c, NULL) == OM_OK);
    c.self = &r.b;
    OM_TRY(om_udp_open(&r.b.udp, &c, NULL) == OM_OK);
    for (unsigned i = 0; i < 6; i++)
        o[i] = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, 100 + i)};
    memset(o[1].via.remote.ip, 0, 16); /* ::1, and IPv6 is not open */
    o[1].via.remote.ip[15] = 1;
    o[2].via.remote.port = 0;
    o[3].bytes.n = 65508;                        /* one more than a datagram of IPv4 has room for */
    o[4].via.remote = om_addr_v4(0xefc00707, 7); /* 239.192.7.7, and no interfaces are set */
    CHECK_EQ(om_udp_send(r.a.udp, o, 6), 6);
    CHECK(rig_until(&r, &r.b.count, 2));
    CHECK_EQ(r.b.kept[0].len, 100);
    CHECK_EQ(r.b.kept[1].len, 105);
    CHECK_EQ(info_of(&r.a).send_errors, 4);
    CHECK_EQ(info_of(&r.a).datagrams_out, 2);
out:
    rig_fini(&r);
}

OM_TEST(udp_refusal_of_an_earlier_datagram_costs_no_other)
{
    struct om_udp_out o;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    o = (struct om_udp_out){.via = to_v6(&r.b), .bytes = om_bytes(r.pattern, 7)};
    fault.error = ECONNREFUSED;
    fault.times = 1;
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    CHECK_EQ(info_of(&r.a).send_errors, 0);
    fault.times = 2; /* twice for the same datagram: it is meant */
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK_EQ(info_of(&r.a).send_errors, 1);
out:
    rig_fini(&r);
}

OM_TEST(udp_full_socket_asks_to_wait)
{
    enum { N = 3 * UDP_MESSAGES_MAX };
    static struct om_udp_out o[N];
    unsigned done;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, true, 0) == OM_OK);
    for (unsigned i = 0; i < N; i++) /* short, so that small buffers hold them all */
        o[i] = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern + i, 50)};
    fault.error = EAGAIN; /* loopback takes all at once, so no real socket gets full here */
    fault.after = 2;
    fault.times = 1;
    done = om_udp_send(r.a.udp, o, N);
    CHECK_EQ(done, 2 * UDP_MESSAGES_MAX);
    CHECK_EQ(r.a.writable, 0);
    CHECK(rig_until(&r, &r.a.writable, 1));
    CHECK_EQ(om_udp_send(r.a.udp, o + done, N - done), N - done);
    CHECK(rig_until(&r, &r.b.count, N));
    check_run(&r.b, 0, o, N);
    CHECK_EQ(r.a.writable, 1); /* once */
    CHECK_EQ(info_of(&r.a).send_errors, 0);
out:
    rig_fini(&r);
}

OM_TEST(udp_no_buffers_rests_before_trying_again)
{
    struct om_udp_out o;
    unsigned turns = 0;
    uint64_t from;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    o = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, 7)};
    fault.error = ENOBUFS;
    fault.times = 1;
    from = uv_now(&r.loop);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 0);
    for (; r.a.writable == 0 && turns < 100; turns++)
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    CHECK_EQ(r.a.writable, 1);
    CHECK(turns <= 2); /* the loop slept meanwhile: a writable socket would have woken it at once */
    CHECK(uv_now(&r.loop) - from >= OM_UDP_REST_MS);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
out:
    rig_fini(&r);
}

OM_TEST(udp_truncated_datagrams_are_counted)
{
    struct om_udp_out o[3];
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, true, 0) == OM_OK);
    o[0] =
        (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, OM_UDP_WHOLE_MAX + 1)};
    o[1] = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, OM_UDP_WHOLE_MAX)};
    CHECK_EQ(om_udp_send(r.a.udp, o, 2), 2);
    CHECK(rig_until(&r, &r.b.count, 1));
    CHECK_EQ(r.b.kept[0].len, OM_UDP_WHOLE_MAX);
    CHECK_EQ(info_of(&r.b).truncated, 1);
    CHECK_EQ(info_of(&r.b).datagrams_in, 1);
out:
    rig_fini(&r);
}

/* A datagram with traffic class @tc from a plain socket to port @port. */
static void send_marked(bool is_v6, uint16_t port, int tc)
{
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    union udp_name to = {0};

    if (is_v6)
        to.v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    else
        to.v4 = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    CHECK(fd >= 0);
    CHECK_EQ(setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_TCLASS : IP_TOS, &tc,
                        sizeof tc),
             0);
    CHECK_EQ(sendto(fd, "x", 1, 0, &to.any, is_v6 ? sizeof to.v6 : sizeof to.v4), 1);
    (void)close(fd);
}

OM_TEST(udp_counts_congestion_marks)
{
    static const int classes[] = {0, 1, 2, 3, 0xb8 | 3}; /* RFC 3168 section 5; EF with CE */
    unsigned sent = 0;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(classes); i++) {
        uint64_t before = info_of(&r.b).ecn_ce;

        send_marked(false, info_of(&r.b).port, classes[i]);
        send_marked(true, info_of(&r.b).port6, classes[i]);
        CHECK(rig_until(&r, &r.b.count, sent += 2));
        CHECK_EQ(info_of(&r.b).ecn_ce - before, (classes[i] & 3) == 3 ? 2 : 0);
    }
out:
    rig_fini(&r);
}

OM_TEST(udp_counts_what_the_kernel_dropped)
{
    enum { N = 200 };
    struct om_udp_out o[N];
    struct om_udp_info i;
    unsigned heard;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, true, 16384) == OM_OK);
    CHECK(info_of(&r.b).rcvbuf >= 16384 && info_of(&r.b).rcvbuf <= 65536);
    CHECK(info_of(&r.a).sndbuf >= 16384 && info_of(&r.a).sndbuf <= 65536);
    run_to(&r, to_v4(&r.b), o, N);
    CHECK_EQ(om_udp_send(r.a.udp, o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    CHECK_EQ(info_of(&r.b).kernel_drops, 0);
    for (unsigned at = 0; at < N;) /* while nobody reads */
        at += om_udp_send(r.a.udp, o + at, N - at);
    (void)uv_run(&r.loop, UV_RUN_NOWAIT);
    heard = r.b.count;
    CHECK(heard < 1 + N);
    for (unsigned k = 1; k <= 2; k++) { /* the next one tells, and the one after it adds nothing */
        CHECK_EQ(om_udp_send(r.a.udp, o, 1), 1);
        CHECK(rig_until(&r, &r.b.count, heard + k));
        i = info_of(&r.b);
        CHECK_EQ(i.kernel_drops + i.datagrams_in, 1 + N + k);
    }
out:
    rig_fini(&r);
}

/* With IP_RECVERR an ICMP refusal stays on the socket, which makes it "readable" until it is
 * taken away; libuv gives up such a socket. Ours never asks for that, other errors do the same. */
OM_TEST(udp_pending_errors_do_not_spin)
{
    struct om_udp_out bad, good;
    struct udp_family *f;
    unsigned errors = 0;
    int on = 1;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    f = &r.a.udp->v4;
    CHECK_EQ(setsockopt(f->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    bad = good = (struct om_udp_out){.via = to_v4(&r.b), .bytes = om_bytes(r.pattern, 7)};
    om_udp_close(r.b.udp); /* nobody there */
    r.b.udp = NULL;
    good.via = to_v4(&r.a);
    for (; !f->is_resting && errors < 100; errors++) {
        CHECK_EQ(om_udp_send(r.a.udp, &bad, 1), 1);
        (void)uv_run(&r.loop, UV_RUN_ONCE);
    }
    CHECK(f->is_resting);
    CHECK(info_of(&r.a).recv_errors >= UDP_ERRORS_IN_ROW_MAX);
    CHECK(errors < 100);
    CHECK(uv_is_active((uv_handle_t *)&r.a.udp->rest));
    CHECK(!uv_is_active((uv_handle_t *)&f->poll));
    CHECK_EQ(om_udp_send(r.a.udp, &good, 1), 1); /* heard after the rest */
    CHECK(rig_until(&r, &r.a.count, 1));
    CHECK(!f->is_resting);
out:
    rig_fini(&r);
}

OM_TEST(udp_one_wake_up_is_bounded)
{
    enum { N = 1000 };
    static struct om_udp_out o[N];
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, true, 0) == OM_OK);
    if (info_of(&r.b).rcvbuf < OM_UDP_BUFFER_BYTES) {
        fprintf(stderr, "too little receive buffer for this user: not tested\n");
        goto out;
    }
    run_to(&r, to_v4(&r.b), o, N);
    CHECK_EQ(om_udp_send(r.a.udp, o, N), N);
    (void)uv_run(&r.loop, UV_RUN_NOWAIT);
    CHECK_EQ(r.b.count, OM_UDP_RECEIVES_MAX * UDP_SLOTS_MAX);
    CHECK(rig_until(&r, &r.b.count, N));
    CHECK_EQ(r.b.widest, UDP_SLOTS_MAX);
out:
    rig_fini(&r);
}

static unsigned refusals;
static size_t refused_bytes;

static void on_refused(void *self OM_UNUSED, const struct om_via *via, size_t bytes)
{
    CHECK(via->remote.port != 0);
    refusals++;
    refused_bytes = bytes;
}

OM_TEST(udp_tells_what_is_too_long)
{
    struct om_udp_config c;
    struct om_udp_out o[3];
    struct rig r;

    rig_init(&r);
    refusals = 0;
    c = rig_config(&r, &r.a);
    c.on_refused = on_refused;
    OM_TRY(om_udp_open(&r.a.udp, &c, NULL) == OM_OK);
    c.self = &r.b;
    OM_TRY(om_udp_open(&r.b.udp, &c, NULL) == OM_OK);
    run_to(&r, to_v4(&r.b), o, 3);
    o[1].bytes.n = RUN_SIZE + 300;
    o[1].is_alone = true;
    CHECK_EQ(om_udp_send(r.a.udp, o, 3), 3);
    CHECK(rig_until(&r, &r.b.count, 3)); /* what is not refused is not told */
    CHECK_EQ(refusals, 0);
    fault.error = EMSGSIZE;
    fault.times = 1;
    CHECK_EQ(om_udp_send(r.a.udp, o + 1, 2), 2);
    CHECK(rig_until(&r, &r.b.count, 4));
    CHECK(refusals == 1 && refused_bytes == RUN_SIZE + 300);
    CHECK_EQ(info_of(&r.a).send_errors, 1);
out:
    rig_fini(&r);
}

OM_TEST(udp_joins_nothing_to_what_goes_alone)
{
    struct om_udp_out o[RUN];
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    run_to(&r, to_v4(&r.b), o, RUN);
    o[0].is_alone = o[RUN / 2].is_alone = true;
    fault.error = EMSGSIZE; /* a run meets it, and none has these */
    fault.only_joined = true;
    fault.times = UINT32_MAX;
    CHECK_EQ(om_udp_send(r.a.udp, o, 1), 1);
    CHECK_EQ(om_udp_send(r.a.udp, o + RUN / 2 - 1, 3), 3);
    CHECK_EQ(fault.times, UINT32_MAX);
    CHECK_EQ(info_of(&r.a).send_calls, 2);
    CHECK_EQ(om_udp_send(r.a.udp, o + 1, 3), 3); /* control: these are joined */
    CHECK(fault.times != UINT32_MAX || !info_of(&r.a).gso);
    CHECK(rig_until(&r, &r.b.count, 7));
out:
    rig_fini(&r);
}
