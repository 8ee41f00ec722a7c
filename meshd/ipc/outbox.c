/* outbox.c - a buffer that gives its memory back when it is empty. */
#include "ipc/outbox.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ipc/wiped.h"

enum { FIRST = 4096 };

void om_outbox_fini(struct om_outbox *o)
{
    om_wiped_free(o->bytes);
    *o = (struct om_outbox){0};
}

static enum om_err put(struct om_outbox *o, const char *line, size_t max)
{
    size_t n = strlen(line), cap = o->cap ? o->cap : FIRST;

    if (o->n - o->at + n + 1 > max)
        return OM_E_FULL;
    if (o->at > 0) {
        memmove(o->bytes, o->bytes + o->at, o->n - o->at);
        o->n -= o->at;
        explicit_bzero(o->bytes + o->n, o->at);
        o->at = 0;
    }
    while (cap < o->n + n + 1)
        cap *= 2;
    if (cap != o->cap) {
        char *more = om_wiped_grow(o->bytes, o->n, cap);
        if (!more)
            return OM_E_NO_MEM;
        o->bytes = more;
        o->cap = cap;
    }
    memcpy(o->bytes + o->n, line, n);
    o->bytes[o->n + n] = '\n';
    o->n += n + 1;
    return OM_OK;
}

enum om_err om_outbox_put_response(struct om_outbox *o, const char *line)
{
    return put(o, line, OM_OUTBOX_BYTES);
}

void om_outbox_put_event(struct om_outbox *o, const char *line)
{
    char gap[96];
    bool is_told = o->lost == 0;

    if (!is_told && o->n - o->at + strlen(line) + sizeof gap < OM_OUTBOX_EVENT_BYTES) {
        (void)snprintf(gap, sizeof gap,
                       "{\"jsonrpc\":\"2.0\",\"method\":\"event.gap\",\"params\":{\"lost\":%" PRIu64
                       "}}",
                       o->lost);
        is_told = put(o, gap, OM_OUTBOX_EVENT_BYTES) == OM_OK;
        if (is_told)
            o->lost = 0;
    }
    if (!is_told || put(o, line, OM_OUTBOX_EVENT_BYTES) != OM_OK)
        o->lost++;
}

struct om_bytes om_outbox_peek(const struct om_outbox *o)
{
    return o->n > o->at ? om_bytes(o->bytes + o->at, o->n - o->at) : om_bytes(NULL, 0);
}

void om_outbox_consume(struct om_outbox *o, size_t n)
{
    o->at += n;
    if (o->at < o->n)
        return;
    uint64_t lost = o->lost;
    om_outbox_fini(o);
    o->lost = lost;
}
