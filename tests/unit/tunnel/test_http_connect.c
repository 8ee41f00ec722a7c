/* test_http_connect.c - CONNECT, strictly, and what everything else is told. */
#include "talk.h"

#include <stdio.h>

#define END "\r\n\r\n"
#define ASK "CONNECT a.org:443 HTTP/1.1\r\n"

static const char established[] = "HTTP/1.1 200 Connection Established\r\n\r\n";

/* The client gets one whole response with @status and, unless NULL, @word in it. */
static void check_response(const struct talk *t, unsigned status, const char *word)
{
    char text[sizeof t->out + 1], line[32], length[48];

    memcpy(text, t->out, t->out_n);
    text[t->out_n] = '\0';
    (void)snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    CHECK(strncmp(text, line, strlen(line)) == 0);
    const char *body = strstr(text, END);
    CHECK(body != NULL);
    (void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body + 4));
    CHECK(strstr(text, length) != NULL);
    CHECK(strstr(text, "\r\nConnection: close\r\n") != NULL);
    CHECK(strlen(body + 4) > 10);
    CHECK(word == NULL || strstr(text, word) != NULL);
}

static void fails(const struct om_proxy_config *c, struct om_bytes in, unsigned status,
                  const char *word)
{
    struct talk t;

    talk(&t, c, in);
    CHECK_EQ(t.p.state, OM_PROXY_FAILED);
    CHECK(t.p.why != NULL);
    CHECK_EQ(t.used, in.n);
    check_response(&t, status, word);
    talk_any_cut(c, in);
}

OM_TEST(http_connect_takes_every_authority)
{
    struct talk t;

    talk_wants(&t, &talk_open, TALK("CONNECT example.org:443 HTTP/1.1" END), "example.org", 443);
    CHECK(t.p.target.is_name);
    CHECK_EQ(t.p.protocol, OM_PROXY_HTTP);
    talk_wants(&t, &talk_open, TALK("CONNECT 192.0.2.1:80 HTTP/1.0" END), "192.0.2.1", 80);
    CHECK(!t.p.target.is_name);
    talk_wants(&t, &talk_open, TALK("CONNECT [2001:db8::1]:65535 HTTP/1.1" END), "2001:db8::1",
               65535);
    CHECK(!t.p.target.is_name);
    talk_wants(&t, &talk_open, TALK("CONNECT a:1 HTTP/1.1\r\nHost: b:2" END), "a", 1);
    talk_wants(&t, &talk_open,
               TALK("CONNECT a:1 HTTP/1.1\r\nX:\r\nY: \t\r\nUser-Agent: \303\244" END), "a", 1);
}

OM_TEST(http_connect_any_cut_gives_the_same)
{
    struct om_bytes in = TALK(ASK "Host: a.org:443\r\nProxy-Connection: Keep-Alive" END "\26\3\1");
    struct talk t;

    talk(&t, &talk_open, in);
    CHECK_EQ(t.p.state, OM_PROXY_WANTS_CONNECT);
    CHECK_EQ(t.used, in.n - 3);
    CHECK_EQ(t.out_n, 0);
    CHECK_EQ(om_proxy_input(&t.p, TALK("\26")), 0);
    talk_any_cut(&talk_open, in);
    om_proxy_answer(&t.p, OM_PROXY_OK, NULL);
    talk_collect(&t);
    CHECK_EQ(t.p.state, OM_PROXY_OPEN);
    CHECK_EQ(om_proxy_input(&t.p, TALK("\26")), 0);
    CHECK_EQ(t.out_n, sizeof established - 1);
    CHECK_MEM(t.out, established, t.out_n);
}

OM_TEST(http_connect_refuses_bad_authorities)
{
    static const char *const bad[] = {
        "a",     "a:",     ":80",        "a:0",   "a:65536",    "a:080808", "a:+1", "a:-1",
        "a:1x",  "a:0x10", "::1:80",     "[::1]", "[::1:80",    "[a]:80",   "a/:1", "u@a:1",
        "a:b:1", "a%2e:1", "http://a:1", "a:1/",  "\303\244:1", "a\t:1",    "",     "*"};
    char in[128];

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        int n = snprintf(in, sizeof in, "CONNECT %s HTTP/1.1" END, bad[i]);
        fails(&talk_open, om_bytes(in, (size_t)n), 400, "HTTP/1.1");
    }
}

