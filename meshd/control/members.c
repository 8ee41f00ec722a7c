/* members.c - methods on who is in a network, and who no more. */
#include <stdlib.h>
#include <string.h>

#include <omerta/rotate.h>

#include "blocks.h"
#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"
#include "invites.h"
#include "members.h"

static json_t *iso_of(uint32_t unix_s)
{
    return unix_s > 0 ? control_iso((struct om_wall){(int64_t)unix_s * 1000}) : json_null();
}

static bool is_zero(const struct om_id *id)
{
    static const struct om_id none = {{0}};

    return om_id_equal(id, &none);
}

static json_t *id_of(const struct om_id *id)
{
    return is_zero(id) ? json_null() : control_id(id);
}

/* What a member is called, or the start of its id; nobody in particular: null. The authority is
 * no member, and has no name. */
static json_t *name_of(const struct names *names, const struct om_id *key)
{
    char name[NAMES_TEXT], brief[OM_ID_SHORT];
    struct om_member_state s;

    if (is_zero(key))
        return json_null();
    if (*members_named(names, key, name))
        return control_text(name, strlen(name));
    if (om_node_member_state(daemon_node(names->d), om_clock_now(), &names->network, key, &s) ==
            OM_OK &&
        s.is_authority)
        return json_string("authority");
    return json_string(om_id_short(key, brief));
}

static json_t *roles_of(const struct om_member_state *s)
{
    json_t *roles = json_array();

    if (s->is_admin)
        (void)json_array_append_new(roles, json_string("admin"));
    if (s->member.roles & OM_ROLE_RELAY)
        (void)json_array_append_new(roles, json_string("relay"));
    if (s->member.roles & OM_ROLE_PROVIDER)
        (void)json_array_append_new(roles, json_string("provider"));
    return roles;
}

/* Seconds since it was heard, here or by its record. */
static json_t *seen_of(const struct om_daemon *d, const struct daemon_network *net,
                       const struct om_member_state *s)
{
    struct om_announce a;
    uint64_t made_ms;

    if (s->heard_at > 0)
        return json_real((double)(om_clock_now() - s->heard_at) / 1e6);
    if (s->is_own ||
        om_node_record(daemon_node(d), &net->id, &s->member.key, &a, &made_ms) != OM_OK)
        return json_null();
    int64_t age_ms = om_clock_wall().unix_ms - (int64_t)made_ms;
    return json_real(age_ms > 0 ? (double)age_ms / 1000 : 0);
}

static json_t *member_json(const struct om_daemon *d, const struct daemon_network *net,
                           const struct names *names, const struct om_member_state *s)
{
    char name[NAMES_TEXT], brief[OM_ID_SHORT];
    const struct om_id none = {{0}};
    const struct om_id *by = s->has_cert ? &s->member.issuer : &none;

    (void)members_named(names, &s->member.key, name);
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:s, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
        control_id(&s->member.key), "short", om_id_short(&s->member.key, brief), "name",
        control_text(name, strlen(name)), "roles", roles_of(s), "standing",
        om_standing_name(s->standing), "admin", (int)s->is_admin, "own", (int)s->is_own, "live",
        (int)s->has_session, "blocked",
        (int)om_node_is_blocked(daemon_node(d), &net->id, &s->member.key), "seen_s",
        seen_of(d, net, s), "issued", iso_of(s->member.issued), "expires", iso_of(s->member.until),
        "invited_by", id_of(by), "invited_by_name", name_of(names, by), "revoked_by",
        id_of(&s->revoker), "revoked_by_name", name_of(names, &s->revoker));
}

static const struct daemon_network *closed_network(const struct control_ask *ask,
                                                   struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);

    if (!net || net->is_closed)
        return net;
    (void)om_fail(err, OM_E_STATE,
                  "network %s is not closed, so it has no members: omerta peers lists who is there",
                  net->name);
    return NULL;
}

json_t *control_networks_members(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = closed_network(ask, err);
    bool all = json_is_true(json_object_get(ask->params, "all"));
    struct om_member_state s;
    struct names names;
    struct om_id *ids;

    if (!net)
        return NULL;
    json_t *list = json_array();
    unsigned n = members_list(ask->d, net, &ids);
    names_load(&names, ask->d, net);
    for (unsigned i = 0; i < n; i++)
        if (om_node_member_state(daemon_node(ask->d), om_clock_now(), &net->id, &ids[i], &s) ==
                OM_OK &&
            !s.is_authority &&
            (all || s.standing == OM_STANDING_GOOD || s.standing == OM_STANDING_EXPIRED))
            (void)json_array_append_new(list, member_json(ask->d, net, &names, &s));
    names_free(&names);
    free(ids);
    return json_pack("{s:s, s:o}", "network", net->name, "members", list);
}

/* Who else is connected, so that it hears at once. */
static unsigned hearers(const struct om_daemon *d, const struct daemon_network *net,
                        const struct om_id *but)
{
    struct om_peer_info info;
    struct om_id *ids;
    unsigned n = daemon_peers(d, &net->id, &ids), count = 0;

    for (unsigned i = 0; i < n; i++)
        count +=
            (!but || !om_id_equal(&ids[i], but)) &&
            om_node_peer_info(daemon_node(d), om_clock_now(), &net->id, &ids[i], &info) == OM_OK &&
            info.has_session;
    free(ids);
    return count;
}

