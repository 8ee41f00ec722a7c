/* test_node_loop.c - calls of a node to itself: asked, answered, used, ended. */
#include "harness.h"
#include "pair.h"

#include "node/loop.h"

/* One node, both ends of a call of its own, and what each was told. */
struct desk {
    struct pair p;
    struct om_node *n;
    uint64_t call[2]; /* 0 asked */
    unsigned asked, replied, sends;
    bool is_ok;
    char method[OM_METHOD_MAX + 1], args[64], error[OM_METHOD_MAX + 1], body[64];
    struct om_id from;
    unsigned news[2];
    uint64_t released[2], left[2];
    uint32_t code[2];
};

static void copy(char *to, size_t size, struct om_bytes from)
{
    size_t n = from.n < size - 1 ? from.n : size - 1;

    memcpy(to, from.p, n);
    to[n] = '\0';
}

static void on_stream(struct desk *d, const struct om_act_stream *s)
{
    int side = s->call == d->call[1];

    d->news[side] |= s->news;
    d->released[side] = s->released;
    d->left[side] = s->left;
    if (s->news & (OM_CALL_RESET | OM_CALL_STOPPED))
        d->code[side] = s->code;
}

/* Takes every action there is. */
static void pump(struct desk *d)
{
    for (struct om_act a; om_node_next(d->n, &a);) {
        switch ((int)a.kind) {
        case OM_ACT_CALL:
            d->asked++;
            d->call[1] = a.call.call;
            d->from = a.call.peer;
            copy(d->method, sizeof d->method, om_bytes(a.call.method, strlen(a.call.method)));
            copy(d->args, sizeof d->args, a.call.args);
            break;
        case OM_ACT_REPLY:
            d->replied++;
            d->is_ok = a.reply.is_ok;
            copy(d->error, sizeof d->error, om_bytes(a.reply.error, strlen(a.reply.error)));
            copy(d->body, sizeof d->body, a.reply.body);
            break;
        case OM_ACT_STREAM:
            on_stream(d, &a.stream);
            break;
        case OM_ACT_SEND:
            d->sends++;
            om_node_sent(d->n, a.send.dgram);
            break;
        default:
            break;
        }
    }
}

static bool desk_init(struct desk *d)
{
    struct pair_options o = pair_defaults();

    *d = (struct desk){0};
    if (!pair_init(&d->p, &o))
        return false;
    d->n = d->p.side[0].node;
    pump(d);
    return true;
}

static void desk_fini(struct desk *d)
{
    pair_fini(&d->p);
}

static enum om_err ask(struct desk *d)
{
    const struct om_call_config config = {.method = "test.echo", .args = om_bytes("{\"a\":7}", 7)};

    return om_node_call(d->n, d->p.now, &d->p.network, &d->p.side[0].id, &config, &d->call[0]);
}

static bool meet(struct desk *d)
{
    if (!desk_init(d) || ask(d) != OM_OK)
        return false;
    pump(d);
    if (d->asked != 1 ||
        om_node_accept(d->n, d->p.now, d->call[1], om_bytes("{\"x\":1}", 7)) != OM_OK)
        return false;
    pump(d);
    return d->replied == 1 && d->is_ok;
}

static enum om_err say(struct desk *d, int side, const char *text)
{
    return om_node_write(d->n, d->p.now, d->call[side], om_bytes(text, strlen(text)));
}

/* Are the bytes that @side can read now @want? They are consumed. */
static bool hears(struct desk *d, int side, const char *want)
{
    struct om_bytes b = om_node_read(d->n, d->call[side], NULL);

    if (b.n != strlen(want) || memcmp(b.p, want, b.n) != 0)
        return false;
    om_node_consume(d->n, d->p.now, d->call[side], b.n);
    return true;
}

static bool is_end(struct desk *d, int side)
{
    bool end = false;

    (void)om_node_read(d->n, d->call[side], &end);
    return end;
}

