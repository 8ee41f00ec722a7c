/* admin_entry.c - the bytes of an entry; the writer mirrors the reader. */
#include "network/admin_entry.h"

#include <sodium.h>

static const char LOG[] = "log";

/* Bytes of the subject in the bodies that we know; 0: one that we do not. */
static size_t subject_bytes(uint8_t kind)
{
    switch (kind) {
    case OM_ADMIN_ISSUED:
    case OM_ADMIN_KEY_REVOKED:
    case OM_ADMIN_REVOKED:
        return 32;
    case OM_ADMIN_INVITE_VOID:
        return OM_CERT_INVITE;
    default:
        return 0;
    }
}

/* The body of @e, whose bytes @to takes if it is of a kind that we know. */
static struct om_bytes body_of(const struct om_admin_entry *e, struct om_mut to)
{
    size_t n = subject_bytes(e->kind);
    struct om_wr w = om_wr(to);

    if (n == 0)
        return e->body;
    om_wr_copy(&w, e->subject, n);
    if (e->kind == OM_ADMIN_REVOKED) {
        om_wr_u32(&w, e->last);
        om_wr_copy(&w, e->last_hash, sizeof e->last_hash);
    }
    return om_bytes(to.p, om_wr_len(&w));
}

size_t om_admin_entry_encode(uint8_t out[static OM_ADMIN_ENTRY_MAX], const struct om_admin_entry *e,
                             const struct om_identity *signer, const struct om_id *network)
{
    struct om_wr w = om_wr(om_mut(out, OM_ADMIN_ENTRY_MAX));
    uint8_t space[OM_ADMIN_BODY_MAX];
    struct om_bytes body = body_of(e, om_mut(space, sizeof space));

    OM_BUG_IF(e->number == 0 || body.n > OM_ADMIN_BODY_MAX);
    uint8_t *head = om_wr_room(&w, 4 + OM_HASH_BYTES);
    OM_BUG_IF(!head);
    om_store32(head, e->number);
    memcpy(head + 4, e->previous, OM_HASH_BYTES);
    om_wr_u8(&w, e->kind);
    om_wr_u16(&w, (uint16_t)body.n);
    om_wr_bytes(&w, body);
    struct om_bytes all = om_bytes(out, om_wr_len(&w));
    uint8_t *at = om_wr_room(&w, OM_SIGN_BYTES);
    OM_BUG_IF(!at);
    om_identity_sign(signer, LOG, network, all, at);
    return om_wr_len(&w);
}

static bool read_body(struct om_admin_entry *e)
{
    struct om_rd r = om_rd(e->body);
    size_t n = subject_bytes(e->kind);

    if (n == 0)
        return true;
    om_rd_copy(&r, e->subject, n);
    if (e->kind == OM_ADMIN_REVOKED) {
        e->last = om_rd_u32(&r);
        om_rd_copy(&r, e->last_hash, OM_HASH_BYTES);
        if ((e->last == 0) != (bool)sodium_is_zero(e->last_hash, OM_HASH_BYTES))
            return false;
    }
    return om_rd_done(&r);
}

enum om_err om_admin_entry_decode(struct om_admin_entry *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_admin_entry e = {.number = om_rd_u32(&r)};

    om_rd_copy(&r, e.previous, OM_HASH_BYTES);
    e.kind = om_rd_u8(&r);
    e.body = om_rd_bytes(&r, om_rd_u16(&r));
    om_rd_take(&r, OM_SIGN_BYTES);
    if (!om_rd_done(&r) || e.number == 0 || e.body.n > OM_ADMIN_BODY_MAX ||
        (e.number == 1 && !sodium_is_zero(e.previous, OM_HASH_BYTES)) || !read_body(&e))
        return OM_E_PARSE;
    *out = e;
    return OM_OK;
}

bool om_admin_entry_verify(struct om_bytes in, const struct om_id *owner,
                           const struct om_id *network)
{
    OM_BUG_IF(in.n < OM_SIGN_BYTES);
    return om_identity_verify(owner, LOG, network, om_bytes(in.p, in.n - OM_SIGN_BYTES),
                              in.p + in.n - OM_SIGN_BYTES);
}

void om_admin_entry_hash(uint8_t out[static OM_HASH_BYTES], struct om_bytes in)
{
    om_hash(out, in, om_bytes(NULL, 0));
}
