/*
 * jobs.h - jobs of consumers in the machines that run here
 *
 * What:  one call "vm.job" each (ipc/job_frame.h): the machine of vm/core/job.h between a stream
 *        and the port of a guest's agent.
 * Why:   a job ends whatever its consumer does: who hangs up, or ends its direction, has cancelled
 *        it; and its end is told whatever the guest does.
 *
 *   call -> runs -> ended: what is left goes to the consumer -> the call is over -> freed
 *            | consumer gone: cancelled, and heard to its end    ^
 *            +---------------------------------------------------+
 *
 * All jobs of a machine share its port: one whose consumer does not read holds up the others.
 *
 * Full: JOBS_OF_VM in one machine, as many as its agent runs; JOBS_MAX here; and JOBS_ENDED of one
 * consumer that ended, and that it keeps: they have no machine any more; then calls are refused.
 * A consumer that neither reads nor hangs up after the end is let go of after JOB_LINGER_S.
 */
#ifndef OM_SERVICE_JOBS_H
#define OM_SERVICE_JOBS_H

#include <jansson.h>

#include <omerta/call.h>

#include "service/outlet.h"
#include "vm/core/job.h"

enum {
    JOBS_OF_VM = 16,
    JOBS_ENDED = 32,
    JOBS_MAX = 256,
    JOB_LINGER_S = 30,
    JOB_ORDERS = 2 * OM_VM_AGENT_ORDER_MAX
};

#define JOB_METHOD "vm.job"

struct agent_port;
struct service_vm;
struct vms;
struct vms_who;

struct vm_job {
    struct om_link link, turn;
    struct vms *hub;
    struct service_vm *vm; /* NULL once it ended */
    struct om_id consumer;
    struct om_call_owner owner;
    struct outlet out;
    struct om_vm_job job;
    char order[JOB_ORDERS]; /* for the port, before the body if there is one */
    size_t order_n;
    bool has_body;
    uint64_t body; /* of the order that waits */
    uint64_t owed; /* bytes that the consumer has not sent yet */
    bool is_gone;  /* its consumer is */
    om_time drop_at;
};

/** jobs_call() - @who calls @s, by @call: a job as @args say. */
void jobs_call(struct vms *s, const struct vms_who *who, const json_t *args,
               const struct om_act_call *call);

/** jobs_heard() - the agent of @v said @e. */
void jobs_heard(struct service_vm *v, const struct om_vm_agent_event *e);

/** jobs_lose() - port @p of @v is gone, and with it the jobs there: @why. */
void jobs_lose(struct service_vm *v, struct agent_port *p, const char *why);

/** jobs_are_full() - is what a job of @v says not read by its consumer? */
bool jobs_are_full(const struct service_vm *v);

/** jobs_read_body() - up to @n bytes that the consumer of @j sent, into @to; how many. */
size_t jobs_read_body(struct vm_job *j, char *to, size_t n);

/** jobs_body_sent() - the body of @j is on its way, whole. */
void jobs_body_sent(struct vm_job *j);

/** jobs_tick() - what is due in @s at @now. */
void jobs_tick(struct vms *s, om_time now);

/** jobs_deadline() - when @s wants that. */
om_time jobs_deadline(const struct vms *s);

/** jobs_close() - all jobs of @s are over, and nobody is told. */
void jobs_close(struct vms *s);

#endif
