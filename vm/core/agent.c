/* agent.c - words with one space between them, ended by a newline. */
#include "vm/core/agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/base64.h"

enum { STATUS_MAX = 255 };

static bool is_id(struct om_bytes w)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    if (w.n == 0 || w.n >= OM_VM_AGENT_ID)
        return false;
    for (size_t i = 0; i < w.n; i++)
        if (!w.p[i] || !strchr(good, w.p[i]))
            return false;
    return true;
}

void om_vm_agent_init(struct om_vm_agent *a, om_time now, const char *name)
{
    OM_BUG_IF(!is_id(om_bytes(name, strlen(name))));
    *a = (struct om_vm_agent){.hello_at = now};
    (void)snprintf(a->name, sizeof a->name, "%s", name);
}

void om_vm_agent_fini(struct om_vm_agent *a)
{
    free(a->in);
    a->in = NULL;
    a->in_n = a->in_at = 0;
}

size_t om_vm_agent_room(const struct om_vm_agent *a)
{
    return OM_VM_AGENT_BUFFER - (a->in_n - a->in_at);
}

enum om_err om_vm_agent_input(struct om_vm_agent *a, struct om_bytes in)
{
    OM_BUG_IF(in.n > om_vm_agent_room(a));
    if (in.n == 0)
        return OM_OK;
    if (!a->in && !(a->in = malloc(OM_VM_AGENT_BUFFER)))
        return OM_E_NO_MEM;
    if (a->in_at > 0) {
        memmove(a->in, a->in + a->in_at, a->in_n - a->in_at);
        a->in_n -= a->in_at;
        a->in_at = 0;
    }
    memcpy(a->in + a->in_n, in.p, in.n);
    a->in_n += in.n;
    return OM_OK;
}

/* The next whole line, in place; of one that is too long nothing is kept. */
static bool take_line(struct om_vm_agent *a, struct om_mut *line)
{
    while (a->in_at < a->in_n) {
        size_t left = a->in_n - a->in_at;
        uint8_t *from = a->in + a->in_at, *end = memchr(from, '\n', left);
        size_t n = end ? (size_t)(end - from) : left;
        bool is_bad = a->is_skipping || n > OM_VM_AGENT_LINE_MAX;

        if (!end && !is_bad)
            return false;
        a->in_at += n + (end != NULL);
        a->dropped += is_bad && end;
        a->is_skipping = is_bad && !end;
        if (!end)
            return false;
        if (is_bad)
            continue;
        *line = om_mut(from, n);
        return true;
    }
    return false;
}

/* The next word of @line; empty at its end. */
static struct om_bytes word(struct om_mut *line)
{
    uint8_t *end = line->n ? memchr(line->p, ' ', line->n) : NULL;
    struct om_bytes w = om_bytes(line->p, end ? (size_t)(end - line->p) : line->n);
    size_t used = w.n + (end != NULL);

    line->p += used;
    line->n -= used;
    return w;
}

static bool is_word(struct om_bytes w, const char *s)
{
    return w.n == strlen(s) && memcmp(w.p, s, w.n) == 0;
}

static bool read_number(struct om_bytes w, unsigned max, unsigned *out)
{
    unsigned n = 0;

    if (w.n == 0 || w.n > 5)
        return false;
    for (size_t i = 0; i < w.n; i++) {
        if (w.p[i] < '0' || w.p[i] > '9')
            return false;
        n = n * 10 + (unsigned)(w.p[i] - '0');
    }
    *out = n;
    return n <= max;
}

/* hello ID VERSION IMAGE LANGUAGES JOBS */
static bool read_hello(struct om_vm_agent *a, struct om_mut *line, struct om_vm_agent_event *e)
{
    bool is_new = strcmp(e->id, "-") == 0;
    unsigned version = 0;

    if (!read_number(word(line), UINT16_MAX, &version) || version != OM_VM_AGENT_VERSION)
        return false;
    (void)om_text_escape(e->text, sizeof e->text, word(line));
    (void)om_text_escape(e->languages, sizeof e->languages, word(line));
    if (!a->is_heard) /* later they may be ours */
        e->jobs = word(line);
    if (!is_new && strcmp(e->id, a->name) != 0)
        return false;
    /* An agent that starts has heard nobody yet: it is greeted, and answers. */
    e->kind = is_new ? OM_VM_AGENT_STARTED : OM_VM_AGENT_HELLO;
    a->is_heard |= !is_new;
    if (is_new)
        a->hello_at = 0;
    return true;
}

