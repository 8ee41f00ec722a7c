/*
 * crowd.h - a world of many nodes that gossip
 *
 * What:  n nodes of one network; each but the first is told of a few that came before it.
 * Why:   what gossip is worth shows with a thousand nodes: how fast, how many bytes, what memory.
 */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include "actor.h"

struct sim_crowd {
    struct sim_world *w;
    struct sim_actor **nodes;
    unsigned count;
    struct om_prng prng;
};

/**
 * sim_crowd_init() - nodes that come one by one and meet one another
 * @c:      storage
 * @seed:   of the world
 * @count:  nodes
 * @every:  time between arrivals
 *
 * When it returns the last has come.
 */
void sim_crowd_init(struct sim_crowd *c, uint64_t seed, unsigned count, om_time every);

/**
 * sim_crowd_settled() - a network that has been running for long: everybody knows a share of it
 * @c:      storage
 * @seed:   of the world
 * @count:  nodes
 * @known:  records of others that each node has kept over a restart; fewer if there are fewer
 *
 * Nobody has a session with anybody, and nobody has news to tell.
 */
void sim_crowd_settled(struct sim_crowd *c, uint64_t seed, unsigned count, unsigned known);

/** sim_crowd_fini() - release @c. */
void sim_crowd_fini(struct sim_crowd *c);

/** sim_crowd_join() - @a, which is up, is told of one random node of @c that is up. */
void sim_crowd_join(struct sim_crowd *c, struct sim_actor *a);

/** sim_crowd_info() - what gossip of @a counts. */
struct om_gossip_info sim_crowd_info(const struct sim_actor *a);

/** sim_crowd_sequence() - the sequence of the record of @of that @a holds; 0: none. */
uint64_t sim_crowd_sequence(const struct sim_actor *a, struct sim_actor *of);

/** sim_crowd_is_current() - does @a hold the newest record of @of? */
bool sim_crowd_is_current(const struct sim_actor *a, struct sim_actor *of);

/** sim_crowd_knows_place() - is an address of @of in what @a knows of it the one it has now? */
bool sim_crowd_knows_place(const struct sim_actor *a, struct sim_actor *of);

/** sim_crowd_lie() - @a, a member, tells eight nodes of @c what is not so; by @step what. */
void sim_crowd_lie(struct sim_crowd *c, struct sim_actor *a, unsigned step);

/** sim_crowd_have() - how many nodes of @c were told of @records more records than in @before. */
unsigned sim_crowd_have(const struct sim_crowd *c, const uint64_t *before, uint64_t records);

/** sim_crowd_records() - records reported so far by each node of @c, into @out. */
void sim_crowd_records(const struct sim_crowd *c, uint64_t *out);

/** sim_crowd_bytes() - bytes all nodes of @c have sent. */
uint64_t sim_crowd_bytes(const struct sim_crowd *c);

#endif
