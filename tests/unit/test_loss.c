/* test_loss.c - fates of packets: by threshold, by time, by silence; and what is learnt of them. */
#include "harness.h"

#include "stream/loss.h"

enum { SIZE = 1000, FATES_MAX = 64 };

/* A congestion control that decides nothing and notes what it is told. */
static struct {
    unsigned acks, losses, persistent, idle, paths;
    om_time path_rtt;
    struct om_cc_sample last;
} told;

static void cc_init(struct om_cc *c, om_time now OM_UNUSED)
{
    c->window = 100 * SIZE;
}

static void cc_sent(struct om_cc *c OM_UNUSED, om_time now OM_UNUSED, uint64_t packet OM_UNUSED,
                    uint64_t bytes OM_UNUSED, uint64_t in_flight OM_UNUSED, bool limited OM_UNUSED)
{
}

static void cc_lost(struct om_cc *c OM_UNUSED, const struct om_cc_loss *l OM_UNUSED)
{
    told.losses++;
}

static void cc_ack(struct om_cc *c OM_UNUSED, uint64_t largest OM_UNUSED, om_time at OM_UNUSED,
                   const struct om_cc_sample *s)
{
    told.acks++;
    told.last = *s;
}

static void cc_persistent(struct om_cc *c OM_UNUSED, om_time now OM_UNUSED)
{
    told.persistent++;
}

static void cc_idle(struct om_cc *c OM_UNUSED, om_time now OM_UNUSED)
{
    told.idle++;
}

static void cc_path(struct om_cc *c OM_UNUSED, om_time now OM_UNUSED, om_time rtt)
{
    told.paths++;
    told.path_rtt = rtt;
}

static const struct om_cc_ops ops = {"none", cc_init,       cc_sent, cc_lost,
                                     cc_ack, cc_persistent, cc_idle, cc_path};

struct fix {
    struct om_loss l;
    struct om_rtt rtt;
    uint64_t next;
    unsigned acked, lost;
    uint64_t acked_sum, lost_sum; /* of the frames' offsets: which they were */
};

static void on_fate(void *self, om_time now OM_UNUSED, const struct om_sent_frame *f, bool acked)
{
    struct fix *x = self;

    if (acked) {
        x->acked++;
        x->acked_sum += f->offset;
    } else {
        x->lost++;
        x->lost_sum += f->offset;
    }
}

static void fix_init(struct fix *x, om_time rtt)
{
    memset(x, 0, sizeof *x);
    memset(&told, 0, sizeof told);
    om_loss_init(&x->l, &ops, &x->rtt, 1, 0, on_fate, x);
    if (rtt > 0)
        om_rtt_sample(&x->rtt, rtt);
}

static bool send(struct fix *x, om_time now, bool eliciting)
{
    struct om_sent_frame f = {.offset = x->next, .kind = OM_SENT_STREAM};

    return om_loss_sent(&x->l, now, x->next++, SIZE, &f, eliciting, eliciting) == OM_OK;
}

static bool send_many(struct fix *x, om_time now, unsigned n, om_time apart)
{
    for (unsigned i = 0; i < n; i++)
        if (!send(x, now + i * apart, true))
            return false;
    return true;
}

static enum om_err ack(struct fix *x, om_time now, uint64_t largest, uint32_t run)
{
    struct om_frame_ack a = {.largest = largest, .run = run};

    return om_loss_on_ack(&x->l, now, &a);
}

