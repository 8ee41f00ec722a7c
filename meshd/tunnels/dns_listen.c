/* dns_listen.c - programs that ask for names at a local port, over UDP and TCP. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netstack/dns/message.h"
#include "tunnels/dns.h"
#include "tunnels/udp_socket.h"

enum { BACKLOG = 32, FRAME = 2, PORT_TRIES = 16 };

/* A connection: messages with their length in front. */
struct stream {
    struct om_link link;
    struct tunnel_rule *rule;
    uv_tcp_t tcp;
    uv_timer_t idle;
    unsigned handles; /* not closed yet */
    unsigned under_way;
    bool is_paused, is_closing;
    uint8_t in[FRAME + OM_DNS_QUERY_MAX];
    size_t in_n;
};

/* A question of a program. */
struct client {
    struct om_link link;
    struct tunnel_rule *rule;
    struct stream *stream; /* NULL over UDP */
    struct om_addr from;   /* over UDP */
    struct om_dns_question question;
    bool is_question;
    struct dns_ask *ask;
};

struct answer {
    uv_write_t req;
    struct stream *stream;
    uint8_t bytes[];
};

static void on_stream_handle_closed(uv_handle_t *h)
{
    struct stream *s = h->data;

    if (--s->handles == 0)
        free(s);
}

static void drop_client(struct client *c)
{
    if (c->ask)
        tunnel_dns_cancel(c->ask);
    c->rule->open--;
    c->rule->tunnels->dns->client_count--;
    om_list_remove(&c->link);
    free(c);
}

static void close_stream(struct stream *s)
{
    struct tunnel_dns *dns = s->rule->tunnels->dns;

    if (s->is_closing)
        return;
    s->is_closing = true;
    for (struct om_link *l = om_list_first(&dns->clients), *next; l; l = next) {
        struct client *c = OM_CONTAINER_OF(l, struct client, link);
        next = om_list_next(&dns->clients, l);
        if (c->stream == s)
            drop_client(c);
    }
    om_list_remove(&s->link);
    dns->stream_count--;
    uv_close((uv_handle_t *)&s->tcp, on_stream_handle_closed);
    uv_close((uv_handle_t *)&s->idle, on_stream_handle_closed);
}

static void on_idle(uv_timer_t *t)
{
    struct stream *s = t->data;
    struct om_calls *calls = s->rule->tunnels->d->calls;

    close_stream(s);
    om_calls_kick(calls);
}

static void is_alive(struct stream *s)
{
    (void)uv_timer_start(&s->idle, on_idle, DNS_TCP_IDLE_MS, 0);
}

static int sockaddr_of(struct sockaddr_storage *out, const struct om_addr *a)
{
    char text[OM_IP_TEXT];

    (void)om_addr_ip_print(a->ip, text);
    return om_addr_is_v4(a) ? uv_ip4_addr(text, a->port, (struct sockaddr_in *)out)
                            : uv_ip6_addr(text, a->port, (struct sockaddr_in6 *)out);
}

/* Over UDP an answer that is too long for the program is cut to nothing: it asks again by TCP. */
static void say_udp(const struct client *c, struct om_bytes answer)
{
    uint8_t out[OM_DNS_UDP_LEAST];

    if (c->is_question)
        answer = om_dns_cut(om_mut(out, sizeof out), &c->question, answer);
    if (!tunnel_udp_socket_send(&c->rule->udp, &c->from, om_bytes(NULL, 0), answer))
        c->rule->failed++;
    else
        c->rule->received += answer.n;
}

static void read_more(struct stream *s);

static void on_written(uv_write_t *req, int status)
{
    struct answer *a = OM_CONTAINER_OF(req, struct answer, req);
    struct stream *s = a->stream;

    free(a);
    if (s->is_closing)
        return;
    if (status < 0) {
        close_stream(s);
        return;
    }
    s->under_way--;
    is_alive(s);
    read_more(s);
}

