/* record.c - the record's bytes; the writer mirrors the reader. */
#include "peer/record.h"

#include <omerta/wire.h>

bool om_record_field(struct om_rd *at, uint8_t *type, struct om_bytes *value)
{
    if (om_rd_left(at) == 0)
        return false;
    *type = om_rd_u8(at);
    *value = om_rd_bytes(at, om_rd_u16(at));
    return !at->bad;
}

static bool are_whole(struct om_bytes fields)
{
    struct om_rd r = om_rd(fields);
    struct om_bytes value;
    uint8_t type;

    while (om_record_field(&r, &type, &value)) {
    }
    return om_rd_done(&r);
}

enum om_err om_record_decode(struct om_record *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_record x = {.sequence = 0};

    if (in.n > OM_RECORD_MAX)
        return OM_E_RANGE;
    if (om_rd_u8(&r) != OM_RECORD_VERSION)
        return OM_E_UNSUPPORTED;
    om_rd_copy(&r, x.id.b, sizeof x.id.b);
    x.sequence = om_rd_u48(&r);
    x.expires = om_rd_u32(&r);
    x.flags = om_rd_u8(&r);
    x.nat = om_rd_u8(&r);
    x.end_count = om_rd_u8(&r);
    if (x.end_count > OM_RECORD_ENDS_MAX)
        return OM_E_PARSE;
    for (unsigned i = 0; i < x.end_count; i++) {
        x.ends[i].kind = om_rd_u8(&r);
        x.ends[i].addr = om_addr_read(&r);
    }
    x.fields = om_rd_bytes(&r, om_rd_u16(&r));
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r) || !are_whole(x.fields))
        return OM_E_PARSE;
    *out = x;
    return OM_OK;
}

size_t om_record_encode(uint8_t out[static OM_RECORD_MAX], const struct om_record *r,
                        const struct om_identity *self, const struct om_id *network)
{
    struct om_wr w = om_wr(om_mut(out, OM_RECORD_MAX));

    if (r->end_count > OM_RECORD_ENDS_MAX || r->fields.n > OM_RECORD_MAX)
        return 0;
    om_wr_u8(&w, OM_RECORD_VERSION);
    om_wr_copy(&w, self->id.b, sizeof self->id.b);
    om_wr_u48(&w, r->sequence);
    om_wr_u32(&w, r->expires);
    om_wr_u8(&w, r->flags);
    om_wr_u8(&w, r->nat);
    om_wr_u8(&w, r->end_count);
    for (unsigned i = 0; i < r->end_count; i++) {
        om_wr_u8(&w, r->ends[i].kind);
        om_addr_write(&w, &r->ends[i].addr);
    }
    om_wr_u16(&w, (uint16_t)r->fields.n);
    om_wr_bytes(&w, r->fields);
    size_t body = om_wr_len(&w);
    uint8_t *sig = om_wr_room(&w, OM_SIGN_BYTES);
    if (!sig)
        return 0;
    om_identity_sign(self, "record", network, om_bytes(out, body), sig);
    return om_wr_len(&w);
}
