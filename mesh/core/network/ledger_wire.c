/* ledger_wire.c - question and answer. */
#include "network/ledger_wire.h"

#include <omerta/wire.h>

enum { KIND_ENTRY, KIND_CERT, KIND_EPOCH };

void om_ledger_ask(struct om_ledger_ask *out, struct om_ledger *l)
{
    *out = (struct om_ledger_ask){.skip = 0};
    out->count = om_ledger_heads(l, out->heads);
}

size_t om_ledger_ask_write(uint8_t out[static OM_LEDGER_ASK_MAX], const struct om_ledger_ask *a)
{
    struct om_wr w = om_wr(om_mut(out, OM_LEDGER_ASK_MAX));

    om_wr_u32(&w, a->skip);
    om_wr_u8(&w, (uint8_t)a->count);
    for (unsigned i = 0; i < a->count; i++)
        om_ledger_head_write(&w, &a->heads[i]);
    om_wr_copy(&w, a->epoch, a->has_epoch ? sizeof a->epoch : 0);
    return om_wr_len(&w);
}

enum om_err om_ledger_ask_read(struct om_ledger_ask *out, struct om_bytes in)
{
    struct om_rd r = om_rd(in);
    struct om_ledger_ask a = {.skip = om_rd_u32(&r)};

    a.count = om_rd_u8(&r);
    if (a.count > OM_LEDGER_LOGS_MAX)
        return OM_E_PARSE;
    for (unsigned i = 0; i < a.count; i++)
        a.heads[i] = om_ledger_head_read(&r);
    a.has_epoch = om_rd_left(&r) > 0;
    if (a.has_epoch)
        om_rd_copy(&r, a.epoch, sizeof a.epoch);
    if (!om_rd_done(&r))
        return OM_E_PARSE;
    *out = a;
    return OM_OK;
}

static void write_item(struct om_wr *w, const struct om_ledger_told *t)
{
    om_wr_u8(w, t->is_cert ? KIND_CERT : KIND_ENTRY);
    om_wr_copy(w, t->owner->b, sizeof t->owner->b);
    om_wr_u16(w, (uint16_t)t->bytes.n);
    om_wr_bytes(w, t->bytes);
}

size_t om_ledger_part(uint8_t out[static OM_LEDGER_ANSWER_LEAST], const struct om_ledger_told *t)
{
    struct om_wr w = om_wr(om_mut(out, OM_LEDGER_ANSWER_LEAST));

    om_wr_u8(&w, 0);
    write_item(&w, t);
    return om_wr_len(&w);
}

size_t om_ledger_answer(struct om_ledger *l, const struct om_ledger_ask *a, struct om_mut out)
{
    struct om_wr w = om_wr(out);
    struct om_ledger_walk walk;
    struct om_ledger_told t;
    uint32_t at = 0;
    bool has_more = false;

    OM_BUG_IF(out.n < OM_LEDGER_ANSWER_LEAST);
    om_ledger_walk(&walk, a->heads, a->count);
    om_wr_u8(&w, 0);
    while (!has_more && om_ledger_walk_next(&walk, l, &t)) {
        if (at++ < a->skip)
            continue;
        has_more = om_wr_left(&w) < OM_LEDGER_ITEM_MAX;
        if (has_more)
            break;
        write_item(&w, &t);
    }
    out.p[0] = has_more;
    return om_wr_len(&w);
}

size_t om_ledger_answer_epoch(struct om_mut out, size_t n, struct om_bytes epoch)
{
    struct om_wr w = om_wr(om_mut(out.p + n, out.n - n));

    om_wr_u8(&w, KIND_EPOCH);
    om_wr_u16(&w, (uint16_t)epoch.n);
    om_wr_bytes(&w, epoch);
    OM_BUG_IF(w.bad || out.p[0] != 0);
    return n + om_wr_len(&w);
}

/* EPOCH ends the answer. */
static bool hear_epoch(struct om_rd *r, struct om_ledger_heard *out)
{
    out->epoch = om_rd_bytes(r, om_rd_u16(r));
    return om_rd_done(r) && !out->has_more && out->epoch.n >= OM_EPOCH_MESSAGE_LEAST &&
           out->epoch.n <= OM_EPOCH_MESSAGE_MAX;
}

/* Is @cert the one that @l has of its admin? */
static bool has_cert(const struct om_ledger *l, struct om_bytes cert)
{
    const struct om_ledger_log *log;
    struct om_admin_cert c;

    if (om_admin_cert_decode(&c, cert) != OM_OK)
        return false;
    log = om_ledger_log(l, &c.key);
    return log && !log->is_authority && memcmp(log->cert, cert.p, sizeof log->cert) == 0;
}

/* Return: as om_ledger_hear(); @is_new: it is to be kept. */
static enum om_err hear_cert(struct om_ledger *l, struct om_bytes in, bool *is_new)
{
    const bool had = has_cert(l, in);
    enum om_err e = om_ledger_admin(l, in);

    *is_new = !had && has_cert(l, in);
    return e == OM_E_FULL ? OM_OK : e; /* his entries will be a stranger's */
}

static enum om_err hear_entry(struct om_ledger *l, const struct om_id *owner, struct om_bytes in,
                              bool *is_new)
{
    *is_new = false;
    switch (om_ledger_put(l, owner, in)) {
    case OM_LEDGER_NEW:
        *is_new = true;
        return OM_OK;
    case OM_LEDGER_KNOWN:
    case OM_LEDGER_OUTRANKED:
    case OM_LEDGER_STRANGER:
    case OM_LEDGER_FULL:
        return OM_OK;
    case OM_LEDGER_FORGED:
        return OM_E_CRYPTO;
    case OM_LEDGER_NO_MEM:
        break;
    }
    return OM_E_NO_MEM;
}

enum om_err om_ledger_hear_news(struct om_ledger *l, struct om_bytes in, struct om_mut news,
                                struct om_ledger_heard *out)
{
    struct om_rd r = om_rd(in);
    struct om_wr w = om_wr(news);
    uint8_t more = om_rd_u8(&r);

    *out = (struct om_ledger_heard){.has_more = more == 1};
    if (in.n > OM_LEDGER_ANSWER_MAX || r.bad || more > 1)
        return OM_E_PARSE;
    om_wr_u8(&w, 0);
    while (om_rd_left(&r) > 0) {
        struct om_id owner;
        bool is_new;
        uint8_t kind = om_rd_u8(&r);
        if (kind == KIND_EPOCH)
            return hear_epoch(&r, out) ? OM_OK : OM_E_PARSE;
        om_rd_copy(&r, owner.b, sizeof owner.b);
        const struct om_ledger_told t = {&owner, kind == KIND_CERT, om_rd_bytes(&r, om_rd_u16(&r))};
        if (r.bad || kind > KIND_CERT)
            return OM_E_PARSE;
        enum om_err e =
            t.is_cert ? hear_cert(l, t.bytes, &is_new) : hear_entry(l, &owner, t.bytes, &is_new);
        if (e != OM_OK)
            return e;
        out->told++;
        out->entries += is_new && !t.is_cert;
        if (is_new)
            write_item(&w, &t);
        out->news = om_wr_len(&w);
    }
    return OM_OK;
}

enum om_err om_ledger_hear(struct om_ledger *l, struct om_bytes in, struct om_ledger_heard *out)
{
    return om_ledger_hear_news(l, in, om_mut(NULL, 0), out);
}
