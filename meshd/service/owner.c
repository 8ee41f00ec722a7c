/* owner.c - the owner's questions and words, as JSON. */
#include "service/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "host/clock.h"
#include "service/parts.h"
#include "vm/core/fields.h"

json_t *owner_filters(struct vms *s, struct om_error *err)
{
    if (*s->admit->bad) /* perhaps it was mended */
        admit_load_filter(s);
    if (*s->admit->bad) {
        (void)om_fail(err, OM_E_STATE, "%s", s->admit->bad);
        return NULL;
    }
    json_t *o = om_vm_filter_write(&s->admit->filter);
    if (!o || json_object_set_new(o, "kept", json_boolean(s->admit->has_file)) != 0) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the rules");
        json_decref(o);
        o = NULL;
    }
    return o;
}

/* The rules of @s to be changed, on the heap. */
static struct om_vm_filter *copy_of(struct vms *s, struct om_error *err)
{
    json_t *now = owner_filters(s, err);
    struct om_vm_filter *f = now ? malloc(sizeof *f) : NULL;

    if (f)
        *f = s->admit->filter;
    else if (now)
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the rules");
    json_decref(now);
    return f;
}

/* @f, taken, takes the place of the rules when @is_good. */
static json_t *change(struct vms *s, struct om_vm_filter *f, bool is_good, struct om_error *err)
{
    json_t *o = is_good && admit_save_filter(s, f, err) ? owner_filters(s, err) : NULL;

    free(f);
    return o;
}

json_t *owner_filter_add(struct vms *s, const json_t *rule, const char *before,
                         struct om_error *err)
{
    struct om_vm_filter *f = copy_of(s, err);
    char shown[OM_SHOW_TEXT];
    unsigned at = 0;

    if (!f)
        return NULL;
    while (at < f->count && !(before && strcmp(f->rule[at].name, before) == 0))
        at++;
    bool is_good = !before || at < f->count;
    if (!is_good)
        (void)om_fail(err, OM_E_MISSING, "there is no rule \"%s\"", om_text_show(shown, before));
    return change(s, f, is_good && om_vm_filter_add(f, rule, at, err) == OM_OK, err);
}

json_t *owner_filter_remove(struct vms *s, const char *name, struct om_error *err)
{
    struct om_vm_filter *f = copy_of(s, err);
    char shown[OM_SHOW_TEXT];

    if (!f)
        return NULL;
    bool is_good = om_vm_filter_remove(f, name);
    if (!is_good)
        (void)om_fail(err, OM_E_MISSING, "there is no rule \"%s\"", om_text_show(shown, name));
    return change(s, f, is_good, err);
}

json_t *owner_filter_default(struct vms *s, const char *then, struct om_error *err)
{
    struct om_vm_filter *f = copy_of(s, err);
    bool is_good = false;

    if (!f)
        return NULL;
    for (unsigned i = 0; i < OM_VM_VERDICT_COUNT; i++)
        if (strcmp(then, om_vm_verdict_name((enum om_vm_verdict)i)) == 0) {
            f->otherwise = (enum om_vm_verdict)i;
            is_good = true;
        }
    if (!is_good)
        (void)om_fail(err, OM_E_PARSE, "want allow, deny or ask");
    return change(s, f, is_good, err);
}

/* "at" of @more, "22:30", as minutes. */
static bool read_at(unsigned *minute, const char *text)
{
    unsigned h = 0, m = 0;

    if (strlen(text) != 5 || text[2] != ':' || strspn(text, "0123456789") != 2 ||
        strspn(text + 3, "0123456789") != 2)
        return false;
    h = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    m = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
    *minute = h * 60 + m;
    return h < 24 && m < 60;
}

/* What is to be taken for granted instead of what is so now. */
static bool read_more(struct om_vm_ask *ask, const json_t *more, struct om_error *err)
{
    const char *at = json_string_value(json_object_get(more, "at"));
    const char *address = json_string_value(json_object_get(more, "address"));
    const json_t *reputation = json_object_get(more, "reputation");
    json_int_t n = json_integer_value(reputation);

    if (at && !read_at(&ask->minute, at))
        return om_fail(err, OM_E_PARSE, "\"at\": want a time of day, 00:00 to 23:59") == OM_OK;
    if (address) {
        ask->address = (struct om_addr){0};
        if (!om_addr_ip_parse(ask->address.ip, address))
            return om_fail(err, OM_E_PARSE, "\"address\": want an IP address") == OM_OK;
    }
    if (reputation && (n < 0 || n > 100))
        return om_fail(err, OM_E_RANGE, "\"reputation\": want 0 to 100") == OM_OK;
    if (reputation)
        ask->reputation = (unsigned)n;
    return true;
}

