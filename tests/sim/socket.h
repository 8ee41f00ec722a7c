/*
 * socket.h - sockets of an actor beside its main one, and what routers tell it
 *
 * What:  each has a port of its own at the actor's address, so boxes map each on its own; what
 *        arrives there bears its number. A datagram whose TTL ended on its way out comes back to
 *        the node as the router that ended it, as a host's error queue would say.
 * Why:   hole punching opens many ports, and openers that are not to arrive.
 * Keeps: socket_each_has_its_own_mapping; socket_numbers_open_and_close;
 *        socket_short_opener_maps_and_reaches_nobody; socket_hops_are_told;
 *        socket_ttl_without_boxes; socket_moves_with_its_actor.
 */
#ifndef SIM_SOCKET_H
#define SIM_SOCKET_H

#include "world.h"

enum {
    SIM_SOCKET_FIRST = 20000, /* their ports, one after another, then again from the first */
    SIM_SOCKET_LAST = 59999,
    SIM_HOP_MS = 2 /* until a router's word is back, for each hop */
};

struct sim_socket {
    uint32_t number;
    uint16_t port;
};

/* Read freely; write only through sim_socket_*(). */
struct sim_sockets {
    struct sim_socket all[OM_SOCKETS_MAX];
    unsigned count;
    unsigned drawn;    /* ports ever */
    struct om_addr at; /* the actor's address for which they are entered */
    uint64_t dropped;  /* sent over one that is not open */
};

/** sim_socket_act() - open or close sockets of @a as its node says by @s. */
void sim_socket_act(struct sim_actor *a, const struct om_act_sockets *s);

/** sim_socket_send() - put @s on the wire as node @a says: from that socket, with that TTL. */
void sim_socket_send(struct sim_actor *a, const struct om_act_send *s);

/** sim_socket_at() - number of the socket of @a that has address @to; 0: the main one. */
uint32_t sim_socket_at(const struct sim_actor *a, const struct om_addr *to);

/** sim_socket_settle() - @a has another address: so have its sockets. */
void sim_socket_settle(struct sim_actor *a);

/** sim_socket_close() - close all of @a and release their memory. */
void sim_socket_close(struct sim_actor *a);

/** sim_socket_expired() - what node @by sent with @ttl ended at @router: it will be told. */
void sim_socket_expired(struct sim_actor *by, unsigned ttl, const struct om_addr *router);

/** sim_socket_drop() - release the word of a router of @t, when @t is one; false when not. */
bool sim_socket_drop(struct om_timer *t);

#endif
