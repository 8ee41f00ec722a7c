/* test_task.c - programs that do as they should, fail, hang, and talk too much. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>

#include "loop.h"
#include "vm/host/task.h"

struct rig {
    struct loop loop;
    struct om_vm_task *t;
    struct om_vm_task_end end;
    bool is_done;
    struct om_error err;
};

static void on_end(void *self, const struct om_vm_task_end *end)
{
    struct rig *r = self;

    r->end = *end;
    r->is_done = true;
}

static enum om_err start(struct rig *r, const char *line, unsigned ms)
{
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    struct om_vm_task_config c = {.loop = &r->loop.uv,
                                  .argv = argv,
                                  .folder = r->loop.top,
                                  .limits = {.file_bytes = 100000},
                                  .deadline_ms = ms,
                                  .on_end = on_end,
                                  .self = r};

    r->is_done = false;
    return om_vm_task_start(&r->t, &c, &r->err);
}

static bool run(struct rig *r, const char *line, unsigned ms)
{
    return start(r, line, ms) == OM_OK && loop_until(&r->loop, &r->is_done);
}

OM_TEST(task_tells_how_it_went)
{
    struct rig r = {.is_done = false};
    char why[200];

    CHECK(loop_init(&r.loop));
    OM_TRY(run(&r, "exit 0", 60000));
    CHECK(r.end.how.is_known && r.end.how.code == 0 && !r.end.is_late);
    CHECK(r.end.seconds > 0);
    OM_TRY(run(&r, "echo no luck; exit 3", 60000));
    om_vm_task_why(&r.end, "it", why, sizeof why);
    CHECK_STR(why, "it ended with status 3: no luck");
    OM_TRY(run(&r, "kill -TERM $$", 60000));
    om_vm_task_why(&r.end, "it", why, sizeof why);
    CHECK_STR(why, "it died of signal 15: it said nothing");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(task_that_hangs_is_ended_at_its_deadline)
{
    struct rig r = {.is_done = false};
    char why[200];

    CHECK(loop_init(&r.loop));
    OM_TRY(run(&r, "exec sleep 1000", 30));
    CHECK(r.end.is_late);
    CHECK_EQ(r.end.how.signal, SIGKILL);
    om_vm_task_why(&r.end, "it", why, sizeof why);
    CHECK_STR(why, "it did not end in time");
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(task_shows_only_the_last_line_and_no_controls)
{
    struct rig r = {.is_done = false};

    CHECK(loop_init(&r.loop));
    OM_TRY(run(&r, "echo one; printf 't\\033wo\\n\\n'", 60000));
    CHECK_STR(r.end.said, "t?wo");
    OM_TRY(run(&r, "printf '%0500d' 0", 60000));
    CHECK_EQ(strlen(r.end.said), OM_VM_TASK_SAID_MAX - 1);
    OM_TRY(run(&r, "head -c 99000 /dev/zero; echo; echo end", 60000));
    CHECK_STR(r.end.said, "end");
    OM_TRY(run(&r, "head -c 900000 /dev/zero", 60000)); /* more than it may say: it is told so */
    CHECK(r.end.how.code != 0);
out:
    CHECK(loop_fini(&r.loop));
}

OM_TEST(task_cancelled_leaves_nothing)
{
    struct rig r = {.is_done = false};

    CHECK(loop_init(&r.loop));
    OM_TRY(start(&r, "exec sleep 1000", 600000) == OM_OK);
    om_vm_task_cancel(r.t);
out:
    CHECK(loop_fini(&r.loop)); /* returns, so the process is gone and the loop empty */
    CHECK(!r.is_done);
}
