/* node_issue.c - who asks to become a member is answered. */
#include <stdlib.h>

#include <sodium.h>

#include <omerta/members.h>

#include "crypto/kdf.h"
#include "node/join.h"
#include "node/ledger.h"
#include "node/member.h"
#include "node/names.h"
#include "node/rotate.h"
#include "service/words.h"

bool node_join_admit(struct om_node *n, om_time now, const struct om_network *net, uint8_t kind,
                     const struct om_proof_shown *shown, struct om_id *id)
{
    struct node_join *j = node_join_of(n, net);
    struct node_invited by = {.admin_len = 0};
    struct om_bytes admin;

    if (kind != OM_CREDENTIAL_JOIN || net->credential_len == 0 || !j ||
        !om_proof_check(&j->proofs, net, shown, (uint32_t)(node_unix_ms(n, now) / 1000), id,
                        &by.grant))
        return false;
    admin = om_proof_admin(shown->bytes);
    if (!node_ledger_invites(n, net, id, &by.grant, admin))
        return false;
    /* A link that many have takes no room from who may come, and one that says nothing none. */
    bool is_void = om_node_is_void(n, &net->id, by.grant.invite);
    if ((is_void && !om_bucket_take(&j->pardons, now, 1)) ||
        !om_proof_note(&j->proofs, now, shown->ephemeral, is_void))
        return false;
    if (admin.n > 0)
        memcpy(by.admin, admin.p, admin.n);
    by.admin_len = admin.n;
    struct node_invited *at = om_lru_put(&j->invited, id->b, NULL);
    if (at)
        *at = by;
    return at != NULL;
}

bool node_join_may_ask(const struct node_call *c)
{
    const struct om_session *s = c->peer && c->peer->assoc ? c->peer->assoc->carry : NULL;

    switch (s ? s->session_class : OM_CLASS_FULL) {
    case OM_CLASS_FULL:
        return strcmp(c->rpc.method, OM_METHOD_JOIN) != 0;
    case OM_CLASS_JOIN:
        return strcmp(c->rpc.method, OM_METHOD_JOIN) == 0;
    case OM_CLASS_RENEW:
        return strcmp(c->rpc.method, OM_METHOD_RENEW) == 0;
    case OM_CLASS_RESYNC:
        return strcmp(c->rpc.method, OM_METHOD_LEDGER) == 0;
    }
    return false;
}

/* The admins that we hold sessions with. */
static void name_admins(const struct om_node *n, const struct om_network *net,
                        struct om_join_answer *out)
{
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        const struct om_peer *p = value;
        if (p->net == net && out->admin_count < OM_JOIN_ADMINS_MAX && node_member_is_admin(n, p) &&
            p->assoc && om_association_sealing(p->assoc, n->now))
            out->admins[out->admin_count++] = p->id;
    }
}

/* Would one made @now_s hold, and for longer than @until, when that of @m ends? Not beyond ours. */
static bool is_longer(const struct node_join *j, const struct om_member *m, uint32_t until,
                      uint32_t now_s)
{
    struct om_admin_cert ours;

    return m->roles & OM_ROLE_ADMIN || /* which the authority makes */
           (om_admin_cert_decode(&ours, om_bytes(j->issuer.cert, sizeof j->issuer.cert)) == OM_OK &&
            ours.expires > until && ours.expires > now_s);
}

/* Did we ourselves sign that invitation? */
static bool is_of_ours(const struct node_join *j, const struct node_invited *by)
{
    struct om_admin_cert c;

    if (by->admin_len == 0)
        return j->net->has_signer;
    return om_admin_cert_decode(&c, om_bytes(by->admin, by->admin_len)) == OM_OK &&
           om_id_equal(&c.key, &j->net->self.id);
}

/* Does @key wait for a certificate? */
static bool is_waiting(const struct node_join *j, const struct om_id *key)
{
    for (unsigned i = 0; i < j->made_count; i++)
        if (om_id_equal(&j->made[i].cert.key, key))
            return true;
    return false;
}

/* Makes the certificate that @c asks for. Return: as om_issuer_admit(); OM_E_UNSUPPORTED when only
 * the authority can. */
