/* test_cidr.c - prefixes. The bit arithmetic is compared with a naive twin in model_cidr.c. */
#include "harness.h"

#include <stdio.h>

#include <omerta/cidr.h>

static struct om_cidr cidr(const char *text)
{
    struct om_cidr c;

    CHECK_OK(om_cidr_parse(&c, text, NULL));
    return c;
}

static struct om_addr ip(const char *text)
{
    struct om_addr a;

    CHECK_OK(om_addr_parse(&a, text, 1, NULL));
    return a;
}

OM_TEST(cidr_text_round_trips)
{
    static const char *const texts[][2] = {
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.128/25", "192.0.2.128/25"},
        {"::/0", "::/0"},
        {"2001:db8::/32", "2001:db8::/32"},
        {"2001:db8::1", "2001:db8::1/128"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(texts); i++) {
        char text[OM_CIDR_TEXT];
        struct om_cidr c = cidr(texts[i][0]);

        CHECK_STR(om_cidr_print(&c, text), texts[i][1]);
        struct om_cidr again = cidr(text);
        CHECK_MEM(&again, &c, sizeof c);
    }
    CHECK_EQ(cidr("192.0.2.0/24").bits, 120);
}

OM_TEST(cidr_refuses_host_bits_and_names_the_prefix)
{
    static const char *const cases[][2] = {
        {"10.1.2.3/8", "10.0.0.0/8"},
        {"192.0.2.129/25", "192.0.2.128/25"},
        {"1.2.3.4/0", "0.0.0.0/0"},
        {"2001:db8::1/32", "2001:db8::/32"},
        {"2001:db8::1/127", "2001:db8::/127"},
    };
    struct om_cidr c = {.bits = 77};
    struct om_error err;

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        char want[200];

        CHECK_ERR(om_cidr_parse(&c, cases[i][0], &err), OM_E_PARSE);
        snprintf(want, sizeof want, "\"%s\": bits behind the prefix are set: did you mean %s?",
                 cases[i][0], cases[i][1]);
        CHECK_STR(err.msg, want);
        CHECK_EQ(c.bits, 77);
        (void)cidr(cases[i][1]); /* the control: what it proposes is accepted */
    }
}

OM_TEST(cidr_refuses_bad_text)
{
    static const char *const bad[] = {
        "",
        "/",
        "/8",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0:80/8",
        "[::1]/128",
        "::1/129",
        "::1%lo/128",
        "a.b.c.d/8",
        "10.0.0.0/99999999999999999999",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/1"};
    struct om_cidr c;
    struct om_error err;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_cidr_parse(&c, bad[i], &err), OM_E_PARSE);
        CHECK(strstr(err.msg, "want ") != NULL);
    }
}

OM_TEST(cidr_contains_counts_bits)
{
    static const struct {
        const char *range, *ip;
        bool is_in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::10.0.0.1", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"192.0.2.1/32", "192.0.2.0", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        struct om_cidr c = cidr(cases[i].range);
        struct om_addr a = ip(cases[i].ip);

        CHECK_EQ(om_cidr_contains(&c, &a), cases[i].is_in);
    }
    struct om_cidr nothing = {.bits = 129};
    struct om_addr zero = {0};
    CHECK(!om_cidr_contains(&nothing, &zero) && !om_cidr_overlaps(&nothing, &nothing));
}

OM_TEST(cidr_overlap_is_containment)
{
    struct om_cidr wide = cidr("10.0.0.0/8"), narrow = cidr("10.9.0.0/16"),
                   other = cidr("11.0.0.0/8");

    CHECK(om_cidr_overlaps(&wide, &narrow) && om_cidr_overlaps(&narrow, &wide));
    CHECK(om_cidr_overlaps(&wide, &wide));
    CHECK(!om_cidr_overlaps(&wide, &other) && !om_cidr_overlaps(&narrow, &other));
}
