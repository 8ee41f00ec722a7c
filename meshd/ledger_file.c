/* ledger_file.c - a file that only grows. */
#include "ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omerta/wire.h>

#include "host/clock.h"

enum { HEAD = 2, PART_MAX = UINT16_MAX };

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

bool ledger_file_add(const struct om_daemon *d, const struct om_id *network, struct om_bytes part)
{
    uint8_t bytes[HEAD + PART_MAX];
    struct om_wr w = om_wr(om_mut(bytes, sizeof bytes));
    int fd = part.n <= PART_MAX ? open_file(d, network, O_WRONLY | O_CREAT | O_APPEND) : -1;
    struct stat st = {.st_size = LEDGER_FILE_MAX};

    if (fd < 0)
        return false;
    om_wr_u16(&w, (uint16_t)part.n);
    om_wr_bytes(&w, part);
    size_t n = om_wr_len(&w);
    bool is_kept = fstat(fd, &st) == 0 && st.st_size + (off_t)n <= LEDGER_FILE_MAX &&
                   write(fd, bytes, n) == (ssize_t)n && fsync(fd) == 0;
    if (!is_kept && st.st_size + (off_t)n <= LEDGER_FILE_MAX)
        (void)!ftruncate(fd, st.st_size); /* what is added next must not follow half of it */
    (void)close(fd);
    return is_kept;
}

void ledger_file_forget(const struct om_daemon *d, const struct om_id *network)
{
    char path[OM_HOME_PATH_MAX];

    if (path_of(d, network, path))
        (void)unlink(path);
}