static enum om_err make(struct node_join *j, om_time now, const struct node_call *c,
                        const char *name, struct om_node_cert *out)
{
    struct om_node *n = j->node;
    const uint32_t now_s = (uint32_t)(node_unix_ms(n, now) / 1000);

    if (j->made_count == OM_JOIN_MADE_MAX)
        return OM_E_FULL;
    if (is_waiting(j, &c->id))
        return OM_E_MISSING; /* it is about to be answered */
    if (strcmp(c->rpc.method, OM_METHOD_RENEW) == 0) {
        const struct om_member *m = om_verified_find(&n->verified, j->net, &c->id);
        const uint32_t until = om_verified_shown(&n->verified, j->net, &c->id); /* it has no more */
        if (!m || now_s < node_renew_from(m->issued, until))
            return OM_E_MISSING; /* it has time */
        if (om_ledger_of(&node_ledger_of(n, &j->net->id)->all, m) != OM_LEDGER_HOLDS)
            return OM_E_CRYPTO; /* heard just now: not everybody was judged anew yet */
        if (m->roles & OM_ROLE_ADMIN && !j->net->has_signer)
            return OM_E_UNSUPPORTED;
        if (!is_longer(j, m, until, now_s))
            return OM_E_MISSING;
        return om_issuer_renew(&j->issuer, m, now_s, out);
    }
    const struct node_invited *by = om_lru_peek(&j->invited, c->id.b);
    if (!by)
        return OM_E_MISSING;
    if (!node_ledger_invites(n, j->net, &c->id, &by->grant, om_bytes(by->admin, by->admin_len)))
        return OM_E_CRYPTO; /* taken back since it came */
    if (now_s > by->grant.expires && is_of_ours(j, by))
        return OM_E_RANGE; /* by the calendar that said until when: clocks are no excuse */
    if (by->grant.role & OM_ROLE_ADMIN && !j->net->has_signer)
        return OM_E_UNSUPPORTED;
    node_names_note(n, j->net, &j->issuer, now_s);
    /* Before what a key may have in a day: that counts certificates, each of which takes up our
     * log, and for an invitation that is used none is made. So who has such a link cannot wear
     * anything out: a new key has nothing to count, and gets no row here. It costs a look for each
     * question of the few that OM_CLASS_BYTES_MAX lets a session ask, and says what its holder,
     * who proved to be one, was to be told. */
    if (om_issuer_is_used(&j->issuer, &node_ledger_of(n, &j->net->id)->all, &by->grant, &c->id))
        return OM_E_STATE;
    return om_issuer_admit(&j->issuer, j->net, &by->grant, &c->id, name, now_s, out);
}

static const char *error_of(enum om_err e)
{
    switch (e) {
    case OM_E_STATE:
        return om_join_why_name(OM_JOIN_USED);
    case OM_E_EXISTS:
        return om_join_why_name(OM_JOIN_NAME_TAKEN);
    case OM_E_CRYPTO:
        return om_join_why_name(OM_JOIN_REVOKED);
    case OM_E_RANGE:
        return om_join_why_name(OM_JOIN_EXPIRED);
    case OM_E_FULL:
    case OM_E_NO_MEM:
        return om_join_why_name(OM_JOIN_FULL);
    default:
        return om_call_error_name(OM_CALL_REFUSED_ERROR);
    }
}

/* The invitation by which @key came: whoever knows that says so, and names no admins. */
static bool is_taken_back(struct node_join *j, const struct om_id *key)
{
    const struct node_invited *by = om_lru_peek(&j->invited, key->b);

    return by && om_node_is_void(j->node, &j->net->id, by->grant.invite);
}

