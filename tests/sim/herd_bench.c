/* herd_bench.c - omerta-herd: what gossip costs over hours, renewals included. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herd.h"

enum { RENEWED_OVER_S = 12 * 3600, SETTLE_S = 1800, HOUR_S = 3600, ROUNDS_MAX = 60, SEEKS = 200 };

/* Called CALLS, handshakes, entries taken in and heads of all, to be compared with a later call. */
struct tally {
    uint64_t bytes, calls, handshakes, entries, heads;
};

static struct tally count(const struct sim_herd *h)
{
    struct tally t = {.bytes = sim_herd_bytes(h)};

    for (unsigned i = 0; i < h->count; i++) {
        const struct om_gossip_counts *c = om_gossip_counts(h->nodes[i].g);
        t.calls += h->nodes[i].calls;
        t.handshakes += h->nodes[i].handshakes;
        t.entries += c->entries_in;
        t.heads += c->heads_in;
    }
    return t;
}

/* Records of @h that are older than @hours at a node that keeps them, in percent of all kept. */
static double stale(const struct sim_herd *h, unsigned hours)
{
    uint64_t old = 0, all = 0;

    for (unsigned i = 0; i < h->count; i++)
        for (unsigned k = 0; k < h->count; k += h->count / 100) {
            const struct om_id *id = &h->nodes[k].self.id;
            const struct om_held *mine = om_records_find(om_gossip_store(h->nodes[k].g), id);
            const struct om_held *r = om_records_find(om_gossip_store(h->nodes[i].g), id);
            all += r != NULL;
            old += r && mine && mine->sequence - r->sequence > (uint64_t)hours * HOUR_S * 1000;
        }
    return 100.0 * (double)old / (double)(all ? all : 1);
}

static void live(struct sim_herd *h, unsigned hours)
{
    for (unsigned hour = 1; hour <= hours; hour++) {
        struct tally before = count(h);
        sim_herd_run(h, h->now + OM_SEC(HOUR_S));
        struct tally after = count(h);
        double per = 1.0 / 60 / h->count;
        printf("%u nodes, hour %u: %.0f bytes, %.2f calls, %.2f handshakes, %.1f heads, %.2f "
               "entries a minute and node; %.2f %% of records kept are out of date\n",
               h->count, hour, (double)(after.bytes - before.bytes) * per,
               (double)(after.calls - before.calls) * per,
               (double)(after.handshakes - before.handshakes) * per,
               (double)(after.heads - before.heads) * per,
               (double)(after.entries - before.entries) * per, stale(h, 0));
        (void)fflush(stdout);
    }
}

/* Nodes look for others that they do not know. */
static void seek(struct sim_herd *h)
{
    uint64_t asked = 0, found = 0;
    unsigned sought = 0;

    for (unsigned k = 0; k < SEEKS; k++) {
        unsigned i = sim_herd_any(h, h->count), j = sim_herd_any(h, i);
        if (om_records_find(om_gossip_store(h->nodes[i].g), &h->nodes[j].self.id))
            continue;
        uint64_t before = om_gossip_counts(h->nodes[i].g)->seeks, had = h->nodes[i].found;
        if (!sim_herd_seek(h, i, j))
            continue;
        sim_herd_run(h, h->now + OM_SEC(15));
        sought++;
        asked += om_gossip_counts(h->nodes[i].g)->seeks - before;
        found += h->nodes[i].found - had;
    }
    printf(
        "%u nodes: %u looked for one they did not know, %lu found it, %.1f nodes asked for each\n",
        h->count, sought, (unsigned long)found, (double)asked / (sought ? sought : 1));
}

/* One that knows nobody comes: when have the others heard of it, and what does it know then? */
static void join(struct sim_herd *h)
{
    unsigned i = h->count / 3, seconds = 0;

    sim_herd_down(h, i);
    sim_herd_run(h, h->now + OM_SEC(60));
    h->nodes[i].addr.port++;
    sim_herd_up(h, i);
    sim_herd_meet(h, i, sim_herd_any(h, i));
    sim_herd_watch(h, i);
    h->watched_after--;
    for (; seconds < 600 && sim_herd_aware(h) < h->count * 0.999; seconds++)
        sim_herd_run(h, h->now + OM_SEC(1));
    printf("%u nodes: a newcomer is heard of by 99.9 %% after %u s, and knows %u\n", h->count,
           seconds, sim_herd_known(h, i));
}

static void run(unsigned nodes, unsigned hours)
{
    struct sim_herd h;
    unsigned aware = 0, round = 0;
    size_t bytes = 0;
    uint64_t records = 0;

    sim_herd_init(&h, 1, nodes, 0);
    sim_herd_preload(&h, OM_SEC(RENEWED_OVER_S));
    sim_herd_run(&h, h.now + OM_SEC(SETTLE_S));
    live(&h, hours);
    sim_herd_watch(&h, nodes / 2);
    sim_herd_move(&h, nodes / 2);
    printf("%u nodes, who has heard of a change, by round:", nodes);
    for (; round < ROUNDS_MAX && aware < nodes * 0.999; round++) {
        sim_herd_run(&h, h.now + OM_MS(OM_GOSSIP_ROUND_MS));
        aware = sim_herd_aware(&h);
        printf(" %.1f%%", 100.0 * aware / nodes);
    }
    printf("\n");
    join(&h);
    seek(&h);
    for (unsigned i = 0; i < nodes; i++) {
        bytes += om_records_bytes(om_gossip_store(h.nodes[i].g));
        records += om_gossip_store(h.nodes[i].g)->records;
    }
    printf("%u nodes: 99.9 %% after %u rounds of %d ms; %.0f records each, of %.0f bytes\n", nodes,
           round, OM_GOSSIP_ROUND_MS, (double)records / nodes, (double)bytes / (double)records);
    sim_herd_fini(&h);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {100, 1000, 10000};
    unsigned long hours = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;

    if (argc > 3 || hours > 1000) {
        fprintf(stderr, "usage: %s [HOURS [NODES]]\n", argv[0]);
        return 2;
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(sizes); i++)
        if (argc < 3 || strtoul(argv[2], NULL, 10) == sizes[i])
            run(sizes[i], (unsigned)hours);
    return 0;
}
