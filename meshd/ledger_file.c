/* ledger_file.c - a file that grows, and is written anew when it is full. */
#include "ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/wire.h>

#include "host/clock.h"

#define FRESH ".new"

enum { HEAD = 2, PART_MAX = UINT16_MAX, FRESH_MAX = OM_HOME_PATH_MAX + sizeof FRESH };

static bool path_of(const struct om_daemon *d, const struct om_id *network,
                    char out[static OM_HOME_PATH_MAX])
{
    char id[OM_ID_TEXT];
    int n = snprintf(out, OM_HOME_PATH_MAX, "%s/networks/%s.ledger", om_home_path(d->home),
                     om_id_print(network, id));

    return n > 0 && n < OM_HOME_PATH_MAX;
}

static int open_file(const struct om_daemon *d, const struct om_id *network, int flags)
{
    char path[OM_HOME_PATH_MAX];

    return path_of(d, network, path) ? open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
}

/* All @n bytes; false, with errno 0 where the file ended before. */
static bool read_all(int fd, uint8_t *out, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t more = read(fd, out + got, n - got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more == 0)
            errno = 0;
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

/* Gives back each whole part of @fd. Return: bytes of them, or -1 where it cannot be read. */
static off_t give_back(struct om_daemon *d, const struct om_id *network, int fd)
{
    static uint8_t part[PART_MAX];
    uint8_t head[HEAD];
    off_t good = 0;

    errno = 0;
    while (good < LEDGER_FILE_MAX && read_all(fd, head, sizeof head)) {
        struct om_rd r = om_rd(om_bytes(head, sizeof head));
        size_t n = om_rd_u16(&r);
        if (!read_all(fd, part, n))
            break;
        /* What does not hold is passed over: the others tell it. */
        (void)!om_node_ledger(daemon_node(d), om_clock_now(), network, om_bytes(part, n));
        good += (off_t)(HEAD + n);
        errno = 0;
    }
    return errno == 0 ? good : -1;
}

bool ledger_file_load(struct om_daemon *d, const struct om_id *network, struct om_error *err)
{
    char path[OM_HOME_PATH_MAX] = "";
    int fd = open_file(d, network, O_RDWR);
    off_t good = -1;

    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd >= 0)
        good = give_back(d, network, fd);
    if (good >= 0) /* or what is added next could not be read */
        good = ftruncate(fd, good) == 0 ? good : -1;
    int why = errno;
    if (fd >= 0)
        (void)close(fd);
    (void)path_of(d, network, path);
    return good >= 0 || om_fail(err, OM_E_STATE, "cannot read who was thrown out, in %.150s: %s",
                                path, strerror(why)) == OM_OK;
}

/* @part at the end of @fd. */
static bool write_part(int fd, struct om_bytes part)
{
    uint8_t bytes[HEAD + PART_MAX];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));

    om_wr_u16(&w, (uint16_t)part.n);
    om_wr_bytes(&w, part);
    errno = ENOSPC; /* where a part of it is written */
    return write(fd, bytes, om_wr_len(&w)) == (ssize_t)om_wr_len(&w);
}

/* All that the node has, to @fd. */
static bool write_all(const struct om_daemon *d, const struct om_id *network, int fd)
{
    struct om_ledger_place place = {.log = 0};
    uint8_t part[OM_LEDGER_PART_MAX];
    bool is_written = true;
    size_t n;

    while (is_written && (n = om_node_ledger_all(daemon_node(d), network, &place, part)) > 0)
        is_written = write_part(fd, om_bytes(part, n));
    return is_written && fsync(fd) == 0;
}

/* A file that is new outlives a power cut. One that cannot be told so is there all the same. */
static void sync_folder(const struct om_daemon *d)
{
    char folder[OM_HOME_PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s/networks", om_home_path(d->home));
    int fd = n > 0 && n < OM_HOME_PATH_MAX ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

/* It is full, of what is forgotten since: what the node has takes its place. */
static bool write_anew(const struct om_daemon *d, const struct om_id *network)
{
    char path[OM_HOME_PATH_MAX], fresh[FRESH_MAX];
    bool is_kept = path_of(d, network, path);

    (void)snprintf(fresh, sizeof fresh, "%s" FRESH, path);
    int fd =
        is_kept ? open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    is_kept = fd >= 0 && write_all(d, network, fd) && rename(fresh, path) == 0;
    int why = errno;
    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 && !is_kept)
        (void)unlink(fresh);
    if (is_kept)
        sync_folder(d);
    errno = why;
    return is_kept;
}

bool ledger_file_add(const struct om_daemon *d, const struct om_id *network, struct om_bytes part)
{
    int fd = part.n <= PART_MAX ? open_file(d, network, O_WRONLY | O_CREAT | O_APPEND) : -1;
    struct stat st;

    if (fd < 0)
        return false;
    bool is_known = fstat(fd, &st) == 0;
    if (is_known && st.st_size + (off_t)(HEAD + part.n) > LEDGER_FILE_MAX) {
        (void)close(fd);
        return write_anew(d, network);
    }
    bool is_kept = is_known && write_part(fd, part) && fsync(fd) == 0;
    int why = errno;
    if (is_known && !is_kept)
        (void)!ftruncate(fd, st.st_size); /* what is added next must not follow half of it */
    (void)close(fd);
    if (is_kept && st.st_size == 0)
        sync_folder(d);
    errno = why;
    return is_kept;
}

void ledger_file_forget(const struct om_daemon *d, const struct om_id *network)
{
    char path[OM_HOME_PATH_MAX], fresh[FRESH_MAX];

    if (!path_of(d, network, path))
        return;
    (void)snprintf(fresh, sizeof fresh, "%s" FRESH, path);
    (void)unlink(fresh);
    (void)unlink(path);
}
