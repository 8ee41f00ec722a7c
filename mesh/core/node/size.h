/*
 * size.h - how large packets are in a node, and what becomes of what is larger
 *
 * What:  the search for each path's size, buffers for large packets, IP packets of local programs,
 *        and slices in both directions.
 * Why:   who fills a packet asks how large it may be; all that follows from the answer is here.
 *
 * The size in use is the active path's, and of a path that gets copies the smaller of both. It is
 * searched for while packets as large as the floor leave; a path at rest, or one that carries only
 * little, is never woken for it. What waits and is larger than the path goes as slices.
 */
#ifndef OM_NODE_SIZE_H
#define OM_NODE_SIZE_H

#include "node/state.h"
#include "path/slice.h"

enum {
    OM_WIDE_BYTES = 9216,    /* of a block for what the pool's are too small for */
    OM_IP_WAITING_MAX = 128, /* IP packets to one peer that wait to leave; then the oldest goes */
    OM_SIZE_USE_S = 5,       /* after packets as large as the floor, their path's size matters, */
    OM_SIZE_USE_PACKETS = 8, /* if there were so many without such a pause */
    OM_JOINED_MAX = OM_ACTS_MAX /* wholes that the driver may still look at */
};

static_assert(OM_HEADROOM + OM_FRAME_HEAD + OM_IP_MAX + OM_TAG_BYTES <= OM_WIDE_BYTES,
              "an IP packet fits a block");
static_assert(OM_HEADROOM + OM_MTU_LINK_MAX <= OM_WIDE_BYTES, "so does any packet");

/* node_mtu.c: the search */

/** node_size() - the largest datagram for @p now, copies of it included. */
unsigned node_size(const struct om_peer *p);

/** node_mtu_moved() - data of @p in @n goes over @path since @now. */
void node_mtu_moved(struct om_node *n, om_time now, struct om_peer *p, struct om_path *path);

/** node_mtu_proven() - @path of @p answers since @now, for the first time or again. */
void node_mtu_proven(om_time now, struct om_peer *p, struct om_path *path);

/** node_mtu_used() - packets left for @p from @n under @s at @now, @large of them as large as
 *  the floor:
 *  is a probe to follow? */
void node_mtu_used(struct om_node *n, om_time now, struct om_peer *p, struct om_session *s,
                   unsigned large);

/** node_mtu_tick() - what is due at @now of the size of @p's path. */
void node_mtu_tick(om_time now, struct om_peer *p);

/** node_mtu_deadline() - when node_mtu_tick() of @p is due; OM_NEVER: no need. */
om_time node_mtu_deadline(const struct om_peer *p);

/* node_ip.c: what is larger than a packet */

/** node_room() - an empty packet of @n with room for @plain bytes of frames, or NULL. */
struct om_buf *node_room(struct om_node *n, size_t plain);

/** node_give() - @b, from node_plain() or node_room() of @n, is not needed; NULL is fine. */
void node_give(struct om_node *n, struct om_buf *b);

/** node_ip_waits() - are there IP packets, or a rest of anything, that wait to leave for @p? */
bool node_ip_waits(const struct om_peer *p);

/** node_ip_next() - the next IP packet for @p, taken out of the queue; NULL: none. */
struct om_buf *node_ip_next(struct om_peer *p);

/** node_cut() - of @p: what of @whole, taken, does not fit one packet goes as slices from now. */
void node_cut(struct om_peer *p, struct om_buf *whole);

/** node_cut_next() - the next packet of what @n cuts for @p, with at most @plain bytes of frames;
 *  NULL when memory is out. */
struct om_buf *node_cut_next(struct om_node *n, struct om_peer *p, size_t plain);

/** node_ip_frame() - @p sent @packet, of IP, to @n. */
void node_ip_frame(struct om_node *n, struct om_peer *p, struct om_bytes packet);

/** node_slice_frame() - @n had @f from @p at @now. Return: the whole, lent until the next input or
 *  tick; empty when some of it lacks. */
struct om_bytes node_slice_frame(struct om_node *n, om_time now, struct om_peer *p,
                                 const struct om_frame_slice *f);

/** node_slice_tick() - @n drops at @now what of @p's slices is too old. */
void node_slice_tick(struct om_node *n, om_time now, struct om_peer *p);

/** node_slice_deadline() - when node_slice_tick() of @p is due; OM_NEVER: nothing lacks. */
om_time node_slice_deadline(const struct om_peer *p);

/** node_cut_end() - what @n cuts for @p is given up. */
void node_cut_end(struct om_node *n, struct om_peer *p);

/** node_joined_free() - the driver of @n has seen what was joined. */
void node_joined_free(struct om_node *n);

/** node_ip_end() - @p of @n goes, with what waits and what lacks something. */
void node_ip_end(struct om_node *n, struct om_peer *p);

#endif
