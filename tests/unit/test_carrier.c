/* test_carrier.c - between streams and packets: what is sent again, and when. */
#include "harness.h"

#include "stream/carrier.h"

struct fix {
    struct om_carrier c;
    struct om_rtt rtt;
    uint64_t counter;
    uint8_t packet[1200];
    struct om_carried what;
    size_t len;
};

static void fix_init(struct fix *x)
{
    memset(x, 0, sizeof *x);
    om_carrier_init(&x->c, &om_cubic_ops, &x->rtt, 1, 0, true);
    om_rtt_sample(&x->rtt, OM_MS(50));
}

/* One packet of what there is to send; false when nothing was. */
static bool send(struct fix *x, om_time now)
{
    struct om_wr w = om_wr(om_mut(x->packet, 1172));

    x->what = (struct om_carried){.count = 0};
    if (!om_carrier_has_output(&x->c))
        return false;
    om_carrier_fill(&x->c, &w, &x->what);
    x->len = om_wr_len(&w);
    return x->len > 0 && om_carrier_sent(&x->c, now, x->counter++, x->len + 28, &x->what) == OM_OK;
}

static bool write(struct fix *x, const char *text)
{
    struct om_stream *s;

    return om_mux_open(&x->c.mux, OM_NORMAL, &s) == OM_OK &&
           om_stream_write(&x->c.mux, s, om_bytes(text, strlen(text))) == OM_OK;
}

static bool contains(const struct fix *x, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i + n <= x->len; i++)
        if (memcmp(x->packet + i, text, n) == 0)
            return true;
    return false;
}

OM_TEST(carrier_probes_repeat_the_oldest)
{
    struct fix x;

    fix_init(&x);
    OM_TRY(write(&x, "the oldest"));
    OM_TRY(send(&x, 0));
    CHECK(contains(&x, "the oldest"));
    CHECK(!om_carrier_has_output(&x.c));
    om_carrier_tick(&x.c, om_carrier_deadline(&x.c) - 1);
    CHECK(!om_carrier_has_output(&x.c));
    om_time at = om_carrier_deadline(&x.c);
    om_carrier_tick(&x.c, at);
    CHECK(om_carrier_may_send(&x.c, at, 1200));
    OM_TRY(send(&x, at));
    CHECK(contains(&x, "the oldest"));
    CHECK(x.what.is_eliciting);
out:
    om_carrier_fini(&x.c);
}

OM_TEST(carrier_probes_without_streams)
{
    const struct om_carried datagram = {.is_eliciting = true};
    struct om_frame f;
    struct fix x;

    fix_init(&x);
    OM_TRY(om_carrier_sent(&x.c, 0, x.counter++, 500, &datagram) == OM_OK);
    CHECK(!om_carrier_has_output(&x.c));
    om_time at = om_carrier_deadline(&x.c);
    om_carrier_tick(&x.c, at);
    CHECK(om_carrier_has_output(&x.c)); /* a datagram is not sent again, but something is */
    OM_TRY(send(&x, at));
    CHECK(x.what.is_eliciting);
    struct om_rd r = om_rd(om_bytes(x.packet, x.len));
    CHECK_OK(om_frame_next(&r, &f));
    CHECK_EQ(f.type, OM_FRAME_STREAM_CREDIT);
    CHECK(!om_carrier_has_output(&x.c)); /* once */
out:
    om_carrier_fini(&x.c);
}

OM_TEST(carrier_tells_of_lost_words)
{
    struct om_carried word = {
        .frames = {{.offset = 7, .kind = OM_SENT_WORD}}, .count = 1, .is_eliciting = true};
    const struct om_frame_ack ack = {.largest = 0, .run = 1};
    struct fix x;

    fix_init(&x);
    OM_TRY(om_carrier_sent(&x.c, 0, x.counter++, 500, &word) == OM_OK);
    CHECK_EQ(x.c.word_lost, 0);
    om_carrier_tick(&x.c, om_carrier_deadline(&x.c));
    CHECK_EQ(x.c.word_lost, 7); /* its time is over */
    x.c.word_lost = 0;
    word.frames[0].offset = 8;
    OM_TRY(om_carrier_sent(&x.c, OM_SEC(1), x.counter++, 500, &word) == OM_OK);
    om_carrier_sleep(&x.c, OM_SEC(1));
    CHECK_EQ(x.c.word_lost, 8); /* with the session */
    om_carrier_restart(&x.c, OM_SEC(2));
    CHECK_EQ(x.c.word_lost, 0);
    x.counter = 0;
    OM_TRY(om_carrier_sent(&x.c, OM_SEC(3), x.counter++, 500, &word) == OM_OK);
    OM_TRY(om_loss_on_ack(&x.c.loss, OM_SEC(3) + OM_MS(50), &ack) == OM_OK);
    om_carrier_tick(&x.c, OM_SEC(60));
    CHECK_EQ(x.c.word_lost, 0); /* the control: it arrived */
out:
    om_carrier_fini(&x.c);
}

