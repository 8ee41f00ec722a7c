/*
 * header.h - the masked header of a data datagram
 *
 * What:  12 bytes, receiver index and counter, XORed with a keyed hash of the datagram's tag.
 * Why:   index and counter in plain would link the datagrams of a session for an observer; masked
 *        with the tag, which is as good as random, they look random too. As RFC 9001 section 5.4
 *        protects QUIC's headers.
 * Keeps: header_mask_is_its_own_inverse; header_mask_needs_the_key.
 *
 *     [12 B masked: u32 receiver index, u64 counter][ciphertext][16 B tag]
 *
 * Source: PROTOCOL section 2.
 */
#ifndef OM_ENVELOPE_HEADER_H
#define OM_ENVELOPE_HEADER_H

#include <omerta/bytes.h>

#include "network/epoch.h"

enum { OM_HEADER_BYTES = 12, OM_TAG_BYTES = 16, OM_OVERHEAD = OM_HEADER_BYTES + OM_TAG_BYTES };

struct om_header {
    uint32_t index;
    uint64_t counter;
};

/**
 * om_header_mask() - mask or unmask the first 12 bytes of a datagram
 * @key:    mask key
 * @dgram:  at least OM_OVERHEAD bytes; the sample is its last 16
 * @out:    the 12 bytes after XOR; may be @dgram's own start
 */
void om_header_mask(const uint8_t key[static OM_MASK_KEY_BYTES], struct om_bytes dgram,
                    uint8_t out[static OM_HEADER_BYTES]);

/** om_header_decode() - index and counter of 12 unmasked bytes @in. */
struct om_header om_header_decode(const uint8_t in[static OM_HEADER_BYTES]);

/** om_header_encode() - the 12 bytes of @h into @out, unmasked. */
void om_header_encode(const struct om_header *h, uint8_t out[static OM_HEADER_BYTES]);

#endif