OM_TEST(loop_is_accepted_and_carries_both_ways)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    OM_TRY(ask(&d) == OM_OK);
    pump(&d);
    OM_TRY(d.asked == 1);
    CHECK_STR(d.method, "test.echo");
    CHECK_STR(d.args, "{\"a\":7}");
    CHECK_MEM(d.from.b, d.p.side[0].id.b, sizeof d.from.b);
    CHECK(om_node_is_loop(d.n, d.call[0]) && om_node_is_loop(d.n, d.call[1]));
    CHECK_EQ(say(&d, 0, "early"), OM_E_STATE);
    CHECK_EQ(say(&d, 1, "early"), OM_E_STATE);
    OM_TRY(om_node_accept(d.n, d.p.now, d.call[1], om_bytes("{\"x\":1}", 7)) == OM_OK);
    CHECK_EQ(om_node_accept(d.n, d.p.now, d.call[1], om_bytes(NULL, 0)), OM_E_STATE);
    pump(&d);
    OM_TRY(d.replied == 1 && d.is_ok);
    CHECK_STR(d.body, "{\"x\":1}");
    om_node_limit(d.n, d.p.now, d.call[0]);
    OM_TRY(say(&d, 0, "there") == OM_OK && say(&d, 1, "and back") == OM_OK);
    pump(&d);
    CHECK(d.news[0] & OM_CALL_READABLE && d.news[1] & OM_CALL_READABLE);
    CHECK(hears(&d, 1, "there"));
    CHECK(hears(&d, 0, "and back"));
out:
    desk_fini(&d);
}

OM_TEST(loop_sends_nothing)
{
    struct desk d;
    om_time until;

    OM_TRY(meet(&d));
    OM_TRY(say(&d, 0, "there") == OM_OK);
    pump(&d);
    for (until = d.p.now + OM_SEC(90); d.p.now < until; d.p.now += OM_SEC(1)) {
        om_node_tick(d.n, d.p.now);
        pump(&d);
    }
    CHECK_EQ(d.sends + d.p.sent, 0);
    CHECK(hears(&d, 1, "there")); /* nor did it end */
    CHECK_OK(pair_connect(&d.p, 0));
    pump(&d);
    CHECK(d.sends + d.p.sent > 0); /* the control: this would have been counted */
out:
    desk_fini(&d);
}

OM_TEST(loop_refusal_says_why)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    OM_TRY(ask(&d) == OM_OK);
    pump(&d);
    OM_TRY(d.asked == 1);
    OM_TRY(om_node_refuse(d.n, d.p.now, d.call[1], "refused", "not today") == OM_OK);
    CHECK_EQ(om_node_refuse(d.n, d.p.now, d.call[1], "refused", NULL), OM_E_MISSING);
    pump(&d);
    CHECK_EQ(d.replied, 1);
    CHECK_EQ(d.is_ok, false);
    OM_TRY(strcmp(d.error, "refused") == 0);
    CHECK_STR(d.body, "not today");
    CHECK_EQ(say(&d, 0, "still"), OM_E_STATE);
    om_node_hang_up(d.n, d.p.now, d.call[0], OM_CLOSE_DONE);
    pump(&d);
    CHECK_EQ(om_table_count(&d.n->calls), 0);
    CHECK_EQ(d.news[0] | d.news[1], 0);
out:
    desk_fini(&d);
}

OM_TEST(loop_borrows_until_read)
{
    static const char one[] = "one", two[] = "twofold";
    struct om_bytes piece[4];
    struct desk d;
    bool end;

    OM_TRY(meet(&d));
    OM_TRY(say(&d, 0, one) == OM_OK && say(&d, 0, two) == OM_OK);
    pump(&d);
    CHECK_EQ(d.released[0], 0);
    OM_TRY(om_node_read_pieces(d.n, d.call[1], piece, 4, &end) == 2);
    CHECK(piece[0].p == (const uint8_t *)one && piece[1].p == (const uint8_t *)two); /* no copy */
    CHECK_EQ(om_node_read_pieces(d.n, d.call[1], piece, 1, &end), 1);
    om_node_consume(d.n, d.p.now, d.call[1], 5);
    pump(&d);
    CHECK(d.news[0] & OM_CALL_RELEASED);
    CHECK_EQ(d.released[0], 5);
    CHECK_EQ(d.left[0], 5);
    CHECK(hears(&d, 1, "ofold"));
    pump(&d);
    CHECK_EQ(d.released[0], 10);
    CHECK_EQ(om_node_read_pieces(d.n, d.call[1], piece, 4, &end), 0);
    CHECK_EQ(end, false);
    om_node_consume(d.n, d.p.now, d.call[1], 0);
out:
    desk_fini(&d);
}

OM_TEST(loop_slow_reader_holds_back_writer)
{
    unsigned written = 0;
    struct desk d;

    OM_TRY(meet(&d));
    while (written < OM_LOOP_PIECES_MAX && say(&d, 0, "ab") == OM_OK)
        written++;
    OM_TRY(written == OM_LOOP_PIECES_MAX);
    CHECK_EQ(say(&d, 0, "ab"), OM_E_BUSY);
    CHECK_OK(om_node_write(d.n, d.p.now, d.call[0], om_bytes(NULL, 0)));
    om_node_consume(d.n, d.p.now, d.call[1], 1);
    CHECK_EQ(say(&d, 0, "ab"), OM_E_BUSY); /* a piece is one until its last byte is read */
    om_node_consume(d.n, d.p.now, d.call[1], 1);
    CHECK_OK(say(&d, 0, "ab"));
    om_node_consume(d.n, d.p.now, d.call[1], 2 * OM_LOOP_PIECES_MAX);
    pump(&d);
    CHECK_EQ(d.released[0], 2 * OM_LOOP_PIECES_MAX + 2);
out:
    desk_fini(&d);
}

