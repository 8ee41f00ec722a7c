/*
 * loop.h - a call of a node to itself
 *
 * What:  the two ends of such a call are two calls of the same node; what one writes lies where it
 *        is until the other has read it. No stream, no envelope, no datagram.
 * Why:   a node may be its own provider and use what it exposes, by the same words as a peer, and
 *        the bytes have nowhere to travel to.
 * Keeps: loop_is_accepted_and_carries_both_ways; loop_refusal_says_why; loop_borrows_until_read;
 *        loop_slow_reader_holds_back_writer; loop_each_way_ends_on_its_own;
 *        loop_hung_up_is_told; loop_asked_ends_first; loop_unanswered_times_out;
 *        loop_full_table_refuses; loop_tells_nobody_inside_a_call; loop_ends_with_the_node;
 *        loop_sends_nothing.
 *
 * The other end is never told inside a call of its node, only marked as due, as by a peer. The
 * methods by which nodes talk among themselves (gossip, messages, health) are not answered here:
 * a node has nothing to tell itself, so the program sees them and refuses.
 *
 * Full: OM_LOOP_PIECES_MAX writes that were not read yet; the next is refused with OM_E_BUSY.
 */
#ifndef OM_NODE_LOOP_H
#define OM_NODE_LOOP_H

#include "node/call.h"

enum { OM_LOOP_PIECES_MAX = 1024 }; /* as many as a stream lets wait */

/**
 * node_loop_call() - begin a call of the node to itself
 * @n:        the node
 * @now:      time
 * @net:      in which network
 * @config:   what
 * @out:      receives the end that asks
 *
 * Return: as om_node_call().
 */
enum om_err node_loop_call(struct om_node *n, om_time now, const struct om_network *net,
                           const struct om_call_config *config, struct node_call **out);

/** node_loop_pass() - at @now, give what the RPC of @c has to say to that of its other end. */
void node_loop_pass(struct node_call *c, om_time now);

/** node_loop_is_whole() - is the other end of @c there? False for a call that is no loop, too. */
bool node_loop_is_whole(const struct node_call *c);

/** node_loop_write() - @data of @c is the other end's to read. Return: as om_node_write(). */
enum om_err node_loop_write(struct node_call *c, struct om_bytes data);

/** node_loop_finish() - nothing follows what was written to @c. Return: as om_node_finish(). */
enum om_err node_loop_finish(struct node_call *c);

/** node_loop_has() - are there bytes for @c to read, or the end? */
bool node_loop_has(const struct node_call *c);

/** node_loop_pieces() - up to @max pieces for @c to read, into @out; @is_end as om_node_read().
 *  Return: how many. */
unsigned node_loop_pieces(const struct node_call *c, struct om_bytes *out, unsigned max,
                          bool *is_end);

/** node_loop_consume() - the first @bytes for @c were read; not more than there are. */
void node_loop_consume(struct node_call *c, size_t bytes);

/** node_loop_released() - how much of what was written to @c is the program's again; the rest has
 *  not left either. */
uint64_t node_loop_released(const struct node_call *c);

/** node_loop_leave() - @c goes: its other end is told @code, if anything was left to tell. @c has
 *  no other end then. */
void node_loop_leave(struct node_call *c, uint32_t code);

#endif
