/* udp.c - how UDP flows travel through the mesh. */
#include "tunnels/udp.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/wire.h>

#include "host/clock.h"
#include "tunnels/usage.h"

enum { SWEEP_MS = 10000, WIRE_KEY = OM_ID_BYTES + 4 + 1 };

/* A datagram too large for the channel, lent to the node. */
struct bulk {
    struct om_link link;
    uint64_t end; /* in the stream */
    size_t n;
    uint8_t bytes[];
};

struct tunnel_flow {
    struct om_link link;
    struct tunnels *tunnels;
    struct tunnel_rule *rule;   /* may be NULL */
    struct tunnel_usage *usage; /* of something exposed */
    void (*on_datagram)(void *self, struct om_bytes b);
    void (*on_end)(void *self, const char *why);
    void *self;
    struct om_call_owner owner;
    struct om_id network, peer;
    uint32_t number;
    bool is_serving, is_open;
    bool is_here; /* both of its ends are */
    om_time heard;
    struct om_list lent;
    unsigned lent_count;
    uint64_t written;
    uint8_t *in; /* owned: of the stream, unfinished; 2 bytes of length first */
    size_t in_n;
    struct bulk *waiting[TUNNEL_FLOW_WAITING]; /* owned: before it stands */
    unsigned waiting_count;
};

/* A peer's key is another one in every network. */
static void wire_key(uint8_t out[static WIRE_KEY], const struct om_id *peer, uint32_t number,
                     bool is_serving)
{
    struct om_wr w = om_wr(om_mut(out, WIRE_KEY));

    om_wr_copy(&w, peer->b, OM_ID_BYTES);
    om_wr_u32(&w, number);
    om_wr_u8(&w, is_serving);
}

static void count_lost(struct tunnel_flow *f)
{
    if (f->rule)
        f->rule->failed++;
}

void tunnel_flow_close(struct tunnel_flow *f)
{
    struct tunnels *t = f->tunnels;
    uint8_t key[WIRE_KEY];

    om_calls_hang_up(t->d->calls, &f->owner, OM_CLOSE_DONE);
    wire_key(key, &f->peer, f->number, f->is_serving);
    (void)om_table_remove(&t->flows_by_wire, key);
    for (struct om_link *l = om_list_first(&f->lent), *next; l; l = next) {
        next = om_list_next(&f->lent, l);
        free(OM_CONTAINER_OF(l, struct bulk, link));
    }
    for (unsigned i = 0; i < f->waiting_count; i++)
        free(f->waiting[i]);
    free(f->in);
    if (f->rule)
        f->rule->open--;
    tunnel_usage_end(f->usage);
    om_list_remove(&f->link);
    if (--t->flow_count == 0)
        (void)uv_timer_stop(&t->sweep);
    free(f);
}

static void end(struct tunnel_flow *f, const char *why)
{
    void (*on_end)(void *self, const char *said) = f->on_end;
    void *self = f->self;

    tunnel_flow_close(f);
    on_end(self, why);
}

static void is_heard(struct tunnel_flow *f)
{
    f->heard = om_clock_now();
    om_list_remove(&f->link);
    om_list_push_back(&f->tunnels->flows, &f->link);
}

static void on_sweep(uv_timer_t *timer)
{
    struct tunnels *t = timer->data;
    om_time now = om_clock_now();

    for (struct om_link *l = om_list_first(&t->flows), *next; l; l = next) {
        struct tunnel_flow *f = OM_CONTAINER_OF(l, struct tunnel_flow, link);
        next = om_list_next(&t->flows, l);
        if (now - f->heard <= OM_SEC(TUNNEL_FLOW_IDLE_S))
            break; /* those behind it were heard later */
        end(f, NULL);
    }
    om_calls_kick(t->d->calls);
}

static struct bulk *copy_of(struct om_bytes b)
{
    struct bulk *k = malloc(sizeof *k + 2 + b.n);

