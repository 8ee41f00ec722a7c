/* test_rpc.c - a question and an answer, byte by byte, too large, too late, and nonsense. */
#include "harness.h"

#include <malloc.h>

#include <omerta/wire.h>

#include "json_hook.h"
#include "message/rpc.h"
#include "service/words.h"

struct fix {
    struct om_call a, b; /* who asks, who is asked */
};

static void fix_fini(struct fix *x)
{
    om_call_fini(&x->a);
    om_call_fini(&x->b);
}

/* Everything @from has to say, given to @to in pieces of @piece bytes. */
static size_t carry(struct om_call *from, struct om_call *to, size_t piece)
{
    struct om_bytes out = om_call_output(from);
    size_t used = 0;

    while (used < out.n) {
        size_t n = out.n - used < piece ? out.n - used : piece;
        size_t took = om_call_input(to, 0, om_bytes(out.p + used, n));
        used += took;
        if (took < n)
            break;
    }
    return used;
}

static bool asked(struct fix *x, size_t piece)
{
    *x = (struct fix){.a = {.state = OM_CALL_REFUSED}};
    om_call_hear(&x->b, 0);
    if (om_call_ask(&x->a, 0, "test.it", om_bytes("{\"n\":1}", 7), 0) != OM_OK)
        return false;
    carry(&x->a, &x->b, piece);
    return x->b.state == OM_CALL_ASKED;
}

/* The four bytes of a length, and @text. */
static size_t frame(uint8_t *out, size_t room, const char *text)
{
    struct om_wr w = om_wr(om_mut(out, room));

    om_wr_u32(&w, (uint32_t)strlen(text));
    om_wr_copy(&w, text, strlen(text));
    return om_wr_len(&w);
}

OM_TEST(rpc_asks_and_answers)
{
    struct fix x;

    OM_TRY(asked(&x, 1000));
    CHECK_EQ(x.a.state, OM_CALL_ASKING);
    CHECK_STR(x.b.method, "test.it");
    CHECK_STR(x.b.body, "{\"n\":1}");
    CHECK(om_call_deadline(&x.b) == OM_NEVER); /* it is the program's turn */
    OM_TRY(om_call_accept(&x.b, om_bytes("{\"r\":2,\"new\":[]}", 16)) == OM_OK);
    CHECK_ERR(om_call_accept(&x.b, om_bytes(NULL, 0)), OM_E_STATE);
    CHECK_ERR(om_call_refuse(&x.b, "busy", NULL), OM_E_STATE);
    carry(&x.b, &x.a, 1000);
    OM_TRY(x.a.state == OM_CALL_ACCEPTED);
    CHECK_STR(x.a.body, "{\"r\":2,\"new\":[]}");
    CHECK(om_call_deadline(&x.a) == OM_NEVER);
out:
    fix_fini(&x);
}

OM_TEST(rpc_refusal_carries_name_and_sentence)
{
    struct fix x;

    OM_TRY(asked(&x, 1000));
    CHECK_ERR(om_call_refuse(&x.b, "No Name", NULL), OM_E_RANGE);
    OM_TRY(om_call_refuse(&x.b, "busy", NULL) == OM_OK);
    carry(&x.b, &x.a, 7);
    OM_TRY(x.a.state == OM_CALL_REFUSED);
    OM_TRY(strcmp(x.a.error, "internal") != 0);
    CHECK_STR(x.a.error, "busy");
    CHECK_STR(x.a.text, "too many calls at a time");
out:
    fix_fini(&x);
}

OM_TEST(rpc_takes_bytes_one_at_a_time)
{
    struct fix x;

    OM_TRY(asked(&x, 1));
    CHECK_STR(x.b.body, "{\"n\":1}");
    OM_TRY(om_call_accept(&x.b, om_bytes(NULL, 0)) == OM_OK);
    carry(&x.b, &x.a, 1);
    OM_TRY(x.a.state == OM_CALL_ACCEPTED);
    CHECK_STR(x.a.body, "{}");
out:
    fix_fini(&x);
}

