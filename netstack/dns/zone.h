/*
 * zone.h - the names <peer>.<network>.omerta, and back from addresses to them
 *
 * What:  answers questions about "omerta" and PTR questions about its addresses from a table.
 * Why:   programs reach peers by name; and such a name never leaves this machine as a question.
 * Keeps: zone_answers_addresses; zone_answers_names; zone_leaves_other_names;
 *        zone_tells_nothing_from_no_such_name; zone_keeps_the_case; zone_answers_texts;
 *        zone_leaves_out_the_only_network; zone_takes_the_start_of_an_id;
 *        zone_does_not_choose_between_a_name_and_an_id; zone_knows_private_names.
 *
 * Source: RFC 1035 section 3.5 and RFC 3596 section 2.5 (names of addresses); RFC 8020; RFC 6761
 *         (special names), 6303 (addresses), 7686 (onion), 8375 (home.arpa).
 */
#ifndef OM_DNS_ZONE_H
#define OM_DNS_ZONE_H

#include "dns/message.h"

#define OM_ZONE_APEX "omerta"

enum {
    OM_ZONE_TTL = 5,  /* seconds: addresses of peers change */
    OM_ZONE_START = 4 /* letters of an id that stand for it */
};

struct om_zone_host {
    const char *peer, *network;  /* one label each; borrowed */
    const struct om_addr *addrs; /* borrowed; hosts of one peer have the same */
    unsigned n_addrs;
    const char *txt; /* or NULL */
    bool is_id;      /* the peer's label is its id, whose start is enough if it is nobody else's */
};

struct om_zone {
    /* Borrowed; of two with one name an id counts, else the first. */
    const struct om_zone_host *hosts;
    unsigned n;
    const char *only; /* the network whose peers are PEER.omerta, too; or NULL */
};

/**
 * om_zone_answer() - answer a question that is ours
 * @out:   as om_dns_reply_write()
 * @zone:  the table
 * @q:     the question
 *
 * Return: bytes of the answer; 0 when the question is not about our names or addresses.
 */
size_t om_zone_answer(struct om_mut out, const struct om_zone *zone,
                      const struct om_dns_question *q);

/**
 * om_dns_name_addr() - the address that a name under in-addr.arpa or ip6.arpa stands for
 * @out:   port 0; untouched on failure
 * @name:  the name
 *
 * Return: whether it is one whole address.
 */
OM_MUST bool om_dns_name_addr(struct om_addr *out, const struct om_dns_name *name);

/**
 * om_dns_name_is_private() - does a name mean anything only where it is asked?
 * @name:  any
 *
 * Return: true for localhost, local, onion, internal, invalid, home.arpa and "omerta", what lies
 * below them, and the names of addresses that are not global.
 */
bool om_dns_name_is_private(const struct om_dns_name *name);

#endif
