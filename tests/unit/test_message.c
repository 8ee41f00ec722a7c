/* test_message.c - messages and receipts, peers that are away, and peers that lie. */
#include "harness.h"

#include <omerta/prng.h>

#include "json_hook.h"
#include "service/message.h"

struct fix {
    struct om_message a, b;
    struct om_prng p;
    struct om_rng rng;
    struct om_id A, B, C; /* of a, of b, of a third */
    om_time now;
};

static void fix_init(struct fix *x)
{
    memset(x, 0, sizeof *x);
    om_prng_seed(&x->p, 3);
    x->rng = om_prng_rng(&x->p);
    x->A.b[0] = 1;
    x->B.b[0] = 2;
    x->C.b[0] = 3;
    x->now = OM_SEC(100);
    om_message_init(&x->a, &x->rng, 0);
    om_message_init(&x->b, &x->rng, 0);
}

static void fix_fini(struct fix *x)
{
    om_message_fini(&x->a);
    om_message_fini(&x->b);
}

static struct om_bytes text(const char *s)
{
    return om_bytes(s, strlen(s));
}

static bool post(struct fix *x, const char *s, uint8_t id[static OM_MESSAGE_ID])
{
    return om_message_post(&x->a, x->now, &x->B, OM_MESSAGE_TEXT, text(s), id) == OM_OK;
}

/* Carry the call @act out at @to and tell @from; the name of the error, "" for none. */
static const char *carry(struct fix *x, struct om_message *from, const struct om_id *from_id,
                         struct om_message *to, const struct om_message_act *act)
{
    enum om_call_error error = OM_CALL_INTERNAL_ERROR;
    json_t *args = NULL, *ok = NULL;
    uint64_t tag = act->tag;

    if (om_words_load(act->args, &args) == OM_OK)
        ok = om_message_call(to, x->now, from_id, act->method, args, &error);
    json_decref(args);
    om_message_reply(from, x->now, tag, ok, om_call_error_name(error));
    const char *name = ok ? "" : om_call_error_name(error);
    json_decref(ok);
    return name;
}

/* What @m wants next is of @kind: into @act. */
static bool wants(struct om_message *m, enum om_message_act_kind kind, struct om_message_act *act)
{
    return om_message_next(m, act) && act->kind == kind;
}

static bool told(struct om_message *m, const uint8_t id[static OM_MESSAGE_ID],
                 enum om_receipt receipt)
{
    struct om_message_act act;

    return wants(m, OM_MESSAGE_RECEIPT, &act) && act.receipt == receipt &&
           memcmp(act.id, id, OM_MESSAGE_ID) == 0;
}

static bool is_quiet(struct om_message *m)
{
    struct om_message_act act;

    return !om_message_next(m, &act);
}

/* b's program is given what a's posted. */
static bool deliver(struct fix *x, const char *s)
{
    struct om_message_act act;

    return wants(&x->a, OM_MESSAGE_CALL, &act) && act.peer.b[0] == 2 &&
           strcmp(carry(x, &x->a, &x->A, &x->b, &act), "") == 0 &&
           wants(&x->b, OM_MESSAGE_DELIVER, &act) && act.peer.b[0] == 1 &&
           act.bytes.n == strlen(s) && memcmp(act.bytes.p, s, act.bytes.n) == 0;
}

