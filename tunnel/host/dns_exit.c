/* dns_exit.c - questions to resolvers: by UDP, by TCP when the answer is cut, or from memory. */
#include "dns_exit.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <omerta/list.h>

#include "asker.h"
#include "host/clock.h"
#include "netstack/dns/cache.h"

#define SYSTEMS "/etc/resolv.conf"

/* A zone transfer is many messages; nobody asks for one through here. */
enum { TYPE_IXFR = 251, TYPE_META_LAST = 254, HOST_MAX = 255 };

enum way { UDP, TCP, HOSTS, WAYS };

/* UDP is told not to ask again over TCP: c-ares would take its own idea of how long an answer may
 * be, and take EDNS away from a message that it did not write. */
static const int flags_of[WAYS] = {
    [UDP] = ARES_FLAG_IGNTC | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
    [TCP] = ARES_FLAG_USEVC | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
    [HOSTS] = ARES_FLAG_EDNS};

struct om_dns_exit {
    uv_loop_t *loop;
    struct om_rng rng;
    struct om_addr upstreams[OM_DNS_UPSTREAMS_MAX];
    unsigned upstream_count;
    struct om_asker *askers[WAYS]; /* NULL: could not be opened again */
    struct om_asker *old[WAYS];    /* for what was under way when the network changed */
    struct om_dns_cache cache;
    struct om_list queries; /* not freed yet */
    unsigned count;         /* of them */
    unsigned known;         /* of them, who asked for an address, and needs nobody */
    uv_timer_t again;
    om_time looked;      /* at the system's configuration, and what it was then */
    struct stat systems; /* zero: there was none */
    bool is_closed;
};

struct om_dns_query {
    struct om_link link;
    struct om_dns_exit *exit;
    struct om_id who; /* asks */
    om_dns_answered answered;
    om_dns_resolved resolved;
    void *self;
    struct om_dns_question question; /* with the id of who asks */
    uint16_t id;                     /* with which it is sent */
    uint8_t *answer;                 /* owned: it was known at once */
    size_t answer_n;
    char host[HOST_MAX + 1];
    struct om_addr literal; /* what host is, if it is no name */
    bool is_literal;
    uint16_t port;
    uv_timer_t limit;
    unsigned pending; /* answers of c-ares that will come, whatever we do */
    bool is_over;     /* done was called, or will not be */
    bool is_closed;   /* its timer */
};

static void free_exit(struct om_dns_exit *x)
{
    if (!x->is_closed || x->count > 0)
        return;
    om_dns_cache_fini(&x->cache);
    free(x);
}

static void free_query(struct om_dns_query *q)
{
    struct om_dns_exit *x = q->exit;
    bool is_literal = q->is_literal;

    if (!q->is_closed || q->pending > 0)
        return;
    om_list_remove(&q->link);
    free(q->answer);
    free(q);
    x->count--;
    x->known -= is_literal;
    free_exit(x);
}

static void on_limit_closed(uv_handle_t *h)
{
    struct om_dns_query *q = h->data;

    q->is_closed = true;
    free_query(q);
}

void om_dns_query_cancel(struct om_dns_query *q)
{
    if (q->is_over)
        return;
    q->is_over = true;
    uv_close((uv_handle_t *)&q->limit, on_limit_closed);
}

static void answer(struct om_dns_query *q, struct om_bytes bytes)
{
    om_dns_query_cancel(q);
    q->answered(q->self, bytes);
}

static void answer_rcode(struct om_dns_query *q, enum om_dns_rcode rcode)
{
    uint8_t out[OM_DNS_UDP_LEAST];
    const struct om_dns_reply r = {.rcode = rcode};

    answer(q, om_bytes(out, om_dns_reply_write(om_mut(out, sizeof out), &q->question, &r)));
}

static void found(struct om_dns_query *q, enum om_dns_found how, const struct om_addr *addrs,
                  unsigned count)
{
    om_dns_query_cancel(q);
    q->resolved(q->self, how, addrs, count);
}

static void on_limit(uv_timer_t *t)
{
    struct om_dns_query *q = t->data;

    if (q->answer)
        answer(q, om_bytes(q->answer, q->answer_n));
    else if (q->answered)
        answer_rcode(q, OM_DNS_SERVFAIL);
    else if (q->is_literal)
        found(q, OM_DNS_FOUND, &q->literal, 1);
    else
        found(q, OM_DNS_NO_ANSWER, NULL, 0);
}

