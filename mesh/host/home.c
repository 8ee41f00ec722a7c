/* home.c - open, judge and lock the folder of a daemon. */
#include "home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct om_home {
    int folder;
    int lock;
    char path[]; /* terminated */
};

static enum om_err failed(struct om_error *err, const char *what, const char *path)
{
    enum om_err code = errno == ENOENT ? OM_E_MISSING : errno == ENOMEM ? OM_E_NO_MEM : OM_E_STATE;

    return om_fail(err, code, "cannot %s %.120s: %s", what, path, strerror(errno));
}

/* The path comes last in a sentence: if one is too long for it, the rest is still there. */
static enum om_err judge(int fd, const char *path, struct om_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return failed(err, "look at", path);
    if (st.st_uid != geteuid())
        return om_fail(err, OM_E_STATE,
                       "folder belongs to user %u, not to user %u who runs this: %.120s",
                       (unsigned)st.st_uid, (unsigned)geteuid(), path);
    if ((st.st_mode & 077) != 0)
        return om_fail(err, OM_E_STATE,
                       "others can enter the folder (mode %04o, want 0700): chmod 700 %.120s",
                       (unsigned)st.st_mode & 07777, path);
    return OM_OK;
}

/* Whoever owns a link can point it elsewhere tomorrow, so another user's is not followed. */
static enum om_err open_folder(int *out, const char *path, struct om_error *err)
{
    struct stat st;
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

    if (lstat(path, &st) != 0)
        return failed(err, "open home", path);
    if (!S_ISLNK(st.st_mode))
        flags |= O_NOFOLLOW;
    else if (st.st_uid != geteuid())
        return om_fail(err, OM_E_STATE,
                       "symbolic link of user %u, not of user %u who runs this: %.120s",
                       (unsigned)st.st_uid, (unsigned)geteuid(), path);
    int fd = open(path, flags);
    if (fd < 0)
        return failed(err, "open home", path);
    enum om_err e = judge(fd, path, err);
    if (e != OM_OK) {
        (void)close(fd);
        return e;
    }
    *out = fd;
    return OM_OK;
}

/* A name must be on the disk before what lies under it can be. */
static void sync_parent(int folder)
{
    int up = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (up < 0)
        return; /* enterable but not readable: nothing more can be done */
    (void)fsync(up);
    (void)close(up);
}

static enum om_err in_use(int lock, const char *path, struct om_error *err)
{
    char text[16] = "";
    ssize_t n = pread(lock, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid <= 0) /* it took the lock this moment */
        return om_fail(err, OM_E_EXISTS, "home %.120s is in use by another process", path);
    return om_fail(err, OM_E_EXISTS, "home %.120s is in use by process %ld", path, pid);
}

static enum om_err take_lock(struct om_home *h, struct om_error *err)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    h->lock = openat(h->folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (h->lock < 0)
        return failed(err, "make the file \"lock\" in", h->path);
    if (flock(h->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? in_use(h->lock, h->path, err)
                                    : failed(err, "lock the file \"lock\" in", h->path);
    if (fchmod(h->lock, 0600) != 0 || ftruncate(h->lock, 0) != 0 ||
        pwrite(h->lock, text, (size_t)n, 0) != n)
        return failed(err, "write to the file \"lock\" in", h->path);
    return OM_OK;
}

enum om_err om_home_open(struct om_home **out, const char *path, bool make, struct om_error *err)
{
    size_t n = strlen(path);
    bool made = make && n < OM_HOME_PATH_MAX && mkdir(path, 0700) == 0;

    if (n == 0 || n >= OM_HOME_PATH_MAX)
        return om_fail(err, OM_E_RANGE, "path of the home has %zu bytes: want 1 to %d", n,
                       OM_HOME_PATH_MAX - 1);
    if (make && !made && errno != EEXIST)
        return failed(err, "make home", path);
    struct om_home *h = malloc(sizeof *h + n + 1);
    if (!h)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    h->folder = h->lock = -1;
    memcpy(h->path, path, n + 1);
    enum om_err e = open_folder(&h->folder, path, err);
    if (e == OM_OK && made)
        sync_parent(h->folder);
    if (e == OM_OK)
        e = take_lock(h, err);
    if (e != OM_OK) {
        if (h->lock >= 0)
            (void)close(h->lock);
        if (h->folder >= 0)
            (void)close(h->folder);
        free(h);
        return e;
    }
    *out = h;
    return OM_OK;
}

void om_home_close(struct om_home *h)
{
    if (!h)
        return;
    (void)close(h->lock); /* the file stays: removing it would race with the next daemon */
    (void)close(h->folder);
    free(h);
}

const char *om_home_path(const struct om_home *h)
{
    return h->path;
}

bool om_home_join(const struct om_home *h, char *out, size_t size, const char *name)
{
    if (strlen(h->path) + 1 + strlen(name) >= size)
        return false;
    (void)snprintf(out, size, "%s/%s", h->path, name);
    return true;
}

enum om_err om_home_sub(struct om_home *h, const char *name, struct om_error *err)
{
    char path[OM_HOME_PATH_MAX];

    if (!*name || strchr(name, '/') || name[0] == '.' || !om_home_join(h, path, sizeof path, name))
        return om_fail(err, OM_E_RANGE, "\"%.80s\": want one component of a path", name);
    bool made = mkdirat(h->folder, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return failed(err, "make folder", path);
    int fd = openat(h->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(err, "open folder", path);
    enum om_err e = judge(fd, path, err);
    (void)close(fd);
    if (e == OM_OK && made)
        (void)fsync(h->folder);
    return e;
}
