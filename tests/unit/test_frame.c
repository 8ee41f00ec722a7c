/* test_frame.c - the frames inside a packet. */
#include "harness.h"

#include "envelope/frame.h"

enum { PACKET_MAX = 70000, KINDS = 14 };

static uint8_t packet[PACKET_MAX];

static struct om_wr writer(void)
{
    return om_wr(om_mut(packet, sizeof packet));
}

static struct om_rd reader(const struct om_wr *w)
{
    return om_rd(om_bytes(packet, om_wr_len(w)));
}

static struct om_frame_ack some_ack(unsigned count)
{
    struct om_frame_ack a = {.largest = 1000000, .delay_us = 7, .ecn = {1, 2, 3}, .run = 5};

    for (a.count = 0; a.count < count; a.count++)
        a.ranges[a.count] = (struct om_ack_range){a.count + 1, a.count + 2};
    return a;
}

static void check_ack(const struct om_frame_ack *a, const struct om_frame_ack *b)
{
    CHECK(a->largest == b->largest);
    CHECK_EQ(a->delay_us, b->delay_us);
    CHECK_MEM(a->ecn, b->ecn, sizeof a->ecn);
    CHECK_EQ(a->run, b->run);
    CHECK_EQ(a->count, b->count);
    CHECK_MEM(a->ranges, b->ranges, a->count * sizeof a->ranges[0]);
}

OM_TEST(frame_round_trips_every_kind)
{
    const struct om_frame_pong pong = {UINT64_MAX, UINT32_MAX, om_addr_v4(0xc0000201, 65535)};
    const struct om_frame_ack none = some_ack(0), all = some_ack(OM_ACK_RANGES_MAX);
    struct om_wr w = writer();
    struct om_frame f;

    om_frame_write_ping(&w, 0x0102030405060708);
    om_frame_write_pong(&w, &pong);
    om_frame_write_ack(&w, &none);
    om_frame_write_ack(&w, &all);
    om_frame_write_datagram(&w, "0123456789abcdef", om_bytes("data", 4));
    om_frame_write_datagram(&w, "c", om_bytes(NULL, 0));
    om_frame_write_close(&w, OM_CLOSE_PROTOCOL, om_bytes("why", 3));
    CHECK(!w.bad);

    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_PING && f.is_known && f.ping == 0x0102030405060708);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_PONG && f.pong.token == UINT64_MAX && f.pong.held_us == UINT32_MAX);
    CHECK(om_addr_equal(&f.pong.seen, &pong.seen));
    CHECK_OK(om_frame_next(&r, &f));
    check_ack(&f.ack, &none);
    CHECK_OK(om_frame_next(&r, &f));
    check_ack(&f.ack, &all);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_STR(f.datagram.channel, "0123456789abcdef");
    CHECK_EQ(f.datagram.data.n, 4);
    CHECK_MEM(f.datagram.data.p, "data", 4);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_STR(f.datagram.channel, "c");
    CHECK_EQ(f.datagram.data.n, 0);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_CLOSE && f.close.code == OM_CLOSE_PROTOCOL);
    CHECK_MEM(f.close.text.p, "why", 3);
    CHECK_ERR(om_frame_next(&r, &f), OM_E_MISSING);
    CHECK(om_rd_done(&r));
}

static const struct om_frame_stream a_stream = {0x102, 9, true, {(const uint8_t *)"hi", 2}};

static void write_streams(struct om_wr *w)
{
    om_frame_write_stream(w, &a_stream);
    om_frame_write_stream_credit(w, &(struct om_frame_stream_credit){0, (uint64_t)1 << 32});
    om_frame_write_stream_reset(w, &(struct om_frame_stream_reset){3, 6, 256});
    om_frame_write_stream_stop(w, &(struct om_frame_stream_stop){5, 2});
}

