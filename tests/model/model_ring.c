/* model_ring.c - the ring against an array that is shifted on every pop. */
#include "harness.h"

#include <omerta/ring.h>

#include "dice.h"

enum { OPS = 200000, CAP_MAX = 20 };

static void run(struct dice *d, unsigned cap)
{
    uint32_t twin[CAP_MAX], *slot;
    unsigned n = 0;
    struct om_ring r;

    CHECK_OK(om_ring_init(&r, sizeof *slot, cap));
    for (unsigned op = 0; op < OPS / CAP_MAX; op++) {
        /* Long phases of more pushes than pops and the other way round visit both ends. */
        if (dice_below(d, 4) < (op / 64 % 2 ? 3U : 1U)) {
            slot = om_ring_push(&r);
            CHECK((slot == NULL) == (n == cap));
            if (slot) {
                CHECK_EQ(*slot, 0);
                *slot = twin[n++] = (uint32_t)dice_u64(d);
            }
        } else {
            om_ring_pop(&r);
            if (n)
                memmove(twin, twin + 1, --n * sizeof *twin);
        }
        CHECK_EQ(om_ring_count(&r), n);
        CHECK_EQ(om_ring_is_full(&r), n == cap);
        CHECK((om_ring_front(&r) == NULL) == (n == 0));
        for (unsigned i = 0; i < n; i++)
            CHECK_EQ(*(uint32_t *)om_ring_at(&r, i), twin[i]);
    }
    om_ring_fini(&r);
}

OM_TEST(ring_model_matches_a_list)
{
    struct dice d = {1};

    for (unsigned cap = 1; cap <= CAP_MAX; cap++)
        run(&d, cap);
}
