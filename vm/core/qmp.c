/* qmp.c - lines of JSON, looked at for the few members that matter. */
#include "vm/core/qmp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

static const struct {
    const char *name, *args;
} commands[] = {
#define X(code, name, args) {name, args},
    OM_VM_QMP_COMMANDS(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(commands) == OM_VM_QMP_COMMAND_COUNT, "one row for each");

static const struct {
    const char *name;
    enum om_vm_qmp_kind kind;
} events[] = {
    {"SHUTDOWN", OM_VM_QMP_SHUTDOWN},
    {"POWERDOWN", OM_VM_QMP_POWERED},
    {"STOP", OM_VM_QMP_STOPPED},
    {"RESUME", OM_VM_QMP_RESUMED},
    {"GUEST_PANICKED", OM_VM_QMP_PANICKED},
    {"NETDEV_STREAM_CONNECTED", OM_VM_QMP_NIC_UP},
    {"NETDEV_STREAM_DISCONNECTED", OM_VM_QMP_NIC_DOWN},
};

void om_vm_qmp_init(struct om_vm_qmp *q, om_time now)
{
    *q = (struct om_vm_qmp){.greet_by = now + OM_MS(OM_VM_QMP_GREETING_MS)};
}

void om_vm_qmp_fini(struct om_vm_qmp *q)
{
    free(q->in);
    q->in = NULL;
    q->in_n = q->in_at = 0;
}

static void fall(struct om_vm_qmp *q, const char *why)
{
    if (q->state == OM_VM_QMP_AT_BROKEN)
        return;
    q->state = OM_VM_QMP_AT_BROKEN;
    q->broken = why;
    q->out_n = 0;
    om_vm_qmp_fini(q);
}

void om_vm_qmp_input(struct om_vm_qmp *q, struct om_bytes in)
{
    if (q->state == OM_VM_QMP_AT_BROKEN || in.n == 0)
        return;
    if (!q->in && !(q->in = malloc(OM_VM_QMP_BUFFER))) {
        fall(q, "no memory for what QEMU says");
        return;
    }
    if (q->in_at > 0) {
        memmove(q->in, q->in + q->in_at, q->in_n - q->in_at);
        q->in_n -= q->in_at;
        q->in_at = 0;
    }
    if (in.n > OM_VM_QMP_BUFFER - q->in_n) {
        fall(q, "QEMU says more at once than a conversation has");
        return;
    }
    memcpy(q->in + q->in_n, in.p, in.n);
    q->in_n += in.n;
}

static struct om_vm_qmp_pending *slot(struct om_vm_qmp *q, uint32_t number)
{
    for (unsigned i = 0; i < OM_VM_QMP_PENDING_MAX; i++)
        if (q->pending[i].number == number)
            return &q->pending[i];
    return NULL;
}

static enum om_err give(struct om_vm_qmp *q, om_time now, enum om_vm_qmp_command c)
{
    struct om_vm_qmp_pending *p = slot(q, 0);
    size_t room = sizeof q->out - q->out_n;

    if (!p)
        return OM_E_BUSY;
    int n = snprintf(q->out + q->out_n, room, "{\"execute\":\"%s\"%s,\"id\":%" PRIu32 "}\n",
                     commands[c].name, commands[c].args, q->last + 1);
    if (n < 0 || (size_t)n >= room)
        return OM_E_BUSY;
    q->out_n += (size_t)n;
    q->last++;
    OM_BUG_IF(q->last == UINT32_MAX);
    *p = (struct om_vm_qmp_pending){q->last, c, now + OM_MS(OM_VM_QMP_ANSWER_MS)};
    return OM_OK;
}

enum om_err om_vm_qmp_give(struct om_vm_qmp *q, om_time now, enum om_vm_qmp_command c)
{
    return q->state == OM_VM_QMP_AT_READY ? give(q, now, c) : OM_E_STATE;
}

struct om_bytes om_vm_qmp_out(const struct om_vm_qmp *q)
{
    return om_bytes(q->out, q->out_n);
}

void om_vm_qmp_sent(struct om_vm_qmp *q, size_t n)
{
    OM_BUG_IF(n > q->out_n);
    memmove(q->out, q->out + n, q->out_n - n);
    q->out_n -= n;
}

/* The next whole line, lent, without its end; false when there is none. */
static bool take_line(struct om_vm_qmp *q, struct om_bytes *line)
{
    size_t left = q->in_n - q->in_at;

    if (left == 0)
        return false;
    const uint8_t *from = q->in + q->in_at, *end = memchr(from, '\n', left);
    if ((end ? (size_t)(end - from) : left) > OM_VM_QMP_LINE_MAX) {
        fall(q, "QEMU says a line without an end");
        return false;
    }
    if (!end)
        return false;
    *line = om_bytes(from, (size_t)(end - from));
    q->in_at += line->n + 1;
    if (line->n > 0 && from[line->n - 1] == '\r')
        line->n--;
    return true;
}

static void copy_text(struct om_vm_qmp_event *e, const json_t *v)
{
    if (json_is_string(v))
        (void)om_text_escape(e->text, sizeof e->text,
                             om_bytes(json_string_value(v), json_string_length(v)));
}

static bool on_event(struct om_vm_qmp *q, const json_t *o, struct om_vm_qmp_event *out)
{
    const char *name = json_string_value(json_object_get(o, "event"));
    const json_t *data = json_object_get(o, "data");

    for (unsigned i = 0; name && i < OM_ARRAY_SIZE(events); i++)
        if (strcmp(events[i].name, name) == 0) {
            *out = (struct om_vm_qmp_event){.kind = events[i].kind};
            out->is_guest = json_is_true(json_object_get(data, "guest"));
            copy_text(out, json_object_get(data, "reason"));
            return true;
        }
    if (name)
        q->skipped++;
    else
        fall(q, "QEMU names an event by no text");
    return false;
}

static bool on_answer(struct om_vm_qmp *q, const json_t *o, struct om_vm_qmp_event *out)
{
    const json_t *id = json_object_get(o, "id"), *error = json_object_get(o, "error");
    json_int_t number = json_integer_value(id);
    struct om_vm_qmp_pending *p =
        number > 0 && number <= q->last ? slot(q, (uint32_t)number) : NULL;

    if (!json_is_integer(id) || !p) {
        fall(q, "QEMU answers what was not asked");
        return false;
    }
    *out = (struct om_vm_qmp_event){.kind = OM_VM_QMP_DONE, .command = p->command};
    p->number = 0;
    if (error) {
        out->kind = OM_VM_QMP_REFUSED;
        copy_text(out, json_object_get(error, "desc"));
    } else if (p->command == OM_VM_QMP_STATUS) {
        out->kind = OM_VM_QMP_IS;
        copy_text(out, json_object_get(json_object_get(o, "return"), "status"));
    }
    if (p->command != OM_VM_QMP_CAPABILITIES)
        return true;
    if (error) {
        fall(q, "QEMU refuses to begin");
        return false;
    }
    q->state = OM_VM_QMP_AT_READY;
    out->kind = OM_VM_QMP_READY;
    return true;
}

static void on_greeting(struct om_vm_qmp *q, const json_t *o)
{
    if (!json_is_object(json_object_get(o, "QMP"))) {
        fall(q, "what answers there is no QEMU");
        return;
    }
    /* the capabilities are asked for within the greeting's own time */
    enum om_err e = give(q, q->greet_by, OM_VM_QMP_CAPABILITIES);
    OM_BUG_IF(e != OM_OK);
    q->state = OM_VM_QMP_AT_NEGOTIATING;
    q->greet_by = OM_NEVER;
}

/* One line; true when it is an event for the driver. */
static bool on_line(struct om_vm_qmp *q, struct om_bytes line, struct om_vm_qmp_event *out)
{
    json_t *o = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    bool is_event = false;

    if (!json_is_object(o))
        fall(q, "QEMU says what is no JSON object");
    else if (q->state == OM_VM_QMP_AT_GREETING)
        on_greeting(q, o);
    else if (json_object_get(o, "event"))
        is_event = on_event(q, o, out);
    else if (json_object_get(o, "return") || json_object_get(o, "error"))
        is_event = on_answer(q, o, out);
    else
        fall(q, "QEMU says what is neither event nor answer");
    json_decref(o);
    return is_event;
}

bool om_vm_qmp_next(struct om_vm_qmp *q, struct om_vm_qmp_event *out)
{
    struct om_bytes line;

    while (q->state != OM_VM_QMP_AT_BROKEN && take_line(q, &line))
        if (line.n > 0 && on_line(q, line, out))
            return true;
    if (!q->broken)
        return false;
    *out = (struct om_vm_qmp_event){.kind = OM_VM_QMP_BROKEN};
    (void)snprintf(out->text, sizeof out->text, "%s", q->broken);
    q->broken = NULL;
    return true;
}

om_time om_vm_qmp_deadline(const struct om_vm_qmp *q)
{
    om_time at = q->state == OM_VM_QMP_AT_GREETING ? q->greet_by : OM_NEVER;

    for (unsigned i = 0; q->state != OM_VM_QMP_AT_BROKEN && i < OM_VM_QMP_PENDING_MAX; i++)
        if (q->pending[i].number != 0)
            at = om_time_min(at, q->pending[i].until);
    return at;
}

void om_vm_qmp_tick(struct om_vm_qmp *q, om_time now)
{
    if (om_vm_qmp_deadline(q) <= now)
        fall(q, q->state == OM_VM_QMP_AT_GREETING ? "QEMU does not greet" : "QEMU does not answer");
}