OM_TEST(frame_round_trips_streams)
{
    const struct om_frame_stream open = {2, 0, false, {NULL, 0}};
    struct om_wr w = writer();
    struct om_frame f;

    write_streams(&w);
    om_frame_write_stream(&w, &open);
    CHECK(!w.bad);
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.is_known && f.type == OM_FRAME_STREAM && f.stream.id == 0x102);
    CHECK(f.stream.offset == 9 && f.stream.is_fin);
    CHECK_EQ(f.stream.data.n, 2);
    CHECK_MEM(f.stream.data.p, "hi", 2);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_STREAM_CREDIT && f.credit.id == 0);
    CHECK(f.credit.value == (uint64_t)1 << 32);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_STREAM_RESET && f.reset.id == 3);
    CHECK(f.reset.code == 6 && f.reset.final == 256);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_STREAM_STOP && f.stop.id == 5 && f.stop.code == 2);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_STREAM && f.stream.id == 2 && f.stream.data.n == 0);
    CHECK(!f.stream.is_fin);
    CHECK(om_rd_done(&r));
}

/* PROTOCOL 4, byte by byte. */
OM_TEST(frame_layout_is_pinned)
{
    static const uint8_t want[] = {
        1,  0, 8,  0, 0,   0,   0,   0,   0,   0, 5, /* PING */
        3,  0, 36, 0, 0,   0,   0,   0,   0,   0, 9, 0, 0, 0, 7, 0, 0,   0,   1,
        0,  0, 0,  2,                                               /* ACK 9 ... */
        0,  0, 0,  3, 0,   0,   0,   2,   0,   0, 0, 1, 0, 0, 0, 4, /* run 9 8, missing 7, run 6 to
                                                                       3 */
        4,  0, 15, 0, 0,   1,   2,   0,   0,   0, 0, 0, 0, 0, 9, 1, 'h', 'i',    /* STREAM */
        5,  0, 12, 0, 0,   0,   0,   0,   0,   0, 1, 0, 0, 0, 0,                 /* _CREDIT */
        6,  0, 16, 0, 0,   0,   3,   0,   0,   0, 6, 0, 0, 0, 0, 0, 0,   1,   0, /* _RESET */
        7,  0, 8,  0, 0,   0,   5,   0,   0,   0, 2,                             /* _STOP */
        8,  0, 4,  2, 'c', 'h', '!',                                             /* DATAGRAM */
        21, 0, 6,  0, 0,   0,   4,   'h', 'm',                                   /* CLOSE */
    };
    const struct om_frame_ack a = {9, 7, {1, 2, 3}, 2, 1, {{1, 4}}};
    struct om_wr w = writer();

    om_frame_write_ping(&w, 5);
    om_frame_write_ack(&w, &a);
    write_streams(&w);
    om_frame_write_datagram(&w, "ch", om_bytes("!", 1));
    om_frame_write_close(&w, 4, om_bytes("hm", 2));
    CHECK_EQ(om_wr_len(&w), sizeof want);
    CHECK_MEM(packet, want, sizeof want);
}

OM_TEST(frame_stops_at_pad)
{
    struct om_wr w = writer();
    struct om_frame f;

    om_frame_write_ping(&w, 1);
    om_wr_u8(&w, OM_FRAME_PAD);
    om_frame_write_ping(&w, 2); /* behind the end: not a frame, whatever it looks like */
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.ping == 1);
    CHECK_ERR(om_frame_next(&r, &f), OM_E_MISSING);

    packet[11] = OM_FRAME_PING_LATER + 1; /* the control: without the PAD reading goes on */
    packet[12] = packet[13] = 0;
    r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(!f.is_known);
    r = om_rd(om_bytes(NULL, 0));
    CHECK_ERR(om_frame_next(&r, &f), OM_E_MISSING);
}

/* The frame at the start of packet with @n bytes of body, its length field corrected. */
static enum om_err read_with_body(size_t n)
{
    uint8_t exact[256]; /* its own storage, so that the sanitizer sees what is read beyond */
    struct om_frame f;

