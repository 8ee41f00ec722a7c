/*
 * cipher.c - the cipher table; the only file that uses libcrypto
 *
 * libcrypto gets a library context of its own, into which no configuration file is loaded: what
 * the machine's openssl.cnf says must not change what we seal with.
 */
#include "crypto/cipher.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

static_assert(OM_AEAD_KEY == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key size");
static_assert(OM_AEAD_NONCE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce size");
static_assert(OM_AEAD_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag size");

/* What the self-check found. Written by om_cipher_self_check() alone, once, at start. */
static struct {
    bool is_checked;
    uint8_t offered;
    OSSL_LIB_CTX *library; /* owned for the life of the process */
    EVP_CIPHER *gcm;       /* likewise */
} found;

static bool chacha_usable(void)
{
    return true;
}

static bool chacha_init(struct om_aead *a, const uint8_t key[static OM_AEAD_KEY])
{
    memcpy(a->key, key, sizeof a->key);
    return true;
}

static void chacha_fini(struct om_aead *a)
{
    sodium_memzero(a->key, sizeof a->key);
}

static bool chacha_seal(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE],
                        struct om_bytes aad, uint8_t *text, size_t n, uint8_t *tag)
{
    return crypto_aead_chacha20poly1305_ietf_encrypt_detached(text, tag, NULL, text, n, aad.p,
                                                              aad.n, NULL, nonce, a->key) == 0;
}

/* libsodium verifies first and zeroes the text when the tag is wrong. */
static bool chacha_open(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE],
                        struct om_bytes aad, uint8_t *text, size_t n, const uint8_t *tag)
{
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(text, NULL, text, n, tag, aad.p,
                                                              aad.n, nonce, a->key) == 0;
}

/* AES and carry-less multiplication in hardware: without them GCM is slow and leaks by timing. */
static bool cpu_has_aes(void)
{
#if defined(__aarch64__)
    enum { HWCAP_AES_BIT = 3, HWCAP_PMULL_BIT = 4 }; /* Linux, arch/arm64 hwcap.h */
    unsigned long have = getauxval(AT_HWCAP);
    return (have >> HWCAP_AES_BIT & 1) && (have >> HWCAP_PMULL_BIT & 1);
#else
    return sodium_runtime_has_aesni() && sodium_runtime_has_pclmul();
#endif
}

static bool aes_usable(void)
{
    if (!cpu_has_aes())
        return false;
    if (!found.gcm) {
        (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
        if (!found.library)
            found.library = OSSL_LIB_CTX_new();
        if (found.library)
            found.gcm = EVP_CIPHER_fetch(found.library, "AES-256-GCM", "provider=default");
    }
    return found.gcm != NULL;
}

static bool aes_init(struct om_aead *a, const uint8_t key[static OM_AEAD_KEY])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    if (!context)
        return false;
    if (EVP_CipherInit_ex2(context, found.gcm, key, NULL, a->is_sealer, NULL) != 1) {
        EVP_CIPHER_CTX_free(context);
        return false;
    }
    a->context = context;
    return true;
}

static void aes_fini(struct om_aead *a)
{
    EVP_CIPHER_CTX_free(a->context); /* libcrypto wipes the key schedule */
    a->context = NULL;
}

static bool aes_seal(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE],
                     struct om_bytes aad, uint8_t *text, size_t n, uint8_t *tag)
{
    EVP_CIPHER_CTX *c = a->context;
    int len;

    return EVP_EncryptInit_ex2(c, NULL, NULL, nonce, NULL) == 1 &&
           (aad.n == 0 || EVP_EncryptUpdate(c, NULL, &len, aad.p, (int)aad.n) == 1) &&
           (n == 0 || EVP_EncryptUpdate(c, text, &len, text, (int)n) == 1) &&
           EVP_EncryptFinal_ex(c, text, &len) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, OM_AEAD_TAG, tag) == 1;
}

/* libcrypto decrypts before it knows the tag's verdict, so the text is wiped when it is bad. */
static bool aes_open(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE],
                     struct om_bytes aad, uint8_t *text, size_t n, const uint8_t *tag)
{
    EVP_CIPHER_CTX *c = a->context;
    uint8_t want[OM_AEAD_TAG];
    int len;

