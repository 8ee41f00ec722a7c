/* rule_words.c - a rule in words: read, shown, kept. */
#include <stdio.h>
#include <string.h>

#include "control/parts.h"
#include "tunnels/dns.h"
#include "tunnels/udp.h"
#include "tunnels/usage.h"

static json_t *ranges(const struct tunnel_rule *r)
{
    char text[OM_CIDR_TEXT];
    json_t *list = json_array();

    for (unsigned i = 0; i < r->also_count; i++)
        (void)json_array_append_new(list, json_string(om_cidr_print(&r->also[i], text)));
    return list;
}

/* What has to be known to make the rule again, but for the password. */
static json_t *words_of(const struct tunnel_rule *r)
{
    const struct daemon_network *net = daemon_network(r->tunnels->d, &r->network);
    char listen[OM_ADDR_TEXT], id[OM_ID_TEXT];
    const char *name = net ? net->name : om_id_print(&r->network, id); /* it may come back */
    json_t *to = json_array(), *o;

    for (unsigned i = 0; i < r->peer_count; i++)
        (void)json_array_append_new(to, control_id(&r->peers[i]));
    if (r->is_everybody)
        (void)json_array_append_new(to, json_string("*"));
    if (r->is_forward)
        o = json_pack("{s:s, s:s, s:O?, s:s, s:s, s:i, s:b, s:s?, s:b, s:b, s:b, s:b}", "listen",
                      om_addr_print(&r->listen, listen), "network", name, "peer",
                      r->peer_count ? json_array_get(to, 0) : NULL, "host", r->host, "link",
                      r->to_link, "port", (int)r->port, "proxy", r->is_proxy, "user", r->login.user,
                      "dns", r->is_dns, "remote", r->is_remote, "udp", r->is_udp, "keep", r->keep);
    else
        o = json_pack("{s:i, s:s, s:O, s:s, s:i, s:b, s:o, s:s, s:b, s:b, s:o*, s:i}", "port",
                      r->is_consent ? 0 : (int)r->listen.port, "network", name, "to", to, "host",
                      r->host, "to_port", (int)r->port, "internet", r->is_internet, "also",
                      ranges(r), "listen", r->is_consent ? om_addr_print(&r->listen, listen) : "",
                      "udp", r->is_udp, "keep", r->keep, "rate",
                      r->rate ? json_integer(r->rate) : NULL, "max_connections", (int)r->open_max);
    json_decref(to);
    return o;
}

json_t *tunnel_rule_kept(const struct tunnel_rule *r)
{
    json_t *o = r->words ? json_deep_copy(r->words) : words_of(r);

    (void)json_object_set_new(o, "id", json_integer((json_int_t)r->number));
    if (o && r->login.password)
        (void)json_object_set_new(o, "password", json_string(r->login.password));
    return o;
}

static const char *kind_of(const struct tunnel_rule *r, const json_t *o)
{
    return json_is_true(json_object_get(o, "proxy"))    ? "proxy"
           : json_is_true(json_object_get(o, "dns"))    ? "dns"
           : json_is_true(json_object_get(o, "remote")) ? "remote"
           : r->is_guest                                ? "guest"
                                                        : "local";
}

static bool is_same_type(const json_t *a, const json_t *b)
{
    return json_typeof(a) == json_typeof(b) || (json_is_boolean(a) && json_is_boolean(b));
}

/* What a rule that waits would be, as far as it makes sense. */
static void show_kept(json_t *o, const json_t *words)
{
    static const char *const texts[] = {"peer", "user"}; /* null without one */
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(o, next, key, value)
    {
        json_t *kept = json_object_get(words, key);
        if (kept && is_same_type(kept, value))
            (void)json_object_set(o, key, kept);
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(texts); i++) {
        json_t *kept = json_object_get(words, texts[i]);
        if (json_is_string(kept) && json_object_get(o, texts[i]))
            (void)json_object_set(o, texts[i], kept);
    }
    if (json_is_integer(json_object_get(words, "rate")) && json_object_get(o, "to"))
        (void)json_object_set(o, "rate", json_object_get(words, "rate"));
}

json_t *tunnel_rule_show(const struct tunnel_rule *r)
{
    json_t *o = words_of(r);
    struct om_splice_end live;

    if (r->words)
        show_kept(o, r->words);
    if (*r->machine)
        (void)json_object_set_new(o, "machine", json_string(r->machine));
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
        (void)json_object_set_new(o, "kind", json_string(kind_of(r, o)));
        (void)json_object_set_new(o, "up",
                                  json_boolean(!r->words && (!r->is_remote || r->is_standing)));
    }
    return o;
}

/* The one behind those of @r is one of them now, unless it was already. */
static void count_peer(struct tunnel_rule *r)
{
    for (unsigned i = 0; i < r->peer_count; i++)
        if (om_id_equal(&r->peers[i], &r->peers[r->peer_count]))
            return;
    r->peer_count++;
}

