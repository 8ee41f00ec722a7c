/* splice.c - a socket of this machine and an accepted call, byte for byte. */
#include "splice.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/list.h>
#include <omerta/node.h>
#include <omerta/wire.h>

#include "host/clock.h"

enum {
    PIECES = 16,      /* of the call that one write to the socket takes */
    HEAD = 4,         /* bytes of a frame's length */
    BLOCK_LEFT = 4096 /* a block with less room than this is full */
};

/* Bytes of the socket, lent to the node from the moment they are written into the call. */
struct block {
    struct om_link link;
    uint64_t start; /* offset of its first byte in the stream */
    size_t filled, written;
    uint8_t bytes[OM_SPLICE_BLOCK];
};

struct om_splice {
    struct om_call_owner owner;
    struct om_calls *calls;
    struct om_socket *socket;
    void (*on_end)(void *self, const struct om_splice_end *end);
    void *self;
    struct om_list blocks;
    uint64_t filled, written, released; /* offsets in what the socket said */
    uint64_t received;                  /* bytes the socket took */
    struct om_shape *from, *to;         /* the socket; NULL: no limit */
    struct om_shape_user in, out;
    uint64_t ahead; /* bytes that may be under way, if all together allow it */
    uv_write_t write;
    uv_shutdown_t shutdown;
    size_t writing;   /* bytes that the socket is taking; 0: none */
    uint8_t *copy;    /* owned: of them, where what the call lent may go */
    size_t head_left; /* bytes of the last frame's length that it did not take yet */
    uint8_t head[HEAD];
    bool is_framed;
    bool is_ended;     /* the frame that says so was written */
    bool is_reading;   /* from the socket */
    bool is_dry;       /* it has said something, and may not be read before its turn */
    bool is_eof;       /* of the socket */
    bool is_finished;  /* and the call was told */
    bool is_shut;      /* the socket was told that the call ended */
    bool is_shut_done; /* and did it */
    bool is_deaf;      /* the socket takes no more, but what it said may still be on its way */
    bool is_done;      /* the call is over */
    bool is_over;
};

/* The bytes that may be under way now. */
static uint64_t ahead_max(const struct om_splice *s)
{
    return *om_calls_ahead(s->calls) < OM_SPLICE_AHEAD_ALL ? s->ahead : OM_SPLICE_BLOCK;
}

/* Room comes again, and @left bytes of what the socket said have left: was there too little? */
static void adapt(struct om_splice *s, uint64_t left)
{
    uint64_t waiting = s->filled > left ? s->filled - left : 0;

    if (s->is_reading || s->is_eof)
        return; /* it is the program that says little */
    if (waiting == 0 && s->ahead < OM_SPLICE_AHEAD_MAX &&
        *om_calls_ahead(s->calls) < OM_SPLICE_AHEAD_ALL / 2)
        s->ahead *= 2;
    else if (waiting > s->ahead / 8 * 7 && s->filled - s->released <= s->ahead + OM_SPLICE_BLOCK &&
             s->ahead > OM_SPLICE_AHEAD)
        s->ahead /= 2; /* once: the next time what was read for more than that is gone */
}

static void free_blocks(struct om_splice *s, uint64_t up_to)
{
    for (struct om_link *l = om_list_first(&s->blocks), *next; l; l = next) {
        struct block *b = OM_CONTAINER_OF(l, struct block, link);
        next = om_list_next(&s->blocks, l);
        if (b->start + b->filled > up_to)
            return;
        om_list_remove(l);
        free(b);
    }
}

/* Freed when libuv has let go of the requests inside. */
static void on_splice_closed(uv_handle_t *h)
{
    struct om_splice *s = h->data;

    free(s->copy);
    free(s->socket);
    free(s);
}

/* The socket is not going to be read now, so that others may. */
static void leave_in(struct om_splice *s)
{
    s->is_dry = false;
    if (s->from)
        om_shape_leave(s->from, &s->in);
}

static void take_down(struct om_splice *s, bool is_reset, enum om_close_code code)
{
    s->is_over = true;
    leave_in(s);
    if (s->to)
        om_shape_leave(s->to, &s->out);
    *om_calls_ahead(s->calls) -= s->filled - s->released;
    om_calls_hang_up(s->calls, &s->owner, code);
    free_blocks(s, UINT64_MAX);
    s->socket->handle.data = s;
    if (!is_reset) /* what the kernel still has goes out */
        om_socket_fragile(s->socket, false);
    if (!is_reset || s->socket->handle.type != UV_TCP ||
        uv_tcp_close_reset(&s->socket->tcp, on_splice_closed) != 0)
        uv_close(&s->socket->handle, on_splice_closed);
}

