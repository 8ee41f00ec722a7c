/* model_streams.c - two muxes over a pipe that loses, reorders, repeats and reports late: every
 * byte that is read is the one written at its place, and in the end everything is delivered. */
#include "harness.h"

#include <omerta/buf.h>

#include <stdio.h>

#include "dice.h"
#include "stream/mux.h"

enum {
    ROUNDS = 60,
    OPS = 100000,
    FLIGHT = 512, /* packets on their way, or their fates */
    PACKET = 1200,
    IDS = 16384,
    SLOTS = 48, /* streams that a side has in hand */
    PATTERN = 1 << 20,
    WRITE_MAX = 20000
};

/* What one side knows of a stream, as its user. */
struct user {
    struct om_stream *s;
    uint32_t key; /* both sides take it from the id and who opened it, so they agree on the bytes */
    uint64_t written, read, released;
    bool is_finished, is_reset, is_stopped; /* by us */
    bool was_reset, was_stopped;            /* by the peer */
    bool saw_done, is_stalled, is_open;
};

struct packet {
    unsigned from, fate; /* fate: 0 unknown, 1 arrived, 2 lost */
    unsigned count;
    struct om_sent_frame notes[OM_SENT_FRAMES_MAX];
    size_t len;
    uint8_t bytes[PACKET];
};

struct side {
    struct om_mux mux;
    struct user users[SLOTS];
};

static struct side sides[2];
static struct packet flight[FLIGHT];
static unsigned in_flight;
static bool few; /* streams in this round, but long ones with slow readers */
static uint8_t pattern[2 * PATTERN];
static om_time now;
static uint64_t blocked_total, reset_total, stopped_total;
static uint64_t read_total, opened_total, done_total, operations, packets_total;
/* What each user of a stream id did, for the other side to check against: by side and id / 2. */
static struct user *finals[2];

static const uint8_t *bytes_at(uint32_t key, uint64_t offset)
{
    return pattern + (key * 7919u + offset) % PATTERN;
}

static struct user *user_of(struct side *side, const struct om_stream *s)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (side->users[i].s == s)
            return &side->users[i];
    return NULL;
}

static bool add_user(unsigned who, struct om_stream *s)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct user *u = &sides[who].users[i];
        if (u->s)
            continue;
        *u = (struct user){.s = s, .key = s->id * 2 + (s->is_ours ? who : 1 - who)};
        s->user = u;
        opened_total++;
        return true;
    }
    return false;
}

static void op_open(struct dice *d, unsigned who)
{
    unsigned used = 0;
    struct om_stream *s;

    for (unsigned i = 0; i < SLOTS; i++)
        used += sides[who].users[i].s != NULL;
    /* Half the slots are kept for what the peer opens. */
    if (used >= (few ? 3 : SLOTS / 2 - 4) || sides[1 - who].mux.unfinished > SLOTS / 2)
        return;
    if (om_mux_open(&sides[who].mux, (enum om_priority)dice_below(d, OM_PRIORITIES), &s) == OM_OK)
        CHECK(add_user(who, s));
}

static void op_write(struct dice *d, unsigned who, struct user *u)
{
    size_t n = dice_below(d, 4) ? 1 + dice_below(d, 1500) : dice_below(d, WRITE_MAX);
    enum om_err e;

    if (u->written - u->released > PATTERN / 2)
        return;
    e = om_stream_write(&sides[who].mux, u->s, om_bytes(bytes_at(u->key, u->written), n));
    if (u->is_finished || u->is_reset || u->was_stopped || u->s->send.is_reset) {
        CHECK_ERR(e, OM_E_STATE);
        return;
    }
    CHECK(e == OM_OK || e == OM_E_BUSY);
    if (e == OM_OK)
        u->written += n;
}

static void op_read(struct dice *d, unsigned who, struct user *u)
{
    struct om_bytes b = om_stream_peek(u->s);
    size_t n;

    if (u->is_stalled && dice_below(d, few ? 2000 : 20) == 0)
        u->is_stalled = false;
    if (u->is_stalled || b.n == 0)
        return;
    CHECK(!u->is_stopped && !u->was_reset);
    n = dice_below(d, 3) ? b.n : 1 + dice_below(d, (unsigned)b.n);
    CHECK_MEM(b.p, bytes_at(u->key, u->read), n);
    om_stream_consume(&sides[who].mux, u->s, now, n);
    u->read += n;
    read_total += n;
    if (om_stream_at_end(u->s)) {
        const struct user *peer = &finals[1 - who][u->s->id];
        CHECK(peer->is_finished);
        CHECK(u->read == peer->written);
    }
}

/* What the sides must agree on once a stream is over. */
static void record(unsigned who, const struct user *u)
{
    finals[who][u->s->id] = *u;
}

