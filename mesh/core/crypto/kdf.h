/*
 * kdf.h - the keyed hashes everything else is derived with
 *
 * What:  KDF() of PROTOCOL section 1, plain BLAKE2b-256, keyed BLAKE2b-128.
 * Why:   one derivation with a label each, so that no two uses of a secret can meet.
 * Keeps: kdf_matches_independent_figures; kdf_label_and_context_do_not_run_together;
 *        hash_matches_independent_figures; mac128_matches_independent_figures.
 *
 * Source: RFC 7693 (BLAKE2); PROTOCOL section 1.
 */
#ifndef OM_CRYPTO_KDF_H
#define OM_CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#include <omerta/bytes.h>

enum { OM_KEY_BYTES = 32, OM_HASH_BYTES = 32, OM_MAC_BYTES = 16 };

/**
 * om_kdf() - derive a key: keyed BLAKE2b-256(@secret, "omerta1 " || @label || 0 || @context)
 * @out:      32 bytes; may be the same place as @secret
 * @secret:   32 bytes
 * @label:    terminated; the use, one of those PROTOCOL names
 * @context:  any length, may be empty
 */
void om_kdf(uint8_t out[static 32], const uint8_t secret[static 32], const char *label,
            struct om_bytes context);

/**
 * om_hash() - plain BLAKE2b-256 of @a followed by @b
 * @out:  32 bytes; may lie inside @a or @b
 * @a:    any length
 * @b:    any length; empty when there is only one part
 */
void om_hash(uint8_t out[static 32], struct om_bytes a, struct om_bytes b);

/**
 * om_mac128() - keyed BLAKE2b-128 of @a followed by @b
 * @out:      16 bytes; may lie inside @key, @a or @b
 * @key:      the secret
 * @key_len:  16 or 32 bytes; anything else is a bug of ours
 * @a:        any length
 * @b:        any length; empty when there is only one part
 *
 * Compare the result with sodium_memcmp() only.
 */
void om_mac128(uint8_t out[static 16], const uint8_t *key, size_t key_len, struct om_bytes a,
               struct om_bytes b);

#endif