OM_TEST(loss_by_packets_and_by_time)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    OM_TRY(send_many(&x, OM_MS(0), 10, 1000));
    CHECK_OK(ack(&x, OM_MS(84), 4, 1)); /* 0 and 1 are three behind; 2 and 3 are not */
    CHECK_EQ(x.acked_sum, 4);
    CHECK_EQ(x.lost, 2);
    CHECK_EQ(x.lost_sum, 0 + 1);
    CHECK_EQ(told.losses, 2);
    CHECK_EQ(x.l.in_flight, 7 * SIZE);
    CHECK_EQ(om_loss_deadline(&x.l), OM_MS(2) + OM_MS(90)); /* packet 2, 9/8 of 80 ms */
    om_loss_tick(&x.l, OM_MS(92) - 1);
    CHECK_EQ(x.lost, 2);
    om_loss_tick(&x.l, OM_MS(92));
    CHECK_EQ(x.lost_sum, 0 + 1 + 2);
    om_loss_tick(&x.l, OM_MS(93));
    CHECK_EQ(x.lost_sum, 0 + 1 + 2 + 3);
    CHECK_EQ(x.l.flying, 5);
    CHECK_EQ(x.l.lost, 4 * SIZE);
    CHECK_EQ(x.l.delivered, SIZE);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_after_a_move_is_by_time_alone)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    OM_TRY(send_many(&x, 0, 10, 0));
    om_loss_moved(&x.l, OM_MS(10), OM_MS(20));
    CHECK_EQ(told.paths, 1);
    CHECK_EQ(told.path_rtt, OM_MS(20));
    x.rtt = (struct om_rtt){0};
    om_rtt_sample(&x.rtt, OM_MS(20));
    OM_TRY(send_many(&x, OM_MS(10), 10, 0));
    CHECK_OK(ack(&x, OM_MS(30), 19, 10)); /* they overtook the old path's */
    CHECK_EQ(x.lost, 0);
    CHECK_EQ(om_loss_deadline(&x.l), OM_MS(100)); /* no sooner than the old path could take */
    CHECK_OK(ack(&x, OM_MS(80), 19, 18));
    CHECK_EQ(x.rtt.latest, OM_MS(20)); /* those of the old path measure nothing */
    om_loss_tick(&x.l, OM_MS(100));
    CHECK_EQ(x.lost_sum, 0 + 1);

    om_loss_fini(&x.l); /* the control: without the move three behind are lost at once */
    fix_init(&x, OM_MS(80));
    OM_TRY(send_many(&x, 0, 20, 0));
    CHECK_OK(ack(&x, OM_MS(30), 19, 10));
    CHECK_EQ(x.lost, 10);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_probes_of_other_paths_overtake_nobody)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    OM_TRY(send_many(&x, 0, 4, 0));
    OM_TRY(send(&x, 0, false)); /* a challenge of a quicker path: 4 */
    om_loss_doubled(&x.l, true);
    OM_TRY(send(&x, 0, true)); /* a copy over it: 5 */
    om_loss_doubled(&x.l, false);
    CHECK_OK(ack(&x, OM_MS(10), 5, 2));
    CHECK_EQ(x.lost, 0);
    CHECK_EQ(x.l.packets_lost, 0);
    OM_TRY(send(&x, OM_MS(11), true));
    CHECK_OK(ack(&x, OM_MS(80), 6, 1)); /* the control: one of their own */
    CHECK_EQ(x.lost, 4);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_oldest_is_of_the_present_path)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    CHECK_EQ(om_loss_oldest_at(&x.l), OM_NEVER);
    OM_TRY(send_many(&x, OM_MS(5), 2, OM_MS(1)));
    CHECK_EQ(om_loss_oldest_at(&x.l), OM_MS(5));
    CHECK_OK(ack(&x, OM_MS(85), 0, 1));
    CHECK_EQ(om_loss_oldest_at(&x.l), OM_MS(6)); /* though something was just answered */
    om_loss_moved(&x.l, OM_MS(90), OM_MS(20));
    OM_TRY(send_many(&x, OM_MS(91), 1, 0));
    CHECK_EQ(om_loss_oldest_at(&x.l), OM_NEVER); /* the old path's is no debt of the new one */
    CHECK_OK(ack(&x, OM_MS(95), 1, 1));
    CHECK_EQ(om_loss_oldest_at(&x.l), OM_MS(91));
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_excuse_opens_the_window_once)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    OM_TRY(send_many(&x, 0, 100, 0));
    CHECK(!om_loss_window_open(&x.l, SIZE));
    om_loss_excuse(&x.l);
    CHECK(om_loss_window_open(&x.l, SIZE));
    OM_TRY(send_many(&x, OM_MS(1), 100, 0));
    CHECK(!om_loss_window_open(&x.l, SIZE)); /* as much again, and no more */
    om_loss_excuse(&x.l);
    CHECK(!om_loss_window_open(&x.l, SIZE));
    CHECK_OK(ack(&x, OM_MS(80), 99, 100)); /* what was excused is answered: as ever */
    CHECK_EQ(x.l.excused, 0);
    CHECK(!om_loss_window_open(&x.l, SIZE));
    CHECK_OK(ack(&x, OM_MS(81), 199, 200));
    CHECK_EQ(x.l.in_flight, 0);
    CHECK(om_loss_window_open(&x.l, SIZE));
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_copies_measure_no_round_trip)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    om_loss_doubled(&x.l, true);
    OM_TRY(send(&x, 0, true));
    om_loss_doubled(&x.l, false);
    OM_TRY(send(&x, 0, true));
    CHECK_OK(ack(&x, OM_MS(10), 0, 1));
    CHECK_EQ(x.rtt.latest, OM_MS(80));
    CHECK_OK(ack(&x, OM_MS(40), 1, 1));
    CHECK_EQ(x.rtt.latest, OM_MS(40));
    CHECK_EQ(x.acked, 2);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_probes_back_off)
{
    struct fix x;
    om_time at, pto;

    fix_init(&x, OM_MS(100));
    pto = om_rtt_pto(&x.rtt);
    CHECK(om_loss_deadline(&x.l) == OM_NEVER);
    OM_TRY(send_many(&x, 0, 3, 0));
    x.l.cc.window = SIZE; /* closed, but for probes */
    CHECK(!om_loss_window_open(&x.l, SIZE));
    at = om_loss_deadline(&x.l);
    CHECK_EQ(at, pto);
    om_loss_tick(&x.l, at - 1);
    CHECK_EQ(x.l.probes, 0);
    om_loss_tick(&x.l, at);
    CHECK_EQ(x.l.probes, 2);
    CHECK(om_loss_window_open(&x.l, SIZE));
    CHECK_EQ(x.lost, 0); /* silence is no loss */
    om_loss_repeat_oldest(&x.l, at, 2);
    CHECK_EQ(x.lost_sum, 0 + 1); /* the two oldest are to go once more */
    CHECK_EQ(x.l.flying, 3);
    CHECK_EQ(om_loss_deadline(&x.l), at + 2 * pto);
    OM_TRY(send_many(&x, at, 2, 0));
    CHECK(!om_loss_window_open(&x.l, SIZE));
    at = om_loss_deadline(&x.l);
    om_loss_tick(&x.l, at);
    CHECK_EQ(om_loss_deadline(&x.l), at + 4 * pto);
    CHECK_OK(ack(&x, at + OM_MS(100), 4, 1));
    CHECK_EQ(x.l.pto_count, 0);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_refuses_acks_of_the_future)
{
    struct fix x;

    fix_init(&x, 0);
    CHECK_ERR(ack(&x, OM_MS(1), 0, 1), OM_E_RANGE); /* nothing was ever sent */
    OM_TRY(send_many(&x, 0, 5, 0));
    CHECK_ERR(ack(&x, OM_MS(1), 5, 1), OM_E_RANGE);
    CHECK_ERR(ack(&x, OM_MS(1), UINT64_MAX - 1, 1), OM_E_RANGE);
    CHECK_EQ(x.acked + x.lost, 0);
    CHECK_OK(ack(&x, OM_MS(1), 4, 5));
    CHECK_EQ(x.acked, 5);
    CHECK_OK(ack(&x, OM_MS(2), 4, 5)); /* again: nothing new */
    CHECK_EQ(x.acked, 5);
    CHECK_EQ(x.l.delivered, 5 * SIZE);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_idle_keeps_nothing)
{
    struct fix x;

    fix_init(&x, 0);
    for (unsigned i = 0; i < 1000; i++)
        OM_TRY(send(&x, i, false)); /* ACKs only */
    CHECK_EQ(om_ring_count(&x.l.sent), 0);
    CHECK_EQ(x.l.in_flight, 0);
    OM_TRY(send(&x, 1000, true));
    for (unsigned i = 0; i < 10; i++)
        OM_TRY(send(&x, 1001, false));
    CHECK_EQ(om_ring_count(&x.l.sent), 11);
    CHECK_OK(ack(&x, 2000, 1000, 1));
    CHECK_EQ(om_ring_count(&x.l.sent), 0); /* what wants no ACK does not stay either */
    CHECK_EQ(x.acked_sum, 1000);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_persistent_congestion)
{
    struct fix x;
    om_time pto;

    fix_init(&x, OM_MS(100));
    pto = om_rtt_pto(&x.rtt);
    OM_TRY(send_many(&x, 0, 4, pto)); /* over 3 timeouts from the first to the last */
    OM_TRY(send_many(&x, 3 * pto + 2, 4, 0));
    CHECK_OK(ack(&x, 3 * pto + OM_MS(100), 7, 1));
    CHECK_EQ(x.lost, 5);
    CHECK_EQ(told.persistent, 1);
    om_loss_fini(&x.l);

    fix_init(&x, OM_MS(100)); /* the same, but one between them arrived */
    OM_TRY(send_many(&x, 0, 4, pto));
    OM_TRY(send_many(&x, 3 * pto + 2, 4, 0));
    struct om_frame_ack a = {.largest = 7, .run = 1, .count = 1, .ranges = {{4, 1}}};
    CHECK_OK(om_loss_on_ack(&x.l, 3 * pto + OM_MS(100), &a));
    CHECK_EQ(x.acked_sum, 7 + 2);
    CHECK_EQ(told.persistent, 0);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_spurious_teaches_patience)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    OM_TRY(send_many(&x, 0, 10, 0));
    CHECK_OK(ack(&x, OM_MS(80), 9, 4)); /* 6 to 9: the ones before are overtaken */
    CHECK_EQ(x.lost, 6);
    CHECK_EQ(x.l.delivered, 4 * SIZE);
    CHECK_OK(ack(&x, OM_MS(81), 9, 10)); /* but arrived after all */
    CHECK_EQ(x.l.packets_spurious, 6);
    CHECK_EQ(x.l.delivered, 10 * SIZE);
    CHECK_EQ(x.l.in_flight, 0);
    CHECK_EQ(x.l.reorder, 10);
    OM_TRY(send_many(&x, OM_MS(100), 10, 0));
    CHECK_OK(ack(&x, OM_MS(180), 19, 4)); /* the same again: now it waits */
    CHECK_EQ(x.l.packets_lost, 6);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_samples_rtt_of_the_largest_only)
{
    struct om_frame_ack held = {.largest = 3, .run = 1, .delay_us = 20000};
    struct om_frame_ack lie = {.largest = 4, .run = 1, .delay_us = UINT32_MAX};
    struct fix x;

    fix_init(&x, 0);
    OM_TRY(send_many(&x, 0, 3, 0));
    CHECK_OK(ack(&x, OM_MS(70), 2, 1));
    CHECK_EQ(x.rtt.smoothed, OM_MS(70));
    CHECK_OK(ack(&x, OM_MS(500), 2, 3)); /* 0 and 1 arrived late, or their ACK did: no sample */
    CHECK_EQ(x.rtt.smoothed, OM_MS(70));
    OM_TRY(send(&x, OM_SEC(1), true));
    CHECK_OK(om_loss_on_ack(&x.l, OM_SEC(1) + OM_MS(90), &held));
    CHECK_EQ(x.rtt.latest, OM_MS(90));
    CHECK_EQ(x.rtt.smoothed, OM_MS(70)); /* less what the peer held it */
    OM_TRY(send(&x, OM_SEC(2), true));
    CHECK_OK(om_loss_on_ack(&x.l, OM_SEC(2) + OM_MS(70), &lie));
    CHECK_EQ(x.rtt.smoothed, OM_MS(70)); /* below the least there was: not believed */
    CHECK_EQ(x.rtt.least, OM_MS(70));
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_abandon_tells_all)
{
    struct fix x;

    fix_init(&x, OM_MS(50));
    OM_TRY(send_many(&x, 0, 6, 0));
    CHECK_OK(ack(&x, OM_MS(50), 0, 1));
    om_loss_abandon(&x.l, OM_MS(60));
    CHECK_EQ(x.lost_sum, 1 + 2 + 3 + 4 + 5);
    CHECK_EQ(x.l.in_flight, 0);
    CHECK_EQ(told.losses, 0); /* it says nothing about congestion */
    CHECK(om_loss_deadline(&x.l) == OM_NEVER);
    CHECK_OK(ack(&x, OM_MS(70), 5, 6)); /* an ACK of before is harmless */
    CHECK_EQ(x.acked, 1);
out:
    om_loss_fini(&x.l);
}

