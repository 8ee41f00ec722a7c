/* order.c - words with spaces between them. */
#include "order.h"

#include <stdio.h>
#include <string.h>

#include "vm/core/base64.h"

enum { DIGITS_MAX = 10 };

static struct om_bytes word(struct om_bytes *line)
{
    struct om_bytes w;

    while (line->n > 0 && (*line->p == ' ' || *line->p == '\t'))
        *line = om_bytes(line->p + 1, line->n - 1);
    w = om_bytes(line->p, 0);
    while (w.n < line->n && w.p[w.n] != ' ' && w.p[w.n] != '\t')
        w.n++;
    *line = om_bytes(line->p + w.n, line->n - w.n);
    return w;
}

static bool is(struct om_bytes w, const char *s)
{
    return w.n == strlen(s) && memcmp(w.p, s, w.n) == 0;
}

static bool read_id(char out[static GUEST_ID], struct om_bytes w)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    (void)snprintf(out, GUEST_ID, "-");
    if (w.n == 0 || w.n >= GUEST_ID || w.p[0] == '-')
        return false;
    for (size_t i = 0; i < w.n; i++)
        if (!memchr(good, w.p[i], sizeof good - 1))
            return false;
    memcpy(out, w.p, w.n);
    out[w.n] = '\0';
    return true;
}

static bool read_number(struct om_bytes w, unsigned base, uint64_t *out)
{
    *out = 0;
    if (w.n == 0 || w.n > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < w.n; i++) {
        if (w.p[i] < '0' || w.p[i] >= '0' + base)
            return false;
        *out = *out * base + (uint64_t)(w.p[i] - '0');
    }
    return true;
}

/* From base64; one that does not begin with / begins at /work. Empty: no path. */
static void read_path(struct guest_order *o, struct om_bytes w)
{
    static const char work[] = "/work/";
    uint8_t bytes[GUEST_PATH];
    size_t n = 0, before = sizeof work - 1;

    o->path[0] = '\0';
    if (w.n / 4 * 3 > sizeof bytes || !om_vm_base64_decode(bytes, &n, w) || n == 0)
        return;
    if (bytes[0] == '/')
        before = 0;
    if (before + n >= sizeof o->path || memchr(bytes, 0, n))
        return;
    memcpy(o->path, work, before);
    memcpy(o->path + before, bytes, n);
    o->path[before + n] = '\0';
}

static void read_put(struct guest_order *o, struct om_bytes mode, struct om_bytes path)
{
    uint64_t bits;
    bool is_mode = (mode.n == 3 || mode.n == 4) && read_number(mode, 8, &bits);

    read_path(o, path);
    if (!is_mode || (o->path[0] && o->path[strlen(o->path) - 1] == '/'))
        o->path[0] = '\0';
    else
        o->mode = (unsigned)bits;
}

static void refuse(struct guest_order *o, const char *why)
{
    o->kind = GUEST_REFUSED;
    o->why = why;
}

static void read_rest(struct guest_order *o, struct om_bytes what, struct om_bytes rest)
{
    struct om_bytes a = word(&rest), b = word(&rest), c = word(&rest);

    if (is(what, "hello")) {
        o->kind = GUEST_HELLO;
    } else if (is(what, "cancel")) {
        o->kind = GUEST_CANCEL;
    } else if (is(what, "run")) {
        o->kind = GUEST_RUN;
        if (a.n < sizeof o->language)
            memcpy(o->language, a.p, a.n);
        if (!read_number(b, 10, &o->number))
            refuse(o, "no length");
    } else if (is(what, "put")) {
        o->kind = GUEST_PUT;
        read_put(o, a, c);
        if (!read_number(b, 10, &o->number))
            refuse(o, "no length");
    } else if (is(what, "get")) {
        o->kind = GUEST_GET;
        read_path(o, a);
        if (!o->path[0])
            refuse(o, "no name of a file");
    } else if (is(what, "time")) {
        o->kind = GUEST_TIME;
        if (!read_number(a, 10, &o->number))
            refuse(o, "no time");
    } else if (is(what, "entropy")) {
        o->kind = GUEST_ENTROPY;
        if (!read_number(a, 10, &o->number))
            refuse(o, "no length");
    } else {
        refuse(o, "no such word");
    }
}

struct guest_order guest_order_read(struct om_bytes line)
{
    struct guest_order o = {.kind = GUEST_NO_ORDER};
    struct om_bytes what = word(&line);

    if (what.n == 0)
        return o;
    if (read_id(o.id, word(&line)))
        read_rest(&o, what, line);
    else
        refuse(&o, "no name for a job");
    return o;
}

bool guest_order_has_body(const struct guest_order *o)
{
    return o->kind == GUEST_RUN || o->kind == GUEST_PUT || o->kind == GUEST_ENTROPY;
}
