/* entry.c - what record and item have in common. */
#include "gossip/entry.h"

#include <string.h>

#include <omerta/wire.h>
#include <sodium.h>

static enum om_err decode_record(struct om_entry *out, struct om_bytes in)
{
    struct om_record r;
    enum om_err e = om_record_decode(&r, in);

    if (e == OM_OK)
        *out = (struct om_entry){
            .id = r.id, .sequence = r.sequence, .expires = r.expires, .bytes = in};
    return e;
}

enum om_err om_entry_decode(struct om_entry *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_entry x = {.bytes = in};

    if (in.n > OM_RECORD_MAX)
        return OM_E_RANGE;
    uint8_t version = om_rd_u8(&r);
    if (version == OM_RECORD_VERSION)
        return decode_record(out, in);
    if (version != OM_ITEM_VERSION)
        return OM_E_UNSUPPORTED;
    om_rd_copy(&r, x.id.b, sizeof x.id.b);
    x.sequence = om_rd_u48(&r);
    x.expires = om_rd_u32(&r);
    uint8_t n = om_rd_u8(&r);
    if (n == 0 || n > OM_CHANNEL_MAX)
        return OM_E_PARSE;
    om_rd_copy(&r, x.channel, n);
    x.value = om_rd_bytes(&r, om_rd_u16(&r));
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r) || x.value.n > OM_ITEM_VALUE_MAX || memchr(x.channel, '\0', n))
        return OM_E_PARSE;
    *out = x;
    return OM_OK;
}

size_t om_entry_make_item(struct om_mut out, const struct om_entry *e,
                          const struct om_identity *self, const struct om_id *network)
{
    struct om_wr w = om_wr(out);
    size_t n = strnlen(e->channel, sizeof e->channel);

    if (n == 0 || n > OM_CHANNEL_MAX || e->value.n > OM_ITEM_VALUE_MAX)
        return 0;
    om_wr_u8(&w, OM_ITEM_VERSION);
    om_wr_copy(&w, self->id.b, sizeof self->id.b);
    om_wr_u48(&w, e->sequence);
    om_wr_u32(&w, e->expires);
    om_wr_u8(&w, (uint8_t)n);
    om_wr_copy(&w, e->channel, n);
    om_wr_u16(&w, (uint16_t)e->value.n);
    om_wr_bytes(&w, e->value);
    size_t body = om_wr_len(&w);
    uint8_t *sig = om_wr_room(&w, OM_SIGN_BYTES);
    if (!sig)
        return 0;
    om_identity_sign(self, "record", network, om_bytes(out.p, body), sig);
    return om_wr_len(&w);
}

void om_entry_key(const struct om_entry *e, uint8_t out[static OM_ENTRY_KEY])
{
    memcpy(out, e->id.b, OM_ID_BYTES);
    memcpy(out + OM_ID_BYTES, e->channel, OM_CHANNEL_MAX); /* zero after its end */
}

uint64_t om_entry_hash(const uint8_t key[static OM_ENTRY_KEY], const struct om_id *network)
{
    uint8_t out[crypto_shorthash_BYTES];

    static_assert(sizeof out == sizeof(uint64_t), "SipHash-2-4 gives 64 bits");
    crypto_shorthash(out, key, OM_ENTRY_KEY, network->b);
    struct om_rd r = om_rd(om_bytes(out, sizeof out));
    return om_rd_u64(&r); /* so that the bytes on the wire are those that SipHash gives */
}
