/* node_names.c - members by the names that their certificates give them. */
#include "node/names.h"

#include <stdlib.h>

#include <omerta/gossip.h>

#include "network/names.h"
#include "network/verified.h"
#include "node/ledger.h"
#include "peer/record.h"

enum {
    FIELD = 1 + 2,
    CREDENTIAL = FIELD + 1 + OM_CREDENTIAL_MAX,
    SERVICES = OM_ANNOUNCE_SERVICES * (FIELD + OM_SERVICE_MAX),
    HEAD = 1 + 32 + 6 + 4 + 1 + 1 + 1 + OM_RECORD_ENDS_MAX * (1 + 18) + 2 + OM_SIGN_BYTES
};
static_assert(HEAD + FIELD + OM_NAME_MAX + SERVICES + CREDENTIAL <= OM_RECORD_MAX,
              "who has a certificate cannot say all there is to say");

void node_names_field(struct om_wr *w, const struct om_network *net)
{
    uint8_t kind;
    struct om_bytes ours = om_credential_ours(net, &kind);

    if (net->is_open || net->credential_len == 0)
        return;
    om_wr_u8(w, OM_FIELD_CREDENTIAL);
    om_wr_u16(w, (uint16_t)(1 + ours.n));
    om_wr_u8(w, kind);
    om_wr_bytes(w, ours);
}

/* The credential that @record has, lent; false: none. */
static bool find_field(struct om_bytes record, struct om_record *r, struct om_shown *out)
{
    struct om_bytes value;
    uint8_t type;

    if (om_record_decode(r, record) != OM_OK)
        return false;
    struct om_rd at = om_rd(r->fields);
    while (om_record_field(&at, &type, &value))
        if (type == OM_FIELD_CREDENTIAL && value.n > 0) {
            *out =
                (struct om_shown){.kind = value.p[0], .bytes = om_bytes(value.p + 1, value.n - 1)};
            return true;
        }
    return false;
}

void node_names_heard(struct om_node *n, struct om_network *net, struct om_bytes record)
{
    struct om_cert_chain chain;
    struct om_shown shown;
    struct om_record r;
    struct om_member m;

    if (net->is_open || !find_field(record, &r, &shown))
        return;
    if (om_verified_told(&n->verified, net, &shown, &r.id, &m) && om_verified_take(&chain, &shown))
        node_ledger_own(n, net, &chain, &m);
    else
        node_drop(n, OM_DROP_HS_CREDENTIAL);
}

/* May whoever has @m be a member yet, or again once it is renewed? */
static bool is_live(const struct node_ledger *g, const struct om_member *m, uint32_t now_s)
{
    return (uint64_t)m->until + OM_CERT_RENEW_S + OM_CERT_SKEW_S >= now_s &&
           om_ledger_log(&g->all, &m->issuer) && om_ledger_of(&g->all, m) == OM_LEDGER_HOLDS;
}

/* Everybody known in @net and ourselves; the caller's to free; NULL without memory. */
static struct om_id *everybody(const struct om_node *n, const struct om_network *net,
                               unsigned *count)
{
    unsigned known = om_node_peers(n, &net->id, NULL, 0);
    struct om_id *ids = calloc(known + 1U, sizeof *ids);

    if (!ids)
        return NULL;
    *count = om_node_peers(n, &net->id, ids, known);
    ids[(*count)++] = net->self.id;
    return ids;
}

void node_names_note(struct om_node *n, const struct om_network *net, struct om_issuer *i,
                     uint32_t now_s)
{
    const struct node_ledger *g = node_ledger_of(n, &net->id);
    unsigned count = 0;
    struct om_id *ids = g ? everybody(n, net, &count) : NULL;

    for (unsigned k = 0; k < count; k++) {
        const struct om_member *m = om_verified_find(&n->verified, net, &ids[k]);
        if (m && is_live(g, m, now_s) && om_issuer_heard(i, m) != OM_OK)
            node_drop(n, OM_DROP_MEMORY);
    }
    free(ids);
    for (unsigned k = 0; g && k < i->count; k++)
        i->all[k].is_out = i->all[k].is_out || om_ledger_revoked(&g->all, &i->all[k].key);
}

static struct om_name_claim claim_of(const struct om_network *net, const struct om_member *m)
{
    struct om_name_claim c = {.key = m->key,
                              .issuer = m->issuer,
                              .issued = m->issued,
                              .by_authority = om_id_equal(&m->issuer, &net->authority)};

    memcpy(c.name, m->name, sizeof c.name);
    return c;
}

unsigned om_node_names(struct om_node *n, const struct om_id *network, struct om_named *out,
                       unsigned max)
{
    const struct om_network *net = node_network(n, network);
    const struct node_ledger *g = node_ledger_of(n, network);
    int64_t now_ms = node_unix_ms(n, n->now);
    unsigned known = 0, count = 0;
    struct om_id *ids = net && g ? everybody(n, net, &known) : NULL;
    struct om_name_claim *all = ids ? calloc(known, sizeof *all) : NULL;

    for (unsigned k = 0; all && k < known; k++) {
        const struct om_member *m = om_verified_find(&n->verified, net, &ids[k]);
        if (m && *m->name && is_live(g, m, (uint32_t)(now_ms / 1000)))
            all[count++] = claim_of(net, m);
    }
    om_names_sort(all, count);
    for (unsigned k = 0; k < count && k < max; k++)
        om_names_shown(all, k, &out[k]);
    free(all);
    free(ids);
    return count;
}
