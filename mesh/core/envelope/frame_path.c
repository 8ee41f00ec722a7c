/* frame_path.c - codecs of the frames of paths. */
#include "envelope/frame_path.h"

#include "envelope/frame.h"

bool om_frame_read_punch(struct om_rd *r, struct om_frame_punch *p)
{
    p->step = om_rd_u8(r);
    p->nonce = om_rd_u64(r);
    p->fire_ms = om_rd_u32(r);
    if (p->step == OM_PUNCH_PLAN)
        om_rd_copy(r, p->profile, sizeof p->profile);
    return om_rd_done(r) && p->step < OM_PUNCH_STEPS;
}

bool om_frame_read_slice(struct om_rd *r, struct om_frame_slice *s)
{
    s->id = om_rd_u32(r);
    s->offset = om_rd_u16(r);
    s->total = om_rd_u16(r);
    s->data = om_rd_rest(r);
    return om_rd_done(r) && s->data.n > 0 && s->offset < s->total &&
           s->data.n <= (size_t)(s->total - s->offset);
}

void om_frame_write_ip(struct om_wr *w, struct om_bytes packet)
{
    om_frame_write_head(w, OM_FRAME_IP, packet.n);
    om_wr_bytes(w, packet);
}

void om_frame_write_slice(struct om_wr *w, const struct om_frame_slice *s)
{
    om_frame_write_head(w, OM_FRAME_SLICE, OM_SLICE_FRAME_HEAD - OM_FRAME_HEAD + s->data.n);
    om_wr_u32(w, s->id);
    om_wr_u16(w, s->offset);
    om_wr_u16(w, s->total);
    om_wr_bytes(w, s->data);
}

void om_frame_write_candidates(struct om_wr *w, struct om_bytes body)
{
    om_frame_write_head(w, OM_FRAME_CANDIDATES, body.n);
    om_wr_bytes(w, body);
}

void om_frame_write_punch(struct om_wr *w, const struct om_frame_punch *p)
{
    size_t profile = p->step == OM_PUNCH_PLAN ? sizeof p->profile : 0;

    om_frame_write_head(w, OM_FRAME_PUNCH, OM_PUNCH_FRAME_SIZE - OM_FRAME_HEAD + profile);
    om_wr_u8(w, p->step);
    om_wr_u64(w, p->nonce);
    om_wr_u32(w, p->fire_ms);
    om_wr_copy(w, p->profile, profile);
}

void om_frame_write_ping_later(struct om_wr *w, const struct om_frame_ping_later *p)
{
    om_frame_write_head(w, OM_FRAME_PING_LATER, OM_PING_LATER_SIZE - OM_FRAME_HEAD);
    om_wr_u64(w, p->token);
    om_wr_u16(w, p->seconds);
}

void om_frame_write_challenge(struct om_wr *w, uint64_t token)
{
    om_frame_write_head(w, OM_FRAME_PATH_CHALLENGE, 8);
    om_wr_u64(w, token);
}

void om_frame_write_response(struct om_wr *w, uint64_t token)
{
    om_frame_write_head(w, OM_FRAME_PATH_RESPONSE, 8);
    om_wr_u64(w, token);
}

void om_frame_write_mtu_probe(struct om_wr *w, size_t size)
{
    if (size < OM_FRAME_HEAD || om_wr_left(w) < size) {
        w->bad = true;
        return;
    }
    om_frame_write_head(w, OM_FRAME_MTU_PROBE, size - OM_FRAME_HEAD);
    uint8_t *to = om_wr_room(w, size - OM_FRAME_HEAD);
    if (to && size > OM_FRAME_HEAD)
        memset(to, 0, size - OM_FRAME_HEAD);
}
