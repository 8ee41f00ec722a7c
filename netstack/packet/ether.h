/*
 * ether.h - a view on an Ethernet II frame, and its head
 *
 * What:  addresses, type and payload; ARP's sender for those who check it.
 * Why:   a port carries plain frames: tags and 802.3 lengths are refused by name.
 * Keeps: ether_reads_a_frame; ether_refuses_tags_and_lengths; ether_head_round_trips;
 *        ether_reads_arp.
 *
 * Source: IEEE 802.3 clause 3; RFC 894; RFC 826.
 */
#ifndef OM_PACKET_ETHER_H
#define OM_PACKET_ETHER_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/wire.h>

#include "packet/bad.h"

enum {
    OM_MAC = 6, /* bytes */
    OM_ETHER_HEAD = 14,
    OM_ETHER_IP4 = 0x0800,
    OM_ETHER_ARP = 0x0806,
    OM_ETHER_IP6 = 0x86dd
};

struct om_ether {
    uint8_t dst[OM_MAC], src[OM_MAC];
    uint16_t type;
    struct om_bytes payload; /* with padding */
};

struct om_arp {
    uint16_t op; /* 1 asks, 2 answers */
    uint8_t src_mac[OM_MAC];
    struct om_addr src, dst; /* port 0 */
};

/**
 * om_ether_parse() - read a frame
 * @out:  filled on success, untouched otherwise; its payload is lent from @in
 * @in:   the frame without its check sequence
 *
 * Return: OM_BAD_NONE, OM_BAD_SHORT, OM_BAD_TAGGED, OM_BAD_LLC or OM_BAD_MAC.
 */
OM_MUST enum om_bad om_ether_parse(struct om_ether *out, struct om_bytes in);

/** om_ether_write() - the head of @e, OM_ETHER_HEAD bytes, to cursor @w; not its payload. */
void om_ether_write(struct om_wr *w, const struct om_ether *e);

/**
 * om_arp_parse() - read the payload of a frame of type OM_ETHER_ARP
 * @out:  filled on success, untouched otherwise
 * @in:   the payload, padded or not
 *
 * Return: OM_BAD_NONE, OM_BAD_SHORT, or OM_BAD_HEADER when it is not IPv4 over Ethernet.
 */
OM_MUST enum om_bad om_arp_parse(struct om_arp *out, struct om_bytes in);

#endif
