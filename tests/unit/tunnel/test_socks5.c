/* test_socks5.c - SOCKS5 byte by byte, as the RFCs have it; and SOCKS4, which is refused. */
#include "talk.h"

#include <omerta/socks_udp.h>

#define HELLO "\5\1\0"

static const uint8_t chosen[] = {5, 0};

/* A request that fails with reply @code after the greeting. */
static void fails(const struct om_proxy_config *c, struct om_bytes in, uint8_t code)
{
    const uint8_t want[] = {5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0};
    struct talk t;

    talk_fails(&t, c, in, om_bytes(want, sizeof want));
}

OM_TEST(socks5_any_cut_gives_the_same)
{
    struct talk t;

    talk_wants(&t, &talk_open, TALK(HELLO "\5\1\0\1\300\0\2\1\0\120"), "192.0.2.1", 80);
    CHECK(!t.p.target.is_name);
    CHECK_EQ(t.out_n, sizeof chosen);
    CHECK_MEM(t.out, chosen, sizeof chosen);
    talk_wants(&t, &talk_open, TALK(HELLO "\5\1\0\3\13example.org\1\273"), "example.org", 443);
    CHECK(t.p.target.is_name);
    talk_wants(&t, &talk_open, TALK("\5\3\1\2\0\5\1\0\3\13[fd00::1:2]\0\26"), "fd00::1:2", 22);
    CHECK(!t.p.target.is_name);
    talk_wants(&t, &talk_open, TALK(HELLO "\5\1\0\3\7a.b.c.9\0\26"), "a.b.c.9", 22);
    talk_wants(&t, &talk_open,
               TALK(HELLO "\5\1\0\3\7"
                          "192.0.2\0\26"),
               "192.0.2", 22);
    CHECK(t.p.target.is_name);
    talk_wants(&t, &talk_open, TALK(HELLO "\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\377\377"),
               "2001:db8::1", 65535);
    CHECK_EQ(t.p.protocol, OM_PROXY_SOCKS5);
}

OM_TEST(socks5_leaves_what_follows)
{
    struct om_bytes in = TALK(HELLO "\5\1\0\1\300\0\2\1\0\120GET / HTTP");
    struct talk t;

    talk(&t, &talk_open, in);
    CHECK_EQ(t.p.state, OM_PROXY_WANTS_CONNECT);
    CHECK_EQ(t.used, in.n - strlen("GET / HTTP"));
    CHECK_EQ(om_proxy_input(&t.p, TALK("GET")), 0);
    talk_any_cut(&talk_open, in);
}

OM_TEST(socks5_refuses_other_methods)
{
    struct talk t;

    talk_fails(&t, &talk_open, TALK("\5\0"), TALK("\5\377"));
    talk_fails(&t, &talk_open, TALK("\5\2\1\2"), TALK("\5\377"));
    talk_fails(&t, &talk_secret, TALK("\5\2\0\1"), TALK("\5\377"));
    talk(&t, &talk_secret, TALK("\5\3\0\1\2"));
    CHECK_EQ(t.p.state, OM_PROXY_NEED_MORE);
    CHECK_EQ(t.out_n, 2);
    CHECK_MEM(t.out, "\5\2", 2);
}

OM_TEST(socks5_wants_the_password)
{
    struct talk t;

    talk_wants(&t, &talk_secret, TALK("\5\2\0\2\1\7Aladdin\13open sesame\5\1\0\3\11localhost\0\1"),
               "localhost", 1);
    CHECK_EQ(t.out_n, 4);
    CHECK_MEM(t.out, "\5\2\1\0", 4);
    talk_fails(&t, &talk_secret, TALK("\5\1\2\1\7Aladdin\13open sesamf"), TALK("\5\2\1\1"));
    talk_fails(&t, &talk_secret, TALK("\5\1\2\1\7aladdin\13open sesame"), TALK("\5\2\1\1"));
    talk_fails(&t, &talk_secret, TALK("\5\1\2\1\7Aladdin\14open sesame\0"), TALK("\5\2\1\1"));
    talk_fails(&t, &talk_secret, TALK("\5\1\2\1\7Aladdin\12open sesam"), TALK("\5\2\1\1"));
    talk_fails(&t, &talk_secret, TALK("\5\1\2\1\0\13open sesame"), TALK("\5\2\1\1"));
    talk_fails(&t, &talk_secret, TALK("\5\1\2\1\7Aladdin\0"), TALK("\5\2\1\1"));
    talk_fails(&t, &talk_secret, TALK("\5\1\2\5\7Aladdin\13open sesame"), TALK("\5\2\1\1"));
}