/* The longest time between timeouts that nobody answers, at round trips of @rtt. */
static om_time longest_wait(om_time rtt)
{
    om_time longest = 0;
    struct fix x;

    fix_init(&x, rtt);
    CHECK(send_many(&x, 0, 3, 0));
    for (unsigned i = 0; i < 20; i++) {
        om_time at = om_loss_deadline(&x.l);
        om_loss_tick(&x.l, at);
        longest = om_loss_deadline(&x.l) - at;
    }
    om_loss_fini(&x.l);
    return longest;
}

OM_TEST(loss_probes_never_cease)
{
    struct om_rtt far = {0};

    om_rtt_sample(&far, OM_MS(700));
    CHECK_EQ(longest_wait(OM_MS(1)), OM_SEC(OM_LOSS_PTO_S));
    CHECK_EQ(longest_wait(OM_MS(700)), 4 * om_rtt_pto(&far));
}

OM_TEST(loss_wake_asks_for_probes)
{
    struct fix x;

    fix_init(&x, OM_MS(50));
    CHECK(!om_loss_wake(&x.l, 0, 0)); /* nothing is on its way */
    OM_TRY(send_many(&x, 0, 2, 0));
    for (unsigned i = 0; i < 5; i++)
        om_loss_tick(&x.l, om_loss_deadline(&x.l));
    CHECK_EQ(x.l.pto_count, 5);
    CHECK(om_loss_wake(&x.l, OM_SEC(59), 4));
    CHECK_EQ(x.l.pto_count, 4);
    CHECK(om_loss_wake(&x.l, OM_SEC(60), 0));
    CHECK_EQ(x.l.probes, 2);
    CHECK_EQ(om_loss_deadline(&x.l), OM_SEC(60) + om_rtt_pto(&x.rtt));
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_rate_is_that_of_delivery)
{
    struct fix x;

    fix_init(&x, OM_MS(50));
    for (unsigned i = 0; i < 200; i++) { /* one packet a millisecond, each acknowledged after 50 */
        OM_TRY(send(&x, OM_MS(i), true));
        if (i >= 50)
            CHECK_OK(ack(&x, OM_MS(i), i - 50, 1));
    }
    CHECK_EQ(told.last.rate, SIZE * 1000);
    CHECK(!told.last.is_app_limited);
    CHECK_EQ(told.last.tx_in_flight, 51 * SIZE);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_app_limit_is_noted)
{
    struct fix x;

    fix_init(&x, OM_MS(50));
    OM_TRY(send_many(&x, 0, 2, 0));
    om_loss_app_limited(&x.l);
    OM_TRY(send_many(&x, OM_MS(1), 1, 0));
    CHECK_OK(ack(&x, OM_MS(50), 1, 2));
    CHECK(!told.last.is_app_limited); /* those were sent before */
    CHECK_OK(ack(&x, OM_MS(51), 2, 1));
    CHECK(told.last.is_app_limited);
    OM_TRY(send_many(&x, OM_MS(60), 1, 0)); /* what was on its way then has arrived: over */
    CHECK_OK(ack(&x, OM_MS(110), 3, 1));
    CHECK(!told.last.is_app_limited);
    /* With the window full it is the path that limits. */
    x.l.cc.window = SIZE;
    OM_TRY(send_many(&x, OM_MS(120), 1, 0));
    om_loss_app_limited(&x.l);
    CHECK_EQ(x.l.app_limited_until, 0);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_pauses_for_half_a_burst)
{
    struct fix x;

    fix_init(&x, OM_MS(50));
    CHECK_EQ(om_loss_pause(&x.l), 0); /* no rate */
    x.l.cc.pacing_rate = 1000 * 1000;
    x.l.cc.quantum = (uint64_t)2 * OM_CC_MSS;
    CHECK_EQ(om_loss_pause(&x.l), 0); /* a slow path: every packet at its time */
    x.l.cc.pacing_rate = 200 * 1000 * 1000;
    x.l.cc.quantum = 100 * 1000;
    CHECK_EQ(om_loss_pause(&x.l), 250); /* microseconds: half of the 500 of a quantum */
    om_loss_fini(&x.l);
}

