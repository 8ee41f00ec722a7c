/* job.c - one order after the other, and what comes back of each. */
#include "vm/core/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const ends[] = {
#define X(code, name) name,
    OM_VM_JOB_ENDS(X)
#undef X
};
static_assert(OM_ARRAY_SIZE(ends) == OM_VM_JOB_END_COUNT, "one name for each");

const char *om_vm_job_end_name(enum om_vm_job_end e)
{
    return ends[e];
}

static struct om_vm_job_act *push(struct om_vm_job *j, enum om_vm_job_act_kind kind)
{
    OM_BUG_IF(j->acts == OM_VM_JOB_ACTS_MAX);
    struct om_vm_job_act *a = &j->act[(j->act_at + j->acts++) % OM_VM_JOB_ACTS_MAX];

    *a = (struct om_vm_job_act){.kind = kind};
    return a;
}

static void push_order(struct om_vm_job *j, size_t n)
{
    push(j, OM_VM_JOB_ORDER)->bytes = om_bytes(j->order, n);
}

static void push_body(struct om_vm_job *j, int index, uint64_t size)
{
    struct om_vm_job_act *a = push(j, OM_VM_JOB_BODY);

    a->index = index;
    a->size = size;
    j->is_sending = true;
}

static void name_order(struct om_vm_job *j)
{
    (void)snprintf(j->id, sizeof j->id, "j%" PRIu64 "-%u", j->number, j->order_n++);
}

static void say(struct om_vm_job *j, const char *text)
{
    (void)snprintf(j->text, sizeof j->text, "%s", text ? text : "");
}

static void done(struct om_vm_job *j, enum om_vm_job_end end)
{
    if (j->state == OM_VM_JOB_DONE)
        return;
    j->state = OM_VM_JOB_DONE;
    j->end = end;
    j->by = OM_NEVER;
    push(j, OM_VM_JOB_ENDED);
}

static void run(struct om_vm_job *j)
{
    j->state = OM_VM_JOB_RUNNING;
    name_order(j);
    push_order(j, om_vm_agent_run(j->order, j->id, j->spec.language, j->spec.script));
    push_body(j, -1, j->spec.script);
}

static void put_next(struct om_vm_job *j)
{
    const struct om_vm_job_file *f = &j->spec.input[j->at];

    if (j->at == j->spec.inputs) {
        run(j);
        return;
    }
    name_order(j);
    push_order(j, om_vm_agent_put(j->order, j->id, f->mode, f->size, f->path));
    push_body(j, (int)j->at, f->size);
}

static void get_next(struct om_vm_job *j)
{
    if (j->at == j->spec.artefacts) {
        done(j, OM_VM_JOB_END_EXITED);
        return;
    }
    j->got = 0;
    j->is_file_cut = false;
    j->filing[0] = '\0';
    name_order(j);
    push_order(j, om_vm_agent_get(j->order, j->id, j->spec.artefact[j->at].path));
}

void om_vm_job_start(struct om_vm_job *j, om_time now, const struct om_vm_job_spec *spec,
                     uint64_t number)
{
    *j = (struct om_vm_job){.spec = *spec, .number = number, .by = now + spec->timeout};
    put_next(j);
}

bool om_vm_job_owns(const struct om_vm_job *j, const char *id)
{
    return j->state != OM_VM_JOB_DONE && strcmp(j->id, id) == 0;
}

/* What runs in the guest is to end; its exit, or time, then ends the job. */
static void stop(struct om_vm_job *j, om_time now, enum om_vm_job_end end)
{
    if (j->state == OM_VM_JOB_STOPPING || j->state == OM_VM_JOB_DONE)
        return;
    j->stop_end = end;
    j->state = OM_VM_JOB_STOPPING;
    j->by = now + OM_SEC(OM_VM_JOB_STOP_S);
    if (!j->is_sending) /* else when the body is sent: it cannot be broken off */
        push_order(j, om_vm_agent_cancel(j->order, j->id));
}

void om_vm_job_sent(struct om_vm_job *j, om_time now)
{
    if (!j->is_sending)
        return;
    j->is_sending = false;
    if (j->state != OM_VM_JOB_STOPPING)
        return;
    j->by = now + OM_SEC(OM_VM_JOB_STOP_S);
    push_order(j, om_vm_agent_cancel(j->order, j->id));
}

void om_vm_job_cancel(struct om_vm_job *j, om_time now)
{
    stop(j, now, OM_VM_JOB_END_CANCELLED);
}

void om_vm_job_lose(struct om_vm_job *j, const char *text)
{
    if (j->state != OM_VM_JOB_DONE)
        say(j, text);
    done(j, j->state == OM_VM_JOB_STOPPING ? j->stop_end : OM_VM_JOB_END_LOST);
}

static void on_output(struct om_vm_job *j, const struct om_vm_agent_event *e)
{
    uint64_t room = j->spec.output_max - j->output;
    size_t n = e->bytes.n < room ? e->bytes.n : (size_t)room;

    j->dropped += e->bytes.n - n;
    j->output += n;
    if (n > 0) {
        struct om_vm_job_act *a = push(j, OM_VM_JOB_OUTPUT);
        a->bytes = om_bytes(e->bytes.p, n);
        a->is_error = e->kind == OM_VM_AGENT_ERR;
    }
    if (j->dropped > 0 && !j->is_cut) {
        j->is_cut = true;
        push(j, OM_VM_JOB_CUT);
    }
}

