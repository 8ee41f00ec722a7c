/*
 * cert.h - who may take part in a closed network, signed
 *
 * What:  codecs of node certificate, admin certificate and grant; whether a node certificate holds.
 * Why:   to know a network's secret and to be its member are two things: the first can be copied.
 * Keeps: cert_sizes_are_those_of_the_protocol; cert_round_trips; cert_refuses_cut_and_long;
 *        cert_refuses_any_flipped_bit; cert_is_of_one_network; cert_names_are_labels;
 *        cert_holds_within_its_time; cert_chain_is_two_at_most; cert_admin_needs_the_right;
 *        cert_admin_outlives_nothing; grant_round_trips; grant_bounds_its_uses;
 *        grant_for_an_admin_is_the_authoritys.
 *
 *     node    u8 1, u8 roles, u32 number, u32 issued, u32 expires (s), 8 B invite,
 *             u32 overlay IPv4, 32 B key, u8 n <= 32, name, 64 B signature
 *     admin   u8 1, u8 rights, u32 number, u32 issued, u32 expires, 32 B key, signature
 *     grant   u8 1, u8 role, 8 B invite, u16 uses, u32 issued, u32 expires, 32 B key, signature
 *
 * A node certificate is signed by the admin whose certificate travels with it, else by the
 * network's authority; an admin certificate by the authority alone, so a chain has two links at
 * most. Revocation is not looked at here (ledger.h): it may be heard of after the check.
 *
 * Source: PROTOCOL sections 1 (signatures) and 7 (Membership).
 */
#ifndef OM_NETWORK_CERT_H
#define OM_NETWORK_CERT_H

#include <omerta/member.h>
#include <omerta/names.h>
#include <omerta/wire.h>

#include "crypto/identity.h"

enum {
    OM_CERT_VERSION = 1,
    OM_CERT_NAME_MAX = OM_MEMBER_NAME_MAX,
    OM_CERT_INVITE = OM_MEMBER_INVITE,
    OM_NODE_CERT_LEAST = 1 + 1 + 4 + 4 + 4 + 8 + 4 + 32 + 1 + OM_SIGN_BYTES,
    OM_NODE_CERT_MAX = OM_NODE_CERT_LEAST + OM_CERT_NAME_MAX,
    OM_ADMIN_CERT_BYTES = 1 + 1 + 4 + 4 + 4 + 32 + OM_SIGN_BYTES,
    OM_GRANT_BYTES = 1 + 1 + 8 + 2 + 4 + 4 + 32 + OM_SIGN_BYTES,
    OM_CERT_SKEW_S = 24 * 3600,      /* that calendars may differ, both ways */
    OM_CERT_LIFE_S = 90 * 24 * 3600, /* of a certificate that an admin makes */
    OM_CERT_RENEW_S = 90 * 24 * 3600 /* past its end, in which it may still be renewed */
};

/* What an admin may do. Bits as above. */
enum om_right { OM_RIGHT_MEMBERS = 1 /* issue, renew, revoke, rotate, invite */ };

struct om_node_cert {
    uint8_t roles;
    uint32_t number; /* of the issuer's log */
    uint32_t issued, expires;
    uint8_t invite[OM_CERT_INVITE];
    uint32_t overlay; /* IPv4, host order; 0: none */
    struct om_id key;
    char name[OM_CERT_NAME_MAX + 1]; /* a label of DNS; "": none */
};

struct om_admin_cert {
    uint8_t rights;
    uint32_t number;
    uint32_t issued, expires;
    struct om_id key; /* the admin's node key */
};

struct om_grant {
    uint8_t role;
    uint8_t invite[OM_CERT_INVITE];
    uint16_t uses; /* at least 1 */
    uint32_t issued, expires;
    struct om_id key; /* of the invitation: whoever holds its seed may join */
};

/* What a check came to. */
enum om_cert_verdict {
    OM_CERT_HOLDS,
    OM_CERT_EXPIRED, /* all else holds: it may be renewed */
    OM_CERT_EARLY,   /* issued in the future: a calendar is wrong */
    OM_CERT_FORGED,  /* malformed, or not signed by whom it should be */
    OM_CERT_VERDICTS
};

/**
 * om_node_cert_encode() - write and sign a node certificate
 * @out:      receives it
 * @c:        its fields; the name must be one, or empty
 * @signer:   the authority or an admin
 * @network:  for which it holds
 *
 * Return: its bytes.
 */
size_t om_node_cert_encode(uint8_t out[static OM_NODE_CERT_MAX], const struct om_node_cert *c,
                           const struct om_identity *signer, const struct om_id *network);

/** om_cert_within() - is it @now_s between @issued and @expires, to OM_CERT_SKEW_S, by which
 *  calendars may differ? Return: OM_CERT_HOLDS, OM_CERT_EXPIRED or OM_CERT_EARLY. */
enum om_cert_verdict om_cert_within(uint32_t issued, uint32_t expires, uint32_t now_s);

/** om_node_cert_decode() - read @in into @out, untouched on failure; the signature is not checked.
 *  Return: OM_OK, OM_E_UNSUPPORTED for another version, OM_E_PARSE. */
OM_MUST enum om_err om_node_cert_decode(struct om_node_cert *out, struct om_bytes in);

/** om_admin_cert_encode() - as om_node_cert_encode(), of @c, signed by @authority, for @network. */
void om_admin_cert_encode(uint8_t out[static OM_ADMIN_CERT_BYTES], const struct om_admin_cert *c,
                          const struct om_identity *authority, const struct om_id *network);

/** om_admin_cert_decode() - as om_node_cert_decode(), of @in into @out. */
OM_MUST enum om_err om_admin_cert_decode(struct om_admin_cert *out, struct om_bytes in);

/** om_admin_cert_verify() - decode @in into @out, untouched on failure; did @authority of @network
 *  make its holder an admin of members? How old it is, is not looked at. */
OM_MUST bool om_admin_cert_verify(struct om_admin_cert *out, const struct om_id *network,
                                  const struct om_id *authority, struct om_bytes in);

/** om_grant_encode() - as om_node_cert_encode(), of @g, signed by @signer, for @network. */
void om_grant_encode(uint8_t out[static OM_GRANT_BYTES], const struct om_grant *g,
                     const struct om_identity *signer, const struct om_id *network);

/** om_grant_decode() - as om_node_cert_decode(), of @in into @out. */
OM_MUST enum om_err om_grant_decode(struct om_grant *out, struct om_bytes in);

/**
 * om_node_cert_check() - is this a member, as far as signatures and calendars tell?
 * @out:        its fields, unless it is forged
 * @issuer:     who signed it, unless it is forged
 * @network:    the network
 * @authority:  its authority's key
 * @chain:      as received
 * @now_s:      Unix time
 *
 * Return: the verdict. An admin's certificate that expired makes what it signed expired, too.
 */
enum om_cert_verdict om_node_cert_check(struct om_node_cert *out, struct om_id *issuer,
                                        const struct om_id *network, const struct om_id *authority,
                                        const struct om_cert_chain *chain, uint32_t now_s);

/**
 * om_grant_check() - is this an invitation?
 * @out:        its fields, unless it is forged
 * @network:    the network
 * @authority:  its authority's key
 * @grant:      as received
 * @admin:      the certificate of the admin who signed; empty: the authority did
 * @now_s:      Unix time
 *
 * Return: the verdict.
 */
enum om_cert_verdict om_grant_check(struct om_grant *out, const struct om_id *network,
                                    const struct om_id *authority, struct om_bytes grant,
                                    struct om_bytes admin, uint32_t now_s);

#endif
