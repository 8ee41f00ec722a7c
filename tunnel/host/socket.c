/* socket.c - a connected socket of this machine, and how it ends. */
#include "socket.h"

#include <stdlib.h>
#include <sys/socket.h>

static void on_socket_closed(uv_handle_t *h)
{
    free(h);
}

void om_socket_close(struct om_socket *k, bool is_reset)
{
    if (is_reset && k->handle.type == UV_TCP && uv_tcp_close_reset(&k->tcp, on_socket_closed) == 0)
        return;
    uv_close(&k->handle, on_socket_closed);
}

void om_socket_fragile(struct om_socket *k, bool is_on)
{
    const struct linger l = {.l_onoff = is_on};
    uv_os_fd_t fd;

    if (k->handle.type == UV_TCP && uv_fileno(&k->handle, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}
