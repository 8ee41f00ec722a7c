/* test_addr.c - text, registries and wire form of addresses. */
#include "harness.h"

#include <omerta/addr.h>

OM_TEST(addr_text_round_trips)
{
    static const char *const texts[] = {
        "0.0.0.0:0",
        "192.0.2.1:80",
        "255.255.255.255:65535",
        "[::]:0",
        "[::1]:1",
        "[2001:db8::1]:443",
        "[::1.2.3.4]:9", /* IPv4-compatible, not mapped: it stays IPv6 */
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(texts); i++) {
        char text[OM_ADDR_TEXT];
        struct om_addr a, b;

        CHECK_OK(om_addr_parse(&a, texts[i], 0, NULL));
        CHECK_STR(om_addr_print(&a, text), texts[i]);
        CHECK_OK(om_addr_parse(&b, text, 0, NULL));
        CHECK(om_addr_equal(&a, &b));
    }
}

OM_TEST(addr_parse_knows_every_spelling)
{
    static const struct {
        const char *text;
        uint16_t port;
        const char *means;
    } cases[] = {
        {"192.0.2.1", 7, "192.0.2.1:7"},         {"192.0.2.1:9", 7, "192.0.2.1:9"},
        {"2001:db8::1", 7, "[2001:db8::1]:7"},   {"2001:DB8::1:80", 7, "[2001:db8::1:80]:7"},
        {"[2001:db8::1]", 7, "[2001:db8::1]:7"}, {"[::ffff:192.0.2.1]:5", 0, "192.0.2.1:5"},
        {"::ffff:c000:201", 5, "192.0.2.1:5"},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        char text[OM_ADDR_TEXT];
        struct om_addr a;

        CHECK_OK(om_addr_parse(&a, cases[i].text, cases[i].port, NULL));
        CHECK_STR(om_addr_print(&a, text), cases[i].means);
    }
}

OM_TEST(addr_refuses_bad_text)
{
    static const char *const bad[] = {
        "",
        ":",
        ":80",
        "80",
        "localhost:80",
        "192.0.2:80",
        "192.0.2.256:80",
        "192.0.2.01:80",
        "0x7f.0.0.1:80",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:99999999999999999999",
        "192.0.2.1:-1",
        "192.0.2.1:+1",
        "192.0.2.1: 1",
        "192.0.2.1:80 ",
        " 192.0.2.1:80",
        "192.0.2.1:http",
        "[192.0.2.1]:80",
        "[::1",
        "[::1]80",
        "[::1]:",
        "[::1]:x",
        "::1]:80",
        "[]:80",
        "[[::1]]:80",
        "[fe80::1%eth0]:80",
        "[::1]:80:90",
        ":::1",
        "192.0.2.1",
        "2001:db8::1",
        "[2001:db8::1]",
        "[2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:80"};
    struct om_addr a = om_addr_v4(0x01020304, 5), before = a;
    struct om_error err;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_addr_parse(&a, bad[i], 0, &err), OM_E_PARSE);
        CHECK(strstr(err.msg, "want ") != NULL);
        CHECK(om_addr_equal(&a, &before));
    }
    CHECK_ERR(om_addr_parse(&a, "192.0.2.1", 0, &err), OM_E_PARSE);
    CHECK_STR(err.msg, "\"192.0.2.1\": port missing: want for example 192.0.2.1:80");
    CHECK_ERR(om_addr_parse(&a, "\x1b[2J", 0, &err), OM_E_PARSE);
    CHECK(strchr(err.msg, '\x1b') == NULL);
    CHECK_OK(om_addr_parse(&a, "192.0.2.1", 80, NULL)); /* the control */
}

static enum om_addr_class class_of(const char *ip)
{
    struct om_addr a;

    CHECK_OK(om_addr_parse(&a, ip, 1, NULL));
    return om_addr_classify(&a);
}

