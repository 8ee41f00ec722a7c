/*
 * handshake_wire.h - the outside of a handshake datagram
 *
 * What:  lays out, authenticates (T) and masks initiations, responses and cookies; and undoes it.
 * Why:   who does not hold the network's secret sees uniform bytes, and cannot make a node do any
 *        curve arithmetic: T is checked first.
 * Keeps: handshake_wire_round_trips; handshake_wire_pads_as_it_is_told;
 *        handshake_wire_length_hides_the_kind;
 *        handshake_wire_refuses_any_flipped_bit; handshake_wire_binds_the_receiver.
 *
 *     [12 B: u32 0, u8 header version 1, u8 kind, u16 body length, u32 sender index]
 *     [u32 receiver index][u32 coarse time, Unix s][body][16 B mac2][random pad][16 B T]
 *     T = keyed BLAKE2b-128(outer key, bind || everything before T, in plain)
 *     mac2: init: by the cookie; response: T of the copy that it answers; else, or without, zero
 *     bind: receiver's X25519 key; hello: nothing; cookie: T of the initiation it answers
 *
 * Source: PROTOCOL section 3.
 */
#ifndef OM_CRYPTO_HANDSHAKE_WIRE_H
#define OM_CRYPTO_HANDSHAKE_WIRE_H

#include <assert.h>

#include <omerta/buf.h>
#include <omerta/rng.h>

#include "envelope/header.h"

enum om_handshake_kind {
    OM_HANDSHAKE_INIT = 1,
    OM_HANDSHAKE_RESPONSE = 2,
    OM_HANDSHAKE_COOKIE = 3,
    OM_HANDSHAKE_HELLO = 4
};

enum {
    OM_HANDSHAKE_MIN = 448,
    OM_HANDSHAKE_MAX = 512,
    OM_HANDSHAKE_VERSION = 1,
    OM_HANDSHAKE_SECRET = 8, /* bytes of pad by which one copy's T tells nothing of another's */
    OM_HANDSHAKE_FRONT = 20, /* before the body */
    OM_HANDSHAKE_BACK = 2 * OM_MAC_BYTES,
    OM_HANDSHAKE_BODY_MAX = OM_HANDSHAKE_MAX - OM_HANDSHAKE_FRONT - OM_HANDSHAKE_BACK
};
static_assert(OM_HANDSHAKE_FRONT == OM_HEADER_BYTES + 4 + 4, "diagram and code disagree");
static_assert((int)OM_TAG_BYTES == (int)OM_MAC_BYTES, "the header is masked with T as with a tag");

struct om_handshake_fields {
    enum om_handshake_kind kind;
    uint32_t sender;
    uint32_t receiver; /* 0 in init and hello */
    uint32_t coarse;   /* Unix seconds */
    struct om_bytes body;
    const uint8_t *cookie;  /* 16 bytes that mac2 is made with, or NULL: it is what follows */
    const uint8_t *answers; /* T of the copy of msg1 that a response answers, or NULL: zero */
    size_t pad_min;         /* random bytes at least */
    size_t size_max;        /* of the datagram: what it answers, else OM_HANDSHAKE_MAX */
};

/* An unmasked handshake datagram, not yet believed. */
struct om_handshake_plain {
    uint8_t bytes[OM_HANDSHAKE_MAX];
    size_t len;
    uint8_t version;
    uint8_t kind;
    uint32_t sender;
    uint32_t receiver;
    uint32_t coarse;
    struct om_bytes body;        /* in bytes */
    struct om_bytes before_mac2; /* in bytes */
    const uint8_t *mac2;         /* in bytes */
    const uint8_t *t;            /* in bytes */
};

/** om_handshake_least() - the fewest bytes a datagram of @f can have. */
size_t om_handshake_least(const struct om_handshake_fields *f);

/**
 * om_handshake_build() - lay out, authenticate and mask one datagram
 * @buf:    empty, with room for size_max bytes after its headroom
 * @epoch:  whose outer keys are used
 * @f:      the fields; borrowed
 * @bind:   what T covers besides the datagram
 * @rng:    for the pad, whose length is random too
 *
 * Return: OM_OK, or OM_E_RANGE when body or buffer do not fit.
 */
OM_MUST enum om_err om_handshake_build(struct om_buf *buf, const struct om_epoch *epoch,
                                       const struct om_handshake_fields *f, struct om_bytes bind,
                                       const struct om_rng *rng);

/**
 * om_handshake_unmask() - undo the masks and find the fields
 * @out:     filled on success; its views point into itself
 * @epoch:   whose header mask gave receiver index 0
 * @dgram:   OM_HANDSHAKE_MIN to OM_HANDSHAKE_MAX bytes, as received
 * @header:  its first 12 bytes, unmasked
 *
 * Return: OM_OK; OM_E_UNSUPPORTED for another header version; OM_E_TRUNC when lengths disagree.
 */
OM_MUST enum om_err om_handshake_unmask(struct om_handshake_plain *out,
                                        const struct om_epoch *epoch, struct om_bytes dgram,
                                        const uint8_t header[static OM_HEADER_BYTES]);

/**
 * om_handshake_verify() - does T hold?
 * @p:      from om_handshake_unmask()
 * @epoch:  the same
 * @bind:   our X25519 key, or for a cookie the T of the initiation it answers
 *
 * Return: true when the sender holds the epoch's secret and meant us.
 */
bool om_handshake_verify(const struct om_handshake_plain *p, const struct om_epoch *epoch,
                         struct om_bytes bind);

#endif
