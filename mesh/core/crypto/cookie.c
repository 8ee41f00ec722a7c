/* cookie.c - two secrets and a clock. */
#include "crypto/cookie.h"

#include <string.h>

#include <sodium.h>

#include "crypto/kdf.h"

static const om_time lifetime = OM_SEC(OM_COOKIE_SECRET_S);

static_assert((int)OM_COOKIE_BYTES == (int)OM_MAC_BYTES, "a cookie is a MAC and keys one");

void om_cookie_jar_init(struct om_cookie_jar *j, const struct om_rng *rng, om_time now)
{
    *j = (struct om_cookie_jar){.redraw_at = now + lifetime};
    om_rng_fill(rng, j->current, sizeof j->current);
}

void om_cookie_jar_wipe(struct om_cookie_jar *j)
{
    sodium_memzero(j, sizeof *j);
}

/* On a grid of the lifetime, so that no cookie outlives two of them however rarely we look. */
static void redraw_when_due(struct om_cookie_jar *j, const struct om_rng *rng, om_time now)
{
    if (now < j->redraw_at)
        return;
    om_time missed = (now - j->redraw_at) / lifetime;

    j->has_previous = missed == 0;
    if (j->has_previous)
        memcpy(j->previous, j->current, sizeof j->previous);
    else
        sodium_memzero(j->previous, sizeof j->previous);
    om_rng_fill(rng, j->current, sizeof j->current);
    j->redraw_at += (missed + 1) * lifetime;
}

void om_cookie_make(struct om_cookie_jar *j, const struct om_rng *rng, om_time now,
                    const uint8_t source[], size_t n, uint8_t out[static OM_COOKIE_BYTES])
{
    redraw_when_due(j, rng, now);
    om_mac128(out, j->current, sizeof j->current, om_bytes(source, n), om_bytes(NULL, 0));
}

static bool shows(const uint8_t secret[static 32], struct om_bytes source, struct om_bytes before,
                  const uint8_t mac2[static OM_COOKIE_BYTES])
{
    uint8_t cookie[OM_COOKIE_BYTES], want[OM_COOKIE_BYTES];
    bool same;

    om_mac128(cookie, secret, 32, source, om_bytes(NULL, 0));
    om_cookie_mac2(cookie, before, want);
    same = sodium_memcmp(want, mac2, sizeof want) == 0;
    sodium_memzero(cookie, sizeof cookie);
    sodium_memzero(want, sizeof want);
    return same;
}

bool om_cookie_check_mac2(struct om_cookie_jar *j, const struct om_rng *rng, om_time now,
                          const uint8_t source[], size_t n, struct om_bytes before_mac2,
                          const uint8_t mac2[static OM_COOKIE_BYTES])
{
    struct om_bytes from = om_bytes(source, n);

    redraw_when_due(j, rng, now);
    return shows(j->current, from, before_mac2, mac2) ||
           (j->has_previous && shows(j->previous, from, before_mac2, mac2));
}

void om_cookie_mac2(const uint8_t cookie[static OM_COOKIE_BYTES], struct om_bytes before,
                    uint8_t out[static OM_COOKIE_BYTES])
{
    om_mac128(out, cookie, OM_COOKIE_BYTES, before, om_bytes(NULL, 0));
}
