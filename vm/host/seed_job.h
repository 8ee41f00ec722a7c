/*
 * seed_job.h - have the seed of a virtual machine written by a child
 *
 * What:  hands names and texts to a short-lived program, which writes them into an ISO image and
 *        ends; the other half of it, that program's main function, is here too.
 * Why:   the texts hold keys and come from a consumer; the library that writes the image shall see
 *        neither the daemon's memory nor its files.
 * Keeps: seed_is_written_by_a_child; seed_takes_no_file_that_is_there;
 *        seed_that_fails_leaves_no_file; seed_with_a_bad_name_is_refused;
 *        seed_child_refuses_nonsense; seed_cancelled_leaves_nothing.
 *
 * The child gets the texts as {"volume": TEXT, "files": {NAME: TEXT}} on its standard input, which
 * is memory and no file, and writes to its standard output, which is the image: it opens nothing
 * itself, but for a temporary file of the library, which has no name. Its folder is that of the
 * machine.
 */
#ifndef OM_VM_HOST_SEED_JOB_H
#define OM_VM_HOST_SEED_JOB_H

#include <uv.h>

#include "iso.h"

enum { OM_VM_SEED_JOB_MS = 10000 };

struct om_vm_spawner;

struct om_vm_seed_job_config {
    uv_loop_t *loop;
    struct om_vm_spawner *via;          /* who runs the child; NULL: this process itself */
    const char *const *argv;            /* what runs om_vm_seed_serve(0, 1); ends with NULL */
    const char *folder;                 /* of the machine, 0700 */
    const char *name;                   /* of the image in it; must not be there */
    const struct om_vm_iso_file *files; /* texts in UTF-8; borrowed for the call */
    size_t count;
    /* Once, never before om_vm_seed_job_start() returned; @why is a sentence, lent for the call. */
    void (*on_done)(void *self, enum om_err e, const char *why);
    void *self;
};

struct om_vm_seed_job;

/**
 * om_vm_seed_job_start() - begin
 * @out:     set on success; frees itself after on_done() or om_vm_seed_job_cancel()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_EXISTS when there is such a file; OM_E_RANGE for bad names or texts that are
 * no UTF-8; otherwise as om_vm_process_spawn(). On an error no file is left.
 */
OM_MUST enum om_err om_vm_seed_job_start(struct om_vm_seed_job **out,
                                         const struct om_vm_seed_job_config *config,
                                         struct om_error *err);

/** om_vm_seed_job_cancel() - end @j, of which on_done() is still to come, and will not; its file
 *  is gone when this returns. */
void om_vm_seed_job_cancel(struct om_vm_seed_job *j);

/**
 * om_vm_seed_serve() - be the child
 * @in:   where the JSON comes from
 * @out:  where the image goes
 *
 * What goes wrong goes to standard error, in one line.
 *
 * Return: exit status.
 */
int om_vm_seed_serve(int in, int out);

#endif
