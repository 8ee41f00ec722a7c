/*
 * frame.h - the frames inside a sealed packet
 *
 * What:  codecs of PAD, PING, PONG, ACK, DATAGRAM and CLOSE; unknown types are named as such.
 * Why:   a packet is a sequence of frames, so new kinds can be added without a new packet format.
 * Keeps: frame_round_trips_every_kind; frame_stops_at_pad; frame_refuses_cut_bodies;
 *        frame_ack_bounds_its_ranges; frame_skips_unknown_types.
 *
 *     frame = u8 type, u16 length, body;  type 0 PAD is one byte and ends the datagram
 *
 * Source: PROTOCOL section 4.
 */
#ifndef OM_ENVELOPE_FRAME_H
#define OM_ENVELOPE_FRAME_H

#include <omerta/act.h>
#include <omerta/err.h>
#include <omerta/wire.h>

enum om_frame_type {
    OM_FRAME_PAD = 0,
    OM_FRAME_PING = 1,
    OM_FRAME_PONG = 2,
    OM_FRAME_ACK = 3,
    OM_FRAME_DATAGRAM = 8,
    OM_FRAME_CLOSE = 21
};

enum om_close_code {
    OM_CLOSE_DONE = 0,
    OM_CLOSE_RESTARTED = 1,
    OM_CLOSE_REFUSED = 2,
    OM_CLOSE_LIMIT = 3,
    OM_CLOSE_PROTOCOL = 4,
    OM_CLOSE_REVOKED = 5,
    OM_CLOSE_CANCELLED = 6
};

enum { OM_FRAME_HEAD = 3, OM_ACK_RANGES_MAX = 64, OM_CLOSE_TEXT_MAX = 100 };

struct om_frame_pong {
    uint64_t token;
    uint32_t held_us;
    struct om_addr seen;
};

struct om_ack_range {
    uint32_t missing; /* packets not seen, below the run before; at least 1 */
    uint32_t run;     /* packets seen below those; at least 1 */
};

struct om_frame_ack {
    uint64_t largest;
    uint32_t delay_us;
    uint32_t ecn[3]; /* ECT(0), ECT(1), CE counts of the path */
    uint32_t run;    /* packets seen, @largest the highest of them; at least 1 */
    unsigned count;
    struct om_ack_range ranges[OM_ACK_RANGES_MAX];
};

struct om_frame_datagram {
    char channel[OM_CHANNEL_MAX + 1];
    struct om_bytes data;
};

struct om_frame_close {
    uint32_t code;
    struct om_bytes text; /* as sent: escape before showing */
};

struct om_frame {
    uint8_t type;
    bool is_known;
    union {
        uint64_t ping;
        struct om_frame_pong pong;
        struct om_frame_ack ack;
        struct om_frame_datagram datagram;
        struct om_frame_close close;
    };
};

/**
 * om_frame_next() - the next frame of a packet
 * @r:    the packet's cursor
 * @out:  filled when a frame was read; views point into the packet
 *
 * Return: OM_OK; OM_E_MISSING at the end (or at PAD); OM_E_PARSE for a malformed known frame or
 * one that does not fit the packet.
 */
OM_MUST enum om_err om_frame_next(struct om_rd *r, struct om_frame *out);

/** om_frame_is_eliciting() - true when a frame of @type wants an ACK. */
bool om_frame_is_eliciting(uint8_t type);

/** om_frame_write_ping() - PING with @token to @w. */
void om_frame_write_ping(struct om_wr *w, uint64_t token);

/** om_frame_write_pong() - PONG @p to @w. */
void om_frame_write_pong(struct om_wr *w, const struct om_frame_pong *p);

/** om_frame_write_ack() - ACK @a to @w; as many of its ranges as fit. */
void om_frame_write_ack(struct om_wr *w, const struct om_frame_ack *a);

/**
 * om_frame_write_datagram() - DATAGRAM to @w
 * @w:        cursor; turns bad when it does not fit
 * @channel:  1 to OM_CHANNEL_MAX bytes
 * @data:     the payload
 */
void om_frame_write_datagram(struct om_wr *w, const char *channel, struct om_bytes data);

/**
 * om_frame_write_close() - CLOSE to @w
 * @w:     cursor
 * @code:  enum om_close_code or a later one
 * @text:  cut at OM_CLOSE_TEXT_MAX
 */
void om_frame_write_close(struct om_wr *w, uint32_t code, struct om_bytes text);

#endif
