/* test_relay_select.c - which relays are kept warm. */
#include "harness.h"

#include <omerta/prng.h>

#include "relay/relay_select.h"

struct place {
    struct om_relay_select s;
    om_time now;
    unsigned wants, releases;
};

static struct om_id id_of(unsigned i)
{
    return (struct om_id){{(uint8_t)i, (uint8_t)(i >> 8), 1}};
}

static void open_place(struct place *p)
{
    *p = (struct place){.now = OM_SEC(1000)};
    om_relay_select_init(&p->s, p->now);
}

/* Relay @i, in block @block, @ms away. */
static void add(struct place *p, unsigned i, unsigned block, unsigned ms)
{
    struct om_addr a = om_addr_v4(0x33000000 + (block << 8) + i, 9);
    struct om_id id = id_of(i);

    om_relay_select_offer(&p->s, p->now, &id, &a);
    if (ms > 0)
        om_relay_select_rtt(&p->s, &id, OM_MS(ms));
}

/* Does all that it asks for; those that are wanted come up, but @dead. */
static void settle(struct place *p, unsigned dead)
{
    enum om_relay_select_act act;
    struct om_id id, grave = id_of(dead);

    while (om_relay_select_next(&p->s, p->now, &act, &id)) {
        p->wants += act == OM_RELAY_WANT;
        p->releases += act == OM_RELAY_RELEASE;
        CHECK(p->wants + p->releases < 10000);
        if (act == OM_RELAY_WANT && !om_id_equal(&id, &grave))
            om_relay_select_up(&p->s, p->now, &id);
    }
}

static bool is_warm(const struct place *p, unsigned i)
{
    struct om_id id = id_of(i);
    const struct om_relay_choice *c = om_relay_select_find(&p->s, &id);

    return c && c->use == OM_RELAY_WARM;
}

static unsigned warm(const struct place *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->s.count; i++)
        n += p->s.known[i].use == OM_RELAY_WARM;
    return n;
}

OM_TEST(select_takes_the_two_nearest)
{
    struct place p;

    open_place(&p);
    CHECK_EQ(om_relay_select_deadline(&p.s, p.now), OM_NEVER);
    for (unsigned i = 1; i <= 10; i++)
        add(&p, i, i, 100 - 9 * i);
    CHECK_EQ(om_relay_select_deadline(&p.s, p.now), p.now);
    settle(&p, 0);
    CHECK(warm(&p) == 2 && is_warm(&p, 10) && is_warm(&p, 9));
    CHECK(p.wants == 2 && p.releases == 0);
}

OM_TEST(select_asks_the_busy_last)
{
    struct om_id near = id_of(1), far = id_of(2), stranger = id_of(3);
    struct place p;

    open_place(&p);
    add(&p, 1, 1, 10);
    add(&p, 2, 2, 300);
    om_time before = om_relay_select_score(&p.s, p.now, &near, OM_MS(10));
    CHECK(before < om_relay_select_score(&p.s, p.now, &far, OM_MS(300)));
    om_relay_select_refused(&p.s, p.now, &near);
    om_relay_select_refused(&p.s, p.now, &stranger); /* of whom nothing is kept */
    CHECK(om_relay_select_is_busy(&p.s, p.now, &near));
    CHECK(!om_relay_select_is_busy(&p.s, p.now, &stranger));
    CHECK(om_relay_select_score(&p.s, p.now, &near, OM_MS(10)) >
          om_relay_select_score(&p.s, p.now, &far, OM_MS(300)));
    p.now += OM_SEC(OM_RELAY_BUSY_S);
    CHECK(!om_relay_select_is_busy(&p.s, p.now, &near));
    om_time after = om_relay_select_score(&p.s, p.now, &near, OM_MS(10));
    CHECK(after > before); /* it is not forgotten so soon */
    CHECK(after < om_relay_select_score(&p.s, p.now, &far, OM_MS(300)));
}

OM_TEST(select_takes_what_there_is)
{
    struct place p;

    open_place(&p);
    add(&p, 1, 1, 0); /* nothing is known of it */
    settle(&p, 0);
    CHECK(is_warm(&p, 1));
    add(&p, 2, 1, 300); /* of the same block, and slow, but there is no other */
    settle(&p, 0);
    CHECK(warm(&p) == 2);
}

