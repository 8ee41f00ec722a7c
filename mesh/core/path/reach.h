/*
 * reach.h - may one more datagram go to an address that nobody has proven?
 *
 * What:  the budgets of PROTOCOL section 5: what was sent to which IP, which addresses are proven,
 *        exempt or corroborated, and one rate for all.
 * Why:   an address that a peer names is a claim. A liar must not be able to aim us at a stranger,
 *        however many keys it has; an honest pair must be able to open its NATs.
 * Keeps: reach_strangers_get_three; reach_budget_is_of_the_ip; reach_corroboration_is_short;
 *        reach_corroborated_get_their_hour; reach_two_random_members;
 *        reach_open_network_is_stricter; reach_exempt_get_twenty; reach_proven_are_free;
 *        reach_rate_holds_in_every_second; reach_full_is_no; reach_refusal_takes_nothing.
 *
 *     proven            free, and beside the rate
 *     exempt            20 per 10 min for each (key, ip:port), then as below
 *     corroborated      6,000 per IP and hour
 *     anything else     3 per IP and 10 min, over all keys and ports
 *
 * An IP is a whole IPv4 address or an IPv6 /64. Windows slide by a twelfth and err on the side of
 * no. What answers a datagram just received, and is no longer than it, is not asked about at all.
 *
 * Full: an IP, an exemption or an attestation for which there is no place, because all that are
 * held still count, gets no for an answer; a proven address is then merely not proven.
 *
 * Source: PROTOCOL section 5.
 */
#ifndef OM_PATH_REACH_H
#define OM_PATH_REACH_H

#include <omerta/addr.h>
#include <omerta/bucket.h>
#include <omerta/id.h>
#include <omerta/lru.h>

enum {
    OM_REACH_STRANGER_MAX = 3,
    OM_REACH_STRANGER_S = 600,
    OM_REACH_CORROBORATED_MAX = 6000,
    OM_REACH_CORROBORATED_S = 3600,
    OM_REACH_EXEMPT_MAX = 20,
    OM_REACH_EXEMPT_S = 600,
    OM_REACH_PROVEN_BEFORE_S = 30 * 86400, /* a proof is remembered as an exemption */
    OM_REACH_ATTEST_S = 60,
    OM_REACH_PER_S = 1000, /* rate and burst together: what one second can hold */
    OM_REACH_BURST = 50,
    OM_REACH_SLOTS = 12,
    OM_REACH_IPS_MAX = 4096,
    OM_REACH_ENDS_MAX = 4096, /* proven; and as many exempt */
    OM_REACH_ATTESTED_MAX = 1024
};

/* First those that mean yes. */
enum om_reach_answer {
    OM_REACH_PROVEN,
    OM_REACH_EXEMPT,
    OM_REACH_CORROBORATED,
    OM_REACH_STRANGER,
    OM_REACH_LATER, /* the rate; see om_reach_ready() */
    OM_REACH_SPENT,
    OM_REACH_FULL,
    OM_REACH_ANSWERS
};

enum om_reach_witness {
    OM_WITNESS_RELAY,  /* we both have a session with it */
    OM_WITNESS_TYPED,  /* a member that the user typed or the link named */
    OM_WITNESS_RANDOM, /* a member that we picked at random; it takes two */
    OM_WITNESSES
};

/* Somebody says that a key is at an IP. */
struct om_reach_word {
    struct om_id by;
    enum om_reach_witness witness;
    bool is_open;   /* of an open network, where keys cost nothing */
    bool is_chosen; /* the relay was typed, or bound by us before this peer asked */
    om_time at;     /* when it saw it */
};

/* What was sent in the last OM_REACH_SLOTS twelfths of a window, and in this one. */
struct om_reach_window {
    int64_t slot; /* number of the newest */
    uint16_t sent[OM_REACH_SLOTS + 1];
};

/* Read freely; write only through om_reach_*(). */
struct om_reach {
    struct om_lru ips;      /* source -> budgets */
    struct om_lru exempt;   /* key, ip:port -> window and end */
    struct om_lru proven;   /* ip:port -> key */
    struct om_lru attested; /* key, source -> words */
    struct om_bucket rate;
    uint64_t answers[OM_REACH_ANSWERS];
};

/**
 * om_reach_init() - nothing was sent yet
 * @r:    storage
 * @now:  when
 * @sip:  16 secret bytes, for the tables
 */
void om_reach_init(struct om_reach *r, om_time now, const uint8_t sip[static OM_SIP_KEY]);

/** om_reach_fini() - release the tables of @r. */
void om_reach_fini(struct om_reach *r);

/**
 * om_reach_may() - one datagram is about to be sent
 * @r:    the budgets; a yes takes from them, a no takes nothing
 * @now:  when
 * @to:   where to
 * @who:  who is said to be there; zeroes for nobody yet
 *
 * Return: why, or why not; each is counted.
 */
enum om_reach_answer om_reach_may(struct om_reach *r, om_time now, const struct om_addr *to,
                                  const struct om_id *who);

/** om_reach_is_yes() - does @a let the datagram go? */
static inline bool om_reach_is_yes(enum om_reach_answer a)
{
    return a <= OM_REACH_STRANGER;
}

/**
 * om_reach_left() - how many more could go in all, the rate aside
 * @r:    the budgets
 * @now:  when
 * @to:   where to
 * @who:  who is said to be there
 *
 * Return: the number; UINT_MAX for a proven address.
 */
unsigned om_reach_left(const struct om_reach *r, om_time now, const struct om_addr *to,
                       const struct om_id *who);

/** om_reach_ready() - the first moment, @now or later, at which the rate of @r lets one go. */
om_time om_reach_ready(const struct om_reach *r, om_time now);

/**
 * om_reach_prove() - a token or msg2 came back for what was sent to one address alone
 * @r:    the budgets
 * @now:  when
 * @to:   the address, proven until om_reach_forget() and exempt for 30 days for this key
 * @who:  whose session it is
 */
void om_reach_prove(struct om_reach *r, om_time now, const struct om_addr *to,
                    const struct om_id *who);

/** om_reach_forget() - the last session of @r with @who ended: nothing is proven by it now. */
void om_reach_forget(struct om_reach *r, const struct om_id *who);

/**
 * om_reach_exempt() - an address that has a reason: typed, named by the link, heard on our link
 * @r:      the budgets
 * @now:    when
 * @to:     the address
 * @who:    only for this key; zeroes for any
 * @until:  when the reason ends
 *
 * Return: false when there is no place.
 */
bool om_reach_exempt(struct om_reach *r, om_time now, const struct om_addr *to,
                     const struct om_id *who, om_time until);

/**
 * om_reach_attest() - somebody says where a key is
 * @r:     the budgets
 * @now:   when
 * @who:   the key
 * @at:    its address; the port does not matter
 * @word:  who says so, and why that counts
 *
 * Return: true when the key is corroborated at that IP now.
 */
bool om_reach_attest(struct om_reach *r, om_time now, const struct om_id *who,
                     const struct om_addr *at, const struct om_reach_word *word);

/** om_reach_is_attested() - is @who corroborated at the IP of @at, for @r, at @now? */
bool om_reach_is_attested(const struct om_reach *r, om_time now, const struct om_id *who,
                          const struct om_addr *at);

/** om_reach_answer_name() - "proven", "spent" ... of @a; "unknown" for any other. */
const char *om_reach_answer_name(enum om_reach_answer a);

#endif
