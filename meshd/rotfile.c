/* rotfile.c - appending, rotating, and taking back what was not written whole. */
#include "rotfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OLD_PATH = OM_ROTFILE_PATH + 16 };

/* A line that a crash cut short must not become the beginning of ours. */
static void mend(struct om_rotfile *f)
{
    char last;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return;
    if (pread(fd, &last, 1, (off_t)(f->bytes - 1)) == 1 && last != '\n' &&
        write(f->fd, "\n", 1) == 1)
        f->bytes++;
    (void)close(fd);
}

static enum om_err start(struct om_rotfile *f, struct om_error *err)
{
    struct stat st;
    int fd =
        open(f->path,
             O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0 || fstat(fd, &st) < 0) {
        int no = errno;

        if (fd >= 0)
            (void)close(fd);
        return om_fail(err, OM_E_STATE, "%.120s: cannot be opened for lines: %s", f->path,
                       strerror(no));
    }
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = fd;
    f->is_regular = S_ISREG(st.st_mode);
    f->bytes = f->is_regular ? (uint64_t)st.st_size : 0;
    if (f->bytes > 0)
        mend(f);
    return OM_OK;
}

enum om_err om_rotfile_open(struct om_rotfile *f, const char *path, uint64_t limit, unsigned keep,
                            struct om_error *err)
{
    size_t n = strlen(path);

    *f = (struct om_rotfile){.fd = -1, .limit = limit, .keep = keep};
    if (n == 0 || n >= sizeof f->path)
        return om_fail(err, OM_E_RANGE, "path of a file of lines: %zu bytes: want 1 to %d", n,
                       OM_ROTFILE_PATH - 1);
    if ((limit > 0 && limit < OM_ROTFILE_LIMIT_MIN) || keep > OM_ROTFILE_KEEP_MAX)
        return om_fail(err, OM_E_RANGE, "%.80s: want a limit of 0 or %d bytes up, %d old files",
                       path, OM_ROTFILE_LIMIT_MIN, OM_ROTFILE_KEEP_MAX);
    memcpy(f->path, path, n + 1);
    return start(f, err);
}

enum om_err om_rotfile_reopen(struct om_rotfile *f, struct om_error *err)
{
    if (!*f->path)
        return om_fail(err, OM_E_STATE, "a file of lines without a path: open it first");
    return start(f, err);
}

void om_rotfile_close(struct om_rotfile *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

static const char *old_path(const struct om_rotfile *f, unsigned i, char out[OLD_PATH])
{
    if (i == 0)
        snprintf(out, OLD_PATH, "%s", f->path);
    else
        snprintf(out, OLD_PATH, "%s.%u", f->path, i);
    return out;
}

static bool rotate(struct om_rotfile *f)
{
    char from[OLD_PATH], to[OLD_PATH];

    if (f->keep == 0 && unlink(f->path) < 0 && errno != ENOENT)
        return false;
    /* Once moved, FILE is gone until it can be opened: old ones must not move on meanwhile. */
    if (f->keep > 0 && access(f->path, F_OK) == 0)
        for (unsigned i = f->keep; i-- > 0;)
            if (rename(old_path(f, i, from), old_path(f, i + 1, to)) < 0 && errno != ENOENT)
                return false;
    if (start(f, NULL) != OM_OK)
        return false;
    f->rotations++;
    return true;
}

static bool write_whole(struct om_rotfile *f, const char *head, const char *line, size_t n)
{
    static const char newline[] = "\n";
    union {
        const char *from;
        void *base;
    } part[3] = {{head}, {line}, {newline}};
    struct iovec io[3] = {
        {part[0].base, strlen(head)}, {part[1].base, strlen(line)}, {part[2].base, 1}};
    ssize_t done;

    do
        done = writev(f->fd, io, 3);
    while (done < 0 && errno == EINTR);
    if (done == (ssize_t)n)
        return true;
    if (done > 0 && f->is_regular && ftruncate(f->fd, (off_t)f->bytes) < 0)
        f->bytes += (uint64_t)done; /* a half line is better than a wrong count */
    return false;
}

bool om_rotfile_put(struct om_rotfile *f, const char *head, const char *line)
{
    size_t n = strlen(head) + strlen(line) + 1;

    if (f->fd < 0)
        goto lost;
    if (f->is_regular && f->limit > 0 && f->bytes > 0 && f->bytes + n > f->limit && !rotate(f))
        goto lost;
    if (f->limit > 0 && f->bytes + n > f->limit && f->is_regular)
        goto lost; /* longer than a whole file */
    if (!write_whole(f, head, line, n))
        goto lost;
    f->bytes += n;
    f->lines++;
    return true;
lost:
    f->lost++;
    return false;
}
