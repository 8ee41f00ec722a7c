/* test_accel.c - the way from signs to a verdict, on machines that are played and on this one. */
#include "harness.h"

#include <stdio.h>

#include "loop.h"
#include "qemu.h"
#include "vm/host/accel.h"

struct rig {
    struct loop loop;
    char played[FOLDER_MAX + 16], cpuinfo[FOLDER_MAX + 16], kvm[FOLDER_MAX + 16];
    struct om_vm_accel *a;
    bool is_done;
    struct om_vm_accel_found found;
    enum om_vm_accel_want want;
    bool is_tcg_good;
    struct om_error err;
};

static void on_found(void *self, const struct om_vm_accel_found *found)
{
    struct rig *r = self;

    r->is_done = true;
    r->found = *found;
}

static bool put(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return false;
    (void)fputs(text, f);
    return fclose(f) == 0;
}

/* A machine with everything: flags, a /dev/kvm that opens, a QEMU that answers each guest well. */
static void rig_init(struct rig *r)
{
    *r = (struct rig){.is_done = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->played, r->loop.top, "qemu");
    folder_at(r->cpuinfo, r->loop.top, "cpuinfo");
    folder_at(r->kvm, r->loop.top, "kvm");
    CHECK(qemu_play(r->played, "exit 33"));
    CHECK(put(r->cpuinfo, "processor\t: 0\nflags\t\t: fpu vme vmx sse\nbugs\t\t: svm\n"));
    CHECK(put(r->kvm, ""));
}

static enum om_err start(struct rig *r)
{
    struct om_vm_accel_config c = {.loop = &r->loop.uv,
                                   .qemu = r->played,
                                   .cpuinfo = r->cpuinfo,
                                   .kvm = r->kvm,
                                   .want = r->want,
                                   .is_tcg_good = r->is_tcg_good,
                                   .on_found = on_found,
                                   .self = r};

    r->is_done = false;
    return om_vm_accel_start(&r->a, &c, &r->err);
}

/* False for want of memory: also when that is what the verdict says. */
static bool find(struct rig *r)
{
    if (start(r) != OM_OK)
        return false;
    CHECK(!r->is_done);
    CHECK(loop_until(&r->loop, &r->is_done));
    return !om_test_oom_hit();
}

OM_TEST(accel_takes_a_kvm_that_works)
{
    struct rig r;

    rig_init(&r);
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "kvm");
    CHECK(strstr(r.found.reason, "KVM: a test guest did its work in ") == r.found.reason);
    CHECK_STR(r.found.qemu, r.played);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_without_qemu_is_none)
{
    struct rig r;

    rig_init(&r);
    CHECK_EQ(unlink(r.played), 0);
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "none");
    CHECK(strstr(r.found.reason, "is not installed (Debian: qemu-system-x86)") != NULL);
    CHECK_STR(r.found.qemu, "");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_without_flags_is_tcg)
{
    struct rig r;

    rig_init(&r);
    CHECK(put(r.cpuinfo, "flags\t\t: fpu vmxish xsvm sse\nbugs\t\t: vmx svm\n"));
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
    CHECK_EQ(r.found.no_kvm, OM_VM_NO_KVM_FLAGS);
    CHECK(strstr(r.found.reason, "neither vmx nor svm: using TCG") != NULL);
    CHECK(put(r.cpuinfo, "processor\t: 0\nflags\t\t: fpu svm\n"));
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "kvm");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_without_kvm_is_tcg)
{
    struct rig r;

    rig_init(&r);
    CHECK_EQ(unlink(r.kvm), 0);
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
    CHECK(strstr(r.found.reason, "/kvm: No such file or directory: using TCG") != NULL);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_without_wanting_kvm_is_tcg)
{
    struct rig r;

    rig_init(&r);
    r.want = OM_VM_ACCEL_WANT_TCG;
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
    CHECK_EQ(r.found.no_kvm, OM_VM_NO_KVM_UNWANTED);
    CHECK_STR(r.found.reason, "the owner wants no KVM (--accel tcg): using TCG");
    r.want = OM_VM_ACCEL_WANT_AUTO;
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "kvm");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_of_an_owner_who_knows_asks_no_guest)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "case \"$*\" in *-accel\\ kvm*) exit 1;; esac; exit 33"));
    CHECK(put(r.cpuinfo, "flags\t\t: fpu sse\n"));
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
    r.want = OM_VM_ACCEL_WANT_KVM;
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "kvm");
    CHECK_EQ(r.found.no_kvm, OM_VM_NO_KVM_UNSAID);
    CHECK(strstr(r.found.reason, "no test guest was run") != NULL);
    CHECK_EQ(unlink(r.kvm), 0); /* what does not open is of no use, whatever the owner says */
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
    CHECK_EQ(r.found.no_kvm, OM_VM_NO_KVM_MISSING);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_that_works_is_not_tried_again)
{
    struct rig r;

    rig_init(&r);
    r.want = OM_VM_ACCEL_WANT_TCG;
    CHECK(qemu_play(r.played, "exit 1"));
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "none");
    r.is_tcg_good = true;
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_falls_back_when_the_guest_hangs)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "case \"$*\" in *-accel\\ kvm*) exec sleep 1000;; esac; exit 33"));
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "tcg");
    CHECK_STR(r.found.reason, "/dev/kvm opens but a test guest did not finish in 2 s: using TCG");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_where_no_guest_runs_is_none)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "echo broken >&2; exit 1"));
    OM_TRY(find(&r));
    CHECK_STR(om_vm_accel_name(r.found.kind), "none");
    CHECK(strstr(r.found.reason,
                 "no virtual machines: under TCG QEMU with a test guest ended with status 1") ==
          r.found.reason);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(accel_cancelled_leaves_nothing)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "touch \"$0.began\"; exec sleep 1000"));
    OM_TRY(start(&r) == OM_OK);
    om_vm_accel_cancel(r.a); /* before the first guest */
    OM_TRY(start(&r) == OM_OK);
    (void)uv_run(&r.loop.uv, UV_RUN_ONCE); /* with a guest under way */
    om_vm_accel_cancel(r.a);
out:
    CHECK(loop_fini(&r.loop));
    CHECK(!r.is_done);
}

OM_TEST(accel_of_this_machine)
{
    struct rig r;
    char qemu[OM_VM_PATH_MAX];

    rig_init(&r);
    if (!qemu_find(qemu))
        goto out;
    struct om_vm_accel_config c = {.loop = &r.loop.uv, .on_found = on_found, .self = &r};
    OM_TRY(om_vm_accel_start(&r.a, &c, &r.err) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    OM_TRY(!om_test_oom_hit());
    CHECK(r.found.kind != OM_VM_ACCEL_NONE);
    print_message("this machine: %s (%s)\n", om_vm_accel_name(r.found.kind), r.found.reason);
out:
    CHECK(loop_fini(&r.loop));
}
