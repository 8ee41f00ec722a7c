/* test_usage.c - what is remembered of who uses what, and when it is forgotten. */
#include "harness.h"

#include "tunnels/usage.h"

enum { RATE = 4096, MOST = 3 };

struct rig {
    struct om_daemon daemon;
    struct tunnels tunnels;
    struct tunnel_rule rules[2];
    bool is_open;
};

static void open_rig(struct rig *r)
{
    memset(r, 0, sizeof *r);
    OM_TRY(uv_loop_init(&r->daemon.loop) == 0);
    r->tunnels.d = &r->daemon;
    om_list_init(&r->tunnels.conns);
    r->is_open = tunnel_usage_init(&r->tunnels);
    for (unsigned i = 0; i < 2; i++)
        r->rules[i] =
            (struct tunnel_rule){.tunnels = &r->tunnels, .number = i + 1, .open_max = MOST};
out:;
}

static void close_rig(struct rig *r)
{
    for (unsigned i = 0; i < 2; i++)
        tunnel_usage_forget(&r->rules[i]);
    tunnel_usage_fini(&r->tunnels);
    (void)uv_run(&r->daemon.loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&r->daemon.loop), 0);
}

static struct om_id peer(unsigned n)
{
    struct om_id id = {{0}};

    id.b[0] = (uint8_t)n;
    id.b[1] = (uint8_t)(n >> 8);
    return id;
}

/* NULL when it is refused. */
static struct tunnel_usage *begin(struct rig *r, unsigned rule, unsigned n)
{
    const struct om_id id = peer(n);
    struct tunnel_usage *u;

    return tunnel_usage_begin(&r->rules[rule], &id, &u) ? u : NULL;
}

OM_TEST(usage_counts_for_each_pair)
{
    const struct om_splice_end end = {.sent = 100, .received = 7};
    struct tunnel_usage *a, *b;
    struct rig r;

    open_rig(&r);
    OM_TRY(r.is_open);
    OM_TRY((a = begin(&r, 0, 1)) && (b = begin(&r, 0, 2)) && begin(&r, 1, 1));
    CHECK(a != b);
    CHECK(begin(&r, 0, 1) == a);
    CHECK_EQ(a->open, 2);
    CHECK_EQ(b->open, 1);
    tunnel_usage_count(a, &end);
    tunnel_usage_end(a);
    tunnel_usage_refuse(a);
    tunnel_usage_end(a);
    CHECK(a->open == 0 && a->total == 2 && a->refused == 1 && a->sent == 100 && a->received == 7);
    CHECK(b->sent == 0 && b->refused == 0);
    tunnel_usage_end(NULL);
    tunnel_usage_refuse(NULL);
    tunnel_usage_count(NULL, &end);
    CHECK(tunnel_usage_send(NULL, 1 << 20) && tunnel_usage_receive(NULL, 1 << 20));
out:
    close_rig(&r);
}

OM_TEST(usage_refuses_one_more_than_a_peer_may_have)
{
    struct tunnel_usage *u = NULL;
    struct rig r;

    open_rig(&r);
    OM_TRY(r.is_open);
    for (unsigned i = 0; i < MOST; i++)
        OM_TRY((u = begin(&r, 0, 1)));
    CHECK(!begin(&r, 0, 1));
    CHECK(u->open == MOST && u->total == MOST + 1 && u->refused == 1);
    CHECK(r.rules[0].failed == 1 && r.rules[0].total == 1);
    CHECK_STR(r.rules[0].last_error, "busy");
    OM_TRY(begin(&r, 0, 2) && begin(&r, 1, 1)); /* the control: others, and other rules */
    tunnel_usage_end(u);
    CHECK(begin(&r, 0, 1) == u);
    r.rules[0].is_forward = true;
    CHECK(!begin(&r, 0, 1) && r.rules[0].failed == 1); /* it has no usage, and no limit */
out:
    close_rig(&r);
}

OM_TEST(usage_has_a_rate_for_each_peer)
{
    struct tunnel_usage *a, *b, *c;
    struct rig r;

    open_rig(&r);
    OM_TRY(r.is_open);
    r.rules[0].rate = RATE;
    OM_TRY((a = begin(&r, 0, 1)) && (b = begin(&r, 0, 2)) && (c = begin(&r, 1, 1)));
    CHECK(tunnel_usage_send(a, om_shaper_burst(RATE)));
    CHECK(!tunnel_usage_send(a, om_shaper_burst(RATE)));
    CHECK(a->datagrams == 2 && a->dropped == 1 && a->sent == om_shaper_burst(RATE));
    CHECK(tunnel_usage_receive(a, om_shaper_burst(RATE))); /* the other direction */
    CHECK(tunnel_usage_send(b, om_shaper_burst(RATE)));
    for (unsigned i = 0; i < 10; i++)
        CHECK(tunnel_usage_send(c, om_shaper_burst(RATE)));
    CHECK(!c->sent_shape && !c->received_shape);
out:
    close_rig(&r);
}

OM_TEST(usage_forgets_who_was_quiet_for_longest)
{
    struct tunnel_usage *u, *second;
    struct rig r;

    open_rig(&r);
    OM_TRY(r.is_open);
    OM_TRY(begin(&r, 0, 0)); /* stays open */
    for (unsigned i = 1; i < TUNNEL_USAGES_MAX; i++) {
        OM_TRY((u = begin(&r, 0, i)));
        tunnel_usage_end(u);
    }
    OM_TRY((u = begin(&r, 0, 1))); /* so that 2 is the one that was quiet for longest */
    tunnel_usage_end(u);
    OM_TRY((second = begin(&r, 1, 5000)));
    CHECK_EQ(om_table_count(&r.tunnels.usages_by_pair), TUNNEL_USAGES_MAX);
    tunnel_usage_end(second);
    CHECK_EQ(u->total, 2); /* it is still there */
    OM_TRY((u = begin(&r, 0, 0)));
    CHECK(u->total == 2 && u->open == 2);
    OM_TRY((u = begin(&r, 0, 2)));
    CHECK_EQ(u->total, 1); /* anew */
out:
    close_rig(&r);
}

OM_TEST(usage_refuses_when_all_are_in_use)
{
    struct tunnel_usage *u = NULL;
    struct rig r;

    open_rig(&r);
    OM_TRY(r.is_open);
    for (unsigned i = 0; i < TUNNEL_USAGES_MAX; i++)
        OM_TRY((u = begin(&r, 0, i)));
    CHECK(!begin(&r, 0, 5000) && r.rules[0].failed == 1);
    tunnel_usage_end(u);
    OM_TRY(begin(&r, 0, 5000));
out:
    close_rig(&r);
}
