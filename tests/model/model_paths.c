/* model_paths.c - gaps and losses when paths change, and random histories of two ends. */
#include <stdio.h>

#include "paths_net.h"

enum {
    RATE = 10000,
    HISTORIES = 300,
    HISTORY_RATE = 200,
    CHANGES = 25,
    PEACE_S = 20,
    PEACE_RATE = 50,
    CLEAN_HISTORIES = 150,
    CLEAN_RATE = 400 /* every 2.5 ms: gaps are told from those of 300 ms */
};

/* Longest gaps, and packets that never arrived, of each end. */
struct figures {
    unsigned gap_ms[2], lost[2];
};

static void forget_gaps(struct net *n)
{
    n->end[0].gap = n->end[1].gap = 0;
}

static void name_moves(const struct net *n, char *out, size_t size)
{
    size_t at = 0;

    out[0] = 0;
    for (unsigned e = 0; e < 2; e++)
        for (unsigned w = 0; w < OM_PATHS_WHYS; w++)
            if (w != OM_PATHS_FIRST && n->end[e].whys[w] && at + 24 < size)
                at += (size_t)snprintf(out + at, size - at, " %c:%s", e ? 'b' : 'a',
                                       om_paths_why_name((enum om_paths_why)w));
}

/* Lets 3 s pass, then all arrive; prints and returns what it cost. Frees @n. */
static struct figures settle(struct net *n, const char *name)
{
    struct figures f;
    char moves[128];

    net_run(n, n->now + OM_SEC(3));
    n->end[0].next_send = n->end[1].next_send = OM_NEVER;
    om_time gap[2] = {n->end[0].gap, n->end[1].gap};
    net_run(n, n->now + OM_SEC(2));
    for (unsigned e = 0; e < 2; e++) {
        f.gap_ms[e] = (unsigned)(gap[e] / 1000);
        f.lost[e] = (unsigned)(n->end[!e].next_seq - n->end[e].got);
        CHECK_EQ(n->end[e].unsent, 0);
    }
    name_moves(n, moves, sizeof moves);
    print_message("%-34s gap %3u %3u ms, lost %4u %4u, copies %5u %5u,%s\n", name, f.gap_ms[0],
                  f.gap_ms[1], f.lost[0], f.lost[1], (unsigned)n->end[0].copies,
                  (unsigned)n->end[1].copies, moves);
    free(n);
    return f;
}

/* Two links, the first of which carries; after 12 s both know both. */
static struct net *pair(unsigned one_ms, bool is_one_lane, unsigned two_ms, bool is_two_lane)
{
    struct net *n = net_new(one_ms * 1000 + two_ms, RATE);

    net_link(n, one_ms, is_one_lane);
    net_link(n, two_ms, is_two_lane);
    net_know(n, 0, true);
    net_know(n, 1, false);
    n->every = OM_MS(10); /* this tells as much, and takes less */
    net_run(n, n->now + OM_SEC(11));
    n->every = OM_SEC(1) / RATE;
    net_run(n, n->now + OM_SEC(1));
    memset(n->end[0].whys, 0, sizeof n->end[0].whys);
    memset(n->end[1].whys, 0, sizeof n->end[1].whys);
    n->end[0].copies = n->end[1].copies = 0;
    return n;
}

static void rebind(struct net *n, unsigned e, unsigned link)
{
    n->end[e].face[link] = net_new_face(n);
}

OM_TEST(paths_model_planned_moves)
{
    struct net *n = net_new(1, RATE);
    struct figures f;

    net_link(n, 30, true);
    net_link(n, 10, false);
    net_know(n, 0, true);
    net_run(n, n->now + OM_SEC(4));
    forget_gaps(n);
    net_know(n, 1, false);
    f = settle(n, "lane 30 -> direct 10");
    CHECK(f.gap_ms[0] < 50 && f.gap_ms[1] < 50 && f.lost[0] + f.lost[1] == 0);

    n = pair(10, false, 20, true);
    forget_gaps(n);
    for (unsigned ms = 11; ms <= 60; ms++) { /* a queue that grows */
        n->link[0].delay[0] = n->link[0].delay[1] = OM_MS(ms);
        net_run(n, n->now + OM_MS(20));
    }
    f = settle(n, "direct 10, growing to 60 -> lane 20");
    CHECK(f.gap_ms[0] < 50 && f.gap_ms[1] < 50 && f.lost[0] + f.lost[1] == 0);
}

