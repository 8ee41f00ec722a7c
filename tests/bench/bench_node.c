/* bench_node.c - whole nodes: handshakes, datagrams, junk. */
#include "bench_core.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

static struct pair world;
static struct wire wire;
static uint8_t junk[512];

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void new_world(void)
{
    struct pair_options o = pair_defaults();

    if (world.pool)
        pair_fini(&world);
    o.audit = false;
    o.limits.load_per_s = 1000000;
    o.limits.source_per_s = 1000000;
    o.limits.source_burst = 1000000;
    must(pair_init(&world, &o));
}

static void run_handshakes(void *arg, unsigned long n)
{
    (void)arg;
    while (n-- > 0) {
        if (world.sent > PAIR_TAPE_MAX - 100)
            new_world();
        must(pair_connect(&world, 0) == OM_OK);
        pair_run(&world, world.now + OM_MS(100));
        must(pair_peer(&world, 1).has_session);
        must(om_node_close(world.side[0].node, world.now, &world.network, &world.side[1].id, 0,
                           NULL) == OM_OK);
        pair_run(&world, world.now + OM_MS(100));
    }
}

/* Sends in bursts of 16; time passes until each burst is delivered, since it is paced. */
static void run_datagrams(void *arg, unsigned long n)
{
    struct wire *w = arg;
    uint8_t text[1100] = {0};
    uint64_t sent = w->delivered, steps;

    while (n > 0) {
        unsigned burst = n < 16 ? (unsigned)n : 16;
        n -= burst;
        for (unsigned i = 0; i < burst; i++)
            must(om_node_send(w->pair.side[0].node, w->pair.now, &w->pair.network,
                              &w->pair.side[1].id, "bench", om_bytes(text, sizeof text)) == OM_OK);
        sent += burst;
        wire_drain(w, 0);
        for (steps = 0; w->delivered < sent; steps++) {
            must(steps < 1000); /* none is lost */
            wire_step(w);
        }
    }
}

static void run_junk(void *arg, unsigned long n)
{
    struct om_dgram d = {
        .via.remote = om_addr_v4(0xc0000201, 9), .data = junk, .len = *(size_t *)arg};

    while (n-- > 0) {
        memcpy(junk + 496, &n, sizeof n);
        om_node_input(world.side[1].node, world.now, &d, 1);
    }
}

void bench_handshake(struct bench_report *r)
{
    struct bench b = {"two nodes, both sides", run_handshakes, NULL, 0};

    new_world();
    bench_measure(&b, 1);
    bench_row(r, "handshake and close", b.name, b.ns, 0, 0);
}

void bench_node(struct bench_report *r)
{
    static size_t short_junk = 300, long_junk = sizeof junk;
    struct bench b[] = {
        {"send to deliver, 1100 bytes", run_datagrams, &wire, 0},
        {"junk that can be no handshake", run_junk, &short_junk, 0},
        {"junk of handshake size", run_junk, &long_junk, 0},
    };

    new_world();
    must(pair_connect(&world, 0) == OM_OK);
    pair_run(&world, world.now + OM_SEC(1));
    wire_init(&wire, 0, UINT64_C(100000000000), 0);
    bench_measure(b, 1);
    bench_row(r, "node", b[0].name, b[0].ns, 1100, 0);
    wire_fini(&wire);
    bench_measure(b + 1, 2);
    bench_row(r, "node", b[1].name, b[1].ns, 0, 0);
    bench_row(r, "node", b[2].name, b[2].ns, 0, 0);
    pair_fini(&world);
}
