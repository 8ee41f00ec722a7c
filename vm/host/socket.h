/*
 * socket.h - a byte stream to one socket of a QEMU
 *
 * What:  connects to a Unix socket in a machine's folder, again and again until a deadline, then
 *        passes bytes both ways; lends its pipe to who moves frames by himself.
 * Why:   monitor, console, agent and NIC are all such sockets; QEMU makes them some time after it
 *        started, and listens again after we were gone.
 * Keeps: socket_waits_for_its_server; socket_gives_up_at_its_deadline;
 *        socket_passes_bytes_both_ways; socket_full_refuses; socket_paused_reads_nothing;
 *        socket_tells_the_end_once; socket_closed_in_its_callbacks; socket_of_a_long_path_works;
 *        socket_knows_its_peer.
 *
 *                   connected           end, error
 *   CONNECTING ---------------> OPEN --------------> on_close(), freed
 *       | deadline                                     ^
 *       +----------------------------------------------+
 *
 * A path of a socket has at most 107 bytes, and homes may be deep: so the folder is opened and the
 * socket reached through it. QEMU is started in the folder and told the bare name, for the same
 * reason.
 *
 * Full: OM_VM_SOCKET_QUEUE bytes that were not taken, then OM_E_BUSY.
 *
 * Source: unix(7), SO_PEERCRED: of a socket that listens, who made it listen.
 */
#ifndef OM_VM_HOST_SOCKET_H
#define OM_VM_HOST_SOCKET_H

#include <stdbool.h>

#include <uv.h>

#include <omerta/err.h>

enum {
    OM_VM_SOCKET_QUEUE = 1024 * 1024, /* bytes */
    OM_VM_SOCKET_RETRY_MS = 10,
    OM_VM_SOCKET_NAME_MAX = 64 /* bytes with the zero */
};

struct om_vm_socket_config {
    uv_loop_t *loop;
    const char *folder;   /* of the machine */
    const char *name;     /* of the socket in it */
    unsigned deadline_ms; /* to connect within; 0: the first attempt decides */
    /* All of them may close the socket. on_bytes() may be NULL: then the pipe is not read, and
     * who borrowed it does. */
    void (*on_open)(void *self);
    void (*on_bytes)(void *self, const uint8_t *p, size_t n);
    void (*on_close)(void *self, enum om_err e, const char *why); /* once; OM_OK: the other end */
    void *self;
};

struct om_vm_socket;

/**
 * om_vm_socket_open() - begin to connect
 * @out:     set on success; frees itself after on_close() or om_vm_socket_close()
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING without the folder; OM_E_RANGE for a bad name; OM_E_STATE;
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_socket_open(struct om_vm_socket **out,
                                      const struct om_vm_socket_config *config,
                                      struct om_error *err);

/** om_vm_socket_close() - end @s, of which on_close() is still to come, and will not. */
void om_vm_socket_close(struct om_vm_socket *s);

/**
 * om_vm_socket_send() - write bytes
 * @s:  open
 * @p:  copied
 * @n:  how many
 *
 * Return: OM_OK; OM_E_BUSY when too many wait; OM_E_STATE when it is not open; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_socket_send(struct om_vm_socket *s, const void *p, size_t n);

/** om_vm_socket_pause() - @is_paused: let the other end of @s wait, unread; else read on. */
void om_vm_socket_pause(struct om_vm_socket *s, bool is_paused);

/** om_vm_socket_pipe() - the pipe of @s, which is open, lent until it is closed. */
uv_pipe_t *om_vm_socket_pipe(struct om_vm_socket *s);

/** om_vm_socket_peer() - process id of the other end of @s, which is open; 0 when not known. */
int32_t om_vm_socket_peer(struct om_vm_socket *s);

#endif
