/*
 * server.h - DHCPv4 for the one machine behind a port
 *
 * What:  answers DISCOVER, REQUEST and INFORM with the port's address and what belongs to it.
 * Why:   a stock image then finds its network without anything done to it.
 * Keeps: dhcp_gives_the_address; dhcp_refuses_another_address; dhcp_informs_without_a_lease;
 *        dhcp_serves_its_client_only; dhcp_releases; dhcp_routes_follow_the_rfc;
 *        dhcp_answers_where_the_client_hears; dhcp_reply_fits_or_is_none.
 *
 * Source: RFC 2131 sections 4.1 and 4.3; RFC 2132; RFC 3442 (routes: who reads option 121 leaves
 *         option 3 unread, so the default route stands in both).
 */
#ifndef OM_DHCP_SERVER_H
#define OM_DHCP_SERVER_H

#include <omerta/cidr.h>

#include "dhcp/leases.h"
#include "dhcp/message.h"

enum {
    OM_DHCP_DNS_MAX = 4,
    OM_DHCP_ROUTES_MAX = 8,
    OM_DHCP_NAME_MAX = 64,
    OM_DHCP_REPLY_MAX = 576 /* more than any reply of ours; what each client must take */
};

struct om_dhcp_route {
    struct om_cidr net; /* IPv4 */
    uint32_t gateway;
};

/* What the machine gets; IPv4 addresses in host order, 0 is none. */
struct om_dhcp_config {
    uint8_t mac[OM_MAC];
    uint32_t addr, server, router;
    uint8_t prefix_bits; /* of 32 */
    uint32_t dns[OM_DHCP_DNS_MAX];
    unsigned n_dns;
    struct om_dhcp_route routes[OM_DHCP_ROUTES_MAX]; /* beside the default route */
    unsigned n_routes;
    char host[OM_DHCP_NAME_MAX], domain[OM_DHCP_NAME_MAX]; /* terminated; "" is none */
    uint16_t mtu;                                          /* 0: not told */
    uint32_t lease_s;
};

/* Read freely; write only through om_dhcp_*(). */
struct om_dhcp_server {
    struct om_dhcp_config config;
    struct om_lease lease;
    uint64_t bad[OM_DHCP_BADS]; /* messages that got no answer, by reason */
    uint64_t naks, declines;
};

/**
 * om_dhcp_init() - a server
 * @s:       storage of the caller
 * @config:  copied
 *
 * Return: OM_OK, or OM_E_RANGE when a count, the prefix, a route or the lease is out of range.
 */
OM_MUST enum om_err om_dhcp_init(struct om_dhcp_server *s, const struct om_dhcp_config *config);

/**
 * om_dhcp_input() - a message came to port 67
 * @s:    the server
 * @now:  current time
 * @in:   payload of the datagram
 * @out:  OM_DHCP_REPLY_MAX bytes or more; becomes the payload of the answer
 * @to:   where to send that, from port 67 of config.server, port included: the broadcast address
 *        or the client's, which has then no ARP yet: send to its MAC
 *
 * Return: bytes of the answer; 0 when there is none, and the reason is counted if it is one.
 */
size_t om_dhcp_input(struct om_dhcp_server *s, om_time now, struct om_bytes in, struct om_mut out,
                     struct om_addr *to);

#endif
