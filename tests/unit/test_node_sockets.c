/* test_node_sockets.c - sockets that a node asks its driver for. */
#include "harness.h"

#include "node/state.h"
#include "pair.h"

/* One node whose actions nobody takes unless the test does. */
struct desk {
    struct pair p;
    struct om_node *n;
};

static bool desk_init(struct desk *d)
{
    struct pair_options o = pair_defaults();
    struct om_act a;

    *d = (struct desk){0};
    if (!pair_init(&d->p, &o))
        return false;
    d->n = d->p.side[0].node;
    while (om_node_next(d->n, &a)) {
    }
    return true;
}

/* The driver is told to open or close so many from @first, and nothing else before. */
static bool is_told(struct desk *d, bool is_open, uint32_t first, unsigned count)
{
    struct om_act a;

    if (!om_node_next(d->n, &a) || a.kind != OM_ACT_SOCKETS)
        return false;
    return a.sockets.is_open == is_open && a.sockets.first == first && a.sockets.count == count;
}

static bool is_silent(struct desk *d)
{
    struct om_act a;

    return !om_node_next(d->n, &a);
}

OM_TEST(sockets_are_numbered_in_runs)
{
    struct desk d;
    uint32_t one, two;

    OM_TRY(desk_init(&d));
    CHECK_EQ(node_sockets_open(d.n, 0), 0);
    CHECK(is_silent(&d));
    OM_TRY((one = node_sockets_open(d.n, 3)) != 0);
    OM_TRY((two = node_sockets_open(d.n, 1)) != 0);
    CHECK_EQ(one, OM_SOCKET_FIRST);
    CHECK_EQ(two, one + 3);
    CHECK(is_told(&d, true, one, 3));
    CHECK(is_told(&d, true, two, 1));
    CHECK(is_silent(&d));
    node_sockets_close(d.n, one, 3, 0);
    CHECK(is_told(&d, false, one, 3));
    CHECK(is_silent(&d));
    node_sockets_close(d.n, one, 3, 0); /* again: they are not open */
    CHECK(is_silent(&d));
    CHECK_EQ(d.n->sockets.count, 1);
out:
    pair_fini(&d.p);
}

OM_TEST(sockets_full_opens_none)
{
    struct desk d;
    uint32_t first;

    OM_TRY(desk_init(&d));
    CHECK_EQ(node_sockets_open(d.n, OM_SOCKETS_MAX + 1), 0);
    CHECK_EQ(node_sockets_open(d.n, UINT32_MAX), 0);
    OM_TRY((first = node_sockets_open(d.n, OM_SOCKETS_MAX - 1)) != 0);
    CHECK_EQ(node_sockets_open(d.n, 2), 0);
    OM_TRY(node_sockets_open(d.n, 1) != 0);
    CHECK_EQ(node_sockets_open(d.n, 1), 0);
    CHECK(is_told(&d, true, first, OM_SOCKETS_MAX - 1));
    CHECK(is_told(&d, true, first + OM_SOCKETS_MAX - 1, 1));
    node_sockets_close(d.n, first, 2, 0);
    CHECK_EQ(node_sockets_open(d.n, 1), 0); /* the driver still has them */
    CHECK(is_told(&d, false, first, 2));
    CHECK(node_sockets_open(d.n, 2) != 0);
out:
    pair_fini(&d.p);
}

OM_TEST(sockets_close_but_one)
{
    struct desk d;
    uint32_t first;

    OM_TRY(desk_init(&d));
    OM_TRY((first = node_sockets_open(d.n, 10)) != 0);
    CHECK(is_told(&d, true, first, 10));
    node_sockets_close(d.n, first, 10, first + 4);
    CHECK(is_told(&d, false, first, 4));
    CHECK(is_told(&d, false, first + 5, 5));
    CHECK(is_silent(&d));
    CHECK(d.n->sockets.count == 1 && d.n->sockets.all[0].number == first + 4);
    node_sockets_close(d.n, first, 10, first); /* one that is not open is not kept */
    CHECK(is_told(&d, false, first + 4, 1));
    CHECK(is_silent(&d));
    CHECK(d.n->sockets.count == 0 && d.n->sockets.closing == 0);
out:
    pair_fini(&d.p);
}

