/* test_receive.c - the receiving half of a stream. */
#include "harness.h"

#include "envelope/frame.h"
#include "stream/receive.h"

enum { LIMIT = 1 << 20, BIG = 100000 };

static uint8_t bytes[BIG];

static void make_bytes(void)
{
    for (unsigned i = 0; i < BIG; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static enum om_err put(struct om_receive *r, uint64_t low, uint64_t high, bool fin)
{
    return om_receive_input(r, low, om_bytes(bytes + low, high - low), fin, LIMIT,
                            OM_RECEIVE_RANGES_MAX);
}

/* Reads all that can be read, and checks it; returns where that ends. */
static uint64_t read_all(struct om_receive *r)
{
    struct om_bytes b;

    while ((b = om_receive_peek(r)).n > 0) {
        CHECK_MEM(b.p, bytes + r->consumed, b.n);
        om_receive_consume(r, b.n);
    }
    return r->consumed;
}

OM_TEST(receive_puts_bytes_in_order)
{
    struct om_receive r;

    make_bytes();
    om_receive_init(&r);
    CHECK_EQ(om_receive_peek(&r).n, 0);
    OM_TRY(put(&r, 50000, 70000, false) == OM_OK);
    OM_TRY(put(&r, 20, 40, false) == OM_OK);
    CHECK_EQ(om_receive_peek(&r).n, 0);
    OM_TRY(put(&r, 0, 30, false) == OM_OK); /* overlaps */
    CHECK(r.received == 40);
    CHECK_EQ(om_receive_peek(&r).n, 40);
    om_receive_consume(&r, 7);
    CHECK_MEM(om_receive_peek(&r).p, bytes + 7, 33);
    CHECK_OK(put(&r, 0, 40, false)); /* all of it again */
    CHECK(read_all(&r) == 40);
    OM_TRY(put(&r, 30, 60000, false) == OM_OK); /* fills the gap, and then some */
    CHECK(r.received == 70000 && om_ranges_count(&r.above) == 0);
    CHECK(read_all(&r) == 70000);
    OM_TRY(put(&r, 70000, BIG, true) == OM_OK);
    CHECK(!om_receive_is_at_end(&r) && om_receive_is_complete(&r) && !om_receive_is_done(&r));
    CHECK(read_all(&r) == BIG);
    CHECK(om_receive_is_at_end(&r) && om_receive_is_done(&r));
    CHECK(r.blocks == NULL);
out:
    om_receive_fini(&r);
}

OM_TEST(receive_final_size_is_final)
{
    struct om_receive r;

    om_receive_init(&r);
    OM_TRY(put(&r, 100, 200, false) == OM_OK);
    CHECK_ERR(put(&r, 150, 199, true), OM_E_RANGE); /* ends before what was sent */
    CHECK(r.final == OM_RECEIVE_UNKNOWN);
    CHECK_OK(put(&r, 300, 300, true)); /* FIN alone; the control of what follows */
    CHECK(r.highest == 300);
    CHECK_OK(put(&r, 300, 300, true));
    CHECK_ERR(put(&r, 300, 301, false), OM_E_RANGE);
    CHECK_ERR(put(&r, 250, 299, true), OM_E_RANGE);
    CHECK_ERR(put(&r, 300, 301, true), OM_E_RANGE);
    CHECK_ERR(om_receive_reset(&r, 299, LIMIT), OM_E_RANGE);
    CHECK_ERR(om_receive_reset(&r, 301, LIMIT), OM_E_RANGE);
    CHECK_OK(om_receive_reset(&r, 300, LIMIT));
    CHECK(r.is_reset && r.consumed == 300 && om_receive_is_done(&r) && !om_receive_is_at_end(&r));
    CHECK_ERR(om_receive_reset(&r, 299, LIMIT), OM_E_RANGE);
    CHECK_OK(put(&r, 0, 50, false)); /* late, and dropped */
    CHECK_EQ(om_receive_peek(&r).n, 0);
out:
    om_receive_fini(&r);
}

/* A RESET that comes when everything is there takes nothing away. */
OM_TEST(receive_reset_of_a_complete_half_is_ignored)
{
    struct om_receive r;

    make_bytes();
    om_receive_init(&r);
    OM_TRY(put(&r, 0, 10, true) == OM_OK);
    CHECK_OK(om_receive_reset(&r, 10, LIMIT));
    CHECK(!r.is_reset);
    CHECK(read_all(&r) == 10);
    CHECK(om_receive_is_at_end(&r));
out:
    om_receive_fini(&r);
}

OM_TEST(receive_refuses_beyond_credit)
{
    struct om_receive r;

    om_receive_init(&r);
    CHECK_OK(om_receive_input(&r, 0, om_bytes(bytes, 0), false, 0, 1));
    OM_TRY(om_receive_input(&r, 90, om_bytes(bytes, 10), false, 100, 9) == OM_OK);
    CHECK_ERR(om_receive_input(&r, 91, om_bytes(bytes, 10), false, 100, 9), OM_E_FULL);
    CHECK_ERR(om_receive_input(&r, 101, om_bytes(bytes, 0), true, 100, 9), OM_E_FULL);
    CHECK_ERR(om_receive_reset(&r, 101, 100), OM_E_FULL);
    CHECK(r.highest == 100 && r.final == OM_RECEIVE_UNKNOWN);
    CHECK_ERR(om_receive_input(&r, OM_STREAM_END_MAX - 10, om_bytes(bytes, 10), true, 100, 9),
              OM_E_FULL);
out:
    om_receive_fini(&r);
}

OM_TEST(receive_too_many_gaps_are_refused)
{
    struct om_receive r;

    make_bytes();
    om_receive_init(&r);
    for (uint64_t i = 1; i <= 5; i++)
        OM_TRY(om_receive_input(&r, 10 * i, om_bytes(bytes + 10 * i, 5), false, LIMIT, 5) == OM_OK);
    CHECK_ERR(om_receive_input(&r, 60, om_bytes(bytes + 60, 5), false, LIMIT, 5), OM_E_NO_MEM);
    CHECK(r.highest == 55);
    /* what joins, and what fills the first gap, is never refused */
    CHECK_OK(om_receive_input(&r, 55, om_bytes(bytes + 55, 3), false, LIMIT, 5));
    CHECK_OK(om_receive_input(&r, 0, om_bytes(bytes, 4), false, LIMIT, 5));
    CHECK_OK(om_receive_input(&r, 4, om_bytes(bytes + 4, 6), false, LIMIT, 5));
    CHECK(r.received == 15);
    CHECK_OK(om_receive_input(&r, 60, om_bytes(bytes + 60, 5), false, LIMIT, 5));
    CHECK_OK(om_receive_input(&r, 15, om_bytes(bytes + 15, 50), false, LIMIT, 5));
    CHECK(read_all(&r) == 65);
out:
    om_receive_fini(&r);
}

OM_TEST(receive_pieces_follow_one_another)
{
    const uint64_t end = OM_RECEIVE_FIRST + 2 * OM_RECEIVE_BLOCK + 10;
    struct om_bytes piece[4];
    struct om_receive r;
    uint64_t at = 0;

    make_bytes();
    om_receive_init(&r);
    CHECK_EQ(om_receive_pieces(&r, piece, 4), 0);
    OM_TRY(put(&r, 0, end, false) == OM_OK);
    CHECK_EQ(om_receive_pieces(&r, piece, 2), 2);
    OM_TRY(om_receive_pieces(&r, piece, 4) == 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_MEM(piece[i].p, bytes + at, piece[i].n);
        at += piece[i].n;
    }
    CHECK_EQ(at, end);
    om_receive_consume(&r, OM_RECEIVE_FIRST + OM_RECEIVE_BLOCK + 5); /* over two edges */
    CHECK_EQ(om_receive_blocks(&r), 2);
    OM_TRY(om_receive_pieces(&r, piece, 4) == 2);
    CHECK_MEM(piece[0].p, bytes + r.consumed, piece[0].n);
    om_receive_consume(&r, (size_t)(end - r.consumed));
    CHECK_EQ(om_receive_blocks(&r), 0);
out:
    om_receive_fini(&r);
}

OM_TEST(receive_memory_follows_the_window)
{
    const uint64_t second = OM_RECEIVE_FIRST + OM_RECEIVE_BLOCK;
    struct om_receive r;

    make_bytes();
    om_receive_init(&r);
    CHECK_EQ(om_receive_blocks(&r), 0);
    OM_TRY(put(&r, 0, 100, false) == OM_OK);
    CHECK_EQ(om_receive_blocks(&r), 1);
    OM_TRY(put(&r, second + 5, second + 6, false) == OM_OK); /* only the block it is in */
    CHECK_EQ(om_receive_blocks(&r), 2);
    OM_TRY(put(&r, 90, second + 5, false) == OM_OK);
    CHECK_EQ(om_receive_blocks(&r), 3);
    CHECK_EQ(om_receive_peek(&r).n, OM_RECEIVE_FIRST);
    om_receive_consume(&r, OM_RECEIVE_FIRST);
    CHECK_EQ(om_receive_blocks(&r), 2);
    CHECK_EQ(om_receive_peek(&r).n, OM_RECEIVE_BLOCK);
    om_receive_consume(&r, OM_RECEIVE_BLOCK);
    CHECK_EQ(om_receive_blocks(&r), 1);
    CHECK_EQ(om_receive_peek(&r).n, 6);
    om_receive_consume(&r, 6);
    CHECK(r.blocks == NULL); /* nothing unread: nothing held */
    OM_TRY(put(&r, second + 10, second + 20, false) == OM_OK);
    om_receive_stop(&r);
    CHECK(r.blocks == NULL && r.consumed == second + 20);
    CHECK_OK(put(&r, second + 30, second + 40, false));
    CHECK(r.blocks == NULL && r.consumed == second + 40 && !om_receive_is_complete(&r));
    CHECK_OK(put(&r, second + 50, second + 50, true));
    CHECK(om_receive_is_done(&r) && !om_receive_is_at_end(&r));
    CHECK(om_receive_input(&r, OM_STREAM_END_MAX - 9, om_bytes(bytes, 9), false, UINT64_MAX, 9) ==
          OM_E_RANGE);

    om_receive_fini(&r); /* whatever the credit was, so many blocks and no more */
    om_receive_init(&r);
    CHECK_ERR(om_receive_input(&r, (uint64_t)1 << 40, om_bytes(bytes, 9), false, UINT64_MAX, 9),
              OM_E_NO_MEM);
out:
    om_receive_fini(&r);
}

OM_TEST(receive_no_memory_changes_nothing)
{
    struct om_receive r;
    enum om_err e = OM_OK;

    make_bytes();
    om_receive_init(&r);
    for (uint64_t at = 0; at < 90000; at += 9000) {
        uint64_t low = (at * 7) % 90000;
        struct om_receive before = r;
        e = put(&r, low, low + 9000, low == 81000);
        if (e == OM_OK)
            continue;
        CHECK_ERR(e, OM_E_NO_MEM);
        CHECK(r.highest == before.highest && r.received == before.received);
        CHECK(r.final == before.final && r.above.count == before.above.count);
        OM_TRY(om_test_oom_hit());
        CHECK_OK(put(&r, low, low + 9000, low == 81000)); /* it comes again */
    }
    CHECK(read_all(&r) == 90000);
    CHECK(om_receive_is_at_end(&r));
out:
    om_receive_fini(&r);
}
