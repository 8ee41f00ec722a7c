/* test_index.c - receiver indices: drawn, found, dropped, refused. */
#include "harness.h"

#include <omerta/attr.h>
#include <omerta/prng.h>

#include "crypto/index.h"

/* Randomness of the test's own choice, four bytes at a time. */
struct script {
    const uint32_t *values;
    unsigned at, count;
};

static void play(void *self, void *dst, size_t n)
{
    struct script *s = self;

    CHECK(n == sizeof s->values[0] && s->at < s->count);
    memcpy(dst, &s->values[s->at++], n);
}

OM_TEST(index_is_never_zero_and_unique)
{
    static const uint32_t values[] = {0, 0, 5, 5, 0, 5, 7, 5};
    struct script script = {values, 0, OM_ARRAY_SIZE(values)};
    const struct om_rng rng = {play, &script};
    struct om_indices t;
    uint32_t got;
    int a, b, c;

    om_indices_init(&t, 8);
    CHECK(om_index_find(&t, 5) == NULL); /* before anything was allocated */
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &a, &got) == OM_OK);
    CHECK_EQ(got, 5);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_HANDSHAKE, &b, &got) == OM_OK);
    CHECK_EQ(got, 7);
    CHECK(om_index_find(&t, 5)->owner == &a && om_index_find(&t, 5)->kind == OM_INDEX_SESSION);
    CHECK(om_index_find(&t, 7)->owner == &b && om_index_find(&t, 7)->kind == OM_INDEX_HANDSHAKE);
    om_index_drop(&t, 5);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &c, &got) == OM_OK);
    CHECK_EQ(got, 5); /* once free it may come again, for its new owner only */
    CHECK(om_index_find(&t, 5)->owner == &c);
    CHECK_EQ(t.live, 2);
out:
    om_indices_fini(&t);
}

OM_TEST(index_refuses_when_full)
{
    struct om_prng prng;
    struct om_indices t;
    uint32_t got[20], more = 99;
    int owner;

    om_prng_seed(&prng, 1);
    const struct om_rng rng = om_prng_rng(&prng);
    om_indices_init(&t, OM_ARRAY_SIZE(got));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(got); i++)
        OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &got[i]) == OM_OK);
    CHECK_ERR(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &more), OM_E_FULL);
    CHECK_EQ(more, 99);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(got); i++)
        CHECK(om_index_find(&t, got[i]) != NULL);
    om_index_drop(&t, got[7]);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &more) == OM_OK);
    CHECK_ERR(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &more), OM_E_FULL);
out:
    om_indices_fini(&t);
}

OM_TEST(index_of_none_refuses_all)
{
    const struct om_rng rng = {0};
    struct om_indices t;
    uint32_t got;

    om_indices_init(&t, 0);
    CHECK_ERR(om_index_draw(&t, &rng, OM_INDEX_SESSION, &t, &got), OM_E_FULL);
    CHECK(om_index_find(&t, 1) == NULL);
    om_index_drop(&t, 1);
    om_indices_fini(&t);
}

OM_TEST(index_finds_after_churn)
{
    enum { KEPT = 30, ROUNDS = 5000, MAX = 64 };
    uint32_t kept[KEPT], next;
    struct om_prng prng;
    struct om_indices t;
    int owners[KEPT];

    om_prng_seed(&prng, 2);
    const struct om_rng rng = om_prng_rng(&prng);
    om_indices_init(&t, MAX);
    for (unsigned i = 0; i < KEPT; i++)
        OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owners[i], &kept[i]) == OM_OK);
    for (unsigned i = 0; i < ROUNDS; i++) {
        OM_TRY(om_index_draw(&t, &rng, OM_INDEX_HANDSHAKE, &t, &next) == OM_OK);
        om_index_drop(&t, next);
        CHECK(om_index_find(&t, next) == NULL);
    }
    for (unsigned i = 0; i < KEPT; i++)
        CHECK(om_index_find(&t, kept[i])->owner == &owners[i]);
    CHECK_EQ(t.live, KEPT);
    CHECK(t.size <= 8 * MAX); /* what was dropped costs no memory for ever */
    CHECK(t.used * 2 <= t.size);
out:
    om_indices_fini(&t);
}

OM_TEST(index_drop_ignores_the_unknown)
{
    struct om_prng prng;
    struct om_indices t;
    uint32_t got;

    om_prng_seed(&prng, 3);
    const struct om_rng rng = om_prng_rng(&prng);
    om_indices_init(&t, 4);
    om_index_drop(&t, 0);
    om_index_drop(&t, 77);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &t, &got) == OM_OK);
    om_index_drop(&t, 0);
    om_index_drop(&t, got ^ 16); /* the same place in the table */
    CHECK_EQ(t.live, 1);
    om_index_drop(&t, got);
    om_index_drop(&t, got);
    CHECK_EQ(t.live, 0);
out:
    om_indices_fini(&t);
}

OM_TEST(index_keeps_room_for_lanes)
{
    struct om_prng prng;
    struct om_indices t;
    uint32_t lane = 0, other;
    int owner;

    om_prng_seed(&prng, 1);
    const struct om_rng rng = om_prng_rng(&prng);
    om_indices_init(&t, 2);
    for (unsigned i = 0; i < OM_INDICES_LANES_MAX; i++)
        OM_TRY(om_index_draw(&t, &rng, i % 2 ? OM_INDEX_LANE : OM_INDEX_RELAY, &owner, &lane) ==
               OM_OK);
    CHECK_ERR(om_index_draw(&t, &rng, OM_INDEX_LANE, &owner, &other), OM_E_FULL);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &other) == OM_OK);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_HANDSHAKE, &owner, &other) == OM_OK);
    CHECK_ERR(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &other), OM_E_FULL);
    om_index_drop(&t, lane);
    CHECK_ERR(om_index_draw(&t, &rng, OM_INDEX_SESSION, &owner, &other), OM_E_FULL);
    OM_TRY(om_index_draw(&t, &rng, OM_INDEX_LANE, &owner, &other) == OM_OK);
out:
    om_indices_fini(&t);
}
