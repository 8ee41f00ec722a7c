/* vms.c - who may have a machine, which there are, and what is asked of them. */
#include "service/vms.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/member.h>
#include <omerta/text.h>

#include "host/clock.h"
#include "service/offer_here.h"
#include "service/offers.h"
#include "service/parts.h"
#include "service/unit.h"

void vms_complain(struct vms *s, const char *id, const char *why)
{
    struct om_logline line;

    if (!om_log_begin(&line, &s->d->log, OM_LOG_WARN, "vm", "went wrong"))
        return;
    om_log_str(&line, "vm", id);
    om_log_str(&line, "why", why);
    om_log_end(&line);
}

bool vms_folder(const struct vms *s, const char *id, char out[static OM_PATH_MAX])
{
    return snprintf(out, OM_PATH_MAX, "%s/vms/%s", s->d->place.home, id) < OM_PATH_MAX;
}

static bool is_slot_free(const struct vms *s, unsigned slot)
{
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l))
        if (OM_CONTAINER_OF(l, struct service_vm, link)->slot == slot)
            return false;
    return true;
}

struct service_vm *vms_new(struct vms *s, const char *id)
{
    struct service_vm *v = s->count < OM_VM_COUNT_MAX ? calloc(1, sizeof *v) : NULL;

    if (v)
        v->console = calloc(1, sizeof *v->console);
    if (!v || !v->console || !vms_folder(s, id, v->folder)) {
        free(v ? v->console : NULL);
        free(v);
        return NULL;
    }
    v->hub = s;
    v->number = ++s->numbers;
    v->again_at = v->resume_at = v->hear_by = OM_NEVER;
    v->slot = 1;
    while (!is_slot_free(s, v->slot))
        v->slot++;
    (void)snprintf(v->id, sizeof v->id, "%s", id);
    om_list_init(&v->lines);
    om_list_push_back(&s->machines, &v->link);
    s->count++;
    return v;
}

bool vms_image(const struct vms *s, const char *name, struct om_vm_image *out, struct om_error *err)
{
    char path[OM_PATH_MAX];
    json_error_t at;

    if (!om_vm_name_is_plain(name, OM_VM_IMAGE_NAME - 1) ||
        snprintf(path, sizeof path, "%s/images/%s/image.json", s->d->place.home, name) >=
            (int)sizeof path)
        return om_fail(err, OM_E_RANGE, "that is no name of an image") == OM_OK;
    if (access(path, R_OK) != 0)
        return om_fail(err, OM_E_MISSING,
                       "the provider has no image \"%.60s\" (there: omerta image build)",
                       name) == OM_OK;
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
    if (!o)
        return om_fail(err, OM_E_PARSE, "image %.60s: image.json: %.80s", name, at.text) == OM_OK;
    struct om_error why = {.msg = ""};
    enum om_err e = om_vm_image_read(out, o, &why);
    json_decref(o);
    if (e != OM_OK)
        (void)om_fail(err, e, "image %.60s: image.json: %.100s", name, why.msg);
    return e == OM_OK;
}

static bool is_ones(const struct service_vm *v, const struct vms_who *who)
{
    return who->is_own ||
           (om_id_equal(&v->consumer, &who->peer) && om_id_equal(&v->network, &who->network));
}

struct service_vm *vms_find(const struct vms *s, const struct vms_who *who, const char *name)
{
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (is_ones(v, who) && v->vm.state != OM_VM_GONE && strcmp(v->id, name) == 0)
            return v;
    }
    return NULL;
}

struct service_vm *vms_find_key(const struct vms *s, const struct vms_who *who, const char *key)
{
    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (om_id_equal(&v->consumer, &who->peer) && om_id_equal(&v->network, &who->network) &&
            strcmp(v->key, key) == 0)
            return v;
    }
    return NULL;
}

/* May anybody have a machine of us now? */
static bool is_open_for(const struct vms *s, const struct vms_who *who, struct om_error *err)
{
    const struct daemon_network *net = daemon_network(s->d, &who->network);

    if (s->is_closing)
        return om_fail(err, OM_E_STATE, "the provider is stopping") == OM_OK;
    if (!s->provide.is_on)
        return om_fail(err, OM_E_STATE, "%s",
                       who->is_own ? "this node provides no virtual machines (omerta help provide)"
                                   : "that peer provides no virtual machines") == OM_OK;
    if (!who->is_own && !provide_allows(&s->provide, &who->peer, !net || net->is_open))
        return om_fail(err, OM_E_STATE, "that peer provides no virtual machines to you") == OM_OK;
    if (!who->is_own && net &&
        !om_node_may(daemon_node(s->d), &net->id, &net->self, OM_ROLE_PROVIDER))
        return om_fail(err, OM_E_STATE,
                       "that peer's certificate in this network has not the role of a provider") ==
               OM_OK;
    if (*s->missing)
        return om_fail(err, OM_E_UNSUPPORTED, "%.190s", s->missing) == OM_OK;
    if (engine_is_known(s) && s->accel.kind == OM_VM_ACCEL_NONE)
        return om_fail(err, OM_E_UNSUPPORTED, "%.190s", s->accel.reason) == OM_OK;
    return true;
}

