/* model_rpc.c - calls in random pieces, at random times, against a table of what comes of them. */
#include "harness.h"

#include <omerta/wire.h>

#include "dice.h"
#include "message/rpc.h"

enum { RUNS = 20000, WIRE_MAX = 4096, AFTER_MAX = 300 };

/* A frame's text, and what it is as a question and as an answer. */
struct sample {
    const char *text;
    enum om_call_state asked, answered;
    const char *body;  /* what the asked, or the asker, is given */
    const char *error; /* what the asker is told */
};

static const struct sample samples[] = {
    {"{\"method\":\"a.b\",\"args\":{\"x\":[1,2]}}", OM_CALL_ASKED, OM_CALL_REFUSED, "{\"x\":[1,2]}",
     "garbage"},
    {"{\"args\":{},\"later\":{},\"method\":\"a.b\"}", OM_CALL_ASKED, OM_CALL_REFUSED, "{}",
     "garbage"},
    {"{\"ok\":{\"y\":\"z\"}}", OM_CALL_REFUSED, OM_CALL_ACCEPTED, "{\"y\":\"z\"}", NULL},
    {"{\"later\":1,\"ok\":{}}", OM_CALL_REFUSED, OM_CALL_ACCEPTED, "{}", NULL},
    {"{\"error\":{\"code\":\"busy\",\"text\":\"no\"}}", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL,
     "busy"},
    {"{\"error\":{\"code\":\"own-word\"},\"later\":2}", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL,
     "own-word"},
    {"{\"ok\":{},\"error\":{\"code\":\"busy\"}}", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL,
     "garbage"},
    {"{\"method\":\"a.b\",\"args\":{},\"args\":{}}", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL,
     "garbage"},
    {"[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL, "too_large"},
    {"", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL, "garbage"},
    {"{", OM_CALL_REFUSED, OM_CALL_REFUSED, NULL, "garbage"},
};

struct run {
    struct dice *d;
    struct om_call call;
    const struct sample *sample;
    uint8_t wire[WIRE_MAX];
    size_t frame; /* bytes of it */
    size_t all;   /* with what follows */
    bool asks;
    om_time start, patience, now;
};

static void lay_out(struct run *r)
{
    struct om_wr w = om_wr(om_mut(r->wire, sizeof r->wire));

    r->sample = &samples[dice_below(r->d, OM_ARRAY_SIZE(samples))];
    om_wr_u32(&w, (uint32_t)strlen(r->sample->text));
    om_wr_copy(&w, r->sample->text, strlen(r->sample->text));
    r->frame = om_wr_len(&w);
    r->all = r->frame + dice_below(r->d, AFTER_MAX);
    dice_fill(r->d, r->wire + r->frame, r->all - r->frame);
}

static void begin(struct run *r)
{
    r->asks = dice_below(r->d, 2) == 0;
    r->start = r->now = (om_time)(dice_u64(r->d) >> 24);
    r->call = (struct om_call){.state = OM_CALL_REFUSED};
    if (r->asks) {
        om_time timeout = OM_MS(dice_below(r->d, 5000));
        CHECK_OK(om_call_ask(&r->call, r->now, "q", om_bytes(NULL, 0), timeout));
        r->patience = timeout > 0 ? timeout : OM_SEC(OM_CALL_TIMEOUT_S);
        CHECK(om_call_output(&r->call).n > 0);
    } else {
        om_call_hear(&r->call, r->now);
        r->patience = OM_SEC(OM_CALL_HEARING_S);
    }
    CHECK(om_call_output(&r->call).n == 0);
}

/* It came to an end by @error: the asker is told, the asked says so, and both once. */
static void check_refused(struct run *r, const char *error)
{
    CHECK_EQ(r->call.state, OM_CALL_REFUSED);
    if (r->asks) {
        CHECK_STR(r->call.error, error);
    } else {
        struct om_bytes out = om_call_output(&r->call);
        struct om_rd rd = om_rd(out);
        CHECK_EQ(om_rd_u32(&rd), out.n - OM_CALL_HEAD);
        CHECK(memcmp(om_rd_take(&rd, 10), "{\"error\":{", 10) == 0);
    }
    CHECK(om_call_output(&r->call).n == 0);
    CHECK(r->call.body == NULL);
}

static void check_whole(struct run *r)
{
    enum om_call_state want = r->asks ? r->sample->answered : r->sample->asked;

    CHECK_EQ(r->call.state, want);
    if (want == OM_CALL_REFUSED) {
        check_refused(r, r->sample->error ? r->sample->error : "garbage");
        return;
    }
    CHECK_STR(r->call.body, r->sample->body);
    if (r->asks)
        return;
    CHECK_STR(r->call.method, "a.b");
    CHECK_OK(dice_below(r->d, 2) ? om_call_accept(&r->call, om_bytes(NULL, 0))
                                 : om_call_refuse(&r->call, "busy", NULL));
    CHECK(om_call_output(&r->call).n > OM_CALL_HEAD);
}

/* Pieces, ticks, an early end; @ends counts which way it went. */
static void play(struct run *r, unsigned ends[static 3])
{
    bool breaks = dice_below(r->d, 5) == 0, dawdles = dice_below(r->d, 5) == 0;
    size_t used = 0;

    for (;;) {
        size_t n = 1 + dice_below(r->d, dice_below(r->d, 3) ? 8 : WIRE_MAX);
        if (n > r->all - used)
            n = r->all - used;
        size_t took = om_call_input(&r->call, r->now, om_bytes(r->wire + used, n));
        CHECK(took <= n);
        used += took;
        if (used >= r->frame)
            break;
        CHECK_EQ(took, n); /* nothing is left lying while more is wanted */
        CHECK_EQ(om_call_deadline(&r->call), r->start + r->patience);
        if (breaks && dice_below(r->d, 3) == 0) {
            om_call_ended(&r->call);
            check_refused(r, "gone");
            ends[1]++;
            return;
        }
        r->now += (om_time)dice_below(r->d, dawdles ? 8000000 : 800);
        om_call_tick(&r->call, r->now);
        if (r->now >= r->start + r->patience) {
            check_refused(r, "timeout");
            ends[2]++;
            return;
        }
    }
    CHECK_EQ(used, r->frame); /* what follows is the method's */
    CHECK_EQ(om_call_input(&r->call, r->now, om_bytes(r->wire + used, r->all - used)), 0);
    CHECK(om_call_deadline(&r->call) == OM_NEVER);
    check_whole(r);
    om_call_ended(&r->call); /* comes too late to matter */
    om_call_tick(&r->call, r->now + OM_SEC(3600));
    CHECK(r->call.state != OM_CALL_ASKING && r->call.state != OM_CALL_HEARING);
    ends[0]++;
}

OM_TEST(rpc_model_pieces_and_times_decide_nothing)
{
    struct dice d = {9};
    unsigned ends[3] = {0};

    for (unsigned i = 0; i < RUNS; i++) {
        struct run r = {.d = &d};
        lay_out(&r);
        begin(&r);
        play(&r, ends);
        om_call_fini(&r.call);
    }
    CHECK(ends[0] > RUNS / 2 && ends[1] > RUNS / 50 && ends[2] > RUNS / 50);
}
