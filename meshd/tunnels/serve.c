/* serve.c - peers that want to reach something of this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "netstack/dns/zone.h"
#include "tunnels/dns.h"
#include "tunnels/udp.h"
#include "tunnels/usage.h"

/* What a peer asks for. */
struct wish {
    char host[OM_TARGET_NAME_MAX + 1]; /* "": something exposed */
    uint16_t port;
    bool is_udp;
    uint32_t flow;
    uint64_t back; /* not 0: our number for a port of the peer that leads here */
    char machine[TUNNEL_LINK_MAX + 1]; /* who asks is a virtual machine there; "": the peer */
};

static bool read_wish(struct wish *out, struct om_bytes args)
{
    json_error_t at;
    json_t *o = json_loadb((const char *)args.p, args.n, JSON_REJECT_DUPLICATES, &at);
    const char *proto = json_string_value(json_object_get(o, "proto"));
    const json_t *host = json_object_get(o, "host");
    json_int_t port = json_integer_value(json_object_get(o, "port"));
    struct om_target t;
    json_int_t flow = json_integer_value(json_object_get(o, "flow"));
    json_int_t back = json_integer_value(json_object_get(o, "back"));
    bool is_udp = proto && strcmp(proto, "udp") == 0;
    char machine[TUNNEL_LINK_MAX + 1];
    bool is_good = tunnel_machine_read(machine, o) && proto &&
                   (is_udp || strcmp(proto, "tcp") == 0) && port >= 1 && port <= 65535 &&
                   flow >= 0 && flow <= UINT32_MAX && back >= 0 && !(back && (host || *machine));

    *out = (struct wish){.port = is_good ? (uint16_t)port : 0,
                         .is_udp = is_udp,
                         .flow = is_good ? (uint32_t)flow : 0,
                         .back = is_good ? (uint64_t)back : 0};
    memcpy(out->machine, machine, sizeof out->machine);
    if (is_good && host) {
        const char *text = json_string_value(host);
        char bracketed[OM_TARGET_NAME_MAX + 3] = "";
        if (text && strchr(text, ':'))
            (void)snprintf(bracketed, sizeof bracketed, "[%s]", text);
        const char *whole = *bracketed ? bracketed : text;
        is_good = whole && om_target_from_text(&t, om_bytes(whole, strlen(whole)), out->port);
        if (is_good)
            memcpy(out->host, t.host, sizeof out->host);
    }
    json_decref(o);
    return is_good;
}

/* A name that only means something here, or at the peer: nobody is asked for it. */
static bool is_private(const char *host)
{
    struct om_dns_name name;

    return *host && om_dns_name_from(&name, host) && om_dns_name_is_private(&name);
}

/* Of an interface of this machine, or beside it: public addresses, too, may be our own network. */
static bool is_own(const struct om_daemon *d, const struct om_addr *a)
{
    unsigned count = 0;
    const struct om_iface *f = d->netwatch ? om_netwatch_ifaces(d->netwatch, &count) : NULL;

    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < f[i].addr_count; k++) {
            const struct om_addr *own = &f[i].addrs[k];
            unsigned bits = f[i].prefix[k] + (om_addr_is_v4(own) ? 96U : 0U);
            struct om_cidr beside = {.bits = (uint8_t)bits};
            memcpy(beside.ip, own->ip, sizeof beside.ip);
            if (om_cidr_contains(&beside, a))
                return true;
        }
    return false;
}

bool tunnel_may_reach(const struct tunnel_rule *r, const struct om_addr *a)
{
    for (unsigned i = 0; i < r->also_count; i++)
        if (om_cidr_contains(&r->also[i], a))
            return true;
    return om_addr_classify(a) == OM_ADDR_GLOBAL && !is_own(r->tunnels->d, a);
}

static bool may_reach(const void *rule, const struct om_addr *a)
{
    return tunnel_may_reach(rule, a);
}

static void refuse(struct tunnel_conn *c, const char *word, const char *sentence)
{
    struct om_calls *calls = c->tunnels->d->calls;
    uint64_t call = c->owner.call;

    tunnel_conn_fail(c, word);
    if (c->owner.is_open) {
        om_calls_release(calls, &c->owner);
        om_calls_refuse(calls, call, word, sentence);
    }
    tunnel_conn_drop(c);
}

static void on_dialled(void *self, enum om_dial_result r, struct om_socket *socket)
{
    struct tunnel_conn *c = self;
    struct om_calls *calls = c->tunnels->d->calls;

    c->dial = NULL;
    c->socket = socket;
    if (r != OM_DIAL_OK)
        refuse(c, om_dial_word(r), om_dial_text(r));
    else if (om_node_accept(om_calls_node(calls), om_clock_now(), c->owner.call,
                            om_bytes(NULL, 0)) != OM_OK)
        tunnel_conn_drop(c);
    else
        tunnel_conn_join(c);
    om_calls_kick(calls);
}

