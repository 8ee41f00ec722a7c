/*
 * hostkey.h - the SSH host key of a new virtual machine
 *
 * What:  makes an Ed25519 key pair and writes both halves as OpenSSH reads them.
 * Why:   who made the key of a machine can name it to its consumer over the session: nobody is
 *        ever asked to trust a key at first sight.
 * Keeps: hostkey_is_what_openssh_reads; hostkey_of_a_seed_is_always_the_same.
 *
 * Source: OpenSSH PROTOCOL.key (openssh-key-v1, cipher "none"); RFC 8709 section 4 (the public
 *         key's format).
 */
#ifndef OM_SERVICE_HOSTKEY_H
#define OM_SERVICE_HOSTKEY_H

#include <stdint.h>

enum {
    OM_HOSTKEY_SEED = 32,
    OM_HOSTKEY_PUBLIC = 128, /* bytes with the zero of the line "ssh-ed25519 BASE64" */
    OM_HOSTKEY_PRIVATE = 512 /* bytes with the zero */
};

/* Wipe with sodium_memzero(). */
struct hostkey {
    char public_line[OM_HOSTKEY_PUBLIC];
    char private_text[OM_HOSTKEY_PRIVATE];
};

/** hostkey_make() - write into @out the key that comes of @seed, random bytes. */
void hostkey_make(struct hostkey *out, const uint8_t seed[static OM_HOSTKEY_SEED]);

#endif