OM_TEST(select_wants_two_blocks)
{
    struct place p;

    open_place(&p);
    add(&p, 1, 1, 10);
    add(&p, 2, 1, 12);
    add(&p, 3, 2, 90);
    settle(&p, 0);
    CHECK(is_warm(&p, 1) && is_warm(&p, 3) && !is_warm(&p, 2));
    open_place(&p);
    add(&p, 1, 1, 10);
    add(&p, 2, 1, 12);
    settle(&p, 0);
    CHECK(is_warm(&p, 1) && is_warm(&p, 2));
    add(&p, 3, 2, 90); /* another block comes up later */
    settle(&p, 0);
    CHECK(is_warm(&p, 1) && is_warm(&p, 3) && !is_warm(&p, 2));
    CHECK_EQ(p.s.moves, 1);
}

OM_TEST(select_moves_when_one_dies)
{
    struct om_id one = id_of(1);
    struct place p;

    open_place(&p);
    add(&p, 1, 1, 10);
    add(&p, 2, 2, 20);
    add(&p, 3, 3, 30);
    settle(&p, 0);
    om_relay_select_down(&p.s, p.now, &one);
    settle(&p, 0);
    CHECK(is_warm(&p, 2) && is_warm(&p, 3) && !is_warm(&p, 1));
    p.now += OM_SEC(OM_RELAY_REST_S);
    om_relay_select_rtt(&p.s, &one, OM_MS(10)); /* it may come back, but not at once */
    p.now += OM_SEC(OM_RELAY_DWELL_S);
    settle(&p, 1);
    CHECK(!is_warm(&p, 1)); /* it is tried, and does not come up */
    p.now += OM_SEC(OM_RELAY_TRY_S);
    settle(&p, 0);
    CHECK(is_warm(&p, 2) && is_warm(&p, 3));
    const struct om_relay_choice *c = om_relay_select_find(&p.s, &one);
    CHECK(c->failures == 2 && c->rest_until == p.now + OM_SEC(2 * OM_RELAY_REST_S));
    om_relay_select_gone(&p.s, &one);
    CHECK(!om_relay_select_find(&p.s, &one));
}

OM_TEST(select_leaves_one_that_refuses)
{
    struct om_id one = id_of(1);
    struct place p;

    open_place(&p);
    add(&p, 1, 1, 10);
    add(&p, 2, 2, 20);
    add(&p, 3, 3, 60);
    settle(&p, 0);
    om_relay_select_refused(&p.s, p.now, &one);
    settle(&p, 0);
    CHECK(is_warm(&p, 1)); /* once is no reason */
    for (unsigned i = 0; i < 5; i++)
        om_relay_select_refused(&p.s, p.now, &one);
    settle(&p, 0);
    CHECK(!is_warm(&p, 1) && is_warm(&p, 3));
    p.now += OM_SEC(10 * OM_RELAY_FORGET_S); /* it has room again */
    settle(&p, 0);
    CHECK(is_warm(&p, 1) && !is_warm(&p, 3));
}

/* RTTs that waver by a fifth make nobody move; one that is much better does, once. */
OM_TEST(select_does_not_flap)
{
    struct om_prng prng;
    struct place p;

    om_prng_seed(&prng, 3);
    open_place(&p);
    for (unsigned i = 1; i <= 8; i++)
        add(&p, i, i, 50);
    settle(&p, 0);
    for (unsigned round = 0; round < 5000; round++) {
        struct om_id id = id_of(1 + (unsigned)om_prng_below(&prng, 8));
        om_relay_select_rtt(&p.s, &id, OM_MS(45 + (om_time)om_prng_below(&prng, 11)));
        p.now += OM_SEC(1);
        settle(&p, 0);
    }
    CHECK_EQ(p.s.moves, 0);
    add(&p, 9, 9, 5);
    settle(&p, 0);
    CHECK(p.s.moves == 1 && is_warm(&p, 9) && warm(&p) == 2);
    CHECK(om_relay_select_deadline(&p.s, p.now) > p.now);
}

OM_TEST(select_is_bounded)
{
    struct place p;

    open_place(&p);
    for (unsigned i = 1; i <= 300; i++) {
        add(&p, i, i, 400 - i);
        settle(&p, i % 7 == 0 ? i : 0);
        p.now += OM_SEC(1);
        CHECK(p.s.count <= OM_RELAYS_KNOWN_MAX);
        CHECK(warm(&p) <= OM_RELAYS_WARM);
    }
    CHECK_EQ(p.s.count, OM_RELAYS_KNOWN_MAX);
    CHECK(p.wants - p.releases <= OM_RELAYS_WARM);
}
