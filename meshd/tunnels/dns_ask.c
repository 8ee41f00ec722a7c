/* dns_ask.c - questions of programs here: our names, the cache, the gateway, in this order. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "host/clock.h"
#include "netstack/dns/cache.h"
#include "netstack/dns/zone.h"
#include "tunnels/dns.h"

struct dns_ask {
    struct om_link link;
    struct tunnels *tunnels;
    struct dns_place where;
    struct om_dns_question question;
    struct om_call_owner owner;
    dns_told done;
    void *self;
    uint8_t *answer; /* owned: known at once, or what came of it */
    size_t answer_n;
    char why[OM_DNS_WHY_MAX];
    uv_timer_t limit;
    bool is_known; /* the answer is whole */
};

/* What a gateway said is kept apart from what another one said: they may see different names. */
struct dns_kept {
    struct dns_place where;
    om_time used;
    struct om_dns_cache cache;
};

static void on_limit_closed(uv_handle_t *h)
{
    free(h->data);
}

void tunnel_dns_cancel(struct dns_ask *a)
{
    om_calls_hang_up(a->tunnels->d->calls, &a->owner, OM_CLOSE_CANCELLED);
    free(a->answer);
    a->answer = NULL;
    om_list_remove(&a->link);
    a->tunnels->dns->ask_count--;
    uv_close((uv_handle_t *)&a->limit, on_limit_closed);
}

static void free_kept(struct dns_kept *k)
{
    if (k)
        om_dns_cache_fini(&k->cache);
    free(k);
}

static bool is_same(const struct dns_place *a, const struct dns_place *b)
{
    return om_id_equal(&a->network, &b->network) && om_id_equal(&a->gateway, &b->gateway);
}

static struct dns_kept *new_kept(const struct dns_place *where)
{
    struct dns_kept *k = calloc(1, sizeof *k);
    uint8_t key[OM_SIP_KEY];

    randombytes_buf(key, sizeof key);
    if (!k || om_dns_cache_init(&k->cache, key) != OM_OK) {
        free(k);
        return NULL;
    }
    k->where = *where;
    return k;
}

/* The cache of @where, in the place of the one that was not asked for longest; NULL: none. */
static struct om_dns_cache *cache_of(struct tunnels *t, const struct dns_place *where)
{
    struct dns_kept **kept = t->dns->kept, **oldest = kept;

    if (*where->machine) /* it would learn what others asked */
        return NULL;
    for (unsigned i = 0; i < DNS_CACHES_MAX; i++) {
        if (kept[i] && is_same(&kept[i]->where, where)) {
            kept[i]->used = om_clock_now();
            return &kept[i]->cache;
        }
        if (!kept[i] || (*oldest && kept[i]->used < (*oldest)->used))
            oldest = &kept[i];
    }
    struct dns_kept *k = new_kept(where);
    if (!k)
        return NULL;
    k->used = om_clock_now();
    free_kept(*oldest);
    *oldest = k;
    return &k->cache;
}

static void tell(struct dns_ask *a, struct om_bytes answer)
{
    const dns_told done = a->done;
    void *self = a->self;
    uint8_t *bytes = a->answer; /* what @answer may lie in */
    char why[OM_DNS_WHY_MAX];

    memcpy(why, a->why, sizeof why);
    a->answer = NULL;
    tunnel_dns_cancel(a);
    done(self, answer, *why ? why : NULL);
    free(bytes);
}

static size_t write_no(struct om_mut out, const struct dns_ask *a, enum om_dns_rcode rcode)
{
    const struct om_dns_reply r = {.rcode = rcode, .why = *a->why ? a->why : NULL};

    return om_dns_reply_write(out, &a->question, &r);
}

static void tell_no(struct dns_ask *a, enum om_dns_rcode rcode, const char *why)
{
    uint8_t out[OM_DNS_UDP_LEAST];

    (void)om_text_escape(a->why, sizeof a->why, om_bytes(why, strlen(why)));
    tell(a, om_bytes(out, write_no(om_mut(out, sizeof out), a, rcode)));
}

static void on_limit(uv_timer_t *t)
{
    struct dns_ask *a = t->data;
    struct om_calls *calls = a->tunnels->d->calls;

    if (a->is_known)
        tell(a, om_bytes(a->answer, a->answer_n));
    else
        tell_no(a, OM_DNS_SERVFAIL, "the gateway does not answer");
    om_calls_kick(calls);
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    struct dns_ask *a = OM_CONTAINER_OF(o, struct dns_ask, owner);
    char why[256];

    if (r->is_ok)
        return;
    (void)snprintf(why, sizeof why, "%s: %.*s", r->error, (int)r->body.n, (const char *)r->body.p);
    tell_no(a, strcmp(r->error, "not_allowed") == 0 ? OM_DNS_REFUSED : OM_DNS_SERVFAIL, why);
}

