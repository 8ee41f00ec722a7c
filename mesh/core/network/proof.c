/* proof.c - the proof of an invitation, made and checked. */
#include "network/proof.h"

#include <sodium.h>

enum { BODY = OM_NOISE_HASH + OM_ID_BYTES };

enum om_err om_proofs_init(struct om_proofs *t, const uint8_t sip_key[static 16])
{
    enum om_err e = om_lru_init(&t->seen, 32, sizeof(om_time), OM_PROOFS_MAX, sip_key);

    return e == OM_OK ? om_lru_init(&t->of_void, 32, sizeof(om_time), OM_PROOFS_VOID_MAX, sip_key)
                      : e;
}

void om_proofs_fini(struct om_proofs *t)
{
    om_lru_fini(&t->seen);
    om_lru_fini(&t->of_void);
}

/* What the invitation's key signs. */
static struct om_bytes body_of(uint8_t out[static BODY], const uint8_t h[static OM_NOISE_HASH],
                               const struct om_id *key)
{
    memcpy(out, h, OM_NOISE_HASH);
    memcpy(out + OM_NOISE_HASH, key->b, OM_ID_BYTES);
    return om_bytes(out, BODY);
}

size_t om_proof_write(uint8_t out[static OM_PROOF_MAX], const struct om_network *net,
                      const uint8_t h[static OM_NOISE_HASH])
{
    const struct om_invitation *i = &net->invitation;
    struct om_wr w = om_wr(om_mut(out, OM_PROOF_MAX));
    struct om_identity invited = {.id = {{0}}};
    uint8_t body[BODY];

    const struct om_bytes parts[] = {
        om_bytes(net->self.id.b, sizeof net->self.id.b),
        om_bytes(i->grant, sizeof i->grant),
        om_bytes(i->admin, i->has_admin ? sizeof i->admin : 0),
    };

    for (unsigned k = 0; k < OM_ARRAY_SIZE(parts); k++)
        om_wr_bytes(&w, parts[k]);
    crypto_sign_seed_keypair(invited.id.b, invited.sk, i->seed); /* any key: it is no peer's */
    uint8_t *proof = om_wr_room(&w, OM_SIGN_BYTES);
    OM_BUG_IF(!proof);
    om_identity_sign(&invited, "join", &net->id, body_of(body, h, &net->self.id), proof);
    om_identity_wipe(&invited);
    return om_wr_len(&w);
}

static bool is_of(const struct om_id *key, const uint8_t static_key[static 32])
{
    uint8_t dh[32];

    return om_identity_dh_of(dh, key) == OM_OK && sodium_memcmp(dh, static_key, sizeof dh) == 0;
}

/* As long as it could be told again. */
bool om_proof_note(struct om_proofs *t, om_time now, const uint8_t ephemeral[static 32],
                   bool is_void)
{
    struct om_lru *table = is_void ? &t->of_void : &t->seen;
    const unsigned most = is_void ? OM_PROOFS_VOID_MAX : OM_PROOFS_MAX;
    const om_time *oldest = om_lru_oldest(table, NULL);

    if (oldest && om_lru_count(table) == most && now < *oldest + 2 * OM_SEC(OM_PROOF_LIFE_S))
        return false;
    om_time *at = om_lru_put(table, ephemeral, NULL);
    if (!at)
        return false;
    *at = now;
    return true;
}

struct om_bytes om_proof_admin(struct om_bytes bytes)
{
    struct om_rd r = om_rd(bytes);

    (void)om_rd_bytes(&r, OM_ID_BYTES + OM_GRANT_BYTES);
    return om_rd_bytes(&r, bytes.n == OM_PROOF_MAX ? OM_ADMIN_CERT_BYTES : 0);
}

bool om_proof_check(const struct om_proofs *t, const struct om_network *net,
                    const struct om_proof_shown *shown, uint32_t now_s, struct om_id *key,
                    struct om_grant *grant)
{
    int64_t skew = (int64_t)shown->coarse - (int64_t)now_s;
    struct om_rd r = om_rd(shown->bytes);
    uint8_t body[BODY];
    struct om_grant g;
    struct om_id id;

    if (net->is_open || (shown->bytes.n != OM_PROOF_LEAST && shown->bytes.n != OM_PROOF_MAX) ||
        skew > OM_PROOF_LIFE_S || skew < -OM_PROOF_LIFE_S ||
        om_lru_peek(&t->seen, shown->ephemeral) || om_lru_peek(&t->of_void, shown->ephemeral))
        return false;
    om_rd_copy(&r, id.b, sizeof id.b);
    const struct om_bytes signed_grant = om_rd_bytes(&r, OM_GRANT_BYTES);
    const struct om_bytes admin =
        om_rd_bytes(&r, shown->bytes.n == OM_PROOF_MAX ? OM_ADMIN_CERT_BYTES : 0);
    const uint8_t *proof = om_rd_take(&r, OM_SIGN_BYTES);
    if (!proof || !is_of(&id, shown->static_key) ||
        om_grant_check(&g, &net->id, &net->authority, signed_grant, admin, now_s) !=
            OM_CERT_HOLDS ||
        !om_identity_verify(&g.key, "join", &net->id, body_of(body, shown->h, &id), proof))
        return false;
    *key = id;
    *grant = g;
    return true;
}
