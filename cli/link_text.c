/* link_text.c - bytes of a link. */
#include "link_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Up to @room bytes; fewer only at the end. -1: it cannot be read. */
static ssize_t read_all(int fd, char *p, size_t room)
{
    size_t n = 0;

    while (n < room) {
        ssize_t got = read(fd, p + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

enum om_err om_link_text_read(char out[static OM_LINK_TEXT_MAX], const char *file,
                              struct om_error *err)
{
    bool is_file = strcmp(file, "-") != 0;
    int fd = is_file ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
    enum om_err e = OM_OK;

    memset(out, 0, OM_LINK_TEXT_MAX);
    if (fd < 0)
        return om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "%.150s: %s", file,
                       strerror(errno));
    ssize_t n = read_all(fd, out, OM_LINK_TEXT_MAX);
    if (n < 0)
        e = om_fail(err, OM_E_STATE, "%.150s: %s", file, strerror(errno));
    else if (n == 0 || n == OM_LINK_TEXT_MAX || memchr(out, '\0', (size_t)n))
        e = om_fail(err, OM_E_RANGE, "%.150s: want a link, of less than %d bytes",
                    is_file ? file : "standard input", OM_LINK_TEXT_MAX);
    if (e != OM_OK)
        explicit_bzero(out, OM_LINK_TEXT_MAX);
    if (is_file)
        (void)close(fd);
    return e;
}

bool om_link_text_is_old(const char *text)
{
    return strncmp(text, "omerta://connect?", strlen("omerta://connect?")) == 0 &&
           !strstr(text, "peer=");
}
