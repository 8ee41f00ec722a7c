/* node_rotate.c - the secret changes, and sessions go on. */
#include "node/rotate.h"

#include <sodium.h>

#include <omerta/rotate.h>

#include "node/join.h"
#include "node/ledger.h"
#include "node/member.h"

static_assert((int)OM_ROTATION_KEPT_MAX <= (int)OM_EPOCHS_KEPT_MAX, "drivers have less room");

static uint32_t unix_s(const struct om_node *n, om_time now)
{
    int64_t ms = node_unix_ms(n, now);

    return ms > 0 ? (uint32_t)(ms / 1000) : 0;
}

static void fire(struct om_timer *t, om_time now OM_UNUSED)
{
    OM_CONTAINER_OF(t, struct node_rotation, timer)->is_due = true;
}

enum om_err node_rotate_start(struct node_ledger *g)
{
    struct om_vault *vault = om_vault_new(sizeof(struct node_rotation), 1, g->node->lock_secrets);
    struct node_rotation *t = vault ? om_vault_take(vault) : NULL;

    if (!t) {
        om_vault_free(vault);
        return OM_E_NO_MEM;
    }
    t->ledger = g;
    t->vault = vault;
    t->timer.fire = fire;
    t->timer.at = OM_NEVER;
    t->met_at = OM_NEVER;
    om_rotation_init(&t->r, &g->net->id, &g->net->authority);
    g->rotation = t;
    return OM_OK;
}

void node_rotate_stop(struct node_ledger *g)
{
    struct node_rotation *t = g->rotation;
    struct om_vault *vault = t ? t->vault : NULL;

    if (!t)
        return;
    om_timer_stop(&g->node->timers, &t->timer);
    om_vault_give(vault, t); /* which wipes it */
    om_vault_free(vault);
    g->rotation = NULL;
}

void node_rotate_admin(struct om_node *n, const struct om_network *net, struct om_bytes cert)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);

    if (!g)
        return;
    om_rotation_admin(&g->rotation->r, cert.n > 0 ? &g->net->self : NULL, cert);
    g->rotation->is_due = true;
}

/* The machine begins with the secret that we joined with; false: there is none yet. */
static bool begin(struct node_rotation *t)
{
    const struct om_epoch *e = t->ledger->net->current;

    if (!t->r.has_current && e && !e->is_join)
        om_rotation_bare(&t->r, e->number, e->secret);
    return t->r.has_current;
}

static bool is_on_keyring(const struct node_rotation *t)
{
    const struct om_epoch *e = t->ledger->net->current;

    return e && !e->is_join && e->number == t->r.current.number &&
           sodium_memcmp(e->secret, t->r.current.secret, sizeof e->secret) == 0;
}

/* Is what we go by signed, so that it can be named and given? */
static bool is_signed(const struct node_rotation *t)
{
    return t->r.len > 0 && is_on_keyring(t);
}

void node_rotate_name(const struct node_ledger *g, struct om_ledger_ask *a)
{
    a->has_epoch = is_signed(g->rotation);
    if (a->has_epoch)
        memcpy(a->epoch, g->net->current->id, sizeof a->epoch);
}

bool node_rotate_is_even(const struct node_ledger *g, const struct om_ledger_ask *a)
{
    return a->has_epoch && memcmp(a->epoch, g->net->current->id, sizeof a->epoch) == 0;
}

static uint32_t number_of(const struct om_ledger_ask *a)
{
    struct om_rd r = om_rd(om_bytes(a->epoch, sizeof a->epoch));

    return om_rd_u32(&r);
}

/* Ours yields to any that lists all that we know of. */
static bool is_disowned(const struct node_rotation *t)
{
    return t->r.len > 0 && !om_ledger_may_sign(&t->ledger->all, &t->r.maker);
}

bool node_rotate_wants(const struct node_ledger *g, const struct om_ledger_ask *a)
{
    const struct node_rotation *t = g->rotation;
    uint32_t ours = t->r.current.number, theirs = number_of(a);

    if (!a->has_epoch || !t->r.has_current || node_rotate_is_even(g, a))
        return false;
    return is_disowned(t) || (theirs >= ours && theirs - ours <= OM_ROTATION_LEAP_MAX);
}

