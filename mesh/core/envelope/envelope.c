/* envelope.c - the one file that makes a struct om_sealed. */
#include "envelope/envelope.h"

#include <string.h>

#include <sodium.h>

struct om_sealed {
    struct om_buf buf; /* first, and all there is: sealing changes the type, not the memory */
};

static struct om_sealed *sealed(struct om_buf *b)
{
    return OM_CONTAINER_OF(b, struct om_sealed, buf);
}

struct om_bytes om_sealed_bytes(const struct om_sealed *s)
{
    return om_bytes(om_buf_data(&s->buf), s->buf.len);
}

enum om_err om_sealed_copy(struct om_sealed **out, struct om_buf *buf, const struct om_sealed *d)
{
    struct om_bytes bytes = om_sealed_bytes(d);

    if (om_buf_headroom(buf) < OM_HEADER_BYTES || bytes.n < OM_HEADER_BYTES ||
        om_buf_tailroom(buf) < bytes.n - OM_HEADER_BYTES)
        return OM_E_RANGE;
    om_buf_put(buf, bytes.n - OM_HEADER_BYTES);
    memcpy(om_buf_push(buf, OM_HEADER_BYTES), bytes.p, bytes.n);
    *out = sealed(buf);
    return OM_OK;
}

struct om_buf *om_sealed_release(struct om_sealed *s)
{
    return &s->buf;
}

enum om_err om_sealed_carried(struct om_sealed **out, struct om_buf *buf, struct om_bytes inner)
{
    uint8_t *to = inner.n >= OM_OVERHEAD ? om_buf_put(buf, inner.n) : NULL;

    if (!to)
        return OM_E_RANGE;
    memcpy(to, inner.p, inner.n);
    *out = sealed(buf);
    return OM_OK;
}

void om_sealed_remask(struct om_sealed *s, const uint8_t from[static OM_MASK_KEY_BYTES],
                      const uint8_t to[static OM_MASK_KEY_BYTES])
{
    uint8_t *head = om_buf_data(&s->buf);

    om_header_mask(from, om_bytes(head, s->buf.len), head);
    om_header_mask(to, om_bytes(head, s->buf.len), head);
}

struct om_mut om_sealed_lane(struct om_sealed *s)
{
    uint8_t *at = om_buf_push(&s->buf, OM_LANE_BYTES);

    return om_mut(at, at ? s->buf.len : 0);
}

enum om_err om_seal(struct om_sealed **out, struct om_session *s, uint64_t counter,
                    struct om_buf *plain)
{
    const struct om_header h = {s->remote, counter};
    size_t n = plain->len;
    uint8_t *tag = om_buf_put(plain, OM_TAG_BYTES);
    uint8_t *head = tag ? om_buf_push(plain, OM_HEADER_BYTES) : NULL;

    if (!head)
        return OM_E_RANGE;
    om_header_encode(&h, head);
    if (!om_aead_seal(&s->seal, counter, om_bytes(head, OM_HEADER_BYTES), head + OM_HEADER_BYTES, n,
                      tag))
        return OM_E_CRYPTO;
    s->sealed++;
    om_header_mask(s->epoch->mask, om_bytes(head, plain->len), head);
    *out = sealed(plain);
    return OM_OK;
}

unsigned om_seal_many(struct om_sealed **out, struct om_session *s, uint64_t first,
                      struct om_buf **plain, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (om_seal(&out[i], s, first + i, plain[i]) != OM_OK)
            return i;
    return n;
}

static void open_one(struct om_session *s, struct om_incoming *in)
{
    uint8_t *text = in->dgram.p + OM_HEADER_BYTES;
    size_t n = in->dgram.n - OM_OVERHEAD;

    in->is_open = false;
    if (!om_replay_check(&s->replay, in->counter)) {
        in->why = OM_DROP_REPLAY;
        return;
    }
    if (!om_aead_open(&s->open, in->counter, om_bytes(in->header, OM_HEADER_BYTES), text, n,
                      text + n)) {
        s->failed_opens++;
        in->why = OM_DROP_OPEN;
        return;
    }
    om_replay_mark(&s->replay, in->counter);
    in->plain = om_mut(text, n);
    in->is_open = true;
}

void om_open_many(struct om_session *s, struct om_incoming *in, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        open_one(s, &in[i]);
}

enum om_err om_sealed_handshake(struct om_sealed **out, struct om_buf *buf,
                                const struct om_epoch *epoch, const struct om_handshake_fields *hs,
                                struct om_bytes bind, const struct om_rng *rng)
{
    enum om_err e = om_handshake_build(buf, epoch, hs, bind, rng);

    if (e == OM_OK)
        *out = sealed(buf);
    return e;
}
