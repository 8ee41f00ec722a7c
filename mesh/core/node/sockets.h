/*
 * sockets.h - the driver's sockets that a node asks for beside the main one
 *
 * What:  hands out their numbers, remembers which are open, and tells the driver.
 * Why:   a NAT maps every port of ours anew; one that cannot be foretold is met by many.
 * Keeps: sockets_are_numbered_in_runs; sockets_full_opens_none; sockets_close_but_one;
 *        sockets_full_queue_opens_none_and_closes_all; sockets_numbers_come_again_late;
 *        sockets_go_with_the_node; sockets_hop_is_heard_or_refused.
 *
 * Full: node_sockets_open() opens all or none. Closing needs no room: what is to be closed stays
 * here until the driver takes it, after all that waited before, and counts as open until then.
 *
 * A number is not used again before all others were: a datagram that was under way to a socket
 * that is closed must not be taken for one to its successor.
 */
#ifndef OM_NODE_SOCKETS_H
#define OM_NODE_SOCKETS_H

#include <omerta/node.h>

/* A socket that the driver was told to open. */
struct node_socket {
    uint32_t number;
    bool is_closing; /* it was not yet told to close it */
};

/* Read freely; write only through node_sockets_*(). */
struct node_sockets {
    struct node_socket *all; /* OM_SOCKETS_MAX, by number; NULL until the first is wanted */
    unsigned count;
    unsigned closing; /* of them */
    uint32_t last;    /* handed out; 0: none yet */
    uint64_t hops[2]; /* routers that were heard of, by IPv4 and by IPv6 */
    uint64_t hops_refused;
};

/**
 * node_sockets_open() - ask the driver of a node for sockets
 * @n:      the node
 * @count:  1 to OM_SOCKETS_MAX
 *
 * Return: number of the first, the others follow it; 0 when so many more are not to be had, the
 * queue of actions is full, or memory is out: then none was asked for.
 */
OM_MUST uint32_t node_sockets_open(struct om_node *n, unsigned count);

/**
 * node_sockets_close() - the driver of a node shall close sockets
 * @n:      the node
 * @first:  of those that node_sockets_open() gave
 * @count:  those of them that are not open are passed over
 * @keep:   one that stays open; 0: none
 */
void node_sockets_close(struct om_node *n, uint32_t first, unsigned count, uint32_t keep);

/** node_sockets_next() - the next closing of sockets of @n into @out; false when there is none. */
bool node_sockets_next(struct om_node *n, struct om_act *out);

/** node_sockets_fini() - forget all of @s; the driver's go with the driver. */
void node_sockets_fini(struct node_sockets *s);

#endif