struct om_bytes node_rotate_give(const struct node_ledger *g, const struct om_id *id,
                                 const struct om_ledger_ask *a)
{
    const struct om_member *m = om_verified_find(&g->node->verified, g->net, id);
    const struct node_rotation *t = g->rotation;

    /* Also where its number is higher: the maker of that one may be revoked. Who hears decides. */
    if (!m || !is_signed(t) || node_rotate_is_even(g, a))
        return om_bytes(NULL, 0);
    return om_rotation_give(&t->r, &g->all, m);
}

enum om_rotation_put node_rotate_hear(struct node_ledger *g, struct om_bytes in)
{
    struct node_rotation *t = g->rotation;
    const om_time now = g->node->now;

    (void)begin(t);
    t->is_due = true;
    return om_rotation_put(&t->r, now, unix_s(g->node, now), &g->all, in);
}

void node_rotate_met(struct node_ledger *g)
{
    g->rotation->met_at = g->node->now;
    g->rotation->has_doubted = false;
}

/* Nobody tells one whose epoch they have forgotten that it is so: they cannot read what it says. */
void node_rotate_doubt(struct om_node *n, const struct om_network *net)
{
    struct node_ledger *g = node_ledger_of(n, &net->id);
    struct node_rotation *t = g ? g->rotation : NULL;

    if (!t || t->has_doubted || net->invitation.is_held ||
        (t->met_at != OM_NEVER && n->now - t->met_at < OM_SEC(OM_ROTATE_ALONE_S)))
        return;
    t->has_doubted = true;
    node_event(n, n->now, &(struct om_event){.kind = OM_EVENT_OUTDATED, .peer = net->self.id});
}

/* Handshakes that are under way name epochs that may go: they begin anew with the current one. */
static void end_handshakes(struct node_rotation *t)
{
    struct om_node *n = t->ledger->node;
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net != t->ledger->net || !p->handshake)
            continue;
        bool is_settled = p->handshake->is_settled;
        node_end_handshake(n, p);
        if (!is_settled)
            p->is_wanted = true;
    }
}

/* With whom we talked only of the epoch is met as a member: nobody is behind any more. */
static void close_resync(struct node_rotation *t, struct om_peer *p)
{
    struct om_node *n = t->ledger->node;

    if (!node_member_is_behind(p))
        return;
    node_close(n, n->now, p, OM_CLOSE_DONE, "resync");
    p->is_wanted = true;
}

/* Whoever was called in vain, or only about the epoch. */
static void meet(struct node_rotation *t)
{
    struct om_node *n = t->ledger->node;
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net != t->ledger->net)
            continue;
        close_resync(t, p);
        if (p->is_wanted && !p->handshake)
            node_need_session(n, n->now, p);
        node_rearm(n, n->now, p);
    }
}

static void install(struct node_rotation *t)
{
    struct node_ledger *g = t->ledger;
    struct om_node *n = g->node;
    const uint32_t number = t->r.current.number;

    end_handshakes(t);
    t->is_stuck =
        om_keyring_add(&n->keyring, n->now, g->net, number, t->r.current.secret) != OM_OK &&
        !is_on_keyring(t);
    if (t->is_stuck) {
        node_drop(n, OM_DROP_MEMORY);
    } else {
        node_event(n, n->now, &(struct om_event){.kind = OM_EVENT_EPOCH, .a = number});
        g->version++; /* everybody is asked, and sees by the question that we have another */
        node_ledger_kick(g, n->now);
        node_hello_again(n, g->net);
    }
    meet(t);
}

/* When to look again. */
static om_time look_at(const struct node_rotation *t, om_time now)
{
    om_time at = om_rotation_deadline(&t->r);

    if (t->r.past_count == OM_ROTATION_PAST_MAX) /* soon it is one too many */
        at = om_time_min(at, now + OM_SEC(OM_ROTATION_PREVIOUS_S) + OM_SEC(1));
    else if (t->r.past_count > 0)
        at = om_time_min(at, now + OM_SEC(OM_ROTATE_LOOK_S));
    return t->is_stuck ? now : at;
}

