/* bench_memory.c - heap of associations, of calls, and of streams at full speed. */
#include "bench_core.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum {
    PEERS = 256, /* of one node */
    LENT = 4 * PEERS,
    WARM_MS = 5000,
    MEASURE_MS = 5000
};

struct crowd {
    struct om_pool *pool;
    struct om_prng prng;
    struct om_node *node[1 + PEERS]; /* the first knows them all */
    struct om_id network;
    om_time now;
    uint8_t lent[LENT][OM_BLOCK_BYTES]; /* datagrams; each stays until its node was drained */
    unsigned next_lent;
};

static struct wire wire;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static double heap_now(void)
{
    struct mallinfo2 m = mallinfo2();

    return (double)(m.uordblks + m.hblkhd);
}

static void fill(void *self, void *dst, size_t n)
{
    struct crowd *c = self;
    uint8_t *at = dst;

    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)om_prng_u64(&c->prng);
}

static struct om_addr address(unsigned i)
{
    return om_addr_v4(0x0a000001u + i, 18002);
}

/* Nodes that know nobody, of one network. */
static void gather(struct crowd *c)
{
    struct om_node_config config = {.rng = {fill, c}, .wall = {INT64_C(1700000000000)}};
    struct om_network_config net = {.open = true};

    c->now = OM_SEC(1);
    om_prng_seed(&c->prng, 1);
    c->pool = om_pool_new(OM_BLOCK_BYTES, 512);
    must(c->pool != NULL);
    memset(c->network.b, 0x4e, sizeof c->network.b);
    net.id = c->network;
    om_limits_default(&config.limits);
    config.limits.load_per_s = 1000000;
    config.pool = c->pool;
    for (unsigned i = 0; i <= PEERS; i++) {
        uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
        config.home_seed = seed;
        must(om_node_new(&c->node[i], &config, c->now, NULL) == OM_OK);
        must(om_node_join(c->node[i], &net, NULL) == OM_OK);
    }
}

/* What @from has to say arrives at once. False when it was nothing. */
static bool talk(struct crowd *c, unsigned from)
{
    bool has_talked = false;
    struct om_act a;

    while (om_node_next(c->node[from], &a)) {
        if (a.kind != OM_ACT_SEND)
            continue;
        has_talked = true;
        struct om_bytes d = om_sealed_bytes(a.send.dgram);
        uint8_t *bytes = c->lent[c->next_lent++ % LENT];
        memcpy(bytes, d.p, d.n);
        om_node_sent(c->node[from], a.send.dgram);
        for (unsigned to = 0; to <= PEERS; to++) {
            struct om_addr at = address(to);
            struct om_dgram in = {.via.remote = address(from), .data = bytes, .len = d.n};
            if (om_addr_equal(&a.send.via.remote, &at))
                om_node_input(c->node[to], c->now, &in, 1);
        }
    }
    return has_talked;
}

/* The node @i and the one that all know, until neither has more to say. */
static void converse(struct crowd *c, unsigned i)
{
    bool more;

    do {
        more = talk(c, i);
        if (i != 0)
            more |= talk(c, 0);
    } while (more);
}

static void let_pass(struct crowd *c, om_time until)
{
    for (c->now += OM_MS(10); c->now < until; c->now += OM_MS(10)) {
        for (unsigned i = 0; i <= PEERS; i++) {
            om_node_tick(c->node[i], c->now);
            converse(c, i);
        }
    }
}

static void weigh_associations(struct bench_report *r)
{
    struct om_node_info info;
    static struct crowd c;
    double before, after;

    gather(&c);
    before = heap_now();
    for (unsigned i = 1; i <= PEERS; i++) {
        struct om_addr to = address(0);
        must(om_node_connect(c.node[i], c.now, &c.network, om_node_id(c.node[0], &c.network), &to,
                             1) == OM_OK);
        converse(&c, i);
    }
    let_pass(&c, OM_SEC(20));
    after = heap_now();
    om_node_info(c.node[0], &info);
    must(info.sessions >= PEERS);
    bench_memory_row(r, "memory", "association, each side", (after - before) / PEERS / 2);
    for (unsigned i = 0; i <= PEERS; i++)
        om_node_free(c.node[i]);
    om_pool_free(c.pool);
}

static void weigh_calls(struct bench_report *r)
{
    wire_init(&wire, 0, UINT64_C(1000000000), OM_MS(1));
    wire.is_idle = true;
    wire.is_weighed = true;
    for (unsigned i = 0; i < WIRE_CALLS_MAX; i++) {
        wire_call(&wire);
        wire_run(&wire, OM_MS(2));
    }
    wire_run(&wire, OM_SEC(10));
    must(wire.answered == WIRE_CALLS_MAX);
    bench_memory_row(r, "memory", "idle call, who called",
                     (double)wire.end[0].heap / WIRE_CALLS_MAX);
    bench_memory_row(r, "memory", "idle call, who accepted",
                     (double)wire.end[1].heap / WIRE_CALLS_MAX);
    wire_fini(&wire);
}

static void weigh_stream(struct bench_report *r, unsigned loss_every)
{
    const char *group = loss_every ? "memory, 100 Mb/s 50 ms, 1 % lost" : "memory, 100 Mb/s 50 ms";

    wire_init(&wire, 0, UINT64_C(100000000), OM_MS(50));
    wire.loss_every = loss_every;
    wire.is_weighed = true;
    wire_call(&wire);
    wire_run(&wire, OM_MS(WARM_MS));
    uint64_t received = wire.call[0].received;
    wire.end[0].heap_max = wire.end[1].heap_max = 0;
    wire_run(&wire, OM_MS(MEASURE_MS));
    received = wire.call[0].received - received;
    /* At full speed, or with every hundredth packet lost near it. */
    must(received > UINT64_C(12500) * MEASURE_MS * (loss_every ? 8 : 9) / 10);
    bench_memory_row(r, group, "sender, at most", (double)wire.end[0].heap_max);
    bench_memory_row(r, group, "receiver, at most", (double)wire.end[1].heap_max);
    wire_fini(&wire);
}

void bench_memory(struct bench_report *r)
{
    weigh_associations(r);
    weigh_calls(r);
    weigh_stream(r, 0);
    weigh_stream(r, 100);
}
