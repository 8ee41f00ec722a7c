/* test_mux.c - streams over one association: ids, news, ends, limits, restart. */
#include "muxes.h"

#include <stdio.h>

static const uint8_t text[] = "what is written here is read there";

enum { N = sizeof text };

static struct muxes p;

static enum om_err give_stream(unsigned to, uint32_t id, uint64_t offset, size_t n, bool fin)
{
    const struct om_frame_stream f = {id, offset, fin, {text, n}};

    return om_mux_input(&p.m[to], p.now, OM_MS(10),
                        &(struct om_frame){.type = OM_FRAME_STREAM, .is_known = true, .stream = f});
}

static enum om_err give_credit(unsigned to, uint32_t id, uint64_t value)
{
    return om_mux_input(&p.m[to], p.now, 0,
                        &(struct om_frame){.type = OM_FRAME_STREAM_CREDIT,
                                           .is_known = true,
                                           .credit = {id, value}});
}

static enum om_err give_reset(unsigned to, uint32_t id, uint32_t code, uint64_t final)
{
    return om_mux_input(&p.m[to], p.now, 0,
                        &(struct om_frame){.type = OM_FRAME_STREAM_RESET,
                                           .is_known = true,
                                           .reset = {id, code, final}});
}

static enum om_err give_stop(unsigned to, uint32_t id, uint32_t code)
{
    return om_mux_input(
        &p.m[to], p.now, 0,
        &(struct om_frame){.type = OM_FRAME_STREAM_STOP, .is_known = true, .stop = {id, code}});
}

OM_TEST(mux_carries_bytes_both_ways)
{
    struct om_stream *a = NULL, *b;

    muxes_init(&p);
    CHECK(!om_mux_has_output(&p.m[0]));
    OM_TRY(om_mux_open(&p.m[0], OM_INTERACTIVE, &a) == OM_OK);
    CHECK(!om_mux_has_output(&p.m[0]));
    OM_TRY(om_stream_write(&p.m[0], a, om_bytes(text, N)) == OM_OK);
    CHECK(om_mux_has_output(&p.m[0]));
    muxes_move(&p);
    CHECK(a->released == N && muxes_news(&p, 0, a) == OM_NEWS_RELEASED);
    CHECK((b = om_mux_find(&p.m[1], a->id)) != NULL);
    CHECK_EQ(muxes_news(&p, 1, b), OM_NEWS_OPENED | OM_NEWS_READABLE);
    CHECK_EQ(muxes_news(&p, 1, b), 0);
    CHECK_EQ(om_stream_peek(b).n, N);
    CHECK_MEM(om_stream_peek(b).p, text, N);
    om_stream_consume(&p.m[1], b, p.now, N);
    CHECK(!om_stream_at_end(b));

    OM_TRY(om_stream_write(&p.m[1], b, om_bytes(text, 5)) == OM_OK);
    CHECK_OK(om_stream_finish(&p.m[1], b));
    muxes_move(&p);
    CHECK_EQ(muxes_news(&p, 0, a), OM_NEWS_READABLE);
    CHECK_EQ(om_stream_peek(a).n, 5);
    om_stream_consume(&p.m[0], a, p.now, 5);
    CHECK(om_stream_at_end(a)); /* half closed: the other half goes on */
    OM_TRY(om_stream_write(&p.m[0], a, om_bytes(text, N)) == OM_OK);
    CHECK_OK(om_stream_finish(&p.m[0], a));
    CHECK_ERR(om_stream_write(&p.m[0], a, om_bytes(text, N)), OM_E_STATE);
    muxes_move(&p);
    CHECK_EQ(muxes_news(&p, 0, a), OM_NEWS_RELEASED | OM_NEWS_DONE);
    CHECK_EQ(muxes_news(&p, 1, b), OM_NEWS_READABLE | OM_NEWS_RELEASED);
    om_stream_consume(&p.m[1], b, p.now, N);
    CHECK(om_stream_at_end(b) && muxes_news(&p, 1, b) == OM_NEWS_DONE);
    CHECK_EQ(p.m[0].unfinished + p.m[1].unfinished, 0);
    om_stream_forget(&p.m[0], a);
    om_stream_forget(&p.m[1], b);
    CHECK_EQ(p.m[0].streams.count + p.m[1].streams.count, 0);
    CHECK(p.error == OM_OK && !om_mux_has_output(&p.m[0]) && !om_mux_has_output(&p.m[1]));
out:
    muxes_fini(&p);
}

