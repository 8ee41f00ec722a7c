/* actor.c - making, driving and stopping a node. */
#include "actor.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <omerta/hello.h>
#include <omerta/text.h>
#include <omerta/where.h>

#include "crypto/identity.h"
#include "flight.h"
#include "flow.h"
#include "member.h"
#include "memory.h"
#include "request.h"
#include "router.h"
#include "socket.h"
#include "watch.h"

enum { ADDR_FIRST = 0x0a000001, OFFSET_MAX_S = 86400, MOVES_MAX = 250 };

static void derive_seed(const struct sim_actor *a, const char *what, uint32_t number,
                        uint8_t out[static 32])
{
    uint8_t text[8 + 4 + 16 + SIM_NAME_MAX + 1];
    struct om_wr w = om_wr(om_mut(text, sizeof text));

    om_wr_u64(&w, a->world->seed);
    om_wr_u32(&w, number);
    om_wr_copy(&w, what, strlen(what) + 1);
    om_wr_copy(&w, a->name, strlen(a->name) + 1);
    crypto_generichash(out, 32, text, om_wr_len(&w), NULL, 0);
}

static void addr_key(const struct om_addr *addr, uint8_t out[static OM_ADDR_WIRE])
{
    struct om_wr w = om_wr(om_mut(out, OM_ADDR_WIRE));

    om_addr_write(&w, addr);
}

void sim_actor_settle(struct sim_actor *a)
{
    uint32_t ip = ADDR_FIRST + a->index;
    uint8_t key[OM_ADDR_WIRE];

    if (a->addr.port != 0) {
        addr_key(&a->addr, key);
        om_table_remove(&a->world->by_addr, key);
        ip += ++a->moves << 16; /* another block of 10.0.0.0/8 with each move */
    }
    a->addr = om_addr_v4(ip, SIM_PORT);
    bool is_left = a->router ? sim_router_lease(a->router, &a->addr) : a->moves <= MOVES_MAX;
    addr_key(&a->addr, key);
    if (!is_left || om_table_put(&a->world->by_addr, key, a) != OM_OK)
        sim_break(a->world, "%s: no address is left", a->name);
    sim_socket_settle(a);
}

void sim_actor_behind(struct sim_actor *a, struct sim_router *r)
{
    a->router = r;
    sim_actor_settle(a);
}

static void log_sink(void *self, enum om_level level OM_UNUSED, const char *line)
{
    const struct sim_actor *a = self;
    char at[OM_DURATION_TEXT];

    if (a->world->trace.out)
        fprintf(a->world->trace.out, "    %11s  %s: %s\n",
                om_duration_print(a->world->now, at, sizeof at), a->name, line);
}

static struct sim_actor *actor_new(struct sim_world *w, const char *name)
{
    uint8_t seed[32];
    uint64_t first;

    if (w->actor_count == SIM_ACTORS_MAX || strlen(name) > SIM_NAME_MAX) {
        sim_break(w, "%s: no room for more than %d actors", name, SIM_ACTORS_MAX);
        return NULL;
    }
    if (w->actor_count == w->actor_cap) {
        unsigned cap = w->actor_cap ? 2 * w->actor_cap : 16;
        struct sim_actor **more = sim_alloc(cap * sizeof(struct sim_actor *));
        if (w->actor_count > 0)
            memcpy(more, w->actors, w->actor_count * sizeof(struct sim_actor *));
        free(w->actors);
        w->actors = more;
        w->actor_cap = cap;
    }
    struct sim_actor *a = sim_alloc(sizeof *a);
    a->world = w;
    a->index = w->actor_count;
    snprintf(a->name, sizeof a->name, "%s", name);
    w->actors[w->actor_count++] = a;
    derive_seed(a, "chance", 0, seed);
    memcpy(&first, seed, sizeof first);
    om_prng_seed(&a->prng, first);
    a->offset = (om_time)om_prng_below(&a->prng, OFFSET_MAX_S) * OM_SEC(1);
    a->log = (struct om_log){
        .level = w->is_verbose ? OM_LOG_DEBUG : OM_LOG_ERROR, .sink = log_sink, .self = a};
    sim_actor_settle(a);
    return a;
}