    memcpy(want, tag, sizeof want); /* the call below takes no pointer to const */
    if (EVP_DecryptInit_ex2(c, NULL, NULL, nonce, NULL) == 1 &&
        (aad.n == 0 || EVP_DecryptUpdate(c, NULL, &len, aad.p, (int)aad.n) == 1) &&
        (n == 0 || EVP_DecryptUpdate(c, text, &len, text, (int)n) == 1) &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, OM_AEAD_TAG, want) == 1 &&
        EVP_DecryptFinal_ex(c, text, &len) == 1)
        return true;
    sodium_memzero(text, n);
    return false;
}

static const struct om_cipher chacha = {
    .id = OM_CIPHER_CHACHA,
    .name = "chacha20-poly1305",
    .packets_max = OM_CHACHA_PACKETS_MAX,
    .is_usable = chacha_usable,
    .init = chacha_init,
    .fini = chacha_fini,
    .seal = chacha_seal,
    .open = chacha_open,
};

static const struct om_cipher aes = {
    .id = OM_CIPHER_AES,
    .name = "aes-256-gcm",
    .packets_max = OM_AES_PACKETS_MAX,
    .is_usable = aes_usable,
    .init = aes_init,
    .fini = aes_fini,
    .seal = aes_seal,
    .open = aes_open,
};

const struct om_cipher *om_cipher_get(enum om_cipher_id id)
{
    OM_BUG_IF(id != OM_CIPHER_CHACHA && id != OM_CIPHER_AES);
    return id == OM_CIPHER_AES ? &aes : &chacha;
}

static enum om_err keyed(struct om_aead *a, const struct om_cipher *cipher,
                         const uint8_t key[static OM_AEAD_KEY], bool seal)
{
    *a = (struct om_aead){.cipher = cipher, .is_sealer = seal};
    if (cipher->init(a, key))
        return OM_OK;
    a->cipher = NULL;
    return OM_E_NO_MEM;
}

enum om_err om_aead_init(struct om_aead *a, const struct om_cipher *cipher,
                         const uint8_t key[static 32], bool seal)
{
    *a = (struct om_aead){.cipher = NULL};
    if (!(om_cipher_offered() & cipher->id))
        return OM_E_UNSUPPORTED;
    return keyed(a, cipher, key, seal);
}

void om_aead_fini(struct om_aead *a)
{
    if (a->cipher)
        a->cipher->fini(a);
    sodium_memzero(a, sizeof *a);
}