/* Answers @c with @a, which names admins, or has it wait for a certificate. */
static enum om_err answer(struct node_join *j, om_time now, struct node_call *c, const char *name,
                          struct om_join_answer *a)
{
    if (j && strcmp(c->rpc.method, OM_METHOD_JOIN) == 0 && is_taken_back(j, &c->id))
        return OM_E_CRYPTO;
    if (!j || !j->is_admin || !node_ledger_may_sign(c->node, j->net, &j->net->self.id)) {
        name_admins(c->node, node_network(c->node, &c->network), a);
        return OM_OK;
    }
    struct node_made m = {.call = c->handle};
    m.is_again = om_issuer_find(&j->issuer, &c->id, &m.before);
    enum om_err e = make(j, now, c, name, &m.cert);
    if (e == OM_E_UNSUPPORTED) { /* others may have the authority */
        name_admins(c->node, j->net, a);
        return OM_OK;
    }
    if (e != OM_OK)
        return e;
    j->made[j->made_count++] = m;
    c->owner = CALL_OF_ISSUE;
    return OM_OK;
}

/* @a as the answer to @c. */
static enum om_err say(struct node_call *c, const struct om_join_answer *a)
{
    json_t *ok = om_join_words_answer(a);
    struct om_mut text;
    enum om_err e = ok ? om_words_dump(ok, &text) : OM_E_NO_MEM;

    json_decref(ok);
    if (e != OM_OK)
        return e;
    e = om_call_accept(&c->rpc, om_bytes(text.p, text.n));
    sodium_memzero(text.p, text.n);
    free(text.p);
    return e;
}

bool node_join_asked(struct node_call *c, om_time now)
{
    struct om_join_answer a = {.is_made = false};
    const struct om_network *net = node_network(c->node, &c->network);
    const char *name = NULL;
    json_t *args = NULL;
    enum om_err e = OM_E_PARSE;

    if (strcmp(c->rpc.method, OM_METHOD_JOIN) != 0 && strcmp(c->rpc.method, OM_METHOD_RENEW) != 0)
        return false;
    if (om_words_load(om_bytes(c->rpc.body, strlen(c->rpc.body)), &args) == OM_OK)
        name = om_join_words_name(args);
    if (name && !net->is_open)
        e = answer(node_join_of(c->node, net), now, c, name, &a);
    json_decref(args);
    if (e == OM_OK && c->owner != CALL_OF_ISSUE)
        e = say(c, &a);
    if (e != OM_OK)
        (void)!om_call_refuse(&c->rpc, error_of(e), NULL);
    return true;
}

/* The certificate of @m as an answer that ends by @a. */
static void fill(const struct node_join *j, const struct node_made *m, struct om_join_answer *a)
{
    *a = (struct om_join_answer){.is_made = true, .epoch = j->net->current->number};
    if (m->cert.roles & OM_ROLE_ADMIN) {
        node_authority_sign(j->net, &m->cert, a);
    } else {
        a->node_len = om_node_cert_encode(a->node, &m->cert, &j->net->self, &j->net->id);
        memcpy(a->admin, j->issuer.cert, sizeof a->admin);
    }
    memcpy(a->called, j->net->called, sizeof a->called);
    memcpy(a->secret, j->net->current->secret, sizeof a->secret);
}

/* A certificate that our log does not name dies with us as an admin. */
static enum om_err sign_member(const struct node_join *j, const struct node_made *m)
{
    struct om_admin_entry e = {.kind = OM_ADMIN_ISSUED};
    uint8_t bytes[OM_NODE_CERT_MAX];
    size_t n = om_node_cert_encode(bytes, &m->cert, &j->net->self, &j->net->id);

    om_hash(e.subject, om_bytes(bytes, n), om_bytes(NULL, 0));
    enum om_err err = node_ledger_sign(j->node, j->net, &e);
    return err == OM_E_STATE ? OM_E_MISSING : err; /* ours came back from a backup: not yet */
}

/* Who waits for the first of those made is answered: with it, or with @error. */
static void settle(struct node_join *j, const char *error)
{
    const struct node_made m = j->made[0];
    struct om_node *n = j->node;
    struct om_join_answer a;

    j->is_told = j->is_unkept = false;
    memmove(j->made, j->made + 1, --j->made_count * sizeof j->made[0]);
    struct node_call *c = om_table_find(&n->calls, &m.call);
    if (!error) {
        node_event(
            n, n->now,
            &(struct om_event){.kind = OM_EVENT_ISSUED, .peer = m.cert.key, .a = m.cert.number});
        fill(j, &m, &a);
        enum om_err e = c ? say(c, &a) : OM_OK; /* it may be gone: it asks again */
        sodium_memzero(&a, sizeof a);
        error = e == OM_OK ? NULL : error_of(e);
    }
    if (c && error)
        (void)!om_call_refuse(&c->rpc, error, NULL);
    if (c)
        node_call_answer(c, n->now);
}

