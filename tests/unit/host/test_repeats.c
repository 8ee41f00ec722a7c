/* test_repeats.c - who asked too often, as long as that is known. */
#include "harness.h"

#include "repeats.h"

/* A crowd that asks all day does not make us forget who of another network asked three times. */
OM_TEST(repeats_of_a_crowd_leave_the_others)
{
    const struct om_id crowd = {{1}}, friends = {{2}}, nag = {{9}};
    struct repeats r = {0};
    struct om_id one = {{1}};

    for (unsigned i = 0; i < REPEATS_A_DAY; i++)
        CHECK(repeats_ask(&r, OM_SEC(1), &friends, &nag));
    for (unsigned i = 0; i < 2 * REPEATS_PEERS; i++) {
        one.b[1] = (uint8_t)i;
        CHECK(repeats_ask(&r, OM_SEC(2 + i), &crowd, &one));
    }
    CHECK(!repeats_ask(&r, OM_SEC(1000), &friends, &nag));
    /* The control: the first of the crowd are forgotten. */
    one.b[1] = 0;
    for (unsigned i = 0; i < REPEATS_A_DAY; i++)
        CHECK(repeats_ask(&r, OM_SEC(1000), &crowd, &one));
    CHECK(!repeats_ask(&r, OM_SEC(1000), &crowd, &one));
    repeats_forget(&r, &crowd, &one);
    CHECK(repeats_ask(&r, OM_SEC(1000), &crowd, &one));
}
