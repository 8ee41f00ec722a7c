/*
 * cookie.h - prove that an initiator receives at the address it sends from, before any curve work
 *
 * What:  the responder's rotating secret, the cookies made of it, and the mac2 that shows one.
 * Why:   under load a responder must spend nothing on forged sources. It keeps no state per
 *        source: the cookie is the secret's MAC of the source.
 * Keeps: cookie_matches_independent_figures; cookie_mac2_binds_source_and_datagram;
 *        cookie_lives_until_the_second_redraw; cookie_of_an_idle_jar_is_not_kept;
 *        cookie_is_useless_in_another_jar; cookie_wipe_leaves_nothing.
 *
 * Source: PROTOCOL section 3 (Cookies); the idea is WireGuard's (Donenfeld, NDSS 2017, 5.3).
 */
#ifndef OM_CRYPTO_COOKIE_H
#define OM_CRYPTO_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/attr.h>
#include <omerta/bytes.h>
#include <omerta/rng.h>
#include <omerta/time.h>

enum {
    OM_COOKIE_BYTES = 16,
    OM_COOKIE_SECRET_S = 120 /* age at which the secret is redrawn; the last one is accepted too */
};

/* Read freely; write only through om_cookie_*(). */
struct om_cookie_jar {
    uint8_t current[32];
    uint8_t previous[32];
    bool has_previous;
    om_time redraw_at;
};

/**
 * om_cookie_jar_init() - draw the first secret
 * @j:    caller's storage
 * @rng:  borrowed
 * @now:  the node's clock
 */
void om_cookie_jar_init(struct om_cookie_jar *j, const struct om_rng *rng, om_time now);

/** om_cookie_jar_wipe() - forget the secrets of @j. */
void om_cookie_jar_wipe(struct om_cookie_jar *j);

/**
 * om_cookie_make() - the cookie of a source: keyed BLAKE2b-128(secret; source)
 * @j:       redrawn first when it is time
 * @rng:     borrowed
 * @now:     the node's clock
 * @source:  ip:port, or relay key and lane, in a form of fixed length
 * @n:       its length, bytes
 * @out:     16 bytes
 */
void om_cookie_make(struct om_cookie_jar *j, const struct om_rng *rng, om_time now,
                    const uint8_t source[], size_t n, uint8_t out[static OM_COOKIE_BYTES]);

/**
 * om_cookie_check_mac2() - whether an initiation carries a cookie of ours for its source
 * @j:            redrawn first when it is time
 * @rng:          borrowed
 * @now:          the node's clock
 * @source:       where it came from, as in om_cookie_make()
 * @n:            its length, bytes
 * @before_mac2:  the datagram up to mac2
 * @mac2:         16 bytes, as received
 *
 * Return: true for a cookie of the current or the previous secret.
 */
OM_MUST bool om_cookie_check_mac2(struct om_cookie_jar *j, const struct om_rng *rng, om_time now,
                                  const uint8_t source[], size_t n, struct om_bytes before_mac2,
                                  const uint8_t mac2[static OM_COOKIE_BYTES]);

/**
 * om_cookie_mac2() - the initiator's side: keyed BLAKE2b-128(cookie; all before mac2)
 * @cookie:  16 bytes, as the responder gave it
 * @before:  the datagram up to mac2
 * @out:     16 bytes
 */
void om_cookie_mac2(const uint8_t cookie[static OM_COOKIE_BYTES], struct om_bytes before,
                    uint8_t out[static OM_COOKIE_BYTES]);

#endif
