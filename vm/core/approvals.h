/*
 * approvals.h - requests that wait for the owner's word
 *
 * What:  a bounded list of who asks for what, each with an end; allow, deny, or time decides.
 * Why:   a rule may say "ask me": then somebody must be able to look, and a request must not wait
 *        for an owner who sleeps.
 * Keeps: approvals_are_allowed; approvals_are_denied; approvals_expire; approvals_are_bounded;
 *        approvals_one_peer_cannot_fill_the_list;
 *        approvals_keep_room_for_another_network; approvals_are_taken_back;
 *        approvals_decide_once.
 *
 * Full: OM_VM_APPROVALS_MAX in all, OM_VM_APPROVALS_PEER of one peer, or what is left are the
 * shares of other networks (share.h): another is refused.
 */
#ifndef OM_VM_APPROVALS_H
#define OM_VM_APPROVALS_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

#include "vm/core/spec.h"

enum { OM_VM_APPROVALS_MAX = 32, OM_VM_APPROVALS_PEER = 4, OM_VM_APPROVAL_WHY = 256 };

enum om_vm_answer { OM_VM_ALLOWED, OM_VM_DENIED, OM_VM_UNANSWERED };

struct om_vm_approval {
    uint64_t vm; /* the VM's number, by which the owner decides */
    struct om_id peer;
    struct om_id network;
    struct om_vm_spec spec;
    char why[OM_VM_APPROVAL_WHY]; /* what the rules say */
    om_time since, until;
};

struct om_vm_decided {
    uint64_t vm;
    struct om_id peer;
    enum om_vm_answer answer;
};

/* Large: keep it on the heap. Read freely; write only through om_vm_approvals_*(). Zeroed: none. */
struct om_vm_approvals {
    unsigned count;
    struct om_vm_approval row[OM_VM_APPROVALS_MAX]; /* oldest first */
};

/**
 * om_vm_approvals_add() - wait for the owner
 * @l:         the list
 * @a:         copied
 * @networks:  that this node is in
 * @err:       sentence; may be NULL
 *
 * Return: OM_OK, OM_E_EXISTS, OM_E_FULL in all or for this network, OM_E_BUSY for this peer.
 */
OM_MUST enum om_err om_vm_approvals_add(struct om_vm_approvals *l, const struct om_vm_approval *a,
                                        unsigned networks, struct om_error *err);

/** om_vm_approvals_find() - the request of @vm in @l, lent; NULL when none waits. */
const struct om_vm_approval *om_vm_approvals_find(const struct om_vm_approvals *l, uint64_t vm);

/**
 * om_vm_approvals_decide() - the owner's word
 * @l:    the list
 * @now:  current time: after its end there is nothing to decide
 * @vm:   which
 * @is_allowed:  the word
 * @out:  receives what was decided
 *
 * Return: false when there is nothing (any more) to decide.
 */
bool om_vm_approvals_decide(struct om_vm_approvals *l, om_time now, uint64_t vm, bool is_allowed,
                            struct om_vm_decided *out);

/** om_vm_approvals_drop() - nobody asks for @vm in @l any more; false when none waited. */
bool om_vm_approvals_drop(struct om_vm_approvals *l, uint64_t vm);

/** om_vm_approvals_next() - the next request of @l whose end came by @now, into @out as
 *  UNANSWERED; false when there is none. */
bool om_vm_approvals_next(struct om_vm_approvals *l, om_time now, struct om_vm_decided *out);

/** om_vm_approvals_deadline() - when the next request of @l ends. */
om_time om_vm_approvals_deadline(const struct om_vm_approvals *l);

#endif
