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
 *        verified_takes_what_its_holder_signed.
 *
 * Full: OM_VERIFIED_MAX chains, of all networks; then the one used longest ago is forgotten, and
 * checked again when it comes. What does not hold is not remembered: it would push out what does.
 *
 *     credential 1 = node certificate    credential 2 = node certificate, 110 B admin certificate
 *
 * Source: PROTOCOL section 3 (Credentials), section 7 (Certificates).
 */
#ifndef OM_NETWORK_VERIFIED_H
#define OM_NETWORK_VERIFIED_H

#include <omerta/lru.h>

#include "network/network.h"

enum { OM_VERIFIED_MAX = 4096 };

struct om_verified {
    struct om_lru chains; /* BLAKE2b-256 of network and credential -> struct om_member */
    struct om_lru keys;   /* network || member's key -> struct om_member, the last seen */
    uint64_t checks;      /* signatures that were looked at */
};

/* A credential as it came. */
struct om_shown {
    uint8_t kind; /* enum om_credential_kind */
    struct om_bytes bytes;
    const uint8_t *static_key; /* 32 B: the Noise static key it came with */
};

/**
 * om_verified_init() - nothing seen yet
 * @v:        zeroed storage
 * @sip_key:  16 random bytes
 *
 * Return: OM_OK or OM_E_RANGE.
 */
OM_MUST enum om_err om_verified_init(struct om_verified *v, const uint8_t sip_key[static 16]);

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
 * @v:      what was seen; om_verified_find() finds it in there from now on, unless one of that key
 *          was seen that holds for longer
 * @net:    the network
 * @shown:  as received; its static key is not looked at
 * @key:    who signed
 * @out:    what it says; untouched else. Neither the calendar nor revocation is looked at
 *
 * Return: whether it is.
 */
bool om_verified_told(struct om_verified *v, const struct om_network *net,
                      const struct om_shown *shown, const struct om_id *key, struct om_member *out);

/** om_verified_find() - what @v saw last of @key in @net, lent until the next check; or NULL. */
const struct om_member *om_verified_find(const struct om_verified *v, const struct om_network *net,
                                         const struct om_id *key);

/** om_verified_take() - the chain that @shown is of, into @out, lent. Return: false when it is
 *  cut. */
bool om_verified_take(struct om_cert_chain *out, const struct om_shown *shown);

#endif