/* Whom "peer" of @ask means, and in which network: the one behind it, or as control_network(). */
static bool find_member(const struct control_ask *ask, const struct daemon_network **net,
                        struct om_id *key, struct om_error *err)
{
    const char *text = json_string_value(json_object_get(ask->params, "peer"));
    const struct daemon_network *only = NULL;
    char word[OM_ID_TEXT + NAMES_TEXT];
    size_t n;

    if (json_object_get(ask->params, "network") && !(only = control_network(ask, err)))
        return false;
    *net = control_behind(ask->d, only, text ? text : "", &n);
    if (!*net && !(*net = control_network(ask, err)))
        return false;
    (void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1),
                   text ? text : "");
    return members_find(ask->d, *net, word, key, err);
}

json_t *control_networks_revoke(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net;
    bool stay = json_is_true(json_object_get(ask->params, "keep_member"));
    char name[NAMES_TEXT];
    struct om_id key;

    if (!find_member(ask, &net, &key, err))
        return NULL;
    (void)members_name(ask->d, net, &key, name);
    unsigned told = hearers(ask->d, net, stay ? NULL : &key);
    if (!members_revoke(ask->d, net, &key, stay, err))
        return NULL;
    if (json_is_true(json_object_get(ask->params, "now"))) {
        enum om_err e = om_node_rotate(daemon_node(ask->d), om_clock_now(), &net->id);
        om_pump_kick(ask->d->pump);
        if (e != OM_OK) {
            (void)om_fail(err, e, "revoked, but the secret cannot be changed now: %s",
                          om_err_text(e));
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:o, s:b, s:i}", "network", net->name, "id", control_id(&key),
                     "name", control_text(name, strlen(name)), "member", (int)stay, "told",
                     (int)told);
}

static json_t *invite_of(const uint8_t id[static OM_MEMBER_INVITE])
{
    char text[2 * OM_MEMBER_INVITE + 1];

    for (unsigned i = 0; i < OM_MEMBER_INVITE; i++)
        (void)snprintf(text + (size_t)2 * i, 3, "%02x", id[i]);
    return json_string(text);
}

json_t *control_networks_void(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);
    const char *text = json_string_value(json_object_get(ask->params, "invite"));
    uint8_t invite[OM_MEMBER_INVITE];

    if (!net || !members_void(ask->d, net, text ? text : "", invite, err))
        return NULL;
    return json_pack("{s:s, s:o, s:i}", "network", net->name, "invite", invite_of(invite), "told",
                     (int)hearers(ask->d, net, NULL));
}

/* What a grant gives, as roles of members are told. */
static json_t *granted(uint8_t roles)
{
    const struct om_member_state s = {.member.roles = roles, .is_admin = roles & OM_ROLE_ADMIN};

    return roles_of(&s);
}

json_t *control_invites(struct om_daemon *d, const struct daemon_network *net)
{
    struct invite all[INVITES_MAX];
    json_t *list = json_array();
    unsigned n = invites_list(d, net, all);

    for (unsigned i = 0; i < n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:o, s:o, s:i, s:i, s:o}", "id", invite_of(all[i].seen.id), "roles",
                            granted(all[i].seen.what.roles), "uses", (int)all[i].seen.what.uses,
                            "left", (int)all[i].left, "expires", iso_of(all[i].seen.what.expires)));
    return list;
}

json_t *control_networks_block(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net;
    bool is_on = !json_is_true(json_object_get(ask->params, "undo"));
    char name[NAMES_TEXT];
    struct om_id key;

    if (!find_member(ask, &net, &key, err))
        return NULL;
    (void)members_name(ask->d, net, &key, name);
    if (!blocks_set(ask->d, net, &key, is_on, err))
        return NULL;
    return json_pack("{s:s, s:o, s:o, s:b}", "network", net->name, "id", control_id(&key), "name",
                     control_text(name, strlen(name)), "blocked", (int)is_on);
}

json_t *control_networks_blocked(struct control_ask *ask, struct om_error *err)
{
    const struct daemon_network *net = control_network(ask, err);
    struct om_id keys[OM_BLOCKED_MAX];
    char name[NAMES_TEXT], brief[OM_ID_SHORT];
    struct names names;

    if (!net)
        return NULL;
    json_t *list = json_array();
    names_load(&names, ask->d, net);
    unsigned n = om_node_blocked(daemon_node(ask->d), &net->id, keys, OM_BLOCKED_MAX);
    for (unsigned i = 0; i < n; i++) {
        (void)members_named(&names, &keys[i], name);
        (void)json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "id", control_id(&keys[i]),
                                                    "short", om_id_short(&keys[i], brief), "name",
                                                    control_text(name, strlen(name))));
    }
    names_free(&names);
    return json_pack("{s:s, s:o}", "network", net->name, "blocked", list);
}