/* All that the gateway said. */
static void take(struct dns_ask *a)
{
    const struct om_bytes answer = om_bytes(a->answer, a->answer_n);
    struct om_dns_cache *cache;
    struct om_dns_question q;
    struct om_dns_record rec;
    struct om_dns_walk w;

    if (!om_dns_is_answer(&a->question, answer) ||
        om_dns_walk_start(&w, &q, answer) != OM_DNS_BAD_NONE) {
        tell_no(a, OM_DNS_SERVFAIL, "the gateway's answer is none");
        return;
    }
    while (om_dns_walk_next(&w, &rec))
        ;
    if (w.bad != OM_DNS_BAD_NONE) {
        tell_no(a, OM_DNS_SERVFAIL, "the gateway's answer is broken");
        return;
    }
    cache = cache_of(a->tunnels, &a->where);
    if (cache)
        (void)om_dns_cache_put(cache, om_clock_now(), &a->question, answer);
    tell(a, answer);
}

static bool gather(struct dns_ask *a, struct om_bytes piece)
{
    if (piece.n > DNS_MESSAGE_MAX - a->answer_n)
        return false;
    uint8_t *whole = realloc(a->answer, a->answer_n + piece.n);
    if (!whole)
        return false;
    memcpy(whole + a->answer_n, piece.p, piece.n);
    a->answer = whole;
    a->answer_n += piece.n;
    return true;
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct dns_ask *a = OM_CONTAINER_OF(o, struct dns_ask, owner);
    struct om_node *n = om_calls_node(a->tunnels->d->calls);
    bool is_end = false;
    struct om_bytes b;

    while ((b = om_node_read(n, o->call, &is_end)).n > 0) {
        if (!gather(a, b)) {
            tell_no(a, OM_DNS_SERVFAIL, "the gateway's answer is too long");
            return;
        }
        om_node_consume(n, om_clock_now(), o->call, b.n);
    }
    if (is_end)
        take(a);
    else if (news->news & (OM_CALL_RESET | OM_CALL_DONE))
        tell_no(a, OM_DNS_SERVFAIL, "the gateway ended the call");
}

/* Asks the gateway; else why not. */
static enum om_err call(struct dns_ask *a)
{
    struct om_daemon *d = a->tunnels->d;
    const struct daemon_network *net = daemon_network(d, &a->where.network);
    struct om_call_config config = {
        .method = TUNNEL_NAMES, .priority = OM_INTERACTIVE, .timeout = OM_MS(DNS_ANSWER_MS)};
    uint8_t query[OM_DNS_QUERY_MAX];
    char hex[2 * OM_DNS_QUERY_MAX + 1], args[sizeof hex + TUNNEL_LINK_MAX + 32];
    const char *machine = a->where.machine; /* of a link's name: nothing in it is quoted */
    size_t n = om_dns_question_write(om_mut(query, sizeof query), &a->question);

    (void)sodium_bin2hex(hex, sizeof hex, query, n);
    (void)snprintf(args, sizeof args, "{\"query\":\"%s\"%s%s%s}", hex,
                   *machine ? ",\"link\":\"" : "", machine, *machine ? "\"" : "");
    config.args = om_bytes(args, strlen(args));
    enum om_err e = net ? daemon_reach(d, net, &a->where.gateway) : OM_E_MISSING;
    return e != OM_OK
               ? e
               : om_calls_open(d->calls, &a->where.network, &a->where.gateway, &config, &a->owner);
}

/* A turn of the loop later, for what is known at once and for what cannot be asked. */
static void know(struct dns_ask *a, size_t n)
{
    a->answer_n = n;
    a->is_known = true;
    (void)uv_timer_start(&a->limit, on_limit, 0, 0);
}

static void know_no(struct dns_ask *a, enum om_dns_rcode rcode, const char *why)
{
    (void)snprintf(a->why, sizeof a->why, "%s", why);
    know(a, write_no(om_mut(a->answer, OM_DNS_CACHED_MAX), a, rcode));
}

/* Names of ours that nobody has, which are not asked of anyone either. */
static size_t answer_nobody(struct om_mut out, const struct dns_ask *a)
{
    const struct om_dns_reply r = {
        .rcode = OM_DNS_NXDOMAIN, .is_ours = true, .apex = OM_ZONE_APEX, .ttl = OM_ZONE_TTL};

    return om_dns_reply_write(out, &a->question, &r);
}

