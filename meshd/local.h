/*
 * local.h - Unix sockets for programs of the same user
 *
 * What:  a listener on a path below the home or the runtime folder, mode 0600, and who connected.
 * Why:   the control and the data socket have the same door, and it must be the same lock.
 * Keeps: local_takes_the_place_of_a_dead_socket; local_leaves_what_is_no_socket.
 *
 * Source: unix(7), SO_PEERCRED; poll(2), POLLHUP.
 */
#ifndef OM_MESHD_LOCAL_H
#define OM_MESHD_LOCAL_H

#include <stdbool.h>
#include <uv.h>

#include <omerta/err.h>

/**
 * local_listen() - listen on a path
 * @listener:  initialised
 * @path:      at most 107 bytes; a socket there is what a killed daemon left, and goes
 * @backlog:   of listen(2)
 * @on:        called for each connection
 * @what:      "control socket", for the sentence
 * @err:       sentence for a person
 *
 * Return: OM_OK, and the path is ours to unlink; OM_E_STATE, with nothing left behind.
 */
OM_MUST enum om_err local_listen(uv_pipe_t *listener, const char *path, int backlog,
                                 uv_connection_cb on, const char *what, struct om_error *err);

/** local_is_ours() - is the other end of @pipe our own user, or root? */
bool local_is_ours(uv_pipe_t *pipe);

/** local_is_gone() - did the other end of @pipe close all of it, and not just what it sends? */
bool local_is_gone(uv_pipe_t *pipe);

#endif
