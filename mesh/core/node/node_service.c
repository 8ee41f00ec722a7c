/* node_service.c - messages and health: their calls, their datagrams, and what programs ask. */
#include <stdlib.h>

#include "node/call.h"
#include "node/services.h"
#include "service/health.h"
#include "service/words.h"

static struct node_service *find(const struct om_node *n, const struct om_id *network)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (om_id_equal(&n->networks[i]->id, network))
            return n->services[i];
    return NULL;
}

static void arm(struct node_service *s)
{
    om_time at = om_message_deadline(&s->message);

    if (at == OM_NEVER) {
        om_timer_stop(&s->node->timers, &s->timer);
        return;
    }
    if (at <= s->node->now)
        at = s->node->now + 1;
    if (om_timer_arm(&s->node->timers, &s->timer, at) != OM_OK)
        node_drop(s->node, OM_DROP_MEMORY);
}

static void fire(struct om_timer *t, om_time now)
{
    struct node_service *s = OM_CONTAINER_OF(t, struct node_service, timer);

    om_message_tick(&s->message, now);
    arm(s);
}

enum om_err node_service_start(struct om_node *n, unsigned i)
{
    struct node_service *s = calloc(1, sizeof *s);

    if (!s)
        return OM_E_NO_MEM;
    s->node = n;
    s->net = n->networks[i];
    s->timer.fire = fire;
    s->timer.at = OM_NEVER;
    om_message_init(&s->message, &n->rng, 0);
    n->services[i] = s;
    return OM_OK;
}

void node_service_leave(struct om_node *n, unsigned i)
{
    struct node_service *s = n->services[i];

    if (!s)
        return;
    om_timer_stop(&n->timers, &s->timer);
    om_message_fini(&s->message);
    free(s);
    n->services[i] = NULL;
}

void node_service_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_service_leave(n, i);
}

void node_service_up(struct om_node *n, om_time now, const struct om_peer *p)
{
    struct node_service *s = find(n, &p->net->id);

    om_message_peer_up(&s->message, now, &p->id);
    arm(s);
}

void node_service_down(struct om_node *n, om_time now, const struct om_peer *p)
{
    struct node_service *s = find(n, &p->net->id);

    if (!s)
        return; /* the node ends */
    om_message_peer_down(&s->message, now, &p->id);
    arm(s);
}

/* What om_node_status() of another node is told: of its network, and nothing of others. */
static json_t *status_of(const struct node_service *s, om_time now)
{
    const struct om_node *n = s->node;
    const om_time uptime = (now - n->born_at) / OM_SEC(1);
    unsigned peers = 0, sessions = 0;
    void *value;

    for (size_t at = 0; om_table_next(&n->peers.table, &at, NULL, &value);) {
        const struct om_peer *p = value;
        peers += p->net == s->net;
        sessions += p->net == s->net && om_peer_session(p, now) != NULL;
    }
    const struct om_health_status st = {
        .uptime_s = (double)uptime,
        .peers = peers,
        .sessions = sessions,
        .version = "1",
    };
    return om_health_encode(&st, NULL);
}

bool node_service_asked(struct node_call *c, om_time now)
{
    struct node_service *s = find(c->node, &c->network);
    enum om_call_error error = OM_CALL_INTERNAL_ERROR;
    json_t *args = NULL, *answer = NULL;
    struct om_mut text;
    bool is_message = strncmp(c->rpc.method, "message.", 8) == 0;

    if (!is_message && strcmp(c->rpc.method, "health.status") != 0)
        return false;
    if (om_words_load(om_bytes(c->rpc.body, strlen(c->rpc.body)), &args) == OM_OK)
        answer = is_message ? om_message_call(&s->message, now, &c->id, c->rpc.method, args, &error)
                            : status_of(s, now);
    json_decref(args);
    enum om_err e = answer ? om_words_dump(answer, &text) : OM_E_PARSE;
    json_decref(answer);
    if (e == OM_OK) {
        e = om_call_accept(&c->rpc, om_bytes(text.p, text.n));
        free(text.p);
    }
    if (e != OM_OK)
        (void)!om_call_refuse(&c->rpc, om_call_error_name(error), NULL);
    arm(s);
    return true;
}

static void tell_status(struct node_call *c, const json_t *ok)
{
    struct om_act *act = node_act(c->node, OM_ACT_STATUS);

    if (!act)
        return;
    act->status = (struct om_act_status){.network = c->network, .peer = c->id, .is_ok = ok != NULL};
    om_health_decode(ok, &act->status.status);
}

