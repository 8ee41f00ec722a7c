/*
 * test_cipher.c - both ciphers, seen through the table
 *
 * The constants at cipher_seal_matches_independent_figures come from python3's "cryptography":
 *     ChaCha20Poly1305(bytes(range(32))).encrypt(nonce, b"abcdef", b"aad"), AESGCM likewise,
 *     with nonce = 00000000 0102030405060708.
 */
#include "harness.h"

#include <sodium.h>

#include "crypto/cipher.h"

enum { TEXT = 100 };

#define COUNTER UINT64_C(0x0102030405060708)

static const struct om_bytes aad = {(const uint8_t *)"aad", 3};

static void count_up(uint8_t key[32])
{
    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
}

static bool is_offered(enum om_cipher_id id)
{
    if (om_cipher_offered() & id)
        return true;
    print_message("%s: not on this machine, skipped\n", om_cipher_get(id)->name);
    return false;
}

/* Runs @each for every cipher of this machine, with a sealing and an opening instance. */
static void with_each(void (*each)(struct om_aead *seal, struct om_aead *open))
{
    static const enum om_cipher_id ids[] = {OM_CIPHER_CHACHA, OM_CIPHER_AES};
    uint8_t key[32];

    count_up(key);
    for (size_t i = 0; i < OM_ARRAY_SIZE(ids); i++) {
        struct om_aead seal, open;

        if (!is_offered(ids[i]))
            continue;
        CHECK_OK(om_aead_init(&seal, om_cipher_get(ids[i]), key, true));
        CHECK_OK(om_aead_init(&open, om_cipher_get(ids[i]), key, false));
        each(&seal, &open);
        om_aead_fini(&seal);
        om_aead_fini(&open);
    }
}

OM_TEST(cipher_members_pass_the_published_vectors)
{
    struct om_error err;

    CHECK_OK(om_cipher_self_check(&err));
    CHECK_OK(om_cipher_check(om_cipher_get(OM_CIPHER_CHACHA), &err));
    CHECK(om_cipher_offered() & OM_CIPHER_CHACHA);
    CHECK_STR(om_cipher_get(OM_CIPHER_CHACHA)->name, "chacha20-poly1305");
    CHECK_STR(om_cipher_get(OM_CIPHER_AES)->name, "aes-256-gcm");
    CHECK(om_cipher_get(OM_CIPHER_AES)->packets_max == OM_AES_PACKETS_MAX);
    if (is_offered(OM_CIPHER_AES))
        CHECK_OK(om_cipher_check(om_cipher_get(OM_CIPHER_AES), &err));
}

static bool seal_off_by_one_bit(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE],
                                struct om_bytes ad, uint8_t *text, size_t n, uint8_t *tag)
{
    bool sealed = om_cipher_get(OM_CIPHER_CHACHA)->seal(a, nonce, ad, text, n, tag);

    text[n - 1] ^= 1;
    return sealed;
}

static bool open_anything(struct om_aead *a, const uint8_t nonce[static OM_AEAD_NONCE],
                          struct om_bytes ad, uint8_t *text, size_t n, const uint8_t *tag)
{
    return om_cipher_get(OM_CIPHER_CHACHA)->open(a, nonce, ad, text, n, tag) || n > 0;
}

static bool never(void)
{
    return false;
}

OM_TEST(cipher_failing_member_is_refused)
{
    struct om_cipher member = *om_cipher_get(OM_CIPHER_CHACHA);
    struct om_error err;

    CHECK_OK(om_cipher_check(&member, &err));
    member.seal = seal_off_by_one_bit;
    CHECK_ERR(om_cipher_check(&member, &err), OM_E_CRYPTO);
    CHECK(strstr(err.msg, "RFC 8439") != NULL);
    member = *om_cipher_get(OM_CIPHER_CHACHA);
    member.open = open_anything;
    CHECK_ERR(om_cipher_check(&member, &err), OM_E_CRYPTO);
    member = *om_cipher_get(OM_CIPHER_CHACHA);
    member.is_usable = never;
    CHECK_ERR(om_cipher_check(&member, &err), OM_E_UNSUPPORTED);
}

static void check_figures(struct om_aead *seal, struct om_aead *open)
{
    const char *want = seal->cipher->id == OM_CIPHER_AES
                           ? "6533066ab887dc932840118d91ea7ffa4344f5d0ff25"
                           : "8e84c69cc0eafdb0f82cf99af48c0ef600cbdaa705fb";
    uint8_t text[6 + OM_AEAD_TAG];
    char hex[2 * sizeof text + 1];

    memcpy(text, "abcdef", 6);
    CHECK(om_aead_seal(seal, COUNTER, aad, text, 6, text + 6));
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, text, sizeof text), want);
    CHECK(om_aead_open(open, COUNTER, aad, text, 6, text + 6));
    CHECK_MEM(text, "abcdef", 6);
}

OM_TEST(cipher_seal_matches_independent_figures)
{
    with_each(check_figures);
}

