/* node_ledger_sync.c - members bring their ledgers together. */
#include <stdlib.h>

#include <sodium.h>

#include "node/ledger.h"
#include "node/member.h"
#include "node/rotate.h"
#include "service/blob.h"

void node_ledger_kick(struct node_ledger *g, om_time now)
{
    om_time at = g->next_at > now ? g->next_at : now;

    if (at == now)
        g->is_due = true;
    else if (om_timer_arm(&g->node->timers, &g->timer, at) != OM_OK)
        node_drop(g->node, OM_DROP_MEMORY);
}

bool node_ledger_changed(struct node_ledger *g, struct om_bytes bytes,
                         const struct node_ledger_part *ours)
{
    uint8_t *copy = g->untold_count < OM_LEDGER_UNTOLD_MAX ? malloc(bytes.n) : NULL;
    struct node_ledger_part part = {.from = 0};

    g->version++;
    node_ledger_kick(g, g->node->now);
    if (!copy) { /* what is not kept is told again by others after a restart */
        node_drop(g->node, OM_DROP_MEMORY);
        g->is_cert_due = true;
        return false;
    }
    memcpy(copy, bytes.p, bytes.n);
    if (ours)
        part = *ours;
    part.bytes = om_mut(copy, bytes.n);
    g->untold[g->untold_count++] = part;
    return true;
}

static struct node_ledger_ask *find_ask(struct node_ledger *g, const struct om_id *peer)
{
    for (unsigned i = 0; i < OM_LEDGER_ASKS_MAX; i++)
        if (g->asks[i].is_open && om_id_equal(&g->asks[i].peer, peer))
            return &g->asks[i];
    return NULL;
}

static void end_ask(struct node_ledger *g, struct node_ledger_ask *a)
{
    *a = (struct node_ledger_ask){.is_open = false};
    node_ledger_kick(g, g->node->now);
}

/* Nobody answered, or what came is worthless. */
static void fail_ask(struct node_ledger *g, struct node_ledger_ask *a, om_time again)
{
    struct om_peer *p = om_peers_find(&g->node->peers, g->net, &a->peer);

    if (p) {
        p->ledger_again = again;
        p->ledger_failed = true;
    }
    end_ask(g, a);
}

static void put_question(struct node_ledger *g, struct node_ledger_ask *a)
{
    struct om_call_config c = {
        .method = OM_METHOD_LEDGER, .priority = OM_NORMAL, .timeout = OM_SEC(OM_LEDGER_PATIENCE_S)};
    struct om_peer *p = om_peers_find(&g->node->peers, g->net, &a->peer);
    struct om_mut args = om_mut(NULL, 0);
    uint8_t bytes[OM_LEDGER_ASK_MAX];
    struct node_call *made = NULL;

    a->is_due = false;
    size_t len = om_ledger_ask_write(bytes, &a->ask);
    if (p && om_blob_wrap(om_bytes(bytes, len), &args) == OM_OK) {
        c.args = om_bytes(args.p, args.n);
        if (node_call_ask(g->node, g->node->now, p, &c, &made) == OM_OK) {
            made->owner = CALL_OF_LEDGER;
            made->tag = (uint64_t)(a - g->asks);
            if (made->stream) /* an EPOCH may be at its end, also where that is never read */
                om_stream_is_secret(made->stream);
        }
        free(args.p);
    }
    if (!made)
        fail_ask(g, a, g->node->now + OM_SEC(OM_LEDGER_RETRY_S));
}

static bool is_live(const struct node_ledger *g, const struct om_peer *p)
{
    const struct om_session *s =
        p->net == g->net && p->assoc ? om_association_sealing(p->assoc, g->node->now) : NULL;

    return s && (s->session_class == OM_CLASS_FULL || s->session_class == OM_CLASS_RESYNC);
}

/* A free place for another question to one who answers, or who has been @silent; NULL: there is
 * none. The silent ones, of whom there are many where a network is cut in two, get half of them,
 * and so do those of whom nothing came when they were asked last: they may all be in league. */
static struct node_ledger_ask *free_ask(struct node_ledger *g, bool silent)
{
    struct node_ledger_ask *place = NULL;
    unsigned eager = 0;

    for (unsigned i = OM_LEDGER_ASKS_MAX; i-- > 0;) {
        struct node_ledger_ask *a = &g->asks[i];
        if (a->is_open)
            eager += g->node->now - a->since < OM_SEC(OM_LEDGER_ROUND_S);
        else if (!silent || i >= OM_LEDGER_ASKS_MAX / 2)
            place = a;
    }
    return eager < OM_LEDGER_EAGER_MAX ? place : NULL;
}

static bool is_silent(const struct om_peer *p, om_time now)
{
    return p->ledger_failed ||
           (p->owed_since != OM_NEVER && now - p->owed_since > OM_SEC(OM_LEDGER_SILENT_S));
}

/* Is @p to be asked before @q? Whoever was heard last, since most of those that were not for long
 * may be out of reach; but who keeps itself heard and answers nothing comes after all others, and
 * then they have their turns. */
