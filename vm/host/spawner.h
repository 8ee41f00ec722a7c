/*
 * spawner.h - the one process beside a confined daemon that may start programs
 *
 * What:  a small process, started before the daemon gives up the right to: it starts, adopts,
 *        signals and watches programs on the daemon's behalf, only those it was told of at its
 *        start.
 * Why:   the daemon parses strangers' bytes and therefore may neither fork nor execute; QEMU must
 *        not inherit its filter of system calls either.
 *        QEMU too could be told to run a program, as the script of a network device: so it is run
 *        only with its own sandbox, once and in these words, and with no options from a file.
 * Keeps: spawner_runs_a_program; spawner_runs_qemu_only_in_its_sandbox;
 *        spawner_says_why_it_cannot; spawner_runs_only_what_it_was_told;
 *        spawner_hands_over_descriptors; spawner_adopts_what_outlived_another;
 *        spawner_that_died_is_told_of; spawner_leaves_programs_running;
 *        spawner_refuses_nonsense.
 *
 * Processes are used through process.h: with "via" in their configuration they are this one's. A
 * request is answered within OM_VM_SPAWNER_WAIT_MS or the spawner counts as dead, and then every
 * process that it watched is told to have ended in an unknown way: the caller adopts it again
 * through another spawner, or learns then that it is gone.
 *
 * Full: OM_VM_PROCESSES_MAX processes, then OM_E_FULL.
 */
#ifndef OM_VM_HOST_SPAWNER_H
#define OM_VM_HOST_SPAWNER_H

#include <stdbool.h>

#include <uv.h>

#include <omerta/err.h>

#include "process.h"

enum { OM_VM_PROCESSES_MAX = 256, OM_VM_SPAWNER_WAIT_MS = 5000 };

/* What follows -sandbox on a command line of QEMU, or it is not run. */
#define OM_VM_SANDBOX "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

struct om_vm_spawner_config {
    uv_loop_t *loop;
    const char *const *argv;     /* what runs om_vm_spawner_serve(0, ...); ends with NULL */
    void (*on_lost)(void *self); /* it died: close it; may be NULL */
    void *self;
};

struct om_vm_spawner;

/**
 * om_vm_spawner_open() - start the spawner; before the daemon is confined
 * @out:     set on success; the caller closes it, after the processes that are its
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: as om_vm_process_spawn().
 */
OM_MUST enum om_err om_vm_spawner_open(struct om_vm_spawner **out,
                                       const struct om_vm_spawner_config *config,
                                       struct om_error *err);

/** om_vm_spawner_is_idle() - runs nothing of @s any more, so that it may be closed? */
bool om_vm_spawner_is_idle(const struct om_vm_spawner *s);

/**
 * om_vm_spawner_close() - let it end
 * @s:  may be NULL; all its processes are closed; freed by the loop, once the spawner has ended
 *
 * What it started goes on.
 */
void om_vm_spawner_close(struct om_vm_spawner *s);

/**
 * om_vm_spawner_serve() - be the spawner, until the daemon is gone
 * @socket:    the daemon's
 * @programs:  the paths that may be executed; ends with NULL; borrowed until it returns
 *
 * Return: exit status.
 */
int om_vm_spawner_serve(int socket, const char *const *programs);

#endif
