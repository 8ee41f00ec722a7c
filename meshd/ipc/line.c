/* line.c - a buffer that moves its rest to the front. */
#include "ipc/line.h"

#include <string.h>

#include "ipc/wiped.h"

enum { FIRST = 4096 };

void om_line_fini(struct om_line *l)
{
    om_wiped_free(l->bytes);
    *l = (struct om_line){0};
}

static bool reserve(struct om_line *l, size_t room)
{
    size_t cap = l->cap ? l->cap : FIRST;

    if (l->at > 0) {
        memmove(l->bytes, l->bytes + l->at, l->n - l->at);
        l->n -= l->at;
        explicit_bzero(l->bytes + l->n, l->at);
        l->seen -= l->at;
        l->at = 0;
    }
    while (cap < l->n + room)
        cap *= 2;
    if (cap == l->cap)
        return true;
    char *more = om_wiped_grow(l->bytes, l->n, cap);
    if (!more)
        return false;
    l->bytes = more;
    l->cap = cap;
    return true;
}

enum om_err om_line_feed(struct om_line *l, struct om_bytes in)
{
    if (l->is_too_long)
        return OM_E_RANGE;
    if (in.n == 0)
        return OM_OK;
    if (!reserve(l, in.n))
        return OM_E_NO_MEM;
    memcpy(l->bytes + l->n, in.p, in.n);
    l->n += in.n;
    return OM_OK;
}

bool om_line_next(struct om_line *l, struct om_bytes *out)
{
    while (!l->is_too_long && l->seen < l->n) {
        const char *end = memchr(l->bytes + l->seen, '\n', l->n - l->seen);
        size_t stop = end ? (size_t)(end - l->bytes) : l->n;
        if (stop - l->at > OM_IPC_FRAME_MAX) {
            l->is_too_long = true;
            return false;
        }
        l->seen = stop;
        if (!end)
            return false;
        *out = om_bytes(l->bytes + l->at, stop - l->at);
        l->at = l->seen = stop + 1;
        if (out->n > 0 && out->p[out->n - 1] == '\r')
            out->n--;
        if (out->n > 0)
            return true;
    }
    return false;
}

struct om_bytes om_line_rest(const struct om_line *l)
{
    return om_bytes(l->bytes + l->at, l->n - l->at);
}

bool om_line_is_too_long(const struct om_line *l)
{
    return l->is_too_long;
}

bool om_line_is_unfinished(const struct om_line *l)
{
    return l->n > l->at;
}
