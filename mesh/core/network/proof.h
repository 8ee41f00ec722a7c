/*
 * proof.h - who was invited to a closed network shows it in the first datagram
 *
 * What:  makes and checks the credential of one that joins: its key, the grant of its invitation,
 *        the certificate of the admin who signed that, and a signature by the invitation's key over
 *        this very handshake; remembers which ones were seen.
 * Why:   any member can tell, alone and offline, whether to answer; and who records a handshake of
 *        somebody who joined can do nothing with it.
 * Keeps: proof_of_an_invited_holds; proof_is_of_one_handshake_and_key; proof_needs_the_grant;
 *        proof_counts_within_a_day; proof_is_seen_once; proof_table_full_lets_nobody_in;
 *        proof_by_a_link_taken_back_takes_no_room.
 *
 *     credential 3 = 32 B key, 116 B grant, 110 B admin certificate if any, 64 B proof
 *     proof = signature of kind "join" by the grant's key over Noise h || key
 *
 * A table is of one network: whoever has a link of one cannot fill that of another.
 *
 * Full: OM_PROOFS_MAX handshakes of the last 24 h; then nobody is let in until the oldest is over.
 *       Those by invitations that were taken back have OM_PROOFS_VOID_MAX places of their own: who
 *       holds such a link is told so, and cannot keep others out with it.
 *
 * Source: PROTOCOL section 7 (Join link).
 */
#ifndef OM_NETWORK_PROOF_H
#define OM_NETWORK_PROOF_H

#include <omerta/lru.h>

#include "crypto/noise.h"
#include "network/verified.h"

enum {
    OM_PROOF_LEAST = 32 + OM_GRANT_BYTES + OM_SIGN_BYTES,
    OM_PROOF_MAX = OM_PROOF_LEAST + OM_ADMIN_CERT_BYTES,
    OM_PROOFS_MAX = 4096,
    OM_PROOFS_VOID_MAX = 256,
    OM_PROOF_LIFE_S = 24 * 3600 /* an initiation counts for so long, whatever its time says */
};

struct om_proofs {
    struct om_lru seen;    /* ephemeral -> om_time */
    struct om_lru of_void; /* the same, where the invitation had been taken back */
};

/* An initiation of one that joins. */
struct om_proof_shown {
    struct om_bytes bytes;
    const uint8_t *static_key; /* 32 B */
    const uint8_t *h;          /* OM_NOISE_HASH bytes: before the payload */
    const uint8_t *ephemeral;  /* 32 B */
    uint32_t coarse;           /* Unix s, as the initiation says */
};

/** om_proofs_init() - nothing seen: @t, with @sip_key. Return: OM_OK or OM_E_RANGE. */
OM_MUST enum om_err om_proofs_init(struct om_proofs *t, const uint8_t sip_key[static 16]);

/** om_proofs_fini() - release @t. */
void om_proofs_fini(struct om_proofs *t);

/**
 * om_proof_write() - the credential of one that joins
 * @out:  receives it
 * @net:  which one it is, with the invitation
 * @h:    OM_NOISE_HASH bytes: before the payload
 *
 * Return: its length.
 */
size_t om_proof_write(uint8_t out[static OM_PROOF_MAX], const struct om_network *net,
                      const uint8_t h[static OM_NOISE_HASH]);

/** om_proof_admin() - the certificate of the admin who signed the invitation of a credential
 *  @bytes that om_proof_check() let pass, lent; empty: the authority did. */
struct om_bytes om_proof_admin(struct om_bytes bytes);

/**
 * om_proof_check() - was this one invited?
 * @t:      what was seen: nothing counts again
 * @net:    the network
 * @shown:  as received
 * @now_s:  Unix time
 * @key:    receives whose it is
 * @grant:  receives the invitation
 *
 * Return: false for silence.
 */
bool om_proof_check(const struct om_proofs *t, const struct om_network *net,
                    const struct om_proof_shown *shown, uint32_t now_s, struct om_id *key,
                    struct om_grant *grant);

/**
 * om_proof_note() - an initiation that om_proof_check() let pass is to be answered
 * @t:          what was seen; it is from now on
 * @now:        time
 * @ephemeral:  32 B: of the initiation
 * @is_void:    its invitation was taken back
 *
 * Return: false when there is no room: silence.
 */
OM_MUST bool om_proof_note(struct om_proofs *t, om_time now, const uint8_t ephemeral[static 32],
                           bool is_void);

#endif
