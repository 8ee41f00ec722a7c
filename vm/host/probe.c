/* probe.c - one guest, one deadline, one answer. */
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <omerta/attr.h>

#include "process.h"

enum {
    GUEST_DID_WELL = 33, /* the status that probe.S asks for */
    WHY_MAX = 160,
    SAID_MAX = 100, /* bytes of what QEMU said that are shown */
    MEMORY_MIB = 1024,
    CPU_S = 60
};

struct om_vm_probe {
    struct om_vm_process *process;
    uv_timer_t deadline;
    unsigned deadline_ms;
    uint64_t begun_ns;
    int said; /* QEMU's words */
    bool is_late, is_cancelled;
    void (*on_done)(void *self, bool is_usable, const char *why);
    void *self;
};

static void on_deadline_closed(uv_handle_t *h)
{
    free(h->data);
}

/* Of several lines the last is the one that ended it. */
static void last_words(int fd, char *out, size_t size)
{
    char text[1024];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = 0;
    for (char *end = text + strlen(text); end > text && end[-1] == '\n';)
        *--end = 0;
    const char *line = strrchr(text, '\n');
    (void)snprintf(out, size, "%.*s", SAID_MAX, line ? line + 1 : text);
    for (char *c = out; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

static bool judge(const struct om_vm_probe *p, const struct om_vm_exit *how, char why[WHY_MAX])
{
    double seconds = (double)(uv_hrtime() - p->begun_ns) / 1e9;
    char said[SAID_MAX + 1];

    last_words(p->said, said, sizeof said);
    if (how->is_known && how->signal == 0 && how->code == GUEST_DID_WELL) {
        (void)snprintf(why, WHY_MAX, "a test guest did its work in %.1f s", seconds);
        return true;
    }
    if (p->is_late)
        (void)snprintf(why, WHY_MAX, "a test guest did not finish in %g s",
                       (double)p->deadline_ms / 1000);
    else if (how->signal != 0)
        (void)snprintf(why, WHY_MAX, "QEMU died of signal %d with a test guest: %s", how->signal,
                       *said ? said : "it said nothing");
    else
        (void)snprintf(why, WHY_MAX, "QEMU ended with status %d and a test guest undone: %s",
                       how->code, *said ? said : "it said nothing");
    return false;
}

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct om_vm_probe *p = self;
    char why[WHY_MAX];

    bool is_usable = judge(p, how, why);
    om_vm_process_close(p->process);
    (void)close(p->said);
    (void)uv_timer_stop(&p->deadline);
    if (!p->is_cancelled)
        p->on_done(p->self, is_usable, why);
    uv_close((uv_handle_t *)&p->deadline, on_deadline_closed);
}

/* The end of the process is awaited all the same, so that no zombie stays. */
static void on_deadline(uv_timer_t *t)
{
    struct om_vm_probe *p = t->data;

    p->is_late = true;
    (void)om_vm_process_signal(p->process, SIGKILL);
}

#if defined __x86_64__
extern const char om_vm_probe_image[], om_vm_probe_image_end[];

static int guest_open(void)
{
    size_t n = (size_t)(om_vm_probe_image_end - om_vm_probe_image);
    int fd = memfd_create("omerta-probe", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, om_vm_probe_image, n) != (ssize_t)n) {
        (void)close(fd);
        return -1;
    }
    return fd;
}
#else
static int guest_open(void)
{
    errno = ENOSYS;
    return -1;
}
#endif

static enum om_err spawn(struct om_vm_probe *p, const struct om_vm_probe_config *c, int guest,
                         struct om_error *err)
{
    const char *argv[] = {c->qemu,
                          "-nodefaults",
                          "-no-user-config",
                          "-display",
                          "none",
                          "-machine",
                          "pc",
                          "-accel",
                          c->accel,
                          "-cpu",
                          "max",
                          "-m",
                          "32",
                          "-kernel",
                          "/dev/fd/0",
                          "-device",
                          "isa-debug-exit,iobase=0xf4,iosize=1",
                          "-sandbox",
                          "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                          "-no-reboot",
                          NULL};
    struct om_vm_process_config config = {
        .loop = c->loop,
        .via = c->via,
        .argv = argv,
        .folder = "/",
        .in = guest,
        .out = p->said,
        .err = p->said,
        .limits = {.memory_bytes = (uint64_t)MEMORY_MIB << 20, .cpu_s = CPU_S},
        .on_exit = on_exit_of,
        .self = p};

    return om_vm_process_spawn(&p->process, &config, err);
}

enum om_err om_vm_probe_start(struct om_vm_probe **out, const struct om_vm_probe_config *config,
                              struct om_error *err)
{
    int guest = guest_open();
    if (guest < 0)
        return om_fail(err, errno == ENOSYS ? OM_E_UNSUPPORTED : OM_E_STATE,
                       "cannot make a test guest: %s", strerror(errno));
    struct om_vm_probe *p = calloc(1, sizeof *p);
    enum om_err e = OM_OK;
    if (!p) {
        e = om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
        goto out;
    }
    p->on_done = config->on_done;
    p->self = config->self;
    p->deadline_ms = config->deadline_ms;
    p->begun_ns = uv_hrtime();
    p->said = memfd_create("omerta-probe-said", MFD_CLOEXEC);
    e = p->said < 0 ? om_fail(err, OM_E_STATE, "cannot make a log: %s", strerror(errno))
                    : spawn(p, config, guest, err);
    if (e != OM_OK) {
        if (p->said >= 0)
            (void)close(p->said);
        free(p);
        goto out;
    }
    p->deadline.data = p;
    (void)uv_timer_init(config->loop, &p->deadline);
    uv_update_time(config->loop);
    (void)uv_timer_start(&p->deadline, on_deadline, config->deadline_ms, 0);
    *out = p;
out:
    (void)close(guest);
    return e;
}

void om_vm_probe_cancel(struct om_vm_probe *p)
{
    p->is_cancelled = true;
    (void)om_vm_process_signal(p->process, SIGKILL);
}
