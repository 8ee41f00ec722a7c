/* wipe.c - down the folders by descriptor, so that no link and no rename leads elsewhere. */
#include "wipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Zeros over the whole of it, and on to the disk; best effort: it is removed in any case. */
static void overwrite(int folder, const char *name)
{
    static const char zeros[65536];
    int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= OM_VM_WIPE_BYTES) {
        for (off_t left = st.st_size; left > 0;) {
            size_t n = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;
            ssize_t w = write(fd, zeros, n);
            if (w <= 0)
                break;
            left -= w;
        }
        (void)fdatasync(fd);
    }
    (void)close(fd);
}

/* The way down to where we are: each folder but the first is called @name in the one above. */
struct level {
    DIR *d;
    char name[NAME_MAX + 1];
};

/* Takes @fd; false leaves errno. */
static bool enter(struct level *l, int fd, const char *name)
{
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d) {
        int cause = errno;
        if (fd >= 0)
            (void)close(fd);
        errno = cause;
        return false;
    }
    l->d = d;
    (void)snprintf(l->name, sizeof l->name, "%s", name);
    return true;
}

static int remove_from(const struct level *l, const char *name, int flag)
{
    return unlinkat(dirfd(l->d), name, flag) == 0 ? 0 : errno;
}

/* One entry of the folder at @levels[@top]: removed, or become the next level. Returns the cause
 * of what went wrong, or 0. */
static int take(struct level *levels, int *top, const char *name)
{
    struct level *l = &levels[*top];
    struct stat st;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (fstatat(dirfd(l->d), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    if (!S_ISDIR(st.st_mode)) {
        overwrite(dirfd(l->d), name);
        return remove_from(l, name, 0);
    }
    if (*top == OM_VM_WIPE_DEPTH)
        return remove_from(l, name, AT_REMOVEDIR); /* which works for an empty one */
    int fd = openat(dirfd(l->d), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (!enter(&levels[*top + 1], fd, name))
        return errno;
    ++*top;
    return 0;
}

/* The cause of the first thing that could not be removed, or 0. Takes @fd. */
static int empty(int fd)
{
    struct level levels[OM_VM_WIPE_DEPTH + 1];
    int top = 0, cause = 0;

    if (!enter(&levels[0], fd, ""))
        return errno;
    while (top >= 0) {
        const struct dirent *e = readdir(levels[top].d);
        int why = 0;
        if (e) {
            why = take(levels, &top, e->d_name);
        } else {
            (void)closedir(levels[top].d);
            top--;
            if (top >= 0)
                why = remove_from(&levels[top], levels[top + 1].name, AT_REMOVEDIR);
        }
        if (cause == 0)
            cause = why;
    }
    return cause;
}

enum om_err om_vm_wipe(const char *path, struct om_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return OM_OK;
    if (fd < 0 || fstat(fd, &st) != 0) {
        int cause = errno;
        if (fd >= 0)
            (void)close(fd);
        return om_fail(err, OM_E_STATE, "cannot remove %.120s: %s", path, strerror(cause));
    }
    if (st.st_uid != geteuid() || (st.st_mode & 0077) != 0) {
        (void)close(fd);
        return om_fail(err, OM_E_STATE, "%.120s is not this user's alone, so it is left", path);
    }
    int cause = empty(fd);
    if (unlinkat(AT_FDCWD, path, AT_REMOVEDIR) != 0 && cause == 0)
        cause = errno;
    if (cause != 0)
        return om_fail(err, OM_E_STATE, "cannot remove all of %.120s: %s", path, strerror(cause));
    return OM_OK;
}
