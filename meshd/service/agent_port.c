/* agent_port.c - one guest's port: what is written to it, and who hears what it says. */
#include "service/agent_port.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "service/jobs.h"
#include "service/parts.h"

/* Bytes on their way; outlives the port. */
struct port_write {
    uv_write_t request;
    struct agent_port *port; /* NULL: gone */
    char bytes[PORT_CHUNK];
};

static void on_written(uv_write_t *request, int status OM_UNUSED)
{
    struct port_write *w = request->data;
    struct agent_port *p = w->port;

    free(w);
    if (!p)
        return;
    p->write = NULL;
    agent_port_pump(p->vm); /* one that failed is read as an end soon */
    vms_kick(p->vm->hub);
}

/* Of the body that is on its way, what there is of it, up to @max bytes. */
static size_t take_body(struct agent_port *p, char *to, size_t max)
{
    size_t n = p->body < max ? (size_t)p->body : max;

    if (p->sender && !p->is_zeros) {
        size_t got = jobs_read_body(p->sender, to, n);
        if (got > 0 || !p->is_zeros) { /* else that just was given up */
            p->body -= got;
            return got;
        }
    }
    memset(to, 0, n);
    p->body -= n;
    return n;
}

/* The body is whole: its job goes on, and the port is free. */
static void end_body(struct agent_port *p)
{
    struct vm_job *sender = p->sender;

    p->sender = NULL;
    p->is_zeros = false;
    if (sender)
        jobs_body_sent(sender);
}

static size_t take_order(struct agent_port *p, char *to)
{
    struct om_link *first = om_list_first(&p->turns);

    if (!first)
        return 0;
    struct vm_job *j = OM_CONTAINER_OF(first, struct vm_job, turn);
    size_t n = j->order_n;
    om_list_remove(&j->turn);
    memcpy(to, j->order, n);
    j->order_n = 0;
    if (j->has_body) {
        j->has_body = false;
        p->sender = j;
        p->body = j->body;
        p->is_zeros = false;
    }
    return n;
}

/* What goes to the port next, of at most PORT_CHUNK bytes; 0: nothing now. */
static size_t take(struct agent_port *p, char *to)
{
    size_t n = 0;

    if (p->body > 0)
        return take_body(p, to, PORT_CHUNK);
    if (p->late_n > 0) {
        n = p->late_n;
        memcpy(to, p->late, n);
        p->late_n = 0;
        return n;
    }
    n = om_vm_agent_hello(&p->agent, om_clock_now(), to);
    return n > 0 ? n : take_order(p, to);
}

void agent_port_pump(struct service_vm *v)
{
    struct agent_port *p = v->agent;

    while (p && v->agent == p && !p->write) {
        struct port_write *w = malloc(sizeof *w);
        if (!w) {
            p->again_at = om_clock_now() + OM_MS(PORT_AGAIN_MS);
            vms_touch(v->hub);
            return;
        }
        size_t n = take(p, w->bytes);
        if (n == 0) {
            free(w);
            return;
        }
        uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)n);
        w->port = p;
        w->request.data = w;
        p->write = w;
        if (uv_write(&w->request, &p->socket->stream, &buf, 1, on_written) != 0) {
            p->write = NULL; /* it is gone, as reading it will tell */
            free(w);
            return;
        }
        if (p->sender && p->body == 0)
            end_body(p);
    }
}

bool agent_port_open(struct service_vm *v, struct om_socket *socket)
{
    struct agent_port *p = calloc(1, sizeof *p);
    char name[OM_VM_AGENT_ID];
    uint8_t random[8];

    agent_port_close(v);
    if (!p)
        return false;
    randombytes_buf(random, sizeof random); /* an answer to an earlier daemon is not ours */
    (void)sodium_bin2hex(name, sizeof name, random, sizeof random);
    om_vm_agent_init(&p->agent, om_clock_now(), name);
    om_list_init(&p->turns);
    p->vm = v;
    p->socket = socket;
    p->again_at = OM_NEVER;
    v->agent = p;
    agent_port_pump(v);
    return true;
}

