/*
 * process.h - one program beside the daemon: started within limits, watched, found again
 *
 * What:  starts a program in a session of its own, with limits and no descriptor of ours; tells
 *        when it ended; takes up again one that an earlier daemon started.
 * Why:   a virtual machine outlives the daemon, so it can be no ordinary child: what is known of
 *        it has to be enough for a daemon that never started it, and never enough to kill another.
 * Keeps: process_tells_how_it_ended; process_that_cannot_start_says_why;
 *        process_has_only_its_three_descriptors; process_has_its_limits;
 *        process_outlives_its_watcher_and_is_adopted; process_of_a_recycled_number_is_left_alone;
 *        process_that_is_gone_is_not_adopted;
 *        process_that_nobody_waited_for_is_not_adopted; process_log_is_bounded;
 *        process_writes_no_file_beyond_its_limit; process_closed_in_its_exit_callback.
 *
 *     spawn, adopt            ended (pidfd readable)
 *   ---------------> WATCHED -----------------------> ENDED
 *                       | close: goes on running        | close
 *                       +---> freed <-------------------+
 *
 * Full: the log is emptied when it grew beyond OM_VM_LOG_MAX; while no daemon watches, only the
 * limit on the size of files holds it. A write beyond that limit fails with EFBIG: SIGXFSZ is
 * ignored, so that a full disk is the guest's trouble and not the end of the program.
 *
 * Source: pidfd_open(2), pidfd_send_signal(2), waitid(2) P_PIDFD, close_range(2), setrlimit(2);
 *         signal-safety(7): all that runs between fork and exec is on that list.
 */
#ifndef OM_VM_HOST_PROCESS_H
#define OM_VM_HOST_PROCESS_H

#include <uv.h>

#include <omerta/err.h>

#include "ident.h"

enum {
    OM_VM_LOG_MAX = 256 * 1024, /* bytes of stdout and stderr that are kept */
    OM_VM_ARGS_MAX = 256,       /* words of a command line */
    OM_VM_PATH_MAX = 4096       /* bytes with the zero, PATH_MAX of Linux */
};

/* 0 leaves a limit as the daemon's own is. */
struct om_vm_rlimits {
    uint64_t memory_bytes; /* address space */
    uint64_t file_bytes;   /* size that any file may grow to */
    unsigned files;        /* descriptors */
    unsigned cpu_s;        /* processor time; SIGXCPU, then SIGKILL a second later */
    int nice;              /* added to the daemon's own */
};

struct om_vm_exit {
    bool is_known; /* false for an adopted process, whose parent was another */
    int code;      /* when it ended by itself */
    int signal;    /* else 0, or the signal that ended it */
};

struct om_vm_spawner;

struct om_vm_process_config {
    uv_loop_t *loop;
    struct om_vm_spawner *via; /* who starts and watches it; NULL: this process itself */
    const char *const *argv;   /* argv[0] is a path; ends with NULL; only for spawn */
    const char *folder;        /* its working, home and temporary folder; only for spawn */
    const char *log;  /* path of a file for stdout and stderr; NULL: they are thrown away */
    int in, out, err; /* instead of /dev/null and the log; 0: not given; stay the caller's */
    struct om_vm_rlimits limits;
    void (*on_exit)(void *self, const struct om_vm_exit *how); /* once; may close the process */
    void *self;
};

struct om_vm_process;

/**
 * om_vm_process_spawn() - start a program and watch it
 * @out:     set on success; the caller closes it
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK once the program itself runs; OM_E_MISSING when there is no such program, log
 * folder or working folder; OM_E_RANGE for too many words; OM_E_STATE; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_process_spawn(struct om_vm_process **out,
                                        const struct om_vm_process_config *config,
                                        struct om_error *err);

/**
 * om_vm_process_adopt() - watch a process that was started before
 * @out:     set on success; the caller closes it
 * @config:  borrowed for the call; only loop, log and the callback are looked at
 * @who:     the process, as om_vm_process_ident() gave it then
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING when it ended, whoever has its number now; OM_E_STATE; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_process_adopt(struct om_vm_process **out,
                                        const struct om_vm_process_config *config,
                                        const struct om_vm_ident *who, struct om_error *err);

/** om_vm_process_ident() - who @p is, for a daemon that comes later; lent until @p is closed. */
const struct om_vm_ident *om_vm_process_ident(const struct om_vm_process *p);

/**
 * om_vm_process_signal() - send it a signal
 * @p:       the process
 * @signal:  its number
 *
 * Return: OM_OK; OM_E_MISSING when it has ended; OM_E_STATE when the system refuses.
 */
enum om_err om_vm_process_signal(struct om_vm_process *p, int signal);

/** om_vm_process_close() - watch @p, which may be NULL, no longer; it goes on if it runs. */
void om_vm_process_close(struct om_vm_process *p);

/**
 * om_vm_process_find() - where a program is, by the PATH of the daemon
 * @out:   terminated; untouched on failure
 * @size:  bytes at @out
 * @name:  one component, or a path that is then only looked at
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING when there is none that may be executed.
 */
OM_MUST enum om_err om_vm_process_find(char *out, size_t size, const char *name,
                                       struct om_error *err);

#endif