OM_TEST(loop_each_way_ends_on_its_own)
{
    struct desk d;

    OM_TRY(meet(&d));
    OM_TRY(say(&d, 0, "last") == OM_OK);
    CHECK_OK(om_node_finish(d.n, d.p.now, d.call[0]));
    CHECK_OK(om_node_finish(d.n, d.p.now, d.call[0]));
    CHECK_EQ(say(&d, 0, "more"), OM_E_STATE);
    pump(&d);
    CHECK_EQ(is_end(&d, 1), false); /* not before the last byte was read */
    CHECK(hears(&d, 1, "last"));
    CHECK_EQ(is_end(&d, 1), true);
    pump(&d);
    CHECK_EQ((d.news[0] | d.news[1]) & OM_CALL_DONE, 0);
    OM_TRY(say(&d, 1, "answer") == OM_OK); /* the other way is open still */
    CHECK(hears(&d, 0, "answer"));
    d.news[0] = 0;
    CHECK_OK(om_node_finish(d.n, d.p.now, d.call[1]));
    pump(&d);
    CHECK(d.news[0] & OM_CALL_READABLE);
    CHECK_EQ(is_end(&d, 0), true);
    CHECK(d.news[0] & OM_CALL_DONE && d.news[1] & OM_CALL_DONE);
    d.news[0] = d.news[1] = 0;
    om_node_hang_up(d.n, d.p.now, d.call[0], OM_CLOSE_CANCELLED);
    pump(&d);
    CHECK_EQ(d.news[1], 0); /* nothing was left to tell */
    CHECK_EQ(is_end(&d, 1), true);
    om_node_hang_up(d.n, d.p.now, d.call[1], OM_CLOSE_CANCELLED);
    CHECK_EQ(om_table_count(&d.n->calls), 0);
out:
    desk_fini(&d);
}

/* @side hangs up with something on the way in both directions: the other learns it, and may not
 * touch what was lent to it any more. */
static void hang_up_at(int side)
{
    const unsigned all = OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_RELEASED | OM_CALL_DONE;
    struct om_bytes b;
    struct desk d;
    char *lent = NULL;

    OM_TRY(meet(&d));
    lent = malloc(4);
    OM_TRY(lent != NULL);
    memcpy(lent, "gone", 4);
    OM_TRY(om_node_write(d.n, d.p.now, d.call[side], om_bytes(lent, 4)) == OM_OK);
    OM_TRY(say(&d, !side, "unheard") == OM_OK);
    om_node_hang_up(d.n, d.p.now, d.call[side], OM_CLOSE_LIMIT);
    free(lent);
    lent = NULL;
    b = om_node_read(d.n, d.call[!side], NULL);
    CHECK_EQ(b.n, 0);
    om_node_consume(d.n, d.p.now, d.call[!side], 4); /* copied before, and not told yet */
    pump(&d);
    CHECK_EQ(d.news[!side] & all, all);
    CHECK_EQ(d.news[side], 0);
    CHECK_EQ(d.code[!side], OM_CLOSE_LIMIT);
    CHECK_EQ(d.released[!side], 7);
    CHECK_EQ(is_end(&d, !side), false);
    CHECK_EQ(say(&d, !side, "more"), OM_E_STATE);
    CHECK_EQ(om_node_finish(d.n, d.p.now, d.call[!side]), OM_E_STATE);
    CHECK_EQ(om_node_finish(d.n, d.p.now, d.call[side]), OM_E_MISSING);
    om_node_hang_up(d.n, d.p.now, d.call[!side], OM_CLOSE_DONE);
    CHECK_EQ(om_table_count(&d.n->calls), 0);
out:
    free(lent);
    desk_fini(&d);
}

OM_TEST(loop_hung_up_is_told)
{
    hang_up_at(0);
    hang_up_at(1);
}