static bool fits(const struct vms *s, const struct om_vm_spec *spec, struct om_vm_image *image,
                 struct om_error *err)
{
    if (!vms_image(s, spec->image, image, err) &&
        (err->code != OM_E_MISSING || !builder_describe(s, spec->image, image)))
        return false;
    return om_vm_image_fits(image, spec, err) == OM_OK;
}

static void admit(struct service_vm *v)
{
    v->vm.engine = v->vm.config.engine =
        v->hub->accel.kind == OM_VM_ACCEL_KVM ? OM_VM_KVM : OM_VM_TCG;
    machine_input(v, OM_VM_IN_ADMITTED, NULL);
}

void vms_go(struct service_vm *v)
{
    struct vms *s = v->hub;

    if (!engine_is_known(s))
        engine_look(s);
    else if (s->accel.kind == OM_VM_ACCEL_NONE)
        machine_input(v, OM_VM_IN_REFUSED, s->accel.reason);
    else
        admit(v);
}

/* Nothing of it is there yet. */
static void undo(struct service_vm *v)
{
    struct vms *s = v->hub;

    (void)om_vm_quota_release(&s->quota, v->number);
    om_list_remove(&v->link);
    s->count--;
    machine_free(v);
}

static struct service_vm *make(struct vms *s, const struct vms_who *who, const char *key,
                               const struct om_vm_spec *spec, const struct om_vm_ruling *ruling,
                               struct om_error *err)
{
    struct om_vm_image *image = calloc(1, sizeof *image);
    struct service_vm *v = NULL;
    char id[VM_ID_TEXT] = "vm-";
    uint8_t random[5];

    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(id + 3, sizeof id - 3, random, sizeof random);
    (void)om_fail(err, OM_E_FULL, "there are %d virtual machines already", OM_VM_COUNT_MAX);
    if (image && fits(s, spec, image, err) && admit_pace(s, who, err))
        v = vms_new(s, id);
    if (v) {
        v->image = *image;
        v->spec = *spec;
        v->network = who->network;
        v->consumer = who->peer;
        v->is_own = who->is_own;
        v->begun = om_clock_wall();
        (void)snprintf(v->key, sizeof v->key, "%s", key);
        const struct om_vm_config config = {.engine = OM_VM_TCG,
                                            .wait = OM_SEC(VM_WAIT_S) +
                                                    admit_patience(who, spec, ruling),
                                            .timeout = spec->timeout,
                                            .ttl = spec->ttl,
                                            .most = s->provide.lease};
        om_vm_request(&v->vm, om_clock_now(), &config);
    }
    if (v && (!admit_take(v, ruling, err) || !rows_put(v, err))) {
        undo(v);
        v = NULL;
    }
    free(image);
    return v;
}

/* A disk of no size is as large as the image's: before rules and limits look at it. */
static void size_disk(const struct vms *s, struct om_vm_spec *spec)
{
    struct om_vm_image *image = spec->disk_mib == 0 ? calloc(1, sizeof *image) : NULL;

    if (image && vms_image(s, spec->image, image, NULL))
        spec->disk_mib = image->disk_min_mib;
    free(image);
}

struct service_vm *vms_admit(struct vms *s, const struct vms_who *who, const json_t *args,
                             struct om_error *err)
{
    const char *key = json_string_value(json_object_get(args, "key"));
    struct om_vm_ruling ruling;
    struct om_vm_spec spec;

    if (!key || !om_vm_name_is_plain(key, VM_KEY_TEXT - 1)) {
        (void)om_fail(err, OM_E_PARSE, "\"key\": want 1 to %d letters and digits", VM_KEY_TEXT - 1);
        return NULL;
    }
    struct service_vm *v = vms_find_key(s, who, key);
    if (v)
        return v;
    if (om_vm_spec_read(&spec, json_object_get(args, "spec"), err) != OM_OK ||
        !is_open_for(s, who, err))
        return NULL;
    size_disk(s, &spec);
    if (!admit_rule(s, who, &spec, &ruling, err) || !admit_has_room(s, who, &spec, err))
        return NULL;
    v = make(s, who, key, &spec, &ruling, err);
    if (v && v->hold == ADMIT_GO)
        vms_go(v);
    else if (v)
        machine_drain(v);
    return v;
}

static json_t *list(const struct vms *s, const struct vms_who *who, bool all)
{
    json_t *out = json_array();

    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        const struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->vm.state != OM_VM_GONE && (all || is_ones(v, who)))
            (void)json_array_append_new(out, machine_json(v));
    }
    return out;
}

