/*
 * packet.h - a whole packet read at once: IP and what it carries
 *
 * What:  struct om_ip, with the ports in its addresses, and the view on its TCP, UDP or ICMP.
 * Why:   whoever judges a packet needs all of it, and one answer.
 * Keeps: packet_reads_each_protocol; packet_leaves_later_fragments_unread;
 *        packet_takes_the_icmp_of_its_family_only.
 */
#ifndef OM_PACKET_PACKET_H
#define OM_PACKET_PACKET_H

#include "packet/icmp.h"
#include "packet/ip.h"
#include "packet/l4.h"

enum om_carries {
    OM_CARRIES_OTHER, /* a protocol without a view, or a fragment that is not the first */
    OM_CARRIES_TCP,
    OM_CARRIES_UDP,
    OM_CARRIES_ICMP /* of the packet's family */
};

struct om_packet {
    struct om_ip ip; /* with the ports of TCP and UDP; an echo's id in both; else 0 */
    enum om_carries carries;
    struct om_l4 l4;     /* of TCP and UDP */
    struct om_icmp icmp; /* of ICMP */
};

/**
 * om_packet_parse() - read a packet
 * @out:  filled on success, untouched otherwise; its views are lent from @in
 * @in:   an IP packet; bytes behind its end are left out
 *
 * Return: OM_BAD_NONE, or why it is none.
 */
OM_MUST enum om_bad om_packet_parse(struct om_packet *out, struct om_bytes in);

#endif
