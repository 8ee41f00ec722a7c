/* node_join.c - one that has a link becomes a member. */
#include "node/join.h"

#include <stdlib.h>

#include <sodium.h>

#include "network/join_link.h"
#include "node/ledger.h"
#include "node/member.h"
#include "node/services.h"
#include "service/words.h"

static const char *const names[][2] = {
#define X(symbol, name, help) {name, help},
    OM_JOIN_WHYS(X)
#undef X
};

const char *om_join_why_name(enum om_join_why why)
{
    return (unsigned)why < OM_JOIN_WHY_COUNT ? names[why][0] : "unknown";
}

const char *om_join_why_text(enum om_join_why why)
{
    return (unsigned)why < OM_JOIN_WHY_COUNT ? names[why][1] : "";
}

static void refuse(struct node_join *j, enum om_join_why why)
{
    struct om_node *n = j->node;
    void *value;

    if (!j->is_asking)
        return;
    j->is_asking = false;
    j->has_why = true;
    j->why = why;
    node_event(n, n->now, &(struct om_event){.kind = OM_EVENT_JOIN_REFUSED, .a = why});
    sodium_memzero(&j->net->invitation.seed, sizeof j->net->invitation.seed);
    om_timer_stop(&n->timers, &j->timer);
    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net == j->net)
            p->is_wanted = false; /* nothing is sent any more but what is on its way */
    }
}

static void fire(struct om_timer *t, om_time now OM_UNUSED)
{
    struct node_join *j = OM_CONTAINER_OF(t, struct node_join, timer);
    const struct om_invitation *i = &j->net->invitation;
    struct om_grant g;
    bool makes_admin =
        om_grant_decode(&g, om_bytes(i->grant, sizeof i->grant)) == OM_OK && g.role & OM_ROLE_ADMIN;

    refuse(j, j->was_unkept      ? OM_JOIN_UNKEPT
              : !j->was_answered ? OM_JOIN_NOBODY
              : makes_admin      ? OM_JOIN_NO_CREATOR
                                 : OM_JOIN_NO_ADMIN);
}

struct node_join *node_join_of(struct om_node *n, const struct om_network *net)
{
    unsigned i = 0;

    while (i < n->network_count && n->networks[i] != net)
        i++;
    if (i == n->network_count || n->joins[i])
        return i < n->network_count ? n->joins[i] : NULL;
    struct node_join *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->node = n;
    j->net = n->networks[i];
    j->timer.fire = fire;
    j->timer.at = OM_NEVER;
    j->renewal.fire = node_renew_fire;
    j->renewal.at = OM_NEVER;
    OM_BUG_IF(om_proofs_init(&j->proofs, n->sip_key) != OM_OK); /* their sizes are ours */
    OM_BUG_IF(om_lru_init(&j->invited, OM_ID_BYTES, sizeof(struct node_invited), OM_INVITED_MAX,
                          n->sip_key) != OM_OK);
    om_bucket_init(&j->pardons, OM_JOIN_PARDONS_PER_S, OM_JOIN_PARDONS_BURST, n->now);
    n->joins[i] = j;
    return j;
}

void node_join_leave(struct om_node *n, unsigned i)
{
    struct node_join *j = n->joins[i];

    if (!j)
        return;
    om_timer_stop(&n->timers, &j->timer);
    om_timer_stop(&n->timers, &j->renewal);
    om_issuer_fini(&j->issuer);
    om_proofs_fini(&j->proofs);
    om_lru_fini(&j->invited);
    sodium_memzero(j, sizeof *j);
    free(j);
    n->joins[i] = NULL;
}

void node_join_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_join_leave(n, i);
}

void node_join_up(struct om_node *n, const struct om_peer *p)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->joins[i] && n->joins[i]->net == p->net)
            n->joins[i]->is_due = n->joins[i]->is_asking || n->joins[i]->is_renewing;
}

static bool was_asked(const struct node_join *j, const struct om_id *id)
{
    for (unsigned i = 0; i < j->asked_count; i++)
        if (om_id_equal(&j->asked[i], id))
            return true;
    return false;
}

