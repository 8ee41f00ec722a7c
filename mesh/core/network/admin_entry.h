/*
 * admin_entry.h - one entry of an admin's log
 *
 * What:  codec of what an admin signs about the network: issued, revoked, void; hash and signature.
 * Why:   who was let in and who was thrown out must be told by anybody to anybody, and nobody, the
 *        admin included, may take back or slip in an entry unseen: each names the one before it.
 * Keeps: admin_entry_round_trips; admin_entry_bytes_match_independent_figures;
 *        admin_entry_refuses_cut_and_long; admin_entry_refuses_any_flipped_bit;
 *        admin_entry_is_of_one_owner_and_network; admin_entry_first_has_no_previous;
 *        admin_entry_keeps_kinds_of_later_versions.
 *
 *     u32 number from 1, 32 B hash of the previous (the first: zeros), u8 kind, u16 n <= 256,
 *     n B body, 64 B signature by the log's owner
 *
 *     1 issued          32 B BLAKE2b-256 of the node certificate, its signature included
 *     2 key revoked     32 B node key
 *     3 admin revoked   32 B admin key, u32 number, 32 B hash: the last entry honoured (0 and
 *                       zeros: none); means something in the authority's log alone
 *     4 invite void     8 B invite
 *
 * The hash of an entry is BLAKE2b-256 of all its bytes. Kinds of later versions are kept and told
 * on, and mean nothing here.
 *
 * Source: PROTOCOL section 7 (Logs); plans/membership.md.
 */
#ifndef OM_NETWORK_ADMIN_ENTRY_H
#define OM_NETWORK_ADMIN_ENTRY_H

#include "crypto/kdf.h"
#include "network/cert.h"

enum {
    OM_ADMIN_BODY_MAX = 256,
    OM_ADMIN_ENTRY_LEAST = 4 + OM_HASH_BYTES + 1 + 2 + OM_SIGN_BYTES,
    OM_ADMIN_ENTRY_MAX = OM_ADMIN_ENTRY_LEAST + OM_ADMIN_BODY_MAX
};

enum om_admin_kind {
    OM_ADMIN_ISSUED = 1,
    OM_ADMIN_KEY_REVOKED = 2,
    OM_ADMIN_REVOKED = 3,
    OM_ADMIN_INVITE_VOID = 4
};

struct om_admin_entry {
    uint32_t number;
    uint8_t previous[OM_HASH_BYTES];
    uint8_t kind;        /* enum om_admin_kind, or one that we do not know */
    uint8_t subject[32]; /* by kind: hash, key, admin's key, or invite and zeros */
    uint32_t last;       /* of OM_ADMIN_REVOKED: the last entry honoured */
    uint8_t last_hash[OM_HASH_BYTES];
    struct om_bytes body; /* read: as received; written: of kinds that we do not know only */
};

/**
 * om_admin_entry_encode() - write and sign an entry
 * @out:      receives it
 * @e:        its fields
 * @signer:   the log's owner
 * @network:  for which it holds
 *
 * Return: its bytes.
 */
size_t om_admin_entry_encode(uint8_t out[static OM_ADMIN_ENTRY_MAX], const struct om_admin_entry *e,
                             const struct om_identity *signer, const struct om_id *network);

/** om_admin_entry_decode() - read @in into @out, untouched on failure; the signature is not looked
 *  at. Return: OM_OK or OM_E_PARSE. */
OM_MUST enum om_err om_admin_entry_decode(struct om_admin_entry *out, struct om_bytes in);

/** om_admin_entry_verify() - did @owner sign @in, which was decoded, for @network? */
OM_MUST bool om_admin_entry_verify(struct om_bytes in, const struct om_id *owner,
                                   const struct om_id *network);

/** om_admin_entry_hash() - what the next entry names @in by, to @out. */
void om_admin_entry_hash(uint8_t out[static OM_HASH_BYTES], struct om_bytes in);

#endif
