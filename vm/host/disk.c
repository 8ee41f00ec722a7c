/* disk.c - what is looked at before qemu-img runs, and what is left when it fails. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <omerta/text.h>

#include "qcow2.h"
#include "task.h"

enum {
    WHY_MAX = 200,
    FILE_BYTES = 64 * 1024 * 1024, /* an empty qcow2 of 64 TiB has tables of 8 MiB */
    MEMORY_MIB = 1024,
    CPU_S = 20
};

struct om_vm_disk {
    struct om_vm_task *task;
    int folder;
    char name[OM_VM_DISK_NAME_MAX];
    void (*on_done)(void *self, enum om_err e, const char *why);
    void *self;
};

static void disk_free(struct om_vm_disk *d, bool is_kept)
{
    if (!is_kept)
        (void)unlinkat(d->folder, d->name, 0);
    (void)close(d->folder);
    free(d);
}

static void on_end(void *self, const struct om_vm_task_end *end)
{
    struct om_vm_disk *d = self;
    bool ok = end->how.is_known && end->how.signal == 0 && end->how.code == 0;
    bool is_full = strstr(end->said, "No space left") != NULL;
    char why[WHY_MAX] = "";

    if (!ok && is_full)
        (void)snprintf(why, sizeof why, "disk full: %s", end->said);
    else if (!ok)
        om_vm_task_why(end, "qemu-img", why, sizeof why);
    d->on_done(d->self, ok ? OM_OK : is_full ? OM_E_FULL : OM_E_STATE, why);
    disk_free(d, ok);
}

/* The file is sparse, but what the guest was promised it may write. */
static enum om_err check_room(const struct om_vm_disk_config *c, struct om_error *err)
{
    char want[OM_SIZE_TEXT], have[OM_SIZE_TEXT];
    struct statvfs v;

    if (statvfs(c->folder, &v) != 0)
        return om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE,
                       "cannot look at %.120s: %s", c->folder, strerror(errno));
    uint64_t room = (uint64_t)v.f_bavail * v.f_frsize;
    if (c->bytes <= room && c->spare <= room - c->bytes)
        return OM_OK;
    return om_fail(err, OM_E_FULL, "disk full: %s are wanted, with some to spare, %s are there",
                   om_size_print(c->bytes, want, sizeof want),
                   om_size_print(room & ~(uint64_t)0xfffff, have, sizeof have));
}

static enum om_err check(const struct om_vm_disk_config *c, struct om_error *err)
{
    uint64_t size = 0;

    if (!*c->name || c->name[0] == '.' || c->name[0] == '-' || strchr(c->name, '/') ||
        strchr(c->name, ':') || strlen(c->name) >= OM_VM_DISK_NAME_MAX)
        return om_fail(err, OM_E_RANGE, "\"%.70s\" is no name for a disk", c->name);
    if (c->image && c->image[0] != '/')
        return om_fail(err, OM_E_RANGE, "\"%.120s\": want an absolute path", c->image);
    if (c->image) {
        enum om_err e = om_vm_qcow2_size(&size, c->image, c->format, err);
        if (e != OM_OK)
            return e;
    }
    if (c->bytes < size || c->bytes == 0) {
        char text[OM_SIZE_TEXT];
        return om_fail(err, OM_E_RANGE, "the disk is smaller than its image: want at least %s",
                       om_size_print(size, text, sizeof text));
    }
    return check_room(c, err);
}

static enum om_err run(struct om_vm_disk *d, const struct om_vm_disk_config *c,
                       struct om_error *err)
{
    char bytes[24];
    const char *argv[12];
    size_t n = 0;

    (void)snprintf(bytes, sizeof bytes, "%" PRIu64, c->bytes);
    argv[n++] = c->qemu_img;
    argv[n++] = "create";
    argv[n++] = "-q";
    argv[n++] = "-f";
    argv[n++] = "qcow2";
    if (c->image) {
        argv[n++] = "-b";
        argv[n++] = c->image;
        argv[n++] = "-F";
        argv[n++] = c->format;
    }
    argv[n++] = d->name;
    argv[n++] = bytes;
    argv[n] = NULL;
    struct om_vm_task_config config = {.loop = c->loop,
                                       .via = c->via,
                                       .argv = argv,
                                       .folder = c->folder,
                                       .limits = {.memory_bytes = (uint64_t)MEMORY_MIB << 20,
                                                  .file_bytes = FILE_BYTES,
                                                  .cpu_s = CPU_S},
                                       .deadline_ms = OM_VM_DISK_MS,
                                       .on_end = on_end,
                                       .self = d};
    return om_vm_task_start(&d->task, &config, err);
}

enum om_err om_vm_disk_start(struct om_vm_disk **out, const struct om_vm_disk_config *config,
                             struct om_error *err)
{
    enum om_err e = check(config, err);
    if (e != OM_OK)
        return e;
    struct om_vm_disk *d = calloc(1, sizeof *d);
    if (!d)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    d->on_done = config->on_done;
    d->self = config->self;
    (void)snprintf(d->name, sizeof d->name, "%s", config->name);
    d->folder = open(config->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* qemu-img would write over anything: so the file is made here, and only filled by it. */
    int fd = d->folder < 0 ? -1
                           : openat(d->folder, d->name,
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        e = om_fail(err, errno == EEXIST ? OM_E_EXISTS : OM_E_STATE, "cannot make %.100s/%.50s: %s",
                    config->folder, d->name, strerror(errno));
        if (d->folder >= 0)
            (void)close(d->folder);
        free(d);
        return e;
    }
    (void)close(fd);
    e = run(d, config, err);
    if (e == OM_OK)
        *out = d;
    else
        disk_free(d, false);
    return e;
}

void om_vm_disk_cancel(struct om_vm_disk *d)
{
    om_vm_task_cancel(d->task);
    disk_free(d, false);
}
