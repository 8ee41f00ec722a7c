/* netcheck.c - how this node is connected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>
#include <omerta/why.h>

#include "control/methods.h"
#include "control/parts.h"
#include "control/why.h"
#include "host/clock.h"
#include "names.h"
#include "mapping.h"

enum { NAT_TEXT = 160, MEASURED_MAX = 8 /* peers that are asked at a time */ };

/* Seconds from @from to @to; null when there is none of them. */
static json_t *seconds(om_time from, om_time to)
{
    return from == OM_NEVER || to == OM_NEVER ? json_null() : json_real((double)(to - from) / 1e6);
}

static bool is_told(const struct om_portmap_tried *t)
{
    return t->answer.result == OM_PORTMAP_MAPPED || t->answer.result == OM_PORTMAP_NESTED;
}

static json_t *tried_json(const struct om_portmap *p, enum om_portmap_how how)
{
    const struct om_portmap_tried *t = &p->tried[how];

    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "protocol", om_portmap_how_name(how), "result",
                     om_portmap_result_name(t->answer.result), "why", t->answer.why, "external",
                     is_told(t) ? control_addr(&t->answer.external) : json_null(), "age_s",
                     seconds(t->at, om_clock_now()));
}

json_t *control_portmap(const struct om_daemon *d)
{
    const struct om_portmap *p = mapping_machine(d->mapping);
    bool is_held = p->held.inner != 0;
    char text[MAPPING_TEXT];
    json_t *tried = json_array();

    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++)
        (void)json_array_append_new(tried, tried_json(p, (enum om_portmap_how)i));
    return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:o}", "state",
                     om_portmap_state_name(om_portmap_state(p)), "text",
                     mapping_print(d->mapping, text), "protocol",
                     is_held ? om_portmap_how_name(p->held.how) : NULL, "external",
                     is_held ? control_addr(&p->external) : json_null(), "expires_s",
                     is_held ? seconds(om_clock_now(), p->expires) : json_null(), "again_s",
                     seconds(om_clock_now(), p->at), "tried", tried);
}

static void add(json_t *list, const char *check, const char *result, const char *what)
{
    (void)json_array_append_new(
        list, json_pack("{s:s, s:s, s:s}", "check", check, "result", result, "what", what));
}

/* What the machine offers, and what came back. */
static void add_udp(json_t *list, const char *check, bool has_socket, bool has_route, uint16_t port,
                    const struct om_netcheck_family *f)
{
    const char *result = !has_socket     ? "no"
                         : f->is_blocked ? "blocked"
                         : f->is_heard   ? "yes"
                         : has_route     ? "unproven"
                                         : "local";
    char what[160];

    if (!has_socket)
        (void)snprintf(what, sizeof what, "no socket");
    else if (f->is_blocked)
        (void)snprintf(what, sizeof what, "port %u, %u questions in %.0f s and no answer", port,
                       f->asked, (double)(om_clock_now() - f->asked_since) / 1e6);
    else if (f->is_heard)
        (void)snprintf(what, sizeof what, "port %u, others answer", port);
    else
        (void)snprintf(what, sizeof what, "port %u, %s", port,
                       has_route ? "nobody far away was heard yet"
                                 : "no default route: local peers only");
    add(list, check, result, what);
}

/* In words: how the NAT chooses ports, and so what to expect of it. */
static void print_nat(const struct om_netcheck_family *f, char out[static NAT_TEXT])
{
    const char *ports = strcmp(f->reuse, "shared") == 0      ? ", shared by destinations"
                        : strcmp(f->reuse, "exclusive") == 0 ? ", each for one destination"
                                                             : "";

    if (!f->is_believed)
        (void)snprintf(out, NAT_TEXT, "told %u times where others see us: not enough to say",
                       f->samples);
    else if (strcmp(f->kind, "open") == 0)
        (void)snprintf(out, NAT_TEXT, "others see this machine as it is");
    else if (strcmp(f->kind, "eim") == 0)
        (void)snprintf(out, NAT_TEXT, "one port for every destination: direct ways can be found");
    else if (strcmp(f->kind, "stride") == 0)
        (void)snprintf(out, NAT_TEXT, "every destination has another port, in steps of %d%s",
                       f->stride, ports);
    else if (f->last_port > 0)
        (void)snprintf(out, NAT_TEXT, "every destination has another port, from %u to %u%s",
                       f->first_port, f->last_port, ports);
    else
        (void)snprintf(out, NAT_TEXT, "no UDP comes back");
}

