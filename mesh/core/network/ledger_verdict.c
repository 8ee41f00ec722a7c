/* ledger_verdict.c - what follows from what the admins signed. */
#include "network/ledger_parts.h"

static enum om_ledger_verdict judge(const struct om_ledger *l, const struct om_ledger_note *n)
{
    const struct om_ledger_log *log = om_ledger_log(l, &n->issuer);

    if (om_ledger_revoked(l, &n->key))
        return OM_LEDGER_REVOKED;
    if (log && log->is_revoked && !om_ledger_has_issued(l, log, n->hash))
        return OM_LEDGER_ISSUER;
    return om_ledger_superseded(l, n) ? OM_LEDGER_SUPERSEDED : OM_LEDGER_HOLDS;
}

enum om_ledger_verdict om_ledger_member(const struct om_ledger *l, struct om_bytes cert,
                                        const struct om_node_cert *c, const struct om_id *issuer)
{
    const struct om_ledger_note n = om_ledger_note_of(cert, c, issuer);

    return judge(l, &n);
}

enum om_ledger_verdict om_ledger_of(const struct om_ledger *l, const struct om_member *m)
{
    struct om_ledger_note n = {
        .issued = m->issued, .expires = m->until, .issuer = m->issuer, .key = m->key};

    memcpy(n.invite, m->invite, sizeof n.invite);
    memcpy(n.hash, m->hash, sizeof n.hash);
    return judge(l, &n);
}

/* Is the owner of @log an admin still? */
static bool is_admin(const struct om_ledger *l, const struct om_ledger_log *log)
{
    return !log->is_authority && !log->is_revoked && !om_ledger_revoked(l, &log->owner);
}

bool om_ledger_may_sign(const struct om_ledger *l, const struct om_id *key)
{
    return om_ledger_rank(l, key) > 0;
}

unsigned om_ledger_rank(const struct om_ledger *l, const struct om_id *key)
{
    unsigned rank = 0;

    if (om_id_equal(key, &l->authority))
        return 1;
    for (unsigned i = 0; i < l->log_count; i++) {
        if (!is_admin(l, l->logs[i]))
            continue;
        rank++;
        if (om_id_equal(&l->logs[i]->owner, key))
            return rank;
    }
    return 0;
}

/* The last revocation of @log that an EPOCH can list; 0: none. What lies behind a gap is left out,
 * for to list its number would be to say that what is missing was heeded, too. */
static uint32_t last_revocation(const struct om_ledger_log *log)
{
    for (unsigned i = om_ledger_at(log, log->whole + 1); i > 0; i--) {
        const struct om_ledger_entry *e = log->entries[i - 1];
        bool revokes =
            e->kind == OM_ADMIN_KEY_REVOKED || (log->is_authority && e->kind == OM_ADMIN_REVOKED);
        if (revokes && om_ledger_counts(log, e))
            return e->number;
    }
    return 0;
}

unsigned om_ledger_excluded(const struct om_ledger *l,
                            struct om_excluded out[static OM_LEDGER_LOGS_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < l->log_count; i++) {
        uint32_t number = last_revocation(l->logs[i]);
        if (number == 0)
            continue;
        memcpy(out[n].owner, l->logs[i]->owner.b, OM_EXCLUDED_BYTES);
        out[n++].number = number;
    }
    return n;
}

bool om_ledger_beyond(const struct om_ledger *l, const struct om_excluded *list, unsigned n)
{
    struct om_excluded ours[OM_LEDGER_LOGS_MAX];
    unsigned count = om_ledger_excluded(l, ours);

    for (unsigned i = 0; i < count; i++) {
        uint32_t covered = 0;
        for (unsigned k = 0; k < n; k++)
            if (memcmp(list[k].owner, ours[i].owner, OM_EXCLUDED_BYTES) == 0 &&
                list[k].number > covered)
                covered = list[k].number;
        if (ours[i].number > covered)
            return true;
    }
    return false;
}
