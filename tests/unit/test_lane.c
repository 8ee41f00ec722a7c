/* test_lane.c - the outer header of a relay lane. */
#include "harness.h"

#include "relay/lane.h"

enum { DGRAM_MAX = 300, LEAST = OM_LANE_BYTES + OM_LANE_INNER_MIN };

static const uint8_t mask[OM_MASK_KEY_BYTES] = {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
                                                0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f};

/* Two sides of one hop. */
struct hops {
    struct om_hop a, b;
};

static void join(struct hops *s)
{
    uint8_t keys[2 * OM_LANE_KEY_BYTES], turned[2 * OM_LANE_KEY_BYTES];

    for (size_t i = 0; i < sizeof keys; i++) {
        keys[i] = (uint8_t)(0x40 + i);
        turned[i] = (uint8_t)(0x40 + (i + OM_LANE_KEY_BYTES) % sizeof keys);
    }
    om_hop_init(&s->a, 0x11111111, 0x01020304, keys);
    om_hop_init(&s->b, 0x01020304, 0x11111111, turned);
}

static void fill(uint8_t *dgram, size_t n)
{
    memset(dgram, 0, OM_LANE_BYTES);
    for (size_t i = OM_LANE_BYTES; i < n; i++)
        dgram[i] = (uint8_t)((i - OM_LANE_BYTES) * 7 + 1);
}

static enum om_err take(struct om_hop *h, const uint8_t *dgram, size_t n)
{
    struct om_lane_header header;

    if (!om_lane_peek(mask, om_bytes(dgram, n), &header))
        return OM_E_TRUNC;
    return om_hop_check(h, &header, om_bytes(dgram, n));
}

/* Figures of an independent implementation of SipHash-2-4-128. */
OM_TEST(lane_layout_is_pinned)
{
    static const uint8_t want[OM_LANE_BYTES] = {0xdf, 0x83, 0xcd, 0x9f, 0x3e, 0xa9, 0xeb, 0xe5,
                                                0x87, 0x9f, 0x26, 0xcb, 0x7c, 0x85, 0x90, 0x32};
    struct om_lane_header header;
    struct hops s;
    uint8_t dgram[OM_LANE_BYTES + 40];

    join(&s);
    fill(dgram, sizeof dgram);
    s.a.sent = UINT64_C(0x50a0b0c0d);
    om_hop_wrap(&s.a, mask, dgram, sizeof dgram);
    CHECK_MEM(dgram, want, sizeof want);
    CHECK(om_lane_peek(mask, om_bytes(dgram, sizeof dgram), &header));
    CHECK_EQ(header.lane, 0x01020304);
    CHECK_EQ(header.sequence, 0x0a0b0c0d);
    CHECK_EQ(s.a.sent, UINT64_C(0x50a0b0c0e));
}

OM_TEST(lane_round_trips_every_size)
{
    uint8_t dgram[DGRAM_MAX], before[DGRAM_MAX];
    struct om_lane_header header;
    struct hops s;

    join(&s);
    for (size_t n = LEAST; n <= sizeof dgram; n++) {
        fill(dgram, n);
        memcpy(before, dgram, n);
        om_hop_wrap(&s.a, mask, dgram, n);
        CHECK_MEM(dgram + OM_LANE_BYTES, before + OM_LANE_BYTES, n - OM_LANE_BYTES);
        CHECK_OK(take(&s.b, dgram, n));
        om_hop_wrap(&s.b, mask, dgram, n); /* and the way back, in the same bytes */
        CHECK_OK(take(&s.a, dgram, n));
    }
    for (size_t n = 0; n < LEAST; n++)
        CHECK(!om_lane_peek(mask, om_bytes(dgram, n), &header));
}