static const char *nat_word(const struct om_netcheck_family *f)
{
    if (!f->is_believed)
        return "unknown";
    if (strcmp(f->kind, "open") == 0)
        return "none";
    return strcmp(f->kind, "eim") == 0 ? "easy" : strcmp(f->kind, "dead") == 0 ? "dead" : "strict";
}

static void add_nat(json_t *list, const char *check, const struct om_netcheck_family *f)
{
    char text[NAT_TEXT], seen[OM_ADDR_TEXT];

    if (f->samples == 0)
        return;
    print_nat(f, text);
    add(list, check, nat_word(f), text);
    for (unsigned i = 0; i < f->seen_count; i++)
        add(list, "  seen as", om_addr_print(&f->seen[i], seen), "by other nodes");
    if (strcmp(f->filter, "unknown") != 0)
        add(list, "  lets in", f->filter,
            "anybody, or who was sent to: any port of that address, or that port");
    if (strcmp(f->hairpin, "unknown") != 0)
        add(list, "  hairpin", f->hairpin, "two machines behind it meet by its outside address");
    if (f->life_alive > 0) {
        (void)snprintf(text, sizeof text, "%.0f s", (double)f->life_alive / 1e6);
        add(list, "  remembers", text, "how long in silence, as far as was tried");
    }
}

static json_t *port_json(unsigned port)
{
    return port ? json_integer((json_int_t)port) : json_null();
}

static json_t *family_json(const char *name, const struct om_netcheck_family *f)
{
    json_t *seen = json_array();
    char text[NAT_TEXT];

    print_nat(f, text);
    for (unsigned i = 0; i < f->seen_count; i++)
        (void)json_array_append_new(seen, control_addr(&f->seen[i]));
    return json_pack(
        "{s:s, s:b, s:b, s:i, s:o, s:s, s:s, s:b, s:i, s:i, s:o, s:o, s:i, s:s, s:s, s:s, s:o, s:o,"
        " s:o}",
        "family", name, "heard", (int)f->is_heard, "blocked", (int)f->is_blocked, "asked",
        (int)f->asked, "asked_s", seconds(f->asked_since, om_clock_now()), "nat", f->kind, "text",
        text, "believed", (int)f->is_believed, "samples", (int)f->samples, "witnesses",
        (int)f->witnesses, "first_port", port_json(f->first_port), "last_port",
        port_json(f->last_port), "stride", f->stride, "ports", f->reuse, "lets_in", f->filter,
        "hairpin", f->hairpin, "seen", seen, "lives_s",
        f->life_alive > 0 ? json_real((double)f->life_alive / 1e6) : json_null(), "dies_s",
        f->life_dead > 0 ? json_real((double)f->life_dead / 1e6) : json_null());
}

/* The nearest of those that are kept warm is the one that is asked first. */
static void add_relays(json_t *list, json_t *relays, const struct control_ask *ask,
                       const struct daemon_network *net, const struct om_netcheck *c)
{
    for (unsigned i = 0; i < c->relay_count; i++) {
        const struct om_netcheck_relay *r = &c->relays[i];
        char called[NAMES_TEXT], brief[OM_ID_SHORT], shown[OM_SHOW_TEXT], at[OM_ADDR_TEXT],
            check[OM_SHOW_TEXT + 8];
        char rtt[24] = "?", what[120];
        bool is_home = i == 0 && r->is_warm;

        (void)snprintf(check, sizeof check, "relay %s",
                       *names_of(ask->d, &net->id, &r->id, called) ? om_text_show(shown, called)
                                                                   : om_id_short(&r->id, brief));
        if (r->rtt > 0)
            (void)snprintf(rtt, sizeof rtt, "%.1f ms", (double)r->rtt / 1000);
        (void)snprintf(what, sizeof what, "%s%s", om_addr_print(&r->addr, at),
                       is_home      ? ", asked first"
                       : r->is_warm ? ", kept ready"
                                    : ", spare");
        add(list, check, rtt, what);
        (void)json_array_append_new(
            relays,
            json_pack("{s:o, s:o, s:o, s:b, s:b, s:o}", "id", control_id(&r->id), "name",
                      control_text(called, strlen(called)), "address", control_addr(&r->addr),
                      "warm", (int)r->is_warm, "home", (int)is_home, "rtt_ms", control_ms(r->rtt)));
    }
}

