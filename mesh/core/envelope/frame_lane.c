/* frame_lane.c - codecs of the frames of relay lanes; each writer mirrors its reader. */
#include "envelope/frame_lane.h"

#include "crypto/handshake_wire.h"
#include "envelope/frame.h"

enum { FORM_ASKED = 0, FORM_PASSED_ON = 1 };

static bool is_handshake(struct om_bytes b)
{
    return b.n == 0 || (b.n >= OM_HANDSHAKE_MIN && b.n <= OM_HANDSHAKE_MAX);
}

bool om_frame_read_lane_offer(struct om_rd *r, struct om_frame_lane_offer *f)
{
    uint8_t form = om_rd_u8(r);

    *f = (struct om_frame_lane_offer){.is_asked = form == FORM_ASKED};
    if (f->is_asked)
        om_rd_copy(r, f->peer.b, sizeof f->peer.b);
    f->lane = om_rd_u32(r);
    if (!f->is_asked) {
        om_rd_copy(r, f->keys, sizeof f->keys);
        f->seen = om_addr_read(r);
        f->age_s = om_rd_u16(r);
    }
    f->handshake = om_rd_rest(r);
    return om_rd_done(r) && form <= FORM_PASSED_ON && f->lane != 0 && is_handshake(f->handshake);
}

void om_frame_write_lane_offer(struct om_wr *w, const struct om_frame_lane_offer *f)
{
    size_t size = f->is_asked ? OM_LANE_ASK_SIZE : OM_LANE_OFFER_SIZE;

    om_frame_write_head(w, OM_FRAME_LANE_OFFER, size - OM_FRAME_HEAD + f->handshake.n);
    om_wr_u8(w, f->is_asked ? FORM_ASKED : FORM_PASSED_ON);
    if (f->is_asked)
        om_wr_copy(w, f->peer.b, sizeof f->peer.b);
    om_wr_u32(w, f->lane);
    if (!f->is_asked) {
        om_wr_copy(w, f->keys, sizeof f->keys);
        om_addr_write(w, &f->seen);
        om_wr_u16(w, f->age_s);
    }
    om_wr_bytes(w, f->handshake);
}

bool om_frame_read_lane_accept(struct om_rd *r, struct om_frame_lane_accept *f)
{
    f->lane = om_rd_u32(r);
    f->send_id = om_rd_u32(r);
    f->handshake = om_rd_rest(r);
    return om_rd_done(r) && f->lane != 0 && f->send_id != 0 && is_handshake(f->handshake);
}

void om_frame_write_lane_accept(struct om_wr *w, const struct om_frame_lane_accept *f)
{
    om_frame_write_head(w, OM_FRAME_LANE_ACCEPT,
                        OM_LANE_ACCEPT_SIZE - OM_FRAME_HEAD + f->handshake.n);
    om_wr_u32(w, f->lane);
    om_wr_u32(w, f->send_id);
    om_wr_bytes(w, f->handshake);
}

bool om_frame_read_lane_bound(struct om_rd *r, struct om_frame_lane_bound *f)
{
    f->lane = om_rd_u32(r);
    f->send_id = om_rd_u32(r);
    om_rd_copy(r, f->keys, sizeof f->keys);
    f->seen = om_addr_read(r);
    f->age_s = om_rd_u16(r);
    f->handshake = om_rd_rest(r);
    return om_rd_done(r) && f->lane != 0 && f->send_id != 0 && is_handshake(f->handshake);
}

void om_frame_write_lane_bound(struct om_wr *w, const struct om_frame_lane_bound *f)
{
    om_frame_write_head(w, OM_FRAME_LANE_BOUND,
                        OM_LANE_BOUND_SIZE - OM_FRAME_HEAD + f->handshake.n);
    om_wr_u32(w, f->lane);
    om_wr_u32(w, f->send_id);
    om_wr_copy(w, f->keys, sizeof f->keys);
    om_addr_write(w, &f->seen);
    om_wr_u16(w, f->age_s);
    om_wr_bytes(w, f->handshake);
}

bool om_frame_read_lane_refuse(struct om_rd *r, struct om_frame_lane_refuse *f)
{
    f->lane = om_rd_u32(r);
    f->reason = om_rd_u8(r);
    return om_rd_done(r) && f->lane != 0;
}

void om_frame_write_lane_refuse(struct om_wr *w, const struct om_frame_lane_refuse *f)
{
    om_frame_write_head(w, OM_FRAME_LANE_REFUSE, OM_LANE_REFUSE_SIZE - OM_FRAME_HEAD);
    om_wr_u32(w, f->lane);
    om_wr_u8(w, f->reason);
}

bool om_frame_read_lane_close(struct om_rd *r, uint32_t *lane)
{
    *lane = om_rd_u32(r);
    return om_rd_done(r) && *lane != 0;
}

void om_frame_write_lane_close(struct om_wr *w, uint32_t lane)
{
    om_frame_write_head(w, OM_FRAME_LANE_CLOSE, OM_LANE_CLOSE_SIZE - OM_FRAME_HEAD);
    om_wr_u32(w, lane);
}

const char *om_lane_reason_text(uint8_t reason)
{
    switch ((enum om_lane_reason)reason) {
    case OM_LANE_UNWILLING:
        return "it does not relay";
    case OM_LANE_FULL:
        return "it has no room for another lane";
    case OM_LANE_STRANGER:
        return "it has no session of its own with that peer";
    case OM_LANE_RATE:
        return "too many offers in a short time";
    case OM_LANE_SILENT:
        return "that peer does not answer it";
    case OM_LANE_DENIED:
        return "that peer did not take the handshake";
    case OM_LANE_NESTED:
        return "a lane may not lead over another lane";
    }
    return "for a reason that this version does not know";
}
