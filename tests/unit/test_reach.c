/* test_reach.c - how often we may send where. */
#include "harness.h"

#include <limits.h>

#include "path/reach.h"

enum { VICTIM = 0x08080808 };

static const uint8_t sip[OM_SIP_KEY] = {7};
static const struct om_id nobody;

static struct om_id key(unsigned i)
{
    return (struct om_id){{(uint8_t)(i >> 8), (uint8_t)i, 1}};
}

/* How many of @n, one each @step, may go to ports @port and up of @ip. */
static unsigned send_many(struct om_reach *r, om_time *now, uint32_t ip, unsigned port, unsigned n,
                          om_time step, const struct om_id *who)
{
    unsigned yes = 0;

    for (unsigned i = 0; i < n; i++, *now += step) {
        struct om_addr to = om_addr_v4(ip, (uint16_t)(port + i));
        yes += om_reach_is_yes(om_reach_may(r, *now, &to, who));
    }
    return yes;
}

static bool vouch(struct om_reach *r, om_time now, const struct om_id *who, uint32_t ip,
                  unsigned by, enum om_reach_witness witness, bool is_open, bool is_chosen)
{
    const struct om_addr at = om_addr_v4(ip, 0);
    const struct om_reach_word w = {key(by), witness, is_open, is_chosen, now};

    return om_reach_attest(r, now, who, &at, &w);
}

OM_TEST(reach_strangers_get_three)
{
    struct om_reach r;
    om_time now = OM_SEC(5), began = now;
    struct om_id a = key(1);

    om_reach_init(&r, now, sip);
    OM_TRY(send_many(&r, &now, VICTIM, 1000, 50, OM_MS(20), &a) == 3);
    CHECK_EQ(r.answers[OM_REACH_SPENT], 47);
    now = began + OM_SEC(599);
    CHECK_EQ(send_many(&r, &now, VICTIM, 1000, 5, 0, &a), 0);
    now = began + OM_SEC(651);
    CHECK_EQ(send_many(&r, &now, VICTIM, 1000, 5, 0, &a), 3);
    now += OM_SEC(1000000);
    CHECK_EQ(send_many(&r, &now, VICTIM, 1000, 5, 0, &a), 3);
    CHECK_STR(om_reach_answer_name(OM_REACH_SPENT), "spent");
    CHECK_STR(om_reach_answer_name(OM_REACH_ANSWERS), "unknown");
out:
    om_reach_fini(&r);
}

/* A hundred keys that all claim the victim's address are one budget; so is a /64. */
OM_TEST(reach_budget_is_of_the_ip)
{
    struct om_reach r;
    om_time now = OM_SEC(5);
    unsigned sent = 0;

    om_reach_init(&r, now, sip);
    for (unsigned i = 0; i < 100; i++) {
        struct om_id k = key(i);
        sent += send_many(&r, &now, VICTIM, 1000 + i, 2, OM_MS(20), &k);
    }
    OM_TRY(sent == 3);
    OM_TRY(send_many(&r, &now, VICTIM + 1, 1000, 9, OM_MS(20), &nobody) == 3);
    sent = 0;
    for (unsigned i = 0; i < 20; i++, now += OM_MS(20)) {
        struct om_addr six = {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, (uint8_t)i, 9}, 7};
        sent += om_reach_is_yes(om_reach_may(&r, now, &six, &nobody));
    }
    OM_TRY(sent == 3);
out:
    om_reach_fini(&r);
}

OM_TEST(reach_corroboration_is_short)
{
    const struct om_addr at = om_addr_v4(VICTIM, 5);
    struct om_reach r;
    om_time now = OM_SEC(5);
    struct om_id a = key(1), b = key(2);

    om_reach_init(&r, now, sip);
    OM_TRY(vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RELAY, false, false));
    CHECK(om_reach_is_attested(&r, now + OM_SEC(59), &a, &at));
    CHECK(!om_reach_is_attested(&r, now + OM_SEC(60), &a, &at));
    CHECK(!om_reach_is_attested(&r, now, &b, &at)); /* not for another key */
    CHECK_EQ(om_reach_left(&r, now, &at, &a), OM_REACH_CORROBORATED_MAX);
    CHECK_EQ(om_reach_left(&r, now, &at, &b), OM_REACH_STRANGER_MAX);
    const struct om_reach_word old = {key(9), OM_WITNESS_RELAY, false, false, now - OM_SEC(61)};
    CHECK(!om_reach_attest(&r, now, &b, &at, &old));
    const struct om_reach_word own = {b, OM_WITNESS_TYPED, false, false, now};
    CHECK(!om_reach_attest(&r, now, &b, &at, &own)); /* its own word */
    CHECK(!vouch(&r, now, &b, VICTIM + 1, 9, OM_WITNESSES, false, false));
