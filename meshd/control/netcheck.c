/* netcheck.c - how this node is connected. */
#include <stdio.h>

#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"
#include "mapping.h"

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

static void add_family(json_t *list, const char *check, bool has_socket, bool has_route,
                       uint16_t port)
{
    char what[80];

    if (has_socket)
        (void)snprintf(what, sizeof what, "port %u, %s", port,
                       has_route ? "with a default route" : "no default route: local peers only");
    else
        (void)snprintf(what, sizeof what, "no socket");
    add(list, check, has_socket && has_route ? "yes" : has_socket ? "local" : "no", what);
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

json_t *control_netcheck(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    const struct om_daemon *d = ask->d;
    bool v4 = om_netwatch_has_default(d->netwatch, false);
    bool v6 = om_netwatch_has_default(d->netwatch, true);
    json_t *list = json_array();
    struct om_udp_info u;

    om_udp_info(om_pump_udp(d->pump), &u);
    add_family(list, "UDP over IPv4", u.has_v4, v4, u.port);
    add_family(list, "UDP over IPv6", u.has_v6, v6, u.port);
    add_portmap(list, d);
    return json_pack("{s:o, s:o, s:{s:b, s:b}, s:o}", "checks", list, "udp", control_udp(d),
                     "routes", "ipv4", (int)v4, "ipv6", (int)v6, "portmap", control_portmap(d));
}