    memcpy(exact + sizeof exact - OM_FRAME_HEAD - n, packet, OM_FRAME_HEAD + n);
    exact[sizeof exact - n - 2] = 0;
    exact[sizeof exact - n - 1] = (uint8_t)n;
    struct om_rd r = om_rd(om_bytes(exact + sizeof exact - OM_FRAME_HEAD - n, OM_FRAME_HEAD + n));
    return om_frame_next(&r, &f);
}

/* One frame of each kind; returns what its body has before a tail of any length, 0: no tail. */
static size_t write_one(struct om_wr *w, int kind)
{
    const struct om_frame_pong pong = {1, 2, om_addr_v4(1, 1)};
    const struct om_frame_ack ack = some_ack(3);

    switch (kind) {
    case 0:
        om_frame_write_ping(w, 1);
        break;
    case 1:
        om_frame_write_pong(w, &pong);
        break;
    case 2:
        om_frame_write_ack(w, &ack);
        break;
    case 3:
        om_frame_write_datagram(w, "chan", om_bytes("data", 4));
        return 5;
    case 4:
        om_frame_write_close(w, 1, om_bytes("text", 4));
        return 4;
    case 5:
        om_frame_write_stream(w, &a_stream);
        return 13;
    case 6:
        om_frame_write_stream_credit(w, &(struct om_frame_stream_credit){1, 2});
        break;
    case 7:
        om_frame_write_stream_reset(w, &(struct om_frame_stream_reset){1, 2, 3});
        break;
    case 8:
        om_frame_write_stream_stop(w, &(struct om_frame_stream_stop){1, 2});
        break;
    case 9:
        om_frame_write_punch(w, &(struct om_frame_punch){.step = OM_PUNCH_SEEN});
        break;
    case 10:
        om_frame_write_challenge(w, 1);
        break;
    case 11:
        om_frame_write_response(w, 1);
        break;
    case 12:
        om_frame_write_ping_later(w, &(struct om_frame_ping_later){1, 2});
        break;
    case 13: /* any body will do: om_endpoints_decode() is what judges it */
        om_frame_write_candidates(w, om_bytes("x", 1));
        return 1;
    }
    return 0;
}

/* Byte by byte; and it neither wants an ACK nor moves a peer. */
OM_TEST(frame_ping_later_says_when)
{
    static const uint8_t want[OM_PING_LATER_SIZE] = {22, 0, 10, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2};
    struct om_wr w = writer();
    struct om_frame f;

    om_frame_write_ping_later(&w, &(struct om_frame_ping_later){5, 258});
    CHECK_EQ(om_wr_len(&w), sizeof want);
    CHECK_MEM(packet, want, sizeof want);
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.is_known && f.type == OM_FRAME_PING_LATER);
    CHECK(f.ping_later.token == 5 && f.ping_later.seconds == 258);
    CHECK(!om_frame_is_eliciting(f.type) && om_frame_is_eliciting(OM_FRAME_STREAM));
    CHECK(!om_frame_is_moving(f.type) && om_frame_is_moving(OM_FRAME_STREAM));
}

OM_TEST(frame_refuses_cut_bodies)
{
    struct om_frame f;

    for (int kind = 0; kind < KINDS; kind++) {
        struct om_wr w = writer();
        memset(packet, 0xff, 512);
        size_t least = write_one(&w, kind);
        size_t n = om_wr_len(&w) - OM_FRAME_HEAD;
        CHECK_OK(read_with_body(n));
        CHECK_ERR(read_with_body(n + 1), least ? OM_OK : OM_E_PARSE);
        for (size_t cut = 0; cut < n; cut++) {
            bool whole = kind == KINDS - 1 ? true
                         : least           ? cut >= least
                                           : kind == 2 && cut >= 28 && (cut - 28) % 8 == 0;
            CHECK_ERR(read_with_body(cut), whole ? OM_OK : OM_E_PARSE);
            struct om_rd r = om_rd(om_bytes(packet, OM_FRAME_HEAD + cut)); /* length says n */
            CHECK_ERR(om_frame_next(&r, &f), OM_E_PARSE);
        }
        for (size_t head = 1; head < OM_FRAME_HEAD; head++) {
            struct om_rd r = om_rd(om_bytes(packet, head));
            CHECK_ERR(om_frame_next(&r, &f), OM_E_PARSE);
        }
    }
}

