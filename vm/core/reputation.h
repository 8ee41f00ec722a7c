/*
 * reputation.h - what became of earlier VMs of a peer, as one number
 *
 * What:  0 to 100 per peer, 50 for who is unknown; outcomes move it, time brings it back to 50.
 * Why:   a rule can then treat who behaved well for weeks otherwise than who came today. Local:
 *        nobody is asked and nobody is told.
 * Keeps: reputation_of_strangers_is_neutral; reputation_follows_outcomes; reputation_decays;
 *        reputation_full_table_forgets_the_least_telling; reputation_round_trips;
 *        reputation_refuses_bad_files.
 *
 * Full: over OM_VM_REPUTATION_MAX peers the one nearest to 50 is forgotten.
 */
#ifndef OM_VM_REPUTATION_H
#define OM_VM_REPUTATION_H

#include <jansson.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum { OM_VM_REPUTATION_MAX = 256, OM_VM_REPUTATION_NEUTRAL = 50 };

#define OM_VM_OUTCOMES(X)                                                                          \
    X(GOOD, 2)        /* it ran and ended in peace */                                              \
    X(UNUSED, -2)     /* it ran, and its consumer did not once reach it */                         \
    X(DENIED, -5)     /* the owner said no */                                                      \
    X(EXCESSIVE, -8)  /* machines were asked for too fast */                                       \
    X(VIOLATION, -30) /* it was paused or ended for what it sent */

enum om_vm_outcome {
#define X(code, points) OM_VM_OUTCOME_##code,
    OM_VM_OUTCOMES(X)
#undef X
        OM_VM_OUTCOME_COUNT
};

struct om_vm_standing {
    struct om_id peer;
    int32_t milli; /* thousandths of a point away from neutral, as of @at */
    int64_t day;   /* since 1970, to which it was decayed */
};

/* Read freely; write only through om_vm_reputation_*(). Zeroed: nobody is known. */
struct om_vm_reputation {
    unsigned count;
    struct om_vm_standing row[OM_VM_REPUTATION_MAX];
};

/** om_vm_reputation_of() - 0 to 100 for @peer in @r at @now; 50 when unknown. */
unsigned om_vm_reputation_of(const struct om_vm_reputation *r, const struct om_id *peer,
                             struct om_wall now);

/** om_vm_reputation_note() - a VM of @peer ended with @o at @now: count it in @r. */
void om_vm_reputation_note(struct om_vm_reputation *r, const struct om_id *peer, struct om_wall now,
                           enum om_vm_outcome o);

/**
 * om_vm_reputation_read() - what om_vm_reputation_write() wrote
 * @out:  untouched on failure
 * @o:    the array
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_reputation_read(struct om_vm_reputation *out, const json_t *o,
                                          struct om_error *err);

/** om_vm_reputation_write() - @r as an array, owned by the caller; NULL without memory. */
json_t *om_vm_reputation_write(const struct om_vm_reputation *r);

#endif
