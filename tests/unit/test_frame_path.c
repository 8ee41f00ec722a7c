/* test_frame_path.c - frames about ways: which of them a datagram gets answers to. */
#include "harness.h"

#include "envelope/frame.h"
#include "envelope/frame_path.h"

static bool may(uint8_t type, enum om_punch_step step, bool is_later, unsigned *answered)
{
    const struct om_frame f = {.type = type, .punch = {.step = (uint8_t)step}};

    return om_frame_may_answer(&f, is_later, answered);
}

OM_TEST(frame_is_answered_once_a_datagram)
{
    static const uint8_t pings[] = {OM_FRAME_PING, OM_FRAME_PATH_CHALLENGE};
    static const enum om_punch_step words[] = {OM_PUNCH_PROBE, OM_PUNCH_SEEN};

    for (unsigned i = 0; i < 2; i++) {
        unsigned had = 0;
        CHECK(may(pings[i], OM_PUNCH_PLAN, false, &had));
        CHECK(!may(OM_FRAME_PING, OM_PUNCH_PLAN, false, &had));
        CHECK(!may(OM_FRAME_PATH_CHALLENGE, OM_PUNCH_PLAN, false, &had));
        CHECK(!may(OM_FRAME_PING_LATER, OM_PUNCH_PLAN, true, &had));
        CHECK(may(OM_FRAME_PUNCH, words[i], false, &had)); /* a probe asks something else */
        CHECK(!may(OM_FRAME_PUNCH, OM_PUNCH_PROBE, false, &had));
        CHECK(!may(OM_FRAME_PUNCH, OM_PUNCH_SEEN, false, &had));
        had = 0; /* the next datagram */
        CHECK(may(OM_FRAME_PUNCH, words[i], false, &had));
    }
}

OM_TEST(frame_that_asks_nothing_is_never_too_many)
{
    unsigned had = 0;

    for (int i = 0; i < 3; i++) {
        CHECK(may(OM_FRAME_PUNCH, OM_PUNCH_PLAN, false, &had)); /* its answer is not sent there */
        CHECK(may(OM_FRAME_DATAGRAM, OM_PUNCH_PLAN, false, &had));
        CHECK(may(OM_FRAME_PING_LATER, OM_PUNCH_PLAN, false, &had)); /* which counts for nothing */
        CHECK(may(OM_FRAME_PATH_RESPONSE, OM_PUNCH_PLAN, false, &had));
    }
}