/* Has the system's configuration changed since we looked? */
static bool look(struct om_dns_exit *x)
{
    struct stat was = x->systems, *is = &x->systems;

    if (stat(SYSTEMS, is) < 0)
        *is = (struct stat){0};
    return is->st_ino != was.st_ino || is->st_size != was.st_size ||
           is->st_mtim.tv_sec != was.st_mtim.tv_sec || is->st_mtim.tv_nsec != was.st_mtim.tv_nsec;
}

/* Whoever writes it does so some time after the network has changed, or without any change. */
static void look_again(struct om_dns_exit *x)
{
    om_time now = om_clock_now();

    if (x->upstream_count > 0 || now - x->looked < OM_MS(OM_DNS_LOOK_MS))
        return;
    x->looked = now;
    if (look(x))
        om_dns_exit_again(x, NULL, 0);
}

/* Has @who as many places as are free? What was cancelled has one until c-ares is done with it. */
static bool is_full_for(struct om_dns_exit *x, const struct om_id *who)
{
    unsigned taken = x->count - x->known, own = 0;

    for (struct om_link *l = om_list_first(&x->queries); l; l = om_list_next(&x->queries, l)) {
        const struct om_dns_query *q = OM_CONTAINER_OF(l, struct om_dns_query, link);
        own += !q->is_literal && om_id_equal(&q->who, who);
    }
    return taken >= OM_DNS_QUERIES_MAX || own >= OM_DNS_QUERIES_MAX - taken;
}

static struct om_dns_query *new_query(struct om_dns_exit *x, const struct om_id *who, void *self)
{
    struct om_dns_query *q = calloc(1, sizeof *q);

    if (!q)
        return NULL;
    look_again(x);
    q->exit = x;
    q->who = *who;
    q->self = self;
    q->limit.data = q;
    (void)uv_timer_init(x->loop, &q->limit);
    (void)uv_timer_start(&q->limit, on_limit, OM_DNS_GIVE_UP_MS, 0);
    om_list_push_back(&x->queries, &q->link);
    x->count++;
    return q;
}

static bool is_whole(struct om_bytes message)
{
    struct om_dns_question q;
    struct om_dns_record rec;
    struct om_dns_walk w;

    if (om_dns_walk_start(&w, &q, message) != OM_DNS_BAD_NONE)
        return false;
    while (om_dns_walk_next(&w, &rec))
        ;
    return w.bad == OM_DNS_BAD_NONE;
}

static void send_by(struct om_dns_query *q, enum way way);

/* What a resolver said; @b is changed: it gets the id of who asked. */
static void take(struct om_dns_query *q, struct om_mut b, bool is_tcp)
{
    struct om_dns_question as_sent = q->question;
    const struct om_bytes message = om_bytes(b.p, b.n);

    as_sent.id = q->id;
    if (!om_dns_is_answer(&as_sent, message)) {
        answer_rcode(q, OM_DNS_SERVFAIL);
        return;
    }
    if (!is_tcp && (om_load32(b.p) & OM_DNS_TC)) {
        send_by(q, TCP);
        return;
    }
    if (!is_whole(message)) {
        answer_rcode(q, OM_DNS_SERVFAIL);
        return;
    }
    struct om_wr w = om_wr(b);
    om_wr_u16(&w, q->question.id);
    (void)om_dns_cache_put(&q->exit->cache, om_clock_now(), &q->question, message);
    answer(q, message);
}

static void on_answer(struct om_dns_query *q, int status, unsigned char *bytes, int n, bool is_tcp)
{
    q->pending--;
    if (q->is_over)
        free_query(q);
    else if (status == ARES_SUCCESS && bytes && n > 0)
        take(q, om_mut(bytes, (size_t)n), is_tcp);
    else /* no resolver answered, or none was willing */
        answer_rcode(q, OM_DNS_SERVFAIL);
}

static void on_udp(void *self, int status, int timeouts OM_UNUSED, unsigned char *bytes, int n)
{
    on_answer(self, status, bytes, n, false);
}

static void on_tcp(void *self, int status, int timeouts OM_UNUSED, unsigned char *bytes, int n)
{
    on_answer(self, status, bytes, n, true);
}

static void send_by(struct om_dns_query *q, enum way way)
{
    struct om_asker *asker = q->exit->askers[way];
    struct om_dns_question as_sent = q->question;
    uint8_t out[OM_DNS_QUERY_MAX];

    if (!asker) {
        answer_rcode(q, OM_DNS_SERVFAIL);
        return;
    }
    as_sent.id = q->id;
    size_t n = om_dns_question_write(om_mut(out, sizeof out), &as_sent);
    q->pending++;
    om_asker_send(asker, om_bytes(out, n), way == TCP ? on_tcp : on_udp, q);
}

