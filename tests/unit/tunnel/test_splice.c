/* test_splice.c - sockets joined to calls between two nodes on loopback. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <omerta/node.h>

#include "host/clock.h"
#include "host/entropy.h"
#include "tunnel/host/splice.h"

enum { PATIENCE_MS = 20000, BIG = 1024 * 1024, TURNS_WITHOUT_MEMORY = 100, RATE = 8 * 1024 * 1024 };

/* Who has a rate: nobody; the first, each way; both, together, what their sockets say. */
enum shaping { FREE, FIRST, TOGETHER };

/* A node, and the test's own end of the socket that is joined to its call. */
struct side {
    struct om_pump *pump;
    struct om_calls *calls;
    struct om_id id;
    struct om_call_owner owner;
    struct om_splice *splice;
    struct om_shape *from, *to;
    struct om_splice_end end;
    uint64_t call;
    uint8_t seed[32];
    uint64_t wrote, read; /* by the test */
    unsigned ends;
    int fd; /* the test's own end */
    bool is_full, is_eof;
};

struct two {
    uv_loop_t loop;
    uv_timer_t patience;
    uv_idle_t idle; /* keeps the loop turning, so that the test can look */
    struct om_network_config net;
    struct side side[2];
    struct om_shape *shapes[2];
    unsigned turns;
    bool is_late;
};

static struct two *current;

static void on_end(void *self, const struct om_splice_end *end)
{
    struct side *s = self;

    s->splice = NULL;
    s->end = *end;
    s->ends++;
}

/* The call of @s goes to a socket, of which the test has the other end. */
static void join(struct side *s, const char *first)
{
    struct om_splice_config c = {.calls = s->calls,
                                 .owner = &s->owner,
                                 .from_socket = s->from,
                                 .to_socket = s->to,
                                 .on_end = on_end,
                                 .self = s};
    int fds[2];

    c.socket = calloc(1, sizeof *c.socket);
    if (!c.socket || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0 ||
        uv_pipe_init(&current->loop, &c.socket->pipe, 0) < 0 ||
        uv_pipe_open(&c.socket->pipe, fds[0]) < 0) {
        free(c.socket);
        CHECK(false);
        return;
    }
    s->fd = fds[1];
    OM_TRY(om_splice_new(&s->splice, &c) == OM_OK);
    OM_TRY(om_splice_push(s->splice, om_bytes(first, strlen(first))) == OM_OK);
    om_splice_start(s->splice);
out:;
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    CHECK(r->is_ok);
    join(OM_CONTAINER_OF(o, struct side, owner), "before ");
}

static void on_stream(struct om_call_owner *o OM_UNUSED, const struct om_act_stream *n OM_UNUSED)
{
}

static void on_act(void *self, const struct om_act *act)
{
    struct side *s = self;

    if (act->kind == OM_ACT_CALL) {
        s->call = act->call.call;
        OM_TRY(om_calls_take(s->calls, act->call.call, &s->owner) == OM_OK);
        OM_TRY(om_node_accept(om_calls_node(s->calls), om_clock_now(), act->call.call,
                              om_bytes(NULL, 0)) == OM_OK);
        join(s, "");
    } else if (act->kind == OM_ACT_REPLY || act->kind == OM_ACT_STREAM) {
        if (act->kind == OM_ACT_REPLY)
            s->call = act->reply.call;
        om_calls_act(s->calls, act);
    }
out:;
}

static void on_patience(uv_timer_t *t OM_UNUSED)
{
    current->is_late = true;
}

static void on_idle(uv_idle_t *i OM_UNUSED)
{
}

static bool open_side(struct two *t, int i)
{
    struct side *s = &t->side[i];
    struct om_pump_config c = {
        .loop = &t->loop,
        .node = {.home_seed = s->seed, .rng = om_entropy(), .wall = om_clock_wall()},
        .udp = {.v4 = true, .bind4 = om_addr_v4(0x7f000001, 0)},
        .on_act = on_act,
        .self = s};

    s->fd = -1;
    s->owner = (struct om_call_owner){.on_reply = on_reply, .on_stream = on_stream};
    memset(s->seed, 0x31 + i, sizeof s->seed);
    om_limits_default(&c.node.limits);
    if (om_pump_open(&s->pump, &c, NULL) != OM_OK)
        return false;
    if (om_calls_new(&s->calls, s->pump) != OM_OK ||
        om_node_join(om_pump_node(s->pump), &t->net, NULL) != OM_OK)
        return false;
    s->id = *om_node_id(om_pump_node(s->pump), &t->net.id);
    return true;
}

static void turn(struct two *t)
{
    (void)uv_run(&t->loop, UV_RUN_NOWAIT);
    if (om_test_oom_hit() && ++t->turns > TURNS_WITHOUT_MEMORY)
        t->is_late = true; /* what failed need not be waited for */
}

