/*
 * via.h - the way one datagram came or goes
 *
 * What:  remote address, local socket, relay lane: a value that travels with each datagram.
 * Why:   a session knows no address. Because the way is an argument, several paths, sockets and
 *        relays can serve one session without touching it.
 */
#ifndef OMERTA_VIA_H
#define OMERTA_VIA_H

#include <omerta/addr.h>

/* Numbers from here on are those that OM_ACT_SOCKETS named. Below is the main socket, and what the
 * driver wants to know again of it, as on which interface a link-local address means something. */
#define OM_SOCKET_FIRST UINT32_C(0x80000000)

struct om_via {
    struct om_addr remote;
    uint32_t socket; /* the driver's number of its socket; 0 is the main one */
    uint32_t lane;   /* relay lane; 0 is direct */
};

static inline bool om_via_equal(const struct om_via *a, const struct om_via *b)
{
    return a->socket == b->socket && a->lane == b->lane && om_addr_equal(&a->remote, &b->remote);
}

/* A datagram that arrived. It is opened in place: the bytes are the node's until the driver has
 * drained om_node_next(). */
struct om_dgram {
    struct om_via via;
    uint8_t *data;
    size_t len;
    bool is_multicast; /* it came over a group that the driver joined, so from this link */
};

#endif
