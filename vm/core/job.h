/*
 * job.h - one job in a guest: files in, a program run, its output, files out
 *
 * What:  the words of a job, and the machine that gives orders to the guest's agent and turns what
 *        it says into output, files and an exit code.
 * Why:   a job ends, whatever the guest does: by its exit, its time, a cancellation or the loss of
 *        the guest; and its output is bounded, and says so when it was cut.
 * Keeps: job_reads_its_words; job_refuses_bad_words; job_runs_and_gives_its_output;
 *        job_takes_files_there_and_back; job_missing_artefact_is_told; job_output_is_cut_and_said;
 *        job_times_out; job_is_cancelled_in_every_state; job_guest_that_is_lost_ends_it;
 *        job_guest_that_refuses_ends_it; job_hears_only_its_own_orders;
 *        job_model_always_ends.
 *
 *   PUTTING (each input) -> RUNNING -> GETTING (each artefact) -> DONE
 *       |                     |            |                       ^
 *       +---- cancelled, out of time, refused, lost: STOPPING -----+
 *
 * Contract of the driver: after every call it drains om_vm_job_next(). A BODY act is so many bytes
 * of one thing, sent as they are behind the order before it, and answered by om_vm_job_sent(); an
 * order and its body have the port for themselves, whoever else speaks on it. A job that ended
 * while is_sending leaves the port within a body: the driver sends what is left of it as zeros.
 */
#ifndef OM_VM_JOB_H
#define OM_VM_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>

#include "vm/core/agent.h"

enum {
    OM_VM_JOB_FILES = 16, /* inputs, and as many artefacts */
    OM_VM_JOB_PATH = 256,
    OM_VM_JOB_LANGUAGE = 24,
    OM_VM_JOB_SCRIPT_MAX = 1 << 20,
    OM_VM_JOB_GET_S = 600,
    OM_VM_JOB_STOP_S = 15, /* the agent kills after 2 */
    OM_VM_JOB_ACTS_MAX = 8,
    OM_VM_JOB_TEXT = 200
};

struct om_vm_job_file {
    char path[OM_VM_JOB_PATH]; /* in the guest; from /work when it does not begin with / */
    uint64_t size;             /* of an input */
    unsigned mode;             /* of an input */
};

struct om_vm_job_spec {
    char language[OM_VM_JOB_LANGUAGE];
    uint64_t script;     /* bytes of the program */
    om_time timeout;     /* for inputs and the program */
    uint64_t output_max; /* bytes of output and errors together */
    uint64_t file_max;   /* bytes of one artefact */
    unsigned inputs, artefacts;
    struct om_vm_job_file input[OM_VM_JOB_FILES];
    struct om_vm_job_file artefact[OM_VM_JOB_FILES];
};

enum om_vm_job_state {
    OM_VM_JOB_PUTTING,
    OM_VM_JOB_RUNNING,
    OM_VM_JOB_GETTING,
    OM_VM_JOB_STOPPING,
    OM_VM_JOB_DONE
};

#define OM_VM_JOB_ENDS(X)                                                                          \
    X(NONE, "none")                                                                                \
    X(EXITED, "exited")                                                                            \
    X(TIMEOUT, "timeout")                                                                          \
    X(CANCELLED, "cancelled")                                                                      \
    X(REFUSED, "refused") /* by the guest */                                                       \
    X(LOST, "lost")       /* the guest went away */

enum om_vm_job_end {
#define X(code, name) OM_VM_JOB_END_##code,
    OM_VM_JOB_ENDS(X)
#undef X
        OM_VM_JOB_END_COUNT
};

enum om_vm_job_act_kind {
    OM_VM_JOB_ORDER,  /* bytes: for the port */
    OM_VM_JOB_BODY,   /* size bytes of input index follow; -1: of the script */
    OM_VM_JOB_OUTPUT, /* bytes; is_error */
    OM_VM_JOB_CUT,    /* output is over its limit: nothing more of it comes */
    OM_VM_JOB_FILE,   /* bytes of artefact index */
    OM_VM_JOB_FILED,  /* artefact index ends; filed: "" or why it is not whole */
    OM_VM_JOB_ENDED   /* end, status, text of the job */
};

