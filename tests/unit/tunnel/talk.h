/*
 * talk.h - a client's side of a conversation with a proxy, for the tests of tunnel/core
 *
 * What:  sends bytes cut at any place, collects what came back, and compares two such runs.
 */
#ifndef OM_TESTS_TALK_H
#define OM_TESTS_TALK_H

#include <omerta/proxy.h>

#include "harness.h"

#define TALK(literal) om_bytes(literal, sizeof(literal) - 1)

static const struct om_proxy_config talk_open = {.allow_udp = true};
static const struct om_proxy_config talk_secret = {"Aladdin", "open sesame", true};

/* Where a conversation has led. */
struct talk {
    struct om_proxy p;
    uint8_t out[2 * OM_PROXY_OUT_MAX];
    size_t out_n, used;
};

/* What the proxy says goes to out[], in pieces of at most 7 bytes. */
static inline void talk_collect(struct talk *t)
{
    struct om_bytes out = om_proxy_output(&t->p);

    while (out.n > 0) {
        size_t n = out.n < 7 ? out.n : 7;
        CHECK(n <= sizeof t->out - t->out_n);
        memcpy(t->out + t->out_n, out.p, n);
        t->out_n += n;
        om_proxy_sent(&t->p, n);
        out = om_proxy_output(&t->p);
    }
}

/* Feeds @in in pieces of @piece bytes, the first one of @first. */
static inline void talk_feed(struct talk *t, struct om_bytes in, size_t first, size_t piece)
{
    for (size_t at = 0, n = first; at < in.n; at += n, n = piece) {
        n = n < in.n - at ? n : in.n - at;
        size_t used = om_proxy_input(&t->p, om_bytes(in.p + at, n));
        CHECK(used <= n);
        t->used += used;
        talk_collect(t);
        if (used < n)
            return;
    }
}

/* A new client. */
static inline void talk_start(struct talk *t, const struct om_proxy_config *c)
{
    t->out_n = t->used = 0;
    om_proxy_init(&t->p, c);
}

/* A whole conversation of the client's bytes @in. */
static inline void talk(struct talk *t, const struct om_proxy_config *c, struct om_bytes in)
{
    talk_start(t, c);
    talk_feed(t, in, in.n, in.n);
}

/* Both have led to the same. */
static inline void talk_same(const struct talk *a, const struct talk *b)
{
    CHECK_EQ(a->p.state, b->p.state);
    CHECK_EQ(a->used, b->used);
    CHECK_EQ(a->out_n, b->out_n);
    CHECK_MEM(a->out, b->out, a->out_n);
    CHECK(a->p.why == b->p.why);
    CHECK_STR(a->p.target.host, b->p.target.host);
    CHECK_EQ(a->p.target.is_name, b->p.target.is_name);
    CHECK(om_addr_equal(&a->p.target.addr, &b->p.target.addr));
}

/* The same bytes with one cut at every place, and byte by byte, lead to the same as at once. */
static inline void talk_any_cut(const struct om_proxy_config *c, struct om_bytes in)
{
    struct talk whole, cut;

    talk(&whole, c, in);
    for (size_t at = 1; at < in.n; at++) {
        talk_start(&cut, c);
        talk_feed(&cut, in, at, in.n);
        talk_same(&whole, &cut);
    }
    talk_start(&cut, c);
    talk_feed(&cut, in, 1, 1);
    talk_same(&whole, &cut);
}

/* The client wants @host and @port, and all of @in was its request. */
static inline void talk_wants(struct talk *t, const struct om_proxy_config *c, struct om_bytes in,
                              const char *host, uint16_t port)
{
    talk(t, c, in);
    CHECK(t->p.why == NULL);
    CHECK(t->p.state == OM_PROXY_WANTS_CONNECT || t->p.state == OM_PROXY_WANTS_UDP);
    CHECK_EQ(t->used, in.n);
    CHECK_STR(t->p.target.host, host);
    CHECK_EQ(t->p.target.addr.port, port);
    talk_any_cut(c, in);
}

/* The client is told @out, and that was it. */
static inline void talk_fails(struct talk *t, const struct om_proxy_config *c, struct om_bytes in,
                              struct om_bytes out)
{
    talk(t, c, in);
    CHECK_EQ(t->p.state, OM_PROXY_FAILED);
    CHECK(t->p.why != NULL);
    CHECK_EQ(t->out_n, out.n);
    CHECK_MEM(t->out, out.p, out.n);
    CHECK_EQ(t->used, in.n);
    talk_any_cut(c, in);
}

#endif
