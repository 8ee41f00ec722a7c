/* server.c - connections of local programs, and what each wants to be. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/parts.h"
#include "local.h"

enum { BACKLOG = 512 };

void data_drop(struct data_conn *c)
{
    if (c->state == DATA_LISTENING)
        data_unlisten(c);
    om_calls_hang_up(c->data->d->calls, &c->owner, OM_CLOSE_CANCELLED);
    om_list_remove(&c->link);
    c->data->conn_count--;
    if (c->socket)
        om_socket_close(c->socket, false);
    om_line_fini(&c->in);
    free(c);
}

bool data_say(struct data_conn *c, json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    size_t n = text ? strlen(text) : 0;
    bool is_said = false;

    json_decref(o);
    if (text) {
        text[n] = '\n'; /* instead of the end */
        uv_buf_t v = uv_buf_init(text, (unsigned)n + 1);
        /* A line is far smaller than what a socket holds, and lines are few. */
        is_said = uv_try_write(&c->socket->stream, &v, 1) == (int)n + 1;
    }
    free(text);
    return is_said;
}

void data_refuse(struct data_conn *c, const char *error, const char *sentence)
{
    (void)data_say(c, json_pack("{s:b, s:s, s:s}", "ok", 0, "error", error, "message", sentence));
    data_drop(c);
}

void data_fail(struct data_conn *c, const struct om_error *err)
{
    char name[OM_METHOD_MAX + 1] = "";
    const char *symbol = om_err_name(err->code) + strlen("OM_E_");

    for (size_t i = 0; symbol[i] && i < OM_METHOD_MAX; i++)
        name[i] = (char)tolower((unsigned char)symbol[i]);
    data_refuse(c, name, err->msg);
}

static void on_stream_end(void *self, const struct om_splice_end *end OM_UNUSED)
{
    struct data_stream *s = self;

    om_list_remove(&s->link);
    s->data->stream_count--;
    free(s);
}

void data_join(struct data_conn *c, struct om_call_owner *owner)
{
    struct data_stream *s = calloc(1, sizeof *s);
    const struct om_splice_config config = {.calls = c->data->d->calls,
                                            .socket = c->socket,
                                            .owner = owner,
                                            .on_end = on_stream_end,
                                            .self = s,
                                            .is_framed = c->is_framed};

    if (!s) {
        om_calls_hang_up(c->data->d->calls, owner, OM_CLOSE_LIMIT);
        data_drop(c);
        return;
    }
    struct om_bytes rest = om_line_rest(&c->in);
    (void)uv_read_stop(&c->socket->stream);
    c->socket = NULL; /* the splice's */
    s->data = c->data;
    if (om_splice_new(&s->splice, &config) != OM_OK) {
        free(s);
    } else if (om_splice_push(s->splice, rest) != OM_OK) {
        om_splice_close(s->splice, OM_CLOSE_LIMIT);
        free(s);
    } else {
        om_list_push_back(&c->data->streams, &s->link);
        c->data->stream_count++;
        om_splice_start(s->splice);
    }
    data_drop(c);
}

const char *data_name(const json_t *words, const char *key, size_t max, struct om_error *err)
{
    const char *name = json_string_value(json_object_get(words, key));
    size_t n = name ? strlen(name) : 0;

    if (n > 0 && n <= max && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n)
        return name;
    (void)om_fail(err, OM_E_PARSE, "\"%s\": want 1 to %zu of a-z, 0-9, dot and hyphen", key, max);
    return NULL;
}

