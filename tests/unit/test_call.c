/* test_call.c - calls between two whole nodes: asked, answered, used, ended. */
#include "harness.h"
#include "pair.h"

enum { BYTES = 200 * 1000 };

static uint8_t sent[BYTES];

/* What each side was told last, and what it does of itself. */
struct desk {
    struct pair p;
    uint64_t calls[2]; /* number at each side */
    unsigned asked, replied, ok;
    char method[OM_METHOD_MAX + 1], args[64], error[OM_METHOD_MAX + 1], body[64];
    unsigned news[2];
    uint64_t released;
    uint32_t code[2];
    uint64_t got;  /* bytes side 1 read */
    bool is_wrong; /* not those that were sent */
    bool is_end;
    bool accepts, refuses, reads, slams;
    bool loses;       /* the first datagram of the answer, */
    bool is_lost;     /* which it did */
    om_time patience; /* not 0: instead of the node's own */
    uint64_t left;    /* with the last news of side 0 */
};

static void copy(char *to, size_t size, struct om_bytes from)
{
    size_t n = from.n < size - 1 ? from.n : size - 1;

    memcpy(to, from.p, n);
    to[n] = '\0';
}

static void read_all(struct desk *d)
{
    struct om_node *n = d->p.side[1].node;

    for (;;) {
        struct om_bytes b = om_node_read(n, d->calls[1], &d->is_end);
        if (b.n == 0)
            return;
        if (d->got + b.n > BYTES || memcmp(b.p, sent + d->got, b.n) != 0)
            d->is_wrong = true;
        d->got += b.n;
        om_node_consume(n, d->p.now, d->calls[1], b.n);
    }
}

static void on_call(struct pair *p, int side, const struct om_act *a)
{
    struct desk *d = p->on_call_arg;
    struct om_node *n = p->side[side].node;

    switch (a->kind) {
    case OM_ACT_CALL:
        d->asked++;
        d->calls[side] = a->call.call;
        copy(d->method, sizeof d->method, om_bytes(a->call.method, strlen(a->call.method)));
        copy(d->args, sizeof d->args, a->call.args);
        if (d->refuses)
            (void)!om_node_refuse(n, p->now, a->call.call, "refused", "not today");
        else if (d->accepts)
            (void)!om_node_accept(n, p->now, a->call.call, om_bytes("{\"x\":1}", 7));
        if (d->slams) {
            (void)!om_node_write(n, p->now, a->call.call, om_bytes(sent, BYTES));
            om_node_hang_up(n, p->now, a->call.call, 77);
        }
        break;
    case OM_ACT_REPLY:
        d->replied++;
        d->ok += a->reply.is_ok;
        copy(d->error, sizeof d->error, om_bytes(a->reply.error, strlen(a->reply.error)));
        copy(d->body, sizeof d->body, a->reply.body);
        break;
    case OM_ACT_STREAM:
        d->news[side] |= a->stream.news;
        if (side == 0) {
            d->released = a->stream.released;
            d->left = a->stream.left;
            d->is_wrong |= d->left < d->released || d->left > BYTES;
        }
        if (a->stream.news & (OM_CALL_RESET | OM_CALL_STOPPED))
            d->code[side] = a->stream.code;
        if (side == 1 && d->reads && a->stream.news & OM_CALL_READABLE)
            read_all(d);
        break;
    default:
        break;
    }
}

/* What side 1 sends once it was asked: the first of it is lost. */
static bool lose_answer(struct pair *p, const struct pair_dgram *d)
{
    struct desk *desk = p->filter_arg;
    bool is_answer = desk->loses && desk->asked > 0 && d->to == 0 && !desk->is_lost;

    desk->is_lost |= is_answer;
    return !is_answer;
}

/* Two nodes with a session, and a call by side 0 that side 1 treats as @d says. */
static bool begin(struct desk *d, om_time timeout)
{
    struct pair_options o = pair_defaults();
    const struct om_call_config c = {
        .method = "test.sink", .args = om_bytes("{ \"n\": 7 }", 10), .timeout = timeout};

    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (uint8_t)(i * 7 + i / 251);
    if (d->patience) {
        o.limits.call_patience = d->patience;
        o.limits.call_ask = d->patience / 3;
    }
    if (!pair_init(&d->p, &o))
        return false;
    d->p.filter = lose_answer;
    d->p.filter_arg = d;
    d->p.on_call = on_call;
    d->p.on_call_arg = d;
    if (pair_connect(&d->p, 0) != OM_OK)
        return false;
    pair_run(&d->p, OM_SEC(2));
    if (om_node_call(d->p.side[0].node, d->p.now, &d->p.network, &d->p.side[1].id, &c,
                     &d->calls[0]) != OM_OK)
        return false;
    pair_run(&d->p, OM_SEC(3));
    return true;
}