/* An ACK laid out by hand, so that it may be wrong. */
static enum om_err read_ack_of(uint64_t largest, uint32_t run, unsigned count, uint32_t missing,
                               uint32_t runs, struct om_frame *f)
{
    struct om_wr w = writer();

    om_wr_u8(&w, OM_FRAME_ACK);
    om_wr_u16(&w, (uint16_t)(28 + count * 8));
    om_wr_u64(&w, largest);
    om_wr_zero(&w, 16);
    om_wr_u32(&w, run);
    for (unsigned i = 0; i < count; i++) {
        om_wr_u32(&w, missing);
        om_wr_u32(&w, runs);
    }
    struct om_rd r = reader(&w);
    return om_frame_next(&r, f);
}

OM_TEST(frame_ack_bounds_its_ranges)
{
    struct om_frame f;

    CHECK_OK(read_ack_of(1000, 1, OM_ACK_RANGES_MAX, 1, 1, &f));
    CHECK_EQ(f.ack.count, OM_ACK_RANGES_MAX);
    CHECK_ERR(read_ack_of(1000, 1, OM_ACK_RANGES_MAX + 1, 1, 1, &f), OM_E_PARSE);
    CHECK_ERR(read_ack_of(1000, 1, 8000, 1, 1, &f), OM_E_PARSE);

    CHECK_OK(read_ack_of(0, 1, 0, 0, 0, &f)); /* packet 0 alone */
    CHECK_ERR(read_ack_of(0, 2, 0, 0, 0, &f), OM_E_PARSE);
    CHECK_ERR(read_ack_of(0, 0, 0, 0, 0, &f), OM_E_PARSE);
    CHECK_OK(read_ack_of(9, 10, 0, 0, 0, &f)); /* down to packet 0, and not below */
    CHECK_ERR(read_ack_of(9, 11, 0, 0, 0, &f), OM_E_PARSE);
    CHECK_ERR(read_ack_of(9, UINT32_MAX, 0, 0, 0, &f), OM_E_PARSE);

    CHECK_OK(read_ack_of(9, 4, 2, 1, 2, &f)); /* 9 to 6; 4 3; 1 0 */
    CHECK_ERR(read_ack_of(9, 5, 2, 1, 2, &f), OM_E_PARSE);
    CHECK_ERR(read_ack_of(9, 4, 2, 2, 2, &f), OM_E_PARSE);
    CHECK_ERR(read_ack_of(9, 4, 2, 1, 3, &f), OM_E_PARSE);
    CHECK_ERR(read_ack_of(9, 4, 2, 0, 2, &f), OM_E_PARSE); /* an empty gap */
    CHECK_ERR(read_ack_of(9, 4, 2, 1, 0, &f), OM_E_PARSE); /* an empty run */
    CHECK_ERR(read_ack_of(9, 4, 1, UINT32_MAX, UINT32_MAX, &f), OM_E_PARSE);

    CHECK_OK(read_ack_of(UINT64_MAX - 1, UINT32_MAX, 64, UINT32_MAX, UINT32_MAX, &f));
    CHECK_ERR(read_ack_of(UINT64_MAX, 1, 0, 0, 0, &f), OM_E_PARSE); /* no such packet number */
}