OM_TEST(paths_model_addresses_change)
{
    static const unsigned delays[] = {10, 25, 50};
    struct figures f;
    char name[64];

    for (unsigned i = 0; i < 3; i++) {
        unsigned ms = delays[i];
        for (unsigned e = 0; e < 2; e++)
            for (unsigned knows = 0; knows < 2; knows++) {
                struct net *n = pair(ms, false, ms, true);
                forget_gaps(n);
                rebind(n, e, 0);
                if (knows)
                    om_paths_moved_network(&n->end[e].ps, n->now);
                (void)snprintf(name, sizeof name, "%s of %c, rtt %u",
                               knows ? "address change" : "rebinding", e ? 'b' : 'a', 2 * ms);
                f = settle(n, name);
                CHECK_EQ(f.lost[!e], 0);
                CHECK(f.gap_ms[!e] <= 2); /* who moved is heard all the time */
                /* Copies over the other way may hide the new address for a round trip. */
                CHECK(f.gap_ms[e] <= (knows ? 4 : 2) * ms + 2);
                /* Those on their way when it moved, and what a round trip's credit does not pay. */
                CHECK(f.lost[e] <= (4 * ms + 2) * (RATE / 1000));
            }
        struct net *n = net_new(ms, RATE); /* the same with no other way */
        net_link(n, ms, false);
        net_know(n, 0, true);
        net_run(n, n->now + OM_SEC(4));
        forget_gaps(n);
        rebind(n, 0, 0);
        (void)snprintf(name, sizeof name, "rebinding of a, no other way, rtt %u", 2 * ms);
        f = settle(n, name);
        CHECK(f.gap_ms[1] <= 2 && f.gap_ms[0] <= 2 * ms + 2);
        n = pair(ms, false, ms, true); /* uplink swap: one goes as another comes */
        forget_gaps(n);
        n->link[0].hole[0] = n->link[0].hole[1] = true;
        net_link(n, ms, false);
        net_know(n, 2, false);
        om_paths_moved_network(&n->end[0].ps, n->now);
        (void)snprintf(name, sizeof name, "uplink swap of a, rtt %u", 2 * ms);
        f = settle(n, name);
        CHECK(f.gap_ms[0] < 300 && f.gap_ms[1] < 300);
    }
}

OM_TEST(paths_model_black_holes)
{
    static const unsigned delays[] = {5, 10, 25, 50, 100, 200};
    char name[64];

    for (unsigned i = 0; i < 6; i++)
        for (unsigned dirs = 1; dirs <= 3; dirs++) {
            unsigned rtt = 2 * delays[i], most = rtt <= 100 ? 300 : 3 * rtt;
            struct net *n = pair(delays[i], false, delays[i], true);
            forget_gaps(n);
            n->link[0].jitter = OM_MS(2);
            n->link[0].hole[0] = dirs & 1;
            n->link[0].hole[1] = dirs & 2;
            (void)snprintf(name, sizeof name, "black hole %s, rtt %u",
                           dirs == 3   ? "both ways"
                           : dirs == 1 ? "to a"
                                       : "to b",
                           rtt);
            struct figures f = settle(n, name);
            CHECK(f.gap_ms[0] < most && f.gap_ms[1] < most);
            if (dirs != 3)
                CHECK_EQ(f.lost[dirs == 1], 0);
        }
}

OM_TEST(paths_model_challenges)
{
    struct net *n = pair(20, false, 30, true);
    uint64_t asks;

    n->every = OM_MS(10);
    net_run(n, n->now + OM_SEC(10));
    asks = n->end[0].asks;
    net_run(n, n->now + OM_SEC(60));
    print_message("challenges a minute in use: %u\n", (unsigned)(n->end[0].asks - asks));
    CHECK(n->end[0].asks - asks >= 5 && n->end[0].asks - asks <= 7);
    n->end[0].next_send = n->end[1].next_send = OM_NEVER;
    net_run(n, n->now + OM_SEC(30));
    asks = n->end[0].asks + n->end[1].asks;
    net_run(n, n->now + OM_SEC(600));
    print_message("challenges in 10 minutes idle: %u\n",
                  (unsigned)(n->end[0].asks + n->end[1].asks - asks));
    CHECK_EQ(n->end[0].asks + n->end[1].asks, asks);
    free(n);
}

