/* model_mux.c - what streams may take from each other: credit, memory, and places in packets. */
#include "muxes.h"

enum { WRITTEN = 256 * 1024, STREAMS = 100, MB = 1 << 20 };

static uint8_t zeros[WRITTEN];
static struct muxes p;
static struct om_stream *ours[STREAMS], *theirs[STREAMS];

static void open_streams(unsigned n, enum om_priority priority)
{
    muxes_init(&p);
    for (unsigned i = 0; i < n; i++) {
        CHECK_OK(om_mux_open(&p.m[0], priority, &ours[i]));
        theirs[i] = NULL;
    }
}

/* There is always something to send on stream @i. */
static void keep_writing(unsigned i)
{
    while (ours[i]->send.written - ours[i]->send.sent < WRITTEN)
        CHECK_OK(om_stream_write(&p.m[0], ours[i], om_bytes(zeros, WRITTEN)));
}

static uint64_t read_all(unsigned i)
{
    uint64_t n = 0;
    struct om_bytes b;

    if (!theirs[i])
        theirs[i] = om_mux_find(&p.m[1], ours[i]->id);
    while (theirs[i] && (b = om_stream_peek(theirs[i])).n > 0) {
        om_stream_consume(&p.m[1], theirs[i], p.now, b.n);
        n += b.n;
    }
    return n;
}

static uint64_t unread(void)
{
    return p.m[1].highest - p.m[1].consumed;
}

/* Streams below @count are written, those from @reading on are read, until @goal bytes were or
 * nothing moves. Returns what was read; *@most is the most that was ever unread. */
static uint64_t pump(unsigned count, unsigned reading, uint64_t goal, uint64_t *most)
{
    uint64_t total = 0;
    bool moved = true;

    while (total < goal && moved) {
        for (unsigned i = 0; i < count; i++)
            keep_writing(i);
        moved = muxes_move_one(&p, 0);
        moved |= muxes_move_one(&p, 1);
        *most = unread() > *most ? unread() : *most;
        for (unsigned i = reading; i < count; i++)
            total += read_all(i);
    }
    CHECK_EQ(p.error, OM_OK);
    return total;
}

OM_TEST(mux_stalled_readers_stop_only_themselves)
{
    uint64_t most = 0;

    open_streams(4, OM_NORMAL);
    CHECK(pump(4, 3, 200 * (uint64_t)MB, &most) >= 200 * (uint64_t)MB);
    for (unsigned i = 0; i < 3; i++)
        CHECK(om_mux_find(&p.m[1], ours[i]->id)->receive.highest == OM_STREAM_CREDIT);
    CHECK(most < 3 * OM_STREAM_CREDIT + 2 * WRITTEN);
    /* and when they are read again they go on */
    CHECK(pump(4, 0, 50 * (uint64_t)MB, &most) >= 50 * (uint64_t)MB);
    for (unsigned i = 0; i < 3; i++)
        CHECK(theirs[i]->receive.highest > 5 * OM_STREAM_CREDIT);
    muxes_fini(&p);
}

/* Windows that grew with their readers, who then stand: what they hold is not taken from others. */
OM_TEST(mux_grown_windows_starve_nobody)
{
    uint64_t most = 0;

    open_streams(16, OM_NORMAL);
    p.rtt = OM_SEC(10); /* far away, and fast */
    CHECK(pump(8, 0, 800 * (uint64_t)MB, &most) >= 800 * (uint64_t)MB);
    CHECK(theirs[0]->credit.window > 2 * OM_STREAM_CREDIT);
    CHECK(p.m[1].grown + 8 * OM_STREAM_CREDIT <= OM_CREDIT_MAX);
    most = 0;
    CHECK(pump(8, 8, UINT64_MAX, &most) == 0); /* until all eight are full */
    CHECK(most > 16 * MB && most <= OM_CREDIT_MAX);
    CHECK(pump(16, 15, 100 * (uint64_t)MB, &most) >= 100 * (uint64_t)MB);
    CHECK(most > OM_CREDIT_MAX && most <= OM_CREDIT_MAX + p.m[1].credit.window);
    muxes_fini(&p);
}

OM_TEST(mux_one_stream_gets_the_largest_window)
{
    uint64_t most = 0;

    open_streams(1, OM_BULK);
    p.rtt = OM_SEC(10);
    CHECK(pump(1, 0, 1000 * (uint64_t)MB, &most) >= 1000 * (uint64_t)MB);
    CHECK(theirs[0]->credit.window > OM_CREDIT_MAX / 2);
    CHECK(theirs[0]->credit.window <= OM_CREDIT_MAX && p.m[1].credit.window == OM_CREDIT_MAX);
    CHECK(most < 2 * MUXES_PACKET); /* with a reader that keeps up nothing is held */
    muxes_fini(&p);
}

