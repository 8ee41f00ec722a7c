/*
 * test_cookie.c - cookies, their life, and what they are bound to
 *
 * The constants come from python3's hashlib, with the secret bytes(range(32)):
 *     cookie = blake2b(b"source", key=secret, digest_size=16); mac2 = blake2b(b"before",
 * key=cookie)
 */
#include "harness.h"

#include <sodium.h>

#include "crypto/cookie.h"

static const uint8_t source[] = {'s', 'o', 'u', 'r', 'c', 'e'};
static const struct om_bytes before = {(const uint8_t *)"before", 6};

/* First 0, 1, 2 ... 31, then other bytes: each fill goes on counting. */
static void count_on(void *self, void *dst, size_t n)
{
    uint8_t *next = self, *out = dst;

    while (n--)
        *out++ = (*next)++;
}

struct responder {
    uint8_t next;
    struct om_rng rng;
    struct om_cookie_jar jar;
};

static void responder_init(struct responder *r, uint8_t first, om_time now)
{
    r->next = first;
    r->rng = (struct om_rng){count_on, &r->next};
    om_cookie_jar_init(&r->jar, &r->rng, now);
}

/* What the initiator answers with the cookie it got at @at. */
static void mac2_of(struct responder *r, om_time at, uint8_t mac2[16])
{
    uint8_t cookie[OM_COOKIE_BYTES];

    om_cookie_make(&r->jar, &r->rng, at, source, sizeof source, cookie);
    om_cookie_mac2(cookie, before, mac2);
}

static bool accepts(struct responder *r, om_time at, const uint8_t mac2[16])
{
    return om_cookie_check_mac2(&r->jar, &r->rng, at, source, sizeof source, before, mac2);
}

OM_TEST(cookie_matches_independent_figures)
{
    struct responder r;
    uint8_t cookie[OM_COOKIE_BYTES], mac2[OM_COOKIE_BYTES];
    char hex[2 * OM_COOKIE_BYTES + 1];

    responder_init(&r, 0, 0);
    om_cookie_make(&r.jar, &r.rng, 0, source, sizeof source, cookie);
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, cookie, 16), "5fba11e83ba0a4a5735cb6e85815c3ab");
    om_cookie_mac2(cookie, before, mac2);
    CHECK_STR(sodium_bin2hex(hex, sizeof hex, mac2, 16), "bd37be5b2a1cbc80ed13e39a06577608");
}

OM_TEST(cookie_mac2_binds_source_and_datagram)
{
    static const uint8_t zero[OM_COOKIE_BYTES];
    struct responder r;
    uint8_t mac2[OM_COOKIE_BYTES];

    responder_init(&r, 0, 0);
    mac2_of(&r, 0, mac2);
    CHECK(accepts(&r, 1, mac2));
    CHECK(!accepts(&r, 1, zero));
    CHECK(!om_cookie_check_mac2(&r.jar, &r.rng, 1, source, sizeof source - 1, before, mac2));
    CHECK(!om_cookie_check_mac2(&r.jar, &r.rng, 1, source, sizeof source, om_bytes("befora", 6),
                                mac2));
    for (unsigned bit = 0; bit < 8 * sizeof mac2; bit++) {
        mac2[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(!accepts(&r, 1, mac2));
        mac2[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(accepts(&r, 1, mac2));
}

OM_TEST(cookie_lives_until_the_second_redraw)
{
    struct responder r;
    uint8_t early[OM_COOKIE_BYTES], late[OM_COOKIE_BYTES];
    om_time start = OM_SEC(1000), life = OM_SEC(OM_COOKIE_SECRET_S);

    responder_init(&r, 0, start);
    mac2_of(&r, start, early);
    CHECK(accepts(&r, start + life - 1, early));
    CHECK(accepts(&r, start + life, early)); /* the previous secret */
    mac2_of(&r, start + life, late);
    CHECK_MEM_DIFF(early, late, sizeof late);
    CHECK(accepts(&r, start + 2 * life - 1, early));
    CHECK(!accepts(&r, start + 2 * life, early));
    CHECK(accepts(&r, start + 2 * life, late));
    CHECK(!accepts(&r, start + 3 * life, late));
}

OM_TEST(cookie_of_an_idle_jar_is_not_kept)
{
    struct responder r;
    uint8_t mac2[OM_COOKIE_BYTES];
    om_time life = OM_SEC(OM_COOKIE_SECRET_S);

    responder_init(&r, 0, 0);
    mac2_of(&r, 1, mac2);
    CHECK(!accepts(&r, 2 * life, mac2)); /* nobody looked in between */
    mac2_of(&r, 2 * life + life / 2, mac2);
    CHECK(accepts(&r, 3 * life + life / 2, mac2));
    CHECK(!accepts(&r, 4 * life, mac2)); /* the grid did not move */
}

OM_TEST(cookie_is_useless_in_another_jar)
{
    struct responder r, other;
    uint8_t mac2[OM_COOKIE_BYTES];

    responder_init(&r, 0, 0);
    responder_init(&other, 99, 0);
    mac2_of(&r, 0, mac2);
    CHECK(!accepts(&other, 0, mac2));
    CHECK(accepts(&r, 0, mac2));
}

OM_TEST(cookie_wipe_leaves_nothing)
{
    struct responder r;

    responder_init(&r, 1, 0);
    CHECK(!sodium_is_zero(r.jar.current, sizeof r.jar.current));
    om_cookie_jar_wipe(&r.jar);
    CHECK(sodium_is_zero((const uint8_t *)&r.jar, sizeof r.jar));
}
