/* test_ring.c - bounded FIFO. */
#include "harness.h"

#include <omerta/ring.h>

OM_TEST(ring_is_first_in_first_out)
{
    struct om_ring r;
    unsigned *slot, next = 0;

    CHECK_OK(om_ring_init(&r, sizeof *slot, 3));
    CHECK(om_ring_front(&r) == NULL);
    om_ring_pop(&r);
    for (unsigned i = 0; i < 20; i++) {
        OM_TRY(slot = om_ring_push(&r));
        CHECK_EQ(*slot, 0);
        *slot = i;
        if (i % 3 == 0)
            continue; /* the fill level moves, so the window wraps at every place */
        CHECK_EQ(*(unsigned *)om_ring_front(&r), next++);
        om_ring_pop(&r);
        if (i % 3 == 2 && om_ring_count(&r)) {
            CHECK_EQ(*(unsigned *)om_ring_at(&r, 0), next++);
            om_ring_pop(&r);
        }
    }
out:
    om_ring_fini(&r);
}

OM_TEST(ring_refuses_when_full)
{
    struct om_ring r;
    uint8_t *slot;

    CHECK_OK(om_ring_init(&r, 1, 2));
    OM_TRY(slot = om_ring_push(&r));
    *slot = 7;
    OM_TRY(slot = om_ring_push(&r));
    *slot = 8;
    CHECK(om_ring_is_full(&r));
    CHECK(om_ring_push(&r) == NULL);
    CHECK_EQ(om_ring_count(&r), 2);
    CHECK_EQ(*(uint8_t *)om_ring_at(&r, 0), 7);
    CHECK_EQ(*(uint8_t *)om_ring_at(&r, 1), 8);
    CHECK(om_ring_at(&r, 2) == NULL);
    om_ring_pop(&r);
    CHECK(om_ring_push(&r) != NULL);
    CHECK_ERR(om_ring_init(&(struct om_ring){0}, 0, 2), OM_E_RANGE);
    CHECK_ERR(om_ring_init(&(struct om_ring){0}, OM_RING_ELEM_MAX + 1, 2), OM_E_RANGE);
    CHECK_ERR(om_ring_init(&(struct om_ring){0}, 1, 0), OM_E_RANGE);
    CHECK_ERR(om_ring_init(&(struct om_ring){0}, 1, OM_RING_MAX + 1), OM_E_RANGE);
out:
    om_ring_fini(&r);
}

OM_TEST(ring_idle_costs_nothing)
{
    struct om_ring r;

    CHECK_OK(om_ring_init(&r, OM_RING_ELEM_MAX, OM_RING_MAX));
    CHECK(r.mem == NULL);
    om_ring_fini(&r);
    CHECK(om_ring_push(&r) == NULL);
    CHECK_OK(om_ring_init(&r, 8, 8));
    OM_TRY(om_ring_push(&r));
    CHECK(r.mem != NULL);
out:
    om_ring_fini(&r);
}

OM_TEST(ring_trim_keeps_what_was_needed)
{
    struct om_ring r;

    CHECK_OK(om_ring_init(&r, sizeof(unsigned), 1000));
    om_ring_trim(&r);
    CHECK(r.mem == NULL);
    for (unsigned i = 0; i < 500; i++) {
        unsigned *slot;
        OM_TRY(slot = om_ring_push(&r));
        *slot = i;
    }
    for (unsigned i = 0; i < 480; i++)
        om_ring_pop(&r);
    om_ring_trim(&r); /* a moment ago it had all of them */
    CHECK_EQ(r.size, 512);
    om_ring_trim(&r);
    CHECK(r.size == 32 || om_test_oom_hit());
    OM_TRY(om_ring_count(&r) == 20);
    for (unsigned i = 0; i < 20; i++) {
        CHECK_EQ(*(unsigned *)om_ring_front(&r), 480 + i);
        om_ring_pop(&r);
    }
    om_ring_trim(&r);
    om_ring_trim(&r);
    CHECK(r.mem == NULL && r.size == 0);
    OM_TRY(om_ring_push(&r));
    CHECK_EQ(om_ring_count(&r), 1);
out:
    om_ring_fini(&r);
}