/* The error of a receipt with @state that @peer sends to a for @id; "" for none. */
static const char *lie(struct fix *x, const struct om_id *peer,
                       const uint8_t id[static OM_MESSAGE_ID], const char *state)
{
    enum om_call_error error = OM_CALL_INTERNAL_ERROR;
    char hex[2 * OM_MESSAGE_ID + 1];

    for (unsigned i = 0; i < OM_MESSAGE_ID; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", id[i]);
    json_t *args = json_pack("{s:s, s:s}", "id", hex, "state", state);
    json_t *ok =
        args ? om_message_call(&x->a, x->now, peer, "message.receipt", args, &error) : NULL;
    const char *name = ok ? "" : om_call_error_name(error);
    json_decref(args);
    json_decref(ok);
    return name;
}

OM_TEST(message_is_delivered_and_read)
{
    static const uint8_t bytes[] = {0, 255, 0, 7};
    uint8_t id[OM_MESSAGE_ID];
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    om_message_peer_up(&x.a, x.now, &x.B);
    om_message_peer_up(&x.b, x.now, &x.A);
    OM_TRY(post(&x, "hello \"you\"\n", id));
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(deliver(&x, "hello \"you\"\n"));
    OM_TRY(told(&x.a, id, OM_RECEIPT_DELIVERED));
    OM_TRY(om_message_read(&x.b, x.now, &x.A, id) == OM_OK);
    om_message_peer_up(&x.b, x.now, &x.A);
    CHECK_ERR(om_message_read(&x.b, x.now, &x.A, id), OM_E_STATE);
    CHECK_ERR(om_message_reject(&x.b, x.now, &x.A, id), OM_E_STATE);
    OM_TRY(wants(&x.b, OM_MESSAGE_CALL, &act));
    CHECK_STR(act.method, "message.receipt");
    OM_TRY(strcmp(carry(&x, &x.b, &x.B, &x.a, &act), "") == 0);
    CHECK(told(&x.a, id, OM_RECEIPT_READ));
    OM_TRY(om_message_post(&x.a, x.now, &x.B, OM_MESSAGE_BINARY, om_bytes(bytes, 4), id) == OM_OK);
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    OM_TRY(strcmp(carry(&x, &x.a, &x.A, &x.b, &act), "") == 0);
    OM_TRY(wants(&x.b, OM_MESSAGE_DELIVER, &act));
    CHECK(act.type == OM_MESSAGE_BINARY && act.bytes.n == 4);
    CHECK_MEM(act.bytes.p, bytes, 4);
    CHECK(told(&x.a, id, OM_RECEIPT_DELIVERED));
    CHECK(is_quiet(&x.a) && is_quiet(&x.b));
    CHECK(om_message_deadline(&x.a) == OM_NEVER && om_message_deadline(&x.b) == OM_NEVER);
    CHECK_EQ(x.a.bytes, 0);
out:
    fix_fini(&x);
}

OM_TEST(message_waits_for_its_peer)
{
    uint8_t one[OM_MESSAGE_ID], two[OM_MESSAGE_ID];
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    OM_TRY(post(&x, "one", one) && post(&x, "two", two));
    CHECK(is_quiet(&x.a));
    x.now += OM_SEC(3600);
    om_message_tick(&x.a, x.now);
    CHECK(is_quiet(&x.a));
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    uint64_t late = act.tag;
    CHECK(is_quiet(&x.a)); /* one at a time, so that the order holds */
    om_message_peer_down(&x.a, x.now, &x.B);
    om_message_reply(&x.a, x.now, late, NULL, "refused"); /* counts for nothing any more */
    CHECK(is_quiet(&x.a));
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(deliver(&x, "one"));
    CHECK(told(&x.a, one, OM_RECEIPT_DELIVERED));
    OM_TRY(deliver(&x, "two"));
    CHECK(told(&x.a, two, OM_RECEIPT_DELIVERED));
out:
    fix_fini(&x);
}

OM_TEST(message_backs_off)
{
    static const unsigned want[] = {5, 30, 120, 600, 600};
    uint8_t id[OM_MESSAGE_ID];
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    OM_TRY(post(&x, "x", id));
    om_message_peer_up(&x.a, x.now, &x.B);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(want); i++) {
        OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
        om_message_reply(&x.a, x.now, act.tag, NULL, "timeout");
        CHECK_EQ(om_message_deadline(&x.a), x.now + OM_SEC(want[i]));
        om_message_tick(&x.a, x.now + OM_SEC(want[i]) - 1);
        CHECK(is_quiet(&x.a));
        x.now += OM_SEC(want[i]);
        om_message_tick(&x.a, x.now);
    }
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    om_message_reply(&x.a, x.now, act.tag, NULL, "busy");
    om_message_peer_up(&x.a, x.now, &x.B); /* a new session: at once, and from the start */
    OM_TRY(deliver(&x, "x"));
out:
    fix_fini(&x);
}