static bool say_tcp(struct stream *s, struct om_bytes answer)
{
    struct answer *a = malloc(sizeof *a + FRAME + answer.n);

    if (!a)
        return false;
    *a = (struct answer){.stream = s};
    a->bytes[0] = (uint8_t)(answer.n >> 8);
    a->bytes[1] = (uint8_t)answer.n;
    memcpy(a->bytes + FRAME, answer.p, answer.n);
    uv_buf_t v = uv_buf_init((char *)a->bytes, (unsigned)(FRAME + answer.n));
    s->rule->received += answer.n;
    if (uv_write(&a->req, (uv_stream_t *)&s->tcp, &v, 1, on_written) == 0)
        return true;
    free(a);
    return false;
}

static void say(struct client *c, struct om_bytes answer)
{
    struct stream *s = c->stream;

    if (!s)
        say_udp(c, answer);
    drop_client(c);
    if (s && !say_tcp(s, answer))
        close_stream(s);
}

static void on_told(void *self, struct om_bytes answer, const char *why)
{
    struct client *c = self;

    c->ask = NULL;
    if (why)
        tunnel_rule_fail(c->rule, why);
    else
        tunnel_rule_works(c->rule);
    say(c, answer);
}

static void ask(struct tunnel_rule *r, struct stream *s, const struct om_addr *from,
                struct om_bytes query)
{
    struct tunnels *t = r->tunnels;
    const struct om_dns_reply busy = {.rcode = OM_DNS_SERVFAIL, .why = "too many questions"};
    const struct dns_place where = {
        .network = r->network, .gateway = r->peers[0], .has_gateway = r->peer_count > 0};
    uint8_t out[OM_DNS_UDP_LEAST];
    struct client *c = calloc(1, sizeof *c);

    r->total++;
    r->sent += query.n;
    if (!c)
        return;
    c->rule = r;
    c->stream = s;
    if (from)
        c->from = *from;
    c->is_question = om_dns_question_parse(&c->question, query) == OM_DNS_BAD_NONE;
    om_list_push_back(&t->dns->clients, &c->link);
    t->dns->client_count++;
    r->open++;
    if (s)
        s->under_way++;
    c->ask = tunnel_dns_ask(t, &where, query, on_told, c);
    if (c->ask)
        return;
    r->failed++;
    if (c->is_question) {
        say(c, om_bytes(out, om_dns_reply_write(om_mut(out, sizeof out), &c->question, &busy)));
        return;
    }
    drop_client(c); /* no question at all: silence, or the end of a connection */
    if (s)
        close_stream(s);
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags OM_UNUSED)
{
    struct tunnel_rule *r = u->data;
    struct om_addr addr;

    if (!from)
        om_calls_kick(r->tunnels->d->calls);
    if (n <= 0 || !from || !tunnel_udp_socket_from(&addr, from))
        return;
    ask(r, NULL, &addr, om_bytes(buf->base, (size_t)n));
}

/* Asks what is whole in the buffer, as long as not too much is under way. */
static void take(struct stream *s)
{
    while (!s->is_closing && s->under_way < DNS_TCP_PIPELINE && s->in_n >= FRAME) {
        size_t n = (size_t)s->in[0] << 8 | s->in[1];
        uint8_t query[OM_DNS_QUERY_MAX];

        if (n > sizeof query) {
            s->rule->failed++;
            close_stream(s);
            return;
        }
        if (s->in_n < FRAME + n)
            return;
        memcpy(query, s->in + FRAME, n);
        s->in_n -= FRAME + n;
        memmove(s->in, s->in + FRAME + n, s->in_n);
        ask(s->rule, s, NULL, om_bytes(query, n));
    }
}

static void on_room(uv_handle_t *h, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    struct stream *s = h->data;

    *buf = uv_buf_init((char *)s->in + s->in_n, (unsigned)(sizeof s->in - s->in_n));
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf OM_UNUSED)
{
    struct stream *s = stream->data;
    struct om_calls *calls = s->rule->tunnels->d->calls;

    if (n < 0) {
        close_stream(s);
    } else if (n > 0) {
        s->in_n += (size_t)n;
        is_alive(s);
        read_more(s);
    }
    om_calls_kick(calls);
}