OM_TEST(mux_ids_follow_the_keys)
{
    struct om_stream *s = NULL;

    muxes_init(&p);
    for (uint32_t i = 0; i < 3; i++) {
        OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &s) == OM_OK);
        CHECK_EQ(s->id, 2 + 2 * i);
        OM_TRY(om_mux_open(&p.m[1], OM_NORMAL, &s) == OM_OK);
        CHECK_EQ(s->id, 3 + 2 * i);
    }
    p.m[0].our_next = UINT32_MAX - 1;
    p.m[1].our_next = UINT32_MAX;
    for (unsigned who = 0; who < 2; who++) {
        OM_TRY(om_mux_open(&p.m[who], OM_NORMAL, &s) == OM_OK);
        CHECK_EQ(s->id, UINT32_MAX - 1 + who);
        CHECK_ERR(om_mux_open(&p.m[who], OM_NORMAL, &s), OM_E_FULL); /* no more ids */
        CHECK_OK(give_stop(who, 2 + who, 0));
    }
out:
    muxes_fini(&p);
}

OM_TEST(mux_refuses_what_breaks_the_rules)
{
    struct om_stream *a = NULL;

    muxes_init(&p);
    OM_TRY(om_mux_open(&p.m[1], OM_NORMAL, &a) == OM_OK);
    CHECK_OK(give_credit(1, 0, 5 << 20)); /* the session */
    for (uint32_t id = 0; id < 2; id++) {
        CHECK_ERR(give_stream(1, id, 0, 1, false), OM_E_RANGE);
        CHECK_ERR(give_reset(1, id, 0, 0), OM_E_RANGE);
        CHECK_ERR(give_stop(1, id, 0), OM_E_RANGE);
    }
    CHECK_ERR(give_credit(1, 1, 1), OM_E_RANGE);
    CHECK_OK(give_credit(1, 3, 1)); /* we opened 3, not 5 */
    CHECK_ERR(give_stream(1, 5, 0, 1, false), OM_E_RANGE);
    CHECK_ERR(give_credit(1, 5, 1), OM_E_RANGE);
    CHECK_ERR(give_reset(1, 5, 0, 0), OM_E_RANGE);
    CHECK_ERR(give_stop(1, 5, 0), OM_E_RANGE);

    OM_TRY(give_stream(1, 2, OM_STREAM_CREDIT - 2, 2, false) == OM_OK);
    CHECK_ERR(give_stream(1, 2, OM_STREAM_CREDIT - 1, 2, false), OM_E_FULL);
    CHECK_ERR(give_reset(1, 2, 0, OM_STREAM_CREDIT + 1), OM_E_FULL);
    CHECK_ERR(give_stream(1, 2, 5, 5, true), OM_E_RANGE); /* ends before what came */
    CHECK_ERR(give_reset(1, 2, 0, 10), OM_E_RANGE);
    CHECK_OK(give_reset(1, 2, 0, OM_STREAM_CREDIT));
out:
    muxes_fini(&p);
}

/* The id of the next stream of side 1 with news, 0 for none. */
static uint32_t next_news(unsigned *bits)
{
    const struct om_stream *s = om_mux_news(&p.m[1], bits);

    return s ? s->id : 0;
}

OM_TEST(mux_opens_lower_ids_too)
{
    unsigned bits = 0;

    muxes_init(&p);
    OM_TRY(give_stream(1, 6, 0, 3, false) == OM_OK);
    CHECK_EQ(p.m[1].streams.count, 3);
    CHECK_EQ(next_news(&bits), 6); /* only of what was heard of */
    CHECK_EQ(bits, OM_NEWS_OPENED | OM_NEWS_READABLE);
    CHECK_EQ(next_news(&bits), 0);
    OM_TRY(give_stream(1, 2, 0, 0, false) == OM_OK); /* an empty one opens */
    CHECK_EQ(next_news(&bits), 2);
    CHECK_EQ(bits, OM_NEWS_OPENED);
    CHECK_OK(give_stop(1, 4, 5));
    CHECK_EQ(next_news(&bits), 4);
    CHECK_EQ(bits, OM_NEWS_OPENED | OM_NEWS_STOPPED);
    CHECK_EQ(om_mux_find(&p.m[1], 4)->stop_code, 5);
out:
    muxes_fini(&p);
}