static enum om_err write_all(struct desk *d)
{
    return om_node_write(d->p.side[0].node, d->p.now, d->calls[0], om_bytes(sent, BYTES));
}

OM_TEST(call_is_accepted_and_carries_both_ways)
{
    struct desk d = {.accepts = true, .reads = true};
    bool is_end;

    OM_TRY(begin(&d, 0));
    OM_TRY(d.asked == 1 && d.replied == 1 && d.ok == 1);
    CHECK_STR(d.method, "test.sink");
    CHECK_STR(d.args, "{\"n\":7}");
    CHECK_STR(d.body, "{\"x\":1}");
    OM_TRY(write_all(&d) == OM_OK);
    CHECK_OK(om_node_finish(d.p.side[0].node, d.p.now, d.calls[0]));
    CHECK_OK(om_node_write(d.p.side[1].node, d.p.now, d.calls[1], om_bytes("back", 4)));
    CHECK_OK(om_node_finish(d.p.side[1].node, d.p.now, d.calls[1]));
    pair_run(&d.p, OM_SEC(6));
    OM_TRY(d.got == BYTES && d.is_end && !d.is_wrong);
    struct om_bytes back = om_node_read(d.p.side[0].node, d.calls[0], &is_end);
    CHECK_EQ(back.n, 4);
    CHECK_MEM(back.p, "back", 4);
    CHECK(!is_end);
    om_node_consume(d.p.side[0].node, d.p.now, d.calls[0], 4);
    CHECK_EQ(om_node_read(d.p.side[0].node, d.calls[0], &is_end).n, 0);
    CHECK(is_end);
    pair_run(&d.p, OM_SEC(7));
    CHECK(d.news[0] & OM_CALL_DONE);
    CHECK(d.news[1] & OM_CALL_DONE);
    CHECK(!((d.news[0] | d.news[1]) & (OM_CALL_RESET | OM_CALL_STOPPED)));
    om_node_hang_up(d.p.side[0].node, d.p.now, d.calls[0], 0);
    CHECK_ERR(om_node_finish(d.p.side[0].node, d.p.now, d.calls[0]), OM_E_MISSING);
out:
    pair_fini(&d.p);
}

OM_TEST(call_borrows_until_released)
{
    struct desk d = {.accepts = true, .reads = true};

    OM_TRY(begin(&d, 0));
    OM_TRY(write_all(&d) == OM_OK);
    CHECK_EQ(d.released, 0); /* nothing came back yet */
    pair_run(&d.p, d.p.now + OM_MS(25));
    OM_TRY(d.released > 0 && d.released < BYTES);
    CHECK(d.left > d.released && d.left < BYTES);
    pair_run(&d.p, OM_SEC(6));
    OM_TRY(d.released == BYTES);
    CHECK(d.left == BYTES && !d.is_wrong);
out:
    pair_fini(&d.p);
}

OM_TEST(call_refusal_says_why)
{
    struct desk d = {.refuses = true};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.asked == 1 && d.replied == 1);
    CHECK_EQ(d.ok, 0);
    CHECK_STR(d.error, "refused");
    CHECK_STR(d.body, "not today");
    CHECK_ERR(om_node_write(d.p.side[0].node, d.p.now, d.calls[0], om_bytes(sent, 1)), OM_E_STATE);
    /* The number is gone at the side that refused. */
    CHECK_ERR(om_node_accept(d.p.side[1].node, d.p.now, d.calls[1], om_bytes(NULL, 0)),
              OM_E_MISSING);
    om_node_hang_up(d.p.side[0].node, d.p.now, d.calls[0], 0);
out:
    pair_fini(&d.p);
}

