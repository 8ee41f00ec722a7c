/* test_association.c - one counter over many keys, and who carries. */
#include "store.h"

#include <omerta/attr.h>

#include "crypto/association.h"

/* A store with one association in it. */
struct fix {
    struct store t;
    struct om_association a;
};

static bool fix_init(struct fix *f, bool we_are_lower)
{
    memset(&f->a, 0, sizeof f->a);
    if (!store_init(&f->t, 16))
        return false;
    om_association_init(&f->a, &f->t.rng, OM_SEC(1), we_are_lower);
    return true;
}

static void fix_fini(struct fix *f)
{
    om_association_fini(&f->a, &f->t.sessions);
    store_fini(&f->t);
}

/* A new session at @now that its first proof confirms at once; NULL when memory ran out. */
static struct om_session *confirm(struct fix *f, om_time now, bool initiated, uint8_t life,
                                  struct om_confirmed *c)
{
    struct om_session *s = store_session(&f->t, now, initiated, life);
    struct om_confirmed unused;

    if (!s)
        return NULL;
    if (!initiated)
        om_association_offer(&f->a, &f->t.sessions, s);
    *(c ? c : &unused) = om_association_confirm(&f->a, &f->t.sessions, now, s);
    s->is_heard = true;
    return s;
}

static bool receives(const struct om_association *a, const struct om_session *s)
{
    for (unsigned i = 0; i < a->count; i++)
        if (a->receiving[i] == s)
            return true;
    return false;
}

/* The packet that proves us to the responder may be lost: it is repeated, and not for ever. */
OM_TEST(association_knocks_until_it_is_heard)
{
    struct om_session *s;
    struct fix f;
    om_time at;

    OM_TRY(fix_init(&f, true));
    OM_TRY((s = confirm(&f, OM_SEC(10), true, 7, NULL)) != NULL);
    s->is_heard = false;
    for (int i = 0; i < OM_KNOCKS_MAX; i++) {
        at = om_association_deadline(&f.a, &f.t.limits);
        CHECK_EQ(at, OM_SEC(10) + OM_MS(OM_KNOCK_MS) * ((2 << i) - 1));
        CHECK(!om_association_knock(&f.a, at - 1));
        CHECK(om_association_knock(&f.a, at));
        CHECK(!om_association_knock(&f.a, at));
    }
    s->is_heard = true; /* the control: once heard, it stands until its keys die */
    CHECK_EQ(om_association_deadline(&f.a, &f.t.limits), OM_SEC(190));
    s->is_heard = false;
    at = om_association_deadline(&f.a, &f.t.limits);
    CHECK(!om_association_knock(&f.a, at));
    CHECK(om_association_tick(&f.a, &f.t.sessions, at)); /* nobody ever answered */
    CHECK(f.a.carry == NULL);

    OM_TRY((s = confirm(&f, OM_SEC(100), false, 7, NULL)) != NULL);
    s->is_heard = false; /* as responder there is nothing to knock for */
    CHECK(!om_association_knock(&f.a, OM_SEC(110)));
out:
    fix_fini(&f);
}

OM_TEST(association_counter_survives_rekey)
{
    struct om_confirmed c;
    struct om_session *s;
    struct fix f;

    OM_TRY(fix_init(&f, true));
    OM_TRY((s = confirm(&f, OM_SEC(1), true, 7, &c)) != NULL);
    CHECK(c.first && c.carries && !c.restarted);
    CHECK(om_association_sealing(&f.a, OM_SEC(1)) == s);
    f.a.counter = 1000;
    om_acks_received(&f.a.acks, OM_SEC(2), 44, true);
    OM_TRY((s = confirm(&f, OM_SEC(120), true, 7, &c)) != NULL);
    CHECK(!c.first && c.carries && !c.restarted);
    CHECK(f.a.carry == s);
    CHECK_EQ(f.a.counter, 1000);
    CHECK_EQ(f.a.acks.runs[0].high, 44);
    CHECK_EQ(f.a.count, 2);

    /* Also over a gap without any key. */
    om_association_tick(&f.a, &f.t.sessions, OM_SEC(1000));
    CHECK_EQ(f.a.count, 0);
    OM_TRY((s = confirm(&f, OM_SEC(2000), false, 7, &c)) != NULL);
    CHECK(c.first && c.carries && !c.restarted);
    CHECK_EQ(f.a.counter, 1000);
out:
    fix_fini(&f);
}

