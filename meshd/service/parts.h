/*
 * parts.h - what the files of this folder share
 *
 * What:  the hub of the virtual machines that run here, one machine with all that hangs on it, and
 *        the functions by which the files hand work to one another.
 * Why:   process, files, sockets, ledger and consumer of a machine are a file each; here they meet.
 */
#ifndef OM_SERVICE_PARTS_H
#define OM_SERVICE_PARTS_H

#include <omerta/stack.h>

#include "ipc/place.h"
#include "service/admit.h"
#include "service/builder.h"
#include "service/gate.h"
#include "service/hostkey.h"
#include "service/provide.h"
#include "service/vms.h"
#include "state.h"
#include "tunnel/host/splice.h"
#include "vm/core/image.h"
#include "vm/core/vm.h"
#include "vm/host/accel.h"
#include "vm/host/console.h"
#include "vm/host/disk.h"
#include "vm/host/ledger.h"
#include "vm/host/process.h"
#include "vm/host/seed_job.h"
#include "vm/host/spawner.h"
#include "vm/host/sums.h"

enum {
    VM_ID_TEXT = 16,   /* "vm-", ten hex digits and the zero */
    VM_KEY_TEXT = 65,  /* of a request, with the zero */
    VM_LINES_MAX = 64, /* events that a consumer has not received; then its call is hung up */
    VM_PLUG_AGAIN_MS = 100,
    /* Its TCP ends here, and what is larger than a datagram of the mesh goes by stream: so the way
     * does not bound it, and a sixth of the frames costs its processor half. */
    VM_MTU = 9000,
    VM_CLOSE_S = 30, /* what the end of the daemon waits for machines to end */
    VM_WAIT_S = 45,  /* for the test guest that tells what this machine can do */
    /* Answers that peers have not received: of one peer the oldest goes, of all the newest. */
    VM_SHORTS_PEER = 32,
    VM_SHORTS_MAX = 1024,
    /* A machine that is gone stays until its consumer has heard so, and such an answer: */
    VM_HEAR_S = 30,   /* no longer than this */
    VM_HEAR_PEER = 2, /* and as many of one consumer; then of the oldest no more is told */
};

struct agent_port;
struct service_vm;

/* Which of QEMU's sockets. */
enum vm_plug_kind { VM_PLUG_QMP, VM_PLUG_CONSOLE, VM_PLUG_AGENT, VM_PLUG_NIC, VM_PLUGS };

/* One connection to QEMU; outlives its machine until the loop has closed it. */
struct vm_plug {
    struct service_vm *vm; /* NULL: let go of */
    enum vm_plug_kind kind;
    struct om_socket *socket;
    uv_connect_t connect;
    bool is_connecting, is_up;
    char in[8192];
};

/* A line on its way to the consumer; the node borrows it until it is released. */
struct vm_line {
    struct om_link link;
    uint64_t end; /* bytes of the stream up to its end */
    char text[];
};

struct build;    /* builder.c */
struct vm_check; /* prepare.c: work for the thread pool */

struct service_vm {
    struct om_link link;
    struct vms *hub;
    uint64_t number; /* never used twice, by this run */
    char id[VM_ID_TEXT];
    char key[VM_KEY_TEXT];
    struct om_id network, consumer;
    bool is_own;     /* its consumer is this node itself */
    bool is_reached; /* its consumer, or a job of his, was heard in it */
    enum admit_hold hold;
    unsigned slot;
    char folder[OM_PATH_MAX];
    struct om_vm_spec spec;
    struct om_vm_image image;
    struct om_vm vm;
    struct om_wall begun;
    char host_key[OM_HOSTKEY_PUBLIC];

    struct om_vm_process *process;
    struct om_vm_ident ident; /* pid 0: none */
    struct vm_check *check;   /* of the preparation, under way; NULL */
    unsigned jobs;            /* of the thread pool */
    bool is_draining;
    bool is_unsure;        /* its process ended, or only who watched it did */
    bool is_awaiting;      /* its image, which is being built */
    char note[OM_VM_TEXT]; /* what is done for it now, beside its state; or "" */
    struct om_vm_disk *disk;
    struct om_vm_seed_job *seed;

    struct vm_plug *plugs[VM_PLUGS];
    bool is_wanted[VM_PLUGS];
    om_time again_at;  /* plugs; OM_NEVER */
    uint64_t nic_link; /* of the card, by its number in meshd/links; 0: none */
    struct om_vm_qmp qmp;
    bool has_qmp, is_greeted;
    struct agent_port *agent; /* while its plug stands; NULL */
    struct om_vm_console *console;

