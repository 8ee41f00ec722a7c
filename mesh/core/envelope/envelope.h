/*
 * envelope.h - SealedEnvelope: plaintext becomes a datagram, in place, and back
 *
 * What:  the only makers of struct om_sealed: om_seal() for data, om_sealed_handshake() for the
 *        handshake's datagrams, om_sealed_carried() for those of others on a lane.
 * Why:   the transport can send nothing else, so encryption is enforced by the type. Sealing
 *        happens in the buffer that held the plaintext: no copy and no allocation per datagram.
 * Keeps: envelope_round_trips_every_size; envelope_costs_28_bytes;
 *        envelope_refuses_any_flipped_bit; envelope_needs_room_around_the_text;
 *        envelope_opens_once; envelope_copies_are_the_same_bytes.
 *
 * Source: PROTOCOL section 2.
 */
#ifndef OM_ENVELOPE_ENVELOPE_H
#define OM_ENVELOPE_ENVELOPE_H

#include <omerta/buf.h>
#include <omerta/drop.h>
#include <omerta/sealed.h>

#include "crypto/handshake_wire.h"
#include "crypto/session.h"
#include "envelope/header.h"

/* The type is the guard: a plain buffer where a sealed one is wanted is an error in every build,
 * also in those in which a warning is not. */
#pragma GCC diagnostic error "-Wincompatible-pointer-types"

enum {
    OM_LANE_BYTES = 16,                            /* a relay lane's outer header (PROTOCOL 6) */
    OM_HEADROOM = OM_LANE_BYTES + OM_HEADER_BYTES, /* before the plaintext of a datagram */
    OM_BATCH_MAX = 64                              /* datagrams sealed or opened in one go */
};

/* One datagram on its way in: filled by the demultiplexer, then by om_open_many(). */
struct om_incoming {
    struct om_mut dgram;             /* whole datagram, opened in place */
    uint8_t header[OM_HEADER_BYTES]; /* unmasked */
    uint64_t counter;
    struct om_mut plain; /* after opening: inside dgram */
    bool is_open;
    enum om_drop why; /* when it is not */
};

/**
 * om_seal() - encrypt one datagram
 * @out:      the datagram: the same memory as @plain
 * @s:        a session that om_session_can_seal()
 * @counter:  the association's next; never twice under one key
 * @plain:    frames, with OM_HEADROOM before and OM_TAG_BYTES after; taken on success
 *
 * Return: OM_OK, OM_E_RANGE when room is missing, OM_E_CRYPTO; then @plain stays the caller's
 * and its content is undefined.
 */
OM_MUST enum om_err om_seal(struct om_sealed **out, struct om_session *s, uint64_t counter,
                            struct om_buf *plain);

/**
 * om_seal_many() - encrypt datagrams with consecutive counters
 * @out:    @n datagrams
 * @s:      a session
 * @first:  counter of the first
 * @plain:  @n buffers as for om_seal(); taken as far as sealed
 * @n:      at most OM_BATCH_MAX
 *
 * Return: how many were sealed; fewer than @n when one failed.
 */
unsigned om_seal_many(struct om_sealed **out, struct om_session *s, uint64_t first,
                      struct om_buf **plain, unsigned n);

/**
 * om_open_many() - check and decrypt datagrams of one session
 * @s:   the session their indices named
 * @in:  @n datagrams with header and counter filled; is_open, plain or why are set
 * @n:   how many
 *
 * Each counter is accepted once; the window moves only for authentic datagrams.
 */
void om_open_many(struct om_session *s, struct om_incoming *in, unsigned n);

/**
 * om_sealed_handshake() - a handshake datagram, which has no session to be sealed under
 * @out:    the datagram: the memory of @buf
 * @buf:    an empty buffer; taken on success
 * @epoch:  whose outer keys authenticate and mask it
 * @hs:     the fields
 * @bind:   what T is bound to (PROTOCOL 3)
 * @rng:    for the pad
 *
 * Return: OM_OK or OM_E_RANGE when the body does not fit; then @buf stays the caller's.
 */
OM_MUST enum om_err om_sealed_handshake(struct om_sealed **out, struct om_buf *buf,
                                        const struct om_epoch *epoch,
                                        const struct om_handshake_fields *hs, struct om_bytes bind,
                                        const struct om_rng *rng);

/**
 * om_sealed_copy() - the same datagram once more, for another path
 * @out:  the copy: the memory of @buf
 * @buf:  an empty buffer; taken on success
 * @d:    what is copied
 *
 * Return: OM_OK or OM_E_RANGE when it does not fit; then @buf stays the caller's.
 */
OM_MUST enum om_err om_sealed_copy(struct om_sealed **out, struct om_buf *buf,
                                   const struct om_sealed *d);

/**
 * om_sealed_carried() - a datagram that others sealed, to be sent on over a lane
 * @out:    the datagram: the memory of @buf
 * @buf:    an empty buffer with OM_HEADROOM; taken on success
 * @inner:  what came behind the outer header of the lane it came on; copied
 *
 * Return: OM_OK or OM_E_RANGE when it does not fit; then @buf stays the caller's.
 */
OM_MUST enum om_err om_sealed_carried(struct om_sealed **out, struct om_buf *buf,
                                      struct om_bytes inner);

/**
 * om_sealed_remask() - change the key that masks the header of a datagram
 * @s:     a datagram masked with @from
 * @from:  the mask key of its epoch for one kind of way
 * @to:    that for the other
 */
void om_sealed_remask(struct om_sealed *s, const uint8_t from[static OM_MASK_KEY_BYTES],
                      const uint8_t to[static OM_MASK_KEY_BYTES]);

/**
 * om_sealed_lane() - make room before a datagram for the outer header of a lane
 * @s:  a datagram as om_seal() and its like make it
 *
 * Return: the whole, OM_LANE_BYTES longer, lent for om_hop_wrap(); no pointer: there is no room.
 */
struct om_mut om_sealed_lane(struct om_sealed *s);

/** om_sealed_release() - the buffer behind @s, for the pool. */
struct om_buf *om_sealed_release(struct om_sealed *s);

#endif