    if (!k)
        return NULL;
    *k = (struct bulk){.n = b.n};
    k->bytes[0] = (uint8_t)(b.n >> 8);
    k->bytes[1] = (uint8_t)b.n;
    if (b.n > 0)
        memcpy(k->bytes + 2, b.p, b.n);
    return k;
}

/* On the call's stream. */
static void send_bulk(struct tunnel_flow *f, struct om_bytes b)
{
    struct om_node *n = om_calls_node(f->tunnels->d->calls);
    struct bulk *k = f->lent_count < TUNNEL_FLOW_BULK ? copy_of(b) : NULL;

    if (!k ||
        om_node_write(n, om_clock_now(), f->owner.call, om_bytes(k->bytes, 2 + b.n)) != OM_OK) {
        count_lost(f);
        free(k);
        return;
    }
    f->written += 2 + b.n;
    k->end = f->written;
    om_list_push_back(&f->lent, &k->link);
    f->lent_count++;
}

static void wait_for_call(struct tunnel_flow *f, struct om_bytes b)
{
    struct bulk *k = f->waiting_count < TUNNEL_FLOW_WAITING ? copy_of(b) : NULL;

    if (k)
        f->waiting[f->waiting_count++] = k;
    else
        count_lost(f);
}

void tunnel_flow_send(struct tunnel_flow *f, struct om_bytes b)
{
    struct om_node *n = om_calls_node(f->tunnels->d->calls);
    uint8_t frame[OM_DGRAM_MAX];
    struct om_wr w = om_wr(om_mut(frame, sizeof frame));

    OM_BUG_IF(b.n > UINT16_MAX);
    is_heard(f);
    if (!f->is_open) {
        wait_for_call(f, b);
        return;
    }
    if (!tunnel_usage_send(f->usage, b.n))
        return;
    if (f->rule)
        f->rule->sent += b.n;
    if (f->is_here || b.n + TUNNEL_FLOW_HEAD > om_node_send_max(TUNNEL_UDP_CHANNEL)) {
        send_bulk(f, b);
        return;
    }
    om_wr_u32(&w, f->number);
    om_wr_u8(&w, f->is_serving);
    om_wr_copy(&w, b.p, b.n);
    if (om_node_send(n, om_clock_now(), &f->network, &f->peer, TUNNEL_UDP_CHANNEL,
                     om_bytes(frame, om_wr_len(&w))) != OM_OK)
        count_lost(f); /* a datagram may get lost here as anywhere */
}

static void deliver(struct tunnel_flow *f, struct om_bytes b)
{
    is_heard(f);
    if (!tunnel_usage_receive(f->usage, b.n))
        return;
    if (f->rule)
        f->rule->received += b.n;
    f->on_datagram(f->self, b);
}

/* Bytes of a datagram on the stream with its length, which is its first two. */
static size_t whole_of(const uint8_t head[static 2])
{
    return 2 + ((size_t)head[0] << 8 | head[1]);
}

/* Whole datagrams of the stream. */
static void take(struct tunnel_flow *f, struct om_bytes b)
{
    while (b.n > 0) {
        if (!f->in)
            f->in = calloc(1, 2 + UINT16_MAX);
        if (!f->in)
            return;
        size_t whole = f->in_n < 2 ? 2 : whole_of(f->in);
        size_t n = whole - f->in_n < b.n ? whole - f->in_n : b.n;
        memcpy(f->in + f->in_n, b.p, n);
        f->in_n += n;
        b = om_bytes(b.p + n, b.n - n);
        if (f->in_n < 2 || f->in_n < whole_of(f->in))
            continue;
        deliver(f, om_bytes(f->in + 2, f->in_n - 2));
        free(f->in);
        f->in = NULL;
        f->in_n = 0;
    }
}

