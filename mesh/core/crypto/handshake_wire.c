/* handshake_wire.c - layout, T and masks of handshake datagrams. */
#include "crypto/handshake_wire.h"

#include <sodium.h>

#include <omerta/wire.h>

#include "crypto/cookie.h"

/* XOR everything between the header and T with the outer stream (PROTOCOL 3: nonce T || 0^8). */
static void mask_rest(const struct om_epoch *epoch, uint8_t *dgram, size_t n, const uint8_t *t)
{
    uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES] = {0};
    uint8_t *rest = dgram + OM_HEADER_BYTES;

    memcpy(nonce, t, OM_MAC_BYTES);
    crypto_stream_xchacha20_xor(rest, rest, n - OM_HEADER_BYTES - OM_MAC_BYTES, nonce,
                                epoch->outer_stream);
}

size_t om_handshake_least(const struct om_handshake_fields *f)
{
    size_t need = OM_HANDSHAKE_FRONT + f->body.n + f->pad_min + OM_HANDSHAKE_BACK;

    return need < OM_HANDSHAKE_MIN ? OM_HANDSHAKE_MIN : need;
}

/* A size between the least that fits and the greatest allowed, so that sizes tell nothing. */
static size_t draw_size(const struct om_handshake_fields *f, const struct om_rng *rng)
{
    size_t least = om_handshake_least(f);
    size_t most = f->size_max < OM_HANDSHAKE_MAX ? f->size_max : OM_HANDSHAKE_MAX;
    uint32_t draw;

    if (least > most)
        return 0;
    om_rng_fill(rng, &draw, sizeof draw);
    return least + draw % (most - least + 1);
}

static void write_front(struct om_wr *w, const struct om_handshake_fields *f)
{
    om_wr_u32(w, 0);
    om_wr_u8(w, OM_HANDSHAKE_VERSION);
    om_wr_u8(w, (uint8_t)f->kind);
    om_wr_u16(w, (uint16_t)f->body.n);
    om_wr_u32(w, f->sender);
    om_wr_u32(w, f->receiver);
    om_wr_u32(w, f->coarse);
}

enum om_err om_handshake_build(struct om_buf *buf, const struct om_epoch *epoch,
                               const struct om_handshake_fields *f, struct om_bytes bind,
                               const struct om_rng *rng)
{
    size_t size = draw_size(f, rng);
    uint8_t *dgram = size ? om_buf_put(buf, size) : NULL;

    if (!dgram)
        return OM_E_RANGE;
    struct om_wr w = om_wr(om_mut(dgram, size));
    write_front(&w, f);
    om_wr_bytes(&w, f->body);

    struct om_bytes before = om_bytes(dgram, om_wr_len(&w));
    uint8_t *mac2 = om_wr_room(&w, OM_MAC_BYTES);
    OM_BUG_IF(!mac2); /* the size was drawn to fit */
    if (f->cookie)
        om_cookie_mac2(f->cookie, before, mac2);
    else if (f->answers)
        memcpy(mac2, f->answers, OM_MAC_BYTES);
    else
        memset(mac2, 0, OM_MAC_BYTES);

    size_t pad = om_wr_left(&w) - OM_MAC_BYTES;
    om_rng_fill(rng, om_wr_room(&w, pad), pad);
    uint8_t *t = om_wr_room(&w, OM_MAC_BYTES);
    OM_BUG_IF(!t);
    om_mac128(t, epoch->outer, sizeof epoch->outer, bind, om_bytes(dgram, size - OM_MAC_BYTES));

    mask_rest(epoch, dgram, size, t);
    om_header_mask(epoch->mask, om_bytes(dgram, size), dgram);
    return OM_OK;
}

enum om_err om_handshake_unmask(struct om_handshake_plain *out, const struct om_epoch *epoch,
                                struct om_bytes dgram, const uint8_t header[static OM_HEADER_BYTES])
{
    if (dgram.n < OM_HANDSHAKE_MIN || dgram.n > OM_HANDSHAKE_MAX)
        return OM_E_TRUNC;
    out->len = dgram.n;
    memcpy(out->bytes, dgram.p, dgram.n);
    memcpy(out->bytes, header, OM_HEADER_BYTES);
    out->t = out->bytes + out->len - OM_MAC_BYTES;
    mask_rest(epoch, out->bytes, out->len, out->t);

    struct om_rd r = om_rd(om_bytes(out->bytes, out->len - OM_MAC_BYTES));
    om_rd_take(&r, 4); /* receiver index 0 of the header */
    out->version = om_rd_u8(&r);
    out->kind = om_rd_u8(&r);
    uint16_t body = om_rd_u16(&r);
    out->sender = om_rd_u32(&r);
    out->receiver = om_rd_u32(&r);
    out->coarse = om_rd_u32(&r);
    out->body = om_rd_bytes(&r, body);
    out->before_mac2 = om_bytes(out->bytes, (size_t)OM_HANDSHAKE_FRONT + body);
    out->mac2 = om_rd_take(&r, OM_MAC_BYTES);
    if (out->version != OM_HANDSHAKE_VERSION)
        return OM_E_UNSUPPORTED;
    return r.bad ? OM_E_TRUNC : OM_OK;
}

bool om_handshake_verify(const struct om_handshake_plain *p, const struct om_epoch *epoch,
                         struct om_bytes bind)
{
    uint8_t want[OM_MAC_BYTES];

    om_mac128(want, epoch->outer, sizeof epoch->outer, bind,
              om_bytes(p->bytes, p->len - OM_MAC_BYTES));
    return sodium_memcmp(want, p->t, sizeof want) == 0;
}
