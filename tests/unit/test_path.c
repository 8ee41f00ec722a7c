/* test_path.c - one path: what proves it, what ends it, what it costs. */
#include "harness.h"

#include "path/path.h"

static const struct om_via direct = {.socket = 1}, lane = {.socket = 1, .lane = 7};

static struct om_path made(const struct om_via *via)
{
    struct om_path p;

    om_path_init(&p, via, OM_PATH_SAID, OM_SEC(1));
    return p;
}

/* Asks whenever that is due, until the path has failed; returns how often it was sent to. */
static unsigned ask_until_failed(struct om_path *p, om_time *now, uint64_t token)
{
    unsigned sent = 0;

    for (;;) {
        CHECK(p->ask_at != OM_NEVER && p->ask_at >= *now);
        *now = p->ask_at;
        if (!om_path_asked(p, *now, token++))
            return sent;
        CHECK(p->ask_at > *now);
        CHECK(++sent <= OM_PATH_TRIES);
    }
}

OM_TEST(path_is_proven_by_its_own_token)
{
    struct om_path p = made(&direct), q = made(&direct);

    CHECK_EQ(p.ask_at, OM_SEC(1));
    CHECK(!om_path_answered(&p, OM_SEC(1), 0)); /* nothing was asked: 0 is no token */
    CHECK(om_path_asked(&p, OM_SEC(1), 11));
    CHECK(om_path_asked(&q, OM_SEC(1), 12));
    CHECK(!om_path_answered(&p, OM_SEC(1) + OM_MS(30), 12));
    om_path_heard(&p, OM_SEC(1) + OM_MS(30), 1000); /* that it speaks proves nothing */
    CHECK_EQ(p.state, OM_PATH_UNPROVEN);
    CHECK_EQ(p.proven, OM_NEVER);

    CHECK(om_path_answered(&p, OM_SEC(1) + OM_MS(40), 11));
    CHECK_EQ(p.state, OM_PATH_VALID);
    CHECK_EQ(p.proven, OM_SEC(1) + OM_MS(40));
    CHECK_EQ(p.rtt.smoothed, OM_MS(40));
    CHECK_EQ(p.ask_at, OM_NEVER);
    CHECK(!om_path_answered(&p, OM_SEC(1) + OM_MS(50), 11)); /* once */

    om_path_shaken(&q, OM_SEC(2)); /* the other proof */
    CHECK_EQ(q.state, OM_PATH_VALID);
    CHECK_EQ(q.heard, OM_SEC(2));
}

OM_TEST(path_fails_when_it_stops_answering)
{
    struct om_path p = made(&direct), q = made(&direct);
    om_time now = OM_SEC(1);

    CHECK(om_path_asked(&p, now, 1));
    CHECK(om_path_answered(&p, now + OM_MS(40), 1));
    unsigned loss = p.loss;
    om_path_ask_anew(&p, now + OM_SEC(1));
    now = p.ask_at;
    CHECK_EQ(ask_until_failed(&p, &now, 100), OM_PATH_TRIES);
    CHECK_EQ(p.state, OM_PATH_FAILED);
    CHECK_EQ(p.ask_at, OM_NEVER);
    CHECK(p.loss > loss);
    CHECK(now - OM_SEC(2) < OM_SEC(3)); /* doubling, from 1.5 srtt + 4 rttvar */

    /* One that never answered fails as well. */
    now = OM_SEC(1);
    CHECK_EQ(ask_until_failed(&q, &now, 200), OM_PATH_TRIES);
    CHECK_EQ(q.state, OM_PATH_FAILED);

    /* The control: each third challenge lost is no failure. */
    p = made(&direct);
    now = OM_SEC(1);
    for (uint64_t i = 0; i < 30; i++) {
        CHECK(om_path_asked(&p, now, i));
        if (i % 3 != 2)
            CHECK(om_path_answered(&p, now + OM_MS(40), i));
        now = p.ask_at == OM_NEVER ? now + OM_SEC(1) : p.ask_at;
    }
    CHECK_EQ(p.state, OM_PATH_VALID);
    CHECK_EQ(p.answers, 20);
}

OM_TEST(path_failed_one_lives_again)
{
    struct om_path p = made(&direct);
    om_time now = OM_SEC(1);

    CHECK(om_path_asked(&p, now, 1));
    CHECK(om_path_answered(&p, now + OM_MS(40), 1));
    om_path_ask_anew(&p, OM_SEC(2));
    now = OM_SEC(2);
    ask_until_failed(&p, &now, 100);
    CHECK_EQ(p.fresh, 0);
    om_path_ask_anew(&p, OM_SEC(60));
    CHECK_EQ(p.state, OM_PATH_FAILED);
    CHECK(om_path_asked(&p, OM_SEC(60), 7));
    CHECK_EQ(p.state, OM_PATH_FAILED);
    CHECK(om_path_answered(&p, OM_SEC(60) + OM_MS(40), 7));
    CHECK_EQ(p.state, OM_PATH_VALID);
    CHECK_EQ(p.fresh, 1);

    /* An answer that was only late is one, too. */
    p = made(&direct);
    now = OM_SEC(1);
    ask_until_failed(&p, &now, 100);
    CHECK_EQ(p.state, OM_PATH_FAILED);
    CHECK(!om_path_answered(&p, now, 99));
    CHECK(om_path_answered(&p, now, 100 + OM_PATH_TRIES - 1));
    CHECK_EQ(p.state, OM_PATH_VALID);
}