OM_TEST(frame_ack_writes_the_ranges_that_fit)
{
    const struct om_frame_ack ack = some_ack(OM_ACK_RANGES_MAX);
    struct om_frame f;

    for (size_t room = 0; room <= 31 + 8 * OM_ACK_RANGES_MAX + 9; room++) {
        struct om_wr w = om_wr(om_mut(packet, room));
        om_frame_write_ack(&w, &ack);
        CHECK_EQ(w.bad, room < 31);
        if (w.bad)
            continue;
        size_t fit = (room - 31) / 8 < ack.count ? (room - 31) / 8 : ack.count;
        struct om_rd r = reader(&w);
        CHECK_OK(om_frame_next(&r, &f));
        CHECK_EQ(f.ack.count, fit);
        CHECK_MEM(f.ack.ranges, ack.ranges, fit * sizeof ack.ranges[0]);
        CHECK(om_rd_done(&r));
    }
}

/* A STREAM laid out by hand, so that it may be wrong. */
static enum om_err read_stream_of(uint64_t offset, uint8_t flags, size_t n)
{
    struct om_wr w = writer();
    struct om_frame f;

    om_wr_u8(&w, OM_FRAME_STREAM);
    om_wr_u16(&w, (uint16_t)(OM_STREAM_HEAD + n));
    om_wr_u32(&w, 2);
    om_wr_u64(&w, offset);
    om_wr_u8(&w, flags);
    om_wr_zero(&w, n);
    struct om_rd r = reader(&w);
    return om_frame_next(&r, &f);
}

OM_TEST(frame_stream_bounds_its_offsets)
{
    struct om_frame f;

    CHECK_OK(read_stream_of(OM_STREAM_END_MAX - 5, 0, 5));
    CHECK_ERR(read_stream_of(OM_STREAM_END_MAX - 5, 0, 6), OM_E_PARSE);
    CHECK_OK(read_stream_of(OM_STREAM_END_MAX, 1, 0));
    CHECK_ERR(read_stream_of(OM_STREAM_END_MAX, 1, 1), OM_E_PARSE);
    CHECK_ERR(read_stream_of(OM_STREAM_END_MAX + 1, 1, 0), OM_E_PARSE);
    CHECK_ERR(read_stream_of(UINT64_MAX, 0, 5), OM_E_PARSE);

    CHECK_OK(read_stream_of(0, 0, 0)); /* opens */
    CHECK_OK(read_stream_of(1, 1, 0));
    CHECK_ERR(read_stream_of(1, 0, 0), OM_E_PARSE); /* says nothing */
    for (unsigned flag = 2; flag < 256; flag <<= 1)
        CHECK_ERR(read_stream_of(0, (uint8_t)(flag | 1), 4), OM_E_PARSE);

    for (unsigned above = 0; above < 2; above++) {
        struct om_wr w = writer();
        om_frame_write_stream_credit(
            &w, &(struct om_frame_stream_credit){2, OM_STREAM_END_MAX + above});
        struct om_rd r = reader(&w);
        CHECK_ERR(om_frame_next(&r, &f), above ? OM_E_PARSE : OM_OK);
        w = writer();
        om_frame_write_stream_reset(
            &w, &(struct om_frame_stream_reset){2, 0, OM_STREAM_END_MAX + above});
        r = reader(&w);
        CHECK_ERR(om_frame_next(&r, &f), above ? OM_E_PARSE : OM_OK);
    }
}

OM_TEST(frame_skips_unknown_types)
{
    struct om_frame f;

    for (unsigned type = 0; type < 256; type++) {
        bool known = type <= 22;
        struct om_wr w = writer();
        if (known)
            continue;
        om_wr_u8(&w, (uint8_t)type);
        om_wr_u16(&w, (uint16_t)type);
        memset(om_wr_room(&w, type), 0xee, type);
        om_frame_write_ping(&w, 77);
        struct om_rd r = reader(&w);
        CHECK_OK(om_frame_next(&r, &f));
        CHECK(!f.is_known && f.type == type);
        CHECK_OK(om_frame_next(&r, &f));
        CHECK(f.is_known && f.ping == 77);
        r = om_rd(om_bytes(packet, 3 + type - 1)); /* not even an unknown one may end too late */
        CHECK_ERR(om_frame_next(&r, &f), OM_E_PARSE);
    }
}

