/* hostkey.c - SSH's strings, length before bytes, and base64 around them. */
#include "service/hostkey.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <omerta/err.h>
#include <omerta/wire.h>

enum {
    BLOB_MAX = 256,
    BLOCK = 8,      /* the list of private keys is padded to it, PROTOCOL.key section 3 */
    LINE_TEXT = 70, /* as ssh-keygen breaks its lines */
    TEXT_MAX = 4 * BLOB_MAX
};

static const char kind[] = "ssh-ed25519";

static void put_string(struct om_wr *w, const void *p, size_t n)
{
    om_wr_u32(w, (uint32_t)n);
    om_wr_bytes(w, om_bytes(p, n));
}

static struct om_bytes put_public(uint8_t out[static BLOB_MAX], const uint8_t *public_key)
{
    struct om_wr w = om_wr(om_mut(out, BLOB_MAX));

    put_string(&w, kind, sizeof kind - 1);
    put_string(&w, public_key, crypto_sign_PUBLICKEYBYTES);
    return om_bytes(out, om_wr_len(&w));
}

/* What would be encrypted if there were a passphrase: twice the same number, then the key. */
static size_t put_secret(uint8_t out[static BLOB_MAX], const uint8_t *secret_key,
                         const uint8_t *public_key)
{
    struct om_wr w = om_wr(om_mut(out, BLOB_MAX));
    uint32_t check = (uint32_t)public_key[0] << 16 | (uint32_t)public_key[1];

    om_wr_u32(&w, check);
    om_wr_u32(&w, check);
    put_string(&w, kind, sizeof kind - 1);
    put_string(&w, public_key, crypto_sign_PUBLICKEYBYTES);
    put_string(&w, secret_key, crypto_sign_SECRETKEYBYTES);
    put_string(&w, "", 0);
    for (uint8_t pad = 1; om_wr_len(&w) % BLOCK; pad++)
        om_wr_u8(&w, pad);
    return om_wr_len(&w);
}

static void put_text(char *out, size_t size, const uint8_t *blob, size_t n)
{
    char flat[TEXT_MAX];
    size_t at = 0;

    (void)sodium_bin2base64(flat, sizeof flat, blob, n, sodium_base64_VARIANT_ORIGINAL);
    at += (size_t)snprintf(out, size, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    for (const char *p = flat; *p; p += strnlen(p, LINE_TEXT))
        at += (size_t)snprintf(out + at, size - at, "%.*s\n", LINE_TEXT, p);
    at += (size_t)snprintf(out + at, size - at, "-----END OPENSSH PRIVATE KEY-----\n");
    OM_BUG_IF(at >= size);
    sodium_memzero(flat, sizeof flat);
}

void hostkey_make(struct hostkey *out, const uint8_t seed[static OM_HOSTKEY_SEED])
{
    static const char magic[] = "openssh-key-v1"; /* its zero is part of it */
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    uint8_t public_blob[BLOB_MAX], secret_blob[BLOB_MAX], whole[2 * BLOB_MAX];
    char text[TEXT_MAX];
    struct om_wr w = om_wr(om_mut(whole, sizeof whole));

    (void)crypto_sign_seed_keypair(public_key, secret_key, seed);
    struct om_bytes blob = put_public(public_blob, public_key);
    size_t n = put_secret(secret_blob, secret_key, public_key);
    om_wr_bytes(&w, om_bytes(magic, sizeof magic));
    put_string(&w, "none", 4);
    put_string(&w, "none", 4);
    put_string(&w, "", 0);
    om_wr_u32(&w, 1);
    put_string(&w, blob.p, blob.n);
    put_string(&w, secret_blob, n);
    put_text(out->private_text, sizeof out->private_text, whole, om_wr_len(&w));
    (void)sodium_bin2base64(text, sizeof text, blob.p, blob.n, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(out->public_line, sizeof out->public_line, "%s %.100s", kind, text);
    sodium_memzero(secret_key, sizeof secret_key);
    sodium_memzero(secret_blob, sizeof secret_blob);
    sodium_memzero(whole, sizeof whole);
}