static bool read_bytes(struct om_mut *line, struct om_vm_agent_event *e)
{
    uint8_t *to = line->p;
    size_t n;

    if (!om_vm_base64_decode(to, &n, word(line)) || line->n > 0)
        return false;
    e->bytes = om_bytes(to, n);
    return true;
}

static bool read_line(struct om_vm_agent *a, struct om_mut line, struct om_vm_agent_event *e)
{
    struct om_bytes what = word(&line), id = word(&line);

    *e = (struct om_vm_agent_event){0};
    if (!is_id(id))
        return false;
    memcpy(e->id, id.p, id.n);
    if (is_word(what, "hello"))
        return read_hello(a, &line, e);
    if (!a->is_heard)
        return false;
    if (is_word(what, "out") || is_word(what, "err")) {
        e->kind = what.p[0] == 'o' ? OM_VM_AGENT_OUT : OM_VM_AGENT_ERR;
        return read_bytes(&line, e);
    }
    if (is_word(what, "exit")) {
        e->kind = OM_VM_AGENT_EXIT;
        return read_number(word(&line), STATUS_MAX, &e->status) && line.n == 0;
    }
    e->kind = OM_VM_AGENT_FAIL;
    (void)om_text_escape(e->text, sizeof e->text, om_bytes(line.p, line.n));
    return is_word(what, "fail");
}

bool om_vm_agent_next(struct om_vm_agent *a, struct om_vm_agent_event *out)
{
    struct om_mut line;

    while (take_line(a, &line)) {
        if (read_line(a, line, out))
            return true;
        a->dropped += line.n > 0;
    }
    return false;
}

om_time om_vm_agent_deadline(const struct om_vm_agent *a)
{
    return a->is_heard ? OM_NEVER : a->hello_at;
}

size_t om_vm_agent_hello(struct om_vm_agent *a, om_time now, char *out)
{
    if (om_vm_agent_deadline(a) > now)
        return 0;
    a->hello_at = now + OM_MS(OM_VM_AGENT_HELLO_MS);
    return (size_t)snprintf(out, OM_VM_AGENT_ORDER_MAX, "\nhello %s\n", a->name);
}

/* @path as a word behind what is in @out already; all of it fits by the bound on paths. */
static size_t add_path(char *out, size_t n, const char *path)
{
    size_t len = strlen(path);

    OM_BUG_IF(len > OM_VM_AGENT_PATH_MAX || len == 0);
    om_vm_base64_encode(out + n, om_bytes(path, len));
    n += OM_VM_BASE64_LEN(len);
    memcpy(out + n, "\n", 2);
    return n + 1;
}

size_t om_vm_agent_run(char *out, const char *id, const char *language, uint64_t n)
{
    return (size_t)snprintf(out, OM_VM_AGENT_ORDER_MAX, "run %s %.60s %" PRIu64 "\n", id, language,
                            n);
}

size_t om_vm_agent_put(char *out, const char *id, unsigned mode, uint64_t n, const char *path)
{
    size_t at = (size_t)snprintf(out, OM_VM_AGENT_ORDER_MAX, "put %s %04o %" PRIu64 " ", id,
                                 mode & 07777, n);

    return add_path(out, at, path);
}

size_t om_vm_agent_get(char *out, const char *id, const char *path)
{
    return add_path(out, (size_t)snprintf(out, OM_VM_AGENT_ORDER_MAX, "get %s ", id), path);
}

size_t om_vm_agent_cancel(char *out, const char *id)
{
    return (size_t)snprintf(out, OM_VM_AGENT_ORDER_MAX, "cancel %s\n", id);
}

size_t om_vm_agent_left(char *out, size_t max, struct om_bytes jobs)
{
    char id[OM_VM_AGENT_ID], order[OM_VM_AGENT_ORDER_MAX];
    size_t n = 0;

    while (jobs.n > 0) {
        const uint8_t *end = memchr(jobs.p, ',', jobs.n);
        struct om_bytes one = om_bytes(jobs.p, end ? (size_t)(end - jobs.p) : jobs.n);
        size_t used = one.n + (end != NULL), length;
        jobs = om_bytes(jobs.p + used, jobs.n - used);
        if (!is_id(one) || one.p[0] == '-')
            continue;
        memcpy(id, one.p, one.n);
        id[one.n] = '\0';
        length = om_vm_agent_cancel(order, id);
        if (length > max - n)
            break;
        memcpy(out + n, order, length);
        n += length;
    }
    return n;
}
