/* quota.c - sums over at most a few dozen rows, made when asked for. */
#include "vm/core/quota.h"

#include <string.h>

void om_vm_quota_init(struct om_vm_quota *q, const struct om_vm_limits *limits)
{
    *q = (struct om_vm_quota){.limits = *limits};
}

void om_vm_quota_limit(struct om_vm_quota *q, const struct om_vm_limits *limits)
{
    q->limits = *limits;
}

struct om_vm_amount om_vm_quota_used(const struct om_vm_quota *q, enum om_vm_scope scope,
                                     const struct om_id *id)
{
    struct om_vm_amount sum = {0};

    for (unsigned i = 0; i < q->count; i++) {
        const struct om_vm_share *s = &q->share[i];
        const struct om_id *whose = scope == OM_VM_SCOPE_PEER ? &s->peer : &s->network;
        if (scope == OM_VM_SCOPE_ALL || om_id_equal(whose, id))
            om_vm_amount_add(&sum, &s->amount);
    }
    return sum;
}

enum om_err om_vm_quota_check(const struct om_vm_quota *q, const struct om_vm_share *s,
                              struct om_error *err)
{
    static const enum om_vm_scope scopes[] = {OM_VM_SCOPE_PEER, OM_VM_SCOPE_NETWORK,
                                              OM_VM_SCOPE_ALL};
    const struct om_vm_amount none = {0};
    enum om_err e = OM_OK;

    if (!s->is_owner)
        e = om_vm_amount_fits(&q->limits.most[OM_VM_SCOPE_VM], &none, &s->amount, OM_VM_SCOPE_VM,
                              err);
    for (unsigned i = 0; e == OM_OK && i < OM_ARRAY_SIZE(scopes); i++) {
        const struct om_id *id = scopes[i] == OM_VM_SCOPE_PEER ? &s->peer : &s->network;
        struct om_vm_amount used = om_vm_quota_used(q, scopes[i], id);
        if (scopes[i] == OM_VM_SCOPE_ALL || !s->is_owner)
            e = om_vm_amount_fits(&q->limits.most[scopes[i]], &used, &s->amount, scopes[i], err);
    }
    if (e == OM_OK && q->count == OM_VM_COUNT_MAX)
        e = om_fail(err, OM_E_FULL, "there are %d VMs already: no machine has more",
                    OM_VM_COUNT_MAX);
    return e;
}

static bool has(const struct om_vm_quota *q, uint64_t vm)
{
    for (unsigned i = 0; i < q->count; i++)
        if (q->share[i].vm == vm)
            return true;
    return false;
}

enum om_err om_vm_quota_recover(struct om_vm_quota *q, const struct om_vm_share *s)
{
    if (has(q, s->vm))
        return OM_E_EXISTS;
    if (q->count == OM_VM_COUNT_MAX)
        return OM_E_FULL;
    q->share[q->count++] = *s;
    return OM_OK;
}

enum om_err om_vm_quota_reserve(struct om_vm_quota *q, const struct om_vm_share *s,
                                struct om_error *err)
{
    enum om_err e = om_vm_quota_check(q, s, err);

    if (has(q, s->vm))
        return om_fail(err, OM_E_EXISTS, "the VM has a reservation already");
    return e == OM_OK ? om_vm_quota_recover(q, s) : e;
}

bool om_vm_quota_release(struct om_vm_quota *q, uint64_t vm)
{
    for (unsigned i = 0; i < q->count; i++)
        if (q->share[i].vm == vm) {
            q->count--;
            memmove(&q->share[i], &q->share[i + 1], (q->count - i) * sizeof q->share[0]);
            return true;
        }
    return false;
}

/* Would @s fit if the VMs marked in @is_gone were? */
static bool fits_without(const struct om_vm_quota *q, const struct om_vm_share *s,
                         const bool is_gone[static OM_VM_COUNT_MAX])
{
    struct om_vm_amount sum = {0};

    for (unsigned i = 0; i < q->count; i++)
        if (!is_gone[i])
            om_vm_amount_add(&sum, &q->share[i].amount);
    return sum.vms < OM_VM_COUNT_MAX &&
           om_vm_amount_fits(&q->limits.most[OM_VM_SCOPE_ALL], &sum, &s->amount, OM_VM_SCOPE_ALL,
                             NULL) == OM_OK;
}

unsigned om_vm_quota_yield(const struct om_vm_quota *q, const struct om_vm_share *s,
                           uint64_t vms[static OM_VM_COUNT_MAX])
{
    bool is_gone[OM_VM_COUNT_MAX] = {false};
    unsigned n = 0;

    for (unsigned i = q->count; i > 0 && !fits_without(q, s, is_gone); i--)
        is_gone[i - 1] = !q->share[i - 1].is_owner;
    if (!fits_without(q, s, is_gone))
        return 0;
    /* An older, larger one may make a newer, smaller one unnecessary. */
    for (unsigned i = q->count; i > 0; i--) {
        if (!is_gone[i - 1])
            continue;
        is_gone[i - 1] = false;
        if (!fits_without(q, s, is_gone)) {
            is_gone[i - 1] = true;
            vms[n++] = q->share[i - 1].vm;
        }
    }
    return n;
}
