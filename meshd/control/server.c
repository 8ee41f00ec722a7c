/* server.c - clients of the control socket: lines in, answers and events out. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/parts.h"
#include "ipc/wiped.h"
#include "local.h"
#include "host/clock.h"
#include "service/wanted.h"

enum {
    BACKLOG = 2 * OM_CLIENTS_MAX, /* those too many are told so by us, not turned away unheard */
    PAUSE_BYTES = 256 * 1024
};

static void flush(struct control_client *k);

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *k = handle->data;
    struct control *c = k->control;

    om_line_fini(&k->in);
    om_outbox_fini(&k->out);
    json_decref(k->kinds);
    om_wiped_free(k); /* which was read into and written from */
    if (--c->open_handles == 0 && c->is_closing)
        free(c);
}

/* It has gone, or at least says no more. */
static void gone(struct control_client *k)
{
    if (!k->control->is_closing && k->control->d->wanted)
        wanted_client_gone(k->control->d->wanted, k->number);
}

static void hang_up(struct control_client *k)
{
    if (k->is_closing)
        return;
    k->is_closing = true;
    om_list_remove(&k->link);
    k->control->client_count--;
    control_wait_forget(k->control, k->number);
    gone(k);
    uv_close((uv_handle_t *)&k->pipe, on_client_closed);
}

struct control_client *control_client(const struct control *c, uint64_t number)
{
    for (struct om_link *l = om_list_first(&c->clients); l; l = om_list_next(&c->clients, l)) {
        struct control_client *k = OM_CONTAINER_OF(l, struct control_client, link);
        if (k->number == number)
            return k;
    }
    return NULL;
}

/* Queues an answer, which is taken. */
static void put_answer(struct control_client *k, char *line)
{
    if (k->is_closing || !line || om_outbox_put_response(&k->out, line) != OM_OK)
        hang_up(k); /* no memory; or it asks and does not read */
    else
        flush(k);
    om_wiped_free(line);
}

static void refuse(struct control_client *k, const json_t *id, int code, const struct om_error *err)
{
    put_answer(k, om_jsonrpc_error(id, code, err));
}

void control_answer(struct control_client *k, const json_t *id, json_t *result,
                    const struct om_error *err)
{
    if (id && result)
        put_answer(k, om_jsonrpc_result(id, result));
    else if (id)
        refuse(k, id, OM_IPC_OURS - (int)err->code, err);
    json_decref(result);
}

void control_send_to(struct control_client *k, const char *method, json_t *params)
{
    char *line = k->is_closing ? NULL : om_jsonrpc_notification(method, params);

    json_decref(params);
    if (!line)
        return;
    om_outbox_put_event(&k->out, line);
    om_wiped_free(line);
    flush(k);
}

static bool wants(const struct control_client *k, const char *method)
{
    size_t i;
    json_t *kind;

    json_array_foreach(k->kinds, i,
                       kind) if (strcmp(json_string_value(kind), method) == 0) return true;
    /* Who wants to know what happens does not want it again as lines of the log. */
    return k->wants_all && strcmp(method, "log") != 0;
}

void control_send_event(struct control *c, const char *method, json_t *params)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&c->clients); l; l = next) {
        next = om_list_next(&c->clients, l);
        struct control_client *k = OM_CONTAINER_OF(l, struct control_client, link);
        if (wants(k, method))
            control_send_to(k, method, json_incref(params));
    }
    json_decref(params);
}

void control_notify_event(struct control *c, struct om_wall wall, const struct om_event *e)
{
    if (!c || c->client_count == 0 || c->is_closing)
        return;
    json_t *j = json_pack("{s:o, s:s, s:I, s:I}", "at", control_iso(wall), "event",
                          om_event_name(e->kind), "a", (json_int_t)e->a, "b", (json_int_t)e->b);
    if (!om_id_is_zero(&e->peer))
        (void)json_object_set_new(j, "peer", control_id(&e->peer));
    if (e->addr.port != 0)
        (void)json_object_set_new(j, "addr", control_addr(&e->addr));
    control_send_event(c, om_event_name(e->kind), j);
}

