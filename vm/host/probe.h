/*
 * probe.h - run the smallest guest under one accelerator, within a deadline
 *
 * What:  starts QEMU with a guest of a few hundred bytes (probe.S) and tells whether it did its
 *        work in time.
 * Why:   there are machines whose /dev/kvm opens, where QEMU calls KVM enabled, and where a stock
 *        kernel then crawls and dies after half a minute. Only a guest can tell.
 * Keeps: probe_runs_under_tcg; probe_that_hangs_is_ended_at_its_deadline;
 *        probe_tells_what_qemu_said; probe_cancelled_leaves_nothing.
 *
 * No file is made: the guest and what QEMU says are in memory.
 *
 * Source: memfd_create(2); QEMU's isa-debug-exit: status is value * 2 + 1.
 */
#ifndef OM_VM_HOST_PROBE_H
#define OM_VM_HOST_PROBE_H

#include <stdbool.h>

#include <uv.h>

#include <omerta/err.h>

struct om_vm_spawner;

struct om_vm_probe_config {
    uv_loop_t *loop;
    struct om_vm_spawner *via; /* who runs QEMU; NULL: this process itself */
    const char *qemu;          /* path of qemu-system-x86_64 */
    const char *accel;         /* of its option -accel: "kvm", "tcg,tb-size=16" */
    unsigned deadline_ms;
    /* Once, never before om_vm_probe_start() returned; @why is one clause, lent for the call. */
    void (*on_done)(void *self, bool is_usable, const char *why);
    void *self;
};

struct om_vm_probe;

/**
 * om_vm_probe_start() - begin
 * @out:     set on success; frees itself after on_done() or om_vm_probe_cancel()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_UNSUPPORTED on a machine that is no x86-64; otherwise as
 * om_vm_process_spawn().
 */
OM_MUST enum om_err om_vm_probe_start(struct om_vm_probe **out,
                                      const struct om_vm_probe_config *config,
                                      struct om_error *err);

/** om_vm_probe_cancel() - end @p, of which on_done() is still to come, and will not. */
void om_vm_probe_cancel(struct om_vm_probe *p);

#endif
