/* identity.c - Ed25519 names, their X25519 conversion, and signatures with a domain. */
#include "crypto/identity.h"

#include <string.h>

#include <sodium.h>

#include <omerta/wire.h>

#include "crypto/kdf.h"

static const char domain[] = "omerta1 ";

enum {
    SIGNED_MAX = sizeof domain - 1 + OM_SIGN_KIND_MAX + 1 + sizeof(struct om_id) + OM_SIGN_BODY_MAX
};

static_assert(sizeof(struct om_id) == crypto_sign_PUBLICKEYBYTES, "an id is a public key");
static_assert(OM_SIGN_BYTES == crypto_sign_BYTES, "signature size");

static bool has_bit_255(const struct om_id *id)
{
    return id->b[31] & 0x80;
}

enum om_err om_identity_from_seed(struct om_identity *out, const uint8_t seed[static 32])
{
    struct om_identity id;
    enum om_err err;

    memcpy(id.seed, seed, sizeof id.seed);
    (void)crypto_sign_seed_keypair(id.id.b, id.sk, seed);
    (void)crypto_sign_ed25519_sk_to_curve25519(id.dh_secret, id.sk);
    err = om_identity_dh_of(id.dh_public, &id.id);
    if (err)
        om_identity_wipe(out);
    else
        *out = id;
    om_identity_wipe(&id);
    return err;
}

enum om_err om_identity_for_network(struct om_identity *out, const uint8_t home_seed[static 32],
                                    const struct om_id *network)
{
    uint8_t context[sizeof *network + 4], seed[32];
    enum om_err err = OM_E_CRYPTO;

    for (uint32_t counter = 0; err && counter < OM_NODE_KEY_TRIES; counter++) {
        struct om_wr w = om_wr(om_mut(context, sizeof context));

        om_wr_copy(&w, network->b, sizeof network->b);
        om_wr_u32(&w, counter);
        om_kdf(seed, home_seed, "node", om_bytes(context, sizeof context));
        err = om_identity_from_seed(out, seed);
    }
    sodium_memzero(seed, sizeof seed);
    return err ? OM_E_CRYPTO : OM_OK;
}

enum om_err om_identity_dh_of(uint8_t out[static 32], const struct om_id *peer)
{
    enum om_err err = OM_OK;

    if (has_bit_255(peer))
        err = OM_E_RANGE;
    else if (crypto_sign_ed25519_pk_to_curve25519(out, peer->b) != 0 || sodium_is_zero(out, 32))
        err = OM_E_CRYPTO;
    if (err)
        memset(out, 0, 32);
    return err;
}

/* Lays out what is signed. Returns its length, or 0 when a part is too long. */
static size_t signed_bytes(uint8_t text[static SIGNED_MAX], const char *kind,
                           const struct om_id *network, struct om_bytes body)
{
    struct om_wr w = om_wr(om_mut(text, SIGNED_MAX));
    size_t kind_len = strlen(kind);

    if (kind_len > OM_SIGN_KIND_MAX || body.n > OM_SIGN_BODY_MAX)
        return 0;
    om_wr_copy(&w, domain, sizeof domain - 1);
    om_wr_copy(&w, kind, kind_len + 1);
    om_wr_copy(&w, network->b, sizeof network->b);
    om_wr_bytes(&w, body);
    return om_wr_len(&w);
}

void om_identity_sign(const struct om_identity *self, const char *kind, const struct om_id *network,
                      struct om_bytes body, uint8_t sig[static 64])
{
    uint8_t text[SIGNED_MAX];
    size_t n = signed_bytes(text, kind, network, body);

    OM_BUG_IF(n == 0);
    (void)crypto_sign_detached(sig, NULL, text, n, self->sk);
    sodium_memzero(text, n); /* an epoch's body is secret */
}

bool om_identity_verify(const struct om_id *signer, const char *kind, const struct om_id *network,
                        struct om_bytes body, const uint8_t sig[static 64])
{
    uint8_t text[SIGNED_MAX];
    size_t n = signed_bytes(text, kind, network, body);
    bool good = n != 0 && crypto_sign_verify_detached(sig, text, n, signer->b) == 0;

    sodium_memzero(text, n);
    return good;
}

void om_identity_wipe(struct om_identity *self)
{
    sodium_memzero(self, sizeof *self);
}
