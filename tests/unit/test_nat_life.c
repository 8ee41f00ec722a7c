/* test_nat_life.c - NATs with a known timeout, tried as the bounds ask. */
#include "harness.h"

#include "path/nat_life.h"

/* Tries until the bounds are narrow. Returns how many trials that took. */
static unsigned search(struct om_nat_life *l, om_time timeout)
{
    unsigned trials = 0;
    om_time gap;

    while ((gap = om_nat_life_trial(l)) != OM_NEVER) {
        CHECK(++trials < 50 && gap > 0);
        if (gap < timeout)
            om_nat_life_alive(l, gap);
        else
            (void)om_nat_life_dead(l, gap);
    }
    return trials;
}

OM_TEST(life_bisects)
{
    static const int timeouts[] = {6, 10, 16, 20, 30, 45, 60, 90, 120, 180, 240, 299};
    struct om_nat_life none = {0};

    CHECK_EQ(om_nat_life_safe(&none), OM_SEC(15));
    for (unsigned i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        struct om_nat_life l = {0};
        om_time timeout = OM_SEC(timeouts[i]);
        CHECK(search(&l, timeout) <= 16);
        CHECK(l.alive < timeout && l.dead >= timeout);
        CHECK(om_nat_life_safe(&l) < timeout);
        CHECK(om_nat_life_safe(&l) * 10 >= timeout * 8);
    }
}

OM_TEST(life_one_loss_is_no_death)
{
    struct om_nat_life l = {0};

    CHECK(!om_nat_life_dead(&l, OM_SEC(30)));
    CHECK_EQ(l.dead, 0);
    CHECK_EQ(om_nat_life_trial(&l), OM_SEC(30)); /* the same again */
    om_nat_life_alive(&l, OM_SEC(30));
    CHECK(!om_nat_life_dead(&l, OM_SEC(60)));
    CHECK(om_nat_life_dead(&l, OM_SEC(60)));
    CHECK_EQ(l.dead, OM_SEC(60));
    CHECK(!om_nat_life_dead(&l, 0));
}

OM_TEST(life_follows_a_change)
{
    struct om_nat_life l = {0};

    search(&l, OM_SEC(180));
    CHECK(!om_nat_life_dead(&l, OM_SEC(20)));
    CHECK(om_nat_life_dead(&l, OM_SEC(20))); /* a mapping that lived 150 s before */
    CHECK_EQ(l.alive, 0);
    CHECK_EQ(om_nat_life_safe(&l), OM_SEC(5));
    search(&l, OM_SEC(18));
    CHECK(l.alive < OM_SEC(18) && l.dead >= OM_SEC(18));
    om_nat_life_alive(&l, OM_SEC(100));
    CHECK_EQ(l.dead, 0);
    search(&l, OM_SEC(180));
    CHECK(l.alive < OM_SEC(180) && l.dead >= OM_SEC(180));
}

OM_TEST(life_is_bounded)
{
    struct om_nat_life l = {0};

    CHECK(search(&l, OM_SEC(100000)) <= 5);
    CHECK_EQ(l.alive, OM_SEC(300));
    l = (struct om_nat_life){0};
    om_nat_life_alive(&l, OM_MS(80)); /* an answer that came at once */
    CHECK_EQ(om_nat_life_trial(&l), OM_SEC(30));
    CHECK(search(&l, OM_SEC(1)) <= 20);
    CHECK_EQ(om_nat_life_safe(&l), OM_SEC(5));
}