static bool add_peer(struct tunnel_rule *r, const json_t *who, struct om_error *err)
{
    const char *text = json_string_value(who);
    const struct daemon_network *net = daemon_network(r->tunnels->d, &r->network);
    json_t *words;

    if (!text || r->peer_count == TUNNEL_PEERS_MAX)
        return om_fail(err, OM_E_RANGE, "want 1 to %d peers", TUNNEL_PEERS_MAX) == OM_OK;
    if (strcmp(text, "*") == 0) {
        if (net && net->is_open)
            return om_fail(err, OM_E_RANGE,
                           "network %s is open to everybody: name the peers, --to PEER",
                           net->name) == OM_OK;
        r->is_everybody = true;
        return true;
    }
    if (om_id_parse(&r->peers[r->peer_count], text, NULL) == OM_OK) {
        count_peer(r);
        return true;
    }
    if (!net) /* only words are checked, where nobody is */
        return ++r->peer_count > 0;
    words = json_pack("{s:s, s:s}", "peer", text, "network", net->name);
    const struct control_ask ask = {.d = r->tunnels->d, .params = words};
    bool is_found = control_peer(&ask, &net, &r->peers[r->peer_count], err);
    json_decref(words);
    if (is_found)
        count_peer(r);
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
    size_t n = strlen(host);
    if (n > 2 && host[0] == '[' && host[n - 1] == ']') { /* as people write IPv6 before a port */
        host++;
        n -= 2;
    }
    if (n > OM_TARGET_NAME_MAX)
        return om_fail(err, OM_E_RANGE, "host: over %d bytes", OM_TARGET_NAME_MAX) == OM_OK;
    (void)snprintf(r->host, sizeof r->host, "%.*s", (int)n, host);
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
    /* What is kept of such a rule has the most there can be. */
    if (r->is_consent && most != 0 && most != TUNNEL_PER_PEER)
        return om_fail(err, OM_E_RANGE,
                       "max_connections: only a port or the internet can have one") == OM_OK;
    r->rate = (uint32_t)rate;
    r->open_max = most > 0 ? (unsigned)most : TUNNEL_PER_PEER;
    return true;
}

/* The ranges of our own networks that the internet of @r includes. */
static bool read_also(struct tunnel_rule *r, const json_t *words, struct om_error *err)
{
    const json_t *also = json_object_get(words, "also"), *range;
    size_t i;

    if (json_array_size(also) > (r->is_internet ? TUNNEL_ALSO_MAX : 0))
        return om_fail(err, OM_E_RANGE,
                       r->is_internet ? "also: want at most %d ranges"
                                      : "also: only the internet can have such ranges",
                       TUNNEL_ALSO_MAX) == OM_OK;
    json_array_foreach(also, i, range)
    {
        const char *text = json_string_value(range);
        if (!text)
            return om_fail(err, OM_E_RANGE, "also: want ranges as text") == OM_OK;
        if (om_cidr_parse(&r->also[i], text, err) != OM_OK)
            return false;
        r->also_count++;
    }
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

/* A port of what is behind a link, not of the peer itself. */
static bool read_link(struct tunnel_rule *r, const json_t *words, bool is_alone,
                      struct om_error *err)
{
    const json_t *link = json_object_get(words, "link");
    const char *name = json_string_value(link);

    if (!link || (name && !*name))
        return true;
    if (is_alone || r->is_udp || r->is_remote || *r->host)
        return om_fail(err, OM_E_RANGE, "link: only a TCP port without host can lead there") ==
               OM_OK;
    if (!name || strlen(name) > TUNNEL_LINK_MAX)
        return om_fail(err, OM_E_PARSE, "link: want the name of a link of the peer") == OM_OK;
    (void)snprintf(r->to_link, sizeof r->to_link, "%s", name);
    return true;
}

bool tunnel_rule_read_forward(struct tunnel_rule *r, const json_t *words, struct om_error *err)
{
    const json_t *peer = json_object_get(words, "peer");

    r->is_forward = true;
    r->is_dns = json_is_true(json_object_get(words, "dns")) && !r->is_udp;
    r->is_proxy = json_is_true(json_object_get(words, "proxy")) && !r->is_udp && !r->is_dns;
    bool is_alone = r->is_proxy || r->is_dns; /* needs neither port nor peer */
    r->is_remote = json_is_true(json_object_get(words, "remote")) && !is_alone;
    return tunnel_read_listen(&r->listen, json_string_value(json_object_get(words, "listen")),
                              err) &&
           read_host(r, words, r->is_remote ? "127.0.0.1" : "", err) && read_login(r, words, err) &&
           read_link(r, words, is_alone, err) &&
           (is_alone || read_port(words, "port", &r->port, err)) &&
           ((is_alone && !json_is_string(peer)) || add_peer(r, peer, err));
}

bool tunnel_rule_listen(struct tunnel_rule *r, struct om_error *err)
{
    return r->is_remote || (r->is_dns   ? tunnel_dns_listen(r, err)
                            : r->is_udp ? tunnel_udp_listen(r, err)
                                        : tunnel_listen(r, err));
}

bool tunnel_rule_read_exposed(struct tunnel_rule *r, const json_t *words, struct om_error *err)
{
    const json_t *to = json_object_get(words, "to"), *who;
    const char *listen = json_string_value(json_object_get(words, "listen"));
    size_t i;

    r->is_internet = json_is_true(json_object_get(words, "internet"));
    r->is_consent = listen && *listen;
    bool is_good =
        r->is_internet || (r->is_consent ? tunnel_read_listen(&r->listen, listen, err)
                                         : read_port(words, "port", &r->listen.port, err) &&
                                               read_host(r, words, "127.0.0.1", err));
    r->port = r->is_consent ? 0 : r->listen.port;
    if (is_good && !r->is_internet && !r->is_consent && json_object_get(words, "to_port"))
        is_good = read_port(words, "to_port", &r->port, err);
    if (is_good && r->is_internet && r->is_udp)
        is_good = om_fail(err, OM_E_RANGE,
                          "udp: the internet is TCP and UDP alike: leave it away") == OM_OK;
    is_good = is_good && read_limits(r, words, err) && read_also(r, words, err);
    json_array_foreach(to, i, who) is_good = is_good && add_peer(r, who, err);
    if (is_good && !r->is_everybody && r->peer_count == 0)
        is_good = om_fail(err, OM_E_MISSING, "to: say which peers may use it") == OM_OK;
    return is_good;
}