/* Asks @p to be let in, or for another certificate, once. */
static void ask(struct node_join *j, struct om_peer *p)
{
    struct om_node *n = j->node;
    json_t *args = om_join_words_ask(j->is_asking ? j->name : "");
    struct om_mut text;
    struct node_call *c;

    if (args && om_words_dump(args, &text) == OM_OK) {
        const struct om_call_config config = {.method =
                                                  j->is_asking ? OM_METHOD_JOIN : OM_METHOD_RENEW,
                                              .args = om_bytes(text.p, text.n)};
        j->asked[j->asked_count++] = p->id;
        if (node_call_ask(n, n->now, p, &config, &c) == OM_OK)
            c->owner = CALL_OF_JOIN;
        free(text.p);
    }
    json_decref(args);
}

static bool may_answer(const struct node_join *j, const struct om_peer *p,
                       const struct om_session *s)
{
    if (j->is_asking)
        return s->session_class == OM_CLASS_JOIN;
    return s->session_class == OM_CLASS_RENEW || node_member_is_admin(j->node, p);
}

/* There is no session with @p, perhaps for want of use: it is asked once there is one. */
static void seek(struct om_node *n, struct om_peer *p)
{
    p->is_wanted = true;
    node_need_session(n, n->now, p);
    node_rearm(n, n->now, p);
}

static void ask_all(struct node_join *j)
{
    struct om_node *n = j->node;
    void *value;

    j->is_due = false;
    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        const struct om_session *s =
            p->net == j->net && p->assoc ? om_association_sealing(p->assoc, n->now) : NULL;
        if (p->net != j->net || was_asked(j, &p->id) || j->asked_count == OM_JOIN_ASKED_MAX)
            continue;
        if (s && may_answer(j, p, s))
            ask(j, p);
        else if (!s && j->is_renewing && node_member_is_admin(n, p))
            seek(n, p);
    }
}

/* A member that is no admin said who is: lanes lead there through it. */
static void seek_admins(struct node_join *j, const struct om_join_answer *a)
{
    struct om_node *n = j->node;
    struct om_peer *p;

    j->was_answered = true;
    for (unsigned i = 0; i < a->admin_count; i++) {
        if (was_asked(j, &a->admins[i]) || node_add_peer(n, j->net, &a->admins[i], &p) != OM_OK)
            continue;
        seek(n, p);
    }
}

/* Is there somebody whom we did not ask, or who did not answer yet? */
static bool has_others(const struct node_join *j)
{
    const struct om_node *n = j->node;
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        const struct om_peer *p = value;
        if (p->net == j->net && p->is_wanted && !was_asked(j, &p->id))
            return true;
    }
    for (size_t at = 0; om_table_next(&n->calls, &at, NULL, &value);) {
        const struct node_call *c = value;
        if (c->owner == CALL_OF_JOIN && om_id_equal(&c->network, &j->net->id) &&
            c->rpc.state != OM_CALL_REFUSED)
            return true;
    }
    return false;
}

static void on_error(struct node_join *j, const char *error)
{
    static const enum om_join_why final[] = {OM_JOIN_EXPIRED, OM_JOIN_USED, OM_JOIN_REVOKED,
                                             OM_JOIN_NAME_TAKEN, OM_JOIN_FULL};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(final); i++)
        if (strcmp(error, om_join_why_name(final[i])) == 0)
            refuse(j, final[i]);
    if (strcmp(error, om_join_why_name(OM_JOIN_UNKEPT)) != 0)
        return;
    j->was_unkept = true; /* which another admin may do better */
    if (!has_others(j))
        refuse(j, OM_JOIN_UNKEPT);
}

/* A certificate, and the secret beside it, are an admin's to give: whoever else has one of our key
 * had it of ourselves. */
static bool may_give(struct node_join *j, const struct node_call *c, const struct om_join_answer *a)
{
    const struct om_peer *p = om_peers_find(&j->node->peers, j->net, &c->id);

    if (p && node_member_is_admin(j->node, p))
        return j->is_asking || node_renew_helps(j, a);
    j->was_answered = true;
    return false;
}

void node_join_answered(struct node_call *c, om_time now OM_UNUSED)
{
    struct node_join *j = node_join_of(c->node, node_network(c->node, &c->network));
    struct om_join_answer a;
    json_t *ok = NULL;

    if (!j || !(j->is_asking || j->is_renewing) || j->has_answer)
        return;
    if (c->rpc.state != OM_CALL_ACCEPTED) {
        on_error(j, c->rpc.error);
        return;
    }
    if (om_words_load(om_bytes(c->rpc.body, strlen(c->rpc.body)), &ok) != OM_OK ||
        om_join_words_read(&a, ok) != OM_OK) {
        node_drop(c->node, OM_DROP_FRAME);
    } else if (a.is_made && !may_give(j, c, &a)) {
        node_drop(c->node, OM_DROP_HS_CREDENTIAL);
    } else if (a.is_made) {
        j->answer = a;
        j->has_answer = true;
    } else {
        seek_admins(j, &a);
    }
    json_decref(ok);
    sodium_memzero(&a, sizeof a);
}

