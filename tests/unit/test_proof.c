/* test_proof.c - the proof of having been invited. */
#include "certs.h"

#include <sodium.h>

#include "network/proof.h"

static const uint8_t sip_key[16] = {4};

struct desk {
    struct certs certs;
    struct om_proofs seen;
    struct om_network joiner, member;
    struct om_grant grant;
    uint8_t h[OM_NOISE_HASH], ephemeral[32], bytes[OM_PROOF_MAX];
    size_t len;
    int64_t coarse_s;
    bool is_void; /* the invitation was taken back */
};

static void sign_grant(struct desk *d, const struct om_identity *signer)
{
    om_grant_encode(d->joiner.invitation.grant, &d->grant, signer, &d->certs.network);
    d->len = om_proof_write(d->bytes, &d->joiner, d->h);
}

static void desk_init(struct desk *d)
{
    uint8_t sk[64];

    *d = (struct desk){.certs = certs_make()};
    CHECK_OK(om_proofs_init(&d->seen, sip_key));
    d->joiner.id = d->member.id = d->certs.network;
    d->member.authority = d->certs.authority.id;
    d->joiner.self = certs_someone(9);
    d->joiner.invitation.is_held = true;
    d->joiner.invitation.seed[0] = 3;
    crypto_sign_seed_keypair(d->grant.key.b, sk, d->joiner.invitation.seed);
    d->grant.uses = 1;
    d->grant.role = OM_ROLE_RELAY;
    d->grant.issued = CERTS_NOW_S - 60;
    d->grant.expires = CERTS_NOW_S + CERTS_DAY_S;
    memset(d->h, 7, sizeof d->h);
    sign_grant(d, &d->certs.authority);
}

static bool check(struct desk *d, om_time now)
{
    const struct om_proof_shown shown = {.bytes = om_bytes(d->bytes, d->len),
                                         .static_key = d->joiner.self.dh_public,
                                         .h = d->h,
                                         .ephemeral = d->ephemeral,
                                         .coarse = (uint32_t)(CERTS_NOW_S + d->coarse_s)};
    struct om_grant grant;
    struct om_id key;

    sodium_increment(d->ephemeral, sizeof d->ephemeral);
    if (!om_proof_check(&d->seen, &d->member, &shown, CERTS_NOW_S, &key, &grant) ||
        !om_proof_note(&d->seen, now, d->ephemeral, d->is_void))
        return false;
    CHECK(om_id_equal(&key, &d->joiner.self.id));
    CHECK_EQ(grant.role, OM_ROLE_RELAY);
    return true;
}

OM_TEST(proof_of_an_invited_holds)
{
    struct desk d;

    desk_init(&d);
    CHECK_EQ(d.len, OM_PROOF_LEAST);
    CHECK(check(&d, OM_SEC(1)));
    const struct om_cert_chain chain =
        certs_chain(&d.certs, &(struct certs_wish){.key = d.joiner.self.id, .by_admin = true});
    memcpy(d.joiner.invitation.admin, chain.admin.p, chain.admin.n);
    d.joiner.invitation.has_admin = true;
    sign_grant(&d, &d.certs.admin);
    CHECK_EQ(d.len, OM_PROOF_MAX);
    CHECK(check(&d, OM_SEC(1)));
    d.grant.role = OM_ROLE_RELAY | OM_ROLE_ADMIN; /* which no admin can give */
    sign_grant(&d, &d.certs.admin);
    CHECK(!check(&d, OM_SEC(1)));
    om_proofs_fini(&d.seen);
}

OM_TEST(proof_is_of_one_handshake_and_key)
{
    struct desk d;

    desk_init(&d);
    d.h[3] ^= 1;
    CHECK(!check(&d, OM_SEC(1)));
    d.h[3] ^= 1;
    CHECK(check(&d, OM_SEC(1)));
    d.joiner.self = certs_someone(8); /* the same bytes from another static key */
    CHECK(!check(&d, OM_SEC(1)));
    d.len = om_proof_write(d.bytes, &d.joiner, d.h);
    CHECK(check(&d, OM_SEC(1)));
    for (size_t i = 0; i < d.len; i++) {
        d.bytes[i] ^= 1;
        CHECK(!check(&d, OM_SEC(1)));
        d.bytes[i] ^= 1;
    }
    om_proofs_fini(&d.seen);
}