static void work(struct node_rotation *t)
{
    struct node_ledger *g = t->ledger;
    struct om_node *n = g->node;
    const unsigned had = t->r.past_count;

    t->is_due = false;
    t->looked = g->all.change;
    om_rotation_tick(&t->r, n->now, unix_s(n, n->now), &g->all, &n->rng);
    if (t->r.past_count < had) {
        end_handshakes(t);
        om_keyring_expire(&n->keyring, n->now, g->net);
        meet(t);
    }
    if (t->is_stuck)
        install(t);
    om_time at = look_at(t, n->now);
    if (at <= n->now)
        at = n->now + OM_SEC(OM_ROTATE_STUCK_S);
    if (at == OM_NEVER)
        om_timer_stop(&n->timers, &t->timer);
    else if (om_timer_arm(&n->timers, &t->timer, at) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

void node_rotate_caught_up(struct node_ledger *g, struct om_peer *p)
{
    if (!node_member_is_behind(p))
        return;
    p->is_caught_up = true;
    g->rotation->has_caught_up = true;
}

static void meet_caught_up(struct node_rotation *t)
{
    struct om_node *n = t->ledger->node;
    void *value;

    t->has_caught_up = false;
    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (p->net != t->ledger->net || !p->is_caught_up)
            continue;
        p->is_caught_up = false;
        close_resync(t, p);
        if (p->is_wanted)
            node_need_session(n, n->now, p);
        node_rearm(n, n->now, p);
    }
}

enum node_step node_rotate_next(struct node_ledger *g, struct om_act *out)
{
    struct node_rotation *t = g->rotation;

    if (!begin(t))
        return NODE_IDLE;
    if (t->has_caught_up) {
        meet_caught_up(t);
        return NODE_WORKED;
    }
    if (t->is_due || t->looked != g->all.change) {
        work(t);
        return NODE_WORKED;
    }
    if (!om_rotation_next(&t->r))
        return NODE_IDLE;
    if (!is_on_keyring(t))
        install(t);
    out->kind = OM_ACT_MEMBER;
    out->member = (struct om_act_member){
        .network = g->net->id,
        .news = OM_MEMBER_EPOCH,
        .epoch = t->r.current.number,
        .secret = t->r.current.secret,
        .epochs = om_bytes(t->kept, om_rotation_keep(&t->r, t->kept)),
    };
    return NODE_TOLD;
}

enum om_err om_node_rotate(struct om_node *n, om_time now, const struct om_id *network)
{
    struct node_ledger *g = node_ledger_of(n, network);

    if (!g)
        return node_network(n, network) ? OM_E_STATE : OM_E_MISSING;
    n->now = now;
    if (!g->rotation->r.self || om_ledger_rank(&g->all, &g->net->self.id) == 0)
        return OM_E_STATE;
    (void)begin(g->rotation);
    om_rotation_ask(&g->rotation->r, now, &g->all);
    g->rotation->is_due = true;
    return OM_OK;
}

/* What the machine remembers of the past, on the keyring. */
static enum om_err recall_past(struct node_rotation *t, om_time now)
{
    struct om_node *n = t->ledger->node;
    const struct om_epoch_past *past;
    const uint32_t now_s = unix_s(n, now);
    const unsigned count = om_rotation_past(&t->r, now_s, &past);
    enum om_err e = OM_OK;

    for (unsigned i = 0; i < count && e == OM_OK; i++)
        e = om_keyring_past(&n->keyring, now, t->ledger->net, past[i].number, past[i].secret,
                            OM_SEC((int64_t)now_s - past[i].ended_s));
    return e;
}

enum om_err om_node_epochs(struct om_node *n, om_time now, const struct om_id *network,
                           struct om_bytes kept)
{
    struct node_ledger *g = node_ledger_of(n, network);

    if (!g)
        return node_network(n, network) ? OM_E_STATE : OM_E_MISSING;
    n->now = now;
    if (!begin(g->rotation) || g->rotation->r.len > 0)
        return OM_E_STATE;
    enum om_err e = om_rotation_recall(&g->rotation->r, now, unix_s(n, now), kept);
    if (e == OM_OK)
        e = recall_past(g->rotation, now);
    g->rotation->is_due = true;
    return e;
}

uint32_t om_node_epoch_number(const struct om_node *n, const struct om_id *network)
{
    const struct om_network *net = node_network(n, network);

    return net && net->current ? net->current->number : 0;
}