OM_TEST(association_restart_resets_counters)
{
    struct om_session *old, *waits, *s;
    struct om_confirmed c;
    struct fix f;

    OM_TRY(fix_init(&f, true));
    OM_TRY((old = confirm(&f, OM_SEC(1), true, 7, NULL)) != NULL);
    f.a.counter = 1000;
    om_acks_received(&f.a.acks, OM_SEC(2), 44, true);
    om_association_pinged(&f.a, OM_SEC(2), 5, true);
    om_association_sent(&f.a, OM_SEC(2));

    /* A session of another life changes nothing until it is confirmed. */
    OM_TRY((s = store_session(&f.t, OM_SEC(3), false, 8)) != NULL);
    om_association_offer(&f.a, &f.t.sessions, s);
    CHECK_EQ(f.a.counter, 1000);
    CHECK(f.a.carry == old);
    c = om_association_confirm(&f.a, &f.t.sessions, OM_SEC(3), s);
    CHECK(c.restarted && c.first && c.carries);
    CHECK_EQ(f.a.counter, 0);
    CHECK_EQ(f.a.acks.count, 0);
    CHECK(f.a.unanswered_since == OM_NEVER);
    CHECK_EQ(f.a.pings[0].sent_at, 0);
    CHECK_EQ(f.a.count, 1); /* old keys must not seal from 0 again */
    CHECK_EQ(f.t.sessions.live, 1);
    CHECK(f.a.carry == s);

    /* What was still unconfirmed may be of the life before: it goes too. */
    OM_TRY((waits = store_session(&f.t, OM_SEC(4), false, 8)) != NULL);
    om_association_offer(&f.a, &f.t.sessions, waits);
    OM_TRY((s = confirm(&f, OM_SEC(5), true, 9, &c)) != NULL);
    CHECK(c.restarted);
    CHECK(f.a.unconfirmed == NULL);
    CHECK_EQ(f.t.sessions.live, 1);
out:
    fix_fini(&f);
}

/* Both sides began; each confirms the other's session within 5 s of its own. */
static void check_simultaneous(bool we_are_lower, bool ours_first)
{
    struct om_session *first, *second;
    struct om_confirmed c;
    struct fix f;

    OM_TRY(fix_init(&f, we_are_lower));
    OM_TRY((first = confirm(&f, OM_SEC(10), ours_first, 7, NULL)) != NULL);
    OM_TRY((second = confirm(&f, OM_SEC(15) - 1, !ours_first, 7, &c)) != NULL);
    struct om_session *ours = ours_first ? first : second;
    struct om_session *theirs = ours_first ? second : first;
    CHECK(f.a.carry == (we_are_lower ? ours : theirs));
    CHECK_EQ(c.carries, f.a.carry == second);
    CHECK(receives(&f.a, first) && receives(&f.a, second));
    const struct om_session *other = f.a.carry == first ? second : first;
    CHECK_EQ(other->receive_until, OM_SEC(25) - 1);
    CHECK_EQ(f.a.carry->receive_until, f.a.carry->born + OM_SEC(180));
out:
    fix_fini(&f);
}

OM_TEST(association_lower_key_carries_simultaneous_open)
{
    check_simultaneous(true, true);
    check_simultaneous(true, false);
    check_simultaneous(false, true);
    check_simultaneous(false, false);
}

OM_TEST(association_newest_carries_later)
{
    struct om_session *s;
    struct om_confirmed c;
    struct fix f;

    OM_TRY(fix_init(&f, true)); /* ours would win, were it simultaneous */
    OM_TRY((s = confirm(&f, OM_SEC(10), true, 7, NULL)) != NULL);
    OM_TRY((s = confirm(&f, OM_SEC(15), false, 7, &c)) != NULL); /* 5 s: no more */
    CHECK(c.carries && f.a.carry == s);
    OM_TRY((s = confirm(&f, OM_SEC(16), false, 7, &c)) != NULL); /* same side: the newer */
    CHECK(c.carries && f.a.carry == s);
    OM_TRY((s = confirm(&f, OM_SEC(17), true, 7, &c)) != NULL);
    CHECK(c.carries && f.a.carry == s);
    OM_TRY((s = confirm(&f, OM_SEC(18), false, 7, &c)) != NULL); /* positive control */
    CHECK(!c.carries && f.a.carry != s);
out:
    fix_fini(&f);
}

