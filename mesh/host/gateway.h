/*
 * gateway.h - the router that this machine sends to when it knows no better
 *
 * What:  the gateway of the IPv4 default route of the lowest metric, read from the kernel.
 * Why:   it is the only machine that is asked for port mappings, and whose word about them counts.
 * Keeps: gateway_is_that_of_the_best_route.
 *
 * Source: RFC 3549 (netlink).
 */
#ifndef OM_HOST_GATEWAY_H
#define OM_HOST_GATEWAY_H

#include <stdint.h>

/** gateway_find() - its address in network order; 0: there is none. */
uint32_t gateway_find(void);

#endif
