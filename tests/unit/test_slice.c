/* test_slice.c - slices in every order, and those that do not fit together. */
#include "harness.h"

#include <stdlib.h>

#include "envelope/frame.h"
#include "path/slice.h"

enum { WHOLE_MAX = 9000, SIZE = 100, PIECES = 10 };

static uint8_t text[WHOLE_MAX];

static void fill_text(void)
{
    for (unsigned i = 0; i < WHOLE_MAX; i++)
        text[i] = (uint8_t)(i * 31 + i / 251);
}

static struct om_frame_slice slice(uint32_t id, unsigned offset, unsigned n, unsigned total)
{
    return (struct om_frame_slice){id, (uint16_t)offset, (uint16_t)total,
                                   om_bytes(text + offset, n)};
}

/* Gives piece @i of PIECES; free()s a whole that is right. */
static enum om_slice_fate give(struct om_slices *s, om_time now, uint32_t id, unsigned i)
{
    const struct om_frame_slice f = slice(id, i * SIZE, SIZE, PIECES * SIZE);
    uint8_t *whole = NULL;
    enum om_slice_fate fate = om_slices_input(s, now, &f, &whole);

    if (fate == OM_SLICE_WHOLE)
        CHECK_MEM(whole, text, PIECES * SIZE);
    free(whole);
    return fate;
}

static void begin(struct om_slices *s)
{
    fill_text();
    om_slices_init(s);
}

OM_TEST(slice_joins_in_any_order)
{
    struct om_slices s;

    begin(&s);
    for (unsigned step = 1; step < PIECES; step += 2) { /* 1, 3, 7, 9 visit all ten */
        if (step == 5)
            continue;
        for (unsigned k = 0; k < PIECES; k++) {
            enum om_slice_fate fate = give(&s, OM_SEC(1), step, k * step % PIECES);
            if (fate == OM_SLICE_NO_ROOM) { /* the harness took the memory */
                om_slices_fini(&s);
                return;
            }
            CHECK_EQ(fate, k + 1 < PIECES ? OM_SLICE_KEPT : OM_SLICE_WHOLE);
        }
        CHECK(s.count == 0 && s.bytes == 0);
    }
    CHECK_EQ(s.dropped, 0);
    om_slices_fini(&s);
}

OM_TEST(slice_overlap_drops_the_whole)
{
    struct om_slices s;
    uint8_t *whole = NULL;

    begin(&s);
    OM_TRY(give(&s, 1, 7, 3) == OM_SLICE_KEPT);
    CHECK_EQ(give(&s, 1, 7, 5), OM_SLICE_KEPT);
    const struct om_frame_slice over = slice(7, 450, 100, PIECES * SIZE);
    CHECK_EQ(om_slices_input(&s, 1, &over, &whole), OM_SLICE_CLASH);
    CHECK(!whole && s.count == 0 && s.bytes == 0 && s.dropped == 1);
    OM_TRY(give(&s, 1, 8, 3) == OM_SLICE_KEPT);
    CHECK_EQ(give(&s, 1, 8, 3), OM_SLICE_CLASH); /* twice is overlap, too */
    OM_TRY(give(&s, 1, 9, 3) == OM_SLICE_KEPT);
    CHECK_EQ(give(&s, 1, 9, 4), OM_SLICE_KEPT); /* to touch is none */
out:
    om_slices_fini(&s);
}

OM_TEST(slice_other_total_drops_the_whole)
{
    struct om_slices s;
    uint8_t *whole = NULL;

    begin(&s);
    OM_TRY(give(&s, 1, 7, 0) == OM_SLICE_KEPT);
    const struct om_frame_slice other = slice(7, 100, 100, 300);
    CHECK_EQ(om_slices_input(&s, 1, &other, &whole), OM_SLICE_CLASH);
    CHECK(!whole && s.count == 0 && s.dropped == 1);
out:
    om_slices_fini(&s);
}

OM_TEST(slice_is_given_up_in_time)
{
    struct om_slices s;
    om_time late = OM_MS(OM_SLICE_LIFE_MS);

    begin(&s);
    OM_TRY(give(&s, 0, 7, 0) == OM_SLICE_KEPT);
    OM_TRY(give(&s, OM_MS(1), 8, 0) == OM_SLICE_KEPT);
    CHECK_EQ(om_slices_deadline(&s), late);
    om_slices_tick(&s, late - 1);
    CHECK_EQ(s.count, 2);
    om_slices_tick(&s, late);
    CHECK(s.count == 1 && s.dropped == 1);
    om_slices_tick(&s, late + OM_MS(1));
    CHECK(s.count == 0 && s.bytes == 0 && s.dropped == 2);
    CHECK(om_slices_deadline(&s) == OM_NEVER);
out:
    om_slices_fini(&s);
}

