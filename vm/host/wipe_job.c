/* wipe_job.c - one job for the pool, which frees itself. */
#include "wipe_job.h"

#include <stdlib.h>
#include <string.h>

#include <omerta/attr.h>

#include "wipe.h"

struct job {
    uv_work_t work;
    enum om_err e;
    struct om_error err;
    void (*on_done)(void *self, enum om_err e, const char *why);
    void *self;
    char path[];
};

static void run(uv_work_t *w)
{
    struct job *j = OM_CONTAINER_OF(w, struct job, work);

    j->e = om_vm_wipe(j->path, &j->err);
}

static void on_ran(uv_work_t *w, int status OM_UNUSED)
{
    struct job *j = OM_CONTAINER_OF(w, struct job, work);

    j->on_done(j->self, j->e, j->e == OM_OK ? "" : j->err.msg);
    free(j);
}

enum om_err om_vm_wipe_job_start(uv_loop_t *loop, const char *path,
                                 void (*on_done)(void *self, enum om_err e, const char *why),
                                 void *self)
{
    size_t n = strlen(path) + 1;
    struct job *j = calloc(1, sizeof *j + n);

    if (!j)
        return OM_E_NO_MEM;
    j->on_done = on_done;
    j->self = self;
    memcpy(j->path, path, n);
    (void)uv_queue_work(loop, &j->work, run, on_ran);
    return OM_OK;
}
