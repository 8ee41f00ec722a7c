/*
 * choose.h - which of the known providers is asked first
 *
 * What:  does an offer fit what is wanted, and if not why; the order in which those that fit are
 *        asked.
 * Why:   the same knowledge must give the same order, so that a person can foresee it.
 * Keeps: choose_says_why_it_does_not_fit; choose_orders_as_written_down; choose_breaks_ties_by_id;
 *        choose_order_is_total; choose_near_beats_idle_only_by_much; choose_knows_who_was_full.
 *
 * The order: what fits before what does not; KVM before TCG before unknown; then the least cost,
 * in milliseconds: the round trip (OM_VM_CHOOSE_FAR_MS if unknown), OM_VM_CHOOSE_LOAD_MS for each
 * step of load, OM_VM_CHOOSE_FAIL_MS for each of the last failures here,
 * OM_VM_CHOOSE_NAMED_MS where only peers that it names may have one; then the smaller id.
 */
#ifndef OM_VM_CHOOSE_H
#define OM_VM_CHOOSE_H

#include <omerta/id.h>
#include <omerta/time.h>

#include "vm/core/offer.h"

enum {
    OM_VM_CHOOSE_FAR_MS = 500,
    OM_VM_CHOOSE_LOAD_MS = 50,
    OM_VM_CHOOSE_FAIL_MS = 400,
    OM_VM_CHOOSE_NAMED_MS = 100,
    OM_VM_CHOOSE_FAILS_MAX = 5, /* more count as so many */
    OM_VM_CHOOSE_WHY = 128
};

/* What is known of one provider. */
struct om_vm_candidate {
    struct om_id id;
    const struct om_vm_offer *offer; /* borrowed */
    om_time rtt;                     /* OM_NEVER: not known */
    unsigned fails;                  /* of requests, since the last that it granted */
};

/* What is wanted of it. */
struct om_vm_need {
    struct om_vm_amount amount;
    const char *image; /* borrowed; "": any */
};

/** om_vm_choose_fits() - does what @o offers do for @need? If not, @why tells. */
bool om_vm_choose_fits(const struct om_vm_offer *o, const struct om_vm_need *need,
                       char why[static OM_VM_CHOOSE_WHY]);

/** om_vm_choose_was_full() - does @o, which does not fit @need, lack a place alone? It is told at
 *  most once a minute, so there may be one again: who gave a machine back can have the next. */
bool om_vm_choose_was_full(const struct om_vm_offer *o, const struct om_vm_need *need);

/** om_vm_choose_cost() - milliseconds that stand for how far, busy and unwilling @c is. */
uint64_t om_vm_choose_cost(const struct om_vm_candidate *c);

/** om_vm_choose_sort() - the @n candidates at @c as they are to be asked for @need; returns how
 *  many of them fit: the first so many. */
unsigned om_vm_choose_sort(struct om_vm_candidate *c, unsigned n, const struct om_vm_need *need);

#endif
