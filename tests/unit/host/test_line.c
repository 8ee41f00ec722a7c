/* test_line.c - bytes cut into lines, and lines that wait to be read. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "ipc/line.h"
#include "ipc/outbox.h"

static enum om_err feed(struct om_line *l, const char *text)
{
    return om_line_feed(l, om_bytes(text, strlen(text)));
}

static bool next_is(struct om_line *l, const char *wanted)
{
    struct om_bytes b;

    return om_line_next(l, &b) && b.n == strlen(wanted) && memcmp(b.p, wanted, b.n) == 0;
}

OM_TEST(line_cuts_as_sent_not_as_read)
{
    const char *text = "{\"a\":1}\n\n{\"b\":2}\r\n{\"c\"";
    struct om_line l = {0};
    struct om_bytes b;

    for (size_t i = 0; text[i]; i++) {
        const char one[2] = {text[i], 0};
        if (feed(&l, one) != OM_OK) {
            om_line_fini(&l);
            return;
        }
        if (i == 7)
            CHECK(next_is(&l, "{\"a\":1}"));
    }
    CHECK(next_is(&l, "{\"b\":2}"));
    CHECK(!om_line_next(&l, &b));
    if (feed(&l, ":3}\n") == OM_OK)
        CHECK(next_is(&l, "{\"c\":3}"));
    CHECK(!om_line_next(&l, &b));
    om_line_fini(&l);
}

OM_TEST(line_too_long_is_told_once)
{
    char *big = malloc(OM_IPC_FRAME_MAX + 1);
    struct om_line l = {0};
    struct om_bytes b;

    if (!big)
        return;
    memset(big, 'x', OM_IPC_FRAME_MAX + 1);
    if (om_line_feed(&l, om_bytes(big, OM_IPC_FRAME_MAX)) == OM_OK) {
        CHECK(!om_line_next(&l, &b));
        CHECK(!om_line_is_too_long(&l)); /* its end may come now */
        if (feed(&l, "y") == OM_OK) {
            CHECK(!om_line_next(&l, &b));
            CHECK(om_line_is_too_long(&l));
            CHECK_ERR(feed(&l, "\n{}\n"), OM_E_RANGE);
            CHECK(!om_line_next(&l, &b));
        }
    }
    om_line_fini(&l);
    /* One of exactly that length is fine. */
    if (om_line_feed(&l, om_bytes(big, OM_IPC_FRAME_MAX)) == OM_OK && feed(&l, "\n") == OM_OK) {
        CHECK(om_line_next(&l, &b));
        CHECK_EQ(b.n, OM_IPC_FRAME_MAX);
    }
    om_line_fini(&l);
    free(big);
}

OM_TEST(line_unfinished_is_told)
{
    struct om_line l = {0};
    struct om_bytes b;

    CHECK(!om_line_is_unfinished(&l));
    if (feed(&l, "{}\n{") == OM_OK) {
        CHECK(om_line_next(&l, &b));
        CHECK(!om_line_next(&l, &b));
        CHECK(om_line_is_unfinished(&l));
    }
    om_line_fini(&l);
}

OM_TEST(line_memory_is_bounded)
{
    char block[4096];
    struct om_line l = {0};
    struct om_bytes b;

    memset(block, 'x', sizeof block);
    for (int i = 0; i < 10000; i++) {
        if (om_line_feed(&l, om_bytes(block, sizeof block)) != OM_OK)
            break;
        (void)om_line_next(&l, &b);
    }
    CHECK(l.cap <= 4 * OM_IPC_FRAME_MAX);
    om_line_fini(&l);
}

static bool box_is(struct om_outbox *o, const char *wanted)
{
    struct om_bytes b = om_outbox_peek(o);

    return b.n == strlen(wanted) && memcmp(b.p, wanted, b.n) == 0;
}

OM_TEST(outbox_keeps_the_order)
{
    struct om_outbox o = {0};

    if (om_outbox_put_response(&o, "one") == OM_OK) {
        om_outbox_put_event(&o, "two");
        if (o.lost == 0 && om_outbox_put_response(&o, "three") == OM_OK)
            CHECK(box_is(&o, "one\ntwo\nthree\n"));
    }
    om_outbox_fini(&o);
}

OM_TEST(outbox_drops_events_and_says_so)
{
    struct om_outbox o = {0};
    char event[1001];

    memset(event, 'e', 1000);
    event[1000] = 0;
    for (int i = 0; i < 300; i++)
        om_outbox_put_event(&o, event);
    size_t n = om_outbox_peek(&o).n;
    CHECK(n <= OM_OUTBOX_EVENT_BYTES);
    CHECK_EQ(o.lost, 300 - n / 1001);
    uint64_t lost = o.lost;
    if (om_outbox_put_response(&o, "an answer still fits") == OM_OK && !om_test_oom_hit()) {
        char wanted[200];
        om_outbox_consume(&o, om_outbox_peek(&o).n);
        CHECK_EQ(om_outbox_peek(&o).n, 0);
        om_outbox_put_event(&o, "next");
        snprintf(wanted, sizeof wanted,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"event.gap\",\"params\":{\"lost\":%u}}\nnext\n",
                 (unsigned)lost);
        CHECK(box_is(&o, wanted));
        CHECK_EQ(o.lost, 0);
    }
    om_outbox_fini(&o);
}

OM_TEST(outbox_too_many_answers_is_full)
{
    char *big = malloc(OM_IPC_FRAME_MAX);
    struct om_outbox o = {0};
    enum om_err e = OM_OK;

    if (!big)
        return;
    memset(big, 'x', OM_IPC_FRAME_MAX - 1);
    big[OM_IPC_FRAME_MAX - 1] = 0;
    for (int i = 0; i < 4 && e == OM_OK; i++)
        e = om_outbox_put_response(&o, big);
    if (!om_test_oom_hit()) {
        CHECK_OK(e);
        CHECK_ERR(om_outbox_put_response(&o, "x"), OM_E_FULL);
    }
    om_outbox_fini(&o);
    free(big);
}

OM_TEST(outbox_consumes_in_pieces)
{
    struct om_outbox o = {0};

    if (om_outbox_put_response(&o, "hello") == OM_OK) {
        om_outbox_consume(&o, 2);
        CHECK(box_is(&o, "llo\n"));
        om_outbox_put_event(&o, "x");
        if (o.lost == 0)
            CHECK(box_is(&o, "llo\nx\n"));
        om_outbox_consume(&o, 6);
        CHECK_EQ(om_outbox_peek(&o).n, 0);
    }
    om_outbox_fini(&o);
}
