/* test_pump.c - nodes on real sockets. */
#include "harness.h"

#include <uv.h>

#include <omerta/info.h>

#include "host/clock.h"
#include "host/entropy.h"
#include "host/pump.h"
#include "node/state.h"

enum { PATIENCE_MS = 5000 };

struct side {
    struct om_pump *pump;
    struct om_id id;
    uint8_t seed[32];
    unsigned pongs, delivered, sessions;
    char last[64];
};

struct two {
    uv_loop_t loop;
    uv_timer_t patience;
    bool is_over;
    struct om_network_config net;
    struct side side[2];
    bool (*done)(const struct two *t);
};

static struct two *current;

static void on_act(void *self, const struct om_act *act)
{
    struct side *s = self;

    if (act->kind == OM_ACT_PONG)
        s->pongs++;
    if (act->kind == OM_ACT_EVENT && act->event.kind == OM_EVENT_SESSION_UP)
        s->sessions++;
    if (act->kind == OM_ACT_DELIVER) {
        s->delivered++;
        snprintf(s->last, sizeof s->last, "%.*s", (int)act->deliver.data.n,
                 (const char *)act->deliver.data.p);
    }
    if (current->done && current->done(current))
        uv_stop(&current->loop);
}

static void on_patience(uv_timer_t *t)
{
    struct two *all = t->data;

    all->is_over = true;
    uv_stop(&all->loop);
}

static bool open_side(struct two *t, int i)
{
    struct side *s = &t->side[i];
    struct om_pump_config c = {
        .loop = &t->loop,
        .node = {.home_seed = s->seed, .rng = om_entropy(), .wall = om_clock_wall(), .audit = true},
        .udp = {.v4 = true, .v6 = true, .bind4 = om_addr_v4(0x7f000001, 0)},
        .on_act = on_act,
        .self = s};

    memset(s->seed, 0x21 + i, sizeof s->seed);
    c.udp.bind6.ip[15] = 1; /* ::1 */
    om_limits_default(&c.node.limits);
    if (om_pump_open(&s->pump, &c, NULL) != OM_OK)
        return false;
    if (om_node_join(om_pump_node(s->pump), &t->net, NULL) != OM_OK)
        return false;
    s->id = *om_node_id(om_pump_node(s->pump), &t->net.id);
    return true;
}

static bool open_two(struct two *t)
{
    *t = (struct two){.is_over = false};
    current = t;
    om_network_default(&t->net);
    t->net.gossip = false;
    CHECK_EQ(uv_loop_init(&t->loop), 0);
    CHECK_EQ(uv_timer_init(&t->loop, &t->patience), 0);
    t->patience.data = t;
    CHECK_EQ(uv_timer_start(&t->patience, on_patience, PATIENCE_MS, 0), 0);
    return open_side(t, 0) && open_side(t, 1);
}

static void close_two(struct two *t)
{
    for (int i = 0; i < 2; i++)
        if (t->side[i].pump)
            om_pump_close(t->side[i].pump);
    uv_close((uv_handle_t *)&t->patience, NULL);
    t->done = NULL;
    (void)uv_run(&t->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&t->loop), 0);
}

static struct om_addr addr_of(const struct two *t, int i, bool v6)
{
    struct om_udp_info info;
    struct om_addr a = om_addr_v4(0x7f000001, 0);

    om_udp_info(om_pump_udp(t->side[i].pump), &info);
    if (v6)
        a = (struct om_addr){.ip = {[15] = 1}};
    a.port = info.port;
    return a;
}

static void run_until(struct two *t, bool (*done)(const struct two *t))
{
    t->done = done;
    if (!done(t))
        (void)uv_run(&t->loop, UV_RUN_DEFAULT);
}

static bool has_pong(const struct two *t)
{
    return t->side[0].pongs > 0 && t->side[1].delivered > 0;
}

static void talk(bool v6)
{
    struct two t;

    if (open_two(&t)) {
        struct om_node *n = om_pump_node(t.side[0].pump);
        const struct om_addr to = addr_of(&t, 1, v6);
        enum om_err e = om_node_connect(n, om_clock_now(), &t.net.id, &t.side[1].id, &to, 1);
        if (e == OM_OK)
            e = om_node_ping(n, om_clock_now(), &t.net.id, &t.side[1].id, 7);
        if (e == OM_OK)
            e = om_node_send(n, om_clock_now(), &t.net.id, &t.side[1].id, "test",
                             om_bytes("hello", 5));
        if (e == OM_OK) {
            om_pump_kick(t.side[0].pump);
            run_until(&t, has_pong);
            if (!t.is_over)
                CHECK_STR(t.side[1].last, "hello");
        }
        CHECK(e == OM_OK || e == OM_E_NO_MEM || e == OM_E_BUSY || e == OM_E_FULL);
        CHECK(!t.is_over || om_test_oom_hit());
    }
    close_two(&t);
}