static bool is_before(const struct om_peer *p, const struct om_peer *q)
{
    if (p->ledger_failed != q->ledger_failed)
        return !p->ledger_failed;
    return p->ledger_failed ? p->ledger_again < q->ledger_again : p->heard_at > q->heard_at;
}

/* Who is to be asked next, if there is room. @again: when the others are to be thought of. */
static struct om_peer *next_due(struct node_ledger *g, om_time *again)
{
    const om_time now = g->node->now;
    struct om_peer *best = NULL;
    void *value;

    *again = OM_NEVER;
    for (size_t at = 0; om_table_next(&g->node->peers.table, &at, NULL, &value);) {
        struct om_peer *p = value;
        if (!is_live(g, p) || p->ledger_at == g->version || find_ask(g, &p->id))
            continue;
        if (p->ledger_again > now)
            *again = om_time_min(*again, p->ledger_again);
        else if (!free_ask(g, is_silent(p, now)))
            *again = om_time_min(*again, g->next_at);
        else if (!best || is_before(p, best))
            best = p;
    }
    return best;
}

static void begin_ask(struct node_ledger *g, struct om_peer *p)
{
    struct node_ledger_ask *a = free_ask(g, is_silent(p, g->node->now));

    *a = (struct node_ledger_ask){.peer = p->id,
                                  .version = g->version,
                                  .since = g->node->now,
                                  .news_at = g->node->now,
                                  .is_open = true,
                                  .is_due = true,
                                  .is_claimed = p->ledger_claims};
    p->ledger_claims = false;
    om_ledger_ask(&a->ask, &g->all);
    node_rotate_name(g, &a->ask);
}

/* Asks whom there is room for; the others, and those that gave no answer, in another round. */
static void begin_round(struct node_ledger *g)
{
    struct om_peer *p;
    om_time again;

    g->is_due = false;
    g->next_at = g->node->now + OM_SEC(OM_LEDGER_ROUND_S);
    while ((p = next_due(g, &again)) != NULL)
        begin_ask(g, p);
    if (again == OM_NEVER)
        om_timer_stop(&g->node->timers, &g->timer);
    else if (om_timer_arm(&g->node->timers, &g->timer, again) != OM_OK)
        node_drop(g->node, OM_DROP_MEMORY);
}

bool node_ledger_work(struct node_ledger *g)
{
    for (unsigned i = 0; i < OM_LEDGER_ASKS_MAX; i++)
        if (g->asks[i].is_due) {
            put_question(g, &g->asks[i]);
            return true;
        }
    if (!g->is_due)
        return false;
    begin_round(g);
    return true;
}

void node_ledger_up(struct om_node *n, om_time now, struct om_peer *p, bool is_behind)
{
    struct node_ledger *g = node_ledger_of(n, &p->net->id);

    if (g)
        node_rotate_met(g);
    if (is_behind)
        p->ledger_at = 0; /* it is asked for its epoch, or told ours by being asked */
    if (g && p->ledger_at != g->version)
        node_ledger_kick(g, now);
}

/* Do the heads of @a say just what ours do? */
static bool is_alike(struct om_ledger *l, const struct om_ledger_ask *a)
{
    struct om_ledger_head ours[OM_LEDGER_LOGS_MAX];

    if (a->count != om_ledger_heads(l, ours))
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!om_id_equal(&ours[i].owner, &a->heads[i].owner) ||
            ours[i].number != a->heads[i].number ||
            memcmp(ours[i].sum, a->heads[i].sum, sizeof ours[i].sum) != 0)
            return false;
    return true;
}

/* Who asks says how far it is: it needs not be asked, or it is to be. */
static void learn(struct node_ledger *g, om_time now, struct om_peer *p,
                  const struct om_ledger_ask *a)
{
    const bool wants = node_rotate_wants(g, a);

    if (node_rotate_is_even(g, a))
        node_rotate_caught_up(g, p);
    if (!wants && is_alike(&g->all, a)) {
        p->ledger_at = g->version;
    } else if (wants || om_ledger_lacks(&g->all, a->heads, a->count)) {
        p->ledger_at = 0;
        p->ledger_claims = true;
        node_ledger_kick(g, now);
    }
}

/* All that @a lacks, or as much as fits, into the tail of @c. */
static void fill(struct node_ledger *g, struct node_call *c, const struct om_ledger_ask *a)
{
    const struct om_mut room = om_mut(c->tail, OM_LEDGER_ANSWER_MAX);

    c->tail_len =
        om_ledger_answer(&g->all, a, om_mut(room.p, room.n - (size_t)OM_LEDGER_EPOCH_MAX));
    struct om_bytes epoch =
        room.p[0] ? om_bytes(NULL, 0) : node_rotate_give(g, &c->id, a); /* after all else */
    if (epoch.n > 0)
        c->tail_len = om_ledger_answer_epoch(room, c->tail_len, epoch);
}

/* Does @c come from one who does not ask too often? Its own share is looked at first: else who asks
 * without end would have that of all. */
static bool may_ask(const struct node_call *c, om_time now)
{
    struct om_bucket *b = c->peer ? &c->peer->ledger_asks : NULL;

    if (b && b->rate == 0)
        om_bucket_init(b, OM_LEDGER_PEER_PER_S, OM_LEDGER_PEER_BURST, now);
    return !b || om_bucket_take(b, now, 1);
}

