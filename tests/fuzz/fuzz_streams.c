/*
 * fuzz_streams.c - frames of any bytes into a mux with live streams
 *
 * The first byte chooses our key's side and what we do after each frame; the rest are frames.
 * Whatever comes, memory stays bounded and the peer's credit is respected.
 */
#include "fuzz.h"
#include "stream/mux.h"

enum { WE_ARE_LOWER = 1, READ = 2, LOSE = 4, END = 8, FORGET = 16, RESTART = 32 };
enum { OPEN = 4, PACKET = 600 };

static const uint8_t text[2000];

static void send_something(struct om_mux *m, unsigned flags, om_time now)
{
    struct om_sent_frame notes[OM_SENT_FRAMES_MAX];
    uint8_t bytes[PACKET];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    bool had = om_mux_has_output(m);
    unsigned n = om_mux_fill(m, &w, notes, OM_SENT_FRAMES_MAX);

    FUZZ_MUST(!w.bad && had == (n > 0));
    for (unsigned i = 0; i < n; i++)
        om_mux_on_fate(m, now, &notes[i], !(flags & LOSE) || (now & 1));
}

static void use_news(struct om_mux *m, unsigned flags, om_time now)
{
    struct om_stream *s;
    struct om_bytes b;
    unsigned bits;

    while ((s = om_mux_news(m, &bits)) != NULL) {
        FUZZ_MUST(bits != 0);
        if (bits & OM_NEWS_OPENED)
            FUZZ_MUST(om_stream_write(m, s, om_bytes(text, 10)) ==
                      (s->send.is_reset ? OM_E_STATE : OM_OK));
        while ((flags & READ) && (b = om_stream_peek(s)).n > 0)
            om_stream_consume(m, s, now, b.n > 100 ? b.n / 2 : b.n);
        if (flags & END)
            (void)om_stream_finish(m, s);
        if ((flags & FORGET) || (bits & OM_NEWS_DONE))
            om_stream_forget(m, s);
    }
}

static void check(const struct om_mux *m)
{
    FUZZ_MUST(m->sent <= m->peer_credit);
    FUZZ_MUST(m->highest >= m->consumed && m->highest <= m->credit.granted);
    FUZZ_MUST(m->highest - m->consumed <= OM_CREDIT_MAX + m->credit.window);
    FUZZ_MUST(m->ranges <= OM_MUX_RANGES_MAX);
    FUZZ_MUST(m->streams.count <= OM_STREAMS_KEPT_MAX && m->receiving <= OM_STREAMS_MAX);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    struct om_rd r = om_rd(om_bytes(copy, size));
    unsigned flags = om_rd_u8(&r);
    om_time now = OM_SEC(1);
    enum om_err e = OM_OK;
    struct om_stream *s;
    struct om_frame f;
    struct om_mux m;

    om_mux_init(&m, flags & WE_ARE_LOWER, now);
    for (unsigned i = 0; i < OPEN; i++) {
        FUZZ_MUST(om_mux_open(&m, (enum om_priority)(i % OM_PRIORITIES), &s) == OM_OK);
        FUZZ_MUST(om_stream_write(&m, s, om_bytes(text, sizeof text)) == OM_OK);
    }
    while (e == OM_OK && om_frame_next(&r, &f) == OM_OK) {
        if (f.type >= OM_FRAME_STREAM && f.type <= OM_FRAME_STREAM_STOP)
            e = om_mux_input(&m, now, OM_MS(10), &f);
        else if (f.type == OM_FRAME_CLOSE && (flags & RESTART))
            om_mux_restart(&m);
        FUZZ_MUST(e == OM_OK || e == OM_E_RANGE || e == OM_E_FULL || e == OM_E_NO_MEM);
        check(&m);
        use_news(&m, flags, now);
        send_something(&m, flags, now++);
        check(&m);
    }
    om_mux_fini(&m);
    free(copy);
    return 0;
}
