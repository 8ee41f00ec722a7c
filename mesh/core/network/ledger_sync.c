/* ledger_sync.c - two ledgers compared, and what one has to tell the other. */
#include <sodium.h>

#include "network/ledger_parts.h"

/* Over the hashes of all up to @number, in the order in which every ledger has them. */
static void sum_up_to(uint8_t out[static OM_HASH_BYTES], const struct om_ledger_log *log,
                      uint32_t number)
{
    crypto_generichash_state st;

    (void)crypto_generichash_init(&st, NULL, 0, OM_HASH_BYTES);
    for (unsigned i = 0; i < log->count && log->entries[i]->number <= number; i++)
        (void)crypto_generichash_update(&st, log->entries[i]->hash, OM_HASH_BYTES);
    (void)crypto_generichash_final(&st, out, OM_HASH_BYTES);
}

static const uint8_t *sum_of(struct om_ledger_log *log)
{
    if (!log->has_sum)
        sum_up_to(log->sum, log, log->whole);
    log->has_sum = true;
    return log->sum;
}

unsigned om_ledger_heads(struct om_ledger *l, struct om_ledger_head out[static OM_LEDGER_LOGS_MAX])
{
    for (unsigned i = 0; i < l->log_count; i++) {
        out[i].owner = l->logs[i]->owner;
        out[i].number = l->logs[i]->whole;
        memcpy(out[i].sum, sum_of(l->logs[i]), OM_HASH_BYTES);
    }
    return l->log_count;
}

void om_ledger_head_write(struct om_wr *w, const struct om_ledger_head *h)
{
    om_wr_copy(w, h->owner.b, sizeof h->owner.b);
    om_wr_u32(w, h->number);
    om_wr_copy(w, h->sum, sizeof h->sum);
}

struct om_ledger_head om_ledger_head_read(struct om_rd *r)
{
    struct om_ledger_head h;

    om_rd_copy(r, h.owner.b, sizeof h.owner.b);
    h.number = om_rd_u32(r);
    om_rd_copy(r, h.sum, sizeof h.sum);
    return h;
}

/* Has @log all that the other has up to there, and no twin more? */
static bool has_same_start(struct om_ledger_log *log, const struct om_ledger_head *h)
{
    uint8_t sum[OM_HASH_BYTES];

    if (h->number > log->whole)
        return false;
    if (h->number == log->whole)
        return memcmp(sum_of(log), h->sum, OM_HASH_BYTES) == 0;
    sum_up_to(sum, log, h->number);
    return memcmp(sum, h->sum, sizeof sum) == 0;
}

bool om_ledger_lacks(struct om_ledger *l, const struct om_ledger_head *heads, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct om_ledger_log *log = om_ledger_log(l, &heads[i].owner);
        if (!log || !has_same_start(log, &heads[i]))
            return true;
    }
    return false;
}

void om_ledger_walk(struct om_ledger_walk *w, const struct om_ledger_head *heads, unsigned n)
{
    *w = (struct om_ledger_walk){.heads = heads, .head_count = n};
}

static const struct om_ledger_head *head_of(const struct om_ledger_walk *w, const struct om_id *id)
{
    for (unsigned i = 0; i < w->head_count; i++)
        if (om_id_equal(&w->heads[i].owner, id))
            return &w->heads[i];
    return NULL;
}

/* From where on @log is to be told. */
static unsigned begin(struct om_ledger_walk *w, struct om_ledger_log *log)
{
    const struct om_ledger_head *h = head_of(w, &log->owner);

    w->is_begun = true;
    w->is_downward = log->is_revoked;
    w->given = 0;
    /* Who is ahead of us shall tell first: only then can be seen whether the start is alike. It
     * differs only where one of us knows of a fork; once told, both keep the same. */
    if (h && (h->number > log->whole || has_same_start(log, h)))
        return om_ledger_at(log, h->number + 1);
    return 0;
}

bool om_ledger_walk_next(struct om_ledger_walk *w, struct om_ledger *l, struct om_ledger_told *out)
{
    for (; w->log < l->log_count; w->log++, w->is_begun = false) {
        struct om_ledger_log *log = l->logs[w->log];
        if (!w->is_begun) {
            w->first = begin(w, log);
            if (!log->is_authority && !head_of(w, &log->owner)) {
                *out = (struct om_ledger_told){&log->owner, true,
                                               om_bytes(log->cert, sizeof log->cert)};
                return true;
            }
        }
        if (w->first + w->given < log->count) {
            const struct om_ledger_entry *e =
                log->entries[w->is_downward ? log->count - 1 - w->given : w->first + w->given];
            w->given++;
            *out = (struct om_ledger_told){&log->owner, false, om_bytes(e->bytes, e->len)};
            return true;
        }
    }
    return false;
}