OM_TEST(mux_credit_bounds_memory)
{
    uint64_t most = 0;
    unsigned blocks = 0;

    open_streams(STREAMS, OM_NORMAL);
    /* 64 readers stand with all they may hold; the 65th moves as if they were not. */
    CHECK(pump(65, 64, 100 * (uint64_t)MB, &most) >= 100 * (uint64_t)MB);
    CHECK(unread() == OM_CREDIT_MAX);
    /* More of them use up the session's window; then everything stands, and memory stays. */
    CHECK(pump(STREAMS, STREAMS, UINT64_MAX, &most) == 0);
    uint64_t window = p.m[1].credit.window;
    CHECK(most <= OM_CREDIT_MAX + window && p.m[0].sent == p.m[0].peer_credit);
    for (unsigned i = 0; i < STREAMS; i++) {
        theirs[i] = om_mux_find(&p.m[1], ours[i]->id);
        blocks += theirs[i] ? om_receive_blocks(&theirs[i]->receive) : 0;
    }
    CHECK(blocks <= (OM_CREDIT_MAX + window) / OM_RECEIVE_BLOCK + 2 * STREAMS);
    /* One that is given up gives its share back. */
    CHECK(!om_mux_has_output(&p.m[0]));
    for (unsigned i = 0; i < 40; i++)
        om_stream_stop(&p.m[1], theirs[i], 1);
    CHECK(om_mux_has_output(&p.m[1]));
    for (unsigned i = 0; i < 8; i++)
        muxes_move(&p);
    CHECK(p.m[0].sent < p.m[0].peer_credit && unread() < OM_CREDIT_MAX + window);
    muxes_fini(&p);
}

/* Tiny pieces at odd places of all streams: gaps are bounded in all, the answer is "not now". */
OM_TEST(mux_gaps_of_all_streams_are_bounded)
{
    struct om_frame f = {.type = OM_FRAME_STREAM, .is_known = true};
    unsigned refused = 0;

    muxes_init(&p);
    for (uint32_t id = 2; id < 2 + 2 * 20; id += 2) {
        for (uint64_t at = 1; at < 2000; at += 2) {
            f.stream = (struct om_frame_stream){id, at, false, {zeros, 1}};
            enum om_err e = om_mux_input(&p.m[1], p.now, 0, &f);
            CHECK(e == OM_OK || e == OM_E_NO_MEM);
            refused += e != OM_OK;
        }
    }
    CHECK(p.m[1].ranges == OM_MUX_RANGES_MAX && refused == 20 * 1000 - OM_MUX_RANGES_MAX);
    for (uint32_t id = 2; id < 2 + 2 * 20; id += 2) { /* what fills them is taken */
        f.stream = (struct om_frame_stream){id, 0, false, {zeros, 3000}};
        CHECK_OK(om_mux_input(&p.m[1], p.now, 0, &f));
    }
    CHECK_EQ(p.m[1].ranges, 0);
    muxes_fini(&p);
}

/* The stream whose data the next packet of side 0 begins with; its bytes arrive. */
static uint32_t whose_turn(unsigned *streams)
{
    struct om_sent_frame notes[OM_SENT_FRAMES_MAX];
    uint8_t bytes[MUXES_PACKET];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    unsigned n = om_mux_fill(&p.m[0], &w, notes, OM_SENT_FRAMES_MAX);

    CHECK(n > 0);
    *streams = n;
    for (unsigned i = 0; i < n; i++)
        om_mux_on_fate(&p.m[0], p.now, &notes[i], true);
    return notes[0].stream;
}

OM_TEST(mux_priorities_are_strict_with_a_guard)
{
    unsigned turns[OM_PRIORITIES] = {0}, streams;

    open_streams(OM_PRIORITIES, OM_INTERACTIVE);
    for (unsigned i = 0; i < OM_PRIORITIES; i++) {
        om_stream_set_priority(&p.m[0], ours[i], (enum om_priority)i);
        keep_writing(i);
    }
    for (unsigned n = 0; n < 320; n++) {
        uint32_t id = whose_turn(&streams);
        for (unsigned i = 0; i < OM_PRIORITIES; i++) {
            turns[i] += ours[i]->id == id;
            keep_writing(i);
        }
    }
    CHECK_EQ(turns[OM_INTERACTIVE], 300);
    CHECK_EQ(turns[OM_NORMAL], 10);
    CHECK_EQ(turns[OM_BULK], 10);
    om_stream_reset(&p.m[0], ours[0], 0); /* the RESET goes first */
    CHECK_EQ(whose_turn(&streams), ours[0]->id);
    unsigned normal = 0;
    for (unsigned n = 0; n < 160; n++)
        normal += whose_turn(&streams) == ours[OM_NORMAL]->id;
    CHECK(normal >= 150 && normal < 160);
    muxes_fini(&p);
}

OM_TEST(mux_round_robin_within_a_class)
{
    unsigned streams;

    open_streams(5, OM_NORMAL);
    for (unsigned i = 0; i < 5; i++)
        keep_writing(i);
    for (unsigned n = 0; n < 100; n++) {
        CHECK_EQ(whose_turn(&streams), ours[n % 5]->id);
        CHECK_EQ(streams, 1); /* one fills the packet */
    }
    muxes_fini(&p);
    open_streams(10, OM_NORMAL);
    for (unsigned i = 0; i < 10; i++)
        CHECK_OK(om_stream_write(&p.m[0], ours[i], om_bytes(zeros, 100)));
    for (unsigned n = 0; n < 10; n += streams) {
        CHECK_EQ(whose_turn(&streams), ours[n]->id);
        CHECK_EQ(streams, n < 8 ? 4 : 2); /* small ones share it */
    }
    CHECK(!om_mux_has_output(&p.m[0]));
    muxes_fini(&p);
}
