/*
 * noise.h - Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b, the two messages that make a session
 *
 * What:  writes and reads both handshake messages and splits the result into two keys.
 * Why:   the initiator knows whom it calls, so its identity can travel in the first message; the
 *        PSK keeps strangers out; the ephemerals keep recorded traffic closed when long-term keys
 *        leak later.
 * Keeps: noise_initiator_matches_the_published_vectors;
 *        noise_responder_matches_the_published_vectors; noise_refuses_every_flipped_bit_of_msg1;
 *        noise_refuses_every_flipped_bit_of_msg2; noise_refuses_another_psk;
 *        noise_refuses_another_prologue; noise_refuses_another_responder;
 *        noise_refuses_keys_without_contribution; noise_refuses_what_does_not_fit;
 *        noise_refuses_steps_out_of_order; noise_halves_share_the_hash_before_the_payload;
 *        noise_forged_msg2_leaves_the_handshake_alive; noise_split_wipes_the_state.
 *
 *     <- s
 *     ...
 *     -> e, es, s, ss
 *     <- e, ee, se, psk
 *
 * Source: The Noise Protocol Framework, revision 34: sections 5 (processing), 7.5 (IK),
 *         9 (pre-shared keys), 12 (the functions).
 */
#ifndef OM_CRYPTO_NOISE_H
#define OM_CRYPTO_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/wire.h>

enum {
    OM_NOISE_DH = 32,
    OM_NOISE_HASH = 64,
    OM_NOISE_TAG = 16,
    OM_NOISE_MSG1_STATIC = OM_NOISE_DH + OM_NOISE_DH + OM_NOISE_TAG, /* e and the sealed s */
    OM_NOISE_MSG1_EXTRA = OM_NOISE_MSG1_STATIC + OM_NOISE_TAG, /* msg1 is its payload and this */
    OM_NOISE_MSG2_EXTRA = OM_NOISE_DH + OM_NOISE_TAG,          /* msg2 likewise */
    OM_NOISE_MSG_MAX = 65535                                   /* revision 34, section 3 */
};

enum om_noise_step {
    OM_NOISE_START,      /* next: the first half of msg1 */
    OM_NOISE_MSG1_BEGUN, /* next: its payload. h is the hash that a proof in the payload signs */
    OM_NOISE_MSG1_DONE,  /* next: msg2 */
    OM_NOISE_DONE,       /* next: split. h is the handshake hash */
    OM_NOISE_SPENT       /* split or wiped */
};

/* Read freely; write only through om_noise_*(). Names as in the paper. Belongs in a vault. */
struct om_noise {
    uint8_t ck[OM_NOISE_HASH]; /* chaining key */
    uint8_t h[OM_NOISE_HASH];  /* handshake hash */
    uint8_t k[32];             /* cipher key, set by the first MixKey() */
    uint64_t n;                /* its nonce */
    uint8_t s_secret[OM_NOISE_DH];
    uint8_t s_public[OM_NOISE_DH];
    uint8_t e_secret[OM_NOISE_DH];
    uint8_t e_public[OM_NOISE_DH];
    uint8_t rs[OM_NOISE_DH]; /* the responder learns it from msg1 */
    uint8_t re[OM_NOISE_DH];
    uint8_t psk[32];
    bool is_initiator;
    enum om_noise_step step;
};

/**
 * om_noise_init() - begin a handshake
 * @self:       caller's storage; wipe it with om_noise_wipe() or om_noise_split()
 * @initiator:  true for the side that sends msg1
 * @s_secret:   32 bytes, our static X25519 secret; copied
 * @s_public:   32 bytes, its public key; copied
 * @rs_public:  32 bytes, the responder's static key; NULL when we are the responder
 * @psk:        32 bytes; copied
 * @prologue:   any length; both sides must agree on it
 */
void om_noise_init(struct om_noise *self, bool initiator, const uint8_t s_secret[static 32],
                   const uint8_t s_public[static 32], const uint8_t *rs_public,
                   const uint8_t psk[static 32], struct om_bytes prologue);

/**
 * om_noise_write1() - msg1: e, es, s, ss and the payload
 * @self:      initiator at START
 * @e_secret:  32 random bytes, fresh for each handshake; the caller wipes its copy
 * @payload:   readable by the responder only, but without forward secrecy: never user data
 * @out:       @payload.n + OM_NOISE_MSG1_EXTRA bytes are appended
 *
 * Return: OM_OK; OM_E_STATE out of order; OM_E_RANGE when it does not fit in @out or in a Noise
 * message; OM_E_CRYPTO when a key contributes nothing. On failure @self and @out's length are
 * unchanged.
 */
