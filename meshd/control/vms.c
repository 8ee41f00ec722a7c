/* vms.c - methods about virtual machines: those asked for, and those provided. */
#include <sodium.h>
#include <string.h>

#include <omerta/member.h>

#include "control/methods.h"
#include "control/parts.h"
#include "service/choose.h"
#include "service/identity.h"
#include "service/vms.h"
#include "service/wanted.h"
#include "vm/core/spec.h"

enum { KEY_BYTES = 16, KEY_TEXT = 32 /* in hex */ };

void control_notify_vm(struct control *c, uint64_t client, json_t *what)
{
    struct control_client *k = c && client ? control_client(c, client) : NULL;

    if (!c) {
        json_decref(what);
        return;
    }
    if (k && !k->wants_all && !k->kinds) /* else it is told with the others */
        control_send_to(k, "vm", json_incref(what));
    control_send_event(c, "vm", what);
}

/* The key of this home, unless the question brought one. */
static bool add_ssh_key(const struct control_ask *ask, json_t *spec, struct om_error *err)
{
    char line[OM_VM_SSH_KEY];

    if (json_object_get(spec, "ssh_key"))
        return true;
    return identity_line(ask->d, line, err) &&
           json_object_set_new(spec, "ssh_key", json_string(line)) == 0;
}

json_t *control_vm_request(struct control_ask *ask, struct om_error *err)
{
    static const char *const words[] = {"cpus",     "memory", "disk",    "image",
                                        "language", "ttl",    "timeout", "description",
                                        "ssh_key",  "expose", "egress"};
    const char *key = json_string_value(json_object_get(ask->params, "key"));
    bool has_peer = json_object_get(ask->params, "peer") != NULL;
    bool is_any = json_is_true(json_object_get(ask->params, "any"));
    char made[KEY_TEXT + 1];
    uint8_t random[KEY_BYTES];
    const struct daemon_network *net = NULL;
    struct om_vm_spec checked;
    struct om_id peer;

    if (has_peer ? !control_provider(ask, &net, &peer, err) : !(net = control_network(ask, err)))
        return NULL;
    if (has_peer && wanted_role(ask->d, net, &peer, err) == WANTED_NO_LENDER)
        return NULL;
    if (has_peer && is_any) {
        (void)om_fail(err, OM_E_PARSE, "want \"peer\" or \"any\", not both");
        return NULL;
    }
    json_t *spec = json_object();
    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        (void)json_object_set(spec, words[i], json_object_get(ask->params, words[i]));
    bool has_key = add_ssh_key(ask, spec, err);
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(made, sizeof made, random, sizeof random);
    json_t *result = NULL;
    if (key && !om_vm_name_is_plain(key, KEY_TEXT))
        (void)om_fail(err, OM_E_PARSE, "\"key\": want 1 to %d letters and digits", KEY_TEXT);
    else if (!has_key || om_vm_spec_read(&checked, spec, err) != OM_OK)
        result = NULL;
    else if (is_any)
        result = choose_start(ask->d->wanted, ask, net, key ? key : made, spec, err);
    else
        result = wanted_request(ask->d->wanted, ask, net, has_peer ? &peer : NULL, key ? key : made,
                                spec, err);
    json_decref(spec);
    return result;
}

/* @method about one machine, or at the provider that the question names. */
static json_t *about(struct control_ask *ask, const char *method, struct om_error *err)
{
    const struct daemon_network *net = NULL;
    bool has_peer = json_object_get(ask->params, "peer") != NULL;
    struct om_id peer;

    if (has_peer && !control_provider(ask, &net, &peer, err))
        return NULL;
    return wanted_short(ask->d->wanted, ask, method, net, has_peer ? &peer : NULL, err);
}

json_t *control_vm_list(struct control_ask *ask, struct om_error *err)
{
    if (json_object_get(ask->params, "peer"))
        return about(ask, "vm.list", err);
    return json_pack("{s:o, s:o, s:i}", "vms", wanted_list(ask->d->wanted), "provided",
                     vms_here(ask->d->vms), "owed", (int)wanted_owed(ask->d->wanted));
}

json_t *control_vm_extend(struct control_ask *ask, struct om_error *err)
{
    return about(ask, "vm.extend", err);
}

json_t *control_vm_release(struct control_ask *ask, struct om_error *err)
{
    return about(ask, "vm.release", err);
}

json_t *control_vm_console(struct control_ask *ask, struct om_error *err)
{
    return about(ask, "vm.console", err);
}

/* A machine that runs here is its provider's to look at; of any other its provider is asked. */
json_t *control_vm_traffic(struct control_ask *ask, struct om_error *err)
{
    const char *name = json_string_value(json_object_get(ask->params, "vm"));
    bool has_peer = json_object_get(ask->params, "peer") != NULL;
    json_t *here = has_peer ? NULL : vms_traffic(ask->d->vms, name, err);

    return here || (!has_peer && err->code != OM_E_MISSING) ? here : about(ask, "vm.traffic", err);
}

json_t *control_vm_resume(struct control_ask *ask, struct om_error *err)
{
    const char *name = json_string_value(json_object_get(ask->params, "vm"));

    return vms_resume(ask->d->vms, name, err);
}

/* Full ids of the peers that @to names; NULL and @err. */
static json_t *find_peers(struct control_ask *ask, const json_t *to, struct om_error *err)
{
    json_t *out = json_array(), *one;
    size_t i;

    json_array_foreach(to, i, one)
    {
        const struct daemon_network *net;
        struct om_id peer;
        json_t *params = json_pack("{s:O}", "peer", one);
        struct control_ask each = {.d = ask->d, .params = params};
        const char *text = json_string_value(one);
        bool is_all = text && strcmp(text, "*") == 0;
        bool is_full = text && om_id_parse(&peer, text, NULL) == OM_OK;
        bool is_found = is_all || is_full || (params && control_peer(&each, &net, &peer, err));
        json_decref(params);
        if (!is_found) {
            json_decref(out);
            return NULL;
        }
        (void)json_array_append_new(out, is_all ? json_string("*") : control_id(&peer));
    }
    return out;
}

json_t *control_provide_set(struct control_ask *ask, struct om_error *err)
{
    static const char *const settings[] = {"violations", "pause",     "gate",
                                           "rate",       "max_lease", "accel"};
    const json_t *to = json_object_get(ask->params, "to");
    json_t *set = json_pack("{s:O}", "on", json_object_get(ask->params, "on")), *ids = NULL;

    if (to && !(ids = find_peers(ask, to, err))) {
        json_decref(set);
        return NULL;
    }
    if (ids)
        (void)json_object_set_new(set, "to", ids);
    (void)json_object_set(set, "owner_first", json_object_get(ask->params, "owner_first"));
    for (unsigned i = 0; i < OM_ARRAY_SIZE(settings); i++) /* absent: nothing */
        (void)json_object_set(set, settings[i], json_object_get(ask->params, settings[i]));
    control_limits(ask, set);
    json_t *result = vms_provide(ask->d->vms, set, err);
    json_decref(set);
    return result;
}

json_t *control_provide_show(struct control_ask *ask, struct om_error *err)
{
    return vms_provide(ask->d->vms, NULL, err);
}