OM_TEST(mux_limits_streams)
{
    static struct om_stream *mine[OM_STREAMS_MAX];
    struct om_stream *s;
    unsigned bits;

    muxes_init(&p);
    for (unsigned i = 0; i < OM_STREAMS_MAX; i++)
        OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &mine[i]) == OM_OK);
    CHECK_ERR(om_mux_open(&p.m[0], OM_NORMAL, &s), OM_E_FULL);
    CHECK_ERR(give_stream(1, 2 + 2 * OM_STREAMS_MAX, 0, 1, false), OM_E_FULL);
    CHECK_ERR(give_stream(1, UINT32_MAX - 1, 0, 1, false), OM_E_FULL);
    CHECK_EQ(p.m[1].streams.count, 0);
    OM_TRY(give_stream(1, 2 * OM_STREAMS_MAX, 0, 1, false) == OM_OK); /* exactly all */
    CHECK_EQ(p.m[1].streams.count, OM_STREAMS_MAX);
    CHECK_ERR(give_stream(1, 2 + 2 * OM_STREAMS_MAX, 0, 1, false), OM_E_FULL);
    CHECK_OK(give_reset(1, 2, 0, 0)); /* the peer sends no more on this one */
    OM_TRY(give_stream(1, 2 + 2 * OM_STREAMS_MAX, 0, 1, false) == OM_OK);

    /* Ended by the peer, but nobody here forgets them. */
    for (uint32_t id = 4; id <= 2 + 2 * OM_STREAMS_MAX; id += 2)
        CHECK_OK(give_reset(1, id, 0, 1));
    OM_TRY(give_stream(1, 2 * OM_STREAMS_KEPT_MAX, 0, 1, false) == OM_OK);
    CHECK_EQ(p.m[1].streams.count, OM_STREAMS_KEPT_MAX);
    for (uint32_t id = 2 + 2 * OM_STREAMS_MAX; id <= 2 * OM_STREAMS_KEPT_MAX; id += 2)
        CHECK_OK(give_reset(1, id, 0, 1));
    CHECK_EQ(p.m[1].receiving, 0);
    CHECK_ERR(give_stream(1, 2 + 2 * OM_STREAMS_KEPT_MAX, 0, 1, false), OM_E_FULL);
    CHECK((s = om_mux_news(&p.m[1], &bits)) != NULL);
    CHECK_OK(give_stop(1, s->id, 0));
    om_stream_forget(&p.m[1], s);
    while (p.m[1].streams.count == OM_STREAMS_KEPT_MAX && muxes_move_one(&p, 1))
        ; /* RESETs of streams that side 0 opened, too */
    OM_TRY(give_stream(1, 2 + 2 * OM_STREAMS_KEPT_MAX, 0, 1, false) == OM_OK);
out:
    muxes_fini(&p);
}

OM_TEST(mux_ignores_frames_of_forgotten_streams)
{
    struct om_stream *a = NULL, *b;

    muxes_init(&p);
    OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &a) == OM_OK);
    OM_TRY(om_stream_write(&p.m[0], a, om_bytes(text, N)) == OM_OK);
    muxes_move(&p);
    b = om_mux_find(&p.m[1], 2);
    om_stream_forget(&p.m[1], b); /* unread: STOP and RESET go out */
    CHECK(om_mux_find(&p.m[1], 2) == b && om_mux_has_output(&p.m[1]));
    CHECK(muxes_news(&p, 1, b) == 0);
    muxes_move(&p);
    CHECK_EQ(muxes_news(&p, 0, a),
             OM_NEWS_RELEASED | OM_NEWS_RESET | OM_NEWS_STOPPED | OM_NEWS_DONE);
    CHECK(a->stop_code == OM_CLOSE_CANCELLED && a->reset_code == OM_CLOSE_CANCELLED);
    CHECK(om_mux_find(&p.m[1], 2) == NULL && om_mux_find(&p.m[0], 2) == a);
    om_stream_forget(&p.m[0], a);
    CHECK_EQ(p.m[0].streams.count + p.m[1].streams.count, 0);
    for (unsigned to = 0; to < 2; to++) {
        CHECK_OK(give_stream(to, 2, 0, 10, true));
        CHECK_OK(give_stream(to, 2, (uint64_t)1 << 50, 10, true));
        CHECK_OK(give_credit(to, 2, 1));
        CHECK_OK(give_reset(to, 2, 0, 7));
        CHECK_OK(give_stop(to, 2, 0));
        CHECK(!om_mux_has_output(&p.m[to]) && muxes_news(&p, to, NULL) == 0);
    }
