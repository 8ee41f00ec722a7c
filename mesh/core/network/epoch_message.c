/* epoch_message.c - the bytes of EPOCH; the writer mirrors the reader. */
#include "network/epoch_message.h"

#include <sodium.h>

static const char EPOCH[] = "epoch";

enum { SIGNED_MAX = 4 + OM_HASH_BYTES + 1 + OM_LEDGER_LOGS_MAX * (OM_EXCLUDED_BYTES + 4) };

static void write_list(struct om_wr *w, const struct om_epoch_message *m)
{
    om_wr_u8(w, (uint8_t)m->excluded_count);
    for (unsigned i = 0; i < m->excluded_count; i++) {
        om_wr_copy(w, m->excluded[i].owner, OM_EXCLUDED_BYTES);
        om_wr_u32(w, m->excluded[i].number);
    }
}

/* What is signed of @m. */
static struct om_bytes to_sign(uint8_t out[static SIGNED_MAX], const struct om_epoch_message *m)
{
    struct om_wr w = om_wr(om_mut(out, SIGNED_MAX));
    uint8_t hash[OM_HASH_BYTES];

    om_hash(hash, om_bytes(m->secret, sizeof m->secret), om_bytes(NULL, 0));
    om_wr_u32(&w, m->number);
    om_wr_bytes(&w, om_bytes(hash, sizeof hash));
    write_list(&w, m);
    return om_bytes(out, om_wr_len(&w));
}

size_t om_epoch_message_encode(uint8_t out[static OM_EPOCH_MESSAGE_MAX],
                               const struct om_epoch_message *m, const struct om_identity *signer,
                               const struct om_id *network)
{
    struct om_wr w = om_wr(om_mut(out, OM_EPOCH_MESSAGE_MAX));
    uint8_t body[SIGNED_MAX], signature[OM_SIGN_BYTES];

    OM_BUG_IF(m->excluded_count > OM_LEDGER_LOGS_MAX);
    om_identity_sign(signer, EPOCH, network, to_sign(body, m), signature);
    om_wr_u32(&w, m->number);
    om_wr_copy(&w, m->secret, sizeof m->secret);
    write_list(&w, m);
    om_wr_copy(&w, signature, sizeof signature);
    om_wr_copy(&w, m->admin, m->has_admin ? sizeof m->admin : 0);
    return om_wr_len(&w);
}

static bool read_message(struct om_epoch_message *m, struct om_rd *r)
{
    m->number = om_rd_u32(r);
    om_rd_copy(r, m->secret, sizeof m->secret);
    m->excluded_count = om_rd_u8(r);
    if (m->excluded_count > OM_LEDGER_LOGS_MAX)
        return false;
    for (unsigned i = 0; i < m->excluded_count; i++) {
        om_rd_copy(r, m->excluded[i].owner, OM_EXCLUDED_BYTES);
        m->excluded[i].number = om_rd_u32(r);
    }
    om_rd_take(r, OM_SIGN_BYTES);
    m->has_admin = om_rd_left(r) > 0;
    if (m->has_admin)
        om_rd_copy(r, m->admin, sizeof m->admin);
    return om_rd_done(r);
}

enum om_err om_epoch_message_decode(struct om_epoch_message *out, struct om_bytes in)
{
    struct om_epoch_message m = {.number = 0};
    struct om_rd r = om_rd(in);
    bool is_read = read_message(&m, &r);

    if (is_read)
        *out = m;
    sodium_memzero(&m, sizeof m);
    return is_read ? OM_OK : OM_E_PARSE;
}

bool om_epoch_message_verify(struct om_bytes in, const struct om_epoch_message *m,
                             struct om_id *signer, const struct om_id *network,
                             const struct om_id *authority)
{
    size_t after = m->has_admin ? sizeof m->admin : 0;
    struct om_admin_cert c = {.key = *authority};
    uint8_t body[SIGNED_MAX];

    OM_BUG_IF(in.n < OM_SIGN_BYTES + after);
    if (m->has_admin &&
        !om_admin_cert_verify(&c, network, authority, om_bytes(m->admin, sizeof m->admin)))
        return false;
    if (!om_identity_verify(&c.key, EPOCH, network, to_sign(body, m),
                            in.p + in.n - after - OM_SIGN_BYTES))
        return false;
    *signer = c.key;
    return true;
}
