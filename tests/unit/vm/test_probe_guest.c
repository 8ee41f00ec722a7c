/* test_probe_guest.c - a guest of a few hundred bytes, and programs that only look like QEMU. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>

#include "loop.h"
#include "qemu.h"
#include "vm/host/probe.h"

struct rig {
    struct loop loop;
    char played[FOLDER_MAX + 16];
    struct om_vm_probe *p;
    bool is_done, is_usable;
    char why[200];
    struct om_error err;
};

static void on_done(void *self, bool is_usable, const char *why)
{
    struct rig *r = self;

    r->is_done = true;
    r->is_usable = is_usable;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){.is_done = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->played, r->loop.top, "qemu");
}

static enum om_err start(struct rig *r, const char *qemu, const char *accel, unsigned ms)
{
    struct om_vm_probe_config c = {&r->loop.uv, NULL, qemu, accel, ms, on_done, r};

    r->is_done = false;
    return om_vm_probe_start(&r->p, &c, &r->err);
}

OM_TEST(probe_runs_under_tcg)
{
    char qemu[OM_VM_PATH_MAX];
    struct rig r;

    rig_init(&r);
    if (!qemu_find(qemu))
        goto out;
    OM_TRY(start(&r, qemu, "tcg,tb-size=16", 60000) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_STR(r.is_usable ? "" : r.why, "");
    CHECK(strstr(r.why, "a test guest did its work in ") == r.why);
    /* An accelerator that there is not is no success. */
    OM_TRY(start(&r, qemu, "abacus", 60000) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK(!r.is_usable);
    CHECK(strstr(r.why, "abacus") != NULL);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(probe_that_hangs_is_ended_at_its_deadline)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "exec sleep 1000"));
    OM_TRY(start(&r, r.played, "kvm", 50) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK(!r.is_usable);
    CHECK_STR(r.why, "a test guest did not finish in 0.05 s");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(probe_tells_what_qemu_said)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "echo first >&2; printf 'no \\033[31mluck\\n' >&2; exit 1"));
    OM_TRY(start(&r, r.played, "kvm", 60000) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK(!r.is_usable);
    CHECK_STR(r.why, "QEMU with a test guest ended with status 1: no ?[31mluck");
    CHECK(qemu_play(r.played, "kill -ABRT $$"));
    OM_TRY(start(&r, r.played, "kvm", 60000) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_STR(r.why, "QEMU with a test guest died of signal 6: it said nothing");
    CHECK(qemu_play(r.played, "exit 33")); /* and one that does as it should is believed */
    OM_TRY(start(&r, r.played, "kvm", 60000) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK(r.is_usable);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(probe_cancelled_leaves_nothing)
{
    struct rig r;

    rig_init(&r);
    CHECK(qemu_play(r.played, "exec sleep 1000"));
    OM_TRY(start(&r, r.played, "kvm", 600000) == OM_OK);
    om_vm_probe_cancel(r.p);
out:
    CHECK(loop_fini(&r.loop)); /* returns, so the process is gone and the loop empty */
    CHECK(!r.is_done);
}