out:
    muxes_fini(&p);
}

OM_TEST(mux_forgetting_refers_to_nothing_written)
{
    struct om_stream *a = NULL;
    uint8_t *mine = NULL;

    muxes_init(&p);
    OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &a) == OM_OK);
    OM_TRY((mine = calloc(1, 5000)) != NULL);
    OM_TRY(om_stream_write(&p.m[0], a, om_bytes(mine, 5000)) == OM_OK);
    CHECK_OK(om_stream_finish(&p.m[0], a));
    CHECK(muxes_move_one(&p, 0));
    om_stream_forget(&p.m[0], a);
    free(mine); /* the sanitizer would see it being read */
    mine = NULL;
    muxes_move(&p);
    struct om_stream *b = om_mux_find(&p.m[1], 2);
    CHECK(b && (muxes_news(&p, 1, b) & OM_NEWS_RESET) && b->reset_code == OM_CLOSE_CANCELLED);
    om_stream_forget(&p.m[1], b);
    muxes_move(&p);
    CHECK_EQ(p.m[0].streams.count + p.m[1].streams.count, 0);
out:
    free(mine);
    muxes_fini(&p);
}

OM_TEST(mux_restart_orphans_every_stream)
{
    const unsigned ends = OM_NEWS_RESET | OM_NEWS_STOPPED | OM_NEWS_DONE;
    struct om_stream *a = NULL, *b = NULL, *c = NULL;

    muxes_init(&p);
    OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &a) == OM_OK);
    OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &b) == OM_OK);
    OM_TRY(om_stream_write(&p.m[0], a, om_bytes(text, N)) == OM_OK);
    OM_TRY(give_stream(0, 3, 0, 5, false) == OM_OK);
    OM_TRY(give_stream(0, 7, 0, 5, false) == OM_OK); /* 5 is never announced */
    c = om_mux_find(&p.m[0], 3);
    om_stream_forget(&p.m[0], om_mux_find(&p.m[0], 7));
    CHECK_OK(give_credit(0, 0, 99 << 20));
    OM_TRY(give_stream(0, 3, OM_STREAM_CREDIT - 1, 1, false) == OM_OK);
    om_stream_stop(&p.m[0], c, 1);
    OM_TRY(give_stream(0, 9, OM_STREAM_CREDIT - 1, 1, false) == OM_OK);
    om_stream_stop(&p.m[0], om_mux_find(&p.m[0], 9), 1);
    om_stream_forget(&p.m[0], om_mux_find(&p.m[0], 9));
    CHECK(p.m[0].credit.granted > OM_SESSION_CREDIT);
    om_mux_restart(&p.m[0]);
    CHECK(a->released == N && om_stream_peek(c).n == 0 && !om_stream_at_end(c));
    CHECK(a->reset_code == OM_CLOSE_RESTARTED && a->stop_code == OM_CLOSE_RESTARTED);
    CHECK(p.m[0].streams.count == 0 && !om_mux_has_output(&p.m[0]));
    CHECK(p.m[0].peer_credit == OM_SESSION_CREDIT && p.m[0].highest == 0);
    CHECK(p.m[0].credit.granted == OM_SESSION_CREDIT && p.m[0].consumed == 0);
    unsigned bits = 0, seen = 0;
    struct om_stream *s;
    while ((s = om_mux_news(&p.m[0], &bits)) != NULL) {
        seen++;
        CHECK_EQ(bits & ends, ends);
        CHECK_EQ(bits & OM_NEWS_RELEASED, s == a ? OM_NEWS_RELEASED : 0);
        CHECK_EQ(bits & OM_NEWS_OPENED, s == c ? OM_NEWS_OPENED : 0);
        CHECK_EQ(bits & OM_NEWS_READABLE, 0);
    }
    CHECK_EQ(seen, 3);
    CHECK_ERR(om_stream_write(&p.m[0], a, om_bytes(text, N)), OM_E_STATE);
    CHECK_ERR(om_stream_finish(&p.m[0], a), OM_E_STATE);
    om_stream_reset(&p.m[0], a, 1);
    om_stream_stop(&p.m[0], c, 1);
    om_stream_set_priority(&p.m[0], b, OM_BULK);
    CHECK(!om_mux_has_output(&p.m[0]));

    struct om_stream *fresh = NULL; /* ids begin anew, and mean new streams */
    OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &fresh) == OM_OK);
    CHECK(fresh->id == 2 && om_mux_find(&p.m[0], 2) == fresh && a->id == 2);
    OM_TRY(om_stream_write(&p.m[0], fresh, om_bytes(text, N)) == OM_OK);
    om_stream_forget(&p.m[0], a);
    om_stream_forget(&p.m[0], c);
    muxes_move(&p);
    CHECK(fresh->released == N && om_mux_find(&p.m[1], 2) != NULL);
