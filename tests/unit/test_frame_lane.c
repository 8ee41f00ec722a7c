/* test_frame_lane.c - the frames of relay lanes. */
#include "harness.h"

#include "envelope/envelope.h"
#include "envelope/frame.h"

enum { PACKET_MAX = 700, FLOOR = 548 /* bytes of a datagram that every path carries */ };

static uint8_t packet[PACKET_MAX];
static const uint8_t noise[OM_HANDSHAKE_MAX + 1] = {0xa5, 1, 2};

static struct om_frame_lane_offer asked(size_t n)
{
    return (struct om_frame_lane_offer){
        .is_asked = true, .peer = {{1, 2, 3}}, .lane = 0x01020304, .handshake = om_bytes(noise, n)};
}

static struct om_frame_lane_offer passed_on(size_t n)
{
    return (struct om_frame_lane_offer){.lane = 0x01020304,
                                        .keys = {4, 5, [16] = 6},
                                        .seen = om_addr_v4(0xc0000201, 7),
                                        .age_s = 0x0809,
                                        .handshake = om_bytes(noise, n)};
}

static struct om_frame_lane_bound bound(size_t n)
{
    return (struct om_frame_lane_bound){
        0x01020304, 0x05060708, {9, [31] = 1}, om_addr_v4(0xc0000202, 9), 3, om_bytes(noise, n)};
}

/* Writes a frame of each form, with @n bytes of handshake where it has one. */
static void write_form(struct om_wr *w, unsigned form, size_t n)
{
    struct om_frame_lane_offer o;
    struct om_frame_lane_bound b;

    switch (form) {
    case 0:
        o = asked(n);
        om_frame_write_lane_offer(w, &o);
        break;
    case 1:
        o = passed_on(n);
        om_frame_write_lane_offer(w, &o);
        break;
    case 2:
        om_frame_write_lane_accept(w, &(struct om_frame_lane_accept){1, 2, om_bytes(noise, n)});
        break;
    case 3:
        b = bound(n);
        om_frame_write_lane_bound(w, &b);
        break;
    case 4:
        om_frame_write_lane_refuse(w, &(struct om_frame_lane_refuse){7, OM_LANE_FULL});
        break;
    default:
        om_frame_write_lane_close(w, 8);
        break;
    }
}

enum { WITH_HANDSHAKE = 4, FORMS = 6 };

/* The next frame of what was written, and nothing after it. */
static enum om_err read_one(size_t n, struct om_frame *f)
{
    struct om_rd r = om_rd(om_bytes(packet, n));
    enum om_err e = om_frame_next(&r, f);

    if (e == OM_OK)
        CHECK(om_rd_done(&r));
    return e;
}

OM_TEST(frame_round_trips_lanes)
{
    static const size_t sizes[] = {0, OM_HANDSHAKE_MIN, OM_HANDSHAKE_MAX};
    uint8_t again[PACKET_MAX];
    struct om_frame f;

    for (unsigned form = 0; form < FORMS; form++) {
        for (size_t i = 0; i < OM_ARRAY_SIZE(sizes); i++) {
            struct om_wr w = om_wr(om_mut(packet, sizeof packet));
            struct om_wr v = om_wr(om_mut(again, sizeof again));

            write_form(&w, form, sizes[i]);
            CHECK(!w.bad);
            CHECK_OK(read_one(om_wr_len(&w), &f));
            CHECK(f.is_known);
            CHECK(om_frame_is_eliciting(f.type));
            if (f.type == OM_FRAME_LANE_OFFER)
                om_frame_write_lane_offer(&v, &f.lane_offer);
            else if (f.type == OM_FRAME_LANE_ACCEPT)
                om_frame_write_lane_accept(&v, &f.lane_accept);
            else if (f.type == OM_FRAME_LANE_BOUND)
                om_frame_write_lane_bound(&v, &f.lane_bound);
            else if (f.type == OM_FRAME_LANE_REFUSE)
                om_frame_write_lane_refuse(&v, &f.lane_refuse);
            else
                om_frame_write_lane_close(&v, f.lane_close);
            CHECK_EQ(om_wr_len(&v), om_wr_len(&w));
            CHECK_MEM(again, packet, om_wr_len(&w));
        }
    }
}