OM_TEST(sockets_full_queue_opens_none_and_closes_all)
{
    struct desk d;
    struct om_act a;
    uint32_t first;

    OM_TRY(desk_init(&d));
    OM_TRY((first = node_sockets_open(d.n, 4)) != 0);
    CHECK(is_told(&d, true, first, 4));
    while (node_act(d.n, OM_ACT_REMEMBER)) {
    }
    OM_TRY(!om_test_oom_hit());
    CHECK_EQ(node_sockets_open(d.n, 1), 0);
    CHECK_EQ(d.n->sockets.count, 4);
    node_sockets_close(d.n, first, 4, 0);
    for (unsigned i = 0; i < OM_ACTS_MAX; i++) /* what waited goes first: it may go over these */
        CHECK(om_node_next(d.n, &a) && a.kind == OM_ACT_REMEMBER);
    CHECK(is_told(&d, false, first, 4));
    CHECK(is_silent(&d));
out:
    pair_fini(&d.p);
}

OM_TEST(sockets_numbers_come_again_late)
{
    struct desk d;
    struct om_act a;
    uint32_t first, last;

    OM_TRY(desk_init(&d));
    OM_TRY((first = node_sockets_open(d.n, 8)) != 0);
    node_sockets_close(d.n, first, 8, first + 2);
    while (om_node_next(d.n, &a)) {
    }
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(node_sockets_open(d.n, 8), first + 8 + 8 * i); /* not those that are free */
        node_sockets_close(d.n, first + 8 + 8 * i, 8, 0);
        while (om_node_next(d.n, &a)) {
        }
    }
    d.n->sockets.last = UINT32_MAX - 4; /* all the others were used */
    OM_TRY((last = node_sockets_open(d.n, 4)) != 0);
    CHECK_EQ(last, UINT32_MAX - 3);
    CHECK_EQ(node_sockets_open(d.n, 2), first);
    CHECK_EQ(node_sockets_open(d.n, 2), first + 3); /* past the one that was kept */
    d.n->sockets.last = UINT32_MAX - 6;             /* no room before those at the end */
    CHECK_EQ(node_sockets_open(d.n, 4), first + 5);
    for (unsigned i = 1; i < d.n->sockets.count; i++)
        CHECK(d.n->sockets.all[i - 1].number < d.n->sockets.all[i].number);
    CHECK_EQ(d.n->sockets.count, 1 + 4 + 2 + 2 + 4);
out:
    pair_fini(&d.p);
}

OM_TEST(sockets_go_with_the_node)
{
    struct desk d;
    uint32_t first;

    OM_TRY(desk_init(&d));
    OM_TRY((first = node_sockets_open(d.n, 4)) != 0);
    node_sockets_close(d.n, first, 4, first); /* nobody is told any more */
    CHECK_EQ(d.n->sockets.closing, 3);
out:
    pair_fini(&d.p);
}

OM_TEST(sockets_hop_is_heard_or_refused)
{
    static const struct {
        const char *router;
        unsigned ttl;
        int family; /* -1: refused */
    } rows[] = {
        {"192.168.1.1", 1, 0}, {"100.64.0.1", 2, 0},    {"198.51.100.7", 255, 0},
        {"fe80::1", 1, 1},     {"2a00:1450::1", 64, 1}, {"192.168.1.1", 0, -1},
        {"10.0.0.1", 256, -1}, {"0.0.0.0", 3, -1},      {"224.0.0.1", 3, -1},
        {"::", 3, -1},         {"ff02::1", 3, -1},      {"127.0.0.1", 3, -1},
    };
    uint64_t heard[2] = {0}, refused = 0;
    struct om_addr router;
    struct desk d;

    OM_TRY(desk_init(&d));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        CHECK_OK(om_addr_parse(&router, rows[i].router, 9, NULL));
        om_node_hop(d.n, d.p.now, rows[i].ttl, &router);
        if (rows[i].family < 0)
            refused++;
        else
            heard[rows[i].family]++;
        CHECK(d.n->sockets.hops[0] == heard[0] && d.n->sockets.hops[1] == heard[1]);
        CHECK_EQ(d.n->sockets.hops_refused, refused);
    }
    CHECK(is_silent(&d));
out:
    pair_fini(&d.p);
}
