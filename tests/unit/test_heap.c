/* test_heap.c - who is first to go. */
#include "harness.h"

#include <omerta/prng.h>

#include "gossip/heap.h"

enum { MANY = 500 };

OM_TEST(heap_pops_in_order)
{
    static unsigned at[MANY];
    struct om_heap h = {.count = 0};
    struct om_prng dice;
    uint64_t last = UINT64_MAX;

    om_prng_seed(&dice, 1);
    memset(at, 0, sizeof at);
    if (!om_heap_reserve(&h, MANY))
        return;
    for (unsigned i = 0; i < MANY; i++)
        om_heap_push(&h, om_prng_u64(&dice) % 100, &at[i]);
    for (unsigned i = 0; i < MANY; i++) {
        const struct om_heap_slot *top = om_heap_top(&h);
        CHECK(top && top->key <= last);
        last = top->key;
        om_heap_remove(&h, top->at);
    }
    CHECK(om_heap_top(&h) == NULL);
    om_heap_fini(&h);
}

OM_TEST(heap_takes_out_of_the_middle)
{
    static unsigned at[MANY];
    uint64_t keys[MANY], greatest = 0;
    struct om_heap h = {.count = 0};
    struct om_prng dice;

    om_prng_seed(&dice, 2);
    memset(at, 0, sizeof at);
    if (!om_heap_reserve(&h, MANY))
        return;
    for (unsigned i = 0; i < MANY; i++) {
        keys[i] = om_prng_u64(&dice);
        om_heap_push(&h, keys[i], &at[i]);
    }
    for (unsigned round = 0; round < 20 * MANY; round++) {
        unsigned i = (unsigned)(om_prng_u64(&dice) % MANY);
        if (at[i] != 0) {
            om_heap_remove(&h, &at[i]);
            CHECK_EQ(at[i], 0);
        } else {
            om_heap_push(&h, keys[i], &at[i]);
        }
        greatest = 0;
        for (unsigned k = 0; k < MANY; k++)
            if (at[k] != 0 && keys[k] > greatest)
                greatest = keys[k];
        CHECK(om_heap_top(&h)->key == greatest);
    }
    om_heap_fini(&h);
}

OM_TEST(heap_reserve_is_all_or_nothing)
{
    struct om_heap h = {.count = 0};
    unsigned at = 0;

    if (om_heap_reserve(&h, 1)) {
        om_heap_push(&h, 7, &at);
        (void)om_heap_reserve(&h, 100);
        CHECK_EQ(om_heap_top(&h)->key, 7);
        CHECK_EQ(at, 1);
    }
    om_heap_fini(&h);
}
