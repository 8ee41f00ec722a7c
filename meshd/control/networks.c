/* networks.c - methods by which networks come and go. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "closed.h"
#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"
#include "invites.h"
#include "membership.h"
#include "names.h"

enum { INVITE_S = 24 * 3600, INVITE_MAX_S = 90 * 24 * 3600 };

static const char *param(const struct control_ask *ask, const char *name)
{
    return json_string_value(json_object_get(ask->params, name));
}

/* A number of it from 1 to @max, or @otherwise; 0 with @err when it is something else. */
static unsigned number(const struct control_ask *ask, const char *name, unsigned otherwise,
                       unsigned max, struct om_error *err)
{
    const json_t *given = json_object_get(ask->params, name);
    json_int_t n = given ? json_integer_value(given) : (json_int_t)otherwise;

    if (n >= 1 && n <= (json_int_t)max)
        return (unsigned)n;
    (void)om_fail(err, OM_E_RANGE, "\"%s\": want 1 to %u", name, max);
    return 0;
}

/* Whom it lets in: of a direct network only. */
static void add_pins(json_t *out, const struct om_daemon *d, const struct daemon_network *net)
{
    json_t *pins = json_array();
    struct om_pins p;

    if (net->is_direct && om_node_pins(daemon_node(d), &net->id, &p) == OM_OK) {
        for (unsigned i = 0; i < p.count; i++)
            (void)json_array_append_new(pins, control_id(&p.key[i]));
        (void)json_object_set_new(out, "pins_left", json_integer((json_int_t)p.left));
    } else {
        (void)json_object_set_new(out, "pins_left", json_integer(0));
    }
    (void)json_object_set_new(out, "pins", pins);
}

json_t *control_network_show(struct om_daemon *d, const struct daemon_network *net)
{
    json_t *out = control_network_json(d, net);
    char as[NAMES_TEXT] = "";

    if (net->is_closed)
        (void)names_of(d, &net->id, &net->self, as);
    (void)json_object_set_new(out, "as", json_string(as));
    add_pins(out, d, net);
    if (net->is_closed)
        (void)json_object_set_new(out, "invites", control_invites(d, net));
    return out;
}

json_t *control_networks_show(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);

    return net ? control_network_show(ask->d, net) : NULL;
}

/* An address to be found at, where one is given; false and @err when it is none. */
static bool read_at(const struct control_ask *ask, struct om_addr *out, bool *is_given,
                    struct om_error *err)
{
    const char *text = param(ask, "at");
    struct om_udp_info udp;

    *is_given = text != NULL;
    if (!text)
        return true;
    om_udp_info(om_pump_udp(ask->d->pump), &udp);
    return om_addr_parse(out, text, udp.port, err) == OM_OK;
}

/* The link of @net, as the answer; NULL and @err. */
static json_t *link_of(struct control_ask *ask, const struct daemon_network *net,
                       const struct om_addr *at, struct om_error *err)
{
    char text[OM_NETWORK_LINK_TEXT];

    if (!membership_link(ask->d, net, at, text, err))
        return NULL;
    json_t *out = json_pack("{s:s, s:s}", "network", net->name, "link", text);
    sodium_memzero(text, sizeof text);
    return out;
}

json_t *control_networks_create(struct control_ask *ask, struct om_error *err)
{
    bool is_open = json_is_true(json_object_get(ask->params, "open"));
    const struct daemon_network *net = NULL;

    if (is_open && param(ask, "as"))
        (void)om_fail(err, OM_E_STATE, "only in a closed network has a node a name of its own");
    else
        net = membership_create(ask->d, is_open ? OM_NETWORK_OPEN : OM_NETWORK_CLOSED,
                                param(ask, "name"), param(ask, "as"), 0, err);
    return net ? control_network_show(ask->d, net) : NULL;
}

json_t *control_networks_direct(struct control_ask *ask, struct om_error *err)
{
    unsigned uses = number(ask, "uses", 1, OM_PINS_MAX, err);
    struct om_error ignored;
    struct om_addr at;
    bool is_given;

    if (uses == 0 || !read_at(ask, &at, &is_given, err))
        return NULL;
    const struct daemon_network *net =
        membership_create(ask->d, OM_NETWORK_DIRECT, param(ask, "name"), NULL, uses, err);
    if (!net)
        return NULL;
    json_t *out = link_of(ask, net, is_given ? &at : NULL, err);
    if (!out) /* nobody could ever come */
        (void)membership_leave(ask->d, net, &ignored);
    return out;
}

