/*
 * vm.h - the life of one VM
 *
 * What:  what happened in, what is to be done out; from the request until nothing of it is left.
 * Why:   a VM is a reservation, files, a process and sockets; whichever of them fails, and in
 *        whatever order, the others must be given back, once each.
 * Keeps: vm_runs_and_is_released; vm_refused_costs_nothing; vm_release_in_every_state_ends_it;
 *        vm_falls_back_to_tcg; vm_that_says_nothing_under_kvm_is_started_under_tcg;
 *        vm_internal_error_under_tcg_ends_it; vm_lives_on_after_a_restart;
 *        vm_lost_process_is_cleaned_up; vm_lost_monitor_is_connected_again;
 *        vm_full_disk_pauses_and_goes_on; vm_reboot_keeps_the_disk; vm_lease_ends_it;
 *        vm_unkillable_process_keeps_its_quota; vm_late_process_is_killed;
 *        vm_every_state_has_a_deadline; vm_spared_kvm_starts_under_tcg;
 *        vm_model_ends_with_everything_given_back_once.
 *
 *   REQUESTED -> PREPARING -> STARTING -> BOOTING -> RUNNING <-> PAUSED
 *       |            |           |           |          |          |
 *       |            +-----------+-----+-----+----------+----------+
 *       |                              v
 *       |        LOST (after our own   STOPPING -> WIPING -> GONE
 *       |        restart) -> RUNNING      |                   ^
 *       +--refused, given up--------------|-------------------+
 *                                         +-> PREPARING or STARTING (once more, under TCG or
 *                                             because the guest rebooted)
 *
 * Contract of the driver: after every call it drains om_vm_next(). PREPARE makes the folder anew,
 * whatever was there. PREPARE, SPAWN, ADOPT and WIPE are answered by one event each; if not in
 * time, the machine goes on without, and kills a process that appears later. A machine that is
 * started once more under TCG has its timeout anew, once. KVM is distrusted for a guest that never
 * came up under it only: one that runs can do what KVM fails at whenever it wants to.
 */
#ifndef OM_VM_VM_H
#define OM_VM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>

#include "vm/core/lease.h"
#include "vm/core/qemu_args.h"
#include "vm/core/qmp.h"

#define OM_VM_STATES(X)                                                                            \
    X(REQUESTED, "requested")                                                                      \
    X(PREPARING, "preparing")                                                                      \
    X(STARTING, "starting")                                                                        \
    X(BOOTING, "booting")                                                                          \
    X(RUNNING, "running")                                                                          \
    X(PAUSED, "paused")                                                                            \
    X(LOST, "lost")                                                                                \
    X(STOPPING, "stopping")                                                                        \
    X(WIPING, "wiping")                                                                            \
    X(GONE, "gone")

enum om_vm_state {
#define X(code, name) OM_VM_##code,
    OM_VM_STATES(X)
#undef X
        OM_VM_STATE_COUNT
};

/* Why a VM ended, or ends. */
#define OM_VM_ENDS(X)                                                                              \
    X(NONE, "none", "it has not ended")                                                            \
    X(RELEASED, "released", "its consumer released it")                                            \
    X(EXPIRED, "expired", "its lease ended")                                                       \
    X(EVICTED, "evicted", "its provider took it back")                                             \
    X(SHUT_DOWN, "shut_down", "the guest shut itself down")                                        \
    X(REFUSED, "refused", "its provider did not admit it")                                         \
    X(TIMEOUT, "timeout", "it was not running in time")                                            \
    X(FAILED, "failed", "it could not be made or went wrong")                                      \
    X(PANICKED, "panicked", "the guest's kernel panicked")                                         \
    X(VIOLATION, "violation", "it broke the provider's network policy")                            \
    X(DIED, "died", "its QEMU process ended")

enum om_vm_end {
#define X(code, name, text) OM_VM_END_##code,
    OM_VM_ENDS(X)
#undef X
        OM_VM_END_COUNT
};

