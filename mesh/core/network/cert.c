/* cert.c - the bytes of certificates; the writers mirror the readers. */
#include "network/cert.h"

#include <string.h>

static const char NODE[] = "node", ADMIN[] = "admin", GRANT[] = "grant";

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

bool om_cert_is_name(const char *s, size_t n)
{
    if (n == 0 || n > OM_CERT_NAME_MAX || !is_letter(s[0]) || s[n - 1] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_letter(s[i]) && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
            return false;
    return true;
}

/* Signs all that @w has, which begins at @start. */
static void sign(struct om_wr *w, const uint8_t *start, const char *kind,
                 const struct om_identity *signer, const struct om_id *network)
{
    struct om_bytes body = om_bytes(start, om_wr_len(w));
    uint8_t *at = om_wr_room(w, OM_SIGN_BYTES);

    OM_BUG_IF(!at);
    om_identity_sign(signer, kind, network, body, at);
}

static bool is_signed(const char *kind, const struct om_id *signer, const struct om_id *network,
                      struct om_bytes in)
{
    return om_identity_verify(signer, kind, network, om_bytes(in.p, in.n - OM_SIGN_BYTES),
                              in.p + in.n - OM_SIGN_BYTES);
}

size_t om_node_cert_encode(uint8_t out[static OM_NODE_CERT_MAX], const struct om_node_cert *c,
                           const struct om_identity *signer, const struct om_id *network)
{
    struct om_wr w = om_wr(om_mut(out, OM_NODE_CERT_MAX));
    size_t n = strlen(c->name);

    OM_BUG_IF(n > 0 && !om_cert_is_name(c->name, n));
    om_wr_u8(&w, OM_CERT_VERSION);
    om_wr_u8(&w, c->roles);
    om_wr_u32(&w, c->number);
    om_wr_u32(&w, c->issued);
    om_wr_u32(&w, c->expires);
    om_wr_copy(&w, c->invite, sizeof c->invite);
    om_wr_u32(&w, c->overlay);
    om_wr_copy(&w, c->key.b, sizeof c->key.b);
    om_wr_u8(&w, (uint8_t)n);
    om_wr_copy(&w, c->name, n);
    sign(&w, out, NODE, signer, network);
    return om_wr_len(&w);
}

enum om_err om_node_cert_decode(struct om_node_cert *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_node_cert c = {.roles = 0};

    if (om_rd_u8(&r) != OM_CERT_VERSION)
        return r.bad ? OM_E_PARSE : OM_E_UNSUPPORTED;
    c.roles = om_rd_u8(&r);
    c.number = om_rd_u32(&r);
    c.issued = om_rd_u32(&r);
    c.expires = om_rd_u32(&r);
    om_rd_copy(&r, c.invite, sizeof c.invite);
    c.overlay = om_rd_u32(&r);
    om_rd_copy(&r, c.key.b, sizeof c.key.b);
    struct om_bytes name = om_rd_bytes(&r, om_rd_u8(&r));
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r) || (name.n > 0 && !om_cert_is_name((const char *)name.p, name.n)))
        return OM_E_PARSE;
    if (name.n > 0)
        memcpy(c.name, name.p, name.n);
    *out = c;
    return OM_OK;
}

void om_admin_cert_encode(uint8_t out[static OM_ADMIN_CERT_BYTES], const struct om_admin_cert *c,
                          const struct om_identity *authority, const struct om_id *network)
{
    struct om_wr w = om_wr(om_mut(out, OM_ADMIN_CERT_BYTES));

    om_wr_u8(&w, OM_CERT_VERSION);
    om_wr_u8(&w, c->rights);
    om_wr_u32(&w, c->number);
    om_wr_u32(&w, c->issued);
    om_wr_u32(&w, c->expires);
    om_wr_copy(&w, c->key.b, sizeof c->key.b);
    sign(&w, out, ADMIN, authority, network);
}

enum om_err om_admin_cert_decode(struct om_admin_cert *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_admin_cert c = {.rights = 0};

    if (om_rd_u8(&r) != OM_CERT_VERSION)
        return r.bad ? OM_E_PARSE : OM_E_UNSUPPORTED;
    c.rights = om_rd_u8(&r);
    c.number = om_rd_u32(&r);
    c.issued = om_rd_u32(&r);
    c.expires = om_rd_u32(&r);
    om_rd_copy(&r, c.key.b, sizeof c.key.b);
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r))
        return OM_E_PARSE;
    *out = c;
    return OM_OK;
}