/* With the peers of the joining nothing goes on; those that the link named are met anew. */
static void meet_anew(struct node_join *j, bool is_member)
{
    struct om_node *n = j->node;
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net != j->net)
            continue;
        if (!is_member) {
            node_close(n, n->now, p, OM_CLOSE_DONE, "joined");
        } else if (p->is_typed) {
            p->is_wanted = true;
            node_need_session(n, n->now, p);
        }
        node_rearm(n, n->now, p);
    }
}

/* Return: false when the answer is none that holds. */
static bool enter(struct node_join *j)
{
    struct om_node *n = j->node;
    const struct om_join_answer *a = &j->answer;
    const struct om_cert_chain chain = {om_bytes(a->node, a->node_len),
                                        om_bytes(a->admin, sizeof a->admin)};
    struct om_member m;
    unsigned i = 0;

    if (node_member_judge(n, n->now, j->net, &chain, &m) != OM_CERT_HOLDS ||
        node_member_set(n, n->now, j->net, &chain) != OM_OK)
        return false;
    meet_anew(j, false);
    sodium_memzero(&j->net->invitation, sizeof j->net->invitation);
    if (om_keyring_add(&n->keyring, n->now, j->net, a->epoch, a->secret) != OM_OK)
        return false;
    while (n->networks[i] != j->net)
        i++;
    if (!n->gossips[i] && node_gossip_start(n, i) != OM_OK)
        return false;
    j->is_asking = false;
    om_timer_stop(&n->timers, &j->timer);
    node_event(n, n->now, &(struct om_event){.kind = OM_EVENT_JOINED});
    meet_anew(j, true);
    return true;
}

static bool tell(struct node_join *j, struct om_act *out)
{
    out->kind = OM_ACT_MEMBER;
    out->member = (struct om_act_member){.network = j->net->id};
    if (!j->has_answer && j->answer.is_made) /* it was lent with the action before this one */
        sodium_memzero(&j->answer, sizeof j->answer);
    if (j->has_answer) {
        bool is_joining = j->is_asking;
        j->has_answer = false;
        if (is_joining ? enter(j) : node_renew_take(j)) {
            out->member.news = is_joining ? OM_MEMBER_JOINED : OM_MEMBER_RENEWED;
            out->member.epoch = j->answer.epoch;
            out->member.secret = j->answer.secret;
            out->member.called = j->answer.called;
            out->member.chain =
                (struct om_cert_chain){om_bytes(j->answer.node, j->answer.node_len),
                                       om_bytes(j->answer.admin, sizeof j->answer.admin)};
            return true;
        }
        refuse(j, OM_JOIN_GARBAGE);
    }
    if (j->has_why) {
        j->has_why = false;
        meet_anew(j, false);
        out->member.news = OM_MEMBER_REFUSED;
        out->member.why = j->why;
        return true;
    }
    return false;
}

enum node_step node_join_tell(struct om_node *n, struct om_act *out)
{
    enum node_step step = NODE_IDLE;

    for (unsigned i = 0; i < n->network_count && step == NODE_IDLE; i++)
        if (n->joins[i])
            step = node_issue_next(n->joins[i], out);
    return step;
}

enum node_step node_join_next(struct om_node *n, struct om_act *out)
{
    for (unsigned i = 0; i < n->network_count; i++) {
        struct node_join *j = n->joins[i];
        if (!j)
            continue;
        if (j->is_due) {
            ask_all(j);
            return NODE_WORKED;
        }
        if (tell(j, out))
            return NODE_TOLD;
    }
    return NODE_IDLE;
}

/* The link as a network that only asks; *@out is in the tables of @n then. */
static enum om_err add_network(struct om_node *n, const struct om_join_link *l,
                               struct om_network **out, struct om_error *err)
{
    struct om_network *net;
    struct om_id id;

