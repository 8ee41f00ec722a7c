/*
 * wipe_job.h - wipe a folder beside other work
 *
 * What:  om_vm_wipe() on a thread of the pool.
 * Why:   removing a disk of gigabytes takes as long as the file system likes.
 * Keeps: wipe_job_tells_when_all_is_gone; wipe_job_tells_what_stayed.
 *
 * It cannot be cancelled: a loop that ends waits for it.
 */
#ifndef OM_VM_HOST_WIPE_JOB_H
#define OM_VM_HOST_WIPE_JOB_H

#include <uv.h>

#include <omerta/err.h>

/**
 * om_vm_wipe_job_start() - begin
 * @loop:     on which @on_done is called
 * @path:     of the folder; copied
 * @on_done:  once, never before this returned; @why is a sentence, lent for the call
 * @self:     passed on
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err
om_vm_wipe_job_start(uv_loop_t *loop, const char *path,
                     void (*on_done)(void *self, enum om_err e, const char *why), void *self);

#endif
