/*
 * noise.c - the handshake in the words of the paper
 *
 * MixHash, MixKey, EncryptAndHash are the paper's names (section 5.2); each token of a message
 * pattern is one function, and each message below is its pattern read from left to right. Work is
 * done on a copy that replaces the state only when the whole message was good.
 */
#include "crypto/noise.h"

#include <string.h>

#include <sodium.h>

enum { BLOCKLEN = 128 }; /* of BLAKE2b, for HMAC */

static const char protocol_name[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b";

static_assert(sizeof protocol_name - 1 <= OM_NOISE_HASH, "a longer name would have to be hashed");
static_assert(OM_NOISE_DH == crypto_scalarmult_BYTES, "X25519");
static_assert(OM_NOISE_HASH == crypto_generichash_BYTES_MAX, "BLAKE2b");
static_assert(OM_NOISE_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "Poly1305");

/* HASH(a || b) */
static void hash(uint8_t out[OM_NOISE_HASH], struct om_bytes a, struct om_bytes b)
{
    crypto_generichash_state s;

    (void)crypto_generichash_init(&s, NULL, 0, OM_NOISE_HASH);
    if (a.n)
        (void)crypto_generichash_update(&s, a.p, a.n);
    if (b.n)
        (void)crypto_generichash_update(&s, b.p, b.n);
    (void)crypto_generichash_final(&s, out, OM_NOISE_HASH);
    sodium_memzero(&s, sizeof s);
}

/* HMAC-HASH(key, a || b) of RFC 2104; our keys are always one hash long. */
static void hmac(uint8_t out[OM_NOISE_HASH], const uint8_t key[OM_NOISE_HASH], struct om_bytes a,
                 struct om_bytes b)
{
    uint8_t pad[BLOCKLEN + OM_NOISE_HASH]; /* outer pad and inner hash */
    uint8_t inner[BLOCKLEN];
    crypto_generichash_state s;

    memset(pad, 0x5c, BLOCKLEN);
    memset(inner, 0x36, BLOCKLEN);
    for (size_t i = 0; i < OM_NOISE_HASH; i++) {
        pad[i] ^= key[i];
        inner[i] ^= key[i];
    }
    (void)crypto_generichash_init(&s, NULL, 0, OM_NOISE_HASH);
    (void)crypto_generichash_update(&s, inner, sizeof inner);
    if (a.n)
        (void)crypto_generichash_update(&s, a.p, a.n);
    if (b.n)
        (void)crypto_generichash_update(&s, b.p, b.n);
    (void)crypto_generichash_final(&s, pad + BLOCKLEN, OM_NOISE_HASH);
    hash(out, om_bytes(pad, sizeof pad), om_bytes(NULL, 0));
    sodium_memzero(&s, sizeof s);
    sodium_memzero(pad, sizeof pad);
    sodium_memzero(inner, sizeof inner);
}

/* HKDF(ck, input) with @count outputs, 2 or 3 (section 4.3). */
static void hkdf(uint8_t out[][OM_NOISE_HASH], unsigned count, const uint8_t ck[OM_NOISE_HASH],
                 struct om_bytes input)
{
    uint8_t temp[OM_NOISE_HASH];
    struct om_bytes last = {NULL, 0};

    hmac(temp, ck, input, om_bytes(NULL, 0));
    for (unsigned i = 0; i < count; i++) {
        uint8_t number = (uint8_t)(i + 1);
        hmac(out[i], temp, last, om_bytes(&number, 1));
        last = om_bytes(out[i], OM_NOISE_HASH);
    }
    sodium_memzero(temp, sizeof temp);
}

static void mix_hash(struct om_noise *n, struct om_bytes data)
{
    hash(n->h, om_bytes(n->h, sizeof n->h), data);
}

static void initialize_key(struct om_noise *n, const uint8_t k[OM_NOISE_HASH])
{
    memcpy(n->k, k, sizeof n->k);
    n->n = 0;
}

static void mix_key(struct om_noise *n, const uint8_t input[32])
{
    uint8_t out[2][OM_NOISE_HASH];

    hkdf(out, 2, n->ck, om_bytes(input, 32));
    memcpy(n->ck, out[0], sizeof n->ck);
    initialize_key(n, out[1]);
    sodium_memzero(out, sizeof out);
}

static void mix_key_and_hash(struct om_noise *n, const uint8_t input[32])
{
    uint8_t out[3][OM_NOISE_HASH];

    hkdf(out, 3, n->ck, om_bytes(input, 32));
    memcpy(n->ck, out[0], sizeof n->ck);
    mix_hash(n, om_bytes(out[1], OM_NOISE_HASH));
    initialize_key(n, out[2]);
    sodium_memzero(out, sizeof out);
}

/* The nonce of the ChaChaPoly functions: 4 zero bytes, then n little-endian (section 12.3). */
static void next_nonce(struct om_noise *n, uint8_t nonce[12])
{
    memset(nonce, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(n->n >> 8 * i);
    n->n++;
}

/* Writes @plain.n + OM_NOISE_TAG bytes at @out. */
static void encrypt_and_hash(struct om_noise *n, struct om_bytes plain, uint8_t *out)
{
    uint8_t nonce[12];

    next_nonce(n, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.p, plain.n, n->h, sizeof n->h,
                                                    NULL, nonce, n->k);
    mix_hash(n, om_bytes(out, plain.n + OM_NOISE_TAG));
}

/* Writes @sealed.n - OM_NOISE_TAG bytes at @out, which is not inside @sealed. */
static bool decrypt_and_hash(struct om_noise *n, struct om_bytes sealed, uint8_t *out)
{
    uint8_t nonce[12];

    next_nonce(n, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.p, sealed.n, n->h,
                                                  sizeof n->h, nonce, n->k) != 0)
        return false;
    mix_hash(n, sealed);
    return true;
}

/* MixKey(DH(secret, public)); false when the result is all zero: the key contributed nothing. */
static bool mix_dh(struct om_noise *n, const uint8_t secret[32], const uint8_t public[32])
{
    uint8_t x[OM_NOISE_DH];
    bool good = crypto_scalarmult(x, secret, public) == 0 && !sodium_is_zero(x, sizeof x);

    if (good)
        mix_key(n, x);
    sodium_memzero(x, sizeof x);
    return good;
}

/* e, written: our ephemeral in clear. In PSK handshakes e is mixed into the key too (9.2). */
static void token_e_write(struct om_noise *n, const uint8_t e_secret[32], uint8_t *out)
{
    memcpy(n->e_secret, e_secret, sizeof n->e_secret);
    (void)crypto_scalarmult_base(n->e_public, e_secret);
    memcpy(out, n->e_public, OM_NOISE_DH);
    mix_hash(n, om_bytes(n->e_public, OM_NOISE_DH));
    mix_key(n, n->e_public);
}

/* e, read */
static void token_e_read(struct om_noise *n, const uint8_t *in)
{
    memcpy(n->re, in, OM_NOISE_DH);
    mix_hash(n, om_bytes(n->re, OM_NOISE_DH));
    mix_key(n, n->re);
}

/* s, written: our static key, sealed */
static void token_s_write(struct om_noise *n, uint8_t *out)
{
    encrypt_and_hash(n, om_bytes(n->s_public, OM_NOISE_DH), out);
}

/* s, read */
static bool token_s_read(struct om_noise *n, const uint8_t *in)
{
    return decrypt_and_hash(n, om_bytes(in, OM_NOISE_DH + OM_NOISE_TAG), n->rs);
}

/* es: the initiator's ephemeral with the responder's static key */
static bool token_es(struct om_noise *n)
{
    return n->is_initiator ? mix_dh(n, n->e_secret, n->rs) : mix_dh(n, n->s_secret, n->re);
}

/* se: the initiator's static key with the responder's ephemeral */
static bool token_se(struct om_noise *n)
{
    return n->is_initiator ? mix_dh(n, n->s_secret, n->re) : mix_dh(n, n->e_secret, n->rs);
}

/* ss */
static bool token_ss(struct om_noise *n)
{
    return mix_dh(n, n->s_secret, n->rs);
}

/* ee */
static bool token_ee(struct om_noise *n)
{
    return mix_dh(n, n->e_secret, n->re);
}

/* psk */
static void token_psk(struct om_noise *n)
{
    mix_key_and_hash(n, n->psk);
}

/* The end of a step: the copy @t replaces the state, or is only forgotten. */
static enum om_err settle(struct om_noise *self, struct om_noise *t, bool good,
                          enum om_noise_step step)
{
    if (good) {
        t->step = step;
        *self = *t;
    }
    sodium_memzero(t, sizeof *t);
    return good ? OM_OK : OM_E_CRYPTO;
}

static enum om_err check_write(const struct om_noise *self, bool initiator, enum om_noise_step step,
                               size_t n, const struct om_wr *out)
{
    if (self->is_initiator != initiator || self->step != step)
        return OM_E_STATE;
    if (n > OM_NOISE_MSG_MAX || om_wr_left(out) < n)
        return OM_E_RANGE;
    return OM_OK;
}

static enum om_err check_read(const struct om_noise *self, bool initiator, enum om_noise_step step,
                              struct om_bytes msg, size_t extra)
{
    if (self->is_initiator != initiator || self->step != step)
        return OM_E_STATE;
    if (msg.n < extra)
        return OM_E_TRUNC;
    return msg.n > OM_NOISE_MSG_MAX ? OM_E_RANGE : OM_OK;
}

void om_noise_init(struct om_noise *self, bool initiator, const uint8_t s_secret[static 32],
                   const uint8_t s_public[static 32], const uint8_t *rs_public,
                   const uint8_t psk[static 32], struct om_bytes prologue)
{
    OM_BUG_IF(initiator != (rs_public != NULL));
    *self = (struct om_noise){.is_initiator = initiator, .step = OM_NOISE_START};
    memcpy(self->s_secret, s_secret, sizeof self->s_secret);
    memcpy(self->s_public, s_public, sizeof self->s_public);
    memcpy(self->psk, psk, sizeof self->psk);
    if (rs_public)
        memcpy(self->rs, rs_public, sizeof self->rs);

    memcpy(self->h, protocol_name, sizeof protocol_name - 1);
    memcpy(self->ck, self->h, sizeof self->ck);
    mix_hash(self, prologue);
    /* <- s, before the messages */
    mix_hash(self, om_bytes(initiator ? self->rs : self->s_public, OM_NOISE_DH));
}

enum om_err om_noise_write1_begin(struct om_noise *self, const uint8_t e_secret[static 32],
                                  struct om_wr *out)
{
    enum om_err err = check_write(self, true, OM_NOISE_START, OM_NOISE_MSG1_STATIC, out);
    struct om_noise t;
    uint8_t text[OM_NOISE_MSG1_STATIC];
    bool good;

    if (err)
        return err;
    t = *self;
    /* e */
    token_e_write(&t, e_secret, text);
    /* es */
    good = token_es(&t);
    /* s */
    if (good)
        token_s_write(&t, text + OM_NOISE_DH);
    /* ss */
    good = good && token_ss(&t);
    if (good)
        om_wr_copy(out, text, sizeof text);
    return settle(self, &t, good, OM_NOISE_MSG1_BEGUN);
}

enum om_err om_noise_write1_finish(struct om_noise *self, struct om_bytes payload,
                                   struct om_wr *out)
{
    enum om_err err = check_write(self, true, OM_NOISE_MSG1_BEGUN, payload.n + OM_NOISE_TAG, out);

    if (err)
        return err;
    if (payload.n > OM_NOISE_MSG_MAX - OM_NOISE_MSG1_EXTRA)
        return OM_E_RANGE;
    /* payload */
    encrypt_and_hash(self, payload, om_wr_room(out, payload.n + OM_NOISE_TAG));
    self->step = OM_NOISE_MSG1_DONE;
    return OM_OK;
}

enum om_err om_noise_write1(struct om_noise *self, const uint8_t e_secret[static 32],
                            struct om_bytes payload, struct om_wr *out)
{
    enum om_err err = check_write(self, true, OM_NOISE_START, payload.n + OM_NOISE_MSG1_EXTRA, out);

    if (!err)
        err = om_noise_write1_begin(self, e_secret, out);
    if (!err)
        err = om_noise_write1_finish(self, payload, out);
    return err;
}

enum om_err om_noise_read1_static(struct om_noise *self, struct om_bytes msg)
{
    enum om_err err = check_read(self, false, OM_NOISE_START, msg, OM_NOISE_MSG1_EXTRA);
    struct om_noise t;
    bool good;

    if (err)
        return err;
    t = *self;
    /* e */
    token_e_read(&t, msg.p);
    /* es */
    good = token_es(&t);
    /* s */
    good = good && token_s_read(&t, msg.p + OM_NOISE_DH);
    return settle(self, &t, good, OM_NOISE_MSG1_BEGUN);
}

enum om_err om_noise_read1_payload(struct om_noise *self, struct om_bytes msg,
                                   struct om_mut payload_out, size_t *payload_len)
{
    enum om_err err = check_read(self, false, OM_NOISE_MSG1_BEGUN, msg, OM_NOISE_MSG1_EXTRA);
    struct om_noise t;
    bool good;

    if (err)
        return err;
    if (payload_out.n < msg.n - OM_NOISE_MSG1_EXTRA)
        return OM_E_RANGE;
    t = *self;
    /* ss */
    good = token_ss(&t);
    /* payload */
    good = good && decrypt_and_hash(
                       &t, om_bytes(msg.p + OM_NOISE_MSG1_STATIC, msg.n - OM_NOISE_MSG1_STATIC),
                       payload_out.p);
    if (good)
        *payload_len = msg.n - OM_NOISE_MSG1_EXTRA;
    return settle(self, &t, good, OM_NOISE_MSG1_DONE);
}

enum om_err om_noise_read1(struct om_noise *self, struct om_bytes msg, struct om_mut payload_out,
                           size_t *payload_len)
{
    struct om_noise t = *self;
    enum om_err err = om_noise_read1_static(&t, msg);

    if (!err)
        err = om_noise_read1_payload(&t, msg, payload_out, payload_len);
    if (!err)
        *self = t;
    sodium_memzero(&t, sizeof t);
    return err;
}

enum om_err om_noise_write2(struct om_noise *self, const uint8_t e_secret[static 32],
                            struct om_bytes payload, struct om_wr *out)
{
    enum om_err err =
        check_write(self, false, OM_NOISE_MSG1_DONE, payload.n + OM_NOISE_MSG2_EXTRA, out);
    struct om_noise t;
    uint8_t e_text[OM_NOISE_DH];
    bool good;

    if (err)
        return err;
    t = *self;
    /* e */
    token_e_write(&t, e_secret, e_text);
    /* ee */
    good = token_ee(&t);
    /* se */
    good = good && token_se(&t);
    if (good) {
        /* psk */
        token_psk(&t);
        /* payload */
        om_wr_copy(out, e_text, sizeof e_text);
        encrypt_and_hash(&t, payload, om_wr_room(out, payload.n + OM_NOISE_TAG));
    }
    return settle(self, &t, good, OM_NOISE_DONE);
}

enum om_err om_noise_read2(struct om_noise *self, struct om_bytes msg, struct om_mut payload_out,
                           size_t *payload_len)
{
    enum om_err err = check_read(self, true, OM_NOISE_MSG1_DONE, msg, OM_NOISE_MSG2_EXTRA);
    struct om_noise t;
    bool good;

    if (err)
        return err;
    if (payload_out.n < msg.n - OM_NOISE_MSG2_EXTRA)
        return OM_E_RANGE;
    t = *self;
    /* e */
    token_e_read(&t, msg.p);
    /* ee */
    good = token_ee(&t);
    /* se */
    good = good && token_se(&t);
    if (good) {
        /* psk */
        token_psk(&t);
        /* payload */
        good =
            decrypt_and_hash(&t, om_bytes(msg.p + OM_NOISE_DH, msg.n - OM_NOISE_DH), payload_out.p);
    }
    if (good)
        *payload_len = msg.n - OM_NOISE_MSG2_EXTRA;
    return settle(self, &t, good, OM_NOISE_DONE);
}

void om_noise_split(struct om_noise *self, uint8_t first[static 32], uint8_t second[static 32])
{
    uint8_t out[2][OM_NOISE_HASH];

    OM_BUG_IF(self->step != OM_NOISE_DONE);
    hkdf(out, 2, self->ck, om_bytes(NULL, 0));
    memcpy(first, out[0], 32);
    memcpy(second, out[1], 32);
    sodium_memzero(out, sizeof out);
    om_noise_wipe(self);
}

void om_noise_wipe(struct om_noise *self)
{
    sodium_memzero(self, sizeof *self);
    self->step = OM_NOISE_SPENT;
}
