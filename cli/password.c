/* password.c - one line, which is not echoed. */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { CTRL_C = 3, LINE_MAX_BYTES = OM_PASSWORD_MAX + 2 /* with its end, of two bytes */ };

/* Signals would leave the terminal mute, so Ctrl-C only ends the line here. */
static bool hide(int fd, struct termios *before)
{
    struct termios mute;

    if (tcgetattr(fd, before) < 0)
        return false;
    mute = *before;
    mute.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    mute.c_lflag |= ICANON;
    mute.c_cc[VEOL] = CTRL_C;
    return tcsetattr(fd, TCSAFLUSH, &mute) == 0;
}

/* Bytes of the line, or -1; its end is in them, or that of the file. */
static ssize_t read_line(int fd, char *p, size_t room)
{
    size_t n = 0;

    while (n < room) {
        ssize_t got = read(fd, p + n, 1); /* what is behind it is not ours */
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n++;
        if (p[n - 1] == '\n' || p[n - 1] == CTRL_C)
            break;
    }
    return (ssize_t)n;
}

static enum om_err take(char *out, const char *line, ssize_t got, struct om_error *err)
{
    size_t n = got > 0 ? (size_t)got : 0;

    if (got < 0)
        return om_fail(err, OM_E_STATE, "password: %s", strerror(errno));
    if (n > 0 && line[n - 1] == CTRL_C)
        return om_fail(err, OM_E_STATE, "password: interrupted");
    if (n > 0 && line[n - 1] == '\n')
        n--;
    if (n > 0 && line[n - 1] == '\r')
        n--;
    if (n == 0 || n > OM_PASSWORD_MAX || memchr(line, '\0', n))
        return om_fail(err, OM_E_RANGE, "password: want 1 to %d bytes, none of them zero",
                       OM_PASSWORD_MAX);
    memcpy(out, line, n);
    return OM_OK;
}

enum om_err om_password_read(char out[static OM_PASSWORD_MAX + 1], const char *file,
                             struct om_error *err)
{
    bool is_file = file && strcmp(file, "-") != 0;
    int fd = is_file ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
    char line[LINE_MAX_BYTES];
    struct termios before;

    memset(out, 0, OM_PASSWORD_MAX + 1);
    if (fd < 0)
        return om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "%.150s: %s", file,
                       strerror(errno));
    bool is_hidden = isatty(fd) && hide(fd, &before);
    if (is_hidden)
        (void)fputs("password: ", stderr);
    ssize_t n = read_line(fd, line, sizeof line);
    enum om_err e = take(out, line, n, err);
    if (is_hidden) {
        (void)tcsetattr(fd, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    if (is_file)
        (void)close(fd);
    explicit_bzero(line, sizeof line);
    return e;
}