static json_t *ruling_json(const struct vms *s, const struct om_vm_ask *ask,
                           const struct om_vm_ruling *r)
{
    const struct om_addr none = {0};
    char id[OM_ID_TEXT], at[16], address[OM_IP_TEXT] = "";

    (void)snprintf(at, sizeof at, "%02u:%02u", ask->minute / 60 % 24, ask->minute % 60);
    if (!om_addr_equal(&ask->address, &none))
        (void)om_addr_ip_print(ask->address.ip, address);
    return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:i}", "verdict",
                     om_vm_verdict_name(r->verdict), "rule",
                     r->rule >= 0 ? s->admit->filter.rule[r->rule].name : NULL, "text", r->text,
                     "peer", om_id_print(&ask->peer, id), "at", at, "address", address,
                     "reputation", (int)ask->reputation);
}

json_t *owner_filter_test(struct vms *s, const struct om_id *network, const struct om_id *peer,
                          const json_t *spec, const json_t *more, struct om_error *err)
{
    json_t *rules = owner_filters(s, err), *out = NULL;
    struct om_vm_spec *wanted = calloc(1, sizeof *wanted);
    struct om_vm_ask ask = {.peer = *peer,
                            .network = *network,
                            .spec = wanted,
                            .minute = admit_minute(),
                            .reputation =
                                om_vm_reputation_of(&s->admit->reputation, peer, om_clock_wall())};

    admit_address(s, network, peer, &ask.address);
    if (rules && !wanted)
        (void)om_fail(err, OM_E_NO_MEM, "no memory");
    if (rules && wanted && om_vm_spec_read(wanted, spec, err) == OM_OK &&
        read_more(&ask, more, err)) {
        struct om_vm_ruling r = om_vm_admission_test(&s->admit->filter, &ask);
        out = ruling_json(s, &ask, &r);
        (void)om_fail(err, OM_E_NO_MEM, "no memory");
    }
    json_decref(rules);
    free(wanted);
    return out;
}

json_t *owner_reputation(const struct vms *s)
{
    const struct om_vm_reputation *r = &s->admit->reputation;
    json_t *list = json_array();
    char id[OM_ID_TEXT];

    for (unsigned i = 0; i < r->count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:i}", "peer", om_id_print(&r->row[i].peer, id), "reputation",
                            (int)om_vm_reputation_of(r, &r->row[i].peer, om_clock_wall())));
    return list;
}

json_t *owner_approvals(const struct vms *s)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < s->admit->approvals.count; i++)
        (void)json_array_append_new(list, admit_show(s, &s->admit->approvals.row[i]));
    return list;
}

/* The machine that waits and whose id begins with @name; NULL and @err unless there is one. */
static struct service_vm *find(const struct vms *s, const char *name, struct om_error *err)
{
    struct service_vm *found = NULL;
    size_t n = strlen(name);

    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (strncmp(v->id, name, n) != 0 || !om_vm_approvals_find(&s->admit->approvals, v->number))
            continue;
        if (found) {
            (void)om_fail(err, OM_E_RANGE, "several requests wait: name one (omerta approvals)");
            return NULL;
        }
        found = v;
    }
    if (!found)
        (void)om_fail(err, OM_E_MISSING, "no such request waits (omerta approvals)");
    return found;
}

json_t *owner_decide(struct vms *s, const char *name, bool is_allowed, struct om_error *err)
{
    struct service_vm *v = find(s, name, err);
    char id[VM_ID_TEXT] = "";

    if (!v)
        return NULL;
    memcpy(id, v->id, sizeof id);
    if (!admit_decide(v, is_allowed, err))
        return NULL;
    return json_pack("{s:s, s:b}", "vm", id, "allowed", is_allowed ? 1 : 0);
}

const char *owner_trouble(const struct vms *s)
{
    return *s->admit->bad ? s->admit->bad : s->admit->unknown;
}
