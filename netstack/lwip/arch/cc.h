/*
 * cc.h - what lwIP asks of compiler and platform
 *
 * What:  randomness and the last words of an assertion; types come from stdint.h.
 * Why:   lwIP's own defaults print, or call rand().
 * Keeps: lwip_moves_bytes_both_ways_v4.
 *
 * Whoever links lwIP supplies om_lwip_rand() and calls tcp_tmr() in time: the stack has no clock
 * and no entropy of its own, and a test owns both.
 */
#ifndef OM_LWIP_CC_H
#define OM_LWIP_CC_H

#include <stdint.h>
#include <stdlib.h>

#include <omerta/attr.h>

#ifndef BYTE_ORDER
#define BYTE_ORDER    __BYTE_ORDER__
#define LITTLE_ENDIAN __ORDER_LITTLE_ENDIAN__
#define BIG_ENDIAN    __ORDER_BIG_ENDIAN__
#endif

/**
 * om_lwip_rand() - randomness for ports and sequence numbers; supplied by the linking program
 *
 * Return: 32 bits that a peer cannot guess.
 */
uint32_t om_lwip_rand(void);

#define LWIP_RAND() om_lwip_rand()

/**
 * om_lwip_chksum() - the sum of RFC 1071 over bytes; supplied by the linking program
 * @data:  first of them, wherever it lies
 * @n:     how many
 *
 * Return: the sum as it lies in a packet, not complemented.
 */
uint16_t om_lwip_chksum(const void *data, int n);

#define LWIP_CHKSUM om_lwip_chksum

/* An assertion is about lwIP's own state: what arrives from outside is dropped before. */
#define LWIP_PLATFORM_ASSERT(what) om_bug(__FILE__, __LINE__, what)
#define LWIP_PLATFORM_DIAG(what)   ((void)0)

#endif
