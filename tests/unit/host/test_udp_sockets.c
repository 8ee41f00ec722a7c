/* test_udp_sockets.c - further sockets: ports, bounds, closings. */
#include "udp_rig.h"

#include <sys/resource.h>

enum { SOME = 3 };

/* The datagram of the rig's end a to @via. */
static struct om_udp_out one(const struct rig *r, struct om_via via, uint32_t socket)
{
    via.socket = socket;
    return (struct om_udp_out){.via = via, .bytes = om_bytes(r->pattern, 100)};
}

static void open_some(const struct end *e, uint32_t first, unsigned count)
{
    om_udp_sockets(e->udp, first, count, true);
}

OM_TEST(udp_sockets_have_ports_of_their_own)
{
    struct om_udp_out o[2 * SOME + 2];
    unsigned n = 0, heard = 0;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    open_some(&r.a, OM_SOCKET_FIRST, SOME);
    open_some(&r.a, OM_SOCKET_FIRST, SOME); /* they are open */
    CHECK_EQ(info_of(&r.a).sockets, 0);     /* but not yet used */
    for (uint32_t i = 0; i < SOME; i++) {
        o[n++] = one(&r, to_v4(&r.b), OM_SOCKET_FIRST + i);
        if (info_of(&r.b).has_v6)
            o[n++] = one(&r, to_v6(&r.b), OM_SOCKET_FIRST + i);
    }
    o[n++] = one(&r, to_v4(&r.b), 0);
    CHECK_EQ(om_udp_send(r.a.udp, o, n), n);
    CHECK_EQ(info_of(&r.a).sockets, n - 1);
    CHECK_EQ(info_of(&r.a).send_errors, 0);
    CHECK(rig_until(&r, &r.b.count, n));
    for (unsigned i = 0; i < n; i++) {
        const struct om_via *from = &r.b.kept[i].via;
        CHECK_EQ(from->socket, 0);
        for (unsigned j = 0; j < i; j++)
            CHECK(!om_addr_equal(&from->remote, &r.b.kept[j].via.remote));
        heard += from->remote.port == info_of(&r.a).port && om_addr_is_v4(&from->remote);
    }
    CHECK_EQ(heard, 1);
    for (unsigned i = 0; i < n; i++) {
        struct om_udp_out back = {.via = r.b.kept[i].via, .bytes = om_bytes(r.pattern, i + 1)};
        CHECK_EQ(om_udp_send(r.b.udp, &back, 1), 1);
        CHECK(rig_until(&r, &r.a.count, i + 1));
        CHECK_EQ(r.a.kept[i].len, i + 1);
    }
    bool was_seen[SOME + 1] = {false};
    for (unsigned i = 0; i < n; i++) {
        uint32_t s = r.a.kept[i].via.socket;
        CHECK(s == 0 || (s >= OM_SOCKET_FIRST && s < OM_SOCKET_FIRST + SOME));
        was_seen[s == 0 ? SOME : s - OM_SOCKET_FIRST] = true;
    }
    for (unsigned i = 0; i <= SOME; i++)
        CHECK(was_seen[i]);
out:
    rig_fini(&r);
}

OM_TEST(udp_sockets_close_with_what_waits)
{
    struct om_udp_out o;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    open_some(&r.a, OM_SOCKET_FIRST + 7, 2);
    o = one(&r, to_v4(&r.b), OM_SOCKET_FIRST + 7);
    fault.error = EAGAIN;
    fault.times = 1;
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 0);
    CHECK_EQ(r.a.writable, 0);
    om_udp_sockets(r.a.udp, OM_SOCKET_FIRST, OM_SOCKETS_MAX, false);
    CHECK_EQ(info_of(&r.a).sockets, 0);
    CHECK(rig_until(&r, &r.a.writable, 1)); /* or what waits behind it would wait for ever */
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK_EQ(info_of(&r.a).send_errors, 1);
    CHECK_EQ(info_of(&r.a).datagrams_out, 0);
    open_some(&r.a, OM_SOCKET_FIRST + 7, 1);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    CHECK_EQ(info_of(&r.a).send_errors, 1);
out:
    rig_fini(&r);
}

static void close_them(void *self, struct om_dgram *batch, unsigned count)
{
    struct end *e = self;

    on_batch(self, batch, count);
    om_udp_sockets(e->udp, OM_SOCKET_FIRST, SOME, false);
}

