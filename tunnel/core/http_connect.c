/* http_connect.c - bytes into lines, and one sentence back. */
#include "http_connect.h"

#include <stdio.h>

#include <omerta/text.h>

#include "proxy_auth.h"
#include "proxy_state.h"

enum { REQUEST_LINE, HEADER }; /* om_proxy.stage */

/* Header lines that only one response has. */
static const char allow[] = "Allow: CONNECT\r\n";
static const char challenge[] = "Proxy-Authenticate: Basic realm=\"omerta\", charset=\"UTF-8\"\r\n";

struct status {
    unsigned code;
    const char *phrase, *text;
};

static const struct status results[] = {
#define X(name, socks, status, phrase, text) {status, phrase, text},
    OM_PROXY_RESULTS(X)
#undef X
};

static const struct status wrong_use = {
    405, "Method Not Allowed",
    "this port is a proxy: use it as SOCKS5, or over HTTP with CONNECT, for example\n"
    "curl --proxy socks5h://HOST:PORT or curl --proxytunnel --proxy http://HOST:PORT"};
static const struct status no_password = {407, "Proxy Authentication Required",
                                          "this proxy wants a user and a password"};
static const struct status line_too_long = {414, "URI Too Long",
                                            "the request line is longer than 1024 bytes"};
static const struct status headers_too_long = {
    431, "Request Header Fields Too Large", "more than 100 header lines, or than 16 KiB of them"};
static_assert(OM_PROXY_LINE_MAX == 1024 && OM_PROXY_HEADER_LINES_MAX == 100 &&
                  OM_PROXY_HEADERS_MAX == 16 * 1024,
              "the two sentences above say so");
static const struct status version = {505, "HTTP Version Not Supported", "want HTTP/1.1"};

static struct om_bytes text(const char *t)
{
    return om_bytes(t, strlen(t));
}

/* RFC 9110 section 5.6.2. */
static bool in_token(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct om_bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if (!in_token(b.p[i]))
            return false;
    return b.n > 0;
}

static bool is_word(struct om_bytes b, const char *word)
{
    size_t n = strlen(word);

    if (b.n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = b.p[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != word[i])
            return false;
    }
    return true;
}

/* What is before the first @c of @b, which is moved past it; all of it when there is none. */
static struct om_bytes cut(struct om_bytes *b, uint8_t c)
{
    const uint8_t *at = b->n > 0 ? memchr(b->p, c, b->n) : NULL;
    struct om_bytes head = om_bytes(b->p, at ? (size_t)(at - b->p) : b->n);
    size_t used = head.n + (at ? 1 : 0);

    if (used > 0)
        *b = om_bytes(b->p + used, b->n - used);
    return head;
}

static void respond(struct om_proxy *p, const struct status *s, const char *more)
{
    char out[OM_PROXY_OUT_MAX];
    int n = snprintf(out, sizeof out,
                     "HTTP/1.1 %u %s\r\n%sContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                     s->code, s->phrase, more, strlen(s->text) + 1, s->text);

    OM_BUG_IF(n < 0 || (size_t)n >= sizeof out);
    om_proxy_put(p, om_bytes(out, (size_t)n));
}

static void refuse(struct om_proxy *p, const struct status *s, const char *more)
{
    respond(p, s, more);
    om_proxy_fail(p, s->text);
}

static void refuse_bad(struct om_proxy *p, const char *why)
{
    const struct status bad = {400, "Bad Request", why};

    refuse(p, &bad, "");
}

void om_http_connect_answer(struct om_proxy *p, enum om_proxy_result r)
{
    if (r == OM_PROXY_OK) /* RFC 9110 section 9.3.6: no length, for what follows is the tunnel */
        om_proxy_put(p, text("HTTP/1.1 200 Connection Established\r\n\r\n"));
    else
        respond(p, &results[r], "");
}

/* host:port or [v6]:port; a port has no default here. */
static bool read_authority(struct om_target *out, struct om_bytes a)
{
    const uint8_t *colon = NULL;
    char digits[sizeof "65535"] = "";
    uint64_t port = 0;

    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] == ':')
            colon = a.p + i;
    if (!colon)
        return false;
    size_t host = (size_t)(colon - a.p), n = a.n - host - 1;
    if (n >= sizeof digits || memchr(colon, '\0', n + 1))
        return false;
    memcpy(digits, colon + 1, n);
    if (om_u64_parse(&port, digits, UINT16_MAX, NULL) != OM_OK || port == 0)
        return false;
    return om_target_from_text(out, om_bytes(a.p, host), (uint16_t)port);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_version(struct om_bytes b)
{
    return b.n == 8 && memcmp(b.p, "HTTP/", 5) == 0 && is_digit(b.p[5]) && b.p[6] == '.' &&
           is_digit(b.p[7]);
}

