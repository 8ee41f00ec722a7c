/* limits.c - four numbers, added, compared and read. */
#include "vm/core/limits.h"

#include <inttypes.h>
#include <stdio.h>

#include <omerta/text.h>

#include "vm/core/fields.h"

static const char *const scopes[] = {"vm", "peer", "network", "all"};
static_assert(OM_ARRAY_SIZE(scopes) == OM_VM_SCOPE_COUNT, "one name for each");

static const char *const whose[] = {"one VM", "one peer", "one network", "all VMs here"};

const char *om_vm_scope_name(enum om_vm_scope s)
{
    return scopes[s];
}

static enum om_err fit(enum om_vm_scope scope, const char *what, uint64_t most, uint64_t used,
                       uint64_t more, struct om_error *err)
{
    if (more > most)
        return om_fail(err, OM_E_RANGE, "%s: %" PRIu64 " asked, %s may have %" PRIu64, what, more,
                       whose[scope], most);
    if (used + more > most)
        return om_fail(err, OM_E_FULL,
                       "%s: %" PRIu64 " asked, %" PRIu64 " of %" PRIu64
                       " that %s may have are taken",
                       what, more, used, most, whose[scope]);
    return OM_OK;
}

enum om_err om_vm_amount_fits(const struct om_vm_amount *most, const struct om_vm_amount *used,
                              const struct om_vm_amount *more, enum om_vm_scope scope,
                              struct om_error *err)
{
    enum om_err e = fit(scope, "cpus", most->cpus, used->cpus, more->cpus, err);

    if (e == OM_OK)
        e = fit(scope, "memory (MiB)", most->memory_mib, used->memory_mib, more->memory_mib, err);
    if (e == OM_OK)
        e = fit(scope, "disk (MiB)", most->disk_mib, used->disk_mib, more->disk_mib, err);
    if (e == OM_OK)
        e = fit(scope, "VMs", most->vms, used->vms, more->vms, err);
    return e;
}

static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void om_vm_amount_add(struct om_vm_amount *to, const struct om_vm_amount *more)
{
    to->vms = sum(to->vms, more->vms);
    to->cpus = sum(to->cpus, more->cpus);
    to->memory_mib = sum(to->memory_mib, more->memory_mib);
    to->disk_mib = sum(to->disk_mib, more->disk_mib);
}

void om_vm_amount_sub(struct om_vm_amount *from, const struct om_vm_amount *less)
{
    OM_BUG_IF(from->vms < less->vms || from->cpus < less->cpus);
    OM_BUG_IF(from->memory_mib < less->memory_mib || from->disk_mib < less->disk_mib);
    from->vms -= less->vms;
    from->cpus -= less->cpus;
    from->memory_mib -= less->memory_mib;
    from->disk_mib -= less->disk_mib;
}

/* The members of one scope that are there replace those of @a. */
static enum om_err read_amount(struct om_vm_amount *a, const json_t *o, enum om_vm_scope s,
                               struct om_error *err)
{
    struct om_vm_fields f;
    char where[32];
    uint64_t n;

    (void)snprintf(where, sizeof where, "limits.%s", scopes[s]);
    om_vm_fields_open(&f, o, where, err);
    bool is_whole = s == OM_VM_SCOPE_VM; /* one VM is one */
    if (is_whole)
        a->vms = 1;
    else if (om_vm_fields_number(&f, "vms", 0, OM_VM_COUNT_MAX, &n)) {
        a->vms = (uint32_t)n;
        is_whole = true;
    }
    if (om_vm_fields_number(&f, "cpus", 0, OM_VM_CPUS_SUM_MAX, &n))
        a->cpus = (uint32_t)n;
    else
        is_whole = false;
    is_whole &= om_vm_fields_mib(&f, "memory", 0, OM_VM_MEMORY_MAX_MIB, &a->memory_mib);
    is_whole &= om_vm_fields_mib(&f, "disk", 0, OM_VM_DISK_MAX_MIB, &a->disk_mib);
    if (s == OM_VM_SCOPE_ALL && !is_whole)
        om_vm_fields_fail(&f, NULL, "want all of vms, cpus, memory and disk");
    return om_vm_fields_done(&f);
}

enum om_err om_vm_limits_read(struct om_vm_limits *out, const json_t *o, struct om_error *err)
{
    struct om_vm_limits l = {0};
    struct om_vm_fields f;
    enum om_err e;

    om_vm_fields_open(&f, o, "limits", err);
    const json_t *all = om_vm_fields_get(&f, "all");
    if (!all)
        om_vm_fields_fail(&f, NULL, "want a member \"all\": the most that all VMs may take");
    for (unsigned s = 0; s < OM_VM_SCOPE_ALL; s++)
        (void)om_vm_fields_get(&f, scopes[s]);
    e = om_vm_fields_done(&f);
    if (e == OM_OK)
        e = read_amount(&l.most[OM_VM_SCOPE_ALL], all, OM_VM_SCOPE_ALL, err);
    for (unsigned s = 0; e == OM_OK && s < OM_VM_SCOPE_ALL; s++) {
        const json_t *one = json_object_get(o, scopes[s]);
        l.most[s] = l.most[OM_VM_SCOPE_ALL];
        if (s == OM_VM_SCOPE_VM)
            l.most[s].vms = 1;
        if (one)
            e = read_amount(&l.most[s], one, s, err);
    }
    if (e == OM_OK)
        *out = l;
    return e;
}

json_t *om_vm_limits_write(const struct om_vm_limits *l)
{
    json_t *o = json_object();

    for (unsigned s = 0; o && s < OM_VM_SCOPE_COUNT; s++) {
        const struct om_vm_amount *a = &l->most[s];
        json_t *one = json_pack("{s:I, s:I, s:I}", "cpus", (json_int_t)a->cpus, "memory",
                                (json_int_t)a->memory_mib, "disk", (json_int_t)a->disk_mib);
        bool is_set = one && (s == OM_VM_SCOPE_VM ||
                              json_object_set_new(one, "vms", json_integer(a->vms)) == 0);
        if (!is_set || json_object_set(o, scopes[s], one) != 0) {
            json_decref(o);
            o = NULL;
        }
        json_decref(one);
    }
    return o;
}
