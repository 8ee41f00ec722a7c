/* test_send.c - the sending half of a stream. */
#include "harness.h"

#include "envelope/frame.h"
#include "stream/send.h"

static const uint8_t text[] = "the quick brown fox jumps over the lazy dog, and over the wall";
static uint8_t packet[4096];
static struct om_frame frame;

/* One frame into a packet with room for @n bytes of data, left in frame. */
static bool fill(struct om_send *s, size_t n, uint64_t fresh, struct om_sent_frame *out)
{
    struct om_wr w = om_wr(om_mut(packet, OM_FRAME_HEAD + OM_STREAM_HEAD + n));

    if (!om_send_fill(s, 2, &w, fresh, out)) {
        CHECK(!w.bad && om_wr_len(&w) == 0);
        return false;
    }
    struct om_rd r = om_rd(om_bytes(packet, om_wr_len(&w)));
    CHECK_OK(om_frame_next(&r, &frame));
    CHECK(om_rd_done(&r) && frame.type == OM_FRAME_STREAM && frame.stream.id == 2);
    CHECK(out->offset == frame.stream.offset && out->len == frame.stream.data.n);
    CHECK_EQ(out->flags, frame.stream.is_fin ? OM_SENT_FIN : 0);
    return true;
}

static struct om_sent_frame sent(uint64_t offset, uint16_t len, bool fin)
{
    return (struct om_sent_frame){offset, 2, len, OM_SENT_STREAM, fin ? OM_SENT_FIN : 0};
}

OM_TEST(send_pieces_are_released_in_order)
{
    struct om_sent_frame f = {0};
    struct om_send s;

    om_send_init(&s, 1000);
    CHECK(!om_send_has_fresh(&s) && !om_send_has_again(&s));
    for (unsigned i = 0; i < 6; i++)
        OM_TRY(om_send_write(&s, om_bytes(text + 10 * i, 10)) == OM_OK);
    CHECK(fill(&s, 100, 1000, &f)); /* six pieces, one frame */
    CHECK_EQ(f.len, 60);
    CHECK_MEM(frame.stream.data.p, text, 60);
    CHECK(!fill(&s, 100, 1000, &f));

    f = sent(20, 20, false);
    CHECK(!om_send_on_acked(&s, &f)); /* not yet: what is before it is missing */
    CHECK(s.acked == 0 && om_ring_count(&s.pieces) == 6);
    f = sent(0, 15, false);
    CHECK(om_send_on_acked(&s, &f));
    CHECK(s.acked == 15 && om_ring_count(&s.pieces) == 5);
    f = sent(15, 5, false);
    CHECK(om_send_on_acked(&s, &f));
    CHECK(s.acked == 40 && om_ring_count(&s.pieces) == 2);
    CHECK(!om_send_on_acked(&s, &f)); /* twice */
    f = sent(40, 20, false);
    CHECK(om_send_on_acked(&s, &f));
    CHECK(s.acked == 60 && s.pieces.mem == NULL);
    CHECK(!om_send_is_done(&s));
out:
    om_send_fini(&s);
}

OM_TEST(send_lost_bytes_go_first)
{
    struct om_sent_frame f = {0}, lost;
    struct om_send s;

    om_send_init(&s, 1000);
    OM_TRY(om_send_write(&s, om_bytes(text, 50)) == OM_OK);
    CHECK(fill(&s, 100, 30, &f)); /* the session allows 30 */
    CHECK_EQ(f.len, 30);
    lost = sent(5, 10, false);
    om_send_on_lost(&s, &lost);
    lost = sent(20, 5, false);
    om_send_on_lost(&s, &lost);
    om_send_on_lost(&s, &lost);
    CHECK(om_send_has_again(&s) && om_send_has_fresh(&s));
    CHECK(fill(&s, 100, 0, &f)); /* needs no credit */
    CHECK(f.offset == 5 && f.len == 10);
    CHECK_MEM(frame.stream.data.p, text + 5, 10);
    f = sent(20, 3, false);
    CHECK(!om_send_on_acked(&s, &f)); /* part of it had arrived after all */
    CHECK(fill(&s, 100, 0, &f));
    CHECK(f.offset == 23 && f.len == 2);
    CHECK(!om_send_has_again(&s) && !fill(&s, 100, 0, &f));
    CHECK(fill(&s, 100, 1000, &f));
    CHECK(f.offset == 30 && f.len == 20);

    lost = sent(15, 15, false); /* of which 20 to 23 is known to be there */
    om_send_on_lost(&s, &lost);
    CHECK(fill(&s, 100, 0, &f) || om_test_oom_hit());
    CHECK(f.offset == 15 && (f.len == 5 || om_test_oom_hit()));
out:
    om_send_fini(&s);
}

