/* rpc.c - length, JSON, and who may speak next. */
#include "message/rpc.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <omerta/wire.h>

#include "service/words.h"

/* @p had @n bytes; an answer may hold the secret of a network. */
static void wipe(void *p, size_t n)
{
    if (p)
        sodium_memzero(p, n);
    free(p);
}

/* Make @o, which is taken, the frame to send. */
static enum om_err set_out(struct om_call *c, json_t *o)
{
    struct om_mut text;
    enum om_err e = o ? om_words_dump(o, &text) : OM_E_NO_MEM;

    json_decref(o);
    if (e != OM_OK)
        return e;
    c->out = malloc(OM_CALL_HEAD + text.n);
    if (c->out) {
        c->out_len = OM_CALL_HEAD + text.n;
        struct om_wr w = om_wr(om_mut(c->out, c->out_len));
        om_wr_u32(&w, (uint32_t)text.n);
        om_wr_copy(&w, text.p, text.n);
    }
    wipe(text.p, text.n);
    return c->out ? OM_OK : OM_E_NO_MEM;
}

enum om_err om_call_ask(struct om_call *c, om_time now, const char *method, struct om_bytes args,
                        om_time timeout)
{
    json_t *a;

    if (!om_words_is_name(method))
        return OM_E_RANGE;
    enum om_err e = om_words_load(args, &a);
    if (e != OM_OK)
        return e;
    e = set_out(c, json_pack("{s:s, s:o}", "method", method, "args", a));
    if (e != OM_OK)
        return e;
    c->asks = true;
    c->state = OM_CALL_ASKING;
    c->deadline = now + (timeout > 0 ? timeout : OM_SEC(OM_CALL_TIMEOUT_S));
    return OM_OK;
}

void om_call_hear(struct om_call *c, om_time now)
{
    c->state = OM_CALL_HEARING;
    c->deadline = now + OM_SEC(OM_CALL_HEARING_S);
}

void om_call_fini(struct om_call *c)
{
    wipe(c->out, c->out_len);
    wipe(c->in, c->in_size);
    wipe(c->body, c->body ? strlen(c->body) : 0);
    *c = (struct om_call){.state = OM_CALL_REFUSED};
}

struct om_bytes om_call_output(struct om_call *c)
{
    if (c->is_taken || !c->out)
        return om_bytes(NULL, 0);
    c->is_taken = true;
    return om_bytes(c->out, c->out_len);
}

static bool waits_for_bytes(const struct om_call *c)
{
    return c->state == OM_CALL_ASKING || c->state == OM_CALL_HEARING;
}

static void drop_input(struct om_call *c)
{
    wipe(c->in, c->in_size);
    c->in = NULL;
    c->in_len = c->in_whole = c->in_size = 0;
}

/* It failed on this side: the asker learns it as if the peer had said so, the asked says so. */
static void fail(struct om_call *c, enum om_call_error e)
{
    drop_input(c);
    if (!c->asks && om_call_refuse(c, om_call_error_name(e), NULL) == OM_OK)
        return;
    c->state = OM_CALL_REFUSED;
    c->deadline = OM_NEVER;
    snprintf(c->error, sizeof c->error, "%s", om_call_error_name(e));
    snprintf(c->text, sizeof c->text, "%s", om_call_error_text(e));
}

/* Written anew a number may be longer than it came (0.1 takes 19 bytes), so that only the number
 * of values bounds it; to refuse it for that would puzzle its sender. */
static enum om_err keep_body(struct om_call *c, const json_t *o)
{
    c->body = json_dumps(o, JSON_COMPACT);
    return c->body ? OM_OK : OM_E_NO_MEM;
}

static void on_question(struct om_call *c, const json_t *o)
{
    const char *method = json_string_value(json_object_get(o, "method"));
    const json_t *args = json_object_get(o, "args");

    if (!method || !om_words_is_name(method) || !json_is_object(args)) {
        fail(c, OM_CALL_GARBAGE_ERROR);
        return;
    }
    if (keep_body(c, args) != OM_OK) {
        fail(c, OM_CALL_INTERNAL_ERROR);
        return;
    }
    memcpy(c->method, method, strlen(method) + 1);
    c->state = OM_CALL_ASKED;
    c->deadline = OM_NEVER;
}

static void on_answer(struct om_call *c, const json_t *o)
{
    const json_t *ok = json_object_get(o, "ok"), *error = json_object_get(o, "error");
    const char *name = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "text"));

    if (json_is_object(ok) && !error) {
        if (keep_body(c, ok) != OM_OK) {
            fail(c, OM_CALL_INTERNAL_ERROR);
            return;
        }
        c->state = OM_CALL_ACCEPTED;
    } else if (!ok && name && om_words_is_name(name)) {
        c->state = OM_CALL_REFUSED;
        memcpy(c->error, name, strlen(name) + 1);
        snprintf(c->text, sizeof c->text, "%s", text ? text : "");
    } else {
        fail(c, OM_CALL_GARBAGE_ERROR);
        return;
    }
    c->deadline = OM_NEVER;
}

