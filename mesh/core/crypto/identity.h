/*
 * identity.h - who a node is: one Ed25519 key that signs and, converted, agrees on keys
 *
 * What:  a node's keys from a seed, a network's node key from the home seed, the X25519 key of a
 *        peer from its id, and signatures with the kind and the network inside.
 * Why:   one name per peer, which is the key itself, so that there is nothing to look up and
 *        nothing to trust; a different one in every network, so that two networks cannot be
 *        linked by it; a signature for one purpose never passes for another.
 * Keeps: identity_matches_rfc8032; identity_dh_agrees_with_rfc7748; identity_refuses_bit_255;
 *        identity_for_network_counts_past_bit_255; identity_differs_between_networks;
 *        identity_dh_refuses_bad_points; identity_signature_matches_independent_figures;
 *        identity_signature_binds_every_part; identity_verify_refuses_long_bodies;
 *        identity_wipe_leaves_nothing.
 *
 * Source: RFC 8032 (Ed25519), RFC 7748 section 4.1 (the map between the curves); PROTOCOL
 *         section 1.
 */
#ifndef OM_CRYPTO_IDENTITY_H
#define OM_CRYPTO_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>

enum {
    OM_SIGN_BYTES = 64,
    OM_SIGN_KIND_MAX = 16,   /* "record", "grant" ...: without the zero */
    OM_SIGN_BODY_MAX = 4096, /* the largest thing we sign is a record, 1,024 bytes */
    OM_NODE_KEY_TRIES = 256  /* half of all keys have bit 255 set: 2^-256 to need more */
};

/* Read freely; write only through om_identity_*(). Belongs in a vault: all but id is secret. */
struct om_identity {
    struct om_id id;       /* Ed25519 public key */
    uint8_t seed[32];      /* RFC 8032's private key */
    uint8_t sk[64];        /* libsodium's form: seed || public key */
    uint8_t dh_secret[32]; /* X25519 */
    uint8_t dh_public[32];
};

/**
 * om_identity_from_seed() - all keys of one node
 * @out:   filled on success, wiped on failure; the caller wipes it with om_identity_wipe()
 * @seed:  32 secret bytes
 *
 * Return: OM_OK, or OM_E_RANGE when bit 255 of the public key is set: P and -P convert to the same
 * X25519 key, so only one of each pair may be a name.
 */
OM_MUST enum om_err om_identity_from_seed(struct om_identity *out, const uint8_t seed[static 32]);

/**
 * om_identity_for_network() - the node key of one network: KDF(seed, "node", id || u32 counter)
 * @out:        filled on success, wiped on failure
 * @home_seed:  32 secret bytes, the same for all networks of this home
 * @network:    the network id
 *
 * The counter starts at 0 and stops at the first key whose bit 255 is 0.
 *
 * Return: OM_OK, or OM_E_CRYPTO when OM_NODE_KEY_TRIES counters gave none.
 */
OM_MUST enum om_err om_identity_for_network(struct om_identity *out,
                                            const uint8_t home_seed[static 32],
                                            const struct om_id *network);

/**
 * om_identity_dh_of() - the X25519 public key of a peer
 * @out:   32 bytes; zeroed on failure
 * @peer:  the peer's id, as received: need not be a valid key
 *
 * Return: OM_OK; OM_E_RANGE when bit 255 is set; OM_E_CRYPTO when the id is no point of the main
 * subgroup, or converts to zero.
 */
OM_MUST enum om_err om_identity_dh_of(uint8_t out[static 32], const struct om_id *peer);

/**
 * om_identity_sign() - Ed25519 over "omerta1 " || kind || 0 || network id || body
 * @self:     the signer
 * @kind:     one of PROTOCOL section 1's; at most OM_SIGN_KIND_MAX characters
 * @network:  the network it is meant for
 * @body:     at most OM_SIGN_BODY_MAX bytes; more is a bug of ours
 * @sig:      64 bytes out
 */
void om_identity_sign(const struct om_identity *self, const char *kind, const struct om_id *network,
                      struct om_bytes body, uint8_t sig[static 64]);

/**
 * om_identity_verify() - whether @signer signed @body for that kind and network
 * @signer:   any Ed25519 key: nodes, authorities, invites
 * @kind:     as in om_identity_sign()
 * @network:  the network it must be meant for
 * @body:     as received; over OM_SIGN_BODY_MAX bytes is refused
 * @sig:      64 bytes, as received
 *
 * Return: true when it verifies.
 */
OM_MUST bool om_identity_verify(const struct om_id *signer, const char *kind,
                                const struct om_id *network, struct om_bytes body,
                                const uint8_t sig[static 64]);

/** om_identity_wipe() - forget every key of @self; the id too. */
void om_identity_wipe(struct om_identity *self);

#endif