OM_TEST(send_fin_is_sent_again)
{
    struct om_sent_frame f = {0}, fin = sent(10, 0, true), data = sent(0, 10, false);
    struct om_send s;

    om_send_init(&s, 1000);
    OM_TRY(om_send_write(&s, om_bytes(text, 10)) == OM_OK);
    CHECK(fill(&s, 100, 1000, &f) && f.flags == 0);
    om_send_finish(&s);
    om_send_finish(&s);
    CHECK_ERR(om_send_write(&s, om_bytes(text, 1)), OM_E_STATE);
    CHECK(om_send_has_again(&s));
    CHECK(fill(&s, 0, 0, &f)); /* alone, and without credit */
    CHECK(f.offset == 10 && f.len == 0 && f.flags == OM_SENT_FIN);
    CHECK(!om_send_has_again(&s));
    om_send_on_lost(&s, &fin);
    om_send_on_lost(&s, &data);
    CHECK(fill(&s, 100, 0, &f)); /* with the last bytes */
    CHECK(f.len == 10 && f.flags == OM_SENT_FIN);
    CHECK(!om_send_has_again(&s));
    CHECK(om_send_on_acked(&s, &data) && !om_send_is_done(&s));
    om_send_on_lost(&s, &fin);
    CHECK(om_send_has_again(&s));
    CHECK(!om_send_on_acked(&s, &fin));
    CHECK(om_send_is_done(&s) && !om_send_has_again(&s));
    om_send_on_lost(&s, &fin); /* an old copy */
    CHECK(!om_send_has_again(&s));
out:
    om_send_fini(&s);
}

OM_TEST(send_stays_within_credit)
{
    struct om_sent_frame f = {0};
    struct om_send s;

    om_send_init(&s, 20);
    OM_TRY(om_send_write(&s, om_bytes(text, 50)) == OM_OK);
    om_send_finish(&s);
    CHECK(fill(&s, 100, 1000, &f));
    CHECK(f.len == 20 && f.flags == 0);
    CHECK(!om_send_has_fresh(&s) && !fill(&s, 100, 1000, &f));
    s.credit = 30;
    CHECK(om_send_has_fresh(&s) && !fill(&s, 100, 0, &f));
    CHECK(fill(&s, 100, 4, &f) && f.len == 4);
    CHECK(fill(&s, 100, 1000, &f) && f.len == 6);
    s.credit = 1000;
    CHECK(!fill(&s, 15, 1000, &f)); /* no slivers: the next packet has room */
    CHECK(fill(&s, 20, 1000, &f));
    CHECK(f.len == 20 && f.flags == OM_SENT_FIN);
out:
    om_send_fini(&s);
}

OM_TEST(send_pieces_are_bounded)
{
    struct om_sent_frame f = {0};
    struct om_send s;

    om_send_init(&s, 10000);
    CHECK_OK(om_send_write(&s, om_bytes(NULL, 0)));
    for (unsigned i = 0; i < OM_STREAM_PIECES_MAX; i++)
        OM_TRY(om_send_write(&s, om_bytes(text, 1)) == OM_OK);
    CHECK_ERR(om_send_write(&s, om_bytes(text, 1)), OM_E_BUSY);
    CHECK(fill(&s, 2000, 10000, &f) && f.len == OM_STREAM_PIECES_MAX);
    f.len = 1;
    CHECK(om_send_on_acked(&s, &f));
    CHECK_OK(om_send_write(&s, om_bytes(text, 1)));
    s.written = OM_STREAM_END_MAX - 3;
    CHECK_ERR(om_send_write(&s, om_bytes(text, 4)), OM_E_RANGE);
out:
    om_send_fini(&s);
}

