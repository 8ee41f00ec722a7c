/* access.c - what a machine that we asked for may reach here, and by which name we reach it. */
#include "service/access.h"

#include <stdio.h>
#include <string.h>

#include "control/parts.h"
#include "ipc/ssh_proxy.h"
#include "service/wanted_parts.h"
#include "tunnels/tunnels.h"
#include "vm/core/spec.h"

#define PREFIX "vm-"

enum { PREFIX_LEN = sizeof PREFIX - 1, HEX = 10 };

/* Of another machine: by the id, or by the name that its user gave it. */
static bool is_taken(const struct wanted_vm *v, const char *text)
{
    const struct om_list *all = &v->hub->machines;

    for (struct om_link *l = om_list_first(all); l; l = om_list_next(all, l)) {
        const struct wanted_vm *o = OM_CONTAINER_OF(l, struct wanted_vm, link);
        if (o != v && (strcmp(o->vm, text) == 0 || strcmp(o->name, text) == 0))
            return true;
    }
    return false;
}

static bool read_name(struct wanted_vm *v, const json_t *words, struct om_error *err)
{
    const char *name = json_string_value(json_object_get(words, "name"));

    if (!name || !*name)
        return true;
    if (!om_vm_name_is_plain(name, ACCESS_NAME_MAX) || strncmp(name, PREFIX, PREFIX_LEN) == 0)
        return om_fail(
                   err, OM_E_PARSE,
                   "\"name\": want 1 to %d letters, digits, . _ -, that do not begin with " PREFIX,
                   ACCESS_NAME_MAX) == OM_OK;
    if (is_taken(v, name))
        return om_fail(err, OM_E_EXISTS, "\"name\": another machine is called %s", name) == OM_OK;
    (void)snprintf(v->name, sizeof v->name, "%s", name);
    return true;
}

static bool read_identity(struct wanted_vm *v, const json_t *words, struct om_error *err)
{
    const char *path = json_string_value(json_object_get(words, "identity"));

    if (!path || !*path)
        return true;
    if (path[0] != '/' || strlen(path) >= sizeof v->identity || om_ssh_path_is_odd(path))
        return om_fail(err, OM_E_PARSE,
                       "\"identity\": want the whole path of a key, without \" \\ %% $") == OM_OK;
    (void)snprintf(v->identity, sizeof v->identity, "%s", path);
    return true;
}

bool access_read(struct wanted_vm *v, const json_t *words, struct om_error *err)
{
    struct om_vm_spec spec;
    json_t *o = json_object();

    (void)json_object_set(o, "expose", json_object_get(words, "expose")); /* absent: nothing */
    (void)json_object_set(o, "egress", json_object_get(words, "egress"));
    enum om_err e = om_vm_spec_read(&spec, o, err);
    json_decref(o);
    if (e != OM_OK || !read_name(v, words, err) || !read_identity(v, words, err))
        return false;
    v->exposes = spec.exposes;
    memcpy(v->expose, spec.expose, sizeof v->expose);
    v->has_internet = spec.egress == OM_VM_EGRESS_INTERNET;
    return true;
}

void access_show(const struct wanted_vm *v, json_t *out)
{
    json_t *ports = json_array();

    for (unsigned i = 0; i < v->exposes; i++)
        (void)json_array_append_new(ports, json_integer(v->expose[i]));
    (void)json_object_set_new(out, "name", json_string(v->name));
    (void)json_object_set_new(out, "expose", ports);
    (void)json_object_set_new(out, "egress", json_string(v->has_internet ? "internet" : "none"));
    (void)json_object_set_new(out, "identity", json_string(v->identity));
}

bool access_is_id(const struct wanted_vm *v, const char *id)
{
    return strncmp(id, PREFIX, PREFIX_LEN) == 0 && strlen(id) == PREFIX_LEN + HEX &&
           strspn(id + PREFIX_LEN, "0123456789abcdef") == HEX && !is_taken(v, id);
}

void access_open(struct wanted_vm *v)
{
    struct om_daemon *d = v->hub->d;
    const struct tunnel_machine m = {.network = v->network,
                                     .provider = v->provider,
                                     .name = v->vm,
                                     .ports = v->expose,
                                     .count = v->exposes,
                                     .has_internet = v->has_internet};
    struct om_error err = {.msg = ""};
    struct om_logline line;

    if (v->is_open || !*v->vm)
        return;
    v->is_open = true;
    if (!tunnels_grant(d->tunnels, &m, &err) &&
        om_log_begin(&line, &d->log, OM_LOG_WARN, "vm", "reaches nothing here")) {
        om_log_str(&line, "vm", v->vm);
        om_log_str(&line, "why", err.msg);
        om_log_end(&line);
    }
}

void access_close(struct wanted_vm *v)
{
    if (v->is_open)
        tunnels_revoke(v->hub->d->tunnels, &v->network, &v->provider, v->vm);
    v->is_open = false;
}

void access_route(const struct wanted *w, json_t *words)
{
    const char *text = json_string_value(json_object_get(words, "peer"));
    const struct wanted_vm *v = text && w ? wanted_named(w, text) : NULL;

    if (!v || json_object_get(words, "link"))
        return;
    (void)json_object_set_new(words, "link", json_string(v->vm));
    (void)json_object_set_new(words, "network", control_id(&v->network));
    (void)json_object_set_new(words, "peer", control_id(&v->provider));
}
