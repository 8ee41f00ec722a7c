/* local.c - Unix sockets for programs of the same user. */
#include "local.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum om_err local_listen(uv_pipe_t *listener, const char *path, int backlog, uv_connection_cb on,
                         const char *what, struct om_error *err)
{
    struct stat st;

    /* The folder is ours alone, so a socket in it is what a killed daemon left. */
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(path);
    int e = uv_pipe_bind(listener, path);
    bool is_bound = e == 0;
    if (e == 0 && chmod(path, 0600) < 0)
        e = uv_translate_sys_error(errno);
    if (e == 0)
        e = uv_listen((uv_stream_t *)listener, backlog, on);
    if (e == 0)
        return OM_OK;
    if (is_bound)
        (void)unlink(path);
    return om_fail(err, OM_E_STATE, "%.120s: %s: %s", path, what,
                   e == UV_EADDRINUSE ? "something else is there; remove it" : uv_strerror(e));
}

bool local_is_ours(uv_pipe_t *pipe)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    uv_os_fd_t fd;

    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 &&
           (cred.uid == geteuid() || cred.uid == 0);
}

bool local_is_gone(uv_pipe_t *pipe)
{
    struct pollfd p = {.events = 0};

    return uv_fileno((uv_handle_t *)pipe, &p.fd) == 0 && poll(&p, 1, 0) == 1 &&
           (p.revents & POLLHUP) != 0;
}
