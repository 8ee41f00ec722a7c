/* test_target.c - names and addresses. */
#include "harness.h"

#include <omerta/target.h>

static bool make(struct om_target *t, const char *host)
{
    return om_target_from_text(t, om_bytes(host, strlen(host)), 80);
}

/* A name of @n letters, of which each after @dot others is a dot, unless that is 0. */
static bool make_long(struct om_target *t, size_t n, size_t dot)
{
    char text[300];

    memset(text, 'a', sizeof text);
    for (size_t at = dot; dot > 0 && at < n; at += dot + 1)
        text[at] = '.';
    return om_target_from_text(t, om_bytes(text, n), 80);
}

OM_TEST(target_takes_names)
{
    static const char *const good[] = {"a",         "localhost", "a-b_c.example.", "x.1",
                                       "192.0.2",   "1",         "0x7f000001",     "127.1",
                                       "256.0.0.1", "-",         "_dmarc.example"};
    struct om_target t;

    for (size_t i = 0; i < OM_ARRAY_SIZE(good); i++) {
        CHECK(make(&t, good[i]));
        CHECK(t.is_name);
        CHECK_STR(t.host, good[i]);
        CHECK_EQ(t.addr.port, 80);
    }
    CHECK(make_long(&t, OM_TARGET_LABEL_MAX, 0));
    CHECK(make_long(&t, OM_TARGET_NAME_MAX, OM_TARGET_LABEL_MAX));
    CHECK_EQ(strlen(t.host), OM_TARGET_NAME_MAX);
}

OM_TEST(target_takes_addresses)
{
    struct om_addr v4 = om_addr_v4(0xc0000201, 80);
    struct om_target t;

    CHECK(make(&t, "192.0.2.1"));
    CHECK(!t.is_name);
    CHECK(om_addr_equal(&t.addr, &v4));
    CHECK_STR(t.host, "192.0.2.1");
    CHECK(make(&t, "[2001:DB8:0::1]"));
    CHECK(!t.is_name);
    CHECK_STR(t.host, "2001:db8::1");
    CHECK(make(&t, "[::ffff:192.0.2.1]")); /* the same host, however it is written */
    CHECK_STR(t.host, "192.0.2.1");
    CHECK(om_addr_is_v4(&t.addr));
}

OM_TEST(target_refuses_what_no_host_name_holds)
{
    static const char *const bad[] = {"",    ".",   ".a",  "a..b",  "a b", "a/b",
                                      "a:1", "a\n", "a@b", "a%41b", "*.a", "a,b",
                                      "a'b", "a\"", "a\\", "\177",  "a\t", "\303\244"};
    struct om_target t = {.host = "before"};

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!make(&t, bad[i]));
    CHECK(!om_target_from_text(&t, om_bytes("a\0b", 3), 80));
    CHECK(!om_target_from_text(&t, om_bytes("192.0.2.1\0", 10), 80));
    CHECK(!make_long(&t, OM_TARGET_LABEL_MAX + 1, 0));
    CHECK(!make_long(&t, OM_TARGET_NAME_MAX + 1, OM_TARGET_LABEL_MAX));
    CHECK_STR(t.host, "before");
}

OM_TEST(target_encloses_v6_in_brackets)
{
    static const char *const bad[] = {
        "::1",   "[::1",   "::1]",        "[]", "[a]", "[[::1]]",  "[::1]]",      "[::1%1]",
        "[::g]", "[ ::1]", "[192.0.2.1]", "[",  "]",   "[1:2:3]x", "fe80::1%eth0"};
    struct om_target t;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!make(&t, bad[i]));
    CHECK(make(&t, "[::1]"));
}
