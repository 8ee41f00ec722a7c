/* node_gossip.c - gossip's actions become calls and datagrams, and what arrives goes to it. */
#include <stdlib.h>

#include "node/call.h"
#include "node/lane.h"
#include "node/member.h"
#include "node/names.h"
#include "node/services.h"
#include "service/blob.h"

static const char *const methods[] = {"gossip.sync", "gossip.get", "gossip.seek"};
static_assert(OM_ARRAY_SIZE(methods) == OM_GOSSIP_METHODS, "one name for each method");

static struct node_gossip *find(const struct om_node *n, const struct om_id *network)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (om_id_equal(&n->networks[i]->id, network))
            return n->gossips[i];
    return NULL;
}

static void arm(struct node_gossip *g)
{
    om_time at = om_gossip_deadline(g->gossip);

    if (at <= g->node->now)
        at = g->node->now + 1;
    if (om_timer_arm(&g->node->timers, &g->timer, at) != OM_OK)
        node_drop(g->node, OM_DROP_MEMORY);
}

static void fire(struct om_timer *t, om_time now)
{
    struct node_gossip *g = OM_CONTAINER_OF(t, struct node_gossip, timer);

    om_gossip_tick(g->gossip, now);
    arm(g);
}

enum om_err node_gossip_start(struct om_node *n, unsigned i)
{
    struct om_network *net = n->networks[i];
    struct om_gossip_config c = {.self = &net->self,
                                 .network = net->id,
                                 .records_max = n->limits.records_max,
                                 .seed = om_prng_u64(&n->prng),
                                 .wall = {node_unix_ms(n, n->now)}};
    struct node_gossip *g = calloc(1, sizeof *g);

    if (!g)
        return OM_E_NO_MEM;
    om_rng_fill(&n->rng, c.salt, sizeof c.salt);
    if (om_gossip_new(&g->gossip, &c, n->now) != OM_OK) {
        free(g);
        return OM_E_NO_MEM;
    }
    g->node = n;
    g->net = net;
    g->timer.fire = fire;
    g->timer.at = OM_NEVER;
    n->gossips[i] = g;
    arm(g);
    return OM_OK;
}

void node_gossip_leave(struct om_node *n, unsigned i)
{
    struct node_gossip *g = n->gossips[i];

    if (!g)
        return;
    om_timer_stop(&n->timers, &g->timer);
    om_gossip_free(g->gossip);
    free(g);
    n->gossips[i] = NULL;
}

void node_gossip_stop(struct om_node *n)
{
    for (unsigned i = 0; i < n->network_count; i++)
        node_gossip_leave(n, i);
}

void node_gossip_wall(struct om_node *n, om_time now, struct om_wall wall)
{
    for (unsigned i = 0; i < n->network_count; i++)
        if (n->gossips[i])
            om_gossip_set_wall(n->gossips[i]->gossip, now, wall);
}

void node_gossip_up(struct om_node *n, om_time now, const struct om_peer *p)
{
    struct node_gossip *g = find(n, &p->net->id);

    if (!g)
        return;
    const struct om_via *via = om_peer_via(p); /* a lane's address is the relay's */
    om_gossip_peer_up(g->gossip, now, &p->id, via && via->lane == 0 ? &via->remote : NULL);
    arm(g);
}

bool node_gossip_datagram(struct om_node *n, om_time now, const struct om_peer *p,
                          const struct om_frame_datagram *d)
{
    struct node_gossip *g;

    if (strcmp(d->channel, OM_GOSSIP_CHANNEL) != 0)
        return false;
    g = find(n, &p->net->id);
    if (g) {
        om_gossip_rumour(g->gossip, now, &p->id, d->data);
        arm(g);
    }
    return true;
}

/* The peer @id, with what gossip knows of where it is. */
static struct om_peer *reach(struct node_gossip *g, const struct om_id *id)
{
    struct om_addr ends[OM_RECORD_ENDS_MAX];
    struct om_peer *p;
    unsigned count = om_gossip_ends(g->gossip, id, ends);

    if (node_add_peer(g->node, g->net, id, &p) != OM_OK)
        return NULL;
    if (count > 0 && p->end_count == 0) {
        memcpy(p->ends, ends, count * sizeof ends[0]);
        p->end_count = count;
    }
    return om_peer_path_count(p) > 0 && node_member_is_full(p) ? p : NULL;
}

static void push(struct node_gossip *g, const struct om_gossip_act *a)
{
    struct om_peer *p = reach(g, &a->peer);

    if (p && node_send_datagram(g->node, g->node->now, p, OM_GOSSIP_CHANNEL, a->bytes) != OM_OK)
        node_drop(g->node, OM_DROP_QUEUE_FULL);
}

