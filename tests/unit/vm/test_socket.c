/* test_socket.c - a server that comes late, goes, reads slowly; and one that never comes. */
#include "harness.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "vm/host/socket.h"

/* The server is made of libuv too: its side of what a QEMU does. */
struct rig {
    struct loop loop;
    char folder[FOLDER_MAX + 16];
    uv_pipe_t listener, peer;
    uv_timer_t late;
    bool has_listener, has_peer;
    struct om_vm_socket *s;
    bool is_open, is_closed, has_reply, close_on_open, close_on_bytes;
    unsigned closes;
    enum om_err e;
    char why[100], got[64], reply[64];
    size_t got_n, reply_n;
    char buffer[65536];
    struct om_error err;
};

static void on_alloc(uv_handle_t *h, size_t wanted OM_UNUSED, uv_buf_t *buf)
{
    struct rig *r = h->data;

    *buf = uv_buf_init(r->buffer, sizeof r->buffer);
}

static void on_server_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct rig *r = h->data;

    for (ssize_t i = 0; i < n && r->reply_n < sizeof r->reply - 1; i++)
        r->reply[r->reply_n++] = buf->base[i];
    r->reply[r->reply_n] = 0;
    r->has_reply = true;
}

static void on_connection(uv_stream_t *h, int status)
{
    struct rig *r = h->data;
    uv_buf_t hello = uv_buf_init(r->buffer, 5);

    CHECK_EQ(status, 0);
    CHECK_EQ(uv_pipe_init(&r->loop.uv, &r->peer, 0), 0);
    r->peer.data = r;
    r->has_peer = true;
    CHECK_EQ(uv_accept(h, (uv_stream_t *)&r->peer), 0);
    memcpy(r->buffer, "hello", 5);
    CHECK_EQ(uv_try_write((uv_stream_t *)&r->peer, &hello, 1), 5);
    CHECK_EQ(uv_read_start((uv_stream_t *)&r->peer, on_alloc, on_server_read), 0);
}

/* By its bare name: the folder may be too deep for a path of a socket. */
static void listen_now(struct rig *r)
{
    char before[512];

    CHECK(getcwd(before, sizeof before) != NULL);
    CHECK_EQ(chdir(r->folder), 0);
    CHECK_EQ(uv_pipe_init(&r->loop.uv, &r->listener, 0), 0);
    r->listener.data = r;
    r->has_listener = true;
    CHECK_EQ(uv_pipe_bind(&r->listener, "nic.sock"), 0);
    CHECK_EQ(uv_listen((uv_stream_t *)&r->listener, 1, on_connection), 0);
    CHECK_EQ(chdir(before), 0);
}

static void on_late(uv_timer_t *t)
{
    listen_now(t->data);
}

static void on_open(void *self)
{
    struct rig *r = self;

    r->is_open = true;
    if (r->close_on_open)
        om_vm_socket_close(r->s);
}

static void on_bytes(void *self, const uint8_t *p, size_t n)
{
    struct rig *r = self;

    for (size_t i = 0; i < n && r->got_n < sizeof r->got - 1; i++)
        r->got[r->got_n++] = (char)p[i];
    if (r->close_on_bytes)
        om_vm_socket_close(r->s);
}

static void on_close(void *self, enum om_err e, const char *why)
{
    struct rig *r = self;

    r->e = e;
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    r->is_closed = true;
    r->closes++;
    r->s = NULL;
}

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    CHECK(loop_init(&r->loop));
    (void)snprintf(r->folder, sizeof r->folder, "%s", r->loop.top);
    (void)uv_timer_init(&r->loop.uv, &r->late);
    r->late.data = r;
}

static void rig_fini(struct rig *r)
{
    if (r->s)
        om_vm_socket_close(r->s);
    if (r->has_listener)
        uv_close((uv_handle_t *)&r->listener, NULL);
    if (r->has_peer)
        uv_close((uv_handle_t *)&r->peer, NULL);
    uv_close((uv_handle_t *)&r->late, NULL);
    CHECK(loop_fini(&r->loop));
}

static enum om_err start(struct rig *r, unsigned ms)
{
    struct om_vm_socket_config c = {&r->loop.uv, r->folder, "nic.sock", ms,
                                    on_open,     on_bytes,  on_close,   r};

    return om_vm_socket_open(&r->s, &c, &r->err);
}

static void run_until_got(struct rig *r, size_t n)
{
    while (r->got_n < n && !r->is_closed)
        (void)uv_run(&r->loop.uv, UV_RUN_ONCE);
}

OM_TEST(socket_waits_for_its_server)
{
    struct rig r;

    rig_init(&r);
    OM_TRY(start(&r, 60000) == OM_OK);
    (void)uv_timer_start(&r.late, on_late, 35, 0);
    CHECK(loop_until(&r.loop, &r.is_open));
    CHECK(r.has_listener);
    run_until_got(&r, 5);
    CHECK_STR(r.got, "hello");
out:
    rig_fini(&r);
}

OM_TEST(socket_gives_up_at_its_deadline)
{
    struct rig r;

    rig_init(&r);
    OM_TRY(start(&r, 30) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_closed));
    CHECK_ERR(r.e, OM_E_MISSING);
    CHECK(!r.is_open);
    struct om_vm_socket_config c = {.loop = &r.loop.uv, .folder = "/nonexistent", .name = "x"};
    enum om_err e = om_vm_socket_open(&r.s, &c, &r.err);
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_MISSING);
    c.name = "../x";
    CHECK_ERR(om_vm_socket_open(&r.s, &c, &r.err), OM_E_RANGE);
