/*
 * link_route.h - where a packet of a link goes
 *
 * What:  from an address that something behind a link wants, to what the link's peer is asked for.
 * Why:   one place decides it, and it is a function of the addresses alone.
 * Keeps: link_route_ours_is_the_peer; link_route_any_other_is_a_host;
 *        link_route_nobody_on_the_link; link_route_never_a_host.
 */
#ifndef OM_LINKS_LINK_ROUTE_H
#define OM_LINKS_LINK_ROUTE_H

#include <omerta/addr.h>
#include <omerta/cidr.h>

/* The addresses of a link's two ends; of a family it does not have, neither. */
struct link_sides {
    bool has_v4, has_v6;
    uint8_t v4_prefix;          /* of IPv4; IPv6 is always /64 */
    struct om_addr here, there; /* IPv4: stands for the peer; what is behind the link */
    struct om_addr here6, there6;
};

enum link_where {
    LINK_NOWHERE, /* no such host can be */
    LINK_PEER,    /* a port that the peer exposes */
    LINK_HOST     /* a host as seen from the peer, if it lets us */
};

/**
 * link_route() - where does @to lead?
 * @s:     of the link
 * @to:    an address; its port does not matter
 * @host:  receives the address as text for LINK_HOST, else ""
 *
 * Return: the answer.
 */
enum link_where link_route(const struct link_sides *s, const struct om_addr *to,
                           char host[static OM_IP_TEXT]);

#endif
