/* ident.c - the fields of /proc that a recycled number cannot repeat. */
#include "ident.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { START_FIELD = 22, STATE_FIELD = 3 };

/* A small file of /proc, whole and terminated; bytes read, or -1. */
static ssize_t read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, out, size - 1);
    int cause = errno;
    (void)close(fd);
    errno = cause;
    if (n >= 0)
        out[n] = 0;
    return n;
}

/* The second field is a name in brackets that may have any bytes in it, brackets and blanks too;
 * behind the last bracket there are only numbers and the letter of the state. */
static bool parse_start(const char *stat, uint64_t *start)
{
    const char *p = strrchr(stat, ')');
    char *end = NULL;

    if (!p)
        return false;
    p++;
    for (int field = STATE_FIELD; field < START_FIELD; field++) {
        p = strchr(p + 1, ' ');
        if (!p)
            return false;
    }
    *start = strtoull(p, &end, 10);
    return end != p && *end == ' ';
}

enum om_err om_vm_ident_of(struct om_vm_ident *out, int32_t pid, struct om_error *err)
{
    struct om_vm_ident who = {.pid = pid};
    char path[48], text[1024];

    if (pid <= 0)
        return om_fail(err, OM_E_MISSING, "%" PRId32 " is no process", pid);
    (void)snprintf(path, sizeof path, "/proc/%" PRId32 "/stat", pid);
    if (read_small(path, text, sizeof text) <= 0) {
        bool is_gone = errno == ENOENT || errno == ESRCH;
        return om_fail(err, is_gone ? OM_E_MISSING : OM_E_STATE, "process %" PRId32 ": %s", pid,
                       strerror(errno));
    }
    if (!parse_start(text, &who.start))
        return om_fail(err, OM_E_STATE, "%s: not as proc(5) says", path);
    if (read_small("/proc/sys/kernel/random/boot_id", who.boot, sizeof who.boot) !=
        OM_VM_BOOT_TEXT - 1)
        return om_fail(err, OM_E_STATE, "/proc/sys/kernel/random/boot_id: want a UUID");
    *out = who;
    return OM_OK;
}

bool om_vm_ident_equal(const struct om_vm_ident *a, const struct om_vm_ident *b)
{
    return a->pid == b->pid && a->start == b->start && strcmp(a->boot, b->boot) == 0;
}

/* By device and inode, since a path may have been written in many ways. */
static bool is_in(const char *pid, const struct stat *folder)
{
    char path[48];
    struct stat st;

    (void)snprintf(path, sizeof path, "/proc/%.20s/cwd", pid);
    return stat(path, &st) == 0 && st.st_dev == folder->st_dev && st.st_ino == folder->st_ino;
}

enum om_err om_vm_ident_in(const char *folder,
                           void (*each)(void *self, const struct om_vm_ident *who), void *self,
                           struct om_error *err)
{
    struct stat wanted;

    if (stat(folder, &wanted) != 0)
        return OM_OK;
    DIR *d = opendir("/proc");
    if (!d)
        return om_fail(err, OM_E_STATE, "cannot read /proc: %s", strerror(errno));
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        struct om_vm_ident who;
        int32_t pid = (int32_t)strtol(e->d_name, NULL, 10); /* 0: it is no process */
        if (pid > 0 && pid != getpid() && is_in(e->d_name, &wanted) &&
            om_vm_ident_of(&who, pid, NULL) == OM_OK && is_in(e->d_name, &wanted))
            each(self, &who);
    }
    (void)closedir(d);
    return OM_OK;
}
