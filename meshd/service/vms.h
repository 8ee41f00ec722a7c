/*
 * vms.h - the virtual machines that this node runs for others, or for itself
 *
 * What:  who may have one, which there are, and all that is done with them: asked for, listed,
 *        extended, released, their console read.
 * Why:   a machine is state in vm/core and things in vm/host; here these are wired together, once,
 *        for consumers that are peers and for the user of this very machine.
 *
 * Peers reach it by calls, and so does this node: "vm.request" and "vm.watch" (of a "vm", or of
 * the "key" of its request) become a stream of JSON texts, one a line, that tell what happens to
 * the machine; "vm.list", "vm.extend", "vm.release", "vm.console" and "vm.traffic" are answered at
 * once. A peer sees, and touches, machines of its own only.
 *
 * QEMU outlives a daemon that was killed: the next one takes the machines up again by the ledger
 * (HOME/vm.db). A daemon that is told to stop ends them.
 *
 * Full: OM_VM_COUNT_MAX machines, fewer by the limits that the owner set; then requests are refused
 * with a sentence that says whose limit it is.
 */
#ifndef OM_SERVICE_VMS_H
#define OM_SERVICE_VMS_H

#include <jansson.h>

#include <omerta/call.h>

#include "service/gate.h"
#include "state.h"

#define VM_METHODS   "vm."
#define VM_NOT_THERE "not_there" /* error of a call about a machine that its peer does not have */

struct vms;
struct link_tap;

/* Who asks. */
struct vms_who {
    struct om_id network, peer;
    bool is_own; /* the user of this machine: a call of this node to itself */
};

/** vms_open() - begin for @d, by @out; before seccomp, as it starts what runs programs. Without
 *  QEMU there is nothing to run, and that is fine; false and @err when something went wrong. */
bool vms_open(struct vms **out, struct om_daemon *d, struct om_error *err);

/** vms_close() - end all machines of @s; it is freed once the loop has run; NULL is fine. */
void vms_close(struct vms *s);

/** vms_call() - a peer calls @s: @call, whose method begins with VM_METHODS. */
void vms_call(struct vms *s, const struct om_act_call *call);

/** vms_answers() - how often @p was the answer of @s to a guest that sent what it may not. */
uint64_t vms_answers(const struct vms *s, enum gate_policy p);

/**
 * vms_traffic() - what a machine that runs here sends and gets
 * @s:     the hub
 * @name:  its id, the start of it, or NULL: the only one
 * @err:   why not, in a sentence
 *
 * Return: as links_traffic(), with its id; NULL and @err.
 */
json_t *vms_traffic(const struct vms *s, const char *name, struct om_error *err);

/** vms_resume() - the machine @name of @s, as vms_traffic() finds it, was paused and goes on; as it
 *  is now, or NULL and @err. */
json_t *vms_resume(struct vms *s, const char *name, struct om_error *err);

/** vms_tap() - @t hears the card of the machine @name of @s, as vms_traffic() finds it; false and
 *  @err. */
bool vms_tap(const struct vms *s, const char *name, struct link_tap *t, struct om_error *err);

/** vms_here() - every machine of @s with its consumer, for the owner; a new reference. */
json_t *vms_here(const struct vms *s);

/** vms_provide() - what @s provides, a new reference; @set, if not NULL, changes it before. NULL
 *  and @err when that is refused. */
json_t *vms_provide(struct vms *s, const json_t *set, struct om_error *err);

/** vms_has_failed_kvm() - do machines of @s run under TCG because a guest failed under KVM? */
bool vms_has_failed_kvm(const struct vms *s);

#endif
