/* node_unadmin.c - the authority takes an admin's word away. */
#include <omerta/members.h>

#include "network/ledger_parts.h"
#include "node/ledger.h"

/* @who is the authority of @g: @key says nothing more than what is here of its @log; NULL: nothing
 * at all. */
static enum om_err end_log(struct node_ledger *g, const struct om_identity *who,
                           const struct om_id *key, const struct om_ledger_log *log)
{
    struct om_admin_entry entry = {.kind = OM_ADMIN_REVOKED};

    memcpy(entry.subject, key->b, sizeof key->b);
    if (log && log->whole > 0) {
        entry.last = log->whole;
        memcpy(entry.last_hash, log->entries[om_ledger_at(log, log->whole)]->hash,
               sizeof entry.last_hash);
    }
    return node_ledger_sign_as(g->node, g->net, who, &entry);
}

/* Did the authority make the holder of @key an admin, by the certificate it showed? */
static bool is_by_certificate(const struct node_ledger *g, const struct om_id *key)
{
    const struct om_member *m = om_verified_find(&g->node->verified, g->net, key);

    return m && m->roles & OM_ROLE_ADMIN;
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
    if (log ? log->is_authority : !is_by_certificate(g, key))
        return OM_E_MISSING;
    if (log && log->is_revoked)
        return OM_OK;
    enum om_err e = om_identity_from_seed(&authority, seed);
    if (e != OM_OK)
        return e;
    e = om_id_equal(&authority.id, &g->all.authority) ? end_log(g, &authority, key, log)
                                                      : OM_E_CRYPTO;
    om_identity_wipe(&authority);
    return e;
}