/* Behind a full pipeline nothing is read. */
static void read_more(struct stream *s)
{
    take(s);
    if (s->is_closing)
        return;
    bool is_full = s->under_way >= DNS_TCP_PIPELINE;
    if (is_full && !s->is_paused)
        (void)uv_read_stop((uv_stream_t *)&s->tcp);
    else if (!is_full && s->is_paused &&
             uv_read_start((uv_stream_t *)&s->tcp, on_room, on_bytes) < 0)
        close_stream(s);
    s->is_paused = is_full;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct tunnel_rule *r = listener->data;
    struct tunnel_dns *dns = r->tunnels->dns;
    struct stream *s = status == 0 ? calloc(1, sizeof *s) : NULL;

    if (!s)
        return;
    s->rule = r;
    s->tcp.data = s->idle.data = s;
    s->handles = 2;
    if (uv_tcp_init(listener->loop, &s->tcp) < 0) {
        free(s);
        return;
    }
    (void)uv_timer_init(listener->loop, &s->idle);
    om_list_push_back(&dns->streams, &s->link);
    dns->stream_count++;
    if (uv_accept(listener, (uv_stream_t *)&s->tcp) < 0 || dns->stream_count > DNS_TCP_MAX ||
        uv_read_start((uv_stream_t *)&s->tcp, on_room, on_bytes) < 0) {
        r->failed++;
        close_stream(s);
        return;
    }
    is_alive(s);
}

/* Port 0: one that is free for TCP and for UDP, of which the kernel knows only one at a time. */
static void choose_port(struct om_addr *at)
{
    for (int tries = 0; tries < PORT_TRIES && at->port == 0; tries++) {
        struct sockaddr_storage sa;
        socklen_t n = sizeof sa;
        if (sockaddr_of(&sa, at) != 0)
            return;
        int tcp = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int udp = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (bind(tcp, (const struct sockaddr *)&sa, n) == 0 &&
            getsockname(tcp, (struct sockaddr *)&sa, &n) == 0 &&
            bind(udp, (const struct sockaddr *)&sa, n) == 0)
            at->port = ntohs(((const struct sockaddr_in *)&sa)->sin_port);
        close(tcp);
        close(udp);
    }
}

bool tunnel_dns_listen(struct tunnel_rule *r, struct om_error *err)
{
    struct sockaddr_storage sa;
    char shown[OM_ADDR_TEXT], who[TUNNEL_WHO];
    int n = (int)sizeof sa, e = uv_tcp_init(&r->tunnels->d->loop, &r->listener);

    bool is_udp = false;

    choose_port(&r->listen);
    r->listener.data = r->udp.data = r;
    if (e == 0)
        e = sockaddr_of(&sa, &r->listen);
    if (e == 0)
        e = uv_tcp_bind(&r->listener, (const struct sockaddr *)&sa, 0);
    if (e == 0)
        e = uv_listen((uv_stream_t *)&r->listener, BACKLOG, on_connection);
    if (e == 0)
        e = uv_tcp_getsockname(&r->listener, (struct sockaddr *)&sa, &n);
    if (e == 0) { /* port 0: the kernel chose, and UDP takes the same */
        r->listen.port = ntohs(((const struct sockaddr_in *)&sa)->sin_port);
        e = tunnel_udp_socket_init(&r->tunnels->d->loop, &r->udp);
        is_udp = true;
    }
    if (e == 0)
        e = tunnel_udp_socket_bind(&r->udp, &r->listen, on_datagram);
    if (e == 0)
        return true;
    (void)om_fail(err, e == UV_EADDRINUSE ? OM_E_EXISTS : OM_E_STATE, "DNS %s: %s",
                  om_addr_print(&r->listen, shown),
                  e == UV_EADDRINUSE ? tunnel_who_listens(r, is_udp, who) : uv_strerror(e));
    return false;
}

void tunnel_dns_forget(struct tunnels *t, const struct tunnel_rule *rule)
{
    for (struct om_link *l = om_list_first(&t->dns->streams), *next; l; l = next) {
        struct stream *s = OM_CONTAINER_OF(l, struct stream, link);
        next = om_list_next(&t->dns->streams, l);
        if (s->rule == rule)
            close_stream(s);
    }
    for (struct om_link *l = om_list_first(&t->dns->clients), *next; l; l = next) {
        struct client *c = OM_CONTAINER_OF(l, struct client, link);
        next = om_list_next(&t->dns->clients, l);
        if (c->rule == rule)
            drop_client(c);
    }
}