    enum om_rogue_level alarm; /* of its gate, not answered yet */
    om_time resume_at;         /* of a pause; OM_NEVER */

    struct om_call_owner owner; /* the consumer's stream */
    om_time hear_by; /* when it is hung up, heard or not; OM_NEVER while the machine is not gone */
    struct om_list lines;
    uint64_t line_end;
    unsigned line_count;
};

struct vms {
    struct om_daemon *d;
    struct om_list machines;
    unsigned count;
    uint64_t numbers;
    struct om_vm_quota quota;
    struct provide provide;
    struct admit *admit;
    uint64_t answers[GATE_POLICY_COUNT]; /* to guests that sent what they may not */
    struct om_vm_ledger *ledger;
    struct om_vm_spawner *spawner;
    struct om_vm_sums sums;      /* of the files of images */
    struct om_vm_accel *looking; /* under way; NULL */
    struct om_vm_accel_found accel;
    bool is_known;    /* accel is */
    bool is_tcg_good; /* a guest ran under it */
    char self_path[OM_PATH_MAX], qemu[OM_PATH_MAX], qemu_img[OM_PATH_MAX];
    char build_tool[OM_PATH_MAX];   /* or "": not installed */
    struct build *build;            /* of an image, under way; NULL */
    char missing[OM_ERROR_MSG_MAX]; /* what lacks for any machine, or "" */
    uv_timer_t timer;
    bool is_closing;
    bool is_recall_short; /* a row of the ledger was not taken up */
    bool is_lost;     /* nobody watches processes any more: machines are left to the next daemon */
    om_time close_by; /* then they are, too */
    struct om_list jobs;   /* service/jobs.h */
    struct om_list shorts; /* answers on their way to peers, the oldest first */
    unsigned short_count;
};

/* hub.c */

/** vms_touch() - something of @s changed: deadlines are looked at anew, soon. */
void vms_touch(struct vms *s);

/** vms_kick() - what was written to calls of @s, and which were hung up on, is passed on. */
void vms_kick(const struct vms *s);

/* vms.c */

/** vms_complain() - log that something about machine @id of @s went wrong: @why. */
void vms_complain(struct vms *s, const char *id, const char *why);

/** vms_folder() - HOME/vms/@id of @s into @out; false when that is too long. */
bool vms_folder(const struct vms *s, const char *id, char out[static OM_PATH_MAX]);

/** vms_new() - a machine with @id in @s, nothing of it done yet; NULL when there is no room. */
struct service_vm *vms_new(struct vms *s, const char *id);

/** vms_find() - the machine of @who in @s whose id is @name; NULL when there is none. The owner may
 *  name any. */
struct service_vm *vms_find(const struct vms *s, const struct vms_who *who, const char *name);

/** vms_find_key() - the machine of @who in @s that the request with @key made; NULL when there is
 *  none. */
struct service_vm *vms_find_key(const struct vms *s, const struct vms_who *who, const char *key);

/**
 * vms_short() - what is answered at once
 * @s:       the hub
 * @who:     asks
 * @method:  "vm.list", "vm.extend", "vm.release" or "vm.console"
 * @args:    {"vm", "ttl"}, as the method wants it
 * @err:     why not, in a sentence
 *
 * Return: the answer, a new reference; NULL and @err.
 */
json_t *vms_short(struct vms *s, const struct vms_who *who, const char *method, const json_t *args,
                  struct om_error *err);

/**
 * vms_admit() - somebody wants a machine
 * @s:     the hub
 * @who:   asks
 * @args:  {"key", "spec"}; with a key that was used it is the machine that was made then
 * @err:   why not, in a sentence
 *
 * Return: the machine; NULL and @err.
 */
struct service_vm *vms_admit(struct vms *s, const struct vms_who *who, const json_t *args,
                             struct om_error *err);

/** vms_go() - @v may be, and has its reservation: it is made. */
void vms_go(struct service_vm *v);

/** vms_image() - read image.json of @name in the home of @s into @out; false and @err. */
bool vms_image(const struct vms *s, const char *name, struct om_vm_image *out,
               struct om_error *err);

/* engine.c */

/** engine_look() - have @s find out, once, what this machine runs guests with. */
void engine_look(struct vms *s);

/** engine_again() - have @s try again what it does without, and all of it when the owner's word
 *  @is_other than before. */