OM_TEST(rpc_leaves_what_follows_alone)
{
    uint8_t bytes[200];
    struct fix x;

    OM_TRY(asked(&x, 1000));
    size_t n = frame(bytes, sizeof bytes, "{\"ok\":{}}");
    memcpy(bytes + n, "method's own", 12);
    size_t used = om_call_input(&x.a, 0, om_bytes(bytes, n + 12));
    OM_TRY(x.a.state == OM_CALL_ACCEPTED);
    CHECK_EQ(used, n);
    CHECK_EQ(om_call_input(&x.a, 0, om_bytes(bytes + n, 12)), 0);
out:
    fix_fini(&x);
}

OM_TEST(rpc_refuses_what_is_too_large)
{
    static const uint8_t huge[4] = {0, 1, 0, 1}, whole[4] = {0, 1, 0, 0}, none[4] = {0};
    struct fix x = {.a = {.state = OM_CALL_REFUSED}};

    om_call_hear(&x.b, 0);
    om_call_input(&x.b, 0, om_bytes(huge, 4));
    OM_TRY(x.b.state == OM_CALL_REFUSED);
    CHECK(x.b.in == NULL);              /* no memory was taken for it */
    OM_TRY(om_call_output(&x.b).n > 4); /* and it is said why */
    om_call_fini(&x.b);
    om_call_hear(&x.b, 0);
    om_call_input(&x.b, 0, om_bytes(whole, 4)); /* 64 KiB are allowed */
    OM_TRY(x.b.state == OM_CALL_HEARING);
    om_call_fini(&x.b);
    om_call_hear(&x.b, 0);
    om_call_input(&x.b, 0, om_bytes(none, 4));
    OM_TRY(x.b.state == OM_CALL_REFUSED);
out:
    fix_fini(&x);
}

OM_TEST(rpc_refuses_what_is_no_question)
{
    static const char *const bad[] = {"[]",
                                      "{}",
                                      "{\"method\":\"a\"}",
                                      "{\"method\":7,\"args\":{}}",
                                      "{\"method\":\"A B\",\"args\":{}}",
                                      "{\"method\":\"a\",\"args\":[]}",
                                      "{\"ok\":{}}",
                                      "nope"};
    struct fix x = {.a = {.state = OM_CALL_REFUSED}};
    uint8_t bytes[200];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        om_call_hear(&x.b, 0);
        om_call_input(&x.b, 0, om_bytes(bytes, frame(bytes, sizeof bytes, bad[i])));
        CHECK_EQ(x.b.state, OM_CALL_REFUSED);
        OM_TRY(om_call_output(&x.b).n > 4);
        om_call_fini(&x.b);
    }
    om_call_hear(&x.b, 0);
    om_call_input(&x.b, 0,
                  om_bytes(bytes, frame(bytes, sizeof bytes, "{\"method\":\"a\",\"args\":{}}")));
    OM_TRY(x.b.state == OM_CALL_ASKED);
out:
    fix_fini(&x);
}

OM_TEST(rpc_garbage_for_an_answer_fails)
{
    static const char *const bad[] = {"{}",
                                      "{\"ok\":1}",
                                      "{\"ok\":{},\"error\":{\"code\":\"a\"}}",
                                      "{\"error\":{}}",
                                      "{\"error\":{\"code\":\"Not a name\"}}",
                                      "{\"error\":\"x\"}",
                                      "oh"};
    uint8_t bytes[200];
    struct fix x;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        OM_TRY(asked(&x, 1000));
        om_call_input(&x.a, 0, om_bytes(bytes, frame(bytes, sizeof bytes, bad[i])));
        CHECK_EQ(x.a.state, OM_CALL_REFUSED);
        OM_TRY(strcmp(x.a.error, "garbage") == 0);
        fix_fini(&x);
    }
    OM_TRY(asked(&x, 1000));
    om_call_input(
        &x.a, 0,
        om_bytes(bytes, frame(bytes, sizeof bytes, "{\"error\":{\"code\":\"own_word\"}}")));
    OM_TRY(x.a.state == OM_CALL_REFUSED && strcmp(x.a.error, "own_word") == 0);