OM_TEST(pump_two_nodes_talk)
{
    talk(false);
    talk(true);
}

static bool is_never(const struct two *t OM_UNUSED)
{
    return false;
}

OM_TEST(pump_timer_wakes_in_time)
{
    const struct om_addr nowhere = om_addr_v4(0x7f000001, 9);
    struct om_pump_info before, after;
    struct two t;

    if (open_two(&t)) {
        /* Initiations go out at 0, 0.5 and 1.5 s (+-20 %) when nobody answers. */
        enum om_err e = om_node_connect(om_pump_node(t.side[0].pump), om_clock_now(), &t.net.id,
                                        &t.side[1].id, &nowhere, 1);
        om_pump_info(t.side[0].pump, &before);
        om_pump_kick(t.side[0].pump);
        CHECK_EQ(uv_timer_start(&t.patience, on_patience, 2000, 0), 0);
        run_until(&t, is_never);
        om_pump_info(t.side[0].pump, &after);
        struct om_node_info info;
        om_node_info(om_pump_node(t.side[0].pump), &info);
        if (e == OM_OK && !om_test_oom_hit()) {
            CHECK_EQ(info.initiations_out, 3);
            CHECK(after.timers - before.timers >= 2 && after.timers - before.timers <= 8);
        }
    }
    close_two(&t);
}

OM_TEST(pump_stops_with_datagrams_under_way)
{
    struct two t;

    if (open_two(&t)) {
        const struct om_addr to = addr_of(&t, 1, false);
        struct om_node *n = om_pump_node(t.side[0].pump);
        if (om_node_connect(n, om_clock_now(), &t.net.id, &t.side[1].id, &to, 1) == OM_OK)
            for (int i = 0; i < 10; i++)
                (void)!om_node_send(n, om_clock_now(), &t.net.id, &t.side[1].id, "test",
                                    om_bytes("x", 1));
    }
    close_two(&t); /* nothing leaks, nothing is used that is gone: the sanitizer says */
}

OM_TEST(pump_idle_sleeps)
{
    struct om_pump_info info;
    struct two t;

    if (open_two(&t)) {
        CHECK_EQ(uv_timer_start(&t.patience, on_patience, 500, 0), 0);
        run_until(&t, is_never);
        om_pump_info(t.side[0].pump, &info);
        CHECK(info.wakeups <= 1);
    }
    close_two(&t);
}

/* The node asks its driver to send one over @socket to @to with @ttl. */
static bool ask(struct om_node *n, uint32_t socket, const struct om_addr *to, uint8_t ttl)
{
    static const uint8_t body[OM_HANDSHAKE_BODY_MAX];
    struct om_handshake_fields f = {.kind = OM_HANDSHAKE_INIT,
                                    .body = om_bytes(body, sizeof body),
                                    .size_max = OM_HANDSHAKE_MAX};
    struct om_buf *b = node_plain(n);
    struct om_sealed *d;

    if (!b || om_sealed_handshake(&d, b, n->networks[0]->current, &f, om_bytes(NULL, 0), &n->rng) !=
                  OM_OK) {
        om_pool_give(n->pool, b);
        return false;
    }
    struct om_act *a = node_act(n, OM_ACT_SEND);
    if (a)
        a->send =
            (struct om_act_send){.dgram = d, .via = {.remote = *to, .socket = socket}, .ttl = ttl};
    else
        om_node_sent(n, d);
    return a != NULL;
}

OM_TEST(pump_opens_and_closes_sockets)
{
    struct om_udp_info info;
    struct two t;

    if (open_two(&t)) {
        const struct om_addr to = addr_of(&t, 1, false);
        struct om_node *n = om_pump_node(t.side[0].pump);
        uint32_t first = node_sockets_open(n, 3);
        bool is_asked = first != 0 && ask(n, first, &to, 0) && ask(n, first + 1, &to, 9);
        node_sockets_close(n, first, 3, first); /* what was to go over them goes before */
        om_pump_kick(t.side[0].pump);
        om_udp_info(om_pump_udp(t.side[0].pump), &info);
        if (is_asked && !om_test_oom_hit()) {
            CHECK_EQ(info.sockets, 1);
            CHECK_EQ(info.datagrams_out, 2);
            CHECK_EQ(info.openers, 1);
            CHECK_EQ(info.send_errors, 0);
        }
        if (is_asked && ask(n, first + 1, &to, 0)) {
            om_pump_kick(t.side[0].pump);
            om_udp_info(om_pump_udp(t.side[0].pump), &info);
            CHECK(info.send_errors == 1 || om_test_oom_hit());
        }
    }
    close_two(&t);
}
