/* node_ledger.c - who is a member no more. */
#include "node/ledger.h"

#include <stdlib.h>

#include "node/join.h"
#include "node/member.h"
#include "node/rotate.h"

static_assert((int)OM_LEDGER_PART_MAX >= (int)OM_LEDGER_ANSWER_LEAST, "a part may be longer");
/* Two of each number, and the one that is honoured. */
static_assert((int)OM_LEDGER_LOGS_MAX *
                      ((int)OM_LEDGER_NUMBERS_MAX * (OM_LEDGER_TWINS_MAX + 1) + 1) *
                      (2 + (int)OM_LEDGER_ANSWER_LEAST) <=
                  (int)OM_LEDGER_KEPT_MAX,
              "a ledger may be larger");

static void fire(struct om_timer *t, om_time now OM_UNUSED)
{
    struct node_ledger *g = OM_CONTAINER_OF(t, struct node_ledger, timer);

    g->is_due = true;
}

enum om_err node_ledger_start(struct om_node *n, unsigned i)
{
    struct om_network *net = n->networks[i];
    struct node_ledger *g;

    if (net->is_open)
        return OM_OK;
    g = calloc(1, sizeof *g);
    if (!g || om_ledger_init(&g->all, &net->id, &net->authority) != OM_OK) {
        free(g);
        return OM_E_NO_MEM;
    }
    g->node = n;
    g->net = net;
    g->version = 1;
    g->timer.fire = fire;
    g->timer.at = OM_NEVER;
    om_bucket_init(&g->answers, OM_LEDGER_ANSWERS_PER_S, OM_LEDGER_ANSWERS_PER_S, n->now);
    if (node_rotate_start(g) != OM_OK) {
        om_ledger_fini(&g->all);
        free(g);
        return OM_E_NO_MEM;
    }
    n->ledgers[i] = g;
    return OM_OK;
}

void node_ledger_leave(struct om_node *n, unsigned i)
{
    struct node_ledger *g = n->ledgers[i];

    if (!g)
        return;
    om_timer_stop(&n->timers, &g->timer);
    while (g->untold_count > 0)
        free(g->untold[--g->untold_count].bytes.p);
    free(g->told.bytes.p);
    node_rotate_stop(g);
    om_ledger_fini(&g->all);
    free(g);
    n->ledgers[i] = NULL;
}

void node_ledger_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_ledger_leave(n, i);
}

struct node_ledger *node_ledger_of(const struct om_node *n, const struct om_id *network)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (om_id_equal(&n->networks[i]->id, network))
            return n->ledgers[i];
    return NULL;
}

/* Return: false when it will not be kept. */
static bool tell_one(struct node_ledger *g, bool is_cert, const struct om_id *owner,
                     struct om_bytes bytes, uint32_t from)
{
    const struct om_ledger_told t = {owner, is_cert, bytes};
    const struct node_ledger_part ours = {.from = from, .owner = *owner};
    uint8_t part[OM_LEDGER_ANSWER_LEAST];

    return node_ledger_changed(g, om_bytes(part, om_ledger_part(part, &t)),
                               from > 0 ? &ours : NULL);
}

/* Is @cert of an admin unknown to @l, or a newer one of a known one? Its signature is not cheap. */
static bool is_news(const struct om_ledger *l, struct om_bytes cert)
{
    struct om_admin_cert c, had;

    if (om_admin_cert_decode(&c, cert) != OM_OK)
        return false;
    const struct om_ledger_log *log = om_ledger_log(l, &c.key);
    return !log || (!log->is_authority &&
                    om_admin_cert_decode(&had, om_bytes(log->cert, sizeof log->cert)) == OM_OK &&
                    c.issued >= had.issued && memcmp(cert.p, log->cert, sizeof log->cert) != 0);
}

