/* model_bucket.c - the bucket against 128-bit arithmetic that cannot overflow. */
#include "harness.h"

#include <omerta/bucket.h>

#include "dice.h"

enum { OPS = 200000, RUNS = 400 };

__extension__ typedef __int128 wide;

struct twin {
    wide level, full, rate; /* millionths; per microsecond */
    om_time at;
};

static void twin_advance(struct twin *w, om_time now)
{
    if (now <= w->at)
        return;
    w->level += ((wide)now - w->at) * w->rate;
    if (w->level > w->full)
        w->level = w->full;
    w->at = now;
}

static bool twin_take(struct twin *w, om_time now, uint32_t n)
{
    twin_advance(w, now);
    if (w->level < (wide)n * 1000000)
        return false;
    w->level -= (wide)n * 1000000;
    return true;
}

/* A number whose size is as random as its bits. */
static uint64_t any_size(struct dice *d, unsigned bits)
{
    return dice_u64(d) >> (64 - 1 - dice_below(d, bits));
}

static void check_ready(const struct om_bucket *b, const struct twin *w, om_time now, uint32_t n)
{
    om_time at = om_bucket_ready(b, now, n);
    struct om_bucket b_then = *b;
    struct twin then = *w;

    if (at == OM_NEVER) {
        /* Not even at the last microsecond before never. */
        CHECK(!twin_take(&then, OM_NEVER - 1, n));
        return;
    }
    CHECK(at >= now);
    CHECK(om_bucket_take(&b_then, at, n));
    CHECK(twin_take(&then, at, n));
    then = *w;
    CHECK(at == now || !twin_take(&then, at - 1, n));
}

OM_TEST(bucket_model_matches_wide_arithmetic)
{
    struct dice d = {5};
    struct om_bucket b;
    unsigned granted = 0, refused = 0;

    for (unsigned r = 0; r < RUNS; r++) {
        uint32_t rate = (uint32_t)any_size(&d, 32), burst = (uint32_t)any_size(&d, 32);
        om_time now = r % 8 ? (om_time)any_size(&d, 40) : INT64_MIN;
        struct twin w = {(wide)burst * 1000000, (wide)burst * 1000000, rate, now};

        om_bucket_init(&b, rate, burst, now);
        for (unsigned op = 0; op < OPS / RUNS; op++) {
            uint32_t n = dice_below(&d, 4) ? (uint32_t)any_size(&d, 33) : burst / 3;
            om_time step = (om_time)any_size(&d, r % 4 ? 24 : 62);

            if (dice_below(&d, 8) == 0)
                step = now < INT64_MIN + OM_SEC(1) ? 0 : -OM_US(dice_below(&d, 1000000));
            if (__builtin_add_overflow(now, step, &now) || now == OM_NEVER)
                now = OM_NEVER - 1;
            check_ready(&b, &w, now, n);
            bool got = om_bucket_take(&b, now, n);
            CHECK_EQ(got, twin_take(&w, now, n));
            CHECK((wide)b.level == w.level);
            granted += got;
            refused += !got;
        }
    }
    CHECK(granted > OPS / 10 && refused > OPS / 10); /* both answers were really tried */
}
