/*
 * advert.h - the router advertisement of a port
 *
 * What:  one IPv6 packet: prefix, MTU, resolvers, and that we are the router.
 * Why:   IPv6 has its addresses from here; there is no second server to run.
 * Keeps: advert_is_a_packet_with_its_options; advert_needs_its_room.
 *
 * Source: RFC 4861 sections 4.2 and 4.6; RFC 8106 section 5.1 (resolvers).
 */
#ifndef OM_DHCP_ADVERT_H
#define OM_DHCP_ADVERT_H

#include <omerta/cidr.h>

#include "packet/ether.h"

enum { OM_ADVERT_DNS_MAX = 4, OM_ADVERT_MAX = 256, OM_ADVERT_SOLICIT = 133 };

struct om_advert {
    uint8_t mac[OM_MAC];   /* ours */
    struct om_addr from;   /* ours, link-local */
    struct om_cidr prefix; /* IPv6; bits 0: none */
    bool is_autonomous;    /* the machine makes its own address of it */
    bool is_managed;       /* there is DHCPv6 */
    uint16_t router_s;     /* how long we are its router; 0: we are none */
    uint32_t prefix_s;
    uint32_t mtu; /* 0: not told */
    struct om_addr dns[OM_ADVERT_DNS_MAX];
    unsigned n_dns;
};

/**
 * om_advert_write() - the packet
 * @out:  OM_ADVERT_MAX bytes or more
 * @a:    what to say
 * @to:   who solicited, or ff02::1 for all
 *
 * Return: bytes written; 0 when @out is too small.
 */
size_t om_advert_write(struct om_mut out, const struct om_advert *a, const struct om_addr *to);

#endif