out:
    fix_fini(&x);
}

OM_TEST(rpc_times_out)
{
    struct fix x = {.a = {.state = OM_CALL_REFUSED}};

    om_call_hear(&x.b, OM_SEC(1));
    CHECK_EQ(om_call_deadline(&x.b), OM_SEC(1 + OM_CALL_HEARING_S));
    OM_TRY(om_call_ask(&x.a, OM_SEC(1), "m", om_bytes(NULL, 0), OM_SEC(3)) == OM_OK);
    CHECK_EQ(om_call_deadline(&x.a), OM_SEC(4));
    om_call_tick(&x.a, OM_SEC(4) - 1);
    CHECK_EQ(x.a.state, OM_CALL_ASKING);
    om_call_tick(&x.a, OM_SEC(4));
    CHECK_EQ(x.a.state, OM_CALL_REFUSED);
    CHECK_STR(x.a.error, "timeout");
    om_call_tick(&x.b, OM_SEC(11));
    CHECK_EQ(x.b.state, OM_CALL_REFUSED);
out:
    fix_fini(&x);
}

OM_TEST(rpc_peer_that_ends_early_is_gone)
{
    struct fix x;

    OM_TRY(asked(&x, 1000));
    om_call_ended(&x.a);
    CHECK_EQ(x.a.state, OM_CALL_REFUSED);
    CHECK_STR(x.a.error, "gone");
    om_call_ended(&x.b); /* the question is whole: its end is no matter */
    CHECK_EQ(x.b.state, OM_CALL_ASKED);
out:
    fix_fini(&x);
}

OM_TEST(rpc_memory_follows_what_came)
{
    static const uint8_t head[4] = {0, 1, 0, 0}, zeros[3000] = {0};
    struct fix x = {.a = {.state = OM_CALL_REFUSED}};

    om_call_hear(&x.b, 0);
    om_call_input(&x.b, 0, om_bytes(head, 4));
    OM_TRY(x.b.state == OM_CALL_HEARING);
    CHECK(x.b.in_size <= OM_CALL_ROOM);
    for (size_t came = sizeof zeros; came <= OM_WORDS_MAX; came += sizeof zeros) {
        CHECK_EQ(om_call_input(&x.b, 0, om_bytes(zeros, sizeof zeros)), sizeof zeros);
        OM_TRY(x.b.state == OM_CALL_HEARING);
        CHECK(x.b.in_size >= came && x.b.in_size <= 2 * (came + OM_CALL_HEAD));
        CHECK(x.b.in_size <= OM_CALL_HEAD + OM_WORDS_MAX);
    }
out:
    fix_fini(&x);
}

/* Not counted: thousands of allocations in one test make out-of-memory runs long. */
static void *uncounted_malloc(size_t n)
{
    return memalign(16, n);
}

OM_TEST(rpc_numbers_may_grow)
{
    enum { NUMBERS = 4000 };
    static const char start[] = "{\"method\":\"m\",\"args\":{\"a\":[";
    static char args[4 * NUMBERS + 16];
    struct fix x = {.a = {.state = OM_CALL_REFUSED}};
    struct om_wr w = om_wr(om_mut(args, sizeof args));
    uint8_t head[4];

    om_wr_copy(&w, start, strlen(start));
    for (unsigned i = 0; i < NUMBERS - 8; i++)
        om_wr_copy(&w, i ? ",0.1" : "0.1", i ? 4 : 3);
    om_wr_copy(&w, "]}}", 3);
    om_store32(head, (uint32_t)om_wr_len(&w));
    json_set_alloc_funcs(uncounted_malloc, free);
    om_call_hear(&x.b, 0);
    om_call_input(&x.b, 0, om_bytes(head, 4));
    om_call_input(&x.b, 0, om_bytes(args, om_wr_len(&w)));
    OM_TRY(x.b.state == OM_CALL_ASKED);
    CHECK(strlen(x.b.body) > OM_WORDS_MAX);
out:
    fix_fini(&x);
    json_set_alloc_funcs(json_hook_malloc, json_hook_free);
}
