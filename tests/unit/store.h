/*
 * store.h - one network, one epoch and a session store, for tests below the node
 *
 * What:  the surroundings that a session needs, and sessions of any kind in one call.
 * Why:   sessions count on an epoch and live in a store; tests of theirs begin the same way.
 */
#ifndef OM_TESTS_STORE_H
#define OM_TESTS_STORE_H

#include "harness.h"

#include <omerta/prng.h>

#include "crypto/sessions.h"

struct store {
    struct om_limits limits;
    struct om_prng prng;
    struct om_rng rng;
    struct om_keyring keyring;
    struct om_network net;
    unsigned networks;
    struct om_sessions sessions;
};

/* False when memory ran out, with everything released. @indices: their maximum. */
static inline bool store_init(struct store *t, unsigned indices)
{
    uint8_t sip_key[16] = {1}, secret[32] = {2}, seed[32] = {3};

    memset(t, 0, sizeof *t);
    om_limits_default(&t->limits);
    t->limits.indices_max = indices;
    om_prng_seed(&t->prng, 4);
    t->rng = om_prng_rng(&t->prng);
    t->net.is_open = true;
    t->networks = 1;
    memset(t->net.id.b, 0x4e, sizeof t->net.id.b);
    while (om_identity_from_seed(&t->net.self, seed) != OM_OK)
        seed[0]++;
    if (om_keyring_init(&t->keyring, sip_key, false, 0) != OM_OK) {
        memset(t, 0, sizeof *t);
        return false;
    }
    if (om_keyring_add(&t->keyring, 0, &t->net, 1, secret) == OM_OK &&
        om_sessions_init(&t->sessions, &t->keyring, &t->limits, &t->networks, &t->rng, false) ==
            OM_OK)
        return true;
    om_keyring_fini(&t->keyring);
    memset(t, 0, sizeof *t);
    return false;
}

static inline void store_fini(struct store *t)
{
    if (!t->sessions.vault)
        return;
    om_sessions_fini(&t->sessions);
    om_keyring_fini(&t->keyring);
}

/* Keys of the current epoch. */
static inline struct om_session_keys store_keys(const struct store *t, bool initiated)
{
    static const uint8_t first[32] = {10}, second[32] = {20};

    return (struct om_session_keys){
        .first = first,
        .second = second,
        .cipher = om_cipher_get(OM_CIPHER_CHACHA),
        .epoch = t->net.current,
        .remote = 0x1234,
        .initiated = initiated,
    };
}

/* A session with a peer whose association id begins with @life; NULL when memory ran out. */
static inline struct om_session *store_session(struct store *t, om_time now, bool initiated,
                                               uint8_t life)
{
    struct om_session_keys k = store_keys(t, initiated);
    struct om_session *s;

    if (om_session_begin(&t->sessions, now, &k, NULL, &s) != OM_OK)
        return NULL;
    s->their_association[0] = life;
    return s;
}

#endif
