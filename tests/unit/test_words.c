/* test_words.c - JSON of peers within its bounds. */
#include "harness.h"

#include <malloc.h>

#include <omerta/attr.h>

#include "json_hook.h"
#include "service/words.h"

static enum om_err load(const char *text, json_t **o)
{
    return om_words_load(om_bytes(text, strlen(text)), o);
}

OM_TEST(words_round_trip)
{
    static const char text[] = "{\"b\":1,\"a\":[true,null,\"x\\u00e9\\n\"],\"c\":{\"d\":-1.5}}";
    struct om_mut out = om_mut(NULL, 0);
    json_t *o = NULL;

    OM_TRY(load(text, &o) == OM_OK);
    OM_TRY(om_words_dump(o, &out) == OM_OK);
    CHECK_EQ(out.n, strlen("{\"b\":1,\"a\":[true,null,\"x\xc3\xa9\\n\"],\"c\":{\"d\":-1.5}}"));
    CHECK_MEM(out.p, "{\"b\":1,\"a\"", 10); /* in the order in which they came */
out:
    free(out.p);
    json_decref(o);
}

OM_TEST(words_keep_unknown_members)
{
    struct om_mut out = om_mut(NULL, 0);
    json_t *o = NULL;

    OM_TRY(load("{\"method\":\"x\",\"of a later version\":{\"y\":[7]}}", &o) == OM_OK);
    OM_TRY(om_words_dump(o, &out) == OM_OK);
    CHECK(strstr((const char *)out.p, "\"of a later version\":{\"y\":[7]}") != NULL);
out:
    free(out.p);
    json_decref(o);
}

OM_TEST(words_refuse_what_is_too_deep)
{
    char deep[3 * OM_WORDS_DEPTH + 16];
    json_t *o = NULL;

    for (unsigned over = 0; over < 2; over++) {
        unsigned arrays = OM_WORDS_DEPTH - 1 + over;
        snprintf(deep, sizeof deep, "{\"a\":%.*s1%.*s}", (int)arrays, "[[[[[[[[[[[[[[[[[[",
                 (int)arrays, "]]]]]]]]]]]]]]]]]]");
        if (over) {
            CHECK_ERR(load(deep, &o), OM_E_RANGE);
        } else {
            OM_TRY(load(deep, &o) == OM_OK);
            json_decref(o);
        }
    }
    /* Brackets inside a string are text, also behind a quoted quote. */
    OM_TRY(load("{\"a\":\"[[[[[[[[[[\\\"[[[[[[[[[[[[[[\"}", &o) == OM_OK);
    json_decref(o);
out:;
}

OM_TEST(words_refuse_what_is_no_object)
{
    static const char *const bad[] = {"[]",
                                      "1",
                                      "\"a\"",
                                      "{",
                                      "{}x",
                                      "{a:1}",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"\\u0000\"}",
                                      "nul",
                                      "{\"a\":",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":1e999}"};
    json_t *o = NULL;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK_ERR(load(bad[i], &o), OM_E_PARSE);
    OM_TRY(load("{}", &o) == OM_OK);
    json_decref(o);
    OM_TRY(load("", &o) == OM_OK); /* nothing stands for {} */
    json_decref(o);
out:;
}

OM_TEST(words_bound_their_size)
{
    static char big[OM_WORDS_MAX + 2];
    json_t *o = NULL;

    memset(big, ' ', sizeof big);
    memcpy(big, "{}", 2);
    OM_TRY(om_words_load(om_bytes(big, OM_WORDS_MAX), &o) == OM_OK);
    json_decref(o);
    CHECK_ERR(om_words_load(om_bytes(big, OM_WORDS_MAX + 1), &o), OM_E_RANGE);
out:;
}

OM_TEST(words_name_every_error)
{
    for (unsigned i = 0; i < OM_CALL_ERROR_COUNT; i++) {
        CHECK(om_words_is_name(om_call_error_name((enum om_call_error)i)));
        CHECK(strlen(om_call_error_text((enum om_call_error)i)) > 5);
    }
    CHECK_STR(om_call_error_name(OM_CALL_ERROR_COUNT), "unknown");
    CHECK(om_words_is_name("vm.request-2_x"));
    CHECK(!om_words_is_name(""));
    CHECK(!om_words_is_name("Upper"));
    CHECK(!om_words_is_name("a name of more than thirty-two bytes"));
}