static void end(struct om_splice *s, bool is_reset, enum om_close_code code)
{
    struct om_splice_end e;

    if (s->is_over)
        return;
    om_splice_counts(s, &e);
    e.is_reset = is_reset;
    take_down(s, is_reset, code);
    if (s->on_end)
        s->on_end(s->self, &e);
}

static void fail(struct om_splice *s)
{
    end(s, true, OM_CLOSE_CANCELLED);
}

/* The program reads no more. If it has said all it had to say, the peer shall still have that. */
static void fail_write(struct om_splice *s)
{
    s->is_deaf = true;
    if (!s->is_eof || s->released == s->filled)
        fail(s);
}

/* The first block with bytes that the node was not lent; from the end, as only the last few have
 * any. */
static struct om_link *first_unwritten(const struct om_splice *s)
{
    struct om_link *first = NULL;

    if (s->written == s->filled)
        return NULL;
    for (struct om_link *l = s->blocks.head.prev; l != &s->blocks.head; l = l->prev) {
        const struct block *b = OM_CONTAINER_OF(l, struct block, link);
        if (b->filled > 0 && b->written == b->filled)
            break;
        first = l;
    }
    return first;
}

/* Lends the node what was read and it does not have yet. */
static void feed(struct om_splice *s)
{
    struct om_node *n = om_calls_node(s->calls);

    for (struct om_link *l = first_unwritten(s); l; l = om_list_next(&s->blocks, l)) {
        struct block *b = OM_CONTAINER_OF(l, struct block, link);
        size_t left = b->filled - b->written;
        if (left == 0)
            continue;
        enum om_err e =
            om_node_write(n, om_clock_now(), s->owner.call, om_bytes(b->bytes + b->written, left));
        if (e == OM_E_BUSY)
            return;            /* what is released next makes room */
        if (e == OM_E_STATE) { /* the peer wants no more of it; what it says may still come */
            b->written = b->filled;
            s->is_finished = true;
            continue;
        }
        if (e != OM_OK) {
            fail(s);
            return;
        }
        b->written += left;
        s->written += left;
    }
    if (s->is_eof && !s->is_finished && s->written == s->filled) {
        s->is_finished = true;
        if (om_node_finish(n, om_clock_now(), s->owner.call) != OM_OK)
            fail(s);
    }
}

static struct block *last_block(struct om_splice *s)
{
    struct om_link *l = om_list_is_empty(&s->blocks) ? NULL : s->blocks.head.prev;
    struct block *b = l ? OM_CONTAINER_OF(l, struct block, link) : NULL;

    return b && OM_SPLICE_BLOCK - b->filled >= BLOCK_LEFT ? b : NULL;
}

/* A block with room; NULL without memory. */
static struct block *block_with_room(struct om_splice *s)
{
    struct block *b = last_block(s);

    if (b)
        return b;
    b = malloc(sizeof *b);
    if (!b)
        return NULL;
    b->link = (struct om_link){0};
    b->start = s->filled;
    b->filled = b->written = 0;
    om_list_push_back(&s->blocks, &b->link);
    return b;
}

static void on_alloc(uv_handle_t *h, size_t suggested OM_UNUSED, uv_buf_t *buf)
{
    struct om_splice *s = h->data;
    struct block *b = block_with_room(s);
    size_t room = b ? OM_SPLICE_BLOCK - b->filled : 0;

    if (b && s->from) {
        room = om_shape_room(s->from, &s->in, room);
        s->is_dry = room == 0;
    }
    /* Without a buffer libuv reports UV_ENOBUFS. */
    *buf =
        room > 0 ? uv_buf_init((char *)b->bytes + b->filled, (unsigned)room) : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf OM_UNUSED)
{
    struct om_splice *s = stream->data;

    if (s->is_dry) {
        (void)uv_read_stop(stream);
        s->is_reading = false;
        return;
    }
    if (n <= 0)
        leave_in(s);
    else if (s->from)
        om_shape_took(s->from, &s->in, (size_t)n);
    if (n == 0)
        return;
    if (n < 0 && n != UV_EOF) {
        fail(s);
        om_calls_kick(s->calls);
        return;
    }
    if (n == UV_EOF) {
        s->is_eof = true;
        (void)uv_read_stop(stream);
        s->is_reading = false;
    } else {
        struct block *b = last_block(s);
        b->filled += (size_t)n;
        s->filled += (uint64_t)n;
        *om_calls_ahead(s->calls) += (uint64_t)n;
    }
    feed(s);
    if (!s->is_over && s->is_reading && s->filled - s->released >= ahead_max(s)) {
        (void)uv_read_stop(stream);
        s->is_reading = false;
    }
    om_calls_kick(s->calls);
}

static void read_on(struct om_splice *s)
{
    if (s->is_over || s->is_reading || s->is_eof || s->is_dry ||
        s->filled - s->released > ahead_max(s) / 2)
        return;
    if (uv_read_start(&s->socket->stream, on_alloc, on_read) == 0)
        s->is_reading = true;
    else
        fail(s);
}