enum om_err node_ledger_admin(struct om_node *n, const struct om_network *net, struct om_bytes cert)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);
    struct om_admin_cert c;

    if (!g)
        return OM_E_MISSING;
    if (!is_news(&g->all, cert))
        return OM_OK;
    unsigned had = g->all.log_count;
    enum om_err e = om_ledger_admin(&g->all, cert);
    if (e == OM_OK && g->all.log_count > had && om_admin_cert_decode(&c, cert) == OM_OK)
        (void)tell_one(g, true, &c.key, cert, om_id_equal(&c.key, &net->self.id) ? 1 : 0);
    return e;
}

/* What @chain is, for verdicts over it and others. */
static void note(struct om_node *n, struct node_ledger *g, const struct om_cert_chain *chain,
                 const struct om_id *issuer)
{
    struct om_node_cert c;
    enum om_err e = OM_OK;

    if (chain->admin.n > 0)
        e = node_ledger_admin(n, g->net, chain->admin); /* full: then he is refused below */
    if (e != OM_E_NO_MEM && om_node_cert_decode(&c, chain->node) == OM_OK)
        e = om_ledger_note(&g->all, chain->node, &c, issuer);
    if (e == OM_E_NO_MEM)
        node_drop(n, OM_DROP_MEMORY);
}

bool node_ledger_admits(struct om_node *n, const struct om_network *net,
                        const struct om_cert_chain *chain, const struct om_member *m)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);

    if (!g)
        return net->is_open;
    note(n, g, chain, &m->issuer);
    return om_ledger_log(&g->all, &m->issuer) && om_ledger_of(&g->all, m) == OM_LEDGER_HOLDS;
}

void node_ledger_own(struct om_node *n, const struct om_network *net,
                     const struct om_cert_chain *chain, const struct om_member *m)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);

    if (g)
        note(n, g, chain, &m->issuer);
}

bool node_ledger_invites(struct om_node *n, const struct om_network *net, const struct om_id *key,
                         const struct om_grant *grant, struct om_bytes admin)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);
    struct om_id issuer = net->authority;
    struct om_admin_cert c;

    if (!g || om_ledger_invite_uses(grant->invite) != grant->uses ||
        om_ledger_revoked(&g->all, key))
        return false;
    if (admin.n > 0) {
        if (node_ledger_admin(n, net, admin) != OM_OK || om_admin_cert_decode(&c, admin) != OM_OK)
            return false;
        issuer = c.key;
    }
    return om_ledger_may_sign(&g->all, &issuer);
}

bool node_ledger_is_revoked(const struct om_node *n, const struct om_network *net,
                            const struct om_id *key)
{
    const struct node_ledger *g = node_ledger_of(n, &net->id);

    return g && om_ledger_revoked(&g->all, key);
}

bool node_ledger_may_sign(const struct om_node *n, const struct om_network *net,
                          const struct om_id *key)
{
    const struct node_ledger *g = node_ledger_of(n, &net->id);

    return g && (!om_ledger_log(&g->all, key) || om_ledger_may_sign(&g->all, key));
}

/* Without our certificate, what we sign would be a stranger's at the next start, and its numbers
 * would be signed a second time. Return: false when it will not be kept. */
static bool tell_cert(struct node_ledger *g, const struct om_id *owner)
{
    const struct om_ledger_log *log = om_ledger_log(&g->all, owner);

    if (g->is_cert_due && log && !log->is_authority)
        g->is_cert_due =
            !tell_one(g, true, owner, om_bytes(log->cert, sizeof log->cert), log->whole + 1);
    return !log || log->is_authority || !g->is_cert_due;
}

enum om_err node_ledger_sign_as(struct om_node *n, const struct om_network *net,
                                const struct om_identity *who, struct om_admin_entry *e)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);
    struct om_bytes entry;

    if (!g)
        return OM_E_MISSING;
    if (g->untold_count + 2 > OM_LEDGER_UNTOLD_MAX) /* it would not be kept, or its certificate */
        return OM_E_BUSY;
    if (!tell_cert(g, &who->id))
        return OM_E_NO_MEM;
    enum om_err err = om_ledger_sign(&g->all, who, e, &entry);
    if (err != OM_OK || tell_one(g, false, &who->id, entry, e->number))
        return err;
    om_ledger_unsign(&g->all, &who->id, e->number);
    return OM_E_NO_MEM;
}