OM_TEST(message_expires)
{
    uint8_t id[OM_MESSAGE_ID], other[OM_MESSAGE_ID];
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    OM_TRY(post(&x, "x", id));
    om_time end = x.now + OM_SEC(24 * 3600);
    CHECK_EQ(om_message_deadline(&x.a), end);
    om_message_tick(&x.a, end - 1);
    CHECK(is_quiet(&x.a));
    om_message_tick(&x.a, end);
    CHECK(told(&x.a, id, OM_RECEIPT_FAILED) && is_quiet(&x.a));
    CHECK(om_message_deadline(&x.a) == OM_NEVER && x.a.bytes == 0);
    x.now = end;
    OM_TRY(post(&x, "y", other));
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    om_message_tick(&x.a, x.now + OM_SEC(24 * 3600)); /* it is out: the answer decides */
    CHECK(is_quiet(&x.a));
    om_message_reply(&x.a, x.now + OM_SEC(24 * 3600), act.tag, NULL, "gone");
    om_message_tick(&x.a, x.now + OM_SEC(24 * 3600));
    CHECK(told(&x.a, other, OM_RECEIPT_FAILED));
    OM_TRY(post(&x, "never told", id));
    om_message_tick(&x.a, x.now + OM_SEC(99 * 3600));
out:
    fix_fini(&x);
}

/* Big ones to fill the bytes, small ones to fill the places. */
OM_TEST(message_full_refuses_the_new_one)
{
    static uint8_t big[OM_MESSAGE_MAX + 1];
    uint8_t id[OM_MESSAGE_ID];
    struct om_id peer = {{9}};
    struct fix x;

    fix_init(&x);
    for (unsigned i = 0; i < OM_MESSAGE_PEER_ITEMS; i++)
        OM_TRY(post(&x, "", id));
    CHECK_ERR(om_message_post(&x.a, x.now, &x.B, OM_MESSAGE_TEXT, text(""), id), OM_E_FULL);
    CHECK_ERR(om_message_post(&x.a, x.now, &x.C, OM_MESSAGE_BINARY, om_bytes(big, sizeof big), id),
              OM_E_RANGE);
    for (unsigned i = 0; i < OM_MESSAGE_BYTES / OM_MESSAGE_MAX; i++) {
        if (i % (OM_MESSAGE_PEER_BYTES / OM_MESSAGE_MAX) == 0) {
            if (i > 0)
                CHECK_ERR(om_message_post(&x.a, x.now, &peer, OM_MESSAGE_TEXT, text("x"), id),
                          OM_E_FULL);
            peer.b[1]++;
        }
        OM_TRY(om_message_post(&x.a, x.now, &peer, OM_MESSAGE_BINARY, om_bytes(big, OM_MESSAGE_MAX),
                               id) == OM_OK);
    }
    CHECK_EQ(x.a.bytes, OM_MESSAGE_BYTES);
    CHECK_ERR(om_message_post(&x.a, x.now, &x.C, OM_MESSAGE_TEXT, text("x"), id), OM_E_FULL);
    om_message_tick(&x.a, x.now + OM_SEC(25 * 3600));
    CHECK_EQ(x.a.bytes, 0);
    OM_TRY(om_message_post(&x.a, x.now, &x.C, OM_MESSAGE_TEXT, text("x"), id) == OM_OK);
out:
    fix_fini(&x);
}

OM_TEST(message_arrives_once)
{
    uint8_t id[OM_MESSAGE_ID];
    struct om_message_act act;
    enum om_call_error error;
    json_t *args = NULL, *ok = NULL;
    struct fix x;

    fix_init(&x);
    OM_TRY(post(&x, "x", id));
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    OM_TRY(om_words_load(act.args, &args) == OM_OK);
    OM_TRY(ok = om_message_call(&x.b, x.now, &x.A, "message.send", args, &error));
    json_decref(ok);
    ok = NULL;
    OM_TRY(ok = om_message_call(&x.b, x.now, &x.A, "message.send", args, &error));
    CHECK_STR(json_string_value(json_object_get(ok, "receipt")), "delivered");
    json_decref(ok);
    ok = NULL;
    CHECK(wants(&x.b, OM_MESSAGE_DELIVER, &act) && is_quiet(&x.b));
    CHECK_EQ(x.b.counts.copies, 1);
    OM_TRY(ok = om_message_call(&x.b, x.now, &x.C, "message.send", args, &error));
    CHECK(wants(&x.b, OM_MESSAGE_DELIVER, &act)); /* of another peer it is another message */
    CHECK_EQ(act.peer.b[0], 3);
out:
    json_decref(ok);
    json_decref(args);
    fix_fini(&x);
}

