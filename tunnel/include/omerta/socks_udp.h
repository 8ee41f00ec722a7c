/*
 * socks_udp.h - the header before each datagram of a SOCKS5 UDP association
 *
 * What:  where a datagram goes to or comes from, and the bytes after that.
 * Keeps: socks_udp_round_trips; socks_udp_counts_what_it_drops.
 *
 *     +-----+------+------+----------+----------+----------+
 *     | RSV | FRAG | ATYP | DST.ADDR | DST.PORT |   DATA   |
 *     +-----+------+------+----------+----------+----------+
 *     |  2  |  1   |  1   | Variable |    2     | Variable |
 *     +-----+------+------+----------+----------+----------+
 *
 * Source: RFC 1928 section 7; fragments are dropped, as it allows.
 */
#ifndef OMERTA_SOCKS_UDP_H
#define OMERTA_SOCKS_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/target.h>

/* The longest header: with a name. */
enum { OM_SOCKS_UDP_HEADER_MAX = 2 + 1 + 1 + 1 + OM_TARGET_NAME_MAX + 2 };

/* Zeroed: no drops yet. */
struct om_socks_udp {
    uint64_t fragments; /* dropped: FRAG was not 0 */
    uint64_t malformed; /* dropped: cut, RSV not 0, no such kind of address, no name, port 0 */
};

/**
 * om_socks_udp_decode() - a datagram of the client
 * @u:        counts it when it is dropped
 * @to:       untouched when it is dropped
 * @payload:  within @in; likewise
 * @in:       the datagram
 *
 * Return: false when it is dropped.
 */
OM_MUST bool om_socks_udp_decode(struct om_socks_udp *u, struct om_target *to,
                                 struct om_bytes *payload, struct om_bytes in);

/**
 * om_socks_udp_encode() - the header of a datagram to the client; the payload follows it
 * @out:   OM_SOCKS_UDP_HEADER_MAX bytes are always enough
 * @from:  whose datagram it is
 *
 * Return: bytes of the header, or 0 when they do not fit.
 */
OM_MUST size_t om_socks_udp_encode(struct om_mut out, const struct om_target *from);

#endif