static void on_stream(struct om_call_owner *o, const struct om_act_stream *news)
{
    struct tunnel_flow *f = OM_CONTAINER_OF(o, struct tunnel_flow, owner);
    struct om_node *n = om_calls_node(f->tunnels->d->calls);
    bool is_end = false;
    struct om_bytes b;

    if (news->news & OM_CALL_RELEASED)
        for (struct om_link *l = om_list_first(&f->lent), *next; l; l = next) {
            struct bulk *k = OM_CONTAINER_OF(l, struct bulk, link);
            next = om_list_next(&f->lent, l);
            if (k->end > news->released)
                break;
            om_list_remove(l);
            f->lent_count--;
            free(k);
        }
    while ((b = om_node_read(n, f->owner.call, &is_end)).n > 0) {
        take(f, b);
        om_node_consume(n, om_clock_now(), f->owner.call, b.n);
    }
    if (is_end || (news->news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE)))
        end(f, NULL);
}

static void stand(struct tunnel_flow *f)
{
    f->is_open = true;
    tunnel_rule_works(f->rule);
    for (unsigned i = 0; i < f->waiting_count; i++) {
        tunnel_flow_send(f, om_bytes(f->waiting[i]->bytes + 2, f->waiting[i]->n));
        free(f->waiting[i]);
    }
    f->waiting_count = 0;
}

static void on_reply(struct om_call_owner *o, const struct om_act_reply *r)
{
    struct tunnel_flow *f = OM_CONTAINER_OF(o, struct tunnel_flow, owner);
    char why[160];

    if (r->is_ok) {
        stand(f);
        return;
    }
    const char *word = om_dial_word(om_dial_result_of(r->error));
    (void)snprintf(why, sizeof why, "%s: %.*s", r->error, (int)r->body.n, (const char *)r->body.p);
    if (f->rule)
        tunnel_rule_fail(f->rule, why);
    end(f, word);
}

/* A peer has 1,024 streams, which are TCP's, too: of many flows the one silent for longest goes. */
static void make_room(struct tunnels *t, const struct tunnel_rule *rule)
{
    for (struct om_link *l = om_list_first(&t->flows); l && rule->open >= TUNNEL_FLOWS_OF_RULE;
         l = om_list_next(&t->flows, l)) {
        struct tunnel_flow *f = OM_CONTAINER_OF(l, struct tunnel_flow, link);
        if (f->rule == rule && !f->is_serving) {
            end(f, NULL);
            return;
        }
    }
}

/* Is the peer this node? Then no datagram leads there, only the call. */
static bool is_here(const struct tunnels *t, const struct tunnel_wish *w)
{
    const struct daemon_network *net = daemon_network(t->d, &w->network);

    return net && om_id_equal(&w->peer, &net->self);
}