struct om_vm_job_act {
    enum om_vm_job_act_kind kind;
    struct om_bytes bytes; /* lent until the next call */
    bool is_error;
    int index;
    uint64_t size;
};

/* Read freely; write only through om_vm_job_*(). */
struct om_vm_job {
    struct om_vm_job_spec spec;
    enum om_vm_job_state state;
    enum om_vm_job_end end, stop_end; /* @stop_end: how it will end, once it stopped */
    unsigned status;                  /* of the program; of EXITED only */
    char text[OM_VM_JOB_TEXT];        /* why it was refused or lost */
    char filed[OM_VM_JOB_TEXT];       /* of the artefact that ended last: why it is not whole */
    char filing[OM_VM_JOB_TEXT];      /* the same of the one that comes */
    uint64_t number;                  /* of the job: part of each order's name */
    unsigned order_n;                 /* orders given */
    char id[OM_VM_AGENT_ID];          /* of the order that runs */
    unsigned at;                      /* which file */
    uint64_t output, dropped, got;    /* bytes */
    unsigned missing;                 /* artefacts that are not whole */
    bool is_sending;                  /* a body is on its way */
    bool is_cut, is_file_cut;
    om_time by;
    char order[OM_VM_AGENT_ORDER_MAX];
    unsigned acts, act_at;
    struct om_vm_job_act act[OM_VM_JOB_ACTS_MAX];
};

/** om_vm_job_end_name() - "exited" and so on, for @e. */
const char *om_vm_job_end_name(enum om_vm_job_end e);

/**
 * om_vm_job_read() - the words of a job
 * @out:  untouched on failure
 * @o:    members language script timeout output_max file_max inputs artefacts
 * @err:  sentence with the member's path; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_job_read(struct om_vm_job_spec *out, const json_t *o,
                                   struct om_error *err);

/** om_vm_job_write() - the words of @s, owned by the caller; NULL without memory. */
json_t *om_vm_job_write(const struct om_vm_job_spec *s);

/**
 * om_vm_job_start() - begin
 * @j:       storage of the caller
 * @now:     current time; the guest's agent has answered our hello
 * @spec:    copied
 * @number:  no other job of this guest ever had it
 */
void om_vm_job_start(struct om_vm_job *j, om_time now, const struct om_vm_job_spec *spec,
                     uint64_t number);

/** om_vm_job_owns() - is @id that of the order of @j that runs? */
bool om_vm_job_owns(const struct om_vm_job *j, const char *id);

/** om_vm_job_heard() - the agent said @e at @now; what is not for @j is ignored. */
void om_vm_job_heard(struct om_vm_job *j, om_time now, const struct om_vm_agent_event *e);

/** om_vm_job_sent() - the body that @j asked for at last is sent whole, at @now. */
void om_vm_job_sent(struct om_vm_job *j, om_time now);

/** om_vm_job_cancel() - nobody wants @j any more at @now. */
void om_vm_job_cancel(struct om_vm_job *j, om_time now);

/** om_vm_job_lose() - the guest of @j, or its agent, went away: for @text. */
void om_vm_job_lose(struct om_vm_job *j, const char *text);

/** om_vm_job_tick() - let time of @j pass until @now. */
void om_vm_job_tick(struct om_vm_job *j, om_time now);

/** om_vm_job_next() - the next thing to do for @j into @out; false when there is none. */
bool om_vm_job_next(struct om_vm_job *j, struct om_vm_job_act *out);

/** om_vm_job_deadline() - when @j wants its tick; OM_NEVER only when DONE. */
om_time om_vm_job_deadline(const struct om_vm_job *j);

#endif