OM_TEST(call_to_nobody_times_out)
{
    struct desk d = {.accepts = false};

    OM_TRY(begin(&d, OM_SEC(5)));
    OM_TRY(d.asked == 1); /* it was heard, but the program says nothing */
    CHECK_EQ(d.replied, 0);
    pair_run(&d.p, OM_SEC(8));
    OM_TRY(d.replied == 1);
    CHECK_STR(d.error, "timeout");
out:
    pair_fini(&d.p);
}

OM_TEST(call_reader_holds_back_writer)
{
    struct desk d = {.accepts = true};
    uint64_t written = 0;

    OM_TRY(begin(&d, 0));
    while (written < 20 * BYTES) {
        OM_TRY(om_node_write(d.p.side[0].node, d.p.now, d.calls[0], om_bytes(sent, BYTES)) ==
               OM_OK);
        written += BYTES;
    }
    pair_run(&d.p, OM_SEC(30));
    OM_TRY(d.released > 0);
    CHECK(d.released <= 1 << 20); /* the first window: nobody reads */
    CHECK(om_node_read(d.p.side[1].node, d.calls[1], NULL).n > 0);
out:
    pair_fini(&d.p);
}

OM_TEST(call_hung_up_is_told)
{
    struct desk d = {.accepts = true};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.replied == 1);
    om_node_hang_up(d.p.side[0].node, d.p.now, d.calls[0], 77);
    pair_run(&d.p, OM_SEC(4));
    OM_TRY(d.news[1] & OM_CALL_RESET);
    CHECK(d.news[1] & OM_CALL_STOPPED);
    CHECK_EQ(d.code[1], 77);
    CHECK_ERR(om_node_write(d.p.side[1].node, d.p.now, d.calls[1], om_bytes("x", 1)), OM_E_STATE);
    om_node_hang_up(d.p.side[1].node, d.p.now, d.calls[1], 0);
    om_node_hang_up(d.p.side[1].node, d.p.now, d.calls[1], 0); /* twice does nothing */
out:
    pair_fini(&d.p);
}

OM_TEST(call_reset_does_not_overtake_the_answer)
{
    for (int lossy = 0; lossy < 2; lossy++) {
        struct desk d = {.accepts = true, .slams = true, .loses = lossy == 1};
        OM_TRY(begin(&d, 0));
        OM_TRY(d.asked == 1 && d.is_lost == d.loses && d.replied == 1);
        CHECK_EQ(d.ok, 1);
        CHECK_STR(d.body, "{\"x\":1}");
        CHECK(d.news[0] & OM_CALL_RESET);
        CHECK_EQ(d.code[0], 77);
        CHECK_ERR(om_node_finish(d.p.side[1].node, d.p.now, d.calls[1]), OM_E_MISSING);
        CHECK_ERR(om_node_write(d.p.side[0].node, d.p.now, d.calls[0], om_bytes("x", 1)),
                  OM_E_STATE);
        om_node_hang_up(d.p.side[0].node, d.p.now, d.calls[0], 0);
        pair_run(&d.p, OM_SEC(5));
    out:
        pair_fini(&d.p);
    }
}

OM_TEST(call_ends_with_the_association)
{
    struct desk d = {.accepts = true};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.replied == 1);
    OM_TRY(write_all(&d) == OM_OK);
    CHECK_OK(om_node_close(d.p.side[0].node, d.p.now, &d.p.network, &d.p.side[1].id, 0, NULL));
    pair_run(&d.p, OM_SEC(4));
    OM_TRY(d.news[0] & OM_CALL_DONE && d.news[1] & OM_CALL_DONE);
    CHECK_EQ(d.released, BYTES);
    CHECK_ERR(write_all(&d), OM_E_STATE);
out:
    pair_fini(&d.p);
}

static bool lose_all(struct pair *p OM_UNUSED, const struct pair_dgram *d OM_UNUSED)
{
    return false;
}

/* However it is: with bytes under way, or at rest. */
static void check_gone(bool is_writing, om_time patience)
{
    struct desk d = {.accepts = true, .patience = patience};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.replied == 1);
    om_time cut = d.p.now;
    d.p.filter = lose_all;
    om_node_limit(d.p.side[0].node, cut, d.calls[0]);
    om_node_limit(d.p.side[1].node, cut, d.calls[1]);
    if (is_writing)
        OM_TRY(write_all(&d) == OM_OK);
    /* At rest, the peer is asked first. */
    om_time last = cut + patience + (is_writing ? 0 : patience / 3) + OM_SEC(30);
    pair_run(&d.p, last - OM_SEC(5));
    CHECK(!((d.news[0] | d.news[1]) & OM_CALL_DONE));
    pair_run(&d.p, last + OM_SEC(30));
    OM_TRY(d.news[0] & OM_CALL_DONE && d.news[1] & OM_CALL_DONE);
    CHECK(d.news[0] & d.news[1] & OM_CALL_RESET);
    CHECK_EQ(d.p.side[0].events[OM_EVENT_PEER_LOST], 1);
