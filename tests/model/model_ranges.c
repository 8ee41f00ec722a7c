/* model_ranges.c - the ranges against a plain set of numbers. */
#include "harness.h"

#include "dice.h"
#include "stream/ranges.h"

enum { ROUNDS = 300, OPS = 1000, SPAN = 256, MAX = 40, EACH = 8 };

static bool set[SPAN];

static unsigned runs(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SPAN; i++)
        n += set[i] && (i == 0 || !set[i - 1]);
    return n;
}

static void put(unsigned low, unsigned high, bool in)
{
    for (unsigned i = low; i < high; i++)
        set[i] = in;
}

/* What they list is the set; with @each they are asked for every number, too. */
static void compare(const struct om_ranges *r, bool each)
{
    bool listed[SPAN] = {false};
    uint64_t at = 0;
    const struct om_range *g;

    CHECK_EQ(om_ranges_count(r), runs());
    for (unsigned n = 0; (g = om_ranges_above(r, at)) != NULL; n++) {
        CHECK(g->low < g->high && (n == 0 || g->low > at) && g->high <= SPAN);
        memset(listed + g->low, true, g->high - g->low);
        at = g->high;
    }
    CHECK_MEM(listed, set, sizeof set);
    for (unsigned i = 0; i < SPAN && each; i++)
        CHECK_EQ(om_ranges_has(r, i), set[i]);
}

static void stretch(struct om_ranges *r, unsigned low, unsigned high)
{
    om_ranges_stretch(r, low, high, MAX);
    CHECK(om_ranges_count(r) <= MAX);
    for (unsigned i = 0; i < SPAN; i++) {
        bool has = om_ranges_has(r, i);
        CHECK(has || (!set[i] && !(i >= low && i < high)));
        set[i] = has; /* it may be more than was asked for */
    }
}

OM_TEST(ranges_model_matches_a_set)
{
    struct dice d = {9};
    unsigned full = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct om_ranges r = {0};
        unsigned wide = 1 + dice_below(&d, 20);
        memset(set, 0, sizeof set);
        for (unsigned op = 0; op < OPS; op++) {
            unsigned low = dice_below(&d, SPAN), high = low + dice_below(&d, wide);
            unsigned what = dice_below(&d, 20);
            bool before[SPAN];
            memcpy(before, set, sizeof set);
            high = high < SPAN ? high : SPAN;
            if (what == 0 && dice_below(&d, 10) == 0) {
                om_ranges_cut(&r, low);
                put(0, low, false);
            } else if (what < 3) {
                stretch(&r, low, high);
            } else {
                bool in = what < 12;
                enum om_err e =
                    in ? om_ranges_add(&r, low, high, MAX) : om_ranges_remove(&r, low, high, MAX);
                put(low, high, in);
                CHECK_ERR(e, runs() > MAX ? OM_E_FULL : OM_OK);
                full += e != OM_OK;
                if (e != OM_OK)
                    memcpy(set, before, sizeof set);
            }
            compare(&r, op % EACH == 0);
        }
        om_ranges_clear(&r);
    }
    CHECK(full > 1000);
}
