/* test_fields.c - members asked for, and those left over. */
#include "harness.h"

#include "json_hook.h"
#include "vm/core/fields.h"

static json_t *parse(const char *text)
{
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

OM_TEST(fields_refuse_what_nobody_asked_for)
{
    json_t *o = parse("{\"memory\": 5, \"memroy\": 6}");
    struct om_error err = {0};
    struct om_vm_fields f;
    uint32_t mib = 0;

    OM_TRY(o);
    om_vm_fields_open(&f, o, "spec", &err);
    CHECK(om_vm_fields_mib(&f, "memory", 1, 9, &mib));
    CHECK_ERR(om_vm_fields_done(&f), OM_E_PARSE);
    CHECK_STR(err.msg, "spec.memroy: unknown member");
    om_vm_fields_open(&f, o, "spec", &err);
    (void)om_vm_fields_get(&f, "memory");
    (void)om_vm_fields_get(&f, "memroy");
    (void)om_vm_fields_get(&f, "absent");
    CHECK_OK(om_vm_fields_done(&f));
out:
    json_decref(o);
}

OM_TEST(fields_name_the_place)
{
    static const struct {
        const char *text, *msg;
    } rows[] = {
        {"[]", "x: is a list: want an object"},
        {"{\"n\": \"1\"}", "x.n: is a text: want a whole number"},
        {"{\"n\": 1.5}", "x.n: is a fraction: want a whole number"},
        {"{\"n\": -1}", "x.n: is -1: want 1 to 7"},
        {"{\"n\": 8}", "x.n: is 8: want 1 to 7"},
        {"{\"t\": 1}", "x.t: is a number: want a text"},
        {"{\"t\": \"12345\"}", "x.t: has 5 bytes: want at most 4"},
        {"{\"t\": \"a\\nb\"}", "x.t: holds a control character: want one line of plain text"},
        {"{\"d\": \"5\"}", NULL},
        {"{\"d\": \"5m\"}", "x.d: want 1s to 1m"},
        {"{\"d\": null}", "x.d: is null: want a duration, \"90s\" or \"2h\""},
        {"{\"b\": 1}", "x.b: is a number: want true or false"},
        {"{\"w\": \"c\\u001b\"}", "x.w: is \"c\\x1b\": want one of a, b"},
        {"{\"w\": true}", "x.w: is true: want one of a, b"},
        {"{\"l\": {}}", "x.l: is an object: want a list"},
        {"{\"l\": [1,2,3]}", "x.l: has 3 elements: want at most 2"},
        {"{\"m\": \"5X\"}", NULL},
        {"{\"m\": false}", "x.m: is false: want a size, \"4G\" or a number of MiB"},
        {"{\"m\": \"3G\"}", "x.m: is 3072 MiB: want 64MiB to 2GiB"},
    };
    static const char *const words[] = {"a", "b"};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        json_t *o = parse(rows[i].text);
        struct om_error err = {0};
        struct om_vm_fields f;
        char text[5] = "";
        uint64_t n;
        uint32_t mib;
        unsigned word;
        om_time d;
        bool is;

        OM_TRY(o);
        om_vm_fields_open(&f, o, "x", &err);
        (void)om_vm_fields_number(&f, "n", 1, 7, &n);
        (void)om_vm_fields_text(&f, "t", text, sizeof text);
        (void)om_vm_fields_duration(&f, "d", OM_SEC(1), OM_SEC(60), &d);
        (void)om_vm_fields_bool(&f, "b", &is);
        (void)om_vm_fields_word(&f, "w", words, 2, &word);
        (void)om_vm_fields_list(&f, "l", 2);
        (void)om_vm_fields_mib(&f, "m", 64, 2048, &mib);
        CHECK(om_vm_fields_done(&f) != OM_OK);
        CHECK(err.msg[0] == 'x');
        if (rows[i].msg)
            CHECK_STR(err.msg, rows[i].msg);
        json_decref(o);
    }
out:
    return;
}

OM_TEST(fields_sizes_count_in_mib)
{
    static const struct {
        const char *text;
        uint32_t mib;
    } rows[] = {
        {"{\"m\": 512}", 512},      {"{\"m\": \"512\"}", 512},    {"{\"m\": \"4G\"}", 4096},
        {"{\"m\": \"512M\"}", 512}, {"{\"m\": \"1048577B\"}", 2}, {"{\"m\": \"1GB\"}", 954},
        {"{\"m\": \"100KiB\"}", 1},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        json_t *o = parse(rows[i].text);
        struct om_vm_fields f;
        uint32_t mib = 0;

        OM_TRY(o);
        om_vm_fields_open(&f, o, "x", NULL);
        CHECK(om_vm_fields_mib(&f, "m", 1, 9999, &mib));
        CHECK_OK(om_vm_fields_done(&f));
        CHECK_EQ(mib, rows[i].mib);
        json_decref(o);
    }
out:
    return;
}

OM_TEST(fields_stop_at_the_first_fault)
{
    json_t *o = parse("{\"a\": \"x\", \"b\": 5, \"c\": \"y\"}");
    struct om_error err = {0};
    struct om_vm_fields f;
    uint64_t n = 77;

    OM_TRY(o);
    om_vm_fields_open(&f, o, "o", &err);
    CHECK(!om_vm_fields_number(&f, "a", 0, 9, &n));
    CHECK(!om_vm_fields_number(&f, "b", 0, 9, &n));
    CHECK(!om_vm_fields_get(&f, "b"));
    CHECK_EQ(n, 77);
    CHECK_ERR(om_vm_fields_done(&f), OM_E_PARSE);
    CHECK_STR(err.msg, "o.a: is a text: want a whole number");
out:
    json_decref(o);
}
