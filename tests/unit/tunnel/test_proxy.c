/* test_proxy.c - one port for two protocols. */
#include "talk.h"

#define SOCKS "\5\1\0\5\1\0\1\300\0\2\1\0\120"
#define HTTP  "CONNECT a:1 HTTP/1.1\r\n\r\n"

static const char basic[] = "CONNECT a:1 HTTP/1.1\r\n"
                            "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";

OM_TEST(proxy_tells_the_protocols_apart)
{
    struct talk t;

    for (unsigned c = 0; c < 256; c++) {
        const uint8_t first = (uint8_t)c;
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        talk(&t, &talk_open, om_bytes(&first, 1));
        CHECK_EQ(t.p.state, c == 5 || is_letter ? OM_PROXY_NEED_MORE : OM_PROXY_FAILED);
        CHECK_EQ(t.p.protocol,
                 c == 5 ? OM_PROXY_SOCKS5 : (is_letter ? OM_PROXY_HTTP : OM_PROXY_UNKNOWN));
        CHECK_EQ(t.out_n, c == 4 ? 8 : 0);
        CHECK_EQ(t.used, 1);
    }
}

OM_TEST(proxy_any_cut_gives_the_same)
{
    struct talk t;

    talk_wants(&t, &talk_open, TALK(SOCKS), "192.0.2.1", 80);
    talk_wants(&t, &talk_open, TALK(HTTP), "a", 1);
    talk_fails(&t, &talk_open, TALK("\26\3\1\2\0\1\0"), TALK(""));
    CHECK_EQ(om_proxy_input(&t.p, om_bytes(NULL, 0)), 0);
}

OM_TEST(proxy_leaves_the_bytes_of_the_tunnel)
{
    struct om_bytes both[] = {TALK(SOCKS SOCKS), TALK(HTTP HTTP)};
    struct talk t;

    for (size_t i = 0; i < OM_ARRAY_SIZE(both); i++) {
        talk(&t, &talk_open, both[i]);
        CHECK_EQ(t.used, both[i].n / 2);
        CHECK_EQ(om_proxy_input(&t.p, both[i]), 0);
        om_proxy_answer(&t.p, OM_PROXY_OK, NULL);
        CHECK_EQ(om_proxy_input(&t.p, both[i]), 0);
        CHECK_EQ(t.p.state, OM_PROXY_OPEN);
        talk_any_cut(&talk_open, both[i]);
    }
}

OM_TEST(proxy_failed_swallows_the_rest)
{
    struct talk t;

    talk(&t, &talk_open, TALK("GET / HTTP/1.1\r\n"));
    CHECK_EQ(t.p.state, OM_PROXY_FAILED);
    size_t said = t.out_n;
    CHECK_EQ(om_proxy_input(&t.p, TALK(HTTP SOCKS)), strlen(HTTP) + sizeof SOCKS - 1);
    talk_collect(&t);
    CHECK_EQ(t.p.state, OM_PROXY_FAILED);
    CHECK_EQ(t.out_n, said);
    talk(&t, &talk_open, TALK(HTTP));
    om_proxy_answer(&t.p, OM_PROXY_REFUSED, NULL);
    CHECK_EQ(om_proxy_input(&t.p, TALK(HTTP)), strlen(HTTP));
}

OM_TEST(proxy_output_is_sent_in_pieces)
{
    struct om_proxy p;

    om_proxy_init(&p, &talk_secret);
    CHECK_EQ(om_proxy_output(&p).n, 0);
    CHECK_EQ(om_proxy_input(&p, TALK("\5\1\2")), 3);
    om_proxy_sent(&p, 1);
    const uint8_t *second = om_proxy_output(&p).p;
    CHECK_EQ(om_proxy_input(&p, TALK("\1\7Aladdin\13open sesame")), 21);
    CHECK_EQ(om_proxy_output(&p).n, 3);
    CHECK(om_proxy_output(&p).p == second); /* lent still */
    CHECK_MEM(second, "\2\1\0", 3);
    om_proxy_sent(&p, 3);
    CHECK_EQ(om_proxy_output(&p).n, 0);
    om_proxy_fini(&p);
}

OM_TEST(proxy_config_is_checked)
{
    char longest[OM_PROXY_SECRET_MAX + 2];
    struct om_proxy_config bad[] = {{"a", NULL, 0},    {NULL, "a", 0},    {"", "a", 0},
                                    {"a", "", 0},      {"a:b", "c", 0},   {"a\n", "b", 0},
                                    {"a", "b\177", 0}, {longest, "a", 0}, {"a", longest, 0}};
    struct om_error err;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_proxy_config_check(&bad[i], &err), OM_E_RANGE);
        CHECK(strstr(err.msg, "want") != NULL);
    }
    longest[OM_PROXY_SECRET_MAX] = '\0';
    CHECK_OK(om_proxy_config_check(&(struct om_proxy_config){longest, longest, false}, &err));
    CHECK_OK(om_proxy_config_check(&(struct om_proxy_config){"a", "b:c \303\244", false}, &err));
    CHECK_OK(om_proxy_config_check(&(struct om_proxy_config){0}, &err));
}

static bool holds(const struct om_proxy *p, const char *text)
{
    const uint8_t *at = (const uint8_t *)p;

    for (size_t i = 0; i + strlen(text) <= sizeof *p; i++)
        if (memcmp(at + i, text, strlen(text)) == 0)
            return true;
    return false;
}

OM_TEST(proxy_forgets_the_password)
{
    struct talk t;

    talk(&t, &talk_secret, TALK("\5\1\2\1\7Aladdin\13open sesam"));
    CHECK(holds(&t.p, "open sesam")); /* it would be found */
    talk_feed(&t, TALK("e"), 1, 1);
    CHECK(!holds(&t.p, "sesam"));
    talk_feed(&t, TALK("\5\1\0\1\300\0\2\1\0\120"), 1, 1);
    CHECK_EQ(t.p.state, OM_PROXY_WANTS_CONNECT);
    talk(&t, &talk_secret, om_bytes(basic, strlen(basic) - 4));
    CHECK(holds(&t.p, "QWxhZGRpbjpvc"));
    talk_feed(&t, TALK("\r\n"), 1, 1);
    CHECK(!holds(&t.p, "QWxh"));
    CHECK(!holds(&t.p, "sesam"));
    talk(&t, &talk_secret, TALK("\5\1\2\1\7Aladdin\13open sesam"));
    om_proxy_fini(&t.p);
    CHECK(!holds(&t.p, "open"));
}

/* Each user with each password: only the whole pair fits. The longest ones are whole too. */
OM_TEST(proxy_auth_wants_both_whole)
{
    char name[OM_PROXY_SECRET_MAX + 1], in[600];
    struct om_proxy_config c = {name, name, false};
    struct talk t;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(in, 'n', sizeof in);
    memcpy(in, "\5\1\2\1\377", 5);
    in[5 + OM_PROXY_SECRET_MAX] = '\377';
    struct om_bytes whole = om_bytes(in, 6 + 2 * OM_PROXY_SECRET_MAX);
    talk(&t, &c, whole);
    CHECK_EQ(t.p.state, OM_PROXY_NEED_MORE);
    CHECK_MEM(t.out, "\5\2\1\0", 4);
    for (size_t i = 5; i < whole.n; i++) {
        if (i == 5 + OM_PROXY_SECRET_MAX)
            continue;
        in[i] = 'm';
        talk_fails(&t, &c, whole, TALK("\5\2\1\1"));
        in[i] = 'n';
        i += i % 40;
    }
}