OM_TEST(socks5_refuses_bad_requests)
{
    static const char *const bad[] = {".ab",         "a..b", "..",       "a b", "a/b",
                                      "::1",         "[::1", "[::1]x",   "[a]", "[]",
                                      "[192.0.2.1]", "a\nb", "\303\244", "a:1", "*"};
    char in[64];

    fails(&talk_open, TALK(HELLO "\5\1\1\1\300\0\2\1\0\120"), 1);
    fails(&talk_open, TALK(HELLO "\4\1\0\1\300\0\2\1\0\120"), 1);
    fails(&talk_open, TALK(HELLO "\5\1\0\1\300\0\2\1\0\0"), 1);
    fails(&talk_open, TALK(HELLO "\5\1\0\3\0\0\120"), 1);
    fails(&talk_open, TALK(HELLO "\5\1\0\3\3a\0b\0\120"), 1);
    fails(&talk_open, TALK(HELLO "\5\1\0\2\300\0\2\1\0\120"), 8);
    fails(&talk_open, TALK(HELLO "\5\1\0\0"), 8);
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        size_t n = strlen(bad[i]);
        memcpy(in, HELLO "\5\1\0\3", 7);
        in[7] = (char)n;
        memcpy(in + 8, bad[i], n);
        memcpy(in + 8 + n, "\0\120", 2);
        fails(&talk_open, om_bytes(in, n + 10), 1);
    }
}

OM_TEST(socks5_refuses_bind)
{
    fails(&talk_open, TALK(HELLO "\5\2\0\1\300\0\2\1\0\120"), 7);
    fails(&talk_open, TALK(HELLO "\5\0\0\1\300\0\2\1\0\120"), 7);
    fails(&talk_open, TALK(HELLO "\5\4\0\1\300\0\2\1\0\120"), 7);
}

OM_TEST(socks5_udp_only_when_allowed)
{
    struct om_bytes in = TALK(HELLO "\5\3\0\1\0\0\0\0\0\0");
    struct om_addr relay = om_addr_v4(0x7f000001, 4000);
    struct talk t;

    talk_wants(&t, &talk_open, in, "0.0.0.0", 0);
    CHECK_EQ(t.p.state, OM_PROXY_WANTS_UDP);
    om_proxy_answer(&t.p, OM_PROXY_OK, &relay);
    talk_collect(&t);
    CHECK_EQ(t.p.state, OM_PROXY_OPEN);
    CHECK_EQ(t.out_n, 12);
    CHECK_MEM(t.out + 2, "\5\0\0\1\177\0\0\1\17\240", 10);
    fails(&(struct om_proxy_config){0}, in, 7);
}

OM_TEST(socks5_replies_as_the_rfc_says)
{
    static const struct {
        enum om_proxy_result r;
        uint8_t code;
    } rows[] = {{OM_PROXY_FAILURE, 1},      {OM_PROXY_NOT_ALLOWED, 2}, {OM_PROXY_UNREACHABLE, 3},
                {OM_PROXY_NO_SUCH_HOST, 4}, {OM_PROXY_REFUSED, 5},     {OM_PROXY_TTL, 6},
                {OM_PROXY_TIMEOUT, 6}};
    struct om_bytes in = TALK(HELLO "\5\1\0\1\300\0\2\1\0\120");
    struct om_addr bound = om_addr_v4(0xc0000202, 513);
    struct talk t;

    for (size_t i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        const uint8_t want[] = {5, rows[i].code, 0, 1, 0, 0, 0, 0, 0, 0};
        talk(&t, &talk_open, in);
        om_proxy_answer(&t.p, rows[i].r, &bound);
        talk_collect(&t);
        CHECK_EQ(t.p.state, OM_PROXY_FAILED);
        CHECK_STR(t.p.why, om_proxy_result_text(rows[i].r));
        CHECK_EQ(t.out_n, 2 + sizeof want);
        CHECK_MEM(t.out + 2, want, sizeof want);
    }
    talk(&t, &talk_open, in);
    om_proxy_answer(&t.p, OM_PROXY_OK, &bound);
    talk_collect(&t);
    CHECK_MEM(t.out + 2, "\5\0\0\1\300\0\2\2\2\1", 10);
    CHECK_OK(om_addr_parse(&bound, "[2001:db8::1]:513", 0, NULL));
    talk(&t, &talk_open, in);
    om_proxy_answer(&t.p, OM_PROXY_OK, &bound);
    talk_collect(&t);
    CHECK_EQ(t.out_n, 2 + 22);
    CHECK_MEM(t.out + 2, "\5\0\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\2\1", 22);
    talk(&t, &talk_open, in);
    om_proxy_answer(&t.p, OM_PROXY_OK, NULL);
    talk_collect(&t);
    CHECK_EQ(t.p.state, OM_PROXY_OPEN);
    CHECK_MEM(t.out + 2, "\5\0\0\1\0\0\0\0\0\0", 10);
}

