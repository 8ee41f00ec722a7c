/*
 * socket.h - a connected socket of this machine, and how it ends
 *
 * What:  TCP or a Unix socket as one thing; closed in order, or with a reset.
 * Why:   whatever carries a connection has to end it as the other side of it ended, also when this
 *        process is killed.
 * Keeps: test_a_service_hears_that_its_daemon_was_killed; test_the_daemon_that_uses_is_killed.
 */
#ifndef OM_TUNNEL_SOCKET_H
#define OM_TUNNEL_SOCKET_H

#include <stdbool.h>

#include <uv.h>

enum { OM_SOCKET_KEEPALIVE_S = 60 };

/* Made by malloc(), and uv_close()d and freed by who owns it. */
struct om_socket {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
};

/** om_socket_close() - close @k, with a reset when @is_reset and it is TCP, and free it then. */
void om_socket_close(struct om_socket *k, bool is_reset);

/**
 * om_socket_fragile() - whether the kernel resets @k when this process dies
 * @k:      connected; without effect on a Unix socket, which has no resets
 * @is_on:  reset; else, as at first, it ends as if all had come. Before a close in order it has to
 *          be off, as else what the kernel still has is lost.
 */
void om_socket_fragile(struct om_socket *k, bool is_on);

#endif
