/*
 * limits.h - the times and bounds of a node, injectable so that tests need not wait
 *
 * What:  every constant of PROTOCOL sections 2 to 4 that a test wants smaller, with its default.
 */
#ifndef OMERTA_LIMITS_H
#define OMERTA_LIMITS_H

#include <stdint.h>

#include <omerta/time.h>

struct om_limits {
    om_time rekey_initiator;       /* 120 s: the initiator rekeys at its first send after this */
    om_time rekey_responder;       /* 150 s: the responder does, should the initiator not have */
    om_time key_life;              /* 180 s after its handshake a key is dead */
    om_time key_grace;             /* 10 s more the previous key receives */
    om_time association_life;      /* 24 h after its last key an association is forgotten */
    om_time call_ask;              /* 1 h unheard, a peer with impatient calls is asked how it is */
    om_time call_patience;         /* 15 min an answer of its is waited for, then they end */
    om_time confirm_wait;          /* 10 s an unconfirmed responder session is kept */
    om_time cookie_life;           /* 120 s an initiator uses a cookie it was given */
    uint64_t packets_max;          /* per key, 0: the cipher's own limit */
    uint64_t failed_opens_max;     /* per key, 2^36 */
    unsigned load_per_s;           /* 100 initiations/s without valid mac2 are "under load" */
    unsigned source_per_s;         /* 5 initiations/s from one source */
    unsigned source_burst;         /* 20 */
    unsigned peers_max;            /* 1024 */
    unsigned records_max;          /* 1024 records of other nodes kept for each network */
    unsigned link_mtu;             /* 9000 bytes of IP packet: no larger ones are tried */
    unsigned indices_max;          /* 4096 receiver indices, sessions and handshakes together */
    unsigned offer_handshake_max;  /* 448 B: a longer one follows over the lane it asks for */
    unsigned relay_lanes;          /* 1024 of others that a relay carries; no more than that */
    unsigned relay_lanes_per_peer; /* 64 of them that one peer is an end of */
    uint32_t relay_rate_bytes;     /* 32,000 a second and direction on each, and as many at once */
};

/** om_limits_default() - fill @l with the values of PROTOCOL. */
void om_limits_default(struct om_limits *l);

#endif
