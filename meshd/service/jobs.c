/* jobs.c - between the consumer's stream and the port of the agent. */
#include "service/jobs.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "service/agent_port.h"
#include "service/parts.h"

static bool is_over(const struct vm_job *j)
{
    return j->job.state == OM_VM_JOB_DONE;
}

/* Bytes that were announced, in all. */
static uint64_t announced(const struct om_vm_job_spec *s)
{
    uint64_t n = s->script;

    for (unsigned i = 0; i < s->inputs; i++)
        n += s->input[i].size;
    return n;
}

static void put(struct vm_job *j, enum om_job_frame_kind kind, int index, struct om_bytes bytes)
{
    if (j->owner.is_open && !outlet_put(&j->out, kind, index, bytes))
        j->is_gone = true;
}

static void put_end(struct vm_job *j)
{
    const struct om_vm_job *m = &j->job;
    json_t *o = json_pack("{s:s, s:I, s:s}", "end", om_vm_job_end_name(m->end), "status",
                          (json_int_t)m->status, "text", m->text);
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(o);
    if (text)
        put(j, OM_JOB_FRAME_ENDED, -1, om_bytes(text, strlen(text)));
    free(text);
    outlet_end(&j->out);
}

/* What an ended job still has for the port: orders to give up, but nothing that has a body. */
static void leave_port(struct vm_job *j)
{
    struct agent_port *p = j->vm ? j->vm->agent : NULL;

    if (p && p->sender == j)
        p->sender = NULL; /* and zeros follow */
    if (p && !j->has_body && j->order_n <= sizeof p->late - p->late_n) {
        memcpy(p->late + p->late_n, j->order, j->order_n);
        p->late_n += j->order_n;
    }
    j->order_n = 0;
    j->has_body = false;
    om_list_remove(&j->turn);
    j->vm = NULL;
}

static void queue(struct vm_job *j, struct om_bytes order)
{
    if (!j->vm || !j->vm->agent || order.n > sizeof j->order - j->order_n)
        return;
    memcpy(j->order + j->order_n, order.p, order.n);
    j->order_n += order.n;
    om_list_remove(&j->turn);
    om_list_push_back(&j->vm->agent->turns, &j->turn);
}

static void act(struct vm_job *j, const struct om_vm_job_act *a)
{
    switch (a->kind) {
    case OM_VM_JOB_ORDER:
        queue(j, a->bytes);
        break;
    case OM_VM_JOB_BODY:
        j->has_body = true;
        j->body = a->size;
        break;
    case OM_VM_JOB_OUTPUT:
        put(j, a->is_error ? OM_JOB_FRAME_ERR : OM_JOB_FRAME_OUT, -1, a->bytes);
        break;
    case OM_VM_JOB_CUT:
        put(j, OM_JOB_FRAME_CUT, -1, om_bytes(NULL, 0));
        break;
    case OM_VM_JOB_FILE:
        put(j, OM_JOB_FRAME_FILE, a->index, a->bytes);
        break;
    case OM_VM_JOB_FILED:
        put(j, OM_JOB_FRAME_FILED, a->index, om_bytes(j->job.filed, strlen(j->job.filed)));
        break;
    case OM_VM_JOB_ENDED:
        put_end(j);
        break;
    }
}

/* A job that is to stop has no use for its body: one that did not begin is dropped, else zeros. */
static void stop_body(struct vm_job *j)
{
    struct agent_port *p = j->vm ? j->vm->agent : NULL;

    if (j->job.state != OM_VM_JOB_STOPPING || !j->job.is_sending)
        return;
    if (p && p->sender == j) {
        p->is_zeros = true;
    } else if (j->has_body) {
        j->has_body = false;
        j->order_n = 0;
        om_list_remove(&j->turn);
        om_vm_job_sent(&j->job, om_clock_now());
    }
}

/* Nobody hears of it any more: false, or it just was cancelled for that. */
static bool let_go(struct vm_job *j)
{
    if (!j->is_gone || !j->owner.is_open)
        return false;
    om_calls_hang_up(j->hub->d->calls, &j->owner, is_over(j) ? OM_CLOSE_DONE : OM_CLOSE_CANCELLED);
    outlet_fini(&j->out);
    om_vm_job_cancel(&j->job, om_clock_now());
    return true;
}

/* Does what @j wants done, which may be to hear of its consumer no more. */
static void drain(struct vm_job *j)
{
    struct service_vm *v = j->vm;
    struct om_vm_job_act a;

    do {
        stop_body(j);
        while (om_vm_job_next(&j->job, &a))
            act(j, &a);
        if (is_over(j) && j->vm) {
            leave_port(j);
            j->drop_at = om_clock_now() + OM_SEC(JOB_LINGER_S);
        }
        if (j->owner.is_open && !outlet_feed(&j->out))
            j->is_gone = true;
    } while (let_go(j));
    if (v)
        agent_port_wake(v);
    vms_touch(j->hub);
}

