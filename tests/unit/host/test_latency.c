/* test_latency.c - figures of round trips. */
#include "harness.h"

#include "latency.h"

static const uint8_t sip[16] = {1};
static const struct om_id net = {{1}}, ann = {{2}};

OM_TEST(latency_figures_match_a_sorted_list)
{
    struct latency_figures f;
    struct latency l;

    CHECK_OK(latency_init(&l, sip));
    CHECK(!latency_of(&l, 0, &net, &ann, &f));
    /* 100, 99 ... 1 ms: the last 60 are 60 to 1 */
    for (int i = 100; i > 0; i--)
        latency_add(&l, OM_SEC(1000), &net, &ann, OM_MS(i));
    if (latency_of(&l, OM_SEC(1000), &net, &ann, &f)) {
        CHECK_EQ(f.samples, 60);
        CHECK_EQ(f.mean, OM_US(30500));
        CHECK_EQ(f.p50, OM_MS(30));
        CHECK_EQ(f.p95, OM_MS(57));
        CHECK_EQ(f.p99, OM_MS(60));
        CHECK(!latency_of(&l, OM_SEC(1000), &ann, &net, &f)); /* somebody else */
    }
    latency_fini(&l);
}

OM_TEST(latency_forgets_after_half_an_hour)
{
    struct latency_figures f;
    struct latency l;

    CHECK_OK(latency_init(&l, sip));
    latency_add(&l, OM_SEC(10), &net, &ann, OM_MS(5));
    latency_add(&l, OM_SEC(40), &net, &ann, OM_MS(7));
    if (latency_of(&l, OM_SEC(1815), &net, &ann, &f)) {
        CHECK_EQ(f.samples, 1);
        CHECK_EQ(f.p50, OM_MS(7));
    }
    CHECK(!latency_of(&l, OM_SEC(1841), &net, &ann, &f));
    latency_fini(&l);
}

OM_TEST(latency_table_is_bounded)
{
    struct latency_figures f;
    struct latency l;
    struct om_id id = {{0}};

    CHECK_OK(latency_init(&l, sip));
    for (unsigned i = 0; i <= OM_LATENCY_PEERS_MAX; i++) {
        id.b[0] = (uint8_t)i;
        id.b[1] = (uint8_t)(i >> 8);
        latency_add(&l, 0, &net, &id, OM_MS(1));
    }
    CHECK(om_lru_count(&l.peers) <= OM_LATENCY_PEERS_MAX);
    id.b[0] = id.b[1] = 0;
    CHECK(!latency_of(&l, 0, &net, &id, &f));
    latency_fini(&l);
}