OM_TEST(udp_sockets_close_inside_a_batch)
{
    enum { N = 2 * UDP_SLOTS_MAX };
    struct om_udp_out o;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, true, 0) == OM_OK);
    r.a.udp->config.on_batch = close_them;
    open_some(&r.a, OM_SOCKET_FIRST, SOME);
    o = one(&r, to_v4(&r.b), OM_SOCKET_FIRST);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    for (unsigned i = 0; i < N; i++) {
        struct om_udp_out back = {.via = r.b.kept[0].via, .bytes = om_bytes(r.pattern, 10)};
        CHECK_EQ(om_udp_send(r.b.udp, &back, 1), 1);
    }
    CHECK(rig_until(&r, &r.a.count, UDP_SLOTS_MAX)); /* of two calls' worth the first */
    CHECK_EQ(info_of(&r.a).sockets, 0);
    o = one(&r, to_v4(&r.b), 0);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 2));
    CHECK_EQ(r.a.count, UDP_SLOTS_MAX);
out:
    rig_fini(&r);
}

OM_TEST(udp_sockets_are_bounded)
{
    struct om_udp_out o;
    struct rig r;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    open_some(&r.a, 5, 1); /* no number of a further one */
    open_some(&r.a, OM_SOCKET_FIRST, OM_SOCKETS_MAX + SOME);
    CHECK_EQ(r.a.udp->extra_count, OM_SOCKETS_MAX);
    CHECK_EQ(info_of(&r.a).sockets_lost, SOME);
    o = one(&r, to_v4(&r.b), OM_SOCKET_FIRST + OM_SOCKETS_MAX);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK_EQ(info_of(&r.a).send_errors, 1);
    om_udp_sockets(r.a.udp, OM_SOCKET_FIRST + 1, OM_SOCKETS_MAX - 2, false);
    CHECK_EQ(r.a.udp->extra_count, 2);
    o = one(&r, to_v4(&r.b), OM_SOCKET_FIRST + OM_SOCKETS_MAX - 1);
    CHECK_EQ(om_udp_send(r.a.udp, &o, 1), 1);
    CHECK(rig_until(&r, &r.b.count, 1));
    open_some(&r.a, OM_SOCKET_FIRST + 1, 1); /* between those that stayed */
    CHECK_EQ(r.a.udp->extras[1]->number, OM_SOCKET_FIRST + 1);
    CHECK_EQ(r.a.udp->extras[2]->number, OM_SOCKET_FIRST + OM_SOCKETS_MAX - 1);
out:
    rig_fini(&r);
}

static void count_line(void *self, enum om_level level, const char *line)
{
    unsigned *lines = self;

    CHECK_EQ(level, OM_LOG_WARN);
    CHECK(strstr(line, "no further socket") != NULL);
    ++*lines;
}

OM_TEST(udp_sockets_without_descriptors)
{
    enum { N = 20, ROOM = 4 };
    struct rlimit before, few;
    unsigned lines = 0;
    struct om_log log = {.level = OM_LOG_DEBUG, .sink = count_line, .self = &lines};
    struct om_udp_out o[N];
    struct rig r;
    int next;

    rig_init(&r);
    OM_TRY(rig_open(&r, false, 0) == OM_OK);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    r.a.udp->config.log = &log;
    open_some(&r.a, OM_SOCKET_FIRST, N);
    for (unsigned i = 0; i < N; i++)
        o[i] = one(&r, to_v4(&r.b), OM_SOCKET_FIRST + i);
    next = dup(r.a.udp->v4.fd);
    CHECK_EQ(close(next), 0);
    few = before;
    few.rlim_cur = (rlim_t)next; /* none at all */
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    CHECK_EQ(om_udp_send(r.a.udp, o, 1), 1);
    CHECK_EQ(info_of(&r.a).sockets_lost, 1);
    few.rlim_cur = (rlim_t)next + OM_UDP_SPARE_FDS + ROOM;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    CHECK_EQ(om_udp_send(r.a.udp, o, N), N);
    CHECK_EQ(info_of(&r.a).sockets, ROOM);
    CHECK_EQ(info_of(&r.a).sockets_lost, N - ROOM);
    CHECK_EQ(info_of(&r.a).send_errors, 1 + N - ROOM);
    CHECK_EQ(lines, 1);
    CHECK(rig_until(&r, &r.b.count, ROOM));
    CHECK_EQ(om_udp_send(r.a.udp, o, N), N); /* nobody tries again */
    CHECK_EQ(info_of(&r.a).sockets_lost, N - ROOM);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
out:
    rig_fini(&r);
}
