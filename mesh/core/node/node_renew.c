/* node_renew.c - a certificate is renewed from the half of its life on. */
#include "node/join.h"
#include "node/member.h"

enum {
    RETRY_S = 60,      /* from the first round of asking to the second, while nobody answers */
    RETRY_MAX_S = 3600 /* doubled up to that */
};

uint32_t node_renew_from(uint32_t issued, uint32_t expires)
{
    uint32_t life = expires > issued ? expires - issued : 0;

    /* A renewed one was issued long ago. */
    return expires - (life < OM_CERT_LIFE_S ? life : (uint32_t)OM_CERT_LIFE_S) / 2;
}

/* When our certificate in @net is to be renewed, in Unix s; false: there is none, or it makes the
 * one an admin who holds the authority, and renews it himself. */
static bool due_at(const struct om_network *net, int64_t *at_s)
{
    size_t admin = net->credential_kind == OM_CREDENTIAL_ADMIN ? OM_ADMIN_CERT_BYTES : 0;
    struct om_bytes all = om_bytes(net->credential, net->credential_len);
    struct om_admin_cert issuer = {.expires = UINT32_MAX};
    struct om_node_cert c;

    if (all.n == 0 || om_node_cert_decode(&c, om_bytes(all.p, all.n - admin)) != OM_OK ||
        (admin > 0 &&
         om_admin_cert_decode(&issuer, om_bytes(all.p + all.n - admin, admin)) != OM_OK) ||
        (c.roles & OM_ROLE_ADMIN && net->has_signer) || c.expires < c.issued)
        return false;
    /* It holds no longer than its issuer's. */
    *at_s = node_renew_from(c.issued, issuer.expires < c.expires ? issuer.expires : c.expires);
    return true;
}

/* A new round: everybody who may know is asked once. */
static void begin(struct node_join *j)
{
    j->is_renewing = true;
    j->is_due = true;
    j->asked_count = 0;
}

void node_renew_plan(struct om_node *n, om_time now, struct om_network *net)
{
    struct node_join *j = node_join_of(n, net);
    om_time at = now + 1;
    int64_t at_s;

    if (!j)
        return; /* not in the tables yet, or no memory: planned again with the next certificate */
    j->is_renewing = false;
    j->renewal_wait = OM_SEC(RETRY_S);
    om_timer_stop(&n->timers, &j->renewal);
    if (!due_at(net, &at_s))
        return;
    int64_t wait_ms = at_s * 1000 - node_unix_ms(n, now);
    if (wait_ms > 0)
        at = now + OM_MS(wait_ms);
    if (om_timer_arm(&n->timers, &j->renewal, at) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

void node_renew_fire(struct om_timer *t, om_time now)
{
    struct node_join *j = OM_CONTAINER_OF(t, struct node_join, renewal);

    begin(j);
    if (om_timer_arm(&j->node->timers, &j->renewal, now + j->renewal_wait) != OM_OK)
        node_drop(j->node, OM_DROP_MEMORY);
    j->renewal_wait = om_time_min(2 * j->renewal_wait, OM_SEC(RETRY_MAX_S));
}

/* Is the certificate of @net being renewed, and still to be? */
static bool is_under_way(const struct om_node *n, om_time now, const struct om_network *net)
{
    int64_t at_s;

    for (unsigned i = 0; i < n->network_count; i++)
        if (n->networks[i] == net)
            return n->joins[i] && n->joins[i]->is_renewing && due_at(net, &at_s) &&
                   at_s * 1000 <= node_unix_ms(n, now);
    return false;
}

void node_renew_wall(struct om_node *n, om_time now)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->networks[i]->credential_len > 0 &&
            !is_under_way(n, now, n->networks[i])) /* which goes on: drivers set it often */
            node_renew_plan(n, now, n->networks[i]);
}

void node_renew_meet(struct om_node *n, const struct om_network *net)
{
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net != net || node_member_is_full(p) ||
            p->assoc->carry->session_class ==
                OM_CLASS_JOIN) /* a guest, who did not take us for late */
            continue;
        node_close(n, n->now, p, OM_CLOSE_DONE, "renewed"); /* who took us for late meets us anew */
        p->is_wanted = true;
        node_need_session(n, n->now, p);
        node_rearm(n, n->now, p);
    }
}

bool node_renew_helps(const struct node_join *j, const struct om_join_answer *a)
{
    const struct om_cert_chain chain = {om_bytes(a->node, a->node_len),
                                        om_bytes(a->admin, sizeof a->admin)};
    struct om_shown ours = {.static_key = j->net->self.dh_public};
    struct om_node *n = j->node;
    struct om_member had, m;

    if (node_member_judge(n, n->now, j->net, &chain, &m) != OM_CERT_HOLDS)
        return false;
    ours.bytes = om_credential_ours(j->net, &ours.kind);
    return om_verified_check(&n->verified, j->net, &ours, 0, &had) == OM_CERT_FORGED ||
           m.until > had.until;
}

bool node_renew_take(struct node_join *j)
{
    struct om_node *n = j->node;
    const struct om_join_answer *a = &j->answer;
    const struct om_cert_chain chain = {om_bytes(a->node, a->node_len),
                                        om_bytes(a->admin, sizeof a->admin)};

    if (node_member_set(n, n->now, j->net, &chain) != OM_OK)
        return false;
    node_event(n, n->now, &(struct om_event){.kind = OM_EVENT_RENEWED});
    node_renew_meet(n, j->net);
    return true;
}
