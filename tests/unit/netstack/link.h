/*
 * link.h - one stack with two ports whose packets are carried from one to the other
 *
 * What:  port 0 is a plain host that connects, port 1 a catch-all; virtual time; each n-th packet
 *        may be lost. Ends write a pattern and check what they read.
 * Why:   lwIP is global, so both sides of a test live in the same stack; but no packet takes a
 *        short cut, for a port only ever takes what arrives on it.
 */
#ifndef OM_TESTS_LINK_H
#define OM_TESTS_LINK_H

#include "harness.h"

#include <omerta/stack.h>
#include <omerta/stack_flow.h>

enum { LINK_FRAMES_MAX = 16384, LINK_ENDS_MAX = 4200, LINK_LIMIT_SEC = 900, LINK_CHUNK = 8192 };

enum link_policy { LINK_ACCEPT, LINK_HOLD };

/* One end of a connection, and what it is to do. */
struct link_end {
    uint32_t flow;
    unsigned news; /* all that was ever told */
    struct om_addr from, to;
    uint8_t salt, far_salt;
    size_t goal, written, read, wrong;
    size_t chunk;    /* bytes in one write; 0: LINK_CHUNK */
    bool is_holding; /* reads nothing */
    bool is_end, finishes;
    unsigned short_writes;
};

struct link_frame {
    uint8_t *bytes;
    size_t n;
    uint32_t port;
};

struct link {
    struct om_stack *stack;
    om_time now;
    uint32_t port[2];
    struct link_frame *frames; /* ring */
    unsigned head, count, carried, dropped, drop_every;
    enum link_policy policy;
    struct link_end *ends;
    unsigned end_count;
    size_t server_goal;
    bool servers_finish;     /* when the client did and all was read */
    unsigned asks;           /* ever */
    struct om_stack_act ask; /* the last */
    struct om_stack_act datagram;
    uint8_t datagram_bytes[2048];
    unsigned datagrams;
    uint8_t last[2048]; /* the start of the last packet carried, and its size */
    size_t last_n;
    unsigned rand;
};

/* The same numbers in every run. */
static inline void link_rand(void *self, void *dst, size_t n)
{
    struct link *l = self;
    uint8_t *p = dst;

    for (size_t i = 0; i < n; i++) {
        l->rand = l->rand * 1664525 + 1013904223;
        p[i] = (uint8_t)(l->rand >> 24);
    }
}

static inline struct om_addr link_addr(const char *text)
{
    struct om_addr a = {0};

    CHECK_OK(om_addr_parse(&a, text, 0, NULL));
    return a;
}

/* Port 0 is 10.0.0.1 and fd00::1, the catch-all 10.0.0.2 and fd00::2. */
static inline struct om_port_config link_config(bool is_catch_all)
{
    return (struct om_port_config){.kind = OM_PORT_IP,
                                   .mtu = 1400,
                                   .v4_prefix = 24,
                                   .has_v4 = true,
                                   .has_v6 = true,
                                   .v4 = link_addr(is_catch_all ? "10.0.0.2:0" : "10.0.0.1:0"),
                                   .v6 = link_addr(is_catch_all ? "[fd00::2]:0" : "[fd00::1]:0"),
                                   .is_catch_all = is_catch_all,
                                   .has_checksums = true};
}

/* Frees everything; twice is fine. */
static inline void link_stop(struct link *l)
{
    for (; l->count; l->count--, l->head = (l->head + 1) % LINK_FRAMES_MAX)
        free(l->frames[l->head].bytes);
    om_stack_free(l->stack);
    free(l->frames);
    free(l->ends);
    l->stack = NULL;
    l->frames = NULL;
    l->ends = NULL;
}

/* False: no memory, and nothing left behind. */
static inline bool link_start_with(struct link *l, const struct om_port_config config[static 2])
{
    *l = (struct link){.now = OM_SEC(5), .rand = 7};
    l->frames = calloc(LINK_FRAMES_MAX, sizeof *l->frames);
    l->ends = calloc(LINK_ENDS_MAX, sizeof *l->ends);
    if (l->frames && l->ends &&
        om_stack_new(&l->stack, &(struct om_rng){link_rand, l}, l->now) == OM_OK &&
        om_stack_port_add(l->stack, &config[0], &l->port[0]) == OM_OK &&
        om_stack_port_add(l->stack, &config[1], &l->port[1]) == OM_OK)
        return true;
    link_stop(l);
    return false;
}

