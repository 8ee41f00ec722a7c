/*
 * responder.h - who gets an answer to an initiation, before any curve arithmetic
 *
 * What:  rates per source, recognition of copies, cookies under load.
 * Why:   an initiation costs the responder two X25519 products; a flood of them must cost the
 *        sender more than us, and an honest initiator must still get through.
 * Keeps: responder_limits_each_source; responder_gives_cookies_under_load;
 *        responder_answers_four_copies; responder_gives_no_second_cookie_for_one_t;
 *        responder_cookie_table_full_gives_none.
 *
 * Full: sources and copies forget the least recent; the table of answered Ts gives no more
 * cookies until its oldest entry is 240 s old.
 *
 * Source: PROTOCOL section 3.
 */
#ifndef OM_CRYPTO_RESPONDER_H
#define OM_CRYPTO_RESPONDER_H

#include <omerta/bucket.h>
#include <omerta/drop.h>
#include <omerta/id.h>
#include <omerta/limits.h>
#include <omerta/lru.h>
#include <omerta/via.h>

#include "crypto/cookie.h"
#include "crypto/handshake_wire.h"

enum {
    OM_SOURCES_MAX = 4096,
    OM_COPIES_MAX = 256, /* initiations whose response is remembered */
    OM_COPY_LIFE_S = 5,
    OM_COPY_ANSWERS_MAX = 4,
    OM_COOKIE_TS_MAX = 4096, /* Ts that were answered with a cookie */
    OM_COOKIE_T_LIFE_S = 240,
    OM_COOKIE_SKEW_S = 120, /* coarse time of an initiation that may get a cookie */
    OM_SOURCE_BYTES = 20    /* IPv4 or IPv6 /64, and lane */
};

struct om_responder {
    const struct om_limits *limits;
    const struct om_rng *rng;
    struct om_lru sources;   /* source -> struct om_bucket */
    struct om_lru copies;    /* ephemeral -> struct om_copy */
    struct om_lru cookie_ts; /* T -> om_time of the cookie */
    struct om_cookie_jar jar;
    struct om_bucket load; /* initiations without valid mac2 */
    om_time loaded_at;     /* last time the load bucket was empty; 0 never */
};

/* The response to an initiation, for copies of it that come over other paths. */
struct om_copy {
    om_time until;
    unsigned answers;
    struct om_id network, peer;
    uint32_t sender, receiver;
    uint8_t msg2[OM_HANDSHAKE_BODY_MAX];
    size_t msg2_len;
};

enum om_verdict {
    OM_VERDICT_ADMIT,  /* do the arithmetic */
    OM_VERDICT_COPY,   /* known within 5 s: see the copy */
    OM_VERDICT_COOKIE, /* answer with the cookie */
    OM_VERDICT_DROP
};

struct om_admission {
    enum om_verdict verdict;
    enum om_drop why;     /* for OM_VERDICT_DROP */
    struct om_copy *copy; /* for OM_VERDICT_COPY, lent until the next call */
    uint8_t cookie[OM_MAC_BYTES];
};

/**
 * om_responder_init() - nothing seen yet
 * @r:        zeroed storage
 * @limits:   borrowed for the life of @r, as is the next
 * @rng:      secret randomness
 * @sip_key:  16 random bytes for the tables
 * @now:      time
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_responder_init(struct om_responder *r, const struct om_limits *limits,
                                      const struct om_rng *rng, const uint8_t sip_key[static 16],
                                      om_time now);

/** om_responder_fini() - release @r. */
void om_responder_fini(struct om_responder *r);

/**
 * om_responder_admit() - what to do with an initiation whose T holds
 * @r:         the responder
 * @now:       time
 * @unix_s:    calendar time, for the age of the initiation
 * @via:       where it came from
 * @plain:     verified; at least 32 bytes of body (the ephemeral)
 *
 * Return: the admission; no state is spent on a source that gets nothing.
 */
struct om_admission om_responder_admit(struct om_responder *r, om_time now, int64_t unix_s,
                                       const struct om_via *via,
                                       const struct om_handshake_plain *plain);

/**
 * om_responder_remember() - keep a response for copies of its initiation
 * @r:          the responder
 * @now:        time
 * @ephemeral:  first 32 bytes of msg1
 * @copy:       what to answer with; copied, until and answers are set
 */
void om_responder_remember(struct om_responder *r, om_time now, const uint8_t ephemeral[static 32],
                           const struct om_copy *copy);

/** om_responder_is_loaded() - was @r under load within the last second before @now? */
bool om_responder_is_loaded(const struct om_responder *r, om_time now);

#endif
