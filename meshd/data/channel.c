/* channel.c - a connection that becomes a channel of datagrams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

#include "data/parts.h"
#include "host/clock.h"

void data_channel(struct data_conn *c, json_t *words)
{
    struct om_error err = {.msg = ""};
    const char *name = data_name(words, "name", DATA_CHANNEL_MAX, &err);

    if (!name || !data_from_read(c, words, &err)) {
        data_fail(c, &err);
        return;
    }
    snprintf(c->name, sizeof c->name, "%s%s", OM_DATA_METHODS, name);
    struct om_bytes rest = om_line_rest(&c->in);
    c->state = DATA_CHANNEL;
    if (!data_say(c, json_pack("{s:b, s:i, s:i}", "ok", 1, "from",
                               c->from.is_everybody ? -1 : (int)c->from.count, "max",
                               (int)om_node_send_max(c->name))) ||
        !data_read(c))
        data_drop(c);
    else
        data_channel_input(c, rest);
}

/* One datagram of the program: a key, and what is for the peer. */
static void send_one(struct data_conn *c, struct om_bytes in)
{
    struct om_daemon *d = c->data->d;
    const struct daemon_network *net = daemon_network(d, &c->network);
    struct om_id peer;

    memcpy(peer.b, in.p, sizeof peer.b);
    const struct om_bytes data = om_bytes(in.p + sizeof peer.b, in.n - sizeof peer.b);
    enum om_err e = om_node_send(daemon_node(d), om_clock_now(), &c->network, &peer, c->name, data);
    if ((e == OM_E_MISSING || e == OM_E_NO_ROUTE) && net && daemon_reach(d, net, &peer) == OM_OK)
        e = om_node_send(daemon_node(d), om_clock_now(), &c->network, &peer, c->name, data);
    (void)e; /* a datagram may get lost here as anywhere */
}

/* Takes up to @n bytes of what the program said for its frame. */
static void take(struct data_conn *c, struct om_bytes *in, size_t n)
{
    n = n < in->n ? n : in->n;
    memcpy(c->frame + c->frame_n, in->p, n);
    c->frame_n += n;
    *in = om_bytes(in->p + n, in->n - n);
}

void data_channel_input(struct data_conn *c, struct om_bytes bytes)
{
    const size_t max = 2 + OM_ID_BYTES + om_node_send_max(c->name);

    while (bytes.n > 0) {
        if (c->frame_n < 2)
            take(c, &bytes, 2 - c->frame_n);
        if (c->frame_n < 2)
            return;
        size_t whole = 2 + ((size_t)c->frame[0] << 8 | c->frame[1]);
        if (whole < DATA_FRAME_HEAD || whole > max) {
            data_drop(c); /* where the next frame begins nobody knows */
            return;
        }
        take(c, &bytes, whole - c->frame_n);
        if (c->frame_n < whole)
            continue;
        send_one(c, om_bytes(c->frame + 2, c->frame_n - 2));
        c->frame_n = 0;
    }
}

static void on_written(uv_write_t *w, int status OM_UNUSED)
{
    free(w->data);
    free(w);
}

/* The socket took a part of a datagram: the rest must follow, so libuv gets a copy of it. */
static void write_rest(struct data_conn *c, const uint8_t *frame, size_t n)
{
    uv_write_t *w = calloc(1, sizeof *w);
    char *copy = malloc(n);

    if (w && copy) {
        memcpy(copy, frame, n);
        uv_buf_t v = uv_buf_init(copy, (unsigned)n);
        w->data = copy;
        if (uv_write(w, &c->socket->stream, &v, 1, on_written) == 0)
            return;
    }
    free(copy);
    free(w);
    data_drop(c);
}

static void give(struct data_conn *c, const struct om_act_deliver *a)
{
    uint8_t frame[OM_DGRAM_MAX + DATA_FRAME_HEAD];
    struct om_wr w = om_wr(om_mut(frame, sizeof frame));

    /* One that still has to swallow the last one gets no other: nothing piles up. */
    if (c->socket->stream.write_queue_size > 0)
        return;
    om_wr_u16(&w, (uint16_t)(OM_ID_BYTES + a->data.n));
    om_wr_copy(&w, a->peer.b, sizeof a->peer.b);
    om_wr_copy(&w, a->data.p, a->data.n);
    size_t all = om_wr_len(&w);
    if (all == 0)
        return;
    uv_buf_t v = uv_buf_init((char *)frame, (unsigned)all);
    int n = uv_try_write(&c->socket->stream, &v, 1);
    if (n > 0 && (size_t)n < all)
        write_rest(c, frame + n, all - (size_t)n);
    else if (n < 0 && n != UV_EAGAIN)
        data_drop(c);
}

void data_deliver(struct data *s, const struct om_act_deliver *a)
{
    for (struct om_link *l = om_list_first(&s->conns), *next; l; l = next) {
        struct data_conn *c = OM_CONTAINER_OF(l, struct data_conn, link);
        next = om_list_next(&s->conns, l);
        if (c->state == DATA_CHANNEL && om_id_equal(&c->network, &a->network) &&
            strcmp(c->name, a->channel) == 0 && data_from_has(&c->from, &a->peer))
            give(c, a);
    }
}