void control_notify_log(struct control *c, const char *line)
{
    if (c && c->client_count > 0 && !c->is_closing)
        control_send_event(c, "log", json_pack("{s:o}", "line", control_text(line, strlen(line))));
}

void control_notify_record(struct control *c, const struct om_act_record *r)
{
    const struct daemon_network *net = c ? daemon_network(c->d, &r->network) : NULL;

    if (net && c->client_count > 0)
        control_send_event(
            c, "record",
            json_pack("{s:s, s:o}", "network", net->name, "peer", control_id(&r->peer)));
}

unsigned control_clients(const struct control *c)
{
    return c->client_count;
}

static void answer_line(struct control_client *k, struct om_bytes text)
{
    struct control_ask ask = {.d = k->control->d, .control = k->control, .client = k};
    struct om_error err = {.code = OM_OK};
    struct om_request r;
    const json_t *id;
    int code;

    if (!om_request_parse(&r, text, &code, &id, &err)) {
        refuse(k, id, code, &err);
        om_request_fini(&r);
        return;
    }
    const struct om_ipc_method *m = om_method_find(r.method);
    ask.params = r.params;
    ask.id = r.id;
    if (!m) {
        (void)om_fail(&err, OM_E_MISSING, "no method \"%.60s\": methods.list has them", r.method);
        if (r.id)
            refuse(k, r.id, OM_JSONRPC_METHOD, &err);
    } else if (om_method_check(m, r.params, &err) != OM_OK) {
        if (r.id)
            refuse(k, r.id, OM_JSONRPC_PARAMS, &err);
    } else {
        json_t *result = control_method_find(m->name)(&ask, &err);
        om_pump_kick(k->control->d->pump); /* it may have asked something of the node */
        if (!ask.is_deferred)
            control_answer(k, r.id, result, &err);
    }
    om_request_fini(&r);
}

static void answer_lines(struct control_client *k)
{
    struct om_error err;
    struct om_bytes text;

    while (!k->is_closing && !k->is_paused && om_line_next(&k->in, &text))
        answer_line(k, text);
    if (k->is_closing || !om_line_is_too_long(&k->in))
        return;
    (void)om_fail(&err, OM_E_RANGE, "a line over %d bytes", OM_IPC_FRAME_MAX);
    refuse(k, NULL, OM_JSONRPC_REQUEST, &err);
    hang_up(k);
}