/* Nobody wants @j any more. */
static void cancel(struct vm_job *j)
{
    om_vm_job_cancel(&j->job, om_clock_now());
    drain(j);
}

size_t jobs_read_body(struct vm_job *j, char *to, size_t n)
{
    struct om_node *node = om_calls_node(j->hub->d->calls);
    bool is_end = false;
    size_t got = 0;

    while (got < n && j->owner.is_open) {
        struct om_bytes in = om_node_read(node, j->owner.call, &is_end);
        size_t take = in.n < n - got ? in.n : n - got;
        if (take == 0)
            break;
        memcpy(to + got, in.p, take);
        om_node_consume(node, om_clock_now(), j->owner.call, take);
        got += take;
    }
    j->owed -= got;
    if (got == 0 && is_end)
        cancel(j);
    return got;
}

/* The consumer's end may have come behind what was just read. */
static void look_for_end(struct vm_job *j)
{
    bool is_end = false;

    if (j->owner.is_open && !is_over(j) &&
        om_node_read(om_calls_node(j->hub->d->calls), j->owner.call, &is_end).n == 0 && is_end)
        cancel(j);
}

void jobs_body_sent(struct vm_job *j)
{
    om_vm_job_sent(&j->job, om_clock_now());
    drain(j);
    look_for_end(j);
}

void jobs_heard(struct service_vm *v, const struct om_vm_agent_event *e)
{
    struct vms *s = v->hub;

    for (struct om_link *l = om_list_first(&s->jobs); l; l = om_list_next(&s->jobs, l)) {
        struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        if (j->vm != v)
            continue;
        om_vm_job_heard(&j->job, om_clock_now(), e);
        drain(j);
    }
}

void jobs_lose(struct service_vm *v, struct agent_port *p, const char *why)
{
    struct vms *s = v->hub;

    p->sender = NULL;
    for (struct om_link *l = om_list_first(&s->jobs); l; l = om_list_next(&s->jobs, l)) {
        struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        if (j->vm != v)
            continue;
        om_list_remove(&j->turn);
        om_vm_job_lose(&j->job, why);
        drain(j);
    }
}

bool jobs_are_full(const struct service_vm *v)
{
    const struct vms *s = v->hub;

    for (struct om_link *l = om_list_first(&s->jobs); l; l = om_list_next(&s->jobs, l)) {
        const struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        if (j->vm == v && j->owner.is_open && outlet_is_full(&j->out))
            return true;
    }
    return false;
}

static void on_reply(struct om_call_owner *o OM_UNUSED, const struct om_act_reply *r OM_UNUSED)
{
}

/* The consumer's bytes: for the body that the port waits for; else there should be none, and their
 * end is a cancellation. */
static void read_consumer(struct vm_job *j)
{
    struct om_node *node = om_calls_node(j->hub->d->calls);
    bool is_end = false;
    struct om_bytes in;

    if (j->vm && j->job.state != OM_VM_JOB_STOPPING)
        agent_port_pump(j->vm);
    while (j->owner.is_open && (in = om_node_read(node, j->owner.call, &is_end)).n > 0) {
        if (!is_over(j) && j->job.state != OM_VM_JOB_STOPPING) {
            is_end = j->owed == 0; /* more than was announced */
            break;
        }
        om_node_consume(node, om_clock_now(), j->owner.call, in.n);
    }
    if (j->owner.is_open && is_end && !is_over(j))
        cancel(j);
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct vm_job *j = OM_CONTAINER_OF(o, struct vm_job, owner);
    struct om_calls *calls = j->hub->d->calls;
    unsigned what = news->news;

    if (what & OM_CALL_RELEASED) {
        outlet_released(&j->out, news->released);
        j->drop_at = om_clock_now() + OM_SEC(JOB_LINGER_S);
        drain(j);
    }
    if (j->owner.is_open)
        read_consumer(j);
    if (j->owner.is_open && (what & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE))) {
        j->is_gone = true;
        drain(j);
    }
    om_calls_kick(calls);
}

static unsigned count(const struct vms *s, const struct service_vm *v)
{
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&s->jobs); l; l = om_list_next(&s->jobs, l))
        n += !v || OM_CONTAINER_OF(l, struct vm_job, link)->vm == v;
    return n;
}

/* Jobs of @consumer that ended, and whose end it has not taken. */
static unsigned count_ended(const struct vms *s, const struct om_id *consumer)
{
    unsigned n = 0;

    for (struct om_link *l = om_list_first(&s->jobs); l; l = om_list_next(&s->jobs, l)) {
        const struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        n += !j->vm && om_id_equal(&j->consumer, consumer);
    }
    return n;
}

