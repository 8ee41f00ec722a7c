/* test_paths.c - which path carries: one end, and a world that answers challenges or does not. */
#include "harness.h"

#include "path_world.h"

OM_TEST(paths_first_reply_carries)
{
    struct world w;

    begin(&w);
    const struct om_via *slow = way(&w, 150, 0), *quick = way(&w, 90, 3), *shut = way(&w, 0, 0);
    om_paths_add(&w.ps, w.now, slow, OM_PATH_SAID);
    om_paths_add(&w.ps, w.now, quick, OM_PATH_SAID);
    om_paths_add(&w.ps, w.now, shut, OM_PATH_SAID);
    pass(&w, 89);
    CHECK(!om_paths_active(&w.ps));
    pass(&w, 2);
    CHECK(carries(&w, quick));
    CHECK_EQ(w.why, OM_PATHS_FIRST);
    CHECK_EQ(w.ps.moves, 0);
    pass(&w, 10000);
    CHECK(carries(&w, quick));
    CHECK_EQ(om_paths_find(&w.ps, shut)->state, OM_PATH_FAILED);
    CHECK_EQ(w.failed, 1);

    /* So does what a handshake went over; what only was heard does not. */
    begin(&w);
    quick = way(&w, 90, 0);
    om_paths_heard(&w.ps, w.now, quick, 100, true);
    CHECK(!om_paths_active(&w.ps));
    CHECK(om_paths_copy(&w.ps, w.now, 40)); /* but it may have an answer */
    shake(&w, quick);
    CHECK(carries(&w, quick));
    CHECK_EQ(w.why, OM_PATHS_FIRST);
    CHECK_STR(om_paths_why_name(w.why), "first");
    CHECK_STR(om_paths_why_name(OM_PATHS_WHYS), "unknown");
}

OM_TEST(paths_second_handshake_moves_nothing)
{
    struct world w;

    begin(&w);
    const struct om_via *one = way(&w, 60, 0), *two = way(&w, 60, 0);
    shake(&w, one);
    w.now += OM_MS(5);
    shake(&w, two);
    pass_busy(&w, 5000);
    CHECK(carries(&w, one));
    CHECK_EQ(w.ps.moves, 0);

    /* The control: the first is silent for long. */
    begin(&w);
    one = way(&w, 0, 0), two = way(&w, 60, 0);
    shake(&w, one);
    w.now += OM_SEC(1);
    shake(&w, two);
    CHECK(carries(&w, two));
    CHECK_EQ(w.why, OM_PATHS_SHAKEN);
}

OM_TEST(paths_relay_gives_way_to_direct)
{
    struct world w;

    begin(&w);
    const struct om_via *lane = way(&w, 80, 9), *direct = way(&w, 40, 0);
    shake(&w, lane);
    pass_busy(&w, 100);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    om_time at = w.now;
    pass_busy(&w, 500);
    CHECK(carries(&w, direct));
    CHECK_EQ(w.why, OM_PATHS_BETTER);
    CHECK(w.moved_at - at < OM_MS(200));
    /* Both have everything for two round trips. */
    begin(&w);
    lane = way(&w, 80, 9), direct = way(&w, 40, 0);
    shake(&w, lane);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    while (!carries(&w, direct))
        pass_busy(&w, 10);
    const struct om_via *copy = om_paths_copy(&w.ps, w.now, 1200);
    CHECK(copy && om_via_equal(copy, lane));
    w.now += OM_MS(79);
    CHECK(om_paths_copy(&w.ps, w.now, 1200));
    w.now += OM_SEC(1);
    CHECK(!om_paths_copy(&w.ps, w.now, 1200));

    /* The control: a direct way that is much slower than the lane is none. */
    begin(&w);
    lane = way(&w, 40, 9), direct = way(&w, 120, 0);
    shake(&w, lane);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    pass_busy(&w, 30000);
    CHECK(carries(&w, lane));
}

