/*
 * launch.h - what happens between fork and exec
 *
 * What:  forks, sets up session, limits, signals and descriptors, and executes; errors of the
 *        child come back to the parent with the step that failed.
 * Why:   libuv's own spawn knows neither limits nor descriptors to close that it never opened.
 * Keeps: process_that_cannot_start_says_why; process_has_only_its_three_descriptors;
 *        process_has_its_limits.
 */
#ifndef OM_VM_HOST_LAUNCH_H
#define OM_VM_HOST_LAUNCH_H

#include <sys/types.h>

#include "process.h"

struct om_vm_launch {
    const struct om_vm_process_config *config;
    int in, out, err; /* what become descriptors 0, 1 and 2 */
};

/**
 * om_vm_launch() - start it
 * @l:    what to start
 * @pid:  of the child, which has executed the program; its waiting is the caller's
 * @err:  sentence for a person; may be NULL
 *
 * Return: as om_vm_process_spawn(); on an error no child is left.
 */
OM_MUST enum om_err om_vm_launch(const struct om_vm_launch *l, pid_t *pid, struct om_error *err);

#endif
