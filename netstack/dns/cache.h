/*
 * cache.h - answers that others gave, for as long as they said
 *
 * What:  a bounded map from questions to whole answers; what is given out has its TTLs aged, and
 *        the id, the case and the flags of who asks.
 * Why:   a page asks for the same names many times, and each is a round trip to the exit.
 * Keeps: cache_answers_again; cache_ages_what_it_gives; cache_keeps_the_case_of_the_question;
 *        cache_clamps_ttls; cache_keeps_negative_answers_shortly; cache_refuses_the_unfit;
 *        cache_is_bounded; cache_forgets_what_was_not_asked_for; cache_tells_edns_apart.
 *
 * Not kept: truncated answers, errors but "no such name", negative ones without an SOA, ones whose
 * OPT has options (they are for one asker), and what is larger than OM_DNS_CACHED_MAX.
 * Full, in answers or in bytes: the one not asked for longest gives way.
 *
 * Source: RFC 1035 section 7.4; RFC 2308 sections 5 and 7; RFC 2181 section 8; RFC 8767 section 4
 *         for the upper bound.
 */
#ifndef OM_DNS_CACHE_H
#define OM_DNS_CACHE_H

#include <omerta/lru.h>
#include <omerta/time.h>

#include "dns/message.h"

enum {
    OM_DNS_CACHE_MAX = 1024,          /* answers */
    OM_DNS_CACHE_BYTES_MAX = 1 << 20, /* of answers */
    OM_DNS_CACHED_MAX = 16384,        /* bytes of one */
    OM_DNS_TTL_LEAST = 1,             /* seconds */
    OM_DNS_TTL_MAX = 86400,
    OM_DNS_NEGATIVE_MAX = 300
};

/* Read freely; write only through om_dns_cache_*(). */
struct om_dns_cache {
    struct om_lru answers;
    size_t bytes;
    uint64_t hits, misses;
};

/** om_dns_cache_init() - @c empty, hashing under the 16 secret bytes @sip_key; OM_OK. */
OM_MUST enum om_err om_dns_cache_init(struct om_dns_cache *c,
                                      const uint8_t sip_key[static OM_SIP_KEY]);

/** om_dns_cache_fini() - release @c, which may be zeroed. */
void om_dns_cache_fini(struct om_dns_cache *c);

/**
 * om_dns_cache_put() - keep an answer
 * @c:       the cache
 * @now:     current time
 * @q:       what was asked, with EDNS0
 * @answer:  copied
 *
 * Return: whether it is kept; not when it is no answer to @q, when it is of those listed above, or
 * without memory.
 */
bool om_dns_cache_put(struct om_dns_cache *c, om_time now, const struct om_dns_question *q,
                      struct om_bytes answer);

/**
 * om_dns_cache_get() - the answer to a question
 * @c:    the cache
 * @now:  current time
 * @q:    what is asked, with EDNS0
 * @out:  its size is what the answer may have
 *
 * Return: bytes of the answer; 0 when there is none that is still good and fits.
 */
size_t om_dns_cache_get(struct om_dns_cache *c, om_time now, const struct om_dns_question *q,
                        struct om_mut out);

#endif