/* What an invited member may do; false and @err for a word that is none. */
static bool read_roles(const struct control_ask *ask, uint8_t *out, struct om_error *err)
{
    const char *word = param(ask, "role");

    *out = 0;
    if (!word || strcmp(word, "member") == 0)
        return true;
    if (strcmp(word, "relay") == 0)
        *out = OM_ROLE_RELAY;
    else if (strcmp(word, "provider") == 0)
        *out = OM_ROLE_PROVIDER;
    else if (strcmp(word, "admin") == 0)
        *out = OM_ROLE_ADMIN | OM_ROLE_RELAY | OM_ROLE_PROVIDER;
    else
        return om_fail(err, OM_E_RANGE, "\"role\": want member, relay, provider or admin") == OM_OK;
    return true;
}

static json_t *invite_closed(struct control_ask *ask, const struct daemon_network *net,
                             const struct om_addr *at, struct om_error *err)
{
    struct om_invite i = {.uses = (uint16_t)number(ask, "uses", 1, UINT16_MAX, err)};
    char text[OM_NETWORK_LINK_TEXT];

    if (i.uses == 0 || !read_roles(ask, &i.roles, err))
        return NULL;
    i.expires = number(ask, "expires_s", INVITE_S, INVITE_MAX_S, err);
    if (i.expires == 0)
        (void)om_fail(err, OM_E_RANGE, "\"expires_s\": an invitation holds for 1s to 90d");
    if (i.expires == 0 || !closed_invite(ask->d, net, &i, at, text, err))
        return NULL;
    invites_add(ask->d, net, text);
    json_t *out = json_pack("{s:s, s:s}", "network", net->name, "link", text);
    sodium_memzero(text, sizeof text);
    return out;
}

json_t *control_networks_invite(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);
    struct om_addr at;
    bool is_given;

    if (!net || !read_at(ask, &at, &is_given, err))
        return NULL;
    if (net->is_closed)
        return invite_closed(ask, net, is_given ? &at : NULL, err);
    if (json_object_get(ask->params, "uses") || json_object_get(ask->params, "expires_s") ||
        json_object_get(ask->params, "role")) {
        (void)om_fail(err, OM_E_STATE, "only an invitation to a closed network can be limited");
        return NULL;
    }
    return link_of(ask, net, is_given ? &at : NULL, err);
}

/* An old direct link does not say whose it is: "peer" does. */
static bool pin(const struct control_ask *ask, struct om_network_link *l, struct om_error *err)
{
    const char *peer = param(ask, "peer");

    if (l->kind != OM_NETWORK_DIRECT && peer)
        return om_fail(err, OM_E_RANGE, "only a connect link is for one peer") == OM_OK;
    if (l->kind != OM_NETWORK_DIRECT || (l->is_pinned && !peer))
        return true;
    if (!peer)
        return om_fail(err, OM_E_MISSING,
                       "the link is of an old form and does not say whose it is: ask for the id "
                       "of the peer in it, and give that with --peer") == OM_OK;
    if (om_id_parse(&l->peers[0].key, peer, err) != OM_OK)
        return false;
    l->is_pinned = true;
    return true;
}

json_t *control_networks_join(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = NULL;
    struct om_network_link l;

    if (om_network_link_parse(&l, param(ask, "link"), err) != OM_OK)
        return NULL;
    if (l.kind == OM_NETWORK_CLOSED) {
        if (pin(ask, &l, err) &&
            closed_join(ask->d, &l, param(ask, "link"), param(ask, "name"), param(ask, "as"), err))
            (void)control_wait_join(ask, &l.id, err);
        return NULL;
    }
    if (param(ask, "as")) {
        sodium_memzero(&l, sizeof l);
        (void)om_fail(err, OM_E_STATE, "only in a closed network has a node a name of its own");
        return NULL;
    }
    if (pin(ask, &l, err))
        net = membership_join(ask->d, &l, param(ask, "name"), err);
    sodium_memzero(&l, sizeof l);
    return net ? control_network_show(ask->d, net) : NULL;
}

json_t *control_networks_leave(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);
    json_t *out =
        net ? json_pack("{s:s, s:o}", "left", net->name, "id", control_id(&net->id)) : NULL;

    if (out && membership_leave(ask->d, net, err))
        return out;
    json_decref(out);
    return NULL;
}

json_t *control_networks_rename(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);

    if (!net || !membership_rename(ask->d, net, param(ask, "name"), err))
        return NULL;
    return control_network_show(ask->d, net);
}
