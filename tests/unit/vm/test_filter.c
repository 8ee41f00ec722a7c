/* test_filter.c - filters.json, read, refused, changed and written back. */
#include "harness.h"

#include <stdio.h>

#include "json_hook.h"
#include "vm/core/filter.h"

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct om_vm_filter f, g;

static enum om_err read_text(struct om_vm_filter *to, const char *text, struct om_error *err)
{
    json_t *o = json_hook_loads(text);

    if (!o)
        return OM_E_NO_MEM;
    enum om_err e = om_vm_filter_read(to, o, err);
    json_decref(o);
    return e;
}

static const char whole[] =
    "{\"default\":\"allow\",\"rules\":[{\"name\":\"all of it\",\"then\":\"deny\",\"note\":\"no\","
    "\"peer\":[\"" ID "\"],\"network\":[\"" ID "\"],\"address\":[\"192.0.2.0/24\",\"::1/128\"],"
    "\"resources\":{\"cpus_over\":4,\"memory_over\":8192,\"disk_over\":100,\"ttl_over\":\"1d\","
    "\"egress\":\"internet\"},\"description\":{\"words\":[\"mining\",\"coin\"],\"missing\":true},"
    "\"hours\":{\"from\":\"22:00\",\"to\":\"08:05\"},\"reputation\":{\"below\":30,\"above\":90}},"
    "{\"name\":\"rest\",\"then\":\"ask\"}]}";

OM_TEST(filter_round_trips)
{
    json_t *o = NULL, *first = json_hook_loads(whole);

    OM_TRY(first && om_vm_filter_read(&f, first, NULL) == OM_OK);
    CHECK(f.otherwise == OM_VM_ALLOW && f.count == 2 && f.rule[1].then == OM_VM_ASK);
    CHECK(f.rule[0].memory_over == 8192 && f.rule[0].ttl_over == OM_SEC(86400));
    CHECK(f.rule[0].from == 22 * 60 && f.rule[0].to == 8 * 60 + 5 && f.rule[0].below == 30);
    for (unsigned c = 0; c < OM_VM_IF_COUNT; c++)
        CHECK(f.rule[0].has[c] && !f.rule[1].has[c]);
    OM_TRY((o = om_vm_filter_write(&f)) != NULL);
    CHECK(json_equal(o, first));
    OM_TRY(om_vm_filter_read(&g, o, NULL) == OM_OK);
    json_decref(o);
    OM_TRY((o = om_vm_filter_write(&g)) != NULL);
    CHECK(json_equal(o, first));
out:
    json_decref(first);
    json_decref(o);
}

OM_TEST(filter_refuses_with_the_place)
{
    static const struct {
        const char *text, *start;
    } rows[] = {
        {"[]", "filters: is a list: want an object"},
        {"{\"defualt\": \"deny\"}", "filters.defualt: unknown member"},
        {"{\"default\": \"maybe\"}", "filters.default: is \"maybe\": want one of allow, deny, ask"},
        {"{\"rules\": [{}]}", "rules[0].name: want one"},
        {"{\"rules\": [{\"name\": \"a\"}]}", "rules[0].then: want allow, deny or ask"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"hour\": {}}]}",
         "rules[0].hour: unknown member"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"peer\": []}]}",
         "rules[0].peer: is empty: such a rule would never hold"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"peer\": [\"x\"]}]}",
         "rules[0].peer: element 0: "},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"address\": [\"10.0.0.1/8\"]}]}",
         "rules[0].address: element 0: "},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"address\": [5]}]}",
         "rules[0].address: element 0: want a text"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"resources\": {}}]}",
         "rules[0].resources: resources: is empty"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"resources\": {\"cpu_over\": 1}}]}",
         "rules[0].resources: resources.cpu_over: unknown member"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"description\": {}}]}",
         "rules[0].description: description: want words"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"description\": {\"words\": "
         "[\"\"]}}]}",
         "rules[0].description: description.words: element 0: want a word"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"hours\": {\"from\": \"9:00\"}}]}",
         "rules[0].hours: hours.from: want a time of day"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"hours\": {\"from\": \"24:00\","
         " \"to\": \"01:00\"}}]}",
         "rules[0].hours: hours.from: want a time of day"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"hours\": {\"from\": \"01:00\","
         " \"to\": \"01:00\"}}]}",
         "rules[0].hours: hours: from and to are the same"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"reputation\": {}}]}",
         "rules[0].reputation: reputation: want below or above"},
        {"{\"rules\": [{\"name\": \"a\", \"then\": \"ask\", \"reputation\": {\"below\": 101}}]}",
         "rules[0].reputation: reputation.below: is 101: want 1 to 100"},
    };

    om_vm_filter_init(&f);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_error err = {0};
        enum om_err e = read_text(&f, rows[i].text, &err);
        OM_TRY(e != OM_E_NO_MEM);
        CHECK(e != OM_OK && f.count == 0 && f.otherwise == OM_VM_ASK);
        CHECK(strncmp(err.msg, rows[i].start, strlen(rows[i].start)) == 0);
    }
out:
    return;
}

OM_TEST(filter_rules_have_one_name_each)
{
    struct om_error err = {0};
    enum om_err e = read_text(&f,
                              "{\"rules\": [{\"name\": \"a\", \"then\": \"ask\"},"
                              " {\"name\": \"a\", \"then\": \"deny\"}]}",
                              &err);

    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_EXISTS);
    CHECK_STR(err.msg, "rules[1]: there is a rule \"a\" already");
out:
    return;
}

OM_TEST(filter_is_changed_rule_by_rule)
{
    struct om_error err = {0};
    char text[80];

    om_vm_filter_init(&f);
    for (unsigned i = 0; i < OM_VM_RULES_MAX; i++) {
        (void)snprintf(text, sizeof text, "{\"name\": \"r%u\", \"then\": \"ask\"}", i);
        json_t *o = json_hook_loads(text);
        OM_TRY(o);
        enum om_err e = om_vm_filter_add(&f, o, i % 2 ? 0 : UINT32_MAX, &err);
        json_decref(o);
        OM_TRY(e == OM_OK);
    }
    CHECK_STR(f.rule[0].name, "r63");
    CHECK_STR(f.rule[63].name, "r62");
    json_t *o = json_hook_loads("{\"name\": \"more\", \"then\": \"ask\"}");
    OM_TRY(o);
    CHECK_ERR(om_vm_filter_add(&f, o, 0, &err), OM_E_FULL);
    CHECK(om_vm_filter_remove(&f, "r0") && !om_vm_filter_remove(&f, "r0"));
    CHECK_OK(om_vm_filter_add(&f, o, 1, &err));
    CHECK_STR(f.rule[1].name, "more");
    CHECK_STR(f.rule[2].name, "r61");
    json_decref(o);
out:
    return;
}