OM_TEST(proof_needs_the_grant)
{
    const struct om_identity stranger = certs_someone(7);
    struct desk d;

    desk_init(&d);
    sign_grant(&d, &stranger);
    CHECK(!check(&d, OM_SEC(1)));
    sign_grant(&d, &d.certs.admin); /* without its certificate */
    CHECK(!check(&d, OM_SEC(1)));
    d.grant.expires = CERTS_NOW_S - CERTS_DAY_S - 60;
    sign_grant(&d, &d.certs.authority);
    CHECK(!check(&d, OM_SEC(1)));
    d.grant.expires = CERTS_NOW_S + 60;
    sign_grant(&d, &d.certs.authority);
    CHECK(check(&d, OM_SEC(1)));
    d.member.is_open = true;
    CHECK(!check(&d, OM_SEC(1)));
    om_proofs_fini(&d.seen);
}

OM_TEST(proof_counts_within_a_day)
{
    struct desk d;

    desk_init(&d);
    for (int sign = -1; sign <= 1; sign += 2) {
        d.coarse_s = sign * OM_PROOF_LIFE_S;
        CHECK(check(&d, OM_SEC(1)));
        d.coarse_s = sign * (OM_PROOF_LIFE_S + 1);
        CHECK(!check(&d, OM_SEC(1)));
    }
    om_proofs_fini(&d.seen);
}

OM_TEST(proof_is_seen_once)
{
    struct desk d;

    desk_init(&d);
    CHECK(check(&d, OM_SEC(1)));
    d.ephemeral[0]--;
    CHECK(!check(&d, OM_SEC(2)));
    d.ephemeral[0]--;
    CHECK(!check(&d, OM_SEC(OM_PROOF_LIFE_S)));
    CHECK(check(&d, OM_SEC(OM_PROOF_LIFE_S))); /* another one */
    om_proofs_fini(&d.seen);
}

OM_TEST(proof_table_full_lets_nobody_in)
{
    struct desk d;

    desk_init(&d);
    for (uint32_t i = 0; i < OM_PROOFS_MAX; i++) {
        uint8_t key[32] = {0, (uint8_t)i, (uint8_t)(i >> 8), 1};
        om_time *at = om_lru_put(&d.seen.seen, key, NULL);
        CHECK(at != NULL);
        *at = OM_SEC(1);
    }
    CHECK(!check(&d, OM_SEC(2)));
    CHECK_EQ(om_lru_count(&d.seen.seen), OM_PROOFS_MAX);
    CHECK(check(&d, OM_SEC(1) + 2 * OM_SEC(OM_PROOF_LIFE_S)));
    om_proofs_fini(&d.seen);
}

/* Whoever was told that a link of his is void has it still, and as many handshakes as he likes. */
OM_TEST(proof_by_a_link_taken_back_takes_no_room)
{
    struct desk d;

    desk_init(&d);
    d.is_void = true;
    for (unsigned i = 0; i < OM_PROOFS_VOID_MAX; i++)
        CHECK(check(&d, OM_SEC(1)));
    CHECK(!check(&d, OM_SEC(2))); /* and then silence */
    CHECK_EQ(om_lru_count(&d.seen.of_void), OM_PROOFS_VOID_MAX);
    CHECK_EQ(om_lru_count(&d.seen.seen), 0);
    d.is_void = false;
    CHECK(check(&d, OM_SEC(2))); /* one who may come */
    sodium_sub(d.ephemeral, (const uint8_t[32]){3}, sizeof d.ephemeral);
    CHECK(!check(&d, OM_SEC(3))); /* the last that was told so, again, whatever it is by now */
    d.is_void = true;
    CHECK(!check(&d, 2 * OM_SEC(OM_PROOF_LIFE_S))); /* that one was not told: there is no room */
    CHECK(!check(&d, OM_SEC(1) + 2 * OM_SEC(OM_PROOF_LIFE_S))); /* who came, again */
    CHECK(check(&d, OM_SEC(1) + 2 * OM_SEC(OM_PROOF_LIFE_S)));
    om_proofs_fini(&d.seen);
}
