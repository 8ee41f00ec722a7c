/* link_out.c - frames for the program of a link: gathered, and written as its rate lets them. */
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "links/link_ack.h"
#include "links/parts.h"

enum { OUT_SMALL = 64 * 1024, RATE_PART = 4, FULL_MS = 5, ROOM_PART = 8, ROOM_MIN = 16 * 1024 };

static size_t room_max(const struct link *l)
{
    size_t part = l->config.rate / ROOM_PART;

    return part > ROOM_MIN ? part : ROOM_MIN;
}

size_t link_room(const struct link *l)
{
    size_t used = l->out_n + l->filled;

    if (!l->rate.is_set)
        return SIZE_MAX;
    return used < room_max(l) ? room_max(l) - used : 0;
}

void link_fill(struct link *l, size_t n)
{
    l->filled += n;
    l->is_full = l->is_full || link_room(l) == 0;
}

/* Connections that found no room go on once half of it is there. */
static void pace(struct link *l, om_time now)
{
    l->filled = 0;
    if (!l->is_full || l->out_n > room_max(l) / 2)
        return;
    l->is_full = false;
    for (struct om_link *c = om_list_first(&l->tcps), *next; c; c = next) {
        next = om_list_next(&l->tcps, c);
        struct link_tcp *k = OM_CONTAINER_OF(c, struct link_tcp, link);
        if (k->flow && !k->is_knocking)
            link_tcp_news(k, now, OM_FLOW_WRITABLE);
    }
    links_touch(l->links);
}

/* What may wait for the program; of a link with a rate some 250 ms of it. */
static size_t out_max(const struct link *l)
{
    size_t part = l->config.rate / RATE_PART, least = (size_t)2 * LINK_BATCH;

    if (l->config.rate == 0 || part > LINK_OUT)
        return LINK_OUT;
    return part > least ? part : least;
}

/* Room for @n bytes more; false: there is none, or it is enough. */
static bool make_room(struct link *l, size_t n)
{
    size_t want = l->out_room ? l->out_room : OUT_SMALL;

    if (l->out_n + n <= l->out_room)
        return true;
    while (want < l->out_n + n)
        want *= 2;
    uint8_t *bigger = l->out_n + n <= out_max(l) && want <= LINK_OUT ? realloc(l->out, want) : NULL;
    if (!bigger)
        return false;
    l->out = bigger;
    l->out_room = want;
    return true;
}

/* Does @frame make the one before it needless? Then it has its place. Who looks on sees all. */
static bool join(struct link *l, struct om_bytes frame)
{
    bool is_ether = l->config.kind == OM_PORT_ETHER;

    if (!om_list_is_empty(&l->taps) || l->last_n == 0 ||
        !link_ack_follows(is_ether, om_bytes(l->out + l->last_at, l->last_n), frame))
        return false;
    memcpy(l->out + l->last_at, frame.p, frame.n);
    l->counts.joined++;
    return true;
}

void link_put(struct link *l, om_time now, struct om_bytes frame)
{
    if (join(l, frame))
        return;
    if (!make_room(l, LINK_HEAD + frame.n)) {
        l->counts.out_full++;
        return;
    }
    struct om_wr w = om_wr(om_mut(l->out + l->out_n, l->out_room - l->out_n));
    om_wr_u32(&w, (uint32_t)frame.n);
    om_wr_copy(&w, frame.p, frame.n);
    l->last_at = l->out_n + LINK_HEAD;
    l->last_n = frame.n;
    l->out_n += om_wr_len(&w);
    l->counts.frames_out++;
    l->counts.bytes_out += frame.n;
    link_look(l, now, LINK_GOT, frame);
    link_gate_answer(l->gate, now, frame);
    if (l->out_n >= LINK_BATCH)
        link_flush(l);
}

/* What a program that did not read made large does not stay so. */
static void shrink(uint8_t **buffer, size_t *room)
{
    if (*room <= (size_t)2 * LINK_BATCH)
        return;
    free(*buffer);
    *buffer = NULL;
    *room = 0;
}

static void on_written(uv_write_t *w, int status)
{
    struct link *l = w->data;

    l->is_writing = false;
    shrink(&l->busy, &l->busy_room);
    if (l->is_over)
        return;
    if (status < 0)
        link_end(l);
    else
        link_flush(l);
}

/* Libuv writes what the socket did not take, from the buffer that was filled until now. */
static void write_later(struct link *l, size_t from)
{
    uint8_t *free_one = l->busy;
    size_t free_room = l->busy_room;
    uv_buf_t v = uv_buf_init((char *)l->out + from, (unsigned)(l->out_n - from));

    l->write.data = l;
    if (uv_write(&l->write, &l->socket->stream, &v, 1, on_written) != 0) {
        l->out_n = 0; /* it has gone, and the next read tells */
        return;
    }
    l->is_writing = true;
    l->busy = l->out;
    l->busy_room = l->out_room;
    l->out = free_one;
    l->out_room = free_room;
    l->out_n = 0;
}

/* As much as the rate lets through; the rest waits for its turn, or for the socket. */
static void write_rated(struct link *l, om_time now)
{
    size_t room = 0, done = 0, taken = 0;

    while (done < l->out_n) {
        room = link_rate_room(&l->rate, now, LINK_GOT, l->out_n - done);
        uv_buf_t v = uv_buf_init((char *)l->out + done, (unsigned)room);
        int n = room > 0 ? uv_try_write(&l->socket->stream, &v, 1) : 0;
        taken = n > 0 ? (size_t)n : 0;
        link_rate_took(&l->rate, now, LINK_GOT, taken);
        done += taken;
        if (taken == 0 || taken < room)
            break;
    }
    memmove(l->out, l->out + done, l->out_n - done);
    l->out_n -= done;
    l->write_at = taken < room ? now + OM_MS(FULL_MS) : OM_NEVER;
    if (l->out_n == 0)
        shrink(&l->out, &l->out_room);
    pace(l, now);
}

void link_flush(struct link *l)
{
    if (l->is_writing || !l->socket || l->is_over)
        return;
    l->last_n = 0;
    if (l->rate.is_set && l->out_n + l->filled > 0) {
        write_rated(l, om_clock_now());
        return;
    }
    if (l->out_n == 0)
        return;
    uv_buf_t v = uv_buf_init((char *)l->out, (unsigned)l->out_n);
    int n = uv_try_write(&l->socket->stream, &v, 1);
    size_t taken = n > 0 ? (size_t)n : 0;
    if (taken < l->out_n) {
        write_later(l, taken);
        return;
    }
    l->out_n = 0;
    shrink(&l->out, &l->out_room);
}
