/*
 * port.h - a link of the stack as one of lwIP's network interfaces
 *
 * What:  adds and removes the interface, makes one port the current one, and lends it the address
 *        that the packet in hand is for.
 * Why:   lwIP takes a packet only for an address of the interface. On a catch-all port each packet
 *        brings its own: stored in the interface for as long as the packet is handled, it makes
 *        unmodified lwIP answer for any address.
 * Keeps: stack_ports_with_one_address_stay_apart; stack_drops_what_is_not_for_the_port.
 */
#ifndef OM_STACK_PORT_H
#define OM_STACK_PORT_H

#include "stack/state.h"

/** om_stack_port_find() - the port @id of @s, or NULL. */
struct om_stack_port *om_stack_port_find(const struct om_stack *s, uint32_t id);

/** om_stack_port_of() - the port of @netif. */
struct om_stack_port *om_stack_port_of(const struct netif *netif);

/** om_stack_port_select() - from now on lwIP of @s works in the name of @port; NULL: of none. */
void om_stack_port_select(struct om_stack *s, struct om_stack_port *port);

/** om_stack_port_face() - show the address @ip (16 bytes) as one of @port's, until _rest(). */
void om_stack_port_face(struct om_stack_port *port, const uint8_t ip[static 16]);

/** om_stack_port_rest() - show @port's own addresses again. */
void om_stack_port_rest(struct om_stack_port *port);

/** om_stack_port_owns() - is @ip (16 bytes) an address of @port itself? */
bool om_stack_port_owns(const struct om_stack_port *port, const uint8_t ip[static 16]);

/** om_stack_may_be_host() - false for @ip (16 bytes) that is never one machine's on a link. */
bool om_stack_may_be_host(const uint8_t ip[static 16]);

/**
 * om_stack_packet() - a packet as lwIP wants it
 * @port:   where it arrived
 * @bytes:  copied; fewer than 64 KiB
 *
 * lwIP looks a little past the end of a header that lies about its length: there are zeroes.
 *
 * Return: for the input function of the port, which takes it; NULL: no memory.
 */
struct pbuf *om_stack_packet(const struct om_stack_port *port, struct om_bytes bytes);

/**
 * om_stack_to_lwip() - an address in lwIP's form
 * @out:   set
 * @ip:    16 bytes
 * @port:  gives link-local addresses their zone
 */
void om_stack_to_lwip(ip_addr_t *out, const uint8_t ip[static 16],
                      const struct om_stack_port *port);

/** om_stack_from_lwip() - @ip of lwIP's and @port in our form. */
struct om_addr om_stack_from_lwip(const ip_addr_t *ip, uint16_t port);

#endif
