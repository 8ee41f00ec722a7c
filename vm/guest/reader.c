/* reader.c - one buffer; a line is whole in it, a body is given as it comes. */
#include "reader.h"

#include <string.h>

static const char hello[] = "\nhello ";

struct om_mut guest_reader_room(struct guest_reader *r)
{
    if (r->at > 0) {
        memmove(r->in, r->in + r->at, r->n - r->at);
        r->n -= r->at;
        r->at = 0;
    }
    return om_mut(r->in + r->n, sizeof r->in - r->n);
}

/* Newline, hello, one word, newline, and nothing else. */
static bool is_greeting(const uint8_t *p, size_t n)
{
    size_t before = sizeof hello - 1;

    return n > before + 1 && n <= GUEST_GREETING_MAX && memcmp(p, hello, before) == 0 &&
           memchr(p + before, '\n', n - before) == p + n - 1 &&
           !memchr(p + before, ' ', n - before);
}

/* Twice the same, each alone and with time between: that is no body. */
static bool is_new_host(struct guest_reader *r, om_time now, size_t n)
{
    const uint8_t *p = r->in + r->n;
    bool was = r->greeting_n == n && memcmp(r->greeting, p, n) == 0;

    if (r->body == 0 || !is_greeting(p, n)) {
        r->greeting_n = 0;
        return false;
    }
    if (was)
        return now - r->greeting_at >= OM_MS(GUEST_GREETING_MS);
    memcpy(r->greeting, p, n);
    r->greeting_n = n;
    r->greeting_at = now;
    return false;
}

void guest_reader_fed(struct guest_reader *r, om_time now, size_t n)
{
    if (n <= sizeof r->in - r->n && is_new_host(r, now, n)) {
        memmove(r->in, r->in + r->n, n);
        r->n = 0;
        guest_reader_gone(r);
    }
    r->n += n;
}

void guest_reader_body(struct guest_reader *r, uint64_t n)
{
    r->body = n;
    r->greeting_n = 0;
}

void guest_reader_gone(struct guest_reader *r)
{
    r->is_cut |= r->body > 0;
    r->body = 0;
    r->n = r->at = 0;
    r->is_skipping = false;
    r->greeting_n = 0;
}

static struct guest_item line(struct guest_reader *r)
{
    const uint8_t *from = r->in + r->at;
    size_t left = r->n - r->at;
    const uint8_t *end = left ? memchr(from, '\n', left) : NULL;
    size_t n = end ? (size_t)(end - from) : left;
    bool is_long = r->is_skipping || n > GUEST_LINE_MAX;

    if (!end && !is_long)
        return (struct guest_item){.kind = GUEST_NOTHING};
    r->at += n + (end != NULL);
    r->is_skipping = !end;
    if (!end)
        return (struct guest_item){.kind = GUEST_NOTHING};
    return (struct guest_item){is_long ? GUEST_LONG : GUEST_LINE, om_bytes(from, n)};
}

struct guest_item guest_reader_next(struct guest_reader *r)
{
    size_t left = r->n - r->at;
    struct guest_item body = {GUEST_BODY, om_bytes(r->in + r->at, left)};

    if (r->is_cut) {
        r->is_cut = false;
        return (struct guest_item){.kind = GUEST_CUT};
    }
    if (r->body == 0)
        return line(r);
    if (left == 0)
        return (struct guest_item){.kind = GUEST_NOTHING};
    if (body.bytes.n > r->body)
        body.bytes.n = (size_t)r->body;
    r->body -= body.bytes.n;
    r->at += body.bytes.n;
    return body;
}