void agent_port_close(struct service_vm *v)
{
    struct agent_port *p = v->agent;

    if (!p)
        return;
    v->agent = NULL;
    if (p->write)
        p->write->port = NULL;
    jobs_lose(v, p, "the virtual machine went away");
    om_vm_agent_fini(&p->agent);
    free(p);
}

static void hear(struct service_vm *v, const struct om_vm_agent_event *e)
{
    struct agent_port *p = v->agent;
    /* Where there is no agent, what says hello hears nobody. */
    bool is_mute = e->kind == OM_VM_AGENT_STARTED && v->image.agent == 0;
    bool is_up = e->kind == OM_VM_AGENT_HELLO || is_mute;

    if (is_up)
        (void)snprintf(p->languages, sizeof p->languages, "%s", e->languages);
    if (e->kind == OM_VM_AGENT_STARTED) {
        p->body = 0; /* of what it had got nothing is left */
        p->sender = NULL;
        p->is_zeros = false;
    }
    if (e->kind == OM_VM_AGENT_HELLO && p->late_n == 0)
        p->late_n = om_vm_agent_left(p->late, sizeof p->late, e->jobs);
    jobs_heard(v, e);
    if (is_up && !v->is_greeted) { /* so it takes jobs, too, if it ever does */
        v->is_greeted = true;
        machine_input(v, OM_VM_IN_GUEST_UP, NULL);
    }
}

/* Reads the port, or not, as its jobs have room. */
static void flow(struct service_vm *v)
{
    struct agent_port *p = v->agent;
    bool is_full = p && jobs_are_full(v);

    if (!p || is_full == p->is_paused)
        return;
    p->is_paused = is_full;
    plugs_pause(v, VM_PLUG_AGENT, is_full);
}

void agent_port_input(struct service_vm *v, struct om_bytes bytes)
{
    struct agent_port *p = v->agent;
    struct om_vm_agent_event e;

    while (v->agent == p && bytes.n > 0) {
        size_t room = om_vm_agent_room(&p->agent), n = bytes.n < room ? bytes.n : room;
        if (om_vm_agent_input(&p->agent, om_bytes(bytes.p, n)) != OM_OK) {
            jobs_lose(v, p, "the provider has no memory");
            return;
        }
        bytes = om_bytes(bytes.p + n, bytes.n - n);
        while (v->agent == p && om_vm_agent_next(&p->agent, &e))
            hear(v, &e);
    }
    agent_port_pump(v);
    flow(v);
    vms_touch(v->hub);
    vms_kick(v->hub);
}

void agent_port_wake(struct service_vm *v)
{
    if (!v->agent)
        return;
    v->agent->again_at = om_clock_now();
    vms_touch(v->hub);
}

bool agent_port_runs(const struct service_vm *v, const char *language, struct om_error *err)
{
    const struct agent_port *p = v->agent;
    size_t n = strlen(language);

    if (p && strcmp(p->languages, "-") == 0)
        return om_fail(err, OM_E_UNSUPPORTED, "image %.60s runs no jobs", v->spec.image) == OM_OK;
    if (!p || !p->agent.is_heard)
        return om_fail(err, OM_E_STATE, "the virtual machine takes no jobs yet") == OM_OK;
    for (const char *at = p->languages; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && memcmp(at, language, n) == 0)
            return true;
    return om_fail(err, OM_E_UNSUPPORTED, "image %.60s runs no %.24s; it has %.100s", v->spec.image,
                   language, p->languages) == OM_OK;
}

void agent_port_tick(struct service_vm *v, om_time now)
{
    if (agent_port_deadline(v) > now)
        return;
    v->agent->again_at = OM_NEVER;
    agent_port_pump(v);
    flow(v);
    vms_kick(v->hub);
}

om_time agent_port_deadline(const struct service_vm *v)
{
    const struct agent_port *p = v->agent;

    if (!p)
        return OM_NEVER;
    /* A greeting that is due waits for what is on its way. */
    return p->write ? p->again_at : om_time_min(p->again_at, om_vm_agent_deadline(&p->agent));
}
