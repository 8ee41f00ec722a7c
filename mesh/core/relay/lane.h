/*
 * lane.h - one hop of a relay lane: sixteen bytes before a sealed datagram
 *
 * What:  writes, finds and checks the outer header that a datagram carries between an end and its
 *        relay, in the buffer that holds the datagram.
 * Why:   a relay must know that a datagram comes from the end it was bound for, once and only once,
 *        without holding a key that opens it: so one short keyed hash over the outside of it. The
 *        same code serves both ends and the relay, which checks one hop and writes the other.
 * Keeps: lane_layout_is_pinned; lane_round_trips_every_size;
 *        lane_refuses_any_flipped_bit_it_covers;
 *        lane_takes_each_datagram_once; lane_sequence_survives_its_low_half;
 *        lane_ids_differ_from_hop_to_hop; lane_knows_what_it_wrote; lane_wipes_its_keys;
 *        model_lane_agrees_with_a_set.
 *
 *     [16 B masked: u32 lane, u32 low half of the sequence, u64 MAC][sealed datagram]
 *     mask = all 16 bytes of SipHash-2-4-128(mask key of the epoch, last 16 bytes)
 *     MAC  = first 8 bytes of SipHash-2-4-128(hop key, u32 lane, u64 sequence, u16 inner length,
 *            inner bytes 0..11 as carried, last 16 bytes)
 *
 * The mask's first 12 bytes are those of a datagram that goes directly (header.h), so whoever looks
 * for the receiver's index finds the lane by the same trial.
 *
 * Source: PROTOCOL section 6.
 */
#ifndef OM_RELAY_LANE_H
#define OM_RELAY_LANE_H

#include <omerta/bytes.h>
#include <omerta/err.h>

#include "crypto/replay.h"
#include "envelope/envelope.h"

enum {
    OM_LANE_KEY_BYTES = 16,
    OM_LANE_WINDOW = 2048,          /* sequences, per direction */
    OM_LANE_INNER_MIN = OM_OVERHEAD /* bytes; nothing sealed is shorter */
};

/* One hop as one of its two sides has it. Read freely; write only through om_hop_*(). */
struct om_hop {
    uint32_t receive_id; /* ours: what the other side writes */
    uint32_t send_id;    /* theirs; 0: not known yet, so nothing can be sent */
    uint8_t receive_key[OM_LANE_KEY_BYTES];
    uint8_t send_key[OM_LANE_KEY_BYTES];
    uint64_t sent; /* the next sequence */
    struct om_replay seen;
};

/* The outer header, unmasked. */
struct om_lane_header {
    uint32_t lane;
    uint32_t sequence; /* its low half */
    uint8_t mac[8];
};

/**
 * om_hop_init() - a hop on which nothing went either way
 * @h:           storage of the caller
 * @receive_id:  what the other side writes to reach us
 * @send_id:     what we write; 0 when it is not known yet
 * @keys:        send key, then receive key; copied
 */
void om_hop_init(struct om_hop *h, uint32_t receive_id, uint32_t send_id,
                 const uint8_t keys[static 2 * OM_LANE_KEY_BYTES]);

/** om_hop_fini() - wipe @h. */
void om_hop_fini(struct om_hop *h);

/**
 * om_hop_wrap() - write the outer header of one datagram
 * @h:     a hop whose send_id is known; its sequence moves on
 * @mask:  mask key of the epoch of the session between end and relay
 * @at:    OM_LANE_BYTES to be written, and the sealed datagram behind them
 * @n:     bytes of both; a datagram shorter than OM_LANE_INNER_MIN or longer than a u16 says is a
 *         bug of ours
 */
void om_hop_wrap(struct om_hop *h, const uint8_t mask[static OM_MASK_KEY_BYTES], uint8_t *at,
                 size_t n);

/**
 * om_hop_wrote() - is this datagram the one that om_hop_wrap() wrote last?
 * @h:      the hop on which it is to leave
 * @mask:   as in om_hop_wrap()
 * @dgram:  outer header and what is behind it
 *
 * Return: true when lane, sequence and MAC are those, and masked.
 */
bool om_hop_wrote(const struct om_hop *h, const uint8_t mask[static OM_MASK_KEY_BYTES],
                  struct om_bytes dgram);

/**
 * om_lane_peek() - unmask the outer header of a datagram, of which nothing is believed yet
 * @mask:   mask key
 * @dgram:  as received
 * @out:    filled on success
 *
 * Return: false when @dgram is too short to be on a lane, or too long.
 */
OM_MUST bool om_lane_peek(const uint8_t mask[static OM_MASK_KEY_BYTES], struct om_bytes dgram,
                          struct om_lane_header *out);

/**
 * om_hop_check() - is this datagram the other side's, and new?
 * @h:       the hop whose receive_id @header names; remembers the sequence on success only
 * @header:  from om_lane_peek() of the same bytes
 * @dgram:   as received, header and all
 *
 * Return: OM_OK; OM_E_CRYPTO when the MAC is wrong; OM_E_EXISTS when the sequence was there or lies
 * below the window.
 */
OM_MUST enum om_err om_hop_check(struct om_hop *h, const struct om_lane_header *header,
                                 struct om_bytes dgram);

#endif
