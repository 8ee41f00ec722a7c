/* test_node_keep.c - ways that are kept open at rest. */
#include "harness.h"

#include <omerta/where.h>

#include "node/keep.h"
#include "pair.h"

static bool begin(struct pair *p, bool is_near)
{
    const struct pair_options o = pair_defaults();

    if (!pair_init(p, &o))
        return false;
    for (int i = 0; is_near && i < 2; i++) {
        const struct om_where w = {.own = {p->side[i].addr}, .own_count = 1};
        if (om_node_where(p->side[i].node, p->now, &w) != OM_OK)
            return false;
    }
    if (pair_connect(p, 0) != OM_OK)
        return false;
    pair_run(p, p->now + OM_SEC(1));
    return pair_peer(p, 0).has_session;
}

static enum om_err keep(struct pair *p, int side, bool on)
{
    return om_node_keep(p->side[side].node, p->now, &p->network, &p->side[!side].id, on);
}

/* Nobody told where they are, so each takes the other for one behind a NAT. */
OM_TEST(keep_speaks_at_rest_only)
{
    struct pair p = {0};

    OM_TRY(begin(&p, false));
    CHECK_OK(keep(&p, 0, true));
    for (unsigned s = 0; s < 100; s++) {
        CHECK_OK(pair_send(&p, 0, "on and on"));
        pair_run(&p, p.now + OM_SEC(1));
    }
    CHECK_EQ(pair_info(&p, 0).keepalives, 0);
    pair_run(&p, p.now + OM_SEC(100));
    CHECK(pair_info(&p, 0).keepalives >= 3);
    CHECK(pair_info(&p, 0).keepalives <= 100 / 15 + 1);
    CHECK_EQ(pair_info(&p, 1).keepalives, 0); /* it was not asked to */
out:
    pair_fini(&p);
}

OM_TEST(keep_leaves_what_nobody_needs)
{
    struct pair p = {0};

    OM_TRY(begin(&p, false));
    pair_run(&p, p.now + OM_SEC(400));
    CHECK(!pair_peer(&p, 0).has_session);
    CHECK_EQ(pair_info(&p, 0).keepalives, 0);
    CHECK_OK(keep(&p, 0, true)); /* the control */
    pair_run(&p, p.now + OM_SEC(400));
    CHECK(pair_peer(&p, 0).has_session);
    CHECK(pair_info(&p, 0).keepalives > 0);
    CHECK_OK(keep(&p, 0, false));
    uint64_t had = pair_info(&p, 0).keepalives;
    pair_run(&p, p.now + OM_SEC(400));
    CHECK(!pair_peer(&p, 0).has_session);
    CHECK_EQ(pair_info(&p, 0).keepalives, had);
out:
    pair_fini(&p);
}

static void accept_call(struct pair *p, int side, const struct om_act *a)
{
    uint64_t *call = p->on_call_arg;

    if (a->kind != OM_ACT_CALL)
        return;
    *call = a->call.call;
    CHECK_OK(om_node_accept(p->side[side].node, p->now, a->call.call, om_bytes("{}", 2)));
}

/* As a terminal that somebody left open. */
OM_TEST(keep_holds_what_is_open)
{
    const struct om_call_config c = {.method = "test.open", .args = om_bytes("{}", 2)};
    struct pair p = {0};
    uint64_t call, theirs = 0;

    OM_TRY(begin(&p, false));
    p.on_call = accept_call;
    p.on_call_arg = &theirs;
    CHECK_OK(om_node_call(p.side[0].node, p.now, &p.network, &p.side[1].id, &c, &call));
    pair_run(&p, p.now + OM_SEC(600));
    CHECK(pair_peer(&p, 0).has_session);
    /* Of both together: who is asked first answers, and need not ask. */
    uint64_t had = pair_info(&p, 0).keepalives + pair_info(&p, 1).keepalives;
    CHECK(had >= 600 / 15 - 6 && had <= 600 / 15 + 4);
    om_node_hang_up(p.side[0].node, p.now, call, OM_CLOSE_DONE);
    om_node_hang_up(p.side[1].node, p.now, theirs, OM_CLOSE_DONE);
    pair_run(&p, p.now + OM_SEC(1));
    had = pair_info(&p, 0).keepalives + pair_info(&p, 1).keepalives;
    pair_run(&p, p.now + OM_SEC(400));
    CHECK_EQ(pair_info(&p, 0).keepalives + pair_info(&p, 1).keepalives, had);
    CHECK(!pair_peer(&p, 0).has_session);
out:
    pair_fini(&p);
}