static void forget(unsigned who, struct user *u)
{
    struct om_stream *s = u->s;

    u->s = NULL;
    om_stream_forget(&sides[who].mux, s);
}

static void on_news(unsigned who, struct om_stream *s, unsigned bits)
{
    struct user *u = user_of(&sides[who], s);

    if (bits & OM_NEWS_OPENED) {
        CHECK(!u && !s->is_ours);
        CHECK(add_user(who, s));
        u = user_of(&sides[who], s);
    }
    CHECK(u && s->id < IDS);
    if (!u)
        return;
    CHECK(!u->saw_done);
    if (bits & OM_NEWS_RELEASED)
        CHECK(s->released > u->released && s->released <= u->written);
    u->released = s->released;
    if (bits & OM_NEWS_RESET) {
        const struct user *peer = &finals[1 - who][s->id];
        u->was_reset = true;
        reset_total++;
        CHECK(peer->is_reset || peer->was_stopped);
        CHECK_EQ(s->reset_code, peer->was_stopped ? 77 : 55);
    }
    if (bits & OM_NEWS_STOPPED) {
        u->was_stopped = true;
        stopped_total++;
        CHECK_EQ(s->stop_code, 77);
        CHECK(u->released == u->written);
        record(who, u);
    }
    if (bits & OM_NEWS_DONE) {
        u->saw_done = true;
        done_total++;
        CHECK(u->released == u->written);
        CHECK(u->is_finished || u->is_reset || u->was_stopped);
        CHECK(u->is_stopped || u->was_reset || om_stream_at_end(s));
        record(who, u);
        forget(who, u);
    }
}

static void news(unsigned who)
{
    struct om_stream *s;
    unsigned bits;

    while ((s = om_mux_news(&sides[who].mux, &bits)) != NULL) {
        CHECK(bits != 0);
        on_news(who, s, bits);
    }
}

static void op_end(struct dice *d, unsigned who, struct user *u, bool gently)
{
    unsigned what = gently ? 0 : dice_below(d, 6);

    if (what == 1 && !u->s->send.is_reset && !om_send_is_done(&u->s->send)) {
        u->is_reset = true;
        record(who, u);
        om_stream_reset(&sides[who].mux, u->s, 55);
    } else if (what == 2 && !om_receive_is_done(&u->s->receive)) {
        u->is_stopped = true;
        om_stream_stop(&sides[who].mux, u->s, 77);
    } else if (!u->s->send.is_reset) {
        u->is_finished = true;
        record(who, u);
        CHECK_OK(om_stream_finish(&sides[who].mux, u->s));
    }
}

static void send_packet(struct dice *d, unsigned who)
{
    struct packet *p;
    bool had = om_mux_has_output(&sides[who].mux);

    if (in_flight == FLIGHT)
        return;
    for (unsigned i = 0; !had && i < SLOTS; i++) {
        const struct om_stream *s = sides[who].users[i].s;
        blocked_total += s && !s->send.is_reset && s->send.sent < s->send.written;
    }
    p = &flight[in_flight];
    *p = (struct packet){.from = who};
    size_t room = dice_below(d, 8) ? PACKET : 100 + dice_below(d, PACKET - 100);
    struct om_wr w = om_wr(om_mut(p->bytes, room));
    p->count = om_mux_fill(&sides[who].mux, &w, p->notes, OM_SENT_FRAMES_MAX);
    CHECK(!w.bad);
    CHECK(p->count > 0 ? had
                       : !had); /* 100 bytes have room for any control frame, and a fragment */
    p->len = om_wr_len(&w);
    if (p->count > 0)
        in_flight++;
    packets_total += p->count > 0;
}

static void arrive(struct packet *p)
{
    struct om_rd r = om_rd(om_bytes(p->bytes, p->len));
    struct om_frame f;
    unsigned frames = 0;

    while (om_frame_next(&r, &f) == OM_OK) {
        CHECK_OK(om_mux_input(&sides[1 - p->from].mux, now, OM_MS(20), &f));
        frames++;
    }
    CHECK_EQ(frames, p->count);
    p->fate = 1;
}

static void tell_fate(struct packet *p, bool acked)
{
    for (unsigned i = 0; i < p->count; i++)
        om_mux_on_fate(&sides[p->from].mux, now, &p->notes[i], acked);
}

/* One packet of those on their way, not always the oldest: it arrives, is lost, or is known of. */
static void op_network(struct dice *d, unsigned loss)
{
    if (in_flight == 0)
        return;
    unsigned i = dice_below(d, 4) ? 0 : dice_below(d, in_flight);
    struct packet *p = &flight[i];

    if (p->fate == 0 && dice_below(d, 100) < loss)
        p->fate = 2;
    else if (p->fate == 0 || (p->fate == 1 && dice_below(d, 30) == 0))
        arrive(p); /* the second time: a duplicate */
    if (dice_below(d, 25) == 0)
        tell_fate(p, false); /* a spurious loss, or a probe repeats it */
    if (dice_below(d, 3) == 0)
        return; /* the report is late */
    tell_fate(p, p->fate == 1);
    if (p->fate == 1 && dice_below(d, 30) == 0)
        tell_fate(p, true);
    in_flight--;
    memmove(p, p + 1, (in_flight - i) * sizeof *p);
}

