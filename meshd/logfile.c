/* logfile.c - the head of each line, and where the line goes. */
#include "logfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = OM_WALL_TEXT + 1, LINE = HEAD + OM_LOG_LINE };

/* @n digits of @v and a character; returns what follows. */
static char *digits(char *out, int64_t v, int n, char after)
{
    for (int i = n; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    out[n] = after;
    return out + n + 1;
}

/* Years are counted from March, so that a leap day is the last day of one. */
char *om_wall_print(struct om_wall wall, char out[static OM_WALL_TEXT])
{
    static const int64_t first = -62167219200000, last = 253402300799999; /* years 0 and 9999 */
    int64_t ms = wall.unix_ms < first ? first : wall.unix_ms > last ? last : wall.unix_ms;
    int64_t at = ms - first;                    /* from 0000-01-01, never negative */
    int64_t days = at / 86400000 - 60 + 146097; /* from the 1st of March 400 years earlier */
    int64_t era = days / 146097, doe = days % 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), month = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * month + 2) / 5 + 1, in_day = at % 86400000;
    int64_t year = (era - 1) * 400 + yoe + (month >= 10);
    char *to = out;

    to = digits(to, year, 4, '-');
    to = digits(to, month < 10 ? month + 3 : month - 9, 2, '-');
    to = digits(to, day, 2, 'T');
    to = digits(to, in_day / 3600000, 2, ':');
    to = digits(to, in_day / 60000 % 60, 2, ':');
    to = digits(to, in_day / 1000 % 60, 2, '.');
    to = digits(to, in_day % 1000, 3, 'Z');
    *to = 0;
    return out;
}

/* $JOURNAL_STREAM is inherited: the journal reads this descriptor only when it is named there. */
static bool is_journal(int fd)
{
    const char *text = getenv("JOURNAL_STREAM");
    uintmax_t dev, ino;
    struct stat st;
    char *end;

    if (!text || fstat(fd, &st) < 0)
        return false;
    dev = strtoumax(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    text = end + 1;
    ino = strtoumax(text, &end, 10);
    return end != text && !*end && dev == st.st_dev && ino == st.st_ino;
}

void om_logfile_to_fd(struct om_logfile *l, int fd, struct om_wall (*wall)(void))
{
    *l = (struct om_logfile){.kind = is_journal(fd) ? OM_LOGFILE_JOURNAL : OM_LOGFILE_PLAIN,
                             .fd = fd,
                             .file = {.fd = -1},
                             .wall = wall};
}

enum om_err om_logfile_to_file(struct om_logfile *l, const char *path, uint64_t limit,
                               unsigned keep, struct om_wall (*wall)(void), struct om_error *err)
{
    struct om_rotfile file;
    enum om_err e = om_rotfile_open(&file, path, limit, keep, err);

    if (e == OM_OK)
        *l = (struct om_logfile){.kind = OM_LOGFILE_FILE, .fd = -1, .file = file, .wall = wall};
    return e;
}

/* One write, so that lines of several processes do not mix. */
static void write_line(struct om_logfile *l, const char *head, const char *line)
{
    char all[LINE + 1];
    int n = snprintf(all, LINE, "%s%s", head, line);
    ssize_t done;

    if (n >= LINE)
        n = LINE - 1;
    all[n++] = '\n';
    do
        done = write(l->fd, all, (size_t)n);
    while (done < 0 && errno == EINTR);
    l->lost += done != n;
}

void om_logfile_sink(void *self, enum om_level level, const char *line)
{
    /* Priorities of syslog(3): error, warning, informational, debug. */
    static const char priorities[] = {[OM_LOG_ERROR] = '3',
                                      [OM_LOG_WARN] = '4',
                                      [OM_LOG_INFO] = '6',
                                      [OM_LOG_DEBUG] = '7',
                                      [OM_LOG_TRACE] = '7'};
    struct om_logfile *l = self;
    char head[HEAD] = "<7>";

    if (l->kind == OM_LOGFILE_JOURNAL) {
        if ((unsigned)level < OM_ARRAY_SIZE(priorities))
            head[1] = priorities[level];
    } else {
        om_wall_print(l->wall(), head);
        memcpy(head + strlen(head), " ", 2);
    }
    if (l->kind == OM_LOGFILE_FILE)
        (void)om_rotfile_put(&l->file, head, line);
    else
        write_line(l, head, line);
}

enum om_err om_logfile_reopen(struct om_logfile *l, struct om_error *err)
{
    return l->kind == OM_LOGFILE_FILE ? om_rotfile_reopen(&l->file, err) : OM_OK;
}

void om_logfile_close(struct om_logfile *l)
{
    om_rotfile_close(&l->file);
}

uint64_t om_logfile_lost(const struct om_logfile *l)
{
    return l->lost + l->file.lost;
}