out:
    om_reach_fini(&r);
}

OM_TEST(reach_corroborated_get_their_hour)
{
    const struct om_addr at = om_addr_v4(VICTIM, 5);
    struct om_reach r;
    om_time now = OM_SEC(5), began = now;
    struct om_id a = key(1);
    unsigned sent = 0, late = 0;

    om_reach_init(&r, now, sip);
    while (now < began + OM_SEC(3000)) {
        OM_TRY(vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_TYPED, true, false));
        sent += send_many(&r, &now, VICTIM, 1024, 1000, OM_MS(5), &a);
    }
    CHECK_EQ(sent, OM_REACH_CORROBORATED_MAX);
    CHECK_EQ(om_reach_left(&r, now, &at, &a), 0);
    now = began + OM_SEC(3598);
    OM_TRY(vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_TYPED, true, false));
    CHECK_EQ(send_many(&r, &now, VICTIM, 1024, 10, 0, &a), 0);
    now = began + OM_SEC(3935);
    OM_TRY(vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_TYPED, true, false));
    late = send_many(&r, &now, VICTIM, 1024, 10, 0, &a);
    CHECK_EQ(late, 10);
out:
    om_reach_fini(&r);
}

OM_TEST(reach_two_random_members)
{
    struct om_reach r;
    om_time now = OM_SEC(500);
    struct om_id a = key(1);

    om_reach_init(&r, now, sip);
    CHECK(!vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RANDOM, false, false));
    CHECK(!vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RANDOM, false, false)); /* the same one */
    CHECK(!vouch(&r, now + OM_SEC(61), &a, VICTIM, 8, OM_WITNESS_RANDOM, false, false));
    OM_TRY(vouch(&r, now + OM_SEC(100), &a, VICTIM, 9, OM_WITNESS_RANDOM, false, false));
    const struct om_addr at = om_addr_v4(VICTIM, 5);
    CHECK(om_reach_is_attested(&r, now + OM_SEC(120), &a, &at));
    CHECK(!om_reach_is_attested(&r, now + OM_SEC(121), &a, &at)); /* as old as the older word */
out:
    om_reach_fini(&r);
}

OM_TEST(reach_open_network_is_stricter)
{
    struct om_reach r;
    om_time now = OM_SEC(5);
    struct om_id a = key(1);

    om_reach_init(&r, now, sip);
    CHECK(!vouch(&r, now, &a, VICTIM, 8, OM_WITNESS_RANDOM, true, true));
    CHECK(!vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RANDOM, true, true));
    CHECK(!vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RELAY, true, false));
    OM_TRY(vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RELAY, true, true));
    OM_TRY(vouch(&r, now, &a, VICTIM + 1, 9, OM_WITNESS_TYPED, true, false));
out:
    om_reach_fini(&r);
}

OM_TEST(reach_exempt_get_twenty)
{
    const struct om_addr to = om_addr_v4(VICTIM, 5);
    struct om_reach r;
    om_time now = OM_SEC(5);
    struct om_id a = key(1), b = key(2);
    unsigned sent = 0;

    om_reach_init(&r, now, sip);
    OM_TRY(om_reach_exempt(&r, now, &to, &a, now + OM_SEC(3600)));
    CHECK_EQ(om_reach_left(&r, now, &to, &a), 23);
    for (unsigned i = 0; i < 50; i++, now += OM_MS(20))
        sent += om_reach_is_yes(om_reach_may(&r, now, &to, &a));
    OM_TRY(sent == 23); /* then as any stranger's */
    CHECK_EQ(om_reach_may(&r, now, &to, &b), OM_REACH_SPENT);
    now += OM_SEC(700);
    CHECK_EQ(om_reach_left(&r, now, &to, &a), 23);
    now += OM_SEC(3000);
    CHECK_EQ(om_reach_left(&r, now, &to, &a), 3); /* the reason ended */
    OM_TRY(om_reach_exempt(&r, now, &to, &nobody, now + OM_SEC(3600)));
    CHECK_EQ(om_reach_left(&r, now, &to, &b), 23); /* for anybody */
out:
    om_reach_fini(&r);
}

