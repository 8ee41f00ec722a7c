/*
 * model_replay.c - the replay window against a list of everything ever accepted
 *
 * The twin keeps one byte per counter and the greatest one: fresh means above it, or within the
 * width and not accepted. A counter that was below the window when the window grew is never fresh.
 */
#include "harness.h"

#include <stdlib.h>

#include "crypto/replay.h"

enum { ROUNDS = 400, STEPS = 1000, SPACE = 1 << 20 };

struct naive {
    uint8_t *seen; /* SPACE bytes */
    uint64_t top;
    uint64_t floor; /* nothing below is fresh, however wide the window */
    uint64_t width;
    bool has_top;
};

static uint64_t dice;

/* xorshift64*, seeded per round: any fixed sequence will do. */
static uint64_t draw(uint64_t below)
{
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    return (dice * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

static bool naive_take(struct naive *m, uint64_t counter)
{
    if (m->has_top && counter <= m->top &&
        (m->top - counter >= m->width || counter < m->floor || m->seen[counter]))
        return false;
    m->seen[counter] = 1;
    if (!m->has_top || counter > m->top)
        m->top = counter;
    m->has_top = true;
    return true;
}

static void naive_grow(struct naive *m)
{
    if (m->has_top && m->width == OM_REPLAY_WIDTH && m->top >= OM_REPLAY_WIDTH)
        m->floor = m->top - OM_REPLAY_WIDTH + 1;
    m->width = OM_REPLAY_WIDTH_GROWN;
}

/* Mostly near the top, sometimes at the window's edge, sometimes far ahead. */
static uint64_t draw_counter(const struct naive *m)
{
    uint64_t kind = draw(100), edge = m->top > m->width ? m->top - m->width : 0;

    if (!m->has_top)
        return draw(4 * OM_REPLAY_WIDTH);
    if (kind < 45)
        return m->top + 1 + draw(2);
    if (kind < 85)
        return m->top - draw(m->top < 40 ? m->top + 1 : 40);
    if (kind < 98)
        return edge + draw(40);
    if (kind < 99)
        return m->top + draw(OM_REPLAY_WIDTH);
    return draw(m->top + 1);
}

OM_TEST(model_replay_agrees_with_a_set)
{
    struct naive m = {.seen = calloc(SPACE, 1)};
    unsigned long fresh = 0, refused = 0;

    OM_TRY(m.seen != NULL);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        struct om_replay r;
        uint64_t grow_at;

        dice = round * UINT64_C(0x9e3779b97f4a7c15);
        grow_at = round % 3 == 0 ? draw(STEPS) : STEPS;
        om_replay_init(&r);
        memset(m.seen, 0, SPACE);
        m = (struct naive){.seen = m.seen, .width = OM_REPLAY_WIDTH};
        for (unsigned i = 0; i < STEPS; i++) {
            uint64_t counter = draw_counter(&m);
            bool want;

            if (i == grow_at) {
                CHECK(om_replay_grow(&r));
                naive_grow(&m);
            }
            CHECK(counter < SPACE);
            want = naive_take(&m, counter);
            CHECK_EQ(om_replay_check(&r, counter), want);
            if (want)
                om_replay_mark(&r, counter);
            CHECK(!om_replay_check(&r, counter));
            fresh += want;
            refused += !want;
        }
        om_replay_fini(&r);
    }
    CHECK(fresh > 100000 && refused > 50000); /* both answers were exercised */
out:
    free(m.seen);
}