static void on_reply(struct om_call_owner *o OM_UNUSED, const struct om_act_reply *r OM_UNUSED)
{
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    if (news->news & (OM_CALL_RESET | OM_CALL_DONE))
        tunnel_conn_drop(OM_CONTAINER_OF(o, struct tunnel_conn, owner));
}

static unsigned serving(const struct tunnels *t, const struct om_id *peer)
{
    unsigned n = 0;

    if (t->conn_count < TUNNEL_PER_PEER)
        return 0; /* nobody can have that many */
    for (struct om_link *l = om_list_first(&t->conns); l; l = om_list_next(&t->conns, l)) {
        const struct tunnel_conn *c = OM_CONTAINER_OF(l, struct tunnel_conn, link);
        n += c->is_serving && om_id_equal(&c->peer, peer);
    }
    return n;
}

/* NULL: @peer has too many, or all have. */
static struct tunnel_conn *new_conn(struct tunnels *t, struct tunnel_rule *rule,
                                    const struct om_id *peer)
{
    struct tunnel_usage *usage;
    struct tunnel_conn *c;

    if (!tunnel_usage_begin(rule, peer, &usage))
        return NULL;
    c = serving(t, peer) < TUNNEL_PER_PEER ? tunnel_conn_new(t, rule, true) : NULL;
    if (c) {
        c->peer = *peer;
        c->usage = usage;
        return c;
    }
    rule->total++;
    tunnel_rule_fail(rule, "busy");
    tunnel_usage_refuse(usage);
    tunnel_usage_end(usage);
    return NULL;
}

/* Whoever was let into the network may know how to be let in here. */
static void say_how(struct om_calls *calls, const struct om_act_call *call, const struct wish *w)
{
    char id[OM_ID_TEXT], text[160];

    if (*w->machine && *w->host)
        (void)snprintf(text, sizeof text, "there, run: omerta vm request --egress internet");
    else if (*w->machine)
        (void)snprintf(text, sizeof text, "there, run: omerta vm request --expose %u", w->port);
    else if (*w->host)
        (void)snprintf(text, sizeof text, "there, run: omerta expose internet --to %s",
                       om_id_print(&call->peer, id));
    else
        (void)snprintf(text, sizeof text, "there, run: omerta expose %u%s --to %s", w->port,
                       w->is_udp ? " --udp" : "", om_id_print(&call->peer, id));
    om_calls_refuse(calls, call->call, om_dial_word(OM_DIAL_NOT_ALLOWED), text);
}

void tunnels_call(struct tunnels *t, const struct om_act_call *call)
{
    struct om_calls *calls = t->d->calls;
    struct tunnel_rule *rule;
    struct tunnel_conn *c;
    struct wish w;

    if (!read_wish(&w, call->args)) {
        om_calls_refuse(calls, call->call, "bad_args",
                        "want {proto: tcp or udp, port, host, flow}");
        return;
    }
    rule = w.back ? tunnel_remote(t, &call->network, &call->peer, w.back, w.is_udp)
                  : tunnel_exposed(t, &call->network, &call->peer, w.machine, w.port,
                                   *w.host != '\0', w.is_udp);
    if (!rule) {
        say_how(calls, call, &w);
        return;
    }
    if (is_private(w.host)) {
        om_calls_refuse(calls, call->call, om_dial_word(OM_DIAL_NOT_ALLOWED),
                        om_dial_text(OM_DIAL_NOT_ALLOWED));
        return;
    }
    if (w.is_udp) {
        tunnel_udp_serve(t, rule, call, w.flow, *w.host ? w.host : rule->host,
                         *w.host ? w.port : rule->port);
        return;
    }
    c = new_conn(t, rule, &call->peer);
    if (!c) {
        om_calls_refuse(calls, call->call, "busy", "too many connections");
        return;
    }
    c->owner.on_reply = on_reply;
    c->owner.on_stream = on_stream;
    const struct om_dial_config dial = {.loop = &t->d->loop,
                                        .names = t->dns->resolver,
                                        .who = call->peer,
                                        .host = *w.host ? w.host : rule->host,
                                        .port = *w.host ? w.port : rule->port,
                                        .is_allowed = *w.host ? may_reach : NULL,
                                        .rules = rule,
                                        .reserve = TUNNEL_SPARE_PEERS,
                                        .done = on_dialled,
                                        .self = c};
    if (om_calls_take(calls, call->call, &c->owner) != OM_OK) {
        om_calls_refuse(calls, call->call, "busy", NULL);
        tunnel_conn_drop(c);
    } else if (om_dial(&c->dial, &dial) != OM_OK) {
        refuse(c, om_dial_word(OM_DIAL_FAILURE), om_dial_text(OM_DIAL_FAILURE));
    }
}
