/* When the next frames of a link are read. */
#include "harness.h"

#include "links/link_pace.h"

enum { FRAME = 100, FULL = 1500 };

static const struct link_waste none;

OM_TEST(link_pace_lets_a_little_through_at_once)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5);

    for (unsigned i = 1; i <= 1000; i++, now += OM_MS(LINK_PACE_MS))
        CHECK_EQ(link_pace_read(&p, now, FULL, none), OM_NEVER);
}

OM_TEST(link_pace_gathers_a_burst)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5);
    unsigned n = 1;

    for (; link_pace_read(&p, now, FULL, none) == OM_NEVER; n++)
        CHECK(n < 100);
    CHECK_EQ(n, (LINK_PACE_BURST_BYTES + FULL - 1) / FULL);
    CHECK_EQ(link_pace_read(&p, now, FULL, none), now + OM_MS(LINK_PACE_MS));
    now += OM_MS(LINK_PACE_MS);
    CHECK_EQ(link_pace_read(&p, now, FULL, none), OM_NEVER);
}

OM_TEST(link_pace_slows_what_is_refused)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5), begun = now;
    struct link_waste w = {.frames = 0};

    /* One that would send for ever, a fifth of it in vain: what is refused in ten seconds. */
    while (now < begun + OM_SEC(10)) {
        w.frames += 200;
        om_time at = link_pace_read(&p, now, 1000 * (size_t)FRAME, w);
        CHECK(at != OM_NEVER && at > now && at <= now + OM_MS(LINK_PACE_REST_MAX_MS));
        now = at;
    }
    CHECK(w.frames <= (OM_SEC(10) + OM_MS(LINK_PACE_FREE_MS)) / LINK_PACE_FRAME_US + 200);
    CHECK(w.frames >= OM_SEC(10) / LINK_PACE_FRAME_US);
    w.frames += UINT64_MAX / 2;
    CHECK_EQ(link_pace_read(&p, now, FRAME, w), now + OM_MS(LINK_PACE_REST_MAX_MS));
}

OM_TEST(link_pace_slows_refused_connections_more)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5), begun = now;
    struct link_waste w = {.frames = 0};

    while (now < begun + OM_SEC(10)) {
        w.calls += 16;
        om_time at = link_pace_read(&p, now, 16 * (size_t)FRAME, w);
        now = at == OM_NEVER ? now : at;
    }
    CHECK(w.calls <= (OM_SEC(10) + OM_MS(LINK_PACE_FREE_MS)) / LINK_PACE_CALL_US + 16);
    CHECK(w.calls >= OM_SEC(10) / LINK_PACE_CALL_US);
}

OM_TEST(link_pace_forgives_a_few)
{
    struct link_pace p = {0};
    om_time now = OM_SEC(5);
    struct link_waste w = {.frames = OM_MS(LINK_PACE_FREE_MS) / LINK_PACE_FRAME_US};

    CHECK_EQ(link_pace_read(&p, now, FRAME, w), OM_NEVER);
    w.frames += 80;
    CHECK_EQ(link_pace_read(&p, now, FRAME, w), now + OM_US(80 * LINK_PACE_FRAME_US));
    now += OM_SEC(1); /* it is paid */
    w.calls += LINK_PACE_FREE_MS * 1000 / LINK_PACE_CALL_US;
    CHECK_EQ(link_pace_read(&p, now, FRAME, w), OM_NEVER);
    w.calls++;
    CHECK_EQ(link_pace_read(&p, now, FRAME, w), now + OM_US(LINK_PACE_CALL_US));
}
