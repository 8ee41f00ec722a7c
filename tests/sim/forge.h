/*
 * forge.h - datagrams that only a member of a network can make
 *
 * What:  an initiation whose outside is in order and whose inside is random.
 * Why:   the costly attack on a responder is one that gets past the outer MAC and makes it do
 *        curve arithmetic; it takes the network's secret, so an insider.
 */
#ifndef SIM_FORGE_H
#define SIM_FORGE_H

#include <omerta/rng.h>

#include "actor.h"

/**
 * sim_forge_initiation() - a well-formed initiation that no one will complete
 * @to:   whom it is for, in its first network
 * @rng:  for the body, the index and the pad
 * @out:  at least 512 bytes
 *
 * Return: bytes written; 0 when they do not fit.
 */
size_t sim_forge_initiation(struct sim_actor *to, const struct om_rng *rng, struct om_mut out);

#endif
