/* wire.c - steps of virtual time between two nodes. */
#include "wire.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP_US = 50, FULL = 1150 }; /* at 10 Gb/s, 52 packets arrive within a step */

static uint8_t text[WIRE_WRITE];

static void must(bool ok)
{
    if (!ok)
        abort();
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int64_t heap_now(void)
{
    struct mallinfo2 m = mallinfo2();

    return (int64_t)(m.uordblks + m.hblkhd);
}

/* Calls of a node follow; what they take is booked on it by leave(). */
static void enter(struct wire *w, int i)
{
    if (w->is_weighed)
        w->end[i].heap -= heap_now();
    w->end[i].ns -= now_ns();
}

static void leave(struct wire *w, int i)
{
    struct wire_end *e = &w->end[i];

    e->ns += now_ns();
    if (!w->is_weighed)
        return;
    e->heap += heap_now();
    if (e->heap > e->heap_max)
        e->heap_max = e->heap;
}

static void write_more(struct wire *w, struct wire_call *c)
{
    while (!w->is_idle && c->written - c->released <= WIRE_AHEAD - WIRE_WRITE) {
        enum om_err e =
            om_node_write(w->pair.side[0].node, w->pair.now, c->out, om_bytes(text, sizeof text));
        if (e == OM_E_BUSY)
            return;
        must(e == OM_OK);
        c->written += sizeof text;
    }
}

static void read_all(struct wire *w, struct wire_call *c)
{
    struct om_node *n = w->pair.side[1].node;
    struct om_bytes b;

    while (b = om_node_read(n, c->in, NULL), b.n > 0) {
        om_node_consume(n, w->pair.now, c->in, b.n);
        c->received += b.n;
    }
}

static struct wire_call *find(struct wire *w, int i, uint64_t number)
{
    for (unsigned k = 0; k < w->calls; k++)
        if ((i ? w->call[k].in : w->call[k].out) == number)
            return &w->call[k];
    abort();
}

static void act_on(struct wire *w, int i, const struct om_act *a)
{
    struct om_node *n = w->pair.side[i].node;

    switch (a->kind) {
    case OM_ACT_DELIVER:
        w->delivered++;
        break;
    case OM_ACT_CALL:
        w->call[w->accepted].in = a->call.call;
        must(om_node_accept(n, w->pair.now, w->call[w->accepted++].in, om_bytes(NULL, 0)) == OM_OK);
        break;
    case OM_ACT_REPLY:
        must(a->reply.is_ok);
        w->answered++;
        write_more(w, find(w, 0, a->reply.call));
        break;
    case OM_ACT_STREAM: {
        struct wire_call *c = find(w, i, a->stream.call);
        must(!(a->stream.news & (OM_CALL_RESET | OM_CALL_STOPPED | OM_CALL_DONE)));
        if (a->stream.news & OM_CALL_RELEASED)
            c->released = a->stream.released;
        if (i == 0)
            write_more(w, c);
        else
            read_all(w, c);
        break;
    }
    default:
        break;
    }
}

static void put(struct wire *w, int to, struct om_bytes d)
{
    struct wire_end *e = &w->end[to];
    int64_t now = (int64_t)w->pair.now * 1000;

    w->end[!to].sent++;
    w->end[!to].sent_full += d.n >= FULL;
    if (e->count == WIRE_SLOTS || d.n > OM_DGRAM_MAX ||
        (to == 1 && w->loss_every > 0 && w->end[0].sent % w->loss_every == 0)) {
        e->dropped++;
        return;
    }
    struct wire_dgram *slot = &e->in[(e->head + e->count++) % WIRE_SLOTS];
    e->free_ns = (e->free_ns > now ? e->free_ns : now) + (int64_t)(d.n * w->ns_byte / 1000);
    slot->at_ns = e->free_ns + (int64_t)w->delay * 1000;
    slot->len = d.n;
    memcpy(slot->bytes, d.p, d.n);
}

void wire_drain(struct wire *w, int i)
{
    struct om_node *n = w->pair.side[i].node;
    struct om_sealed *held[WIRE_BATCH];
    unsigned count;

    do {
        struct om_act a;
        enter(w, i);
        for (count = 0; count < WIRE_BATCH && om_node_next(n, &a);) {
            if (a.kind == OM_ACT_SEND)
                held[count++] = a.send.dgram;
            else
                act_on(w, i, &a);
        }
        leave(w, i);
        for (unsigned k = 0; k < count; k++)
            put(w, !i, om_sealed_bytes(held[k]));
        enter(w, i);
        for (unsigned k = 0; k < count; k++)
            om_node_sent(n, held[k]);
        leave(w, i);
    } while (count == WIRE_BATCH);
}

/* One batch of what has arrived at @i; false when there is none. */
static bool arrive(struct wire *w, int i)
{
    struct om_dgram batch[WIRE_BATCH];
    struct wire_end *e = &w->end[i];
    unsigned count = 0;

    while (count < WIRE_BATCH && count < e->count) {
        struct wire_dgram *d = &e->in[(e->head + count) % WIRE_SLOTS];
        if (d->at_ns > (int64_t)w->pair.now * 1000)
            break;
        batch[count++] =
            (struct om_dgram){.via.remote = w->pair.side[!i].addr, .data = d->bytes, .len = d->len};
    }
    if (count == 0)
        return false;
    enter(w, i);
    om_node_input(w->pair.side[i].node, w->pair.now, batch, count);
    leave(w, i);
    wire_drain(w, i);
    e->head = (e->head + count) % WIRE_SLOTS;
    e->count -= count;
    return true;
}

void wire_step(struct wire *w)
{
    om_time at = OM_NEVER;

    for (int i = 0; i < 2; i++) {
        const struct wire_end *e = &w->end[i];
        at = om_time_min(at, om_node_deadline(w->pair.side[i].node));
        if (e->count > 0)
            at = om_time_min(at, (om_time)((e->in[e->head].at_ns + 999) / 1000));
    }
    must(at != OM_NEVER);
    w->pair.now = (at > w->pair.now ? at - at % STEP_US : w->pair.now) + STEP_US;
    for (int i = 0; i < 2; i++) {
        while (arrive(w, i))
            ;
        enter(w, i);
        om_node_tick(w->pair.side[i].node, w->pair.now);
        leave(w, i);
        wire_drain(w, i);
    }
}

void wire_run(struct wire *w, om_time time)
{
    om_time until = w->pair.now + time;

    while (w->pair.now < until)
        wire_step(w);
}

void wire_init(struct wire *w, uint8_t cipher, uint64_t bps, om_time rtt)
{
    struct pair_options o = pair_defaults();

    memset(w, 0, sizeof *w);
    w->delay = rtt / 2;
    w->ns_byte = UINT64_C(8000000000000) / bps;
    o.audit = false;
    o.limits.packets_max = UINT64_C(1) << 40; /* rekeying is not what is measured */
    o.ciphers[0] = o.ciphers[1] = cipher;
    must(pair_init(&w->pair, &o));
    for (int i = 0; i < 2; i++) {
        w->end[i].in = calloc(WIRE_SLOTS, sizeof *w->end[i].in);
        must(w->end[i].in != NULL);
    }
    must(pair_connect(&w->pair, 0) == OM_OK);
    pair_run(&w->pair, w->pair.now + OM_SEC(1));
    must(pair_peer(&w->pair, 1).has_session);
}

void wire_fini(struct wire *w)
{
    pair_fini(&w->pair);
    for (int i = 0; i < 2; i++)
        free(w->end[i].in);
}

void wire_call(struct wire *w)
{
    struct om_call_config c = {.method = "bench.sink", .priority = OM_NORMAL};

    must(w->calls < WIRE_CALLS_MAX);
    enter(w, 0);
    must(om_node_call(w->pair.side[0].node, w->pair.now, &w->pair.network, &w->pair.side[1].id, &c,
                      &w->call[w->calls].out) == OM_OK);
    leave(w, 0);
    w->calls++;
    wire_drain(w, 0);
}
