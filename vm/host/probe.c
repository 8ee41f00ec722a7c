/* probe.c - the guest in memory, and what its end means. */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "spawner.h"
#include "task.h"

enum {
    GUEST_DID_WELL = 33, /* the status that probe.S asks for */
    WHY_MAX = 160,
    MEMORY_MIB = 1024,
    SAID_BYTES = 64 * 1024,
    CPU_S = 60
};

struct om_vm_probe {
    struct om_vm_task *task;
    unsigned deadline_ms;
    void (*on_done)(void *self, bool is_usable, const char *why);
    void *self;
};

static void on_end(void *self, const struct om_vm_task_end *end)
{
    struct om_vm_probe *p = self;
    bool is_usable = end->how.is_known && end->how.signal == 0 && end->how.code == GUEST_DID_WELL;
    char why[WHY_MAX];

    if (is_usable)
        (void)snprintf(why, sizeof why, "a test guest did its work in %.1f s", end->seconds);
    else if (end->is_late)
        (void)snprintf(why, sizeof why, "a test guest did not finish in %g s",
                       (double)p->deadline_ms / 1000);
    else
        om_vm_task_why(end, "QEMU with a test guest", why, sizeof why);
    p->on_done(p->self, is_usable, why);
    free(p);
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

static enum om_err start(struct om_vm_probe *p, const struct om_vm_probe_config *c, int guest,
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
                          OM_VM_SANDBOX,
                          "-no-reboot",
                          NULL};
    struct om_vm_task_config config = {.loop = c->loop,
                                       .via = c->via,
                                       .argv = argv,
                                       .folder = "/",
                                       .in = guest,
                                       .limits = {.memory_bytes = (uint64_t)MEMORY_MIB << 20,
                                                  .file_bytes = SAID_BYTES,
                                                  .cpu_s = CPU_S},
                                       .deadline_ms = c->deadline_ms,
                                       .on_end = on_end,
                                       .self = p};

    return om_vm_task_start(&p->task, &config, err);
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
    if (p) {
        p->on_done = config->on_done;
        p->self = config->self;
        p->deadline_ms = config->deadline_ms;
        e = start(p, config, guest, err);
    } else {
        e = om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    }
    (void)close(guest);
    if (e == OM_OK)
        *out = p;
    else
        free(p);
    return e;
}

void om_vm_probe_cancel(struct om_vm_probe *p)
{
    om_vm_task_cancel(p->task);
    free(p);
}
