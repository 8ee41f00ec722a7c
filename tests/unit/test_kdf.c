/*
 * test_kdf.c - derivations against figures that another implementation computed
 *
 * The constants come from python3's hashlib, which carries its own BLAKE2b:
 *     blake2b(b"omerta1 outer\0", key=bytes(range(32)), digest_size=32).hexdigest()
 * and likewise with the inputs written at each test.
 */
#include "harness.h"

#include <sodium.h>

#include "crypto/kdf.h"

static void check_hex(const uint8_t *got, size_t n, const char *want)
{
    char text[2 * 64 + 1];

    CHECK_STR(sodium_bin2hex(text, sizeof text, got, n), want);
}

static void count_up(uint8_t key[32])
{
    for (unsigned i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
}

static const struct om_bytes nothing = {NULL, 0};

OM_TEST(kdf_matches_independent_figures)
{
    uint8_t key[32], out[32];

    count_up(key);
    om_kdf(out, key, "outer", nothing);
    check_hex(out, 32, "0f4b10cf6e5a635a88e4c71e8f9541c3db42319dd7f0cedfebd9729a1ce27705");
    om_kdf(out, key, "node", om_bytes("\xa0\xa1\xa2", 3));
    check_hex(out, 32, "5fa78a673fee4dda3f36b3f13757cf947f878c8658cfe08d7dd4fe6f8130297e");
    om_kdf(key, key, "outer", nothing); /* in place */
    check_hex(key, 32, "0f4b10cf6e5a635a88e4c71e8f9541c3db42319dd7f0cedfebd9729a1ce27705");
}

OM_TEST(kdf_label_and_context_do_not_run_together)
{
    uint8_t key[32], one[32], other[32];

    count_up(key);
    om_kdf(one, key, "ab", om_bytes("c", 1));
    om_kdf(other, key, "a", om_bytes("bc", 2));
    CHECK_MEM_DIFF(one, other, 32);
    om_kdf(other, key, "ab", om_bytes("c", 1)); /* the same input gives the same key */
    CHECK_MEM(one, other, 32);
}

OM_TEST(hash_matches_independent_figures)
{
    uint8_t out[32];

    om_hash(out, om_bytes("abc", 3), om_bytes("def", 3)); /* blake2b(b"abcdef", digest_size=32) */
    check_hex(out, 32, "755b8c020bf6b81a3e1d069e177e19e3892c256595c1a94ddb5a902b9e3c6212");
    om_hash(out, om_bytes("abcdef", 6), nothing);
    check_hex(out, 32, "755b8c020bf6b81a3e1d069e177e19e3892c256595c1a94ddb5a902b9e3c6212");
}

OM_TEST(mac128_matches_independent_figures)
{
    uint8_t key[32], out[16];

    count_up(key); /* blake2b(b"abcdef", key=bytes(range(16 or 32)), digest_size=16) */
    om_mac128(out, key, 16, om_bytes("abc", 3), om_bytes("def", 3));
    check_hex(out, 16, "71a056e0b184de01d6dec429e3013da2");
    om_mac128(out, key, 32, om_bytes("abcdef", 6), nothing);
    check_hex(out, 16, "9354937c2934ef80443588f91cfe4c6c");
}
