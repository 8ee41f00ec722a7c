/* task.c - one program, one deadline, one end. */
#include "task.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <omerta/attr.h>

struct om_vm_task {
    struct om_vm_process *process;
    uv_timer_t deadline;
    uint64_t begun_ns;
    int said;
    bool is_late, is_cancelled;
    void (*on_end)(void *self, const struct om_vm_task_end *end);
    void *self;
};

static void on_deadline_closed(uv_handle_t *h)
{
    free(h->data);
}

/* Of several lines the last is the one that ended it. */
static void last_words(int fd, char out[OM_VM_TASK_SAID_MAX])
{
    char text[1024];
    off_t all = lseek(fd, 0, SEEK_END);
    off_t from = all > (off_t)sizeof text - 1 ? all - (off_t)sizeof text + 1 : 0;
    ssize_t n = pread(fd, text, sizeof text - 1, from);

    text[n > 0 ? n : 0] = 0;
    for (ssize_t i = 0; i < n; i++)
        if (text[i] == 0)
            text[i] = '?';
    for (char *end = text + strlen(text); end > text && end[-1] == '\n';)
        *--end = 0;
    const char *line = strrchr(text, '\n');
    (void)snprintf(out, OM_VM_TASK_SAID_MAX, "%.*s", OM_VM_TASK_SAID_MAX - 1,
                   line ? line + 1 : text);
    for (char *c = out; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct om_vm_task *t = self;
    struct om_vm_task_end end = {
        .how = *how, .is_late = t->is_late, .seconds = (double)(uv_hrtime() - t->begun_ns) / 1e9};

    last_words(t->said, end.said);
    (void)close(t->said);
    om_vm_process_close(t->process);
    (void)uv_timer_stop(&t->deadline);
    if (!t->is_cancelled)
        t->on_end(t->self, &end);
    uv_close((uv_handle_t *)&t->deadline, on_deadline_closed);
}

/* The end of the process is awaited all the same, so that no zombie stays. */
static void on_deadline(uv_timer_t *h)
{
    struct om_vm_task *t = h->data;

    t->is_late = true;
    (void)om_vm_process_signal(t->process, SIGKILL);
}

enum om_err om_vm_task_start(struct om_vm_task **out, const struct om_vm_task_config *config,
                             struct om_error *err)
{
    struct om_vm_task *t = calloc(1, sizeof *t);
    if (!t)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    t->on_end = config->on_end;
    t->self = config->self;
    t->begun_ns = uv_hrtime();
    t->said = memfd_create("omerta-said", MFD_CLOEXEC);
    if (t->said < 0) {
        free(t);
        return om_fail(err, OM_E_STATE, "cannot make a log: %s", strerror(errno));
    }
    struct om_vm_process_config c = {.loop = config->loop,
                                     .via = config->via,
                                     .argv = config->argv,
                                     .folder = config->folder,
                                     .in = config->in,
                                     .out = config->out > 0 ? config->out : t->said,
                                     .err = t->said,
                                     .limits = config->limits,
                                     .on_exit = on_exit_of,
                                     .self = t};
    enum om_err e = om_vm_process_spawn(&t->process, &c, err);
    if (e != OM_OK) {
        (void)close(t->said);
        free(t);
        return e;
    }
    t->deadline.data = t;
    (void)uv_timer_init(config->loop, &t->deadline);
    uv_update_time(config->loop);
    (void)uv_timer_start(&t->deadline, on_deadline, config->deadline_ms, 0);
    *out = t;
    return OM_OK;
}

void om_vm_task_cancel(struct om_vm_task *t)
{
    t->is_cancelled = true;
    (void)om_vm_process_signal(t->process, SIGKILL);
}

void om_vm_task_why(const struct om_vm_task_end *end, const char *what, char *out, size_t size)
{
    const char *said = *end->said ? end->said : "it said nothing";

    if (end->is_late)
        (void)snprintf(out, size, "%s did not end in time", what);
    else if (!end->how.is_known)
        (void)snprintf(out, size, "%s ended, nobody saw how: %s", what, said);
    else if (end->how.signal != 0)
        (void)snprintf(out, size, "%s died of signal %d: %s", what, end->how.signal, said);
    else
        (void)snprintf(out, size, "%s ended with status %d: %s", what, end->how.code, said);
}
