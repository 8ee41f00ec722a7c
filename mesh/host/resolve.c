/* resolve.c - uv_getaddrinfo(), and a timer for answers that need no question. */
#include "resolve.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct om_resolve {
    uv_getaddrinfo_t ask;
    uv_timer_t now; /* used for literals */
    om_resolve_fn done;
    void *self;
    uint16_t port;
    struct om_addr literal;
    bool is_cancelled;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_now(uv_timer_t *t)
{
    struct om_resolve *r = t->data;

    uv_close((uv_handle_t *)t, on_closed);
    if (!r->is_cancelled)
        r->done(r->self, &r->literal, 1, NULL);
}

static bool take(struct om_addr *out, const struct addrinfo *i, uint16_t port)
{
    if (i->ai_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, i->ai_addr, sizeof v4);
        *out = om_addr_v4(ntohl(v4.sin_addr.s_addr), port);
        return true;
    }
    if (i->ai_family != AF_INET6)
        return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, i->ai_addr, sizeof v6);
    memcpy(out->ip, &v6.sin6_addr, sizeof out->ip);
    out->port = port;
    return true;
}

static bool has(const struct om_addr *list, unsigned n, const struct om_addr *a)
{
    for (unsigned i = 0; i < n; i++)
        if (om_addr_equal(&list[i], a))
            return true;
    return false;
}

/* The families in turn, each in the order in which the resolver prefers them. */
static unsigned collect(const struct addrinfo *list, uint16_t port,
                        struct om_addr out[OM_RESOLVE_MAX])
{
    const struct addrinfo *next[2] = {list, list};
    unsigned n = 0;

    for (unsigned turn = 0; n < OM_RESOLVE_MAX && (next[0] || next[1]); turn = !turn) {
        const struct addrinfo **at = &next[turn];
        while (*at && ((*at)->ai_family == AF_INET6) != (turn == 0))
            *at = (*at)->ai_next;
        if (!*at)
            continue;
        struct om_addr a;
        if (take(&a, *at, port) && !has(out, n, &a))
            out[n++] = a;
        *at = (*at)->ai_next;
    }
    return n;
}

static void on_answer(uv_getaddrinfo_t *ask, int status, struct addrinfo *list)
{
    struct om_resolve *r = ask->data;
    struct om_addr addrs[OM_RESOLVE_MAX];
    unsigned n = status == 0 ? collect(list, r->port, addrs) : 0;

    if (!r->is_cancelled)
        r->done(r->self, addrs, n, status < 0 ? uv_strerror(status) : n ? NULL : "no address");
    uv_freeaddrinfo(list);
    free(r);
}

enum om_err om_resolve(struct om_resolve **out, uv_loop_t *loop, const char *host, uint16_t port,
                       om_resolve_fn done, void *self)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};

    if (strlen(host) >= OM_RESOLVE_HOST)
        return OM_E_RANGE;
    struct om_resolve *r = calloc(1, sizeof *r);
    if (!r)
        return OM_E_NO_MEM;
    r->done = done;
    r->self = self;
    r->port = port;
    r->ask.data = r->now.data = r;
    *out = r;
    if (om_addr_ip_parse(r->literal.ip, host)) {
        r->literal.port = port;
        (void)uv_timer_init(loop, &r->now); /* neither can fail */
        (void)uv_timer_start(&r->now, on_now, 0, 0);
        return OM_OK;
    }
    if (uv_getaddrinfo(loop, &r->ask, on_answer, host, NULL, &hints) == 0)
        return OM_OK;
    free(r);
    return OM_E_NO_MEM;
}

void om_resolve_cancel(struct om_resolve *r)
{
    r->is_cancelled = true;
    if (r->literal.port == 0)
        (void)uv_cancel((uv_req_t *)&r->ask); /* one that runs ends by itself */
}
