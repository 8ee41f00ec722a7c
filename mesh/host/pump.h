/*
 * pump.h - one node of the mesh on real sockets
 *
 * What:  moves datagrams between a node and its sockets, wakes it when it asks to be, and hands
 *        every other action to the daemon.
 * Why:   the core knows no socket and no clock; here is the one place where both meet.
 * Keeps: pump_two_nodes_talk; pump_timer_wakes_in_time; pump_stops_with_datagrams_under_way;
 *        pump_idle_sleeps; pump_opens_and_closes_sockets; test_no_secret_outside_locked_memory.
 *
 * Full: outgoing datagrams live in the node's pools (OM_PUMP_OUT); while the socket takes no more
 * they wait here, and the node is told OM_E_BUSY when none is left.
 *
 * The timer is a timerfd on CLOCK_BOOTTIME: pacing needs less than the millisecond of libuv's
 * timers, and a suspended machine must see how long it slept.
 */
#ifndef OM_HOST_PUMP_H
#define OM_HOST_PUMP_H

#include <uv.h>

#include <omerta/node.h>

#include "udp.h"

enum { OM_PUMP_BLOCKS = 4096, OM_PUMP_OUT = OM_PUMP_BLOCKS + OM_WIDE_MAX };

struct om_pump;

struct om_pump_config {
    uv_loop_t *loop;
    struct om_node_config node; /* pool is the pump's own and ignored here */
    struct om_udp_config udp;   /* loop and the callbacks are the pump's own and ignored here */
    /* Every action but OM_ACT_SEND and OM_ACT_SOCKETS; may make requests of the node. What it is
     * lent, it has until it returns or makes a request. */
    void (*on_act)(void *self, const struct om_act *act);
    void *self;
};

struct om_pump_info {
    uint64_t wakeups; /* of the loop by timer or sockets */
    uint64_t timers;  /* of these, the timer's */
    unsigned waiting; /* datagrams that the socket did not take yet */
    unsigned blocks;  /* of the pool in use */
    uint64_t stalls;  /* times the socket was full */
};

/**
 * om_pump_open() - a node, its sockets, and the loop that drives them
 * @out:     receives the pump, owned by the caller
 * @config:  borrowed for the call
 * @err:     sentence for a person; may be NULL
 *
 * Return: OM_OK; as om_node_new() and om_udp_open(); OM_E_NO_MEM.
 */
OM_MUST enum om_err om_pump_open(struct om_pump **out, const struct om_pump_config *config,
                                 struct om_error *err);

/** om_pump_close() - send what is due, stop, and free @p once the loop has run. */
void om_pump_close(struct om_pump *p);

/** om_pump_node() - the node of @p, for requests; om_pump_kick() after them. */
struct om_node *om_pump_node(struct om_pump *p);

/** om_pump_udp() - the sockets of @p. */
struct om_udp *om_pump_udp(struct om_pump *p);

/** om_pump_kick() - act on what the node of @p wants since something was asked of it. */
void om_pump_kick(struct om_pump *p);

/** om_pump_trim() - give back the memory of @p and its node that was not needed since the last
 *  call. */
void om_pump_trim(struct om_pump *p);

/** om_pump_input() - @count datagrams of @batch that another socket than those of @p received; they
 *  are wiped, since peers tell secrets in them. */
void om_pump_input(struct om_pump *p, struct om_dgram *batch, unsigned count);

/** om_pump_info() - figures of @p into @out. */
void om_pump_info(const struct om_pump *p, struct om_pump_info *out);

#endif