struct sim_actor *sim_attacker_add(struct sim_world *w, const char *name, bool insider)
{
    struct sim_actor *a = actor_new(w, name);

    if (!a)
        return NULL;
    a->is_attacker = true;
    a->is_insider = insider;
    return a;
}

struct sim_actor *sim_node_add(struct sim_world *w, const char *name,
                               const struct sim_node_spec *spec)
{
    struct sim_actor *a = actor_new(w, name);

    if (!a)
        return NULL;
    if (spec)
        a->spec = *spec;
    if (a->spec.network_count == 0)
        a->spec.networks[a->spec.network_count++] = 0;
    if (a->spec.router > 0)
        sim_actor_behind(a, w->routers[a->spec.router - 1]);
    sim_node_draw_home(a);
    return sim_node_boot(a) ? a : NULL;
}

void sim_node_draw_home(struct sim_actor *a)
{
    derive_seed(a, "home", a->keys++, a->home_seed);
    memset(a->ids, 0, sizeof a->ids);
}

void sim_actor_free(struct sim_actor *a)
{
    free(a->kept);
    sim_memory_free(a);
    free(a);
}

om_time sim_node_clock(const struct sim_actor *a)
{
    return a->world->now + a->offset;
}

struct om_wall sim_node_wall(const struct sim_actor *a)
{
    return (struct om_wall){SIM_WALL_MS + (a->world->now + a->spec.skew) / 1000};
}

const struct sim_network *sim_common_network(const struct sim_actor *a, const struct sim_actor *b)
{
    const struct sim_network *all = a->world->networks;

    for (unsigned i = 0; i < a->spec.network_count; i++)
        for (unsigned j = 0; j < b->spec.network_count; j++)
            if (a->spec.networks[i] == b->spec.networks[j])
                return &all[a->spec.networks[i]];
    return &all[a->spec.networks[0]];
}

const struct om_id *sim_actor_id(struct sim_actor *a, const struct sim_network *n)
{
    struct om_id *id = &a->ids[n - a->world->networks];
    struct om_identity self;

    if (!om_id_is_zero(id))
        return id;
    if (om_identity_for_network(&self, a->home_seed, &n->id) != OM_OK)
        sim_break(a->world, "%s: has no key in network %s", a->name, n->name);
    *id = self.id;
    om_identity_wipe(&self);
    return id;
}

static struct om_limits limits_of(const struct sim_node_spec *s)
{
    struct om_limits l;

    om_limits_default(&l);
    if (s->rekey > 0) {
        l.rekey_initiator = s->rekey; /* the others in the proportion that PROTOCOL gives them */
        l.rekey_responder = s->rekey + s->rekey / 4;
        l.key_life = s->rekey + s->rekey / 2;
        l.key_grace = om_time_min(l.key_grace, s->rekey / 2);
    }
    l.packets_max = s->packets;
    if (s->load > 0)
        l.load_per_s = s->load;
    if (s->records > 0)
        l.records_max = s->records;
    if (s->peers > 0)
        l.peers_max = s->peers;
    if (s->indices > 0)
        l.indices_max = s->indices;
    if (s->carry_bits > 0)
        l.relay_rate_bytes = (uint32_t)(s->carry_bits / 8);
    if (s->offer > 0)
        l.offer_handshake_max = s->offer;
    if (s->lanes > 0)
        l.relay_lanes = s->lanes;
    return l;
}

static bool join_all(struct sim_actor *a, struct om_error *err)
{
    struct sim_world *w = a->world;

    for (unsigned i = 0; i < a->spec.network_count; i++) {
        const struct sim_network *n = &w->networks[a->spec.networks[i]];
        if (!sim_member_join(a, n, err))
            return false;
    }
    return true;
}

static void node_fire(struct om_timer *t, om_time now)
{
    struct sim_actor *a = OM_CONTAINER_OF(t, struct sim_actor, timer);

    if (now - a->ticks_from >= OM_MS(SIM_TICKS_MS)) {
        a->ticks_from = now;
        a->ticks = 0;
    }
    if (++a->ticks > SIM_TICKS_MAX) {
        sim_break(a->world, "%s: asks for more than %d ticks in %d ms", a->name, SIM_TICKS_MAX,
                  SIM_TICKS_MS);
        return;
    }
    sim_trace_add(&a->world->trace, now, SIM_TRACE_TICK, a->name, "", om_bytes(NULL, 0));
    om_node_tick(a->node, sim_node_clock(a));
    sim_node_drain(a);
}

