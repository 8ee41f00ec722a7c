/* test_wire_link.c - the lab's bad cable, in virtual time. */
#include "harness.h"

#include "lab/wire_link.h"

enum { LEN = 1000 };

/* A frame of IPv4 that says @n. */
static void say(uint8_t frame[LEN], unsigned n)
{
    memset(frame, 0, LEN);
    frame[12] = 8;
    frame[14] = (uint8_t)(n >> 8);
    frame[15] = (uint8_t)n;
}

static bool offer(struct wire_link *l, om_time now, unsigned n)
{
    uint8_t frame[LEN];

    say(frame, n);
    return wire_link_offer(l, now, frame, sizeof frame);
}

static unsigned said(const struct wire_frame *f)
{
    return (unsigned)f->bytes[14] << 8 | f->bytes[15];
}

/* The counts add up with @under_way frames left. */
static void check_sum(const struct wire_link *l, uint64_t under_way)
{
    const struct wire_counts *c = &l->counts;

    CHECK_EQ(c->lost + c->queue_full + c->no_room + c->delivered + under_way, c->offered);
}

OM_TEST(wire_link_delays_and_keeps_order)
{
    struct wire_link l;
    struct wire_frame *f;
    om_time last = 0;

    OM_TRY(wire_link_init(&l, &(struct wire_config){.delay = OM_MS(5), .jitter = OM_MS(2)}));
    CHECK_EQ(wire_link_deadline(&l), OM_NEVER);
    CHECK(wire_link_next(&l, NULL, OM_SEC(9)) == NULL);
    for (unsigned i = 0; i < 100; i++)
        CHECK(offer(&l, OM_US(100) * i, i));
    for (unsigned i = 0; i < 100; i++) {
        om_time at = wire_link_deadline(&l), came = OM_US(100) * i;
        CHECK(at >= last && at >= came + OM_MS(5) && at <= came + OM_MS(7));
        CHECK(wire_link_next(&l, NULL, at - 1) == NULL);
        f = wire_link_next(&l, NULL, at);
        CHECK(f && f->len == LEN && said(f) == i);
        wire_link_pop(&l);
        last = at;
    }
    check_sum(&l, 0);
    CHECK_EQ(l.counts.delivered, 100);
    CHECK_EQ(l.counts.bytes, 100 * LEN);
out:
    wire_link_fini(&l);
}

/* One letter for each of 4,000 frames in turn: did it get through? */
static bool pattern(char got[4000], double loss, uint64_t seed, unsigned pop_every)
{
    struct wire_link l;
    bool is_ok = wire_link_init(&l, &(struct wire_config){.loss = loss, .seed = seed});

    for (unsigned i = 0; is_ok && i < 4000; i++) {
        got[i] = offer(&l, OM_US(i), i) ? '.' : 'x';
        while (i % pop_every == 0 && wire_link_next(&l, NULL, OM_US(i)))
            wire_link_pop(&l);
    }
    wire_link_fini(&l);
    return is_ok;
}

static unsigned lost_of(const char got[4000])
{
    unsigned n = 0;

    for (unsigned i = 0; i < 4000; i++)
        n += got[i] == 'x';
    return n;
}

OM_TEST(wire_link_loses_the_same_frames_again)
{
    char a[4000], b[4000];

    OM_TRY(pattern(a, 0.01, 7, 1));
    OM_TRY(pattern(b, 0.01, 7, 50));
    CHECK_MEM(a, b, sizeof a);
    /* 40 expected; beyond five standard deviations something is wrong. */
    CHECK(lost_of(a) > 8 && lost_of(a) < 72);
    OM_TRY(pattern(b, 0.01, 8, 1));
    CHECK(memcmp(a, b, sizeof a) != 0);
    OM_TRY(pattern(b, 0, 7, 1));
    CHECK_EQ(lost_of(b), 0);
    OM_TRY(pattern(b, 1, 7, 1));
    CHECK_EQ(lost_of(b), 4000);
out:;
}

