/* test_punch_memory.c - what worked, for whom, and for how long. */
#include "harness.h"

#include "path/punch_memory.h"

static const uint8_t sip[OM_SIP_KEY] = {9};

OM_TEST(memory_turns_after_a_failure)
{
    const struct om_addr ours = om_addr_v4(0x50000001, 1), theirs = om_addr_v4(0x51020304, 2);
    struct om_punch_memory m;
    om_time now = OM_SEC(100);

    om_punch_memory_init(&m, sip);
    CHECK_EQ(om_punch_memory_style(&m, now, &ours, &theirs), OM_PUNCH_PLAIN);
    om_punch_memory_tell(&m, now, &ours, &theirs, OM_PUNCH_PLAIN, false);
    OM_TRY(om_punch_memory_style(&m, now, &ours, &theirs) == OM_PUNCH_TURNED);
    om_punch_memory_tell(&m, now, &ours, &theirs, OM_PUNCH_TURNED, false);
    CHECK_EQ(om_punch_memory_style(&m, now, &ours, &theirs), OM_PUNCH_PLAIN);
out:
    om_punch_memory_fini(&m);
}

OM_TEST(memory_prefers_what_worked)
{
    const struct om_addr ours = om_addr_v4(0x50000001, 1), theirs = om_addr_v4(0x51020304, 2);
    struct om_punch_memory m;
    om_time now = OM_SEC(100);

    om_punch_memory_init(&m, sip);
    for (unsigned i = 0; i < 100; i++)
        om_punch_memory_tell(&m, now, &ours, &theirs, OM_PUNCH_TURNED, true);
    OM_TRY(om_punch_memory_style(&m, now, &ours, &theirs) == OM_PUNCH_TURNED);
    for (unsigned i = 0; i < 5; i++) /* bounded, so it can be unlearnt */
        om_punch_memory_tell(&m, now, &ours, &theirs, OM_PUNCH_TURNED, false);
    CHECK_EQ(om_punch_memory_style(&m, now, &ours, &theirs), OM_PUNCH_PLAIN);
out:
    om_punch_memory_fini(&m);
}

OM_TEST(memory_fades)
{
    const struct om_addr ours = om_addr_v4(0x50000001, 1), theirs = om_addr_v4(0x51020304, 2);
    struct om_punch_memory m;
    om_time now = OM_SEC(100), day = OM_SEC(86400);

    om_punch_memory_init(&m, sip);
    om_punch_memory_tell(&m, now, &ours, &theirs, OM_PUNCH_TURNED, true);
    OM_TRY(om_punch_memory_style(&m, now + 2 * day, &ours, &theirs) == OM_PUNCH_TURNED);
    CHECK_EQ(om_punch_memory_style(&m, now + 3 * day, &ours, &theirs), OM_PUNCH_PLAIN);
    om_punch_memory_tell(&m, now + 900 * day, &ours, &theirs, OM_PUNCH_PLAIN, false);
    OM_TRY(om_punch_memory_style(&m, now + 900 * day, &ours, &theirs) == OM_PUNCH_TURNED);
out:
    om_punch_memory_fini(&m);
}

OM_TEST(memory_is_of_the_pair)
{
    const struct om_addr ours = om_addr_v4(0x50000001, 1), moved = om_addr_v4(0x50000002, 1);
    const struct om_addr theirs = om_addr_v4(0x51020304, 2), near = om_addr_v4(0x510203ff, 9);
    const struct om_addr far = om_addr_v4(0x51020404, 2);
    struct om_punch_memory m;

    om_punch_memory_init(&m, sip);
    om_punch_memory_tell(&m, 0, &ours, &theirs, OM_PUNCH_TURNED, true);
    OM_TRY(om_punch_memory_style(&m, 0, &ours, &near) == OM_PUNCH_TURNED);
    CHECK_EQ(om_punch_memory_style(&m, 0, &ours, &far), OM_PUNCH_PLAIN);
    CHECK_EQ(om_punch_memory_style(&m, 0, &moved, &theirs), OM_PUNCH_PLAIN);
out:
    om_punch_memory_fini(&m);
}

OM_TEST(memory_is_bounded)
{
    const struct om_addr ours = om_addr_v4(0x50000001, 1), first = om_addr_v4(0x40000001, 0);
    struct om_punch_memory m;

    om_punch_memory_init(&m, sip);
    for (uint32_t i = 0; i <= OM_PUNCH_MEMORY_MAX; i++) {
        struct om_addr theirs = om_addr_v4(0x40000001 + 256 * i, 0);
        om_punch_memory_tell(&m, 0, &ours, &theirs, OM_PUNCH_TURNED, true);
        OM_TRY(om_punch_memory_style(&m, 0, &ours, &theirs) == OM_PUNCH_TURNED);
    }
    CHECK_EQ(om_lru_count(&m.pairs), OM_PUNCH_MEMORY_MAX);
    CHECK_EQ(om_punch_memory_style(&m, 0, &ours, &first), OM_PUNCH_PLAIN);
out:
    om_punch_memory_fini(&m);
}
