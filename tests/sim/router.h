/*
 * router.h - boxes of a world, and the way of a datagram through them
 *
 * What:  a router is a NAT with an outside address, on the public network or inside another one,
 *        and with a network inside, where actors and further routers are.
 * Why:   nodes are reached at addresses; behind boxes these are others at each end, and which box
 *        decides is known only when a datagram gets there.
 * Keeps: router_full_cone_lets_anybody_in; router_two_boxes_punch; router_early_probe_spoils_it;
 *        router_short_opener_does_not; router_stacked_and_hairpin; router_same_inside_is_direct;
 *        router_move_leaves_the_box; router_may_have_another_address; router_addresses_are_its_own.
 *
 * A datagram goes out through the boxes above its sender when it is sent, and in through those
 * above its receiver when it arrives; the link between is the one between the two actors. Where a
 * box would let nobody have it, the link is that to the first actor behind the box. No inside
 * address is used twice in a world, and none reaches anything outside its own network.
 *
 * The public network is SIM_HOPS routers wide, or what a world says: so many does a datagram pass
 * that arrives at a public address, beside the boxes; none lie between actors of one segment. One
 * whose TTL does not last is lost and counted, and on its way out its sender is told (socket.h).
 */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "natbox.h"
#include "world.h"

enum {
    SIM_HOPS = 4,
    SIM_HOPS_MAX = 16,
    SIM_INSIDE_MAX = 254 /* addresses of an inside, also those left */
};

struct sim_router {
    char name[SIM_NAME_MAX + 1];
    struct sim_world *world;
    unsigned index;
    struct sim_router *outer; /* in whose inside it is; NULL: public */
    struct sim_natbox box;
    unsigned leases; /* inside addresses given */
    unsigned moves;  /* outside addresses that it had before this one */
};

/* Where a datagram is when it has left its sender's boxes. */
struct sim_route {
    struct sim_actor *other; /* whose link it takes; NULL: it is lost */
    struct sim_router *gate; /* decides when it arrives; NULL: it is for other's own address */
    const char *lost_at;     /* name of the box that dropped it; "" for none */
    struct om_addr expired;  /* the router at which its TTL ended; port 0: none */
};

/**
 * sim_router_add() - another box
 * @w:      the world
 * @name:   up to SIM_NAME_MAX characters
 * @m:      what it does
 * @outer:  the box in whose inside it is; NULL for a public one
 *
 * Return: the router, owned by the world; NULL at SIM_ROUTERS_MAX, or when @outer has no address
 * left.
 */
struct sim_router *sim_router_add(struct sim_world *w, const char *name,
                                  const struct sim_nat_model *m, struct sim_router *outer);

/** sim_router_named() - the router called @name in @w; NULL for none. */
struct sim_router *sim_router_named(const struct sim_world *w, const char *name);

/** sim_router_lease() - another inside address of @r, into @out; false when none is left. */
bool sim_router_lease(struct sim_router *r, struct om_addr *out);

/** sim_router_move() - @r, a public one, has another outside address, as of another lease. */
void sim_router_move(struct sim_router *r);

/** sim_router_fini() - release all routers of @w. */
void sim_router_fini(struct sim_world *w);

/**
 * sim_route_out() - the way out
 * @by:   who sends
 * @p:    rewritten by the boxes that it passes
 * @out:  where it is then
 */
void sim_route_out(struct sim_actor *by, struct sim_nat_packet *p, struct sim_route *out);

/** sim_route_in() - the actor that gets @p, which arrives at @gate; NULL for nobody. */
struct sim_actor *sim_route_in(struct sim_router *gate, struct sim_nat_packet *p);

#endif