void node_service_answered(struct node_call *c, om_time now)
{
    struct node_service *s = find(c->node, &c->network);
    json_t *ok = NULL;

    if (!s)
        return;
    if (c->rpc.state == OM_CALL_ACCEPTED &&
        om_words_load(om_bytes(c->rpc.body, strlen(c->rpc.body)), &ok) != OM_OK)
        ok = NULL;
    if (c->owner == CALL_OF_HEALTH)
        tell_status(c, ok);
    else
        om_message_reply(&s->message, now, c->tag, ok,
                         c->rpc.state == OM_CALL_REFUSED ? c->rpc.error : "gone");
    json_decref(ok);
    arm(s);
}

static void call(struct node_service *s, const struct om_message_act *a)
{
    const struct om_call_config config = {.method = a->method, .args = a->args};
    struct om_peer *p = om_peers_find(&s->node->peers, s->net, &a->peer);
    struct node_call *c;

    if (p && node_call_ask(s->node, s->node->now, p, &config, &c) == OM_OK) {
        c->owner = CALL_OF_MESSAGE;
        c->tag = a->tag;
    } else {
        om_message_reply(&s->message, s->node->now, a->tag, NULL, "gone");
    }
    arm(s);
}

static bool carry_out(struct node_service *s, const struct om_message_act *a, struct om_act *out)
{
    switch (a->kind) {
    case OM_MESSAGE_CALL:
        call(s, a);
        return false;
    case OM_MESSAGE_DELIVER:
        out->kind = OM_ACT_MESSAGE;
        out->message = (struct om_act_message){
            .network = s->net->id, .peer = a->peer, .kind = a->type, .bytes = a->bytes};
        memcpy(out->message.id, a->id, sizeof a->id);
        return true;
    case OM_MESSAGE_RECEIPT:
        out->kind = OM_ACT_RECEIPT;
        out->receipt =
            (struct om_act_receipt){.network = s->net->id, .peer = a->peer, .receipt = a->receipt};
        memcpy(out->receipt.id, a->id, sizeof a->id);
        memcpy(out->receipt.reason, a->reason, sizeof a->reason);
        return true;
    }
    return false;
}

enum node_step node_service_next(struct om_node *n, struct om_act *out)
{
    struct om_message_act a;

    for (unsigned i = 0; i < n->network_count; i++)
        if (n->services[i] && om_message_next(&n->services[i]->message, &a))
            return carry_out(n->services[i], &a, out) ? NODE_TOLD : NODE_WORKED;
    return NODE_IDLE;
}

enum om_err om_node_post(struct om_node *n, om_time now, const struct om_id *network,
                         const struct om_id *peer, enum om_message_kind kind, struct om_bytes data,
                         uint8_t id[static OM_MESSAGE_ID])
{
    struct node_service *s = find(n, network);
    struct om_peer *p = s ? om_peers_find(&n->peers, s->net, peer) : NULL;

    if (!p)
        return OM_E_MISSING;
    n->now = now;
    enum om_err e = om_message_post(&s->message, now, peer, kind, data, id);
    if (e == OM_OK && om_peer_session(p, now))
        om_message_peer_up(&s->message, now, peer);
    else if (e == OM_OK && om_peer_path_count(p) > 0)
        node_need_session(n, now, p); /* else it waits until the peer comes by itself */
    node_rearm(n, now, p);
    arm(s);
    return e;
}

enum om_err om_node_receipt(struct om_node *n, om_time now, const struct om_id *network,
                            const struct om_id *peer, const uint8_t id[static OM_MESSAGE_ID],
                            bool is_wanted)
{
    struct node_service *s = find(n, network);

    if (!s)
        return OM_E_MISSING;
    n->now = now;
    enum om_err e = is_wanted ? om_message_read(&s->message, now, peer, id)
                              : om_message_reject(&s->message, now, peer, id);
    arm(s);
    return e;
}

enum om_err om_node_status(struct om_node *n, om_time now, const struct om_id *network,
                           const struct om_id *peer)
{
    const struct om_call_config config = {.method = "health.status"};
    struct node_call *c;
    struct om_peer *p;
    enum om_err e = node_find_reachable(n, network, peer, &p);

    if (e == OM_OK)
        e = node_call_ask(n, now, p, &config, &c);
    if (e == OM_OK)
        c->owner = CALL_OF_HEALTH;
    return e;
}
