/* session.c - life and limits of one pair of keys. */
#include "crypto/session.h"

#include <stdlib.h>

#include <sodium.h>

/* PROTOCOL 2: key = KDF(Noise split key, cipher name). */
static enum om_err key_up(struct om_aead *a, const struct om_cipher *c, const uint8_t *split,
                          bool seal)
{
    uint8_t key[OM_KEY_BYTES];

    om_kdf(key, split, c->name, om_bytes(NULL, 0));
    enum om_err e = om_aead_init(a, c, key, seal);
    sodium_memzero(key, sizeof key);
    return e;
}

static enum om_err key_mirror(struct om_session *s, const struct om_cipher *c, const uint8_t *split)
{
    s->mirror = calloc(1, sizeof *s->mirror);
    if (!s->mirror)
        return OM_E_NO_MEM;
    enum om_err e = key_up(s->mirror, c, split, false);
    if (e != OM_OK) {
        free(s->mirror);
        s->mirror = NULL;
    }
    return e;
}

enum om_err om_session_init(struct om_session *s, const struct om_session_keys *k, om_time now,
                            const struct om_limits *limits)
{
    const uint8_t *out = k->initiated ? k->first : k->second;
    const uint8_t *in = k->initiated ? k->second : k->first;
    enum om_err e;

    e = key_up(&s->seal, k->cipher, out, true);
    if (e != OM_OK)
        return e;
    e = key_up(&s->open, k->cipher, in, false);
    if (e != OM_OK)
        goto no_open;
    if (k->audit) {
        e = key_mirror(s, k->cipher, out);
        if (e != OM_OK)
            goto no_mirror;
    }
    om_replay_init(&s->replay);
    s->cipher = k->cipher;
    s->epoch = k->epoch;
    s->local = k->local;
    s->remote = k->remote;
    s->session_class = k->session_class;
    s->initiated = k->initiated;
    s->born = now;
    s->receive_until = now + limits->key_life;
    s->knock_at = k->initiated ? now + OM_MS(OM_KNOCK_MS) : OM_NEVER;
    s->sealed_max = limits->packets_max ? limits->packets_max : k->cipher->packets_max;
    return OM_OK;

no_mirror:
    om_aead_fini(&s->open);
no_open:
    om_aead_fini(&s->seal);
    return e;
}

void om_session_fini(struct om_session *s)
{
    om_aead_fini(&s->seal);
    om_aead_fini(&s->open);
    if (s->mirror)
        om_aead_fini(s->mirror);
    free(s->mirror);
    om_replay_fini(&s->replay);
    sodium_memzero(s, sizeof *s);
}

void om_session_count(struct om_session *s, om_time now, unsigned n)
{
    if (now - s->counted_since >= OM_SEC(1)) {
        s->counted_since = now;
        s->counted = 0;
    }
    s->counted += n;
    if (s->counted > OM_POUR_PER_S)
        (void)om_replay_grow(&s->replay); /* without memory the small window stays */
}

uint64_t om_session_left(const struct om_session *s)
{
    uint64_t hard = s->sealed_max + s->sealed_max / 4;

    return s->sealed < hard ? hard - s->sealed : 0;
}

bool om_session_can_seal(const struct om_session *s, om_time now)
{
    return now < s->receive_until && om_session_left(s) > 0;
}

bool om_session_wants_rekey(const struct om_session *s, om_time now, const struct om_limits *limits)
{
    om_time after = s->initiated ? limits->rekey_initiator : limits->rekey_responder;

    return now - s->born >= after || s->sealed >= s->sealed_max;
}
