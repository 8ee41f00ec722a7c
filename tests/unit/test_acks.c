/* test_acks.c - when an ACK is due, and what it says. */
#include "harness.h"

#include <omerta/attr.h>
#include <omerta/bytes.h>

#include "crypto/acks.h"
#include "path/rtt.h"

static const om_time T0 = OM_SEC(50);

OM_TEST(acks_due_after_two_or_25_ms)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    CHECK(a.due == OM_NEVER);
    CHECK(!om_acks_take(&a, T0, &ack)); /* nothing arrived */
    om_acks_received(&a, T0, 0, true);
    CHECK_EQ(a.due, T0 + OM_MS(25));
    om_acks_received(&a, T0 + OM_MS(5), 1, true); /* the second: now */
    CHECK_EQ(a.due, T0 + OM_MS(5));
    om_acks_received(&a, T0 + OM_MS(6), 2, true); /* a third does not put it off */
    CHECK_EQ(a.due, T0 + OM_MS(5));
    CHECK(om_acks_take(&a, T0 + OM_MS(6), &ack));
    CHECK_EQ(ack.largest, 2);
    CHECK_EQ(ack.run, 3);
    CHECK(a.due == OM_NEVER);

    om_acks_received(&a, T0 + OM_MS(9), 3, true); /* counts from one again */
    CHECK_EQ(a.due, T0 + OM_MS(9) + OM_MS(OM_ACK_DELAY_MS));
}

OM_TEST(acks_old_gaps_are_told_no_more)
{
    struct om_frame_ack ack;
    struct om_acks a;
    om_time now = T0;

    om_acks_init(&a);
    om_acks_received(&a, now, 0, true);
    om_acks_received(&a, now, 2, true); /* 1 is lost for good */
    for (uint64_t i = 3; i < 3 + OM_ACK_TOLD; i++) {
        om_acks_received(&a, now, i, true);
        CHECK(om_acks_take(&a, now, &ack));
        CHECK_EQ(ack.count, 1); /* told often, but not for long */
    }
    CHECK_EQ(a.count, 2);
    now += OM_SEC(OM_ACK_KEPT_S);
    CHECK(om_acks_take(&a, now, &ack));
    CHECK_EQ(a.count, 1); /* forgotten */
    for (unsigned i = 0; i < OM_ACK_TOLD; i++) {
        CHECK(om_acks_take(&a, now, &ack));
        CHECK_EQ(ack.count, 0);
    }
    om_acks_received(&a, now, 1, true); /* it came after all, and is told */
    CHECK(om_acks_take(&a, now, &ack));
    CHECK_EQ(ack.count, 0);
    CHECK_EQ(ack.run, 2 + OM_ACK_TOLD + 0);

    om_acks_init(&a); /* for long, but nobody heard of it yet */
    om_acks_received(&a, T0, 0, true);
    om_acks_received(&a, T0, 2, true);
    for (unsigned i = 0; i < OM_ACK_TOLD; i++) {
        CHECK(om_acks_take(&a, now, &ack));
        CHECK_EQ(ack.count, 1);
    }
    CHECK(om_acks_take(&a, now, &ack));
    CHECK_EQ(ack.count, 0);
}

/* Of gaps that many ACKs told, one in as many tells; of a new one, each. */
OM_TEST(acks_known_gaps_are_told_seldom)
{
    struct om_frame_ack ack;
    struct om_acks a;
    om_time now = T0;
    unsigned named = 0;

    om_acks_init(&a);
    for (uint64_t i = 0; i < 10; i++)
        om_acks_received(&a, now, 2 * i, true);
    for (unsigned i = 0; i < 2 * OM_ACK_TOLD; i++) {
        CHECK(om_acks_take(&a, now, &ack));
        CHECK_EQ(ack.count, 9); /* told often, but new */
    }
    now += OM_MS(OM_ACK_FRESH_MS);
    for (unsigned i = 0; i < 3 * OM_ACK_TOLD; i++) {
        CHECK(om_acks_take(&a, now, &ack));
        CHECK(ack.count == 0 || ack.count == 9);
        named += ack.count != 0;
    }
    CHECK_EQ(named, 3);

    om_acks_received(&a, now, 11, true); /* fills a gap: it is told, and all above it */
    CHECK(om_acks_take(&a, now, &ack));
    CHECK_EQ(ack.count, 3);
    CHECK_EQ(ack.ranges[2].run, 3);
    om_acks_received(&a, now, 30, true);
    CHECK(om_acks_take(&a, now, &ack));
    CHECK_EQ(ack.count, 4);
    CHECK_EQ(ack.ranges[0].missing, 11);

    om_acks_init(&a); /* long ago, but nobody heard of it yet */
    om_acks_received(&a, T0, 0, true);
    om_acks_received(&a, T0, 2, true);
    for (unsigned i = 0; i < OM_ACK_TOLD; i++) {
        CHECK(om_acks_take(&a, now, &ack));
        CHECK_EQ(ack.count, 1);
    }
}

