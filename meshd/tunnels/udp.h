/*
 * udp.h - UDP flows through the mesh
 *
 * What:  datagrams of a program here and of a service at a peer, kept together by a call; what fits
 *        travels as datagrams, what does not on the call's stream.
 * Why:   DNS, games and QUIC want loss rather than waiting, and still some answers are larger than
 *        a datagram of the mesh.
 *
 * Wire: a call of TUNNEL_METHOD with {"proto":"udp","port":N,"flow":F}, "host" as for TCP; F is the
 * caller's choice, unique among its flows to that peer. It stands for as long as the call does.
 * On TUNNEL_UDP_CHANNEL {u32 F, u8 way (0 to the service, 1 from it), bytes}; on the stream of the
 * call, either way, {u16 length, bytes}.
 *
 * A flow without a datagram for TUNNEL_FLOW_IDLE_S ends.
 *
 * Full: TUNNEL_FLOWS_MAX flows, TUNNEL_FLOW_WAITING datagrams before one stands and
 * TUNNEL_FLOW_BULK large ones under way; what is above is dropped and counted.
 *
 * Source: RFC 4787 section 4.3 (no less than two minutes).
 */
#ifndef OM_TUNNELS_UDP_H
#define OM_TUNNELS_UDP_H

#include "tunnels/parts.h"

enum {
    TUNNEL_FLOWS_MAX = 4096,
    TUNNEL_FLOW_IDLE_S = 120,
    TUNNEL_FLOW_WAITING = 4,
    TUNNEL_FLOW_BULK = 64,
    TUNNEL_FLOW_HEAD = 4 + 1, /* bytes before the datagram */
    TUNNEL_UDP_MAX = 65507
};

#define TUNNEL_UDP_CHANNEL "tunnel.udp"

/** tunnel_udp_listen() - take datagrams for forward @rule; false and @err: the port is taken. */
bool tunnel_udp_listen(struct tunnel_rule *rule, struct om_error *err);

/** tunnel_udp_serve() - @call wants flow @number of @t to @host and @port, which @rule allows. */
void tunnel_udp_serve(struct tunnels *t, struct tunnel_rule *rule, const struct om_act_call *call,
                      uint32_t number, const char *host, uint16_t port);

/** tunnel_udp_forget() - end the flows of @t under @rule; NULL: all. */
void tunnel_udp_forget(struct tunnels *t, const struct tunnel_rule *rule);

/** tunnel_udp_init() - @t has no flows. */
bool tunnel_udp_init(struct tunnels *t);

/** tunnel_udp_fini() - release what tunnel_udp_init() took; @t has no flows any more. */
void tunnel_udp_fini(struct tunnels *t);

#endif