out:
    pair_fini(&d.p);
}

OM_TEST(call_ends_when_the_peer_is_gone)
{
    check_gone(false, OM_SEC(30));
    check_gone(true, OM_SEC(30));
}

/* Both slept, for longer than anybody waits, in the middle of something. */
OM_TEST(call_outlives_our_own_sleep)
{
    struct desk d = {.accepts = true, .reads = true, .patience = OM_SEC(30)};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.replied == 1);
    om_node_limit(d.p.side[0].node, d.p.now, d.calls[0]);
    om_node_limit(d.p.side[1].node, d.p.now, d.calls[1]);
    d.p.filter = lose_all;
    OM_TRY(write_all(&d) == OM_OK);
    pair_run(&d.p, d.p.now + OM_SEC(1));
    d.p.now += OM_SEC(3600);
    d.p.filter = NULL;
    pair_run(&d.p, d.p.now + OM_SEC(100));
    CHECK(!((d.news[0] | d.news[1]) & OM_CALL_RESET));
    CHECK_EQ(d.got, BYTES);
out:
    pair_fini(&d.p);
}

OM_TEST(call_at_rest_stands)
{
    struct desk d = {.accepts = true, .reads = true, .patience = OM_SEC(30)};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.replied == 1);
    om_node_limit(d.p.side[0].node, d.p.now, d.calls[0]);
    unsigned before = d.p.sent;
    pair_run(&d.p, OM_SEC(300));
    CHECK(!((d.news[0] | d.news[1]) & OM_CALL_DONE));
    CHECK(d.p.sent - before < 30 * 2 + 20); /* a question in 10 s and its answer, and new keys */
    OM_TRY(write_all(&d) == OM_OK);
    pair_run(&d.p, d.p.now + OM_SEC(10));
    CHECK_EQ(d.got, BYTES); /* the control */
out:
    pair_fini(&d.p);
}

OM_TEST(call_restart_resets)
{
    struct pair_options o = pair_defaults();
    struct desk d = {.accepts = true, .reads = true};

    OM_TRY(begin(&d, 0));
    OM_TRY(d.replied == 1);
    OM_TRY(pair_restart(&d.p, 1, &o, true));
    OM_TRY(write_all(&d) == OM_OK);
    pair_run(&d.p, OM_SEC(10));
    OM_TRY(d.news[0] & OM_CALL_RESET);
    CHECK(d.news[0] & OM_CALL_DONE);
    CHECK_EQ(d.code[0], 1); /* RESTARTED */
    CHECK_EQ(d.released, BYTES);
out:
    pair_fini(&d.p);
}

OM_TEST(call_refuses_what_cannot_be_sent)
{
    struct om_call_config c = {.method = "test.sink", .args = om_bytes("[]", 2)};
    struct desk d = {.accepts = true};
    struct om_id stranger = {{1}};
    struct om_node *n;
    uint64_t call;

    OM_TRY(begin(&d, 0));
    n = d.p.side[0].node;
    CHECK_ERR(om_node_call(n, d.p.now, &d.p.network, &d.p.side[1].id, &c, &call), OM_E_PARSE);
    c.args = om_bytes("{\"a\"", 4);
    CHECK_ERR(om_node_call(n, d.p.now, &d.p.network, &d.p.side[1].id, &c, &call), OM_E_PARSE);
    c.args = om_bytes(NULL, 0);
    CHECK_ERR(om_node_call(n, d.p.now, &d.p.network, &stranger, &c, &call), OM_E_MISSING);
    c.method = "has space";
    CHECK_ERR(om_node_call(n, d.p.now, &d.p.network, &d.p.side[1].id, &c, &call), OM_E_RANGE);
    c.method = "fine";
    OM_TRY(om_node_call(n, d.p.now, &d.p.network, &d.p.side[1].id, &c, &call) == OM_OK);
out:
    pair_fini(&d.p);
}
