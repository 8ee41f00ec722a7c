/* handshake_payload.c - codecs; each encoder mirrors its decoder line by line. */
#include "crypto/handshake_payload.h"

/* {u8 type, u8 length, value} to the end: none is known yet, all are skipped. */
static void skip_fields(struct om_rd *r)
{
    while (om_rd_left(r) > 0) {
        om_rd_u8(r);
        om_rd_take(r, om_rd_u8(r));
    }
}

void om_msg1_encode(const struct om_msg1 *m, struct om_wr *w)
{
    om_wr_copy(w, m->association, sizeof m->association);
    om_wr_u48(w, m->timestamp_ms);
    om_wr_u48(w, m->stored_ms);
    om_wr_u8(w, m->ciphers);
    om_wr_u8(w, m->version_min);
    om_wr_u8(w, m->version_max);
    om_wr_u32(w, m->features);
    om_wr_u8(w, m->credential_kind);
    om_wr_u16(w, (uint16_t)m->credential.n);
    om_wr_bytes(w, m->credential);
}

enum om_err om_msg1_decode(struct om_msg1 *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_msg1 m;

    om_rd_copy(&r, m.association, sizeof m.association);
    m.timestamp_ms = om_rd_u48(&r);
    m.stored_ms = om_rd_u48(&r);
    m.ciphers = om_rd_u8(&r);
    m.version_min = om_rd_u8(&r);
    m.version_max = om_rd_u8(&r);
    m.features = om_rd_u32(&r);
    m.credential_kind = om_rd_u8(&r);
    m.credential = om_rd_bytes(&r, om_rd_u16(&r));
    skip_fields(&r);
    if (!om_rd_done(&r))
        return OM_E_TRUNC;
    *out = m;
    return OM_OK;
}

void om_msg2_encode(const struct om_msg2 *m, struct om_wr *w)
{
    om_wr_copy(w, m->association, sizeof m->association);
    om_wr_u8(w, m->cipher);
    om_wr_u8(w, m->version);
    om_wr_u32(w, m->features);
    om_wr_u8(w, m->session_class);
    om_wr_u8(w, m->credential_kind);
    om_wr_u16(w, (uint16_t)m->credential.n);
    om_wr_bytes(w, m->credential);
}

enum om_err om_msg2_decode(struct om_msg2 *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_msg2 m;

    om_rd_copy(&r, m.association, sizeof m.association);
    m.cipher = om_rd_u8(&r);
    m.version = om_rd_u8(&r);
    m.features = om_rd_u32(&r);
    m.session_class = om_rd_u8(&r);
    m.credential_kind = om_rd_u8(&r);
    m.credential = om_rd_bytes(&r, om_rd_u16(&r));
    skip_fields(&r);
    if (!om_rd_done(&r))
        return OM_E_TRUNC;
    *out = m;
    return OM_OK;
}