OM_TEST(keep_needs_no_mapping_without_a_nat)
{
    struct pair p = {0};

    OM_TRY(begin(&p, true));
    CHECK_OK(keep(&p, 0, true));
    pair_run(&p, p.now + OM_SEC(1000));
    CHECK_EQ(pair_info(&p, 0).keepalives, 0);
    CHECK(pair_peer(&p, 0).has_session); /* its keys are another matter */
    CHECK(pair_info(&p, 0).rekeys >= 1000 / 180);
out:
    pair_fini(&p);
}

static bool nothing_arrives(struct pair *p OM_UNUSED, const struct pair_dgram *d OM_UNUSED)
{
    return false;
}

/* The silence ends before the keys do; and a peer that comes back much later is met again. */
OM_TEST(keep_finds_a_lost_path)
{
    struct pair p = {0};

    OM_TRY(begin(&p, false));
    CHECK_OK(keep(&p, 0, true));
    pair_run(&p, p.now + OM_SEC(60));
    CHECK_EQ(pair_info(&p, 0).keepalive_losses, 0);
    p.filter = nothing_arrives;
    uint64_t begun = pair_info(&p, 0).initiations_out;
    pair_run(&p, p.now + OM_SEC(25));
    CHECK(pair_info(&p, 0).keepalive_losses >= 1);
    CHECK(pair_info(&p, 0).initiations_out > begun);
    CHECK(p.side[0].events[OM_EVENT_PEER_SILENT] >= 1);
    p.filter = NULL;
    pair_run(&p, p.now + OM_SEC(30));
    CHECK(pair_peer(&p, 0).has_session);
    p.filter = nothing_arrives;
    pair_run(&p, p.now + OM_SEC(400));
    CHECK(!pair_peer(&p, 0).has_session);
    p.filter = NULL;
    pair_run(&p, p.now + OM_SEC(80));
    CHECK(pair_peer(&p, 0).has_session);
out:
    pair_fini(&p);
}

/* From the next keepalive on nothing arrives, for a while. */
struct outage {
    uint64_t had; /* keepalives before it */
    om_time from, lasts;
};

static bool is_not_out(struct pair *p, const struct pair_dgram *d OM_UNUSED)
{
    struct outage *o = p->filter_arg;

    if (o->from == 0 && pair_info(p, 0).keepalives > o->had)
        o->from = p->now;
    return o->from == 0 || p->now - o->from >= o->lasts;
}

/* What was lost after a silence, and is there again at once, a NAT forgot: twice is believed. */
OM_TEST(keep_blames_the_nat_for_what_comes_back)
{
    struct pair p = {0};

    for (unsigned is_long = 0; is_long < 2; is_long++) {
        OM_TRY(begin(&p, false));
        struct om_nat_life *life = &p.side[0].node->where.nats[0].life;
        *life = (struct om_nat_life){.alive = OM_SEC(100), .dead = OM_SEC(110)};
        CHECK_OK(keep(&p, 0, true));
        p.filter = is_not_out;
        for (unsigned i = 0; i < OM_LIFE_MISSES; i++) {
            struct outage o = {.had = pair_info(&p, 0).keepalives,
                               .lasts = OM_SEC(is_long ? 60 : 4)};
            p.filter_arg = &o;
            pair_run(&p, p.now + OM_SEC(200));
            CHECK(o.from > 0);
        }
        p.filter = NULL;
        CHECK(pair_peer(&p, 0).has_session);
        CHECK(pair_info(&p, 0).keepalive_losses >= OM_LIFE_MISSES);
        if (is_long)
            CHECK_EQ(life->alive, OM_SEC(100)); /* the control: it was the peer that was away */
        else
            CHECK(life->alive == 0 && life->dead < OM_SEC(100));
        pair_fini(&p);
    }
out:
    pair_fini(&p);
}

/* The spare socket's address is the main one's here, so no trial is ever answered. */
OM_TEST(keep_gives_up_on_a_deaf_peer)
{
    struct pair p = {0};

    OM_TRY(begin(&p, false));
    CHECK_OK(keep(&p, 0, true));
    pair_run(&p, p.now + OM_SEC(1000));
    CHECK_EQ(pair_info(&p, 0).keepalive_asks, OM_KEEPALIVE_DEAF);
    CHECK_EQ(pair_info(&p, 0).nat_life_v4, 0);
    CHECK_EQ(p.side[0].node->learners[0], NULL);
    CHECK_EQ(p.side[0].node->sockets.count, 0);
    CHECK(pair_info(&p, 0).keepalives >= 1000 / 15 - 5);
out:
    pair_fini(&p);
}