OM_TEST(message_read_before_delivered)
{
    uint8_t id[OM_MESSAGE_ID];
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    OM_TRY(post(&x, "x", id));
    CHECK_STR(lie(&x, &x.B, id, "read"), "not_found"); /* it never left */
    CHECK_EQ(x.a.counts.strange, 1);
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    OM_TRY(strcmp(lie(&x, &x.B, id, "read"), "") == 0);
    CHECK(told(&x.a, id, OM_RECEIPT_DELIVERED) && told(&x.a, id, OM_RECEIPT_READ));
    om_message_reply(&x.a, x.now, act.tag, NULL, "timeout");
    om_message_tick(&x.a, x.now + OM_SEC(25 * 3600));
    CHECK(is_quiet(&x.a)); /* it is over, whatever became of the call */
out:
    fix_fini(&x);
}

static bool all_delivered(struct fix *x, uint8_t id[static OM_MESSAGE_ID])
{
    om_message_peer_up(&x->a, x->now, &x->B);
    return post(x, "x", id) && deliver(x, "x") && told(&x->a, id, OM_RECEIPT_DELIVERED);
}

OM_TEST(message_receipts_never_go_back)
{
    uint8_t id[OM_MESSAGE_ID], no[OM_MESSAGE_ID];
    struct fix x;

    fix_init(&x);
    OM_TRY(all_delivered(&x, id) && all_delivered(&x, no));
    OM_TRY(strcmp(lie(&x, &x.B, id, "read"), "") == 0);
    CHECK(told(&x.a, id, OM_RECEIPT_READ));
    OM_TRY(strcmp(lie(&x, &x.B, id, "read"), "") == 0); /* said twice is no lie, and no news */
    CHECK(is_quiet(&x.a));
    OM_TRY(strcmp(lie(&x, &x.B, id, "rejected"), "refused") == 0);
    OM_TRY(strcmp(lie(&x, &x.B, no, "rejected"), "") == 0);
    CHECK(told(&x.a, no, OM_RECEIPT_REJECTED));
    OM_TRY(strcmp(lie(&x, &x.B, no, "read"), "refused") == 0);
    CHECK(is_quiet(&x.a));
    CHECK_EQ(x.a.counts.backward, 2);
out:
    fix_fini(&x);
}

OM_TEST(message_receipts_of_others_count_for_nothing)
{
    uint8_t id[OM_MESSAGE_ID], made_up[OM_MESSAGE_ID] = {7};
    struct fix x;

    fix_init(&x);
    OM_TRY(all_delivered(&x, id));
    om_message_peer_up(&x.a, x.now, &x.C);
    OM_TRY(strcmp(lie(&x, &x.C, id, "read"), "not_found") == 0);
    OM_TRY(strcmp(lie(&x, &x.B, made_up, "read"), "not_found") == 0);
    CHECK(is_quiet(&x.a));
    CHECK_EQ(x.a.counts.strange, 2);
    CHECK_ERR(om_message_read(&x.b, x.now, &x.C, id), OM_E_MISSING);
    CHECK_ERR(om_message_read(&x.b, x.now, &x.A, made_up), OM_E_MISSING);
    OM_TRY(strcmp(lie(&x, &x.B, id, "read"), "") == 0); /* the one it was sent to may */
    CHECK(told(&x.a, id, OM_RECEIPT_READ));
out:
    fix_fini(&x);
}

#define HEX "00112233445566778899aabbccddeeff"

