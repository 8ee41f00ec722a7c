/* test_wipe_job.c - the same as a wipe, told later. */
#include "harness.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "vm/host/wipe_job.h"

struct rig {
    struct loop loop;
    char vm[FOLDER_MAX + 16];
    bool is_done;
    enum om_err e;
    char why[OM_ERROR_MSG_MAX];
};

static void on_done(void *self, enum om_err e, const char *why)
{
    struct rig *r = self;

    r->is_done = true;
    r->e = e;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
}

static void rig_init(struct rig *r, mode_t mode)
{
    *r = (struct rig){.is_done = false};
    CHECK(loop_init(&r->loop));
    folder_at(r->vm, r->loop.top, "vm");
    CHECK_EQ(mkdir(r->vm, 0700), 0);
    CHECK_EQ(chmod(r->vm, mode), 0);
}

OM_TEST(wipe_job_tells_when_all_is_gone)
{
    struct rig r;

    rig_init(&r, 0700);
    OM_TRY(om_vm_wipe_job_start(&r.loop.uv, r.vm, on_done, &r) == OM_OK);
    CHECK(!r.is_done);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_OK(r.e);
    CHECK_STR(r.why, "");
    CHECK(access(r.vm, F_OK) != 0);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(wipe_job_tells_what_stayed)
{
    struct rig r;

    rig_init(&r, 0755);
    OM_TRY(om_vm_wipe_job_start(&r.loop.uv, r.vm, on_done, &r) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_done));
    CHECK_ERR(r.e, OM_E_STATE);
    CHECK(strstr(r.why, "is not this user's alone") != NULL);
    CHECK(access(r.vm, F_OK) == 0);
out:
    CHECK(loop_fini(&r.loop));
}