OM_TEST(frame_eliciting_is_as_listed)
{
    for (unsigned type = 0; type < 256; type++) {
        /* PAD PING PONG ACK, PUNCH, PATH_CHALLENGE PATH_RESPONSE, CLOSE PING_LATER */
        bool exempt =
            type <= 3 || type == 10 || type == 16 || type == 17 || type == 21 || type == 22;
        CHECK_EQ(om_frame_is_eliciting((uint8_t)type), !exempt);
    }
}

OM_TEST(frame_moving_is_as_listed)
{
    for (unsigned type = 0; type < 256; type++) {
        /* PAD PING PONG, PUNCH, PATH_CHALLENGE PATH_RESPONSE MTU_PROBE, PING_LATER */
        bool probe = type <= 2 || type == 10 || (type >= 16 && type <= 18) || type == 22;
        CHECK_EQ(om_frame_is_moving((uint8_t)type), !probe);
    }
}

OM_TEST(frame_round_trips_paths)
{
    const struct om_frame_punch punch = {
        .step = OM_PUNCH_PROBE, .nonce = 0x0102030405060708, .fire_ms = 40};
    struct om_wr w = writer();
    struct om_frame f;

    om_frame_write_candidates(&w, om_bytes("body", 4));
    om_frame_write_punch(&w, &punch);
    om_frame_write_challenge(&w, UINT64_MAX);
    om_frame_write_response(&w, 7);
    CHECK(!w.bad);
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_CANDIDATES && f.is_known && f.candidates.n == 4);
    CHECK_MEM(f.candidates.p, "body", 4);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_PUNCH && f.punch.step == OM_PUNCH_PROBE);
    CHECK(f.punch.nonce == punch.nonce && f.punch.fire_ms == 40);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_PATH_CHALLENGE && f.path == UINT64_MAX);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.type == OM_FRAME_PATH_RESPONSE && f.path == 7);
    CHECK(om_rd_done(&r));
}

OM_TEST(frame_punch_bounds_its_step)
{
    for (unsigned step = 0; step < 256; step++) {
        struct om_wr w = writer();
        struct om_frame f;
        om_frame_write_punch(&w, &(struct om_frame_punch){.step = (uint8_t)step, .nonce = 1});
        struct om_rd r = reader(&w);
        CHECK_ERR(om_frame_next(&r, &f), step < OM_PUNCH_STEPS ? OM_OK : OM_E_PARSE);
    }
}

OM_TEST(frame_punch_plan_has_a_profile)
{
    const struct om_frame_punch plan = {.nonce = 1, .fire_ms = 2, .profile = "twelve bytes"};
    struct om_wr w = writer();
    struct om_frame f;

    om_frame_write_punch(&w, &plan);
    CHECK_EQ(om_wr_len(&w), OM_PUNCH_PLAN_SIZE);
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK(f.punch.nonce == 1 && f.punch.fire_ms == 2);
    CHECK_MEM(f.punch.profile, "twelve bytes", 12);
    packet[OM_FRAME_HEAD] = OM_PUNCH_PROBE; /* what is as long as a plan is no probe */
    r = reader(&w);
    CHECK_ERR(om_frame_next(&r, &f), OM_E_PARSE);
}

OM_TEST(frame_mtu_probe_fills_the_packet)
{
    for (size_t size = 0; size < 40; size++) {
        struct om_wr w = om_wr(om_mut(packet, 32));
        struct om_frame f;
        om_frame_write_mtu_probe(&w, size);
        CHECK_EQ(w.bad, size < OM_FRAME_HEAD || size > 32);
        if (w.bad)
            continue;
        CHECK_EQ(om_wr_len(&w), size);
        struct om_rd r = reader(&w);
        CHECK_OK(om_frame_next(&r, &f));
        CHECK(f.type == OM_FRAME_MTU_PROBE && f.is_known && om_rd_done(&r));
    }
}

