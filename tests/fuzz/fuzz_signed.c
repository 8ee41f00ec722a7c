/*
 * fuzz_signed.c - what is behind signatures: certificates, invitations and logs of any content
 *
 * The input is pieces: u8 what (below), u8 how (enum how), u8 n, n bytes. Each is signed by one who
 * may, so nothing is refused for its signature; a changed copy of it always is. Of one network: the
 * authority, an admin whose certificate is the last that a piece made, and four members' keys.
 */
#include "crypto/kdf.h"
#include "fuzz.h"
#include "network/ledger.h"
#include "network/proof.h"
#include "service/join.h"
#include "service/words.h"

enum { PIECES_MAX = 8, KEYS = 6, NOW_S = 1700000000, DAY_S = 24 * 3600 };
enum what { NODE, ADMIN, GRANT, ENTRY, WHATS };
enum how { BY_ADMIN = 1, OF_KNOWN = 2, OF_LAST = 4, KEY_SHIFT = 4 };

/* Where the key is in a body, or in that of an entry the hash of the one before it. */
static const size_t key_at[WHATS] = {26, 14, 20, 4};
static const char *const kinds[WHATS] = {"node", "admin", "grant", "log"};

struct piece {
    unsigned what, how;
    uint8_t *bytes; /* owned: with the signature, and no byte more */
    size_t n;
};

struct world {
    struct om_network net;
    struct om_verified verified;
    struct om_proofs proofs;
    struct om_ledger ledger;
    uint8_t admin[OM_ADMIN_CERT_BYTES]; /* signed by the authority, whatever it says */
    uint8_t last_hash[OM_HASH_BYTES];
};

/* The authority's, the admin's, then members'. */
static const struct om_identity *key(unsigned n)
{
    static struct om_identity all[KEYS];
    uint8_t seed[32] = {0, (uint8_t)n};

    while (om_id_is_zero(&all[n].id)) { /* not every seed will do */
        FUZZ_MUST(++seed[0] != 0);
        if (om_identity_from_seed(&all[n], seed) != OM_OK)
            memset(&all[n], 0, sizeof all[n]);
    }
    return &all[n];
}

static const struct om_identity *signer_of(const struct piece *p)
{
    return key(p->what != ADMIN && p->how & BY_ADMIN ? 1 : 0);
}

/* The body, with what nobody guesses in its place, signed. */
static void sign(struct piece *p, const struct world *w, struct om_bytes body)
{
    const size_t at = key_at[p->what];

    p->n = body.n + OM_SIGN_BYTES;
    p->bytes = malloc(p->n);
    FUZZ_MUST(p->bytes);
    memcpy(p->bytes, body.p, body.n);
    if (p->how & OF_KNOWN && body.n >= at + 32 && p->what == ENTRY)
        memcpy(p->bytes + at, w->last_hash, 32);
    else if (p->how & OF_KNOWN && body.n >= at + 32)
        memcpy(p->bytes + at, key((p->how >> KEY_SHIFT) % KEYS)->id.b, 32);
    if (p->what == ENTRY && p->how & OF_LAST && body.n == 39 + 32) /* about a member */
        memcpy(p->bytes + 39, key((p->how >> KEY_SHIFT) % KEYS)->id.b, 32);
    om_identity_sign(signer_of(p), kinds[p->what], &w->net.id, om_bytes(p->bytes, body.n),
                     p->bytes + body.n);
}

static struct om_bytes chain_admin(const struct world *w, const struct piece *p)
{
    return om_bytes(w->admin, p->how & BY_ADMIN ? sizeof w->admin : 0);
}

/* The answer to one that joins, with such a certificate in it: what is read is what was written. */
static void check_answer(struct world *w, const struct om_cert_chain *chain)
{
    struct om_join_answer a = {.is_made = true, .node_len = chain->node.n}, back;

    if (chain->node.n > sizeof a.node)
        return;
    memcpy(a.node, chain->node.p, chain->node.n);
    memcpy(a.admin, w->admin, sizeof a.admin);
    json_t *words = om_join_words_answer(&a);
    FUZZ_MUST(words);
    if (om_join_words_read(&back, words) == OM_OK) {
        FUZZ_MUST(back.node_len == a.node_len && memcmp(back.node, a.node, a.node_len) == 0);
        FUZZ_MUST(om_credential_set(&w->net, chain) == OM_OK);
    }
    json_decref(words);
}