OM_TEST(paths_direct_relieves_early)
{
    struct world w;

    /* The lane's round trip is well known; the direct way's first answers are all there is. */
    begin(&w);
    const struct om_via *lane = way(&w, 120, 9), *direct = way(&w, 80, 0);
    shake(&w, lane);
    pass_busy(&w, 5000);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    pass_busy(&w, 180);
    CHECK(carries(&w, direct));

    /* The control: one as far away as the lane is no gain that its first answer shows. */
    begin(&w);
    lane = way(&w, 120, 9), direct = way(&w, 130, 0);
    shake(&w, lane);
    pass_busy(&w, 5000);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    pass_busy(&w, 280);
    CHECK(carries(&w, lane));
}

/* @in_row challenges of the direct way get lost, after @before that do not; nobody sends. */
static void lose_some(unsigned before, unsigned in_row)
{
    struct world w;

    begin(&w);
    const struct om_via *lane = way(&w, 120, 9), *direct = way(&w, 80, 0);
    shake(&w, lane);
    pass_busy(&w, 2000);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    while (way_of(&w, direct)->asked < before && !carries(&w, direct))
        pass(&w, 1);
    way_of(&w, direct)->rtt = OM_NEVER;
    while (way_of(&w, direct)->asked < before + in_row && !carries(&w, direct))
        pass(&w, 1);
    way_of(&w, direct)->rtt = OM_MS(80);
    pass(&w, 2500);
    CHECK(carries(&w, direct));
    CHECK(way_of(&w, direct)->asked < 30);
}

OM_TEST(paths_one_loss_keeps_no_relay)
{
    for (unsigned before = 0; before < 6; before++)
        for (unsigned in_row = 1; in_row <= 2; in_row++)
            lose_some(before, in_row);
}

OM_TEST(paths_direct_does_not_wait_for_lanes)
{
    struct world w;

    begin(&w);
    const struct om_via *far = way(&w, 120, 8), *near = way(&w, 80, 9), *direct = way(&w, 40, 0);
    shake(&w, far);
    om_paths_add(&w.ps, w.now, near, OM_PATH_SAID);
    while (!carries(&w, near))
        pass_busy(&w, 10);
    om_time at = w.now;
    om_paths_add(&w.ps, w.now, direct, OM_PATH_PUNCHED);
    pass_busy(&w, 500);
    CHECK(carries(&w, direct));
    CHECK(w.moved_at - at < OM_MS(200));

    /* The control: a lane waits. */
    begin(&w);
    far = way(&w, 120, 8), near = way(&w, 80, 9);
    const struct om_via *nearest = way(&w, 40, 7);
    shake(&w, far);
    om_paths_add(&w.ps, w.now, near, OM_PATH_SAID);
    while (!carries(&w, near))
        pass_busy(&w, 10);
    om_paths_add(&w.ps, w.now, nearest, OM_PATH_SAID);
    pass_busy(&w, 1500);
    CHECK(carries(&w, near));
    pass_busy(&w, 1000);
    CHECK(carries(&w, nearest));
}

OM_TEST(paths_few_losses_move_nothing)
{
    struct world w;

    begin(&w);
    const struct om_via *lane = way(&w, 120, 9), *direct = way(&w, 60, 0);
    shake(&w, lane);
    pass_busy(&w, 1000);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_SAID);
    pass_busy(&w, 10000);
    CHECK(carries(&w, direct));
    for (unsigned i = 0; i < 3; i++) {
        om_path_ask_anew(om_paths_find(&w.ps, direct), w.now);
        way_of(&w, direct)->rtt = OM_NEVER;
        pass(&w, 100); /* one is lost */
        way_of(&w, direct)->rtt = OM_MS(60);
        pass_busy(&w, 1000);
        CHECK(om_paths_find(&w.ps, direct)->loss > 20 * i + 20);
        CHECK(carries(&w, direct));
    }
    om_paths_find(&w.ps, direct)->loss = 500; /* the control: every other one */
    for (unsigned ms = 0; ms < 3000 && !carries(&w, lane); ms += 10)
        pass_busy(&w, 10);
    CHECK(carries(&w, lane));
}

