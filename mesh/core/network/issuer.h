/*
 * issuer.h - an admin of a closed network makes members
 *
 * What:  notes every certificate that it made; makes one for an invitation that is not used up, or
 *        the next one for a member whose time is running out.
 * Why:   an invitation is for so many, a name for one, an address for one: whoever signs has to
 *        know what was signed.
 * Keeps: issuer_counts_uses; issuer_same_key_may_ask_again; issuer_names_are_unique;
 *        issuer_key_keeps_its_name; issuer_makes_a_key_few_a_day;
 *        issuer_addresses_are_unique; issuer_renews_what_it_is_shown; issuer_is_bounded;
 *        issuer_puts_back_what_was_not_given;
 *        issuer_recalls_what_it_made; issuer_hears_of_others; issuer_frees_what_is_out.
 *
 * A name that another has gets -2, -3 ... behind it. It is free again when its holder is revoked,
 * or can renew his certificate no more. A renewed one keeps its "issued": it tells since when one
 * is a member, and so whose a name is that two were given (names.h).
 *
 * Overlay IPv4: 100.64.0.0/10 (RFC 6598: of nobody on the internet), the place in it by a hash of
 * the member's key, and the next free one where that is taken: without a directory that all
 * admins share two of them rarely give the same.
 *
 * Full: OM_ISSUED_MAX members; then nobody new is let in.
 *
 * Source: PROTOCOL section 7.
 */
#ifndef OM_NETWORK_ISSUER_H
#define OM_NETWORK_ISSUER_H

#include "network/ledger.h"
#include "network/network.h"

#define OM_NAME_SELF "self" /* where a peer is wanted it means the node itself: nobody's name */

enum {
    OM_ISSUED_MAX = 4096,
    OM_ISSUED_A_DAY = 8 /* certificates for one key: each takes a place in the admin's log */
};

/* What was made for one key, the last. */
struct om_issued {
    struct om_id key;
    uint8_t invite[OM_CERT_INVITE];
    uint32_t overlay;
    uint32_t expires; /* Unix s */
    uint32_t day;     /* Unix days: when it was last asked for, */
    uint8_t made;     /* and how often on that day */
    bool is_out;      /* revoked: name and address are free, the invite's use is not */
    char name[OM_CERT_NAME_MAX + 1];
};

struct om_issuer {
    uint8_t cert[OM_ADMIN_CERT_BYTES]; /* the admin's */
    uint32_t number;                   /* of the last that was made */
    struct om_issued *all;             /* owned */
    unsigned count, room;
};

/** om_issuer_fini() - release @i. */
void om_issuer_fini(struct om_issuer *i);

/** om_issuer_note() - @c was made, by @i, or by another admin. Return: OM_OK, OM_E_FULL,
 *  OM_E_NO_MEM. */
OM_MUST enum om_err om_issuer_note(struct om_issuer *i, const struct om_node_cert *c);

/** om_issuer_heard() - another let @m in, as @i hears: its name, address and use are taken. Return:
 *  as om_issuer_note(). */
OM_MUST enum om_err om_issuer_heard(struct om_issuer *i, const struct om_member *m);

/**
 * om_issuer_admit() - a certificate for one who was invited
 * @i:      the admin
 * @net:    the network; its self signs
 * @grant:  the invitation, checked
 * @key:    whose it is to be
 * @name:   wished; "" for none
 * @now_s:  Unix time
 * @out:    receives the certificate, for OM_CERT_LIFE_S; noted. Its name is the wished one, or that
 *          with a number where another has it
 *
 * The same key is let in again by the same invitation: its answer may have been lost.
 *
 * Return: OM_OK; OM_E_STATE when the invitation is used up, OM_E_EXISTS for our own key, OM_E_RANGE
 * for no name, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_issuer_admit(struct om_issuer *i, const struct om_network *net,
                                    const struct om_grant *grant, const struct om_id *key,
                                    const char *name, uint32_t now_s, struct om_node_cert *out);

/** om_issuer_is_used() - did as many as may come by @grant, beside @key? Of each key @i has what it
 *  came by last; by what it came before, it is in the notes of @l, by which everybody judges. */
bool om_issuer_is_used(const struct om_issuer *i, const struct om_ledger *l,
                       const struct om_grant *grant, const struct om_id *key);

/** om_issuer_find() - what @i noted of @key into @out; false: nothing. */
bool om_issuer_find(const struct om_issuer *i, const struct om_id *key, struct om_issued *out);

/** om_issuer_put_back() - what @i made last for @key was never given to it: @before is noted as
 *  before, NULL for nothing. */
void om_issuer_put_back(struct om_issuer *i, const struct om_id *key,
                        const struct om_issued *before);

/** om_issuer_overlay() - the address of @key where nobody else is. */
uint32_t om_issuer_overlay(const struct om_id *key);

/** om_issuer_renew() - as om_issuer_admit(), for who was shown to be @m: the same for longer. */
OM_MUST enum om_err om_issuer_renew(struct om_issuer *i, const struct om_member *m, uint32_t now_s,
                                    struct om_node_cert *out);

#endif
