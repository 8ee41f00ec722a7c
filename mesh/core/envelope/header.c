/* header.c - mask and codec of the 12-byte header. */
#include "envelope/header.h"

#include <sodium.h>

#include <omerta/wire.h>

static_assert(OM_MASK_KEY_BYTES == crypto_shorthash_siphashx24_KEYBYTES, "SipHash-2-4 key");
static_assert(OM_HEADER_BYTES <= crypto_shorthash_siphashx24_BYTES, "one hash masks the header");

void om_header_mask(const uint8_t key[static OM_MASK_KEY_BYTES], struct om_bytes dgram,
                    uint8_t out[static OM_HEADER_BYTES])
{
    uint8_t mask[crypto_shorthash_siphashx24_BYTES];

    crypto_shorthash_siphashx24(mask, dgram.p + dgram.n - OM_TAG_BYTES, OM_TAG_BYTES, key);
    for (size_t i = 0; i < OM_HEADER_BYTES; i++)
        out[i] = (uint8_t)(dgram.p[i] ^ mask[i]);
}

struct om_header om_header_decode(const uint8_t in[static OM_HEADER_BYTES])
{
    struct om_rd r = om_rd(om_bytes(in, OM_HEADER_BYTES));
    struct om_header h;

    h.index = om_rd_u32(&r);
    h.counter = om_rd_u64(&r);
    return h;
}

void om_header_encode(const struct om_header *h, uint8_t out[static OM_HEADER_BYTES])
{
    struct om_wr w = om_wr(om_mut(out, OM_HEADER_BYTES));

    om_wr_u32(&w, h->index);
    om_wr_u64(&w, h->counter);
}
