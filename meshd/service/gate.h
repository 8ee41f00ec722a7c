/*
 * gate.h - what a provider does about a guest that sends what it may not, and who is still there
 *
 * What:  the answer to each level of a gate's score, the end of a pause, and signs of life that
 *        renew a lease.
 * Why:   the gate counts and the machine has states; what follows from the one for the other the
 *        owner decides, in provide.json.
 * Keeps: gate_policy_answers_each_level.
 *
 *   score    log    warn    pause    kill
 *    100     log    warn    warn     warn      (OM_ROGUE_WARN_AT)
 *   1000     log    warn    pause    end       (OM_ROGUE_PAUSE_AT)
 *   5000     log    warn    pause    end       (OM_ROGUE_KILL_AT)
 *
 * Each answer is logged, too, and each level answered once, until the score was 0. A pause ends
 * after "pause", or when the owner says so; the score is 0 then.
 *
 * A lease is renewed while the consumer's daemon follows the machine, and when its tunnels carry
 * something to or from it: not by what the guest alone does.
 */
#ifndef OM_SERVICE_GATE_H
#define OM_SERVICE_GATE_H

#include <stdbool.h>

#include <omerta/time.h>

#include "netstack/guard/rogue.h"

#define GATE_POLICIES(X)                                                                           \
    X(LOG, "log")                                                                                  \
    X(WARN, "warn")                                                                                \
    X(PAUSE, "pause")                                                                              \
    X(KILL, "kill")

enum gate_policy {
#define X(code, name) GATE_##code,
    GATE_POLICIES(X)
#undef X
        GATE_POLICY_COUNT
};

/** gate_policy_name() - "log" and so on, for @p. */
const char *gate_policy_name(enum gate_policy p);

/** gate_policy_read() - by @out the policy called @name; false when none is. */
bool gate_policy_read(enum gate_policy *out, const char *name);

/** gate_policy_does() - what is done by @p when a score reached @level, which is not
 *  OM_ROGUE_NONE. */
enum gate_policy gate_policy_does(enum gate_policy p, enum om_rogue_level level);

struct service_vm;
struct vms;

/** gate_open() - @s hears of the gates of its machines. */
void gate_open(struct vms *s);

/** gate_tick() - do for @v what is due at @now. */
void gate_tick(struct service_vm *v, om_time now);

/** gate_deadline() - when @v wants that. */
om_time gate_deadline(const struct service_vm *v);

/** gate_resume() - the owner lets @v go on. */
void gate_resume(struct service_vm *v);

/** gate_alive() - a sign of life of the consumer of @v at @now, if there is one. */
void gate_alive(struct service_vm *v, om_time now);

#endif