OM_TEST(acks_of_acks_are_not_owed)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    for (uint64_t i = 0; i < 10; i++)
        om_acks_received(&a, T0, i, false);
    CHECK(a.due == OM_NEVER);
    CHECK_EQ(a.pending, 0);
    om_acks_received(&a, T0, 10, true);
    CHECK_EQ(a.due, T0 + OM_MS(25));
    om_acks_received(&a, T0, 11, false); /* neither owed nor a reason to hurry */
    CHECK_EQ(a.due, T0 + OM_MS(25));
    CHECK(om_acks_take(&a, T0, &ack)); /* but all are named */
    CHECK_EQ(ack.run, 12);
}

OM_TEST(acks_delay_is_that_of_the_largest)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    om_acks_received(&a, T0, 5, true);
    om_acks_received(&a, T0 + OM_MS(10), 3, true); /* late: does not touch the date of 5 */
    CHECK(om_acks_take(&a, T0 + OM_MS(12), &ack));
    CHECK_EQ(ack.largest, 5);
    CHECK_EQ(ack.delay_us, 12000);
    CHECK(om_acks_take(&a, T0 + OM_SEC(5000), &ack)); /* more than 32 bits of microseconds */
    CHECK_EQ(ack.delay_us, UINT32_MAX);
}

OM_TEST(acks_name_every_gap)
{
    static const uint64_t seen[] = {9, 2, 4, 7, 3, 8, 0};
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(seen); i++)
        om_acks_received(&a, T0, seen[i], true);
    CHECK(om_acks_take(&a, T0, &ack)); /* 7-9, 2-4, 0 */
    CHECK_EQ(ack.largest, 9);
    CHECK_EQ(ack.run, 3);
    CHECK_EQ(ack.count, 2);
    CHECK_EQ(ack.ranges[0].missing, 2);
    CHECK_EQ(ack.ranges[0].run, 3);
    CHECK_EQ(ack.ranges[1].missing, 1);
    CHECK_EQ(ack.ranges[1].run, 1);
    om_acks_received(&a, T0, 1, true); /* closes one, */
    om_acks_received(&a, T0, 9, true); /* and what was seen changes nothing */
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.count, 1);
    CHECK_EQ(ack.ranges[0].run, 5);
}

OM_TEST(acks_ranges_are_bounded)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    for (uint64_t i = 0; i <= OM_ACK_RANGES_MAX; i++)
        om_acks_received(&a, T0, 10 * i + 1000, true);
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.count, OM_ACK_RANGES_MAX); /* all of them still fit */
    CHECK_EQ(ack.largest, 1640);

    om_acks_received(&a, T0, 500, true); /* lower than all that is kept */
    CHECK_EQ(a.count, OM_ACK_RANGES_MAX + 1);
    CHECK_EQ(a.runs[OM_ACK_RANGES_MAX].low, 1000);
    om_acks_received(&a, T0, 2000, true); /* the lowest gives way */
    CHECK_EQ(a.count, OM_ACK_RANGES_MAX + 1);
    CHECK_EQ(a.runs[0].high, 2000);
    CHECK_EQ(a.runs[OM_ACK_RANGES_MAX].low, 1010);
    om_acks_received(&a, T0, 1015, true); /* also for one in the middle */
    CHECK_EQ(a.count, OM_ACK_RANGES_MAX + 1);
    CHECK_EQ(a.runs[OM_ACK_RANGES_MAX].low, 1015);
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.count, OM_ACK_RANGES_MAX);
}

