/* dial.c - connect to a host by TCP. */
#include "dial.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host/fds.h"
#include "host/resolve.h"

struct attempt {
    uv_connect_t req;
    struct om_dial *dial; /* NULL once it no longer matters */
    struct om_socket *socket;
};

struct om_dial {
    struct om_dial_config config;
    struct om_resolve *resolve; /* one of the two, while under way */
    struct om_dns_query *query;
    uv_timer_t next, limit;
    struct om_addr addrs[OM_DIAL_ADDRS_MAX];
    struct attempt *attempts[OM_DIAL_ADDRS_MAX]; /* under way */
    unsigned count, started, failed;
    int error;    /* of the last that failed */
    int handles;  /* not closed yet */
    bool is_over; /* done was called, or will not be */
};

const char *om_dial_word(enum om_dial_result r)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        OM_DIAL_RESULTS(X)
#undef X
    };

    return words[r];
}

const char *om_dial_text(enum om_dial_result r)
{
    static const char *const texts[] = {
#define X(name, word, text) text,
        OM_DIAL_RESULTS(X)
#undef X
    };

    return texts[r];
}

enum om_dial_result om_dial_result_of(const char *word)
{
#define X(name, is, text)                                                                          \
    if (strcmp(word, is) == 0)                                                                     \
        return OM_DIAL_##name;
    OM_DIAL_RESULTS(X)
#undef X
    return OM_DIAL_FAILURE;
}

static void on_closed(uv_handle_t *h)
{
    struct om_dial *d = h->data;

    if (--d->handles == 0)
        free(d);
}

static void take_down(struct om_dial *d)
{
    d->is_over = true;
    if (d->resolve)
        om_resolve_cancel(d->resolve);
    if (d->query)
        om_dns_query_cancel(d->query);
    for (unsigned i = 0; i < d->started; i++) {
        struct attempt *a = d->attempts[i];
        if (!a)
            continue;
        a->dial = NULL;
        om_socket_close(a->socket, false);
    }
    uv_close((uv_handle_t *)&d->next, on_closed);
    uv_close((uv_handle_t *)&d->limit, on_closed);
}

static void finish(struct om_dial *d, enum om_dial_result r, struct om_socket *socket)
{
    const struct om_dial_config c = d->config;

    take_down(d);
    c.done(c.self, r, socket);
}

void om_dial_cancel(struct om_dial *d)
{
    if (!d->is_over)
        take_down(d);
}

static enum om_dial_result result_of(int error)
{
    switch (error) {
    case UV_ECONNREFUSED:
        return OM_DIAL_REFUSED;
    case UV_ENETUNREACH:
    case UV_EHOSTUNREACH:
    case UV_EADDRNOTAVAIL:
        return OM_DIAL_UNREACHABLE;
    case UV_ETIMEDOUT:
        return OM_DIAL_TIMEOUT;
    case UV_EMFILE:
    case UV_ENFILE:
        return OM_DIAL_BUSY;
    default:
        return OM_DIAL_FAILURE;
    }
}

static void start_next(struct om_dial *d);

static void on_connected(uv_connect_t *req, int status)
{
    struct attempt *a = OM_CONTAINER_OF(req, struct attempt, req);
    struct om_dial *d = a->dial;
    struct om_socket *socket = a->socket;

    if (d)
        for (unsigned i = 0; i < d->started; i++)
            if (d->attempts[i] == a)
                d->attempts[i] = NULL;
    free(a);
    if (!d)
        return;
    if (status == 0) {
        (void)uv_tcp_nodelay(&socket->tcp, 1);
        (void)uv_tcp_keepalive(&socket->tcp, 1, OM_SOCKET_KEEPALIVE_S);
        finish(d, OM_DIAL_OK, socket);
        return;
    }
    om_socket_close(socket, false);
    d->error = status;
    d->failed++;
    start_next(d);
}

static int sockaddr_of(struct sockaddr_storage *out, const struct om_addr *a)
{
    char text[OM_IP_TEXT];

    (void)om_addr_ip_print(a->ip, text);
    return om_addr_is_v4(a) ? uv_ip4_addr(text, a->port, (struct sockaddr_in *)out)
                            : uv_ip6_addr(text, a->port, (struct sockaddr_in6 *)out);
}

