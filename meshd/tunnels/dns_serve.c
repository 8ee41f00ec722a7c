/* dns_serve.c - questions of peers to this machine's resolvers. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/entropy.h"
#include "netstack/dns/zone.h"
#include "tunnels/dns.h"

enum { DNS_PORT = 53 };

struct served {
    struct om_link link;
    struct tunnels *tunnels;
    struct om_call_owner owner;
    struct om_id network, peer;
    struct om_dns_query *query; /* NULL once it is answered */
    uint8_t *answer;            /* owned; lent to the node */
    uv_timer_t limit;
};

static void on_limit_closed(uv_handle_t *h)
{
    free(h->data);
}

static void drop(struct served *s, enum om_close_code code)
{
    om_calls_hang_up(s->tunnels->d->calls, &s->owner, code);
    if (s->query)
        om_dns_query_cancel(s->query);
    free(s->answer);
    s->answer = NULL;
    om_list_remove(&s->link);
    s->tunnels->dns->served_count--;
    uv_close((uv_handle_t *)&s->limit, on_limit_closed);
}

static void on_limit(uv_timer_t *t)
{
    struct served *s = t->data;
    struct om_calls *calls = s->tunnels->d->calls;

    drop(s, OM_CLOSE_CANCELLED);
    om_calls_kick(calls);
}

static void on_reply(struct om_call_owner *o OM_UNUSED, const struct om_act_reply *r OM_UNUSED)
{
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE))
        drop(OM_CONTAINER_OF(o, struct served, owner), OM_CLOSE_DONE);
}

static void on_answer(void *self, struct om_bytes answer)
{
    struct served *s = self;
    struct om_calls *calls = s->tunnels->d->calls;
    struct om_node *n = om_calls_node(calls);
    om_time now = om_clock_now();

    s->query = NULL;
    s->answer = malloc(answer.n);
    if (s->answer)
        memcpy(s->answer, answer.p, answer.n);
    if (!s->answer || om_node_accept(n, now, s->owner.call, om_bytes(NULL, 0)) != OM_OK ||
        om_node_write(n, now, s->owner.call, om_bytes(s->answer, answer.n)) != OM_OK ||
        om_node_finish(n, now, s->owner.call) != OM_OK)
        drop(s, OM_CLOSE_CANCELLED);
    om_calls_kick(calls);
}

/* Bytes of the question in @args, and which machine asks; 0 when there is none. */
static size_t read_query(uint8_t out[static OM_DNS_QUERY_MAX],
                         char machine[static TUNNEL_LINK_MAX + 1], struct om_bytes args)
{
    json_error_t at;
    json_t *o = json_loadb((const char *)args.p, args.n, JSON_REJECT_DUPLICATES, &at);
    const json_t *query = json_object_get(o, "query");
    const char *text = json_string_value(query);
    size_t chars = json_string_length(query), n = 0;

    if (!tunnel_machine_read(machine, o) || !text ||
        sodium_hex2bin(out, OM_DNS_QUERY_MAX, text, chars, NULL, &n, NULL) != 0 || n * 2 != chars)
        n = 0;
    json_decref(o);
    return n;
}

static unsigned serving(const struct tunnels *t, const struct om_id *peer)
{
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&t->dns->served); l;
         l = om_list_next(&t->dns->served, l)) {
        const struct served *s = OM_CONTAINER_OF(l, struct served, link);
        n += om_id_equal(&s->peer, peer);
    }
    return n;
}

static struct served *begin(struct tunnels *t, const struct om_act_call *call)
{
    struct served *s = serving(t, &call->peer) < DNS_PER_PEER ? calloc(1, sizeof *s) : NULL;

    if (!s)
        return NULL;
    s->tunnels = t;
    s->network = call->network;
    s->peer = call->peer;
    s->owner.on_reply = on_reply;
    s->owner.on_stream = on_stream;
    s->limit.data = s;
    (void)uv_timer_init(&t->d->loop, &s->limit);
    (void)uv_timer_start(&s->limit, on_limit, DNS_SERVED_MS, 0);
    om_list_push_back(&t->dns->served, &s->link);
    t->dns->served_count++;
    return s;
}