out:
    muxes_fini(&p); /* b was never forgotten */
}

enum { END_FINISH, END_RESET, END_STOP, END_FORGET, ENDS };

static void end(unsigned who, struct om_stream **s, unsigned how)
{
    if (!*s)
        return;
    if (how == END_FINISH)
        (void)om_stream_finish(&p.m[who], *s);
    if (how == END_RESET)
        om_stream_reset(&p.m[who], *s, 1);
    if (how == END_STOP)
        om_stream_stop(&p.m[who], *s, 2);
    if (how == END_FORGET) {
        om_stream_forget(&p.m[who], *s);
        *s = NULL;
    }
}

/* Four ends on two sides, in each order, moving packets in between or not: it always ends. */
OM_TEST(mux_resets_and_stops_in_any_order)
{
    for (unsigned order = 0; order < ENDS * ENDS * ENDS * ENDS * 16; order++) {
        struct om_stream *s[2] = {NULL, NULL};
        unsigned how = order / 16;
        muxes_init(&p);
        OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &s[0]) == OM_OK);
        OM_TRY(om_stream_write(&p.m[0], s[0], om_bytes(text, N)) == OM_OK);
        muxes_move(&p);
        OM_TRY((s[1] = om_mux_find(&p.m[1], 2)) != NULL);
        OM_TRY(om_stream_write(&p.m[1], s[1], om_bytes(text, N)) == OM_OK);
        for (unsigned i = 0; i < 4; i++, how /= ENDS) {
            end(i % 2, &s[i % 2], how % ENDS);
            if (order >> i & 1)
                muxes_move(&p);
        }
        muxes_move(&p);
        CHECK_EQ(p.error, OM_OK);
        for (unsigned who = 0; who < 2; who++)
            end(who, &s[who], END_FORGET);
        muxes_move(&p);
        CHECK_EQ(p.error, OM_OK);
        CHECK_EQ(p.m[0].streams.count + p.m[1].streams.count, 0);
        CHECK(p.m[0].sent == p.m[1].highest && p.m[1].highest == p.m[1].consumed);
        CHECK(p.m[1].sent == p.m[0].highest && p.m[0].highest == p.m[0].consumed);
        muxes_fini(&p);
    }
    return;
out:
    muxes_fini(&p);
}

/* A sender that heeds each stream's credit, but not the session's. */
OM_TEST(mux_refuses_beyond_the_session_credit)
{
    enum om_err e = OM_OK;
    uint32_t taken = 0;

    muxes_init(&p);
    while (e == OM_OK && taken < 100) {
        e = give_stream(1, 2 + 2 * taken, OM_STREAM_CREDIT - 1, 1, false);
        taken += e == OM_OK;
    }
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_FULL);
    CHECK(taken > OM_CREDIT_MAX / OM_STREAM_CREDIT);
    CHECK(taken <= (OM_CREDIT_MAX + OM_SESSION_CREDIT) / OM_STREAM_CREDIT);
    CHECK_ERR(give_reset(1, 2 + 2 * taken, 0, OM_STREAM_CREDIT), OM_E_FULL);
    CHECK_OK(give_reset(1, 2, 0, OM_STREAM_CREDIT)); /* what is given up is free again */
    CHECK_OK(give_reset(1, 4, 0, OM_STREAM_CREDIT));
    CHECK_OK(give_reset(1, 6, 0, OM_STREAM_CREDIT));
    OM_TRY(give_stream(1, 2 + 2 * taken, OM_STREAM_CREDIT - 1, 1, false) == OM_OK);