OM_TEST(reach_proven_are_free)
{
    const struct om_addr to = om_addr_v4(VICTIM, 5), other = om_addr_v4(VICTIM, 6);
    struct om_reach r;
    om_time now = OM_SEC(5);
    struct om_id a = key(1), b = key(2);

    om_reach_init(&r, now, sip);
    om_reach_prove(&r, now, &to, &a);
    for (unsigned i = 0; i < 5000; i++)
        OM_TRY(om_reach_may(&r, now, &to, &b) == OM_REACH_PROVEN);
    CHECK_EQ(om_reach_left(&r, now, &to, &b), UINT_MAX);
    CHECK_EQ(om_reach_left(&r, now, &other, &a), 3); /* another port is another place */
    om_reach_forget(&r, &b);
    CHECK_EQ(om_reach_left(&r, now, &to, &a), UINT_MAX);
    om_reach_forget(&r, &a);
    OM_TRY(om_reach_left(&r, now, &to, &a) == 23); /* proven within 30 days, for that key */
    CHECK_EQ(om_reach_left(&r, now, &to, &b), 3);
    CHECK_EQ(om_reach_left(&r, now + OM_SEC(30 * 86400), &to, &a), 3);
out:
    om_reach_fini(&r);
}

OM_TEST(reach_rate_holds_in_every_second)
{
    struct om_reach r;
    om_time now = OM_SEC(5);
    struct om_id a = key(1);
    static om_time when[4000];
    unsigned sent = 0;

    om_reach_init(&r, now, sip);
    OM_TRY(vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_TYPED, true, false));
    for (; now < OM_SEC(8); now += OM_US(250)) {
        struct om_addr to = om_addr_v4(VICTIM, (uint16_t)(1024 + sent));
        if (now >= OM_SEC(6) && now < OM_SEC(7))
            continue; /* let it fill up */
        if (om_reach_may(&r, now, &to, &a) != OM_REACH_CORROBORATED)
            continue;
        when[sent++] = now;
        CHECK(sent <= OM_REACH_PER_S || now - when[sent - 1 - OM_REACH_PER_S] >= OM_SEC(1));
    }
    OM_TRY(sent > 1900);
    CHECK(r.answers[OM_REACH_LATER] > 0);
    CHECK(om_reach_ready(&r, now) >= now);
out:
    om_reach_fini(&r);
}

OM_TEST(reach_full_is_no)
{
    struct om_reach r;
    om_time now = OM_SEC(5);
    const struct om_addr last = om_addr_v4(0x09000000, 1);
    struct om_id a = key(1);
    unsigned full = 0;

    om_reach_init(&r, now, sip);
    for (unsigned i = 0; i < OM_REACH_IPS_MAX; i++, now += OM_MS(2)) {
        struct om_addr to = om_addr_v4(0x05000000 + i, 1);
        OM_TRY(om_reach_may(&r, now, &to, &a) == OM_REACH_STRANGER);
    }
    CHECK_EQ(om_reach_may(&r, now, &last, &a), OM_REACH_FULL);
    CHECK_EQ(om_reach_may(&r, now + OM_SEC(651), &last, &a), OM_REACH_STRANGER);
    now += OM_SEC(652);
    for (unsigned i = 0; i < OM_REACH_ATTESTED_MAX; i++) {
        struct om_id k = key(i + 100);
        OM_TRY(vouch(&r, now, &k, VICTIM, 9, OM_WITNESS_RELAY, false, false));
    }
    CHECK(!vouch(&r, now, &a, VICTIM, 9, OM_WITNESS_RELAY, false, false));
    OM_TRY(vouch(&r, now + OM_SEC(60), &a, VICTIM, 9, OM_WITNESS_RELAY, false, false));
    now += OM_SEC(60);
    for (unsigned i = 0; i < OM_REACH_ENDS_MAX; i++, now += OM_MS(2)) {
        struct om_addr to = om_addr_v4(0x05000000 + i, 1);
        OM_TRY(om_reach_exempt(&r, now, &to, &a, now + OM_SEC(9000)));
        OM_TRY(om_reach_may(&r, now, &to, &a) == OM_REACH_EXEMPT);
    }
    full = om_reach_exempt(&r, now, &last, &a, now + OM_SEC(9000));
    CHECK_EQ(full, 0);
out:
    om_reach_fini(&r);
}

OM_TEST(reach_refusal_takes_nothing)
{
    const struct om_addr to = om_addr_v4(VICTIM, 5);
    struct om_reach r;
    om_time now = OM_SEC(5);
    struct om_id a = key(1);

    om_reach_init(&r, now, sip);
    om_bucket_init(&r.rate, 1, 1, now);
    OM_TRY(om_reach_may(&r, now, &to, &a) == OM_REACH_STRANGER);
    for (unsigned i = 0; i < 50; i++)
        CHECK_EQ(om_reach_may(&r, now, &to, &a), OM_REACH_LATER);
    CHECK_EQ(om_reach_left(&r, now, &to, &a), 2);
    CHECK_EQ(om_reach_ready(&r, now), now + OM_SEC(1));
    OM_TRY(om_reach_may(&r, now + OM_SEC(1), &to, &a) == OM_REACH_STRANGER);
out:
    om_reach_fini(&r);
}
