/*
 * frame_path.h - the frames by which two nodes find, prove and measure the ways between them
 *
 * What:  codecs of CANDIDATES (its body is path/endpoint.h's), PUNCH, PATH_CHALLENGE,
 *        PATH_RESPONSE, MTU_PROBE, IP and SLICE.
 * Why:   those of paths move no peer and want no ACK, but for MTU_PROBE, whose loss is the answer;
 *        IP packets are what paths are too small for.
 * Keeps: frame_round_trips_paths; frame_punch_bounds_its_step;
 *        frame_punch_plan_has_a_profile; frame_mtu_probe_fills_the_packet;
 *        frame_round_trips_slices; frame_slices_stay_within_their_whole;
 *        frame_ping_later_says_when.
 *
 *     CANDIDATES      u32 sequence, u8 n <= 16, n x (u8 kind, address)
 *     PUNCH           u8 step (0 plan, 1 probe, 2 seen), u64 nonce, u32 fire after ms,
 *                     of a plan also 12 B profile (path/punch_profile.h)
 *     PATH_CHALLENGE  u64 token        PATH_RESPONSE  u64 token
 *     MTU_PROBE       zeros
 *     IP              an IP packet
 *     SLICE           u32 id, u16 offset, u16 total, data: @total bytes of frames in all
 *     PING_LATER      u64 token, u16 seconds after which a PONG is wanted where it came from;
 *                     65535: at once, from another socket, behind a PUNCH probe
 *
 * Source: PROTOCOL sections 4 and 5.
 */
#ifndef OM_ENVELOPE_FRAME_PATH_H
#define OM_ENVELOPE_FRAME_PATH_H

#include <omerta/err.h>
#include <omerta/wire.h>

enum {
    OM_PATH_FRAME_SIZE = 3 + 8, /* of PATH_CHALLENGE and PATH_RESPONSE, with the frame's head */
    OM_PUNCH_PLAN_BYTES = 12,
    OM_PUNCH_FRAME_SIZE = 3 + 1 + 8 + 4,
    OM_PUNCH_PLAN_SIZE = OM_PUNCH_FRAME_SIZE + OM_PUNCH_PLAN_BYTES,
    OM_SLICE_FRAME_HEAD = 3 + 4 + 2 + 2, /* of SLICE, before its data */
    OM_PING_LATER_SIZE = 3 + 8 + 2,
    OM_PING_LATER_MAX_S = 300,
    OM_PING_ELSEWHERE = 65535 /* in the place of seconds: at once, and from another socket */
};

enum om_punch_step { OM_PUNCH_PLAN, OM_PUNCH_PROBE, OM_PUNCH_SEEN, OM_PUNCH_STEPS };

struct om_frame_punch {
    uint8_t step; /* enum om_punch_step */
    uint64_t nonce;
    uint32_t fire_ms;                     /* from its arrival on */
    uint8_t profile[OM_PUNCH_PLAN_BYTES]; /* OM_PUNCH_PLAN only */
};

struct om_frame_slice {
    uint32_t id;
    uint16_t offset, total;
    struct om_bytes data; /* not empty, and within the total */
};

struct om_frame_ping_later {
    uint64_t token;
    uint16_t seconds; /* 0: at once; OM_PING_LATER_MAX_S at most, or OM_PING_ELSEWHERE; to others
                         nobody answers */
};

/** om_frame_read_punch() - the body of PUNCH in @r into @p. Return: false when it is malformed. */
bool om_frame_read_punch(struct om_rd *r, struct om_frame_punch *p);

/** om_frame_read_slice() - the body of SLICE in @r into @s. Return: false when it is malformed. */
bool om_frame_read_slice(struct om_rd *r, struct om_frame_slice *s);

/** om_frame_write_ip() - IP with @packet to @w. */
void om_frame_write_ip(struct om_wr *w, struct om_bytes packet);

/** om_frame_write_slice() - SLICE @s to @w. */
void om_frame_write_slice(struct om_wr *w, const struct om_frame_slice *s);

/** om_frame_write_candidates() - CANDIDATES with @body of om_endpoints_encode() to @w. */
void om_frame_write_candidates(struct om_wr *w, struct om_bytes body);

/** om_frame_write_punch() - PUNCH @p to @w. */
void om_frame_write_punch(struct om_wr *w, const struct om_frame_punch *p);

/** om_frame_write_ping_later() - PING_LATER @p to @w. */
void om_frame_write_ping_later(struct om_wr *w, const struct om_frame_ping_later *p);

/** om_frame_write_challenge() - PATH_CHALLENGE with @token to @w. */
void om_frame_write_challenge(struct om_wr *w, uint64_t token);

/** om_frame_write_response() - PATH_RESPONSE with @token to @w. */
void om_frame_write_response(struct om_wr *w, uint64_t token);

/**
 * om_frame_write_mtu_probe() - MTU_PROBE that makes a packet as large as it is to be
 * @w:     cursor
 * @size:  of the frame, with its head; turns @w bad below that or beyond its room
 */
void om_frame_write_mtu_probe(struct om_wr *w, size_t size);

#endif