/* The first and last of each range, and their neighbours. */
static const struct {
    const char *ip;
    enum om_addr_class is;
} registry[] = {
    {"0.0.0.0", OM_ADDR_UNSPECIFIED},
    {"0.0.0.1", OM_ADDR_RESERVED},
    {"0.255.255.255", OM_ADDR_RESERVED},
    {"1.0.0.0", OM_ADDR_GLOBAL},
    {"9.255.255.255", OM_ADDR_GLOBAL},
    {"10.0.0.0", OM_ADDR_PRIVATE},
    {"10.255.255.255", OM_ADDR_PRIVATE},
    {"100.63.255.255", OM_ADDR_GLOBAL},
    {"100.64.0.0", OM_ADDR_SHARED},
    {"100.127.255.255", OM_ADDR_SHARED},
    {"100.128.0.0", OM_ADDR_GLOBAL},
    {"100.100.100.200", OM_ADDR_METADATA},
    {"127.0.0.1", OM_ADDR_LOOPBACK},
    {"127.255.255.255", OM_ADDR_LOOPBACK},
    {"168.63.129.16", OM_ADDR_METADATA},
    {"169.253.255.255", OM_ADDR_GLOBAL},
    {"169.254.0.0", OM_ADDR_LINK_LOCAL},
    {"169.254.169.253", OM_ADDR_LINK_LOCAL},
    {"169.254.169.254", OM_ADDR_METADATA},
    {"169.254.170.2", OM_ADDR_METADATA},
    {"172.15.255.255", OM_ADDR_GLOBAL},
    {"172.16.0.0", OM_ADDR_PRIVATE},
    {"172.31.255.255", OM_ADDR_PRIVATE},
    {"172.32.0.0", OM_ADDR_GLOBAL},
    {"192.0.0.1", OM_ADDR_RESERVED},
    {"192.0.0.192", OM_ADDR_METADATA},
    {"192.0.1.0", OM_ADDR_GLOBAL},
    {"192.0.2.255", OM_ADDR_RESERVED},
    {"192.0.3.0", OM_ADDR_GLOBAL},
    {"192.88.99.1", OM_ADDR_RESERVED},
    {"192.167.255.255", OM_ADDR_GLOBAL},
    {"192.168.0.0", OM_ADDR_PRIVATE},
    {"192.169.0.0", OM_ADDR_GLOBAL},
    {"198.17.255.255", OM_ADDR_GLOBAL},
    {"198.18.0.0", OM_ADDR_RESERVED},
    {"198.19.255.255", OM_ADDR_RESERVED},
    {"198.20.0.0", OM_ADDR_GLOBAL},
    {"198.51.100.7", OM_ADDR_RESERVED},
    {"203.0.113.7", OM_ADDR_RESERVED},
    {"223.255.255.255", OM_ADDR_GLOBAL},
    {"224.0.0.0", OM_ADDR_MULTICAST},
    {"239.255.255.255", OM_ADDR_MULTICAST},
    {"240.0.0.0", OM_ADDR_RESERVED},
    {"255.255.255.255", OM_ADDR_RESERVED},
    {"::", OM_ADDR_UNSPECIFIED},
    {"::1", OM_ADDR_LOOPBACK},
    {"::2", OM_ADDR_RESERVED},
    {"::ffff:10.0.0.1", OM_ADDR_PRIVATE},
    {"::ffff:8.8.8.8", OM_ADDR_GLOBAL},
    {"64:ff9b::8.8.8.8", OM_ADDR_GLOBAL},
    {"64:ff9b::169.254.169.254", OM_ADDR_METADATA},
    {"64:ff9b::10.0.0.1", OM_ADDR_PRIVATE},
    {"64:ff9b:1::1", OM_ADDR_RESERVED},
    {"100::1", OM_ADDR_RESERVED},
    {"1fff:ffff::1", OM_ADDR_RESERVED},
    {"2000::1", OM_ADDR_GLOBAL},
    {"2001::1", OM_ADDR_RESERVED},
    {"2001:1ff:ffff::1", OM_ADDR_RESERVED},
    {"2001:200::1", OM_ADDR_GLOBAL},
    {"2001:db7:ffff::1", OM_ADDR_GLOBAL},
    {"2001:db8::1", OM_ADDR_RESERVED},
    {"2001:db9::1", OM_ADDR_GLOBAL},
    {"2002:a00:1::1", OM_ADDR_RESERVED},
    {"2003::1", OM_ADDR_GLOBAL},
    {"3ffe::1", OM_ADDR_GLOBAL},
    {"3fff:fff::1", OM_ADDR_RESERVED},
    {"3fff:1000::1", OM_ADDR_GLOBAL},
    {"4000::1", OM_ADDR_RESERVED},
    {"5f00::1", OM_ADDR_RESERVED},
    {"fbff::1", OM_ADDR_RESERVED},
    {"fc00::1", OM_ADDR_PRIVATE},
    {"fdff::1", OM_ADDR_PRIVATE},
    {"fd00:ec2::254", OM_ADDR_METADATA},
    {"fd20:ce::254", OM_ADDR_METADATA},
    {"fe7f::1", OM_ADDR_RESERVED},
    {"fe80::1", OM_ADDR_LINK_LOCAL},
    {"febf::1", OM_ADDR_LINK_LOCAL},
    {"fec0::1", OM_ADDR_RESERVED},
    {"ff02::1", OM_ADDR_MULTICAST},
};