json_t *vms_here(const struct vms *s)
{
    return list(s, NULL, true);
}

static json_t *console(const struct service_vm *v)
{
    enum { TAIL = 8 * 1024 };
    char *raw = malloc(TAIL), *shown = malloc(4 * TAIL + 1);
    json_t *o = NULL;

    if (raw && shown) {
        uint64_t place = om_vm_console_tail(v->console, TAIL);
        size_t n = om_vm_console_read(v->console, &place, raw, TAIL, NULL);
        (void)om_vm_console_show(shown, 4 * TAIL + 1, raw, n);
        o = json_pack("{s:s, s:s}", "vm", v->id, "text", shown);
    }
    free(raw);
    free(shown);
    return o;
}

static json_t *extend(struct service_vm *v, const json_t *args, struct om_error *err)
{
    const char *text = json_string_value(json_object_get(args, "ttl"));
    om_time by;

    if (!text || om_duration_parse(&by, text, NULL) != OM_OK || by <= 0 ||
        by > OM_SEC(PROVIDE_MOST_S)) {
        (void)om_fail(err, OM_E_PARSE, "\"ttl\": want a duration, such as 30m or 2h");
        return NULL;
    }
    if (om_vm_extend(&v->vm, om_clock_now(), by, err) != OM_OK || !rows_put(v, err))
        return NULL;
    vms_touch(v->hub);
    machine_tell_again(v);
    return machine_json(v);
}

json_t *vms_short(struct vms *s, const struct vms_who *who, const char *method, const json_t *args,
                  struct om_error *err)
{
    const char *name = json_string_value(json_object_get(args, "vm"));
    const char *key = json_string_value(json_object_get(args, "key"));
    struct service_vm *v = name ? vms_find(s, who, name) : key ? vms_find_key(s, who, key) : NULL;

    if (strcmp(method, "vm.list") == 0)
        return json_pack("{s:o}", "vms", list(s, who, false));
    if (strcmp(method, "vm.extend") != 0 && strcmp(method, "vm.release") != 0 &&
        strcmp(method, "vm.console") != 0 && strcmp(method, "vm.traffic") != 0) {
        (void)om_fail(err, OM_E_UNSUPPORTED, "unknown method");
        return NULL;
    }
    if (!v) {
        (void)om_fail(err, OM_E_MISSING, "there is no such virtual machine of yours");
        return NULL;
    }
    (void)om_fail(err, OM_E_NO_MEM, "no memory");
    if (strcmp(method, "vm.console") == 0)
        return console(v);
    if (strcmp(method, "vm.extend") == 0)
        return extend(v, args, err);
    if (strcmp(method, "vm.traffic") == 0)
        return machine_traffic(v, err);
    machine_input(v, OM_VM_IN_RELEASE, NULL);
    return machine_json(v);
}

json_t *vms_provide(struct vms *s, const json_t *set, struct om_error *err)
{
    struct provide next = s->provide;
    char hint[OFFER_HINT_MAX];

    if (set) {
        if (!provide_read(&next, set, err))
            return NULL;
        if (next.is_on && *s->missing) {
            (void)om_fail(err, OM_E_UNSUPPORTED, "%.190s", s->missing);
            return NULL;
        }
        if (!provide_save(&next, s->d->place.home, err))
            return NULL;
        bool is_other = s->provide.accel != next.accel;
        s->provide = next;
        om_vm_quota_limit(&s->quota, &next.limits);
        if (next.is_on)
            engine_again(s, is_other);
        else if (is_other)
            s->is_known = false;
        vms_touch(s);
        offers_touch(s->d->offers);
    }
    if (s->provide.is_on)
        engine_look(s);
    json_t *o = provide_write(&s->provide);
    if (!o)
        return NULL;
    struct om_vm_amount used = om_vm_quota_used(&s->quota, OM_VM_SCOPE_ALL, NULL);
    (void)json_object_set_new(o, "used",
                              json_pack("{s:I, s:I, s:I, s:I}", "vms", (json_int_t)used.vms, "cpus",
                                        (json_int_t)used.cpus, "memory",
                                        (json_int_t)used.memory_mib, "disk",
                                        (json_int_t)used.disk_mib));
    bool is_known = engine_is_known(s);
    (void)json_object_set_new(o, "engine",
                              json_string(is_known      ? om_vm_accel_name(s->accel.kind)
                                          : *s->missing ? "none"
                                                        : "unknown"));
    (void)json_object_set_new(o, "reason", json_string(is_known ? s->accel.reason : s->missing));
    offer_hint(s, hint);
    (void)json_object_set_new(o, "hint", json_string(*unit_hint() ? unit_hint() : hint));
    return o;
}
