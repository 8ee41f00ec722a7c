/* rx.c - see rx.h */
#include "stack/rx.h"

#include <stdlib.h>

enum { CHUNK_MIN = 4096, CHUNK_MAX = 65536 };

struct om_rx {
    struct om_rx *next;
    size_t at, len, cap; /* bytes from at to len wait */
    uint8_t bytes[];
};

static struct om_rx *chunk_new(size_t n, const struct om_rx *last)
{
    size_t cap = last ? 2 * last->cap : CHUNK_MIN;

    cap = cap < n ? n : cap;
    cap = cap < CHUNK_MAX ? cap : CHUNK_MAX; /* and n, a packet's bytes, is less */
    struct om_rx *c = malloc(sizeof *c + cap);
    if (c)
        *c = (struct om_rx){.cap = cap};
    return c;
}

bool om_rx_append(struct om_flow *f, const struct pbuf *p)
{
    struct om_rx *last = f->rx_last, *more = NULL;
    size_t n = p->tot_len, first = last ? last->cap - last->len : 0;

    first = n < first ? n : first;
    if (n > first) {
        more = chunk_new(n - first, last);
        if (!more)
            return false;
    }
    if (first) {
        pbuf_copy_partial(p, last->bytes + last->len, (u16_t)first, 0);
        last->len += first;
    }
    if (more) {
        more->len = n - first;
        pbuf_copy_partial(p, more->bytes, (u16_t)more->len, (u16_t)first);
        if (last)
            last->next = more;
        else
            f->rx_first = more;
        f->rx_last = more;
    }
    f->rx_bytes += n;
    return true;
}

struct om_bytes om_rx_first(const struct om_flow *f)
{
    const struct om_rx *c = f->rx_first;
    return c ? om_bytes(c->bytes + c->at, c->len - c->at) : om_bytes(NULL, 0);
}

void om_rx_consume(struct om_flow *f, size_t n)
{
    f->rx_bytes -= n;
    while (n > 0 && f->rx_first) {
        struct om_rx *c = f->rx_first;
        size_t here = c->len - c->at;

        if (n < here) {
            c->at += n;
            return;
        }
        n -= here;
        f->rx_first = c->next;
        if (!c->next)
            f->rx_last = NULL;
        free(c);
    }
}

void om_rx_drop(struct om_flow *f)
{
    om_rx_consume(f, f->rx_bytes);
}
