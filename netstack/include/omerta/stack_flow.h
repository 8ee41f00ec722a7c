/*
 * stack_flow.h - the TCP connections of a stack
 *
 * What:  a SYN to any address of a catch-all port becomes a question; its owner accepts (and has a
 *        flow) or refuses. Connections of our own. Bytes are read on credit: the other side may
 *        send more only after we consumed what came.
 * Why:   a SYN|ACK promises that somebody is there; only the far end of a tunnel knows. And with
 *        credit from end to end, a slow reader stops the writer instead of filling our memory.
 * Keeps: tcp_moves_bytes_both_ways_v4; tcp_moves_bytes_both_ways_v6; tcp_survives_loss;
 *        tcp_half_closes_both_ways; tcp_refusal_is_told; tcp_unreachable_is_told_by_icmp;
 *        tcp_prohibited_is_told_by_icmp_v6; tcp_ask_expires; tcp_ask_is_asked_once;
 *        tcp_ask_put_off_comes_again;
 *        tcp_ask_dies_with_its_client; tcp_asks_are_bounded;
 *        tcp_asks_of_one_port_leave_room; tcp_slow_reader_stops_the_writer;
 *        tcp_moves_single_bytes; tcp_many_flows_to_many_addresses; tcp_flows_are_bounded;
 *        tcp_connect_to_nobody_times_out; tcp_abort_is_a_reset; tcp_close_lingers_and_ends;
 *        tcp_port_may_be_used_again_at_once; tcp_many_in_sequence_leave_nothing;
 *        tcp_more_waits_for_the_rest; tcp_send_max_bounds_what_is_under_way.
 * Full:  asks, OM_PORT_ASKS_MAX of each port: the SYN is not answered and comes again;
 *        flows: OM_E_FULL, and the ask stays open;
 *        no memory for bytes that arrived: the flow is reset.
 *
 *        SYN                     om_stack_accept()         handshake done
 *   ---------> ASK, at most 30 s ----------------> (flow) ----------------> OPEN
 *                 | om_stack_refuse()                            reset, timeout: dead
 *                 +-----------------> RST or ICMP                om_flow_close(): released
 *
 * A flow's handle is valid until om_flow_close(), which must be called for dead ones too. A handle
 * that is not valid any more is answered with 0, nothing, or OM_E_MISSING.
 *
 * Source: RFC 9293 sections 3.6 (closing) and 3.10.7; RFC 1122 section 4.2.2.13 (a new connection
 *         out of TIME-WAIT); RFC 4443 section 3.1; RFC 1812 section 5.2.7.1.
 */
#ifndef OMERTA_STACK_FLOW_H
#define OMERTA_STACK_FLOW_H

#include <omerta/stack.h>

enum {
    OM_PORT_ASKS_MAX = 128, /* of one port: above it no other is disturbed */
    OM_ASKS_MAX = OM_PORTS_MAX * OM_PORT_ASKS_MAX,
    OM_ASK_SEC = 30,        /* a question nobody answered is forgotten */
    OM_FLOW_LINGER_SEC = 60 /* a closed flow that cannot deliver its last bytes is broken off */
};

enum om_refuse {
    OM_REFUSE_RST,         /* nobody listens there */
    OM_REFUSE_UNREACHABLE, /* ICMP: no way to that host */
    OM_REFUSE_PROHIBITED,  /* ICMP: a policy says no */
    OM_REFUSE_LATER        /* nothing: the SYN comes again, as a new question */
};

/**
 * om_stack_accept() - say yes: only now the SYN is answered
 * @s:     the stack
 * @now:   the time
 * @ask:   from OM_STACK_ASK
 * @flow:  its handle; OM_FLOW_OPEN follows when the other side agrees
 *
 * Return: OM_OK; OM_E_MISSING when the question expired or its client gave up; OM_E_FULL at the
 * limit of flows (the question stays open); OM_E_NO_MEM (the question is gone, the client asks
 * again).
 */
OM_MUST enum om_err om_stack_accept(struct om_stack *s, om_time now, uint32_t ask, uint32_t *flow);