OM_TEST(loop_asked_ends_first)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    OM_TRY(ask(&d) == OM_OK);
    pump(&d);
    OM_TRY(d.asked == 1);
    om_node_hang_up(d.n, d.p.now, d.call[1], OM_CLOSE_LIMIT); /* instead of an answer */
    pump(&d);
    CHECK_EQ(d.replied, 1);
    CHECK_STR(d.error, "gone");
    om_node_hang_up(d.n, d.p.now, d.call[0], OM_CLOSE_DONE);

    OM_TRY(ask(&d) == OM_OK);
    pump(&d);
    OM_TRY(d.asked == 2);
    om_node_hang_up(d.n, d.p.now, d.call[0], OM_CLOSE_CANCELLED); /* the asker, before the answer */
    pump(&d);
    CHECK_EQ(d.news[1], OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE);
    CHECK_EQ(d.code[1], OM_CLOSE_CANCELLED);
    CHECK_EQ(om_node_accept(d.n, d.p.now, d.call[1], om_bytes(NULL, 0)), OM_E_STATE);
    om_node_hang_up(d.n, d.p.now, d.call[1], OM_CLOSE_DONE);
    CHECK_EQ(om_table_count(&d.n->calls), 0);
out:
    desk_fini(&d);
}

OM_TEST(loop_unanswered_times_out)
{
    struct desk d;

    OM_TRY(desk_init(&d));
    OM_TRY(ask(&d) == OM_OK);
    pump(&d);
    OM_TRY(d.asked == 1);
    d.p.now += OM_SEC(OM_CALL_TIMEOUT_S) - 1;
    om_node_tick(d.n, d.p.now);
    pump(&d);
    CHECK_EQ(d.replied, 0);
    d.p.now++;
    om_node_tick(d.n, d.p.now);
    pump(&d);
    OM_TRY(d.replied == 1);
    CHECK_STR(d.error, "timeout");
    if (om_node_accept(d.n, d.p.now, d.call[1], om_bytes(NULL, 0)) == OM_OK) /* too late */
        (void)!say(&d, 1, "nobody hears it");
    pump(&d);
    CHECK_EQ(d.replied, 1);
    CHECK_EQ(d.news[0], 0);
    om_node_hang_up(d.n, d.p.now, d.call[0], OM_CLOSE_CANCELLED);
    pump(&d);
    CHECK(d.news[1] & OM_CALL_RESET);
    om_node_hang_up(d.n, d.p.now, d.call[1], OM_CLOSE_DONE);
    CHECK_EQ(om_table_count(&d.n->calls), 0);
out:
    desk_fini(&d);
}

OM_TEST(loop_full_table_refuses)
{
    static struct node_call others[OM_CALLS_MAX - 2];
    unsigned count = 0;
    struct desk d;

    OM_TRY(desk_init(&d));
    for (; count < OM_CALLS_MAX - 2; count++) { /* whoever has them */
        others[count].handle = UINT64_MAX - count;
        if (om_table_put(&d.n->calls, &others[count].handle, &others[count]) != OM_OK)
            break;
    }
    OM_TRY(count == OM_CALLS_MAX - 2);
    OM_TRY(ask(&d) == OM_OK);
    CHECK_EQ(ask(&d), OM_E_FULL);
    pump(&d);
    OM_TRY(d.asked == 1);
    om_node_hang_up(d.n, d.p.now, d.call[1], OM_CLOSE_DONE);
    CHECK_EQ(ask(&d), OM_E_FULL); /* room for one end is not enough */
    pump(&d);
    om_node_hang_up(d.n, d.p.now, d.call[0], OM_CLOSE_DONE);
    CHECK_OK(ask(&d));
out:
    while (count-- > 0)
        om_table_remove(&d.n->calls, &others[count].handle);
    desk_fini(&d);
}

OM_TEST(loop_tells_nobody_inside_a_call)
{
    struct om_act a;
    struct desk d;

    OM_TRY(meet(&d));
    CHECK_EQ(om_node_next(d.n, &a), false);
    OM_TRY(say(&d, 0, "one") == OM_OK);
    OM_TRY(say(&d, 0, "two") == OM_OK);
    OM_TRY(om_node_next(d.n, &a)); /* both are one piece of news, and it waits to be asked for */
    CHECK_EQ((int)a.kind, OM_ACT_STREAM);
    CHECK_EQ(a.stream.call, d.call[1]);
    CHECK_EQ(a.stream.news, OM_CALL_READABLE);
    CHECK_EQ(om_node_next(d.n, &a), false);
out:
    desk_fini(&d);
}

OM_TEST(loop_ends_with_the_node)
{
    struct desk d;

    OM_TRY(meet(&d));
    OM_TRY(say(&d, 0, "unread") == OM_OK);
    OM_TRY(ask(&d) == OM_OK); /* another, that nobody answers */
out:
    desk_fini(&d); /* under the sanitizer: nothing is left of either */
}