out:
    rig_fini(&r);
}

OM_TEST(socket_passes_bytes_both_ways)
{
    struct rig r;

    rig_init(&r);
    listen_now(&r);
    OM_TRY(start(&r, 0) == OM_OK);
    CHECK_ERR(om_vm_socket_send(r.s, "early", 5), OM_E_STATE);
    CHECK(loop_until(&r.loop, &r.is_open));
    OM_TRY(om_vm_socket_send(r.s, "well met", 8) == OM_OK);
    CHECK(loop_until(&r.loop, &r.has_reply));
    CHECK_STR(r.reply, "well met");
    run_until_got(&r, 5);
    CHECK_STR(r.got, "hello");
    CHECK(om_vm_socket_pipe(r.s)->type == UV_NAMED_PIPE);
out:
    rig_fini(&r);
}

OM_TEST(socket_knows_its_peer)
{
    struct rig r;

    rig_init(&r);
    listen_now(&r);
    OM_TRY(start(&r, 0) == OM_OK);
    CHECK_EQ(om_vm_socket_peer(r.s), 0);
    CHECK(loop_until(&r.loop, &r.is_open));
    CHECK_EQ(om_vm_socket_peer(r.s), getpid());
out:
    rig_fini(&r);
}

OM_TEST(socket_full_refuses)
{
    static const char piece[65536];
    struct rig r;
    unsigned sent = 0;
    enum om_err e = OM_OK;

    rig_init(&r);
    listen_now(&r);
    OM_TRY(start(&r, 0) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_open));
    while (e == OM_OK && sent < 1000) { /* nobody reads while the loop does not run */
        e = om_vm_socket_send(r.s, piece, sizeof piece);
        sent++;
    }
    OM_TRY(e != OM_E_NO_MEM);
    CHECK_ERR(e, OM_E_BUSY);
    CHECK(sent > OM_VM_SOCKET_QUEUE / sizeof piece);
out:
    rig_fini(&r);
}

OM_TEST(socket_paused_reads_nothing)
{
    struct rig r;

    rig_init(&r);
    listen_now(&r);
    OM_TRY(start(&r, 0) == OM_OK);
    om_vm_socket_pause(r.s, true);
    CHECK(loop_until(&r.loop, &r.is_open));
    while (!r.has_peer) /* by then it has written */
        (void)uv_run(&r.loop.uv, UV_RUN_ONCE);
    for (int i = 0; i < 10; i++)
        (void)uv_run(&r.loop.uv, UV_RUN_NOWAIT);
    CHECK_EQ(r.got_n, 0);
    om_vm_socket_pause(r.s, false);
    run_until_got(&r, 5);
    CHECK_STR(r.got, "hello");
out:
    rig_fini(&r);
}

OM_TEST(socket_tells_the_end_once)
{
    struct rig r;

    rig_init(&r);
    listen_now(&r);
    OM_TRY(start(&r, 0) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_open));
    while (!r.has_peer)
        (void)uv_run(&r.loop.uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&r.peer, NULL);
    r.has_peer = false;
    CHECK(loop_until(&r.loop, &r.is_closed));
    CHECK_OK(r.e);
    CHECK_STR(r.got, "hello");     /* what it said last is not lost */
    OM_TRY(start(&r, 0) == OM_OK); /* it listens on: the NIC after a restart of the daemon */
    r.is_open = false;
    CHECK(loop_until(&r.loop, &r.is_open));
    CHECK_EQ(r.closes, 1);
out:
    rig_fini(&r);
}

OM_TEST(socket_closed_in_its_callbacks)
{
    struct rig r;

    rig_init(&r);
    listen_now(&r);
    r.close_on_open = true;
    OM_TRY(start(&r, 0) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_open));
    r.s = NULL;
    while (!r.has_peer)
        (void)uv_run(&r.loop.uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&r.peer, NULL);
    r.has_peer = r.close_on_open = false;
    (void)uv_run(&r.loop.uv, UV_RUN_NOWAIT);
    r.close_on_bytes = true;
    OM_TRY(start(&r, 0) == OM_OK);
    run_until_got(&r, 1);
    r.s = NULL;
    CHECK_EQ(r.closes, 0);
out:
    rig_fini(&r);
}

OM_TEST(socket_of_a_long_path_works)
{
    static const char deep[] = "/0123456789012345678901234567890123456789";
    static struct rig r;
    static char path[512];

    rig_init(&r);
    (void)snprintf(path, sizeof path, "%s", r.loop.top);
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(path);
        (void)snprintf(path + n, sizeof path - n, "%s", deep);
        CHECK_EQ(mkdir(path, 0700), 0);
    }
    /* The server cannot be told such a path either, and goes there. */
    char before[512];
    CHECK(getcwd(before, sizeof before) != NULL);
    CHECK_EQ(chdir(path), 0);
    (void)snprintf(r.folder, sizeof r.folder, ".");
    listen_now(&r);
    CHECK_EQ(chdir(before), 0);
    struct om_vm_socket_config c = {&r.loop.uv, path,     "nic.sock", 0,
                                    on_open,    on_bytes, on_close,   &r};
    OM_TRY(om_vm_socket_open(&r.s, &c, &r.err) == OM_OK);
    CHECK(loop_until(&r.loop, &r.is_open));
    run_until_got(&r, 5);
    CHECK_STR(r.got, "hello");
out:
    rig_fini(&r);
}