/* The machine and the job that @args mean; NULL and @err. */
static struct service_vm *admit(struct vms *s, const struct vms_who *who, const json_t *args,
                                struct om_vm_job_spec *spec, struct om_error *err)
{
    const char *name = json_string_value(json_object_get(args, "vm"));
    struct service_vm *v = name ? vms_find(s, who, name) : NULL;

    if (!v)
        (void)om_fail(err, OM_E_MISSING, "there is no such virtual machine of yours");
    else if (om_vm_job_read(spec, json_object_get(args, "job"), err) != OM_OK)
        return NULL;
    else if (v->vm.state != OM_VM_RUNNING)
        (void)om_fail(err, OM_E_STATE, "the virtual machine does not run");
    else if (count(s, v) >= JOBS_OF_VM)
        (void)om_fail(err, OM_E_FULL, "%d jobs run in it already", JOBS_OF_VM);
    else if (count_ended(s, &who->peer) >= JOBS_ENDED)
        (void)om_fail(err, OM_E_FULL, "%d jobs of yours ended, and you have not taken the end",
                      JOBS_ENDED);
    else if (count(s, NULL) >= JOBS_MAX)
        (void)om_fail(err, OM_E_FULL, "the provider runs %d jobs already", JOBS_MAX);
    else if (agent_port_runs(v, spec->language, err)) {
        v->is_reached = true;
        return v;
    }
    return NULL;
}

static void start(struct vm_job *j, const struct om_vm_job_spec *spec)
{
    uint64_t number;

    /* A daemon before us may have left jobs in the guest: ours have numbers of their own. */
    randombytes_buf(&number, sizeof number);
    j->owed = announced(spec);
    om_vm_job_start(&j->job, om_clock_now(), spec, number);
    drain(j);
}

void jobs_call(struct vms *s, const struct vms_who *who, const json_t *args,
               const struct om_act_call *call)
{
    struct om_vm_job_spec *spec = calloc(1, sizeof *spec);
    struct vm_job *j = calloc(1, sizeof *j);
    struct om_error err = {.code = OM_E_NO_MEM, .msg = "no memory"};
    struct om_calls *calls = s->d->calls;
    struct service_vm *v = spec && j ? admit(s, who, args, spec, &err) : NULL;

    if (v) {
        *j = (struct vm_job){.hub = s,
                             .vm = v,
                             .consumer = who->peer,
                             .owner = {.on_reply = on_reply, .on_stream = on_stream}};
        (void)om_fail(&err, OM_E_NO_MEM, "no memory");
    }
    if (!v || om_calls_take(calls, call->call, &j->owner) != OM_OK) {
        om_calls_refuse(calls, call->call, err.code == OM_E_MISSING ? VM_NOT_THERE : "refused",
                        err.msg);
        free(j);
        free(spec);
        return;
    }
    outlet_init(&j->out, calls, &j->owner);
    om_list_push_back(&s->jobs, &j->link);
    if (om_node_accept(om_calls_node(calls), om_clock_now(), call->call, om_bytes(NULL, 0)) ==
        OM_OK) {
        om_node_limit(om_calls_node(calls), om_clock_now(), j->owner.call);
        start(j, spec);
    } else {
        om_calls_hang_up(calls, &j->owner, OM_CLOSE_CANCELLED);
        om_list_remove(&j->link);
        free(j);
    }
    free(spec);
}

static void free_job(struct vm_job *j)
{
    om_calls_hang_up(j->hub->d->calls, &j->owner, OM_CLOSE_CANCELLED);
    outlet_fini(&j->out);
    om_list_remove(&j->turn);
    om_list_remove(&j->link);
    free(j);
}

void jobs_tick(struct vms *s, om_time now)
{
    for (struct om_link *l = om_list_first(&s->jobs), *next; l; l = next) {
        struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        next = om_list_next(&s->jobs, l);
        if (!is_over(j) && om_vm_job_deadline(&j->job) <= now) {
            om_vm_job_tick(&j->job, now);
            drain(j);
        }
        if (is_over(j) && (!j->owner.is_open || j->drop_at <= now))
            free_job(j);
    }
}

om_time jobs_deadline(const struct vms *s)
{
    om_time at = OM_NEVER;

    for (struct om_link *l = om_list_first(&s->jobs); l; l = om_list_next(&s->jobs, l)) {
        const struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        at = om_time_min(at, !is_over(j)        ? om_vm_job_deadline(&j->job)
                             : j->owner.is_open ? j->drop_at
                                                : 0);
    }
    return at;
}

void jobs_close(struct vms *s)
{
    for (struct om_link *l = om_list_first(&s->jobs), *next; l; l = next) {
        struct vm_job *j = OM_CONTAINER_OF(l, struct vm_job, link);
        next = om_list_next(&s->jobs, l);
        om_calls_hang_up(s->d->calls, &j->owner, OM_CLOSE_CANCELLED);
        om_vm_job_lose(&j->job, "the provider stops");
        drain(j);
        free_job(j);
    }
}
