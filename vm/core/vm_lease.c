/* vm_lease.c - what the consumer does to the lease of its VM. */
#include "vm/core/vm.h"

void om_vm_alive(struct om_vm *v, om_time now)
{
    if (v->has_lease && v->end == OM_VM_END_NONE)
        om_vm_lease_renew(&v->lease, now);
}

enum om_err om_vm_extend(struct om_vm *v, om_time now, om_time by, struct om_error *err)
{
    if (!v->has_lease || v->end != OM_VM_END_NONE)
        return om_fail(err, OM_E_STATE, "the VM is %s: it has no lease to extend",
                       om_vm_state_name(v->state));
    return om_vm_lease_extend(&v->lease, now, by, err);
}