OM_TEST(paths_stay_for_small_gains)
{
    for (unsigned gain = 1; gain <= 60; gain += 59) {
        struct world w;
        begin(&w);
        const struct om_via *one = way(&w, 100, 0), *two = way(&w, 100 - gain, 0);
        shake(&w, one);
        om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
        pass_busy(&w, 120000);
        CHECK(carries(&w, gain == 1 ? one : two));
        CHECK_EQ(w.ps.moves, gain != 1);
    }
}

OM_TEST(paths_planned_moves_keep_their_distance)
{
    struct world w;
    om_time last = 0;

    begin(&w);
    const struct om_via *one = way(&w, 50, 0), *two = way(&w, 50, 4);
    shake(&w, one);
    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    pass_busy(&w, 1000);
    for (unsigned i = 0; i < 600; i++) { /* every 100 ms the other one is better */
        measured(&w, one, i % 2 ? 10 : 200);
        measured(&w, two, i % 2 ? 200 : 10);
        uint64_t moves = w.ps.moves;
        pass_busy(&w, 100);
        CHECK(w.ps.moves <= moves + 1);
        if (w.ps.moves == moves)
            continue;
        CHECK_EQ(w.why, OM_PATHS_BETTER);
        CHECK(last == 0 || w.moved_at - last >= OM_SEC(OM_PATHS_DWELL_S));
        last = w.moved_at;
    }
    CHECK(w.ps.moves >= 10 && w.ps.moves <= 31);
}

OM_TEST(paths_move_on_what_they_measured)
{
    struct world w;

    /* A guess of 200 ms for the unmeasured one would give way to anything. */
    begin(&w);
    const struct om_via *one = way(&w, 20, 0), *two = way(&w, 120, 0);
    shake(&w, one);
    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    pass_busy(&w, 10000);
    CHECK(carries(&w, one));
    CHECK_EQ(w.ps.moves, 0);
    CHECK(om_paths_active(&w.ps)->rtt.smoothed == OM_MS(20));
    CHECK(om_paths_find(&w.ps, two)->fresh >= OM_PATHS_SAMPLES);
}

OM_TEST(paths_direct_is_not_left_on_a_guess)
{
    struct world w;

    /* A word or two measure a direct path once: 4 rttvar of that make it look worse than a lane of
     * the same delay that was measured well. */
    begin(&w);
    const struct om_via *direct = way(&w, 50, 0), *lane = way(&w, 50, 7);
    shake(&w, direct);
    om_rtt_sample(&om_paths_find(&w.ps, direct)->rtt, OM_MS(50));
    om_paths_used(&w.ps, w.now);
    om_paths_add(&w.ps, w.now, lane, OM_PATH_SAID);
    pass(&w, 10000);
    CHECK(carries(&w, direct));
    CHECK_EQ(w.ps.moves, 0);
    CHECK_EQ(om_paths_find(&w.ps, lane)->state, OM_PATH_VALID);
    way_of(&w, direct)->rtt = OM_MS(150); /* the control: it grows worse, and that is measured */
    for (unsigned i = 0; i < 40; i++)
        measured(&w, direct, 150);
    pass_busy(&w, 5000);
    CHECK(carries(&w, lane));
}

OM_TEST(paths_load_is_no_reason_for_a_relay)
{
    struct world w;

    begin(&w);
    const struct om_via *direct = way(&w, 4, 0), *lane = way(&w, 4, 7);
    shake(&w, direct);
    om_paths_add(&w.ps, w.now, lane, OM_PATH_SAID);
    pass_busy(&w, 5000);
    /* Data queues on the direct way now and then: 12 ms in the mean, and a score of 40 and more. */
    for (unsigned i = 0; i < 400; i++) {
        way_of(&w, direct)->rtt = OM_MS(i % 2 ? 4 : 20);
        pass_busy(&w, 10);
    }
    CHECK(om_path_score(om_paths_active(&w.ps)) > OM_MS(40));
    CHECK_EQ(w.ps.moves, 0);
    /* It queues where the way to the relay begins, which nobody has asked for a while. */
    way_of(&w, direct)->rtt = way_of(&w, lane)->rtt = OM_MS(120);
    unsigned asked = way_of(&w, lane)->asked;
    pass_busy(&w, 3000);
    CHECK(way_of(&w, lane)->asked > asked);
    CHECK_EQ(w.ps.moves, 0);
    /* The control: it does not, and the lane is quicker indeed. */
    way_of(&w, lane)->rtt = OM_MS(4);
    pass_busy(&w, 30000);
    CHECK(carries(&w, lane));
    CHECK_EQ(w.why, OM_PATHS_BETTER);
}

