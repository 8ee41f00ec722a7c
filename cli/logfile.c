/* logfile.c - rename on start, read from the end. */
#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/place.h"

/* What a daemon that cannot start writes is less. */
enum { PATH_ROOM = OM_PATH_MAX + 32, LAST_WORDS_BYTES = 4096 };

static const char *path_of(char out[PATH_ROOM], const char *home, int number)
{
    if (number)
        snprintf(out, PATH_ROOM, "%s/logs/meshd.log.%d", home, number);
    else
        snprintf(out, PATH_ROOM, "%s/logs/meshd.log", home);
    return out;
}

static void turn_over(const char *home)
{
    char from[PATH_ROOM], to[PATH_ROOM];
    struct stat s;

    if (stat(path_of(from, home, 0), &s) || s.st_size < OM_LOGFILE_BYTES_MAX)
        return;
    for (int i = OM_LOGFILE_KEPT; i > 0; i--)
        (void)rename(path_of(from, home, i - 1), path_of(to, home, i));
}

enum om_err om_logfile_open(const char *home, int *fd, struct om_error *err)
{
    char path[PATH_ROOM];
    struct stat s;

    /* As root: a log of root's would keep the owner of this home from starting its daemon. */
    if (stat(home, &s) == 0 && s.st_uid != geteuid())
        return om_fail(err, OM_E_STATE, "home %s belongs to another user", home);
    snprintf(path, sizeof path, "%s/logs", home);
    if ((mkdir(home, 0700) && errno != EEXIST) || (mkdir(path, 0700) && errno != EEXIST))
        return om_fail(err, OM_E_STATE, "%s: cannot make the folder: %s", path, strerror(errno));
    turn_over(home);
    *fd = open(path_of(path, home, 0), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (*fd < 0)
        return om_fail(err, OM_E_STATE, "%s: cannot open: %s", path, strerror(errno));
    /* On a full disk it could not say there why it ended; where this cannot be asked, it may. */
    if (fallocate(*fd, FALLOC_FL_KEEP_SIZE, lseek(*fd, 0, SEEK_END), LAST_WORDS_BYTES) &&
        (errno == ENOSPC || errno == EDQUOT)) {
        (void)om_fail(err, OM_E_STATE, "%s: no room for the log of the daemon: %s", path,
                      strerror(errno));
        close(*fd);
        *fd = -1;
        return OM_E_STATE;
    }
    return OM_OK;
}

/* Where the last @lines lines of @text begin. */
static size_t start_of(const char *text, size_t n, size_t lines)
{
    size_t at = n && text[n - 1] == '\n' ? n - 1 : n;

    if (!lines)
        return n;
    while (at > 0) {
        if (text[at - 1] == '\n' && --lines == 0)
            return at;
        at--;
    }
    return 0;
}

/* At most OM_LOGFILE_TAIL_MAX bytes from @from on, which counts from the end when negative. */
static enum om_err read_from(const char *home, long from, char **out, size_t *n,
                             struct om_error *err)
{
    char path[PATH_ROOM], *text;
    FILE *f = fopen(path_of(path, home, 0), "re");

    *out = NULL;
    if (!f)
        return om_fail(err, OM_E_MISSING, "%.150s: %s", path, strerror(errno));
    text = malloc(OM_LOGFILE_TAIL_MAX + 1);
    if (!text) {
        (void)fclose(f);
        return om_fail(err, OM_E_NO_MEM, "out of memory");
    }
    if (fseek(f, from, from < 0 ? SEEK_END : SEEK_SET)) /* shorter than that: all of it */
        rewind(f);
    *n = fread(text, 1, OM_LOGFILE_TAIL_MAX, f);
    (void)fclose(f);
    text[*n] = 0;
    *out = text;
    return OM_OK;
}

enum om_err om_logfile_tail(const char *home, size_t lines, char **out, struct om_error *err)
{
    size_t n = 0, from;
    enum om_err e = read_from(home, -(long)OM_LOGFILE_TAIL_MAX, out, &n, err);

    if (e || !*out)
        return e;
    from = start_of(*out, n, lines);
    memmove(*out, *out + from, n - from + 1);
    return OM_OK;
}

enum om_err om_logfile_since(const char *home, long from, char **out, struct om_error *err)
{
    size_t n = 0;

    return read_from(home, from, out, &n, err);
}
