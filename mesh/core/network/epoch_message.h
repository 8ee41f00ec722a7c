/*
 * epoch_message.h - a new secret, handed from member to member
 *
 * What:  codec of EPOCH: the number and secret of an epoch, whom it excludes, and who made it.
 * Why:   removing a member is to give the next secret to everybody else; whoever is given it must
 *        see that an admin made it, and which revocations he had heard of.
 * Keeps: epoch_message_round_trips; epoch_message_matches_independent_figures;
 *        epoch_message_refuses_cut_and_long; epoch_message_refuses_any_flipped_bit;
 *        epoch_message_is_of_an_admin_of_this_network.
 *
 *     u32 number, 32 B secret, u8 n <= 16, n x (8 B log owner, u32 entry excluded), 64 B signature,
 *     110 B admin certificate, or nothing when the authority made it
 *
 * The signature, kind "epoch", is over number, BLAKE2b-256(secret), n and the list: so it can be
 * shown to somebody who must not learn the secret. How old the certificate is does not matter: an
 * epoch outlives it.
 *
 * Source: PROTOCOL section 7 (Rotation).
 */
#ifndef OM_NETWORK_EPOCH_MESSAGE_H
#define OM_NETWORK_EPOCH_MESSAGE_H

#include "network/ledger.h"

enum {
    OM_EPOCH_SECRET_BYTES = 32,
    OM_EPOCH_MESSAGE_LEAST = 4 + OM_EPOCH_SECRET_BYTES + 1 + OM_SIGN_BYTES,
    OM_EPOCH_MESSAGE_MAX =
        OM_EPOCH_MESSAGE_LEAST + OM_LEDGER_LOGS_MAX * (OM_EXCLUDED_BYTES + 4) + OM_ADMIN_CERT_BYTES
};

/* Holds a secret: whoever has one wipes it. */
struct om_epoch_message {
    uint32_t number;
    uint8_t secret[OM_EPOCH_SECRET_BYTES];
    bool has_admin; /* else the authority made it */
    uint8_t admin[OM_ADMIN_CERT_BYTES];
    unsigned excluded_count;
    struct om_excluded excluded[OM_LEDGER_LOGS_MAX];
};

/**
 * om_epoch_message_encode() - write and sign
 * @out:      receives it; a secret
 * @m:        its fields
 * @signer:   the authority, or whom m->admin certifies
 * @network:  for which it holds
 *
 * Return: its bytes.
 */
size_t om_epoch_message_encode(uint8_t out[static OM_EPOCH_MESSAGE_MAX],
                               const struct om_epoch_message *m, const struct om_identity *signer,
                               const struct om_id *network);

/** om_epoch_message_decode() - read @in into @out, untouched on failure; the signature is not
 *  looked at. Return: OM_OK or OM_E_PARSE. */
OM_MUST enum om_err om_epoch_message_decode(struct om_epoch_message *out, struct om_bytes in);

/**
 * om_epoch_message_verify() - did @authority or an admin of hers make this?
 * @in:         what was decoded
 * @m:          its fields
 * @signer:     receives who made it, unless it is forged
 * @network:    the network
 * @authority:  its authority's key
 *
 * Return: true when it verifies. Whether that admin is revoked is not looked at.
 */
OM_MUST bool om_epoch_message_verify(struct om_bytes in, const struct om_epoch_message *m,
                                     struct om_id *signer, const struct om_id *network,
                                     const struct om_id *authority);

#endif