static void call(struct node_gossip *g, const struct om_gossip_act *a)
{
    struct om_call_config c = {.method = methods[a->method], .priority = OM_NORMAL};
    struct om_peer *p = reach(g, &a->peer);
    struct om_mut args = om_mut(NULL, 0);
    struct node_call *made = NULL;

    if (p && om_blob_wrap(a->bytes, &args) == OM_OK) {
        c.args = om_bytes(args.p, args.n);
        if (node_call_ask(g->node, g->node->now, p, &c, &made) == OM_OK) {
            made->owner = CALL_OF_GOSSIP;
            made->tag = a->tag;
        }
        free(args.p);
    }
    if (!made)
        om_gossip_reply(g->gossip, g->node->now, a->tag, false, om_bytes(NULL, 0));
}

static void tell_item(const struct node_gossip *g, const struct om_gossip_act *a,
                      struct om_act *out)
{
    struct om_entry e;

    out->kind = OM_ACT_ITEM;
    out->item = (struct om_act_item){.network = g->net->id, .peer = a->peer};
    if (om_entry_decode(&e, a->bytes) != OM_OK)
        return;
    memcpy(out->item.channel, e.channel, sizeof e.channel);
    out->item.expires = e.expires;
    out->item.value = e.value;
}

/* True when @a is for the driver. */
static bool carry_out(struct node_gossip *g, const struct om_gossip_act *a, struct om_act *out)
{
    switch (a->kind) {
    case OM_GOSSIP_ACT_PUSH:
        push(g, a);
        return false;
    case OM_GOSSIP_ACT_CALL:
        call(g, a);
        return false;
    case OM_GOSSIP_ACT_CHANGED:
        node_names_heard(g->node, g->net, a->bytes);
        node_select_record(g->node, g->net, a->bytes); /* by the roles that came with it */
        out->kind = OM_ACT_RECORD;
        out->record = (struct om_act_record){g->net->id, a->peer, a->bytes};
        return true;
    case OM_GOSSIP_ACT_ITEM:
        tell_item(g, a, out);
        return true;
    case OM_GOSSIP_ACT_FOUND:
        if (a->bytes.n > 0)
            (void)reach(g, &a->peer);
        out->kind = OM_ACT_FOUND;
        out->found = (struct om_act_found){g->net->id, a->peer, a->bytes.n > 0};
        return true;
    }
    return false;
}

enum node_step node_gossip_next(struct om_node *n, struct om_act *out)
{
    struct om_gossip_act a;

    for (unsigned i = 0; i < n->network_count; i++)
        if (n->gossips[i] && om_gossip_next(n->gossips[i]->gossip, &a))
            return carry_out(n->gossips[i], &a, out) ? NODE_TOLD : NODE_WORKED;
    return NODE_IDLE;
}

bool node_gossip_asked(struct node_call *c, om_time now)
{
    struct node_gossip *g = find(c->node, &c->network);
    struct om_mut body;
    unsigned m = 0;

    while (m < OM_GOSSIP_METHODS && strcmp(methods[m], c->rpc.method) != 0)
        m++;
    if (m == OM_GOSSIP_METHODS)
        return false;
    if (!g) {
        (void)!om_call_refuse(&c->rpc, "unknown_method", NULL);
        return true;
    }
    if (om_blob_unwrap(om_bytes(c->rpc.body, strlen(c->rpc.body)), &body) != OM_OK) {
        (void)!om_call_refuse(&c->rpc, "bad_args", NULL);
        return true;
    }
    c->tail = malloc(OM_GOSSIP_REPLY_MAX);
    struct om_wr w = om_wr(om_mut(c->tail, c->tail ? OM_GOSSIP_REPLY_MAX : 0));
    enum om_err e = c->tail ? om_gossip_request(g->gossip, now, &c->id, (enum om_gossip_method)m,
                                                om_bytes(body.p, body.n), &w)
                            : OM_E_NO_MEM;
    free(body.p);
    c->tail_len = om_wr_len(&w);
    if (e == OM_OK)
        e = om_call_accept(&c->rpc, om_bytes(NULL, 0));
    if (e != OM_OK)
        (void)!om_call_refuse(&c->rpc, e == OM_E_PARSE ? "bad_args" : "internal", NULL);
    arm(g);
    return true;
}

void node_gossip_answered(struct node_call *c, om_time now, bool is_ok)
{
    struct node_gossip *g = find(c->node, &c->network);

    if (!g)
        return;
    om_gossip_reply(g->gossip, now, c->tag, is_ok, om_bytes(c->tail, is_ok ? c->tail_len : 0));
    arm(g);
}

/* What @a says in @net, where we @may_relay, as the fields of a record into @out. */
static enum om_err make_self(const struct om_network *net, bool may_relay,
                             const struct om_announce *a, uint8_t *fields, size_t room,
                             struct om_gossip_self *out)
{
    struct om_wr w = om_wr(om_mut(fields, room));
    size_t name = strnlen(a->name, sizeof a->name);