OM_TEST(message_refuses_nonsense)
{
    static const char *const bad[] = {
        "{}",
        "{\"id\":\"" HEX "\",\"kind\":\"text\"}",
        "{\"id\":\"" HEX "\",\"kind\":\"song\",\"data\":\"\"}",
        "{\"id\":\"" HEX "00\",\"kind\":\"text\",\"data\":\"\"}",
        "{\"id\":\"0011\",\"kind\":\"text\",\"data\":\"\"}",
        "{\"id\":\"zz112233445566778899aabbccddeeff\",\"kind\":\"text\",\"data\":\"\"}",
        "{\"id\":7,\"kind\":\"text\",\"data\":\"\"}",
        "{\"id\":\"" HEX "\",\"kind\":\"binary\",\"data\":\"AA\"}",
        "{\"id\":\"" HEX "\",\"kind\":\"binary\",\"data\":\"AAA=AAAA\"}",
        "{\"id\":\"" HEX "\",\"kind\":\"binary\",\"data\":\"A A=\"}",
        "{\"id\":\"" HEX "\",\"kind\":\"binary\",\"data\":7}"};
    static const char good[] =
        "{\"id\":\"" HEX "\",\"kind\":\"binary\",\"data\":\"AAA=\",\"new\":1}";
    static char control[OM_MESSAGE_MAX];
    enum om_call_error error = OM_CALL_ERROR_COUNT;
    uint8_t id[OM_MESSAGE_ID];
    json_t *args = NULL, *ok = NULL;
    struct fix x;

    fix_init(&x);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        OM_TRY(om_words_load(text(bad[i]), &args) == OM_OK);
        ok = om_message_call(&x.b, x.now, &x.A, "message.send", args, &error);
        json_decref(args);
        args = NULL;
        CHECK(ok == NULL);
        OM_TRY(error == OM_CALL_BAD_ARGS_ERROR);
    }
    CHECK(is_quiet(&x.b));
    CHECK_EQ(x.b.counts.bad_args, OM_ARRAY_SIZE(bad));
    OM_TRY(om_words_load(text(good), &args) == OM_OK);
    CHECK(om_message_call(&x.b, x.now, &x.A, "message.sing", args, &error) == NULL);
    CHECK_EQ(error, OM_CALL_UNKNOWN_METHOD_ERROR);
    OM_TRY(ok = om_message_call(&x.b, x.now, &x.A, "message.send", args, &error));
    CHECK_EQ(x.b.counts.arrived, 1);
    memset(control, 1, sizeof control);
    CHECK_ERR(om_message_post(&x.a, 0, &x.B, OM_MESSAGE_TEXT, om_bytes(control, 16000), id),
              OM_E_RANGE);
    CHECK_ERR(om_message_post(&x.a, 0, &x.B, OM_MESSAGE_TEXT, om_bytes("\xff", 1), id), OM_E_PARSE);
    CHECK_ERR(om_message_post(&x.a, 0, &x.B, OM_MESSAGE_TEXT, om_bytes("\0", 1), id), OM_E_PARSE);
out:
    json_decref(args);
    json_decref(ok);
    fix_fini(&x);
}

OM_TEST(message_refuses_what_is_too_large)
{
    static char data[OM_MESSAGE_MAX + 1], base64[(OM_MESSAGE_MAX + 2) / 3 * 4 + 1];
    enum om_call_error error = OM_CALL_ERROR_COUNT;
    json_t *args = NULL, *ok = NULL;
    struct fix x;

    fix_init(&x);
    memset(data, 'x', sizeof data);
    memset(base64, 'A', sizeof base64);
    for (unsigned i = 0; i < 3; i++) {
        size_t n = i < 2 ? (size_t)OM_MESSAGE_MAX + i : sizeof base64 - 1; /* 2 bytes too many */
        OM_TRY(args = json_pack("{s:s, s:s, s:s%}", "id", HEX, "kind", i < 2 ? "text" : "binary",
                                "data", i < 2 ? data : base64, n));
        ok = om_message_call(&x.b, x.now, &x.A, "message.send", args, &error);
        json_decref(args);
        args = NULL;
        OM_TRY(i > 0 || ok);
        CHECK(i == 0 || !ok);
        OM_TRY(i == 0 || error == OM_CALL_TOO_LARGE_ERROR);
        json_decref(ok);
    }
out:
    json_decref(args);
    fix_fini(&x);
}