out:
    muxes_fini(&p);
}

/* The next frame of side 0 is of @kind; it is lost, and comes again until it is not. */
static bool comes_again(enum om_sent_kind kind)
{
    struct om_sent_frame note;
    uint8_t bytes[100];

    for (unsigned i = 0; i < 3; i++) {
        struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
        if (om_mux_fill(&p.m[0], &w, &note, 1) != 1 || note.kind != kind ||
            om_mux_has_output(&p.m[0]))
            return false;
        om_mux_on_fate(&p.m[0], p.now, &note, i == 2);
    }
    om_mux_on_fate(&p.m[0], p.now, &note, false); /* an old copy */
    return true;
}

OM_TEST(mux_lost_control_frames_come_again)
{
    struct om_stream *a = NULL;

    muxes_init(&p);
    OM_TRY(om_mux_open(&p.m[0], OM_NORMAL, &a) == OM_OK);
    om_stream_reset(&p.m[0], a, 1);
    CHECK(comes_again(OM_SENT_RESET));
    CHECK(!om_mux_has_output(&p.m[0]));
    om_stream_stop(&p.m[0], a, 1);
    CHECK(comes_again(OM_SENT_STOP));
    CHECK(om_mux_has_output(&p.m[0])); /* that copy could be the only one: so once more */
    CHECK_OK(give_reset(0, 2, 0, 0));
    CHECK(!om_mux_has_output(&p.m[0]) && muxes_news(&p, 0, a) == OM_NEWS_DONE);
out:
    muxes_fini(&p);
}

OM_TEST(mux_credit_frames_are_repeated_only_while_new)
{
    struct om_sent_frame notes[4], old = {1, 0, 0, OM_SENT_CREDIT, 0};
    struct om_wr w;
    uint8_t bytes[100];

    muxes_init(&p);
    om_mux_on_fate(&p.m[0], p.now, &old, false);
    CHECK(!om_mux_has_output(&p.m[0])); /* a newer value was sent since */
    old.offset = OM_SESSION_CREDIT;
    om_mux_on_fate(&p.m[0], p.now, &old, true);
    CHECK(!om_mux_has_output(&p.m[0]));
    om_mux_on_fate(&p.m[0], p.now, &old, false);
    CHECK(om_mux_has_output(&p.m[0]));
    w = om_wr(om_mut(bytes, OM_STREAM_CREDIT_SIZE - 1));
    CHECK_EQ(om_mux_fill(&p.m[0], &w, notes, 4), 0);
    CHECK(!om_mux_fill_credit(&p.m[0], &w) && !w.bad);
    w = om_wr(om_mut(bytes, OM_STREAM_CREDIT_SIZE));
    CHECK_EQ(om_mux_fill(&p.m[0], &w, notes, 0), 0);
    CHECK_EQ(om_mux_fill(&p.m[0], &w, notes, 4), 1);
    CHECK(notes[0].kind == OM_SENT_CREDIT && notes[0].offset == OM_SESSION_CREDIT);
    w = om_wr(om_mut(bytes, OM_STREAM_CREDIT_SIZE));
    CHECK(om_mux_fill_credit(&p.m[0], &w));
    CHECK_OK(muxes_give(&p, 1, om_bytes(bytes, om_wr_len(&w))));
    CHECK(p.m[1].peer_credit == OM_SESSION_CREDIT);
    muxes_fini(&p);
}

OM_TEST(mux_idle_is_small)
{
    muxes_init(&p);
    printf("struct om_mux %zu bytes, struct om_stream %zu bytes\n", sizeof(struct om_mux),
           sizeof(struct om_stream));
    CHECK(sizeof(struct om_mux) < 1024 && p.m[0].streams.slots == NULL);
    CHECK(sizeof(struct om_stream) < 400);
    CHECK(om_mux_find(&p.m[0], 2) == NULL);
    muxes_fini(&p);
}
