/* test_pins.c - who is let into a direct network. */
#include "harness.h"

#include "network/pins.h"

static struct om_id id_of(uint8_t which)
{
    struct om_id id = {.b = {which}};

    return id;
}

OM_TEST(pins_admit_who_is_named)
{
    const struct om_pins p = {.is_on = true, .count = 2, .key = {id_of(1), id_of(2)}};
    const struct om_id one = id_of(1), two = id_of(2), three = id_of(3);

    CHECK(om_pins_admit(&p, &one) && om_pins_admit(&p, &two));
    CHECK(!om_pins_admit(&p, &three));
}

OM_TEST(pins_take_the_first_and_no_other)
{
    struct om_pins p = {.is_on = true, .left = 1};
    const struct om_id one = id_of(1), two = id_of(2);

    CHECK(om_pins_admit(&p, &one) && om_pins_admit(&p, &two)); /* who it will be is open */
    CHECK_EQ(p.left, 1);                                       /* and asking decides nothing */
    CHECK(om_pins_take(&p, &one));
    CHECK(om_pins_take(&p, &one)); /* with its next session */
    CHECK(!om_pins_take(&p, &two));
    CHECK(om_pins_admit(&p, &one) && !om_pins_admit(&p, &two));
    CHECK_EQ(p.count, 1);
}

OM_TEST(pins_off_let_everybody_in)
{
    struct om_pins p = {.is_on = false};
    const struct om_id one = id_of(1);

    CHECK(om_pins_admit(&p, &one) && om_pins_take(&p, &one));
    CHECK_EQ(p.count, 0);
}