static enum om_err ack_all(struct fix *x, om_time now)
{
    return ack(x, now, x->next - 1, (uint32_t)x->next);
}

static void watch(struct fix *x, struct om_mtu *mtu)
{
    om_mtu_init(mtu, false, 0);
    om_mtu_start(mtu, 0);
    om_loss_watch(&x->l, mtu);
}

OM_TEST(loss_tells_sizes_of_this_path_alone)
{
    struct om_mtu mtu;
    struct fix x;

    fix_init(&x, OM_MS(80));
    watch(&x, &mtu);
    OM_TRY(send(&x, 1, true));
    om_loss_moved(&x.l, 2, OM_MS(20));
    CHECK_OK(ack_all(&x, OM_MS(80)));
    CHECK_EQ(mtu.low, OM_MTU_FLOOR); /* another path carried it */
    om_loss_doubled(&x.l, true);
    OM_TRY(send(&x, OM_MS(81), true));
    CHECK_OK(ack_all(&x, OM_MS(160)));
    CHECK_EQ(mtu.low, OM_MTU_FLOOR); /* another one may have */
    om_loss_doubled(&x.l, false);
    OM_TRY(send(&x, OM_MS(161), true));
    CHECK_OK(ack_all(&x, OM_MS(240)));
    CHECK_EQ(mtu.low, SIZE);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_of_a_size_probe_is_no_congestion)
{
    struct om_mtu mtu;
    struct fix x;
    unsigned size;

    fix_init(&x, OM_MS(80));
    watch(&x, &mtu);
    CHECK(om_mtu_next(&mtu, 1, OM_MS(100), &size));
    OM_TRY(om_loss_probe_sent(&x.l, 1, x.next++, size) == OM_OK);
    CHECK(x.l.in_flight == 0 && x.l.flying == 0);
    CHECK(om_loss_deadline(&x.l) == OM_NEVER); /* nobody asks for its answer */
    OM_TRY(send_many(&x, 2, 5, 1000));
    CHECK_OK(ack(&x, OM_MS(90), x.next - 1, 5)); /* but for the probe */
    CHECK(told.losses == 0 && x.l.packets_lost == 0 && x.l.delivered == 5 * SIZE);
    CHECK(mtu.probe == 0 && mtu.tries == 1);
    CHECK(om_mtu_next(&mtu, OM_MS(91), OM_MS(100), &size)); /* again, and it arrives */
    OM_TRY(om_loss_probe_sent(&x.l, OM_MS(91), x.next++, size) == OM_OK);
    CHECK_OK(ack(&x, OM_MS(180), x.next - 1, 1));
    CHECK(mtu.state == OM_MTU_SEARCH && mtu.low == size);
    CHECK(x.l.delivered == 5 * SIZE && om_ring_count(&x.l.sent) == 0);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_forgotten_probe_keeps_nothing)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    OM_TRY(om_loss_probe_sent(&x.l, 1, x.next++, SIZE) == OM_OK);
    for (unsigned i = 0; i < 50; i++)
        OM_TRY(send(&x, 2, false)); /* what only receives sends ACKs */
    CHECK_EQ(om_ring_count(&x.l.sent), 51);
    om_loss_probe_over(&x.l);
    CHECK_EQ(om_ring_count(&x.l.sent), 0);
    CHECK_OK(ack(&x, OM_MS(80), 0, 1)); /* it had arrived all the same */
    CHECK(x.l.in_flight == 0 && x.l.size_probe == 0);
out:
    om_loss_fini(&x.l);
}

OM_TEST(loss_one_large_packet_always_fits)
{
    struct fix x;

    fix_init(&x, OM_MS(80));
    x.l.cc.window = SIZE / 2;
    CHECK(om_loss_window_open(&x.l, SIZE));
    OM_TRY(send(&x, 1, true));
    CHECK(!om_loss_window_open(&x.l, SIZE));
out:
    om_loss_fini(&x.l);
}
