/*
 * agent_port.h - the port of the agent in a guest, shared by all jobs there
 *
 * What:  greets the agent, gives it orders and their bodies one after the other, and gives each job
 *        what the agent says.
 * Why:   an order and its body have the port for themselves, whoever else waits; and a consumer
 *        that does not read, or send, must hold up nothing but its own machine.
 *
 * The port is not read while a job's outlet is full, and a body is read from its consumer only as
 * the port takes it. A body whose job was given up is sent to its end as zeros, for nobody.
 * What runs when the agent first answers was begun for a daemon before this one: nobody hears of it
 * any more, so it is cancelled.
 */
#ifndef OM_SERVICE_AGENT_PORT_H
#define OM_SERVICE_AGENT_PORT_H

#include <uv.h>

#include "tunnel/host/splice.h"
#include "vm/core/agent.h"

struct service_vm;
struct vm_job;

enum {
    PORT_CHUNK = 32 * 1024, /* bytes that one write to the port has */
    PORT_LATE = 2 * OM_VM_AGENT_ORDER_MAX,
    PORT_AGAIN_MS = 100 /* without memory */
};

struct agent_port {
    struct service_vm *vm;
    struct om_socket *socket; /* the plug's */
    struct om_vm_agent agent;
    struct port_write *write; /* under way; NULL */
    bool is_paused;           /* it is not read now */
    bool is_zeros;            /* the body that is on its way is nobody's */
    char languages[OM_VM_AGENT_TEXT];
    struct om_list turns;  /* jobs with something for the port */
    struct vm_job *sender; /* whose body is on its way; NULL: it ended meanwhile, or none is */
    uint64_t body;         /* bytes of it that are still to go */
    char late[PORT_LATE];  /* last orders of jobs that ended */
    size_t late_n;
    om_time again_at;
};

/** agent_port_open() - the plug of @v stands: @socket, which is the plug's; false: no memory. */
bool agent_port_open(struct service_vm *v, struct om_socket *socket);

/** agent_port_close() - it does not any more, if it did: the jobs of @v are lost. */
void agent_port_close(struct service_vm *v);

/** agent_port_input() - @bytes came from the port of @v; the port may be gone on return. */
void agent_port_input(struct service_vm *v, struct om_bytes bytes);

/** agent_port_pump() - give the port of @v, if it stands, what it takes now. */
void agent_port_pump(struct service_vm *v);

/** agent_port_wake() - do that, and look whether it may be read, soon: a job of @v changed. */
void agent_port_wake(struct service_vm *v);

/** agent_port_runs() - does the agent of @v run programs in @language? False and @err, with those
 *  that it does, or when it was not heard yet. */
bool agent_port_runs(const struct service_vm *v, const char *language, struct om_error *err);

/** agent_port_tick() - what is due for the port of @v at @now. */
void agent_port_tick(struct service_vm *v, om_time now);

/** agent_port_deadline() - when the port of @v wants that. */
om_time agent_port_deadline(const struct service_vm *v);

#endif