void sim_node_where(struct sim_actor *a)
{
    struct om_where w = {.own = {a->addr}, .own_count = 1, .near_count = 2};
    char inside[OM_CIDR_TEXT];

    snprintf(inside, sizeof inside, "%u.%u.%u.0/24", a->addr.ip[12], a->addr.ip[13],
             a->addr.ip[14]);
    if (om_cidr_parse(&w.near[0], "10.0.0.0/8", NULL) != OM_OK ||
        om_cidr_parse(&w.near[1], inside, NULL) != OM_OK ||
        om_node_where(a->node, sim_node_clock(a), &w) != OM_OK)
        sim_break(a->world, "%s: cannot say where it is", a->name);
}

bool sim_node_boot(struct sim_actor *a)
{
    struct om_node_config c = {
        .home_seed = a->home_seed,
        .rng = om_prng_rng(&a->prng),
        .pool = a->world->pool,
        .log = &a->log,
        .wall = sim_node_wall(a),
        .limits = limits_of(&a->spec),
        .ciphers = a->spec.ciphers,
        .version_min = a->spec.version_min,
        .version_max = a->spec.version_max,
        .congestion = a->spec.congestion,
        .audit = a->spec.audit,
    };
    struct om_error err;

    if (om_node_new(&a->node, &c, sim_node_clock(a), &err) != OM_OK) {
        a->node = NULL;
        sim_break(a->world, "%s does not start: %s", a->name, err.msg);
        return false;
    }
    a->timer.fire = node_fire;
    if (!join_all(a, &err)) {
        sim_break(a->world, "%s does not start: %s", a->name, err.msg);
        return false;
    }
    for (unsigned i = 0; i < a->kept_count; i++)
        if (om_node_recall(a->node, &a->kept[i]) != OM_OK)
            sim_break(a->world, "%s does not take back what it had kept", a->name);
    sim_memory_recall(a);
    if (a->world->router_count > 0)
        sim_node_where(a);
    om_node_set_relay(a->node, sim_node_clock(a), a->spec.relays);
    if (a->spec.gossip)
        sim_node_announce(a, a->name);
    if (a->lan > 0)
        sim_node_hello(a);
    sim_node_drain(a);
    return true;
}

void sim_node_hello(struct sim_actor *a)
{
    for (unsigned i = 0; i < a->spec.network_count; i++)
        if (sim_member_is_in(a, &a->world->networks[a->spec.networks[i]]) &&
            om_node_hello(a->node, sim_node_clock(a), &a->world->networks[a->spec.networks[i]].id,
                          &a->addr, a->lan > 0) != OM_OK)
            sim_break(a->world, "%s cannot say hello", a->name);
}

void sim_node_announce(struct sim_actor *a, const char *name)
{
    struct om_announce says = {.ends = {a->addr}, .end_count = 1, .relays = a->spec.relays};

    snprintf(says.name, sizeof says.name, "%s", name);
    for (unsigned i = 0; i < a->spec.network_count; i++)
        if (sim_member_is_in(a, &a->world->networks[a->spec.networks[i]]) &&
            om_node_announce(a->node, sim_node_clock(a),
                             &a->world->networks[a->spec.networks[i]].id, &says) != OM_OK)
            sim_break(a->world, "%s cannot announce itself", a->name);
}

void sim_node_halt(struct sim_actor *a)
{
    om_timer_stop(&a->world->events, &a->timer);
    om_node_free(a->node);
    a->node = NULL;
    sim_socket_close(a);
}

void sim_node_arrive(struct sim_actor *a, struct om_dgram *batch, unsigned count)
{
    om_node_input(a->node, sim_node_clock(a), batch, count);
    sim_node_drain(a);
}

static void note(struct sim_actor *a, struct sim_note n)
{
    struct sim_world *w = a->world;

    n.at = w->now;
    n.self = a;
    if (w->on_note)
        w->on_note(w->on_note_self, &n);
}

static const char *name_of(const struct sim_actor *other)
{
    return other ? other->name : "?";
}