/* One link suffers, the other is clean: nothing takes longer than leaving a black hole. */
OM_TEST(paths_model_one_clean_way)
{
    unsigned worst = 0, over = 0;

    for (unsigned i = 0; i < CLEAN_HISTORIES; i++) {
        struct net *n = net_new(5000 + i, CLEAN_RATE);
        for (unsigned l = 0; l < 2; l++)
            net_link(n, 5 + dice_below(&n->dice, 46), l);
        net_know(n, 0, true);
        net_know(n, 1, false);
        net_run(n, n->now + OM_SEC(3));
        forget_gaps(n);
        for (unsigned k = 0; k < CHANGES; k++) {
            struct link *l = &n->link[0];
            unsigned e = dice_below(&n->dice, 2), what = dice_below(&n->dice, 4);
            if (what == 0)
                l->hole[0] = l->hole[1] = !l->hole[0];
            else if (what == 1)
                l->hole[e] = !l->hole[e];
            else
                rebind(n, e, 0);
            if (what == 3)
                om_paths_moved_network(&n->end[e].ps, n->now);
            net_run(n, n->now + OM_MS(20 + dice_below(&n->dice, 3000)));
        }
        for (unsigned e = 0; e < 2; e++) {
            unsigned gap = (unsigned)(n->end[e].gap / 1000);
            worst = gap > worst ? gap : worst;
            over += gap >= 300;
            if (gap >= 300)
                print_message("history %u, end %u: %u ms\n", i, e, gap);
        }
        free(n);
    }
    print_message("%u histories with one clean way: longest gap %u ms, %u of 300 and more\n",
                  CLEAN_HISTORIES, worst, over);
    CHECK_EQ(over, 0);
}

/* Something happens to a link, or to who uses it. */
static void change(struct net *n)
{
    unsigned link = dice_below(&n->dice, n->links), e = dice_below(&n->dice, 2);
    struct link *l = &n->link[link];

    switch (dice_below(&n->dice, 8)) {
    case 0:
        l->hole[0] = l->hole[1] = !l->hole[0];
        break;
    case 1:
        l->hole[e] = !l->hole[e];
        break;
    case 2:
        rebind(n, e, link);
        break;
    case 3:
        rebind(n, e, link);
        om_paths_moved_network(&n->end[e].ps, n->now);
        break;
    case 4:
        l->delay[0] = l->delay[1] = OM_MS(5 + dice_below(&n->dice, 195));
        l->jitter = OM_MS(dice_below(&n->dice, 20));
        break;
    case 5:
        l->loss = dice_below(&n->dice, 51);
        break;
    case 6:
        n->spoof = n->spoof ? 0 : 1 + dice_below(&n->dice, 50);
        break;
    default:
        if (n->links < NET_LINKS)
            net_link(n, 5 + dice_below(&n->dice, 195), dice_below(&n->dice, 3) == 0);
        net_know(n, dice_below(&n->dice, n->links), false);
    }
}

static void peace(struct net *n)
{
    n->spoof = 0;
    for (unsigned i = 0; i < n->links; i++) {
        n->link[i].hole[0] = n->link[i].hole[1] = false;
        n->link[i].loss = 0;
    }
    for (unsigned i = 0; i < n->links; i++)
        net_know(n, i, false); /* as gossip would */
}

OM_TEST(paths_model_random_histories)
{
    uint64_t moves = 0, asks = 0, sent = 0, got = 0, whys[OM_PATHS_WHYS] = {0};

    for (unsigned i = 0; i < HISTORIES; i++) {
        struct net *n = net_new(1000 + i, HISTORY_RATE);
        net_link(n, 5 + dice_below(&n->dice, 195), dice_below(&n->dice, 2));
        net_know(n, 0, true);
        for (unsigned k = 0; k < CHANGES; k++) {
            net_run(n, n->now + OM_MS(50 + dice_below(&n->dice, 3000)));
            change(n);
        }
        peace(n);
        n->every = OM_SEC(1) / PEACE_RATE;
        net_run(n, n->now + OM_SEC(PEACE_S));
        forget_gaps(n);
        net_run(n, n->now + OM_SEC(3));
        for (unsigned e = 0; e < 2; e++) {
            struct end *s = &n->end[e];
            if (s->gap > OM_MS(500) || n->now - s->last_got > OM_MS(500))
                print_message("history %u: end %u is cut off\n", i, e);
            CHECK(s->gap <= OM_MS(500) && n->now - s->last_got <= OM_MS(500));
            moves += s->ps.moves;
            asks += s->asks;
            sent += s->next_seq;
            got += s->got;
            for (unsigned w = 0; w < OM_PATHS_WHYS; w++)
                whys[w] += s->whys[w];
        }
        free(n);
    }
    print_message("%u histories: %u moves (%u better, %u followed, %u silent), %u challenges, "
                  "%u of %u arrived\n",
                  HISTORIES, (unsigned)moves, (unsigned)whys[OM_PATHS_BETTER],
                  (unsigned)whys[OM_PATHS_FOLLOWED], (unsigned)whys[OM_PATHS_SILENT],
                  (unsigned)asks, (unsigned)got, (unsigned)sent);
    CHECK(whys[OM_PATHS_BETTER] > 100 && whys[OM_PATHS_FOLLOWED] > 100);
    CHECK(whys[OM_PATHS_SILENT] > 100);
}