enum om_err node_ledger_sign(struct om_node *n, const struct om_network *net,
                             struct om_admin_entry *e)
{
    return node_ledger_sign_as(n, net, &net->self, e);
}

/* What the ledger says of @key. */
static enum om_ledger_verdict verdict_of(const struct node_ledger *g, const struct om_id *key)
{
    const struct om_member *m = om_verified_find(&g->node->verified, g->net, key);

    if (om_ledger_revoked(&g->all, key))
        return OM_LEDGER_REVOKED;
    return m ? om_ledger_of(&g->all, m) : OM_LEDGER_HOLDS;
}

static void cut_off(struct node_ledger *g, struct om_peer *p, enum om_ledger_verdict why)
{
    struct om_node *n = g->node;

    node_event(n, n->now, &(struct om_event){.kind = OM_EVENT_REVOKED, .peer = p->id, .a = why});
    node_close(n, n->now, p, OM_CLOSE_REVOKED, "revoked");
    node_peer_evict(n, p);
}

/* Everybody anew: whoever is a member no more goes at once. */
static void judge(struct node_ledger *g)
{
    struct om_node *n = g->node;
    int64_t now_ms = node_unix_ms(n, n->now);
    enum om_ledger_verdict v;
    void *value;

    om_ledger_expire(&g->all, now_ms > 0 ? (uint32_t)(now_ms / 1000) : 0);
    g->judged = g->all.change;
    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net == g->net && (v = verdict_of(g, &p->id)) != OM_LEDGER_HOLDS)
            cut_off(g, p, v);
    }
    v = verdict_of(g, &g->net->self.id);
    if (v != OM_LEDGER_HOLDS && !g->is_out)
        node_event(n, n->now,
                   &(struct om_event){.kind = OM_EVENT_REVOKED, .peer = g->net->self.id, .a = v});
    g->is_out = v != OM_LEDGER_HOLDS;
    node_surplus_sign(g);
}

static bool tell(struct node_ledger *g, struct om_act *out)
{
    if (g->untold_count == 0)
        return false;
    free(g->told.bytes.p);
    g->told = g->untold[0];
    g->is_told = true;
    memmove(g->untold, g->untold + 1, --g->untold_count * sizeof g->untold[0]);
    out->kind = OM_ACT_MEMBER;
    out->member = (struct om_act_member){.network = g->net->id,
                                         .news = OM_MEMBER_LEDGER,
                                         .ledger = om_bytes(g->told.bytes.p, g->told.bytes.n)};
    return true;
}

/* The driver asks for more, so it kept what it was told. */
static void keep(struct node_ledger *g)
{
    if (g->is_told && g->told.from > 0)
        g->is_unkept = false;
    g->is_told = false;
}

void node_ledger_unkept(struct node_ledger *g)
{
    unsigned left = 0;

    if (!g->is_told)
        return;
    g->is_told = false;
    g->is_cert_due = true;
    if (g->told.from == 0)
        return; /* others tell it again */
    g->is_unkept = true;
    om_ledger_unsign(&g->all, &g->told.owner, g->told.from);
    for (unsigned i = 0; i < g->untold_count; i++) {
        if (g->untold[i].from > 0 && om_id_equal(&g->untold[i].owner, &g->told.owner))
            free(g->untold[i].bytes.p);
        else
            g->untold[left++] = g->untold[i];
    }
    g->untold_count = left;
}

enum node_step node_ledger_next(struct om_node *n, struct om_act *out)
{
    for (unsigned i = 0; i < n->network_count; i++) {
        struct node_ledger *g = n->ledgers[i];
        if (!g)
            continue;
        if (g->judged != g->all.change) {
            judge(g);
            return NODE_WORKED;
        }
        if (node_ledger_work(g))
            return NODE_WORKED;
        enum node_step step = node_rotate_next(g, out);
        if (step != NODE_IDLE)
            return step;
    }
    return NODE_IDLE;
}