#define OM_VM_INPUTS(X)                                                                            \
    X(ADMITTED) /* quota is reserved */                                                            \
    X(REFUSED)  /* text: why */                                                                    \
    X(PREPARED)                                                                                    \
    X(UNPREPARED) /* text: why not; also the answer to CANCEL */                                   \
    X(SPAWNED)                                                                                     \
    X(UNSPAWNED) /* text: why not */                                                               \
    X(EXITED)    /* the process; text: how */                                                      \
    X(ADOPTED)                                                                                     \
    X(UNADOPTED)                                                                                   \
    X(WIPED)    /* text: what could not be wiped, or "" */                                         \
    X(GUEST_UP) /* the guest showed life: agent, SSH banner */                                     \
    X(RELEASE)                                                                                     \
    X(EVICT)     /* text: why */                                                                   \
    X(VIOLATION) /* text: which */                                                                 \
    X(PAUSE)     /* text: why */                                                                   \
    X(RESUME)                                                                                      \
    X(QMP) /* qmp: what the monitor told */

enum om_vm_input_kind {
#define X(code) OM_VM_IN_##code,
    OM_VM_INPUTS(X)
#undef X
        OM_VM_IN_COUNT
};

struct om_vm_input {
    enum om_vm_input_kind kind;
    const char *text;                  /* borrowed, may be NULL */
    const struct om_vm_qmp_event *qmp; /* borrowed */
};

#define OM_VM_ACTS(X)                                                                              \
    X(PREPARE)      /* verify the image, make folder, disk and seed anew */                        \
    X(CANCEL)       /* give up preparing; UNPREPARED follows, or PREPARED */                       \
    X(SPAWN)        /* start QEMU with engine */                                                   \
    X(CONNECT)      /* to all sockets */                                                           \
    X(CONNECT_QMP)  /* to the monitor alone, again */                                              \
    X(DISCONNECT)   /* from all sockets; what is left of connections is reset */                   \
    X(COMMAND)      /* give command to the monitor */                                              \
    X(KILL)         /* the process, at once */                                                     \
    X(ADOPT)        /* look for the process of an earlier run */                                   \
    X(WIPE)         /* folder, disk, seed, keys */                                                 \
    X(GIVE_BACK)    /* the reservation */                                                          \
    X(KVM_FAILED)   /* say so: it starts anew under TCG */                                         \
    X(DISTRUST_KVM) /* remember for other VMs that KVM does not work here */                       \
    X(TELL)         /* state, end and text changed */                                              \
    X(WARN)         /* lease: it ends soon */

enum om_vm_act_kind {
#define X(code) OM_VM_ACT_##code,
    OM_VM_ACTS(X)
#undef X
        OM_VM_ACT_COUNT
};

struct om_vm_act {
    enum om_vm_act_kind kind;
    enum om_vm_qmp_command command; /* of COMMAND */
    enum om_vm_state state;         /* of TELL */
    struct om_vm_lease_event lease; /* of WARN */
};

enum {
    OM_VM_ACTS_MAX = 16,
    OM_VM_REBOOTS_MAX = 8,
    OM_VM_CONNECTS_MAX = 3,
    OM_VM_PREPARE_S = 1500, /* an image may have to be built first */
    OM_VM_SPAWN_S = 20,
    OM_VM_BOOT_KVM_S = 90, /* a full image needs 30; of a KVM that fails QEMU says so after 60 */
    OM_VM_BOOT_S = 600,    /* a full image under TCG, with its setup, on a very busy machine */
    OM_VM_BUTTON_S = 10,   /* from the power button to its effect */
    OM_VM_KILL_S = 10,
    OM_VM_ADOPT_S = 30,
    OM_VM_WIPE_S = 60,
    OM_VM_CONNECT_S = 15, /* a little longer than qmp.h waits for a greeting */
    OM_VM_CALM_S = 60,    /* a monitor that held so long is trusted anew */
    OM_VM_RETRY_S = 10,   /* a full disk may have room again */
    OM_VM_TEXT = 160
};