OM_TEST(frame_datagram_bounds_its_channel)
{
    struct om_frame f;

    for (uint8_t n = 0; n < 40; n++) {
        struct om_wr w = writer();
        om_wr_u8(&w, OM_FRAME_DATAGRAM);
        om_wr_u16(&w, 41);
        om_wr_u8(&w, n);
        memset(om_wr_room(&w, 40), 'x', 40);
        struct om_rd r = reader(&w);
        bool fits = n >= 1 && n <= OM_CHANNEL_MAX;
        CHECK_ERR(om_frame_next(&r, &f), fits ? OM_OK : OM_E_PARSE);
        if (!fits)
            continue;
        CHECK_EQ(strlen(f.datagram.channel), n);
        CHECK_EQ(f.datagram.data.n, 40 - n);
        for (uint8_t at = 0; at < n; at++) { /* a NUL would make two names look like one */
            packet[4 + at] = '\0';
            r = reader(&w);
            CHECK_ERR(om_frame_next(&r, &f), OM_E_PARSE);
            packet[4 + at] = 'x';
        }
    }
}

OM_TEST(frame_writers_say_when_it_does_not_fit)
{
    static const uint8_t big[65536];
    struct om_frame f;

    for (size_t room = 0; room < 12; room++) {
        struct om_wr w = om_wr(om_mut(packet, room));
        om_frame_write_ping(&w, 1);
        CHECK_EQ(w.bad, room < 11);
        w = om_wr(om_mut(packet, room));
        om_frame_write_datagram(&w, "abc", om_bytes(big, 4));
        CHECK_EQ(w.bad, room < 11);
        w = om_wr(om_mut(packet, room));
        om_frame_write_close(&w, 1, om_bytes(big, 4));
        CHECK_EQ(w.bad, room < 11);
    }
    for (size_t room = 0; room < 24; room++) {
        struct om_wr w = om_wr(om_mut(packet, room));
        om_frame_write_stream(&w, &a_stream);
        CHECK_EQ(w.bad, room < OM_FRAME_HEAD + OM_STREAM_HEAD + 2);
        w = om_wr(om_mut(packet, room));
        om_frame_write_stream_credit(&w, &(struct om_frame_stream_credit){1, 2});
        CHECK_EQ(w.bad, room < OM_STREAM_CREDIT_SIZE);
        w = om_wr(om_mut(packet, room));
        om_frame_write_stream_reset(&w, &(struct om_frame_stream_reset){1, 2, 3});
        CHECK_EQ(w.bad, room < OM_STREAM_RESET_SIZE);
        w = om_wr(om_mut(packet, room));
        om_frame_write_stream_stop(&w, &(struct om_frame_stream_stop){1, 2});
        CHECK_EQ(w.bad, room < OM_STREAM_STOP_SIZE);
    }
    struct om_wr w = writer();
    om_frame_write_datagram(&w, "a", om_bytes(big, UINT16_MAX - 2));
    CHECK_EQ(om_wr_len(&w), OM_FRAME_HEAD + UINT16_MAX);
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_EQ(f.datagram.data.n, UINT16_MAX - 2);
    w = writer();
    om_frame_write_datagram(&w, "a", om_bytes(big, UINT16_MAX - 1)); /* no length says that */
    CHECK(w.bad);
}

OM_TEST(frame_close_cuts_our_text_and_takes_theirs)
{
    char text[300];
    struct om_frame f;
    struct om_wr w = writer();

    memset(text, 't', sizeof text);
    om_frame_write_close(&w, UINT32_MAX, om_bytes(text, sizeof text));
    struct om_rd r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_EQ(f.close.text.n, OM_CLOSE_TEXT_MAX);
    CHECK(f.close.code == UINT32_MAX);

    w = writer();
    om_wr_u8(&w, OM_FRAME_CLOSE);
    om_wr_u16(&w, 4 + sizeof text);
    om_wr_u32(&w, 0);
    om_wr_copy(&w, text, sizeof text);
    r = reader(&w);
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_EQ(f.close.text.n, sizeof text);
}
