/*
 * admission.h - may this one have a VM: the rules, asked
 *
 * What:  a request against filter.h's rules; the first that holds decides, and says which it was
 *        and why.
 * Why:   before anything is paid for a request; and "why not" is answered with the rule's name, to
 *        the owner who tests it and to the consumer who was refused.
 * Keeps: admission_by_peer; admission_by_network; admission_by_address; admission_by_resources;
 *        admission_by_description; admission_by_quiet_hours; admission_by_reputation;
 *        admission_first_match_wins; admission_needs_every_condition; admission_owner_is_let_in.
 */
#ifndef OM_VM_ADMISSION_H
#define OM_VM_ADMISSION_H

#include <stdbool.h>

#include <omerta/addr.h>

#include "vm/core/filter.h"
#include "vm/core/spec.h"

enum { OM_VM_RULING_TEXT = 256 };

/* All borrowed. */
struct om_vm_ask {
    struct om_id peer;
    struct om_id network;
    struct om_addr address; /* where the peer is reached; zeroed: behind a relay, in no range */
    const struct om_vm_spec *spec;
    unsigned minute;     /* of the local day, 0 to OM_VM_DAY_MINUTES - 1 */
    unsigned reputation; /* reputation.h */
    bool is_owner;       /* who runs this machine */
};

struct om_vm_ruling {
    enum om_vm_verdict verdict;
    int rule; /* its place; -1: no rule held */
    char text[OM_VM_RULING_TEXT];
};

/**
 * om_vm_admission_test() - ask the rules
 * @f:  the rules
 * @a:  who asks for what, when
 *
 * Return: the ruling, with a sentence for people.
 */
struct om_vm_ruling om_vm_admission_test(const struct om_vm_filter *f, const struct om_vm_ask *a);

#endif
