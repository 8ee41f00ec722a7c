/*
 * overlay.h - the address that a node has inside a network
 *
 * What:  computes the overlay IPv6 of a node from its key and the network's id.
 * Why:   nobody assigns it, nobody can take another's, and whoever knows the key knows it.
 * Keeps: overlay_v6_matches_independent_figures; overlay_v6_differs_by_key_and_network.
 *
 * Source: PROTOCOL section 1; RFC 4193 section 3.1 (locally assigned, a global ID of 40 bits).
 */
#ifndef OMERTA_OVERLAY_H
#define OMERTA_OVERLAY_H

#include <omerta/addr.h>
#include <omerta/id.h>

enum { OM_OVERLAY_FIRST = 0xfd }; /* the first byte of every such address */

/** om_overlay_v6() - to @out, port 0: the address of the node with key @node in @network. */
void om_overlay_v6(struct om_addr *out, const struct om_id *network, const struct om_id *node);

#endif
