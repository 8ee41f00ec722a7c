/* rules.c - what listens and what is exposed: made, found, listed, kept. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "tunnels/dns.h"
#include "tunnels/udp.h"
#include "tunnels/usage.h"

static struct tunnel_rule *find(const struct tunnels *t, bool forwards, uint64_t number)
{
    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->is_forward == forwards && r->number == number)
            return r;
    }
    return NULL;
}

bool tunnel_names(const struct tunnel_rule *r, const struct om_id *peer)
{
    for (unsigned i = 0; i < r->peer_count; i++)
        if (om_id_equal(&r->peers[i], peer))
            return true;
    return r->is_everybody;
}

struct tunnel_rule *tunnel_exposed(const struct tunnels *t, const struct om_id *network,
                                   const struct om_id *peer, const char *machine, uint16_t port,
                                   bool internet, bool is_udp)
{
    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (!r->is_forward && !r->is_consent && r->is_internet == internet &&
            om_id_equal(&r->network, network) && strcmp(r->machine, machine) == 0 &&
            (internet || (r->listen.port == port && r->is_udp == is_udp)) && tunnel_names(r, peer))
            return r;
    }
    return NULL;
}

static void on_listener_closed(uv_handle_t *h)
{
    free(h->data);
}

static void on_udp_closed(uv_handle_t *h)
{
    struct tunnel_rule *r = h->data;

    if (r->listener.type == UV_TCP) /* DNS has both */
        uv_close((uv_handle_t *)&r->listener, on_listener_closed);
    else
        free(r);
}

void tunnel_rule_free(struct tunnel_rule *r)
{
    json_decref(r->words);
    r->words = NULL;
    r->login = (struct om_proxy_config){0};
    sodium_memzero(r->user, sizeof r->user);
    sodium_memzero(r->password, sizeof r->password);
    if (r->udp.type == UV_UDP)
        uv_close((uv_handle_t *)&r->udp, on_udp_closed);
    else if (r->listener.type == UV_TCP)
        uv_close((uv_handle_t *)&r->listener, on_listener_closed);
    else if (r->again.type == UV_TIMER)
        uv_close((uv_handle_t *)&r->again, on_listener_closed);
    else
        free(r);
}

void tunnel_rule_drop(struct tunnel_rule *r)
{
    struct tunnels *t = r->tunnels;

    for (struct om_link *l = om_list_first(&t->conns), *next; l; l = next) {
        struct tunnel_conn *c = OM_CONTAINER_OF(l, struct tunnel_conn, link);
        next = om_list_next(&t->conns, l);
        if (c->rule != r)
            continue;
        if (c->is_serving || c->proxy || c->association) /* the last two borrow from it */
            tunnel_conn_drop(c);
        else
            c->rule = NULL;
    }
    tunnel_udp_forget(t, r);
    tunnel_dns_forget(t, r);
    tunnel_remote_stop(r);
    tunnel_usage_forget(r);
    om_list_remove(&r->link);
    if (*r->machine)
        t->machine_rules--;
    else
        t->rule_count--;
    tunnel_rule_free(r);
}

json_t *tunnels_list(const struct tunnels *t, bool forwards)
{
    json_t *list = json_array();

    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        const struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->is_forward == forwards)
            (void)json_array_append_new(list, tunnel_rule_show(r));
    }
    return list;
}

struct tunnel_rule *tunnel_rule_new(struct tunnels *t, const struct om_id *network)
{
    struct tunnel_rule *r = t->rule_count < TUNNEL_RULES_MAX ? calloc(1, sizeof *r) : NULL;

    if (!r)
        return NULL;
    r->tunnels = t;
    r->network = *network;
    return r;
}

void tunnel_rule_add(struct tunnel_rule *r)
{
    struct tunnels *t = r->tunnels;

    if (r->number == 0)
        r->number = ++t->numbers;
    om_list_push_back(&t->rules, &r->link);
    t->rule_count++;
}

static struct tunnel_rule *begin(struct tunnels *t, const json_t *words, struct om_error *err)
{
    const char *network = json_string_value(json_object_get(words, "network"));
    const struct daemon_network *net =
        daemon_network_named(t->d, network && *network ? network : NULL, err);
    struct tunnel_rule *r;

    if (!net)
        return NULL;
    r = tunnel_rule_new(t, &net->id);
    if (!r) {
        (void)om_fail(err, OM_E_FULL, "there are %u rules already", t->rule_count);
        return NULL;
    }
    r->keep = json_is_true(json_object_get(words, "keep"));
    r->is_udp = json_is_true(json_object_get(words, "udp"));
    return r;
}

static bool shares_peer(const struct tunnel_rule *a, const struct tunnel_rule *b)
{
    if (a->is_everybody || b->is_everybody)
        return true;
    for (unsigned i = 0; i < a->peer_count; i++)
        if (tunnel_names(b, &a->peers[i]))
            return true;
    return false;
}

