/*
 * pace.h - how fast one peer may have machines made
 *
 * What:  a token bucket per peer: OM_VM_PACE_BURST machines at once, then one each OM_VM_PACE_S.
 * Why:   limits bound what a peer has, not how often: each machine costs a hash of its image, two
 *        forks and a QEMU, also when it is given back at once.
 * Keeps: pace_allows_a_burst_then_a_rate; pace_of_one_peer_is_not_anothers; pace_tells_once;
 *        pace_full_table_forgets_who_asked_least.
 *
 * Full: over OM_VM_PACE_PEERS peers the one that has its whole burst first again is forgotten.
 */
#ifndef OM_VM_PACE_H
#define OM_VM_PACE_H

#include <stdbool.h>

#include <omerta/bucket.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum { OM_VM_PACE_PEERS = 256, OM_VM_PACE_BURST = 12, OM_VM_PACE_S = 10 };

struct om_vm_pace_row {
    struct om_id peer;
    struct om_bucket bucket; /* a token a second; a machine costs OM_VM_PACE_S */
    bool is_told;            /* refused, and not calm since */
};

/* Read freely; write only through om_vm_pace_*(). Zeroed: nobody asked. */
struct om_vm_pace {
    unsigned count;
    struct om_vm_pace_row row[OM_VM_PACE_PEERS];
};

/**
 * om_vm_pace_take() - a machine is to be made for a peer
 * @p:        the table
 * @peer:     asks
 * @now:      current time
 * @is_news:  set when it is refused for the first time since it had its whole burst
 * @err:      sentence with the seconds to wait; may be NULL
 *
 * Return: OM_OK; OM_E_FULL when it asks too fast.
 */
OM_MUST enum om_err om_vm_pace_take(struct om_vm_pace *p, const struct om_id *peer, om_time now,
                                    bool *is_news, struct om_error *err);

#endif