/* The first line says what the connection is to be. */
static void greet(struct data_conn *c, struct om_bytes line)
{
    json_error_t at;
    json_t *words = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &at);
    const char *open = json_string_value(json_object_get(words, "open"));

    (void)uv_read_stop(&c->socket->stream);
    if (!json_is_object(words))
        data_refuse(c, "bad_line", "the first line is no JSON object; see omerta-data(7)");
    else if (open && (strcmp(open, "stream") == 0 || strcmp(open, "tcp") == 0))
        data_dial(c, words);
    else if (open && strcmp(open, "channel") == 0)
        data_channel(c, words);
    else if (open && strcmp(open, "link") == 0)
        data_link(c, words);
    else if (open && strcmp(open, "job") == 0)
        data_job(c, words);
    else if (open && strcmp(open, "capture") == 0)
        data_capture(c, words);
    else if (json_object_get(words, "listen"))
        data_listen(c, words);
    else if (json_object_get(words, "accept"))
        data_take(c, words);
    else if (json_object_get(words, "refuse"))
        data_turn_away(c, words);
    else
        data_refuse(c, "bad_line",
                    "want \"open\": \"stream\", \"tcp\", \"channel\", \"link\", \"job\" or "
                    "\"capture\", \"listen\", \"accept\" or \"refuse\"; see omerta-data(7)");
    json_decref(words);
}

static void on_alloc(uv_handle_t *h, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    struct data_conn *c = h->data;

    *buf = uv_buf_init(c->data->buffer, sizeof c->data->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct data_conn *c = stream->data;
    struct data *s = c->data;
    struct om_bytes line, in = om_bytes(buf->base, n > 0 ? (size_t)n : 0);

    if (n < 0) {
        data_drop(c);
    } else if (c->state == DATA_CHANNEL) {
        data_channel_input(c, in);
    } else if (c->state == DATA_GREETING) {
        if (om_line_feed(&c->in, in) != OM_OK || om_line_rest(&c->in).n > DATA_LINE_MAX)
            data_refuse(c, "bad_line", "the first line has over 65536 bytes");
        else if (om_line_next(&c->in, &line))
            greet(c, line);
    }
    om_pump_kick(s->d->pump);
}

bool data_read(struct data_conn *c)
{
    return uv_read_start(&c->socket->stream, on_alloc, on_read) == 0;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct data *s = listener->data;
    struct data_conn *c = status == 0 ? calloc(1, sizeof *c) : NULL;

    if (c)
        c->socket = calloc(1, sizeof *c->socket);
    if (!c || !c->socket || uv_pipe_init(&s->d->loop, &c->socket->pipe, 0) < 0) {
        if (c)
            free(c->socket);
        free(c);
        return;
    }
    c->data = s;
    c->socket->handle.data = c;
    om_list_push_back(&s->conns, &c->link);
    s->conn_count++;
    bool is_welcome =
        uv_accept(listener, &c->socket->stream) == 0 && local_is_ours(&c->socket->pipe);
    if (is_welcome && data_conns(s) > OM_DATA_CONNS_MAX)
        data_refuse(c, "full", "too many connections");
    else if (!is_welcome || !data_read(c))
        data_drop(c);
}

static void on_listener_closed(uv_handle_t *h)
{
    free(h->data);
}

void data_close(struct data *s)
{
    for (struct om_link *l = om_list_first(&s->streams), *next; l; l = next) {
        struct data_stream *t = OM_CONTAINER_OF(l, struct data_stream, link);
        next = om_list_next(&s->streams, l);
        om_splice_close(t->splice, OM_CLOSE_CANCELLED);
        free(t);
    }
    for (struct om_link *l = om_list_first(&s->conns), *next; l; l = next) {
        next = om_list_next(&s->conns, l);
        data_drop(OM_CONTAINER_OF(l, struct data_conn, link));
    }
    data_end_captures(s);
    if (s->is_bound)
        (void)unlink(s->d->place.data);
    uv_close((uv_handle_t *)&s->listener, on_listener_closed);
}

unsigned data_conns(const struct data *s)
{
    return s->conn_count + s->stream_count + s->capture_count;
}

bool data_open(struct data **out, struct om_daemon *d, struct om_error *err)
{
    struct data *s = calloc(1, sizeof *s);

    if (!s || uv_pipe_init(&d->loop, &s->listener, 0) < 0) {
        free(s);
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the data socket");
        return false;
    }
    s->d = d;
    s->listener.data = s;
    om_list_init(&s->conns);
    om_list_init(&s->waiting);
    om_list_init(&s->streams);
    om_list_init(&s->captures);
    *out = s;
    s->is_bound = local_listen(&s->listener, d->place.data, BACKLOG, on_connection, "data socket",
                               err) == OM_OK;
    return s->is_bound;
}
