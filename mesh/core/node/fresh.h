/*
 * fresh.h - a socket that nothing ever came to, for the next attempt to reach a peer directly
 *
 * What:  opens one socket of the driver's and asks a relay from it where it is seen outside.
 * Why:   a NAT that took a peer's early datagrams for its own (plain masquerade, after it forgot
 *        its flows) lends their port to no flow of ours towards that peer while they go on. A port
 *        that the peer does not know yet cannot have been claimed.
 * Keeps: fresh_port_is_known_once_told; fresh_socket_goes_unless_taken.
 *
 * The question is that of study.h, so that no relay takes the socket for our new address; it is put
 * twice. Without a socket, a way to ask or an answer in OM_FRESH_WAIT_MS the main socket has to do.
 *
 * Source: PROTOCOL section 5; Linux nf_nat_core.c, get_unique_tuple() (which port a flow gets).
 */
#ifndef OM_NODE_FRESH_H
#define OM_NODE_FRESH_H

#include "node/state.h"

enum {
    OM_FRESH_COPIES = 2, /* of the question */
    OM_FRESH_WAIT_MS = 500,
    OM_FRESH_LASTS_S = 10 /* then its mapping may be gone: NATs keep one for 15 s at least */
};

/* Zeroed: none. Read freely; write only through node_fresh_*(). */
struct node_fresh {
    om_time asked;   /* 0: not */
    uint64_t token;  /* of the question */
    struct om_id of; /* who was asked */
    uint32_t socket; /* the driver's number of it; 0: none */
    uint16_t port;   /* where it is seen; 0: not known */
};

/** node_fresh_ask() - another socket of @n for @f, and @relay is asked at @now where it is seen;
 *  @relay is NULL: none, only the time is noted. */
void node_fresh_ask(struct om_node *n, om_time now, struct node_fresh *f, struct om_peer *relay);

/**
 * node_fresh_pong() - an answer came
 * @f:     the socket
 * @p:     who answers
 * @pong:  what it says
 * @ours:  where our main socket is seen
 *
 * Return: true when @f had asked; its port is known unless it is seen at another address.
 */
bool node_fresh_pong(struct node_fresh *f, const struct om_peer *p,
                     const struct om_frame_pong *pong, const struct om_addr *ours);

/** node_fresh_until() - how long to wait for the port of @f; 0: no longer, or nobody was asked. */
om_time node_fresh_until(const struct node_fresh *f);

/** node_fresh_is_stale() - was @f never asked for, or too long ago @now? */
bool node_fresh_is_stale(const struct node_fresh *f, om_time now);

/** node_fresh_take() - the number of the socket of @f, which the caller takes; 0: none that is
 *  known outside. */
uint32_t node_fresh_take(struct node_fresh *f);

/** node_fresh_close() - @n needs the socket of @f no more; there is none. */
void node_fresh_close(struct om_node *n, struct node_fresh *f);

#endif
