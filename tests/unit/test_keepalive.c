/* test_keepalive.c - hours of rest behind NATs with a known timeout. */
#include "harness.h"

#include <omerta/prng.h>

#include "path/keepalive.h"

enum { RTT_MS = 80, PTO_MS = 200, WORDS_MAX = 16 };

/* A NAT with two mappings, the path's and the spare one; and a peer that answers. */
struct world {
    struct om_keepalive k;
    struct om_nat_life life;
    om_time now, timeout;
    unsigned loss_percent;
    bool peer_is_gone, peer_hurries, peer_is_deaf;
    unsigned lost;
    bool refreshes_inward;
    bool is_linux;       /* 30 s for a flow that was never used 2 s after it began */
    om_time path, spare; /* each mapping was last refreshed then */
    om_time spare_born;
    bool spare_is_stream;
    unsigned expired; /* times that the path's mapping was gone when we sent */
    struct {
        om_time at;
        bool is_spare;
    } words[WORDS_MAX]; /* on their way to us */
    unsigned count;
    struct om_prng dice;
};

static bool is_lost(struct world *w)
{
    return w->peer_is_gone || om_prng_below(&w->dice, 100) < w->loss_percent;
}

static void answer(struct world *w, bool is_spare, om_time after)
{
    bool going = is_lost(w), coming = is_lost(w);

    if (going || coming)
        return;
    CHECK(w->count < WORDS_MAX);
    w->words[w->count].at = w->now + OM_MS(RTT_MS) + after;
    w->words[w->count++].is_spare = is_spare;
}

static om_time spare_life(const struct world *w)
{
    return w->is_linux && !w->spare_is_stream ? OM_SEC(30) : w->timeout;
}

static void send(struct world *w, enum om_keepalive_act act)
{
    if (act == OM_KEEPALIVE_PING) {
        w->expired += w->now - w->path >= w->timeout;
        w->path = w->now;
        answer(w, false, 0);
        return;
    }
    if (act == OM_KEEPALIVE_LOST) {
        w->lost++;
        return;
    }
    if (w->now - w->spare >= spare_life(w)) {
        w->spare_born = w->now;
        w->spare_is_stream = false;
    }
    w->spare_is_stream |= w->now - w->spare_born >= OM_SEC(2);
    w->spare = w->now;
    if (w->peer_is_deaf)
        return;
    if (act == OM_KEEPALIVE_WARM)
        answer(w, true, 0);
    else
        answer(w, true, w->peer_hurries ? OM_SEC(1) : w->k.gap);
}

static void arrive(struct world *w, bool is_spare)
{
    om_time *mapping = is_spare ? &w->spare : &w->path;

    if (w->now - *mapping >= (is_spare ? spare_life(w) : w->timeout))
        return;
    if (w->refreshes_inward)
        *mapping = w->now;
    if (is_spare)
        om_keepalive_word(&w->k, &w->life, w->now);
    else
        om_keepalive_heard(&w->k, w->now);
}

static void run(struct world *w, om_time until)
{
    enum om_keepalive_act act;

    for (;;) {
        unsigned first = w->count;
        om_time at = om_keepalive_deadline(&w->k, &w->life);
        for (unsigned i = 0; i < w->count; i++)
            if (w->words[i].at <= at) {
                at = w->words[i].at;
                first = i;
            }
        if (at > until)
            break;
        w->now = at > w->now ? at : w->now;
        if (first < w->count) {
            bool is_spare = w->words[first].is_spare;
            w->words[first] = w->words[--w->count];
            arrive(w, is_spare);
        }
        while (om_keepalive_next(&w->k, &w->life, w->now, OM_MS(PTO_MS), &act))
            send(w, act);
    }
    w->now = until;
}

static void begin(struct world *w, unsigned timeout_s, unsigned loss)
{
    *w = (struct world){.timeout = OM_SEC(timeout_s), .loss_percent = loss};
    om_prng_seed(&w->dice, 1000ULL * timeout_s + loss);
    om_keepalive_start(&w->k, 0, true);
}

static const unsigned timeouts[] = {20, 60, 180};

/* Shorter than what is taken for granted; but for the first minutes it holds the mapping. */
OM_TEST(keepalive_learns_a_short_timeout)
{
    struct world w;

    begin(&w, 8, 0);
    run(&w, OM_SEC(3600));
    CHECK(w.life.alive >= OM_MS(6400) && w.life.alive < OM_SEC(8));
    CHECK(om_nat_life_safe(&w.life) < OM_SEC(8));
    CHECK(w.expired > 0); /* until it knew */
    unsigned had = w.expired;
    run(&w, OM_SEC(2 * 3600));
    CHECK_EQ(w.expired, had);
}

OM_TEST(keepalive_learns_the_timeout)
{
    for (unsigned i = 0; i < 6; i++) {
        struct world w;
        begin(&w, timeouts[i / 2], 0);
        w.refreshes_inward = i % 2;
        run(&w, OM_SEC(3600));
        CHECK_EQ(om_nat_life_trial(&w.life), OM_NEVER);
        CHECK(w.life.alive < w.timeout + OM_MS(RTT_MS));
        CHECK(om_nat_life_safe(&w.life) < w.timeout);
        CHECK(om_nat_life_safe(&w.life) * 10 >= w.timeout * 8);
        CHECK(w.k.asks <= 40);
        CHECK_EQ(w.expired, 0);
    }
}

OM_TEST(keepalive_tries_a_warm_mapping)
{
    struct world w;

    begin(&w, 120, 0);
    w.is_linux = true;
    w.spare_born = w.spare = -OM_SEC(1000);
    run(&w, OM_SEC(3600));
    CHECK(om_nat_life_safe(&w.life) * 10 >= w.timeout * 8);
    CHECK_EQ(w.expired, 0);
}

