/* secret_file.c - write all or nothing, read only what nobody else could. */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

static const char suffix[] = ".new";

/* One secret: where it is, and how to call it in a sentence. */
struct place {
    int folder;
    const char *path; /* of the folder */
    const char *name;
    char draft[OM_SECRET_NAME_MAX + sizeof suffix];
};

static enum om_err failed(struct om_error *err, const struct place *at, const char *what)
{
    enum om_err code = errno == ENOENT ? OM_E_MISSING : errno == EEXIST ? OM_E_EXISTS : OM_E_STATE;

    return om_fail(err, code, "cannot %s %.90s/%.70s: %s", what, at->path, at->name,
                   strerror(errno));
}

static enum om_err enter(struct place *at, const char *folder, const char *name,
                         struct om_error *err)
{
    *at = (struct place){.folder = -1, .path = folder, .name = name};
    if (!*name || name[0] == '.' || strchr(name, '/') || strlen(name) >= OM_SECRET_NAME_MAX)
        return om_fail(err, OM_E_RANGE, "\"%.80s\": want one component of a path, under %d bytes",
                       name, OM_SECRET_NAME_MAX);
    (void)snprintf(at->draft, sizeof at->draft, "%s%s", name, suffix);
    at->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return at->folder >= 0 ? OM_OK : failed(err, at, "reach");
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static enum om_err write_draft(const struct place *at, const void *bytes, size_t n,
                               struct om_error *err)
{
    (void)unlinkat(at->folder, at->draft, 0); /* of a process that was killed here */
    int fd =
        openat(at->folder, at->draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(err, at, "make");
    enum om_err e = OM_OK;
    if (fchmod(fd, 0600) != 0 || !write_all(fd, bytes, n) || fsync(fd) != 0)
        e = failed(err, at, "write");
    if (close(fd) != 0 && e == OM_OK)
        e = failed(err, at, "write");
    return e;
}

/* Some filesystems cannot rename so; a second name for the file does not overwrite either. */
static int rename_if_free(const struct place *at)
{
    if (renameat2(at->folder, at->draft, at->folder, at->name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(at->folder, at->draft, at->folder, at->name, 0) != 0)
        return -1;
    return unlinkat(at->folder, at->draft, 0);
}

enum om_err om_secret_write(const char *folder, const char *name, const void *bytes, size_t n,
                            bool replace, struct om_error *err)
{
    struct place at;
    enum om_err e = enter(&at, folder, name, err);

    if (e != OM_OK)
        return e;
    e = write_draft(&at, bytes, n, err);
    if (e == OM_OK &&
        (replace ? renameat(at.folder, at.draft, at.folder, at.name) : rename_if_free(&at)) != 0)
        e = failed(err, &at, "keep");
    if (e != OM_OK)
        (void)unlinkat(at.folder, at.draft, 0);
    else if (fsync(at.folder) != 0)
        e = failed(err, &at, "make sure of");
    (void)close(at.folder);
    return e;
}

static enum om_err judge(int fd, const struct place *at, size_t n, bool exact, size_t *size,
                         struct om_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return failed(err, at, "look at");
    if (!S_ISREG(st.st_mode))
        return om_fail(err, OM_E_STATE, "want a regular file: %.90s/%.70s", at->path, at->name);
    if (st.st_uid != geteuid())
        return om_fail(err, OM_E_STATE,
                       "belongs to user %u, not to user %u who runs this: %.90s/%.70s",
                       (unsigned)st.st_uid, (unsigned)geteuid(), at->path, at->name);
    if ((st.st_mode & 077) != 0)
        return om_fail(err, OM_E_STATE,
                       "others can read the secret (mode %04o): chmod 600 %.90s/%.70s",
                       (unsigned)st.st_mode & 07777, at->path, at->name);
    if ((uintmax_t)st.st_size > n || (exact && (uintmax_t)st.st_size < n))
        return om_fail(err, OM_E_RANGE, "has %jd bytes, want %s%zu: %.90s/%.70s",
                       (intmax_t)st.st_size, exact ? "" : "at most ", n, at->path, at->name);
    *size = (size_t)st.st_size;
    return OM_OK;
}

static bool read_all(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t r = read(fd, p, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            errno = EIO; /* shorter than it said */
        if (r <= 0)
            return false;
        p += r;
        n -= (size_t)r;
    }
    return true;
}

enum om_err om_secret_read(const char *folder, const char *name, void *bytes, size_t n, size_t *got,
                           struct om_error *err)
{
    struct place at;
    size_t size = 0;
    enum om_err e = enter(&at, folder, name, err);

    sodium_memzero(bytes, n);
    if (e != OM_OK)
        return e;
    /* O_NONBLOCK: a pipe of that name must not keep us waiting. */
    int fd = openat(at.folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        e = failed(err, &at, "open");
    else
        e = judge(fd, &at, n, !got, &size, err);
    if (e == OM_OK && !read_all(fd, bytes, size))
        e = failed(err, &at, "read");
    if (fd >= 0)
        (void)close(fd);
    (void)close(at.folder);
    if (e != OM_OK)
        sodium_memzero(bytes, n);
    else if (got)
        *got = size;
    return e;
}