/* Return: OM_E_BUSY: how far the other is was learnt, no more. */
static enum om_err answer(struct node_ledger *g, om_time now, struct node_call *c)
{
    struct om_ledger_ask a;
    struct om_mut body;
    enum om_err e = om_blob_unwrap(om_bytes(c->rpc.body, strlen(c->rpc.body)), &body);

    if (e != OM_OK)
        return e;
    e = om_ledger_ask_read(&a, om_bytes(body.p, body.n));
    free(body.p);
    if (e != OM_OK)
        return e;
    const bool is_busy = !om_bucket_take(&g->answers, now, 1);
    c->tail = is_busy ? NULL : malloc(OM_LEDGER_ANSWER_MAX);
    if (!is_busy && !c->tail)
        return OM_E_NO_MEM;
    if (!is_busy)
        fill(g, c, &a);
    if (a.skip == 0 && c->peer)
        learn(g, now, c->peer, &a);
    if (is_busy)
        return OM_E_BUSY;
    return om_call_accept(&c->rpc, om_bytes(NULL, 0));
}

static enum om_call_error error_of(enum om_err e)
{
    if (e == OM_E_BUSY)
        return OM_CALL_BUSY_ERROR;
    return e == OM_E_NO_MEM ? OM_CALL_INTERNAL_ERROR : OM_CALL_BAD_ARGS_ERROR;
}

bool node_ledger_asked(struct node_call *c, om_time now)
{
    struct node_ledger *g = node_ledger_of(c->node, &c->network);

    if (strcmp(c->rpc.method, OM_METHOD_LEDGER) != 0)
        return false;
    if (!g) {
        (void)!om_call_refuse(&c->rpc, om_call_error_name(OM_CALL_UNKNOWN_METHOD_ERROR), NULL);
        return true;
    }
    enum om_err e = may_ask(c, now) ? answer(g, now, c) : OM_E_BUSY;
    if (e != OM_OK && e != OM_E_BUSY)
        node_drop(c->node, e == OM_E_NO_MEM ? OM_DROP_MEMORY : OM_DROP_FRAME);
    if (e != OM_OK)
        (void)!om_call_refuse(&c->rpc, om_call_error_name(error_of(e)), NULL);
    return true;
}

/* Takes one part of an answer. Return: false when it was worthless. */
static bool hear(struct node_ledger *g, struct node_ledger_ask *a, struct om_bytes part)
{
    unsigned logs = g->all.log_count;
    uint8_t *news = malloc(part.n + 1);
    struct om_ledger_heard heard = {.told = 0};
    enum om_err e =
        news ? om_ledger_hear_news(&g->all, part, om_mut(news, part.n), &heard) : OM_E_NO_MEM;

    if (heard.entries > 0 || g->all.log_count > logs) { /* what is kept has no secrets */
        (void)node_ledger_changed(g, om_bytes(news, heard.news), NULL);
        a->has_brought = true;
        a->news_at = g->node->now;
    }
    free(news);
    if (e == OM_OK && heard.epoch.n > 0) {
        enum om_rotation_put put = node_rotate_hear(g, heard.epoch);
        a->has_brought |= put == OM_ROTATION_ADOPTED;
        e = put == OM_ROTATION_FORGED ? OM_E_CRYPTO : OM_OK;
    }
    if (e == OM_E_NO_MEM)
        node_drop(g->node, OM_DROP_MEMORY);
    else if (e != OM_OK)
        node_drop(g->node, OM_DROP_FRAME);
    if (e != OM_OK)
        return false;
    a->ask.skip += heard.told;
    a->since = g->node->now;
    a->is_due = heard.has_more && heard.told > 0 && ++a->parts < OM_LEDGER_PARTS_MAX;
    return true;
}

void node_ledger_answered(struct node_call *c, om_time now, bool is_ok)
{
    struct node_ledger *g = node_ledger_of(c->node, &c->network);
    struct node_ledger_ask *a = g && c->tag < OM_LEDGER_ASKS_MAX ? &g->asks[c->tag] : NULL;

    if (!a || !a->is_open || !om_id_equal(&a->peer, &c->id))
        return;
    if (!is_ok) {
        fail_ask(g, a, now + OM_SEC(OM_LEDGER_RETRY_S));
        return;
    }
    if (!hear(g, a, om_bytes(c->tail, c->tail_len))) {
        fail_ask(g, a, OM_NEVER); /* it told what it never checked */
        return;
    }
    if (a->is_due && now - a->news_at <= OM_SEC(OM_LEDGER_NEWS_S))
        return;
    if (a->is_due || (a->is_claimed && !a->has_brought)) { /* nothing new, or it pretends */
        fail_ask(g, a, now + OM_SEC(OM_LEDGER_RETRY_S));
        return;
    }
    struct om_peer *p = om_peers_find(&g->node->peers, g->net, &a->peer);
    if (p)
        p->ledger_failed = false;
    if (p && !p->ledger_claims)
        p->ledger_at = a->version;
    end_ask(g, a);
}
