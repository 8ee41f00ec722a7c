/* capture.c - a connection that becomes a file of what a machine sends and gets. */
#include <stdlib.h>

#include <omerta/pcap.h>

#include "data/parts.h"
#include "host/clock.h"
#include "links/links.h"
#include "service/vms.h"

enum { US_PER_MS = 1000 };

struct capture {
    struct om_link link;
    struct data *data;
    struct link_tap tap;
    struct om_socket *socket;
    int64_t wall_us;       /* to be added to a time for the calendar's */
    uint64_t count, bytes; /* that are wanted still */
    uint8_t *out, *busy;   /* @out is filled while @busy is written */
    size_t n;
    uv_write_t write;
    bool is_writing, is_ending, is_over;
};

static void on_closed(uv_handle_t *h)
{
    struct capture *k = h->data;

    free(k->socket);
    free(k->out);
    free(k->busy);
    free(k);
}

static void end(struct capture *k)
{
    if (k->is_over)
        return;
    k->is_over = true;
    link_tap_leave(&k->tap);
    om_list_remove(&k->link);
    k->data->capture_count--;
    uv_close(&k->socket->handle, on_closed);
}

static void flush(struct capture *k);

static void on_written(uv_write_t *w, int status)
{
    struct capture *k = w->data;

    k->is_writing = false;
    if (status < 0)
        end(k);
    else
        flush(k);
}

static void flush(struct capture *k)
{
    uint8_t *full = k->out;
    uv_buf_t v = uv_buf_init((char *)full, (unsigned)k->n);

    if (k->is_writing || k->is_over)
        return;
    if (k->n == 0) {
        if (k->is_ending)
            end(k);
        return;
    }
    k->write.data = k;
    k->is_writing = uv_write(&k->write, &k->socket->stream, &v, 1, on_written) == 0;
    if (!k->is_writing) {
        end(k);
        return;
    }
    k->out = k->busy;
    k->busy = full;
    k->n = 0;
}

/* The program gets what is there, then the end. */
static void finish(struct capture *k)
{
    link_tap_leave(&k->tap);
    k->is_ending = true;
    flush(k);
}

static bool on_frame(struct link_tap *t, om_time now, struct om_bytes frame)
{
    struct capture *k = OM_CONTAINER_OF(t, struct capture, tap);
    size_t n = om_pcap_packet(om_mut(k->out + k->n, DATA_CAPTURE_ROOM - k->n),
                              (uint64_t)(now + k->wall_us), frame);

    if (n == 0)
        return false;
    k->n += n;
    k->count--;
    k->bytes = k->bytes > frame.n ? k->bytes - frame.n : 0;
    if (k->count == 0 || k->bytes == 0)
        finish(k);
    else
        flush(k);
    return true;
}

static void on_end(struct link_tap *t)
{
    finish(OM_CONTAINER_OF(t, struct capture, tap));
}

static void on_alloc(uv_handle_t *h, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    const struct capture *k = h->data;

    *buf = uv_buf_init(k->data->buffer, sizeof k->data->buffer);
}

/* What the program says is nothing; that it goes away is. */
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf OM_UNUSED)
{
    if (n < 0)
        end(stream->data);
}

/* A count above 0 under @key, or without end; false and @err. */
static bool read_bound(uint64_t *out, const json_t *words, const char *key, struct om_error *err)
{
    const json_t *value = json_object_get(words, key);

    *out = UINT64_MAX;
    if (!value)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return om_fail(err, OM_E_PARSE, "\"%s\": want a number above 0", key) == OM_OK;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static void drop(struct capture *k)
{
    if (k) {
        free(k->out);
        free(k->busy);
    }
    free(k);
}

/* One that hears the machine, and has no socket yet; NULL and @err. */
static struct capture *make(struct data *s, const json_t *words, struct om_error *err)
{
    const char *vm = json_string_value(json_object_get(words, "vm"));
    struct capture *k = calloc(1, sizeof *k);

    (void)om_fail(err, OM_E_NO_MEM, "no memory for a capture");
    if (k) {
        k->out = malloc(DATA_CAPTURE_ROOM);
        k->busy = malloc(DATA_CAPTURE_ROOM);
        k->data = s;
        k->tap.on_frame = on_frame;
        k->tap.on_end = on_end;
        k->wall_us = om_clock_wall().unix_ms * US_PER_MS - om_clock_now();
    }
    if (k && k->out && k->busy && read_bound(&k->count, words, "count", err) &&
        read_bound(&k->bytes, words, "bytes", err) && vms_tap(s->d->vms, vm, &k->tap, err)) {
        k->n = om_pcap_head(om_mut(k->out, DATA_CAPTURE_ROOM), OM_PCAP_ETHERNET);
        return k;
    }
    drop(k);
    return NULL;
}

void data_capture(struct data_conn *c, const json_t *words)
{
    struct data *s = c->data;
    struct om_error err = {.msg = ""};
    struct capture *k = NULL;

    if (s->capture_count == OM_DATA_CAPTURES_MAX)
        (void)om_fail(&err, OM_E_FULL, "there are %d captures already", OM_DATA_CAPTURES_MAX);
    else
        k = make(s, words, &err);
    if (!k) {
        data_fail(c, &err);
        return;
    }
    bool is_said = data_say(c, json_pack("{s:b}", "ok", 1));
    k->socket = c->socket;
    k->socket->handle.data = k;
    c->socket = NULL;
    om_list_push_back(&s->captures, &k->link);
    s->capture_count++;
    if (!is_said || uv_read_start(&k->socket->stream, on_alloc, on_read) != 0)
        end(k);
    else
        flush(k);
    data_drop(c);
}

void data_end_captures(struct data *s)
{
    for (struct om_link *l = om_list_first(&s->captures), *next; l; l = next) {
        next = om_list_next(&s->captures, l);
        end(OM_CONTAINER_OF(l, struct capture, link));
    }
}