/* Whether anything of @q can be answered from our names: others need no table of them. */
static bool may_be_ours(struct tunnels *t, const struct om_dns_question *q)
{
    static const uint8_t apex[] = "\6" OM_ZONE_APEX; /* and the root's 0 */
    struct om_dns_name end = {.n = sizeof apex}, top;
    struct om_addr a;

    memcpy(end.b, apex, sizeof apex);
    if (om_dns_name_addr(&a, &q->name))
        return tunnel_names_is_ours(t, &a);
    if (q->name.n < sizeof apex)
        return false;
    top.n = sizeof apex;
    memcpy(top.b, q->name.b + q->name.n - sizeof apex, sizeof apex);
    return om_dns_name_same(&top, &end);
}

static void begin(struct dns_ask *a)
{
    struct tunnels *t = a->tunnels;
    const struct om_mut room = om_mut(a->answer, OM_DNS_CACHED_MAX);
    size_t n = 0;

    if (may_be_ours(t, &a->question)) {
        const struct om_zone *zone = *a->where.machine ? NULL : tunnel_names_zone(t);
        if (zone)
            n = om_zone_answer(room, zone, &a->question);
        if (n == 0)
            n = answer_nobody(room, a);
    }
    if (n == 0 && om_dns_name_is_private(&a->question.name))
        n = write_no(room, a, OM_DNS_NXDOMAIN);
    if (n == 0 && !a->where.has_gateway) {
        know_no(a, OM_DNS_REFUSED, "no gateway for names that are no peers'");
        return;
    }
    if (n == 0) {
        struct om_dns_cache *cache = cache_of(t, &a->where);
        if (cache)
            n = om_dns_cache_get(cache, om_clock_now(), &a->question, room);
    }
    if (n > 0) {
        know(a, n);
        return;
    }
    enum om_err e = call(a);
    if (e != OM_OK) {
        know_no(a, OM_DNS_SERVFAIL, om_err_text(e));
        return;
    }
    free(a->answer);
    a->answer = NULL;
}

struct dns_ask *tunnel_dns_ask(struct tunnels *t, const struct dns_place *where,
                               struct om_bytes query, dns_told done, void *self)
{
    uint8_t refusal[OM_DNS_HEAD];
    struct om_dns_question q = {.type = 0};
    bool is_question =
        query.n <= OM_DNS_QUERY_MAX && om_dns_question_parse(&q, query) == OM_DNS_BAD_NONE;
    size_t no = is_question ? 0 : om_dns_refusal_write(om_mut(refusal, sizeof refusal), query);

    if ((!is_question && no == 0) || t->dns->ask_count >= DNS_ASKS_MAX)
        return NULL;
    struct dns_ask *a = calloc(1, sizeof *a);
    uint8_t *room = malloc(OM_DNS_CACHED_MAX);
    if (!a || !room) {
        free(a);
        free(room);
        return NULL;
    }
    *a = (struct dns_ask){.tunnels = t,
                          .where = *where,
                          .question = q,
                          .owner = {.on_reply = on_reply, .on_stream = on_stream},
                          .done = done,
                          .self = self,
                          .answer = room};
    a->limit.data = a;
    (void)uv_timer_init(&t->d->loop, &a->limit);
    (void)uv_timer_start(&a->limit, on_limit, DNS_ANSWER_MS, 0);
    om_list_push_back(&t->dns->asks, &a->link);
    t->dns->ask_count++;
    if (is_question) {
        begin(a);
    } else {
        memcpy(room, refusal, no);
        know(a, no);
    }
    return a;
}

bool tunnel_dns_init(struct tunnels *t, struct om_error *err)
{
    t->dns = calloc(1, sizeof *t->dns);
    if (!t->dns)
        return om_fail(err, OM_E_NO_MEM, "no memory for names") == OM_OK;
    om_list_init(&t->dns->asks);
    om_list_init(&t->dns->served);
    om_list_init(&t->dns->clients);
    om_list_init(&t->dns->streams);
    if (tunnel_dns_serve_init(t, err))
        return true;
    free(t->dns);
    return false;
}

void tunnel_dns_fini(struct tunnels *t)
{
    tunnel_dns_serve_fini(t);
    for (struct om_link *l = om_list_first(&t->dns->asks), *next; l; l = next) {
        next = om_list_next(&t->dns->asks, l);
        tunnel_dns_cancel(OM_CONTAINER_OF(l, struct dns_ask, link));
    }
    for (unsigned i = 0; i < DNS_CACHES_MAX; i++)
        free_kept(t->dns->kept[i]);
    tunnel_names_fini(t);
    free(t->dns);
    t->dns = NULL;
}