/* Names of our own networks are not for peers, nor is what only means something at theirs. */
static bool answer_private(struct served *s, struct om_bytes query)
{
    const struct om_dns_reply none = {.rcode = OM_DNS_NXDOMAIN};
    uint8_t out[OM_DNS_UDP_LEAST];
    struct om_dns_question q;

    if (om_dns_question_parse(&q, query) != OM_DNS_BAD_NONE || !om_dns_name_is_private(&q.name))
        return false;
    on_answer(s, om_bytes(out, om_dns_reply_write(om_mut(out, sizeof out), &q, &none)));
    return true;
}

static void refuse(struct tunnels *t, const struct om_act_call *call, const char *error,
                   const char *text)
{
    om_calls_refuse(t->d->calls, call->call, error, text);
}

void tunnels_query(struct tunnels *t, const struct om_act_call *call)
{
    char id[OM_ID_TEXT], text[160], machine[TUNNEL_LINK_MAX + 1];
    uint8_t query[OM_DNS_QUERY_MAX];
    size_t n = read_query(query, machine, call->args);

    if (n == 0) {
        refuse(t, call, "bad_args", "want {query: a DNS message in hex}");
        return;
    }
    if (!tunnel_exposed(t, &call->network, &call->peer, machine, 0, true, false)) {
        (void)snprintf(text, sizeof text, "there, run: omerta %s%s",
                       *machine ? "vm request --egress internet" : "expose internet --to ",
                       *machine ? "" : om_id_print(&call->peer, id));
        refuse(t, call, om_dial_word(OM_DIAL_NOT_ALLOWED), text);
        return;
    }
    struct served *s = begin(t, call);
    if (!s || om_calls_take(t->d->calls, call->call, &s->owner) != OM_OK) {
        refuse(t, call, "busy", "too many questions");
        if (s)
            drop(s, OM_CLOSE_CANCELLED);
        return;
    }
    if (answer_private(s, om_bytes(query, n)))
        return;
    enum om_err e =
        om_dns_exit_ask(&s->query, t->dns->resolver, &s->peer, om_bytes(query, n), on_answer, s);
    if (e == OM_OK)
        return;
    s->query = NULL;
    om_calls_release(t->d->calls, &s->owner);
    drop(s, OM_CLOSE_CANCELLED);
    if (e == OM_E_PARSE)
        refuse(t, call, "bad_args", "that is no DNS question");
    else
        refuse(t, call, "busy", "too many questions");
}

static unsigned read_upstreams(const struct om_daemon *d,
                               struct om_addr out[static OM_DNS_UPSTREAMS_MAX])
{
    const struct om_config_list *list = &d->config.dns_upstreams;
    unsigned n = 0;

    for (unsigned i = 0; i < list->count && n < OM_DNS_UPSTREAMS_MAX; i++)
        n += om_addr_parse(&out[n], list->text[i], DNS_PORT, NULL) == OM_OK;
    return n;
}

void tunnels_names_again(struct tunnels *t)
{
    struct om_addr upstreams[OM_DNS_UPSTREAMS_MAX];
    unsigned n = read_upstreams(t->d, upstreams);

    om_dns_exit_again(t->dns->resolver, upstreams, n);
}

bool tunnel_dns_serve_init(struct tunnels *t, struct om_error *err)
{
    struct om_addr upstreams[OM_DNS_UPSTREAMS_MAX];
    const struct om_dns_exit_config config = {.loop = &t->d->loop,
                                              .rng = om_entropy(),
                                              .upstreams = upstreams,
                                              .count = read_upstreams(t->d, upstreams)};
    enum om_err e = om_dns_exit_open(&t->dns->resolver, &config);

    return e == OM_OK || om_fail(err, e, "cannot ask resolvers: %s", om_err_text(e)) == OM_OK;
}

void tunnel_dns_serve_fini(struct tunnels *t)
{
    for (struct om_link *l = om_list_first(&t->dns->served), *next; l; l = next) {
        next = om_list_next(&t->dns->served, l);
        drop(OM_CONTAINER_OF(l, struct served, link), OM_CLOSE_CANCELLED);
    }
    om_dns_exit_close(t->dns->resolver);
    t->dns->resolver = NULL;
}