OM_TEST(paths_copies_end_once_both_answered)
{
    struct world w;
    const struct om_via *old = settled(&w, 40), *other = way(&w, 60, 0);

    om_paths_heard(&w.ps, w.now, other, 5000, true);
    drain(&w);
    CHECK(om_paths_copy(&w.ps, w.now, 500) != NULL); /* while nobody knows */
    pass(&w, 50);
    CHECK(om_paths_copy(&w.ps, w.now, 500) !=
          NULL); /* the old one answered, and may be a replay's */
    pass(&w, 50);
    CHECK_EQ(om_paths_find(&w.ps, other)->state, OM_PATH_VALID);
    CHECK(carries(&w, old));
    CHECK(om_paths_copy(&w.ps, w.now, 500) == NULL);
}

OM_TEST(paths_follow_a_peer_that_moved)
{
    struct world w;
    const struct om_via *old = settled(&w, 40), *now_at = way(&w, 40, 0);

    way_of(&w, old)->rtt = OM_NEVER; /* its NAT gave it another port */
    om_paths_heard(&w.ps, w.now, now_at, 1000, true);
    drain(&w);
    CHECK_EQ(way_of(&w, old)->asked, 1);
    CHECK_EQ(way_of(&w, now_at)->asked, 1);
    CHECK(carries(&w, old)); /* not before it answered */
    const struct om_via *copy = om_paths_copy(&w.ps, w.now, 500);
    CHECK(copy && om_via_equal(copy, now_at));
    CHECK(!om_paths_copy(&w.ps, w.now, 500));
    pass_busy(&w, 50);
    CHECK(carries(&w, now_at));
    CHECK_EQ(w.why, OM_PATHS_FOLLOWED);

    /* An old packet moves nobody, nor does one without a frame that does. */
    old = settled(&w, 40), now_at = way(&w, 40, 0);
    om_paths_heard(&w.ps, w.now, now_at, 1000, false);
    pass_busy(&w, 5000);
    CHECK(carries(&w, old));
    CHECK_EQ(om_paths_find(&w.ps, now_at)->state, OM_PATH_VALID);
    CHECK_EQ(w.ps.moves, 0);

    /* What still comes over a relay moves nobody back to it, however quick that is. */
    old = settled(&w, 40), now_at = way(&w, 30, 1);
    om_paths_heard(&w.ps, w.now, now_at, 1000, true);
    pass_busy(&w, 5000);
    CHECK(carries(&w, old));
    CHECK_EQ(w.ps.moves, 0);
}

/* Whoever is at @now_at says so every 5 ms, once @w->now has come to that. */
static void speaks_from(struct world *w, const struct om_via *now_at, unsigned ms)
{
    for (unsigned i = 0; i < ms; i += 5) {
        om_paths_heard(&w->ps, w->now, now_at, 100, true);
        pass(w, 5);
    }
}

OM_TEST(paths_an_older_answer_keeps_nobody)
{
    struct world w;
    const struct om_via *old = settled(&w, 40), *now_at = way(&w, 40, 0);

    om_paths_find(&w.ps, old)->ask_at = w.now; /* its answer leaves just before the peer does */
    drain(&w);
    way_of(&w, old)->rtt = OM_NEVER;
    w.now += OM_MS(20);
    speaks_from(&w, now_at, 50);
    CHECK(carries(&w, now_at));
    CHECK_EQ(w.why, OM_PATHS_FOLLOWED);

    /* Or the new place was asked before, because the peer had named it. */
    old = settled(&w, 40), now_at = way(&w, 60, 0);
    om_paths_add(&w.ps, w.now, now_at, OM_PATH_SAID);
    drain(&w);
    way_of(&w, old)->rtt = OM_NEVER;
    w.now += OM_MS(20);
    speaks_from(&w, now_at, 50);
    CHECK(carries(&w, now_at));
    CHECK_EQ(w.why, OM_PATHS_FOLLOWED);

    /* The control: the peer is where it was, and answers to the next challenge, too. */
    old = settled(&w, 40), now_at = way(&w, 60, 0);
    om_paths_find(&w.ps, old)->ask_at = w.now;
    drain(&w);
    w.now += OM_MS(20);
    speaks_from(&w, now_at, 100);
    CHECK(carries(&w, old));
}