void om_grant_encode(uint8_t out[static OM_GRANT_BYTES], const struct om_grant *g,
                     const struct om_identity *signer, const struct om_id *network)
{
    struct om_wr w = om_wr(om_mut(out, OM_GRANT_BYTES));

    OM_BUG_IF(g->uses == 0);
    om_wr_u8(&w, OM_CERT_VERSION);
    om_wr_u8(&w, g->role);
    om_wr_copy(&w, g->invite, sizeof g->invite);
    om_wr_u16(&w, g->uses);
    om_wr_u32(&w, g->issued);
    om_wr_u32(&w, g->expires);
    om_wr_copy(&w, g->key.b, sizeof g->key.b);
    sign(&w, out, GRANT, signer, network);
}

enum om_err om_grant_decode(struct om_grant *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_grant g = {.role = 0};

    if (om_rd_u8(&r) != OM_CERT_VERSION)
        return r.bad ? OM_E_PARSE : OM_E_UNSUPPORTED;
    g.role = om_rd_u8(&r);
    om_rd_copy(&r, g.invite, sizeof g.invite);
    g.uses = om_rd_u16(&r);
    g.issued = om_rd_u32(&r);
    g.expires = om_rd_u32(&r);
    om_rd_copy(&r, g.key.b, sizeof g.key.b);
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r) || g.uses == 0)
        return OM_E_PARSE;
    *out = g;
    return OM_OK;
}

enum om_cert_verdict om_cert_within(uint32_t issued, uint32_t expires, uint32_t now_s)
{
    if (issued > (uint64_t)now_s + OM_CERT_SKEW_S)
        return OM_CERT_EARLY;
    if ((uint64_t)expires + OM_CERT_SKEW_S < now_s)
        return OM_CERT_EXPIRED;
    return OM_CERT_HOLDS;
}

bool om_admin_cert_verify(struct om_admin_cert *out, const struct om_id *network,
                          const struct om_id *authority, struct om_bytes in)
{
    struct om_admin_cert c;

    if (om_admin_cert_decode(&c, in) != OM_OK || !is_signed(ADMIN, authority, network, in) ||
        !(c.rights & OM_RIGHT_MEMBERS))
        return false;
    *out = c;
    return true;
}

/* Whose signature counts: @authority's, or with @admin its holder's, to @signer. */
static enum om_cert_verdict find_signer(struct om_id *signer, const struct om_id *network,
                                        const struct om_id *authority, struct om_bytes admin,
                                        uint32_t now_s)
{
    struct om_admin_cert c;

    *signer = *authority;
    if (admin.n == 0)
        return OM_CERT_HOLDS;
    if (!om_admin_cert_verify(&c, network, authority, admin))
        return OM_CERT_FORGED;
    *signer = c.key;
    return om_cert_within(c.issued, c.expires, now_s);
}

/* The worse of two. */
static enum om_cert_verdict worse(enum om_cert_verdict a, enum om_cert_verdict b)
{
    return a > b ? a : b;
}

enum om_cert_verdict om_node_cert_check(struct om_node_cert *out, struct om_id *issuer,
                                        const struct om_id *network, const struct om_id *authority,
                                        const struct om_cert_chain *chain, uint32_t now_s)
{
    struct om_node_cert c;
    struct om_id signer;
    enum om_cert_verdict of_admin = find_signer(&signer, network, authority, chain->admin, now_s);

    if (of_admin == OM_CERT_FORGED || om_node_cert_decode(&c, chain->node) != OM_OK ||
        !is_signed(NODE, &signer, network, chain->node))
        return OM_CERT_FORGED;
    *out = c;
    *issuer = signer;
    return worse(of_admin, om_cert_within(c.issued, c.expires, now_s));
}

enum om_cert_verdict om_grant_check(struct om_grant *out, const struct om_id *network,
                                    const struct om_id *authority, struct om_bytes grant,
                                    struct om_bytes admin, uint32_t now_s)
{
    struct om_grant g;
    struct om_id signer;
    enum om_cert_verdict of_admin = find_signer(&signer, network, authority, admin, now_s);

    if (of_admin == OM_CERT_FORGED || om_grant_decode(&g, grant) != OM_OK ||
        !is_signed(GRANT, &signer, network, grant) ||
        (g.role & OM_ROLE_ADMIN && admin.n > 0)) /* an admin makes no admins */
        return OM_CERT_FORGED;
    *out = g;
    return worse(of_admin, om_cert_within(g.issued, g.expires, now_s));
}
