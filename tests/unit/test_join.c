/* test_join.c - the words of joining. */
#include "harness.h"
#include "json_hook.h"

#include "service/join.h"

static enum om_err read(const char *text, struct om_join_answer *out)
{
    json_t *o = json_loads(text, 0, NULL);

    CHECK(o != NULL);
    enum om_err e = om_join_words_read(out, o);
    json_decref(o);
    return e;
}

OM_TEST(join_words_round_trip)
{
    struct om_join_answer a = {.is_made = true,
                               .epoch = UINT32_MAX,
                               .node_len = OM_NODE_CERT_LEAST,
                               .called = "My Team"},
                          back = {.is_made = false};

    memset(a.node, 0x11, a.node_len);
    memset(a.admin, 0x22, sizeof a.admin);
    memset(a.secret, 0x33, sizeof a.secret);
    json_t *o = om_join_words_answer(&a);
    CHECK(o != NULL);
    CHECK_OK(om_join_words_read(&back, o));
    json_decref(o);
    CHECK(back.is_made && back.epoch == a.epoch && back.node_len == a.node_len);
    CHECK_MEM(back.node, a.node, a.node_len);
    CHECK_MEM(back.admin, a.admin, sizeof a.admin);
    CHECK_MEM(back.secret, a.secret, sizeof a.secret);
    CHECK_STR(back.called, "My Team");
    o = om_join_words_ask("alice");
    CHECK_STR(om_join_words_name(o), "alice");
    json_decref(o);
    o = om_join_words_ask("");
    CHECK_STR(om_join_words_name(o), "");
    json_decref(o);
}

OM_TEST(join_words_refuse_what_is_none)
{
    static const char *const bad[] = {
        "{}",
        "{\"admins\":5}",
        "{\"admins\":[\"x\"]}",
        "{\"admins\":[5]}",
        "{\"certificate\":\"\"}",
        "{\"certificate\":\"AAAA\",\"admin\":\"AAAA\",\"secret\":\"AAAA\",\"epoch\":1}",
        "{\"certificate\":7,\"admin\":7,\"secret\":7,\"epoch\":-1}",
    };
    struct om_join_answer a = {.epoch = 99};

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_EQ(read(bad[i], &a), OM_E_PARSE);
        CHECK_EQ(a.epoch, 99);
    }
    json_t *o = json_loads("{\"name\":\"No Such\"}", 0, NULL);
    CHECK(om_join_words_name(o) == NULL);
    json_decref(o);
    o = json_loads("{\"name\":[]}", 0, NULL);
    CHECK(om_join_words_name(o) == NULL);
    json_decref(o);
}

OM_TEST(join_words_name_admins)
{
    struct om_join_answer a = {.admin_count = 2, .admins = {{{1}}, {{2}}}}, back = {.epoch = 1};
    json_t *o = om_join_words_answer(&a);

    CHECK_OK(om_join_words_read(&back, o));
    CHECK(!back.is_made);
    CHECK_EQ(back.admin_count, 2);
    CHECK(om_id_equal(&back.admins[1], &a.admins[1]));
    json_decref(o);
    CHECK_OK(read("{\"admins\":[]}", &back));
    CHECK_EQ(back.admin_count, 0);
}
