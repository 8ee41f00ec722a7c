/* prop_gossip_herd.c - gossip of many: how fast, at what price, through churn, cuts and lies. */
#include "harness.h"

#include "herd.h"

enum { ROUND_MS = OM_GOSSIP_ROUND_MS, ROUNDS_SHOWN = 12 };

/* Bytes a minute and node while nobody has anything to say. */
static double idle(struct sim_herd *h, unsigned minutes)
{
    uint64_t bytes = sim_herd_bytes(h), shakes = 0, calls = 0;

    for (unsigned i = 0; i < h->count; i++) {
        shakes -= h->nodes[i].handshakes;
        calls -= h->nodes[i].calls;
    }
    sim_herd_run(h, h->now + OM_SEC(60) * minutes);
    for (unsigned i = 0; i < h->count; i++) {
        shakes += h->nodes[i].handshakes;
        calls += h->nodes[i].calls;
    }
    double per = 1.0 / minutes / h->count, cost = (double)(sim_herd_bytes(h) - bytes) * per;
    print_message("%u nodes, idle: %.0f bytes, %.2f calls, %.2f handshakes a minute and node\n",
                  h->count, cost, (double)calls * per, (double)shakes * per);
    return cost;
}

/* Rounds until @share of those alive have heard that @i moved. */
static unsigned spread(struct sim_herd *h, unsigned i, double share, bool shows)
{
    unsigned rounds = 0, alive = sim_herd_alive(h);
    uint64_t twice = 0;

    sim_herd_watch(h, i);
    sim_herd_move(h, i);
    while (rounds < 1000 && sim_herd_aware(h) < alive * share) {
        sim_herd_run(h, h->now + OM_MS(ROUND_MS));
        rounds++;
        if (shows && rounds <= ROUNDS_SHOWN)
            print_message("  round %2u: %5u of %u know\n", rounds, sim_herd_aware(h), alive);
    }
    for (unsigned k = 0; k < h->count; k++)
        twice += h->nodes[k].told_twice;
    CHECK_EQ(twice, 0);
    return rounds;
}

static unsigned least_known(const struct sim_herd *h)
{
    unsigned least = h->count;

    for (unsigned i = 0; i < h->count; i++) {
        unsigned n = h->nodes[i].g && !h->nodes[i].vice ? sim_herd_known(h, i) : h->count;
        least = n < least ? n : least;
    }
    return least;
}

OM_TEST(prop_herd_costs_no_more_when_it_grows)
{
    struct sim_herd h;
    double cost[2];
    unsigned rounds;

    for (unsigned k = 0; k < 2; k++) {
        sim_herd_init(&h, 1, k == 0 ? 100 : 1000, 0);
        if (k == 0)
            sim_herd_gather(&h, OM_MS(10));
        else
            sim_herd_preload(&h, OM_SEC(3600));
        sim_herd_run(&h, h.now + OM_SEC(180));
        CHECK_EQ(least_known(&h), h.count);
        rounds = spread(&h, 7, 0.999, true);
        print_message("%u nodes: 99.9 %% know after %u rounds\n", h.count, rounds);
        CHECK(rounds <= 12);
        cost[k] = idle(&h, 20);
        rounds = spread(&h, 8, 0.999, false);
        print_message("%u nodes: again after %u rounds\n", h.count, rounds);
        CHECK(rounds <= 12);
        const struct om_records *s = om_gossip_store(h.nodes[0].g);
        print_message("%u nodes: %zu bytes of memory for each record\n", h.count,
                      om_records_bytes(s) / s->records);
        sim_herd_fini(&h);
    }
    CHECK(cost[1] < cost[0] * 1.5); /* log 1000 is 1.5 log 100 */
}

/* One goes, and one that was away comes back and asks somebody. */
static void turn_over(struct sim_herd *h)
{
    unsigned up = sim_herd_any(h, h->count), down = up;

    while (h->nodes[down].g)
        down = (unsigned)om_prng_below(&h->prng, h->count);
    sim_herd_down(h, up);
    sim_herd_up(h, down);
    sim_herd_meet(h, down, sim_herd_any(h, down));
}

OM_TEST(prop_herd_lives_through_churn)
{
    enum { ALL = 360, UP = 300, MINUTES = 10 };
    struct sim_herd h;
    unsigned slowest = 0;

    sim_herd_init(&h, 2, ALL, 0);
    for (unsigned i = 0; i < UP; i++) {
        sim_herd_up(&h, i);
        if (i > 0)
            sim_herd_meet(&h, i, (unsigned)om_prng_below(&h.prng, i));
        sim_herd_run(&h, h.now + OM_MS(10));
    }
    sim_herd_run(&h, h.now + OM_SEC(120));
    for (unsigned minute = 0; minute < MINUTES; minute++) {
        for (unsigned k = 0; k < UP / 10; k++) {
            turn_over(&h);
            sim_herd_run(&h, h.now + OM_SEC(60) / (UP / 10));
        }
        uint64_t known = 0, bytes = sim_herd_bytes(&h);
        for (unsigned i = 0; i < ALL; i++)
            known += h.nodes[i].g ? sim_herd_known(&h, i) : 0;
        unsigned who = sim_herd_any(&h, ALL), rounds = spread(&h, who, 0.99, false);
        print_message("churn, minute %2u: a node knows %.1f %% of those alive; 99 %% hear of a "
                      "change in %u rounds; %.0f kB sent by each node so far\n",
                      minute + 1, 100.0 * (double)known / UP / UP, rounds,
                      (double)bytes / ALL / 1000);
        slowest = rounds > slowest ? rounds : slowest;
        CHECK(known > (uint64_t)UP * UP * 95 / 100);
    }
    CHECK(slowest <= 100);
    sim_herd_fini(&h);
}

