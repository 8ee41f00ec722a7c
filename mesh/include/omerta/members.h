/*
 * members.h - who is in a closed network, as far as one node knows
 *
 * What:  the keys of everybody a certificate, a record or a log named; what is known of each; and
 *        the authority's word that somebody is an admin no more.
 * Why:   nobody keeps the list of members: each node has seen some certificates, and has heard
 *        what the admins signed.
 * Keeps: members_lists_whom_certificates_and_logs_name; members_of_an_open_network_are_none;
 *        unadmin_is_the_authoritys_and_takes_what_he_says_later;
 *        unadmin_of_one_who_said_nothing_yet; admins_do_not_put_out_admins.
 *
 * Source: PROTOCOL section 7; plans/membership.md.
 */
#ifndef OMERTA_MEMBERS_H
#define OMERTA_MEMBERS_H

#include <omerta/member.h>

enum om_standing {
    OM_STANDING_GOOD,       /* nothing is known against it */
    OM_STANDING_EXPIRED,    /* its certificate is over: it may only renew it */
    OM_STANDING_REVOKED,    /* its key is, by revoker */
    OM_STANDING_ISSUER,     /* who let it in was revoked, and had not said so before */
    OM_STANDING_SUPERSEDED, /* others used up its invitation */
    OM_STANDINGS
};

/* One member, or one that was. */
struct om_member_state {
    struct om_member member; /* key; the rest when has_cert, else name and invite, if at all */
    struct om_id revoker;    /* the admin's key, or the authority's; zeros: nobody */
    om_time heard_at;        /* its newest datagram; 0: none since this node started */
    enum om_standing standing;
    bool has_cert; /* its certificate was seen since this node started */
    bool is_own;
    bool is_authority; /* which signs, and is no member */
    bool is_admin;     /* by the authority's word, and nobody revoked it */
    bool has_word;     /* what it signs as an admin counts until the authority ends that, also when
                        * its own certificate is over or revoked */
    bool has_session;
};

/** om_standing_name() - @s as a word; "unknown" for other values. */
const char *om_standing_name(enum om_standing s);

/**
 * om_node_members() - the members of a closed network that a node knows of, itself among them, and
 *                     those who were revoked
 * @n:        the node
 * @network:  one that was joined
 * @out:      filled in order of keys; where @max is too small, with the lowest
 * @max:      room
 *
 * Return: how many there are, which may be more than @max; 0 for a network that is not closed, and
 * when memory runs out.
 */
unsigned om_node_members(const struct om_node *n, const struct om_id *network, struct om_id *out,
                         unsigned max);

/**
 * om_node_member_state() - what is known of one of them
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @key:      of om_node_members()
 * @out:      filled on success
 *
 * Return: OM_OK; OM_E_MISSING for an unknown network, OM_E_STATE for one that is not closed.
 */
OM_MUST enum om_err om_node_member_state(const struct om_node *n, om_time now,
                                         const struct om_id *network, const struct om_id *key,
                                         struct om_member_state *out);

/** om_node_is_void() - was @invite of a grant of @network taken back, as far as @n knows? */
bool om_node_is_void(const struct om_node *n, const struct om_id *network,
                     const uint8_t invite[static OM_MEMBER_INVITE]);

/**
 * om_node_unadmin() - the authority's word that an admin is one no more; it stays a member
 * @n:        the node
 * @now:      time
 * @network:  one that was joined, closed
 * @seed:     of its authority; borrowed
 * @key:      the admin's
 *
 * What he has signed so far, as this node has heard it without a gap, goes on to count; nothing
 * else of his does, now or later. Of one whose certificate it saw and who has said nothing here
 * nothing counts.
 *
 * Return: OM_OK also when he was that before; OM_E_MISSING for an unknown network or no admin;
 * OM_E_CRYPTO for a seed of another, OM_E_STATE for an open network or when the authority has to
 * hear first what it said before, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_unadmin(struct om_node *n, om_time now, const struct om_id *network,
                                    const uint8_t seed[static 32], const struct om_id *key);

#endif
