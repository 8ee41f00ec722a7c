/*
 * cksum.h - the Internet checksum: made, verified and updated
 *
 * What:  one's complement sums of 16-bit words, in pieces, with the pseudo header of each family.
 * Why:   a change of one field (an MSS, a TTL) need not read the packet again.
 * Keeps: cksum_meets_the_rfc_example; cksum_update_is_a_new_sum; cksum_pieces_are_the_whole.
 *
 * Source: RFC 1071 (sum), RFC 1624 section 3 equation 3 (update), RFC 9293 section 3.1 and
 *         RFC 8200 section 8.1 (pseudo headers).
 */
#ifndef OM_PACKET_CKSUM_H
#define OM_PACKET_CKSUM_H

#include <stdint.h>

#include <omerta/addr.h>
#include <omerta/bytes.h>

/**
 * om_cksum_add() - add bytes to a sum
 * @sum:  0, or what an earlier call returned
 * @b:    at most 64 KiB; only the last piece of a sum may have an odd length
 *
 * Return: the sum, folded to 16 bits, not complemented.
 */
uint32_t om_cksum_add(uint32_t sum, struct om_bytes b);

/**
 * om_cksum_pseudo() - the pseudo header as the start of a sum
 * @src:    IPv4-mapped for the form of IPv4, which @dst must be too then
 * @dst:    the same for the other end
 * @proto:  protocol of the payload
 * @n:      bytes of the payload
 *
 * Return: the sum, folded to 16 bits, not complemented.
 */
uint32_t om_cksum_pseudo(const struct om_addr *src, const struct om_addr *dst, uint8_t proto,
                         uint32_t n);

/** om_cksum_end() - the checksum field for @sum; over bytes that hold a right one it is 0. */
uint16_t om_cksum_end(uint32_t sum);

/**
 * om_cksum_update() - the checksum after one aligned 16-bit word changed
 * @cksum:  the field before
 * @was:    the word before
 * @is:     the word now
 *
 * Return: the field now.
 */
uint16_t om_cksum_update(uint16_t cksum, uint16_t was, uint16_t is);

#endif
