/*
 * icmp.h - a view on an ICMP or ICMPv6 message, and the error that refuses a packet
 *
 * What:  type, code, echo id; for errors the start of the packet that they are about; and the
 *        message that says "unreachable, by policy".
 * Why:   an error belongs to the connection of the packet it quotes, not to its own addresses.
 * Keeps: icmp_reads_echo; icmp_reads_the_quoted_ports; icmp_refusal_is_a_packet;
 *        icmp_answers_no_error_with_an_error.
 *
 * Source: RFC 792; RFC 4443 sections 2.4, 3 and 4; RFC 4861 section 4; RFC 1122 section 3.2.2.
 */
#ifndef OM_PACKET_ICMP_H
#define OM_PACKET_ICMP_H

#include "packet/ip.h"

enum om_icmp_kind {
    OM_ICMP_OTHER,
    OM_ICMP_ECHO,
    OM_ICMP_ECHO_REPLY,
    OM_ICMP_ERROR,
    OM_ICMP_NEIGHBOUR, /* of IPv6: solicitations, advertisements, redirect */
    OM_ICMP_LISTENER   /* of IPv6: multicast listener reports */
};

enum { OM_ICMP_REFUSAL_MAX = 576 }; /* RFC 1812 section 4.3.2.3; well below 1280 of IPv6 */

struct om_icmp {
    enum om_icmp_kind kind;
    uint8_t type, code;
    uint16_t id;            /* of an echo */
    struct om_bytes quoted; /* of an error */
};

/**
 * om_icmp_parse() - read the message of a packet
 * @out:  filled on success, untouched otherwise; its view is lent
 * @ip:   whole, or a first fragment; of protocol ICMP (IPv4) or ICMPv6
 *
 * Return: OM_BAD_NONE, OM_BAD_SHORT, or OM_BAD_SUM (not looked at in fragments).
 */
OM_MUST enum om_bad om_icmp_parse(struct om_icmp *out, const struct om_ip *ip);

/**
 * om_icmp_quoted() - which packet an error is about
 * @m:      of kind OM_ICMP_ERROR
 * @out:    the start of that packet, with the ports in its addresses (an echo's id in both), lent;
 *          untouched on failure
 *
 * Return: OM_BAD_NONE, or why it quotes nothing that can be told apart.
 */
OM_MUST enum om_bad om_icmp_quoted(const struct om_icmp *m, struct om_ip *out);

/**
 * om_icmp_refuse() - the packet that tells a sender "administratively prohibited"
 * @out:   OM_ICMP_REFUSAL_MAX bytes or more
 * @ip:    what is refused; must be whole or a first fragment
 * @from:  our address, of the family of @ip
 *
 * Return: bytes written; 0 when none may be sent (RFC 1122 section 3.2.2: about an error, a later
 * fragment, a group or no address) or when @out is too small.
 */
size_t om_icmp_refuse(struct om_mut out, const struct om_ip *ip, const struct om_addr *from);

#endif
