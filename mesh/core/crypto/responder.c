/* responder.c - admission of initiations. */
#include "crypto/responder.h"

#include <sodium.h>

static void source_key(const struct om_via *via, uint8_t out[static OM_SOURCE_BYTES])
{
    struct om_wr w = om_wr(om_mut(out + 16, OM_SOURCE_BYTES - 16));

    om_addr_source(&via->remote, out);
    om_wr_u32(&w, via->lane);
}

enum om_err om_responder_init(struct om_responder *r, const struct om_limits *limits,
                              const struct om_rng *rng, const uint8_t sip_key[static 16],
                              om_time now)
{
    enum om_err e;

    r->limits = limits;
    r->rng = rng;
    e = om_lru_init(&r->sources, OM_SOURCE_BYTES, sizeof(struct om_bucket), OM_SOURCES_MAX,
                    sip_key);
    if (e != OM_OK)
        return e;
    e = om_lru_init(&r->copies, 32, sizeof(struct om_copy), OM_COPIES_MAX, sip_key);
    if (e != OM_OK)
        goto no_copies;
    e = om_lru_init(&r->cookie_ts, OM_MAC_BYTES, sizeof(om_time), OM_COOKIE_TS_MAX, sip_key);
    if (e != OM_OK)
        goto no_ts;
    om_cookie_jar_init(&r->jar, rng, now);
    om_bucket_init(&r->load, limits->load_per_s, limits->load_per_s, now);
    return OM_OK;

no_ts:
    om_lru_fini(&r->copies);
no_copies:
    om_lru_fini(&r->sources);
    return e;
}

void om_responder_fini(struct om_responder *r)
{
    om_lru_fini(&r->sources);
    om_lru_fini(&r->copies);
    om_lru_fini(&r->cookie_ts);
    om_cookie_jar_wipe(&r->jar);
}

static bool source_may(struct om_responder *r, om_time now, const struct om_via *via)
{
    uint8_t key[OM_SOURCE_BYTES];
    bool is_new = false;

    source_key(via, key);
    struct om_bucket *b = om_lru_put(&r->sources, key, &is_new);
    if (!b)
        return false;
    if (is_new)
        om_bucket_init(b, r->limits->source_per_s, r->limits->source_burst, now);
    return om_bucket_take(b, now, 1);
}

/* A cookie costs one MAC; but it is an answer, so each datagram gets at most one, ever. */
static bool may_have_cookie(struct om_responder *r, om_time now, int64_t unix_s,
                            const struct om_handshake_plain *plain)
{
    int64_t skew = unix_s - (int64_t)plain->coarse;
    const void *oldest_key;

    /* Whole seconds: the last ahead is left out, so that a T is too old when it is forgotten. */
    if (skew > OM_COOKIE_SKEW_S || skew <= -OM_COOKIE_SKEW_S)
        return false;
    if (om_lru_peek(&r->cookie_ts, plain->t))
        return false;
    if (om_lru_count(&r->cookie_ts) == OM_COOKIE_TS_MAX) {
        const om_time *oldest = om_lru_oldest(&r->cookie_ts, &oldest_key);
        if (now < *oldest + OM_SEC(OM_COOKIE_T_LIFE_S))
            return false;
    }
    om_time *at = om_lru_put(&r->cookie_ts, plain->t, &(bool){false});
    if (!at)
        return false;
    *at = now;
    return true;
}

static struct om_admission drop(enum om_drop why)
{
    return (struct om_admission){.verdict = OM_VERDICT_DROP, .why = why};
}

/* The exact place a cookie is good for: ip:port, or relay and lane (PROTOCOL 3). */
enum { PLACE_BYTES = 16 + 2 + 4 };

static void place_key(const struct om_via *via, uint8_t out[static PLACE_BYTES])
{
    struct om_wr w = om_wr(om_mut(out, PLACE_BYTES));

    om_addr_write(&w, &via->remote);
    om_wr_u32(&w, via->lane);
}

struct om_admission om_responder_admit(struct om_responder *r, om_time now, int64_t unix_s,
                                       const struct om_via *via,
                                       const struct om_handshake_plain *plain)
{
    struct om_admission a = {.verdict = OM_VERDICT_ADMIT};
    uint8_t place[PLACE_BYTES];

    if (!source_may(r, now, via))
        return drop(OM_DROP_HS_RATE);
    a.copy = om_lru_peek(&r->copies, plain->body.p);
    if (a.copy && now < a.copy->until) {
        a.verdict = OM_VERDICT_COPY;
        if (a.copy->answers >= OM_COPY_ANSWERS_MAX)
            return drop(OM_DROP_HS_COPY);
        return a;
    }
    place_key(via, place);
    if (om_cookie_check_mac2(&r->jar, r->rng, now, place, sizeof place, plain->before_mac2,
                             plain->mac2) ||
        om_bucket_take(&r->load, now, 1))
        return a;
    r->loaded_at = now ? now : 1;
    if (!may_have_cookie(r, now, unix_s, plain))
        return drop(OM_DROP_HS_LOAD);
    a.verdict = OM_VERDICT_COOKIE;
    om_cookie_make(&r->jar, r->rng, now, place, sizeof place, a.cookie);
    return a;
}

void om_responder_remember(struct om_responder *r, om_time now, const uint8_t ephemeral[static 32],
                           const struct om_copy *copy)
{
    struct om_copy *c = om_lru_put(&r->copies, ephemeral, &(bool){false});

    if (!c)
        return; /* a copy then costs another handshake: correct, only dearer */
    *c = *copy;
    c->until = now + OM_SEC(OM_COPY_LIFE_S);
    c->answers = 0;
}

bool om_responder_is_loaded(const struct om_responder *r, om_time now)
{
    return r->loaded_at != 0 && now - r->loaded_at < OM_SEC(1);
}
