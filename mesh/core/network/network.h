/*
 * network.h - one network that a node is in
 *
 * What:  its id, our identity there, and who may be a member.
 * Why:   a node is in many networks at once and shows a different key in each; nothing of one
 *        is visible in another.
 * Keeps: network_identities_differ; credential_bare_key_only_where_open;
 *        credential_must_match_the_static_key.
 *
 * Source: PROTOCOL sections 1 and 3 (Credentials).
 */
#ifndef OM_NETWORK_NETWORK_H
#define OM_NETWORK_NETWORK_H

#include "crypto/handshake_payload.h"
#include "crypto/identity.h"
#include "network/cert.h"
#include "network/epoch.h"
#include "network/pins.h"

enum {
    OM_CREDENTIAL_MAX = OM_NODE_CERT_MAX + OM_ADMIN_CERT_BYTES,
    OM_RETAINED_EPOCHS_MAX = 8,
    OM_JOIN_EPOCHS_MAX = 9 /* the current one and the 8 before it */
};

/* What a link brought: how one that is no member yet proves that it was invited. */
struct om_invitation {
    bool is_held;
    bool has_admin;
    uint8_t seed[32]; /* of the invitation's key */
    uint8_t grant[OM_GRANT_BYTES];
    uint8_t admin[OM_ADMIN_CERT_BYTES];
};

struct om_blocked;

struct om_network {
    struct om_id id;
    struct om_id authority; /* of a closed network; zeros: it has none, and no members */
    struct om_pins pins;
    struct om_blocked *blocked; /* whom this node will have nothing to do with; NULL: nobody */
    struct om_identity self;
    struct om_identity signer; /* the authority itself, if it is ours */
    struct om_epoch *current;  /* in the keyring */
    struct om_epoch *previous; /* accepted until its accept_until; may be NULL */
    struct om_epoch *retained[OM_RETAINED_EPOCHS_MAX]; /* of a closed one; newest first */
    unsigned retained_count;
    struct om_epoch *joins[OM_JOIN_EPOCHS_MAX]; /* by which others join; newest first */
    unsigned join_count;
    struct om_invitation invitation; /* ours, until we are in */
    char called[OM_NAME_MAX + 1];    /* told to who joins by us; "": nothing */
    size_t credential_len;           /* 0: our bare key */
    bool is_open;                    /* bare keys are members */
    bool has_signer;
    uint8_t credential_kind;
    uint8_t credential[OM_CREDENTIAL_MAX]; /* node certificate, admin certificate if any */
};

/**
 * om_credential_check() - may the holder of a Noise static key take part?
 * @net:     the network
 * @kind:    enum om_credential_kind, as received
 * @bytes:   the credential, as received
 * @static_key: the Noise static key it came with
 * @out:     the member's key
 *
 * Kind 0 is decided here; certificates are looked at by om_verified_check().
 *
 * Return: true for a member; false is answered with silence.
 */
bool om_credential_check(const struct om_network *net, uint8_t kind, struct om_bytes bytes,
                         const uint8_t static_key[static 32], struct om_id *out);

/** om_credential_set() - show @chain, of at most OM_NODE_CERT_MAX and OM_ADMIN_CERT_BYTES, in @net
 *  from now on. An admin's own certificate is left out: it signed not what makes him a member.
 *  Return: OM_OK, OM_E_RANGE. */
OM_MUST enum om_err om_credential_set(struct om_network *net, const struct om_cert_chain *chain);

/**
 * om_credential_ours() - the credential that we show in @net
 * @net:   the network
 * @kind:  receives enum om_credential_kind
 *
 * Return: its bytes, lent by @net.
 */
struct om_bytes om_credential_ours(const struct om_network *net, uint8_t *kind);

#endif