/* One more flow; NULL when there are too many, no memory, or that number is taken. */
static struct tunnel_flow *new_flow(struct tunnels *t, const struct tunnel_flow_config *c,
                                    uint32_t number, bool is_serving)
{
    struct tunnel_flow *f = t->flow_count < TUNNEL_FLOWS_MAX ? calloc(1, sizeof *f) : NULL;
    uint8_t key[WIRE_KEY];

    if (f && is_serving && c->rule && !tunnel_usage_begin(c->rule, &c->wish->peer, &f->usage)) {
        free(f);
        return NULL;
    }
    wire_key(key, &c->wish->peer, number, is_serving);
    if (!f || om_table_put(&t->flows_by_wire, key, f) != OM_OK) {
        if (f) {
            tunnel_usage_refuse(f->usage);
            tunnel_usage_end(f->usage);
        }
        free(f);
        if (c->rule)
            c->rule->failed++;
        return NULL;
    }
    f->tunnels = t;
    f->rule = c->rule;
    f->on_datagram = c->on_datagram;
    f->on_end = c->on_end;
    f->self = c->self;
    f->network = c->wish->network;
    f->peer = c->wish->peer;
    f->is_here = is_here(t, c->wish);
    f->number = number;
    f->is_serving = is_serving;
    f->heard = om_clock_now();
    f->owner.on_reply = on_reply;
    f->owner.on_stream = on_stream;
    om_list_init(&f->lent);
    om_list_push_back(&t->flows, &f->link);
    if (t->flow_count++ == 0)
        (void)uv_timer_start(&t->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (f->rule) {
        f->rule->open++;
        f->rule->total++;
    }
    return f;
}

struct tunnel_flow *tunnel_flow_open(struct tunnels *t, const struct tunnel_flow_config *c)
{
    if (c->rule)
        make_room(t, c->rule);
    struct tunnel_flow *f = new_flow(t, c, ++t->flow_numbers, false);
    struct tunnel_wish wish = *c->wish;

    if (!f)
        return NULL;
    wish.flow = f->number;
    if (tunnel_ask(t, f->rule, &f->owner, &wish))
        return f;
    tunnel_flow_close(f);
    return NULL;
}

struct tunnel_flow *tunnel_flow_take(struct tunnels *t, const struct tunnel_flow_config *c,
                                     uint64_t call, uint32_t number)
{
    struct tunnel_flow *f = new_flow(t, c, number, true);

    if (!f || om_calls_take(t->d->calls, call, &f->owner) == OM_OK)
        return f;
    tunnel_flow_close(f);
    return NULL;
}

void tunnel_flow_accept(struct tunnel_flow *f)
{
    struct om_node *n = om_calls_node(f->tunnels->d->calls);

    if (om_node_accept(n, om_clock_now(), f->owner.call, om_bytes(NULL, 0)) == OM_OK)
        stand(f);
    else
        end(f, NULL);
}

void tunnel_flow_refuse(struct tunnel_flow *f, enum om_dial_result why)
{
    struct om_calls *calls = f->tunnels->d->calls;
    uint64_t call = f->owner.call;

    om_calls_release(calls, &f->owner);
    om_calls_refuse(calls, call, om_dial_word(why), om_dial_text(why));
    count_lost(f);
    tunnel_usage_refuse(f->usage);
    tunnel_flow_close(f);
}

void tunnels_deliver(struct tunnels *t, const struct om_act_deliver *a)
{
    struct om_rd r = om_rd(a->data);
    uint32_t number = om_rd_u32(&r);
    uint8_t way = om_rd_u8(&r);
    uint8_t key[WIRE_KEY];

    if (r.bad || way > 1)
        return;
    wire_key(key, &a->peer, number, way == 0);
    struct tunnel_flow *f = om_table_find(&t->flows_by_wire, key);
    if (f && f->is_open && om_id_equal(&f->network, &a->network))
        deliver(f, om_rd_bytes(&r, om_rd_left(&r)));
}

void tunnel_udp_forget(struct tunnels *t, const struct tunnel_rule *rule)
{
    for (struct om_link *l = om_list_first(&t->flows), *next; l; l = next) {
        struct tunnel_flow *f = OM_CONTAINER_OF(l, struct tunnel_flow, link);
        next = om_list_next(&t->flows, l);
        if (!rule || f->rule == rule)
            end(f, NULL);
    }
}

bool tunnel_udp_init(struct tunnels *t)
{
    uint8_t key[OM_SIP_KEY];

    randombytes_buf(key, sizeof key);
    om_list_init(&t->flows);
    t->sweep.data = t;
    t->flow_numbers = randombytes_random();
    return uv_timer_init(&t->d->loop, &t->sweep) == 0 &&
           om_table_init(&t->flows_by_wire, WIRE_KEY, TUNNEL_FLOWS_MAX, key) == OM_OK &&
           om_table_init(&t->udp_clients, TUNNEL_CLIENT_KEY, TUNNEL_FLOWS_MAX, key) == OM_OK;
}

void tunnel_udp_fini(struct tunnels *t)
{
    om_table_fini(&t->flows_by_wire);
    om_table_fini(&t->udp_clients);
}