static int begin(struct om_dial *d, const struct om_addr *to)
{
    struct attempt *a = calloc(1, sizeof *a);
    struct om_socket *s = calloc(1, sizeof *s);
    struct sockaddr_storage sa;
    unsigned family = om_addr_is_v4(to) ? AF_INET : AF_INET6;
    int e = a && s ? uv_tcp_init_ex(d->config.loop, &s->tcp, family) : UV_ENOMEM;
    uv_os_fd_t fd;

    if (e < 0) {
        free(s);
        free(a);
        return e;
    }
    a->dial = d;
    a->socket = s;
    e = uv_fileno(&s->handle, &fd);
    if (e == 0 && d->config.reserve > 0 && !om_fds_leave(fd, d->config.reserve))
        e = UV_EMFILE;
    if (e == 0)
        e = sockaddr_of(&sa, to);
    if (e == 0)
        e = uv_tcp_connect(&a->req, &s->tcp, (const struct sockaddr *)&sa, on_connected);
    if (e < 0) {
        om_socket_close(s, false);
        free(a);
        return e;
    }
    d->attempts[d->started] = a;
    return 0;
}

static void on_next(uv_timer_t *t)
{
    start_next(t->data);
}

static void start_next(struct om_dial *d)
{
    while (d->started < d->count) {
        unsigned i = d->started;
        d->attempts[i] = NULL;
        int e = begin(d, &d->addrs[i]);
        d->started++;
        if (e == 0) {
            (void)uv_timer_start(&d->next, on_next, OM_DIAL_NEXT_MS, 0);
            return;
        }
        d->error = e;
        d->failed++;
    }
    if (d->failed == d->count)
        finish(d, result_of(d->error), NULL);
}

/* Families in turn, beginning with that of the resolver's first. */
static void interleave(struct om_dial *d, const struct om_addr *addrs, unsigned count)
{
    unsigned at[2] = {0, 0};
    bool v4 = count > 0 && om_addr_is_v4(&addrs[0]);

    for (unsigned misses = 0; d->count < OM_DIAL_ADDRS_MAX && misses < 2; v4 = !v4) {
        unsigned *i = &at[v4];
        while (*i < count &&
               (om_addr_is_v4(&addrs[*i]) != v4 ||
                (d->config.is_allowed && !d->config.is_allowed(d->config.rules, &addrs[*i]))))
            (*i)++;
        if (*i < count) {
            d->addrs[d->count++] = addrs[(*i)++];
            misses = 0;
        } else {
            misses++;
        }
    }
}

enum om_dial_result om_dial_result_of_found(enum om_dns_found found)
{
    switch (found) {
    case OM_DNS_FOUND:
        return OM_DIAL_OK;
    case OM_DNS_NO_SUCH_HOST:
        return OM_DIAL_NO_SUCH_HOST;
    case OM_DNS_NO_ANSWER:
        return OM_DIAL_TIMEOUT;
    case OM_DNS_FAILED:
        break;
    }
    return OM_DIAL_FAILURE;
}

static void on_addrs(struct om_dial *d, enum om_dial_result r, const struct om_addr *addrs,
                     unsigned count)
{
    d->resolve = NULL;
    d->query = NULL;
    interleave(d, addrs, count);
    if (r != OM_DIAL_OK)
        finish(d, r, NULL);
    else if (d->count == 0)
        finish(d, OM_DIAL_NOT_ALLOWED, NULL);
    else
        start_next(d);
}

static void on_resolved(void *self, const struct om_addr *addrs, unsigned count,
                        const char *why OM_UNUSED)
{
    on_addrs(self, count > 0 ? OM_DIAL_OK : OM_DIAL_NO_SUCH_HOST, addrs, count);
}

static void on_answered(void *self, enum om_dns_found found, const struct om_addr *addrs,
                        unsigned count)
{
    on_addrs(self, om_dial_result_of_found(found), addrs, count);
}

static void on_limit(uv_timer_t *t)
{
    finish(t->data, OM_DIAL_TIMEOUT, NULL);
}

enum om_err om_dial(struct om_dial **out, const struct om_dial_config *config)
{
    struct om_dial *d = calloc(1, sizeof *d);

    if (!d)
        return OM_E_NO_MEM;
    d->config = *config;
    enum om_err e = config->names ? om_dns_exit_resolve(&d->query, config->names, &config->who,
                                                        config->host, config->port, on_answered, d)
                                  : om_resolve(&d->resolve, config->loop, config->host,
                                               config->port, on_resolved, d);
    if (e != OM_OK) {
        free(d);
        return e;
    }
    d->config.host = NULL; /* was borrowed */
    d->next.data = d->limit.data = d;
    (void)uv_timer_init(config->loop, &d->next);
    (void)uv_timer_init(config->loop, &d->limit);
    d->handles = 2;
    (void)uv_timer_start(&d->limit, on_limit, OM_DIAL_GIVE_UP_MS, 0);
    *out = d;
    return OM_OK;
}
