/* test_share.c - room that networks have in common. */
#include "harness.h"

#include <omerta/share.h>

static const struct om_id crowd = {{1}}, friends = {{2}}, lab = {{3}};

/* As many rows of @network as there may be; returns how many more. */
static unsigned fill(struct om_shares *s, const struct om_id *network, unsigned max,
                     unsigned networks)
{
    unsigned n = 0;

    for (; n <= max && om_shares_fit(s, network, max, networks); n++)
        om_shares_add(s, network);
    return n;
}

OM_TEST(shares_leave_room_for_another_network)
{
    struct om_shares s = {0};

    CHECK_EQ(fill(&s, &crowd, 1024, 3), 1024 - 2 * 64);
    CHECK_EQ(fill(&s, &friends, 1024, 3), 64); /* and no more: the rest is the third's */
    CHECK_EQ(fill(&s, &crowd, 1024, 3), 0);
    CHECK_EQ(fill(&s, &lab, 1024, 3), 64);
    CHECK_EQ(s.rows, 1024);
    om_shares_drop(&s, &friends); /* it stays theirs */
    CHECK_EQ(fill(&s, &crowd, 1024, 3), 0);
    CHECK_EQ(fill(&s, &friends, 1024, 3), 1);
    s = (struct om_shares){0};
    CHECK_EQ(fill(&s, &crowd, 1024, OM_SHARES_NETWORKS), 64);
}

OM_TEST(shares_are_all_for_one_alone)
{
    struct om_shares s = {0};

    CHECK_EQ(fill(&s, &crowd, 1024, 1), 1024);
    CHECK(!om_shares_fit(&s, &friends, 1024, 2)); /* nobody is pushed out */
    CHECK_EQ(fill(&(struct om_shares){0}, &crowd, 3, 1), 3);
}

OM_TEST(shares_of_little_room_go_to_who_has_none)
{
    struct om_shares s = {0};
    struct om_id one = {{9}};

    CHECK_EQ(fill(&s, &crowd, 12, 2), 11);
    CHECK_EQ(fill(&s, &friends, 12, 2), 1);
    s = (struct om_shares){0};
    for (unsigned i = 0; i < OM_SHARES_NETWORKS; i++) { /* more than there is room for */
        one.b[1] = (uint8_t)i;
        CHECK_EQ(fill(&s, &one, 12, OM_SHARES_NETWORKS), i < 12 ? 1 : 0);
    }
}

OM_TEST(shares_forget_what_ended)
{
    struct om_shares s = {0};
    struct om_id one = {{9}};

    for (unsigned i = 0; i < 3 * OM_SHARES_NETWORKS; i++) {
        one.b[1] = (uint8_t)i;
        om_shares_add(&s, &one);
        om_shares_drop(&s, &one);
    }
    CHECK_EQ(s.rows, 0);
    for (unsigned i = 0; i <= OM_SHARES_NETWORKS; i++) {
        one.b[1] = (uint8_t)i;
        om_shares_add(&s, &one);
    }
    CHECK_EQ(s.rows, OM_SHARES_NETWORKS + 1); /* one too many counts in the whole */
    om_shares_drop(&s, &one);
    CHECK_EQ(s.rows, OM_SHARES_NETWORKS);
    one.b[1] = 0;
    CHECK_EQ(fill(&s, &one, 2 * OM_SHARES_NETWORKS, 2), 1); /* 15 have half a share */
}
