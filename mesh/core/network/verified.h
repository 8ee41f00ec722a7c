/*
 * verified.h - certificates whose signatures were checked, so that they need not be again
 *
 * What:  whether a credential shows a member, and of what kind; remembers the signatures of chains
 *        that held, and looks at the calendar each time.
 * Why:   two signatures cost more than the handshake that shows them, and every rekey shows them
 *        again.
 * Keeps: verified_remembers_what_held; verified_looks_at_the_calendar_each_time;
 *        verified_remembers_no_refusals; verified_is_bounded; verified_needs_the_static_key;
 *        verified_is_of_one_network; verified_admin_role_needs_the_authority;
 *        verified_takes_what_its_holder_signed; verified_networks_do_not_share;
 *        verified_goes_by_the_latest.
 *
 * Full: OM_VERIFIED_MAX chains of each network; then the one used longest ago is forgotten, and
 * checked again when it comes: an admin who signs without end pushes out nobody of another network.
 * What does not hold is not remembered: it would push out what does.
 *
 *     credential 1 = node certificate    credential 2 = node certificate, 110 B admin certificate
 *
 * Source: PROTOCOL section 3 (Credentials), section 7 (Certificates).
 */
#ifndef OM_NETWORK_VERIFIED_H
#define OM_NETWORK_VERIFIED_H

#include <omerta/lru.h>

#include "network/network.h"

enum {
    OM_VERIFIED_MAX = 2048,    /* twice the records that a node keeps of a network */
    OM_VERIFIED_NETWORKS = 16, /* that a node may be in */
    OM_VERIFIED_SIP = 16
};

/* Of one key. */
struct om_verified_known {
    struct om_member latest; /* that was seen */
    uint32_t shown_until;    /* of the one that its last handshake showed; 0: none did */
};

/* Of one network. */
struct om_verified_share {
    bool is_used;
    struct om_id network;
    struct om_lru chains; /* BLAKE2b-256 of network and credential -> struct om_member */
    struct om_lru keys;   /* member's key -> struct om_verified_known */
};

struct om_verified {
    struct om_verified_share of[OM_VERIFIED_NETWORKS];
    uint8_t sip_key[OM_VERIFIED_SIP];
    uint64_t checks; /* signatures that were looked at */
};

/* A credential as it came. */
struct om_shown {
    uint8_t kind; /* enum om_credential_kind */
    struct om_bytes bytes;
    const uint8_t *static_key; /* 32 B: the Noise static key it came with */
};

/** om_verified_init() - nothing seen yet by @v, zeroed storage; @sip_key: random bytes. */
void om_verified_init(struct om_verified *v, const uint8_t sip_key[static OM_VERIFIED_SIP]);

/** om_verified_leave() - @v forgets all of @network. */
void om_verified_leave(struct om_verified *v, const struct om_id *network);

/** om_verified_fini() - release @v. */
void om_verified_fini(struct om_verified *v);

/**
 * om_verified_check() - does a credential show a member of a network?
 * @v:      what was seen
 * @net:    the network
 * @shown:  as received
 * @now_s:  Unix time
 * @out:    what it says, unless it is forged; of a bare key only the key
 *
 * A bare key shows one in an open network alone, a certificate in a closed one alone: openness is
 * part of the network's id, so neither can be taken for the other. Revocation is not looked at.
 *
 * Return: the verdict.
 */
enum om_cert_verdict om_verified_check(struct om_verified *v, const struct om_network *net,
                                       const struct om_shown *shown, uint32_t now_s,
                                       struct om_member *out);

/**
 * om_verified_told() - is what somebody signed, and did not shake hands with, its certificate?
 * @v:      what was seen; om_verified_find() finds it in there from now on, unless a later one of
 *          that key was seen
 * @net:    the network
 * @shown:  as received; its static key is not looked at
 * @key:    who signed
 * @out:    what it says; untouched else. Neither the calendar nor revocation is looked at
 *
 * Return: whether it is.
 */
bool om_verified_told(struct om_verified *v, const struct om_network *net,
                      const struct om_shown *shown, const struct om_id *key, struct om_member *out);

/** om_verified_find() - the latest certificate of @key in @net that @v saw, lent until the next
 *  check; or NULL. Who shows an earlier one is let in by it, and goes by this one. */
const struct om_member *om_verified_find(const struct om_verified *v, const struct om_network *net,
                                         const struct om_id *key);

/** om_verified_prefer() - what @m says, which holds, is from now on what @v knows of its key in
 *  @net: the later one does not hold any more. */
void om_verified_prefer(struct om_verified *v, const struct om_network *net,
                        const struct om_member *m);

/** om_verified_shown() - until when that holds which the last handshake of @key in @net showed @v;
 *  0: there was none. */
uint32_t om_verified_shown(const struct om_verified *v, const struct om_network *net,
                           const struct om_id *key);

/** om_verified_walk() - those whom @v saw of @net, by @place as om_lru_walk(), lent; then NULL. */
const struct om_member *om_verified_walk(const struct om_verified *v, const struct om_network *net,
                                         uint32_t *place);

/** om_verified_take() - the chain that @shown is of, into @out, lent. Return: false when it is
 *  cut. */
bool om_verified_take(struct om_cert_chain *out, const struct om_shown *shown);

#endif