/* True when @seq had not been delivered before; remembers it. */
static bool mark_seen(struct sim_pair *p, uint64_t seq)
{
    size_t at = (size_t)(seq / 8);

    if (at >= p->seen_bytes) {
        size_t bytes = at < 64 ? 128 : 2 * at;
        uint8_t *more = sim_alloc(bytes);
        if (p->seen_bytes > 0)
            memcpy(more, p->seen, p->seen_bytes);
        free(p->seen);
        p->seen = more;
        p->seen_bytes = bytes;
    }
    bool is_new = !(p->seen[at] & 1u << (seq % 8));
    p->seen[at] |= (uint8_t)(1u << (seq % 8));
    return is_new;
}

static void on_deliver(struct sim_actor *a, struct sim_actor *other, const struct om_act *act)
{
    struct sim_world *w = a->world;
    struct om_bytes text;
    uint64_t seq;
    om_time sent;

    sim_trace_add(&w->trace, w->now, SIM_TRACE_DELIVER, a->name, name_of(other), act->deliver.data);
    if (!other || !sim_text_open(act->deliver.data, &seq, &sent, &text) ||
        seq >= sim_pair(w, other, a)->seq || sent > w->now) {
        sim_break(w, "%s was delivered %zu bytes that nobody sent", a->name, act->deliver.data.n);
        return;
    }
    struct sim_pair *p = sim_pair(w, a, other);
    if (!mark_seen(p, seq)) {
        sim_break(w, "%s was delivered datagram %llu of %s twice", a->name, (unsigned long long)seq,
                  other->name);
        return;
    }
    p->got++;
    sim_watch_got(p, seq, w->now);
    if (seq > p->top)
        p->top = seq;
    if (p->top - seq > p->depth)
        p->depth = p->top - seq;
    sim_text_note(w, a, other, text);
    note(a, (struct sim_note){.kind = SIM_NOTE_DELIVER,
                              .other = other,
                              .act = act,
                              .text = text,
                              .age = w->now - sent});
}

/* What a text is carried in makes no difference to who reads it. */
static void on_ip(struct sim_actor *a, const struct om_act *act)
{
    const struct om_act as = {.kind = OM_ACT_DELIVER,
                              .deliver = {.network = act->ip.network,
                                          .peer = act->ip.peer,
                                          .channel = "ip",
                                          .data = act->ip.packet}};

    on_deliver(a, sim_actor_by_id(a->world, &act->ip.peer), &as);
}

static void on_event(struct sim_actor *a, struct sim_actor *other, const struct om_act *act)
{
    const struct om_event *e = &act->event;
    char text[OM_EVENT_TEXT];

    om_event_print(e, text);
    sim_trace_add(&a->world->trace, a->world->now, SIM_TRACE_EVENT, a->name,
                  other ? other->name : "", om_bytes(text, strnlen(text, sizeof text)));
    a->events[e->kind]++;
    if (other)
        sim_pair(a->world, a, other)->events[e->kind]++;
    note(a, (struct sim_note){.kind = SIM_NOTE_EVENT, .other = other, .act = act});
}

static void on_pong(struct sim_actor *a, struct sim_actor *other, const struct om_act *act)
{
    uint8_t rtt[8];
    struct om_wr w = om_wr(om_mut(rtt, sizeof rtt));

    om_wr_u64(&w, (uint64_t)act->pong.rtt);
    sim_trace_add(&a->world->trace, a->world->now, SIM_TRACE_PONG, a->name, name_of(other),
                  om_bytes(rtt, sizeof rtt));
    if (other)
        sim_pair(a->world, a, other)->rtt = act->pong.rtt;
    note(a, (struct sim_note){.kind = SIM_NOTE_PONG, .other = other, .act = act});
}