static void on_file(struct om_vm_job *j, const struct om_vm_agent_event *e)
{
    if (j->is_file_cut)
        return;
    if (e->bytes.n > j->spec.file_max - j->got) {
        j->is_file_cut = true;
        (void)snprintf(j->filing, sizeof j->filing, "it is larger than an artefact may be");
        push_order(j, om_vm_agent_cancel(j->order, j->id));
        return;
    }
    j->got += e->bytes.n;
    struct om_vm_job_act *a = push(j, OM_VM_JOB_FILE);
    a->bytes = e->bytes;
    a->index = (int)j->at;
}

/* What cat says of a file that is not there, as far as it fits. */
static void on_file_error(struct om_vm_job *j, const struct om_vm_agent_event *e)
{
    size_t n = strlen(j->filing);

    for (size_t i = 0; !j->is_file_cut && i < e->bytes.n && n + 1 < sizeof j->filing; i++)
        if (e->bytes.p[i] >= ' ' && e->bytes.p[i] < 0x7f)
            j->filing[n++] = (char)e->bytes.p[i];
    j->filing[n] = '\0';
}

static void filed(struct om_vm_job *j, bool is_whole, const char *why)
{
    const char *text = is_whole ? "" : why;

    j->missing += !is_whole;
    (void)snprintf(j->filed, sizeof j->filed, "%s", text);
    push(j, OM_VM_JOB_FILED)->index = (int)j->at;
    j->at++;
}

static void on_filed(struct om_vm_job *j, bool is_whole)
{
    const char *why = j->filing[0] ? j->filing : "the guest could not read it";

    filed(j, is_whole && !j->is_file_cut, why);
    get_next(j);
}

static void on_status(struct om_vm_job *j, om_time now, unsigned status)
{
    switch (j->state) {
    case OM_VM_JOB_PUTTING:
        if (j->is_sending || status != 0) {
            say(j, "the guest took an input for another");
            stop(j, now, OM_VM_JOB_END_REFUSED);
            return;
        }
        j->at++;
        put_next(j);
        break;
    case OM_VM_JOB_RUNNING:
        if (j->is_sending) {
            say(j, "the guest ended a program it had not got");
            stop(j, now, OM_VM_JOB_END_REFUSED);
            return;
        }
        j->status = status;
        j->state = OM_VM_JOB_GETTING;
        j->at = 0;
        j->by = now + OM_SEC(OM_VM_JOB_GET_S);
        get_next(j);
        break;
    case OM_VM_JOB_GETTING:
        on_filed(j, status == 0);
        break;
    case OM_VM_JOB_STOPPING:
        if (!j->is_sending)
            done(j, j->stop_end);
        break;
    case OM_VM_JOB_DONE:
        break;
    }
}

static void on_fail(struct om_vm_job *j, om_time now, const char *text)
{
    if (j->state == OM_VM_JOB_GETTING) {
        if (!j->is_file_cut)
            (void)snprintf(j->filing, sizeof j->filing, "%s", text);
        on_filed(j, false);
        return;
    }
    if (j->state == OM_VM_JOB_STOPPING) { /* there was nothing to cancel any more */
        if (!j->is_sending)
            done(j, j->stop_end);
        return;
    }
    say(j, text);
    if (j->is_sending)
        stop(j, now, OM_VM_JOB_END_REFUSED); /* the rest of the body is still owed */
    else
        done(j, OM_VM_JOB_END_REFUSED);
}

void om_vm_job_heard(struct om_vm_job *j, om_time now, const struct om_vm_agent_event *e)
{
    bool is_filing = j->state == OM_VM_JOB_GETTING;

    if (e->kind == OM_VM_AGENT_STARTED && j->state != OM_VM_JOB_DONE)
        om_vm_job_lose(j, "the guest's agent began anew");
    if (!om_vm_job_owns(j, e->id))
        return;
    switch (e->kind) {
    case OM_VM_AGENT_OUT:
    case OM_VM_AGENT_ERR:
        if (is_filing && e->kind == OM_VM_AGENT_OUT)
            on_file(j, e);
        else if (is_filing)
            on_file_error(j, e);
        else if (j->state == OM_VM_JOB_RUNNING || j->state == OM_VM_JOB_STOPPING)
            on_output(j, e);
        break;
    case OM_VM_AGENT_EXIT:
        on_status(j, now, e->status);
        break;
    case OM_VM_AGENT_FAIL:
        on_fail(j, now, e->text);
        break;
    case OM_VM_AGENT_HELLO:
    case OM_VM_AGENT_STARTED:
        break;
    }
}

void om_vm_job_tick(struct om_vm_job *j, om_time now)
{
    if (j->by > now)
        return;
    if (j->state == OM_VM_JOB_STOPPING) {
        done(j, j->stop_end);
    } else if (j->state == OM_VM_JOB_GETTING) {
        filed(j, false, "it did not come in time");
        j->missing += j->spec.artefacts - j->at; /* the rest was not even asked for */
        push_order(j, om_vm_agent_cancel(j->order, j->id));
        done(j, OM_VM_JOB_END_EXITED);
    } else {
        stop(j, now, OM_VM_JOB_END_TIMEOUT);
    }
}

om_time om_vm_job_deadline(const struct om_vm_job *j)
{
    return j->by;
}

bool om_vm_job_next(struct om_vm_job *j, struct om_vm_job_act *out)
{
    if (j->acts == 0)
        return false;
    *out = j->act[j->act_at];
    j->act_at = (j->act_at + 1) % OM_VM_JOB_ACTS_MAX;
    j->acts--;
    return true;
}
