/* verified.c - signatures once, the calendar each time. */
#include "network/verified.h"

#include <sodium.h>

#include "crypto/kdf.h"

enum { CHAIN_KEY = OM_KEY_BYTES };

void om_verified_init(struct om_verified *v, const uint8_t sip_key[static OM_VERIFIED_SIP])
{
    memcpy(v->sip_key, sip_key, OM_VERIFIED_SIP);
}

static void give(struct om_verified_share *s)
{
    om_lru_fini(&s->chains);
    om_lru_fini(&s->keys);
    *s = (struct om_verified_share){.is_used = false};
}

void om_verified_leave(struct om_verified *v, const struct om_id *network)
{
    for (unsigned i = 0; i < OM_VERIFIED_NETWORKS; i++)
        if (v->of[i].is_used && om_id_equal(&v->of[i].network, network))
            give(&v->of[i]);
}

void om_verified_fini(struct om_verified *v)
{
    for (unsigned i = 0; i < OM_VERIFIED_NETWORKS; i++)
        give(&v->of[i]);
}

/* What there is of @net; NULL: nothing yet. */
static const struct om_verified_share *share_of(const struct om_verified *v,
                                                const struct om_network *net)
{
    for (unsigned i = 0; i < OM_VERIFIED_NETWORKS; i++)
        if (v->of[i].is_used && om_id_equal(&v->of[i].network, &net->id))
            return &v->of[i];
    return NULL;
}

/* The same, made if need be; NULL when all are others'. */
static struct om_verified_share *share_for(struct om_verified *v, const struct om_network *net)
{
    const struct om_verified_share *known = share_of(v, net);
    unsigned i = 0;

    if (known)
        return &v->of[known - v->of];
    while (i < OM_VERIFIED_NETWORKS && v->of[i].is_used)
        i++;
    if (i == OM_VERIFIED_NETWORKS)
        return NULL;
    struct om_verified_share *s = &v->of[i];
    s->is_used = true;
    s->network = net->id;
    OM_BUG_IF(om_lru_init(&s->chains, CHAIN_KEY, sizeof(struct om_member), OM_VERIFIED_MAX,
                          v->sip_key) != OM_OK); /* their sizes are ours */
    OM_BUG_IF(om_lru_init(&s->keys, OM_ID_BYTES, sizeof(struct om_verified_known), OM_VERIFIED_MAX,
                          v->sip_key) != OM_OK);
    return s;
}

bool om_verified_take(struct om_cert_chain *out, const struct om_shown *shown)
{
    size_t admin = shown->kind == OM_CREDENTIAL_ADMIN ? OM_ADMIN_CERT_BYTES : 0;

    if (shown->bytes.n < OM_NODE_CERT_LEAST + admin)
        return false;
    out->node = om_bytes(shown->bytes.p, shown->bytes.n - admin);
    out->admin = om_bytes(shown->bytes.p + out->node.n, admin);
    return true;
}

static void chain_key(uint8_t out[static CHAIN_KEY], const struct om_network *net,
                      const struct om_shown *shown)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, CHAIN_KEY);
    crypto_generichash_update(&state, net->id.b, sizeof net->id.b);
    crypto_generichash_update(&state, &shown->kind, 1);
    crypto_generichash_update(&state, shown->bytes.p, shown->bytes.n);
    crypto_generichash_final(&state, out, CHAIN_KEY);
}

/* What the chain says, if it is signed as it should be: the calendar is looked at by the caller. */
static bool read_chain(struct om_member *m, const struct om_network *net,
                       const struct om_cert_chain *chain)
{
    struct om_node_cert c;
    struct om_admin_cert a;

    if (om_node_cert_check(&c, &m->issuer, &net->id, &net->authority, chain, 0) == OM_CERT_FORGED)
        return false;
    m->key = c.key;
    om_hash(m->hash, chain->node, om_bytes(NULL, 0));
    m->number = c.number;
    m->from = m->issued = c.issued;
    m->until = c.expires;
    m->overlay = c.overlay;
    m->roles = c.roles;
    memcpy(m->invite, c.invite, sizeof m->invite);
    memcpy(m->name, c.name, sizeof m->name);
    if (chain->admin.n == 0)
        return true;
    if (om_admin_cert_decode(&a, chain->admin) != OM_OK)
        return false;
    m->from = a.issued > m->from ? a.issued : m->from;
    m->until = a.expires < m->until ? a.expires : m->until;
    m->roles &= (uint8_t)~OM_ROLE_ADMIN; /* an admin makes no admins (PROTOCOL 7) */
    return true;
}

static enum om_cert_verdict check_bare(const struct om_network *net, const struct om_shown *shown,
                                       struct om_member *out)
{
    struct om_member m = {.roles = 0};

    if (!om_credential_check(net, shown->kind, shown->bytes, shown->static_key, &m.key))
        return OM_CERT_FORGED;
    *out = m;
    return OM_CERT_HOLDS;
}