static bool is_readable(const struct om_splice *s)
{
    struct pollfd p = {.events = POLLIN};

    return uv_fileno(&s->socket->handle, &p.fd) == 0 && poll(&p, 1, 0) > 0;
}

/* Libuv asks for a buffer once more after a full one: there may be nothing, and then the turn is
 * not used, and the others' would never come. */
static void on_turn_in(struct om_shape_user *u)
{
    struct om_splice *s = OM_CONTAINER_OF(u, struct om_splice, in);

    s->is_dry = false;
    read_on(s);
    if (!s->is_over && (!s->is_reading || !is_readable(s)))
        leave_in(s);
    om_calls_kick(s->calls);
}

static void settle(struct om_splice *s)
{
    if (!s->is_over && s->is_deaf && s->released == s->filled)
        fail(s);
    if (!s->is_over && s->is_done && s->is_shut_done)
        end(s, false, OM_CLOSE_DONE);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct om_splice *s = req->data;

    if (s->is_over)
        return;
    if (status < 0 && status != UV_ENOTCONN) {
        fail(s);
    } else {
        s->is_shut_done = true;
        settle(s);
    }
    om_calls_kick(s->calls);
}

static void drain(struct om_splice *s);

static void took(struct om_splice *s, size_t n)
{
    size_t head = n < s->head_left ? n : s->head_left;

    s->head_left -= head;
    n -= head;
    if (n == 0)
        return;
    s->received += n;
    om_node_consume(om_calls_node(s->calls), om_clock_now(), s->owner.call, n);
}

static void on_written(uv_write_t *req, int status)
{
    struct om_splice *s = req->data;
    size_t n = s->writing;

    s->writing = 0;
    free(s->copy);
    s->copy = NULL;
    if (s->is_over)
        return;
    if (status < 0)
        fail_write(s);
    else
        took(s, n);
    drain(s);
    om_calls_kick(s->calls);
}

/* Has libuv write @bufs, less the @skip bytes the socket took already, when the socket can. */
static bool write_later(struct om_splice *s, uv_buf_t *bufs, unsigned count, size_t skip)
{
    unsigned first = 0;

    for (; skip >= bufs[first].len; first++)
        skip -= bufs[first].len;
    bufs[first].base += skip;
    bufs[first].len -= skip;
    for (unsigned i = first; i < count; i++)
        s->writing += bufs[i].len;
    s->write.data = s;
    if (om_calls_keep(s->calls, &s->owner, bufs + first, count - first, &s->copy) &&
        uv_write(&s->write, &s->socket->stream, bufs + first, count - first, on_written) == 0)
        return true;
    s->writing = 0;
    return false;
}

/* The length of a frame of @n bytes, which is at most PIECES of what one packet brings. */
static uv_buf_t head_of(struct om_splice *s, size_t n)
{
    struct om_wr w = om_wr(om_mut(s->head, sizeof s->head));

    om_wr_u32(&w, (uint32_t)n);
    s->head_left = HEAD;
    return uv_buf_init((char *)s->head, HEAD);
}

/* Has the socket take what it can of @count pieces; the rest it takes when it can. */
static void give(struct om_splice *s, const struct om_bytes *pieces, unsigned count)
{
    uv_buf_t room[1 + PIECES], *bufs = room + 1;
    size_t all = 0;
    int n = 0;

    for (unsigned i = 0; i < count; i++) {
        memcpy(&bufs[i].base, &pieces[i].p, sizeof bufs[i].base); /* uv_buf_t has no const */
        bufs[i].len = pieces[i].n;
        all += pieces[i].n;
    }
    if (s->is_framed) {
        *--bufs = head_of(s, all);
        count++;
        all += HEAD;
    }
    if (!s->is_deaf)
        n = uv_try_write(&s->socket->stream, bufs, count);
    size_t taken = s->is_deaf ? all : n > 0 ? (size_t)n : 0;
    if ((n < 0 && n != UV_EAGAIN) || (taken < all && !write_later(s, bufs, count, taken)))
        fail_write(s);
    else if (taken > 0)
        took(s, taken);
}

/* Cuts @pieces to what the socket may take now; how many are left, 0 until its turn. */
static unsigned cut(struct om_splice *s, struct om_bytes *pieces, unsigned count)
{
    size_t all = 0, room;

    for (unsigned i = 0; i < count; i++)
        all += pieces[i].n;
    room = om_shape_room(s->to, &s->out, all);
    if (room == 0)
        return 0;
    om_shape_took(s->to, &s->out, room);
    for (unsigned i = 0; i < count; i++) {
        if (pieces[i].n >= room) {
            pieces[i].n = room;
            return i + 1;
        }
        room -= pieces[i].n;
    }
    return count;
}