OM_TEST(prop_herd_heals_after_a_cut)
{
    enum { ALL = 300, CHANGES = 5 };
    struct sim_herd h;
    uint64_t sequence[2 * CHANGES];
    unsigned seconds = 0, missing = 1;

    sim_herd_init(&h, 3, ALL, 0);
    sim_herd_gather(&h, OM_MS(10));
    sim_herd_run(&h, h.now + OM_SEC(300));
    for (unsigned i = 0; i < ALL; i++)
        h.nodes[i].side = i % 2;
    sim_herd_run(&h, h.now + OM_SEC(3600));
    for (unsigned i = 0; i < 2 * CHANGES; i++)
        sim_herd_move(&h, i); /* one side, then the other */
    sim_herd_run(&h, h.now + OM_SEC(600));
    for (unsigned i = 0; i < 2 * CHANGES; i++) {
        const struct om_id *id = &h.nodes[i].self.id;
        sequence[i] = om_records_find(om_gossip_store(h.nodes[i].g), id)->sequence;
        for (unsigned k = 0; k < ALL; k++) {
            const struct om_held *r = om_records_find(om_gossip_store(h.nodes[k].g), id);
            CHECK_EQ(r->sequence == sequence[i], i % 2 == k % 2);
        }
    }
    for (unsigned i = 0; i < ALL; i++)
        h.nodes[i].side = 0;
    for (; seconds < 4 * 3600 && missing > 0; seconds += 60) {
        sim_herd_run(&h, h.now + OM_SEC(60));
        missing = 0;
        for (unsigned i = 0; i < 2 * CHANGES; i++)
            for (unsigned k = 0; k < ALL; k++)
                missing +=
                    om_records_find(om_gossip_store(h.nodes[k].g), &h.nodes[i].self.id)->sequence <
                    sequence[i];
        print_message("%u min after the cut: %u of %u are missing\n", seconds / 60 + 1, missing,
                      2 * CHANGES * ALL);
    }
    CHECK_EQ(missing, 0);
    CHECK(seconds <= 1800);
    sim_herd_fini(&h);
}

OM_TEST(prop_herd_withstands_hostile_members)
{
    enum { ALL = 300, EACH = 20 };
    struct sim_herd h;
    unsigned rounds[2] = {0, 0};

    for (unsigned k = 0; k < 2; k++) {
        sim_herd_init(&h, 4, ALL, 0);
        h.members_only = true;
        for (unsigned i = 5; k == 1 && i < ALL; i += EACH)
            h.nodes[i].vice = HERD_LIAR;
        sim_herd_gather(&h, OM_MS(10));
        sim_herd_run(&h, h.now + OM_SEC(180));
        for (unsigned i = 0; i < 5; i++) {
            rounds[k] += spread(&h, 50 * i + 7, 0.999, i == 0);
            sim_herd_run(&h, h.now + OM_SEC(5));
        }
        print_message("%s: 99.9 %% know after %.1f rounds\n", k ? "5 % liars" : "all honest",
                      rounds[k] / 5.0);
        if (k == 1)
            print_message("%lu lies\n", (unsigned long)h.lies);
        for (unsigned d = 0; d < OM_GOSSIP_DROP_COUNT; d++)
            print_message("  dropped as %-9s %8lu\n", om_gossip_drop_name(d),
                          (unsigned long)sim_herd_drops(&h, d));
        for (unsigned i = 0; i < ALL; i++)
            CHECK(om_gossip_store(h.nodes[i].g)->records <= ALL);
        static const enum om_gossip_drop lies[] = {
            OM_GOSSIP_DROP_FORGED,    OM_GOSSIP_DROP_FUTURE,   OM_GOSSIP_DROP_OVERSIZE,
            OM_GOSSIP_DROP_MALFORMED, OM_GOSSIP_DROP_STRANGER, OM_GOSSIP_DROP_QUOTA};
        for (unsigned d = 0; d < OM_ARRAY_SIZE(lies); d++)
            CHECK_EQ(sim_herd_drops(&h, lies[d]) > 0, k == 1);
        sim_herd_fini(&h);
    }
    CHECK(rounds[1] < 2 * rounds[0]);
}
