/*
 * handshake.h - one side's initiation, until a response arrives
 *
 * What:  builds msg1, retransmits it with back-off, answers cookies, completes on msg2.
 * Why:   the initiator carries all the state and all the patience; the responder answers at once
 *        and remembers little (responder.h).
 * Keeps: handshake_backs_off_with_jitter; handshake_retransmission_is_a_new_message;
 *        handshake_copies_share_the_noise_message; handshake_takes_a_cookie_once;
 *        handshake_survives_a_forged_response; handshake_matches_responder;
 *        handshake_cookies_cannot_make_it_send_for_ever;
 *        handshake_answer_proves_the_copy_it_names.
 *
 *          begin()              response(), or a session the peer began: settled
 *   IDLE ----------> WAITING ------------------------------------------------> done
 *                      | ^
 *                      +-+ begin() again: new ephemeral, new timestamp, next path
 *
 * Source: PROTOCOL section 3; Noise revision 34 pattern IKpsk2.
 */
#ifndef OM_CRYPTO_HANDSHAKE_H
#define OM_CRYPTO_HANDSHAKE_H

#include <omerta/prng.h>
#include <omerta/via.h>

#include "crypto/handshake_payload.h"
#include "crypto/noise.h"
#include "network/network.h"

enum {
    OM_HANDSHAKE_COPIES_MAX = 12, /* datagrams of one msg1: every path, and some with a cookie */
    OM_HANDSHAKE_SLOW_S = 60,     /* between attempts once the quick ones are used up */
    OM_HANDSHAKE_QUICK = 5        /* attempts after which it is slow: 0.5, 1, 2, 4, 8 s */
};

struct om_handshake {
    bool is_waiting; /* a msg1 is out */
    bool is_settled; /* a session stands: no retransmission, but a late msg2 is still welcome */
    struct om_noise noise;
    struct om_epoch *epoch;
    uint32_t index;                            /* ours, drawn by the caller; 0 when idle */
    uint8_t ciphers, version_min, version_max; /* what we offered */
    uint8_t msg1[OM_HANDSHAKE_BODY_MAX];
    size_t msg1_len;
    uint8_t sent_t[OM_HANDSHAKE_COPIES_MAX][OM_MAC_BYTES]; /* cookies, msg2 answer one of these */
    struct om_via sent_to[OM_HANDSHAKE_COPIES_MAX];        /* which left over this */
    unsigned sent;
    unsigned attempt; /* of the present need: 1 is the first */
    om_time next_at;  /* retransmission */
    bool has_cookie;
    bool cookie_used; /* resent once for the cookie we hold */
    uint8_t cookie[OM_MAC_BYTES];
    struct om_via cookie_via; /* the path it is valid on */
    om_time cookie_until;
};

/* What a new msg1 is made of. */
struct om_handshake_offer {
    const struct om_network *net;
    struct om_epoch *epoch;
    const uint8_t *peer_dh; /* 32 bytes */
    struct om_msg1 msg1;    /* credential filled by om_handshake_begin() */
    uint32_t index;
};

struct om_handshake_result {
    struct om_msg2 msg2; /* credential points into payload */
    uint8_t payload[OM_PAYLOAD_MAX];
    uint8_t first[OM_KEY_BYTES], second[OM_KEY_BYTES]; /* wipe after use */
};

/**
 * om_handshake_begin() - make a new msg1: first try or retransmission
 * @h:     zeroed storage or an earlier try
 * @o:     borrowed
 * @rng:   for the ephemeral key
 *
 * Return: OM_OK, OM_E_RANGE when the credential does not fit, OM_E_CRYPTO for a bad peer key.
 */
OM_MUST enum om_err om_handshake_begin(struct om_handshake *h, const struct om_handshake_offer *o,
                                       const struct om_rng *rng);

/**
 * om_handshake_schedule() - when to try again after the attempt just made
 * @h:     waiting
 * @now:   time
 * @prng:  for the jitter
 */
void om_handshake_schedule(struct om_handshake *h, om_time now, struct om_prng *prng);

/**
 * om_handshake_fields() - the datagram of this msg1 for one path
 * @h:       waiting
 * @now:     time, for the life of the cookie
 * @via:     the path; the cookie is used only where it was given
 * @coarse:  Unix seconds
 *
 * Return: fields that borrow from @h.
 */
struct om_handshake_fields om_handshake_fields(const struct om_handshake *h, om_time now,
                                               const struct om_via *via, uint32_t coarse);

/** om_handshake_sent() - note that a copy of @h, @dgram, was built for @via, and its T, the end. */
void om_handshake_sent(struct om_handshake *h, const struct om_via *via, struct om_bytes dgram);

/**
 * om_handshake_is_from() - does a msg2 come from where the copy went that it answers?
 * @h:      waiting
 * @via:    where msg2 came from, a direct way
 * @plain:  the datagram with it
 *
 * The copies go to many addresses and carry the same Noise message, so whoever has one of them can
 * answer, and say that he does from another. Only the T of the copy tells them apart.
 *
 * Return: true when who answers got what was sent to @via alone.
 */
bool om_handshake_is_from(const struct om_handshake *h, const struct om_via *via,
                          const struct om_handshake_plain *plain);

/** om_handshake_knows_t() - is @plain, a cookie, bound to a T that @h sent? */
bool om_handshake_knows_t(const struct om_handshake *h, const struct om_handshake_plain *plain);

/**
 * om_handshake_cookie() - take a verified cookie
 * @h:     waiting
 * @now:   time
 * @via:   where it came from
 * @body:  the cookie
 * @life:  how long cookies are good
 *
 * Return: true when the msg1 should be sent again at once over @via: once per cookie, and not when
 * OM_HANDSHAKE_COPIES_MAX datagrams of it have left.
 */
bool om_handshake_cookie(struct om_handshake *h, om_time now, const struct om_via *via,
                         struct om_bytes body, om_time life);

/**
 * om_handshake_response() - complete with msg2
 * @h:     waiting; unchanged on failure, so that a forged msg2 does no harm
 * @body:  Noise message
 * @out:   filled on success
 *
 * Return: OM_OK, OM_E_CRYPTO, OM_E_TRUNC for a payload that does not decode.
 */
OM_MUST enum om_err om_handshake_response(struct om_handshake *h, struct om_bytes body,
                                          struct om_handshake_result *out);

/** om_handshake_is_offered() - did @h offer what @m chose? */
bool om_handshake_is_offered(const struct om_handshake *h, const struct om_msg2 *m);

#endif