static void on_remember(struct sim_actor *a, const struct om_act_remember *r)
{
    uint8_t value[8];
    struct om_wr w = om_wr(om_mut(value, sizeof value));

    om_wr_u64(&w, r->value);
    sim_trace_add(&a->world->trace, a->world->now, SIM_TRACE_REMEMBER, a->name, "",
                  om_bytes(value, sizeof value));
    for (unsigned i = 0; i < a->kept_count; i++) {
        struct om_act_remember *k = &a->kept[i];
        if (k->kind == r->kind && om_id_equal(&k->network, &r->network) &&
            om_id_equal(&k->peer, &r->peer)) {
            k->value = r->value;
            return;
        }
    }
    if (a->kept_count == SIM_KEPT_MAX) {
        sim_break(a->world, "%s keeps more than %d values", a->name, SIM_KEPT_MAX);
        return;
    }
    if (a->kept_count == a->kept_cap) {
        unsigned cap = a->kept_cap ? 2 * a->kept_cap : 4;
        struct om_act_remember *more = sim_alloc(cap * sizeof *more);
        if (a->kept_count > 0)
            memcpy(more, a->kept, a->kept_count * sizeof *more);
        free(a->kept);
        a->kept = more;
        a->kept_cap = cap;
    }
    a->kept[a->kept_count++] = *r;
}

static void on_service(struct sim_actor *a, const struct om_act *act)
{
    switch (act->kind) {
    case OM_ACT_MESSAGE:
        a->messages++;
        a->mail = act->message;
        snprintf(a->mail_text, sizeof a->mail_text, "%.*s", (int)act->message.bytes.n,
                 (const char *)act->message.bytes.p);
        return;
    case OM_ACT_RECEIPT:
        a->receipts[act->receipt.receipt]++;
        return;
    case OM_ACT_STATUS:
        a->statuses++;
        a->status = act->status;
        return;
    case OM_ACT_HEALTH:
        a->probes++;
        a->probe = act->health.result;
        return;
    default:
        return;
    }
}

static void carry_out(struct sim_actor *a, const struct om_act *act)
{
    struct sim_world *w = a->world;

    switch (act->kind) {
    case OM_ACT_SEND:
        a->out_bytes += om_sealed_bytes(act->send.dgram).n + SIM_LINK_OVERHEAD;
        sim_socket_send(a, &act->send);
        om_node_sent(a->node, act->send.dgram);
        return;
    case OM_ACT_SOCKETS:
        sim_socket_act(a, &act->sockets);
        return;
    case OM_ACT_DELIVER:
        on_deliver(a, sim_actor_by_id(w, &act->deliver.peer), act);
        return;
    case OM_ACT_IP:
        on_ip(a, act);
        return;
    case OM_ACT_PONG:
        on_pong(a, sim_actor_by_id(w, &act->pong.peer), act);
        return;
    case OM_ACT_EVENT:
        on_event(a, sim_actor_by_id(w, &act->event.peer), act);
        return;
    case OM_ACT_CALL:
    case OM_ACT_REPLY:
    case OM_ACT_STREAM:
        if (!sim_flow_act(a, act))
            sim_break(w, "%s: something happened to a stream that nobody began", a->name);
        return;
    case OM_ACT_RECORD:
        a->records++;
        sim_memory_keep(a, &act->record);
        return;
    case OM_ACT_ITEM:
        a->items++;
        snprintf(a->item, sizeof a->item, "%.*s", (int)act->item.value.n,
                 (const char *)act->item.value.p);
        return;
    case OM_ACT_MESSAGE:
    case OM_ACT_RECEIPT:
    case OM_ACT_STATUS:
    case OM_ACT_HEALTH:
        on_service(a, act);
        return;
    case OM_ACT_MEMBER: /* the events tell */
        if (act->member.news == OM_MEMBER_REFUSED)
            a->join_why = act->member.why;
        if (act->member.news == OM_MEMBER_JOINED) {
            a->is_let_in = true;
            if (a->spec.gossip)
                sim_node_announce(a, a->name);
        }
        sim_member_told(a, &act->member);
        return;
    case OM_ACT_FOUND:
        a->sought++;
        a->found += act->found.is_found;
        return;
    case OM_ACT_REMEMBER:
        on_remember(a, &act->remember);
        return;
    }
}

void sim_node_drain(struct sim_actor *a)
{
    struct om_act act;

    while (om_node_next(a->node, &act))
        carry_out(a, &act);
    om_time at = om_node_deadline(a->node);
    if (at == OM_NEVER)
        om_timer_stop(&a->world->events, &a->timer);
    else if (!om_timer_is_armed(&a->timer) || a->timer.at != at - a->offset)
        sim_arm(a->world, &a->timer, at - a->offset);
}