/* Two members that show it, and one that changed it. */
static void check_node(struct world *w, const struct piece *p)
{
    const struct om_cert_chain chain = {om_bytes(p->bytes, p->n), chain_admin(w, p)};
    uint8_t all[OM_NODE_CERT_MAX + OM_ADMIN_CERT_BYTES + 256], dh[32] = {0};
    struct om_shown s = {.kind = p->how & BY_ADMIN ? OM_CREDENTIAL_ADMIN : OM_CREDENTIAL_NODE,
                         .bytes = om_bytes(all, p->n + chain.admin.n),
                         .static_key = dh};
    struct om_member m = {.roles = 0}, again;
    struct om_node_cert c;

    memcpy(all, p->bytes, p->n);
    memcpy(all + p->n, w->admin, chain.admin.n);
    bool is_cert = om_node_cert_decode(&c, chain.node) == OM_OK;
    bool is_key = is_cert && om_identity_dh_of(dh, &c.key) == OM_OK;
    enum om_cert_verdict v = om_verified_check(&w->verified, &w->net, &s, NOW_S, &m);
    FUZZ_MUST(v == om_verified_check(&w->verified, &w->net, &s, NOW_S, &again));
    FUZZ_MUST(v == OM_CERT_FORGED || (is_key && om_id_equal(&m.key, &c.key)));
    FUZZ_MUST(!(v != OM_CERT_FORGED && p->how & BY_ADMIN && m.roles & OM_ROLE_ADMIN));
    if (v != OM_CERT_FORGED) {
        FUZZ_MUST(m.until <= c.expires && m.from >= c.issued);
        FUZZ_MUST(om_ledger_note(&w->ledger, chain.node, &c, &m.issuer) == OM_OK);
        FUZZ_MUST(om_ledger_of(&w->ledger, &m) ==
                  om_ledger_member(&w->ledger, chain.node, &c, &m.issuer));
        if (v == OM_CERT_HOLDS)
            FUZZ_MUST(om_verified_find(&w->verified, &w->net, &m.key) != NULL);
    }
    check_answer(w, &chain);
    all[p->n - OM_SIGN_BYTES] ^= 1;
    FUZZ_MUST(om_verified_check(&w->verified, &w->net, &s, NOW_S, &m) == OM_CERT_FORGED);
}

static void check_admin(struct world *w, const struct piece *p)
{
    struct om_admin_cert c;
    bool is_good =
        om_admin_cert_verify(&c, &w->net.id, &w->net.authority, om_bytes(p->bytes, p->n));

    FUZZ_MUST(!is_good || (p->n == sizeof w->admin && c.rights & OM_RIGHT_MEMBERS));
    if (is_good)
        FUZZ_MUST(om_ledger_admin(&w->ledger, om_bytes(p->bytes, p->n)) == OM_OK);
    if (p->n == sizeof w->admin)
        memcpy(w->admin, p->bytes, p->n);
}

