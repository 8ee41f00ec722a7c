/* test_stack_parcels.c - the queue that packets wait in */
#include "harness.h"

#include <omerta/prng.h>

#include "stack/parcels.h"

enum { MAX = 256 * 1024 };

OM_TEST(parcels_are_first_in_first_out)
{
    struct om_parcels q;
    struct om_parcel label;
    struct om_prng prng;
    uint32_t in = 0, out = 0;

    om_parcels_init(&q, MAX);
    om_prng_seed(&prng, 3);
    for (unsigned round = 0; round < 20000; round++) {
        if (om_prng_below(&prng, 100) < (round / 500 % 2 ? 40 : 60)) {
            struct om_parcel l = {.n = om_prng_below(&prng, 3000), .port = in};
            uint8_t *room = om_parcels_push(&q, &l);
            if (!room)
                continue;
            memset(room, (int)(in & 0xff), l.n);
            in++;
            continue;
        }
        const uint8_t *p = om_parcels_pop(&q, &label);
        CHECK_EQ(p == NULL, in == out);
        if (!p)
            continue;
        CHECK_EQ(label.port, out);
        for (size_t i = 0; i < label.n; i++)
            CHECK_EQ(p[i], out & 0xff);
        out++;
    }
    CHECK(out > 100 || om_test_oom_hit());
    om_parcels_fini(&q);
}

OM_TEST(parcels_refuse_when_full)
{
    struct om_parcels q;
    struct om_parcel label = {.n = 1000};
    unsigned n = 0;

    om_parcels_init(&q, MAX);
    while (om_parcels_push(&q, &label))
        n++;
    OM_TRY(n > 200 && n <= MAX / 1000);
    CHECK(om_parcels_pop(&q, &label) && om_parcels_pop(&q, &label));
    CHECK_EQ(q.count, n - 2);
    while (om_parcels_pop(&q, &label))
        continue;
    CHECK(om_parcels_push(&q, &label)); /* empty again: all of it is room */
out:
    om_parcels_fini(&q);
}
