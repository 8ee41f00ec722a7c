/* vm_names.c - what states and ends are called. */
#include "vm/core/vm.h"

static const char *const states[] = {
#define X(code, name) name,
    OM_VM_STATES(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(states) == OM_VM_STATE_COUNT, "one name for each");

static const struct {
    const char *name, *text;
} ends[] = {
#define X(code, name, text) {name, text},
    OM_VM_ENDS(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(ends) == OM_VM_END_COUNT, "one row for each");

const char *om_vm_state_name(enum om_vm_state s)
{
    return states[s];
}

const char *om_vm_end_name(enum om_vm_end e)
{
    return ends[e].name;
}

const char *om_vm_end_text(enum om_vm_end e)
{
    return ends[e].text;
}