OM_TEST(addr_classifies_the_registries)
{
    for (size_t i = 0; i < OM_ARRAY_SIZE(registry); i++)
        CHECK_STR(om_addr_class_name(class_of(registry[i].ip)), om_addr_class_name(registry[i].is));
    CHECK_STR(om_addr_class_name(OM_ADDR_METADATA), "metadata");
    CHECK_STR(om_addr_class_name(OM_ADDR_CLASS_COUNT), "unknown");
}

OM_TEST(addr_source_cuts_v6_to_64)
{
    struct om_addr a, b, c;
    uint8_t one[16], two[16];

    CHECK_OK(om_addr_parse(&a, "[2001:db8:1:2:3:4:5:6]:7", 0, NULL));
    CHECK_OK(om_addr_parse(&b, "[2001:db8:1:2::9]:8", 0, NULL));
    CHECK_OK(om_addr_parse(&c, "[2001:db8:1:3::9]:8", 0, NULL));
    om_addr_source(&a, one);
    om_addr_source(&b, two);
    CHECK_MEM(one, two, 16);
    om_addr_source(&c, two);
    CHECK_MEM_DIFF(one, two, 16);

    a = om_addr_v4(0xc0000201, 7);
    b = om_addr_v4(0xc0000202, 7);
    om_addr_source(&a, one);
    CHECK_MEM(one, a.ip, 16);
    om_addr_source(&b, two);
    CHECK_MEM_DIFF(one, two, 16);
}

OM_TEST(addr_wire_form_round_trips)
{
    static const uint8_t want[OM_ADDR_WIRE] = {[10] = 0xff, 0xff, 192, 0, 2, 1, 0x12, 0x34};
    uint8_t wire[OM_ADDR_WIRE];
    struct om_addr a = om_addr_v4(0xc0000201, 0x1234), b;
    struct om_wr w = om_wr(om_mut(wire, sizeof wire));
    struct om_rd r = om_rd(om_bytes(wire, sizeof wire));

    CHECK(om_addr_is_v4(&a));
    om_addr_write(&w, &a);
    CHECK_EQ(om_wr_len(&w), OM_ADDR_WIRE);
    CHECK_MEM(wire, want, sizeof want);
    b = om_addr_read(&r);
    CHECK(om_rd_done(&r));
    CHECK(om_addr_equal(&a, &b));
    b.port++;
    CHECK(!om_addr_equal(&a, &b));
    b = a;
    b.ip[0] = 1;
    CHECK(!om_addr_equal(&a, &b) && !om_addr_is_v4(&b));
}
