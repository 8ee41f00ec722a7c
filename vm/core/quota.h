/*
 * quota.h - who has how much of this machine now
 *
 * What:  one reservation per VM; room for another is asked per peer, per network and for all; and
 *        which VMs would have to go for the owner's own.
 * Why:   the answer to "is there room" must be the same that is counted, before anything is paid.
 * Keeps: quota_counts_each_scope; quota_owner_is_bound_by_the_whole_only;
 *        quota_names_who_makes_room; quota_new_limits_end_nobody; quota_gives_back_once;
 *        quota_model_never_passes_a_limit.
 *
 * Full: OM_VM_COUNT_MAX reservations; then no more, whatever the limits say.
 */
#ifndef OM_VM_QUOTA_H
#define OM_VM_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/id.h>

#include "vm/core/limits.h"

struct om_vm_share {
    uint64_t vm; /* the VM's number */
    struct om_id peer;
    struct om_id network;
    bool is_owner; /* who runs this machine: not bound per peer and network */
    struct om_vm_amount amount;
};

/* Read freely; write only through om_vm_quota_*(). */
struct om_vm_quota {
    struct om_vm_limits limits;
    unsigned count;
    struct om_vm_share share[OM_VM_COUNT_MAX]; /* oldest first */
};

/** om_vm_quota_init() - nothing is taken in @q yet, and no more than @limits will be. */
void om_vm_quota_init(struct om_vm_quota *q, const struct om_vm_limits *limits);

/** om_vm_quota_limit() - from now on @limits count in @q; what is taken stays taken. */
void om_vm_quota_limit(struct om_vm_quota *q, const struct om_vm_limits *limits);

/**
 * om_vm_quota_check() - is there room for this?
 * @q:    the quota
 * @s:    what is asked for, by whom
 * @err:  receives whose limit it passes; may be NULL
 *
 * Return: OM_OK; OM_E_FULL when there may be later, OM_E_RANGE when it is too much in any case.
 */
OM_MUST enum om_err om_vm_quota_check(const struct om_vm_quota *q, const struct om_vm_share *s,
                                      struct om_error *err);

/**
 * om_vm_quota_reserve() - take it
 * @q:    the quota
 * @s:    copied
 * @err:  as om_vm_quota_check()
 *
 * Return: as om_vm_quota_check(), or OM_E_EXISTS when the VM has a reservation.
 */
OM_MUST enum om_err om_vm_quota_reserve(struct om_vm_quota *q, const struct om_vm_share *s,
                                        struct om_error *err);

/**
 * om_vm_quota_recover() - what a VM of an earlier run has, whatever the limits are now
 * @q:  the quota
 * @s:  copied
 *
 * Return: OM_OK, OM_E_EXISTS, or OM_E_FULL over OM_VM_COUNT_MAX.
 */
OM_MUST enum om_err om_vm_quota_recover(struct om_vm_quota *q, const struct om_vm_share *s);

/** om_vm_quota_release() - give back what @vm has in @q; false when it has nothing. */
bool om_vm_quota_release(struct om_vm_quota *q, uint64_t vm);

/**
 * om_vm_quota_used() - what is taken
 * @q:      the quota
 * @scope:  OM_VM_SCOPE_PEER, _NETWORK or _ALL
 * @id:     whose; ignored for all
 *
 * Return: the sum.
 */
struct om_vm_amount om_vm_quota_used(const struct om_vm_quota *q, enum om_vm_scope scope,
                                     const struct om_id *id);

/**
 * om_vm_quota_yield() - which VMs of others make room for the owner's, the newest first
 * @q:    the quota
 * @s:    what the owner asks for
 * @vms:  receives their numbers; none that is not needed
 *
 * Return: how many; 0 when there is room already, or when even all of them would not do.
 */
unsigned om_vm_quota_yield(const struct om_vm_quota *q, const struct om_vm_share *s,
                           uint64_t vms[static OM_VM_COUNT_MAX]);

#endif
