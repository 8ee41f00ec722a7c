/*
 * frame.h - the frames inside a sealed packet
 *
 * What:  codecs of PAD, PING, PONG, ACK, the four STREAM frames, DATAGRAM and CLOSE; the frames of
 *        paths and lanes are read here, and written by frame_path.h and frame_lane.h; unknown types
 *        are named as such.
 * Why:   a packet is a sequence of frames, so new kinds can be added without a new packet format.
 * Keeps: frame_round_trips_every_kind; frame_stops_at_pad; frame_refuses_cut_bodies;
 *        frame_ack_bounds_its_ranges; frame_skips_unknown_types;
 *        frame_stream_bounds_its_offsets; frame_is_answered_once_a_datagram.
 *
 *     frame = u8 type, u16 length, body;  type 0 PAD is one byte and ends the datagram
 *
 * Source: PROTOCOL section 4.
 */
#ifndef OM_ENVELOPE_FRAME_H
#define OM_ENVELOPE_FRAME_H

#include <omerta/act.h>
#include <omerta/err.h>
#include <omerta/close.h>
#include <omerta/wire.h>

#include "envelope/frame_lane.h"
#include "envelope/frame_path.h"

enum om_frame_type {
    OM_FRAME_PAD = 0,
    OM_FRAME_PING = 1,
    OM_FRAME_PONG = 2,
    OM_FRAME_ACK = 3,
    OM_FRAME_STREAM = 4,
    OM_FRAME_STREAM_CREDIT = 5,
    OM_FRAME_STREAM_RESET = 6,
    OM_FRAME_STREAM_STOP = 7,
    OM_FRAME_DATAGRAM = 8,
    OM_FRAME_CANDIDATES = 9,
    OM_FRAME_PUNCH = 10,
    OM_FRAME_LANE_OFFER = 11,
    OM_FRAME_LANE_ACCEPT = 12,
    OM_FRAME_LANE_REFUSE = 13,
    OM_FRAME_LANE_BOUND = 14,
    OM_FRAME_LANE_CLOSE = 15,
    OM_FRAME_PATH_CHALLENGE = 16,
    OM_FRAME_PATH_RESPONSE = 17,
    OM_FRAME_MTU_PROBE = 18,
    OM_FRAME_IP = 19,
    OM_FRAME_SLICE = 20,
    OM_FRAME_CLOSE = 21,
    OM_FRAME_PING_LATER = 22
};

enum {
    OM_FRAME_HEAD = 3,
    OM_PONG_SIZE = OM_FRAME_HEAD + 8 + 4 + OM_ADDR_WIRE,
    OM_ACK_RANGES_MAX = 64,
    OM_CLOSE_TEXT_MAX = 100,
    OM_STREAM_HEAD = 4 + 8 + 1, /* body of STREAM before its data */
    OM_STREAM_CREDIT_SIZE = OM_FRAME_HEAD + 4 + 8,
    OM_STREAM_RESET_SIZE = OM_FRAME_HEAD + 4 + 4 + 8,
    OM_STREAM_STOP_SIZE = OM_FRAME_HEAD + 4 + 4
};

/* No stream is longer, so that sums of offsets never wrap. */
#define OM_STREAM_END_MAX ((uint64_t)1 << 62)

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

struct om_frame_stream {
    uint32_t id;
    uint64_t offset; /* of the first byte of @data */
    bool is_fin;     /* the stream ends where @data ends */
    struct om_bytes data;
};

struct om_frame_stream_credit {
    uint32_t id;    /* 0: all streams together */
    uint64_t value; /* offset that may be sent up to; for 0 the sum of all highest offsets */
};

struct om_frame_stream_reset {
    uint32_t id;
    uint32_t code;
    uint64_t final; /* size of what was sent, arrived or not */
};

struct om_frame_stream_stop {
    uint32_t id;
    uint32_t code;
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
        struct om_frame_stream stream;
        struct om_frame_stream_credit credit;
        struct om_frame_stream_reset reset;
        struct om_frame_stream_stop stop;
        struct om_frame_datagram datagram;
        struct om_bytes candidates; /* for om_endpoints_decode() */
        struct om_frame_punch punch;
        struct om_frame_ping_later ping_later;
        struct om_frame_lane_offer lane_offer;
        struct om_frame_lane_accept lane_accept;
        struct om_frame_lane_refuse lane_refuse;
        struct om_frame_lane_bound lane_bound;
        uint32_t lane_close;
        struct om_bytes ip;
        struct om_frame_slice slice;
        uint64_t path; /* token of PATH_CHALLENGE and PATH_RESPONSE */
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

/** om_frame_is_moving() - true when a frame of @type says where its sender's data comes from now
 *  (PROTOCOL 5: probes do not). */
bool om_frame_is_moving(uint8_t type);

/** om_frame_is_later() - does @packet begin with PING_LATER? Only there it counts, for who asks has
 *  not moved. */
bool om_frame_is_later(struct om_bytes packet);

/**
 * om_frame_may_answer() - what is answered at once, to where it came from, is answered once a
 * datagram: a packet of PINGs, or of probes, is no lever
 * @f:         a frame
 * @is_later:  its packet is as om_frame_is_later() says
 * @answered:  of the frames before it in its datagram; 0 for the first; updated
 *
 * Return: false when @f asks, and another like it did. Source: PROTOCOL section 5.
 */
bool om_frame_may_answer(const struct om_frame *f, bool is_later, unsigned *answered);

/** om_frame_write_head() - head of a frame of @type to @w; its @n bytes of body follow. */
void om_frame_write_head(struct om_wr *w, enum om_frame_type type, size_t n);

/** om_frame_write_ping() - PING with @token to @w. */
void om_frame_write_ping(struct om_wr *w, uint64_t token);

/** om_frame_write_pong() - PONG @p to @w. */
void om_frame_write_pong(struct om_wr *w, const struct om_frame_pong *p);

/** om_frame_write_ack() - ACK @a to @w; as many of its ranges as fit. */
void om_frame_write_ack(struct om_wr *w, const struct om_frame_ack *a);

/**
 * om_frame_write_stream_head() - all of STREAM but its data, which the caller writes next
 * @w:       cursor; turns bad when head and data do not fit
 * @f:       id, offset and FIN; of its data only the length is used
 *
 * Return: room of that length for the data, or NULL when it does not fit.
 */
uint8_t *om_frame_write_stream_head(struct om_wr *w, const struct om_frame_stream *f);

/** om_frame_write_stream() - STREAM @f to @w. */
void om_frame_write_stream(struct om_wr *w, const struct om_frame_stream *f);

/** om_frame_write_stream_credit() - STREAM_CREDIT @f to @w. */
void om_frame_write_stream_credit(struct om_wr *w, const struct om_frame_stream_credit *f);

/** om_frame_write_stream_reset() - STREAM_RESET @f to @w. */
void om_frame_write_stream_reset(struct om_wr *w, const struct om_frame_stream_reset *f);

/** om_frame_write_stream_stop() - STREAM_STOP @f to @w. */
void om_frame_write_stream_stop(struct om_wr *w, const struct om_frame_stream_stop *f);

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
