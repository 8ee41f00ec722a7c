/* When the next frames of a link are read. */
#include "harness.h"

#include "links/link_pace.h"

enum { FRAME = 100, FULL = 1500 };

OM_TEST(link_pace_lets_a_little_through_at_once)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5);

    for (unsigned i = 1; i <= 1000; i++, now += OM_MS(LINK_PACE_MS))
        CHECK_EQ(link_pace_read(&p, now, FULL, i, 0), OM_NEVER);
}

OM_TEST(link_pace_gathers_a_burst)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5);
    unsigned n = 0;

    while (link_pace_read(&p, now, FULL, ++n, 0) == OM_NEVER)
        CHECK(n < 100);
    CHECK_EQ(n, (LINK_PACE_BURST_BYTES + FULL - 1) / FULL);
    CHECK_EQ(link_pace_read(&p, now, FULL, ++n, 0), now + OM_MS(LINK_PACE_MS));
    now += OM_MS(LINK_PACE_MS);
    CHECK_EQ(link_pace_read(&p, now, FULL, ++n, 0), OM_NEVER);
}

OM_TEST(link_pace_slows_what_is_refused)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5), begun = now;
    uint64_t frames = 0, waste = 0;

    /* One that would send for ever: what is read of it in ten seconds. */
    while (now < begun + OM_SEC(10)) {
        frames += 300;
        waste += 200;
        om_time at = link_pace_read(&p, now, 300 * (size_t)FRAME, frames, waste);
        CHECK(at != OM_NEVER && at > now && at <= now + OM_MS(LINK_PACE_WASTE_MAX_MS));
        now = at;
    }
    CHECK(waste <= 10 * OM_SEC(1) / LINK_PACE_WASTE_US + 200);
    frames += 1000000;
    waste += 1000000;
    CHECK_EQ(link_pace_read(&p, now, FRAME, frames, waste), now + OM_MS(LINK_PACE_WASTE_MAX_MS));
}

OM_TEST(link_pace_forgives_a_few)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5);

    /* All of a few; and less than half of many. */
    CHECK_EQ(link_pace_read(&p, now, FRAME, LINK_PACE_MANY - 1, LINK_PACE_MANY - 1), OM_NEVER);
    now += OM_SEC(1);
    CHECK_EQ(link_pace_read(&p, now, FRAME, 1031, 532), now + OM_US(501 * LINK_PACE_WASTE_US));
    now += OM_SEC(1);
    CHECK_EQ(link_pace_read(&p, now, FRAME, 2031, 1032), OM_NEVER);
}
