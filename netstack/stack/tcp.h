/*
 * tcp.h - flows: lwIP's connections with a handle, news and a queue of received bytes
 *
 * What:  what ask.c and stack.c need of a flow beyond <omerta/stack_flow.h>.
 * Why:   a flow outlives lwIP's pcb (its owner still reads) and a pcb outlives the flow's handle
 *        (the last bytes are still delivered); both ends of that are kept here.
 */
#ifndef OM_STACK_TCP_H
#define OM_STACK_TCP_H

#include "stack/state.h"

struct om_rx;

struct om_flow {
    struct om_stack *stack;
    struct om_stack_port *port;
    uint32_t id;
    struct tcp_pcb *pcb; /* NULL once lwIP has freed it */
    struct om_tuple tuple;
    bool is_named;          /* in by_tuple */
    unsigned news;          /* bits not told yet */
    struct om_link told;    /* in stack->news */
    struct om_link lingers; /* in stack->closing */
    om_time linger_until;
    struct om_rx *rx_first, *rx_last; /* what arrived and was not consumed */
    size_t rx_bytes;
    bool is_open;       /* the handshake is done */
    bool is_connecting; /* by us */
    bool is_end;        /* the other side finished */
    bool is_finishing;  /* we finish as soon as it is open and lwIP has room for it */
    bool is_full;       /* a write was cut short */
    bool is_released;   /* the handle is gone */
    bool is_starved;    /* broken off: no memory for what arrived */
    bool is_dead;       /* lwIP told why */
};

/**
 * om_flow_new() - a flow without a pcb yet
 * @s:      the stack
 * @port:   its port
 * @tuple:  its name
 * @out:    set on success
 *
 * Return: OM_OK, OM_E_FULL or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_flow_new(struct om_stack *s, struct om_stack_port *port,
                                const struct om_tuple *tuple, struct om_flow **out);

/** om_flow_drop() - free @f, which never had a pcb, or has none any more. */
void om_flow_drop(struct om_flow *f);

/** om_flow_adopt() - @pcb serves @f from now on. */
void om_flow_adopt(struct om_flow *f, struct tcp_pcb *pcb);

/** om_flows_begin() - the listener of @s; OM_OK or OM_E_NO_MEM. */
OM_MUST enum om_err om_flows_begin(struct om_stack *s);

/** om_flows_end() - free every flow of @s and the listener. */
void om_flows_end(struct om_stack *s);

/** om_flows_drop_port() - free every flow of @port of @s. */
void om_flows_drop_port(struct om_stack *s, const struct om_stack_port *port);

/** om_flows_expire() - break off the flows of @s that have lingered for too long. */
void om_flows_expire(struct om_stack *s);

/** om_stack_flows_deadline() - when the next flow of @s has lingered for too long, or OM_NEVER. */
om_time om_stack_flows_deadline(const struct om_stack *s);

/** om_flows_news() - the oldest news of @s, into @act; false when there are none. */
bool om_flows_news(struct om_stack *s, struct om_stack_act *act);

/** om_flows_resume() - let TCP of @s send what found no room before. */
void om_flows_resume(struct om_stack *s);

#endif
