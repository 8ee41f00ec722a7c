/* node_unadmin.c - the authority takes an admin's word away. */
#include <omerta/members.h>

#include "network/ledger_parts.h"
#include "node/ledger.h"

/* @who is the authority of @g: the owner of @log says nothing more than what is here of it. */
static enum om_err end_log(struct node_ledger *g, const struct om_identity *who,
                           const struct om_ledger_log *log)
{
    struct om_admin_entry entry = {.kind = OM_ADMIN_REVOKED, .last = log->whole};

    memcpy(entry.subject, log->owner.b, sizeof log->owner.b);
    if (log->whole > 0)
        memcpy(entry.last_hash, log->entries[om_ledger_at(log, log->whole)]->hash,
               sizeof entry.last_hash);
    return node_ledger_sign_as(g->node, g->net, who, &entry);
}

enum om_err om_node_unadmin(struct om_node *n, om_time now, const struct om_id *network,
                            const uint8_t seed[static 32], const struct om_id *key)
{
    struct node_ledger *g = node_ledger_of(n, network);
    struct om_identity authority;

    if (!g)
        return node_network(n, network) ? OM_E_STATE : OM_E_MISSING;
    n->now = now;
    const struct om_ledger_log *log = om_ledger_log(&g->all, key);
    if (!log || log->is_authority)
        return OM_E_MISSING;
    if (log->is_revoked)
        return OM_OK;
    enum om_err e = om_identity_from_seed(&authority, seed);
    if (e == OM_OK)
        e = om_id_equal(&authority.id, &g->all.authority) ? end_log(g, &authority, log)
                                                          : OM_E_CRYPTO;
    om_identity_wipe(&authority);
    return e;
}
