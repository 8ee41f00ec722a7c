/*
 * udp.h - datagrams to and from any address and port
 *
 * What:  points lwIP's one UDP endpoint at the port of each datagram, and queues what arrives.
 * Why:   lwIP checks lengths and checksums and puts fragments together, but wants an endpoint for
 *        each port number.
 * Keeps: stack_carries_datagrams_both_ways.
 * Full:  the datagram is dropped and counted.
 */
#ifndef OM_STACK_UDP_H
#define OM_STACK_UDP_H

#include "stack/state.h"

/** om_udp_begin() - the endpoint of @s; OM_OK or OM_E_NO_MEM. */
OM_MUST enum om_err om_udp_begin(struct om_stack *s);

/** om_udp_end() - free the endpoint of @s. */
void om_udp_end(struct om_stack *s);

#endif