OM_TEST(wire_link_spares_control)
{
    struct wire_link l;
    uint8_t arp[60] = {[12] = 0x08, [13] = 0x06};
    uint8_t solicit[86] = {[12] = 0x86, [13] = 0xdd, [20] = 58, [54] = 135};
    uint8_t mld[90] = {[12] = 0x86, [13] = 0xdd};
    uint8_t ping[86] = {[12] = 0x86, [13] = 0xdd, [20] = 58, [54] = 128};
    uint8_t udp[86] = {[12] = 0x86, [13] = 0xdd, [20] = 17, [54] = 135};

    OM_TRY(wire_link_init(&l, &(struct wire_config){.loss = 1}));
    CHECK(wire_link_offer(&l, 0, arp, sizeof arp));
    CHECK(wire_link_offer(&l, 0, solicit, sizeof solicit));
    CHECK(wire_link_offer(&l, 0, mld, sizeof mld));
    CHECK(!wire_link_offer(&l, 0, ping, sizeof ping));
    CHECK(!wire_link_offer(&l, 0, udp, sizeof udp));
    CHECK(!offer(&l, 0, 0));
    CHECK(!wire_is_control(arp, 13));
    CHECK(!wire_is_control(solicit, 54));
    CHECK_EQ(l.counts.control, 3);
    CHECK_EQ(l.counts.lost, 3);
    check_sum(&l, 3);
out:
    wire_link_fini(&l);
}

OM_TEST(wire_link_has_a_rate_and_a_queue)
{
    struct wire_link l;
    struct wire_config config = {.rate = 8000000, .queue = 10 * LEN}; /* a frame a millisecond */
    unsigned taken = 0;

    OM_TRY(wire_link_init(&l, &config));
    for (unsigned i = 0; i < 20; i++)
        taken += offer(&l, 0, i);
    CHECK_EQ(taken, 10);
    CHECK_EQ(l.counts.queue_full, 10);
    for (unsigned i = 0; i < taken; i++) {
        CHECK_EQ(wire_link_deadline(&l), OM_MS(i + 1));
        wire_link_pop(&l);
    }
    /* Half of it has left by then: so much is taken again. */
    for (unsigned i = taken = 0; i < 20; i++)
        taken += offer(&l, OM_MS(5), i);
    CHECK_EQ(taken, 5);
    check_sum(&l, 5);
    wire_link_fini(&l);

    /* Without a queue a frame leaves when the line is free; what is lost took its time too. */
    config = (struct wire_config){.rate = 8000000, .loss = 1};
    OM_TRY(wire_link_init(&l, &config));
    CHECK(!offer(&l, 0, 0));
    CHECK(!offer(&l, OM_MS(1) - 1, 0));
    CHECK(!offer(&l, OM_MS(1), 0));
    CHECK_EQ(l.counts.lost, 2);
    CHECK_EQ(l.counts.queue_full, 1);
out:
    wire_link_fini(&l);
}

OM_TEST(wire_link_may_reorder)
{
    struct wire_config config = {.delay = OM_MS(1), .jitter = OM_MS(5), .may_reorder = true};
    struct wire_link l;
    struct wire_frame *f;
    bool seen[200] = {0};
    om_time last = 0;
    unsigned early = 0, highest = 0, together = 0;

    OM_TRY(wire_link_init(&l, &config));
    for (unsigned i = 0; i < 200; i++)
        CHECK(offer(&l, OM_US(50) * i, i));
    for (f = wire_link_next(&l, NULL, OM_SEC(1)); f; f = wire_link_next(&l, f, OM_SEC(1)))
        together++;
    CHECK_EQ(together, 200);
    while ((f = wire_link_next(&l, NULL, OM_SEC(1))) != NULL) {
        CHECK(f->at >= last);
        last = f->at;
        CHECK(said(f) < 200 && !seen[said(f)]);
        seen[said(f)] = true;
        early += said(f) < highest;
        highest = said(f) > highest ? said(f) : highest;
        wire_link_pop(&l);
    }
    CHECK(early > 50);
    check_sum(&l, 0);
out:
    wire_link_fini(&l);
}

OM_TEST(wire_link_is_bounded)
{
    uint8_t giant[WIRE_FRAME_MAX + 1] = {0};
    struct wire_link l;

    OM_TRY(wire_link_init(&l, &(struct wire_config){.delay = OM_SEC(1)}));
    CHECK(wire_link_offer(&l, 0, giant, WIRE_FRAME_MAX));
    CHECK(!wire_link_offer(&l, 0, giant, sizeof giant));
    for (unsigned i = 1; i < WIRE_FRAMES_MAX; i++)
        CHECK(offer(&l, 0, i));
    CHECK(!offer(&l, 0, 0));
    CHECK_EQ(l.counts.no_room, 2);
    wire_link_pop(&l);
    CHECK(offer(&l, 0, 0));
    CHECK(!offer(&l, 0, 0));
    check_sum(&l, WIRE_FRAMES_MAX);
out:
    wire_link_fini(&l);
}