OM_TEST(message_refusal_of_the_peer_is_final)
{
    static const char *const wrong[] = {"{}", "{\"receipt\":\"read\"}", "{\"receipt\":1}"};
    uint8_t id[OM_MESSAGE_ID];
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    OM_TRY(post(&x, "x", id));
    om_message_peer_up(&x.a, x.now, &x.B);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(wrong); i++) { /* no answer at all: try again */
        json_t *ok = NULL;
        OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
        OM_TRY(om_words_load(text(wrong[i]), &ok) == OM_OK);
        om_message_reply(&x.a, x.now, act.tag, ok, NULL);
        json_decref(ok);
        om_message_tick(&x.a, x.now += OM_SEC(600));
    }
    CHECK_EQ(x.a.counts.bad_answers, OM_ARRAY_SIZE(wrong));
    OM_TRY(wants(&x.a, OM_MESSAGE_CALL, &act));
    om_message_reply(&x.a, x.now, act.tag, NULL, "not_my_kind");
    OM_TRY(wants(&x.a, OM_MESSAGE_RECEIPT, &act));
    CHECK(act.receipt == OM_RECEIPT_REJECTED);
    CHECK_STR(act.reason, "not_my_kind");
    om_message_tick(&x.a, x.now + OM_SEC(99 * 3600));
    CHECK(is_quiet(&x.a));
out:
    fix_fini(&x);
}

/* The error of message number @n from A to b. */
static const char *send_number(struct fix *x, unsigned n)
{
    enum om_call_error error = OM_CALL_INTERNAL_ERROR;
    char id[2 * OM_MESSAGE_ID + 1];

    snprintf(id, sizeof id, "%032x", n);
    json_t *args = json_pack("{s:s, s:s, s:s}", "id", id, "kind", "text", "data", "");
    json_t *ok = args ? om_message_call(&x->b, x->now, &x->A, "message.send", args, &error) : NULL;
    const char *name = ok ? "" : om_call_error_name(error);
    json_decref(args);
    json_decref(ok);
    return name;
}

OM_TEST(message_inbox_full_is_busy)
{
    struct om_message_act act;
    struct fix x;

    fix_init(&x);
    for (unsigned i = 0; i < OM_MESSAGE_INBOX; i++)
        OM_TRY(strcmp(send_number(&x, i), "") == 0);
    OM_TRY(strcmp(send_number(&x, OM_MESSAGE_INBOX), "busy") == 0);
    OM_TRY(wants(&x.b, OM_MESSAGE_DELIVER, &act));
    OM_TRY(strcmp(send_number(&x, OM_MESSAGE_INBOX), "") == 0); /* it was not taken for a copy */
    CHECK_EQ(x.b.counts.copies, 0);
out:
    fix_fini(&x);
}

OM_TEST(message_forgets_idle_peers)
{
    uint8_t id[OM_MESSAGE_ID];
    struct om_id peer = {{0}};
    struct fix x;

    fix_init(&x);
    om_message_peer_up(&x.a, x.now, &x.B);
    OM_TRY(om_table_count(&x.a.peers) == 1);
    om_message_peer_down(&x.a, x.now, &x.B); /* idle */
    for (unsigned i = 0; i < OM_MESSAGE_PEERS; i++) {
        peer.b[30] = (uint8_t)(i >> 8);
        peer.b[31] = (uint8_t)i;
        om_message_peer_up(&x.a, x.now, &peer);
    }
    OM_TRY(om_table_count(&x.a.peers) == OM_MESSAGE_PEERS);
    CHECK(om_table_find(&x.a.peers, x.B.b) == NULL);
    CHECK_ERR(om_message_post(&x.a, x.now, &x.C, OM_MESSAGE_TEXT, text("x"), id), OM_E_FULL);
    om_message_peer_down(&x.a, x.now, &peer);
    OM_TRY(om_message_post(&x.a, x.now, &x.C, OM_MESSAGE_TEXT, text("x"), id) == OM_OK);
out:
    fix_fini(&x);
}