static void on_frame(struct om_call *c)
{
    json_t *o;
    enum om_err e = om_words_load(om_bytes(c->in + OM_CALL_HEAD, c->in_whole - OM_CALL_HEAD), &o);

    drop_input(c);
    if (e != OM_OK) {
        fail(c, e == OM_E_RANGE    ? OM_CALL_TOO_LARGE_ERROR
                : e == OM_E_NO_MEM ? OM_CALL_INTERNAL_ERROR
                                   : OM_CALL_GARBAGE_ERROR);
        return;
    }
    if (c->asks)
        on_answer(c, o);
    else
        on_question(c, o);
    json_decref(o);
}

/* The head is whole: is what it announces within bounds? */
static bool read_head(struct om_call *c)
{
    struct om_rd r = om_rd(om_bytes(c->head, sizeof c->head));
    uint32_t n = om_rd_u32(&r);

    if (n == 0 || n > OM_WORDS_MAX) {
        fail(c, n == 0 ? OM_CALL_GARBAGE_ERROR : OM_CALL_TOO_LARGE_ERROR);
        return false;
    }
    c->in_whole = OM_CALL_HEAD + n;
    return true;
}

/* Room for @n bytes more. It grows with what came and not with what was announced: four bytes must
 * not make us set aside 64 KiB. */
static bool make_room(struct om_call *c, size_t n)
{
    size_t size = c->in_size > 0 ? c->in_size : OM_CALL_ROOM;

    while (size < c->in_len + n)
        size *= 2;
    if (size > c->in_whole)
        size = c->in_whole;
    if (size <= c->in_size)
        return true;
    uint8_t *in = malloc(size);
    if (!in) {
        fail(c, OM_CALL_INTERNAL_ERROR);
        return false;
    }
    if (c->in)
        memcpy(in, c->in, c->in_size);
    wipe(c->in, c->in_size);
    c->in = in;
    c->in_size = size;
    return true;
}

size_t om_call_input(struct om_call *c, om_time now OM_UNUSED, struct om_bytes in)
{
    size_t used = 0;

    if (!waits_for_bytes(c))
        return 0;
    while (used < in.n && c->in_len < OM_CALL_HEAD)
        c->head[c->in_len++] = in.p[used++];
    if (c->in_len < OM_CALL_HEAD || (c->in_whole == 0 && !read_head(c)))
        return used;
    size_t n = c->in_whole - c->in_len;
    if (n > in.n - used)
        n = in.n - used;
    if (!make_room(c, n))
        return used;
    if (n > 0)
        memcpy(c->in + c->in_len, in.p + used, n);
    c->in_len += n;
    used += n;
    if (c->in_len == c->in_whole)
        on_frame(c);
    return used;
}

void om_call_ended(struct om_call *c)
{
    if (waits_for_bytes(c))
        fail(c, OM_CALL_GONE_ERROR);
}

void om_call_tick(struct om_call *c, om_time now)
{
    if (now >= c->deadline)
        fail(c, OM_CALL_TIMEOUT_ERROR);
}

om_time om_call_deadline(const struct om_call *c)
{
    return waits_for_bytes(c) ? c->deadline : OM_NEVER;
}

enum om_err om_call_accept(struct om_call *c, struct om_bytes body)
{
    json_t *b;

    if (c->state != OM_CALL_ASKED)
        return OM_E_STATE;
    enum om_err e = om_words_load(body, &b);
    if (e == OM_OK)
        e = set_out(c, json_pack("{s:o}", "ok", b));
    if (e == OM_OK)
        c->state = OM_CALL_ACCEPTED;
    return e;
}

enum om_err om_call_refuse(struct om_call *c, const char *error, const char *text)
{
    if (c->asks || c->state == OM_CALL_ACCEPTED || c->state == OM_CALL_REFUSED)
        return OM_E_STATE;
    if (!om_words_is_name(error))
        return OM_E_RANGE;
    enum om_call_error known = OM_CALL_INTERNAL_ERROR;
    for (unsigned i = 0; i < OM_CALL_ERROR_COUNT; i++)
        if (strcmp(om_call_error_name((enum om_call_error)i), error) == 0)
            known = (enum om_call_error)i;
    if (!text)
        text = om_call_error_text(known);
    enum om_err e = set_out(c, json_pack("{s:{s:s, s:s}}", "error", "code", error, "text", text));
    if (e != OM_OK)
        return e;
    c->state = OM_CALL_REFUSED;
    c->deadline = OM_NEVER;
    return OM_OK;
}
