/*
 * lease.h - how long a VM may stay
 *
 * What:  an end that signs of life push back, that can be extended, that is announced, and that
 *        never passes the hard maximum.
 * Why:   a consumer that is gone must not keep its provider's memory; one that works must not lose
 *        its VM to a number it gave an hour ago.
 * Keeps: lease_ends_without_signs_of_life; lease_renewal_never_shortens;
 *        lease_never_passes_its_maximum; lease_warns_twice_and_again_after_renewal;
 *        lease_of_seconds_warns_once; lease_lives_on_after_a_restart; lease_model_is_its_formula.
 *
 *   now ---- 1/4 of the ttl left: warning ---- 60 s left: warning ---- until: expired
 */
#ifndef OM_VM_LEASE_H
#define OM_VM_LEASE_H

#include <stdbool.h>

#include <omerta/err.h>
#include <omerta/time.h>

enum { OM_VM_LEASE_WARNINGS = 2 };

enum om_vm_lease_kind { OM_VM_LEASE_WARNING, OM_VM_LEASE_EXPIRED };

struct om_vm_lease_event {
    enum om_vm_lease_kind kind;
    om_time left;  /* until it ends */
    bool is_final; /* the maximum is reached: nothing pushes this end back */
};

/* Read freely; write only through om_vm_lease_*(). */
struct om_vm_lease {
    om_time ttl;
    om_time until;
    om_time most;                       /* the moment that @until never passes */
    om_time warn[OM_VM_LEASE_WARNINGS]; /* so long before the end, longest first; 0: never */
    unsigned told;                      /* warnings of this end that were given out */
    bool is_over;                       /* EXPIRED was given out */
};

/**
 * om_vm_lease_start() - from now on
 * @l:     storage of the caller
 * @now:   current time
 * @ttl:   what every sign of life adds; more than 0
 * @most:  the longest it may ever last, from now
 */
void om_vm_lease_start(struct om_vm_lease *l, om_time now, om_time ttl, om_time most);

/**
 * om_vm_lease_restart() - the lease of an earlier run of ours
 * @l:          storage of the caller
 * @now:        current time
 * @ttl:        as it was
 * @left:       what was left by calendar time; 0 or less: it ended meanwhile
 * @most_left:  the same of the maximum
 */
void om_vm_lease_restart(struct om_vm_lease *l, om_time now, om_time ttl, om_time left,
                         om_time most_left);

/** om_vm_lease_renew() - a sign of life for @l at @now: traffic or a heartbeat. Nothing once it
 *  ended. */
void om_vm_lease_renew(struct om_vm_lease *l, om_time now);

/**
 * om_vm_lease_extend() - its owner asks for more
 * @l:    the lease
 * @now:  current time
 * @by:   added to the end
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK, also when the maximum granted only a part (@l->until says); OM_E_RANGE when it
 * ends at its maximum already, OM_E_STATE when it ended.
 */
OM_MUST enum om_err om_vm_lease_extend(struct om_vm_lease *l, om_time now, om_time by,
                                       struct om_error *err);

/** om_vm_lease_next() - the next event of @l due at @now into @out; false when there is none. */
bool om_vm_lease_next(struct om_vm_lease *l, om_time now, struct om_vm_lease_event *out);

/** om_vm_lease_deadline() - when @l has its next event; OM_NEVER once it ended. */
om_time om_vm_lease_deadline(const struct om_vm_lease *l);

#endif