enum node_step node_issue_next(struct node_join *j, struct om_act *out)
{
    struct node_made *m = &j->made[0];
    enum om_err e = OM_OK;

    if (j->made_count == 0)
        return NODE_IDLE;
    if (!j->is_told) {
        size_t n = om_node_cert_encode(j->told, &m->cert, &j->net->self, &j->net->id);
        j->is_told = true;
        out->kind = OM_ACT_MEMBER;
        out->member = (struct om_act_member){
            .network = j->net->id,
            .news = OM_MEMBER_ISSUED,
            .chain = {om_bytes(j->told, n), om_bytes(j->issuer.cert, sizeof j->issuer.cert)}};
        return NODE_TOLD;
    }
    if (!j->is_unkept && !m->is_signed && !(m->cert.roles & OM_ROLE_ADMIN)) {
        m->is_signed = true; /* and is told, and kept, before it is answered */
        e = sign_member(j, m);
        if (e == OM_OK)
            return NODE_WORKED;
    }
    if (j->is_unkept && !m->is_signed) /* else it is on the disk: its key may come again */
        om_issuer_put_back(&j->issuer, &m->cert.key, m->is_again ? &m->before : NULL);
    settle(j, j->is_unkept ? om_join_why_name(OM_JOIN_UNKEPT) : e != OM_OK ? error_of(e) : NULL);
    return NODE_WORKED;
}

void om_node_unkept(struct om_node *n, const struct om_id *network)
{
    const struct om_network *net = node_network(n, network);
    struct node_join *j = net && !net->is_open ? node_join_of(n, net) : NULL;
    struct node_ledger *g = node_ledger_of(n, network);

    if (j && j->is_told)
        j->is_unkept = true;
    if (g)
        node_ledger_unkept(g);
}

enum om_err om_node_call_network(struct om_node *n, const struct om_id *network, const char *name)
{
    struct om_network *net = node_network(n, network);
    size_t len = strlen(name);

    if (!net)
        return OM_E_MISSING;
    if (len > OM_NAME_MAX)
        return OM_E_RANGE;
    memcpy(net->called, name, len + 1);
    return OM_OK;
}

enum om_err om_node_admin(struct om_node *n, om_time now, const struct om_id *network,
                          struct om_bytes cert)
{
    struct om_network *net = node_network(n, network);
    struct om_admin_cert admin;

    if (!net)
        return OM_E_MISSING;
    if (net->is_open)
        return OM_E_STATE;
    n->now = now;
    struct node_join *j = node_join_of(n, net);
    if (!j)
        return OM_E_NO_MEM;
    j->is_admin = false;
    if (cert.n == 0) {
        node_rotate_admin(n, net, cert);
        return OM_OK;
    }
    if (!om_admin_cert_verify(&admin, &net->id, &net->authority, cert) ||
        !om_id_equal(&admin.key, &net->self.id))
        return OM_E_CRYPTO;
    enum om_err e = node_ledger_admin(n, net, cert);
    if (e != OM_OK)
        return e;
    memcpy(j->issuer.cert, cert.p, sizeof j->issuer.cert);
    j->is_admin = true;
    node_rotate_admin(n, net, cert);
    return OM_OK;
}

enum om_err om_node_issued(struct om_node *n, const struct om_id *network, struct om_bytes node)
{
    const struct om_network *net = node_network(n, network);
    struct node_join *j = net && !net->is_open ? node_join_of(n, net) : NULL;
    struct om_node_cert c;

    if (!j)
        return OM_E_MISSING;
    if (om_node_cert_decode(&c, node) != OM_OK)
        return OM_E_PARSE;
    return om_issuer_note(&j->issuer, &c);
}