struct om_vm_config {
    enum om_vm_engine engine;
    om_time wait;    /* how long a request may wait to be admitted */
    om_time timeout; /* from then: running or not at all */
    om_time ttl;     /* of the lease */
    om_time most;    /* maximum of the lease */
};

/* Read freely; write only through om_vm_*(). Zeroed: none. */
struct om_vm {
    enum om_vm_state state;
    enum om_vm_end end;
    enum om_vm_engine engine;
    struct om_vm_config config;
    char text[OM_VM_TEXT]; /* why it ends or is paused, in more words */
    struct om_vm_lease lease;
    bool has_lease; /* it was running once */
    bool has_quota;
    bool has_files; /* or may have */
    bool has_process;
    bool has_links;
    bool is_preparing, is_spawning, is_adopting, is_wiping; /* an answer is awaited */
    bool is_disk_full;      /* PAUSED for that, not because somebody wants it */
    bool is_ready;          /* the monitor takes commands */
    bool is_unclean;        /* something could not be wiped or killed */
    enum om_vm_state again; /* where it goes when the process is gone; GONE: nowhere */
    unsigned reboots, connects;
    om_time broke_at; /* when the monitor broke last */
    om_time by;       /* deadline of the state */
    om_time start_by; /* to be RUNNING */
    om_time qmp_by;   /* of the monitor's connection; OM_NEVER */
    unsigned acts, act_at;
    struct om_vm_act act[OM_VM_ACTS_MAX];
};

/** om_vm_state_name() - "running" and so on, for @s. */
const char *om_vm_state_name(enum om_vm_state s);

/** om_vm_end_name() - "released" and so on, for @e. */
const char *om_vm_end_name(enum om_vm_end e);

/** om_vm_end_text() - the sentence of @e. */
const char *om_vm_end_text(enum om_vm_end e);

/**
 * om_vm_request() - a VM that was asked for
 * @v:       storage of the caller
 * @now:     current time
 * @config:  copied
 */
void om_vm_request(struct om_vm *v, om_time now, const struct om_vm_config *config);

/**
 * om_vm_recover() - a VM that an earlier run of ours left behind, whatever it was doing
 * @v:          storage of the caller; its quota counts as reserved
 * @now:        current time
 * @config:     as it was; engine as it was last
 * @left:       of its lease, by calendar time
 * @most_left:  of the lease's maximum
 */
void om_vm_recover(struct om_vm *v, om_time now, const struct om_vm_config *config, om_time left,
                   om_time most_left);

/** om_vm_input() - @in happened to @v at @now; what means nothing in its state is ignored. */
void om_vm_input(struct om_vm *v, om_time now, const struct om_vm_input *in);

/** om_vm_alive() - a sign of life from the consumer of @v at @now: renews the lease. */
void om_vm_alive(struct om_vm *v, om_time now);

/**
 * om_vm_extend() - its consumer asks for more time
 * @v:    the VM
 * @now:  current time
 * @by:   added to the end of its lease
 * @err:  sentence; may be NULL
 *
 * Return: as om_vm_lease_extend(); OM_E_STATE also before it runs.
 */
OM_MUST enum om_err om_vm_extend(struct om_vm *v, om_time now, om_time by, struct om_error *err);

/** om_vm_spare() - KVM failed another: @v, if not started yet, starts under TCG. */
void om_vm_spare(struct om_vm *v);

/** om_vm_tick() - let time of @v pass until @now. */
void om_vm_tick(struct om_vm *v, om_time now);

/** om_vm_next() - the next thing to do for @v into @out; false when there is none. */
bool om_vm_next(struct om_vm *v, struct om_vm_act *out);

/** om_vm_deadline() - when @v wants its tick; OM_NEVER only when GONE. */
om_time om_vm_deadline(const struct om_vm *v);

#endif