static inline bool link_start(struct link *l)
{
    return link_start_with(l, (struct om_port_config[]){link_config(false), link_config(true)});
}

static inline uint8_t link_byte(uint8_t salt, size_t at)
{
    return (uint8_t)(at * 131 + (at >> 8) * 7 + salt);
}

static inline struct link_end *link_end_add(struct link *l, uint32_t flow, size_t goal)
{
    struct link_end *e = &l->ends[l->end_count++];

    *e = (struct link_end){.flow = flow, .goal = goal};
    return e;
}

static inline struct link_end *link_end_find(struct link *l, uint32_t flow)
{
    for (unsigned i = 0; i < l->end_count; i++)
        if (l->ends[i].flow == flow)
            return &l->ends[i];
    return NULL;
}

/* Writes what is left to write, as far as it is taken. */
static inline void link_end_write(struct link *l, struct link_end *e)
{
    uint8_t chunk[LINK_CHUNK];

    while ((e->news & OM_FLOW_OPEN) && e->written < e->goal) {
        size_t want = e->chunk ? e->chunk : sizeof chunk;
        want = want < e->goal - e->written ? want : e->goal - e->written;
        for (size_t i = 0; i < want; i++)
            chunk[i] = link_byte(e->salt, e->written + i);
        size_t n = om_flow_write(l->stack, l->now, e->flow, om_bytes(chunk, want));
        e->written += n;
        if (n < want) {
            e->short_writes++;
            return;
        }
    }
    if (e->finishes && e->written == e->goal)
        om_flow_finish(l->stack, l->now, e->flow);
}

/* Reads and consumes what came, unless the end holds. */
static inline void link_end_read(struct link *l, struct link_end *e)
{
    while (!e->is_holding) {
        bool is_end;
        struct om_bytes b = om_flow_read(l->stack, e->flow, &is_end);
        for (size_t i = 0; i < b.n; i++)
            e->wrong += b.p[i] != link_byte(e->far_salt, e->read + i);
        e->read += b.n;
        if (!b.n) {
            e->is_end = e->is_end || is_end;
            return;
        }
        om_flow_consume(l->stack, l->now, e->flow, b.n);
    }
}

static inline void link_end_serve(struct link *l, struct link_end *e)
{
    link_end_read(l, e);
    link_end_write(l, e);
}

/* Accepts, when that is the policy; the new end is the last of ends. */
static inline void link_on_ask(struct link *l, const struct om_stack_act *act)
{
    uint32_t flow;

    l->asks++;
    l->ask = *act;
    if (l->policy == LINK_HOLD || l->end_count == LINK_ENDS_MAX)
        return;
    if (om_stack_accept(l->stack, l->now, act->ask, &flow) != OM_OK)
        return;
    struct link_end *e = link_end_add(l, flow, l->server_goal);
    e->from = act->from;
    e->to = act->to;
    e->salt = 2;
    e->far_salt = 1;
    e->finishes = l->servers_finish;
}

/* Puts a packet on the wire, or loses it. */
static inline void link_on_packet(struct link *l, const struct om_stack_act *act)
{
    l->carried++;
    l->last_n = act->bytes.n;
    memcpy(l->last, act->bytes.p, act->bytes.n < sizeof l->last ? act->bytes.n : sizeof l->last);
    uint8_t *copy = NULL;
    if (l->count < LINK_FRAMES_MAX && !(l->drop_every && l->carried % l->drop_every == 0))
        copy = malloc(act->bytes.n);
    if (!copy) {
        l->dropped++;
        return;
    }
    memcpy(copy, act->bytes.p, act->bytes.n);
    l->frames[(l->head + l->count++) % LINK_FRAMES_MAX] =
        (struct link_frame){copy, act->bytes.n, act->port == l->port[0] ? l->port[1] : l->port[0]};
}

/* News of a flow: its end goes on with its work. */
static inline void link_on_flow(struct link *l, const struct om_stack_act *act)
{
    struct link_end *e = link_end_find(l, act->flow);

    if (!e)
        return;
    e->news |= act->news;
    link_end_serve(l, e);
}