static void op_user(struct dice *d, unsigned who)
{
    struct user *u = &sides[who].users[dice_below(d, SLOTS)];
    unsigned dice = dice_below(d, few && dice_below(d, 10) ? 396 : 400);

    for (unsigned i = 0; few && !u->s && i < SLOTS; i++)
        u = &sides[who].users[i];
    if (!u->s)
        return;
    if (dice < 160)
        op_write(d, who, u);
    else if (dice < 394)
        op_read(d, who, u);
    else if (dice < 396)
        u->is_stalled = true;
    else
        op_end(d, who, u, false);
}

static void step(struct dice *d, unsigned loss)
{
    unsigned who = dice_below(d, 2), dice = dice_below(d, 100);

    now += dice_below(d, 200);
    operations++;
    if (dice < 2)
        op_open(d, who);
    else if (dice < 45)
        op_user(d, who);
    else if (dice < 70)
        send_packet(d, who);
    else
        op_network(d, loss);
    news(0);
    news(1);
}

/* Everything ends, nothing is lost any more: then nothing may be left. */
static void drain(struct dice *d)
{
    for (unsigned turn = 0; turn < 200000; turn++) {
        unsigned open = sides[0].mux.streams.count + sides[1].mux.streams.count;
        for (unsigned who = 0; who < 2; who++) {
            for (unsigned i = 0; i < SLOTS; i++) {
                struct user *u = &sides[who].users[i];
                if (!u->s)
                    continue;
                u->is_stalled = false;
                op_read(d, who, u);
                if (!u->is_finished && !u->is_reset && !u->was_stopped)
                    op_end(d, who, u, true);
            }
            send_packet(d, who);
            op_network(d, 0);
            op_network(d, 0);
            news(0);
            news(1);
        }
        if (open == 0 && in_flight == 0)
            return;
        operations += 4;
    }
    fail_msg("streams are left: %u %u, %u packets", sides[0].mux.streams.count,
             sides[1].mux.streams.count, in_flight);
}

static void check_counts(void)
{
    for (unsigned who = 0; who < 2; who++) {
        const struct om_mux *m = &sides[who].mux, *peer = &sides[1 - who].mux;
        CHECK_EQ(m->unfinished, 0);
        CHECK_EQ(m->receiving, 0);
        CHECK_EQ(m->ranges, 0);
        CHECK_EQ(m->grown, 0);
        CHECK(m->sent == peer->highest);
        CHECK(m->highest == m->consumed);
        CHECK(!om_mux_has_output(m));
    }
}

static void run(uint64_t seed)
{
    struct dice d = {seed};
    unsigned loss = dice_below(&d, 3) * dice_below(&d, 12);

    in_flight = 0;
    few = seed % 4 == 0;
    memset(sides, 0, sizeof sides);
    for (unsigned who = 0; who < 2; who++) {
        memset(finals[who], 0, IDS * sizeof *finals[who]);
        om_mux_init(&sides[who].mux, who == 0, now);
    }
    for (unsigned i = 0; i < OPS; i++)
        step(&d, loss);
    drain(&d);
    check_counts();
    for (unsigned who = 0; who < 2; who++)
        om_mux_fini(&sides[who].mux);
}

OM_TEST(streams_model_delivers_every_byte)
{
    struct dice d = {41};

    dice_fill(&d, pattern, PATTERN);
    memcpy(pattern + PATTERN, pattern, PATTERN);
    for (unsigned who = 0; who < 2; who++)
        finals[who] = calloc(IDS, sizeof *finals[who]);
    for (unsigned i = 0; i < ROUNDS; i++) {
        printf("seed %u\n", 1000 + i);
        run(1000 + i);
    }
    printf("%llu operations, %llu packets, %llu streams, %llu bytes\n",
           (unsigned long long)operations, (unsigned long long)packets_total,
           (unsigned long long)opened_total, (unsigned long long)read_total);
    printf("%llu resets, %llu stops, %llu times no credit\n", (unsigned long long)reset_total,
           (unsigned long long)stopped_total, (unsigned long long)blocked_total);
    CHECK(operations > 5000000 && read_total > 100000000 && done_total == opened_total);
    CHECK(reset_total > 500 && stopped_total > 500 && blocked_total > 1000);
    for (unsigned who = 0; who < 2; who++)
        free(finals[who]);
}
