/*
 * message.h - what a DHCPv4 client says
 *
 * What:  the fields and options of a client's message that a server decides by.
 * Why:   its options lie in three places and may be of any length; they are read once, here.
 * Keeps: dhcp_reads_a_message; dhcp_refuses_by_name; dhcp_reads_overloaded_fields.
 *
 * Source: RFC 2131 section 2; RFC 2132 sections 3 to 9; RFC 3396 is not needed: no option that is
 *         looked at here can be longer than 255 bytes.
 */
#ifndef OM_DHCP_MESSAGE_H
#define OM_DHCP_MESSAGE_H

#include <stdbool.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/wire.h>

#include "packet/ether.h"

enum {
    OM_DHCP_SERVER_PORT = 67,
    OM_DHCP_CLIENT_PORT = 68,
    OM_DHCP_HEAD = 240, /* with the cookie */
    OM_DHCP_LEAST = 300 /* BOOTP, RFC 1542 section 2.1 */
};

enum om_dhcp_type {
    OM_DHCP_DISCOVER = 1,
    OM_DHCP_OFFER,
    OM_DHCP_REQUEST,
    OM_DHCP_DECLINE,
    OM_DHCP_ACK,
    OM_DHCP_NAK,
    OM_DHCP_RELEASE,
    OM_DHCP_INFORM
};

enum om_dhcp_option {
    OM_DHCP_OPT_PAD = 0,
    OM_DHCP_OPT_MASK = 1,
    OM_DHCP_OPT_ROUTER = 3,
    OM_DHCP_OPT_DNS = 6,
    OM_DHCP_OPT_HOST = 12,
    OM_DHCP_OPT_DOMAIN = 15,
    OM_DHCP_OPT_MTU = 26,
    OM_DHCP_OPT_WANTED = 50,
    OM_DHCP_OPT_LEASE = 51,
    OM_DHCP_OPT_OVERLOAD = 52,
    OM_DHCP_OPT_TYPE = 53,
    OM_DHCP_OPT_SERVER = 54,
    OM_DHCP_OPT_RENEW = 58,
    OM_DHCP_OPT_REBIND = 59,
    OM_DHCP_OPT_ROUTES = 121, /* RFC 3442 */
    OM_DHCP_OPT_END = 255
};

enum om_dhcp_bad {
    OM_DHCP_BAD_NONE,
    OM_DHCP_BAD_SHORT,  /* ends before its cookie */
    OM_DHCP_BAD_KIND,   /* no question of a client over Ethernet, or no DHCP */
    OM_DHCP_BAD_OPTION, /* an option that ends behind its field, or of a wrong length */
    OM_DHCP_BAD_RELAY,  /* came by a relay: a port has none */
    OM_DHCP_BAD_CLIENT, /* of another hardware address than the port's */
    OM_DHCP_BAD_SERVER, /* for another server */
    OM_DHCP_BAD_TYPE,   /* what a client does not send */
    OM_DHCP_BADS
};

struct om_dhcp {
    uint32_t xid, flags; /* flags as 16 bits: the highest wants a broadcast */
    uint8_t mac[OM_MAC];
    uint32_t client;         /* ciaddr; IPv4 addresses in host order, 0 is none */
    uint32_t wanted, server; /* options 50 and 54 */
    uint8_t type;
};

/**
 * om_dhcp_parse() - read a client's message
 * @out:  filled on success, untouched otherwise
 * @in:   the payload of the UDP datagram
 *
 * Return: OM_DHCP_BAD_NONE, or one of the first five reasons.
 */
OM_MUST enum om_dhcp_bad om_dhcp_parse(struct om_dhcp *out, struct om_bytes in);

#endif
