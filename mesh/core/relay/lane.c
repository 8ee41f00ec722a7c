/* lane.c - the outer header of a relay lane. */
#include "relay/lane.h"

#include <sodium.h>

#include <omerta/wire.h>

enum {
    HASH_BYTES = crypto_shorthash_siphashx24_BYTES,
    MAC_SHOWN = 8,
    MAC_INPUT = 4 + 8 + 2 + OM_HEADER_BYTES + OM_TAG_BYTES
};

static_assert(OM_LANE_BYTES == 4 + 4 + MAC_SHOWN, "diagram and code disagree");
static_assert((int)OM_LANE_BYTES == (int)HASH_BYTES, "one hash masks the header");
static_assert((int)OM_LANE_KEY_BYTES == (int)crypto_shorthash_siphashx24_KEYBYTES,
              "SipHash-2-4 key");
static_assert(sizeof((struct om_lane_header *)0)->mac == MAC_SHOWN, "what is compared");

void om_hop_init(struct om_hop *h, uint32_t receive_id, uint32_t send_id,
                 const uint8_t keys[static 2 * OM_LANE_KEY_BYTES])
{
    *h = (struct om_hop){.receive_id = receive_id, .send_id = send_id};
    memcpy(h->send_key, keys, OM_LANE_KEY_BYTES);
    memcpy(h->receive_key, keys + OM_LANE_KEY_BYTES, OM_LANE_KEY_BYTES);
    om_replay_init_narrow(&h->seen, OM_LANE_WINDOW);
}

void om_hop_fini(struct om_hop *h)
{
    sodium_memzero(h, sizeof *h);
}

/* @dgram with its outer header: lane and sequence as they are before masking. */
static void mac(const uint8_t key[static OM_LANE_KEY_BYTES], uint32_t lane, uint64_t sequence,
                struct om_bytes dgram, uint8_t out[static HASH_BYTES])
{
    uint8_t in[MAC_INPUT];
    struct om_wr w = om_wr(om_mut(in, sizeof in));

    om_wr_u32(&w, lane);
    om_wr_u64(&w, sequence);
    om_wr_u16(&w, (uint16_t)(dgram.n - OM_LANE_BYTES));
    om_wr_copy(&w, dgram.p + OM_LANE_BYTES, OM_HEADER_BYTES);
    om_wr_copy(&w, dgram.p + dgram.n - OM_TAG_BYTES, OM_TAG_BYTES);
    OM_BUG_IF(om_wr_len(&w) != MAC_INPUT);
    crypto_shorthash_siphashx24(out, in, sizeof in, key);
}

static bool is_size(size_t n)
{
    return n >= OM_LANE_BYTES + OM_LANE_INNER_MIN && n <= OM_LANE_BYTES + UINT16_MAX;
}

static void xor_mask(const uint8_t key[static OM_MASK_KEY_BYTES], struct om_bytes dgram,
                     const uint8_t *from, uint8_t out[static OM_LANE_BYTES])
{
    uint8_t mask[HASH_BYTES];

    crypto_shorthash_siphashx24(mask, dgram.p + dgram.n - OM_TAG_BYTES, OM_TAG_BYTES, key);
    for (size_t i = 0; i < OM_LANE_BYTES; i++)
        out[i] = (uint8_t)(from[i] ^ mask[i]);
}

void om_hop_wrap(struct om_hop *h, const uint8_t mask[static OM_MASK_KEY_BYTES], uint8_t *at,
                 size_t n)
{
    uint8_t plain[OM_LANE_BYTES], hash[HASH_BYTES];
    struct om_wr w = om_wr(om_mut(plain, sizeof plain));

    OM_BUG_IF(!is_size(n) || h->send_id == 0);
    mac(h->send_key, h->send_id, h->sent, om_bytes(at, n), hash);
    om_wr_u32(&w, h->send_id);
    om_wr_u32(&w, (uint32_t)(h->sent & UINT32_MAX));
    om_wr_copy(&w, hash, MAC_SHOWN);
    h->sent++;
    xor_mask(mask, om_bytes(at, n), plain, at);
}

bool om_lane_peek(const uint8_t mask[static OM_MASK_KEY_BYTES], struct om_bytes dgram,
                  struct om_lane_header *out)
{
    uint8_t plain[OM_LANE_BYTES];

    if (!is_size(dgram.n))
        return false;
    xor_mask(mask, dgram, dgram.p, plain);
    struct om_rd r = om_rd(om_bytes(plain, sizeof plain));
    out->lane = om_rd_u32(&r);
    out->sequence = om_rd_u32(&r);
    om_rd_copy(&r, out->mac, sizeof out->mac);
    return true;
}

bool om_hop_wrote(const struct om_hop *h, const uint8_t mask[static OM_MASK_KEY_BYTES],
                  struct om_bytes dgram)
{
    struct om_lane_header header;
    uint8_t hash[HASH_BYTES];

    if (h->send_id == 0 || h->sent == 0 || !om_lane_peek(mask, dgram, &header))
        return false;
    mac(h->send_key, h->send_id, h->sent - 1, dgram, hash);
    return header.lane == h->send_id && header.sequence == ((h->sent - 1) & UINT32_MAX) &&
           sodium_memcmp(hash, header.mac, MAC_SHOWN) == 0;
}

/* The sequence with this low half that is nearest to the highest seen, and not below 0. */
static uint64_t whole(const struct om_replay *seen, uint32_t low)
{
    const uint64_t span = UINT64_C(1) << 32;
    uint64_t top = seen->has_top ? seen->top : 0;
    uint64_t at = (top & ~(span - 1)) | low;

    if (at > top && at - top > span / 2 && at >= span)
        return at - span;
    if (at < top && top - at > span / 2 && at <= UINT64_MAX - span)
        return at + span;
    return at;
}

enum om_err om_hop_check(struct om_hop *h, const struct om_lane_header *header,
                         struct om_bytes dgram)
{
    uint64_t sequence = whole(&h->seen, header->sequence);
    uint8_t hash[HASH_BYTES];

    OM_BUG_IF(!is_size(dgram.n));
    mac(h->receive_key, h->receive_id, sequence, dgram, hash);
    if (header->lane != h->receive_id || sodium_memcmp(hash, header->mac, MAC_SHOWN) != 0)
        return OM_E_CRYPTO;
    if (!om_replay_check(&h->seen, sequence))
        return OM_E_EXISTS;
    om_replay_mark(&h->seen, sequence);
    return OM_OK;
}