OM_TEST(association_keeps_four_receiving_keys)
{
    struct om_session *s[OM_RECEIVING_MAX + 3];
    struct fix f;

    OM_TRY(fix_init(&f, true));
    for (int i = 0; i < OM_RECEIVING_MAX + 2; i++)
        OM_TRY((s[i] = confirm(&f, OM_SEC(10) + i, true, 7, NULL)) != NULL);
    CHECK_EQ(f.a.count, OM_RECEIVING_MAX);
    CHECK_EQ(f.t.sessions.live, OM_RECEIVING_MAX);
    for (int i = 0; i < OM_RECEIVING_MAX; i++)
        CHECK(f.a.receiving[i] == s[OM_RECEIVING_MAX + 1 - i]); /* newest first */
    CHECK(f.a.carry == s[OM_RECEIVING_MAX + 1]);
out:
    fix_fini(&f);
}

/* A flood of the higher key's sessions must not push out the one that carries. */
OM_TEST(association_full_keeps_the_carrying_key)
{
    struct om_session *carry;
    struct fix f;

    OM_TRY(fix_init(&f, true));
    OM_TRY((carry = confirm(&f, OM_SEC(10), true, 7, NULL)) != NULL);
    for (int i = 1; i < 3 * OM_RECEIVING_MAX; i++) {
        OM_TRY(confirm(&f, OM_SEC(10) + i, false, 7, NULL) != NULL);
        CHECK(f.a.carry == carry);
        CHECK(receives(&f.a, carry));
        CHECK(f.a.count <= OM_RECEIVING_MAX);
    }
    CHECK_EQ(f.t.sessions.live, OM_RECEIVING_MAX);
out:
    fix_fini(&f);
}

OM_TEST(association_old_key_gets_grace_only)
{
    struct om_session *old, *s;
    struct fix f;

    OM_TRY(fix_init(&f, true));
    OM_TRY((old = confirm(&f, OM_SEC(1), true, 7, NULL)) != NULL);
    OM_TRY((s = confirm(&f, OM_SEC(120), true, 7, NULL)) != NULL);
    CHECK_EQ(old->receive_until, OM_SEC(130));
    CHECK_EQ(om_association_deadline(&f.a, &f.t.limits), OM_SEC(130));
    CHECK(!om_association_tick(&f.a, &f.t.sessions, OM_SEC(130) - 1));
    CHECK(receives(&f.a, old));
    CHECK(!om_association_tick(&f.a, &f.t.sessions, OM_SEC(130)));
    CHECK(!receives(&f.a, old) && receives(&f.a, s));

    /* Grace never lengthens a life: near its end the old key keeps its own date. */
    OM_TRY(confirm(&f, OM_SEC(295), true, 7, NULL) != NULL);
    CHECK_EQ(s->receive_until, OM_SEC(300));
out:
    fix_fini(&f);
}

OM_TEST(association_last_key_goes_down_once)
{
    struct fix f;

    OM_TRY(fix_init(&f, true));
    CHECK_EQ(f.a.idle_since, OM_SEC(1));
    OM_TRY(confirm(&f, OM_SEC(10), true, 7, NULL) != NULL);
    CHECK(f.a.idle_since == OM_NEVER);
    om_association_sent(&f.a, OM_SEC(11));
    CHECK(!om_association_tick(&f.a, &f.t.sessions, OM_SEC(190) - 1));
    CHECK(om_association_sealing(&f.a, OM_SEC(190)) == NULL); /* dead before any tick */
    CHECK(om_association_tick(&f.a, &f.t.sessions, OM_SEC(190)));
    CHECK_EQ(f.a.idle_since, OM_SEC(190));
    CHECK(om_association_silence(&f.a) == OM_NEVER);
    CHECK(om_association_deadline(&f.a, &f.t.limits) == OM_NEVER);
    CHECK(!om_association_tick(&f.a, &f.t.sessions, OM_SEC(191)));
    CHECK_EQ(f.a.idle_since, OM_SEC(190)); /* from the death, not from the last look */
out:
    fix_fini(&f);
}