/* Somebody joins by it: as the holder of the invitation's key, and once. */
static void check_grant(struct world *w, const struct piece *p)
{
    const struct om_bytes admin = chain_admin(w, p);
    const struct om_identity *self = key(2), *invited = key((p->how >> KEY_SHIFT) % KEYS);
    const uint8_t h[OM_NOISE_HASH] = {1};
    uint8_t bytes[32 + 512 + OM_ADMIN_CERT_BYTES], body[OM_NOISE_HASH + OM_ID_BYTES], dh[32];
    struct om_wr out = om_wr(om_mut(bytes, sizeof bytes));
    struct om_grant g;
    struct om_id id;

    om_wr_copy(&out, self->id.b, sizeof self->id.b);
    om_wr_copy(&out, p->bytes, p->n);
    om_wr_bytes(&out, admin);
    memcpy(body, h, sizeof h);
    memcpy(body + sizeof h, self->id.b, sizeof self->id.b);
    uint8_t *proof = om_wr_room(&out, OM_SIGN_BYTES);
    FUZZ_MUST(proof);
    om_identity_sign(invited, "join", &w->net.id, om_bytes(body, sizeof body), proof);
    FUZZ_MUST(om_identity_dh_of(dh, &self->id) == OM_OK);
    const struct om_proof_shown s = {.bytes = om_bytes(bytes, om_wr_len(&out)),
                                     .static_key = dh,
                                     .h = h,
                                     .ephemeral = p->bytes, /* any, of 32 B */
                                     .coarse = NOW_S};
    bool is_in = om_proof_check(&w->proofs, &w->net, &s, NOW_S, &id, &g);
    proof[0] ^= 1;
    FUZZ_MUST(!om_proof_check(&w->proofs, &w->net, &s, NOW_S, &id, &g));
    proof[0] ^= 1;
    if (!is_in)
        return;
    FUZZ_MUST(om_id_equal(&id, &self->id) && g.uses > 0 && p->n == OM_GRANT_BYTES);
    FUZZ_MUST(!(p->how & BY_ADMIN && g.role & OM_ROLE_ADMIN));
    FUZZ_MUST(om_proof_admin(s.bytes).n == admin.n);
    FUZZ_MUST(om_proof_note(&w->proofs, 0, s.ephemeral, om_ledger_void(&w->ledger, g.invite)));
    FUZZ_MUST(!om_proof_check(&w->proofs, &w->net, &s, NOW_S, &id, &g));
}

static void check_entry(struct world *w, const struct piece *p)
{
    const struct om_bytes in = om_bytes(p->bytes, p->n);
    const struct om_id *owner = &signer_of(p)->id;
    struct om_admin_entry e;
    enum om_ledger_put put = om_ledger_put(&w->ledger, owner, in);

    if (om_admin_entry_decode(&e, in) != OM_OK) {
        FUZZ_MUST(put == OM_LEDGER_FORGED || put == OM_LEDGER_STRANGER);
        return;
    }
    FUZZ_MUST(put != OM_LEDGER_FORGED && put != OM_LEDGER_NO_MEM);
    if (put == OM_LEDGER_NEW) {
        FUZZ_MUST(om_ledger_put(&w->ledger, owner, in) == OM_LEDGER_KNOWN);
        om_admin_entry_hash(w->last_hash, in);
        if (e.kind == OM_ADMIN_INVITE_VOID && om_ledger_may_sign(&w->ledger, owner))
            FUZZ_MUST(om_ledger_void(&w->ledger, e.subject));
    }
    p->bytes[p->n - OM_SIGN_BYTES] ^= 1; /* what it has of it is not touched by what comes after */
    FUZZ_MUST(om_ledger_put(&w->ledger, owner, in) != OM_LEDGER_NEW);
}

static void begin(struct world *w)
{
    const struct om_admin_cert c = {.rights = OM_RIGHT_MEMBERS,
                                    .issued = NOW_S - DAY_S,
                                    .expires = NOW_S + 300 * DAY_S,
                                    .key = key(1)->id};
    static const uint8_t sip[OM_VERIFIED_SIP];

    *w = (struct world){.net = {.id = {{7}}, .authority = key(0)->id, .self = *key(5)}};
    om_verified_init(&w->verified, sip);
    FUZZ_MUST(om_proofs_init(&w->proofs, sip) == OM_OK);
    FUZZ_MUST(om_ledger_init(&w->ledger, &w->net.id, &w->net.authority) == OM_OK);
    om_admin_cert_encode(w->admin, &c, key(0), &w->net.id);
    FUZZ_MUST(om_ledger_admin(&w->ledger, om_bytes(w->admin, sizeof w->admin)) == OM_OK);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    static void (*const checks[WHATS])(struct world *, const struct piece *) = {
        check_node, check_admin, check_grant, check_entry};
    uint8_t *copy = fuzz_copy(data, size);
    struct om_rd r = om_rd(om_bytes(copy, size));
    struct world w;

    begin(&w);
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        struct piece p = {.what = om_rd_u8(&r) % WHATS, .how = om_rd_u8(&r)};
        const struct om_bytes body = om_rd_bytes(&r, om_rd_u8(&r));
        if (r.bad)
            break;
        sign(&p, &w, body);
        checks[p.what](&w, &p);
        free(p.bytes);
    }
    om_verified_fini(&w.verified);
    om_proofs_fini(&w.proofs);
    om_ledger_fini(&w.ledger);
    free(copy);
    return 0;
}