    if (a->end_count > OM_ANNOUNCE_ENDS || a->service_count > OM_ANNOUNCE_SERVICES ||
        name > OM_NAME_MAX)
        return OM_E_RANGE;
    *out = (struct om_gossip_self){.flags = a->relays && may_relay ? OM_RECORD_RELAY : 0};
    for (; out->end_count < a->end_count; out->end_count++)
        out->ends[out->end_count] = (struct om_record_end){
            a->mapped[out->end_count] ? OM_END_MAPPED : OM_END_HOST, a->ends[out->end_count]};
    if (name > 0) {
        om_wr_u8(&w, OM_FIELD_NAME);
        om_wr_u16(&w, (uint16_t)name);
        om_wr_copy(&w, a->name, name);
    }
    for (unsigned i = 0; i < a->service_count; i++) {
        size_t n = strnlen(a->services[i], OM_SERVICE_MAX);
        om_wr_u8(&w, OM_FIELD_SERVICE);
        om_wr_u16(&w, (uint16_t)n);
        om_wr_copy(&w, a->services[i], n);
    }
    node_names_field(&w, net);
    out->fields = om_bytes(fields, om_wr_len(&w));
    return w.bad ? OM_E_RANGE : OM_OK;
}

/* Our record is what @g said, and the certificates that we have. */
static enum om_err say(struct node_gossip *g, om_time now)
{
    struct om_gossip_self self;
    uint8_t fields[OM_RECORD_MAX];
    bool may_relay = node_member_may(g->node, g->net, &g->net->self.id, OM_ROLE_RELAY);
    enum om_err e = make_self(g->net, may_relay, &g->said, fields, sizeof fields, &self);

    if (e == OM_OK)
        e = om_gossip_set_self(g->gossip, now, &self);
    arm(g);
    return e;
}

enum om_err om_node_announce(struct om_node *n, om_time now, const struct om_id *network,
                             const struct om_announce *a)
{
    struct node_gossip *g = find(n, network);

    if (!g)
        return OM_E_MISSING;
    n->now = now;
    const struct om_announce before = g->said;
    g->said = *a;
    enum om_err e = say(g, now);
    if (e == OM_OK)
        g->has_said = true;
    else
        g->said = before;
    return e;
}

void node_gossip_again(struct om_node *n, om_time now, const struct om_id *network)
{
    struct node_gossip *g = find(n, network);

    if (g && g->has_said && say(g, now) == OM_E_NO_MEM)
        node_drop(n, OM_DROP_MEMORY);
}

enum om_err om_node_publish(struct om_node *n, om_time now, const struct om_id *network,
                            const char *channel, struct om_bytes value, uint32_t ttl_s)
{
    struct node_gossip *g = find(n, network);

    if (!g)
        return OM_E_MISSING;
    n->now = now;
    enum om_err e = om_gossip_publish(g->gossip, now, channel, value, ttl_s);
    arm(g);
    return e;
}

enum om_err om_node_subscribe(struct om_node *n, const struct om_id *network, const char *channel)
{
    struct node_gossip *g = find(n, network);

    return g ? om_gossip_subscribe(g->gossip, channel) : OM_E_MISSING;
}

enum om_err om_node_seek(struct om_node *n, om_time now, const struct om_id *network,
                         const struct om_id *peer)
{
    struct node_gossip *g = find(n, network);

    if (!g)
        return OM_E_MISSING;
    n->now = now;
    enum om_err e = om_gossip_seek(g->gossip, now, peer);
    arm(g);
    return e;
}

enum om_err om_node_learn(struct om_node *n, om_time now, const struct om_id *network,
                          struct om_bytes record)
{
    struct node_gossip *g = find(n, network);

    if (!g)
        return OM_E_MISSING;
    n->now = now;
    om_gossip_learn(g->gossip, now, record);
    arm(g);
    return OM_OK;
}

enum om_err om_node_gossip_info(const struct om_node *n, const struct om_id *network,
                                struct om_gossip_info *out)
{
    const struct node_gossip *g = find(n, network);

    if (!g)
        return OM_E_MISSING;
    const struct om_records *s = om_gossip_store(g->gossip);
    const struct om_gossip_counts *c = om_gossip_counts(g->gossip);
    *out = (struct om_gossip_info){
        .known = s->records,
        .items = s->items,
        .bytes = om_records_bytes(s),
        .rumours_in = c->rumours_in,
        .rumours_out = c->rumours_out,
        .entries_in = c->entries_in,
        .syncs = c->syncs,
        .seeks = c->seeks,
        .forged = c->drops[OM_GOSSIP_DROP_FORGED],
        .old = c->drops[OM_GOSSIP_DROP_OLD],
        .future = c->drops[OM_GOSSIP_DROP_FUTURE],
        .oversize = c->drops[OM_GOSSIP_DROP_OVERSIZE],
        .malformed = c->drops[OM_GOSSIP_DROP_MALFORMED],
        .expired = c->drops[OM_GOSSIP_DROP_EXPIRED],
        .strangers = c->drops[OM_GOSSIP_DROP_STRANGER],
        .too_often = c->drops[OM_GOSSIP_DROP_OFTEN],
        .over_quota = c->drops[OM_GOSSIP_DROP_QUOTA],
    };
    return OM_OK;
}
