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
#include "network/epoch.h"

struct om_network {
    struct om_id id;
    bool is_open; /* bare keys are members */
    struct om_identity self;
    struct om_epoch *current;  /* in the keyring */
    struct om_epoch *previous; /* accepted until its accept_until; may be NULL */
};

/**
 * om_credential_check() - may the holder of a Noise static key take part?
 * @net:     the network
 * @kind:    enum om_credential_kind, as received
 * @bytes:   the credential, as received
 * @static_key: the Noise static key it came with
 * @out:     the member's key
 *
 * Kind 0 is decided here; certificates and joins take their place beside it in one table.
 *
 * Return: true for a member; false is answered with silence.
 */
bool om_credential_check(const struct om_network *net, uint8_t kind, struct om_bytes bytes,
                         const uint8_t static_key[static 32], struct om_id *out);

/**
 * om_credential_ours() - the credential that we show in @net
 * @net:   the network
 * @kind:  receives enum om_credential_kind
 *
 * Return: its bytes, lent by @net.
 */
struct om_bytes om_credential_ours(const struct om_network *net, uint8_t *kind);

#endif