OM_TEST(paths_do_not_follow_a_replayed_packet)
{
    struct world w;
    const struct om_via *old = settled(&w, 40), *liar = way(&w, 0, 0);

    /* A copy that was faster than the original; nobody answers at its source. */
    for (unsigned i = 0; i < 300; i++) {
        om_paths_heard(&w.ps, w.now, liar, 1000, true);
        pass_busy(&w, 20);
        om_paths_heard(&w.ps, w.now, old, 1000, true);
        CHECK(carries(&w, old));
    }
    CHECK_EQ(w.ps.moves, 0);
    CHECK(way_of(&w, liar)->asked <= 100);
    CHECK(way_of(&w, old)->asked <= 100);

    /* Both answer, the old one first: score decides, and there is no gain. */
    old = settled(&w, 40), liar = way(&w, 45, 0);
    om_paths_heard(&w.ps, w.now, liar, 1000, true);
    pass_busy(&w, 5000);
    CHECK(carries(&w, old));
    CHECK_EQ(w.ps.moves, 0);
}

OM_TEST(paths_spoofed_copies_get_no_more_than_was_sent)
{
    struct world w;
    struct om_path *p;
    size_t in = 0, out = 0;

    settled(&w, 40);
    const struct om_via *liar = way(&w, 0, 0);
    for (unsigned i = 0; i < 2000; i++) {
        om_paths_heard(&w.ps, w.now, liar, 200, true);
        in += 200;
        pass_busy(&w, 10);
        for (unsigned k = 0; k < 3; k++) {
            const struct om_via *copy = om_paths_copy(&w.ps, w.now, 150);
            out += copy && om_via_equal(copy, liar) ? 150 : 0;
        }
        p = om_paths_find(&w.ps, liar);
        CHECK(p && p->state != OM_PATH_VALID);
        CHECK(out + way_of(&w, liar)->asked * OM_PATH_CHALLENGE_BYTES <= in);
    }
    CHECK(out > 0 && way_of(&w, liar)->asked >= 4); /* the control: it did get some */
}

OM_TEST(paths_full_drops_the_worst)
{
    struct world w;
    const struct om_via *one = settled(&w, 50);
    struct om_via first = via(100, 0);

    for (unsigned i = 1; i < OM_PATHS_MAX; i++) {
        struct om_via v = via(99 + i, 0);
        w.now += 1;
        CHECK(om_paths_add(&w.ps, w.now, &v, OM_PATH_SAID));
    }
    struct om_via heard = via(200, 0), more = via(201, 0);
    om_paths_heard(&w.ps, w.now, &heard, 100, true); /* the oldest that was only said goes */
    CHECK_EQ(w.ps.count, OM_PATHS_MAX);
    CHECK(!om_paths_find(&w.ps, &first));
    CHECK(om_paths_find(&w.ps, &heard) && carries(&w, one));

    struct om_via dead = via(110, 0); /* a failed one goes before that */
    om_paths_find(&w.ps, &dead)->state = OM_PATH_FAILED;
    CHECK(om_paths_add(&w.ps, w.now, &more, OM_PATH_SAID));
    CHECK(!om_paths_find(&w.ps, &dead));
    for (unsigned i = 0; i < w.ps.count; i++)
        if (w.ps.all[i].origin == OM_PATH_SAID)
            w.ps.all[i].origin = OM_PATH_HEARD;
    struct om_via said = via(202, 0), spoke = via(203, 0);
    CHECK(!om_paths_add(&w.ps, w.now, &said, OM_PATH_SAID)); /* heard ones stay for it */
    CHECK(om_paths_add(&w.ps, w.now, &spoke, OM_PATH_HEARD));
    for (unsigned i = 0; i < w.ps.count; i++)
        om_path_shaken(&w.ps.all[i], w.now);
    struct om_via late = via(204, 0);
    CHECK(!om_paths_add(&w.ps, w.now, &late, OM_PATH_HEARD));
    om_paths_heard(&w.ps, w.now, &late, 100, true);
    CHECK_EQ(w.ps.count, OM_PATHS_MAX);
    CHECK(carries(&w, one));
}