bool node_ledger_tell(struct om_node *n, struct om_act *out)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->ledgers[i])
            keep(n->ledgers[i]);
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->ledgers[i] && tell(n->ledgers[i], out))
            return true;
    return false;
}

/* May we sign in @network? Then it is in @net. */
static enum om_err find_ours(struct om_node *n, om_time now, const struct om_id *network,
                             struct om_network **net)
{
    *net = node_network(n, network);
    if (!*net)
        return OM_E_MISSING;
    n->now = now;
    const struct node_join *j = (*net)->is_open ? NULL : node_join_of(n, *net);
    return j && j->is_admin && node_ledger_may_sign(n, *net, &(*net)->self.id) ? OM_OK : OM_E_STATE;
}

enum om_err om_node_revoke(struct om_node *n, om_time now, const struct om_id *network,
                           const struct om_id *key)
{
    struct om_admin_entry entry = {.kind = OM_ADMIN_KEY_REVOKED};
    struct om_network *net;
    enum om_err e = find_ours(n, now, network, &net);

    if (e != OM_OK)
        return e;
    if (om_id_equal(key, &net->self.id) || om_id_equal(key, &net->authority))
        return OM_E_RANGE;
    if (node_ledger_is_revoked(n, net, key))
        return OM_OK;
    if (om_ledger_is_admin(&node_ledger_of(n, &net->id)->all, key))
        return OM_E_RANGE; /* it would not count */
    memcpy(entry.subject, key->b, sizeof key->b);
    return node_ledger_sign(n, net, &entry);
}

enum om_err om_node_void(struct om_node *n, om_time now, const struct om_id *network,
                         const uint8_t invite[static OM_MEMBER_INVITE])
{
    struct om_admin_entry entry = {.kind = OM_ADMIN_INVITE_VOID};
    struct om_network *net;
    enum om_err e = find_ours(n, now, network, &net);

    if (e != OM_OK)
        return e;
    if (om_ledger_invite_uses(invite) == 0)
        return OM_E_RANGE;
    if (om_ledger_void(&node_ledger_of(n, network)->all, invite))
        return OM_OK;
    memcpy(entry.subject, invite, OM_MEMBER_INVITE);
    return node_ledger_sign(n, net, &entry);
}

enum om_err om_node_ledger(struct om_node *n, om_time now, const struct om_id *network,
                           struct om_bytes part)
{
    struct node_ledger *g = node_ledger_of(n, network);
    struct om_ledger_heard heard;

    if (!g)
        return node_network(n, network) ? OM_E_STATE : OM_E_MISSING;
    n->now = now;
    unsigned logs = g->all.log_count;
    enum om_err e = om_ledger_hear(&g->all, part, &heard);
    g->version += heard.entries > 0 || g->all.log_count > logs;
    node_ledger_kick(g, now);
    return e;
}

/* Is @t what we signed and did not tell? It may be taken back. */
static bool is_untold(const struct node_ledger *g, const struct om_ledger_told *t)
{
    struct om_rd r = om_rd(t->bytes);
    uint32_t number = om_rd_u32(&r);

    for (unsigned i = 0; i < g->untold_count; i++) {
        const struct node_ledger_part *p = &g->untold[i];
        if (!t->is_cert && p->from > 0 && number >= p->from && om_id_equal(&p->owner, t->owner))
            return true;
    }
    return false;
}

size_t om_node_ledger_all(struct om_node *n, const struct om_id *network,
                          struct om_ledger_place *place, uint8_t out[static OM_LEDGER_PART_MAX])
{
    struct node_ledger *g = node_ledger_of(n, network);
    struct om_ledger_walk w = {.log = place->log,
                               .given = place->given,
                               .is_begun = place->is_begun,
                               .is_downward = place->is_downward};
    struct om_ledger_told t;
    bool is_more = false;

    do
        is_more = g && om_ledger_walk_next(&w, &g->all, &t);
    while (is_more && is_untold(g, &t));
    *place = (struct om_ledger_place){w.log, w.given, w.is_begun, w.is_downward};
    return is_more ? om_ledger_part(out, &t) : 0;
}