static bool wait_joined(struct two *t)
{
    while (!t->is_late && (!t->side[0].splice || !t->side[1].splice))
        turn(t);
    return !t->is_late;
}

static bool shape(struct two *t, enum shaping how)
{
    for (int i = 0; how != FREE && i < 2; i++)
        if (om_shape_new(&t->shapes[i], &t->loop, RATE) != OM_OK)
            return false;
    t->side[0].from = t->shapes[0];
    if (how == FIRST)
        t->side[0].to = t->shapes[1];
    else
        t->side[1].from = t->shapes[0];
    return true;
}

/* Two sides with a call between them, joined to sockets at both ends. */
static bool open_shaped(struct two *t, enum shaping how)
{
    const struct om_call_config call = {.method = "test"};
    struct om_udp_info udp;

    *t = (struct two){.is_late = false};
    current = t;
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    om_network_default(&t->net);
    t->net.gossip = false;
    if (uv_loop_init(&t->loop) < 0 || uv_timer_init(&t->loop, &t->patience) < 0 ||
        uv_idle_init(&t->loop, &t->idle) < 0 || uv_idle_start(&t->idle, on_idle) < 0 ||
        uv_timer_start(&t->patience, on_patience, PATIENCE_MS, 0) < 0)
        return false;
    if (!open_side(t, 0) || !open_side(t, 1) || !shape(t, how))
        return false;
    om_udp_info(om_pump_udp(t->side[1].pump), &udp);
    const struct om_addr to = om_addr_v4(0x7f000001, udp.port);
    if (om_node_connect(om_calls_node(t->side[0].calls), om_clock_now(), &t->net.id, &t->side[1].id,
                        &to, 1) != OM_OK ||
        om_calls_open(t->side[0].calls, &t->net.id, &t->side[1].id, &call, &t->side[0].owner) !=
            OM_OK)
        return false;
    om_calls_kick(t->side[0].calls);
    return wait_joined(t);
}

static bool open_two(struct two *t)
{
    return open_shaped(t, FREE);
}

static void close_two(struct two *t)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &t->side[i];
        if (s->splice)
            om_splice_close(s->splice, OM_CLOSE_CANCELLED);
        if (s->calls)
            om_calls_hang_up(s->calls, &s->owner, OM_CLOSE_CANCELLED);
        if (s->fd >= 0)
            (void)close(s->fd);
        om_calls_free(s->calls);
        if (s->pump)
            om_pump_close(s->pump);
    }
    for (int i = 0; i < 2; i++)
        om_shape_free(t->shapes[i]);
    uv_close((uv_handle_t *)&t->patience, NULL);
    uv_close((uv_handle_t *)&t->idle, NULL);
    (void)uv_run(&t->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&t->loop), 0);
}

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 13 + at / 4093);
}

/* Writes up to @all bytes of the pattern as far as the socket takes them. */
static void put(struct side *s, uint64_t all)
{
    uint8_t buf[8192];

    s->is_full = false;
    while (s->wrote < all && !s->is_full) {
        size_t n = all - s->wrote < sizeof buf ? (size_t)(all - s->wrote) : sizeof buf;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(s->wrote + i);
        ssize_t done = send(s->fd, buf, n, MSG_NOSIGNAL);
        s->is_full = done < 0;
        s->wrote += done > 0 ? (uint64_t)done : 0;
    }
}