static void on_turn_out(struct om_shape_user *u)
{
    struct om_splice *s = OM_CONTAINER_OF(u, struct om_splice, out);
    struct om_calls *calls = s->calls;

    drain(s);
    if (!s->is_over && u->user.is_called)
        om_shape_leave(s->to, u);
    om_calls_kick(calls);
}

/* Hands the socket what the call brought. */
static void drain(struct om_splice *s)
{
    struct om_bytes pieces[PIECES];
    bool is_end = false;
    unsigned count;

    while (!s->is_over && s->writing == 0 &&
           (count = om_node_read_pieces(om_calls_node(s->calls), s->owner.call, pieces, PIECES,
                                        &is_end)) > 0) {
        if (s->to && (count = cut(s, pieces, count)) == 0)
            return;
        give(s, pieces, count);
    }
    if (!s->is_over && is_end && s->writing == 0 && s->is_framed && !s->is_ended) {
        s->is_ended = true;
        give(s, NULL, 0);
    }
    if (!s->is_over && is_end && s->writing == 0 && !s->is_shut && !s->is_deaf) {
        s->is_shut = true;
        s->shutdown.data = s;
        if (uv_shutdown(&s->shutdown, &s->socket->stream, on_shutdown) < 0)
            fail_write(s);
    }
}

static void on_reply(struct om_call_owner *o OM_UNUSED, const struct om_act_reply *r OM_UNUSED)
{
    OM_BUG_IF(true); /* the call was accepted before it came here */
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct om_splice *s = OM_CONTAINER_OF(o, struct om_splice, owner);
    unsigned what = news->news;

    if (what & OM_CALL_RESET) {
        end(s, true, OM_CLOSE_CANCELLED);
        return;
    }
    if (what & OM_CALL_RELEASED) {
        adapt(s, news->left);
        *om_calls_ahead(s->calls) -= news->released - s->released;
        s->released = news->released;
        free_blocks(s, s->released);
        feed(s);
        read_on(s);
        settle(s);
    }
    if (!s->is_over && (what & OM_CALL_STOPPED)) {
        s->is_finished = true;
        leave_in(s);
        (void)uv_read_stop(&s->socket->stream);
        s->is_reading = false;
        s->is_eof = true; /* as far as the peer cares */
    }
    if (!s->is_over && (what & OM_CALL_READABLE))
        drain(s);
    if (!s->is_over && (what & OM_CALL_DONE)) {
        s->is_done = true;
        settle(s);
    }
}

enum om_err om_splice_new(struct om_splice **out, const struct om_splice_config *config)
{
    struct om_splice *s = calloc(1, sizeof *s);

    if (s) {
        s->owner.on_reply = on_reply;
        s->owner.on_stream = on_stream;
    } else {
        om_calls_hang_up(config->calls, config->owner, OM_CLOSE_LIMIT);
    }
    if (!s || om_calls_hand_over(config->calls, config->owner, &s->owner) != OM_OK) {
        om_socket_close(config->socket, true);
        free(s);
        return OM_E_NO_MEM;
    }
    s->calls = config->calls;
    s->socket = config->socket;
    s->on_end = config->on_end;
    s->self = config->self;
    s->from = config->from_socket;
    s->to = config->to_socket;
    s->is_framed = config->is_framed;
    s->in.on_turn = on_turn_in;
    s->out.on_turn = on_turn_out;
    s->socket->handle.data = s;
    s->ahead = OM_SPLICE_AHEAD;
    om_list_init(&s->blocks);
    *out = s;
    return OM_OK;
}

enum om_err om_splice_push(struct om_splice *s, struct om_bytes bytes)
{
    struct block *b;

    if (bytes.n == 0)
        return OM_OK;
    b = block_with_room(s);
    if (!b || bytes.n > OM_SPLICE_BLOCK - b->filled)
        return OM_E_NO_MEM;
    memcpy(b->bytes + b->filled, bytes.p, bytes.n);
    b->filled += bytes.n;
    s->filled += bytes.n;
    *om_calls_ahead(s->calls) += bytes.n;
    return OM_OK;
}

void om_splice_start(struct om_splice *s)
{
    om_node_limit(om_calls_node(s->calls), om_clock_now(), s->owner.call);
    om_socket_fragile(s->socket, true);
    feed(s);
    read_on(s);
    drain(s);
    om_calls_kick(s->calls);
}

void om_splice_close(struct om_splice *s, enum om_close_code code)
{
    if (!s->is_over)
        take_down(s, true, code);
}

void om_splice_counts(const struct om_splice *s, struct om_splice_end *out)
{
    *out = (struct om_splice_end){.sent = s->released, .received = s->received};
}
