/*
 * l4.h - a view on the TCP or UDP head of a packet, and the MSS of a SYN
 *
 * What:  ports, flags, numbers and payload; a SYN's MSS lowered in place, checksum included.
 * Why:   a path with a smaller MTU behind us shows itself to TCP in the SYN or not at all.
 * Keeps: l4_reads_tcp; l4_reads_udp; l4_refuses_by_name; l4_clamps_the_mss_of_a_syn;
 *        l4_clamp_leaves_everything_else.
 *
 * Source: RFC 9293 sections 3.1 and 3.2; RFC 768; RFC 8200 section 8.1 (UDP needs its checksum).
 */
#ifndef OM_PACKET_L4_H
#define OM_PACKET_L4_H

#include "packet/ip.h"

enum { OM_TCP_HEAD = 20, OM_UDP_HEAD = 8 };

enum {
    OM_TCP_FIN = 0x01,
    OM_TCP_SYN = 0x02,
    OM_TCP_RST = 0x04,
    OM_TCP_PSH = 0x08,
    OM_TCP_ACK = 0x10,
    OM_TCP_URG = 0x20
};

struct om_l4 {
    uint16_t src_port, dst_port;
    uint8_t flags; /* of TCP, as are the next four */
    uint16_t window;
    uint32_t seq, ack;
    struct om_bytes options;
    struct om_bytes payload;
};

/**
 * om_l4_parse() - read the head behind an IP header
 * @out:  filled on success, untouched otherwise; its views are lent
 * @ip:   whole, or a first fragment; of protocol TCP or UDP
 *
 * Return: OM_BAD_NONE, or why there is no head; the checksum is not looked at in fragments, which
 * do not hold all that it covers.
 */
OM_MUST enum om_bad om_l4_parse(struct om_l4 *out, const struct om_ip *ip);

/**
 * om_l4_clamp_mss() - lower the MSS that a SYN announces
 * @packet:  an IP packet; changed in place
 * @mss:     the most that may stand there
 *
 * Return: whether it was changed; a packet that is no well-formed SYN with a larger MSS is not.
 */
bool om_l4_clamp_mss(struct om_mut packet, uint16_t mss);

#endif
