/*
 * epoch.h - the keys that come from one secret of a network
 *
 * What:  derives, under distinct labels, everything that one epoch's secret gives: handshake MAC
 *        and masking, data header masks, the Noise PSK, the place to meet on a LAN, and the
 *        epoch's public id.
 * Why:   knowing the secret means "can talk at all"; it never encrypts user data, and keys of
 *        different purposes never meet.
 * Keeps: epoch_keys_match_the_pinned_figures; epoch_labels_are_distinct.
 *
 * Source: PROTOCOL section 1.
 */
#ifndef OM_NETWORK_EPOCH_H
#define OM_NETWORK_EPOCH_H

#include <omerta/id.h>
#include <omerta/time.h>

#include "crypto/kdf.h"

enum {
    OM_EPOCH_ID_BYTES = 20, /* u32 number, 16 bytes of KDF(J, "epoch") */
    OM_MASK_KEY_BYTES = 16, /* SipHash keys are the first 16 bytes of a KDF output */
    OM_PROLOGUE_BYTES = 7 + 32 + OM_EPOCH_ID_BYTES
};

struct om_network;

struct om_epoch {
    uint32_t number;
    uint8_t id[OM_EPOCH_ID_BYTES];
    uint8_t outer[OM_KEY_BYTES];        /* T of handshakes */
    uint8_t outer_stream[OM_KEY_BYTES]; /* masks handshakes behind their first 12 bytes */
    uint8_t psk[OM_KEY_BYTES];
    uint8_t lan[OM_KEY_BYTES];             /* group and port of hellos; shown to the LAN */
    uint8_t mask[OM_MASK_KEY_BYTES];       /* headers of datagrams sent directly */
    uint8_t lane_inner[OM_MASK_KEY_BYTES]; /* headers of datagrams inside a relay lane */

    uint8_t secret[OM_KEY_BYTES]; /* to be given to who becomes a member; of a join epoch zeros */
    bool is_join;                 /* its keys come from J: who holds a link knows them */

    /* Kept by keyring.c. */
    struct om_network *network;
    om_time accept_until; /* handshakes; OM_NEVER for the current epoch */
    om_time behind_until; /* and from then those of who is behind, who is told the current one */
    unsigned sessions;    /* that point here; while there are any it is not freed */
    uint32_t serial;      /* never used twice: tells it from a later one in the same place */
};

/**
 * om_epoch_derive() - all keys of an epoch
 * @out:     filled
 * @number:  the epoch's number
 * @secret:  32 bytes
 */
void om_epoch_derive(struct om_epoch *out, uint32_t number, const uint8_t secret[static 32]);

/** om_epoch_derive_join() - as om_epoch_derive(), the keys of those who join, from @join_secret,
 *  J, into @out: its id is that of epoch @number. */
void om_epoch_derive_join(struct om_epoch *out, uint32_t number,
                          const uint8_t join_secret[static 32]);

/** om_epoch_join_secret() - J of an epoch's @secret into @out; the caller wipes it. */
void om_epoch_join_secret(uint8_t out[static OM_KEY_BYTES], const uint8_t secret[static 32]);

/**
 * om_epoch_prologue() - what both sides of a handshake must agree on before its first byte
 * @e:        the epoch
 * @network:  its network's id
 * @out:      "omerta1" || network id || epoch id
 */
void om_epoch_prologue(const struct om_epoch *e, const struct om_id *network,
                       uint8_t out[static OM_PROLOGUE_BYTES]);

#endif
