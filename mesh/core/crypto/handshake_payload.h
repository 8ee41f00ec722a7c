/*
 * handshake_payload.h - what the two Noise messages carry
 *
 * What:  codecs of the payloads of msg1 and msg2: association ids, timestamps, versions, ciphers,
 *        features, a credential, and room for fields that are not known yet.
 * Why:   a mismatch of versions must be named, not taken for silence; unknown fields are skipped,
 *        so that later versions can add some.
 * Keeps: payload_round_trips; payload_skips_unknown_fields; payload_refuses_cut_input;
 *        payload_sizes_fit_a_datagram.
 *
 * Source: PROTOCOL section 3.
 */
#ifndef OM_CRYPTO_HANDSHAKE_PAYLOAD_H
#define OM_CRYPTO_HANDSHAKE_PAYLOAD_H

#include <assert.h>

#include <omerta/err.h>
#include <omerta/wire.h>

#include "crypto/handshake_wire.h"

enum {
    OM_MSG1_FIXED = 8 + 6 + 6 + 1 + 1 + 1 + 4 + 1 + 2,
    OM_MSG2_FIXED = 8 + 1 + 1 + 4 + 1 + 1 + 2,
    OM_NOISE_MSG1_COST = 32 + 32 + 16 + 16, /* e, s and its tag, the payload's tag */
    OM_NOISE_MSG2_COST = 32 + 16,
    OM_PAYLOAD_MAX = OM_HANDSHAKE_BODY_MAX,
    OM_BARE_KEY_BYTES = 32
};
static_assert(OM_HANDSHAKE_FRONT + OM_NOISE_MSG1_COST + OM_MSG1_FIXED + OM_BARE_KEY_BYTES +
                      OM_HANDSHAKE_BACK <=
                  OM_HANDSHAKE_MIN,
              "with a bare key msg1 needs padding");
static_assert(OM_HANDSHAKE_FRONT + OM_NOISE_MSG1_COST + OM_MSG1_FIXED + (32 + 116 + 110 + 64) +
                      OM_HANDSHAKE_BACK ==
                  500,
              "msg1 of a join, the largest of all (PROTOCOL 3)");
static_assert(500 + OM_HANDSHAKE_SECRET <= OM_HANDSHAKE_MAX, "no room for a pad nobody can guess");

enum om_credential_kind {
    OM_CREDENTIAL_BARE = 0,  /* 32 B Ed25519 key: open, direct and default networks */
    OM_CREDENTIAL_NODE = 1,  /* node certificate */
    OM_CREDENTIAL_ADMIN = 2, /* node + admin certificate */
    OM_CREDENTIAL_JOIN = 3   /* key + grant + optional admin certificate + proof */
};

enum om_session_class {
    OM_CLASS_FULL = 0,
    OM_CLASS_RESYNC = 1,
    OM_CLASS_JOIN = 2,
    OM_CLASS_RENEW = 3,
    OM_CLASS_NO_VERSION = 16, /* from here on: an answer, but no session */
    OM_CLASS_NO_CIPHER = 17,
    OM_CLASS_TOO_OLD = 18
};

struct om_msg1 {
    uint8_t association[8];
    uint64_t timestamp_ms; /* 48 bits */
    uint64_t stored_ms;    /* greatest timestamp we hold of the receiver; 0 none; 48 bits */
    uint8_t ciphers;       /* offered, OM_CIPHER_* bits */
    uint8_t version_min, version_max;
    uint32_t features;
    uint8_t credential_kind;
    struct om_bytes credential; /* lent by the decoder's input */
};

struct om_msg2 {
    uint8_t association[8];
    uint8_t cipher;  /* chosen */
    uint8_t version; /* chosen; the sender's greatest when class is OM_CLASS_NO_VERSION */
    uint32_t features;
    uint8_t session_class;
    uint8_t credential_kind;
    struct om_bytes credential;
};

/** om_msg1_encode() - payload @m to cursor @w; a credential that does not fit makes @w bad. */
void om_msg1_encode(const struct om_msg1 *m, struct om_wr *w);

/**
 * om_msg1_decode() - payload of an initiation
 * @out:  filled on success; its credential points into @in
 * @in:   decrypted bytes
 *
 * Return: OM_OK or OM_E_TRUNC.
 */
OM_MUST enum om_err om_msg1_decode(struct om_msg1 *out, struct om_bytes in);

/** om_msg2_encode() - payload @m to cursor @w; a credential that does not fit makes @w bad. */
void om_msg2_encode(const struct om_msg2 *m, struct om_wr *w);

/**
 * om_msg2_decode() - payload of a response
 * @out:  filled on success; its credential points into @in
 * @in:   decrypted bytes
 *
 * Return: OM_OK or OM_E_TRUNC.
 */
OM_MUST enum om_err om_msg2_decode(struct om_msg2 *out, struct om_bytes in);

#endif