/* It may answer before it returns, where done may not be called: so a turn of the loop comes first,
 * for all of them. */
static void on_begin(uv_timer_t *t)
{
    struct om_dns_query *q = t->data;

    (void)uv_timer_start(t, on_limit, OM_DNS_GIVE_UP_MS, 0);
    send_by(q, UDP);
}

static bool is_meta(const struct om_dns_question *q)
{
    return q->type >= TYPE_IXFR && q->type <= TYPE_META_LAST;
}

/* Answers @q from what is known here, if it can. */
static void answer_at_once(struct om_dns_query *q)
{
    const struct om_dns_reply no = {.rcode = OM_DNS_NOTIMP};
    uint8_t *out = malloc(OM_DNS_CACHED_MAX);

    if (!out)
        return;
    const struct om_mut room = om_mut(out, OM_DNS_CACHED_MAX);
    size_t n = is_meta(&q->question)
                   ? om_dns_reply_write(room, &q->question, &no)
                   : om_dns_cache_get(&q->exit->cache, om_clock_now(), &q->question, room);
    if (n == 0) {
        free(out);
        return;
    }
    q->answer = out;
    q->answer_n = n;
}

enum om_err om_dns_exit_ask(struct om_dns_query **out, struct om_dns_exit *x,
                            const struct om_id *who, struct om_bytes query, om_dns_answered done,
                            void *self)
{
    struct om_dns_question question;

    if (query.n > OM_DNS_QUERY_MAX || om_dns_question_parse(&question, query) != OM_DNS_BAD_NONE)
        return OM_E_PARSE;
    if (is_full_for(x, who))
        return OM_E_FULL;
    struct om_dns_query *q = new_query(x, who, self);
    if (!q)
        return OM_E_NO_MEM;
    q->question = question;
    q->answered = done;
    om_rng_fill(&x->rng, &q->id, sizeof q->id);
    answer_at_once(q);
    (void)uv_timer_start(&q->limit, q->answer ? on_limit : on_begin, 0, 0);
    *out = q;
    return OM_OK;
}

static enum om_dns_found found_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
    case ARES_EBADNAME:
        return OM_DNS_NO_SUCH_HOST;
    case ARES_ETIMEOUT:
        return OM_DNS_NO_ANSWER;
    default:
        return OM_DNS_FAILED;
    }
}

static bool read_node(struct om_addr *out, const struct ares_addrinfo_node *node, uint16_t port)
{
    if (node->ai_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, node->ai_addr, sizeof v4);
        *out = om_addr_v4(ntohl(v4.sin_addr.s_addr), port);
        return true;
    }
    if (node->ai_family != AF_INET6)
        return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, node->ai_addr, sizeof v6);
    *out = (struct om_addr){.port = port};
    memcpy(out->ip, &v6.sin6_addr, sizeof out->ip);
    return true;
}

static void on_addrs(void *self, int status, int timeouts OM_UNUSED, struct ares_addrinfo *info)
{
    struct om_dns_query *q = self;
    struct om_addr addrs[OM_DNS_FOUND_MAX];
    unsigned n = 0;

    q->pending--;
    if (q->is_over) {
        ares_freeaddrinfo(info);
        free_query(q);
        return;
    }
    if (status == ARES_SUCCESS && info)
        for (const struct ares_addrinfo_node *i = info->nodes; i && n < OM_DNS_FOUND_MAX;
             i = i->ai_next)
            n += read_node(&addrs[n], i, q->port);
    ares_freeaddrinfo(info);
    found(q, n > 0 ? OM_DNS_FOUND : found_of(status), addrs, n);
}

static void on_resolve(uv_timer_t *t)
{
    struct om_dns_query *q = t->data;
    struct om_asker *hosts = q->exit->askers[HOSTS];

    (void)uv_timer_start(t, on_limit, OM_DNS_GIVE_UP_MS, 0);
    if (!hosts) {
        found(q, OM_DNS_FAILED, NULL, 0);
        return;
    }
    q->pending++;
    om_asker_resolve(hosts, q->host, on_addrs, q);
}

