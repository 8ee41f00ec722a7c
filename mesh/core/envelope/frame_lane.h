/*
 * frame_lane.h - the frames by which a relay and the two ends of a lane agree
 *
 * What:  codecs of LANE_OFFER in its two forms, LANE_ACCEPT, LANE_REFUSE, LANE_BOUND, LANE_CLOSE.
 * Why:   an end asks its relay, the relay asks the other end, and each answer goes the same way
 *        back with a handshake inside, so that data flows after one round trip over the relay.
 * Keeps: frame_round_trips_lanes; frame_lane_layout_is_pinned; frame_lane_refuses_bad_bodies;
 *        frame_lanes_fit_the_floor.
 *
 *     LANE_OFFER   u8 0, 32 B peer key, u32 lane, handshake            end to relay
 *     LANE_OFFER   u8 1, u32 lane, keys, seen, handshake               relay to the other end
 *     LANE_ACCEPT  u32 lane, u32 its own lane id, handshake            that end to the relay
 *     LANE_BOUND   u32 lane, u32 lane id to send on, keys, seen, handshake      relay to the end
 *     LANE_REFUSE  u32 lane, u8 reason                                 either way
 *     LANE_CLOSE   u32 lane                                            either way
 *
 *     keys = 16 B to the end, 16 B from the end;   seen = address of the far end, u16 its age in s
 *     handshake = nothing, or one handshake datagram of 448 to 512 bytes
 *
 * The lane of an offer is the one its receiver will write: of the two ids of a hop, the sender's.
 * In every other frame it is the receiver's own, so that it finds the lane by it; no id is 0.
 *
 * Source: PROTOCOL sections 4 and 6; plans/wire.md for what those leave open.
 */
#ifndef OM_ENVELOPE_FRAME_LANE_H
#define OM_ENVELOPE_FRAME_LANE_H

#include <omerta/addr.h>
#include <omerta/id.h>
#include <omerta/wire.h>

enum {
    OM_LANE_KEYS_BYTES = 2 * 16,
    OM_LANE_ASK_SIZE = 3 + 1 + OM_ID_BYTES + 4, /* of each frame without its handshake */
    OM_LANE_OFFER_SIZE = 3 + 1 + 4 + OM_LANE_KEYS_BYTES + OM_ADDR_WIRE + 2,
    OM_LANE_ACCEPT_SIZE = 3 + 4 + 4,
    OM_LANE_BOUND_SIZE = 3 + 4 + 4 + OM_LANE_KEYS_BYTES + OM_ADDR_WIRE + 2,
    OM_LANE_REFUSE_SIZE = 3 + 4 + 1,
    OM_LANE_CLOSE_SIZE = 3 + 4
};

/* Why there is no lane; later ones are taken as they come. */
enum om_lane_reason {
    OM_LANE_UNWILLING = 1, /* it relays for nobody, or wants no lane */
    OM_LANE_FULL = 2,      /* as many lanes as it has, or as this end may have */
    OM_LANE_STRANGER = 3,  /* the relay has no session of its own with the other end */
    OM_LANE_RATE = 4,      /* too many offers */
    OM_LANE_SILENT = 5,    /* the other end did not answer */
    OM_LANE_DENIED = 6,    /* the other end did not take the handshake */
    OM_LANE_NESTED = 7     /* offered over a lane */
};
enum { OM_LANE_REASONS = OM_LANE_NESTED + 1 }; /* that we know; none is 0 */

/* Both forms: is_asked tells which fields count. */
struct om_frame_lane_offer {
    bool is_asked; /* an end asks its relay; else the relay asks the other end */
    struct om_id peer;
    uint32_t lane;
    uint8_t keys[OM_LANE_KEYS_BYTES];
    struct om_addr seen;
    uint16_t age_s;
    struct om_bytes handshake;
};

struct om_frame_lane_accept {
    uint32_t lane;
    uint32_t send_id;
    struct om_bytes handshake;
};

struct om_frame_lane_bound {
    uint32_t lane;
    uint32_t send_id;
    uint8_t keys[OM_LANE_KEYS_BYTES];
    struct om_addr seen;
    uint16_t age_s;
    struct om_bytes handshake;
};

struct om_frame_lane_refuse {
    uint32_t lane;
    uint8_t reason; /* enum om_lane_reason or a later one */
};

/** om_frame_read_lane_offer() - LANE_OFFER in @r into @f. Return: false when malformed. */
bool om_frame_read_lane_offer(struct om_rd *r, struct om_frame_lane_offer *f);

/** om_frame_read_lane_accept() - LANE_ACCEPT in @r into @f. Return: false when malformed. */
bool om_frame_read_lane_accept(struct om_rd *r, struct om_frame_lane_accept *f);

/** om_frame_read_lane_bound() - LANE_BOUND in @r into @f. Return: false when malformed. */
bool om_frame_read_lane_bound(struct om_rd *r, struct om_frame_lane_bound *f);

/** om_frame_read_lane_refuse() - LANE_REFUSE in @r into @f. Return: false when malformed. */
bool om_frame_read_lane_refuse(struct om_rd *r, struct om_frame_lane_refuse *f);

/** om_frame_read_lane_close() - LANE_CLOSE in @r into @lane. Return: false when malformed. */
bool om_frame_read_lane_close(struct om_rd *r, uint32_t *lane);

/** om_frame_write_lane_offer() - LANE_OFFER @f, of the form it says, to @w. */
void om_frame_write_lane_offer(struct om_wr *w, const struct om_frame_lane_offer *f);

/** om_frame_write_lane_accept() - LANE_ACCEPT @f to @w. */
void om_frame_write_lane_accept(struct om_wr *w, const struct om_frame_lane_accept *f);

/** om_frame_write_lane_bound() - LANE_BOUND @f to @w. */
void om_frame_write_lane_bound(struct om_wr *w, const struct om_frame_lane_bound *f);

/** om_frame_write_lane_refuse() - LANE_REFUSE @f to @w. */
void om_frame_write_lane_refuse(struct om_wr *w, const struct om_frame_lane_refuse *f);

/** om_frame_write_lane_close() - LANE_CLOSE of @lane to @w. */
void om_frame_write_lane_close(struct om_wr *w, uint32_t lane);

/** om_lane_reason_text() - why there is no lane, for a person, by @reason; static text. */
const char *om_lane_reason_text(uint8_t reason);

#endif