OM_TEST(frame_lane_layout_is_pinned)
{
    static const uint8_t ask[] = {11, 0, 37, 0, 1, 2, 3}, on[] = {11, 0, 57, 1, 1, 2, 3, 4, 4, 5};
    static const uint8_t seen[] = {0xff, 0xff, 192, 0, 2, 1, 0, 7, 8, 9};
    static const uint8_t accept[] = {12, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2};
    static const uint8_t refuse[] = {13, 0, 5, 0, 0, 0, 7, 2};
    static const uint8_t bound_head[] = {14, 0, 60, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint8_t close[] = {15, 0, 4, 0, 0, 0, 8};
    static const struct {
        const uint8_t *head;
        size_t n, size;
    } want[FORMS] = {
        {ask, sizeof ask, OM_LANE_ASK_SIZE},
        {on, sizeof on, OM_LANE_OFFER_SIZE},
        {accept, sizeof accept, OM_LANE_ACCEPT_SIZE},
        {bound_head, sizeof bound_head, OM_LANE_BOUND_SIZE},
        {refuse, sizeof refuse, OM_LANE_REFUSE_SIZE},
        {close, sizeof close, OM_LANE_CLOSE_SIZE},
    };

    for (unsigned form = 0; form < FORMS; form++) {
        struct om_wr w = om_wr(om_mut(packet, sizeof packet));

        write_form(&w, form, 0);
        CHECK_EQ(om_wr_len(&w), want[form].size);
        CHECK_MEM(packet, want[form].head, want[form].n);
        if (form == 1)
            CHECK_MEM(packet + want[form].size - sizeof seen, seen, sizeof seen);
    }
}

/* With a handshake of the least size each fits a path of the least size. */
OM_TEST(frame_lanes_fit_the_floor)
{
    for (unsigned form = 0; form < WITH_HANDSHAKE; form++) {
        struct om_wr w = om_wr(om_mut(packet, sizeof packet));

        write_form(&w, form, OM_HANDSHAKE_MIN);
        CHECK(!w.bad && om_wr_len(&w) + OM_OVERHEAD <= FLOOR);
    }
}

static void set_length(size_t n)
{
    packet[1] = (uint8_t)(n >> 8);
    packet[2] = (uint8_t)n;
}

OM_TEST(frame_lane_refuses_bad_bodies)
{
    struct om_frame f;

    for (unsigned form = 0; form < FORMS; form++) {
        struct om_wr w = om_wr(om_mut(packet, sizeof packet));
        memset(packet, 0x5a, sizeof packet);
        write_form(&w, form, 0);
        size_t bare = om_wr_len(&w) - OM_FRAME_HEAD;

        for (size_t n = 0; n < sizeof packet - OM_FRAME_HEAD; n++) {
            bool is_handshake = form < WITH_HANDSHAKE && n >= bare + OM_HANDSHAKE_MIN &&
                                n <= bare + OM_HANDSHAKE_MAX;
            set_length(n);
            CHECK_ERR(read_one(OM_FRAME_HEAD + n, &f),
                      n == bare || is_handshake ? OM_OK : OM_E_PARSE);
        }
        set_length(bare);
        /* A lane whose id is 0, as it is in every frame but the forms of an offer at its start. */
        size_t at = OM_FRAME_HEAD + (form == 0 ? 1 + OM_ID_BYTES : form == 1 ? 1 : 0);
        memset(packet + at, 0, 4);
        CHECK_ERR(read_one(OM_FRAME_HEAD + bare, &f), OM_E_PARSE);
    }
    struct om_wr w = om_wr(om_mut(packet, sizeof packet));
    write_form(&w, 1, 0);
    packet[OM_FRAME_HEAD] = 2; /* a third form */
    CHECK_ERR(read_one(om_wr_len(&w), &f), OM_E_PARSE);
    for (unsigned reason = 0; reason < 256; reason++)
        CHECK(strlen(om_lane_reason_text((uint8_t)reason)) > 10);
}