OM_TEST(slice_full_drops_the_oldest)
{
    struct om_slices s;

    begin(&s);
    for (uint32_t id = 0; id < OM_SLICES_MAX; id++)
        OM_TRY(give(&s, 1, id, 0) == OM_SLICE_KEPT);
    CHECK(s.count == OM_SLICES_MAX && s.dropped == 0);
    OM_TRY(give(&s, 1, OM_SLICES_MAX, 0) == OM_SLICE_KEPT);
    CHECK(s.count == OM_SLICES_MAX && s.dropped == 1);
    for (unsigned i = 1; i < PIECES; i++) { /* the second oldest is still there */
        enum om_slice_fate fate = give(&s, 1, 1, i);
        CHECK_EQ(fate, i + 1 < PIECES ? OM_SLICE_KEPT : OM_SLICE_WHOLE);
    }
out:
    om_slices_fini(&s);
}

OM_TEST(slice_memory_is_bounded)
{
    struct om_slices s;
    uint8_t *whole = NULL;
    unsigned most = OM_SLICE_BYTES_MAX / UINT16_MAX;

    begin(&s);
    for (uint32_t id = 0; id < most + 3; id++) {
        const struct om_frame_slice f = slice(id, 0, 1, UINT16_MAX);
        OM_TRY(om_slices_input(&s, 1, &f, &whole) == OM_SLICE_KEPT);
        CHECK(s.bytes <= OM_SLICE_BYTES_MAX);
    }
    CHECK(s.count == most && s.dropped == 3);
out:
    om_slices_fini(&s);
}

OM_TEST(slice_many_gaps_drop_the_whole)
{
    struct om_slices s;
    uint8_t *whole = NULL;

    begin(&s);
    for (unsigned i = 0; i <= OM_SLICE_RUNS_MAX; i++) {
        const struct om_frame_slice f = slice(7, 2 * i, 1, WHOLE_MAX);
        enum om_slice_fate fate = om_slices_input(&s, 1, &f, &whole);
        OM_TRY(fate != OM_SLICE_NO_ROOM);
        CHECK_EQ(fate, i < OM_SLICE_RUNS_MAX ? OM_SLICE_KEPT : OM_SLICE_CLASH);
    }
    CHECK(!whole && s.count == 0 && s.dropped == 1);
out:
    om_slices_fini(&s);
}

OM_TEST(frame_round_trips_slices)
{
    static uint8_t packet[64];
    static const uint8_t want[] = {19, 0, 2, 'i',  'p', 20,   0, 10,  1,
                                   2,  3, 4, 0x10, 0,   0x20, 0, 'h', 'i'};
    struct om_wr w = om_wr(om_mut(packet, sizeof packet));
    struct om_frame f;

    om_frame_write_ip(&w, om_bytes("ip", 2));
    om_frame_write_slice(&w,
                         &(struct om_frame_slice){0x01020304, 0x1000, 0x2000, om_bytes("hi", 2)});
    CHECK_EQ(om_wr_len(&w), sizeof want);
    CHECK_MEM(packet, want, sizeof want);
    struct om_rd r = om_rd(om_bytes(packet, om_wr_len(&w)));
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_IP && f.is_known && f.ip.n == 2);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_SLICE && f.slice.id == 0x01020304 && f.slice.data.n == 2);
    CHECK(f.slice.offset == 0x1000 && f.slice.total == 0x2000 && om_rd_done(&r));
}

OM_TEST(frame_slices_stay_within_their_whole)
{
    static const struct {
        uint16_t offset, total, n;
        enum om_err want;
    } cases[] = {
        {0, 1, 1, OM_OK},         {0, 0, 0, OM_E_PARSE},
        {0, 1, 0, OM_E_PARSE},    {1, 1, 1, OM_E_PARSE},
        {9, 10, 1, OM_OK},        {9, 10, 2, OM_E_PARSE},
        {65534, 65535, 1, OM_OK}, {65535, 65535, 1, OM_E_PARSE},
    };
    uint8_t packet[32];
    struct om_frame f;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct om_wr w = om_wr(om_mut(packet, sizeof packet));
        om_frame_write_slice(&w, &(struct om_frame_slice){1, cases[i].offset, cases[i].total,
                                                          om_bytes("xx", cases[i].n)});
        struct om_rd r = om_rd(om_bytes(packet, om_wr_len(&w)));
        CHECK_ERR(om_frame_next(&r, &f), cases[i].want);
    }
}