    om_join_link_network(&id, l);
    if (node_network(n, &id))
        return om_fail(err, OM_E_EXISTS, "this node is in that network, or is joining it");
    if (n->network_count == OM_NETWORKS_MAX)
        return om_fail(err, OM_E_FULL, "in %d networks, which is the most", OM_NETWORKS_MAX);
    net = om_vault_take(n->networks_vault);
    if (!net)
        return om_fail(err, OM_E_NO_MEM, "network: %s", om_err_text(OM_E_NO_MEM));
    net->id = id;
    net->authority = l->authority;
    net->invitation.is_held = true;
    net->invitation.has_admin = l->has_admin;
    memcpy(net->invitation.seed, l->seed, sizeof l->seed);
    memcpy(net->invitation.grant, l->grant, sizeof l->grant);
    memcpy(net->invitation.admin, l->admin, sizeof l->admin);
    enum om_err e = om_identity_for_network(&net->self, n->home_seed, &net->id);
    if (e == OM_OK)
        e = om_keyring_add_join(&n->keyring, n->now, net, l->epoch, l->secret);
    if (e != OM_OK) {
        om_vault_give(n->networks_vault, net);
        return om_fail(err, e, "network: %s", om_err_text(e));
    }
    n->networks[n->network_count++] = net;
    *out = net;
    e = node_ledger_start(n, n->network_count - 1);
    return e == OM_OK ? node_service_start(n, n->network_count - 1) : e;
}

/* Would a member take this invitation today? */
static enum om_err check_grant(const struct om_node *n, om_time now, const struct om_join_link *l,
                               struct om_error *err)
{
    struct om_bytes admin = om_bytes(l->admin, l->has_admin ? sizeof l->admin : 0);
    struct om_grant grant;
    struct om_id id;

    if (l->is_open)
        return om_fail(err, OM_E_RANGE, "the link is of an open network, which is just joined");
    om_join_link_network(&id, l);
    switch (om_grant_check(&grant, &id, &l->authority, om_bytes(l->grant, sizeof l->grant), admin,
                           (uint32_t)(node_unix_ms(n, now) / 1000))) {
    case OM_CERT_HOLDS:
        return OM_OK;
    case OM_CERT_EXPIRED:
        return om_fail(err, OM_E_STATE, "%s", om_join_why_text(OM_JOIN_EXPIRED));
    case OM_CERT_EARLY:
        return om_fail(err, OM_E_STATE, "%s", om_join_why_text(OM_JOIN_CLOCK));
    case OM_CERT_FORGED:
    case OM_CERT_VERDICTS:
        break;
    }
    return om_fail(err, OM_E_PARSE, "the link's invitation is not signed by the network");
}

static enum om_err begin(struct om_node *n, om_time now, const struct om_join_link *l,
                         const char *name, struct om_id *network, struct om_error *err)
{
    struct om_network *net = NULL;
    enum om_err e = check_grant(n, now, l, err);

    if (e == OM_OK && *name && !om_cert_is_name(name, strnlen(name, OM_MEMBER_NAME_MAX + 1)))
        e = om_fail(err, OM_E_RANGE, "a name has letters a-z, digits and \"-\", a letter first");
    if (e == OM_OK)
        e = add_network(n, l, &net, err);
    struct node_join *j = net && e == OM_OK ? node_join_of(n, net) : NULL;
    if (e == OM_OK &&
        (!j || om_timer_arm(&n->timers, &j->timer, now + OM_SEC(OM_JOIN_PATIENCE_S)) != OM_OK))
        e = om_fail(err, OM_E_NO_MEM, "network: %s", om_err_text(OM_E_NO_MEM));
    if (e != OM_OK || !j)
        return e;
    j->is_asking = true;
    memcpy(j->name, name, strlen(name) + 1);
    *network = net->id;
    for (unsigned i = 0; i < l->peer_count; i++)
        if (om_node_connect(n, now, &net->id, &l->peers[i].key, &l->peers[i].addr, 1) != OM_OK)
            node_drop(n, OM_DROP_PEERS_FULL); /* the others may answer */
    return OM_OK;
}

enum om_err om_node_join_by_link(struct om_node *n, om_time now, const char *link, const char *name,
                                 struct om_id *network, struct om_error *err)
{
    struct om_join_link l;
    enum om_err e = om_join_link_parse(&l, link, err);

    if (e != OM_OK)
        return e;
    n->now = now;
    e = begin(n, now, &l, name, network, err);
    sodium_memzero(&l, sizeof l);
    return e;
}
