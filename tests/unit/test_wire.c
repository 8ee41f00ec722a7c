/* test_wire.c - the cursors of wire.h. */
#include "harness.h"

#include <omerta/wire.h>

#ifndef OM_PLANT_BUG
OM_TEST(wire_reader_never_passes_its_end)
{
    static const uint8_t raw[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    for (size_t have = 0; have <= sizeof raw; have++) {
        for (size_t want = 0; want <= sizeof raw + 2; want++) {
            struct om_rd r = om_rd(om_bytes(raw, have));
            const uint8_t *at = om_rd_take(&r, want);

            CHECK_EQ(at != NULL, want <= have);
            CHECK_EQ(r.bad, want > have);
            CHECK_EQ(om_rd_left(&r), want <= have ? have - want : 0);
            CHECK(r.p <= r.end);
        }
    }
    struct om_rd r = om_rd(om_bytes(raw, 4));
    CHECK(om_rd_take(&r, SIZE_MAX) == NULL);
    CHECK(r.bad);
}

OM_TEST(wire_short_integers_are_refused)
{
    static const uint8_t raw[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct om_rd r[5];

    for (size_t i = 0; i < OM_ARRAY_SIZE(r); i++)
        r[i] = om_rd(om_bytes(raw, (size_t[]){0, 1, 3, 5, 7}[i]));
    CHECK_EQ(om_rd_u8(&r[0]), 0);
    CHECK_EQ(om_rd_u16(&r[1]), 0);
    CHECK_EQ(om_rd_u32(&r[2]), 0);
    CHECK_EQ(om_rd_u48(&r[3]), 0);
    CHECK_EQ(om_rd_u64(&r[4]), 0);
    for (size_t i = 0; i < OM_ARRAY_SIZE(r); i++)
        CHECK(r[i].bad);
}
#endif

OM_TEST(wire_error_sticks)
{
    static const uint8_t raw[4] = {1, 2, 3, 4};
    uint8_t copy[3] = {9, 9, 9};
    struct om_rd r = om_rd(om_bytes(raw, sizeof raw));

    CHECK_EQ(om_rd_u8(&r), 1); /* the control: it reads while it can */
    CHECK(om_rd_take(&r, 1000) == NULL);
    CHECK_EQ(om_rd_u8(&r), 0);
    CHECK_EQ(om_rd_u16(&r), 0);
    CHECK_EQ(om_rd_left(&r), 0);
    CHECK_EQ(om_rd_bytes(&r, 1).n, 0);
    CHECK_EQ(om_rd_rest(&r).n, 0);
    om_rd_copy(&r, copy, sizeof copy);
    CHECK_MEM(copy, ((uint8_t[3]){0}), 3);
    CHECK(!om_rd_done(&r));

    uint8_t out[4] = {0};
    struct om_wr w = om_wr(om_mut(out, sizeof out));
    om_wr_u8(&w, 7);
    om_wr_u64(&w, 1);
    om_wr_u8(&w, 8); /* would fit, but the error sticks */
    CHECK(w.bad);
    CHECK_EQ(om_wr_len(&w), 0);
    CHECK_EQ(om_wr_left(&w), 0);
    CHECK_MEM(out, ((uint8_t[4]){7}), 4);
}

OM_TEST(wire_writer_never_passes_its_end)
{
    uint8_t out[12];

    for (size_t room = 0; room <= 8; room++) {
        for (size_t want = 0; want <= 10; want++) {
            struct om_wr w = om_wr(om_mut(out, room));

            memset(out, 0xaa, sizeof out);
            om_wr_zero(&w, want);
            CHECK_EQ(w.bad, want > room);
            CHECK_EQ(om_wr_len(&w), want > room ? 0 : want);
            for (size_t i = 0; i < sizeof out; i++)
                CHECK_EQ(out[i], i < want && want <= room ? 0 : 0xaa);
        }
    }
    struct om_wr w = om_wr(om_mut(out, 8));
    CHECK(om_wr_room(&w, SIZE_MAX) == NULL);
    CHECK(w.bad);
}

OM_TEST(wire_round_trips_every_width)
{
    static const uint64_t values[] = {0, 1, 0x7f, 0x80, 0xff, 0x0123456789abcdef, UINT64_MAX};
    uint8_t raw[64];

    for (size_t i = 0; i < OM_ARRAY_SIZE(values); i++) {
        uint64_t v = values[i];
        struct om_wr w = om_wr(om_mut(raw, sizeof raw));

        om_wr_u8(&w, (uint8_t)v);
        om_wr_u16(&w, (uint16_t)v);
        om_wr_u32(&w, (uint32_t)v);
        om_wr_u48(&w, v);
        om_wr_u64(&w, v);
        om_wr_uint(&w, v & 0xffffff, 3);
        om_wr_bytes(&w, om_bytes("abc", 3));
        om_wr_copy(&w, "de", 2);
        om_wr_bytes(&w, om_bytes(NULL, 0));
        CHECK_EQ(om_wr_len(&w), 1 + 2 + 4 + 6 + 8 + 3 + 5);
        CHECK_EQ(om_wr_left(&w), sizeof raw - om_wr_len(&w));

        struct om_rd r = om_rd(om_bytes(raw, om_wr_len(&w)));
        char text[3];
        CHECK_EQ(om_rd_u8(&r), v & 0xff);
        CHECK_EQ(om_rd_u16(&r), v & 0xffff);
        CHECK_EQ(om_rd_u32(&r), v & 0xffffffff);
        CHECK_EQ(om_rd_u48(&r), v & 0xffffffffffff);
        CHECK(om_rd_u64(&r) == v);
        CHECK_EQ(om_rd_uint(&r, 3), v & 0xffffff);
        om_rd_copy(&r, text, 3);
        CHECK_MEM(text, "abc", 3);
        CHECK(!om_rd_done(&r)); /* something is left over */
        CHECK_EQ(om_rd_rest(&r).n, 2);
        CHECK(om_rd_done(&r));
    }
    CHECK_MEM(raw + 1, "\xff\xff", 2);
}

OM_TEST(wire_integers_are_big_endian)
{
    uint8_t raw[4];
    struct om_wr w = om_wr(om_mut(raw, sizeof raw));

    om_wr_u32(&w, 0x01020304);
    CHECK_MEM(raw, ((uint8_t[]){1, 2, 3, 4}), 4);
}

OM_TEST(wire_empty_views_are_fine)
{
    struct om_rd r = om_rd(om_bytes(NULL, 0));
    struct om_wr w = om_wr(om_mut(NULL, 0));

    CHECK(om_rd_done(&r));
    CHECK_EQ(om_rd_rest(&r).n, 0);
    om_wr_copy(&w, NULL, 0);
    CHECK(!w.bad);
    om_wr_u8(&w, 1);
    CHECK(w.bad);
}
