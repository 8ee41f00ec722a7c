/*
 * associate.h - UDP of a proxy's client: SOCKS5 UDP ASSOCIATE
 *
 * What:  a UDP socket beside a client's TCP connection, which is as long there as that is; each
 *        target that the client sends to has a flow of its own.
 * Why:   a program that speaks SOCKS5 reaches UDP of any peer without a forward for each, and
 *        through a gateway that of the internet.
 *
 * Bound to the address of the TCP connection. Only datagrams of the client are taken: from its IP,
 * and from the port it named, or else that of its first datagram; others, fragments and what makes
 * no sense are dropped and counted as failures of the rule. Targets lead where CONNECT would.
 * An answer names its target as the client did: a name stays one.
 *
 * Full: TUNNEL_TARGETS_MAX targets; one more ends the one that was longest silent.
 *
 * Source: RFC 1928 sections 6 and 7.
 */
#ifndef OM_TUNNELS_ASSOCIATE_H
#define OM_TUNNELS_ASSOCIATE_H

#include "tunnels/parts.h"

enum { TUNNEL_TARGETS_MAX = 64 };

struct tunnel_association;

/** tunnel_associate() - UDP of the client of @c, who will send from @port (0: any); where it is to
 *  send to in @bound. NULL: that cannot be had. */
struct tunnel_association *tunnel_associate(struct tunnel_conn *c, uint16_t port,
                                            struct om_addr *bound);

/** tunnel_association_end() - @a is over, and all its flows. */
void tunnel_association_end(struct tunnel_association *a);

#endif
