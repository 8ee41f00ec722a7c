/* node_surplus.c - admins put out whoever came by an invitation that others had used up. */
#include "network/ledger_parts.h"
#include "node/join.h"
#include "node/ledger.h"

/* So many of @l's notes from @at on are of one invite. */
static unsigned count_invite(const struct om_ledger *l, unsigned at)
{
    unsigned end = at;

    while (end < l->note_count &&
           memcmp(l->notes[end].invite, l->notes[at].invite, OM_CERT_INVITE) == 0)
        end++;
    return end - at;
}

/* One whom nobody put out yet; NULL: there is none. Where no more certificates are known than may
 * be, as nearly everywhere, they are not compared. */
static const struct om_id *find(const struct om_ledger *l)
{
    for (unsigned at = 0, count; at < l->note_count; at += count) {
        count = count_invite(l, at);
        if (count <= om_ledger_invite_uses(l->notes[at].invite))
            continue;
        for (unsigned i = at; i < at + count; i++)
            if (l->notes[i].counts && !om_ledger_revoked(l, &l->notes[i].key) &&
                !om_ledger_is_admin(l, &l->notes[i].key) && /* the authority's to put out */
                om_ledger_superseded(l, &l->notes[i]))
                return &l->notes[i].key;
    }
    return NULL;
}

void node_surplus_sign(struct node_ledger *g)
{
    struct om_admin_entry entry = {.kind = OM_ADMIN_KEY_REVOKED};
    const struct om_network *net = g->net;
    const struct node_join *j = node_join_of(g->node, net);
    const struct om_id *key = NULL;

    /* Where the disk is full it would be signed, and taken back, without end. */
    if (j && j->is_admin && !g->is_unkept && node_ledger_may_sign(g->node, net, &net->self.id))
        key = find(&g->all);
    if (!key || om_id_equal(key, &net->self.id))
        return;
    memcpy(entry.subject, key->b, sizeof key->b);
    /* Full, without memory or from a backup: nothing is lost, for all judge so by themselves. */
    (void)!node_ledger_sign(g->node, net, &entry);
}
