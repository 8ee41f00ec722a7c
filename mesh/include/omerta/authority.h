/*
 * authority.h - what the one who made a closed network can sign
 *
 * What:  a new authority; the certificates of who made the network; invitations.
 * Why:   a closed network begins with one key that signs, and one member who is its first admin.
 * Keeps: authority_makes_its_first_admin; authority_invites_who_then_joins;
 *        authority_link_names_the_network; authority_invites_an_admin_who_invites;
 *        authority_is_needed_for_admins.
 *
 * Source: PROTOCOL section 7.
 */
#ifndef OMERTA_AUTHORITY_H
#define OMERTA_AUTHORITY_H

#include <omerta/member.h>
#include <omerta/network_link.h>

enum {
    OM_CHAIN_NODE_MAX = 160, /* bytes of a node certificate */
    OM_CHAIN_ADMIN_MAX = 110 /* of an admin's */
};

/* Certificates of one member; no secret. */
struct om_certs {
    size_t node_len, admin_len; /* 0: none */
    uint8_t node[OM_CHAIN_NODE_MAX];
    uint8_t admin[OM_CHAIN_ADMIN_MAX];
};

/* Who may come by a link, and for how long. */
struct om_invite {
    uint16_t uses; /* at least 1 */
    uint8_t roles; /* of enum om_role */
    uint32_t issued, expires;
};

/* What an invitation says of itself; nothing secret of it. */
struct om_invite_seen {
    struct om_id network;
    uint8_t id[OM_MEMBER_INVITE];
    struct om_invite what;
};

/** om_invite_read() - what @link, which is a secret, says into @out; signatures are not looked at,
 *  and @err may be NULL. Return: OM_OK; OM_E_PARSE or OM_E_RANGE for no link, or one without an
 *  invitation. */
OM_MUST enum om_err om_invite_read(struct om_invite_seen *out, const char *link,
                                   struct om_error *err);

/**
 * om_authority_new() - a closed network that nobody is in yet
 * @out:   its link, without peers; a secret
 * @seed:  receives 32 bytes: the key that signs; a secret, the caller's to keep
 * @rng:   secret randomness
 */
void om_authority_new(struct om_network_link *out, uint8_t seed[static 32],
                      const struct om_rng *rng);

/**
 * om_authority_certify() - the first admin's certificates, or the same for longer
 * @out:    filled: a node certificate by the authority, and an admin's
 * @seed:   of the authority
 * @self:   the key that the admin shows there
 * @name:   of the admin; "" for none
 * @now_s:  Unix time; they hold from then on for 90 days
 *
 * Return: OM_OK, OM_E_RANGE for no name, OM_E_CRYPTO for a seed that is none.
 */
OM_MUST enum om_err om_authority_certify(struct om_certs *out, const uint8_t seed[static 32],
                                         const struct om_id *self, const char *name,
                                         uint32_t now_s);

/**
 * om_authority_invite() - a link by which others may become members
 * @text:  receives it, terminated; a secret
 * @seed:  of the authority
 * @l:     the closed network, with its epoch and secret, which the link does not have
 * @i:     for whom
 * @rng:   secret randomness
 *
 * Return: OM_OK, or OM_E_CRYPTO for a seed that is none.
 */
OM_MUST enum om_err om_authority_invite(char text[static OM_NETWORK_LINK_TEXT],
                                        const uint8_t seed[static 32],
                                        const struct om_network_link *l, const struct om_invite *i,
                                        const struct om_rng *rng);

/**
 * om_node_authority() - the authority of a closed network is ours: let the node make admins of
 *                       those who come by an invitation for one, and renew them
 * @n:        the node, an admin there
 * @network:  one that was joined
 * @seed:     of the authority; copied into locked memory, and wiped when the network is left
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE for an open network, OM_E_RANGE or OM_E_CRYPTO for
 * another's seed.
 */
OM_MUST enum om_err om_node_authority(struct om_node *n, const struct om_id *network,
                                      const uint8_t seed[static 32]);

/**
 * om_node_invite() - as om_authority_invite(), by a node that is an admin and not the authority
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 * @i:        for whom; no admins
 * @peers:    where members are found
 * @count:    of them, at most OM_NETWORK_PEERS_MAX
 * @text:     receives the link, terminated; a secret
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE when this node is no admin there, or no more, OM_E_RANGE.
 */
OM_MUST enum om_err om_node_invite(struct om_node *n, om_time now, const struct om_id *network,
                                   const struct om_invite *i, const struct om_network_peer *peers,
                                   unsigned count, char text[static OM_NETWORK_LINK_TEXT]);

#endif
