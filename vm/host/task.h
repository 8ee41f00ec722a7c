/*
 * task.h - a program that does one thing and ends, within a deadline
 *
 * What:  runs it, keeps what it says, ends it when it takes too long, tells how it went.
 * Why:   the test guest, qemu-img and the writer of seeds are all that: none may hang the daemon,
 *        outlive it for long, or fail without a word.
 * Keeps: task_tells_how_it_went; task_that_hangs_is_ended_at_its_deadline;
 *        task_shows_only_the_last_line_and_no_controls; task_cancelled_leaves_nothing.
 *
 * Full: what it says is kept in memory, as much as limits.file_bytes lets any file of its grow.
 *
 * Source: memfd_create(2).
 */
#ifndef OM_VM_HOST_TASK_H
#define OM_VM_HOST_TASK_H

#include <uv.h>

#include <omerta/err.h>

#include "process.h"

enum {
    OM_VM_TASK_SAID_MAX = 101 /* bytes with the zero of what it said that are shown */
};

struct om_vm_task_end {
    struct om_vm_exit how;
    bool is_late; /* ended at the deadline */
    double seconds;
    char said[OM_VM_TASK_SAID_MAX]; /* the last line; what is not printable ASCII is '?' */
};

struct om_vm_task_config {
    uv_loop_t *loop;
    struct om_vm_spawner *via; /* who runs it; NULL: this process itself */
    const char *const *argv;
    const char *folder;
    int in, out; /* 0: /dev/null, and what it says; stay the caller's */
    struct om_vm_rlimits limits;
    unsigned deadline_ms;
    /* Once, never before om_vm_task_start() returned; @end is lent for the call. */
    void (*on_end)(void *self, const struct om_vm_task_end *end);
    void *self;
};

struct om_vm_task;

/**
 * om_vm_task_start() - begin
 * @out:     set on success; frees itself after on_end() or om_vm_task_cancel()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: as om_vm_process_spawn().
 */
OM_MUST enum om_err om_vm_task_start(struct om_vm_task **out,
                                     const struct om_vm_task_config *config, struct om_error *err);

/** om_vm_task_cancel() - end @t, of which on_end() is still to come, and will not. */
void om_vm_task_cancel(struct om_vm_task *t);

/**
 * om_vm_task_why() - how it went wrong, as a clause
 * @end:   of a task that did not do as it should
 * @what:  how to call it: "qemu-img"
 * @out:   terminated
 * @size:  bytes at @out
 */
void om_vm_task_why(const struct om_vm_task_end *end, const char *what, char *out, size_t size);

#endif
