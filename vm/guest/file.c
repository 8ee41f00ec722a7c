/* file.c - open, write, rename. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All folders above @path. */
static void make_folders(const char *path)
{
    char folder[GUEST_PATH];

    (void)snprintf(folder, sizeof folder, "%s", path);
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(folder, 0755);
        *at = '/';
    }
}

bool guest_file_begin(struct guest_file *f, const char *path, unsigned mode)
{
    f->fd = -1;
    f->is_short = false;
    f->mode = mode;
    (void)snprintf(f->path, sizeof f->path, "%s", path);
    (void)snprintf(f->part, sizeof f->part, "%s.part", path);
    if (!*path)
        return false;
    make_folders(path);
    f->fd = open(f->part, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    return f->fd >= 0;
}

void guest_file_add(struct guest_file *f, struct om_bytes bytes)
{
    for (size_t at = 0; at < bytes.n && !f->is_short;) {
        ssize_t n = write(f->fd, bytes.p + at, bytes.n - at);
        if (n > 0)
            at += (size_t)n;
        else
            f->is_short = n == 0 || errno != EINTR;
    }
}

bool guest_file_end(struct guest_file *f)
{
    bool is_done = !f->is_short && fchmod(f->fd, (mode_t)f->mode) == 0;

    is_done = close(f->fd) == 0 && is_done && rename(f->part, f->path) == 0;
    f->fd = -1;
    if (!is_done)
        (void)unlink(f->part);
    return is_done;
}

void guest_file_drop(struct guest_file *f)
{
    if (f->fd < 0)
        return;
    (void)close(f->fd);
    (void)unlink(f->part);
    f->fd = -1;
}
