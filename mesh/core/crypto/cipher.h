/*
 * cipher.h - the two ciphers that seal datagrams, behind one table
 *
 * What:  chacha20-poly1305 (libsodium) always, aes-256-gcm (libcrypto) where the CPU has
 *        instructions for it; a keyed instance seals or opens in place.
 * Why:   one fast path for both; AES only with hardware, because in software it is slow and its
 *        timing depends on the key. Contexts live as long as the key: setting one up per packet
 *        costs more than a small packet.
 * Keeps: cipher_members_pass_the_published_vectors; cipher_failing_member_is_refused;
 *        cipher_seal_matches_independent_figures; cipher_opens_what_it_sealed;
 *        cipher_open_refuses_every_flipped_bit; cipher_failed_open_leaves_zeros;
 *        cipher_nonce_is_the_counter; cipher_sizes_are_bounded; cipher_fini_forgets_the_key.
 *
 * Source: RFC 8439 (ChaCha20-Poly1305); NIST SP 800-38D (GCM); RFC 9001 appendix B (the limits);
 *         PROTOCOL section 2.
 */
#ifndef OM_CRYPTO_CIPHER_H
#define OM_CRYPTO_CIPHER_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

/* Also the bits of the handshake's "ciphers" field. */
enum om_cipher_id { OM_CIPHER_CHACHA = 1, OM_CIPHER_AES = 2 };

enum {
    OM_AEAD_KEY = 32,
    OM_AEAD_NONCE = 12,
    OM_AEAD_TAG = 16,
    OM_AEAD_TEXT_MAX = 65535 /* more than any datagram holds; also the bound of the AAD */
};

#define OM_CHACHA_PACKETS_MAX (UINT64_C(1) << 60)
#define OM_AES_PACKETS_MAX    (UINT64_C(1) << 24)

struct om_aead;

/* One member of the table. The functions are called through om_aead_*() only. */
struct om_cipher {
    enum om_cipher_id id;
    const char *name;        /* the label its key is derived with */
    uint64_t packets_max;    /* rekey after so many sealed packets */
    bool (*is_usable)(void); /* on this machine */
    bool (*init)(struct om_aead *a, const uint8_t key[static OM_AEAD_KEY]);
    void (*fini)(struct om_aead *a);
    bool (*seal)(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE], struct om_bytes aad,
                 uint8_t *text, size_t n, uint8_t *tag);
    bool (*open)(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE], struct om_bytes aad,
                 uint8_t *text, size_t n, const uint8_t *tag);
};

/* A cipher with a key, for one direction. Held by value, never copied; belongs in a vault. */
struct om_aead {
    const struct om_cipher *cipher; /* NULL before init and after fini */
    void *context;                  /* aes: libcrypto's, owned */
    uint8_t key[OM_AEAD_KEY];       /* chacha: libsodium keeps no context */
    bool is_sealer;
};

/**
 * om_cipher_self_check() - try both members against published vectors and against libsodium
 * @err:  sentence naming the first member that failed; may be NULL
 *
 * A member that fails is not offered afterwards. Call it once at start, before there is a second
 * thread: later calls repeat the check, and what it finds is kept for the whole process.
 *
 * Return: OM_OK when every member that this machine can run is right, else OM_E_CRYPTO.
 */
OM_MUST enum om_err om_cipher_self_check(struct om_error *err);

/**
 * om_cipher_offered() - the members that work here, as bits of enum om_cipher_id
 *
 * Return: the bits; the self-check is run if it was not yet. 0 means that no session is possible.
 */
uint8_t om_cipher_offered(void);

/**
 * om_cipher_check() - one member against its published vector
 * @c:    a member, or a test's copy of one
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK; OM_E_UNSUPPORTED when this machine cannot run it; OM_E_CRYPTO when it is wrong.
 */
OM_MUST enum om_err om_cipher_check(const struct om_cipher *c, struct om_error *err);

/**
 * om_cipher_get() - the member of that id
 * @id:  one of the enum's values; anything else is a bug of ours: check received ids against
 *       om_cipher_offered() first
 *
 * Return: the member, never NULL, whether offered or not.
 */
const struct om_cipher *om_cipher_get(enum om_cipher_id id);

/**
 * om_aead_init() - a keyed instance
 * @a:       caller's storage; owns a context until om_aead_fini(), so it must not be copied
 * @cipher:  from om_cipher_get()
 * @key:     32 bytes, KDF(Noise split key, cipher name); copied
 * @seal:    true for an instance that seals, false for one that opens
 *
 * Return: OM_OK; OM_E_UNSUPPORTED when the cipher is not offered here; OM_E_NO_MEM. On failure @a
 * needs no om_aead_fini().
 */
OM_MUST enum om_err om_aead_init(struct om_aead *a, const struct om_cipher *cipher,
                                 const uint8_t key[static 32], bool seal);

/** om_aead_fini() - wipe the key of @a and release its context; a zeroed @a is fine. */
void om_aead_fini(struct om_aead *a);

/**
 * om_aead_seal() - encrypt in place
 * @a:        a sealing instance
 * @counter:  never used before with this key: nonce = 4 zero bytes || u64 big-endian
 * @aad:      authenticated, not encrypted; at most OM_AEAD_TEXT_MAX bytes
 * @text:     plaintext in, ciphertext out
 * @n:        its length, 0 to OM_AEAD_TEXT_MAX
 * @tag:      16 bytes out; usually right behind @text
 *
 * Return: true; false when a size is out of range or libcrypto failed: then nothing may be sent.
 */
OM_MUST bool om_aead_seal(struct om_aead *a, uint64_t counter, struct om_bytes aad, uint8_t *text,
                          size_t n, uint8_t *tag);

/**
 * om_aead_open() - decrypt in place
 * @a:        an opening instance
 * @counter:  as it was sealed with
 * @aad:      as it was sealed with
 * @text:     ciphertext in; plaintext out, or @n zeros when it does not verify
 * @n:        its length, 0 to OM_AEAD_TEXT_MAX
 * @tag:      16 bytes
 *
 * Return: true when it verifies. After false the ciphertext is gone: a datagram has one try. Only
 * when a size is out of range is @text left as it was.
 */
OM_MUST bool om_aead_open(struct om_aead *a, uint64_t counter, struct om_bytes aad, uint8_t *text,
                          size_t n, const uint8_t *tag);

#endif
