/* rules.c - what listens and what is exposed: made, found, listed, kept. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

#include "control/parts.h"
#include "host/secret_file.h"
#include "tunnels/dns.h"
#include "tunnels/udp.h"
#include "tunnels/usage.h"

enum { FILE_MAX = 1024 * 1024 }; /* of all rules there may be, as long as they may be */

#define KEPT "tunnels.json"

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
                                   const struct om_id *peer, uint16_t port, bool internet,
                                   bool is_udp)
{
    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (!r->is_forward && !r->is_consent && r->is_internet == internet &&
            om_id_equal(&r->network, network) &&
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
    t->rule_count--;
    tunnel_rule_free(r);
}

/* What has to be known to make the rule again, but for the password. */
static json_t *words_of(const struct tunnels *t, const struct tunnel_rule *r)
{
    const struct daemon_network *net = daemon_network(t->d, &r->network);
    char listen[OM_ADDR_TEXT];
    json_t *to = json_array(), *o;

    for (unsigned i = 0; i < r->peer_count; i++)
        (void)json_array_append_new(to, control_id(&r->peers[i]));
    if (r->is_everybody)
        (void)json_array_append_new(to, json_string("*"));
    if (r->is_forward)
        o = json_pack("{s:s, s:s, s:O?, s:s, s:i, s:b, s:s?, s:b, s:b, s:b, s:b}", "listen",
                      om_addr_print(&r->listen, listen), "network", net ? net->name : "", "peer",
                      r->peer_count ? json_array_get(to, 0) : NULL, "host", r->host, "port",
                      (int)r->port, "proxy", r->is_proxy, "user", r->login.user, "dns", r->is_dns,
                      "remote", r->is_remote, "udp", r->is_udp, "keep", r->keep);
    else
        o = json_pack("{s:i, s:s, s:O, s:s, s:i, s:b, s:s, s:b, s:b, s:o*, s:i}", "port",
                      r->is_consent ? 0 : (int)r->listen.port, "network", net ? net->name : "",
                      "to", to, "host", r->host, "to_port", (int)r->port, "internet",
                      r->is_internet, "listen",
                      r->is_consent ? om_addr_print(&r->listen, listen) : "", "udp", r->is_udp,
                      "keep", r->keep, "rate", r->rate ? json_integer(r->rate) : NULL,
                      "max_connections", (int)r->open_max);
    json_decref(to);
    return o;
}

static const char *kind_of(const struct tunnel_rule *r)
{
    return r->is_proxy    ? "proxy"
           : r->is_dns    ? "dns"
           : r->is_remote ? "remote"
           : r->is_guest  ? "guest"
                          : "local";
}

json_t *tunnel_rule_show(const struct tunnel_rule *r)
{
    json_t *o = words_of(r->tunnels, r);
    struct om_splice_end live;

    tunnel_conn_live(r, &live);
    live.sent += r->sent;
    live.received += r->received;
    json_t *more =
        json_pack("{s:I, s:i, s:I, s:I, s:I, s:I, s:s}", "id", (json_int_t)r->number, "open",
                  (int)r->open, "total", (json_int_t)r->total, "failed", (json_int_t)r->failed,
                  "bytes_sent", (json_int_t)live.sent, "bytes_received", (json_int_t)live.received,
                  "last_error", r->last_error);

    (void)json_object_update_new(o, more);
    if (r->is_forward) {
        (void)json_object_set_new(o, "kind", json_string(kind_of(r)));
        (void)json_object_set_new(o, "up", json_boolean(!r->is_remote || r->is_standing));
    }
    return o;
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

/* All of it. */
static json_t *kept_of(const struct tunnels *t, const struct tunnel_rule *r)
{
    json_t *o = words_of(t, r);

    if (o && r->login.password)
        (void)json_object_set_new(o, "password", json_string(r->login.password));
    return o;
}

static bool save(const struct tunnels *t, struct om_error *err)
{
    json_t *forwards = json_array(), *exposed = json_array();
    bool is_saved = false;

    for (struct om_link *l = om_list_first(&t->rules); l; l = om_list_next(&t->rules, l)) {
        const struct tunnel_rule *r = OM_CONTAINER_OF(l, struct tunnel_rule, link);
        if (r->keep && !r->is_guest)
            (void)json_array_append_new(r->is_forward ? forwards : exposed, kept_of(t, r));
    }
    json_t *o = json_pack("{s:o, s:o}", "forwards", forwards, "exposed", exposed);
    char *text = json_dumps(o, JSON_INDENT(2));
    if (text)
        is_saved = om_secret_write(t->d->place.home, KEPT, text, strlen(text), true, err) == OM_OK;
    if (text)
        sodium_memzero(text, strlen(text));
    free(text);
    json_decref(o);
    return is_saved;
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

static bool add_peer(struct tunnel_rule *r, const json_t *who, struct om_error *err)
{
    const char *text = json_string_value(who);
    const struct daemon_network *net = daemon_network(r->tunnels->d, &r->network);
    json_t *words;

    if (!text || r->peer_count == TUNNEL_PEERS_MAX)
        return om_fail(err, OM_E_RANGE, "want 1 to %d peers", TUNNEL_PEERS_MAX) == OM_OK;
    if (strcmp(text, "*") == 0) {
        if (net->is_open)
            return om_fail(err, OM_E_RANGE,
                           "network %s is open to everybody: name the peers, --to PEER",
                           net->name) == OM_OK;
        r->is_everybody = true;
        return true;
    }
    if (om_id_parse(&r->peers[r->peer_count], text, NULL) == OM_OK) {
        r->peer_count++;
        return true;
    }
    words = json_pack("{s:s, s:s}", "peer", text, "network", net->name);
    const struct control_ask ask = {.d = r->tunnels->d, .params = words};
    bool is_found = control_peer(&ask, &net, &r->peers[r->peer_count], err);
    json_decref(words);
    r->peer_count += is_found;
    return is_found;
}

static bool read_port(const json_t *words, const char *key, uint16_t *out, struct om_error *err)
{
    json_int_t port = json_integer_value(json_object_get(words, key));

    if (port < 1 || port > 65535)
        return om_fail(err, OM_E_RANGE, "%s: want 1 to 65535", key) == OM_OK;
    *out = (uint16_t)port;
    return true;
}

static bool read_host(struct tunnel_rule *r, const json_t *words, const char *otherwise,
                      struct om_error *err)
{
    const char *host = json_string_value(json_object_get(words, "host"));

    if (!host || !*host)
        host = otherwise;
    if (strlen(host) > OM_TARGET_NAME_MAX)
        return om_fail(err, OM_E_RANGE, "host: over %d bytes", OM_TARGET_NAME_MAX) == OM_OK;
    (void)snprintf(r->host, sizeof r->host, "%s", host);
    return true;
}

/* What each peer may have of what is exposed. */
static bool read_limits(struct tunnel_rule *r, const json_t *words, struct om_error *err)
{
    json_int_t rate = json_integer_value(json_object_get(words, "rate"));
    json_int_t most = json_integer_value(json_object_get(words, "max_connections"));

    if (rate != 0 && (rate < OM_SHAPER_RATE_MIN || rate > OM_SHAPER_RATE_MAX))
        return om_fail(err, OM_E_RANGE, "rate: want %d to %u bytes per second", OM_SHAPER_RATE_MIN,
                       OM_SHAPER_RATE_MAX) == OM_OK;
    if (most < 0 || most > TUNNEL_PER_PEER)
        return om_fail(err, OM_E_RANGE, "max_connections: want 1 to %d", TUNNEL_PER_PEER) == OM_OK;
    if (r->is_consent && rate != 0)
        return om_fail(err, OM_E_RANGE, "rate: only a port or the internet can have one") == OM_OK;
    r->rate = (uint32_t)rate;
    r->open_max = most > 0 ? (unsigned)most : TUNNEL_PER_PEER;
    return true;
}

bool tunnel_read_listen(struct om_addr *out, const char *text, struct om_error *err)
{
    char whole[OM_ADDR_TEXT + 16];

    if (!text || strlen(text) >= OM_ADDR_TEXT)
        return om_fail(err, OM_E_PARSE, "listen: want [ADDRESS:]PORT") == OM_OK;
    bool is_port = strspn(text, "0123456789") == strlen(text);
    (void)snprintf(whole, sizeof whole, "%s%s", is_port ? "127.0.0.1:" : "", text);
    return om_addr_parse(out, whole, 0, err) == OM_OK;
}

static bool read_login(struct tunnel_rule *r, const json_t *words, struct om_error *err)
{
    const struct om_proxy_config said = {.user = json_string_value(json_object_get(words, "user")),
                                         .password =
                                             json_string_value(json_object_get(words, "password")),
                                         .allow_udp = true};

    r->login = (struct om_proxy_config){.allow_udp = true};
    if (!said.user && !said.password)
        return true;
    if (!r->is_proxy)
        return om_fail(err, OM_E_RANGE, "user, password: only a proxy asks for them") == OM_OK;
    if (om_proxy_config_check(&said, err) != OM_OK)
        return false;
    (void)snprintf(r->user, sizeof r->user, "%s", said.user);
    (void)snprintf(r->password, sizeof r->password, "%s", said.password);
    r->login.user = r->user;
    r->login.password = r->password;
    return true;
}

/* Takes @r, which is whole when @is_good, into the list, and to disk. */
static json_t *finish(struct tunnel_rule *r, bool is_good, struct om_error *err)
{
    struct tunnels *t = r->tunnels;

    if (!is_good) {
        tunnel_rule_free(r);
        return NULL;
    }
    tunnel_rule_add(r);
    if (r->keep && !save(t, err)) {
        tunnel_rule_drop(r);
        return NULL;
    }
    if (r->is_remote)
        tunnel_remote_start(r);
    return tunnel_rule_show(r);
}

static json_t *make_forward(struct tunnels *t, const json_t *words, struct om_error *err)
{
    struct tunnel_rule *r = begin(t, words, err);
    const json_t *peer = json_object_get(words, "peer");

    if (!r)
        return NULL;
    r->is_forward = true;
    r->is_dns = json_is_true(json_object_get(words, "dns")) && !r->is_udp;
    r->is_proxy = json_is_true(json_object_get(words, "proxy")) && !r->is_udp && !r->is_dns;
    bool is_alone = r->is_proxy || r->is_dns; /* needs neither port nor peer */
    r->is_remote = json_is_true(json_object_get(words, "remote")) && !is_alone;
    bool is_good =
        tunnel_read_listen(&r->listen, json_string_value(json_object_get(words, "listen")), err) &&
        read_host(r, words, r->is_remote ? "127.0.0.1" : "", err) && read_login(r, words, err) &&
        (is_alone || read_port(words, "port", &r->port, err)) &&
        ((is_alone && !json_is_string(peer)) || add_peer(r, peer, err)) &&
        (r->is_remote || (r->is_dns   ? tunnel_dns_listen(r, err)
                          : r->is_udp ? tunnel_udp_listen(r, err)
                                      : tunnel_listen(r, err)));
    return finish(r, is_good, err);
}

static json_t *make_exposed(struct tunnels *t, const json_t *words, struct om_error *err)
{
    struct tunnel_rule *r = begin(t, words, err);
    const json_t *to = json_object_get(words, "to"), *who;
    const char *listen = json_string_value(json_object_get(words, "listen"));
    size_t i;

    if (!r)
        return NULL;
    r->is_internet = json_is_true(json_object_get(words, "internet"));
    r->is_consent = listen && *listen;
    bool is_good =
        r->is_internet || (r->is_consent ? tunnel_read_listen(&r->listen, listen, err)
                                         : read_port(words, "port", &r->listen.port, err) &&
                                               read_host(r, words, "127.0.0.1", err));
    r->port = r->is_consent ? 0 : r->listen.port;
    if (is_good && !r->is_internet && !r->is_consent && json_object_get(words, "to_port"))
        is_good = read_port(words, "to_port", &r->port, err);
    is_good = is_good && read_limits(r, words, err);
    json_array_foreach(to, i, who) is_good = is_good && add_peer(r, who, err);
    if (is_good && !r->is_everybody && r->peer_count == 0)
        is_good = om_fail(err, OM_E_MISSING, "to: say which peers may use it") == OM_OK;
    return finish(r, is_good, err);
}

json_t *tunnels_forward(struct tunnels *t, const json_t *words, struct om_error *err)
{
    json_t *made = make_forward(t, words, err);

    if (made && json_is_true(json_object_get(made, "remote")))
        find(t, true, t->numbers)->is_asked = true;
    return made;
}

json_t *tunnels_expose(struct tunnels *t, const json_t *words, struct om_error *err)
{
    return make_exposed(t, words, err);
}

bool tunnels_remove(struct tunnels *t, bool forwards, uint64_t number, struct om_error *err)
{
    struct tunnel_rule *r = find(t, forwards, number);

    if (!r)
        return om_fail(err, OM_E_MISSING, "there is no number %llu", (unsigned long long)number) ==
               OM_OK;
    bool was_kept = r->keep;
    tunnel_rule_drop(r);
    return !was_kept || save(t, err);
}

/* The kept rules; NULL and OM_OK when there are none. */
static enum om_err read_kept(const struct tunnels *t, json_t **out, struct om_error *err)
{
    char *text = malloc(FILE_MAX);
    enum om_err e = text ? OM_OK : om_fail(err, OM_E_NO_MEM, "no memory for %s", KEPT);
    size_t n = 0;
    json_error_t at;

    *out = NULL;
    if (e == OM_OK)
        e = om_secret_read(t->d->place.home, KEPT, text, FILE_MAX, &n, err);
    if (e == OM_OK)
        *out = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
    if (e == OM_OK && !*out) /* what jansson says may quote a password */
        e = om_fail(err, OM_E_PARSE, "%.100s/%s: line %d: no JSON", t->d->place.home, KEPT,
                    at.line);
    if (text)
        sodium_memzero(text, n);
    free(text);
    return e == OM_E_MISSING ? OM_OK : e;
}

bool tunnel_rules_load(struct tunnels *t, struct om_error *err)
{
    struct om_error why;
    struct om_logline line;
    json_t *o, *rule;
    size_t i;

    if (read_kept(t, &o, err) != OM_OK)
        return false;
    for (int kind = 0; kind < 2; kind++)
        json_array_foreach(json_object_get(o, kind == 0 ? "forwards" : "exposed"), i, rule)
        {
            json_t *made = kind == 0 ? make_forward(t, rule, &why) : make_exposed(t, rule, &why);
            if (!made &&
                om_log_begin(&line, &t->d->log, OM_LOG_WARN, "tunnel", "a kept rule is left out")) {
                om_log_str(&line, "why", why.msg);
                om_log_end(&line);
            }
            json_decref(made);
        }
    json_decref(o);
    return true;
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