OM_TEST(socks4_is_refused)
{
    struct talk t;

    talk_fails(&t, &talk_open, TALK("\4\1\0\120\300\0\2\1me\0"), TALK("\0\133\0\0\0\0\0\0"));
    talk_fails(&t, &talk_open, TALK("\4\1\0\120\0\0\0\1me\0a.org\0"), TALK("\0\133\0\0\0\0\0\0"));
}

OM_TEST(socks_udp_round_trips)
{
    static const char *const hosts[] = {"192.0.2.1", "[2001:db8::1]", "a-b_c.example.", "x"};
    uint8_t bytes[OM_SOCKS_UDP_HEADER_MAX + 4];
    struct om_socks_udp u = {0};
    struct om_target in, out;
    struct om_bytes payload;

    for (size_t i = 0; i < OM_ARRAY_SIZE(hosts); i++) {
        CHECK(om_target_from_text(&in, om_bytes(hosts[i], strlen(hosts[i])), 53));
        size_t n = om_socks_udp_encode(om_mut(bytes, OM_SOCKS_UDP_HEADER_MAX), &in);
        CHECK(n > 0);
        CHECK_EQ(om_socks_udp_encode(om_mut(bytes, n - 1), &in), 0);
        CHECK_EQ(om_socks_udp_encode(om_mut(bytes, n), &in), n);
        memcpy(bytes + n, "data", 4);
        CHECK(om_socks_udp_decode(&u, &out, &payload, om_bytes(bytes, n + 4)));
        CHECK_STR(out.host, in.host);
        CHECK_EQ(out.is_name, in.is_name);
        CHECK(om_addr_equal(&out.addr, &in.addr));
        CHECK_EQ(payload.n, 4);
        CHECK_MEM(payload.p, "data", 4);
        CHECK(om_socks_udp_decode(&u, &out, &payload, om_bytes(bytes, n)));
        CHECK_EQ(payload.n, 0);
    }
    CHECK_EQ(u.fragments + u.malformed, 0);
}

OM_TEST(socks_udp_counts_what_it_drops)
{
    struct om_bytes good = TALK("\0\0\0\1\300\0\2\1\0\65"), payload;
    struct om_socks_udp u = {0};
    struct om_target to;

    CHECK(om_socks_udp_decode(&u, &to, &payload, good));
    for (size_t n = 0; n < good.n; n++)
        CHECK(!om_socks_udp_decode(&u, &to, &payload, om_bytes(good.p, n)));
    CHECK_EQ(u.malformed, good.n);
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\1\0\1\300\0\2\1\0\65")));
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\0\0\2\300\0\2\1\0\65")));
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\0\0\3\1 \0\65")));
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\0\0\1\300\0\2\1\0\0")));
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\1\1\1\300\0\2\1\0\65")));
    CHECK_EQ(u.malformed, good.n + 5);
    CHECK_EQ(u.fragments, 0);
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\0\1\1\300\0\2\1\0\65")));
    CHECK(!om_socks_udp_decode(&u, &to, &payload, TALK("\0\0\201\1\300\0\2\1\0\65")));
    CHECK_EQ(u.fragments, 2);
    CHECK_EQ(u.malformed, good.n + 5);
}