OM_TEST(paths_idle_sends_nothing)
{
    struct world w;
    const struct om_via *one = settled(&w, 50), *two = way(&w, 60, 0), *shut = way(&w, 0, 0);

    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    om_paths_add(&w.ps, w.now, shut, OM_PATH_SAID);
    pass_busy(&w, 30000);
    unsigned asked = w.asked;
    pass_busy(&w, 60000);
    CHECK(w.asked - asked >= 5 && w.asked - asked <= 7); /* the control: kept warm */
    pass(&w, 30000);                                     /* the last one, and its answer */
    asked = w.asked;
    CHECK_EQ(om_paths_deadline(&w.ps), OM_NEVER);
    pass(&w, 3600000);
    CHECK_EQ(w.asked, asked);
    CHECK(carries(&w, one));
    om_paths_used(&w.ps, w.now); /* what was not asked for an hour is, now */
    pass(&w, 100);
    CHECK(w.asked > asked);
}

OM_TEST(paths_lane_that_ends_is_left)
{
    struct world w;

    begin(&w);
    const struct om_via *lane = way(&w, 40, 5), *direct = way(&w, 200, 0);
    shake(&w, lane);
    om_paths_add(&w.ps, w.now, direct, OM_PATH_SAID);
    pass_busy(&w, 2000);
    CHECK(carries(&w, lane));
    om_paths_remove(&w.ps, w.now, lane);
    drain(&w);
    CHECK(carries(&w, direct));
    CHECK_EQ(w.why, OM_PATHS_GONE);
    CHECK(!om_paths_copy(&w.ps, w.now, 100));
    CHECK(!om_paths_find(&w.ps, lane));
    om_paths_remove(&w.ps, w.now, lane); /* what is not there, stays so */
    om_paths_remove(&w.ps, w.now, direct);
    CHECK(!om_paths_active(&w.ps));
    CHECK_EQ(w.ps.count, 0);
    CHECK_EQ(om_paths_deadline(&w.ps), OM_NEVER);
    shake(&w, direct);
    CHECK(carries(&w, direct));
}

OM_TEST(paths_our_network_changes)
{
    struct world w;
    const struct om_via *one = settled(&w, 50), *two = way(&w, 90, 0);

    om_paths_add(&w.ps, w.now, two, OM_PATH_SAID);
    pass_busy(&w, 3000);
    unsigned asked = w.asked;
    om_paths_moved_network(&w.ps, w.now);
    CHECK(om_paths_copy(&w.ps, w.now, 1200)); /* both have everything until it is known */
    pass_busy(&w, 200);
    CHECK_EQ(w.asked - asked, 2);
    CHECK(carries(&w, one)); /* it was the same after all */
    way_of(&w, one)->rtt = OM_NEVER;
    om_time at = w.now;
    om_paths_moved_network(&w.ps, w.now);
    pass_busy(&w, 200);
    CHECK(carries(&w, two));
    CHECK(w.moved_at - at <= OM_MS(200));
}

OM_TEST(paths_of_an_old_life_do_not_carry)
{
    for (unsigned is_told = 0; is_told < 2; is_told++) {
        struct world w;
        const struct om_via *old = settled(&w, 50), *lane = way(&w, 90, 9);
        w.now += OM_MS(500), shake(&w, lane);
        if (is_told)
            om_paths_restarted(&w.ps, w.now);
        pass(&w, 10);
        CHECK(carries(&w, is_told ? lane : old));
    }
}
