/* gate.c - alarms of a machine's gate, pauses, and signs of life. */
#include "service/gate.h"

#include <stdio.h>

#include "host/clock.h"
#include "links/links.h"
#include "service/parts.h"

/* The gate is in the middle of a frame: what is to be done is done by gate_tick(). */
static void on_alarm(void *self, uint64_t number, enum om_rogue_level level)
{
    struct vms *s = self;

    for (struct om_link *l = om_list_first(&s->machines); l; l = om_list_next(&s->machines, l)) {
        struct service_vm *v = OM_CONTAINER_OF(l, struct service_vm, link);
        if (v->nic_link == number && number != 0) {
            v->alarm = level > v->alarm ? level : v->alarm;
            vms_touch(s);
        }
    }
}

void gate_open(struct vms *s)
{
    links_on_alarm(s->d->links, on_alarm, s);
}

/* @what, and what was refused, as one sentence. */
static void sentence(const struct service_vm *v, const char *what, char out[static OM_VM_TEXT])
{
    char refused[OM_VM_TEXT / 2];

    links_refused(v->hub->d->links, v->nic_link, refused, sizeof refused);
    (void)snprintf(out, OM_VM_TEXT, "%s: its provider's gate refused %s", what, refused);
}

static void log_answer(const struct service_vm *v, enum gate_policy answer, const char *text)
{
    struct om_logline line;

    if (!om_log_begin(&line, &v->hub->d->log, OM_LOG_WARN, "vm", "sent what it may not"))
        return;
    om_log_str(&line, "vm", v->id);
    om_log_str(&line, "answer", gate_policy_name(answer));
    om_log_str(&line, "why", text);
    om_log_end(&line);
}

static void answer_alarm(struct service_vm *v, om_time now)
{
    enum gate_policy answer = gate_policy_does(v->hub->provide.policy, v->alarm);
    char text[OM_VM_TEXT];

    v->alarm = OM_ROGUE_NONE;
    sentence(v, answer == GATE_PAUSE ? "paused" : "sent what it may not", text);
    log_answer(v, answer, text);
    v->hub->answers[answer]++;
    if (answer == GATE_WARN || answer == GATE_PAUSE)
        serve_tell(v, json_pack("{s:s, s:s, s:s}", "event", "warning", "vm", v->id, "text", text));
    if (answer == GATE_KILL)
        machine_input(v, OM_VM_IN_VIOLATION, text);
    if (answer == GATE_PAUSE && v->vm.state == OM_VM_RUNNING) {
        v->resume_at = now + v->hub->provide.pause;
        admit_outcome(v, OM_VM_OUTCOME_VIOLATION); /* the end by violation counts by itself */
        machine_input(v, OM_VM_IN_PAUSE, text);
    }
}

void gate_resume(struct service_vm *v)
{
    v->resume_at = OM_NEVER;
    links_forgive(v->hub->d->links, v->nic_link);
    machine_input(v, OM_VM_IN_RESUME, NULL);
}

/* A pause of an earlier daemon's, of which nobody knows when it began. */
static bool is_pause_forgotten(const struct service_vm *v)
{
    return v->vm.state == OM_VM_PAUSED && !v->vm.is_disk_full && v->resume_at == OM_NEVER;
}

/* One that is to be paused has to run first: a level is told once, and must not be lost on a guest
 * that forges while it boots. */
static bool must_wait(const struct service_vm *v)
{
    return gate_policy_does(v->hub->provide.policy, v->alarm) == GATE_PAUSE &&
           (v->vm.state == OM_VM_STARTING || v->vm.state == OM_VM_BOOTING ||
            v->vm.state == OM_VM_LOST);
}

void gate_tick(struct service_vm *v, om_time now)
{
    if (v->hub->is_closing) /* the links are gone */
        return;
    gate_alive(v, now);
    if (v->alarm != OM_ROGUE_NONE && !must_wait(v))
        answer_alarm(v, now);
    if (is_pause_forgotten(v))
        v->resume_at = now + v->hub->provide.pause;
    if (v->resume_at > now)
        return;
    v->resume_at = OM_NEVER;
    if (v->vm.state == OM_VM_PAUSED)
        gate_resume(v);
}

om_time gate_deadline(const struct service_vm *v)
{
    return v->hub->is_closing ? OM_NEVER : v->resume_at;
}

/* Whoever looks later than the lease ended looks too late only for a consumer that is gone. */
static void renew(struct service_vm *v, om_time at)
{
    om_vm_alive(&v->vm, om_time_min(at, v->vm.lease.until - 1));
}

void gate_alive(struct service_vm *v, om_time now)
{
    om_time heard;

    if (v->hub->is_closing) /* the links may be gone */
        return;
    heard = links_heard_at(v->hub->d->links, v->nic_link);
    v->is_reached |= heard != OM_NEVER;
    if (v->owner.is_open)
        renew(v, now);
    else if (heard != OM_NEVER)
        renew(v, heard);
}