/* Of the inside only what the MAC covers: the rest is for whoever opens it. */
OM_TEST(lane_refuses_any_flipped_bit_it_covers)
{
    uint8_t dgram[OM_LANE_BYTES + 60];
    struct hops s;

    join(&s);
    fill(dgram, sizeof dgram);
    om_hop_wrap(&s.a, mask, dgram, sizeof dgram);
    for (size_t bit = 0; bit < 8 * sizeof dgram; bit++) {
        size_t at = bit / 8;
        if (at >= OM_LANE_BYTES + OM_HEADER_BYTES && at < sizeof dgram - OM_TAG_BYTES)
            continue;
        dgram[at] ^= (uint8_t)(1u << bit % 8);
        CHECK_ERR(take(&s.b, dgram, sizeof dgram), OM_E_CRYPTO);
        dgram[at] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_ERR(take(&s.b, dgram, sizeof dgram - 1), OM_E_CRYPTO);
    CHECK_OK(take(&s.b, dgram, sizeof dgram));
}

OM_TEST(lane_takes_each_datagram_once)
{
    static uint8_t sent[OM_LANE_WINDOW + 2][LEAST];
    const unsigned last = OM_LANE_WINDOW + 1;
    struct hops s;

    join(&s);
    for (unsigned i = 0; i <= last; i++) {
        fill(sent[i], LEAST);
        om_hop_wrap(&s.a, mask, sent[i], LEAST);
    }
    CHECK_OK(take(&s.b, sent[last], LEAST));
    CHECK_ERR(take(&s.b, sent[last], LEAST), OM_E_EXISTS);
    CHECK_OK(take(&s.b, sent[last - (OM_LANE_WINDOW - 1)], LEAST));
    CHECK_ERR(take(&s.b, sent[last - OM_LANE_WINDOW], LEAST), OM_E_EXISTS); /* below the window */
    for (unsigned i = last - 1; i > last - (OM_LANE_WINDOW - 1); i--)
        CHECK_OK(take(&s.b, sent[i], LEAST));
    for (unsigned i = 0; i <= last; i++)
        CHECK_ERR(take(&s.b, sent[i], LEAST), OM_E_EXISTS);
    CHECK_ERR(take(&s.a, sent[1], LEAST), OM_E_CRYPTO); /* nor is it taken back where it began */
}

OM_TEST(lane_sequence_survives_its_low_half)
{
    static const uint64_t steps[] = {
        0xfffffffe,  0xffffffff,  0x100000000, 0x100000005, 0xfffffff0, /* late */
        0x100000001, 0x17ffffff0, 0x1fffffff0, 0x200000000, 0x200000003,
    };
    uint8_t dgram[LEAST];
    struct hops s;

    join(&s);
    for (size_t i = 0; i < OM_ARRAY_SIZE(steps); i++) {
        fill(dgram, sizeof dgram);
        s.a.sent = steps[i];
        om_hop_wrap(&s.a, mask, dgram, sizeof dgram);
        CHECK_OK(take(&s.b, dgram, sizeof dgram));
    }
    CHECK_EQ(s.b.seen.top, 0x200000003);
    s.a.sent = 0x300000004; /* further off than the nearest with this low half */
    fill(dgram, sizeof dgram);
    om_hop_wrap(&s.a, mask, dgram, sizeof dgram);
    CHECK_ERR(take(&s.b, dgram, sizeof dgram), OM_E_CRYPTO);
}

OM_TEST(lane_ids_differ_from_hop_to_hop)
{
    uint8_t near[LEAST], far[LEAST];
    const uint8_t keys[2 * OM_LANE_KEY_BYTES] = {1},
                           back[2 * OM_LANE_KEY_BYTES] = {[OM_LANE_KEY_BYTES] = 1};
    struct om_hop out, end;
    struct hops s;

    join(&s);
    om_hop_init(&out, 7, 9, keys);
    om_hop_init(&end, 9, 7, back);
    fill(near, sizeof near);
    om_hop_wrap(&s.a, mask, near, sizeof near);
    CHECK_OK(take(&s.b, near, sizeof near));
    memcpy(far, near, sizeof far);
    om_hop_wrap(&out, mask, far, sizeof far);
    CHECK_MEM_DIFF(far, near, 4);
    CHECK_MEM_DIFF(far + 8, near + 8, 8);
    CHECK_MEM(far + OM_LANE_BYTES, near + OM_LANE_BYTES, sizeof far - OM_LANE_BYTES);
    CHECK_ERR(take(&end, near, sizeof near), OM_E_CRYPTO); /* what was for the relay */
    CHECK_OK(take(&end, far, sizeof far));
}

OM_TEST(lane_knows_what_it_wrote)
{
    uint8_t dgram[LEAST + 9];
    struct hops s;

    join(&s);
    s.a.sent = UINT64_C(0x1ffffffff); /* its low half is about to turn over */
    fill(dgram, sizeof dgram);
    CHECK(!om_hop_wrote(&s.a, mask, om_bytes(dgram, sizeof dgram)));
    om_hop_wrap(&s.a, mask, dgram, sizeof dgram);
    CHECK(om_hop_wrote(&s.a, mask, om_bytes(dgram, sizeof dgram)));
    CHECK(!om_hop_wrote(&s.b, mask, om_bytes(dgram, sizeof dgram)));
    for (size_t n = 0; n < sizeof dgram; n++)
        CHECK(!om_hop_wrote(&s.a, mask, om_bytes(dgram, n)));
    for (size_t bit = 0; bit < 8 * sizeof dgram; bit++) {
        size_t at = bit / 8;
        if (at >= OM_LANE_BYTES + OM_HEADER_BYTES && at < sizeof dgram - OM_TAG_BYTES)
            continue; /* the MAC covers what the tag of the inside does not need it to */
        dgram[at] ^= (uint8_t)(1u << bit % 8);
        CHECK(!om_hop_wrote(&s.a, mask, om_bytes(dgram, sizeof dgram)));
        dgram[at] ^= (uint8_t)(1u << bit % 8);
    }
    uint8_t next[LEAST];
    fill(next, sizeof next);
    om_hop_wrap(&s.a, mask, next, sizeof next);
    CHECK(om_hop_wrote(&s.a, mask, om_bytes(next, sizeof next)));
    CHECK(!om_hop_wrote(&s.a, mask, om_bytes(dgram, sizeof dgram))); /* no longer the last */
}

OM_TEST(lane_wipes_its_keys)
{
    static const struct om_hop none;
    struct hops s;

    join(&s);
    om_hop_fini(&s.a);
    CHECK_MEM(&s.a, &none, sizeof none);
}