enum om_err om_dns_exit_resolve(struct om_dns_query **out, struct om_dns_exit *x,
                                const struct om_id *who, const char *host, uint16_t port,
                                om_dns_resolved done, void *self)
{
    struct om_addr literal = {.port = port};
    bool is_literal = om_addr_ip_parse(literal.ip, host);

    if (strlen(host) > HOST_MAX)
        return OM_E_RANGE;
    /* Whoever fills the places with names that nobody answers is not to stop what needs none. */
    if (!is_literal && is_full_for(x, who))
        return OM_E_FULL;
    struct om_dns_query *q = new_query(x, who, self);
    if (!q)
        return OM_E_NO_MEM;
    q->resolved = done;
    q->port = port;
    memcpy(q->host, host, strlen(host) + 1);
    q->is_literal = is_literal;
    q->literal = literal;
    x->known += is_literal;
    (void)uv_timer_start(&q->limit, q->is_literal ? on_limit : on_resolve, 0, 0);
    *out = q;
    return OM_OK;
}

static void close_askers(struct om_asker *askers[static WAYS])
{
    for (unsigned i = 0; i < WAYS; i++) {
        struct om_asker *a = askers[i];
        askers[i] = NULL; /* answers to what is under way come from within */
        om_asker_close(a);
    }
}

static enum om_err open_askers(struct om_dns_exit *x)
{
    struct om_asker_config config = {
        .loop = x->loop, .upstreams = x->upstreams, .count = x->upstream_count};

    for (unsigned i = 0; i < WAYS; i++) {
        config.flags = flags_of[i];
        enum om_err e = om_asker_open(&x->askers[i], &config);
        if (e != OM_OK) {
            close_askers(x->askers);
            return e;
        }
    }
    return OM_OK;
}

static void on_retire(uv_timer_t *t)
{
    struct om_dns_exit *x = t->data;

    close_askers(x->old);
}

static void on_again(uv_timer_t *t)
{
    struct om_dns_exit *x = t->data;

    close_askers(x->old);
    memcpy(x->old, x->askers, sizeof x->old);
    memset(x->askers, 0, sizeof x->askers);
    (void)!open_askers(x); /* without them all is SERVFAIL until the next change */
    (void)uv_timer_start(t, on_retire, OM_DNS_GIVE_UP_MS, 0);
}

enum om_err om_dns_exit_open(struct om_dns_exit **out, const struct om_dns_exit_config *config)
{
    struct om_dns_exit *x = calloc(1, sizeof *x);
    uint8_t key[OM_SIP_KEY];

    if (!x)
        return OM_E_NO_MEM;
    x->loop = config->loop;
    x->rng = config->rng;
    om_list_init(&x->queries);
    om_rng_fill(&x->rng, key, sizeof key);
    x->upstream_count = config->count;
    if (config->count > 0)
        memcpy(x->upstreams, config->upstreams, config->count * sizeof *config->upstreams);
    enum om_err e = om_dns_cache_init(&x->cache, key);
    if (e == OM_OK)
        e = open_askers(x);
    if (e != OM_OK) {
        om_dns_cache_fini(&x->cache);
        free(x);
        return e;
    }
    (void)look(x);
    x->looked = om_clock_now();
    x->again.data = x;
    (void)uv_timer_init(x->loop, &x->again);
    *out = x;
    return OM_OK;
}

void om_dns_exit_again(struct om_dns_exit *x, const struct om_addr *upstreams, unsigned count)
{
    uint8_t key[OM_SIP_KEY];
    struct om_dns_cache fresh;

    x->upstream_count = count;
    if (count > 0)
        memcpy(x->upstreams, upstreams, count * sizeof *upstreams);
    om_rng_fill(&x->rng, key, sizeof key);
    if (om_dns_cache_init(&fresh, key) == OM_OK) {
        om_dns_cache_fini(&x->cache);
        x->cache = fresh;
    }
    (void)uv_timer_start(&x->again, on_again, 0, 0);
}

static void on_again_closed(uv_handle_t *h)
{
    struct om_dns_exit *x = h->data;

    x->is_closed = true;
    free_exit(x);
}

void om_dns_exit_close(struct om_dns_exit *x)
{
    if (!x)
        return;
    for (struct om_link *l = om_list_first(&x->queries), *next; l; l = next) {
        next = om_list_next(&x->queries, l);
        om_dns_query_cancel(OM_CONTAINER_OF(l, struct om_dns_query, link));
    }
    close_askers(x->old);
    close_askers(x->askers);
    uv_close((uv_handle_t *)&x->again, on_again_closed);
}
