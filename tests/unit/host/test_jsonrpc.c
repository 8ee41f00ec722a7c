/* test_jsonrpc.c - requests, answers, and the table of methods. */
#include "harness.h"

#include <stdlib.h>

#include "control/methods.h"
#include "control/parts.h"
#include "ipc/jsonrpc.h"
#include "ipc/methods.h"

static int refused(const char *text, const char *sentence)
{
    struct om_error err = {.msg = ""};
    struct om_request r;
    const json_t *id;
    int code = 0;

    bool is_read = om_request_parse(&r, om_bytes(text, strlen(text)), &code, &id, &err);
    om_request_fini(&r);
    if (!is_read)
        CHECK(strstr(err.msg, sentence) != NULL);
    return is_read ? 0 : code;
}

OM_TEST(jsonrpc_reads_requests)
{
    const char *text = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"status\",\"params\":{\"a\":1}}";
    struct om_error err;
    struct om_request r;
    const json_t *id;
    int code;

    CHECK(om_request_parse(&r, om_bytes(text, strlen(text)), &code, &id, &err));
    CHECK_STR(r.method, "status");
    CHECK_EQ(json_integer_value(r.id), 7);
    CHECK_EQ(json_integer_value(json_object_get(r.params, "a")), 1);
    om_request_fini(&r);
    text = "{\"jsonrpc\":\"2.0\",\"method\":\"status\"}";
    CHECK(om_request_parse(&r, om_bytes(text, strlen(text)), &code, &id, &err));
    CHECK(r.id == NULL);
    CHECK_EQ(json_object_size(r.params), 0);
    om_request_fini(&r);
}

OM_TEST(jsonrpc_refuses_with_its_code)
{
    CHECK_EQ(refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}", ""), 0);
    CHECK_EQ(refused("{\"jsonrpc\":", "no JSON at byte"), -32700);
    CHECK_EQ(refused("{\"a\":1,\"a\":2}", "no JSON at byte"), -32700);
    CHECK_EQ(refused("\"\\ud800\"", "no JSON at byte"), -32700);
    CHECK_EQ(refused("[]", "batches"), -32600);
    CHECK_EQ(refused("7", "want an object"), -32600);
    CHECK_EQ(refused("{\"id\":1,\"method\":\"x\"}", "\"jsonrpc\""), -32600);
    CHECK_EQ(refused("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}", "\"id\""), -32600);
    CHECK_EQ(refused("{\"jsonrpc\":\"2.0\",\"id\":1}", "\"method\""), -32600);
    CHECK_EQ(
        refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[1]}", "\"params\""),
        -32602);
}

OM_TEST(jsonrpc_depth_is_bounded)
{
    char text[200] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"a\":";
    size_t n = strlen(text);

    memset(text + n, '[', 14);
    memset(text + n + 14, ']', 14);
    memcpy(text + n + 28, "}}", 3);
    CHECK_EQ(refused(text, ""), 0); /* 16 levels in all */
    memset(text + n, '[', 15);
    memset(text + n + 15, ']', 15);
    memcpy(text + n + 30, "}}", 3);
    CHECK_EQ(refused(text, "deeper"), -32700);
    CHECK_EQ(
        refused("{\"jsonrpc\":\"2.0\",\"id\":\"[[[[[[[[[[[[[[[[[[[[[\\\"[\",\"method\":\"x\"}", ""),
        0); /* brackets in a string are none */
}

OM_TEST(jsonrpc_writes_one_line)
{
    json_t *id = json_string("a\nb"), *result = json_pack("{s:s}", "text", "x\ny");
    char *line = om_jsonrpc_result(id, result);

    CHECK_STR(line, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\nb\",\"result\":{\"text\":\"x\\ny\"}}");
    free(line);
    line = om_jsonrpc_notification("pong", result);
    CHECK_STR(line, "{\"jsonrpc\":\"2.0\",\"method\":\"pong\",\"params\":{\"text\":\"x\\ny\"}}");
    free(line);
    json_decref(id);
    json_decref(result);
}

OM_TEST(jsonrpc_errors_carry_their_name)
{
    struct om_error err;
    json_t *id = json_integer(3);

    (void)om_fail(&err, OM_E_MISSING, "no peer \"x\"");
    char *line = om_jsonrpc_error(id, OM_IPC_OURS - (int)err.code, &err);
    CHECK_STR(line,
              "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32008,\"message\":\"no peer "
              "\\\"x\\\"\",\"data\":{\"name\":\"OM_E_MISSING\"}}}");
    free(line);
    line = om_jsonrpc_error(NULL, OM_JSONRPC_PARSE, &err);
    CHECK_STR(line, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"no "
                    "peer \\\"x\\\"\"}}");
    free(line);
    json_decref(id);
}

OM_TEST(methods_table_is_sorted_and_whole)
{
    unsigned n;
    const struct om_ipc_method *m = om_methods(&n);

    CHECK(n > 10);
    for (unsigned i = 0; i < n; i++) {
        CHECK(i == 0 || strcmp(m[i - 1].name, m[i].name) < 0);
        CHECK(m[i].summary && strlen(m[i].summary) > 5);
        CHECK(m[i].reply[0].name != NULL);
        for (const struct om_param *p = m[i].params; p->name; p++)
            CHECK(p->help && *p->help);
        CHECK(om_method_find(m[i].name) == &m[i]);
    }
    CHECK(om_method_find("nothing") == NULL);
}

OM_TEST(methods_check_names_what_is_wrong)
{
    const struct om_ipc_method *m = om_method_find("ping.start");
    struct om_error err;
    json_t *p = json_pack("{s:s, s:i}", "peer", "abcd", "count", 3);

    CHECK_OK(om_method_check(m, p, &err));
    json_object_set_new(p, "cuont", json_integer(1));
    CHECK_ERR(om_method_check(m, p, &err), OM_E_PARSE);
    CHECK_STR(err.msg, "ping.start: unknown parameter \"cuont\"; did you mean \"count\"?");
    json_object_del(p, "cuont");
    json_object_set_new(p, "count", json_string("3"));
    CHECK_ERR(om_method_check(m, p, &err), OM_E_PARSE);
    CHECK(strstr(err.msg, "\"count\": want integer") != NULL);
    json_object_del(p, "count");
    json_object_del(p, "peer");
    CHECK_ERR(om_method_check(m, p, &err), OM_E_MISSING);
    CHECK(strstr(err.msg, "\"peer\" is missing") != NULL);
    json_decref(p);
    m = om_method_find("events.subscribe");
    p = json_pack("{s:[s,i]}", "kinds", "pong", 3);
    CHECK_ERR(om_method_check(m, p, &err), OM_E_PARSE);
    json_decref(p);
}

OM_TEST(methods_json_has_them_all)
{
    unsigned n;
    json_t *j = om_methods_json();

    (void)om_methods(&n);
    CHECK_EQ(json_array_size(j), n);
    json_decref(j);
}

OM_TEST(control_every_method_has_a_handler)
{
    unsigned n;
    const struct om_ipc_method *m = om_methods(&n);

    for (unsigned i = 0; i < n; i++)
        CHECK(control_method_find(m[i].name) != NULL);
    CHECK(control_method_find("nothing") == NULL);
}
