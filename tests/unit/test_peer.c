/* test_peer.c - ways to reach a peer, and what waits for a session with it. */
#include "harness.h"

#include <omerta/attr.h>
#include <omerta/buf.h>

#include "peer/peer.h"

static void make_identity(struct om_identity *out, uint8_t first)
{
    uint8_t seed[32] = {first};

    while (om_identity_from_seed(out, seed) != OM_OK)
        seed[1]++;
}

static struct om_addr end(unsigned i)
{
    return om_addr_v4(0x0a000000 + i, 18002);
}

OM_TEST(peer_refuses_unusable_keys)
{
    static const struct om_id low_order = {{1}}; /* the neutral element: every product is zero */
    struct om_network net = {.is_open = true};
    struct om_peer p = {0};
    struct om_identity other;
    struct om_id bad;

    make_identity(&net.self, 1);
    make_identity(&other, 2);
    CHECK_ERR(om_peer_init(&p, &net, &net.self.id), OM_E_RANGE); /* ourselves */
    bad = other.id;
    bad.b[31] |= 0x80; /* the same X25519 key under another name */
    CHECK_ERR(om_peer_init(&p, &net, &bad), OM_E_RANGE);
    CHECK_ERR(om_peer_init(&p, &net, &low_order), OM_E_RANGE);
    memset(bad.b, 0xff, sizeof bad.b);
    bad.b[31] = 0x7f; /* no point */
    CHECK_ERR(om_peer_init(&p, &net, &bad), OM_E_RANGE);
    CHECK(p.net == NULL);

    CHECK_OK(om_peer_init(&p, &net, &other.id));
    CHECK(om_id_equal(&p.id, &other.id) && p.net == &net);
    CHECK_MEM(p.dh, other.dh_public, sizeof p.dh);
    CHECK(p.stamp_due == OM_NEVER && !om_timer_is_armed(&p.timer));
}

/* The ways of @p, in order, against @want. */
static void check_paths(const struct om_peer *p, const struct om_via *want, unsigned n)
{
    struct om_via v;

    CHECK_EQ(om_peer_path_count(p), n);
    for (unsigned i = 0; i < n; i++) {
        CHECK(om_peer_path(p, i, &v));
        CHECK(om_via_equal(&v, &want[i]));
    }
    for (unsigned i = n; i < n + 3; i++)
        CHECK(!om_peer_path(p, i, &v));
    CHECK(!om_peer_path(p, UINT32_MAX, &v));
}

/* Nothing but @via is known, and data goes there. */
static void only(struct om_paths *ps, const struct om_via *via)
{
    om_paths_init(ps);
    om_paths_shaken(ps, 0, via);
}

OM_TEST(peer_names_each_way_once)
{
    struct om_peer p = {.end_count = 0};
    const struct om_via one = {.remote = end(1)}, two = {.remote = end(2)},
                        three = {.remote = end(3)};
    struct om_via lane = {.remote = end(2), .lane = 9}, seven = {.remote = end(7)};
    struct om_paths paths;

    check_paths(&p, NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        p.ends[p.end_count++] = end(i + 1);
    check_paths(&p, (struct om_via[]){one, two, three}, 3);
    p.paths = &paths;
    only(&paths, &two); /* it carries: it comes first, and not again */
    check_paths(&p, (struct om_via[]){two, one, three}, 3);
    only(&paths, &seven);
    check_paths(&p, (struct om_via[]){seven, one, two, three}, 4);
    only(&paths, &lane); /* a lane that ends there is another way */
    check_paths(&p, (struct om_via[]){lane, one, two, three}, 4);
    om_paths_shaken(&paths, 0,
                    &three); /* proven and direct: before a lane, and what was only said */
    om_paths_heard(&paths, 0, &seven, 100, false);
    check_paths(&p, (struct om_via[]){three, lane, one, two}, 4);
    p.end_count = 0;
    check_paths(&p, (struct om_via[]){three, lane}, 2);
}

OM_TEST(peer_has_room_for_every_way)
{
    struct om_via want[OM_WAYS_MAX];
    struct om_paths paths;
    struct om_peer p = {.paths = &paths};

    om_paths_init(&paths);
    for (unsigned i = 0; i < OM_PATHS_MAX; i++) {
        want[i] = (struct om_via){.remote = end(100 + i)};
        om_paths_shaken(&paths, 0, &want[i]);
    }
    for (unsigned i = 0; i < OM_ENDPOINTS_MAX; i++) {
        p.ends[p.end_count++] = end(i);
        want[OM_PATHS_MAX + i] = (struct om_via){.remote = end(i)};
    }
    check_paths(&p, want, OM_WAYS_MAX);
}

OM_TEST(peer_knows_its_endpoints_only)
{
    const struct om_via three = {.remote = end(3)};
    struct om_paths paths;
    struct om_peer p = {.ends = {end(1), end(2)}, .end_count = 2, .paths = &paths};
    struct om_addr other_port = om_addr_v4(0x0a000001, 18003);

    only(&paths, &three);
    CHECK(om_peer_knows(&p, &(struct om_addr){0}) == false);
    CHECK(om_peer_knows(&p, &p.ends[0]) && om_peer_knows(&p, &p.ends[1]));
    CHECK(!om_peer_knows(&p, &other_port));
    CHECK(!om_peer_knows(&p, &three.remote)); /* being heard there does not make it said */
}

OM_TEST(peer_waiting_is_bounded)
{
    struct om_buf *b[OM_WAITING_MAX + 3];
    struct om_pool *pool = om_pool_new(64, OM_ARRAY_SIZE(b));
    struct om_peer p = {.end_count = 0};
    unsigned taken = 0;

    OM_TRY(pool != NULL);
    CHECK(om_peer_unwait(&p) == NULL);
    for (; taken < OM_ARRAY_SIZE(b); taken++)
        OM_TRY((b[taken] = om_pool_take(pool, 0)) != NULL);
    for (unsigned i = 0; i < OM_WAITING_MAX; i++)
        CHECK(om_peer_wait(&p, b[i]) == NULL);
    for (unsigned i = 0; i < 3; i++) { /* the oldest comes back, for the caller */
        CHECK(om_peer_wait(&p, b[OM_WAITING_MAX + i]) == b[i]);
        CHECK_EQ(p.waiting_count, OM_WAITING_MAX);
    }
    for (unsigned i = 0; i < OM_WAITING_MAX; i++)
        CHECK(om_peer_unwait(&p) == b[i + 3]); /* in order */
    CHECK(om_peer_unwait(&p) == NULL);
    CHECK_EQ(p.waiting_count, 0);
    CHECK(om_peer_wait(&p, b[0]) == NULL); /* and again from empty */
    CHECK(om_peer_wait(&p, b[1]) == NULL);
    CHECK(om_peer_unwait(&p) == b[0] && om_peer_unwait(&p) == b[1]);
out:
    while (taken > 0)
        om_pool_give(pool, b[--taken]);
    om_pool_free(pool);
}