/* Would a peer, asking for what it may by @a, ask for what it may by @b? */
static bool is_same_thing(const struct tunnel_rule *a, const struct tunnel_rule *b)
{
    if (a->is_internet != b->is_internet || a->is_consent != b->is_consent ||
        strcmp(a->machine, b->machine) != 0)
        return false;
    return a->is_internet || (a->is_udp == b->is_udp && a->listen.port == b->listen.port &&
                              memcmp(a->listen.ip, b->listen.ip, sizeof a->listen.ip) == 0);
}

/* Of two rules for one thing and one peer only the older would ever be used. */
static bool is_new(const struct tunnel_rule *r, struct om_error *err)
{
    const struct om_list *rules = &r->tunnels->rules;

    for (struct om_link *l = om_list_first(rules); l; l = om_list_next(rules, l)) {
        const struct tunnel_rule *o = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        unsigned long long n = o->number;
        if (!o->is_forward && !o->words && om_id_equal(&o->network, &r->network) &&
            is_same_thing(o, r) && shares_peer(o, r))
            return om_fail(err, OM_E_EXISTS, "exists as %llu: omerta expose remove %llu", n, n) ==
                   OM_OK;
    }
    return true;
}

struct tunnel_rule *tunnel_rule_make(struct tunnels *t, bool forwards, const json_t *words,
                                     struct om_error *err)
{
    struct tunnel_rule *r = begin(t, words, err);

    if (!r)
        return NULL;
    bool is_good = forwards ? tunnel_rule_read_forward(r, words, err) && tunnel_rule_listen(r, err)
                            : tunnel_rule_read_exposed(r, words, err) && is_new(r, err);
    if (is_good)
        return r;
    tunnel_rule_free(r);
    return NULL;
}

/* Into the list, and to disk. */
static json_t *make(struct tunnels *t, bool forwards, const json_t *words, struct om_error *err)
{
    struct tunnel_rule *r = tunnel_rule_make(t, forwards, words, err);

    if (!r)
        return NULL;
    tunnel_rule_add(r);
    if (r->keep && !tunnel_rules_save(t, err)) {
        tunnel_rule_drop(r);
        return NULL;
    }
    if (r->is_remote)
        tunnel_remote_start(r);
    return tunnel_rule_show(r);
}

json_t *tunnels_forward(struct tunnels *t, const json_t *words, struct om_error *err)
{
    json_t *made = make(t, true, words, err);

    if (made && json_is_true(json_object_get(made, "remote")))
        find(t, true, t->numbers)->is_asked = true;
    return made;
}

json_t *tunnels_expose(struct tunnels *t, const json_t *words, struct om_error *err)
{
    return make(t, false, words, err);
}

bool tunnels_remove(struct tunnels *t, bool forwards, uint64_t number, struct om_error *err)
{
    struct tunnel_rule *r = find(t, forwards, number);

    if (!r)
        return om_fail(err, OM_E_MISSING, "there is no number %llu", (unsigned long long)number) ==
               OM_OK;
    bool was_kept = r->keep;
    tunnel_rule_drop(r);
    return !was_kept || tunnel_rules_save(t, err);
}

void tunnels_leave(struct tunnels *t, const struct om_id *network)
{
    struct om_error err;
    bool was_kept = false;

    for (struct om_link *l = om_list_first(&t->rules); l;) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (!om_id_equal(&r->network, network)) {
            l = om_list_next(&t->rules, l);
            continue;
        }
        was_kept |= r->keep;
        tunnel_rule_drop(r);
        l = om_list_first(&t->rules); /* with a consent go those whom it was given to */
    }
    if (was_kept)
        (void)tunnel_rules_save(t, &err); /* else they are left out at the next start */
}

bool tunnels_open(struct tunnels **out, struct om_daemon *d, struct om_error *err)
{
    struct tunnels *t = calloc(1, sizeof *t);

    if (!t)
        return om_fail(err, OM_E_NO_MEM, "no memory for tunnels") == OM_OK;
    t->d = d;
    om_list_init(&t->rules);
    om_list_init(&t->conns);
    if (!tunnel_dns_init(t, err)) {
        free(t);
        return false;
    }
    if (!tunnel_udp_init(t) || !tunnel_usage_init(t)) {
        tunnel_dns_fini(t);
        free(t);
        return om_fail(err, OM_E_NO_MEM, "no memory for tunnels") == OM_OK;
    }
    *out = t;
    return tunnel_rules_load(t, err);
}

static void on_sweep_closed(uv_handle_t *h)
{
    free(h->data);
}

void tunnels_close(struct tunnels *t)
{
    for (struct om_link *l = om_list_first(&t->conns), *next; l; l = next) {
        next = om_list_next(&t->conns, l);
        tunnel_conn_drop(OM_CONTAINER_OF(l, struct tunnel_conn, link));
    }
    t->is_closing = true;
    for (struct om_link *l = om_list_first(&t->rules), *next; l; l = next) {
        next = om_list_next(&t->rules, l);
        tunnel_rule_drop(OM_CONTAINER_OF(l, struct tunnel_rule, link));
    }
    tunnel_udp_fini(t);
    tunnel_usage_fini(t);
    tunnel_dns_fini(t);
    uv_close((uv_handle_t *)&t->sweep, on_sweep_closed);
}
