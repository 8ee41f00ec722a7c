/*
 * join_link.h - what a person hands to another so that he may join a network
 *
 * What:  codec of omerta://join/...: the network's name, how to talk to it, whom to ask, and for a
 *        closed one the proof of having been invited.
 * Why:   one line that survives chat programs and line breaks, and a typo in it is noticed before
 *        anything is sent.
 * Keeps: join_link_round_trips; join_link_of_an_open_network; join_link_fits_a_screen;
 *        join_link_stands_spaces_and_breaks; join_link_notices_typos; join_link_refuses_nonsense;
 *        join_link_is_bounded.
 *
 *     u8 flags (1 open, 2 with admin certificate, bits 2 and 3: number of peers),
 *     32 B authority key, u32 epoch number, 32 B J (open: the secret),
 *     closed: 32 B seed of the invitation's key, 116 B grant, 110 B admin certificate if flagged,
 *     n <= 3 x (32 B key, 18 B address), 4 B BLAKE2b of all before
 *
 * as base64url without padding. It never holds a closed network's secret, but it is to be kept like
 * one: whoever has it may join in place of who was meant.
 *
 * Source: PROTOCOL section 7 (Join link); RFC 4648 section 5.
 */
#ifndef OM_NETWORK_JOIN_LINK_H
#define OM_NETWORK_JOIN_LINK_H

#include <omerta/addr.h>
#include <omerta/authority.h>

#include "network/cert.h"

enum {
    OM_JOIN_PEERS_MAX = 3,
    OM_JOIN_CHECK_BYTES = 4,
    OM_JOIN_BYTES_MAX = 1 + 32 + 4 + 32 + 32 + OM_GRANT_BYTES + OM_ADMIN_CERT_BYTES +
                        OM_JOIN_PEERS_MAX * (32 + 18) + OM_JOIN_CHECK_BYTES,
    OM_JOIN_TEXT = 14 + (OM_JOIN_BYTES_MAX * 4 + 2) / 3 + 1, /* terminated */
    OM_JOIN_INPUT_MAX = 4096 /* characters of a text that is looked at, with its spaces */
};

#define OM_JOIN_SCHEME "omerta://join/"

struct om_join_peer {
    struct om_id key; /* in that network */
    struct om_addr addr;
};

/* Holds secrets: whoever has one wipes it. */
struct om_join_link {
    bool is_open;
    bool has_admin;
    struct om_id authority;
    uint32_t epoch;
    uint8_t secret[32]; /* J; of an open network the epoch's secret */
    uint8_t seed[32];   /* of the invitation's key; from here on only where it is closed */
    uint8_t grant[OM_GRANT_BYTES];
    uint8_t admin[OM_ADMIN_CERT_BYTES]; /* of who signed the grant */
    unsigned peer_count;
    struct om_join_peer peers[OM_JOIN_PEERS_MAX];
};

/** om_join_link_invite() - put into @l the seed of an invitation as @i says, drawn from @rng, and
 *  the grant of @network that @signer signs for it. */
void om_join_link_invite(struct om_join_link *l, const struct om_invite *i,
                         const struct om_identity *signer, const struct om_id *network,
                         const struct om_rng *rng);

/**
 * om_join_link_print() - the text of a link
 * @out:  receives it, terminated; a secret
 * @l:    the link
 *
 * Return: its length.
 */
size_t om_join_link_print(char out[static OM_JOIN_TEXT], const struct om_join_link *l);

/**
 * om_join_link_parse() - read what om_join_link_print() wrote
 * @out:   untouched on failure; the caller wipes it
 * @text:  terminated; spaces and line breaks anywhere in it are not looked at
 * @err:   sentence for a person, without any of the link; may be NULL
 *
 * Signatures are not checked: that takes the calendar (om_grant_check()).
 *
 * Return: OM_OK, OM_E_PARSE for what is no link or was changed, OM_E_RANGE for too long a text.
 */
OM_MUST enum om_err om_join_link_parse(struct om_join_link *out, const char *text,
                                       struct om_error *err);

/** om_join_link_network() - the id of the network of @l into @out. */
void om_join_link_network(struct om_id *out, const struct om_join_link *l);

#endif