/* Does all that the stack wants done. */
static inline void link_drain(struct link *l)
{
    struct om_stack_act act;

    while (om_stack_next(l->stack, &act)) {
        if (act.kind == OM_STACK_PACKET) {
            link_on_packet(l, &act);
        } else if (act.kind == OM_STACK_ASK) {
            link_on_ask(l, &act);
        } else if (act.kind == OM_STACK_FLOW) {
            link_on_flow(l, &act);
        } else {
            l->datagrams++;
            l->datagram = act;
            l->datagram.bytes = om_bytes(l->datagram_bytes, act.bytes.n);
            if (act.bytes.n <= sizeof l->datagram_bytes)
                memcpy(l->datagram_bytes, act.bytes.p, act.bytes.n);
        }
    }
}

/* Carries what there is, without time passing; one packet, or none. */
static inline bool link_step(struct link *l)
{
    link_drain(l);
    if (!l->count)
        return false;
    struct link_frame f = l->frames[l->head];
    l->head = (l->head + 1) % LINK_FRAMES_MAX;
    l->count--;
    om_stack_input(l->stack, l->now, f.port, om_bytes(f.bytes, f.n));
    free(f.bytes);
    link_drain(l);
    return true;
}

static inline void link_carry(struct link *l)
{
    while (link_step(l))
        continue;
}

/* Time jumps from deadline to deadline until @until; what is sent arrives at once. */
static inline void link_pass(struct link *l, om_time until)
{
    link_carry(l);
    while (om_stack_deadline(l->stack) <= until) {
        l->now = om_stack_deadline(l->stack);
        om_stack_tick(l->stack, l->now);
        link_carry(l);
    }
    l->now = until;
}

/* Until @done holds of @l; false when it never does. */
static inline bool link_until(struct link *l, bool (*done)(const struct link *l))
{
    while (!done(l)) {
        if (link_step(l))
            continue;
        om_time at = om_stack_deadline(l->stack);
        if (at > OM_SEC(LINK_LIMIT_SEC))
            return false;
        l->now = at;
        om_stack_tick(l->stack, at);
        link_drain(l);
    }
    return true;
}

/* A connection of port 0's that writes @goal bytes; NULL: refused or no memory. */
static inline struct link_end *link_connect(struct link *l, const char *to, size_t goal)
{
    struct om_addr a = link_addr(to);
    uint32_t flow;

    if (om_stack_connect(l->stack, l->now, l->port[0], NULL, &a, &flow) != OM_OK)
        return NULL;
    struct link_end *e = link_end_add(l, flow, goal);
    e->to = a;
    e->salt = 1;
    e->far_salt = 2;
    return e;
}

/* One connection: all that either side wrote has arrived. */
static inline bool link_all_read(const struct link *l)
{
    for (unsigned i = 0; i < l->end_count; i++)
        if (l->ends[i].written < l->ends[i].goal || l->ends[i].read < l->ends[i ^ 1].goal)
            return false;
    return l->end_count > 1;
}

static inline bool link_all_ended(const struct link *l)
{
    return link_all_read(l) && l->ends[0].is_end && l->ends[1].is_end;
}

static inline bool link_no_flows(const struct link *l)
{
    return om_stack_flows(l->stack) == 0;
}

static inline bool link_client_is_told(const struct link *l)
{
    const unsigned bad = OM_FLOW_REFUSED | OM_FLOW_RESET | OM_FLOW_TIMEOUT;
    return (l->ends[0].news & bad) != 0;
}

/* One connection to @to, and @bytes each way; each @drop_every-th packet is lost. */
static inline void link_exchange(const char *to, unsigned drop_every, size_t bytes, size_t chunk)
{
    struct link l;
    struct link_end *client;

    OM_TRY(link_start(&l));
    l.server_goal = bytes;
    l.drop_every = drop_every;
    OM_TRY(client = link_connect(&l, to, bytes));
    client->chunk = chunk;
    OM_TRY(link_until(&l, link_all_read));
    CHECK_EQ(l.ends[0].wrong + l.ends[1].wrong, 0);
    CHECK(om_addr_equal(&l.ends[1].to, &client->to)); /* the address that was asked for */
    CHECK_EQ(l.dropped != 0, drop_every != 0);
out:
    link_stop(&l);
}

#endif
