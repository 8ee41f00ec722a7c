/* members.c - who is in a closed network: from certificates, records and logs. */
#include <omerta/members.h>

#include <stdlib.h>

#include "network/ledger_parts.h"
#include "node/join.h"
#include "node/ledger.h"

/* Keys as they come, some of them more than once. */
struct crowd {
    struct om_id *keys;
    unsigned count, room;
    bool is_short; /* of memory */
};

static void add(struct crowd *c, const uint8_t key[static 32])
{
    if (c->count == c->room) {
        unsigned room = c->room ? 2 * c->room : 64;
        struct om_id *more = realloc(c->keys, room * sizeof *more);
        if (!more) {
            c->is_short = true;
            return;
        }
        c->keys = more;
        c->room = room;
    }
    memcpy(c->keys[c->count++].b, key, sizeof c->keys[0].b);
}

static int by_key(const void *a, const void *b)
{
    return om_id_cmp(a, b);
}

static unsigned place_of(const struct om_node *n, const struct om_network *net)
{
    unsigned i = 0;

    while (n->networks[i] != net)
        i++;
    return i;
}

/* What handshakes showed: who comes again and again is there once. */
static void add_seen(struct crowd *c, const struct om_node *n, const struct om_network *net)
{
    const struct om_member *m;
    uint32_t place = 0;

    while ((m = om_verified_walk(&n->verified, net, &place)) != NULL)
        add(c, m->key.b);
}

static void add_records(struct crowd *c, const struct om_node *n, unsigned i)
{
    const struct om_records *s = n->gossips[i] ? om_gossip_store(n->gossips[i]->gossip) : NULL;

    for (struct om_link *l = s ? om_list_first(&s->changes) : NULL; l;
         l = om_list_next(&s->changes, l)) {
        const struct om_held *h = OM_CONTAINER_OF(l, struct om_held, by_change);
        if (!h->is_item)
            add(c, h->key);
    }
}

static void add_signed(struct crowd *c, const struct om_ledger *l)
{
    for (unsigned i = 0; i < l->log_count; i++)
        if (!l->logs[i]->is_authority)
            add(c, l->logs[i]->owner.b);
    for (unsigned i = 0; i < l->said_count; i++)
        if (l->said[i].kind == OM_ADMIN_KEY_REVOKED &&
            om_ledger_counts(l->said[i].log, l->said[i].entry))
            add(c, l->said[i].subject);
    for (unsigned i = 0; i < l->note_count; i++)
        add(c, l->notes[i].key.b);
}

unsigned om_node_members(const struct om_node *n, const struct om_id *network, struct om_id *out,
                         unsigned max)
{
    const struct om_network *net = node_network(n, network);
    const struct node_ledger *g = net ? node_ledger_of(n, network) : NULL;
    struct crowd c = {.count = 0};
    unsigned count = 0;

    if (!g)
        return 0;
    unsigned i = place_of(n, net);
    const struct node_join *j = n->joins[i];
    add(&c, net->self.id.b);
    add_seen(&c, n, net);
    add_records(&c, n, i);
    add_signed(&c, &g->all);
    for (unsigned k = 0; j && k < j->issuer.count; k++)
        add(&c, j->issuer.all[k].key.b);
    if (c.count > 0)
        qsort(c.keys, c.count, sizeof *c.keys, by_key);
    for (unsigned k = 0; k < c.count && !c.is_short; k++) {
        if (k > 0 && om_id_equal(&c.keys[k], &c.keys[k - 1]))
            continue;
        if (count < max)
            out[count] = c.keys[k];
        count++;
    }
    free(c.keys);
    return count;
}

static enum om_standing standing_of(enum om_ledger_verdict v)
{
    switch (v) {
    case OM_LEDGER_HOLDS:
    case OM_LEDGER_VERDICTS:
        break;
    case OM_LEDGER_REVOKED:
        return OM_STANDING_REVOKED;
    case OM_LEDGER_ISSUER:
        return OM_STANDING_ISSUER;
    case OM_LEDGER_SUPERSEDED:
        return OM_STANDING_SUPERSEDED;
    }
    return OM_STANDING_GOOD;
}

/* Certificates that we made in an earlier run say who it is, if nothing better does. */
static void fill_issued(const struct om_node *n, const struct om_network *net,
                        struct om_member_state *out)
{
    const struct node_join *j = n->joins[place_of(n, net)];

    for (unsigned i = 0; j && i < j->issuer.count; i++) {
        const struct om_issued *made = &j->issuer.all[i];
        if (!om_id_equal(&made->key, &out->member.key))
            continue;
        memcpy(out->member.name, made->name, sizeof made->name);
        memcpy(out->member.invite, made->invite, sizeof made->invite);
        out->member.overlay = made->overlay;
        return;
    }
}

static void judge(const struct om_node *n, om_time now, const struct om_ledger *l,
                  struct om_member_state *out)
{
    const struct om_id *by = om_ledger_revoker(l, &out->member.key);
    int64_t ms = node_unix_ms(n, now);
    uint32_t now_s = ms > 0 ? (uint32_t)(ms / 1000) : 0;

    if (by) {
        out->standing = OM_STANDING_REVOKED;
        out->revoker = *by;
        return;
    }
    if (!out->has_cert)
        return;
    out->standing = standing_of(om_ledger_of(l, &out->member));
    if (out->standing == OM_STANDING_GOOD &&
        om_cert_within(out->member.from, out->member.until, now_s) == OM_CERT_EXPIRED)
        out->standing = OM_STANDING_EXPIRED;
}

enum om_err om_node_member_state(const struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *key, struct om_member_state *out)
{
    const struct om_network *net = node_network(n, network);
    const struct node_ledger *g = net ? node_ledger_of(n, network) : NULL;
    struct om_peer_info info;

    if (!g)
        return net ? OM_E_STATE : OM_E_MISSING;
    const struct om_member *m = om_verified_find(&n->verified, net, key);
    *out = (struct om_member_state){.has_cert = m != NULL,
                                    .is_own = om_id_equal(key, &net->self.id),
                                    .is_authority = om_id_equal(key, &net->authority)};
    if (m)
        out->member = *m;
    out->member.key = *key;
    if (!m)
        fill_issued(n, net, out);
    judge(n, now, &g->all, out);
    out->is_admin = out->standing == OM_STANDING_GOOD && node_ledger_may_sign(n, net, key) &&
                    (om_ledger_log(&g->all, key) || out->member.roles & OM_ROLE_ADMIN);
    out->has_word = om_ledger_log(&g->all, key)
                        ? om_ledger_is_admin(&g->all, key)
                        : out->has_cert && out->member.roles & OM_ROLE_ADMIN;
    if (om_node_peer_info(n, now, network, key, &info) == OM_OK) {
        out->has_session = info.has_session;
        out->heard_at = info.heard_at;
    }
    return OM_OK;
}

bool om_node_is_void(const struct om_node *n, const struct om_id *network,
                     const uint8_t invite[static OM_MEMBER_INVITE])
{
    const struct node_ledger *g = node_ledger_of(n, network);

    return g && om_ledger_void(&g->all, invite);
}

const char *om_standing_name(enum om_standing s)
{
    static const char *const names[OM_STANDINGS] = {
        [OM_STANDING_GOOD] = "good",
        [OM_STANDING_EXPIRED] = "expired",
        [OM_STANDING_REVOKED] = "revoked",
        [OM_STANDING_ISSUER] = "issuer revoked",
        [OM_STANDING_SUPERSEDED] = "invitation used up",
    };

    return (unsigned)s < OM_STANDINGS ? names[s] : "unknown";
}