/* The holder of the static key, and no other who heard the certificate. */
static bool is_of(const struct om_member *m, const uint8_t static_key[static 32])
{
    uint8_t dh[32];

    return om_identity_dh_of(dh, &m->key) == OM_OK && sodium_memcmp(dh, static_key, sizeof dh) == 0;
}

static void remember_chain(struct om_verified *v, const struct om_network *net, const uint8_t *hash,
                           const struct om_member *m)
{
    struct om_verified_share *s = share_for(v, net);
    struct om_member *at = s ? om_lru_put(&s->chains, hash, NULL) : NULL;

    if (at)
        *at = *m; /* without memory it is checked again */
}

/* Of two certificates of one key: what came later, so that nobody has back what a later one took by
 * showing the earlier. A renewed one bears the date of the first, and holds for longer. */
static bool is_older(const struct om_member *m, const struct om_member *than)
{
    if (m->issued != than->issued)
        return m->issued < than->issued;
    return m->until != than->until ? m->until < than->until : m->number < than->number;
}

/* @m was seen; @is_shown: by a handshake of its holder. */
static void remember_member(struct om_verified *v, const struct om_network *net,
                            const struct om_member *m, bool is_shown)
{
    struct om_verified_share *s = share_for(v, net);
    bool is_new = false;
    struct om_verified_known *at = s ? om_lru_put(&s->keys, m->key.b, &is_new) : NULL;

    if (!at)
        return; /* without memory it is not known by name: no more */
    if (is_new || !is_older(m, &at->latest))
        at->latest = *m;
    if (is_shown)
        at->shown_until = m->until;
}

void om_verified_prefer(struct om_verified *v, const struct om_network *net,
                        const struct om_member *m)
{
    struct om_verified_share *s = share_for(v, net);
    struct om_verified_known *at = s ? om_lru_find(&s->keys, m->key.b) : NULL;

    if (at)
        at->latest = *m;
}

/* What a certificate says whose signatures hold, looked at once; false: they do not. */
static bool look(struct om_verified *v, const struct om_network *net, const struct om_shown *shown,
                 struct om_member *out, uint8_t hash[static CHAIN_KEY])
{
    struct om_cert_chain chain;

    if (net->is_open || (shown->kind != OM_CREDENTIAL_NODE && shown->kind != OM_CREDENTIAL_ADMIN) ||
        !om_verified_take(&chain, shown))
        return false;
    chain_key(hash, net, shown);
    struct om_verified_share *s = share_for(v, net);
    const struct om_member *known = s ? om_lru_find(&s->chains, hash) : NULL;
    if (known) {
        *out = *known;
        return true;
    }
    v->checks++;
    return read_chain(out, net, &chain);
}

enum om_cert_verdict om_verified_check(struct om_verified *v, const struct om_network *net,
                                       const struct om_shown *shown, uint32_t now_s,
                                       struct om_member *out)
{
    struct om_member m = {.roles = 0};
    uint8_t hash[CHAIN_KEY];

    if (shown->kind == OM_CREDENTIAL_BARE)
        return check_bare(net, shown, out);
    if (!look(v, net, shown, &m, hash) || !is_of(&m, shown->static_key))
        return OM_CERT_FORGED;
    remember_chain(v, net, hash, &m);
    remember_member(v, net, &m, true);
    *out = m;
    return om_cert_within(m.from, m.until, now_s);
}

bool om_verified_told(struct om_verified *v, const struct om_network *net,
                      const struct om_shown *shown, const struct om_id *key, struct om_member *out)
{
    struct om_member m = {.roles = 0};
    uint8_t hash[CHAIN_KEY];

    if (!look(v, net, shown, &m, hash) || !om_id_equal(&m.key, key))
        return false;
    remember_member(v, net, &m, false);
    remember_chain(v, net, hash, &m);
    *out = m;
    return true;
}

static const struct om_verified_known *
known_of(const struct om_verified *v, const struct om_network *net, const struct om_id *key)
{
    const struct om_verified_share *s = share_of(v, net);

    return s ? om_lru_peek(&s->keys, key->b) : NULL;
}

const struct om_member *om_verified_find(const struct om_verified *v, const struct om_network *net,
                                         const struct om_id *key)
{
    const struct om_verified_known *known = known_of(v, net, key);

    return known ? &known->latest : NULL;
}

uint32_t om_verified_shown(const struct om_verified *v, const struct om_network *net,
                           const struct om_id *key)
{
    const struct om_verified_known *known = known_of(v, net, key);

    return known ? known->shown_until : 0;
}

const struct om_member *om_verified_walk(const struct om_verified *v, const struct om_network *net,
                                         uint32_t *place)
{
    const struct om_verified_share *s = share_of(v, net);
    const struct om_verified_known *known = s ? om_lru_walk(&s->keys, place, NULL) : NULL;

    return known ? &known->latest : NULL;
}