void engine_again(struct vms *s, bool is_other);

/** engine_is_known() - does @s know that, and is it not being tried again? */
bool engine_is_known(const struct vms *s);

/** engine_failed() - KVM failed @v: its consumer is told. */
void engine_failed(struct service_vm *v);

/** engine_distrust() - after what became of @v, no machine is started under KVM. */
void engine_distrust(const struct service_vm *v);

/* machine.c */

/** machine_input() - @kind, with @text or NULL, happened to @v; what follows is done. */
void machine_input(struct service_vm *v, enum om_vm_input_kind kind, const char *text);

/** machine_qmp() - the monitor of @v told @e. */
void machine_qmp(struct service_vm *v, const struct om_vm_qmp_event *e);

/** machine_drain() - do what @v wants done. */
void machine_drain(struct service_vm *v);

/** machine_json() - @v as lists and events show it, a new reference. */
json_t *machine_json(const struct service_vm *v);

/** machine_note() - @note, or "", is what is being done for @v, in words for its consumer. */
void machine_note(struct service_vm *v, const char *note);

/** machine_tell_again() - the consumer of @v, which is in the same state, is told how it is now. */
void machine_tell_again(struct service_vm *v);

/** machine_mac() - the address of the card of @v into @out. */
void machine_mac(const struct service_vm *v, uint8_t out[static OM_STACK_MAC]);

/** machine_is_over() - is nothing of @v left, so that it may be freed? */
bool machine_is_over(const struct service_vm *v);

/** machine_free() - release @v, of which nothing runs any more. */
void machine_free(struct service_vm *v);

/* prepare.c */

/** prepare_start() - image, folder, disk and seed of @v anew; PREPARED or UNPREPARED follows. */
void prepare_start(struct service_vm *v);

/** prepare_cancel() - give that up for @v; UNPREPARED follows, unless it was just done. */
void prepare_cancel(struct service_vm *v);

/** prepare_wipe() - the folder of @v goes; WIPED follows. */
void prepare_wipe(struct service_vm *v);

/* watch.c */

/** machine_traffic() - links_traffic() of @v, with its id; NULL and @err. */
json_t *machine_traffic(const struct service_vm *v, struct om_error *err);

/* plugs.c */

/** plugs_connect() - connect @v to the socket of @kind, now and again until it stands. */
void plugs_connect(struct service_vm *v, enum vm_plug_kind kind);

/** plugs_drop() - @v has no sockets any more. */
void plugs_drop(struct service_vm *v);

/** plugs_pause() - no longer read the socket of @kind of @v while it @is_paused. */
void plugs_pause(struct service_vm *v, enum vm_plug_kind kind, bool is_paused);

/** plugs_tick() - try again what is due for @v at @now. */
void plugs_tick(struct service_vm *v, om_time now);

/** plugs_deadline() - when @v wants that. */
om_time plugs_deadline(const struct service_vm *v);

/** plugs_command() - give @c to the monitor of @v. */
void plugs_command(struct service_vm *v, enum om_vm_qmp_command c);

/* rows.c */

/** rows_put() - have the ledger remember @v as it is now; false and @err. */
bool rows_put(struct service_vm *v, struct om_error *err);

/** rows_forget() - @v is no more. */
void rows_forget(struct service_vm *v);

/** rows_recall() - take up what the ledger of @s remembers, remove what nobody knows; false and
 *  @err when it cannot be read. */
bool rows_recall(struct vms *s, struct om_error *err);

/* serve.c */

/** serve_tell() - @event, taken, goes to the consumer of @v. */
void serve_tell(struct service_vm *v, json_t *event);

/** serve_shorts() - answers of @s that were not received by @now are given up. */
void serve_shorts(struct vms *s, om_time now);

/** serve_shorts_deadline() - when @s wants that. */
om_time serve_shorts_deadline(const struct vms *s);

/** serve_close() - answers of @s that are on their way are given up. */
void serve_close(struct vms *s);

/** serve_drop() - the consumer's stream of @v ends, after what was written to it. */
void serve_drop(struct service_vm *v);

/** serve_cut() - that stream of @v ends at once: what did not arrive of it is given up. */
void serve_cut(struct service_vm *v);

/** serve_tick() - the consumer of @v, which is gone, has had its time at @now. */
void serve_tick(struct service_vm *v, om_time now);

/** serve_deadline() - when @v wants that. */
om_time serve_deadline(const struct service_vm *v);

#endif