OM_TEST(http_connect_refuses_bad_lines)
{
    fails(&talk_open, TALK("CONNECT a:1 HTTP/1.1\n\n"), 400, "CR LF");
    fails(&talk_open, TALK("CONNECT a:1 HTTP/1.1\r\nA: b\n\r\n"), 400, "CR LF");
    fails(&talk_open, TALK("CONNECT a:1\r HTTP/1.1" END), 400, "CR LF");
    fails(&talk_open, TALK("CONNECT a:1 HTTP/1.1\r\r\n\r\n"), 400, "CR LF");
    fails(&talk_open, TALK("CONNECT a:1\0 HTTP/1.1" END), 400, "control");
    fails(&talk_open, TALK("CONNECT a:1\177 HTTP/1.1" END), 400, "control");
    fails(&talk_open, TALK("CONNECT a:1" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT  a:1 HTTP/1.1" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT a:1  HTTP/1.1" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT a:1 HTTP/1.1 " END), 400, NULL);
    fails(&talk_open, TALK("CONNECT\ta:1\tHTTP/1.1" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT a:1 http/1.1" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT a:1 HTTP/11" END), 400, NULL);
    fails(&talk_open, TALK("CONNECT a:1 HTTP/2.0" END), 505, "HTTP/1.1");
    fails(&talk_open, TALK("SSH-2.0-OpenSSH_9.2\r\n"), 400, NULL);
    fails(&talk_open, TALK("CON\"NECT a:1 HTTP/1.1" END), 400, NULL);
}

OM_TEST(http_connect_refuses_bad_headers)
{
    fails(&talk_open, TALK(ASK "A: b\r\n c" END), 400, "folded");
    fails(&talk_open, TALK(ASK "\tA: b" END), 400, "folded");
    fails(&talk_open, TALK(ASK "A : b" END), 400, "name: value");
    fails(&talk_open, TALK(ASK "A" END), 400, "name: value");
    fails(&talk_open, TALK(ASK ": b" END), 400, "name: value");
    fails(&talk_open, TALK(ASK "A\0: b" END), 400, "control");
    fails(&talk_open, TALK(ASK "A: b\0c" END), 400, "control");
    fails(&talk_open, TALK(ASK "A: b\1c" END), 400, "control");
    fails(&talk_open, TALK(ASK "A\303: b" END), 400, "name: value");
    fails(&talk_open, TALK(ASK "Content-Length: 0" END), 400, "content");
    fails(&talk_open, TALK(ASK "content-length: 4" END "abcd"), 400, "content");
    fails(&talk_open, TALK(ASK "TRANSFER-Encoding: chunked" END), 400, "content");
    fails(&talk_open, TALK(ASK "Proxy-Authorization: a\r\nproxy-authorization: a" END), 400, "two");
}

/* CONNECT with a host of such a length that the line has @n bytes; wanted or refused. */
static void line_of(size_t n, const char *method, unsigned status)
{
    char in[2048];
    size_t head = strlen(method);
    struct talk t;

    memset(in, 'a', sizeof in);
    memcpy(in, method, head);
    memcpy(in + n - 11, ":1 HTTP/1.1" END, 15);
    talk(&t, &talk_open, om_bytes(in, n + 4));
    CHECK_EQ(t.p.state, OM_PROXY_FAILED);
    check_response(&t, status, NULL);
    talk_start(&t, &talk_open);
    talk_feed(&t, om_bytes(in, n), 1, 1);
    CHECK_EQ(t.p.state == OM_PROXY_FAILED, n > OM_PROXY_LINE_MAX);
}

OM_TEST(http_connect_lines_are_bounded)
{
    line_of(OM_PROXY_LINE_MAX, "CONNECT ", 400); /* read whole: it is the name that is too long */
    line_of(OM_PROXY_LINE_MAX + 1, "CONNECT ", 414);
    line_of(OM_PROXY_LINE_MAX + 1, "GET ", 405);
    line_of(OM_PROXY_LINE_MAX + 1, "GETaaaaa", 400);
}

/* @lines headers of @each bytes with their ends, and the end. */
static void headers_of(unsigned lines, size_t each, bool fits)
{
    struct talk t;
    char h[OM_PROXY_HEADERS_MAX + 8];

    memset(h, 'a', sizeof h);
    h[1] = ':';
    memcpy(h + each - 2, "\r\n", 2);
    talk_start(&t, &talk_open);
    talk_feed(&t, TALK(ASK), 5, 3);
    for (unsigned i = 0; i < lines; i++)
        talk_feed(&t, om_bytes(h, each), each / 2, each);
    talk_feed(&t, TALK("\r\n"), 1, 1);
    CHECK_EQ(t.p.state, fits ? OM_PROXY_WANTS_CONNECT : OM_PROXY_FAILED);
    if (!fits)
        check_response(&t, 431, "100");
}

OM_TEST(http_connect_headers_are_bounded)
{
    headers_of(OM_PROXY_HEADER_LINES_MAX, 6, true);
    headers_of(OM_PROXY_HEADER_LINES_MAX + 1, 6, false);
    headers_of(1, OM_PROXY_HEADERS_MAX - 2, true);
    headers_of(1, OM_PROXY_HEADERS_MAX - 1, false);
    headers_of(4, OM_PROXY_HEADERS_MAX / 4 - 1, true);
    headers_of(4, OM_PROXY_HEADERS_MAX / 4, false);
}

OM_TEST(http_connect_wants_the_password)
{
    static const char *const wrong[] = {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZg==",
                                        "Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
                                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=",
                                        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==x",
                                        "Basic QWxhZGRpbg==",
                                        "Basic OnA=",
                                        "Basic ",
                                        "Basic",
                                        "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                                        "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                                        "Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                                        "Basic ====",
                                        ""};
    char in[256];
    struct talk t;

    talk_wants(&t, &talk_secret,
               TALK(ASK "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" END), "a.org",
               443);
    talk_wants(&t, &talk_secret,
               TALK(ASK "proxy-AUTHORIZATION:bASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ== \t" END), "a.org",
               443);
    talk_wants(&t, &talk_open, TALK(ASK "Proxy-Authorization: Basic QWxhZGRpbg==" END), "a.org",
               443);
    fails(&talk_secret, TALK(ASK "\r\n"), 407, "\r\nProxy-Authenticate: Basic realm=");
    fails(&talk_secret, TALK(ASK "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" END), 407,
          NULL);
    for (size_t i = 0; i < OM_ARRAY_SIZE(wrong); i++) {
        int n = snprintf(in, sizeof in, ASK "Proxy-Authorization: %s" END, wrong[i]);
        fails(&talk_secret, om_bytes(in, (size_t)n), 407, "user and a password");
    }
}

/* Credentials that go on past the buffer are nobody's, even where the password is its start. */
OM_TEST(http_connect_cut_credentials_are_wrong)
{
    char in[2 * OM_PROXY_LINE_MAX];
    int n = snprintf(in, sizeof in, ASK "Proxy-Authorization: Basic %s%*s x" END,
                     "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", OM_PROXY_LINE_MAX, "");

    fails(&talk_secret, om_bytes(in, (size_t)n), 407, NULL);
}

OM_TEST(http_connect_names_the_right_use)
{
    fails(&talk_open, TALK("GET http://a.org/ HTTP/1.1" END), 405, "socks5h://HOST:PORT");
    fails(&talk_open, TALK("GET / HTTP/1.1\r\n"), 405, "\r\nAllow: CONNECT\r\n");
    fails(&talk_secret, TALK("POST / HTTP/1.1" END), 405, "--proxytunnel");
    fails(&talk_open, TALK("connect a:1 HTTP/1.1" END), 405, NULL);
}

OM_TEST(http_connect_answers_with_a_sentence)
{
    static const struct {
        enum om_proxy_result r;
        unsigned status;
    } rows[] = {{OM_PROXY_FAILURE, 502},      {OM_PROXY_NOT_ALLOWED, 403}, {OM_PROXY_TTL, 502},
                {OM_PROXY_NO_SUCH_HOST, 502}, {OM_PROXY_REFUSED, 502},     {OM_PROXY_TIMEOUT, 504},
                {OM_PROXY_UNREACHABLE, 502}};
    struct talk t;

    static_assert(OM_ARRAY_SIZE(rows) == OM_PROXY_RESULT_COUNT - 1, "each but OM_PROXY_OK");
    for (size_t i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        talk(&t, &talk_open, TALK(ASK "\r\n"));
        om_proxy_answer(&t.p, rows[i].r, NULL);
        talk_collect(&t);
        CHECK_EQ(t.p.state, OM_PROXY_FAILED);
        check_response(&t, rows[i].status, om_proxy_result_text(rows[i].r));
    }
}
