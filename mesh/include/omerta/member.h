/*
 * member.h - being a member of a closed network: certificates, and how one is come by
 *
 * What:  a node's certificate for a network, given or renewed; joining by a link; letting a node
 *        that is an admin answer those who join; what is known of a member.
 * Why:   to know a network's secret and to be its member are two things: the first can be copied,
 *        the second is signed, for one key and a time.
 * Keeps: member_meets_member; member_stranger_with_the_secret_gets_nothing.
 *
 * A closed network is joined with om_network_config.authority and .chain. Without a chain a node
 * is refused by everybody there until om_node_credential() gives it one.
 *
 * Source: PROTOCOL sections 3 (Credentials) and 7 (Membership).
 */
#ifndef OMERTA_MEMBER_H
#define OMERTA_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/attr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

struct om_node;

enum {
    OM_MEMBER_NAME_MAX = 32,
    OM_MEMBER_INVITE = 8 /* bytes that name an invitation; zeros: none */
};

/* What a member may do beyond being one. Bits; others are kept and mean nothing. */
enum om_role { OM_ROLE_RELAY = 1, OM_ROLE_PROVIDER = 2, OM_ROLE_ADMIN = 4 };

/* A certificate as it travels: the admin's is empty when the authority signed. */
struct om_cert_chain {
    struct om_bytes node, admin;
};

/* What a member's certificate says; its signatures held when it was looked at. */
struct om_member {
    struct om_id key;
    struct om_id issuer;
    uint32_t number;      /* of the issuer's log */
    uint32_t from, until; /* Unix s; of the whole chain */
    uint32_t issued;      /* Unix s; of the member's own part */
    uint32_t overlay;     /* IPv4, host order; 0: none */
    uint8_t roles;        /* enum om_role; that of an admin only if the authority signed it */
    uint8_t invite[OM_MEMBER_INVITE];
    char name[OM_MEMBER_NAME_MAX + 1]; /* a label of DNS; "": none */
};

/**
 * om_node_credential() - the certificate that a node shows in a closed network from now on
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 * @chain:    of this node's key there; copied
 *
 * Sessions that stand keep standing; the next handshakes show it.
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE for an open network, OM_E_CRYPTO when the certificate is
 * another's, or its signatures do not hold.
 */
OM_MUST enum om_err om_node_credential(struct om_node *n, om_time now, const struct om_id *network,
                                       const struct om_cert_chain *chain);

/**
 * om_node_member() - what a peer's certificate says
 * @n:        the node
 * @network:  one that was joined, closed
 * @peer:     whose; our own key: ours
 * @out:      filled on success
 *
 * Return: OM_OK, or OM_E_MISSING when no certificate of its was seen lately.
 */
OM_MUST enum om_err om_node_member(const struct om_node *n, const struct om_id *network,
                                   const struct om_id *peer, struct om_member *out);

#endif
