/*
 * fuzz_ipc.c - what a client of the control socket sends: any bytes
 *
 * The first byte says in which pieces they come; the lines must be those of the same bytes at once.
 * Each line is answered as the daemon would: whatever is refused gets one line of JSON.
 */
#include <omerta/text.h>

#include "fuzz.h"
#include "ipc/jsonrpc.h"
#include "ipc/line.h"
#include "ipc/methods.h"

/* @line is an error with this code, to @id; frees it. */
static void check_error(char *line, const json_t *id, int code)
{
    FUZZ_MUST(line && !strchr(line, '\n'));
    json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL), *null = json_null();
    FUZZ_MUST(o && json_is_string(json_object_get(o, "jsonrpc")));
    FUZZ_MUST(json_equal(json_object_get(o, "id"), id ? id : null));
    const json_t *e = json_object_get(o, "error");
    FUZZ_MUST(json_integer_value(json_object_get(e, "code")) == code);
    FUZZ_MUST(json_string_length(json_object_get(e, "message")) > 0);
    json_decref(o);
    free(line);
}

static void refuse(const json_t *id, int code, const struct om_error *err)
{
    FUZZ_MUST(err->code != OM_OK && err->msg[0] != '\0');
    check_error(om_jsonrpc_error(id, code, err), id, code);
    check_error(om_jsonrpc_error(id, OM_IPC_OURS - (int)err->code, err), id,
                OM_IPC_OURS - (int)err->code);
}

/* What may be asked is answered with itself, and that is a request's parameters again. */
static void answer(const struct om_request *r)
{
    char *line = om_jsonrpc_result(r->id, r->params);
    json_t *o = line ? json_loads(line, JSON_REJECT_DUPLICATES, NULL) : NULL;

    FUZZ_MUST(o && !strchr(line, '\n'));
    FUZZ_MUST(json_is_object(json_object_get(o, "result")));
    json_decref(o);
    free(line);
}

static void call(const struct om_request *r)
{
    const struct om_ipc_method *m = om_method_find(r->method);
    struct om_error err = {0};

    if (!m) {
        (void)om_fail(&err, OM_E_MISSING, "no method \"%.60s\": methods.list has them", r->method);
        refuse(r->id, OM_JSONRPC_METHOD, &err);
        return;
    }
    FUZZ_MUST(strcmp(m->name, r->method) == 0);
    if (om_method_check(m, r->params, &err) != OM_OK)
        refuse(r->id, OM_JSONRPC_PARAMS, &err);
    else
        answer(r);
}

/* The @n bytes at @line as a request; false when they are none. */
static bool read_line(const uint8_t *line, size_t n)
{
    struct om_error err = {0};
    const json_t *id;
    struct om_request r;
    int code;
    bool is_request = om_request_parse(&r, om_bytes(line, n), &code, &id, &err);

    if (is_request)
        call(&r);
    else
        refuse(id, code, &err);
    om_request_fini(&r);
    return is_request;
}

/* A line in a block that ends with it; the planted bug is behind a request. */
static void one_line(struct om_bytes line)
{
    uint8_t *copy = fuzz_copy(line.p, line.n);

    if (read_line(copy, line.n) && FUZZ_SLACK > 0)
        (void)read_line(copy, line.n + FUZZ_SLACK);
    free(copy);
}

/* Feeds @in in pieces of @piece bytes; the sum over its lines tells two cuts apart. */
static uint64_t feed(struct om_line *l, struct om_bytes in, size_t piece, bool is_read)
{
    struct om_bytes line;
    uint64_t sum = 0;

    for (size_t used = 0, n; used < in.n; used += n) {
        n = in.n - used < piece ? in.n - used : piece;
        FUZZ_MUST(om_line_feed(l, om_bytes(in.p + used, n)) == OM_OK);
        while (om_line_next(l, &line)) {
            FUZZ_MUST(line.n > 0 && !memchr(line.p, '\n', line.n));
            for (size_t i = 0; i < line.n; i++)
                sum = sum * 31 + line.p[i] + 1;
            sum = sum * 31;
            if (is_read)
                one_line(line);
        }
    }
    return sum;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    struct om_line pieces = {0}, whole = {0};

    if (size == 0 || size > OM_IPC_FRAME_MAX)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct om_bytes in = om_bytes(copy, size - 1);
    uint64_t sum = feed(&pieces, in, 1 + data[0], true);
    FUZZ_MUST(sum == feed(&whole, in, SIZE_MAX, false));
    FUZZ_MUST(om_line_is_unfinished(&pieces) == om_line_is_unfinished(&whole));
    FUZZ_MUST(!om_line_is_too_long(&pieces) && !om_line_is_too_long(&whole));
    om_line_fini(&pieces);
    om_line_fini(&whole);
    free(copy);
    return 0;
}
