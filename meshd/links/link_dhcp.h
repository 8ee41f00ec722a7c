/*
 * link_dhcp.h - addresses for the one card behind a link of Ethernet
 *
 * What:  answers DHCP and router solicitations with the link's own "there", us as router and
 *        resolver, the MTU and the name; tells our router's place anew from time to time.
 * Why:   a stock image then finds its network by itself.
 * Keeps: link_dhcp_gives_the_card_its_address; link_dhcp_advertises; link_dhcp_leaves_the_rest;
 *        link_dhcp_counts_what_is_wrong.
 *
 * What is asked is taken before the stack sees it, and passed the gate before. IPv6 has no lease: a
 * card makes its address of prefix and MAC (RFC 4291 appendix A), so it is told to only when that
 * makes "there6"; there is no DHCPv6.
 *
 * Source: RFC 2131; RFC 4861 sections 6.1.1 (solicitations that count) and 6.2.1 (times); RFC 8106.
 */
#ifndef OM_LINKS_LINK_DHCP_H
#define OM_LINKS_LINK_DHCP_H

#include "links/link_config.h"

struct link_dhcp;

enum {
    LINK_LEASE_S = 3600,
    LINK_ADVERT_S = 200,  /* between advertisements nobody asked for */
    LINK_ROUTER_S = 1800, /* for so long the last of them holds */
    LINK_PREFIX_S = 86400,
    LINK_DHCP_FRAME = 640 /* more than any answer */
};

/** link_dhcp_new() - by @out what serves the card of @config, of Ethernet, from @now on. Return:
 *  OM_OK, OM_E_NO_MEM. */
OM_MUST enum om_err link_dhcp_new(struct link_dhcp **out, const struct link_config *config,
                                  om_time now);

/** link_dhcp_free() - release @d; NULL is fine. */
void link_dhcp_free(struct link_dhcp *d);

/**
 * link_dhcp_input() - is it for us, and what is the answer?
 * @d:       the server
 * @now:     current time
 * @frame:   that passed the gate; hostile all the same
 * @room:    LINK_DHCP_FRAME bytes
 * @answer:  receives a frame for the card, in @room; empty: none, and why is counted
 *
 * Return: false when it is for the stack.
 */
bool link_dhcp_input(struct link_dhcp *d, om_time now, struct om_bytes frame, struct om_mut room,
                     struct om_bytes *answer);

/** link_dhcp_deadline() - when @d wants link_dhcp_tick(); OM_NEVER without IPv6. */
om_time link_dhcp_deadline(const struct link_dhcp *d);

/** link_dhcp_tick() - a frame in @room (LINK_DHCP_FRAME bytes) that @d has to say at @now; empty:
 *  none. */
struct om_bytes link_dhcp_tick(struct link_dhcp *d, om_time now, struct om_mut room);

/** link_dhcp_answered() - messages to @d that got an answer; of NULL, none. */
uint64_t link_dhcp_answered(const struct link_dhcp *d);

/** link_dhcp_dropped() - messages to @d that made no sense; of NULL, none. */
uint64_t link_dhcp_dropped(const struct link_dhcp *d);

#endif
