/* proxy.c - the first byte, and what both protocols share. */
#include <omerta/proxy.h>

#include <sodium.h>

#include "http_connect.h"
#include "proxy_state.h"
#include "socks5.h"

void om_proxy_init(struct om_proxy *p, const struct om_proxy_config *c)
{
    OM_BUG_IF(om_proxy_config_check(c, NULL) != OM_OK);
    *p = (struct om_proxy){.config = c};
}

void om_proxy_fini(struct om_proxy *p)
{
    sodium_memzero(p, sizeof *p);
}

void om_proxy_put(struct om_proxy *p, struct om_bytes b)
{
    OM_BUG_IF(b.n > sizeof p->out - p->out_n);
    if (b.n > 0)
        memcpy(p->out + p->out_n, b.p, b.n);
    p->out_n += b.n;
}

void om_proxy_forget(struct om_proxy *p)
{
    sodium_memzero(p->in, p->in_n);
    p->in_n = 0;
}

void om_proxy_fail(struct om_proxy *p, const char *why)
{
    om_proxy_forget(p);
    p->state = OM_PROXY_FAILED;
    p->why = why;
}

/* Which protocol a connection that begins with @first speaks. */
static void recognize(struct om_proxy *p, uint8_t first)
{
    if (first == OM_SOCKS5_VERSION)
        p->protocol = OM_PROXY_SOCKS5;
    else if ((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z'))
        p->protocol = OM_PROXY_HTTP;
    else if (first == OM_SOCKS4_VERSION)
        om_socks4_refuse(p);
    else
        om_proxy_fail(p, "neither SOCKS5 nor HTTP");
}

size_t om_proxy_input(struct om_proxy *p, struct om_bytes in)
{
    size_t used = 0;

    if (p->state == OM_PROXY_NEED_MORE && p->protocol == OM_PROXY_UNKNOWN && in.n > 0)
        recognize(p, in.p[0]);
    if (p->state == OM_PROXY_NEED_MORE && p->protocol == OM_PROXY_SOCKS5)
        used = om_socks5_input(p, in);
    else if (p->state == OM_PROXY_NEED_MORE && p->protocol == OM_PROXY_HTTP)
        used = om_http_connect_input(p, in);
    return p->state == OM_PROXY_FAILED ? in.n : used;
}

struct om_bytes om_proxy_output(const struct om_proxy *p)
{
    return om_bytes(p->out + p->out_at, p->out_n - p->out_at);
}

void om_proxy_sent(struct om_proxy *p, size_t n)
{
    OM_BUG_IF(n > p->out_n - p->out_at);
    p->out_at += n;
    if (p->out_at == p->out_n)
        p->out_at = p->out_n = 0;
}

const char *om_proxy_result_text(enum om_proxy_result r)
{
    static const char *const texts[] = {
#define X(name, socks, status, phrase, text) text,
        OM_PROXY_RESULTS(X)
#undef X
    };

    return (unsigned)r < OM_PROXY_RESULT_COUNT ? texts[r] : "unknown";
}

void om_proxy_answer(struct om_proxy *p, enum om_proxy_result r, const struct om_addr *bound)
{
    OM_BUG_IF(p->state != OM_PROXY_WANTS_CONNECT && p->state != OM_PROXY_WANTS_UDP);
    OM_BUG_IF((unsigned)r >= OM_PROXY_RESULT_COUNT);
    if (p->protocol == OM_PROXY_SOCKS5)
        om_socks5_answer(p, r, bound);
    else
        om_http_connect_answer(p, r);
    if (r == OM_PROXY_OK)
        p->state = OM_PROXY_OPEN;
    else
        om_proxy_fail(p, om_proxy_result_text(r));
}
