/* socket.c - a uv_pipe_t that tries until it is connected. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <omerta/attr.h>

struct om_vm_socket {
    struct om_vm_socket_config config; /* folder and name: not beyond the open */
    uv_pipe_t pipe;
    uv_timer_t retry;
    uv_connect_t connect;
    uint64_t until; /* on the loop's clock, ms */
    int folder;
    unsigned handles;
    bool is_open, is_closed, is_paused;
    bool is_between; /* the pipe is closing, for the next attempt to have a fresh one */
    char path[OM_VM_SOCKET_NAME_MAX + 32];
    char buffer[64 * 1024];
};

struct piece {
    uv_write_t write;
    char bytes[];
};

static void on_handle_closed(uv_handle_t *h)
{
    struct om_vm_socket *s = h->data;

    if (--s->handles > 0)
        return;
    (void)close(s->folder);
    free(s);
}

void om_vm_socket_close(struct om_vm_socket *s)
{
    if (s->is_closed)
        return;
    s->is_closed = true;
    s->is_open = false;
    if (!s->is_between)
        uv_close((uv_handle_t *)&s->pipe, on_handle_closed);
    uv_close((uv_handle_t *)&s->retry, on_handle_closed);
}

static void end(struct om_vm_socket *s, enum om_err e, const char *why)
{
    void (*on_close)(void *, enum om_err, const char *) = s->config.on_close;
    void *self = s->config.self;

    if (s->is_closed)
        return;
    om_vm_socket_close(s);
    on_close(self, e, why);
}

static void on_alloc(uv_handle_t *h, size_t wanted OM_UNUSED, uv_buf_t *buf)
{
    struct om_vm_socket *s = h->data;

    *buf = uv_buf_init(s->buffer, sizeof s->buffer);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct om_vm_socket *s = h->data;

    if (n > 0)
        s->config.on_bytes(s->config.self, (const uint8_t *)buf->base, (size_t)n);
    else if (n == UV_EOF)
        end(s, OM_OK, "the other end closed");
    else if (n < 0)
        end(s, OM_E_STATE, uv_strerror((int)n));
}

static void set_reading(struct om_vm_socket *s)
{
    if (!s->is_open || !s->config.on_bytes)
        return;
    if (s->is_paused)
        (void)uv_read_stop((uv_stream_t *)&s->pipe);
    else
        (void)uv_read_start((uv_stream_t *)&s->pipe, on_alloc, on_read);
}

static void try_once(struct om_vm_socket *s);

static void on_retry(uv_timer_t *t)
{
    try_once(t->data);
}

static void on_pipe_closed(uv_handle_t *h)
{
    struct om_vm_socket *s = h->data;

    s->is_between = false;
    if (s->is_closed) {
        on_handle_closed(h);
        return;
    }
    (void)uv_pipe_init(s->config.loop, &s->pipe, 0);
    (void)uv_timer_start(&s->retry, on_retry, OM_VM_SOCKET_RETRY_MS, 0);
}

static void on_connect(uv_connect_t *c, int status)
{
    struct om_vm_socket *s = c->data;

    if (s->is_closed)
        return;
    if (status == 0) {
        s->is_open = true;
        set_reading(s);
        if (s->config.on_open)
            s->config.on_open(s->config.self);
        return;
    }
    bool is_early = status == UV_ENOENT || status == UV_ECONNREFUSED || status == UV_EAGAIN;
    if (is_early && uv_now(s->config.loop) < s->until) {
        s->is_between = true;
        uv_close((uv_handle_t *)&s->pipe, on_pipe_closed);
    } else {
        end(s, is_early ? OM_E_MISSING : OM_E_STATE, uv_strerror(status));
    }
}

static void try_once(struct om_vm_socket *s)
{
    uv_pipe_connect(&s->connect, &s->pipe, s->path, on_connect);
}

enum om_err om_vm_socket_open(struct om_vm_socket **out, const struct om_vm_socket_config *config,
                              struct om_error *err)
{
    if (!*config->name || strchr(config->name, '/') ||
        strlen(config->name) >= OM_VM_SOCKET_NAME_MAX)
        return om_fail(err, OM_E_RANGE, "\"%.70s\" is no name for a socket", config->name);
    struct om_vm_socket *s = calloc(1, sizeof *s);
    if (!s)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    s->folder = open(config->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0) {
        int cause = errno;
        free(s);
        return om_fail(err, cause == ENOENT ? OM_E_MISSING : OM_E_STATE, "cannot enter %.120s: %s",
                       config->folder, strerror(cause));
    }
    (void)snprintf(s->path, sizeof s->path, "/proc/self/fd/%d/%s", s->folder, config->name);
    s->config = *config;
    s->config.folder = s->config.name = NULL;
    s->pipe.data = s->retry.data = s->connect.data = s;
    (void)uv_pipe_init(config->loop, &s->pipe, 0);
    (void)uv_timer_init(config->loop, &s->retry);
    s->handles = 2;
    uv_update_time(config->loop);
    s->until = uv_now(config->loop) + config->deadline_ms;
    try_once(s);
    *out = s;
    return OM_OK;
}

static void on_written(uv_write_t *w, int status)
{
    struct om_vm_socket *s = w->data;

    free(OM_CONTAINER_OF(w, struct piece, write));
    if (status < 0)
        end(s, status == UV_EPIPE ? OM_OK : OM_E_STATE, uv_strerror(status));
}

enum om_err om_vm_socket_send(struct om_vm_socket *s, const void *p, size_t n)
{
    uv_stream_t *stream = (uv_stream_t *)&s->pipe;

    if (!s->is_open)
        return OM_E_STATE;
    if (n > OM_VM_SOCKET_QUEUE - uv_stream_get_write_queue_size(stream))
        return OM_E_BUSY;
    struct piece *piece = malloc(sizeof *piece + n);
    if (!piece)
        return OM_E_NO_MEM;
    memcpy(piece->bytes, p, n);
    piece->write.data = s;
    uv_buf_t buf = uv_buf_init(piece->bytes, (unsigned)n);
    if (uv_write(&piece->write, stream, &buf, 1, on_written) == 0)
        return OM_OK;
    free(piece);
    return OM_E_STATE;
}

void om_vm_socket_pause(struct om_vm_socket *s, bool is_paused)
{
    s->is_paused = is_paused;
    set_reading(s);
}

uv_pipe_t *om_vm_socket_pipe(struct om_vm_socket *s)
{
    return &s->pipe;
}

int32_t om_vm_socket_peer(struct om_vm_socket *s)
{
    struct ucred who = {0};
    socklen_t n = sizeof who;
    uv_os_fd_t fd = -1;

    if (!s->is_open || uv_fileno((uv_handle_t *)&s->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        return 0;
    return who.pid;
}