OM_TEST(path_answers_no_more_than_it_was_sent)
{
    struct om_path p = made(&direct);

    CHECK(!om_path_may_answer(&p, 1));
    om_path_heard(&p, OM_SEC(1), 100);
    om_path_heard(&p, OM_SEC(1), 60);
    CHECK(!om_path_may_answer(&p, 161));
    CHECK(om_path_may_answer(&p, 120));
    CHECK(!om_path_may_answer(&p, 41));
    CHECK(om_path_may_answer(&p, 40));
    CHECK(!om_path_may_answer(&p, 1));
    om_path_shaken(&p, OM_SEC(1)); /* the control */
    CHECK(om_path_may_answer(&p, 1000000));
}

/* With so many round trips of @ms behind it. */
static struct om_path steady(const struct om_via *via, unsigned ms)
{
    struct om_path p = made(via);

    for (uint64_t i = 0; i < 40; i++) {
        CHECK(om_path_asked(&p, OM_SEC(2 + i), i));
        CHECK(om_path_answered(&p, OM_SEC(2 + i) + OM_MS(ms), i));
    }
    return p;
}

OM_TEST(path_old_samples_give_way)
{
    struct om_path p = steady(&direct, 100), quick = steady(&direct, 10);
    om_time soon = p.proven + OM_SEC(OM_PATH_STALE_S) / 2;

    CHECK(om_path_asked(&p, soon, 1));
    CHECK(om_path_answered(&p, soon + OM_MS(10), 1)); /* one of many */
    CHECK(om_path_score(&p) > OM_MS(90));
    om_time later = p.proven + OM_SEC(OM_PATH_STALE_S);
    CHECK(om_path_asked(&p, later, 2));
    CHECK(om_path_answered(&p, later + OM_MS(10), 2));
    CHECK(om_path_score(&p) <= om_path_score(&quick) + OM_MS(20));
    later = p.proven + OM_SEC(OM_PATH_STALE_S);
    CHECK(om_path_asked(&p, later, 3));
    CHECK(om_path_answered(&p, later + OM_MS(50), 3)); /* slower ones are weighed as ever */
    CHECK(p.rtt.smoothed < OM_MS(20));
}

OM_TEST(path_score_ranks)
{
    struct om_path near = steady(&direct, 30), far = steady(&direct, 60);
    struct om_path relayed = steady(&lane, 30), wild = steady(&direct, 30);
    struct om_path lossy = near, unknown = made(&direct);

    CHECK(om_path_score(&near) < om_path_score(&far));
    CHECK_EQ(om_path_score(&relayed), om_path_score(&near) + OM_MS(OM_PATH_RELAY_MS));
    CHECK(om_path_score(&relayed) < om_path_score(&far));
    om_rtt_sample(&wild.rtt, OM_MS(50));
    CHECK(om_path_score(&wild) > om_path_score(&near) + OM_MS(10)); /* jitter counts four times */
    CHECK(om_path_score(&unknown) > om_path_score(&far));
    CHECK_EQ(om_path_wait(&near) / 1000, OM_PATH_WAIT_MS);
    CHECK(om_path_wait(&far) >= OM_MS(90) && om_path_wait(&far) < OM_MS(95));

    CHECK(om_path_asked(&lossy, OM_SEC(90), 90));
    CHECK(om_path_asked(&lossy, OM_SEC(91), 91)); /* the one before is lost */
    om_time worst = om_path_score(&lossy);
    CHECK(worst > om_path_score(&near) + OM_MS(10));
    CHECK(worst < om_path_score(&near) + OM_MS(OM_PATH_RELAY_MS)); /* one is not worth a relay */
    CHECK(om_path_answered(&lossy, OM_SEC(91) + OM_MS(30), 91));
    CHECK(om_path_score(&lossy) < worst);
    for (uint64_t i = 100; i < 200; i++) {
        CHECK(om_path_asked(&lossy, OM_SEC(i), i));
        CHECK(om_path_answered(&lossy, OM_SEC(i) + OM_MS(30), i));
    }
    CHECK_EQ(lossy.loss, 0);
    CHECK_EQ(om_path_score(&lossy), om_path_score(&near));
}
