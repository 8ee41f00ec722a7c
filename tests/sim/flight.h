/*
 * flight.h - datagrams under way, and the bottlenecks they pass
 *
 * What:  takes a datagram from an actor through the pipe that its direction was led through, if
 *        any, then through the link, and gives it to whoever has the address when it arrives.
 * Why:   this is where a run spends its time, so what is under way is kept in memory that is used
 *        again, and whom it concerns is looked up once.
 * Keeps: world_swallows_unknown_addresses; flight_two_directions_share_a_pipe;
 *        flight_multicast_stays_on_its_segment;
 *        flight_waits_in_a_pipe_are_released.
 */
#ifndef SIM_FLIGHT_H
#define SIM_FLIGHT_H

#include "natbox.h"
#include "world.h"

/* A pipe of a world. */
struct sim_neck {
    char name[SIM_NAME_MAX + 1];
    struct sim_pipe pipe;
    struct sim_world *world;
    struct om_timer timer; /* for when the head of the pipe has left */
};

/**
 * sim_transmit() - put a datagram on the wire
 * @w:     the world
 * @by:    who sends it
 * @from:  source address it bears, not always that of @by
 * @to:    destination; a multicast group is all others of the sender's segment
 * @data:  copied
 */
void sim_transmit(struct sim_world *w, struct sim_actor *by, const struct om_addr *from,
                  const struct om_addr *to, struct om_bytes data);

/**
 * sim_launch() - as sim_transmit(), with a TTL
 * @by:    who sends it
 * @p:     from an address of the sender's, to another, and with which TTL (router.h)
 * @data:  copied
 */
void sim_launch(struct sim_actor *by, const struct sim_nat_packet *p, struct om_bytes data);

/**
 * sim_probe() - as sim_transmit(), from its own address and with a TTL
 * @by:    who sends it
 * @to:    destination
 * @ttl:   routers that it passes at most, and one (router.h)
 * @data:  copied
 */
void sim_probe(struct sim_actor *by, const struct om_addr *to, unsigned ttl, struct om_bytes data);

/** sim_flight_drop() - release the flight of @t, when @t is one; false when it is not. */
bool sim_flight_drop(struct om_timer *t);

/** sim_flight_fini() - release what waits in the pipes of @w, the pipes, and the spare memory. */
void sim_flight_fini(struct sim_world *w);

/** sim_neck_add() - another pipe in @w, called @name, without limits; NULL at SIM_NECKS_MAX. */
struct sim_neck *sim_neck_add(struct sim_world *w, const char *name);

/** sim_neck_change() - @n has the properties @m from now on. */
void sim_neck_change(struct sim_neck *n, const struct sim_pipe_model *m);

/** sim_neck_lead() - what @a sends to @b passes through @n from now on; NULL: through none. */
void sim_neck_lead(struct sim_neck *n, struct sim_actor *a, struct sim_actor *b);

#endif
