/*
 * ip.h - a view on an IPv4 or IPv6 packet
 *
 * What:  addresses, protocol, fragment and payload of a packet, read by the cursor; for IPv6 the
 *        chain of extension headers is walked to the payload.
 * Why:   both families look the same to whoever judges a packet.
 * Keeps: ip_reads_v4; ip_reads_v6_behind_its_chain; ip_chain_is_bounded; ip_tells_fragments;
 *        ip_refuses_by_name; ip_cuts_padding; ip_reads_what_an_error_quotes.
 *
 * Source: RFC 791 section 3.1; RFC 8200 section 4; RFC 5095 (routing header type 0 is refused);
 *         RFC 3128 (no fragment may start inside a TCP header).
 */
#ifndef OM_PACKET_IP_H
#define OM_PACKET_IP_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/wire.h>

#include "packet/bad.h"

enum {
    OM_IP4_HEAD = 20,
    OM_IP6_HEAD = 40,
    OM_IP6_CHAIN_MAX = 8, /* extension headers; one more is OM_BAD_CHAIN */
    OM_IP_PACKET_MAX = 65535
};

/* IANA protocol numbers. */
enum {
    OM_PROTO_HOP_BY_HOP = 0,
    OM_PROTO_ICMP = 1,
    OM_PROTO_IGMP = 2,
    OM_PROTO_TCP = 6,
    OM_PROTO_UDP = 17,
    OM_PROTO_ROUTING = 43,
    OM_PROTO_FRAGMENT = 44,
    OM_PROTO_ICMP6 = 58,
    OM_PROTO_NONE = 59,
    OM_PROTO_DESTINATION = 60
};

struct om_ip {
    struct om_addr src, dst; /* port 0 */
    uint8_t version;         /* 4 or 6 */
    uint8_t proto;           /* of the payload, behind the extension headers */
    uint8_t ttl;             /* or hop limit */
    bool is_fragment;
    bool has_more;           /* fragments behind this one */
    uint16_t offset;         /* in bytes; not 0: the payload starts in the middle of something */
    uint32_t id;             /* of a fragment */
    struct om_bytes whole;   /* without padding behind it */
    struct om_bytes payload; /* the rest of @whole */
};

/**
 * om_ip_parse() - read a packet
 * @out:  filled on success, untouched otherwise; its views are lent from @in
 * @in:   the packet; bytes behind its end (padding of a frame) are left out
 *
 * Return: OM_BAD_NONE, or why it is no packet.
 */
OM_MUST enum om_bad om_ip_parse(struct om_ip *out, struct om_bytes in);

/**
 * om_ip_parse_quoted() - read the start of a packet, as an ICMP error quotes it
 * @out:  as om_ip_parse(); the payload is what there is of it
 * @in:   may end before the packet does; the checksum is not looked at, routers change it
 *
 * Return: OM_BAD_NONE, or why it is no start of a packet.
 */
OM_MUST enum om_bad om_ip_parse_quoted(struct om_ip *out, struct om_bytes in);

#endif
