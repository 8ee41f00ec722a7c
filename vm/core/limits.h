/*
 * limits.h - how much of a machine: counts of VMs, processors, memory and disk
 *
 * What:  the amount one VM takes, and the amounts a provider allows one VM, one peer, one network
 *        and all together; does one fit into the other, and if not, a sentence that says which.
 * Why:   a provider that gives without a limit is a provider that its own user cannot use.
 * Keeps: limits_name_what_does_not_fit; limits_of_zero_allow_nothing; limits_read_their_words.
 */
#ifndef OM_VM_LIMITS_H
#define OM_VM_LIMITS_H

#include <jansson.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_VM_CPUS_MAX = 64,      /* of one VM */
    OM_VM_CPUS_SUM_MAX = 256, /* of many */
    OM_VM_MEMORY_MIN_MIB = 64,
    OM_VM_MEMORY_MAX_MIB = 1 << 20, /* 1 TiB */
    OM_VM_DISK_MAX_MIB = 16 << 20,  /* 16 TiB */
    OM_VM_COUNT_MAX = 64            /* VMs of one provider */
};

struct om_vm_amount {
    uint32_t vms;
    uint32_t cpus;
    uint32_t memory_mib;
    uint32_t disk_mib;
};

enum om_vm_scope {
    OM_VM_SCOPE_VM,
    OM_VM_SCOPE_PEER,
    OM_VM_SCOPE_NETWORK,
    OM_VM_SCOPE_ALL,
    OM_VM_SCOPE_COUNT
};

struct om_vm_limits {
    struct om_vm_amount most[OM_VM_SCOPE_COUNT];
};

/** om_vm_scope_name() - "vm", "peer", "network" or "all" for @s. */
const char *om_vm_scope_name(enum om_vm_scope s);

/**
 * om_vm_amount_fits() - is there room for more?
 * @most:   what is allowed
 * @used:   what is taken already
 * @more:   what is asked for
 * @scope:  whose limit it is, for the sentence
 * @err:    receives the sentence that names the first thing that does not fit; may be NULL
 *
 * Return: OM_OK or OM_E_FULL; OM_E_RANGE when @more would not fit even if nothing were used.
 */
OM_MUST enum om_err om_vm_amount_fits(const struct om_vm_amount *most,
                                      const struct om_vm_amount *used,
                                      const struct om_vm_amount *more, enum om_vm_scope scope,
                                      struct om_error *err);

/** om_vm_amount_add() - @to and @more together, never beyond 32 bits. */
void om_vm_amount_add(struct om_vm_amount *to, const struct om_vm_amount *more);

/** om_vm_amount_sub() - take @less from @from; more than there is is a bug of ours. */
void om_vm_amount_sub(struct om_vm_amount *from, const struct om_vm_amount *less);

/**
 * om_vm_limits_read() - the limits of a provider from JSON
 * @out:   untouched on failure; a scope that is not named has the limits of all
 * @o:     {"vm": {"cpus": 2, "memory": "2G", "disk": "10G"}, "peer": {"vms": 2, ...}, ...,
 *         "all": {...}}; "all" must name all four
 * @err:   sentence with the place; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE or OM_E_RANGE.
 */
OM_MUST enum om_err om_vm_limits_read(struct om_vm_limits *out, const json_t *o,
                                      struct om_error *err);

/** om_vm_limits_write() - what om_vm_limits_read() reads as @l, owned by the caller; NULL without
 *  memory. */
json_t *om_vm_limits_write(const struct om_vm_limits *l);

#endif