static void nonce_of(uint64_t counter, uint8_t nonce[static OM_AEAD_NONCE])
{
    memset(nonce, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(counter >> (56 - 8 * i));
}

bool om_aead_seal(struct om_aead *a, uint64_t counter, struct om_bytes aad, uint8_t *text, size_t n,
                  uint8_t *tag)
{
    uint8_t nonce[OM_AEAD_NONCE];

    OM_BUG_IF(!a->cipher || !a->is_sealer);
    if (n > OM_AEAD_TEXT_MAX || aad.n > OM_AEAD_TEXT_MAX)
        return false;
    nonce_of(counter, nonce);
    return a->cipher->seal(a, nonce, aad, text, n, tag);
}

bool om_aead_open(struct om_aead *a, uint64_t counter, struct om_bytes aad, uint8_t *text, size_t n,
                  const uint8_t *tag)
{
    uint8_t nonce[OM_AEAD_NONCE];

    OM_BUG_IF(!a->cipher || a->is_sealer);
    if (n > OM_AEAD_TEXT_MAX || aad.n > OM_AEAD_TEXT_MAX)
        return false;
    nonce_of(counter, nonce);
    return a->cipher->open(a, nonce, aad, text, n, tag);
}

enum { VECTOR_TEXT_MAX = 128 };

struct vector {
    const char *source;
    const char *key, *nonce, *aad, *plain, *sealed; /* hex; sealed ends with the tag */
};

static const struct vector chacha_vector = {
    .source = "RFC 8439 section 2.8.2",
    .key = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    .nonce = "070000004041424344454647",
    .aad = "50515253c0c1c2c3c4c5c6c7",
    .plain = "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
             "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
             "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
             "637265656e20776f756c642062652069742e",
    .sealed = "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
              "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
              "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
              "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
              "0691",
};

static const struct vector aes_vector = {
    .source = "McGrew and Viega, The Galois/Counter Mode of Operation, test case 16",
    .key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    .nonce = "cafebabefacedbaddecaf888",
    .aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    .plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    .sealed = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
              "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece"
              "0f4e1768cddf8853bb2d551b",
};

static size_t unhex(uint8_t *out, size_t size, const char *hex)
{
    size_t n = 0;
    int bad = sodium_hex2bin(out, size, hex, strlen(hex), NULL, &n, NULL);

    OM_BUG_IF(bad != 0);
    return n;
}

/* Seals and opens a vector; a wrong tag must be refused too. */
static bool vector_holds(const struct om_cipher *c, const struct vector *v)
{
    uint8_t key[OM_AEAD_KEY], nonce[OM_AEAD_NONCE], aad[VECTOR_TEXT_MAX], plain[VECTOR_TEXT_MAX];
    uint8_t sealed[VECTOR_TEXT_MAX + OM_AEAD_TAG], text[VECTOR_TEXT_MAX + OM_AEAD_TAG];
    struct om_aead sealer = {.cipher = NULL}, opener = {.cipher = NULL};
    size_t n = unhex(plain, sizeof plain, v->plain);
    struct om_bytes a = om_bytes(aad, unhex(aad, sizeof aad, v->aad));
    bool good;

    (void)unhex(key, sizeof key, v->key);
    (void)unhex(nonce, sizeof nonce, v->nonce);
    (void)unhex(sealed, sizeof sealed, v->sealed);
    memcpy(text, plain, n);
    good = keyed(&sealer, c, key, true) == OM_OK && keyed(&opener, c, key, false) == OM_OK &&
           c->seal(&sealer, nonce, a, text, n, text + n) &&
           memcmp(text, sealed, n + OM_AEAD_TAG) == 0 &&
           c->open(&opener, nonce, a, text, n, text + n) && memcmp(text, plain, n) == 0;
    if (good) {
        memcpy(text, sealed, n + OM_AEAD_TAG);
        text[n] ^= 1;
        good = !c->open(&opener, nonce, a, text, n, text + n) && sodium_is_zero(text, n);
    }
    om_aead_fini(&sealer);
    om_aead_fini(&opener);
    return good;
}

/* AES of libcrypto against AES of libsodium, where it has one: same bytes from both. */
static bool agrees_with_sodium(const struct om_cipher *c)
{
    uint8_t key[OM_AEAD_KEY], nonce[OM_AEAD_NONCE] = {1}, aad[12] = {2};
    uint8_t ours[VECTOR_TEXT_MAX + OM_AEAD_TAG] = {3}, theirs[sizeof ours];
    struct om_aead sealer;
    bool good = true;

    if (!crypto_aead_aes256gcm_is_available())
        return true;
    memset(key, 4, sizeof key);
    (void)crypto_aead_aes256gcm_encrypt(theirs, NULL, ours, VECTOR_TEXT_MAX, aad, sizeof aad, NULL,
                                        nonce, key);
    good = keyed(&sealer, c, key, true) == OM_OK &&
           c->seal(&sealer, nonce, om_bytes(aad, sizeof aad), ours, VECTOR_TEXT_MAX,
                   ours + VECTOR_TEXT_MAX) &&
           memcmp(ours, theirs, sizeof ours) == 0;
    om_aead_fini(&sealer);
    return good;
}

enum om_err om_cipher_check(const struct om_cipher *c, struct om_error *err)
{
    bool is_aes = c->id == OM_CIPHER_AES;
    const struct vector *v = is_aes ? &aes_vector : &chacha_vector;

    if (!c->is_usable())
        return om_fail(err, OM_E_UNSUPPORTED, "%s: not on this machine", c->name);
    if (!vector_holds(c, v))
        return om_fail(err, OM_E_CRYPTO, "%s: does not reproduce %s", c->name, v->source);
    if (is_aes && !agrees_with_sodium(c))
        return om_fail(err, OM_E_CRYPTO, "%s: libcrypto and libsodium disagree", c->name);
    return OM_OK;
}

enum om_err om_cipher_self_check(struct om_error *err)
{
    const struct om_cipher *const members[] = {&chacha, &aes};
    enum om_err worst = OM_OK;
    uint8_t offered = 0;

    for (size_t i = 0; i < OM_ARRAY_SIZE(members); i++) {
        enum om_err e = om_cipher_check(members[i], worst ? NULL : err);

        if (e == OM_OK)
            offered |= (uint8_t)members[i]->id;
        else if (e == OM_E_CRYPTO)
            worst = e;
    }
    found.offered = offered;
    found.is_checked = true;
    return worst;
}

uint8_t om_cipher_offered(void)
{
    if (!found.is_checked)
        (void)!om_cipher_self_check(NULL);
    return found.offered;
}
