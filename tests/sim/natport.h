/*
 * natport.h - which port a new mapping of a NAT gets
 *
 * What:  the kinds of choice that natbox.h names.
 * Why:   apart from the rest of the box, because guessing the next port is what a peer of it tries.
 * Keeps: natbox_preserves_the_port; natbox_counts_ports_up; natbox_random_ports_stay_in_range;
 *        natbox_block_per_subscriber; natbox_exclusive_ports_run_out;
 *        natbox_sticky_follows_the_latest.
 */
#ifndef SIM_NATPORT_H
#define SIM_NATPORT_H

#include "natbox.h"

/**
 * sim_natport_is_usable() - could a mapping have a port
 * @b:       the box
 * @port:    the port
 * @dest:    destinations of the mapping, cut
 * @remote:  the one that the first datagram goes to
 *
 * Return: false when it is taken, claimed by @remote, or out of range.
 */
bool sim_natport_is_usable(const struct sim_natbox *b, unsigned port, const struct om_addr *dest,
                           const struct om_addr *remote);

/**
 * sim_natport_choose() - a port for a mapping that is about to be made
 * @b:       the box
 * @inside:  endpoint
 * @dest:    destinations of the mapping, cut
 * @remote:  the one that the first datagram goes to; no port is chosen that it claims
 *
 * Return: the port, 0 when none is left.
 */
uint16_t sim_natport_choose(struct sim_natbox *b, const struct om_addr *inside,
                            const struct om_addr *dest, const struct om_addr *remote);

#endif
