/* approvals.c - a short list, oldest first. */
#include "vm/core/approvals.h"

#include <string.h>

#include <omerta/share.h>

static int find(const struct om_vm_approvals *l, uint64_t vm)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->row[i].vm == vm)
            return (int)i;
    return -1;
}

const struct om_vm_approval *om_vm_approvals_find(const struct om_vm_approvals *l, uint64_t vm)
{
    int at = find(l, vm);

    return at < 0 ? NULL : &l->row[at];
}

enum om_err om_vm_approvals_add(struct om_vm_approvals *l, const struct om_vm_approval *a,
                                unsigned networks, struct om_error *err)
{
    struct om_shares shares = {0};
    unsigned of_peer = 0;

    for (unsigned i = 0; i < l->count; i++) {
        of_peer += om_id_equal(&l->row[i].peer, &a->peer);
        om_shares_add(&shares, &l->row[i].network);
    }
    if (find(l, a->vm) >= 0)
        return om_fail(err, OM_E_EXISTS, "this request waits already");
    if (of_peer == OM_VM_APPROVALS_PEER)
        return om_fail(err, OM_E_BUSY, "%d requests of this peer wait for approval already",
                       OM_VM_APPROVALS_PEER);
    if (!om_shares_fit(&shares, &a->network, OM_VM_APPROVALS_MAX, networks))
        return om_fail(err, OM_E_FULL, "%u requests wait for approval already", l->count);
    l->row[l->count++] = *a;
    return OM_OK;
}

static struct om_vm_decided take(struct om_vm_approvals *l, unsigned at, enum om_vm_answer answer)
{
    struct om_vm_decided out = {l->row[at].vm, l->row[at].peer, answer};

    l->count--;
    memmove(&l->row[at], &l->row[at + 1], (l->count - at) * sizeof l->row[0]);
    return out;
}

bool om_vm_approvals_decide(struct om_vm_approvals *l, om_time now, uint64_t vm, bool is_allowed,
                            struct om_vm_decided *out)
{
    int at = find(l, vm);

    if (at < 0 || l->row[at].until <= now)
        return false;
    *out = take(l, (unsigned)at, is_allowed ? OM_VM_ALLOWED : OM_VM_DENIED);
    return true;
}

bool om_vm_approvals_drop(struct om_vm_approvals *l, uint64_t vm)
{
    int at = find(l, vm);

    if (at < 0)
        return false;
    (void)take(l, (unsigned)at, OM_VM_DENIED);
    return true;
}

bool om_vm_approvals_next(struct om_vm_approvals *l, om_time now, struct om_vm_decided *out)
{
    for (unsigned i = 0; i < l->count; i++)
        if (l->row[i].until <= now) {
            *out = take(l, i, OM_VM_UNANSWERED);
            return true;
        }
    return false;
}

om_time om_vm_approvals_deadline(const struct om_vm_approvals *l)
{
    om_time at = OM_NEVER;

    for (unsigned i = 0; i < l->count; i++)
        at = om_time_min(at, l->row[i].until);
    return at;
}