OM_MUST enum om_err om_noise_write1(struct om_noise *self, const uint8_t e_secret[static 32],
                                    struct om_bytes payload, struct om_wr *out);

/**
 * om_noise_write1_begin() - the first half of om_noise_write1(): e, es, s, ss
 * @self:      initiator at START; then self->h is what a proof inside the payload signs
 * @e_secret:  as in om_noise_write1()
 * @out:       OM_NOISE_MSG1_STATIC bytes are appended
 *
 * Return: as om_noise_write1().
 */
OM_MUST enum om_err om_noise_write1_begin(struct om_noise *self, const uint8_t e_secret[static 32],
                                          struct om_wr *out);

/**
 * om_noise_write1_finish() - the second half: the payload
 * @self:     initiator at MSG1_BEGUN
 * @payload:  as in om_noise_write1()
 * @out:      @payload.n + OM_NOISE_TAG bytes are appended
 *
 * Return: as om_noise_write1().
 */
OM_MUST enum om_err om_noise_write1_finish(struct om_noise *self, struct om_bytes payload,
                                           struct om_wr *out);

/**
 * om_noise_read1() - all of msg1
 * @self:         responder at START; learns rs and re
 * @msg:          the Noise message as received, nothing after it
 * @payload_out:  room for @msg.n - OM_NOISE_MSG1_EXTRA bytes, not inside @msg
 * @payload_len:  bytes written; untouched on failure
 *
 * Return: OM_OK; OM_E_STATE out of order; OM_E_TRUNC when @msg is too short; OM_E_RANGE when it is
 * longer than OM_NOISE_MSG_MAX or the payload has no room; OM_E_CRYPTO when it is forged or meant
 * for another key, PSK or prologue. On failure @self is unchanged and @payload_out may be zeroed.
 */
OM_MUST enum om_err om_noise_read1(struct om_noise *self, struct om_bytes msg,
                                   struct om_mut payload_out, size_t *payload_len);

/**
 * om_noise_read1_static() - the first half of om_noise_read1(): e, es, s
 * @self:  responder at START; then rs is claimed, not yet proven, and self->h is what a proof
 *         inside the payload signs
 * @msg:   all of msg1
 *
 * One DH, after which the caller may look the peer up and stop. rs is proven by the second half.
 *
 * Return: as om_noise_read1().
 */
OM_MUST enum om_err om_noise_read1_static(struct om_noise *self, struct om_bytes msg);

/**
 * om_noise_read1_payload() - the second half: ss and the payload
 * @self:         responder at MSG1_BEGUN
 * @msg:          all of msg1 again
 * @payload_out:  as in om_noise_read1()
 * @payload_len:  as in om_noise_read1()
 *
 * Return: as om_noise_read1().
 */
OM_MUST enum om_err om_noise_read1_payload(struct om_noise *self, struct om_bytes msg,
                                           struct om_mut payload_out, size_t *payload_len);

/**
 * om_noise_write2() - msg2: e, ee, se, psk and the payload
 * @self:      responder at MSG1_DONE
 * @e_secret:  as in om_noise_write1()
 * @payload:   forward secret once the initiator's ephemeral is forgotten
 * @out:       @payload.n + OM_NOISE_MSG2_EXTRA bytes are appended
 *
 * Return: as om_noise_write1().
 */
OM_MUST enum om_err om_noise_write2(struct om_noise *self, const uint8_t e_secret[static 32],
                                    struct om_bytes payload, struct om_wr *out);

/**
 * om_noise_read2() - all of msg2
 * @self:         initiator at MSG1_DONE; unchanged on failure, so that a forged msg2 does not end
 *                the handshake
 * @msg:          as in om_noise_read1()
 * @payload_out:  room for @msg.n - OM_NOISE_MSG2_EXTRA bytes, not inside @msg
 * @payload_len:  as in om_noise_read1()
 *
 * Return: as om_noise_read1().
 */
OM_MUST enum om_err om_noise_read2(struct om_noise *self, struct om_bytes msg,
                                   struct om_mut payload_out, size_t *payload_len);

/**
 * om_noise_split() - the two keys of the session; @self is wiped
 * @self:    either side at DONE; anything else is a bug of ours. Copy self->h before, if needed
 * @first:   32 bytes: initiator to responder
 * @second:  32 bytes: responder to initiator
 */
void om_noise_split(struct om_noise *self, uint8_t first[static 32], uint8_t second[static 32]);

/** om_noise_wipe() - forget all of @self, which is SPENT then. */
void om_noise_wipe(struct om_noise *self);

#endif