OM_TEST(association_unconfirmed_waits_and_goes)
{
    struct om_session *s;
    struct fix f;

    OM_TRY(fix_init(&f, true));
    for (int i = 0; i < 3; i++) { /* the newest replaces the one before */
        OM_TRY((s = store_session(&f.t, OM_SEC(20) + i, false, 7)) != NULL);
        om_association_offer(&f.a, &f.t.sessions, s);
        CHECK_EQ(f.t.sessions.live, 1);
    }
    CHECK(f.a.unconfirmed == s);
    CHECK(om_association_sealing(&f.a, OM_SEC(21)) == NULL); /* only msg2 may leave */
    CHECK_EQ(om_association_deadline(&f.a, &f.t.limits), OM_SEC(30) + 2);
    CHECK(!om_association_tick(&f.a, &f.t.sessions, OM_SEC(30) + 1));
    CHECK(f.a.unconfirmed == s);
    CHECK(!om_association_tick(&f.a, &f.t.sessions, OM_SEC(30) + 2));
    CHECK(f.a.unconfirmed == NULL);
    CHECK_EQ(f.t.sessions.live, 0);
out:
    fix_fini(&f);
}

OM_TEST(association_silence_waits_two_seconds_or_three_ptos)
{
    struct fix f;

    OM_TRY(fix_init(&f, true));
    f.a.counter = 10;
    CHECK(om_association_silence(&f.a) == OM_NEVER);
    om_association_sent(&f.a, OM_SEC(6));
    om_association_sent(&f.a, OM_SEC(7)); /* the first one counts */
    CHECK_EQ(om_association_silence(&f.a), OM_SEC(8));
    CHECK_EQ(om_association_deadline(&f.a, &f.t.limits), OM_SEC(8));
    om_rtt_sample(&f.a.rtt, OM_SEC(1)); /* PTO 1 + 4 x 0.5 + 0.025 s */
    CHECK_EQ(om_association_silence(&f.a), OM_SEC(6) + 3 * OM_MS(3025));
    om_association_answered(&f.a);
    CHECK(om_association_silence(&f.a) == OM_NEVER);
out:
    fix_fini(&f);
}

OM_TEST(association_pings_are_bounded)
{
    struct om_frame_pong pong = {.token = 1};
    struct fix f;
    om_time rtt;

    OM_TRY(fix_init(&f, true));
    CHECK(!om_association_on_pong(&f.a, OM_SEC(1), &pong, &rtt)); /* nobody asked */
    for (uint64_t i = 1; i <= OM_PINGS_MAX + 1; i++)
        om_association_pinged(&f.a, OM_SEC(1) + (om_time)i, i, i % 2 == 0);
    CHECK(!om_association_on_pong(&f.a, OM_SEC(2), &pong, &rtt)); /* forgotten for the ninth */
    pong.token = 2;
    pong.held_us = 1000;
    CHECK(om_association_on_pong(&f.a, OM_SEC(1) + 2 + OM_MS(50), &pong, &rtt));
    CHECK_EQ(rtt, OM_MS(49));
    CHECK(!om_association_on_pong(&f.a, OM_SEC(2), &pong, &rtt)); /* each token once */
    pong.token = 3;
    CHECK(!om_association_on_pong(&f.a, OM_SEC(2), &pong, &rtt)); /* only we wanted to know */
    pong.token = 4;
    pong.held_us = UINT32_MAX;
    CHECK(om_association_on_pong(&f.a, OM_SEC(2), &pong, &rtt));
    CHECK_EQ(rtt, OM_SEC(1) - 4); /* held for longer than it took: not believed */

    om_association_pinged(&f.a, 0, 77, true); /* at time 0 too */
    pong = (struct om_frame_pong){.token = 77};
    CHECK(om_association_on_pong(&f.a, 0, &pong, &rtt));
out:
    fix_fini(&f);
}