/** om_stack_refuse() - say no to @ask of @s at @now in the way of @how; unknown asks are fine. */
void om_stack_refuse(struct om_stack *s, om_time now, uint32_t ask, enum om_refuse how);

/**
 * om_stack_connect() - open a connection
 * @s:     the stack
 * @now:   the time
 * @port:  over which link
 * @from:  source, port 0 for any free one; NULL for the port's own address. One that is not the
 *         port's own only on a catch-all
 * @to:    destination, its port not 0, of the same family
 * @flow:  its handle; OM_FLOW_OPEN, _REFUSED or _TIMEOUT follows
 *
 * Return: OM_OK; OM_E_MISSING for an unknown port; OM_E_RANGE for addresses that cannot be;
 * OM_E_EXISTS when @from is in use; OM_E_FULL; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_stack_connect(struct om_stack *s, om_time now, uint32_t port,
                                     const struct om_addr *from, const struct om_addr *to,
                                     uint32_t *flow);

/**
 * om_flow_write() - bytes to send
 * @s:      the stack
 * @now:    the time
 * @flow:   the connection; before OM_FLOW_OPEN it takes nothing
 * @bytes:  copied as far as there is room; what was not acknowledged is at most the port's send_max
 *
 * Return: how many were taken. When fewer than offered, OM_FLOW_WRITABLE follows.
 */
size_t om_flow_write(struct om_stack *s, om_time now, uint32_t flow, struct om_bytes bytes);

/** om_flow_write_more() - as om_flow_write(), for @bytes after which om_flow_write() of @flow of @s
 *  follows at once, at @now: they may wait for that, so that segments are full and only the last
 *  one says "push", which ends what a receiver puts together. */
size_t om_flow_write_more(struct om_stack *s, om_time now, uint32_t flow, struct om_bytes bytes);

/**
 * om_flow_read() - bytes that arrived and were not consumed
 * @s:       the stack
 * @flow:    the connection
 * @is_end:  set when nothing comes after all that waits; may be NULL
 *
 * Return: the oldest of them, in one piece and perhaps not all; lent until the next om_stack_*()
 * or om_flow_*() of another kind. Empty when none wait.
 */
struct om_bytes om_flow_read(const struct om_stack *s, uint32_t flow, bool *is_end);

/**
 * om_flow_consume() - the first @n bytes have gone where they belong: the other side may send more
 * @s:     the stack
 * @now:   the time
 * @flow:  the connection
 * @n:     at most what waits; more is a bug of ours
 */
void om_flow_consume(struct om_stack *s, om_time now, uint32_t flow, size_t n);

/**
 * om_flow_waiting() - bytes that arrived and were not consumed
 * @s:     the stack
 * @flow:  the connection
 *
 * Return: their count, at most the window of 1 MiB.
 */
size_t om_flow_waiting(const struct om_stack *s, uint32_t flow);

/** om_flow_ends() - by @here and @there our end and the other of @flow of @s; false when there is
 *  no such connection. */
bool om_flow_ends(const struct om_stack *s, uint32_t flow, struct om_addr *here,
                  struct om_addr *there);

/**
 * om_flow_finish() - we write no more; reading goes on
 * @s:     the stack
 * @now:   the time
 * @flow:  the connection; before OM_FLOW_OPEN it is remembered
 */
void om_flow_finish(struct om_stack *s, om_time now, uint32_t flow);

/**
 * om_flow_close() - release the handle
 * @s:         the stack
 * @now:       the time
 * @flow:      the connection, dead or alive
 * @is_abort:  reset it. Else what was written is still delivered, for OM_FLOW_LINGER_SEC at most;
 *             but with bytes that were not consumed it is a reset all the same: the other side must
 *             not believe that they arrived
 */
void om_flow_close(struct om_stack *s, om_time now, uint32_t flow, bool is_abort);

/** om_stack_flows() - connections of @s, those that linger included. */
unsigned om_stack_flows(const struct om_stack *s);

#endif