/* Asks some of those whom we speak with: where they see us, and how far away they are. */
static unsigned measure(struct om_daemon *d, const struct daemon_network *net)
{
    struct om_peer_info info;
    unsigned asked = 0;
    struct om_id *ids;
    unsigned n = daemon_peers(d, &net->id, &ids);

    for (unsigned i = 0; i < n && asked < MEASURED_MAX; i++) {
        bool is_direct =
            om_node_peer_info(daemon_node(d), om_clock_now(), &net->id, &ids[i], &info) == OM_OK &&
            info.has_session && !info.is_relayed;
        asked += is_direct &&
                 om_node_ping(daemon_node(d), om_clock_now(), &net->id, &ids[i], 0) == OM_OK;
    }
    free(ids);
    om_pump_kick(d->pump);
    return asked;
}

static void add_portmap(json_t *list, const struct om_daemon *d)
{
    const struct om_portmap *p = mapping_machine(d->mapping);
    char text[MAPPING_TEXT], external[OM_ADDR_TEXT];

    add(list, "port mapping", om_portmap_state_name(om_portmap_state(p)),
        mapping_print(d->mapping, text));
    for (unsigned i = 0; i < OM_PORTMAP_HOWS; i++) {
        const struct om_portmap_tried *t = &p->tried[i];
        char check[24];
        (void)snprintf(check, sizeof check, "  %s", om_portmap_how_name((enum om_portmap_how)i));
        if (t->answer.result == OM_PORTMAP_MAPPED)
            (void)snprintf(text, sizeof text, "%s", om_addr_print(&t->answer.external, external));
        else if (t->answer.result == OM_PORTMAP_NESTED)
            (void)snprintf(text, sizeof text, "%s: %s",
                           om_addr_print(&t->answer.external, external), t->answer.why);
        else
            (void)snprintf(text, sizeof text, "%s", t->answer.why);
        add(list, check, om_portmap_result_name(t->answer.result), text);
    }
}

json_t *control_netcheck(struct control_ask *ask, struct om_error *err)
{
    const char *named = json_string_value(json_object_get(ask->params, "network"));
    const struct daemon_network *net = named ? control_network(ask, err) : &ask->d->networks[0];
    bool measures = json_is_true(json_object_get(ask->params, "measure"));
    struct om_daemon *d = ask->d;
    char blocked[CONTROL_BLOCKED_TEXT];
    bool v4 = om_netwatch_has_default(d->netwatch, false);
    bool v6 = om_netwatch_has_default(d->netwatch, true);
    struct om_netcheck c;
    struct om_udp_info u;

    if (!net)
        return NULL;
    json_t *list = json_array(), *relays = json_array();
    om_udp_info(om_pump_udp(d->pump), &u);
    om_node_netcheck(daemon_node(d), om_clock_now(), &net->id, &c);
    add_udp(list, "UDP over IPv4", u.has_v4, v4, u.port, &c.families[0]);
    add_nat(list, "NAT of IPv4", &c.families[0]);
    add_udp(list, "UDP over IPv6", u.has_v6, v6, u.port, &c.families[1]);
    add_nat(list, "NAT of IPv6", &c.families[1]);
    add_portmap(list, d);
    add_relays(list, relays, ask, net, &c);
    return json_pack("{s:o, s:o, s:{s:b, s:b}, s:o, s:[o, o], s:o, s:s?, s:i}", "checks", list,
                     "udp", control_udp(d), "routes", "ipv4", (int)v4, "ipv6", (int)v6, "portmap",
                     control_portmap(d), "families", family_json("ipv4", &c.families[0]),
                     family_json("ipv6", &c.families[1]), "relays", relays, "problem",
                     control_blocked_text(d, blocked), "measured",
                     measures ? (int)measure(d, net) : 0);
}