/* The request line, or as much of it as there is room for. */
static void request_line(struct om_proxy *p)
{
    struct om_bytes rest = om_bytes(p->in, p->in_n);
    struct om_bytes method = cut(&rest, ' ');
    bool is_whole = method.n < p->in_n;

    if (!is_whole || !is_token(method)) {
        refuse_bad(p, "this is no request of HTTP");
        return;
    }
    if (method.n != 7 || memcmp(method.p, "CONNECT", 7) != 0) {
        refuse(p, &wrong_use, allow);
        return;
    }
    if (p->is_cut) {
        refuse(p, &line_too_long, "");
        return;
    }
    struct om_bytes authority = cut(&rest, ' ');
    if (!is_version(rest))
        refuse_bad(p, "want CONNECT host:port HTTP/1.1");
    else if (rest.p[5] != '1')
        refuse(p, &version, "");
    else if (!read_authority(&p->target, authority))
        refuse_bad(p, "want CONNECT host:port or [IPv6 address]:port, the port from 1 to 65535");
    else
        p->stage = HEADER;
}

static struct om_bytes trim(struct om_bytes b)
{
    while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
        b = om_bytes(b.p + 1, b.n - 1);
    while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
        b.n--;
    return b;
}

/* The value of Proxy-Authorization: scheme, spaces, token. */
static void credentials(struct om_proxy *p, struct om_bytes value)
{
    struct om_bytes scheme = cut(&value, ' ');

    if (p->has_credentials)
        refuse_bad(p, "two headers Proxy-Authorization");
    else if (!p->is_cut && om_proxy_auth_is_on(p->config) && is_word(scheme, "basic"))
        p->is_authorized = om_proxy_auth_basic(p->config, trim(value));
    p->has_credentials = true;
}

static void header(struct om_proxy *p)
{
    struct om_bytes value = om_bytes(p->in, p->in_n), name = cut(&value, ':');

    if (p->in[0] == ' ' || p->in[0] == '\t')
        refuse_bad(p, "a folded header line");
    else if (name.n == p->in_n || !is_token(name))
        refuse_bad(p, "a header line that is not name: value");
    else if (is_word(name, "content-length") || is_word(name, "transfer-encoding"))
        refuse_bad(p, "a CONNECT with content");
    else if (is_word(name, "proxy-authorization"))
        credentials(p, trim(value));
}

static void end_of_headers(struct om_proxy *p)
{
    if (om_proxy_auth_is_on(p->config) && !p->is_authorized)
        refuse(p, &no_password, challenge);
    else
        p->state = OM_PROXY_WANTS_CONNECT;
}

static void line(struct om_proxy *p)
{
    if (p->stage == REQUEST_LINE)
        request_line(p);
    else if (p->in_n == 0)
        end_of_headers(p);
    else if (++p->lines > OM_PROXY_HEADER_LINES_MAX)
        refuse(p, &headers_too_long, "");
    else
        header(p);
    om_proxy_forget(p);
    p->is_cut = false;
}

static void byte(struct om_proxy *p, uint8_t c)
{
    bool was_cr = p->is_cr;

    p->is_cr = c == '\r';
    if (p->stage == HEADER && ++p->headers_bytes > OM_PROXY_HEADERS_MAX) {
        refuse(p, &headers_too_long, "");
    } else if (was_cr != (c == '\n')) {
        refuse_bad(p, "a line must end in CR LF");
    } else if (was_cr) {
        line(p);
    } else if (c == 0x7f || (c < ' ' && c != '\t' && c != '\r')) {
        refuse_bad(p, "a control character");
    } else if (c != '\r' && p->in_n < sizeof p->in) {
        p->in[p->in_n++] = c;
    } else if (c != '\r') {
        p->is_cut = true;
        if (p->stage == REQUEST_LINE)
            line(p);
    }
}

size_t om_http_connect_input(struct om_proxy *p, struct om_bytes in)
{
    struct om_rd r = om_rd(in);

    while (p->state == OM_PROXY_NEED_MORE && om_rd_left(&r) > 0)
        byte(p, om_rd_u8(&r));
    return in.n - om_rd_left(&r);
}
