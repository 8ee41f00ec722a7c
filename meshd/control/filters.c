/* filters.c - methods by which the owner says who may have virtual machines here. */
#include <string.h>

#include "control/methods.h"
#include "control/parts.h"
#include "service/owner.h"

void control_notify_approval(struct control *c, json_t *what)
{
    if (c && what)
        control_send_event(c, "approval", what);
    else
        json_decref(what);
}

static const char *text_of(const struct control_ask *ask, const char *key)
{
    return json_string_value(json_object_get(ask->params, key));
}

/* A peer or network as people name it, as a full id; NULL and @err. */
static json_t *full_id(struct control_ask *ask, const char *kind, const json_t *named,
                       struct om_error *err)
{
    const struct daemon_network *net = NULL;
    json_t *params = json_pack("{s:O}", kind, named), *out = NULL;
    struct control_ask each = {.d = ask->d, .params = params};
    bool is_network = strcmp(kind, "network") == 0;
    const char *text = json_string_value(named);
    struct om_id id;

    if (!text || !params)
        (void)om_fail(err, OM_E_PARSE, "\"%s\": want texts", kind);
    else if (is_network && om_id_parse(&id, text, NULL) != OM_OK)
        out = (net = control_network(&each, err)) ? control_id(&net->id) : NULL;
    else if (om_id_parse(&id, text, NULL) == OM_OK || control_peer(&each, &net, &id, err))
        out = control_id(&id); /* a full one also of somebody unheard of */
    json_decref(params);
    return out;
}

/* List @kind of @rule, where there is one, gets full ids; false and @err. */
static bool name_ids(struct control_ask *ask, json_t *rule, const char *kind, struct om_error *err)
{
    json_t *list = json_object_get(rule, kind), *out = json_array(), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        json_t *id = full_id(ask, kind, one, err);
        if (!id) {
            json_decref(out);
            return false;
        }
        (void)json_array_append_new(out, id);
    }
    if (json_is_array(list))
        (void)json_object_set(rule, kind, out);
    json_decref(out);
    return true;
}

json_t *control_filter_add(struct control_ask *ask, struct om_error *err)
{
    json_t *rule = json_deep_copy(json_object_get(ask->params, "rule")), *out = NULL;

    (void)om_fail(err, OM_E_NO_MEM, "no memory for the rule");
    if (rule && name_ids(ask, rule, "peer", err) && name_ids(ask, rule, "network", err))
        out = owner_filter_add(ask->d->vms, rule, text_of(ask, "before"), err);
    json_decref(rule);
    return out;
}

json_t *control_filter_list(struct control_ask *ask, struct om_error *err)
{
    return owner_filters(ask->d->vms, err);
}

json_t *control_filter_remove(struct control_ask *ask, struct om_error *err)
{
    return owner_filter_remove(ask->d->vms, text_of(ask, "name"), err);
}

json_t *control_filter_default(struct control_ask *ask, struct om_error *err)
{
    return owner_filter_default(ask->d->vms, text_of(ask, "then"), err);
}

json_t *control_filter_test(struct control_ask *ask, struct om_error *err)
{
    static const char *const words[] = {"cpus", "memory", "disk", "ttl", "description", "egress"};
    const struct daemon_network *net = control_network(ask, err);
    json_t *id = net ? full_id(ask, "peer", json_object_get(ask->params, "peer"), err) : NULL;
    json_t *spec = json_object(), *out = NULL;
    struct om_id peer;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        (void)json_object_set(spec, words[i], json_object_get(ask->params, words[i]));
    if (id && om_id_parse(&peer, json_string_value(id), err) == OM_OK)
        out = owner_filter_test(ask->d->vms, &net->id, &peer, spec, ask->params, err);
    json_decref(spec);
    json_decref(id);
    return out;
}

json_t *control_filter_reputation(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "peers", owner_reputation(ask->d->vms));
}

json_t *control_approvals_list(struct control_ask *ask, struct om_error *err OM_UNUSED)
{
    return json_pack("{s:o}", "approvals", owner_approvals(ask->d->vms));
}

json_t *control_approvals_allow(struct control_ask *ask, struct om_error *err)
{
    return owner_decide(ask->d->vms, text_of(ask, "vm"), true, err);
}

json_t *control_approvals_deny(struct control_ask *ask, struct om_error *err)
{
    return owner_decide(ask->d->vms, text_of(ask, "vm"), false, err);
}