static void on_alloc(uv_handle_t *handle, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    struct control_client *k = handle->data;

    *buf = uv_buf_init(k->read_buffer, sizeof k->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct control_client *k = stream->data;

    if (n < 0) {
        if (n == UV_EOF && om_line_is_unfinished(&k->in))
            k->control->truncated++;
        k->is_silent = true;
        gone(k);
        (void)uv_read_stop(stream);
        if (local_is_gone(&k->pipe)) { /* else it kept its place until the next event */
            json_decref(k->kinds);
            k->kinds = NULL;
            k->wants_all = false;
        }
        if (n == UV_EOF)
            control_leave(k);
        else
            hang_up(k);
        return;
    }
    enum om_err e = n > 0 ? om_line_feed(&k->in, om_bytes(buf->base, (size_t)n)) : OM_OK;
    explicit_bzero(buf->base, (size_t)n);
    if (e == OM_E_NO_MEM) {
        hang_up(k);
        return;
    }
    answer_lines(k);
}

static void on_written(uv_write_t *w, int status)
{
    struct control_client *k = w->data;

    k->is_writing = false;
    explicit_bzero(k->write_buffer, sizeof k->write_buffer);
    if (status < 0) {
        hang_up(k);
        return;
    }
    flush(k);
    if (k->is_closing || !k->is_paused || om_outbox_peek(&k->out).n > PAUSE_BYTES)
        return;
    k->is_paused = false;
    (void)uv_read_start((uv_stream_t *)&k->pipe, on_alloc, on_read);
    answer_lines(k);
}

static void flush(struct control_client *k)
{
    struct om_bytes b;

    while (!k->is_closing && !k->is_writing && (b = om_outbox_peek(&k->out)).n > 0) {
        uv_buf_t v = {.len = b.n};
        memcpy(&v.base, &b.p, sizeof v.base); /* libuv only reads, and knows no const */
        int n = uv_try_write((uv_stream_t *)&k->pipe, &v, 1);
        if (n > 0) {
            om_outbox_consume(&k->out, (size_t)n);
            continue;
        }
        if (n != UV_EAGAIN) {
            hang_up(k);
            return;
        }
        /* What libuv holds must stay where it is: it gets a copy of a bounded piece. */
        size_t piece = b.n < sizeof k->write_buffer ? b.n : sizeof k->write_buffer;
        memcpy(k->write_buffer, b.p, piece);
        om_outbox_consume(&k->out, piece);
        v = uv_buf_init(k->write_buffer, (unsigned)piece);
        k->write.data = k;
        k->is_writing = uv_write(&k->write, (uv_stream_t *)&k->pipe, &v, 1, on_written) == 0;
        if (!k->is_writing)
            hang_up(k);
    }
    if (k->is_closing)
        return;
    /* Who does not read its answers is not heard until it does: on_written(). */
    if (!k->is_paused && om_outbox_peek(&k->out).n > PAUSE_BYTES) {
        k->is_paused = true;
        (void)uv_read_stop((uv_stream_t *)&k->pipe);
    }
    control_leave(k);
}

void control_leave(struct control_client *k)
{
    if (k->is_silent && !k->is_closing && !k->is_writing && !k->kinds && !k->wants_all &&
        om_outbox_peek(&k->out).n == 0 && !control_waits_for(k->control, k->number))
        hang_up(k);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *c = listener->data;
    struct control_client *k = status == 0 ? calloc(1, sizeof *k) : NULL;

    if (!k)
        return;
    if (uv_pipe_init(&c->d->loop, &k->pipe, 0) < 0) {
        free(k);
        return;
    }
    k->control = c;
    k->pipe.data = k;
    k->number = ++c->numbers;
    om_list_push_back(&c->clients, &k->link);
    c->client_count++;
    c->open_handles++;
    if (uv_accept(listener, (uv_stream_t *)&k->pipe) < 0 || !local_is_ours(&k->pipe)) {
        hang_up(k);
        return;
    }
    if (c->client_count > OM_CLIENTS_MAX) {
        struct om_error err;
        (void)om_fail(&err, OM_E_FULL, "%d programs are connected already", OM_CLIENTS_MAX);
        refuse(k, NULL, OM_IPC_OURS - OM_E_FULL, &err);
        hang_up(k);
        return;
    }
    (void)uv_read_start((uv_stream_t *)&k->pipe, on_alloc, on_read);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct control *c = handle->data;

    if (--c->open_handles == 0)
        free(c);
}

void control_close(struct control *c)
{
    struct om_link *l;

    c->is_closing = true;
    while ((l = om_list_first(&c->clients)) != NULL) {
        struct control_client *k = OM_CONTAINER_OF(l, struct control_client, link);
        flush(k);
        hang_up(k);
    }
    if (c->is_bound)
        (void)unlink(c->d->place.control);
    uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}

bool control_open(struct control **out, struct om_daemon *d, struct om_error *err)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c || uv_pipe_init(&d->loop, &c->listener, 0) < 0) {
        free(c);
        (void)om_fail(err, OM_E_NO_MEM, "no memory for the control socket");
        return false;
    }
    c->d = d;
    c->listener.data = c;
    c->open_handles = 1;
    om_list_init(&c->clients);
    om_list_init(&c->waits);
    om_list_init(&c->pings);
    *out = c;
    c->is_bound = local_listen(&c->listener, d->place.control, BACKLOG, on_connection,
                               "control socket", err) == OM_OK;
    return c->is_bound;
}
