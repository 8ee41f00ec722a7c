/*
 * accel.h - what this machine runs guests with, and why
 *
 * What:  finds QEMU, looks whether the processor and /dev/kvm offer KVM, has a test guest run under
 *        it; if that fails, has one run under TCG, QEMU's own emulation.
 * Why:   a provider must know before it makes offers, and its owner wants the reason in a sentence.
 * Keeps: accel_without_qemu_is_none; accel_without_flags_is_tcg; accel_without_kvm_is_tcg;
 *        accel_without_wanting_kvm_is_tcg; accel_of_an_owner_who_knows_asks_no_guest;
 *        accel_that_works_is_not_tried_again;
 *        accel_takes_a_kvm_that_works; accel_falls_back_when_the_guest_hangs;
 *        accel_where_no_guest_runs_is_none; accel_cancelled_leaves_nothing;
 *        accel_of_this_machine.
 *
 *   QEMU there? flags vmx or svm? /dev/kvm opens? -> guest under KVM -> KVM
 *         | no         | no             | no             | not in time
 *        NONE          +----------------+----------------+-> guest under TCG -> TCG, or NONE
 *
 * An owner may want none of KVM; or say that it works, and then only /dev/kvm has to open.
 */
#ifndef OM_VM_HOST_ACCEL_H
#define OM_VM_HOST_ACCEL_H

#include <stdbool.h>

#include <uv.h>

#include <omerta/err.h>

#include "process.h"
#include "vm/core/offer.h"

enum {
    OM_VM_ACCEL_KVM_MS = 2000, /* 4 to 8 times what the guest needs under TCG */
    OM_VM_ACCEL_TCG_MS = 20000 /* a machine may be busy */
};

enum om_vm_accel_kind { OM_VM_ACCEL_NONE, OM_VM_ACCEL_TCG, OM_VM_ACCEL_KVM };

/* What the owner of the machine says of KVM. */
#define OM_VM_ACCEL_WANTS(X)                                                                       \
    X(AUTO, "auto") /* to be found out */                                                          \
    X(KVM, "kvm")   /* it works: flags and test guest are not asked */                             \
    X(TCG, "tcg")   /* it is not to be used */

enum om_vm_accel_want {
#define X(code, name) OM_VM_ACCEL_WANT_##code,
    OM_VM_ACCEL_WANTS(X)
#undef X
        OM_VM_ACCEL_WANT_COUNT
};

struct om_vm_accel_found {
    enum om_vm_accel_kind kind;
    enum om_vm_no_kvm no_kvm;      /* the reason why not, of kinds; UNSAID with KVM */
    char qemu[OM_VM_PATH_MAX];     /* "" when there is none */
    char reason[OM_ERROR_MSG_MAX]; /* one sentence */
};

struct om_vm_accel_config {
    uv_loop_t *loop;
    struct om_vm_spawner *via; /* who runs QEMU; NULL: this process itself */
    const char *qemu;          /* name or path; NULL: qemu-system-x86_64 */
    const char *cpuinfo;       /* NULL: /proc/cpuinfo */
    const char *kvm;           /* NULL: /dev/kvm */
    enum om_vm_accel_want want;
    bool is_tcg_good; /* a guest ran under TCG before: none is run again */
    /* Once, never before om_vm_accel_start() returned; @found is lent for the call. */
    void (*on_found)(void *self, const struct om_vm_accel_found *found);
    void *self;
};

struct om_vm_accel;

/**
 * om_vm_accel_start() - begin to find out
 * @out:     set on success; frees itself after on_found() or om_vm_accel_cancel()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_NO_MEM or OM_E_STATE.
 */
OM_MUST enum om_err om_vm_accel_start(struct om_vm_accel **out,
                                      const struct om_vm_accel_config *config,
                                      struct om_error *err);

/** om_vm_accel_cancel() - end @a, of which on_found() is still to come, and will not. */
void om_vm_accel_cancel(struct om_vm_accel *a);

/** om_vm_accel_name() - "kvm", "tcg" or "none" for @kind, static. */
const char *om_vm_accel_name(enum om_vm_accel_kind kind);

/** om_vm_accel_want_name() - "auto", "kvm" or "tcg" for @want, static. */
const char *om_vm_accel_want_name(enum om_vm_accel_want want);

/** om_vm_accel_want_read() - what @name says into @out; false when it says nothing. */
bool om_vm_accel_want_read(enum om_vm_accel_want *out, const char *name);

#endif