/* Reads what there is, which must be the pattern from where the last one ended. */
static void get(struct side *s)
{
    uint8_t buf[8192];
    ssize_t n;

    while ((n = read(s->fd, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++, s->read++)
            if (buf[i] != byte_at(s->read)) {
                CHECK(false);
                return;
            }
    s->is_eof = n == 0;
}

/* The first side begins with bytes that came before the socket was handed over. */
static void skip_greeting(struct two *t)
{
    char buf[16];
    ssize_t n = -1;

    while (!t->is_late && n < 0) {
        turn(t);
        n = recv(t->side[1].fd, buf, 7, MSG_WAITALL);
    }
    CHECK_EQ(n, 7);
    CHECK(n == 7 && memcmp(buf, "before ", 7) == 0);
}

/* A call that nobody owns is hung up, so that it cannot stay open for ever. */
OM_TEST(calls_go_to_their_owners)
{
    const struct om_act stray = {.kind = OM_ACT_STREAM,
                                 .stream = {.call = 999, .news = OM_CALL_READABLE}};
    struct two t;

    OM_TRY(open_two(&t));
    om_calls_act(t.side[0].calls, &stray);
    CHECK(t.side[0].splice && !t.side[0].owner.is_open);
    skip_greeting(&t);
out:
    close_two(&t);
}

OM_TEST(splice_pushes_what_was_read_before)
{
    struct two t;

    OM_TRY(open_two(&t));
    skip_greeting(&t);
out:
    close_two(&t);
}

OM_TEST(splice_carries_both_ways)
{
    struct two t;
    struct side *a = &t.side[0], *b = &t.side[1];

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    while (!t.is_late && (a->read < BIG || b->read < BIG)) {
        put(a, BIG);
        put(b, BIG);
        turn(&t);
        get(a);
        get(b);
    }
    CHECK(a->read == BIG && b->read == BIG);
out:
    close_two(&t);
}

/* Carries @bytes each way; how long that took. */
static om_time carry(struct two *t, uint64_t bytes)
{
    struct side *a = &t->side[0], *b = &t->side[1];
    om_time begin = om_clock_now();

    while (!t->is_late && (a->read < bytes || b->read < bytes)) {
        put(a, bytes);
        put(b, bytes);
        turn(t);
        get(a);
        get(b);
    }
    CHECK(a->read == bytes && b->read == bytes);
    return om_clock_now() - begin;
}

/* The shortest time in which so much may go through a shape. */
static om_time least(uint64_t bytes)
{
    return (om_time)((bytes - om_shaper_burst(RATE)) * 1000000 / RATE);
}

OM_TEST(splice_keeps_to_its_rate)
{
    struct two t;

    OM_TRY(open_shaped(&t, FIRST));
    skip_greeting(&t);
    CHECK(carry(&t, BIG) >= least(BIG));
    (void)shutdown(t.side[0].fd, SHUT_WR);
    (void)shutdown(t.side[1].fd, SHUT_WR);
    while (!t.is_late && (t.side[0].ends == 0 || t.side[1].ends == 0))
        turn(&t);
    CHECK_EQ(t.side[0].end.sent, BIG + 7);
    CHECK_EQ(t.side[0].end.received, BIG);
    CHECK(!t.side[0].end.is_reset && !t.side[1].end.is_reset);
out:
    close_two(&t);
}

OM_TEST(splice_shares_a_rate)
{
    struct two t;
    struct side *a = &t.side[0], *b = &t.side[1];

    OM_TRY(open_shaped(&t, TOGETHER));
    skip_greeting(&t);
    om_time begin = om_clock_now();
    while (!t.is_late && a->read + b->read < BIG / 4 * 5) {
        put(a, 1u << 30);
        put(b, 1u << 30);
        turn(&t);
        get(a);
        get(b);
    }
    CHECK(t.is_late || om_clock_now() - begin >= least(BIG / 4 * 5));
    CHECK(a->read > BIG / 8 && b->read > BIG / 8); /* nobody had it for itself */
out:
    close_two(&t);
}

OM_TEST(splice_half_closes_each_way)
{
    struct two t;
    struct side *a = &t.side[0], *b = &t.side[1];

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    put(a, 1000);
    (void)shutdown(a->fd, SHUT_WR);
    while (!t.is_late && !b->is_eof) {
        turn(&t);
        get(b);
    }
    CHECK_EQ(b->read, 1000);
    CHECK(!a->is_eof && a->ends == 0 && b->ends == 0);
    while (!t.is_late && a->read < 100000) { /* the other way still goes */
        put(b, 100000);
        turn(&t);
        get(a);
    }
    CHECK_EQ(a->read, 100000);
    (void)shutdown(b->fd, SHUT_WR);
    while (!t.is_late && (!a->is_eof || a->ends == 0 || b->ends == 0)) {
        turn(&t);
        get(a);
    }
    CHECK(a->ends == 1 && b->ends == 1 && !a->end.is_reset && !b->end.is_reset);
    CHECK_EQ(a->end.sent, 1007);
    CHECK_EQ(b->end.received, 1007);
    CHECK_EQ(a->end.received, 100000);
    CHECK_EQ(b->end.sent, 100000);
out:
    close_two(&t);
}

OM_TEST(splice_reset_goes_through)
{
    struct two t;

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    om_splice_close(t.side[0].splice, OM_CLOSE_CANCELLED);
    t.side[0].splice = NULL;
    om_calls_kick(t.side[0].calls);
    while (!t.is_late && (t.side[1].ends == 0 || !t.side[0].is_eof)) {
        turn(&t);
        get(&t.side[0]);
    }
    CHECK(t.side[1].ends == 1 && t.side[1].end.is_reset);
    CHECK_EQ(t.side[0].ends, 0); /* who closes is not told */
out:
    close_two(&t);
}

/* What a program said before it went is delivered, even if it no longer wanted an answer. */
OM_TEST(splice_last_words_arrive)
{
    struct two t;
    struct side *a = &t.side[0], *b = &t.side[1];

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    put(a, 50000);
    (void)close(a->fd);
    a->fd = -1;
    while (!t.is_late && (b->read < 50000 || a->ends == 0 || b->ends == 0)) {
        put(b, b->ends ? 0 : BIG);
        turn(&t);
        get(b);
    }
    CHECK_EQ(b->read, 50000);
    CHECK(a->ends == 1 && a->end.is_reset);
out:
    close_two(&t);
}

/* When all together have much under way, each may have little. */
OM_TEST(splice_all_together_are_bounded)
{
    struct side *a;
    struct two t;
    unsigned still = 0;

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    a = &t.side[0];
    while (!t.is_late && *om_calls_ahead(a->calls) > 0) /* the greeting */
        turn(&t);
    CHECK_EQ(*om_calls_ahead(a->calls), 0);
    *om_calls_ahead(a->calls) += OM_SPLICE_AHEAD_ALL; /* others */
    while (!t.is_late && still < 300) {
        const uint64_t before = a->wrote;
        put(a, OM_SPLICE_AHEAD);
        turn(&t);
        still = a->wrote == before ? still + 1 : 0;
    }
    CHECK(a->wrote < OM_SPLICE_AHEAD); /* the socket's own buffers, and some blocks */
    *om_calls_ahead(a->calls) -= OM_SPLICE_AHEAD_ALL;
    while (!t.is_late && t.side[1].read < OM_SPLICE_AHEAD) { /* the control */
        put(a, OM_SPLICE_AHEAD);
        turn(&t);
        get(&t.side[1]);
    }
    CHECK_EQ(t.side[1].read, OM_SPLICE_AHEAD);
    while (!t.is_late && *om_calls_ahead(a->calls) > 0)
        turn(&t);
    CHECK_EQ(*om_calls_ahead(a->calls), 0);
out:
    close_two(&t);
}

OM_TEST(splice_slow_reader_holds_back)
{
    const uint64_t endless = 1u << 30;
    struct two t;
    struct side *a = &t.side[0], *b = &t.side[1];
    unsigned still = 0;
    uint64_t before;

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    while (!t.is_late && still < 300) { /* until nothing has moved for a while */
        before = a->wrote;
        put(a, endless);
        turn(&t);
        still = a->wrote == before ? still + 1 : 0;
    }
    CHECK(a->wrote > OM_SPLICE_AHEAD && a->wrote < endless / 4);
    before = a->wrote;
    while (!t.is_late && a->wrote < before + BIG) { /* and on, once it reads */
        get(b);
        put(a, endless);
        turn(&t);
    }
    CHECK(b->read > BIG);
out:
    close_two(&t);
}

/* Puts until nothing has moved for a while. */
static void put_all(struct two *t, struct side *s)
{
    for (unsigned still = 0; !t->is_late && still < 300;) {
        const uint64_t before = s->wrote;
        put(s, 1u << 30);
        turn(t);
        still = s->wrote == before ? still + 1 : 0;
    }
}

/* Tells the splice of @s @times that all it read had left, or that all of it waits. */
static void tell_left(const struct side *s, bool has_left, unsigned times)
{
    struct om_splice_end e;
    struct om_act act = {.kind = OM_ACT_STREAM, .stream = {.news = OM_CALL_RELEASED}};

    if (!s->splice)
        return; /* without memory it ended */
    om_splice_counts(s->splice, &e);
    act.stream.call = s->call;
    act.stream.released = e.sent;
    act.stream.left = has_left ? UINT64_MAX : e.sent;
    while (times-- > 0)
        om_calls_act(s->calls, &act);
}

/* @b reads @bytes more, and @a writes what it can. */
static void get_more(struct two *t, struct side *a, struct side *b, uint64_t bytes)
{
    const uint64_t until = b->read + bytes;

    while (!t->is_late && b->read < until) {
        put(a, 1u << 30);
        turn(t);
        get(b);
    }
    CHECK(b->read >= until);
}

/* More is read while the path runs dry, not when it cannot take what is there; and less again. */
OM_TEST(splice_ahead_follows_the_path)
{
    const uint64_t others = 4 * BIG; /* what credit and the kernel's buffers hold */
    uint64_t before;
    struct two t;
    struct side *a = &t.side[0], *b = &t.side[1];

    OM_TRY(open_two(&t));
    skip_greeting(&t);
    put_all(&t, a);
    before = a->wrote;
    CHECK(before > OM_SPLICE_AHEAD && before < OM_SPLICE_AHEAD + others);
    tell_left(a, false, 2);
    put_all(&t, a);
    CHECK_EQ(a->wrote, before);
    tell_left(a, true, 1);
    get_more(&t, a, b, BIG);
    put_all(&t, a);
    before = a->wrote;
    CHECK(before - b->read > 2 * OM_SPLICE_AHEAD);
    CHECK(before - b->read < 2 * OM_SPLICE_AHEAD + others);
    tell_left(a, false, 2);
    get_more(&t, a, b, 5 * BIG);
    CHECK_EQ(a->wrote, before); /* with room for twice as much it would have read on */
out:
    close_two(&t);
}