/* {"a":[UNIT,UNIT ... ]}, or {"0":UNIT,"1":UNIT ... }, of @n units. */
static struct om_bytes repeat(char *out, size_t room, const char *unit, bool keyed, unsigned n)
{
    size_t at = (size_t)snprintf(out, room, keyed ? "{" : "{\"a\":[");

    for (unsigned i = 0; i < n; i++) {
        if (at + strlen(unit) + 16 > room)
            break;
        at += (size_t)snprintf(out + at, room - at, "%s", i ? "," : "");
        if (keyed)
            at += (size_t)snprintf(out + at, room - at, "\"%x\":", i);
        at += (size_t)snprintf(out + at, room - at, "%s", unit);
    }
    at += (size_t)snprintf(out + at, room - at, keyed ? "}" : "]}");
    return om_bytes(out, at);
}

static size_t now_allocated;
static size_t most_allocated;

/* Not one of the allocators that out-of-memory runs count: thousands in a test are too many. */
static void *count_malloc(size_t n)
{
    void *p = memalign(16, n);

    now_allocated += p ? malloc_usable_size(p) + 16 : 0;
    if (now_allocated > most_allocated)
        most_allocated = now_allocated;
    return p;
}

static void count_free(void *p)
{
    now_allocated -= p ? malloc_usable_size(p) + 16 : 0;
    free(p);
}

OM_TEST(words_bound_their_values)
{
    static char text[OM_WORDS_MAX];
    json_t *o = NULL;

    json_set_alloc_funcs(count_malloc, count_free);
    /* The object, the array, and the rest are numbers. */
    OM_TRY(om_words_load(repeat(text, sizeof text, "0", false, OM_WORDS_VALUES - 2), &o) == OM_OK);
    json_decref(o);
    CHECK_ERR(om_words_load(repeat(text, sizeof text, "0", false, OM_WORDS_VALUES - 1), &o),
              OM_E_RANGE);
    /* Commas and brackets inside a string are text. */
    memset(text, ',', sizeof text);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + sizeof text - 2, "\"}", 2);
    OM_TRY(om_words_load(om_bytes(text, sizeof text), &o) == OM_OK);
    json_decref(o);
out:
    json_set_alloc_funcs(json_hook_malloc, json_hook_free);
}

OM_TEST(words_bound_their_memory)
{
    static const char *const units[] = {"{}",   "[]",   "{\"\":0}", "{\"\":\"\"}", "[0]",
                                        "\"\"", "0.25", "\"\\n\"",  "{\"\":{}}"};
    static char text[OM_WORDS_MAX];
    size_t most_by_far = 0;

    json_set_alloc_funcs(count_malloc, count_free);
    for (unsigned i = 0; i < 2 * OM_ARRAY_SIZE(units); i++) {
        json_t *o = NULL;
        unsigned n = OM_WORDS_VALUES;

        most_allocated = now_allocated = 0;
        while (om_words_load(repeat(text, sizeof text, units[i / 2], i % 2, n), &o) == OM_E_RANGE)
            n -= 64;
        json_decref(o);
        CHECK_EQ(now_allocated, 0);
        if (most_allocated > most_by_far)
            most_by_far = most_allocated;
    }
    json_set_alloc_funcs(json_hook_malloc, json_hook_free);
    CHECK(most_by_far < OM_WORDS_MEMORY);
    CHECK(most_by_far > OM_WORDS_MEMORY / 4); /* they really were the worst */
}

OM_TEST(words_seed_changes_no_text)
{
    struct om_mut out = om_mut(NULL, 0);
    json_t *o = NULL;

    om_words_seed(0);
    om_words_seed(77);
    OM_TRY(load("{\"z\":1,\"m\":2,\"a\":3,\"k\":4,\"b\":5}", &o) == OM_OK);
    OM_TRY(om_words_dump(o, &out) == OM_OK);
    CHECK_MEM(out.p, "{\"z\":1,\"m\":2,\"a\":3,\"k\":4,\"b\":5}", out.n);
out:
    free(out.p);
    json_decref(o);
}