OM_TEST(carrier_wakes_with_a_session)
{
    struct fix x;

    fix_init(&x);
    om_carrier_wake(&x.c, 0);
    CHECK(!om_carrier_has_output(&x.c)); /* nothing is on its way: nothing to ask */
    OM_TRY(write(&x, "slept"));
    OM_TRY(send(&x, 0));
    om_carrier_sleep(&x.c, OM_SEC(1)); /* no session: given up, to be sent again */
    CHECK(om_carrier_has_output(&x.c));
    CHECK(om_carrier_deadline(&x.c) == OM_NEVER);
    OM_TRY(send(&x, OM_SEC(900)));
    CHECK(contains(&x, "slept"));
    om_carrier_wake(&x.c, OM_SEC(901));
    CHECK(om_carrier_has_output(&x.c));
    CHECK(om_carrier_may_send(&x.c, OM_SEC(901), 1200));
out:
    om_carrier_fini(&x.c);
}

/* So many timeouts, each with its packet. */
static bool time_out(struct fix *x, unsigned timeouts)
{
    for (unsigned i = 0; i < timeouts; i++) {
        om_time at = om_carrier_deadline(&x->c);
        om_carrier_tick(&x->c, at);
        if (!send(x, at))
            return false;
    }
    return true;
}

OM_TEST(carrier_asks_at_once_who_speaks_again)
{
    struct fix x;

    fix_init(&x);
    om_mtu_start(&x.c.mtu, 0);
    om_mtu_acked(&x.c.mtu, 1, 1472, 0);
    OM_TRY(write(&x, "is anybody there"));
    OM_TRY(send(&x, 0));
    OM_TRY(time_out(&x, OM_SMALLEST_PTOS));
    om_carrier_heard(&x.c, OM_SEC(20)); /* the timeouts are still frequent */
    CHECK(!om_carrier_has_output(&x.c));
    OM_TRY(time_out(&x, 4));
    om_carrier_heard(&x.c, OM_SEC(30));
    CHECK(om_carrier_may_send(&x.c, OM_SEC(30), 1200));
    CHECK_EQ(om_carrier_size(&x.c), OM_MTU_FLOOR); /* it may be for their size that they got lost */
    OM_TRY(send(&x, OM_SEC(30)));
    CHECK(contains(&x, "is anybody there"));
    CHECK(om_carrier_deadline(&x.c) <= OM_SEC(30 + OM_LOSS_PTO_S));
out:
    om_carrier_fini(&x.c);
}

OM_TEST(carrier_back_is_no_congestion)
{
    struct fix x;

    fix_init(&x);
    OM_TRY(write(&x, "swallowed"));
    OM_TRY(send(&x, 0));
    OM_TRY(time_out(&x, 8));
    uint64_t window = x.c.loss.cc.window;
    om_carrier_back(&x.c, OM_SEC(30));
    CHECK_EQ(x.c.loss.in_flight, 0);
    CHECK_EQ(x.c.loss.pto_count, 0);
    CHECK_EQ(x.c.loss.cc.window, window);
    CHECK(om_carrier_may_send(&x.c, OM_SEC(30), 1200));
    OM_TRY(send(&x, OM_SEC(30)));
    CHECK(contains(&x, "swallowed"));
out:
    om_carrier_fini(&x.c);
}

OM_TEST(carrier_restart_forgets_what_was_sent)
{
    struct fix x;
    struct om_stream *s;
    unsigned news;

    fix_init(&x);
    OM_TRY(write(&x, "of another life"));
    OM_TRY(send(&x, 0));
    CHECK(x.c.loss.in_flight > 0);
    om_carrier_restart(&x.c, OM_SEC(1));
    CHECK_EQ(x.c.loss.in_flight, 0);
    CHECK(!om_carrier_has_output(&x.c));
    s = om_mux_news(&x.c.mux, &news);
    OM_TRY(s != NULL);
    CHECK(news & OM_NEWS_RESET);
    CHECK(news & OM_NEWS_DONE);
    CHECK_EQ(s->reset_code, OM_CLOSE_RESTARTED);
    x.counter = 0;
    OM_TRY(write(&x, "anew"));
    OM_TRY(send(&x, OM_SEC(1))); /* numbers begin at 0 again */
    CHECK(contains(&x, "anew"));
out:
    om_carrier_fini(&x.c);
}

OM_TEST(carrier_doubts_the_size_of_what_is_not_answered)
{
    struct fix x;

    fix_init(&x);
    om_mtu_start(&x.c.mtu, 0);
    om_mtu_acked(&x.c.mtu, 1, 1472, 0);
    OM_TRY(write(&x, "nobody answers"));
    OM_TRY(send(&x, 0));
    for (unsigned ptos = 0; ptos <= OM_SMALLEST_PTOS; ptos++) {
        CHECK_EQ(x.c.loss.pto_count, ptos);
        CHECK_EQ(om_carrier_size(&x.c), ptos < OM_SMALLER_PTOS    ? 1472
                                        : ptos < OM_SMALLEST_PTOS ? OM_MTU_BASE
                                                                  : OM_MTU_FLOOR);
        om_time at = om_carrier_deadline(&x.c);
        om_carrier_tick(&x.c, at);
        OM_TRY(send(&x, at));
    }
    const struct om_frame_ack all = {.largest = x.counter - 1, .run = (uint32_t)x.counter};
    CHECK_OK(om_loss_on_ack(&x.c.loss, OM_SEC(60), &all));
    CHECK_EQ(om_carrier_size(&x.c), 1472);
out:
    om_carrier_fini(&x.c);
}