OM_TEST(send_reset_releases_everything)
{
    struct om_sent_frame f = {0};
    struct om_send s;

    om_send_init(&s, 1000);
    OM_TRY(om_send_write(&s, om_bytes(text, 50)) == OM_OK);
    CHECK(fill(&s, 100, 30, &f));
    om_send_reset(&s, 9);
    CHECK(s.acked == 50 && om_send_final(&s) == 30 && s.pieces.mem == NULL);
    CHECK_ERR(om_send_write(&s, om_bytes(text, 1)), OM_E_STATE);
    om_send_on_lost(&s, &f);
    CHECK(!om_send_on_acked(&s, &f));
    CHECK(!om_send_has_again(&s) && !om_send_has_fresh(&s) && !om_send_is_done(&s));
    CHECK(!fill(&s, 100, 1000, &f));
    s.is_reset_acked = true;
    CHECK(om_send_is_done(&s));
out:
    om_send_fini(&s);
}

OM_TEST(send_reset_after_keeps_the_first_bytes)
{
    struct om_sent_frame first = {0}, second = {0};
    struct om_send s;

    om_send_init(&s, 1000);
    OM_TRY(om_send_write(&s, om_bytes(text, 20)) == OM_OK);
    OM_TRY(om_send_write(&s, om_bytes(text + 20, 30)) == OM_OK);
    CHECK(fill(&s, 100, 10, &first) && fill(&s, 100, 20, &second));
    om_send_reset_after(&s, 9, 20);
    CHECK(!s.is_reset && !om_send_has_fresh(&s) && !om_send_has_again(&s));
    CHECK_ERR(om_send_write(&s, om_bytes(text, 1)), OM_E_STATE);
    om_send_on_lost(&s, &second); /* bytes 10 to 30, of which the last ten do not matter */
    CHECK(fill(&s, 100, 0, &second) && second.offset == 10 && second.len == 10);
    CHECK_MEM(frame.stream.data.p, text + 10, 10);
    CHECK(!frame.stream.is_fin);
    CHECK(om_send_on_acked(&s, &first) && !s.is_reset);
    CHECK(om_send_on_acked(&s, &second) && s.is_reset);
    CHECK(s.reset_code == 9 && om_send_final(&s) == 30 && s.acked == 20);
    om_send_reset_after(&s, 8, 20); /* it is over */
    CHECK_EQ(s.reset_code, 9);
out:
    om_send_fini(&s);
}

/* More stretches than are kept: the ACK is forgotten, its bytes are sent again. */
OM_TEST(send_forgotten_acks_are_sent_again)
{
    static const uint8_t zeros[4 * OM_SEND_RANGES_MAX];
    const uint64_t all = 3 * OM_SEND_RANGES_MAX;
    struct om_sent_frame f = {0};
    struct om_send s;

    om_send_init(&s, sizeof zeros);
    OM_TRY(om_send_write(&s, om_bytes(zeros, all)) == OM_OK);
    while (fill(&s, 4000, sizeof zeros, &f))
        ;
    for (uint64_t at = 1; at < all; at += 2) {
        f = sent(at, 1, false);
        CHECK(!om_send_on_acked(&s, &f));
    }
    CHECK(om_ranges_count(&s.above) <= OM_SEND_RANGES_MAX);
    CHECK(om_test_oom_hit() || om_ranges_count(&s.above) == OM_SEND_RANGES_MAX);
    CHECK(om_send_has_again(&s)); /* those that were forgotten */
    CHECK(!om_ranges_has(&s.lost, 1) || om_test_oom_hit());
    CHECK(om_ranges_has(&s.lost, all - 1));
    for (uint64_t at = 0; at < all; at += 2) {
        f = sent(at, 1, false);
        om_send_on_lost(&s, &f);
        CHECK(om_ranges_count(&s.lost) <= OM_SEND_RANGES_MAX);
    }
    while (fill(&s, 4000, 0, &f))
        (void)om_send_on_acked(&s, &f);
    CHECK(s.acked == all);
out:
    om_send_fini(&s);
}
