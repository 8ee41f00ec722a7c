/* filter_write.c - rules as filters.json, for the file and for people. */
#include <stdio.h>

#include <omerta/text.h>

#include "vm/core/filter.h"

/* Sets @key of @o to @v, which is taken; false without memory, and then nothing more is set. */
static bool set(json_t *o, bool is_good, const char *key, json_t *v)
{
    if (!is_good) {
        json_decref(v);
        return false;
    }
    return json_object_set_new(o, key, v) == 0;
}

static json_t *ids_of(const struct om_id *id, unsigned n)
{
    json_t *list = json_array();
    char text[OM_ID_TEXT];

    for (unsigned i = 0; list && i < n; i++)
        if (json_array_append_new(list, json_string(om_id_print(&id[i], text))) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *addresses_of(const struct om_vm_rule *r)
{
    json_t *list = json_array();
    char text[OM_CIDR_TEXT];

    for (unsigned i = 0; list && i < r->addresses; i++)
        if (json_array_append_new(list, json_string(om_cidr_print(&r->address[i], text))) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *words_of(const struct om_vm_rule *r)
{
    json_t *list = json_array();

    for (unsigned i = 0; list && i < r->words; i++)
        if (json_array_append_new(list, json_string(r->word[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

/* @o when all of it was set, else NULL. */
static json_t *whole(json_t *o, bool is_good)
{
    if (is_good)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *resources_of(const struct om_vm_rule *r)
{
    char text[OM_DURATION_TEXT];
    json_t *o = json_object();
    bool is_good = o != NULL;

    if (r->cpus_over < UINT32_MAX)
        is_good = set(o, is_good, "cpus_over", json_integer(r->cpus_over));
    if (r->memory_over < UINT32_MAX)
        is_good = set(o, is_good, "memory_over", json_integer(r->memory_over));
    if (r->disk_over < UINT32_MAX)
        is_good = set(o, is_good, "disk_over", json_integer(r->disk_over));
    if (r->ttl_over < OM_NEVER)
        is_good = set(o, is_good, "ttl_over",
                      json_string(om_duration_print(r->ttl_over, text, sizeof text)));
    if (r->is_egress)
        is_good = set(o, is_good, "egress", json_string("internet"));
    return whole(o, is_good);
}

static json_t *description_of(const struct om_vm_rule *r)
{
    json_t *o = json_object();
    bool is_good = o != NULL;

    if (r->words)
        is_good = set(o, is_good, "words", words_of(r));
    if (r->is_missing)
        is_good = set(o, is_good, "missing", json_true());
    return whole(o, is_good);
}

static json_t *minute_of(unsigned m)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%02u:%02u", m / 60, m % 60);
    return json_string(text);
}

static json_t *hours_of(const struct om_vm_rule *r)
{
    json_t *o = json_object();
    bool is_good = set(o, o != NULL, "from", minute_of(r->from));

    return whole(o, set(o, is_good, "to", minute_of(r->to)));
}

static json_t *reputation_of(const struct om_vm_rule *r)
{
    json_t *o = json_object();
    bool is_good = o != NULL;

    if (r->below > 0)
        is_good = set(o, is_good, "below", json_integer(r->below));
    if (r->above < 100)
        is_good = set(o, is_good, "above", json_integer(r->above));
    return whole(o, is_good);
}

static json_t *condition_of(const struct om_vm_rule *r, enum om_vm_condition c)
{
    switch (c) {
    case OM_VM_IF_PEER:
        return ids_of(r->peer, r->peers);
    case OM_VM_IF_NETWORK:
        return ids_of(r->network, r->networks);
    case OM_VM_IF_ADDRESS:
        return addresses_of(r);
    case OM_VM_IF_RESOURCES:
        return resources_of(r);
    case OM_VM_IF_DESCRIPTION:
        return description_of(r);
    case OM_VM_IF_HOURS:
        return hours_of(r);
    case OM_VM_IF_REPUTATION:
        return reputation_of(r);
    case OM_VM_IF_COUNT:
        break;
    }
    return NULL;
}

static json_t *rule_of(const struct om_vm_rule *r)
{
    json_t *o = json_object();
    bool is_good = set(o, o != NULL, "name", json_string(r->name));

    is_good = set(o, is_good, "then", json_string(om_vm_verdict_name(r->then)));
    if (r->note[0])
        is_good = set(o, is_good, "note", json_string(r->note));
    for (enum om_vm_condition c = 0; c < OM_VM_IF_COUNT; c++)
        if (r->has[c])
            is_good = set(o, is_good, om_vm_condition_name(c), condition_of(r, c));
    return whole(o, is_good);
}

json_t *om_vm_filter_write(const struct om_vm_filter *f)
{
    json_t *o = json_object(), *list = json_array();
    bool is_good = set(o, o != NULL, "default", json_string(om_vm_verdict_name(f->otherwise)));

    for (unsigned i = 0; is_good && list && i < f->count; i++)
        is_good = json_array_append_new(list, rule_of(&f->rule[i])) == 0;
    return whole(o, set(o, is_good, "rules", list));
}