static void check_sizes(struct om_aead *seal, struct om_aead *open)
{
    static uint8_t text[OM_AEAD_TEXT_MAX + OM_AEAD_TAG];
    static const size_t sizes[] = {0, 1, 15, 16, 17, 63, 64, 65, 1400, 8900, OM_AEAD_TEXT_MAX};

    for (size_t i = 0; i < OM_ARRAY_SIZE(sizes); i++)
        for (uint64_t counter = 0; counter < 3; counter++) {
            size_t n = sizes[i];
            struct om_bytes ad = om_bytes(text, 0);

            memset(text, (int)i, sizeof text);
            CHECK(om_aead_seal(seal, counter, counter == 1 ? ad : aad, text, n, text + n));
            CHECK(om_aead_open(open, counter, counter == 1 ? ad : aad, text, n, text + n));
            for (size_t at = 0; at < n; at++)
                CHECK_EQ(text[at], i);
        }
}

OM_TEST(cipher_opens_what_it_sealed)
{
    with_each(check_sizes);
}

/* A sealed text of TEXT bytes, all 7. */
static void sealed_sevens(struct om_aead *seal, uint8_t text[TEXT + OM_AEAD_TAG])
{
    memset(text, 7, TEXT);
    CHECK(om_aead_seal(seal, COUNTER, aad, text, TEXT, text + TEXT));
}

static void check_flips(struct om_aead *seal, struct om_aead *open)
{
    uint8_t text[TEXT + OM_AEAD_TAG], ad[3];

    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        sealed_sevens(seal, text);
        text[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!om_aead_open(open, COUNTER, aad, text, TEXT, text + TEXT));
    }
    for (size_t bit = 0; bit < 8 * sizeof ad; bit++) {
        memcpy(ad, aad.p, sizeof ad);
        ad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sealed_sevens(seal, text);
        CHECK(!om_aead_open(open, COUNTER, om_bytes(ad, sizeof ad), text, TEXT, text + TEXT));
    }
    sealed_sevens(seal, text);
    CHECK(om_aead_open(open, COUNTER, aad, text, TEXT, text + TEXT));
}

OM_TEST(cipher_open_refuses_every_flipped_bit)
{
    with_each(check_flips);
}

static void check_zeros(struct om_aead *seal, struct om_aead *open)
{
    uint8_t text[TEXT + OM_AEAD_TAG];

    sealed_sevens(seal, text);
    text[TEXT] ^= 1;
    CHECK(!om_aead_open(open, COUNTER, aad, text, TEXT, text + TEXT));
    CHECK(sodium_is_zero(text, TEXT));
    sealed_sevens(seal, text); /* one failure does not spoil the instance */
    CHECK(om_aead_open(open, COUNTER, aad, text, TEXT, text + TEXT));
    CHECK_EQ(text[TEXT - 1], 7);
}

OM_TEST(cipher_failed_open_leaves_zeros)
{
    with_each(check_zeros);
}

static void check_nonce(struct om_aead *seal, struct om_aead *open)
{
    uint8_t text[TEXT + OM_AEAD_TAG];

    for (unsigned bit = 0; bit < 64; bit++) {
        sealed_sevens(seal, text);
        CHECK(!om_aead_open(open, COUNTER ^ UINT64_C(1) << bit, aad, text, TEXT, text + TEXT));
    }
    sealed_sevens(seal, text);
    CHECK(om_aead_open(open, COUNTER, aad, text, TEXT, text + TEXT));
}

OM_TEST(cipher_nonce_is_the_counter)
{
    with_each(check_nonce);
}

static void check_bounds(struct om_aead *seal, struct om_aead *open)
{
    static uint8_t text[OM_AEAD_TEXT_MAX + 1 + OM_AEAD_TAG];
    uint8_t *tag = text + OM_AEAD_TEXT_MAX + 1;

    text[0] = 7;
    CHECK(!om_aead_seal(seal, 0, aad, text, OM_AEAD_TEXT_MAX + 1, tag));
    CHECK(!om_aead_open(open, 0, aad, text, OM_AEAD_TEXT_MAX + 1, tag));
    CHECK(!om_aead_seal(seal, 0, om_bytes(text, OM_AEAD_TEXT_MAX + 1), text, 1, tag));
    CHECK(!om_aead_open(open, 0, om_bytes(text, OM_AEAD_TEXT_MAX + 1), text, 1, tag));
    CHECK_EQ(text[0], 7);
    CHECK(om_aead_seal(seal, 0, aad, text, OM_AEAD_TEXT_MAX, tag));
}

OM_TEST(cipher_sizes_are_bounded)
{
    with_each(check_bounds);
}

OM_TEST(cipher_fini_forgets_the_key)
{
    struct om_aead a = {.cipher = NULL};
    uint8_t key[32];

    om_aead_fini(&a); /* nothing to forget is fine */
    count_up(key);
    CHECK_OK(om_aead_init(&a, om_cipher_get(OM_CIPHER_CHACHA), key, true));
    CHECK_MEM(a.key, key, 32);
    om_aead_fini(&a);
    CHECK(sodium_is_zero((const uint8_t *)&a, sizeof a));
}