OM_TEST(keepalive_sends_no_more_than_needed)
{
    for (unsigned i = 0; i < 3; i++) {
        struct world w;
        begin(&w, timeouts[i], 0);
        run(&w, OM_SEC(3600));
        unsigned before = w.k.pings, asks = w.k.asks;
        run(&w, OM_SEC(2 * 3600));
        CHECK((w.k.pings - before) * timeouts[i] * 8 <= 3600 * 10);
        CHECK((w.k.pings - before) * timeouts[i] >= 3600);
        CHECK_EQ(w.k.asks, asks); /* what is learnt is not asked again */
        print_message("timeout %u s: learnt %lld ms with %u datagrams; then %u keepalives an hour, "
                      "%u would do\n",
                      timeouts[i], (long long)(om_nat_life_safe(&w.life) / 1000), asks,
                      w.k.pings - before, 3600 / timeouts[i]);
        CHECK_EQ(w.expired, 0);
    }
}

OM_TEST(keepalive_is_quiet_while_traffic_flows)
{
    struct world w;

    begin(&w, 20, 0);
    for (unsigned s = 1; s < 1000; s++) {
        run(&w, OM_SEC(s));
        om_keepalive_sent(&w.k, w.now);
        w.path = w.now;
    }
    CHECK_EQ(w.k.pings, 0);
    CHECK_EQ(w.k.asks, 0);
    run(&w, OM_SEC(1020)); /* the control: then it does speak */
    CHECK_EQ(w.k.pings, 1);
}

/* A peer that went away is not a NAT that forgot. */
OM_TEST(keepalive_needs_life_to_tell_death)
{
    struct world w;

    begin(&w, 180, 0);
    w.peer_is_gone = true;
    run(&w, OM_SEC(3600));
    CHECK_EQ(w.life.dead, 0);
    CHECK_EQ(w.life.misses, 0);
    CHECK_EQ(w.k.asks, OM_KEEPALIVE_DEAF); /* nobody answered even at once */
    w.peer_is_gone = false;
    om_keepalive_start(&w.k, w.now, true);
    run(&w, OM_SEC(2 * 3600));
    CHECK(om_nat_life_safe(&w.life) * 10 >= w.timeout * 8);
}

OM_TEST(keepalive_stands_loss)
{
    for (unsigned i = 0; i < 3; i++) {
        struct world w;
        begin(&w, timeouts[i], 5);
        run(&w, OM_SEC(4 * 3600));
        CHECK(om_nat_life_safe(&w.life) < w.timeout);
        CHECK(om_nat_life_safe(&w.life) * 10 >= w.timeout * 8);
        CHECK_EQ(w.expired, 0);
    }
}

/* A word sent before its time proves no more than the time that it took. */
OM_TEST(keepalive_does_not_believe_an_early_word)
{
    struct world w;

    begin(&w, 20, 0);
    w.peer_hurries = true;
    run(&w, OM_SEC(3600));
    CHECK(w.life.alive < OM_SEC(2));
    CHECK(om_nat_life_safe(&w.life) < w.timeout);
    CHECK_EQ(w.expired, 0);
}

OM_TEST(keepalive_stops)
{
    enum om_keepalive_act act;
    struct world w;

    begin(&w, 60, 0);
    run(&w, OM_SEC(20));
    CHECK(om_keepalive_deadline(&w.k, &w.life) < OM_NEVER);
    om_keepalive_stop(&w.k);
    CHECK_EQ(om_keepalive_deadline(&w.k, &w.life), OM_NEVER);
    CHECK(!om_keepalive_next(&w.k, &w.life, OM_SEC(1000), OM_MS(PTO_MS), &act));
    om_keepalive_word(&w.k, &w.life, OM_SEC(1000));
    CHECK_EQ(w.life.alive, 0);
    om_keepalive_start(&w.k, OM_SEC(1000), false); /* another path of the same family */
    CHECK(om_keepalive_next(&w.k, &w.life, OM_SEC(2000), OM_MS(PTO_MS), &act));
    CHECK_EQ(act, OM_KEEPALIVE_PING);
    CHECK(!om_keepalive_next(&w.k, &w.life, OM_SEC(2000), OM_MS(PTO_MS), &act));
    CHECK_EQ(w.k.asks, 0);
}

/* Where the spare socket is not even answered at first, silence is no sign of a NAT that forgot. */
OM_TEST(keepalive_needs_a_warm_answer)
{
    struct world w;

    begin(&w, 60, 0);
    w.peer_is_deaf = true;
    run(&w, OM_SEC(3600));
    CHECK_EQ(w.life.dead, 0);
    CHECK_EQ(w.k.asks, OM_KEEPALIVE_DEAF);
    CHECK_EQ(w.expired, 0);
    begin(&w, 60, 0); /* the control: this one answers */
    run(&w, OM_SEC(3600));
    CHECK(w.life.dead > 0);
    CHECK(w.k.asks > OM_KEEPALIVE_DEAF);
}

OM_TEST(keepalive_tells_of_a_lost_path)
{
    struct world w;

    begin(&w, 60, 0);
    run(&w, OM_SEC(600));
    CHECK_EQ(w.lost, 0);
    w.peer_is_gone = true;
    unsigned pings = w.k.pings;
    om_time safe = om_nat_life_safe(&w.life);
    run(&w, w.now + safe + OM_SEC(OM_KEEPALIVE_TRIES));
    CHECK_EQ(w.lost, 1);
    CHECK_EQ(w.k.pings - pings, OM_KEEPALIVE_TRIES);
    CHECK(w.k.silence >= safe && w.k.silence < safe + OM_SEC(1));
    w.peer_is_gone = false;
    run(&w, w.now + OM_SEC(600));
    CHECK_EQ(w.lost, 1);
}