/* What the frame can carry is carried; what it cannot is left out, not put elsewhere. */
static void check_decodes(const struct om_frame_ack *ack)
{
    uint8_t bytes[1200];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    struct om_frame f;

    om_frame_write_ack(&w, ack);
    struct om_rd r = om_rd(om_bytes(bytes, om_wr_len(&w)));
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_EQ(f.type, OM_FRAME_ACK);
    CHECK_EQ(f.ack.largest, ack->largest);
    CHECK_EQ(f.ack.count, ack->count);
}

OM_TEST(acks_gap_beyond_32_bits_ends_the_list)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    om_acks_received(&a, T0, 5, true);
    om_acks_received(&a, T0, 5 + UINT64_C(0x100000000), true); /* 2^32 - 1 missing: just fits */
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.count, 1);
    CHECK_EQ(ack.ranges[0].missing, UINT32_MAX);
    check_decodes(&ack);

    om_acks_init(&a);
    om_acks_received(&a, T0, 5, true);
    om_acks_received(&a, T0, 6 + UINT64_C(0x100000000), true);
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.count, 0); /* packet 6, which never came, must not be named */
    check_decodes(&ack);
}

OM_TEST(acks_run_beyond_32_bits_ends_the_list)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    om_acks_received(&a, T0, 5, true);
    om_acks_received(&a, T0, 10, true);
    a.runs[0].high = 9 + UINT64_C(0x100000000); /* as after four thousand million packets */
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.largest, 9 + UINT64_C(0x100000000));
    CHECK_EQ(ack.run, UINT32_MAX);
    CHECK_EQ(ack.count, 0); /* packet 10 is not named, so nothing below it can be */
    check_decodes(&ack);

    a.runs[0].high--; /* exactly the longest run: what is below keeps its place */
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.run, UINT32_MAX);
    CHECK_EQ(ack.count, 1);
    CHECK_EQ(ack.ranges[0].missing, 4);
}

/* The peer chooses its counters. The last one of all can be in no ACK, and must not bend the list.
 */
OM_TEST(acks_survive_the_last_counter)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    om_acks_received(&a, T0, UINT64_MAX, true);
    CHECK(!om_acks_take(&a, T0, &ack));
    om_acks_received(&a, T0, 5, true);
    om_acks_received(&a, T0, UINT64_MAX, true);
    om_acks_received(&a, T0, UINT64_MAX - 1, true); /* the greatest that can */
    om_acks_received(&a, T0, UINT64_MAX - 2, true);
    om_acks_received(&a, T0, 0, true);
    om_acks_received(&a, T0, 7, true);
    CHECK_EQ(a.count, 4);
    for (unsigned i = 1; i < a.count; i++)
        CHECK(a.runs[i].high < a.runs[i - 1].low);
    CHECK(om_acks_take(&a, T0, &ack));
    CHECK_EQ(ack.largest, UINT64_MAX - 1);
    CHECK_EQ(ack.run, 2);
    check_decodes(&ack);
}

/* RFC 9000 section 13.2.1: a gap, or what fills one, must not wait: the sender would take the late
 * packet for a lost one, or learn of a lost one late. */
OM_TEST(acks_disorder_is_told_at_once)
{
    struct om_frame_ack ack;
    struct om_acks a;

    om_acks_init(&a);
    om_acks_received(&a, OM_SEC(1), 7, true); /* the first is in order */
    CHECK_EQ(a.due, OM_SEC(1) + OM_MS(25));
    CHECK(om_acks_take(&a, OM_SEC(1), &ack));
    om_acks_received(&a, OM_SEC(2), 9, true);
    CHECK_EQ(a.due, OM_SEC(2));
    CHECK(om_acks_take(&a, OM_SEC(2), &ack));
    om_acks_received(&a, OM_SEC(3), 8, true);
    CHECK_EQ(a.due, OM_SEC(3));
    CHECK(om_acks_take(&a, OM_SEC(3), &ack));
    om_acks_received(&a, OM_SEC(4), 10, true);
    CHECK_EQ(a.due, OM_SEC(4) + OM_MS(25));
    CHECK(om_acks_take(&a, OM_SEC(4), &ack));
    om_acks_received(&a, OM_SEC(5), 12, false); /* nobody waits to hear of this one */
    CHECK_EQ(a.due, OM_NEVER);
}
