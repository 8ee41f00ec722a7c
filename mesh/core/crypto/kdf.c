/* kdf.c - BLAKE2b in its three uses; libsodium does the hashing. */
#include "crypto/kdf.h"

#include <string.h>

#include <sodium.h>

#include <omerta/attr.h>

static const char domain[] = "omerta1 ";

static_assert(OM_KEY_BYTES == crypto_generichash_KEYBYTES, "BLAKE2b keys are 32 bytes");
static_assert(OM_MAC_BYTES == crypto_generichash_BYTES_MIN, "libsodium gives no shorter MAC");

/* libsodium's streaming calls fail only on bad sizes, which the callers below never pass. */
static void begin(crypto_generichash_state *s, const uint8_t *key, size_t key_len, size_t out_len)
{
    int bad = crypto_generichash_init(s, key, key_len, out_len);
    OM_BUG_IF(bad != 0);
}

static void add(crypto_generichash_state *s, struct om_bytes b)
{
    if (b.n)
        (void)crypto_generichash_update(s, b.p, b.n);
}

static void end(crypto_generichash_state *s, uint8_t *out, size_t out_len)
{
    (void)crypto_generichash_final(s, out, out_len);
    sodium_memzero(s, sizeof *s);
}

void om_kdf(uint8_t out[static 32], const uint8_t secret[static 32], const char *label,
            struct om_bytes context)
{
    crypto_generichash_state s;

    begin(&s, secret, OM_KEY_BYTES, OM_KEY_BYTES);
    add(&s, om_bytes(domain, sizeof domain - 1));
    add(&s, om_bytes(label, strlen(label) + 1)); /* with its zero: "ab","c" is not "a","bc" */
    add(&s, context);
    end(&s, out, OM_KEY_BYTES);
}

void om_hash(uint8_t out[static 32], struct om_bytes a, struct om_bytes b)
{
    crypto_generichash_state s;

    begin(&s, NULL, 0, OM_HASH_BYTES);
    add(&s, a);
    add(&s, b);
    end(&s, out, OM_HASH_BYTES);
}

void om_mac128(uint8_t out[static 16], const uint8_t *key, size_t key_len, struct om_bytes a,
               struct om_bytes b)
{
    crypto_generichash_state s;

    OM_BUG_IF(key_len != 16 && key_len != 32);
    begin(&s, key, key_len, OM_MAC_BYTES);
    add(&s, a);
    add(&s, b);
    end(&s, out, OM_MAC_BYTES);
}
