/*
 * udp.h - UDP flows through the mesh
 *
 * What:  datagrams between a program here and a service at a peer, kept together by a call; what
 *        fits travels as datagrams, what does not on the call's stream.
 * Why:   DNS, games and QUIC want loss rather than waiting, and still some answers are larger than
 *        a datagram of the mesh. Forwards, associations of a proxy and links of a netstack have
 *        flows; only this knows how they travel.
 *
 * Wire: a call of TUNNEL_METHOD with {"proto":"udp","port":N,"flow":F}, "host" as for TCP; F is the
 * caller's choice, unique among its flows to that peer. It stands for as long as the call does.
 * On TUNNEL_UDP_CHANNEL {u32 F, u8 way (0 to the service, 1 from it), bytes}; on the stream of the
 * call, either way, {u16 length, bytes}.
 *
 * A flow without a datagram for TUNNEL_FLOW_IDLE_S ends.
 *
 * Full: TUNNEL_FLOWS_MAX flows, TUNNEL_FLOWS_OF_RULE of ours under one rule (then the one silent
 * for longest ends), TUNNEL_FLOW_WAITING datagrams before one stands and TUNNEL_FLOW_BULK large
 * ones under way; what is above is dropped and counted.
 *
 * Source: RFC 4787 section 4.3 (no less than two minutes).
 */
#ifndef OM_TUNNELS_UDP_H
#define OM_TUNNELS_UDP_H

#include "tunnels/parts.h"

enum {
    TUNNEL_FLOWS_MAX = 4096,
    TUNNEL_FLOWS_OF_RULE = 512, /* of ours: a peer has 1,024 streams for everything */
    TUNNEL_FLOW_IDLE_S = 120,
    TUNNEL_FLOW_WAITING = 4,
    TUNNEL_FLOW_BULK = 64,
    TUNNEL_FLOW_HEAD = 4 + 1 /* bytes before the datagram */
};

#define TUNNEL_UDP_CHANNEL "tunnel.udp"

struct tunnel_flow;

struct tunnel_flow_config {
    struct tunnel_rule *rule;       /* counts; NULL: none; ends its flows when it is removed */
    const struct tunnel_wish *wish; /* proto "udp"; its flow does not matter; lent */
    /* A datagram of the other side, lent. It may send; it may not close this flow. */
    void (*on_datagram)(void *self, struct om_bytes b);
    /* It is no more, @why the word of a refusal, or NULL: idle, or ended by the other side or with
     * its rule. It may neither open nor close flows. */
    void (*on_end)(void *self, const char *why);
    void *self; /* their first argument */
};

/* udp.c */

/** tunnel_flow_open() - a flow of @t to a peer, as @c says; NULL: full, or it cannot be asked. The
 *  caller's until on_end, and om_calls_kick() is the caller's after this and what follows. */
struct tunnel_flow *tunnel_flow_open(struct tunnels *t, const struct tunnel_flow_config *c);

/** tunnel_flow_send() - @b to the other side of @f; waits until @f stands. */
void tunnel_flow_send(struct tunnel_flow *f, struct om_bytes b);

/** tunnel_flow_close() - end @f; its on_end is not called. */
void tunnel_flow_close(struct tunnel_flow *f);

/** tunnel_flow_take() - flow @number that @call of a peer of @t wants, as @c says, whose wish names
 *  network and peer; NULL: full, and the call is not taken. */
struct tunnel_flow *tunnel_flow_take(struct tunnels *t, const struct tunnel_flow_config *c,
                                     uint64_t call, uint32_t number);

/** tunnel_flow_accept() - @f, of tunnel_flow_take(), stands; or it ends, as its on_end hears. */
void tunnel_flow_accept(struct tunnel_flow *f);

/** tunnel_flow_refuse() - @f, of tunnel_flow_take(), ends, and the peer hears @why; its on_end is
 *  not called. */
void tunnel_flow_refuse(struct tunnel_flow *f, enum om_dial_result why);

/** tunnel_udp_forget() - end the flows of @t under @rule; NULL: all. */
void tunnel_udp_forget(struct tunnels *t, const struct tunnel_rule *rule);

/** tunnel_udp_init() - @t has no flows. */
bool tunnel_udp_init(struct tunnels *t);

/** tunnel_udp_fini() - release what tunnel_udp_init() took; @t has no flows any more. */
void tunnel_udp_fini(struct tunnels *t);

/* udp_listen.c */

/** tunnel_udp_listen() - take datagrams for forward @rule; false and @err: the port is taken. */
bool tunnel_udp_listen(struct tunnel_rule *rule, struct om_error *err);

/* udp_serve.c */

/** tunnel_udp_serve() - @call wants flow @number of @t to @host and @port, which @rule allows. */
void tunnel_udp_serve(struct tunnels *t, struct tunnel_rule *rule, const struct om_act_call *call,
                      uint32_t number, const char *host, uint16_t port);

#endif
